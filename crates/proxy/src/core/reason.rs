//! Why a request or connection was rejected: one closed list for log, metrics, status and guard.

use super::access::CertificateFault;
use super::credentials::{LoginFault, LoginRefused, TicketFault};
use super::signin::SignInRefused;
use config::Protocol;
use proto::http::{Malformed, basic_challenge};
use service::Blame;
use thiserror::Error;

/// Why something was rejected, in the operator's words. The client sees the status only.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Reason {
    /// The head, or the framing of the body, can not be passed on.
    #[error("malformed request: {0}")]
    Malformed(Malformed),
    /// The path could be read in two ways.
    #[error("{0}; the rule has path_policy = \"strict\"")]
    PathAmbiguous(Malformed),
    /// HTTP/1.0 without Host.
    #[error("no host is named")]
    HostMissing,
    /// No such host in the file.
    #[error("no [[host]] of that name serves HTTP")]
    HostUnknown,
    /// The host's certificate is not the one of the TLS server name.
    #[error("the TLS connection was made for {0:?}, which has another certificate")]
    Misdirected(Box<str>),
    /// An https address, asked for in plain.
    #[error("the request is for https, but its connection is not over TLS")]
    NotSecured,
    /// No path of the host fits.
    #[error("no path of the host matches")]
    PathUnknown,
    /// `plain = "refuse"`.
    #[error("plain http is refused for this path")]
    PlainRefused,
    /// Not one of `access`, or not all of `access_all`.
    #[error("not allowed by access `{0}`")]
    AccessDenied(Box<str>),
    /// An access of kind "certificate" does not let the client in.
    #[error("access `{0}`: {1}")]
    Certificate(Box<str>, CertificateFault),
    /// An access of kind "basic" does not let the client in.
    #[error(transparent)]
    Login(Box<LoginRefused>),
    /// An access of kind "cookie" does not let the client in.
    #[error("access `{0}`: {1}")]
    Ticket(Box<str>, TicketFault),
    /// An access of kind "sso" does not let the client in.
    #[error(transparent)]
    SignIn(Box<SignInRefused>),
    /// `websocket = "required"`.
    #[error("only WebSockets are allowed for this path")]
    WebSocketRequired,
    /// `websocket = "refused"`.
    #[error("WebSockets are refused for this path")]
    WebSocketRefused,
    /// `max_body`.
    #[error("the body is larger than max_body, {0} bytes")]
    BodyTooLarge(u64),
    /// The head did not come in time.
    #[error("the request head did not come in time")]
    HeadLate,
    /// The body did not come in time.
    #[error("the request body stopped to come")]
    BodyLate,
    /// The client broke the rules of HTTP/2.
    #[error("HTTP/2: {0}")]
    Http2(Box<str>),
    /// A body came or went more slowly than `body_rate`.
    #[error("the body moved by less than body_rate, {0} bytes per second")]
    BodySlow(u64),
    /// The client hung up in the middle of a body.
    #[error("the client hung up in the middle of its request")]
    ClientGone,
    /// The address is banned.
    #[error("the address is banned")]
    Banned,
    /// The address has too many connections.
    #[error("more than {0} connections from this address")]
    AddressFull(u32),
    /// The address makes too many TLS handshakes.
    #[error("more than {0} TLS handshakes of this address within a minute")]
    HandshakesFull(u32),
    /// Too many requests of the address are under way to one target.
    #[error("more than {0} requests of this address wait for one target")]
    RequestsFull(u32),
    /// There are too many connections.
    #[error("more than {0} connections in all")]
    Full(u32),
    /// A load balancer did not say who its client is.
    #[error("{0}; proxy_protocol_from names this address, so that its connections begin with one")]
    ProxyHeader(Box<str>),
    /// Not a TLS hello.
    #[error("no TLS hello: {0}")]
    NotTls(Box<str>),
    /// The hello names a host without a certificate.
    #[error("no certificate for the TLS server name {0:?}")]
    ServerNameUnknown(Box<str>),
    /// The hello looks for a proof (RFC 8737), and none lies out.
    #[error("no proof lies out for the TLS server name {0:?}")]
    NoProof(Box<str>),
    /// The address is for the TLS of one host alone.
    #[error("this address takes TLS for {0:?} alone")]
    AddressOfAnother(Box<str>),
    /// The handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Handshake(Box<str>),
    /// The handshake did not end in time.
    #[error("the TLS handshake did not end in time")]
    HandshakeLate,
    /// The first message, or one behind it, is not of the protocol that the port is for.
    #[error("malformed {0}: {1}")]
    Unreadable(Protocol, Box<str>),
    /// The first message names a host that does not serve the protocol, or none of ours.
    #[error("no [[host]] of that name serves {0}")]
    DomainUnknown(Protocol),
    /// The first message names no host, and none is the default.
    #[error("no domain is named")]
    DomainMissing(Protocol),
    /// The first message did not come in time.
    #[error("it was not said in time whom the connection is for")]
    FirstLate,
    /// A later message names another host than the first.
    #[error("the connection is for another domain than {0:?}, which is asked for now")]
    DomainChanged(Box<str>),
    /// A later message claims another name than the certificate has that opened the TLS target.
    #[error("the connection is for who its certificate names, and now {0:?} is claimed")]
    NameChanged(Box<str>),
    /// A request that can not be the first.
    #[error("{0} before a registration")]
    Unregistered(Box<str>),
    /// The host has a target over TLS only, which takes nobody who came without.
    #[error(
        "the target is reached over TLS only, and the client has not come so, or not proven who it is"
    )]
    TlsOnly,
    /// A program that looks for telephones or passwords, by its own word.
    #[error("an attack tool, by its own word")]
    AttackTool,
    /// So many requests of one connection wait for their answers, and one more came.
    #[error("more than {0} requests were sent without waiting for an answer")]
    Unanswered(u32),
    /// Numbers that the target does not know, one after the other.
    #[error("numbers are tried in series")]
    Series,
    /// TLS is begun where it can not be.
    #[error("StartTLS: {0}")]
    StartTls(&'static str),
    /// The target's name has no address.
    #[error("target {0}: the name has no address: {1}")]
    TargetUnresolved(Box<str>, Box<str>),
    /// The target is one of our own listeners.
    #[error("target {0} is this gateway itself")]
    TargetIsUs(Box<str>),
    /// We have no descriptor, port or memory left for a connection to the target.
    #[error("no connection to target {0} can be made, and it is not to blame: {1}")]
    NoRoom(Box<str>, Box<str>),
    /// The target refused the connection.
    #[error("target {0} can not be reached: {1}")]
    TargetUnreachable(Box<str>, Box<str>),
    /// The target did not take the connection in time.
    #[error("target {0} did not take the connection within {1} s")]
    TargetConnectLate(Box<str>, u64),
    /// TLS with the target failed.
    #[error("target {0}: TLS failed: {1}")]
    TargetTls(Box<str>, Box<str>),
    /// The target hung up before it had answered.
    #[error("target {0} hung up before it had answered: {1}")]
    TargetHungUp(Box<str>, Box<str>),
    /// The target did not answer in time.
    #[error("target {0} did not answer within {1} s")]
    TargetSilent(Box<str>, u64),
    /// The target's answer can not be passed on.
    #[error("target {0} sent a malformed answer: {1}")]
    TargetMalformed(Box<str>, Malformed),
    /// What the target sends is not of the protocol.
    #[error("target {0} sent what is none of the protocol: {1}")]
    TargetUnreadable(Box<str>, Box<str>),
    /// The target changed to a protocol nobody asked for.
    #[error("target {0} changed the protocol without being asked")]
    TargetSwitched(Box<str>),
    /// The target's 101 does not belong to the handshake.
    #[error("target {0} answered the WebSocket handshake with a wrong Sec-WebSocket-Accept")]
    TargetAccept(Box<str>),
    /// The target did not agree to the WebSocket that a rule asks for.
    #[error(
        "target {0} answered the WebSocket handshake with {1}; the rule has websocket = \"required\""
    )]
    TargetDeclined(Box<str>, u16),
    /// The target broke off in the middle of its answer.
    #[error("target {0} broke off in the middle of its answer: {1}")]
    TargetBrokeOff(Box<str>, Box<str>),
}

impl Reason {
    /// The status that is answered, where a request can be answered at all.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(fault) | Self::PathAmbiguous(fault) => fault.status(),
            Self::HostUnknown | Self::PathUnknown | Self::DomainUnknown(_) => 404,
            Self::Misdirected(_) | Self::NotSecured => 421,
            Self::Certificate(_, fault) => fault.status(),
            Self::Login(refused) => refused.fault.status(),
            Self::SignIn(refused) => refused.status(),
            Self::PlainRefused
            | Self::Ticket(..)
            | Self::AccessDenied(_)
            | Self::WebSocketRequired
            | Self::WebSocketRefused
            | Self::DomainMissing(_)
            | Self::DomainChanged(_)
            | Self::NameChanged(_)
            | Self::Unregistered(_)
            | Self::TlsOnly
            | Self::AttackTool
            | Self::Series
            | Self::Banned => 403,
            Self::BodyTooLarge(_) => 413,
            Self::HeadLate
            | Self::BodyLate
            | Self::BodySlow(_)
            | Self::ClientGone
            | Self::FirstLate => 408,
            Self::AddressFull(_)
            | Self::HandshakesFull(_)
            | Self::RequestsFull(_)
            | Self::Unanswered(_)
            | Self::Full(_)
            | Self::NoRoom(..) => 503,
            Self::HostMissing
            | Self::Unreadable(..)
            | Self::StartTls(_)
            | Self::Http2(_)
            | Self::ProxyHeader(_)
            | Self::NotTls(_)
            | Self::ServerNameUnknown(_)
            | Self::NoProof(_)
            | Self::AddressOfAnother(_)
            | Self::Handshake(_)
            | Self::HandshakeLate => 400,
            Self::TargetConnectLate(..) | Self::TargetSilent(..) => 504,
            Self::TargetUnresolved(..)
            | Self::TargetIsUs(_)
            | Self::TargetUnreachable(..)
            | Self::TargetTls(..)
            | Self::TargetHungUp(..)
            | Self::TargetMalformed(..)
            | Self::TargetUnreadable(..)
            | Self::TargetSwitched(_)
            | Self::TargetAccept(_)
            | Self::TargetDeclined(..)
            | Self::TargetBrokeOff(..) => 502,
        }
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Certificate(_, fault) => fault.blame(),
            Self::Login(refused) => refused.fault.blame(),
            Self::SignIn(_) => SignInRefused::BLAME,
            Self::TargetIsUs(_) | Self::Full(_) | Self::NoRoom(..) | Self::ProxyHeader(_) => {
                Blame::Us
            }
            Self::TargetUnresolved(..)
            | Self::TargetUnreachable(..)
            | Self::TargetConnectLate(..)
            | Self::TargetTls(..)
            | Self::TargetHungUp(..)
            | Self::TargetSilent(..)
            | Self::TargetMalformed(..)
            | Self::TargetUnreadable(..)
            | Self::TargetSwitched(_)
            | Self::TargetAccept(_)
            | Self::TargetDeclined(..)
            | Self::TargetBrokeOff(..) => Blame::Upstream,
            _ => Blame::Peer,
        }
    }

    /// Whether a password is still to be looked at.
    pub fn is_unchecked(&self) -> bool {
        matches!(self, Self::Login(refused) if refused.fault == LoginFault::Unchecked)
    }

    /// Whether a login on the login page helps.
    pub fn asks_login(&self) -> bool {
        matches!(self, Self::SignIn(refused) if refused.fault.asks_login())
    }

    /// What is asked of the client, where it may come again with it: the value of `WWW-Authenticate`.
    pub fn challenge(&self) -> Option<String> {
        match self {
            Self::Login(refused) if refused.fault.status() == 401 => {
                Some(basic_challenge(&refused.realm))
            }
            Self::SignIn(refused) => refused.challenge(),
            _ => None,
        }
    }

    /// In how many seconds the client may come again, where that is known: the value of `Retry-After`.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Login(refused) => refused.fault.retry_after(),
            _ => None,
        }
    }

    /// Whether the client is to ask again, in another way.
    pub fn invites(&self) -> bool {
        matches!(self.status(), 303 | 401)
    }

    /// How much it counts against the client: 1 for what no honest client does, or does rarely.
    ///
    /// Nothing where honest clients do it over and over: browsers share connections between hosts,
    /// distrust a certificate, lose their network; users choose a file that is too large; a certificate
    /// authority looks for a proof again after it has been taken away.
    pub fn weight(&self) -> u32 {
        match self {
            Self::Login(refused) => refused.fault.weight(),
            Self::Ticket(..) => TicketFault::WEIGHT,
            Self::SignIn(_) => SignInRefused::WEIGHT,
            Self::AttackTool | Self::Series => 2,
            Self::Misdirected(_)
            | Self::Certificate(_, CertificateFault::NotAsked)
            | Self::BodyTooLarge(_)
            | Self::BodyLate
            | Self::BodySlow(_)
            | Self::ClientGone
            | Self::Banned
            | Self::AddressFull(_)
            | Self::HandshakesFull(_)
            | Self::RequestsFull(_)
            | Self::NoProof(_)
            | Self::Handshake(_)
            | Self::HandshakeLate
            | Self::DomainChanged(_)
            | Self::NameChanged(_)
            | Self::Unregistered(_)
            | Self::TlsOnly => 0,
            _ => u32::from(self.blame() == Blame::Peer),
        }
    }

    /// The value of the metric's label.
    pub fn label(&self) -> &'static str {
        Self::LABELS[self.number()]
    }

    /// All labels, by [`Reason::number`].
    pub const LABELS: [&'static str; 26] = [
        "malformed",
        "path_ambiguous",
        "host_unknown",
        "misdirected",
        "path_unknown",
        "plain_refused",
        "access",
        "websocket",
        "body_too_large",
        "late",
        "client_gone",
        "banned",
        "too_many_connections",
        "tls",
        "target_unresolved",
        "target_is_us",
        "target_unreachable",
        "target_tls",
        "target_silent",
        "target_broken",
        "too_many_requests",
        "proxy_header",
        "no_room",
        "unregistered",
        "identity_changed",
        "attack_tool",
    ];

    /// The position in [`Reason::LABELS`].
    pub fn number(&self) -> usize {
        match self {
            Self::Malformed(_) | Self::Http2(_) | Self::Unreadable(..) | Self::StartTls(_) => 0,
            Self::PathAmbiguous(_) => 1,
            Self::HostMissing
            | Self::HostUnknown
            | Self::DomainUnknown(_)
            | Self::DomainMissing(_) => 2,
            Self::Misdirected(_)
            | Self::NotSecured
            | Self::Certificate(_, CertificateFault::NotAsked) => 3,
            Self::PathUnknown => 4,
            Self::PlainRefused | Self::TlsOnly => 5,
            Self::AccessDenied(_)
            | Self::Certificate(..)
            | Self::Login(..)
            | Self::SignIn(..)
            | Self::Ticket(..) => 6,
            Self::WebSocketRequired | Self::WebSocketRefused => 7,
            Self::BodyTooLarge(_) => 8,
            Self::HeadLate | Self::BodyLate | Self::BodySlow(_) | Self::FirstLate => 9,
            Self::ClientGone => 10,
            Self::Banned => 11,
            Self::AddressFull(_) | Self::HandshakesFull(_) | Self::Full(_) => 12,
            Self::NotTls(_)
            | Self::ServerNameUnknown(_)
            | Self::NoProof(_)
            | Self::AddressOfAnother(_)
            | Self::Handshake(_)
            | Self::HandshakeLate => 13,
            Self::TargetUnresolved(..) => 14,
            Self::TargetIsUs(_) => 15,
            Self::TargetUnreachable(..) | Self::TargetConnectLate(..) => 16,
            Self::TargetTls(..) => 17,
            Self::TargetSilent(..) => 18,
            Self::TargetHungUp(..)
            | Self::TargetMalformed(..)
            | Self::TargetUnreadable(..)
            | Self::TargetSwitched(_)
            | Self::TargetAccept(_)
            | Self::TargetDeclined(..)
            | Self::TargetBrokeOff(..) => 19,
            Self::RequestsFull(_) | Self::Unanswered(_) => 20,
            Self::ProxyHeader(_) => 21,
            Self::NoRoom(..) => 22,
            Self::Unregistered(_) => 23,
            Self::DomainChanged(_) | Self::NameChanged(_) => 24,
            Self::AttackTool | Self::Series => 25,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_honest_clients_do_not_do_counts() {
        let table = [
            (Reason::HostUnknown, 404, 1, Blame::Peer),
            (Reason::PathUnknown, 404, 1, Blame::Peer),
            (Reason::Misdirected("a".into()), 421, 0, Blame::Peer),
            (Reason::NotSecured, 421, 1, Blame::Peer),
            (Reason::BodyTooLarge(1), 413, 0, Blame::Peer),
            (Reason::WebSocketRequired, 403, 1, Blame::Peer),
            (Reason::TargetSilent("t".into(), 5), 504, 0, Blame::Upstream),
            (Reason::Malformed(Malformed::Version), 505, 1, Blame::Peer),
        ];
        for (reason, status, weight, blame) in table {
            assert_eq!(reason.status(), status, "{reason}");
            assert_eq!(reason.weight(), weight, "{reason}");
            assert_eq!(reason.blame(), blame, "{reason}");
            assert!(!reason.label().is_empty());
        }
    }
}
