//! What a client sends to be let in, looked up when a list asks for it.

use crate::core::{Credentials, Login, Rule, Session, Span, Ticket};
use crate::shell::logins::{Check, Logins, Looked};
use crate::shell::sessions::{self, HeldSessions, Sent};
use guard::entrance::{LiveToken, Proof, TokenHash, Typed};
use guard::operators::UserName;
use proto::http::{BasicCredentials, Fields, Name, cookies};
use service::RollWatch;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::time::{Duration, SystemTime};

/// How many cookies of one name are looked at that can be ours: a neighbour below the same domain may set some beside them. The login page
/// looks at as many.
const COOKIES: usize = 8;
/// The longest text that can be a token.
const LONGEST_TOKEN: usize = 128;

/// Those of a request.
pub(crate) struct Claims<'a> {
    fields: &'a Fields<'a>,
    roll: &'a RollWatch,
    logins: &'a Logins,
    /// The cookies that carry sessions.
    session_cookies: &'a [Box<str>],
    sessions: OnceCell<Vec<Sent>>,
    /// What came of the look at the password of this very request.
    looked: Option<(Proof, Looked)>,
    login: OnceCell<Found>,
}

enum Found {
    Nothing,
    Unreadable,
    Unchecked(Cell<Option<Box<Check>>>),
    Busy,
    Wrong(Option<UserName>),
    WrongAgain,
    Held(u64),
    Right(UserName, u64),
}

impl<'a> Claims<'a> {
    pub(crate) fn new(
        fields: &'a Fields<'a>,
        roll: &'a RollWatch,
        logins: &'a Logins,
        session_cookies: &'a [Box<str>],
        looked: Option<(Proof, Looked)>,
    ) -> Self {
        Self {
            fields,
            roll,
            logins,
            session_cookies,
            sessions: OnceCell::new(),
            looked,
            login: OnceCell::new(),
        }
    }

    /// The password that is still to be looked at.
    pub(crate) fn unchecked(&self) -> Option<Box<Check>> {
        match self.login.get()? {
            Found::Unchecked(check) => check.take(),
            _ => None,
        }
    }

    /// Whether user and password are none of the business of the target of `rule`.
    pub(crate) fn are_ours(&self, rule: &Rule) -> bool {
        rule.takes_login || (rule.takes_visitors && self.name_visitor())
    }

    fn name_visitor(&self) -> bool {
        let value = self.fields.all(Name::Authorization).next();
        let Some(Ok(sent)) = value.and_then(BasicCredentials::read) else {
            return false;
        };
        UserName::new(sent.user()).is_ok_and(|user| self.roll.visitor(&user).is_some())
    }

    /// What of them is to be looked at again as long as something is open that `rule` has let in by them.
    pub(crate) fn held(&self, rule: &Rule) -> Held {
        let login = match rule.takes_login.then(|| self.found()) {
            Some(Found::Right(user, version)) => Some((user.clone(), *version)),
            _ => None,
        };
        let tickets = rule.ticket_cookies().flat_map(|cookie| {
            let hashes = self.tokens(cookie).map(TokenHash::of);
            hashes.map(move |hash| (Box::from(cookie), hash))
        });
        Held {
            login,
            tickets: tickets.collect(),
            sessions: HeldSessions::of(rule, self.sent()),
            origin: self.origin().map(Box::from),
            roll: self.roll.clone(),
        }
    }

    /// Takes note that the sessions that `rule` asks for are used.
    pub(crate) fn touch(&self, rule: &Rule) {
        for (access, sign_on) in rule.sign_ons() {
            sessions::touch(self.sent(), (&sign_on.cookie, access), sign_on.span);
        }
    }

    fn sent(&self) -> &[Sent] {
        self.sessions.get_or_init(|| {
            let names = self.session_cookies.iter();
            let sent = names.map(|name| {
                let hashes = self.tokens(name).map(TokenHash::of);
                Sent::of(name, hashes, self.roll)
            });
            sent.collect()
        })
    }

    fn found(&self) -> &Found {
        self.login.get_or_init(|| self.find())
    }

    fn find(&self) -> Found {
        let Some(value) = self.fields.all(Name::Authorization).next() else {
            return Found::Nothing;
        };
        let sent = match BasicCredentials::read(value) {
            None => return Found::Nothing,
            Some(Err(_)) => return Found::Unreadable,
            Some(Ok(sent)) => sent,
        };
        let user = UserName::new(sent.user()).ok();
        let visitor = user.as_ref().and_then(|user| self.roll.visitor(user));
        let version = visitor.as_ref().map_or(0, |(_, version)| *version);
        let name = user.as_ref().map_or(sent.user(), UserName::as_str);
        let proof = self.logins.proof(name, sent.password(), version);
        let looked = self.looked.filter(|(of, _)| *of == proof);
        let known = |right| {
            if right {
                Looked::Right
            } else {
                Looked::WrongAgain
            }
        };
        let looked = looked.map(|(_, looked)| looked);
        match (
            looked.or_else(|| self.logins.recall(&proof).map(known)),
            user,
        ) {
            (Some(Looked::Busy), _) => Found::Busy,
            (Some(Looked::Right), Some(user)) => Found::Right(user, version),
            (Some(Looked::WrongAgain), _) => Found::WrongAgain,
            (Some(Looked::Held(seconds)), _) => Found::Held(seconds),
            (Some(Looked::Right | Looked::Wrong), user) => Found::Wrong(user),
            (None, user) => Found::Unchecked(Cell::new(Some(Box::new(Check {
                proof,
                user,
                password: Typed::from(sent.password().to_owned()),
                hash: visitor.map(|(hash, _)| hash),
            })))),
        }
    }

    /// What may be the text of a token in cookies of that name.
    fn tokens<'n>(&'n self, cookie: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let texts = cookies(self.fields, cookie).filter(|value| is_text(value));
        let texts = texts.filter_map(|value| std::str::from_utf8(value).ok());
        texts.take(COOKIES)
    }
}

impl Credentials for Claims<'_> {
    fn login(&self) -> Login<'_> {
        match self.found() {
            Found::Nothing => Login::Nothing,
            Found::Unreadable => Login::Unreadable,
            Found::Unchecked(_) => Login::Unchecked,
            Found::Busy => Login::Busy,
            Found::Wrong(user) => Login::Wrong(user.as_ref()),
            Found::WrongAgain => Login::WrongAgain,
            Found::Held(seconds) => Login::Held(*seconds),
            Found::Right(user, _) => Login::Right(user),
        }
    }

    fn ticket(&self, cookie: &str, access: &str) -> Ticket {
        let hashes = self.tokens(cookie).map(TokenHash::of);
        ticket(hashes, self.roll, access)
    }

    fn session(&self, cookie: &str, access: &str, span: Span) -> Session<'_> {
        sessions::session(self.sent(), (cookie, access), span)
    }

    fn origin(&self) -> Option<&[u8]> {
        self.fields.all(Name::Origin).next()
    }
}

impl fmt::Debug for Claims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(..)")
    }
}

/// Those by which something was let in that is still open.
#[derive(Debug)]
pub(crate) struct Held {
    login: Option<(UserName, u64)>,
    tickets: Vec<(Box<str>, TokenHash)>,
    sessions: HeldSessions,
    origin: Option<Box<[u8]>>,
    roll: RollWatch,
}

impl Held {
    /// How long they hold at the most without another look; `None`: until something changes.
    pub(crate) fn holds(&self) -> Option<Duration> {
        let tokens = self.tickets.iter();
        let tokens = tokens.filter_map(|(_, hash)| self.roll.token(hash));
        let left = tokens.filter_map(|token| token.expires?.checked_sub(unix_now()));
        let left = left.chain(self.sessions.holds(&self.roll));
        left.filter(|left| *left > 0).min().map(Duration::from_secs)
    }

    /// Takes note that what was let in is used.
    pub(crate) fn touch(&self) {
        self.sessions.touch(&self.roll);
    }
}

impl Credentials for Held {
    fn login(&self) -> Login<'_> {
        let Some((user, version)) = &self.login else {
            return Login::Nothing;
        };
        match self.roll.visitor(user) {
            Some((_, now)) if now == *version => Login::Right(user),
            _ => Login::WrongAgain,
        }
    }

    fn ticket(&self, cookie: &str, access: &str) -> Ticket {
        let named = self.tickets.iter().filter(|(name, _)| **name == *cookie);
        ticket(named.map(|(_, hash)| *hash), &self.roll, access)
    }

    fn session(&self, cookie: &str, access: &str, span: Span) -> Session<'_> {
        self.sessions.session(&self.roll, (cookie, access), span)
    }

    fn origin(&self) -> Option<&[u8]> {
        self.origin.as_deref()
    }
}

/// Whether it can be the text of a token or session.
fn is_text(value: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    (1..=LONGEST_TOKEN).contains(&value.len()) && value.iter().all(is_plain)
}

/// The best of several tokens.
fn ticket(hashes: impl Iterator<Item = TokenHash>, roll: &RollWatch, access: &str) -> Ticket {
    let mut best = Ticket::Nothing;
    for hash in hashes {
        match roll.token(&hash) {
            Some(token) if *token.access == *access && is_live(&token) => return Ticket::Good,
            Some(token) if *token.access == *access => best = Ticket::Expired,
            _ if best == Ticket::Nothing => best = Ticket::Unknown,
            _ => {}
        }
    }
    best
}

fn is_live(token: &LiveToken) -> bool {
    token.expires.is_none_or(|expires| unix_now() < expires)
}

pub(crate) fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
