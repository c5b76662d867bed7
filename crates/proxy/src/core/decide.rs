//! The one function that decides, for the traffic and for `explain` alike.

use super::access::{Gate, Shown, judge};
use super::credentials::Credentials;
use super::path::{Fit, fit};
use super::reason::Reason;
use super::routes::{Entry, HostRoutes, Routes, Rule};
use super::signin::OWN_PATHS;
use config::{Plain, WebSocket};
use proto::http::{Fields, Malformed, Scheme, path_is_unambiguous};
use std::net::IpAddr;
use std::sync::Arc;

/// What is known about a request when it is decided on.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The client; IPv4 not in IPv6 form.
    pub client: IpAddr,
    /// TLS, if the client came in so.
    pub tls: Option<AskedTls<'a>>,
    /// The method.
    pub method: &'a str,
    /// The scheme, where the target says one.
    pub scheme: Option<Scheme>,
    /// The host without its port.
    pub host: Option<&'a str>,
    /// The raw path without the query; "*" for OPTIONS.
    pub path: &'a str,
    /// Whether it asks for a WebSocket.
    pub websocket: bool,
    /// The length of the body as far as it is said beforehand.
    pub body: Option<u64>,
    /// The fields of its head, where there is one.
    pub fields: Option<&'a Fields<'a>>,
    /// What it has sent to be let in.
    pub credentials: &'a dyn Credentials,
}

/// How a request came in over TLS.
#[derive(Clone, Copy, Debug)]
pub struct AskedTls<'a> {
    /// The server name of the hello.
    pub server_name: Option<&'a str>,
    /// Whether the host has the certificate that this server name got.
    pub same_certificate: bool,
    /// The certificate of the client, as far as the host asks for one.
    pub certificate: Shown<'a>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict<'r> {
    /// It goes to the rule's target.
    Forward(&'r HostRoutes, &'r Arc<Rule>),
    /// It is answered with a redirect to HTTPS.
    Redirect(&'r HostRoutes, Redirect),
    /// It is refused.
    Refuse {
        /// The host, if there is such a one.
        host: Option<&'r HostRoutes>,
        /// Why.
        reason: Reason,
        /// The line of the file that decided, if one did.
        line: Option<u32>,
    },
}

/// A redirect of a plain request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// 301 for GET and HEAD, 308 for what must keep its method and body.
    pub status: u16,
    /// The rule's line.
    pub line: u32,
}

/// One step on the way to a verdict.
#[derive(Debug)]
pub enum Step<'r> {
    /// This host is asked for.
    Host(&'r HostRoutes),
    /// The rule for the empty path alone was tried.
    Default(&'r Rule, bool),
    /// A path was tried.
    Path(&'r Entry, Fit),
    /// The path is one of ours.
    Own(&'r HostRoutes),
    /// An access was asked.
    Access(&'r Gate, bool),
}

/// Who is told the steps.
pub trait Watch {
    /// Takes note of a step.
    fn step(&mut self, step: Step<'_>);
}

/// Nobody.
impl Watch for () {
    #[inline]
    fn step(&mut self, _: Step<'_>) {}
}

/// Decides what becomes of `ask`.
pub fn decide<'r>(routes: &'r Routes, ask: &Ask<'_>) -> Verdict<'r> {
    decide_watched(routes, ask, &mut ())
}

/// As [`decide`], and tells `watch` every step.
pub fn decide_watched<'r>(
    routes: &'r Routes,
    ask: &Ask<'_>,
    watch: &mut impl Watch,
) -> Verdict<'r> {
    let Some(name) = ask.host else {
        return refuse(None, Reason::HostMissing, None);
    };
    let Some(host) = routes.host(name) else {
        return refuse(None, Reason::HostUnknown, None);
    };
    watch.step(Step::Host(host));
    if let Some(AskedTls {
        server_name,
        same_certificate: false,
        ..
    }) = ask.tls
    {
        let reason = Reason::Misdirected(server_name.unwrap_or_default().into());
        return refuse(Some(host), reason, Some(host.line));
    }
    // RFC 9110 section 7.4.
    if ask.tls.is_none() && ask.scheme == Some(Scheme::Https) {
        return refuse(Some(host), Reason::NotSecured, Some(host.line));
    }
    let own = host.own.as_ref();
    let own = own.filter(|_| ask.path.starts_with(OWN_PATHS));
    if own.is_some() {
        watch.step(Step::Own(host));
    }
    let own = own.map(|rule| (rule, rule.line));
    let Some((rule, line)) = own.or_else(|| find(host, ask.path, watch)) else {
        return refuse(Some(host), Reason::PathUnknown, Some(host.line));
    };
    if rule.strict
        && ask.path != "*"
        && let Err(fault) = path_is_unambiguous(ask.path.as_bytes())
    {
        return refuse(Some(host), Reason::PathAmbiguous(fault), Some(line));
    }
    if forges(rule, ask.fields) {
        let reason = Reason::Malformed(Malformed::Twin);
        return refuse(Some(host), reason, Some(rule.line));
    }
    if ask.tls.is_none() {
        match rule.plain {
            Plain::Forward => {}
            Plain::Redirect => {
                let status = match ask.method {
                    "GET" | "HEAD" => 301,
                    _ => 308,
                };
                let line = rule.line;
                return Verdict::Redirect(host, Redirect { status, line });
            }
            Plain::Refuse => return refuse(Some(host), Reason::PlainRefused, Some(rule.line)),
        }
    }
    match judge(rule, ask, watch).and_then(|()| fits(rule, ask)) {
        Ok(()) => Verdict::Forward(host, rule),
        Err(reason) => refuse(Some(host), reason, Some(rule.line)),
    }
}

/// The address a redirect leads to: the same host, path and query at our public HTTPS port.
pub fn redirect(routes: &Routes, host: &str, path: &str, query: Option<&str>) -> String {
    let path = if path == "*" { "/" } else { path };
    let port = match routes.public_https() {
        443 => String::new(),
        port => format!(":{port}"),
    };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("https://{host}{port}{path}{query}")
}

fn refuse(host: Option<&HostRoutes>, reason: Reason, line: Option<u32>) -> Verdict<'_> {
    Verdict::Refuse { host, reason, line }
}

/// The rule for `path` and the line that says so: the longest path that fits; `default` alone
/// takes precedence, since it means this one path and no other.
fn find<'r>(
    host: &'r HostRoutes,
    path: &str,
    watch: &mut impl Watch,
) -> Option<(&'r Arc<Rule>, u32)> {
    if let Some(rule) = &host.default {
        let fits = path == "/";
        watch.step(Step::Default(rule, fits));
        if fits {
            return Some((rule, rule.line));
        }
    }
    for entry in &host.entries {
        let fit = fit(entry.path.as_bytes(), path.as_bytes());
        watch.step(Step::Path(entry, fit));
        if fit == Fit::Yes {
            return Some((&entry.rule, entry.line));
        }
    }
    None
}

/// Whether the target could take a field for one that the rule has us write about the client. One of
/// the very name is replaced, as those that all targets get; a twin is what no honest client sends.
fn forges(rule: &Rule, fields: Option<&Fields<'_>>) -> bool {
    let Some(fields) = fields.filter(|_| !rule.own_headers.is_empty()) else {
        return false;
    };
    let mut own = rule.own_headers.iter();
    own.any(|own| {
        let mut fields = fields.iter();
        fields.any(|field| field.is_twin_of(own) && !field.is(own))
    })
}

/// What a rule asks for beside its path and who may use it.
fn fits(rule: &Rule, ask: &Ask<'_>) -> Result<(), Reason> {
    match (rule.websocket, ask.websocket) {
        (WebSocket::Required, false) => return Err(Reason::WebSocketRequired),
        (WebSocket::Refused, true) => return Err(Reason::WebSocketRefused),
        _ => {}
    }
    match (rule.max_body, ask.body) {
        (Some(most), Some(length)) if length > most => Err(Reason::BodyTooLarge(most)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
