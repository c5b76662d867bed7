//! Whole numbers as JSON Schema has them: `60.0` is one, too.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// The number of a member that must be there.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    deserializer.deserialize_any(Whole)
}

/// The number of a member that may be null.
pub(super) fn number_or_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    struct Number(u32);
    impl<'de> Deserialize<'de> for Number {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            number(deserializer).map(Self)
        }
    }
    let number = Option::<Number>::deserialize(deserializer)?;
    Ok(number.map(|number| number.0))
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 to 4294967295")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u32, E> {
        let wrong = || E::invalid_value(serde::de::Unexpected::Unsigned(value), &self);
        u32::try_from(value).map_err(|_| wrong())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<u32, E> {
        if value.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&value) {
            return Err(E::invalid_value(serde::de::Unexpected::Float(value), &self));
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole and within the bounds"
        )]
        let value = value as u32;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Both {
        #[serde(deserialize_with = "number")]
        a: u32,
        #[serde(default, deserialize_with = "number_or_null")]
        b: Option<u32>,
    }

    #[test]
    fn what_is_whole_is_taken_however_it_is_written() {
        for (text, expected) in [
            (r#"{"a":60}"#, Some((60, None))),
            (r#"{"a":60.0,"b":null}"#, Some((60, None))),
            (r#"{"a":4294967295,"b":6e1}"#, Some((u32::MAX, Some(60)))),
            (r#"{"a":60.5}"#, None),
            (r#"{"a":-1}"#, None),
            (r#"{"a":4294967296}"#, None),
            (r#"{"a":1e99}"#, None),
            (r#"{"a":"60"}"#, None),
            (r#"{"a":60,"b":1.5}"#, None),
            (r#"{"a":null}"#, None),
        ] {
            let found = serde_json::from_str::<Both>(text).ok();
            assert_eq!(found.map(|both| (both.a, both.b)), expected, "{text}");
        }
    }
}
