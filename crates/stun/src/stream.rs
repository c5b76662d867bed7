//! Messages and `ChannelData` on a stream (RFC 8489 section 6.2.2, RFC 8656 section 12.5): one behind the other.

use thiserror::Error;

use crate::channel_data;
use crate::message::{COOKIE, HEADER};

/// The most bytes that anything on a stream can have.
pub const LONGEST: usize = HEADER + 0xffff;

/// What stands at the beginning of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Not all of it is there.
    NeedMore {
        /// How many bytes there have to be before it is worth to look again.
        until: usize,
    },
    /// A message.
    Message {
        /// How many bytes it takes.
        length: usize,
    },
    /// `ChannelData`.
    ChannelData {
        /// How many bytes it takes without padding.
        length: usize,
        /// How many it takes with it.
        padded: usize,
    },
}

/// Nothing that may stand on this stream: the client is to blame, and the connection is ended, since nobody knows where the
/// next message begins.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Reject {
    /// It begins like nothing we know.
    #[error("neither a STUN message nor channel data")]
    Unknown,
    /// More bytes than allowed.
    #[error("longer than allowed")]
    TooLong,
}

/// Looks at the beginning of what has come; at most `longest` bytes may be one message, padding included.
///
/// # Errors
/// The client's, as soon as it is sure.
pub fn next(bytes: &[u8], longest: usize) -> Result<Next, Reject> {
    let Some(&first) = bytes.first() else {
        return Ok(Next::NeedMore {
            until: channel_data::HEADER,
        });
    };
    let is_message = first >> 6 == 0;
    if !is_message && !(0x40..=0x4f).contains(&first) {
        return Err(Reject::Unknown);
    }
    let Some(head) = bytes.first_chunk::<4>() else {
        let until = channel_data::HEADER;
        return Ok(Next::NeedMore { until });
    };
    let told = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let length = if is_message {
        HEADER
    } else {
        channel_data::HEADER
    } + told;
    let padded = length.next_multiple_of(4);
    if is_message && padded != length {
        return Err(Reject::Unknown);
    }
    if padded > longest {
        return Err(Reject::TooLong);
    }
    let mut cookie = bytes.iter().skip(4).zip(COOKIE);
    if is_message && cookie.any(|(byte, right)| *byte != right) {
        return Err(Reject::Unknown);
    }
    Ok(if bytes.len() < padded {
        Next::NeedMore { until: padded }
    } else if is_message {
        Next::Message { length }
    } else {
        Next::ChannelData { length, padded }
    })
}
