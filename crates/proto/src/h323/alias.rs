//! Names of H.225.0: aliases of endpoints, identifiers of gatekeepers.

use super::per::{Bits, Choice};
use super::{MAX_ALIASES, NotH323, Read};

/// The characters of dialled digits in the order of their numbers.
const DIGITS: &[u8; 13] = b"#*,0123456789";

/// A name that an endpoint has, or calls (`AliasAddress`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alias {
    /// A name (h323-ID), without control characters.
    Name(String),
    /// A number: digits, `#`, `*` and `,` (`dialledDigits`).
    Digits(String),
    /// A URL (url-ID), printable ASCII.
    Url(String),
    /// A mail address (email-ID), printable ASCII.
    Email(String),
    /// Another kind, which is not read.
    Other,
}

impl Alias {
    /// Its text, but of the kinds that are not read.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Name(text) | Self::Digits(text) | Self::Url(text) | Self::Email(text) => {
                Some(text)
            }
            Self::Other => None,
        }
    }
}

/// The identifier of a gatekeeper or an endpoint: 1 to 128 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier(String);

impl Identifier {
    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `domain[/location]` of `[physical@]domain[/location]`: what stands behind the first "@", the domain in lower
    /// case, the location as it was sent. It may be empty.
    pub fn host(&self) -> String {
        let host = self.0.split_once('@').map_or(&*self.0, |(_, host)| host);
        let domain = host.find('/').unwrap_or(host.len());
        let (domain, location) = host.split_at(domain);
        domain.to_ascii_lowercase() + location
    }

    /// Reads one, whose length has seven bits.
    pub(super) fn read(bits: &mut Bits<'_>) -> Read<Self> {
        let count = usize::from(bits.bits(7)?) + 1;
        let units = units(bits.octets(2 * count)?);
        let text: Option<String> = units
            .map(|unit| char::from_u32(unit.into()).filter(|&char| is_text(char)))
            .collect();
        text.map(Self).ok_or(NotH323::Identifier)
    }
}

/// Reads a list of aliases.
pub(super) fn read_list(bits: &mut Bits<'_>) -> Read<Vec<Alias>> {
    let mut count = 0;
    bits.list(|bits| {
        count += 1;
        if count > MAX_ALIASES {
            return Err(NotH323::TooMany);
        }
        read(bits)
    })
}

/// Reads one alias.
pub(super) fn read(bits: &mut Bits<'_>) -> Read<Alias> {
    match bits.choice(1)? {
        Choice::Root(0) => digits(bits).map(Alias::Digits),
        Choice::Root(_) => name(bits).map(Alias::Name),
        Choice::Added(0, value) => ascii(value).map(Alias::Url),
        Choice::Added(2, value) => ascii(value).map(Alias::Email),
        Choice::Added(..) => Ok(Alias::Other),
    }
}

/// Four bits a character; the first is aligned.
fn digits(bits: &mut Bits<'_>) -> Read<String> {
    let count = bits.bits(7)? + 1;
    bits.octets(0)?;
    let digit = |_| {
        let index = usize::from(bits.bits(4)?);
        let digit = DIGITS.get(index).ok_or(NotH323::Malformed)?;
        Ok(char::from(*digit))
    };
    (0..count).map(digit).collect()
}

fn name(bits: &mut Bits<'_>) -> Read<String> {
    let count = usize::from(bits.octet()?) + 1;
    // The standard says BMP, but programs write UTF-16.
    let text: Result<String, _> = char::decode_utf16(units(bits.octets(2 * count)?)).collect();
    let text = text.map_err(|_| NotH323::Alias)?;
    if text.chars().all(is_text) {
        Ok(text)
    } else {
        Err(NotH323::Alias)
    }
}

/// The value of an added alternative: ASCII of at most 512 characters.
fn ascii(value: &[u8]) -> Read<String> {
    let mut bits = Bits::new(value);
    let count = usize::from(bits.number16()?) + 1;
    let text = bits.octets(count)?;
    if count > 512 || !text.iter().all(u8::is_ascii_graphic) {
        return Err(NotH323::Alias);
    }
    Ok(text.iter().copied().map(char::from).collect())
}

fn units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let pairs = bytes.as_chunks::<2>().0;
    pairs.iter().copied().map(u16::from_be_bytes)
}

/// What may stand in a line of the log; U+FFFE and U+FFFF are no characters.
fn is_text(char: char) -> bool {
    !char.is_control() && !matches!(char, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_stands_behind_the_first_at_sign() {
        for (sent, host) in [
            ("dvl-ckl2.net", "dvl-ckl2.net"),
            ("hq@DVL-CKL2.net/Branch-B", "dvl-ckl2.net/Branch-B"),
            ("a@b@c", "b@c"),
            ("a@", ""),
            ("@a", "a"),
            ("/A@B", "b"),
            ("/A", "/A"),
        ] {
            assert_eq!(Identifier(sent.to_owned()).host(), host, "{sent}");
        }
    }

    #[test]
    fn an_identifier_is_text_of_the_basic_plane() {
        let read = |units: &[u16]| {
            let mut bytes = vec![u8::try_from(units.len() - 1).unwrap() << 1];
            bytes.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
            Identifier::read(&mut Bits::new(&bytes))
        };
        assert_eq!(read(&[0x61, 0xe4, 0x4e2d]).unwrap().as_str(), "aä中");
        for bad in [
            &[0xd83d, 0xde00][..],
            &[0xd83d],
            &[0x61, 0],
            &[10],
            &[0xffff],
            &[0xfffe],
        ] {
            assert_eq!(read(bad), Err(NotH323::Identifier), "{bad:x?}");
        }
        assert_eq!(
            Identifier::read(&mut Bits::new(&[2, 0, 0x61])),
            Err(NotH323::Malformed)
        );
    }

    #[test]
    fn every_kind_of_alias() {
        for (bytes, alias) in [
            (&[1, 0, 0x45, 0x60][..], Ok(Alias::Digits("123".to_owned()))),
            (&[0x40, 0, 0, 0x61], Ok(Alias::Name("a".to_owned()))),
            (
                &[0x80, 4, 0, 1, b'a', b'b'],
                Ok(Alias::Url("ab".to_owned())),
            ),
            (&[0x82, 3, 0, 0, b'c'], Ok(Alias::Email("c".to_owned()))),
            (&[0x81, 1, 0], Ok(Alias::Other)),
            (&[0, 0, 0xd0], Err(NotH323::Malformed)),
            (&[0x40, 0, 0xd8, 0], Err(NotH323::Alias)),
            (&[0x40, 0, 0, 7], Err(NotH323::Alias)),
            (&[0x80, 3, 0, 0, b' '], Err(NotH323::Alias)),
            (&[0x80, 3, 0, 1, b'a'], Err(NotH323::Malformed)),
        ] {
            assert_eq!(read(&mut Bits::new(bytes)), alias, "{bytes:x?}");
        }
    }
}
