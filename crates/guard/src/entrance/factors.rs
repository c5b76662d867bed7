//! All second factors, and the form in which they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::factor::{CodeUsed, Factor, FactorKey, UnfitFactor};
use crate::totp::TotpSecret;

/// The most second factors of all accesses together.
pub const MAX_FACTORS: usize = 10_000;
/// The most bytes of all names in them, so that the whole can be told to edge at once.
pub const MAX_FACTOR_NAMES: usize = 1 << 20;

/// All of them; serde writes and reads the form that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Factors {
    /// Whether it is known who has one. Where it is not, nobody can begin one: whoever has a password would be let in with it alone.
    is_known: bool,
    all: BTreeMap<FactorKey, Factor>,
}

/// Why a second factor does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoFactor {
    /// It is not known who has one.
    #[error("it is not known who has a second factor")]
    Unknown,
    /// There is one.
    #[error("there is one already")]
    There,
    /// There are too many.
    #[error("{MAX_FACTORS} second factors are the most")]
    Full,
    /// It can be none.
    #[error(transparent)]
    Unfit(#[from] UnfitFactor),
}

impl Factors {
    /// Nobody has one.
    pub fn none() -> Self {
        Self {
            is_known: true,
            all: BTreeMap::new(),
        }
    }

    /// It is not known who has one: what was kept is lost.
    pub fn unknown() -> Self {
        Self {
            is_known: false,
            all: BTreeMap::new(),
        }
    }

    /// Whether it is known who has one.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// All of them, by access and user.
    pub fn iter(&self) -> impl Iterator<Item = &Factor> {
        self.all.values()
    }

    /// That of a user.
    pub fn get(&self, key: &FactorKey) -> Option<&Factor> {
        self.all.get(key)
    }

    /// One begins. What there is stays as it is: only [`Factors::remove`] makes room for another.
    ///
    /// # Errors
    /// [`NoFactor`].
    pub fn begin(&mut self, factor: Factor) -> Result<(), NoFactor> {
        if !self.is_known {
            return Err(NoFactor::Unknown);
        }
        factor.check()?;
        let key = factor.key();
        if self.all.contains_key(&key) {
            return Err(NoFactor::There);
        }
        let names: usize = self.iter().map(Factor::weight).sum();
        if self.all.len() >= MAX_FACTORS || names + factor.weight() > MAX_FACTOR_NAMES {
            return Err(NoFactor::Full);
        }
        self.all.insert(key, factor);
        Ok(())
    }

    /// Puts one in, whatever was there.
    pub fn put(&mut self, factor: Factor) {
        self.all.insert(factor.key(), factor);
    }

    /// A code was taken at `unix`, in seconds; none is from later. False: that is no news.
    pub fn used(&mut self, code: &CodeUsed, unix: u64) -> bool {
        let step = code.step.min(TotpSecret::last_step(unix));
        match self.all.get_mut(&code.key) {
            Some(factor) if factor.used < step => {
                factor.used = step;
                true
            }
            _ => false,
        }
    }

    /// Takes one away: its user begins anew.
    pub fn remove(&mut self, key: &FactorKey) -> Option<Factor> {
        self.all.remove(key)
    }
}

/// Nothing is known before somebody says so.
impl Default for Factors {
    fn default() -> Self {
        Self::unknown()
    }
}

/// What is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The form, for later ones.
    schema: u32,
    is_known: bool,
    factors: Vec<Factor>,
}

const SCHEMA: u32 = 1;

impl From<Factors> for Kept {
    fn from(factors: Factors) -> Self {
        Self {
            schema: SCHEMA,
            is_known: factors.is_known,
            factors: factors.all.into_values().collect(),
        }
    }
}

impl TryFrom<Kept> for Factors {
    type Error = String;

    fn try_from(kept: Kept) -> Result<Self, String> {
        if kept.schema != SCHEMA {
            return Err(format!("schema {} is not known", kept.schema));
        }
        let mut factors = Self::none();
        for factor in kept.factors {
            factors.begin(factor).map_err(|fault| fault.to_string())?;
        }
        factors.is_known = kept.is_known;
        Ok(factors)
    }
}
