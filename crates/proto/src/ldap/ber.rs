//! The plain form of BER that LDAP allows (RFC 4511 section 5.1).

use super::Malformed;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// Elements one after the other: tag and content.
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn need(&mut self, wanted: u8) -> Result<&'a [u8], Malformed> {
        match self.next() {
            Some(Ok((tag, content))) if tag == wanted => Ok(content),
            _ => Err(Malformed::Form),
        }
    }

    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed::Form)
        }
    }

    fn take(&mut self) -> Result<(u8, &'a [u8]), Malformed> {
        let (head, length) = header(self.0)?.ok_or(Malformed::Form)?;
        let end = head.saturating_add(length);
        let content = self.0.get(head..end).ok_or(Malformed::Form)?;
        let tag = self.0[0];
        self.0 = &self.0[end..];
        Ok((tag, content))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<(u8, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let taken = self.take();
        if taken.is_err() {
            self.0 = &[];
        }
        Some(taken)
    }
}

/// How long tag and length are, and the length, which may be any; none while they are not whole.
pub(super) fn header(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let [tag, first, rest @ ..] = bytes else {
        return Ok(None);
    };
    if tag & 0x1f == 0x1f {
        return Err(Malformed::Form);
    }
    match *first {
        short @ 0..=0x7f => Ok(Some((2, usize::from(short)))),
        // Up to four bytes: some servers always write four.
        long @ 0x81..=0x84 => {
            let count = usize::from(long & 0x7f);
            let length = rest.get(..count).map(|digits| {
                let length = digits
                    .iter()
                    .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
                usize::try_from(length).ok()
            });
            match length {
                None => Ok(None),
                Some(None) => Err(Malformed::Long),
                Some(Some(length)) => Ok(Some((2 + count, length))),
            }
        }
        _ => Err(Malformed::Form),
    }
}

pub(super) fn text(bytes: &[u8]) -> Result<(), Malformed> {
    std::str::from_utf8(bytes).map_or(Err(Malformed::Form), |_| Ok(()))
}

/// A number of at most 31 bits that is not negative.
pub(super) fn whole_number(bytes: &[u8]) -> Result<u32, Malformed> {
    let fits = matches!(bytes, [0..=0x7f, rest @ ..] if rest.len() < 4);
    if !fits {
        return Err(Malformed::Form);
    }
    Ok(bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

pub(super) fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    if let Ok(short @ 0..=0x7f) = u8::try_from(content.len()) {
        out.push(short);
    } else {
        let length = u32::try_from(content.len()).expect("content is at most LONGEST");
        out.push(0x84);
        out.extend(length.to_be_bytes());
    }
    out.extend_from_slice(content);
}
