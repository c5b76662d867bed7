//! H323-UserInformation: what call signalling carries (H.225.0 annex H), down to the tunnelled RAS messages.

use super::per::{Bits, Choice};
use super::{Alias, NotH323, Read, alias, generic, skip};

/// The body of a message that is sent for what stands beside it.
const EMPTY: u8 = 1;
/// The addition of H323-UU-PDU that carries generic data.
const GENERIC_DATA: usize = 8;

/// What it says.
pub(super) enum Content<'b> {
    /// Somebody calls.
    Setup {
        /// The caller.
        aliases: Vec<Alias>,
        /// Who is called.
        destinations: Vec<Alias>,
    },
    /// RAS messages, at least one (H.460.17).
    Ras(Vec<&'b [u8]>),
}

/// Reads H323-UserInformation as far as it matters.
pub(super) fn read(bytes: &[u8]) -> Read<Content<'_>> {
    let mut bits = Bits::new(bytes);
    let [_extended, _user_data] = bits.flags()?;
    let [extended, own] = bits.flags()?;
    match bits.choice(3)? {
        Choice::Root(0) => return setup(&mut bits),
        Choice::Root(4) => information(&mut bits)?,
        Choice::Root(6) => facility(&mut bits)?,
        Choice::Added(EMPTY, _) => {}
        // What belongs to a call.
        Choice::Root(_) | Choice::Added(..) => return Err(NotH323::Unexpected),
    }
    if own {
        skip::non_standard(&mut bits)?;
    }
    let additions = bits.additions(extended)?;
    let generic = additions.get(GENERIC_DATA).copied().flatten();
    let messages = generic.map_or(Ok(Vec::new()), generic::ras_messages)?;
    if messages.is_empty() {
        return Err(NotH323::Unexpected);
    }
    Ok(Content::Ras(messages))
}

/// Setup-UUIE up to whom it calls.
fn setup<'b>(bits: &mut Bits<'_>) -> Read<Content<'b>> {
    let [_extended, h245, source, destination] = bits.flags()?;
    let [_signal_address, _extra, _extra_reference, _services]: [bool; 4] = bits.flags()?;
    skip::object_identifier(bits)?;
    if h245 {
        skip::transport_address(bits)?;
    }
    let aliases = aliases(bits, source)?;
    skip::endpoint_type(bits)?;
    let destinations = self::aliases(bits, destination)?;
    Ok(Content::Setup {
        aliases,
        destinations,
    })
}

/// Information-UUIE.
fn information(bits: &mut Bits<'_>) -> Read<()> {
    let extended = bits.bit()?;
    skip::object_identifier(bits)?;
    skip::additions(bits, extended)
}

/// Facility-UUIE.
fn facility(bits: &mut Bits<'_>) -> Read<()> {
    let [extended, address, names, conference] = bits.flags()?;
    skip::object_identifier(bits)?;
    if address {
        skip::transport_address(bits)?;
    }
    aliases(bits, names)?;
    if conference {
        bits.octets(16)?;
    }
    // FacilityReason: each alternative is without content.
    bits.choice(2)?;
    skip::additions(bits, extended)
}

fn aliases(bits: &mut Bits<'_>, present: bool) -> Read<Vec<Alias>> {
    if present {
        alias::read_list(bits)
    } else {
        Ok(Vec::new())
    }
}
