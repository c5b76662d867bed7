//! A request head: read, judged by the rules, and written for its target.

use crate::core::{
    Accept, Ask, AskedTls, Credentials, Identity, Reason, Routes, Rule, Verdict, decide, redirect,
    told, write_request,
};
use crate::shell::claims::{Claims, Held};
use crate::shell::client::Client;
use crate::shell::connection::Connection;
use crate::shell::exchange::Plan;
use crate::shell::live::Live;
use crate::shell::logins::Check;
use crate::shell::presented::Known;
use crate::shell::report::Told;
use crate::shell::tunnel::{self, What};
use crate::shell::worker::Current;
use certs::Answers;
use certs::challenge::HTTP_PATH;
use config::Protocol;
use proto::http::{self, Framing, Malformed, Request, TargetForm, Upgrade};
use std::rc::Rc;
use std::sync::Arc;

/// What was found where a request head is due.
pub(crate) enum Taken {
    Incomplete,
    Refuse {
        reason: Reason,
        /// Where it can sign in.
        location: Option<Box<str>>,
        place: Place,
        head_only: bool,
        linger: bool,
        /// Whether the client may ask again on this connection, which it does where a password is missing.
        keep: bool,
    },
    Redirect {
        status: u16,
        location: String,
        place: Place,
        head_only: bool,
        keep: bool,
    },
    Forward(Plan, Place, Option<tunnel::Asked>),
    /// A password is to be looked at first; then the request, which is still there, is to be taken anew.
    Check(Box<Check>),
    /// A certificate authority looks for a proof, and finds it.
    Proof {
        text: String,
        head_only: bool,
        keep: bool,
    },
}

impl Taken {
    /// The connection ends after this request.
    pub(crate) fn end_connection(&mut self) {
        match self {
            Self::Refuse { keep, .. } | Self::Redirect { keep, .. } | Self::Proof { keep, .. } => {
                *keep = false;
            }
            Self::Forward(plan, ..) => plan.keep_alive = false,
            Self::Incomplete | Self::Check(_) => {}
        }
    }
}

/// Where in the configuration a decision was made.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    /// The position of the host among the routes.
    pub(crate) host: Option<usize>,
    pub(crate) line: Option<u32>,
}

impl<C: Client> Connection<C> {
    /// Reads a request head, decides on it, and writes what the target gets of it.
    pub(crate) fn take(&mut self, current: &Rc<Current>) -> Taken {
        self.up.prepare();
        let live = &current.live;
        let request = match http::request(self.up.buffer.filled(), &self.limits.http) {
            Ok(Some(request)) => request,
            Ok(None) => return Taken::Incomplete,
            Err(fault) => {
                self.tell_first_line(current);
                return unreadable(fault);
            }
        };
        if live.is_logged(Protocol::Http) {
            tell(&mut self.told, &request);
        }
        let host = request.host.map_or("", |host| host.host());
        if let Some(proof) = proof(&live.answers, &self.identity, &request) {
            let len = request.len;
            self.up.buffer.consume(len);
            return proof;
        }
        let server_name = self.server_name.as_deref();
        let presented = self.presented.as_deref();
        let known = Known::of(live, presented, live.routes.host(host));
        let tls = asked_tls(live, &self.identity, server_name, host, &known);
        let shared = &self.worker.shared;
        let roll = &shared.context.entrance;
        let cookies = live.routes.session_cookies();
        let looked = self.looked.take();
        let claims = Claims::new(&request.fields, roll, &shared.logins, cookies, looked);
        let ask = ask(&request, self.identity.address(), tls, &claims);
        let verdict = decide(&live.routes, &ask);
        if matches!(&verdict, Verdict::Refuse { reason, .. } if reason.is_unchecked())
            && let Some(check) = claims.unchecked()
        {
            return Taken::Check(check);
        }
        if let Verdict::Forward(_, rule) = &verdict {
            claims.touch(rule);
            let (told, ours) = (told(rule, &ask), claims.are_ours(rule));
            let out = &mut self.up.out;
            write_request(out, &request, rule, &self.identity, &told, ours);
        }
        let mut taken = taken(verdict, &ask, &request, &live.routes);
        if let Taken::Forward(plan, _, asked) = &mut taken {
            let path = request.target.path;
            *asked = request.upgrade.map(|_| {
                let held = claims.held(&plan.rule);
                self.asked_of(plan, host, path, held)
            });
        }
        let len = request.len;
        self.up.buffer.consume(len);
        if let Taken::Forward(plan, ..) = &taken {
            let rule = &plan.rule;
            self.up
                .begin_request::<C>(plan.framing, rule.max_body, &rule.withheld);
        }
        taken
    }

    /// What a tunnel to the target of `plan` was asked for.
    fn asked_of(&self, plan: &Plan, host: &str, path: &str, held: Held) -> tunnel::Asked {
        let targets = plan.rule.targets(self.identity.tls());
        tunnel::Asked {
            what: What::Request {
                host: host.into(),
                path: path.into(),
                held: Box::new(held),
            },
            server_name: self.server_name.clone(),
            presented: self.presented.clone(),
            target: targets.first().target.clone(),
        }
    }

    /// What is known of a request that could not be read.
    pub(crate) fn tell_first_line(&mut self, current: &Current) {
        if !current.live.log_rejected.contains(&Protocol::Http) {
            return;
        }
        let line = self.up.buffer.filled();
        // A query may hold a password or a token, which no log is to keep.
        let end = line
            .iter()
            .position(|byte| matches!(byte, b'\r' | b'\n' | b'?'));
        let line = &line[..end.unwrap_or(line.len()).min(120)];
        self.told.host.clear();
        self.told
            .host
            .push_str(self.server_name.as_deref().unwrap_or_default());
        self.told.asked = line.escape_ascii().to_string();
    }
}

/// What is known of the TLS of a connection, for a request for `host`.
fn asked_tls<'a>(
    live: &Live,
    identity: &Identity,
    server_name: Option<&'a str>,
    host: &str,
    known: &'a Known,
) -> Option<AskedTls<'a>> {
    identity.tls().then(|| AskedTls {
        server_name,
        same_certificate: live.same_certificate(server_name, host),
        certificate: known.shown(),
    })
}

/// A head that can not be read.
fn unreadable(fault: Malformed) -> Taken {
    Taken::Refuse {
        reason: Reason::Malformed(fault),
        location: None,
        place: Place::default(),
        head_only: false,
        linger: true,
        keep: false,
    }
}

fn ask<'a>(
    request: &'a Request<'a>,
    client: std::net::IpAddr,
    tls: Option<AskedTls<'a>>,
    credentials: &'a dyn Credentials,
) -> Ask<'a> {
    Ask {
        client,
        tls,
        method: request.method,
        scheme: match request.target.form {
            TargetForm::Absolute(scheme) => Some(scheme),
            TargetForm::Origin | TargetForm::Asterisk => None,
        },
        host: request.host.map(|host| host.host()),
        path: request.target.path,
        websocket: request.upgrade.is_some(),
        body: match request.framing {
            Framing::Length(length) => Some(length),
            Framing::None | Framing::Chunked => None,
        },
        fields: Some(&request.fields),
        credentials,
    }
}

fn taken(verdict: Verdict<'_>, ask: &Ask<'_>, request: &Request<'_>, routes: &Routes) -> Taken {
    let head_only = request.method == "HEAD";
    let has_body = has_body(request);
    let (host, line) = match &verdict {
        Verdict::Forward(host, rule) => (Some(*host), Some(rule.line)),
        Verdict::Redirect(host, found) => (Some(*host), Some(found.line)),
        Verdict::Refuse { host, line, .. } => (*host, *line),
    };
    let place = Place {
        host: host.map(|host| host.index),
        line,
    };
    match verdict {
        Verdict::Refuse { reason, .. } => Taken::Refuse {
            keep: reason.invites() && request.keep_alive && !has_body,
            location: login_page(&reason, ask, request, routes),
            reason,
            place,
            head_only,
            linger: has_body,
        },
        Verdict::Redirect(_, found) => Taken::Redirect {
            status: found.status,
            location: {
                let host = request.host.map_or("", |host| host.host());
                let target = &request.target;
                redirect(routes, host, target.path, target.query)
            },
            place,
            head_only,
            keep: request.keep_alive && !has_body,
        },
        Verdict::Forward(_, rule) => Taken::Forward(plan(request, Arc::clone(rule)), place, None),
    }
}

/// Where a browser goes that is to sign in first.
fn login_page(
    reason: &Reason,
    ask: &Ask<'_>,
    request: &Request<'_>,
    routes: &Routes,
) -> Option<Box<str>> {
    let Reason::SignIn(refused) = reason else {
        return None;
    };
    let wanted = (request.target.path, request.target.query);
    let location = refused.location(routes, ask.tls.is_some(), ask.host?, wanted);
    location.map(Box::from)
}

fn plan(request: &Request<'_>, rule: Arc<Rule>) -> Plan {
    // RFC 9110 section 9.2.2; a body would have to be kept to be sent again.
    let idempotent = matches!(
        request.method,
        "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE"
    );
    Plan {
        rule,
        framing: request.framing,
        version: request.version,
        head_only: request.method == "HEAD",
        keep_alive: request.keep_alive,
        expects_continue: request.expect_continue,
        websocket: request
            .upgrade
            .map(|Upgrade::WebSocket(asked)| Accept::of(asked.key)),
        repeatable: idempotent && !has_body(request),
    }
}

/// The proof that a certificate authority asks for (RFC 8555 section 8.3); none where the request is another's.
fn proof(answers: &Answers, identity: &Identity, request: &Request<'_>) -> Option<Taken> {
    let asks = matches!(request.method, "GET" | "HEAD") && !identity.tls();
    if !asks || !request.target.path.starts_with(HTTP_PATH) {
        return None;
    }
    Some(Taken::Proof {
        text: answers.http(request.host?.host(), request.target.path)?,
        head_only: request.method == "HEAD",
        keep: request.keep_alive && !has_body(request),
    })
}

fn has_body(request: &Request<'_>) -> bool {
    !matches!(request.framing, Framing::None | Framing::Length(0))
}

fn tell(told: &mut Told, request: &Request<'_>) {
    told.host.clear();
    told.host
        .push_str(request.host.map_or("", |host| host.host()));
    told.asked.clear();
    told.asked.push_str(request.method);
    told.asked.push(' ');
    told.asked.push_str(request.target.path);
}
