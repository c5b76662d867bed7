//! The configuration and its generations.

use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

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
