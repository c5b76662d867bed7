//! Numbers, truths, durations and sizes.

use std::time::Duration;

use toml::de::DeValue;

use crate::definition::{Plain, Shape};
use crate::reader::{Node, Reader, Value, quoted};

/// A number of bytes, written with its unit: "500MB", "64KiB".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(u64);

/// A number of bytes per second, written as bytes: "200B"; "0B" is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate(u64);

/// How long something is remembered, in whole seconds; "0s" makes it forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MaxAge(Duration);

/// The longest duration that makes sense anywhere: ten years.
const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

const DURATION_UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

const SIZE_UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl Value for bool {
    fn shape() -> Shape {
        Shape::Boolean
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        match node.value.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            DeValue::String(text) if matches!(text.as_ref(), "true" | "false") => {
                reader.wrong(
                    node,
                    "true or false",
                    format!("leave the quotes out: {text}"),
                );
                None
            }
            _ => {
                reader.wrong(node, "true or false", "write true or false");
                None
            }
        }
    }
}

/// Every `u16` of the file is a port.
impl Value for u16 {
    fn shape() -> Shape {
        Shape::Integer(1, 65_535)
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let number = integer(reader, node, "a port", 1, 65_535)?;
        Self::try_from(number).ok()
    }
}

/// Every `u32` of the file is a count, at least one.
impl Value for u32 {
    fn shape() -> Shape {
        Shape::Integer(1, 1_000_000)
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let number = integer(reader, node, "a count", 1, 1_000_000)?;
        Self::try_from(number).ok()
    }
}

impl Value for Duration {
    fn shape() -> Shape {
        Shape::Text("a duration: a number and ms, s, m, h or d, such as \"5m\" or \"1h30m\"")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let duration = duration(reader, node)?;
        if duration.is_zero() || duration > LONGEST {
            out_of_bounds(reader, node, "write a duration from 1ms to 3650d");
            return None;
        }
        Some(duration)
    }
}

impl Value for MaxAge {
    fn shape() -> Shape {
        Shape::Text("a duration such as \"180d\", or \"0s\"")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let duration = duration(reader, node)?;
        if duration.subsec_nanos() > 0 || duration > LONGEST {
            out_of_bounds(reader, node, "write whole seconds, from 0s to 3650d");
            return None;
        }
        Some(Self(duration))
    }
}

impl Plain<Duration> for MaxAge {
    fn plain(self) -> Duration {
        self.0
    }
}

impl Value for Size {
    fn shape() -> Shape {
        Shape::Text("a size: a number and B, kB, MB, GB, KiB, MiB or GiB, such as \"500MB\"")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let bytes = size(reader, node)?;
        if bytes == 0 {
            let what = format!("{} is no size", quoted(reader.text(node)?));
            reader.fault(node, what, "write at least \"1B\"");
            return None;
        }
        Some(Self(bytes))
    }
}

impl Plain<u64> for Size {
    fn plain(self) -> u64 {
        self.0
    }
}

impl Value for Rate {
    fn shape() -> Shape {
        Shape::Text("a size, such as \"200B\", per second; \"0B\" is none")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        size(reader, node).map(Self)
    }
}

impl Plain<u64> for Rate {
    fn plain(self) -> u64 {
        self.0
    }
}

fn duration(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Duration> {
    if let DeValue::Integer(number) = node.value.get_ref() {
        reader.wrong(node, "a duration", format!("write its unit: \"{number}s\""));
        return None;
    }
    let text = reader.text(node)?;
    let millis = units(text, DURATION_UNITS, true);
    if millis.is_none() {
        let remedy = if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            format!("write its unit: \"{text}s\" or \"{text}m\"")
        } else {
            "write a number and ms, s, m, h or d, for example \"5m\" or \"1h30m\"".to_owned()
        };
        reader.fault(node, format!("{} is not a duration", quoted(text)), remedy);
    }
    millis.map(Duration::from_millis)
}

fn size(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<u64> {
    if let DeValue::Integer(number) = node.value.get_ref() {
        reader.wrong(
            node,
            "a size",
            format!("write its unit: \"{number}MB\" or \"{number}B\""),
        );
        return None;
    }
    let text = reader.text(node)?;
    let bytes = units(text, SIZE_UNITS, false);
    if bytes.is_none() {
        let remedy = "write a number and B, kB, MB, GB, KiB, MiB or GiB, for example \"500MB\"";
        reader.fault(node, format!("{} is not a size", quoted(text)), remedy);
    }
    bytes
}

fn out_of_bounds(reader: &mut Reader<'_>, node: &Node<'_>, remedy: &str) {
    if let Some(text) = reader.text(node) {
        reader.fault(node, format!("{} is out of bounds", quoted(text)), remedy);
    }
}

fn integer(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    kind: &str,
    least: i64,
    most: i64,
) -> Option<i64> {
    match node.value.get_ref() {
        DeValue::Integer(number) => {
            let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
            let fits = read.filter(|number| (least..=most).contains(number));
            if fits.is_none() {
                reader.wrong(node, kind, format!("write a number from {least} to {most}"));
            }
            fits
        }
        DeValue::String(text) if text.parse::<i64>().is_ok() => {
            reader.wrong(node, kind, format!("leave the quotes out: {text}"));
            None
        }
        _ => {
            reader.wrong(node, kind, format!("write a number from {least} to {most}"));
            None
        }
    }
}

/// Reads "1h30m" (several parts, each once) or "500MB" (one part) in units of the smallest one.
fn units(text: &str, units: &[(&str, u64)], several: bool) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    let mut last = u64::MAX;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let (_, length) = units.iter().find(|(name, _)| *name == unit)?;
        if *length >= last {
            return None;
        }
        last = *length;
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = after;
        if rest.is_empty() {
            return Some(sum);
        }
        if !several {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        for (text, expected) in [
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("250ms", Some(250)),
            ("30m1h", None),
            ("1h1h", None),
            ("5", None),
            ("m", None),
            ("", None),
            ("5 m", None),
            ("-5m", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(units(text, DURATION_UNITS, true), expected, "{text}");
        }
        for (text, expected) in [
            ("500MB", Some(500_000_000)),
            ("1KiB", Some(1024)),
            ("1kB", Some(1000)),
            ("1MB1kB", None),
            ("1mb", None),
        ] {
            assert_eq!(units(text, SIZE_UNITS, false), expected, "{text}");
        }
    }
}
