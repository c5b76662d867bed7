//! Logins at an OIDC provider: the browser goes there, and comes back.

use std::sync::Arc;

use http::{Response, StatusCode};

use super::arrival::{Arrival, unix_now};
use super::lists::List;
use super::reply::{self, Body};
use super::session::{AtIssuer, KeptOut};
use super::verdict::WEIGHT;
use crate::core::cookies;
use crate::core::form::{Asked, Form};
use crate::core::page::{CALLBACK, LOGIN, Sentence};
use crate::core::returns::Return;
use crate::directory::oidc::{Callback, Finished, LogoutFault, Oidc, Waits};

/// Seconds after which a browser may ask again where nobody could be asked.
const LATER: u64 = 30;
/// What browsers that come back are counted as; no list is called so.
const CALLBACKS: &str = "";

impl Arrival<'_> {
    /// Sends the browser to the provider of `list`, by way of the one host that the provider knows.
    pub(super) async fn go(&self, list: &Arc<List>, oidc: &Oidc, to: &Return) -> Response<Body> {
        if self.host != list.first_host {
            let back = match to.other_origin() {
                Some(_) => to.as_str().to_owned(),
                None => self.address(&self.host, to.as_str()),
            };
            let asked = [("access", list.name.as_str()), ("to", &back)];
            let query = serde_urlencoded::to_string(asked).unwrap_or_default();
            let there = self.address(&list.first_host, LOGIN);
            return reply::see_other(&format!("{there}?{query}"));
        }
        let (Ok((browser, is_new)), Some(_underway)) = (
            self.browser(),
            self.lasting.crowd.enter(&list.name, self.client),
        ) else {
            return self.provider_away(list, to);
        };
        let now = unix_now();
        let begun = oidc.begin(&self.address(&self.host, CALLBACK), now).await;
        self.note(list, begun.as_ref().err());
        let Ok((address, pending)) = begun else {
            return self.provider_away(list, to);
        };
        let waits = Waits {
            pending,
            access: list.name.clone(),
            browser: browser.clone(),
            to: to.as_str().to_owned(),
            client: self.client,
        };
        self.lasting.waiting().put(waits, now);
        let cookie = cookies::login(&browser).filter(|_| is_new);
        reply::with_cookie(reply::see_other(&address), cookie)
    }

    /// Takes what the browser brings back from a provider.
    pub(super) async fn come_back(&self, query: Option<&str>) -> Response<Body> {
        let now = unix_now();
        // Each costs a question to the provider. Which list it is for, its state says later: all of them are one for this.
        let Some(underway) = self.lasting.crowd.enter(CALLBACKS, self.client) else {
            return match self.list(&Asked::default()) {
                Some(list) => self.provider_away(list, &Return::home()),
                None => self.account(None),
            };
        };
        let callback = query.and_then(Callback::of);
        let browser = cookies::all(self.headers, cookies::LOGIN).next();
        let found = callback.zip(browser).and_then(|(callback, browser)| {
            let waits = self
                .lasting
                .waiting()
                .take(callback.state()?, browser, now)?;
            let list = self.lists.iter().find(|list| list.name == waits.access)?;
            Some((callback, waits, list))
        });
        let Some((callback, waits, list)) = found else {
            return match self.list(&Asked::default()) {
                Some(list) => self.at_provider(list, &Return::home()),
                None => self.account(None),
            };
        };
        let to = self.way_back(list, &waits.to);
        let Some(oidc) = list.provider() else {
            return self.provider_away(list, &to);
        };
        let finished = oidc.finish(&waits.pending, &callback, now).await;
        drop(underway);
        match &finished {
            // What a browser says of its provider may be made up, and is no news of it.
            Err(fault) if !callback.is_code() => self.told_failed(list, "", &fault.to_string()),
            finished => self.note(list, finished.as_ref().err()),
        }
        match finished {
            Ok(Finished::Known(known)) => {
                let at_issuer = AtIssuer {
                    session: known.issuer_session,
                    subject: Some(known.subject),
                };
                match self.let_in(list, &to, known.person, at_issuer) {
                    Ok(response) => response,
                    Err(KeptOut::NoGroup) => self.kept_out_at(list, oidc, &to).await,
                    Err(KeptOut::NoSession) => self.provider_away(list, &to),
                }
            }
            Ok(Finished::Refused(why)) => {
                // Who has thought better of it is no guesser; who brings codes that are none is one.
                if callback.is_code() {
                    self.lasting.context.offences.report(self.client, WEIGHT);
                }
                self.told_failed(list, "", &why);
                self.at_provider(list, &to)
            }
            Err(_) => self.provider_away(list, &to),
        }
    }

    /// Ends the sessions that a provider has ended, for each list that has one here. No browser asks for it, and a token that is not believed
    /// counts against nobody: a provider that is told wrong of us would be banned, and nobody could sign in.
    pub(super) async fn provider_ended(&self, form: &Form) -> Response<Body> {
        let Some(token) = &form.logout_token else {
            return self.sentence(StatusCode::BAD_REQUEST, Sentence::Unreadable);
        };
        let mut status = StatusCode::BAD_REQUEST;
        for list in self.lists {
            let Some(oidc) = list.provider() else {
                continue;
            };
            match oidc.logged_out(token.as_str(), unix_now()).await {
                Ok(whom) => {
                    let (session, subject) = (whom.issuer_session, whom.subject);
                    let entrance = &self.lasting.context.entrance;
                    entrance.end_sessions_at(&list.name, session.as_deref(), subject.as_deref());
                    status = StatusCode::OK;
                }
                Err(LogoutFault::Provider(fault)) => self.note(list, Some(&fault)),
                Err(LogoutFault::Token(_)) => {}
            }
        }
        reply::empty(status)
    }

    /// Where he signs out at the provider, too; nowhere, if it does not say. It shows its own page then: an address to come back to would have to
    /// be known there.
    pub(super) async fn sign_out_there(&self, oidc: &Oidc) -> Option<String> {
        oidc.end_session(None, unix_now()).await.ok()?
    }

    /// The login at the provider did not come to its end.
    pub(super) fn at_provider(&self, list: &List, to: &Return) -> Response<Body> {
        self.form(StatusCode::FORBIDDEN, list, to, |hidden| {
            self.frame().provider(hidden, None)
        })
    }

    /// It did, and he may not.
    async fn kept_out_at(&self, list: &List, oidc: &Oidc, to: &Return) -> Response<Body> {
        let out = self.sign_out_there(oidc).await;
        self.form(StatusCode::FORBIDDEN, list, to, |hidden| {
            self.frame().kept_out(hidden, out.as_deref())
        })
    }

    /// The provider can not be asked.
    fn provider_away(&self, list: &List, to: &Return) -> Response<Body> {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let page = self.form(status, list, to, |hidden| self.frame().away(hidden));
        reply::later(page, LATER)
    }
}
