//! Aligned PER (X.691), as far as H.225.0 needs it.

use super::{NotH323, Read};

/// Takes fields off an encoding, which begins on an octet.
pub(super) struct Bits<'b> {
    bytes: &'b [u8],
    /// The next bit.
    at: usize,
}

/// The alternative of a choice.
pub(super) enum Choice<'b> {
    /// One that was there from the beginning; its value follows.
    Root(u8),
    /// One that a later version has added, with its value.
    Added(u8, &'b [u8]),
}

impl<'b> Bits<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn bit(&mut self) -> Read<bool> {
        let byte = self.bytes.get(self.at / 8).ok_or(NotH323::Malformed)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    /// The flags of what may be absent, in their order.
    pub(super) fn flags<const N: usize>(&mut self) -> Read<[bool; N]> {
        let mut flags = [false; N];
        for flag in &mut flags {
            *flag = self.bit()?;
        }
        Ok(flags)
    }

    /// A number of at most 8 bits that is not aligned.
    pub(super) fn bits(&mut self, count: u8) -> Read<u8> {
        let mut number = 0;
        for _ in 0..count {
            number = number << 1 | u8::from(self.bit()?);
        }
        Ok(number)
    }

    /// So many octets, aligned.
    pub(super) fn octets(&mut self, count: usize) -> Read<&'b [u8]> {
        let start = self.at.div_ceil(8);
        let rest = self.bytes.get(start..).ok_or(NotH323::Malformed)?;
        let taken = rest.get(..count).ok_or(NotH323::Malformed)?;
        self.at = (start + count) * 8;
        Ok(taken)
    }

    /// A number of 256 values, which is aligned (section 11.5.7.2).
    pub(super) fn octet(&mut self) -> Read<u8> {
        let octet = self.octets(1)?.first();
        octet.copied().ok_or(NotH323::Malformed)
    }

    /// A number of more than 256 values and at most 65536 (section 11.5.7.3).
    pub(super) fn number16(&mut self) -> Read<u16> {
        let octets = self.octets(2)?.first_chunk();
        octets
            .copied()
            .map(u16::from_be_bytes)
            .ok_or(NotH323::Malformed)
    }

    /// A length without a limit (section 11.9.3); one in fragments would be longer than any message.
    pub(super) fn length(&mut self) -> Read<usize> {
        match self.octet()? {
            short @ 0..=0x7f => Ok(usize::from(short)),
            high @ 0x80..=0xbf => Ok(usize::from(high & 0x3f) << 8 | usize::from(self.octet()?)),
            _ => Err(NotH323::Malformed),
        }
    }

    /// Octets behind their length: an octet string, an object identifier, an open type.
    pub(super) fn vector(&mut self) -> Read<&'b [u8]> {
        let length = self.length()?;
        self.octets(length)
    }

    /// The alternative of an extensible choice, whose first ones are told apart by so many bits.
    pub(super) fn choice(&mut self, width: u8) -> Read<Choice<'b>> {
        if self.bit()? {
            let index = self.small()?;
            Ok(Choice::Added(index, self.vector()?))
        } else {
            self.bits(width).map(Choice::Root)
        }
    }

    /// The additions of a sequence by their number, if its first bit said that there are any; it has read all else.
    pub(super) fn additions(&mut self, any: bool) -> Read<Vec<Option<&'b [u8]>>> {
        if !any {
            return Ok(Vec::new());
        }
        let count = self.small()? + 1;
        let mut present = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            present.push(self.bit()?);
        }
        let value = |is: bool| is.then(|| self.vector()).transpose();
        present.into_iter().map(value).collect()
    }

    /// Every item of a list without a limit; each takes at least a bit.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = self.length()?;
        (0..count).map(|_| item(self)).collect()
    }

    /// A number that is normally small (section 11.6): below 64.
    fn small(&mut self) -> Read<u8> {
        if self.bit()? {
            return Err(NotH323::Malformed);
        }
        self.bits(6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_where_they_are_aligned() {
        let mut bits = Bits::new(&[0b1010_0000, 7, 0x81, 0x02, 1, 2, 3]);
        assert_eq!(bits.flags(), Ok([true, false, true]));
        assert_eq!(bits.octet(), Ok(7));
        assert_eq!(bits.length(), Ok(258));
        assert_eq!(bits.bits(8), Ok(1));
        assert_eq!(bits.number16(), Ok(0x0203));
        assert_eq!(bits.octets(0), Ok(&[][..]));
        assert_eq!(bits.bit(), Err(NotH323::Malformed));
        assert_eq!(bits.octets(1), Err(NotH323::Malformed));
    }

    #[test]
    fn additions_are_open_types_behind_their_flags() {
        // Three of them: the first and the last are there.
        let mut bits = Bits::new(&[0b0000_0101, 0b0100_0000, 1, 0xaa, 2, 0xbb, 0xcc]);
        let additions = bits.additions(true).unwrap();
        assert_eq!(additions, [Some(&[0xaa][..]), None, Some(&[0xbb, 0xcc])]);
        assert_eq!(bits.additions(false), Ok(Vec::new()));
        // More than 64 of them, and a length in fragments.
        assert_eq!(
            Bits::new(&[0xff; 9]).additions(true),
            Err(NotH323::Malformed)
        );
        assert_eq!(Bits::new(&[0xc1; 9]).vector(), Err(NotH323::Malformed));
    }
}
