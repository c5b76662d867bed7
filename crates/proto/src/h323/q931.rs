//! A Q.931 message as H.225.0 section 7 uses it: its type, and the elements that say something to us.

use super::{NotH323, Read};

/// The protocol discriminator, the first byte of a message.
pub(super) const Q931: u8 = 0x08;
/// The type of the message that begins a call.
pub(super) const SETUP: u8 = 0x05;
/// The types of the messages that carry RAS.
pub(super) const CARRIERS: [u8; 2] = [FACILITY, INFORMATION];

const FACILITY: u8 = 0x62;
const INFORMATION: u8 = 0x7b;

const CALLED_PARTY_NUMBER: u8 = 0x70;
const USER_USER: u8 = 0x7e;
/// What follows is coded in PER (H.225.0 section 7.2.2.31).
const X208: u8 = 0x05;

/// What of a message is looked at.
pub(super) struct Message<'b> {
    /// Its type.
    pub(super) kind: u8,
    /// The called party number with what stands before its digits.
    pub(super) called: Option<&'b [u8]>,
    /// The H323-UserInformation.
    pub(super) user_information: &'b [u8],
}

/// Takes a whole message apart.
pub(super) fn message(bytes: &[u8]) -> Read<Message<'_>> {
    let (kind, mut rest) = kind(bytes)?;
    let (mut called, mut user_user) = (None, None);
    while !rest.is_empty() {
        let (element, content) = element(&mut rest)?;
        let slot = match element {
            CALLED_PARTY_NUMBER => &mut called,
            USER_USER => &mut user_user,
            _ => continue,
        };
        // Of two, nobody knows which one the gatekeeper takes.
        if slot.replace(content).is_some() {
            return Err(NotH323::Malformed);
        }
    }
    let user_user = user_user.ok_or(NotH323::Unexpected)?;
    let [X208, user_information @ ..] = user_user else {
        return Err(NotH323::Malformed);
    };
    Ok(Message {
        kind,
        called,
        user_information,
    })
}

/// The type of a message, and its elements.
pub(super) fn kind(bytes: &[u8]) -> Read<(u8, &[u8])> {
    let mut rest = bytes;
    if take(&mut rest, 1)? != [Q931] {
        return Err(NotH323::NotQ931);
    }
    let reference = byte(&mut rest)?;
    // The length has four bits; no interface has a reference longer than that of H.225.0.
    if reference > 2 {
        return Err(NotH323::Malformed);
    }
    take(&mut rest, usize::from(reference))?;
    Ok((byte(&mut rest)?, rest))
}

/// An information element (Q.931 section 4.5) and its content.
fn element<'b>(rest: &mut &'b [u8]) -> Read<(u8, &'b [u8])> {
    let element = byte(rest)?;
    let len = match element {
        // A shift: what follows would have another meaning.
        0x90..=0x9f => return Err(NotH323::Malformed),
        0x80.. => 0,
        USER_USER => usize::from(byte(rest)?) << 8 | usize::from(byte(rest)?),
        _ => usize::from(byte(rest)?),
    };
    Ok((element, take(rest, len)?))
}

fn byte(rest: &mut &[u8]) -> Read<u8> {
    let taken = take(rest, 1)?.first();
    taken.copied().ok_or(NotH323::Malformed)
}

fn take<'b>(rest: &mut &'b [u8], len: usize) -> Read<&'b [u8]> {
    let (taken, behind) = rest.split_at_checked(len).ok_or(NotH323::Malformed)?;
    *rest = behind;
    Ok(taken)
}
