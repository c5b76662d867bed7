//! The box as a whole.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the box as a whole is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MachineOrder {
    /// Start anew.
    Reboot,
    /// Switch itself off.
    PowerOff,
    /// Remove everything that is kept, and begin with the configuration that the box came with.
    FactoryReset,
}

/// What comes of a [`MachineOrder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ordered {
    /// One sentence for the operator.
    pub text: String,
}
