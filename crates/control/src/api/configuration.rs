//! The configuration and its generations.

use std::ops::RangeInclusive;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::whole;
use crate::Moment;
use crate::schema::{generation, may_ask};

/// One numbered configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Generation {
    /// Its number, counted up from 1.
    pub number: u32,
    /// When it was made.
    pub created: Moment,
    /// Where it came from, such as `reload` or `rollback to 12`.
    pub origin: String,
    /// What it is now.
    #[serde(flatten)]
    pub state: GenerationState,
}

/// What a generation is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum GenerationState {
    /// In force, and kept.
    Active,
    /// In force, and rolled back unless it is confirmed.
    Trial {
        /// Seconds left to confirm.
        seconds: u64,
    },
    /// Once in force; can be rolled back to.
    Kept,
    /// Was on trial and not confirmed; kept so that the work in it is not lost.
    GivenUp,
}

/// What came of a reload, a confirmation or a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Applied {
    /// The generation in force now.
    pub generation: Generation,
    /// False: the file is the same as what was in force already.
    pub changed: bool,
    /// What the operator should know, one sentence each.
    pub notes: Vec<String>,
}

/// The text of one generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigText {
    /// Its number.
    pub generation: u32,
    /// The file as it was given.
    pub text: String,
}

/// A text that could become the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The file; at most 4 MiB.
    #[schema(max_length = 4_194_304)]
    pub text: String,
}

/// What there is to say of a [`Draft`]; nothing has changed by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// The generation it was compared with: the one in force.
    pub generation: u32,
    /// What is wrong with it, by line; empty: it can be applied.
    pub faults: Vec<Fault>,
    /// What could not be checked without applying it, one sentence each.
    pub not_checked: Vec<String>,
    /// Whether it differs from what is in force.
    pub changed: bool,
    /// What it changes that must be confirmed, such as `the networks`; empty: it need not be, or has faults.
    pub confirm: Vec<String>,
    /// Where the admin pages would be and are not now, such as `https://192.168.1.9:9443/`; as far as the box knows, which
    /// does not know what address a network will give it.
    pub new_pages: Vec<String>,
    /// How it differs from what is in force, in unified format; empty: it does not.
    pub diff: String,
}

/// One thing that is wrong with a configuration, where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// 1-based line.
    #[schema(minimum = 1)]
    pub line: u32,
    /// 1-based column, in characters.
    #[schema(minimum = 1)]
    pub column: u32,
    /// The setting, dotted: `host["hq.example"].http[1].target`; empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub remedy: String,
}

/// A text that is to become the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The file; at most 4 MiB.
    #[schema(max_length = 4_194_304)]
    pub text: String,
    /// The generation that the text was made from; refused where another is in force by now.
    #[serde(deserialize_with = "whole::number")]
    #[schema(minimum = 1, maximum = 4_294_967_295_u32)]
    pub base: u32,
    /// How long it waits to be confirmed; none: 3 minutes where it changes what an operator reaches the box through, and
    /// otherwise not at all.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "trial"
    )]
    #[schema(minimum = 60, maximum = 3600)]
    pub trial_seconds: Option<u32>,
}

impl Apply {
    /// The longest text, in bytes.
    pub const LONGEST_TEXT: usize = 4 * 1024 * 1024;
    /// How long a trial may be asked to take, in seconds.
    pub const TRIAL: RangeInclusive<u32> = 60..=3600;
}

fn trial<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let seconds = whole::number_or_null(deserializer)?;
    match seconds {
        Some(seconds) if !Apply::TRIAL.contains(&seconds) => Err(D::Error::custom(format_args!(
            "trial_seconds is {seconds}; a trial takes 60 to 3600 seconds"
        ))),
        seconds => Ok(seconds),
    }
}

/// How two generations differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Diff {
    /// The older one.
    pub from: u32,
    /// The newer one.
    pub to: u32,
    /// In unified format; empty: they do not differ.
    pub text: String,
}

/// Which generation is meant.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GenerationQuery {
    pub(crate) generation: Option<u32>,
}

impl IntoParams for GenerationQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let said = "The number of a generation.";
        vec![may_ask("generation", said, generation())]
    }
}

/// Where a rollback leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// What is on trial is given up; where nothing is, the generation before comes into force.
    Back,
    /// This generation comes into force.
    To(u32),
    /// This generation is given up, and nothing happens where it is not on trial: whoever looks at a clock may press too
    /// late.
    GiveUp(u32),
}

/// Where a rollback leads, as it is asked for.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RollbackQuery {
    pub(crate) generation: Option<u32>,
    pub(crate) trial: Option<u32>,
}

impl RollbackQuery {
    /// What is meant; none: two things at once.
    pub(crate) fn way(&self) -> Option<Rollback> {
        match (self.generation, self.trial) {
            (None, None) => Some(Rollback::Back),
            (Some(number), None) => Some(Rollback::To(number)),
            (None, Some(number)) => Some(Rollback::GiveUp(number)),
            (Some(_), Some(_)) => None,
        }
    }
}

impl From<Rollback> for RollbackQuery {
    fn from(way: Rollback) -> Self {
        let (generation, trial) = match way {
            Rollback::Back => (None, None),
            Rollback::To(number) => (Some(number), None),
            Rollback::GiveUp(number) => (None, Some(number)),
        };
        Self { generation, trial }
    }
}

impl IntoParams for RollbackQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let to = "The generation that comes into force; without it and `trial`, what is on trial is given up, or, where nothing \
                  is, the one before comes into force.";
        let trial =
            "The generation on trial that is given up; refused where it is not on trial any more.";
        vec![
            may_ask("generation", to, generation()),
            may_ask("trial", trial, generation()),
        ]
    }
}

/// Which generations are compared.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiffQuery {
    /// The same as `from`.
    pub(crate) generation: Option<u32>,
    pub(crate) from: Option<u32>,
    pub(crate) to: Option<u32>,
}

impl IntoParams for DiffQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let from = "The older one; without it, the one before `to` that says something else.";
        vec![
            may_ask("from", from, generation()),
            may_ask(
                "to",
                "The newer one; without it, the one in force.",
                generation(),
            ),
            may_ask("generation", "The same as `from`.", generation()),
        ]
    }
}
