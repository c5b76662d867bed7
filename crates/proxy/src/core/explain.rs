//! What would become of a request, and why: the same decision as for the traffic, told step by step.

use super::access::{GateKind, Shown, told};
use super::asker::{Asker, Pretended};
use super::balance::{Probe, Targets};
use super::believed::believed;
use super::decide::{Ask, AskedTls, Step, Verdict, Watch, decide_watched, redirect};
use super::explain_domain;
use super::passthrough::PassthroughHost;
use super::path::Fit;
use super::reason::Reason;
use super::routes::{Routes, RoutesError, Rule, Trust};
use super::signin::OWN_PATHS;
use certs::{Refused, Verified};
use config::{Balance, Config, Identity, TargetHostHeader};
use guard::operators::UserName;
use proto::http::Authority;
use rustls_pki_types::CertificateDer;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::SystemTime;

/// What would become of a request. `Display` is what `gatehouse explain` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What was asked.
    pub url: String,
    /// From where.
    pub from: IpAddr,
    /// What was looked at, in order.
    pub steps: Vec<ExplainedStep>,
    /// `forward`, `redirect` or `refuse`; `tell` where a list was asked for.
    pub decision: &'static str,
    /// The status we answer with, unless the target answers.
    pub status: Option<u16>,
    /// Why, or where to.
    pub reason: String,
    /// The line of the file that decided.
    pub line: Option<u32>,
    /// The target, as `scheme://address:port`.
    pub target: Option<String>,
    /// What else is to be known of the target: what stands in for it, and what it sees of us.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The fields that are set for the target.
    pub headers: Vec<(String, String)>,
}

/// One step on the way to a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedStep {
    /// What was looked at and what came of it.
    pub text: String,
    /// The line of the file.
    pub line: Option<u32>,
}

/// Why something can not be explained; the caller is to blame.
#[derive(Debug, thiserror::Error)]
pub enum NotExplained {
    /// Not a URL we could be asked for.
    #[error(
        "{0:?} can not be asked for; write for instance https://host.example/path, sip:john@example.com, ldap:example.com\\\\john, h323:john@example.com, or pbx"
    )]
    Url(String),
    /// The configuration is not consistent.
    #[error(transparent)]
    Routes(#[from] RoutesError),
}

/// The certificate that a client shows, whose key it is taken to hold, and what it is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Shows<'a> {
    /// Its certificate, then intermediates.
    pub chain: &'a [CertificateDer<'a>],
    /// The texts of the files that [`crate::files_wanted`] lists.
    pub files: &'a BTreeMap<String, String>,
    /// When.
    pub now: SystemTime,
}

/// Explains what `config` makes of a request for `url` from `from`; without an address, of one from
/// the documentation network 203.0.113.0/24, that is, from somewhere outside. Where the client shows a certificate, it is judged as in
/// a handshake.
///
/// # Errors
/// [`NotExplained`], the caller's.
pub fn explain(
    config: &Config,
    url: &str,
    from: Option<IpAddr>,
    shows: Option<Shows<'_>>,
) -> Result<Explanation, NotExplained> {
    let asker = Asker {
        from,
        shows,
        ..Asker::default()
    };
    explain_to(config, url, &asker)
}

/// As [`explain`], of a request of `asker`. Where it is a user, all access lists of the rule are asked whether they let him in.
///
/// # Errors
/// [`NotExplained`], the caller's.
pub fn explain_to(
    config: &Config,
    url: &str,
    asker: &Asker<'_>,
) -> Result<Explanation, NotExplained> {
    let routes = Routes::new(config, &BTreeMap::new())?;
    if explain_domain::asks_pbx(url) {
        return Ok(explain_domain::explain_pbx(config, &routes));
    }
    if let Some(asked) = explain_domain::Asked::parse(url) {
        return Ok(explain_domain::explain(config, &routes, &asked, asker));
    }
    let asked = Asked::parse(url).ok_or_else(|| NotExplained::Url(url.to_owned()))?;
    let from = asker
        .from
        .unwrap_or(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)));
    let name = asked.authority.host();
    let pretended = Pretended::of(config, asker);
    let judged = asker.shows.map(|shows| Judged::of(&routes, name, shows));
    let ask = Ask {
        client: from,
        tls: asked.tls.then_some(AskedTls {
            server_name: Some(name),
            same_certificate: true,
            certificate: judged.as_ref().map_or(Shown::Nothing, Judged::shown),
        }),
        method: "GET",
        scheme: None,
        host: Some(name),
        path: asked.path,
        websocket: asked.websocket,
        body: None,
        fields: None,
        credentials: &pretended,
    };
    let mut steps = Steps {
        said: Vec::new(),
        shows: judged.is_some(),
        user: asker.user.map(str::to_owned),
        sure: asker.groups.is_some(),
        asked: Vec::new(),
    };
    steps.port(config, &asked);
    if let Some(host) = routes.passthroughs().host(name).filter(|_| asked.tls) {
        return Ok(passed(url, from, steps, host));
    }
    if let Some(judged) = judged.as_ref().filter(|_| asked.tls) {
        steps.say(judged.text(), None);
    }
    let verdict = decide_watched(&routes, &ask, &mut steps);
    if let (Verdict::Forward(_, rule), Some(_)) = (&verdict, asker.user) {
        steps.others(rule, &ask);
    }
    let mut explanation = Explanation {
        steps: steps.said,
        ..Explanation::empty(url, from)
    };
    explanation.conclude(config, &routes, (&asked, &ask), verdict);
    Ok(explanation)
}

/// TLS that goes to its target as it is.
fn passed(url: &str, from: IpAddr, steps: Steps, host: &PassthroughHost) -> Explanation {
    Explanation {
        steps: steps.said,
        decision: "forward",
        reason:
            "TLS is passed on without being decrypted; path and fields are the target's business"
                .to_owned(),
        line: Some(host.line),
        target: Some(format!("tls://{}", *host.target)),
        ..Explanation::empty(url, from)
    }
}

impl Explanation {
    /// One that says nothing yet; as it is, that it is refused.
    pub(super) fn empty(url: &str, from: IpAddr) -> Self {
        Self {
            url: url.to_owned(),
            from,
            steps: Vec::new(),
            decision: "refuse",
            status: None,
            reason: String::new(),
            line: None,
            target: None,
            notes: Vec::new(),
            headers: Vec::new(),
        }
    }

    fn conclude(
        &mut self,
        config: &Config,
        routes: &Routes,
        (asked, ask): (&Asked<'_>, &Ask<'_>),
        verdict: Verdict<'_>,
    ) {
        match verdict {
            Verdict::Forward(_, rule) => {
                let targets = rule.targets(asked.tls);
                let target = &targets.first().target;
                let scheme = if target.tls.is_some() {
                    "https"
                } else {
                    "http"
                };
                self.notes = notes(config, targets, scheme);
                self.decision = "forward";
                self.reason = trust(rule, asked.tls);
                self.line = Some(rule.line);
                self.target = Some(if target.inside {
                    target.to_string()
                } else {
                    format!("{scheme}://{}", **target)
                });
                self.headers = headers(rule, asked, self.from);
                let told = told(rule, ask).into_iter();
                let told = told.map(|(name, value)| (name.to_owned(), value.into_owned()));
                self.headers.extend(told);
            }
            Verdict::Redirect(_, found) => {
                self.decision = "redirect";
                self.status = Some(found.status);
                let host = asked.authority.host();
                self.reason = format!("to {}", redirect(routes, host, asked.path, asked.query));
                self.line = Some(found.line);
            }
            Verdict::Refuse { reason, line, .. } => {
                self.status = Some(reason.status());
                self.reason = reason.to_string();
                self.line = line;
                if let Reason::SignIn(refused) = &reason
                    && let Some(location) = refused.location(
                        routes,
                        asked.tls,
                        asked.authority.host(),
                        (asked.path, asked.query),
                    )
                {
                    self.decision = "redirect";
                    self.reason = format!("to {location}: {reason}");
                }
            }
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.decision == "tell" {
            let lines = self.steps.iter();
            let lines = lines.map(|step| format!("{}{}", step.text, At(step.line)));
            return f.write_str(&lines.collect::<Vec<_>>().join("\n"));
        }
        writeln!(f, "{} from {}", self.url, self.from)?;
        for step in &self.steps {
            writeln!(f, "  {}{}", step.text, At(step.line))?;
        }
        match (&self.target, self.status) {
            (Some(target), _) => write!(f, "forwarded to {target}{}", At(self.line))?,
            (None, Some(status)) if self.decision == "redirect" => {
                write!(f, "redirected ({status}) {}{}", self.reason, At(self.line))?;
            }
            (None, status) => {
                write!(f, "refused")?;
                if let Some(status) = status {
                    write!(f, " ({status})")?;
                }
                write!(f, ": {}{}", self.reason, At(self.line))?;
            }
        }
        if self.target.is_some() {
            for note in &self.notes {
                write!(f, "\n  {note}")?;
            }
            if !self.reason.is_empty() {
                write!(f, "\n  {}", self.reason)?;
            }
            for (name, value) in &self.headers {
                write!(f, "\n  {name}: {value}")?;
            }
        }
        Ok(())
    }
}

struct At(Option<u32>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

/// What is made of the certificate that a client shows.
enum Judged {
    NotAsked,
    Unusable(String),
    Done(Result<Verified, Refused>),
}

impl Judged {
    fn of(routes: &Routes, name: &str, shows: Shows<'_>) -> Self {
        let trust = routes
            .host(name)
            .and_then(|host| host.client_trust.as_ref());
        let (Some(trust), Some((leaf, above))) = (trust, shows.chain.split_first()) else {
            return Self::NotAsked;
        };
        match believed(trust, shows.files) {
            Ok(clients) => Self::Done(clients.verify(leaf, above, shows.now)),
            Err(why) => Self::Unusable(why),
        }
    }

    fn shown(&self) -> Shown<'_> {
        match self {
            Self::NotAsked => Shown::NotAsked,
            Self::Unusable(why) => Shown::Unusable(why),
            Self::Done(Ok(verified)) => Shown::Verified(verified),
            Self::Done(Err(refused)) => Shown::Refused(refused),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::NotAsked => "the client certificate is not asked for under this name".to_owned(),
            Self::Unusable(why) => format!("client certificates are refused: {why}"),
            Self::Done(Ok(verified)) => {
                let mut names: Vec<_> = verified.names().collect();
                names.dedup();
                format!(
                    "the client certificate is believed; its names: {}",
                    names.join(", ")
                )
            }
            Self::Done(Err(refused)) => refused.to_string(),
        }
    }
}

/// The parts of a URL.
struct Asked<'a> {
    tls: bool,
    websocket: bool,
    authority: Authority<'a>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (tls, websocket) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (false, false),
            "https" => (true, false),
            "ws" => (false, true),
            "wss" => (true, true),
            _ => return None,
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let authority = Authority::parse(authority.as_bytes()).ok()?;
        // A browser keeps the fragment for itself.
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let path = if path.is_empty() { "/" } else { path };
        Some(Self {
            tls,
            websocket,
            authority,
            path,
            query,
        })
    }
}

struct Steps {
    said: Vec<ExplainedStep>,
    /// Whether the client shows a certificate.
    shows: bool,
    /// The user who has signed in.
    user: Option<String>,
    /// Whether it is known which groups he is in.
    sure: bool,
    /// The access lists that were asked.
    asked: Vec<Box<str>>,
}

impl Steps {
    fn say(&mut self, text: String, line: Option<u32>) {
        self.said.push(ExplainedStep { text, line });
    }

    /// The port does not decide, but one that leads elsewhere explains why nothing arrives.
    fn port(&mut self, config: &Config, asked: &Asked<'_>) {
        let (scheme, listen, public, usual) = if asked.tls {
            let public = config.site.public_ports.https;
            ("https", config.proxy.listen.https, public, 443)
        } else {
            let public = config.site.public_ports.http;
            ("http", config.proxy.listen.http, public, 80)
        };
        let port = asked.authority.port().unwrap_or(usual);
        let text = if port == public && port == listen {
            format!("{scheme} on port {port}")
        } else if port == public {
            format!("{scheme} on the public port {port}, here {listen}")
        } else if port == listen {
            format!("{scheme} on port {port}")
        } else {
            format!("port {port} does not lead to us: {scheme} is on {listen}, outside on {public}")
        };
        self.say(text, None);
    }
}

impl Steps {
    /// What the lists of `rule` say that did not have to be asked.
    fn others(&mut self, rule: &Rule, ask: &Ask<'_>) {
        for gate in rule.all.iter().chain(&rule.any) {
            if !self.asked.contains(&gate.name) {
                self.step(Step::Access(gate, gate.admits(rule, ask).is_ok()));
            }
        }
    }

    /// What a list says to a user who has signed in.
    fn admits_user(&self, user: &str, kind: &GateKind, admitted: bool) -> Option<String> {
        Some(match (kind, admitted) {
            (GateKind::Basic { .. }, true) => format!("lets {user} in, by password"),
            (GateKind::Basic { users, .. }, false) => {
                let users: Vec<_> = users.iter().map(UserName::as_str).collect();
                format!("lets in who signs in as {}, not {user}", users.join(", "))
            }
            (GateKind::Sso(own), true) if self.sure || own.groups.is_empty() => {
                format!("lets {user} in, by login")
            }
            (GateKind::Sso(own), true) => {
                format!(
                    "lets {user} in, by login, if in one of {}",
                    own.groups.join(", ")
                )
            }
            (GateKind::Sso(own), false) => {
                format!(
                    "lets in who is in one of {}, not {user}",
                    own.groups.join(", ")
                )
            }
            _ => return None,
        })
    }

    fn admits(&self, kind: &GateKind, admitted: bool) -> String {
        if let Some(user) = &self.user
            && let Some(text) = self.admits_user(user, kind, admitted)
        {
            return text;
        }
        match (kind, admitted) {
            (_, true) => "lets it in".to_owned(),
            (GateKind::Network(_), false) => "does not let it in".to_owned(),
            (GateKind::Certificate { .. }, false) if self.shows => "does not let it in".to_owned(),
            (GateKind::Certificate { names, .. }, false) if names.is_empty() => {
                "lets in who shows a trusted client certificate; here, none is".to_owned()
            }
            (GateKind::Certificate { names, .. }, false) => {
                let names = names.join(", ");
                format!("lets in who shows a client certificate for {names}; here, none is")
            }
            (GateKind::Basic { users, .. }, false) => {
                let users: Vec<_> = users.iter().map(UserName::as_str).collect();
                format!(
                    "lets in who signs in as {}; here, nobody does",
                    users.join(", ")
                )
            }
            (GateKind::Cookie { cookie, .. }, false) => {
                format!("lets in who has a live token in the cookie {cookie}; here, there is none")
            }
            (GateKind::Sso(sign_on), false) => {
                let who = match sign_on.groups.as_slice() {
                    [] => "lets in who is signed in".to_owned(),
                    groups => {
                        format!(
                            "lets in who is signed in and is in one of {}",
                            groups.join(", ")
                        )
                    }
                };
                format!("{who}; here, nobody is")
            }
        }
    }
}

impl Watch for Steps {
    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Host(host) => {
                self.say(format!("host {}", host.name), Some(host.line));
                if let Some(trust) = &host.client_trust {
                    let from = trust.authorities.join(", ");
                    let text = format!("over TLS, a client certificate is asked for, from {from}");
                    self.say(text, None);
                }
            }
            Step::Default(rule, fits) => {
                let fits = if fits { "matches" } else { "does not match" };
                self.say(
                    format!("default, the path \"/\" alone: {fits}"),
                    Some(rule.line),
                );
            }
            Step::Own(host) => {
                let text = format!("paths below {OWN_PATHS} are those of our login page");
                self.say(text, Some(host.line));
            }
            Step::Path(entry, fit) => {
                let fits = match fit {
                    Fit::Yes => "matches",
                    Fit::No => "does not match",
                    Fit::Deeper => "does not match: a further \"/\" follows",
                };
                let path = match &*entry.path {
                    "" => "every path".to_owned(),
                    path => format!("path {path}"),
                };
                self.say(format!("{path}: {fits}"), Some(entry.line));
            }
            Step::Access(gate, admitted) => {
                let admits = self.admits(&gate.kind, admitted);
                self.asked.push(gate.name.clone());
                self.say(format!("access {} {admits}", gate.name), None);
            }
        }
    }
}

/// The targets beside the first, how one is chosen, how their health is known, and what they see of us.
fn notes(config: &Config, targets: &Targets, scheme: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if let [_, others @ ..] = targets.members()
        && !others.is_empty()
    {
        let names = others
            .iter()
            .map(|other| format!("{scheme}://{}", *other.target));
        let names = names.collect::<Vec<_>>().join(", ");
        lines.push(match targets.balance() {
            Balance::Failover => format!("or, where that is not well, to {names}"),
            Balance::Rotate => format!("or {names}, each in turn"),
            Balance::Sticky => format!("or {names}, by the address of the client"),
        });
    }
    if let Some(probe) = targets.first().standing.probe() {
        let Probe { host, path, every } = probe;
        lines.push(format!(
            "asked for {scheme}://{host}{path} every {every:?} whether it is well"
        ));
    }
    if targets.first().target.tls.is_some() {
        let shown = match &config.proxy.identity {
            Identity::Own => format!("{}, from the box's own CA", config.system.hostname),
            Identity::Certificate(name) => format!("{name}, from its [[certificate]]"),
        };
        lines.push(format!("our certificate, if it asks for one: {shown}"));
    }
    lines
}

/// What is asked of the certificate of a TLS target.
fn trust(rule: &Rule, tls: bool) -> String {
    let Some(tls) = &rule.targets(tls).first().target.tls else {
        return String::new();
    };
    let name = &tls.name;
    match &tls.trust {
        Trust::System => format!("its certificate: from a public authority, for {name}"),
        Trust::Ca { file, .. } => {
            format!("its certificate: from an authority in {file}, for {name}")
        }
        Trust::Sha256(_) => "its certificate: the one with the given SHA-256".to_owned(),
        Trust::Any => "its certificate: any is believed".to_owned(),
    }
}

/// The fields that the target gets from us.
fn headers(rule: &Rule, asked: &Asked<'_>, from: IpAddr) -> Vec<(String, String)> {
    let scheme = if asked.tls { "https" } else { "http" };
    let host = asked.authority.text();
    let seen = match &rule.target_host {
        TargetHostHeader::Keep => host.to_owned(),
        TargetHostHeader::Target => rule.targets(asked.tls).first().target.authority(),
        TargetHostHeader::Name(name) => name.clone(),
    };
    let mut headers = vec![
        ("Host", seen),
        ("X-Forwarded-Host", host.to_owned()),
        ("X-Real-IP", from.to_string()),
        ("X-Forwarded-For", from.to_string()),
        ("X-Forwarded-Proto", scheme.to_owned()),
    ];
    if let Some(own) = &rule.client_address_header {
        let address = match from {
            IpAddr::V4(from) => format!("{from}:PORT"),
            IpAddr::V6(from) => format!("[{from}]:PORT"),
        };
        headers.push((own, address));
    }
    headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
