//! Who may use a rule: the one place that judges `[access.NAME]`.

use super::credentials::{Login, LoginFault, LoginRefused, Ticket, TicketFault};
use super::decide::{Ask, AskedTls, Step, Watch};
use super::reason::Reason;
use super::routes::Rule;
use super::signin::{SignInRefused, SignOn};
use certs::{Refused, Verified, Why};
use config::{Access, AccessKind};
use guard::operators::UserName;
use ipnet::IpNet;
use proto::http::Authority;
use service::Blame;
use std::borrow::Cow;
use thiserror::Error;

/// A reference to an `[access.…]`.
#[derive(Debug)]
pub struct Gate {
    /// Its name.
    pub name: Box<str>,
    /// What it asks for.
    pub kind: GateKind,
}

/// What an access asks for.
#[derive(Debug)]
pub enum GateKind {
    /// An address in one of these networks.
    Network(Vec<IpNet>),
    /// A certificate that the client shows.
    Certificate {
        /// Names of which it must have one; empty: every trusted one is let in.
        names: Vec<String>,
        /// The field that tells the target the client's name.
        user_header: Option<Box<str>>,
    },
    /// A user and a password.
    Basic {
        /// What the browser shows.
        realm: Box<str>,
        /// Who is let in.
        users: Vec<UserName>,
        /// The field that tells the target the user.
        user_header: Option<Box<str>>,
    },
    /// A cookie with a token.
    Cookie {
        /// Its name.
        cookie: Box<str>,
        /// Pages that may ask, by `Origin`; empty: all, and clients that are no pages.
        origins: Vec<Box<str>>,
        /// Whether targets get the cookie.
        forwarded: bool,
    },
    /// A session, which a login opens.
    Sso(Box<SignOn>),
}

/// What is known of the certificate of a client, judged by what its host trusts.
#[derive(Clone, Copy, Debug, Default)]
pub enum Shown<'a> {
    /// Its connection was made under a name that asks for none, or by other authorities.
    #[default]
    NotAsked,
    /// It was asked, and has none to show.
    Nothing,
    /// It is not believed.
    Refused(&'a Refused),
    /// It is believed.
    Verified(&'a Verified),
    /// What the host trusts can not be used.
    Unusable(&'a str),
}

/// Why somebody is not let in by certificate.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CertificateFault {
    /// The connection is not over TLS.
    #[error("needs a client certificate, which can be shown over TLS only")]
    NeedsTls,
    /// The connection was made under another name.
    #[error(
        "needs a client certificate, and the TLS connection was made for a name that asks for none, or for those of others"
    )]
    NotAsked,
    /// None was shown.
    #[error("needs a client certificate, and none was shown")]
    Missing,
    /// It is not believed.
    #[error("{0}")]
    Refused(Box<str>),
    /// It has none of the names.
    #[error("the client certificate of {0:?} has none of its `names`")]
    NotNamed(Box<str>),
    /// The configuration, or a file of it, is to blame.
    #[error("{0}")]
    NotJudged(Box<str>),
}

impl CertificateFault {
    /// The status that is answered.
    pub(super) fn status(&self) -> u16 {
        match self {
            // RFC 9110 section 15.5.20: the client comes again, with a connection of its own.
            Self::NotAsked => 421,
            _ => 403,
        }
    }

    /// Whose fault it is.
    pub(super) fn blame(&self) -> Blame {
        match self {
            Self::NotJudged(_) => Blame::Us,
            _ => Blame::Peer,
        }
    }
}

impl Gate {
    /// That of `access`, which rules of `hosts` name, in lower case.
    pub(super) fn new(access: &Access, hosts: &[Box<str>]) -> Self {
        Self {
            name: access.name.as_str().into(),
            kind: match &access.kind {
                AccessKind::Network { from, .. } => GateKind::Network(from.clone()),
                AccessKind::Certificate { names, user_header } => GateKind::Certificate {
                    names: names.clone(),
                    user_header: user_header.as_deref().map(Box::from),
                },
                AccessKind::Basic {
                    realm,
                    users,
                    user_header,
                } => GateKind::Basic {
                    realm: realm.as_str().into(),
                    // What can be no user is let in by no password either.
                    users: users
                        .iter()
                        .filter_map(|user| UserName::new(user).ok())
                        .collect(),
                    user_header: user_header.as_deref().map(Box::from),
                },
                AccessKind::Cookie {
                    cookie,
                    origins,
                    forward_cookie,
                } => GateKind::Cookie {
                    cookie: cookie.as_str().into(),
                    origins: origins
                        .iter()
                        .map(|origin| origin.as_str().into())
                        .collect(),
                    forwarded: *forward_cookie,
                },
                AccessKind::Sso(sso) => GateKind::Sso(Box::new(SignOn::new(sso, hosts))),
            },
        }
    }

    /// The field that tells the target the client's name.
    pub(super) fn user_header(&self) -> Option<&str> {
        match &self.kind {
            GateKind::Certificate { user_header, .. } | GateKind::Basic { user_header, .. } => {
                user_header.as_deref()
            }
            GateKind::Sso(sign_on) => sign_on.user_header.as_deref(),
            GateKind::Network(_) | GateKind::Cookie { .. } => None,
        }
    }

    /// The fields that tell the target who the client is.
    pub(super) fn told_headers(&self) -> impl Iterator<Item = &str> {
        let groups = self.sign_on().and_then(|own| own.groups_header.as_deref());
        self.user_header().into_iter().chain(groups)
    }

    /// What it asks for, if that is a session.
    pub(super) fn sign_on(&self) -> Option<&SignOn> {
        match &self.kind {
            GateKind::Sso(sign_on) => Some(sign_on),
            _ => None,
        }
    }

    /// Whether it asks for a certificate.
    pub(super) fn asks_certificate(&self) -> bool {
        matches!(self.kind, GateKind::Certificate { .. })
    }

    /// Whether it asks for user and password.
    pub(super) fn asks_login(&self) -> bool {
        matches!(self.kind, GateKind::Basic { .. })
    }

    /// The cookie that holds the token it asks for.
    pub(super) fn cookie(&self) -> Option<&str> {
        match &self.kind {
            GateKind::Cookie { cookie, .. } => Some(cookie),
            _ => None,
        }
    }

    /// The pages that may ask by a token.
    fn origins(&self) -> &[Box<str>] {
        match &self.kind {
            GateKind::Cookie { origins, .. } => origins,
            _ => &[],
        }
    }

    /// The cookie that targets get, too.
    pub(super) fn forwarded_cookie(&self) -> Option<&str> {
        match &self.kind {
            GateKind::Cookie {
                cookie,
                forwarded: true,
                ..
            } => Some(cookie),
            GateKind::Sso(sign_on) if sign_on.forwarded => Some(&sign_on.cookie),
            _ => None,
        }
    }

    pub(super) fn admits(&self, rule: &Rule, ask: &Ask<'_>) -> Result<(), Reason> {
        let name = || self.name.clone();
        match &self.kind {
            GateKind::Network(from) if from.iter().any(|net| net.contains(&ask.client)) => Ok(()),
            GateKind::Network(_) => Err(Reason::AccessDenied(name())),
            GateKind::Certificate { names, .. } => {
                certified(names, ask.tls).map_err(|fault| Reason::Certificate(name(), fault))
            }
            GateKind::Basic { realm, users, .. } => {
                not_from_elsewhere(rule, ask).map_err(|fault| Reason::Ticket(name(), fault))?;
                let login = logged_in(users, ask.credentials.login());
                login.map_err(|fault| {
                    let (access, realm) = (name(), realm.clone());
                    Reason::Login(Box::new(LoginRefused {
                        access,
                        realm,
                        fault,
                    }))
                })
            }
            GateKind::Cookie {
                cookie, origins, ..
            } => {
                let ticket = ask.credentials.ticket(cookie, &self.name);
                let ticket = ticketed(ticket).and_then(|()| from_page(origins, ask));
                ticket.map_err(|fault| Reason::Ticket(name(), fault))
            }
            GateKind::Sso(sign_on) => {
                let from = from_host_of(sign_on, rule, ask);
                from.map_err(|fault| Reason::Ticket(name(), fault))?;
                let refused = SignInRefused::new(self, sign_on, rule, ask);
                refused.map_or(Ok(()), |refused| Err(Reason::SignIn(Box::new(refused))))
            }
        }
    }
}

fn logged_in(users: &[UserName], login: Login<'_>) -> Result<(), LoginFault> {
    match login {
        Login::Right(user) if users.contains(user) => Ok(()),
        Login::Right(user) => Err(LoginFault::NotNamed(user.clone())),
        Login::Nothing => Err(LoginFault::Missing),
        Login::Unreadable => Err(LoginFault::Unreadable),
        Login::Unchecked => Err(LoginFault::Unchecked),
        Login::Busy => Err(LoginFault::Busy),
        Login::Wrong(user) => Err(LoginFault::Wrong(user.cloned())),
        Login::WrongAgain => Err(LoginFault::WrongAgain),
        Login::Held(seconds) => Err(LoginFault::Held(seconds)),
    }
}

fn ticketed(ticket: Ticket) -> Result<(), TicketFault> {
    match ticket {
        Ticket::Good => Ok(()),
        Ticket::Nothing => Err(TicketFault::Missing),
        Ticket::Unknown => Err(TicketFault::Unknown),
        Ticket::Expired => Err(TicketFault::Expired),
    }
}

/// A browser may send the password that it knows with a WebSocket of any page: where the rule names pages, it must be one of those, or of
/// the host itself.
fn not_from_elsewhere(rule: &Rule, ask: &Ask<'_>) -> Result<(), TicketFault> {
    let named = rule
        .any
        .iter()
        .chain(&rule.all)
        .any(|gate| !gate.origins().is_empty());
    let Some(origin) = ask.credentials.origin().filter(|_| named && ask.websocket) else {
        return Ok(());
    };
    let gates = rule.any.iter().chain(&rule.all);
    let mut known = gates.flat_map(Gate::origins).map(|known| known.as_bytes());
    if known.any(|known| known.eq_ignore_ascii_case(origin)) || is_own(origin, ask.host) {
        return Ok(());
    }
    Err(TicketFault::Origin(shown(origin)))
}

/// A browser sends the session with a WebSocket of any page below its domain: where the rule names no pages, it must be one of a host that
/// asks for the same login.
fn from_host_of(sign_on: &SignOn, rule: &Rule, ask: &Ask<'_>) -> Result<(), TicketFault> {
    not_from_elsewhere(rule, ask)?;
    let mut gates = rule.any.iter().chain(&rule.all);
    let is_named = gates.any(|gate| !gate.origins().is_empty());
    let Some(origin) = ask
        .credentials
        .origin()
        .filter(|_| ask.websocket && !is_named)
    else {
        return Ok(());
    };
    let mut hosts = sign_on.hosts.iter();
    if is_own(origin, ask.host) || hosts.any(|host| is_own(origin, Some(host))) {
        return Ok(());
    }
    Err(TicketFault::OtherHost(shown(origin)))
}

/// User and password of who asks, as far as a target of `rule` is to know of them.
fn told_login<'a>(rule: &Rule, ask: &Ask<'a>) -> Login<'a> {
    if rule.takes_login && not_from_elsewhere(rule, ask).is_ok() {
        ask.credentials.login()
    } else {
        Login::Nothing
    }
}

/// Whether it is the origin of pages of `host`, whatever its port.
fn is_own(origin: &[u8], host: Option<&str>) -> bool {
    let Some((_, name)) = std::str::from_utf8(origin)
        .ok()
        .and_then(|text| text.split_once("://"))
    else {
        return false;
    };
    let name = Authority::parse(name.as_bytes());
    host.is_some_and(|host| name.is_ok_and(|name| name.host().eq_ignore_ascii_case(host)))
}

fn shown(origin: &[u8]) -> Box<str> {
    let shown: String = origin.escape_ascii().map(char::from).take(100).collect();
    shown.into()
}

/// Whether the page that asks is one of `origins`, where those are named. Browsers say it on every upgrade and with every method that
/// changes something, but not where they only get what stands on a page of the same origin.
fn from_page(origins: &[Box<str>], ask: &Ask<'_>) -> Result<(), TicketFault> {
    if origins.is_empty() {
        return Ok(());
    }
    let reads = !ask.websocket && matches!(ask.method, "GET" | "HEAD");
    match ask.credentials.origin() {
        None if reads => Ok(()),
        None => Err(TicketFault::NoOrigin),
        Some(origin) => {
            let mut known = origins.iter().map(|known| known.as_bytes());
            if known.any(|known| known.eq_ignore_ascii_case(origin)) {
                return Ok(());
            }
            Err(TicketFault::Origin(shown(origin)))
        }
    }
}

fn certified(names: &[String], tls: Option<AskedTls<'_>>) -> Result<(), CertificateFault> {
    let Some(tls) = tls else {
        return Err(CertificateFault::NeedsTls);
    };
    match tls.certificate {
        Shown::NotAsked => Err(CertificateFault::NotAsked),
        Shown::Nothing => Err(CertificateFault::Missing),
        Shown::Unusable(why) => Err(CertificateFault::NotJudged(why.into())),
        Shown::Refused(refused) => {
            let text = refused.to_string().into();
            Err(match refused.why {
                Why::ListOutdated(_) | Why::AuthorityNotInTime { .. } => {
                    CertificateFault::NotJudged(text)
                }
                _ => CertificateFault::Refused(text),
            })
        }
        Shown::Verified(verified) if names.is_empty() || verified.has_name(names) => Ok(()),
        Shown::Verified(verified) => {
            let subject = verified.subject().unwrap_or_default();
            Err(CertificateFault::NotNamed(subject.into()))
        }
    }
}

/// Whether the access lists of `rule` let in who asks: all of `access_all`, and one of `access`.
pub(super) fn judge(rule: &Rule, ask: &Ask<'_>, watch: &mut impl Watch) -> Result<(), Reason> {
    let mut unchecked = None;
    for gate in &rule.all {
        let admitted = gate.admits(rule, ask);
        watch.step(Step::Access(gate, admitted.is_ok()));
        match admitted {
            // No password is looked at for somebody who is not let in anyway, and nobody is asked for a login who is not.
            Err(reason) if reason.is_unchecked() || reason.asks_login() => match &unchecked {
                Some(Reason::SignIn(_)) => {}
                _ => unchecked = Some(reason),
            },
            other => other?,
        }
    }
    // Nor where another list lets him in.
    let mut denied: Option<Reason> = None;
    for gate in &rule.any {
        let admitted = gate.admits(rule, ask);
        watch.step(Step::Access(gate, admitted.is_ok()));
        match (admitted, &denied) {
            // Who it is, is still to be told.
            (Ok(()), _) if tells_login(rule) && not_from_elsewhere(rule, ask).is_ok() => {
                return unchecked.map_or_else(|| no_guess(rule, ask), Err);
            }
            (Ok(()), _) => return unchecked.map_or(Ok(()), Err),
            (Err(reason), Some(other)) if worth(&reason) <= worth(other) => {}
            (Err(reason), _) => denied = Some(reason),
        }
    }
    denied.or(unchecked).map_or(Ok(()), Err)
}

/// Who is let in by another list may send no password, or the right one of anybody: what he sees of the target must not tell him, uncounted,
/// whether he has guessed one.
fn no_guess(rule: &Rule, ask: &Ask<'_>) -> Result<(), Reason> {
    let mut gates = rule.any.iter().filter(|gate| gate.asks_login());
    match (gates.next(), ask.credentials.login()) {
        (_, Login::Nothing | Login::Right(_) | Login::Busy) | (None, _) => Ok(()),
        (Some(gate), _) => gate.admits(rule, ask),
    }
}

/// Whether the target is to know who has signed in.
fn tells_login(rule: &Rule) -> bool {
    let tells = |gate: &Gate| gate.asks_login() && gate.user_header().is_some();
    rule.any.iter().any(tells)
}

/// Which of several reasons is told: first that something is still to be looked at; that the client may come again
/// with a certificate, or with another password; then what is not its fault; then what it showed.
fn worth(reason: &Reason) -> u8 {
    match reason {
        reason if reason.is_unchecked() => 11,
        // Who guesses can not hide it behind a certificate that was not asked for.
        Reason::Login(refused) if refused.fault.weight() > 0 => 10,
        Reason::Certificate(_, CertificateFault::NotAsked) => 9,
        // A browser shows the login page; what is no browser can do more with a password.
        Reason::SignIn(refused) if refused.page => 7,
        Reason::Login(refused) if refused.fault == LoginFault::Missing => 6,
        Reason::Login(_) => 8,
        Reason::SignIn(refused) if refused.fault.asks_login() => 5,
        Reason::Certificate(_, CertificateFault::NotJudged(_)) => 4,
        Reason::Certificate(_, CertificateFault::Missing) => 2,
        Reason::Certificate(..) | Reason::SignIn(_) => 3,
        Reason::Ticket(..) => 1,
        _ => 0,
    }
}

/// What the target of `rule` is told of who asks: fields with their values, one for each name.
pub fn told<'r>(rule: &'r Rule, ask: &Ask<'r>) -> Vec<(&'r str, Cow<'r, str>)> {
    let mut told = Vec::new();
    for gate in rule.all.iter().chain(&rule.any) {
        gate.tell(rule, ask, &mut told);
    }
    told
}

impl Gate {
    /// Adds the fields that tell who it has let in.
    fn tell<'r>(&'r self, rule: &'r Rule, ask: &Ask<'r>, told: &mut Vec<(&'r str, Cow<'r, str>)>) {
        let mut tell = |(header, value): (&'r str, Cow<'r, str>)| {
            let mut known = told.iter();
            if !known.any(|(name, _)| name.eq_ignore_ascii_case(header)) {
                told.push((header, value));
            }
        };
        let user = match &self.kind {
            GateKind::Certificate { names, .. } => match ask.tls.map(|tls| tls.certificate) {
                Some(Shown::Verified(verified)) if names.is_empty() || verified.has_name(names) => {
                    verified.subject()
                }
                _ => None,
            },
            GateKind::Basic { users, .. } => match told_login(rule, ask) {
                Login::Right(user) if users.contains(user) => Some(user.as_str()),
                _ => None,
            },
            GateKind::Sso(sign_on) if from_host_of(sign_on, rule, ask).is_ok() => {
                let admitted = sign_on.admits(&self.name, ask.credentials);
                let fields = admitted.ok().map(|who| sign_on.tells(who));
                return fields.into_iter().flatten().for_each(tell);
            }
            GateKind::Sso(_) | GateKind::Network(_) | GateKind::Cookie { .. } => None,
        };
        if let (Some(header), Some(user)) = (self.user_header(), user) {
            tell((header, user.into()));
        }
    }
}

#[cfg(test)]
mod tests;
