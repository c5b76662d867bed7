//! The parameter that says what an address was before it was exchanged.

use std::fmt::Write;

use super::Place;
use crate::address::hex;

/// The name of the parameter.
pub(super) const NAME: &str = "gh-was";
/// The longest text that a mark repeats, in bytes.
const MAX_TEXT: usize = 300;

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// `k`: it was the same.
    Keep,
    /// `NUMBER[-PORT][.t]`: one of the places inside, with this port written.
    Number {
        number: usize,
        port: Option<String>,
        is_exchanged: bool,
    },
    /// `xHEX[.t]`: this text.
    Was { text: String, is_exchanged: bool },
}

impl Mark {
    /// The shortest mark for what the target has written.
    pub(super) fn of(written: &[u8], inside: &[Place], is_exchanged: bool) -> Option<Self> {
        let text = std::str::from_utf8(written).ok()?;
        let (_, behind) = text.rsplit_once(':').unwrap_or_default();
        let is_port = !behind.is_empty() && behind.bytes().all(|byte| byte.is_ascii_digit());
        let port = is_port.then_some(behind);
        for port in [port, None] {
            let mut places = inside.iter();
            if let Some(number) = places.position(|place| place.written(port) == text) {
                return Some(Self::Number {
                    number,
                    port: port.map(str::to_owned),
                    is_exchanged,
                });
            }
        }
        Some(Self::Was {
            text: text.to_owned(),
            is_exchanged,
        })
    }

    /// What the value of the parameter says, if it is one of ours.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?;
        if value == "k" {
            return Some(Self::Keep);
        }
        let (value, is_exchanged) = match value.strip_suffix(".t") {
            Some(value) => (value, true),
            None => (value, false),
        };
        if let Some(digits) = value.strip_prefix('x') {
            let text = text_of(digits.as_bytes())?;
            return Some(Self::Was { text, is_exchanged });
        }
        let (number, port) = match value.split_once('-') {
            Some((number, port)) => (number, Some(port.to_owned())),
            None => (value, None),
        };
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_port = port
            .as_deref()
            .is_none_or(|port| is_number(port) && port.len() <= 5);
        (is_number(number) && is_port).then_some(())?;
        Some(Self::Number {
            number: number.parse().ok()?,
            port,
            is_exchanged,
        })
    }

    /// Whether the transport was exchanged, too.
    pub(super) const fn is_exchanged(&self) -> bool {
        match self {
            Self::Keep => false,
            Self::Number { is_exchanged, .. } | Self::Was { is_exchanged, .. } => *is_exchanged,
        }
    }

    /// Whether there is space in the text that it says.
    pub(super) fn holds_space(&self) -> bool {
        matches!(self, Self::Was { text, .. } if text.contains([' ', '\t']))
    }

    /// It with its name, as it stands behind host and port.
    pub(super) fn parameter(&self) -> String {
        let mut out = format!(";{NAME}=");
        match self {
            Self::Keep => out.push('k'),
            Self::Number { number, port, .. } => {
                out.push_str(&number.to_string());
                if let Some(port) = port {
                    out.push('-');
                    out.push_str(port);
                }
            }
            Self::Was { text, .. } => {
                out.push('x');
                for byte in text.bytes() {
                    write!(out, "{byte:02x}").expect("a String takes everything");
                }
            }
        }
        if self.is_exchanged() {
            out.push_str(".t");
        }
        out
    }
}

/// What is written in hexadecimal, if it can be a host and a port: whoever sends it must not write anything else by it.
fn text_of(digits: &[u8]) -> Option<String> {
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() || digits.len() > 2 * MAX_TEXT {
        return None;
    }
    let mut text = String::with_capacity(digits.len() / 2);
    for pair in pairs {
        let byte = hex(pair[0])? << 4 | hex(pair[1])?;
        let fits = byte.is_ascii_alphanumeric() || b"-._:[] \t".contains(&byte);
        text.push(fits.then(|| char::from(byte))?);
    }
    Some(text)
}
