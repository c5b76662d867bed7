//! RAS messages of H.225.0 that tell who wants to be registered where.

use super::per::{Bits, Choice};
use super::{Alias, First, Identifier, Kind, MAX_ALIASES, NotH323, Read, alias, skip};

const GATEKEEPER_REQUEST: u8 = 0;
const REGISTRATION_REQUEST: u8 = 3;
/// The addition of `RegistrationRequest` that holds the identifier of an earlier registration.
const ENDPOINT_IDENTIFIER: usize = 6;

/// The first messages of a client: a request to be registered, or to find out where; others may follow it in the same frame.
pub(super) fn first(messages: &[&[u8]]) -> Read<First> {
    let begins = messages.first().is_some_and(|message| is_request(message));
    let found = if begins { requests(messages)? } else { None };
    found.ok_or(NotH323::Unexpected)
}

/// What the messages of one frame ask for together; none if none of them asks to be registered.
pub(super) fn requests(messages: &[&[u8]]) -> Read<Option<First>> {
    let mut found = None;
    for bytes in messages {
        if let Some(request) = request(bytes)? {
            join(&mut found, request)?;
        }
    }
    Ok(found)
}

fn is_request(bytes: &[u8]) -> bool {
    let choice = Bits::new(bytes).choice(5);
    matches!(
        choice,
        Ok(Choice::Root(GATEKEEPER_REQUEST | REGISTRATION_REQUEST))
    )
}

/// One request, or nothing if it is another message.
fn request(bytes: &[u8]) -> Read<Option<First>> {
    let mut bits = Bits::new(bytes);
    match bits.choice(5)? {
        Choice::Root(GATEKEEPER_REQUEST) => gatekeeper_request(&mut bits).map(Some),
        Choice::Root(REGISTRATION_REQUEST) => registration_request(&mut bits).map(Some),
        Choice::Root(25..) => Err(NotH323::Malformed),
        _ => Ok(None),
    }
}

/// Adds what another request of the same frame says; a registration says more than a discovery.
fn join(first: &mut Option<First>, next: First) -> Read<()> {
    let Some(first) = first else {
        *first = Some(next);
        return Ok(());
    };
    match (&first.gatekeeper, next.gatekeeper) {
        (Some(one), Some(other)) if one.host() != other.host() => {
            return Err(NotH323::TwoGatekeepers);
        }
        (None, other) => first.gatekeeper = other,
        _ => {}
    }
    if next.kind == Kind::Registration {
        first.kind = next.kind;
    }
    for alias in next.aliases {
        if !first.aliases.contains(&alias) {
            first.aliases.push(alias);
        }
    }
    if first.aliases.len() > MAX_ALIASES {
        return Err(NotH323::TooMany);
    }
    first.endpoint = first.endpoint.take().or(next.endpoint);
    Ok(())
}

/// `GatekeeperRequest`.
fn gatekeeper_request(bits: &mut Bits<'_>) -> Read<First> {
    let [_extended, own, gatekeeper, services, aliases] = bits.flags()?;
    beginning(bits, own)?;
    skip::transport_address(bits)?;
    skip::endpoint_type(bits)?;
    let gatekeeper = identifier(bits, gatekeeper)?;
    if services {
        skip::call_services(bits)?;
    }
    let aliases = list(bits, aliases)?;
    Ok(First {
        kind: Kind::Discovery,
        gatekeeper,
        aliases,
        endpoint: None,
        len: 0,
    })
}

/// `RegistrationRequest`.
fn registration_request(bits: &mut Bits<'_>) -> Read<First> {
    let [extended, own, aliases, gatekeeper] = bits.flags()?;
    beginning(bits, own)?;
    let _discovery_complete = bits.bit()?;
    // Where it takes calls, and where RAS messages.
    bits.list(skip::transport_address)?;
    bits.list(skip::transport_address)?;
    skip::endpoint_type(bits)?;
    let aliases = list(bits, aliases)?;
    let gatekeeper = identifier(bits, gatekeeper)?;
    skip::vendor(bits)?;
    let additions = bits.additions(extended)?;
    let endpoint = additions.get(ENDPOINT_IDENTIFIER).copied().flatten();
    let endpoint = endpoint.map(|value| Identifier::read(&mut Bits::new(value)));
    Ok(First {
        kind: Kind::Registration,
        gatekeeper,
        aliases,
        endpoint: endpoint.transpose()?,
        len: 0,
    })
}

/// Sequence number and version, and what the manufacturer adds.
fn beginning(bits: &mut Bits<'_>, own: bool) -> Read<()> {
    bits.number16()?;
    skip::object_identifier(bits)?;
    if own {
        skip::non_standard(bits)?;
    }
    Ok(())
}

fn identifier(bits: &mut Bits<'_>, present: bool) -> Read<Option<Identifier>> {
    present.then(|| Identifier::read(bits)).transpose()
}

fn list(bits: &mut Bits<'_>, present: bool) -> Read<Vec<Alias>> {
    if present {
        alias::read_list(bits)
    } else {
        Ok(Vec::new())
    }
}
