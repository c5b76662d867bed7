//! Secrets, which go in and never come out.

use serde::{Deserialize, Serialize};

/// A secret on its way into the store; there is no way out. `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The name the configuration refers to.
    pub name: String,
    /// The value.
    pub value: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Which secret is meant.
#[derive(Serialize, Deserialize)]
pub(crate) struct SecretQuery {
    pub(crate) name: String,
}
