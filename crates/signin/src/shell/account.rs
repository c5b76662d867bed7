//! Who is signed in, and how he signs out.

use http::{Response, StatusCode};

use super::arrival::Arrival;
use super::reply::{self, Body, Freedom};
use crate::core::cookies;
use crate::core::page::{Sentence, Shown};
use crate::core::returns::Return;

impl Arrival<'_> {
    /// Shows who is signed in here; `on` is where he was led to.
    pub(super) fn account(&self, on: Option<&Return>) -> Response<Body> {
        let sessions = self.sessions();
        let Some((_, _, live)) = sessions.first() else {
            let page = self.frame().nobody(false, None);
            return reply::html(StatusCode::OK, page, Freedom::default());
        };
        let Ok((cookie, is_new)) = self.browser() else {
            return self.sentence(StatusCode::INTERNAL_SERVER_ERROR, Sentence::NoPage);
        };
        let shown = Shown {
            user: &live.session().user,
            groups: &live.session().groups,
        };
        let mark = self.lasting.seal.mark(&cookie, &self.host);
        let page = self.frame().account(shown, &mark, on.map(Return::as_str));
        let response = reply::html(StatusCode::OK, page, Freedom::default());
        reply::with_cookie(response, cookies::login(&cookie).filter(|_| is_new))
    }

    /// Ends every session that this browser has here.
    pub(super) async fn sign_out(&self) -> Response<Body> {
        let mut there = None;
        for (list, hash, _) in self.sessions() {
            self.lasting.context.entrance.end_session(&hash);
            if let Some(oidc) = list.provider() {
                there = self.sign_out_there(oidc).await;
            }
        }
        let page = self.frame().nobody(true, there.as_deref());
        let mut response = reply::html(StatusCode::OK, page, Freedom::default());
        for list in self.lists {
            let gone = cookies::no_session(&list.session.cookie, &list.session.domain);
            response = reply::with_cookie(response, gone);
        }
        response
    }
}
