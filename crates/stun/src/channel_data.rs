//! `ChannelData` (RFC 8656 section 12.4): four bytes before what is relayed.

use std::ops::Range;

/// Bytes of the header.
pub const HEADER: usize = 4;

/// The number of a channel, 0x4000 to 0x4fff (RFC 8656 section 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Channel(u16);

impl Channel {
    /// The channel of this number, if it is one.
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            0x4000..=0x4fff => Some(Self(number)),
            _ => None,
        }
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// What stands before so many bytes; none if they are more than a datagram holds.
    pub fn header(self, length: usize) -> Option<[u8; HEADER]> {
        let [first, second] = self.0.to_be_bytes();
        let [high, low] = u16::try_from(length).ok()?.to_be_bytes();
        Some([first, second, high, low])
    }
}

/// Whether bytes that begin so are `ChannelData`; messages begin with 0 to 3.
pub const fn begins_with(first: u8) -> bool {
    first >> 6 == 1
}

/// Reads a datagram or a frame of a stream: the channel, and where in the bytes the data stands. What follows the data is padding.
pub fn parse(bytes: &[u8]) -> Option<(Channel, Range<usize>)> {
    let (head, rest) = bytes.split_first_chunk::<HEADER>()?;
    let channel = Channel::new(u16::from_be_bytes([head[0], head[1]]))?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    (length <= rest.len()).then_some((channel, HEADER..HEADER + length))
}

/// How many zeros follow so many bytes on a stream.
pub const fn padding(length: usize) -> usize {
    length.next_multiple_of(4) - length
}
