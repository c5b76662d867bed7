//! Single sign-on: who is signed in, and where those go who are not.

use super::access::Gate;
use super::balance::{Member, Standing, Targets};
use super::credentials::Credentials;
use super::decide::Ask;
use super::edit::HeadEdit;
use super::routes::{Routes, Rule, TargetKey};
use config::{Balance, HeaderRules, LoginPage, Plain, Sso, TargetHostHeader, WebSocket};
use guard::entrance::AHEAD;
use service::Blame;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use thiserror::Error;

/// The paths of a host that are ours, where one of its rules asks for a login.
pub const OWN_PATHS: &str = "/.gatehouse/";
/// Where people sign in.
const LOGIN: &str = "/.gatehouse/login";
/// What the names of the cookies of the login page begin with.
pub(super) const OWN_COOKIES: &[u8] = b"__Host-gatehouse-";
/// The longest address to which a browser comes back after its login.
const LONGEST_WAY_BACK: usize = 2048;
/// The most bytes of what is sent to the login page.
const LONGEST_FORM: u64 = 64 * 1024;

/// What an access list of kind "sso" asks for.
#[derive(Debug)]
pub struct SignOn {
    /// The cookie with the session.
    pub cookie: Box<str>,
    /// How long sessions hold.
    pub span: Span,
    /// Groups of which one is enough; empty: every user is let in.
    pub groups: Vec<Box<str>>,
    /// The field that tells the target the user.
    pub user_header: Option<Box<str>>,
    /// The field that tells the target his groups.
    pub groups_header: Option<Box<str>>,
    /// Whether targets get the cookie.
    pub forwarded: bool,
    /// The hosts with a rule that asks for it, in lower case.
    pub hosts: Box<[Box<str>]>,
}

/// How long a session holds, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Without use.
    pub idle: u64,
    /// In any case.
    pub longest: u64,
}

/// The session of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session<'a> {
    /// It has sent none.
    Nothing,
    /// There is no such session, or it is for another list.
    Unknown,
    /// It was not used for too long, or is too old.
    Over(SignInFault),
    /// He is signed in.
    Live(SignedIn<'a>),
}

/// Somebody who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedIn<'a> {
    /// His name.
    pub user: &'a str,
    /// The groups he was in when he signed in.
    pub groups: &'a [Box<str>],
}

/// Why somebody is not let in by a session.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SignInFault {
    /// There is none.
    #[error("needs a login, and there is no session")]
    Missing,
    /// It is none of ours, or for another list.
    #[error("needs a login; the session is not known, or has ended")]
    Unknown,
    /// It was not used.
    #[error("needs a login; the session was not used for too long")]
    Idle,
    /// It is too old.
    #[error("needs a login; the session has lasted as long as one may")]
    TooOld,
    /// He is in none of the groups.
    #[error("who is signed in is in none of its `groups`")]
    NoGroup,
}

/// Somebody is not let in by a session.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("access `{access}`: {fault}")]
pub struct SignInRefused {
    /// The list.
    pub access: Box<str>,
    /// Its cookie.
    pub cookie: Box<str>,
    /// Why not.
    pub fault: SignInFault,
    /// Who is signed in and in none of the groups.
    pub user: Option<Box<str>>,
    /// Whether the login page is what he wants to see now.
    pub page: bool,
}

impl Span {
    /// For how many seconds a session holds without further use. All times are seconds since 1970.
    ///
    /// # Errors
    /// Why it does not any more.
    pub fn left(&self, begun: u64, used: u64, now: u64) -> Result<u64, SignInFault> {
        // How old it is, nobody knows where the clock was far ahead when it was noted.
        let is_known = |since: u64| since <= now.saturating_add(AHEAD);
        let left = |since: u64, most: u64| match since.saturating_add(most).saturating_sub(now) {
            left @ 1.. if is_known(since) => Some(left.min(most)),
            _ => None,
        };
        let longest = left(begun, self.longest).ok_or(SignInFault::TooOld)?;
        let idle = left(used, self.idle).ok_or(SignInFault::Idle)?;
        Ok(longest.min(idle))
    }
}

impl SignOn {
    pub(super) fn new(sso: &Sso, hosts: &[Box<str>]) -> Self {
        Self {
            cookie: sso.session.cookie.as_str().into(),
            span: Span {
                idle: sso.session.idle.as_secs(),
                longest: sso.session.longest.as_secs(),
            },
            groups: sso.groups.iter().map(|name| name.as_str().into()).collect(),
            user_header: sso.user_header.as_deref().map(Box::from),
            groups_header: sso.groups_header.as_deref().map(Box::from),
            forwarded: sso.forward_cookie,
            hosts: hosts.into(),
        }
    }

    /// Who is signed in for the list called `access`, and let in by it.
    pub(super) fn admits<'a>(
        &self,
        access: &str,
        credentials: &'a dyn Credentials,
    ) -> Result<SignedIn<'a>, (SignInFault, Option<&'a str>)> {
        match credentials.session(&self.cookie, access, self.span) {
            Session::Nothing => Err((SignInFault::Missing, None)),
            Session::Unknown => Err((SignInFault::Unknown, None)),
            Session::Over(fault) => Err((fault, None)),
            Session::Live(who) if self.groups.is_empty() => Ok(who),
            Session::Live(who) if who.groups.iter().any(|own| self.groups.contains(own)) => Ok(who),
            Session::Live(who) => Err((SignInFault::NoGroup, Some(who.user))),
        }
    }

    /// What the target is told of `who`.
    pub(super) fn tells<'a>(
        &'a self,
        who: SignedIn<'a>,
    ) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let user = self.user_header.as_deref();
        let user = user.filter(|_| is_field_value(who.user));
        let groups = self.groups_header.as_deref();
        let groups = groups.map(|header| (header, Cow::from(joined(who.groups))));
        let groups = groups.filter(|(_, groups)| !groups.is_empty());
        user.map(|header| (header, Cow::from(who.user)))
            .into_iter()
            .chain(groups)
    }
}

/// Whether a target reads just this, and nothing beside it.
fn is_field_value(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
}

/// Groups as one field; those that would be read as others are left out.
fn joined(groups: &[Box<str>]) -> String {
    let groups = groups.iter().map(|group| &**group);
    let plain: Vec<_> = groups
        .filter(|group| is_field_value(group) && !group.contains(','))
        .collect();
    plain.join(",")
}

impl SignInFault {
    /// Whether a login helps.
    pub(super) fn asks_login(self) -> bool {
        self != Self::NoGroup
    }
}

impl SignInRefused {
    pub(super) fn new(gate: &Gate, sign_on: &SignOn, rule: &Rule, ask: &Ask<'_>) -> Option<Self> {
        let (fault, user) = sign_on.admits(&gate.name, ask.credentials).err()?;
        Some(Self {
            access: gate.name.clone(),
            cookie: sign_on.cookie.clone(),
            fault,
            user: user.map(Box::from),
            page: fault.asks_login() && shows_page(rule, ask),
        })
    }

    pub(super) fn status(&self) -> u16 {
        match (self.fault.asks_login(), self.page) {
            // RFC 9110 section 15.5.4: another login is not asked for.
            (false, _) => 403,
            (true, true) => 303,
            (true, false) => 401,
        }
    }

    /// Nobody is suspicious: sessions end while pages are open that go on to ask, and nobody guesses 256 random bits.
    pub(super) const WEIGHT: u32 = 0;
    pub(super) const BLAME: Blame = Blame::Peer;

    /// What is said to who is no browser that opens a page.
    pub(super) fn challenge(&self) -> Option<String> {
        (self.status() == 401).then(|| {
            let Self { access, cookie, .. } = self;
            format!("Cookie realm=\"{access}\", form-action=\"{LOGIN}\", cookie-name=\"{cookie}\"")
        })
    }

    /// Where a browser goes instead of `path` on `host`, which it has asked for in plain or over `tls`.
    pub fn location(
        &self,
        routes: &Routes,
        tls: bool,
        host: &str,
        (path, query): (&str, Option<&str>),
    ) -> Option<String> {
        if self.status() != 303 {
            return None;
        }
        let port = match routes.public_https() {
            443 => String::new(),
            port => format!(":{port}"),
        };
        let mut location = if tls {
            LOGIN.to_owned()
        } else {
            format!("https://{host}{port}{LOGIN}")
        };
        location.push_str("?access=");
        percent_encode(&mut location, &self.access);
        location.push_str("&to=");
        let query_len = query.map_or(0, |query| query.len() + 1);
        if path.len() + query_len > LONGEST_WAY_BACK {
            location.push('/');
            return Some(location);
        }
        percent_encode(&mut location, path);
        if let Some(query) = query {
            percent_encode(&mut location, "?");
            percent_encode(&mut location, query);
        }
        Some(location)
    }
}

/// RFC 3986 section 2.1, for a value in a query; "/" stands for itself there.
fn percent_encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

/// Whether who asks is a browser that opens a page, or whatever the rule takes for one.
fn shows_page(rule: &Rule, ask: &Ask<'_>) -> bool {
    if ask.websocket || !matches!(ask.method, "GET" | "HEAD") {
        return false;
    }
    // Where there is no head, as in `explain`, it is a browser.
    let (LoginPage::Browsers, Some(fields)) = (rule.login_page, ask.fields) else {
        return true;
    };
    let values = |name: &'static str| {
        let fields = fields.iter();
        fields
            .filter(move |field| field.is(name))
            .map(|field| field.value())
    };
    let mut modes = values("sec-fetch-mode").peekable();
    if modes.peek().is_some() {
        return modes.all(|mode| mode == b"navigate");
    }
    // What sends WebSockets, images and scripts alike takes "*/*".
    let html = b"text/html";
    values("accept").any(|value| {
        value
            .windows(html.len())
            .any(|part| part.eq_ignore_ascii_case(html))
    })
}

impl Rule {
    /// That of the login page of a host whose header stands in `line`.
    pub(super) fn of_login_page(line: u32, withheld: Arc<[Box<str>]>) -> Self {
        let targets = || {
            let member = Member {
                target: TargetKey::inside(),
                standing: Arc::new(Standing::new(None)),
            };
            Targets::new(vec![member], Balance::Failover)
        };
        let edit = || HeadEdit::new(&HeaderRules::default(), None);
        Self {
            line,
            plain_targets: targets(),
            tls_targets: targets(),
            plain: Plain::Redirect,
            websocket: WebSocket::Refused,
            idle: None,
            max_body: Some(LONGEST_FORM),
            any: Vec::new(),
            all: Vec::new(),
            login_page: LoginPage::Browsers,
            client_address_header: None,
            withheld,
            own_headers: Vec::new(),
            own_cookies: Vec::new(),
            is_signed_on: false,
            takes_login: false,
            takes_visitors: false,
            strict: true,
            target_host: TargetHostHeader::Keep,
            forwarded: false,
            request_edit: edit(),
            response_edit: edit(),
            response_edit_tls: edit(),
        }
    }

    /// Whether a cookie of that name is for us alone.
    pub fn is_own_cookie(&self, name: &[u8]) -> bool {
        let mut own = self.own_cookies.iter();
        own.any(|own| own.as_bytes() == name)
            || (self.is_signed_on && name.starts_with(OWN_COOKIES))
    }

    /// Whether there are cookies that are for us alone.
    pub fn has_own_cookies(&self) -> bool {
        self.is_signed_on || !self.own_cookies.is_empty()
    }

    /// What its lists of kind "sso" ask for, with their names.
    pub fn sign_ons(&self) -> impl Iterator<Item = (&str, &SignOn)> {
        let gates = self.any.iter().chain(&self.all);
        gates.filter_map(|gate| Some((&*gate.name, gate.sign_on()?)))
    }
}

#[cfg(test)]
mod tests;
