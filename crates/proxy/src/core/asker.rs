//! Who is taken to ask, in an explanation.

use super::credentials::{Anonymous, Credentials, Login, Ticket};
use super::explain::Shows;
use super::signin::{Session, SignedIn, Span};
use config::{AccessKind, Config};
use guard::operators::UserName;
use std::collections::HashMap;
use std::net::IpAddr;

/// Who asks, in an explanation; by default a browser somewhere outside that has nothing to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker<'a> {
    /// Its address.
    pub from: Option<IpAddr>,
    /// The certificate that it shows.
    pub shows: Option<Shows<'a>>,
    /// The user who has signed in, by password or on the login page, wherever he is asked to.
    pub user: Option<&'a str>,
    /// The groups that he is in; `None`: whichever are asked for.
    pub groups: Option<&'a [Box<str>]>,
}

/// What an [`Asker`] sends to be let in.
#[derive(Debug)]
pub(super) enum Pretended {
    Nothing,
    User {
        name: Box<str>,
        /// As one with a password.
        visitor: Option<UserName>,
        /// His groups, by the lists of kind "sso".
        groups: HashMap<Box<str>, Vec<Box<str>>>,
    },
}

impl Pretended {
    pub(super) fn of(config: &Config, asker: &Asker<'_>) -> Self {
        let Some(user) = asker.user else {
            return Self::Nothing;
        };
        let groups = config.access.iter().filter_map(|list| {
            let AccessKind::Sso(sso) = &list.kind else {
                return None;
            };
            let groups = match asker.groups {
                Some(groups) => groups.to_vec(),
                None => sso.groups.iter().map(|own| own.as_str().into()).collect(),
            };
            Some((list.name.as_str().into(), groups))
        });
        Self::User {
            name: user.into(),
            visitor: UserName::new(user).ok(),
            groups: groups.collect(),
        }
    }
}

impl Credentials for Pretended {
    fn login(&self) -> Login<'_> {
        match self {
            Self::User {
                visitor: Some(user),
                ..
            } => Login::Right(user),
            _ => Login::Nothing,
        }
    }

    fn ticket(&self, cookie: &str, access: &str) -> Ticket {
        Anonymous.ticket(cookie, access)
    }

    fn session(&self, _: &str, access: &str, _: Span) -> Session<'_> {
        match self {
            Self::User { name, groups, .. } => Session::Live(SignedIn {
                user: name,
                groups: groups.get(access).map_or(&[], Vec::as_slice),
            }),
            Self::Nothing => Session::Nothing,
        }
    }

    fn origin(&self) -> Option<&[u8]> {
        None
    }
}
