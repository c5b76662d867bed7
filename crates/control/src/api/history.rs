//! The last day in numbers.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use crate::Moment;
use crate::schema::{may_ask, number};

/// How the box did, until just now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// Seconds between two points: 10 for up to an hour, else 60.
    pub step_seconds: u32,
    /// When the last point is of.
    pub end: Moment,
    /// The series, all with as many points.
    pub series: Vec<Series>,
}

/// One number over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// What it counts, such as `requests_2xx`.
    pub name: String,
    /// The host it is about; none: the box.
    pub host: Option<String>,
    /// In what, such as `requests/s`.
    pub unit: String,
    /// How it is counted.
    pub kind: SeriesKind,
    /// Oldest first; null: not known.
    pub points: Vec<Option<f64>>,
}

/// How a series is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesKind {
    /// In a second, on average.
    Rate,
    /// As it was; of a minute, the highest.
    Level,
}

impl History {
    /// For how many seconds it can be asked.
    pub const SECONDS: RangeInclusive<u32> = 60..=86_400;
}

/// How far back.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    pub(crate) seconds: Option<u32>,
}

impl IntoParams for HistoryQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let (least, most) = History::SECONDS.into_inner();
        let said = "How far back, in seconds; without it, an hour.";
        vec![may_ask("seconds", said, number(least, most))]
    }
}
