//! The sessions of a browser: which it has, and how one begins.

use std::sync::Arc;

use guard::entrance::{NewSession, TokenHash};
use http::Response;
use service::{LiveSession, clip};

use super::arrival::{Arrival, unix_now};
use super::lists::List;
use super::reply::{self, Body};
use crate::core::returns::Return;
use crate::core::{cookies, person};
use crate::directory::Person;

/// The most bytes of a user's name in the log.
const LONGEST_TOLD: usize = 256;

/// What an identity provider calls the session and the user, where one was asked.
#[derive(Debug, Default)]
pub(super) struct AtIssuer {
    pub(super) session: Option<String>,
    pub(super) subject: Option<String>,
}

/// Why somebody is not let in whom the directory knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeptOut {
    /// He is in none of the groups.
    NoGroup,
    /// What the directory says of him can be no session.
    NoSession,
}

impl<'a> Arrival<'a> {
    /// The sessions that this browser has of the lists of this host.
    pub(super) fn sessions(&self) -> Vec<(&'a Arc<List>, TokenHash, Arc<LiveSession>)> {
        let now = unix_now();
        let mut found = Vec::new();
        for list in self.lists {
            for text in cookies::all(self.headers, &list.session.cookie) {
                let hash = TokenHash::of(text);
                let live = self.lasting.context.entrance.session(&hash);
                let live = live.filter(|live| list.holds(live, now));
                found.extend(live.map(|live| (list, hash, live)));
            }
        }
        found
    }

    /// Begins a session, and leads its browser to where it wanted to go.
    ///
    /// # Errors
    /// [`KeptOut`]; it was told.
    pub(super) fn let_in(
        &self,
        list: &List,
        to: &Return,
        person: Person,
        at_issuer: AtIssuer,
    ) -> Result<Response<Body>, KeptOut> {
        self.looked_for_group(list, &person)?;
        let mut user = person.user;
        let who = NewSession {
            access: list.name.as_str().into(),
            user: user.as_str().into(),
            groups: person::groups(person.groups, &list.groups),
            from: self.client,
            issuer_session: at_issuer.session.map(Into::into),
            subject: at_issuer.subject.map(Into::into),
        };
        let begun = self.lasting.context.entrance.begin_session(who, unix_now());
        clip(&mut user, LONGEST_TOLD);
        let name = &list.name;
        let text = begun.map_err(|fault| {
            self.notice(format!("access `{name}`: no session for {user:?}: {fault}"));
            KeptOut::NoSession
        })?;
        self.end_earlier(list);
        self.notice(format!(
            "{user:?} has signed in at access `{name}` from {}",
            self.client
        ));
        let cookie = cookies::session(&list.session.cookie, &text, &list.session.domain);
        Ok(reply::with_cookie(reply::see_other(to.as_str()), cookie))
    }

    /// Whether he is in one of the groups that a list wants.
    ///
    /// # Errors
    /// [`KeptOut::NoGroup`]; it was told.
    pub(super) fn looked_for_group(&self, list: &List, person: &Person) -> Result<(), KeptOut> {
        let is_wanted = |group: &String| list.groups.contains(group);
        if list.groups.is_empty() || person.groups.iter().any(is_wanted) {
            return Ok(());
        }
        let why = "is in none of the groups of the access list";
        self.told_failed(list, &person.user, why);
        Err(KeptOut::NoGroup)
    }

    /// Ends what this browser had of `list`: nobody has its cookie any more.
    fn end_earlier(&self, list: &List) {
        let entrance = &self.lasting.context.entrance;
        for earlier in cookies::all(self.headers, &list.session.cookie) {
            let hash = TokenHash::of(earlier);
            let session = entrance.session(&hash);
            if session.is_some_and(|live| *live.session().access == *list.name) {
                entrance.end_session(&hash);
            }
        }
    }
}
