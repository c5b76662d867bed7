//! An instant as the log and the API tell it.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in milliseconds since 1970; RFC 3339 in UTC as text.
///
/// `Display` gives whole seconds (`2026-11-21T01:42:47Z`), JSON has the milliseconds as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(pub u64);

impl Moment {
    /// The same instant as the standard library has it.
    pub fn system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0)
    }

    fn timestamp(self) -> Timestamp {
        i64::try_from(self.0)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .unwrap_or(Timestamp::MAX)
    }
}

impl From<SystemTime> for Moment {
    /// Instants before 1970 count as 1970: the clock of the box is not set yet.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").fmt(f)
    }
}

impl FromStr for Moment {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let timestamp: Timestamp = text.parse()?;
        Ok(Self(u64::try_from(timestamp.as_millisecond()).unwrap_or(0)))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.timestamp().strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_name_the_same_instant() {
        let moment = Moment(1_795_225_367_042);
        assert_eq!(moment.to_string(), "2026-11-21T01:42:47Z");
        let json = serde_json::to_string(&moment).unwrap();
        assert_eq!(json, "\"2026-11-21T01:42:47.042Z\"");
        assert_eq!(serde_json::from_str::<Moment>(&json).unwrap(), moment);
    }

    #[test]
    fn instants_out_of_range_are_shown_as_the_nearest() {
        assert_eq!(Moment(u64::MAX).to_string(), "9999-12-30T22:00:00Z");
        let early = UNIX_EPOCH - Duration::from_secs(5);
        assert_eq!(Moment::from(early).to_string(), "1970-01-01T00:00:00Z");
    }
}
