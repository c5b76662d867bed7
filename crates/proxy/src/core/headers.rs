//! Heads as they are passed on: in one normal form, the fields of both ends in their order and case,
//! without what belongs to one connection, and with what we say about the client.

use super::edit::HeadEdit;
use super::routes::{Rule, Target};
use config::{Protocol, TargetHostHeader};
use proto::http::{
    Authority, Framing, Name, Request, Response, TargetForm, Upgrade, Version, is_basic,
    write_cookies,
};
use std::borrow::Cow;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};

/// What no honest client sends, and what some targets obey: CGI makes `HTTP_PROXY` of the first, by
/// which programs choose their proxy; the others replace the path that our rules have seen.
const NEVER_ASKED: [&str; 3] = ["Proxy", "X-Original-URL", "X-Rewrite-URL"];

/// Where a client is, by its own word or, behind a load balancer, by that one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr(pub SocketAddr);

/// The address of ours that a client has connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddr(pub SocketAddr);

/// What is spoken on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The protocol.
    pub protocol: Protocol,
    /// Whether over TLS.
    pub tls: bool,
}

impl Spoken {
    /// All of them.
    pub const ALL: [Self; 8] = {
        const fn of(protocol: Protocol, tls: bool) -> Spoken {
            Spoken { protocol, tls }
        }
        [
            of(Protocol::Http, false),
            of(Protocol::Http, true),
            of(Protocol::Sip, false),
            of(Protocol::Sip, true),
            of(Protocol::Ldap, false),
            of(Protocol::Ldap, true),
            of(Protocol::H323, false),
            of(Protocol::H323, true),
        ]
    };

    /// As listeners and the log call it: `http`, `https`, `sip`, …
    pub const fn name(self) -> &'static str {
        match (self.protocol, self.tls) {
            (Protocol::Http, false) => "http",
            (Protocol::Http, true) => "https",
            (Protocol::Sip, false) => "sip",
            (Protocol::Sip, true) => "sips",
            (Protocol::Ldap, false) => "ldap",
            (Protocol::Ldap, true) => "ldaps",
            (Protocol::H323, false) => "h323",
            (Protocol::H323, true) => "h323s",
        }
    }

    /// The one that is called so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spoken| spoken.name() == name)
    }

    /// Its position in [`Self::ALL`].
    pub const fn number(self) -> usize {
        2 * (self.protocol as usize) + self.tls as usize
    }
}

/// What targets are told about a client; the same for all requests of a connection.
#[derive(Clone, Debug)]
pub struct Identity {
    client: SocketAddr,
    local: SocketAddr,
    protocol: Protocol,
    tls: bool,
    /// `X-Real-IP`, `X-Forwarded-For` and `X-Forwarded-Proto`, ready to be sent.
    fields: Vec<u8>,
}

impl Identity {
    /// That of a connection from `client` to our address `local`. IPv4 in IPv6 form is told as IPv4.
    pub fn new(client: ClientAddr, local: LocalAddr, Spoken { protocol, tls }: Spoken) -> Self {
        let canonical = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
        let (client, local) = (canonical(client.0), canonical(local.0));
        let address = client.ip();
        let scheme = if tls { "https" } else { "http" };
        let fields = format!(
            "X-Real-IP: {address}\r\nX-Forwarded-For: {address}\r\nX-Forwarded-Proto: {scheme}\r\n"
        );
        Self {
            client,
            local,
            protocol,
            tls,
            fields: fields.into_bytes(),
        }
    }

    /// The client.
    pub fn client(&self) -> SocketAddr {
        self.client
    }

    /// Our address that it has connected to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The same client, once it has begun to speak TLS on this connection.
    #[must_use]
    pub fn secured(&self) -> Self {
        let spoken = Spoken {
            protocol: self.protocol,
            tls: true,
        };
        Self::new(ClientAddr(self.client), LocalAddr(self.local), spoken)
    }

    /// What it speaks, as the log calls it.
    pub fn spoken(&self) -> &'static str {
        let Self { protocol, tls, .. } = *self;
        Spoken { protocol, tls }.name()
    }

    /// The client's address.
    pub fn address(&self) -> IpAddr {
        self.client.ip()
    }

    /// What the client speaks with us.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether the client speaks TLS with us.
    pub fn tls(&self) -> bool {
        self.tls
    }
}

/// What a response tells the client about its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It stays open, as HTTP/1.1 takes for granted.
    Open,
    /// It stays open, which HTTP/1.0 must be told.
    KeepAlive,
    /// It ends after this response.
    Close,
    /// It is a WebSocket from now on.
    WebSocket,
}

impl Sent {
    /// The field that says so, ready to be sent.
    pub(super) fn connection(self) -> &'static [u8] {
        match self {
            Self::Open => b"",
            Self::KeepAlive => b"Connection: keep-alive\r\n",
            Self::Close => b"Connection: close\r\n",
            Self::WebSocket => b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
        }
    }
}

/// Appends the head that the target of `rule` gets for `request`, empty line included.
///
/// Always HTTP/1.1 with an origin or asterisk target. `Host` stays as the client sent it, but for a dot
/// at the end of the name. `told` says of who asks what [`super::told`] gives. Where `login_is_ours`, user and password are not the
/// target's, and our tokens and sessions never are.
pub fn write_request(
    out: &mut Vec<u8>,
    request: &Request<'_>,
    rule: &Rule,
    identity: &Identity,
    told: &[(&str, Cow<'_, str>)],
    login_is_ours: bool,
) {
    out.extend_from_slice(request.method.as_bytes());
    out.push(b' ');
    write_target(out, request);
    out.extend_from_slice(b" HTTP/1.1\r\n");
    let mut host_sent = false;
    let as_it_came = rule.target_host == TargetHostHeader::Keep
        && request
            .host
            .is_none_or(|host| host.text().as_bytes().get(host.host().len()) != Some(&b'.'));
    request.fields.write(out, |field| {
        let passes = match field.known() {
            Name::Host => {
                host_sent = as_it_came;
                host_sent
            }
            Name::Expect => request.expect_continue,
            Name::Authorization if login_is_ours => !is_basic(field.value()),
            Name::Cookie => !rule.has_own_cookies(),
            Name::Trailer => request.framing == Framing::Chunked && !field.is_hop_by_hop(),
            name if name.is_forwarding() => false,
            Name::Other => {
                !rule.withheld.iter().any(|own| field.is_twin_of(own))
                    && !NEVER_ASKED.iter().any(|name| field.is_twin_of(name))
            }
            _ => !field.is_hop_by_hop(),
        };
        passes && !rule.request_edit.removes(field)
    });
    if rule.has_own_cookies() && !rule.request_edit.removes_named("cookie") {
        write_cookies(out, &request.fields, |name| !rule.is_own_cookie(name));
    }
    if let Some(host) = &request.host {
        if !host_sent {
            write_host(out, host, rule, identity.tls);
        }
        authority(out, b"X-Forwarded-Host", host);
        if rule.forwarded {
            write_forwarded(out, host, identity);
        }
    }
    out.extend_from_slice(&identity.fields);
    if let Some(own) = &rule.client_address_header {
        let _ = write!(out, "{own}: {}\r\n", identity.client);
    }
    for (own, value) in told {
        field(out, own.as_bytes(), value.as_bytes());
    }
    out.extend_from_slice(rule.request_edit.lines());
    if request.framing == Framing::Chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    match request.upgrade {
        Some(Upgrade::WebSocket(_)) => out.extend_from_slice(Sent::WebSocket.connection()),
        None if request.te_trailers => {
            out.extend_from_slice(b"TE: trailers\r\nConnection: TE\r\n");
        }
        None => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Names `target` in the head of a request that [`write_request`] wrote for the first target of its rule,
/// where the rule says that each sees its own name.
pub fn replace_host(head: &mut Vec<u8>, rule: &Rule, target: &Target) {
    const NAME: &[u8] = b"\r\nHost: ";
    if rule.target_host != TargetHostHeader::Target {
        return;
    }
    let Some(at) = head.windows(NAME.len()).position(|bytes| bytes == NAME) else {
        return;
    };
    let value = at + NAME.len();
    let rest = head[value..].iter().position(|byte| *byte == b'\r');
    let end = rest.map_or(head.len(), |length| value + length);
    head.splice(value..end, target.authority().into_bytes());
}

/// Appends the head that a client gets for `response`, empty line included.
///
/// `chunked` says that the body follows in chunks. `date` is added where the target sent none
/// (RFC 9110 section 6.6.1), but not to interim responses. `edit` is what the rule changes.
pub fn write_response(
    out: &mut Vec<u8>,
    response: &Response<'_>,
    chunked: bool,
    sent: Sent,
    date: &str,
    edit: &HeadEdit,
) {
    let status = response.status;
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend(digits(status));
    out.push(b' ');
    out.extend_from_slice(response.reason);
    out.extend_from_slice(b"\r\n");
    let mut dated = status < 200;
    let bodiless = status < 200 || status == 204;
    response.fields.write(out, |field| {
        let passes = match field.known() {
            Name::ContentLength => !bodiless,
            Name::Trailer => chunked && !field.is_hop_by_hop(),
            Name::Other if field.is("date") => {
                dated = true;
                true
            }
            _ => !field.is_hop_by_hop(),
        };
        passes && !edit.removes(field)
    });
    out.extend_from_slice(edit.lines());
    if !dated {
        field(out, b"Date", date.as_bytes());
    }
    if chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    out.extend_from_slice(sent.connection());
    out.extend_from_slice(b"\r\n");
}

fn write_target(out: &mut Vec<u8>, request: &Request<'_>) {
    let target = &request.target;
    if !matches!(target.form, TargetForm::Absolute(_)) {
        return out.extend_from_slice(target.raw.as_bytes());
    }
    out.extend_from_slice(target.path.as_bytes());
    if let Some(query) = target.query {
        out.push(b'?');
        out.extend_from_slice(query.as_bytes());
    }
}

/// Where it does not stand as it came: with `target_host`, with a dot behind the name, which some
/// targets take for another name, and with HTTP/1.0's absolute targets.
fn write_host(out: &mut Vec<u8>, host: &Authority<'_>, rule: &Rule, tls: bool) {
    match &rule.target_host {
        TargetHostHeader::Keep => authority(out, b"Host", host),
        TargetHostHeader::Target => {
            let target = &rule.targets(tls).first().target;
            field(out, b"Host", target.authority().as_bytes());
        }
        TargetHostHeader::Name(name) => field(out, b"Host", name.as_bytes()),
    }
}

/// RFC 7239: what the `X-Forwarded` fields say, in one.
fn write_forwarded(out: &mut Vec<u8>, host: &Authority<'_>, identity: &Identity) {
    let scheme = if identity.tls { "https" } else { "http" };
    let _ = match identity.address() {
        IpAddr::V4(address) => write!(out, "Forwarded: for={address};host=\""),
        IpAddr::V6(address) => write!(out, "Forwarded: for=\"[{address}]\";host=\""),
    };
    host.write(out);
    let _ = write!(out, "\";proto={scheme}\r\n");
}

fn authority(out: &mut Vec<u8>, name: &[u8], host: &Authority<'_>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    host.write(out);
    out.extend_from_slice(b"\r\n");
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// A status is three digits.
fn digits(status: u16) -> [u8; 3] {
    [status / 100, status / 10, status].map(|digit| b'0' + (digit % 10) as u8)
}

/// Whether a client of that version must be told that its connection stays open.
impl From<(Version, bool)> for Sent {
    fn from((version, open): (Version, bool)) -> Self {
        match (version, open) {
            (_, false) => Self::Close,
            (Version::Http10, true) => Self::KeepAlive,
            (Version::Http11, true) => Self::Open,
        }
    }
}
