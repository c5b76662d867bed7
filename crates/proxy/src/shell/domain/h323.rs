//! H.323: the gatekeeper identifier of the first registration names the host (docs/protocols/h323.md).

use super::caller::{Caller, Reached, Screens, shown};
use super::claim::Claim;
use crate::core::{Reason, compared};
use crate::shell::lane::{Look, Screen};
use config::Protocol;
use proto::h323::{Alias, First, Kind, NotH323, later, recognise};
use tokio::time::{Duration, Instant};

/// How long a discovery that does not say who asks waits for the registration, which does. Most clients send it only after an answer.
const SHORTLY: Duration = Duration::from_millis(500);

/// Serves a client to its end.
pub(super) async fn serve(mut caller: Caller) {
    let outcome = match first(&mut caller).await {
        Ok(Some(claim)) => caller.reach(claim).await,
        Ok(None) => return,
        Err(reason) => Err(reason.into()),
    };
    match outcome {
        Ok(reached) => {
            let screens = screens(&reached);
            caller.tunnel(reached, screens).await;
        }
        Err(rejected) => caller.rejected(&rejected, None),
    }
}

/// Reads until it is known whom the client wants; none if it leaves before it has said anything.
async fn first(caller: &mut Caller) -> Result<Option<Claim>, Reason> {
    let first = loop {
        match recognise(caller.buffer.filled()).map_err(unreadable)? {
            Some(first) => break first,
            None => match caller.read().await {
                Ok(true) => {}
                Ok(false) | Err(_) if caller.buffer.is_empty() => return Ok(None),
                Ok(false) => return Err(Reason::ClientGone),
                Err(late) => return Err(late),
            },
        }
    };
    let claim = claim(caller, &first);
    let is_open = first.kind == Kind::Discovery && first.aliases.is_empty();
    if is_open && !claim.chain.is_empty() {
        return named(caller, claim, first.len).await.map(Some);
    }
    Ok(Some(claim))
}

/// Waits for the registration behind a discovery; one for another host is refused.
async fn named(caller: &mut Caller, claim: Claim, len: usize) -> Result<Claim, Reason> {
    let until = std::mem::replace(&mut caller.until, Instant::now() + SHORTLY);
    let next = loop {
        let rest = caller.buffer.filled().get(len..).unwrap_or_default();
        match recognise(rest).map_err(unreadable)? {
            Some(next) => break Some(next),
            None => match caller.read().await {
                Ok(true) => {}
                Ok(false) | Err(_) => break None,
            },
        }
    };
    caller.until = until;
    let Some(next) = next else {
        return Ok(claim);
    };
    let next = self::claim(caller, &next);
    match next.domain {
        Some(other) if claim.domain.as_ref() != Some(&other) => Err(Reason::DomainChanged(other)),
        _ => Ok(Claim {
            domain: claim.domain,
            ..next
        }),
    }
}

/// What a message says, which is told from now on.
fn claim(caller: &mut Caller, first: &First) -> Claim {
    let of = |aliases: &[Alias]| {
        let texts = aliases.iter().filter_map(Alias::text);
        texts.collect::<Vec<_>>().join(", ")
    };
    let gatekeeper = first.gatekeeper.as_ref();
    let host = gatekeeper.map(proto::h323::Identifier::host);
    let asked = gatekeeper.map_or("nobody", |gatekeeper| gatekeeper.as_str());
    let (verb, called) = match &first.kind {
        Kind::Registration => ("RRQ", None),
        Kind::Discovery => ("GRQ", None),
        Kind::Setup { destinations } => ("SETUP", Some(destinations)),
    };
    caller.told.asked = shown(&match called {
        Some(destinations) => format!("SETUP {}", of(destinations)),
        None if first.aliases.is_empty() => format!("{verb} {asked}"),
        None => format!("{verb} {asked} as {}", of(&first.aliases)),
    });
    let called = called.and_then(|destinations| {
        let mut texts = destinations.iter().filter_map(Alias::text);
        texts.find_map(domain_of)
    });
    let domain = match &first.kind {
        Kind::Setup { .. } => called,
        _ => host.as_deref(),
    };
    Claim {
        names: names(&first.aliases),
        unregistered: matches!(first.kind, Kind::Setup { .. }),
        ..caller.claims(domain.filter(|domain| !domain.is_empty()))
    }
}

/// The domain of `name@domain` or `h323:name@domain`.
fn domain_of(text: &str) -> Option<&str> {
    let (_, host) = text.rsplit_once('@')?;
    let end = host.find([';', '?', ':']).unwrap_or(host.len());
    host.get(..end)
}

fn names(aliases: &[Alias]) -> Vec<Option<Box<str>>> {
    let texts = aliases.iter().map(|alias| alias.text().map(Box::from));
    texts.collect()
}

fn screens(reached: &Reached) -> Screens {
    let up = reached.proof.given().map(|name| {
        Box::new(Proven {
            name: name.into(),
            domain: reached.domain.as_ref().into(),
        }) as Box<dyn Screen>
    });
    Screens {
        up,
        ..Screens::default()
    }
}

/// Sees to it that who was let in by certificate registers nobody else on the same connection.
struct Proven {
    name: Box<str>,
    domain: Box<str>,
}

impl Screen for Proven {
    fn look(&mut self, read: &[u8], _: &mut Vec<u8>) -> Result<Look, Reason> {
        let Some(later) = later(read).map_err(unreadable)? else {
            return Ok(Look::More);
        };
        let is_other = |alias: &&Alias| {
            let text = alias.text();
            !text.is_some_and(|text| text.eq_ignore_ascii_case(&self.name))
        };
        // A number of his own is no name of another.
        let mut callers = later.caller.iter();
        let caller = callers.find(|alias| !matches!(alias, Alias::Digits(_)) && is_other(alias));
        if let Some(other) = caller {
            return Err(claims(other));
        }
        if let Some(request) = &later.request {
            let is_new = request.endpoint.is_none() && request.kind == Kind::Registration;
            if is_new && request.gatekeeper.is_none() {
                return Err(Reason::DomainMissing(Protocol::H323));
            }
            let gatekeeper = request.gatekeeper.as_ref();
            let host = gatekeeper.map(proto::h323::Identifier::host);
            if let Some(other) = host.filter(|host| compared(host) != *self.domain) {
                return Err(Reason::DomainChanged(other.into()));
            }
            if let Some(other) = request.aliases.iter().find(is_other) {
                return Err(claims(other));
            }
        }
        Ok(Look::Pass(later.len))
    }
}

/// Somebody else is claimed.
fn claims(other: &Alias) -> Reason {
    let other = other.text().unwrap_or("a name of unknown kind");
    Reason::NameChanged(shown(other).into())
}

fn unreadable(fault: NotH323) -> Reason {
    Reason::Unreadable(Protocol::H323, fault.to_string().into())
}
