//! What a client sends to be let in, beside its certificate.

use super::signin::{Session, Span};
use guard::operators::UserName;
use service::Blame;
use std::fmt;
use thiserror::Error;

/// What a client has sent, looked up when a list asks for it.
pub trait Credentials: fmt::Debug {
    /// Its user and password (RFC 7617).
    fn login(&self) -> Login<'_>;

    /// What its cookie called `cookie` is to the list called `access`.
    fn ticket(&self, cookie: &str, access: &str) -> Ticket;

    /// What its cookie called `cookie` is to the list called `access`, whose sessions hold for `span`.
    fn session(&self, cookie: &str, access: &str, span: Span) -> Session<'_>;

    /// The `Origin` of the page that asks.
    fn origin(&self) -> Option<&[u8]>;
}

/// User and password of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login<'a> {
    /// It has sent none.
    Nothing,
    /// What it has sent can not be read.
    Unreadable,
    /// The password is still to be looked at.
    Unchecked,
    /// Too many passwords are looked at.
    Busy,
    /// There is no such user, or the password is another; the name, if it can be one.
    Wrong(Option<&'a UserName>),
    /// The same that was wrong a moment ago.
    WrongAgain,
    /// The password was not looked at: too many wrong ones of this user came, and the next is looked at after so many seconds.
    Held(u64),
    /// It is this user.
    Right(&'a UserName),
}

/// The token of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticket {
    /// It has sent none.
    Nothing,
    /// There is no such token, or it is for another list.
    Unknown,
    /// Its time is over.
    Expired,
    /// It is good.
    Good,
}

/// Why somebody is not let in by user and password.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LoginFault {
    /// None were sent.
    #[error("needs user and password")]
    Missing,
    /// They can not be read.
    #[error("user and password can not be read")]
    Unreadable,
    /// The password is still to be looked at; no client is told.
    #[error("the password was not looked at")]
    Unchecked,
    /// Too many are looked at.
    #[error("too many passwords are looked at in this moment")]
    Busy,
    /// Wrong.
    #[error("wrong user or password")]
    Wrong(Option<UserName>),
    /// The same that was wrong a moment ago: a page with many parts sends it many times.
    #[error("wrong user or password, the same as before")]
    WrongAgain,
    /// Not looked at for so many seconds: too many wrong ones of this user came.
    #[error("not looked at: too many wrong passwords of this user came lately")]
    Held(u64),
    /// Another user.
    #[error("{0} is not among its `users`")]
    NotNamed(UserName),
}

/// Somebody is not let in by user and password.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("access `{access}`: {fault}")]
pub struct LoginRefused {
    /// The list.
    pub access: Box<str>,
    /// Its realm.
    pub realm: Box<str>,
    /// Why not.
    pub fault: LoginFault,
}

/// Why somebody is not let in by a token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TicketFault {
    /// None was sent.
    #[error("needs a cookie with a token, and there is none")]
    Missing,
    /// It is none of ours, or for another list.
    #[error("the token is not known, or was revoked")]
    Unknown,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// The page that asks is none of those that may.
    #[error("the page that asks is of {0}, which is not among its `origins`")]
    Origin(Box<str>),
    /// The page that asks is of no host that asks for the same login.
    #[error(
        "the page that asks for a WebSocket is of {0}, and of no host that asks for this login"
    )]
    OtherHost(Box<str>),
    /// Which page asks is not said.
    #[error("it is not said which page asks, and only those of its `origins` may")]
    NoOrigin,
}

impl LoginFault {
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Unchecked | Self::Busy => 503,
            Self::Held(_) => 429,
            _ => 401,
        }
    }

    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Held(seconds) => Some(*seconds),
            _ => None,
        }
    }

    pub(super) fn blame(&self) -> Blame {
        match self {
            Self::Unchecked | Self::Busy => Blame::Us,
            _ => Blame::Peer,
        }
    }

    /// Only who has sent something wrong is suspicious: browsers ask without a password first.
    pub(super) fn weight(&self) -> u32 {
        u32::from(matches!(self, Self::Unreadable | Self::Wrong(_)))
    }
}

impl TicketFault {
    /// Nothing: tokens expire and are revoked while pages are open that go on to ask, who opens a foreign page is not to blame for it, and
    /// nobody guesses 256 random bits.
    pub(super) const WEIGHT: u32 = 0;
}

/// A client that sends nothing of all this.
#[derive(Clone, Copy, Debug)]
pub struct Anonymous;

impl Credentials for Anonymous {
    fn login(&self) -> Login<'_> {
        Login::Nothing
    }

    fn ticket(&self, _: &str, _: &str) -> Ticket {
        Ticket::Nothing
    }

    fn session(&self, _: &str, _: &str, _: Span) -> Session<'_> {
        Session::Nothing
    }

    fn origin(&self) -> Option<&[u8]> {
        None
    }
}
