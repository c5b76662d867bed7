//! DER (X.690): elements one after the other, read strictly and written.

use super::Error;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const TEXT_BMP: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// Elements that are still to be read.
pub(super) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the next element, which must have this tag: its content.
    pub(super) fn take(&mut self, tag: u8) -> Result<&'a [u8], Error> {
        self.element(tag).map(|(_, content)| content)
    }

    /// Takes the next element, which must have this tag: all of it.
    pub(super) fn raw(&mut self, tag: u8) -> Result<&'a [u8], Error> {
        self.element(tag).map(|(whole, _)| whole)
    }

    pub(super) fn sequence(&mut self) -> Result<Self, Error> {
        self.take(SEQUENCE).map(Self)
    }

    /// Whether the next element has this tag.
    pub(super) fn is_next(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// A number from 0 to the largest that anything here needs.
    pub(super) fn number(&mut self) -> Result<u32, Error> {
        let bytes = self.take(INTEGER)?;
        let digits = match bytes {
            [0, rest @ ..] if !rest.is_empty() => rest,
            [first, ..] if *first < 0x80 => bytes,
            _ => return Err(Error::Malformed("a number is negative or missing")),
        };
        if digits.len() > 4 {
            return Err(Error::Malformed("a number is too large"));
        }
        Ok(digits
            .iter()
            .fold(0, |number, digit| number << 8 | u32::from(*digit)))
    }

    /// There must be nothing left.
    pub(super) fn end(&self) -> Result<(), Error> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Error::Malformed("something follows its end"))
        }
    }

    /// The next element, whole and its content.
    fn element(&mut self, tag: u8) -> Result<(&'a [u8], &'a [u8]), Error> {
        let short = Error::Malformed("it ends too early");
        let all = self.0;
        let (&found, rest) = all.split_first().ok_or(short.clone())?;
        let (&first, rest) = rest.split_first().ok_or(short.clone())?;
        if found != tag {
            return Err(Error::Malformed("it is built in another way"));
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let digits = usize::from(first & 0x7f);
                let (digits, rest) = rest.split_at_checked(digits).ok_or(short.clone())?;
                let length = digits
                    .iter()
                    .fold(0, |length, digit| length << 8 | usize::from(*digit));
                (length, rest)
            }
            _ => return Err(Error::Malformed("a part has no definite length")),
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(short)?;
        self.0 = rest;
        let whole = &all[..all.len() - rest.len()];
        Ok((whole, content))
    }
}

/// An element with the content that the parts make together.
pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut element = vec![tag];
    let digits = length.to_be_bytes();
    if length < 0x80 {
        element.extend(&digits[digits.len() - 1..]);
    } else {
        let first = digits.iter().position(|digit| *digit > 0).unwrap_or(0);
        let digits = &digits[first..];
        element.push(0x80 | u8::try_from(digits.len()).expect("eight digits at most"));
        element.extend(digits);
    }
    for part in parts {
        element.extend_from_slice(part);
    }
    element
}

/// An element in an explicit tag of its context.
pub(super) fn explicit(tag: u8, element: &[u8]) -> Vec<u8> {
    tlv(0xa0 | tag, &[element])
}

/// A number that is not negative.
pub(super) fn number(number: u32) -> Vec<u8> {
    let digits = number.to_be_bytes();
    let first = digits.iter().position(|digit| *digit > 0).unwrap_or(3);
    let digits = &digits[first..];
    let sign: &[u8] = if digits[0] < 0x80 { &[] } else { &[0] };
    tlv(INTEGER, &[sign, digits])
}
