//! Which part of the log is wanted.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::schema::{may_ask, may_send, record_id, text, yes_or_no};

/// Which records of the log are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// Only what came after the record of this id.
    pub after: Option<u64>,
    /// Only the last so many of what is there already; what comes later is not counted.
    pub last: Option<usize>,
    /// Only what this service says.
    pub service: Option<String>,
    /// Go on with what comes.
    #[serde(default)]
    pub follow: bool,
}

impl IntoParams for LogQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            may_ask(
                "after",
                "Only what came after the record of this id.",
                record_id(),
            ),
            may_ask(
                "last",
                "Only the last so many of what is there already.",
                record_id(),
            ),
            may_ask("service", "Only what this service says.", text()),
            may_ask("follow", "Go on with what comes.", yes_or_no()),
            may_send(
                "Last-Event-ID",
                "The same as `after`, as browsers send it.",
                record_id(),
            ),
        ]
    }
}
