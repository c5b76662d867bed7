//! A request, as far as every page needs it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use maud::Markup;
use tokio::time::Instant;

use super::lasting::{Lasting, random_text};
use super::lists::{List, Lists, public_address};
use super::reply::{self, Body, Freedom};
use crate::core::cookies;
use crate::core::form::{Asked, Form};
use crate::core::origin;
use crate::core::page::{Frame, Hidden, Sentence};
use crate::core::returns::Return;
use crate::core::words::Language;

/// A request to one of the box's own pages.
pub(crate) struct Arrival<'a> {
    pub(crate) lasting: &'a Lasting,
    pub(crate) headers: &'a HeaderMap,
    /// Name and port that were asked for.
    authority: &'a str,
    /// The name alone, in lower case.
    pub(crate) host: String,
    /// The lists that the host uses.
    pub(crate) lists: &'a [Arc<List>],
    all: &'a Lists,
    pub(crate) client: IpAddr,
    pub(crate) language: Language,
    /// When it came.
    pub(crate) at: Instant,
}

impl<'a> Arrival<'a> {
    /// What a request says of itself; none: it did not come by way of the proxy, which always says these things.
    pub(crate) fn read(
        headers: &'a HeaderMap,
        all: &'a Lists,
        lasting: &'a Lasting,
    ) -> Option<Self> {
        let authority = headers.get(header::HOST)?.to_str().ok()?;
        let name = authority.split(':').next().unwrap_or_default();
        let host = name.trim_end_matches('.').to_ascii_lowercase();
        let client = headers.get("x-forwarded-for")?.to_str().ok()?;
        Some(Self {
            lasting,
            headers,
            authority,
            lists: all.of(&host),
            host,
            all,
            client: client.trim().parse().ok()?,
            language: Language::preferred(headers),
            at: Instant::now(),
        })
    }

    /// The address of a path at a host, as browsers outside write it.
    pub(crate) fn address(&self, host: &str, path: &str) -> String {
        public_address(self.all.port, host, path)
    }

    /// What its pages show around their content.
    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame {
            language: self.language,
            host: &self.host,
        }
    }

    /// The list that is asked for; the first one of the host where none of it is.
    pub(crate) fn list(&self, asked: &Asked) -> Option<&'a Arc<List>> {
        let named = self.lists.iter().find(|list| list.name == asked.access);
        named.or(self.lists.first())
    }

    /// Where a login at `list` leads that asks for `to`.
    pub(crate) fn way_back(&self, list: &List, to: &str) -> Return {
        Return::read(to, self.all.port, |host| list.hosts.contains(host))
    }

    /// The value of the cookie that ties forms to this browser, and whether it is new.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn browser(&self) -> Result<(String, bool), getrandom::Error> {
        match cookies::all(self.headers, cookies::LOGIN).next() {
            Some(known) => Ok((known.to_owned(), false)),
            None => Ok((random_text()?, true)),
        }
    }

    /// The cookie of the browser that `form` was shown in.
    ///
    /// # Errors
    /// [`Stranger`].
    pub(crate) fn sender(&self, form: &Form) -> Result<&str, Stranger> {
        if !origin::is_own(self.headers, self.authority) {
            return Err(Stranger::Foreign);
        }
        let cookie = cookies::all(self.headers, cookies::LOGIN).next();
        let is_shown = |cookie: &&str| self.lasting.seal.is_mark(&form.mark, cookie, &self.host);
        cookie.filter(is_shown).ok_or(Stranger::Unmarked)
    }

    /// A page with a form of `list` that leads to `to`; `content` makes it of what the form must hold.
    pub(crate) fn form(
        &self,
        status: StatusCode,
        list: &List,
        to: &Return,
        content: impl FnOnce(Hidden<'_>) -> Markup,
    ) -> Response<Body> {
        let Ok((cookie, is_new)) = self.browser() else {
            return self.sentence(StatusCode::INTERNAL_SERVER_ERROR, Sentence::NoPage);
        };
        let hidden = Hidden {
            mark: &self.lasting.seal.mark(&cookie, &self.host),
            access: &list.name,
            to: to.as_str(),
        };
        let freedom = Freedom {
            leads_to: to.other_origin(),
            framed: list.is_framed.then_some((list, self.all.port)),
        };
        let cookie: Option<HeaderValue> = cookies::login(&cookie).filter(|_| is_new);
        reply::with_cookie(reply::html(status, content(hidden), freedom), cookie)
    }

    /// A page of one sentence.
    pub(crate) fn sentence(&self, status: StatusCode, sentence: Sentence) -> Response<Body> {
        let page = self.frame().sentence(sentence);
        reply::html(status, page, Freedom::default())
    }
}

/// Why a form is not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// The browser says that another site has sent it.
    Foreign,
    /// It does not hold what ours hold for this browser.
    Unmarked,
}

/// Seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
