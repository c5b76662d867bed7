//! A password on its way.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What somebody typed as his password. Its debug form says nothing, and it is wiped from memory once it is not needed any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Typed(Zeroizing<String>);

impl Typed {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(..)")
    }
}

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<Typed> for String {
    fn from(typed: Typed) -> Self {
        (*typed.0).clone()
    }
}
