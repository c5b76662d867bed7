//! Generic data of H.225.0, the envelope of every extension since version 4, and in it the RAS messages of H.460.17.

use super::per::{Bits, Choice};
use super::{NotH323, Read, alias, skip};

/// The number of H.460.17 among the extensions.
const H460_17: Id = Id::Standard(17);
/// Its parameter that holds one RAS message.
const RAS_MESSAGE: Id = Id::Standard(1);
/// The most levels of extensions within extensions.
const MAX_DEPTH: u8 = 4;
/// The most RAS messages of a frame.
const MAX_MESSAGES: usize = 64;

/// What an extension or a parameter is called (`GenericIdentifier`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    Standard(u16),
    Other,
}

/// Whether some bytes of a message could be the begin of H.460.17 in a list of generic data, wherever that stands: its flags, a standard
/// identifier, and the number 17 in each of the two ways to write it.
pub(super) fn may_hold_ras(message: &[u8]) -> bool {
    let begins = |flags: u8, form: u8| flags & 0x7c == form;
    message.windows(3).any(|three| match *three {
        [flags, 0, 17] => begins(flags, 0x40),
        [flags, 1, 17] => begins(flags, 0x44),
        _ => false,
    })
}

/// The RAS messages in the list of generic data that `bytes` holds, in their order.
pub(super) fn ras_messages(bytes: &[u8]) -> Read<Vec<&[u8]>> {
    let mut messages = Vec::new();
    Bits::new(bytes).list(|bits| generic_data(bits, 0, &mut messages))?;
    Ok(messages)
}

/// `GenericData`; RAS messages are looked for on the top level only.
fn generic_data<'b>(bits: &mut Bits<'b>, depth: u8, messages: &mut Vec<&'b [u8]>) -> Read<()> {
    let [extended, has_parameters] = bits.flags()?;
    let id = identifier(bits)?;
    if has_parameters {
        parameters(bits, depth, |name, raw| {
            if depth > 0 || id != H460_17 || name != RAS_MESSAGE {
                return Ok(());
            }
            if messages.len() == MAX_MESSAGES {
                return Err(NotH323::TooMany);
            }
            messages.push(raw);
            Ok(())
        })?;
    }
    skip::additions(bits, extended)
}

/// One to 512 of `EnumeratedParameter`; tells of those that are raw octets.
fn parameters<'b>(
    bits: &mut Bits<'b>,
    depth: u8,
    mut found: impl FnMut(Id, &'b [u8]) -> Read<()>,
) -> Read<()> {
    let count = bits.number16()?;
    for _ in 0..=count {
        let [extended, has_content] = bits.flags()?;
        let id = identifier(bits)?;
        if has_content && let Some(raw) = content(bits, depth)? {
            found(id, raw)?;
        }
        skip::additions(bits, extended)?;
    }
    Ok(())
}

/// Content; its octets if it is raw.
fn content<'b>(bits: &mut Bits<'b>, depth: u8) -> Read<Option<&'b [u8]>> {
    let Choice::Root(alternative) = bits.choice(4)? else {
        return Ok(None);
    };
    match alternative {
        0 => return bits.vector().map(Some),
        // text
        1 => drop(bits.vector()?),
        // unicode
        2 => {
            let count = bits.length()?;
            bits.octets(2 * count)?;
        }
        3 => drop(bits.bit()?),
        4 => drop(bits.octet()?),
        5 => drop(bits.number16()?),
        // number32: as many octets as it takes
        6 => {
            let count = usize::from(bits.bits(2)?) + 1;
            bits.octets(count)?;
        }
        7 => drop(identifier(bits)?),
        8 => drop(alias::read(bits)?),
        9 => skip::transport_address(bits)?,
        10 | 11 if depth == MAX_DEPTH => return Err(NotH323::Malformed),
        // compound
        10 => parameters(bits, depth + 1, |_, _| Ok(()))?,
        // nested
        11 => {
            let count = bits.bits(4)?;
            for _ in 0..=count {
                generic_data(bits, depth + 1, &mut Vec::new())?;
            }
        }
        _ => return Err(NotH323::Malformed),
    }
    Ok(None)
}

/// `GenericIdentifier`.
fn identifier(bits: &mut Bits<'_>) -> Read<Id> {
    match bits.choice(2)? {
        Choice::Root(0) => {
            let large = bits.bit()?;
            if !large {
                return bits.number16().map(Id::Standard);
            }
            // Nobody has to write a small number so, but who reads it takes it for the same.
            let digits = bits.vector()?.iter().skip_while(|digit| **digit == 0);
            let mut digits = digits.copied();
            match (digits.next(), digits.next(), digits.next()) {
                (Some(one), None, None) => return Ok(Id::Standard(one.into())),
                (Some(one), Some(two), None) => {
                    return Ok(Id::Standard(u16::from_be_bytes([one, two])));
                }
                _ => {}
            }
        }
        Choice::Root(1) => skip::object_identifier(bits)?,
        Choice::Root(2) => drop(bits.octets(16)?),
        Choice::Root(_) => return Err(NotH323::Malformed),
        Choice::Added(..) => {}
    }
    Ok(Id::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_from_the_top_level_only() {
        let bytes = [
            &[1, 0x40, 0, 17, 0, 1][..],
            // Parameter 2 nests another one of the same name, whose parameter 1 is raw.
            &[0x40, 0, 2, 0x58, 0x20, 0, 17, 0, 0, 0x40, 0, 1, 0, 1, 0xaa],
            // Parameter 1.
            &[0x40, 0, 1, 0, 1, 0xbb],
        ];
        assert_eq!(ras_messages(&bytes.concat()), Ok(vec![&[0xbb][..]]));
        // The number of the extension in its long form.
        let long = [1, 0x44, 1, 17, 0, 0, 0x40, 0, 1, 0, 1, 0xbb];
        assert_eq!(ras_messages(&long), Ok(vec![&[0xbb][..]]));
        assert!(may_hold_ras(&long) && may_hold_ras(&bytes.concat()));
        assert!(!may_hold_ras(&[1, 0x40, 0, 18, 0x48, 0, 17, 0x44, 1, 18]));
        // Of another extension.
        let other = [1, 0x40, 0, 18, 0, 0, 0x40, 0, 1, 0, 1, 0xbb];
        assert_eq!(ras_messages(&other), Ok(Vec::new()));
    }

    #[test]
    fn levels_and_messages_are_limited() {
        let nested = |levels| {
            let level = [0x40, 0, 2, 0x58, 0x20, 0, 17, 0, 0];
            let raw = [0x40, 0, 1, 0, 1, 0xaa];
            [&[1, 0x40, 0, 17, 0, 0][..], &level.repeat(levels), &raw].concat()
        };
        assert_eq!(ras_messages(&nested(4)), Ok(Vec::new()));
        assert_eq!(ras_messages(&nested(5)), Err(NotH323::Malformed));
        let many = |count: u8| {
            let raw = [0x40, 0, 1, 0, 1, 0xaa].repeat(count.into());
            [&[1, 0x40, 0, 17, 0, count - 1][..], &raw].concat()
        };
        assert_eq!(ras_messages(&many(64)).map(|found| found.len()), Ok(64));
        assert_eq!(ras_messages(&many(65)), Err(NotH323::TooMany));
    }
}
