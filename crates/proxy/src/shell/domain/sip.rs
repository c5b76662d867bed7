//! SIP over TCP and TLS: From of the first REGISTER or INVITE names the host (docs/protocols/sip.md).

mod screen;
mod sides;

use super::caller::{Caller, Screens, shown};
use super::claim::{Claim, Rejected};
use crate::core::{Reason, compared};
use config::Protocol;
use screen::{Call, Down, Up};
use service::Blame;
use sip::address::Address;
use sip::answer::{Answer, PONG};
use sip::attack_tool::is_attack_tool;
use sip::message::{Header, Item, KeepAlive, Limits, Message, next};
use std::borrow::Cow;
use std::rc::Rc;

/// Requests that we answer, and line ends that we take, before a client says whom it wants.
const MOST_BEFORE: u32 = 32;

/// Serves a client to its end.
pub(super) async fn serve(mut caller: Caller) {
    let rejected = match first(&mut caller).await {
        Ok(Some(claim)) => match caller.reach(claim).await {
            Ok(reached) => {
                let call = Rc::new(Call::new(&caller, &reached));
                let screens = Screens {
                    accepted: Some(call.accepted()),
                    up: Some(Box::new(Up::new(Rc::clone(&call)))),
                    down: Some(Box::new(Down::new(call))),
                };
                return caller.tunnel(reached, screens).await;
            }
            Err(rejected) => rejected,
        },
        Ok(None) => return,
        Err(reason) => reason.into(),
    };
    refuse(&mut caller, &rejected).await;
}

/// What becomes of something that a client sends before it says whom it wants.
enum Before {
    /// So much of it is done, and this is to be said.
    Done(usize, Vec<u8>),
    /// It says whom it wants.
    Wants(Box<Claim>),
    /// More of it is needed.
    More,
}

/// Reads until it is known whom the client wants; none if it leaves, or stays silent, without having done harm.
async fn first(caller: &mut Caller) -> Result<Option<Claim>, Reason> {
    let (mut done, mut line_ends) = (0, 0);
    loop {
        let before = look(caller, &mut line_ends)?;
        match before {
            Before::Wants(claim) => return Ok(Some(*claim)),
            Before::Done(count, answer) => {
                caller.buffer.consume(count);
                done += 1;
                if done > MOST_BEFORE {
                    return Err(Reason::FirstLate);
                }
                if !answer.is_empty() && !caller.say(&answer).await {
                    return Ok(None);
                }
            }
            Before::More => match caller.read().await {
                Ok(true) => {}
                // Whoever only looks whether we are there has seen it.
                Ok(false) | Err(_) if caller.buffer.is_empty() => return Ok(None),
                Ok(false) => return Err(Reason::ClientGone),
                Err(late) => return Err(late),
            },
        }
    }
}

fn look(caller: &mut Caller, line_ends: &mut u32) -> Result<Before, Reason> {
    let item = next(caller.buffer.filled(), &Limits::FIRST);
    let Some(item) = item.map_err(|fault| unreadable(&fault))? else {
        return Ok(Before::More);
    };
    let length = item.length();
    let message = match item {
        Item::KeepAlive(kind) => {
            *line_ends += if kind == KeepAlive::Two { 2 } else { 1 };
            // The halves of a ping may come one by one.
            let is_ping = line_ends.is_multiple_of(2);
            let answer = if is_ping { PONG.to_vec() } else { Vec::new() };
            return Ok(Before::Done(length, answer));
        }
        Item::Message(message) => message,
    };
    *line_ends = 0;
    let (asked, claim) = match message.method() {
        Some(method @ ("REGISTER" | "INVITE")) => {
            let (asked, claim) = claim(caller, method, &message)?;
            (asked, Ok(Before::Wants(Box::new(claim))))
        }
        Some("OPTIONS") => (
            "OPTIONS".to_owned(),
            Ok(Before::Done(length, answer(caller, &message, 200)?)),
        ),
        Some(method) => (method.to_owned(), Err(Reason::Unregistered(method.into()))),
        None => (
            "response".to_owned(),
            Err(Reason::Unregistered("a response".into())),
        ),
    };
    let outcome = if is_attack_tool(&message) {
        Err(Reason::AttackTool)
    } else {
        claim
    };
    caller.told.asked = asked;
    outcome
}

/// What a REGISTER or INVITE says, and how it is told.
fn claim(caller: &Caller, method: &str, message: &Message<'_>) -> Result<(String, Claim), Reason> {
    let from = message.from().map_err(|fault| unreadable(&fault))?;
    let domain = from.uri.domain();
    let user = from.uri.user();
    let mut names = vec![user.as_deref().map(Box::from)];
    let asked = format!(
        "{method} {}@{}",
        user.as_deref().map(shown).unwrap_or_default(),
        domain.as_deref().unwrap_or("nowhere")
    );
    if method == "REGISTER" {
        // Who registers may be another than who is registered.
        let to = message.to().map_err(|fault| unreadable(&fault))?;
        let is_same = names_same(
            &domain.clone().unwrap_or_default(),
            &to.uri.domain().unwrap_or_default(),
        );
        let user = to.uri.user().filter(|_| is_same);
        names.push(user.as_deref().map(Box::from));
    }
    names.extend(asserted(message).map(|user| user.map(Into::into)));
    let claim = Claim {
        names,
        ..caller.claims(domain.as_deref())
    };
    Ok((asked, claim))
}

/// Whether To of a registration names the domain that From names; some name the location in From alone.
fn names_same(from: &str, to: &str) -> bool {
    let (from, to) = (compared(from), compared(to));
    to == from || Some(to.as_str()) == from.split('/').next()
}

/// The users that a request claims to be beside From (RFC 3325, RFC 5876, and what came before them); none of one that is not an address alone.
fn asserted(message: &Message<'_>) -> impl Iterator<Item = Option<String>> {
    let claims = |header: &Header<'_>| ASSERTING.iter().any(|name| header.is(name));
    let headers = message.headers().filter(claims);
    headers.map(|header| {
        let address = Address::parse(header.value()).ok()?;
        address.uri.user().map(Cow::into_owned)
    })
}

/// The headers that say who somebody is.
const ASSERTING: [&str; 3] = [
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Remote-Party-ID",
];

fn answer(caller: &Caller, request: &Message<'_>, status: u16) -> Result<Vec<u8>, Reason> {
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| Reason::NoRoom("".into(), "no random bytes".into()))?;
    let tag = format!("{:016x}", u64::from_ne_bytes(random));
    let answer = Answer {
        status,
        tag: &tag,
        headers: &[],
        client: caller.identity.client(),
    };
    let mut out = Vec::new();
    answer.write(request, &mut out);
    Ok(out)
}

/// Tells a client that it is refused, unless that would only help it, and all who want to know.
async fn refuse(caller: &mut Caller, rejected: &Rejected) {
    let status = match (&rejected.reason, rejected.reason.blame()) {
        (
            Reason::AttackTool
            | Reason::Banned
            | Reason::Unreadable(..)
            | Reason::ClientGone
            | Reason::FirstLate,
            _,
        ) => None,
        (_, Blame::Upstream | Blame::Us) => Some(503),
        _ => Some(403),
    };
    let told = status.and_then(
        |status| match next(caller.buffer.filled(), &Limits::FIRST) {
            Ok(Some(Item::Message(request))) => answer(caller, &request, status).ok(),
            _ => None,
        },
    );
    let told = told.filter(|told| !told.is_empty());
    caller.rejected(rejected, status.filter(|_| told.is_some()));
    if let Some(told) = told
        && caller.say(&told).await
    {
        caller.part().await;
    }
}

fn unreadable(fault: &dyn std::fmt::Display) -> Reason {
    Reason::Unreadable(Protocol::Sip, fault.to_string().into())
}
