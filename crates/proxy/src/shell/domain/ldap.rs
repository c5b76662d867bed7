//! LDAP: the domain of the user who binds names the host. StartTLS is ours to answer; who says nothing of a domain goes where the TLS server
//! name or the file says, or is told that he has to bind.

mod screen;

use super::caller::{Caller, Reached, Screens, shown};
use super::claim::{Claim, Rejected};
use crate::core::{Reason, Wanted};
use crate::shell::buffer::Buffer;
use crate::shell::hello::{self, Greeted};
use config::Protocol;
use proto::ldap::{
    Asks, Bind, BindName, LONGEST, Malformed, Request, ResultCode, disconnection, request,
};
use screen::{Down, Talk, Up};
use service::Blame;
use std::rc::Rc;

/// How many requests of a client are answered by us before it says whom it wants.
const MOST_ANSWERED: u32 = 16;

/// Serves a client to its end.
pub(super) async fn serve(mut caller: Caller) {
    loop {
        let rejected = match first(&mut caller).await {
            Ok(First::Wants(claim)) => match caller.reach(claim).await {
                Ok(reached) => {
                    let screens = screens(&caller, &reached);
                    return caller.tunnel(reached, screens).await;
                }
                Err(rejected) => rejected,
            },
            Ok(First::Secured) => {
                caller = match start_tls(caller).await {
                    Some(caller) => caller,
                    None => return,
                };
                continue;
            }
            Ok(First::Left) => return,
            Err(reason) => reason.into(),
        };
        return refuse(&mut caller, &rejected).await;
    }
}

/// What a client began with.
enum First {
    /// It says whom it wants.
    Wants(Claim),
    /// It wants to go on over TLS, and was told that it can.
    Secured,
    /// It is gone, and no harm done.
    Left,
}

async fn first(caller: &mut Caller) -> Result<First, Reason> {
    let mut answered = 0;
    loop {
        let Some(request) = next(caller.buffer.filled())? else {
            match caller.read().await {
                Ok(true) => continue,
                Ok(false) | Err(_) if answered > 0 => {
                    return Err(Reason::DomainMissing(Protocol::Ldap));
                }
                Ok(false) | Err(_) if caller.buffer.is_empty() => return Ok(First::Left),
                Ok(false) => return Err(Reason::ClientGone),
                Err(late) => return Err(late),
            }
        };
        caller.told.asked = shown(&told(&request.asks));
        let domain = match &request.asks {
            Asks::Unbind if answered > 0 => return Err(Reason::DomainMissing(Protocol::Ldap)),
            Asks::Unbind => return Ok(First::Left),
            Asks::StartTls => {
                may_secure(caller, &request)?;
                answer(caller, &request, ResultCode::Success, "").await?;
                return Ok(First::Secured);
            }
            asks => domain(asks),
        };
        let claim = caller.claims(domain.as_deref());
        if domain.is_some() || leads_somewhere(caller, &claim) {
            return Ok(First::Wants(claim));
        }
        answered += 1;
        if answered > MOST_ANSWERED {
            return Err(Reason::DomainMissing(Protocol::Ldap));
        }
        let (code, text) = missing(&request.asks);
        answer(caller, &request, code, text).await?;
    }
}

/// The first whole request, of what is looked into, or the begin of another.
fn next(bytes: &[u8]) -> Result<Option<Request>, Reason> {
    match request(bytes) {
        Ok(Some(request)) if request.len > LONGEST => Err(unreadable(Malformed::Long)),
        Ok(request) => Ok(request),
        Err(fault) => Err(unreadable(fault)),
    }
}

/// Whether TLS can begin behind a request for it.
fn may_secure(caller: &Caller, request: &Request) -> Result<(), Reason> {
    if caller.identity.tls() {
        return Err(Reason::StartTls("the connection is over TLS"));
    }
    if caller.buffer.len() > request.len {
        return Err(Reason::StartTls("more was sent before the answer"));
    }
    Ok(())
}

/// Answers a request that is whole, or is left out as a whole.
async fn answer(
    caller: &mut Caller,
    request: &Request,
    code: ResultCode,
    text: &str,
) -> Result<(), Reason> {
    let mut left = request.len;
    loop {
        let here = left.min(caller.buffer.len());
        caller.buffer.consume(here);
        left -= here;
        if left == 0 {
            break;
        }
        if !caller.read().await? {
            return Err(Reason::ClientGone);
        }
    }
    match request.result(code, text) {
        Some(answer) if !caller.say(&answer).await => Err(Reason::ClientGone),
        _ => Ok(()),
    }
}

/// Goes on over TLS; where that fails, all is told.
async fn start_tls(mut caller: Caller) -> Option<Caller> {
    let identity = Rc::new(caller.identity.secured());
    let stream = caller.stream;
    let greeting = hello::greet(
        &caller.worker,
        stream,
        Buffer::default(),
        &identity,
        caller.until,
    );
    let Greeted::Spoken(stream, server_name, _) = Box::pin(greeting).await? else {
        return None;
    };
    caller.stream = stream;
    caller.server_name = server_name;
    caller.identity = identity;
    Some(caller)
}

/// The domain that a bind names.
fn domain(asks: &Asks) -> Option<String> {
    let Asks::Bind(
        Bind::Simple(name)
        | Bind::Unauthenticated(name)
        | Bind::Sasl {
            name: Some(name), ..
        },
    ) = asks
    else {
        return None;
    };
    name.domain.clone()
}

/// Whether somebody takes clients that name no domain.
fn leads_somewhere(caller: &Caller, claim: &Claim) -> bool {
    let current = caller.worker.current();
    let wanted = Wanted {
        protocol: Protocol::Ldap,
        domain: None,
        server_name: claim.server_name.as_deref(),
    };
    current.live.routes.domains().find(&wanted).is_ok()
}

/// What a client is told that has to say a domain first (RFC 4511 appendix A.2).
fn missing(asks: &Asks) -> (ResultCode, &'static str) {
    match asks {
        Asks::Bind(Bind::Anonymous) => (
            ResultCode::InappropriateAuthentication,
            "bind as a user of a domain",
        ),
        Asks::Bind(Bind::Sasl { .. } | Bind::Unknown) => (
            ResultCode::AuthMethodNotSupported,
            "bind by name and password, as a user of a domain",
        ),
        Asks::Bind(Bind::Simple(_) | Bind::Unauthenticated(_)) => {
            (ResultCode::InvalidCredentials, "bind as a user of a domain")
        }
        Asks::Extended => (ResultCode::ProtocolError, "not known here"),
        _ => (ResultCode::StrongerAuthRequired, "bind first"),
    }
}

/// As the log tells it.
fn told(asks: &Asks) -> String {
    let text = |name: &BindName| name.text.clone();
    match asks {
        Asks::Bind(Bind::Anonymous) => "anonymous bind".to_owned(),
        Asks::Bind(Bind::Simple(name) | Bind::Unauthenticated(name)) => {
            format!("bind {}", text(name))
        }
        Asks::Bind(Bind::Sasl { mechanism, name }) => {
            let name = name.as_ref().map(text).unwrap_or_default();
            format!("bind by {mechanism} {name}").trim_end().to_owned()
        }
        Asks::Bind(Bind::Unknown) => "bind of unknown kind".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Tells a client why nothing comes of it (RFC 4511 section 4.4.1), and all who want to know.
async fn refuse(caller: &mut Caller, rejected: &Rejected) {
    caller.rejected(rejected, None);
    let code = match (&rejected.reason, rejected.reason.blame()) {
        (Reason::ClientGone | Reason::FirstLate | Reason::Banned, _) => return,
        (_, Blame::Upstream | Blame::Us) => ResultCode::Unavailable,
        (Reason::Unreadable(..) | Reason::StartTls(_), _) => ResultCode::ProtocolError,
        _ => ResultCode::UnwillingToPerform,
    };
    let bound = match next(caller.buffer.filled()) {
        Ok(Some(request)) if matches!(request.asks, Asks::Bind(_)) => Some(request),
        _ => None,
    };
    let text = match code {
        ResultCode::Unavailable => "the directory can not be reached",
        _ => "refused",
    };
    // Who waits for the answer to a bind understands that best; a name that nobody knows is no other than a wrong one.
    let told = match bound.and_then(|bind| {
        let code = match code {
            ResultCode::UnwillingToPerform => ResultCode::InvalidCredentials,
            other => other,
        };
        bind.result(code, text)
    }) {
        Some(answer) => answer,
        None => disconnection(code, text),
    };
    if caller.say(&told).await {
        caller.part().await;
    }
}

fn screens(caller: &Caller, reached: &Reached) -> Screens {
    let talk = Rc::new(Talk::new(caller, reached));
    Screens {
        up: Some(Box::new(Up::new(Rc::clone(&talk)))),
        down: Some(Box::new(Down::new(Rc::clone(&talk)))),
        accepted: Some(talk.accepted()),
    }
}

fn unreadable(fault: Malformed) -> Reason {
    Reason::Unreadable(Protocol::Ldap, fault.to_string().into())
}
