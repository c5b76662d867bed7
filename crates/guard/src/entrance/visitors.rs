//! All visitors, and the form in which they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::visitor::VisitorHash;
use crate::operators::UserName;

/// The most visitors.
pub const MAX_VISITORS: usize = 4096;

/// Everybody who has a password for what is published; serde writes and reads the form that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Visitors(BTreeMap<UserName, Visitor>);

/// A visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// His password.
    pub password: VisitorHash,
    /// When he was made, in Unix seconds.
    pub created: u64,
}

/// Why a change of the visitors is not made; whoever asked for it is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VisitorFault {
    /// There is one of this name.
    #[error("there is a visitor of this name already")]
    Exists,
    /// There is none of this name.
    #[error("there is no visitor of this name")]
    Unknown,
    /// The table is full.
    #[error("there are {MAX_VISITORS} visitors already; remove one")]
    Full,
}

impl Visitors {
    /// A visitor.
    pub fn get(&self, name: &UserName) -> Option<&Visitor> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&UserName, &Visitor)> {
        self.0.iter()
    }

    /// Takes a visitor in.
    ///
    /// # Errors
    /// [`VisitorFault::Exists`], [`VisitorFault::Full`].
    pub fn add(&mut self, name: UserName, visitor: Visitor) -> Result<(), VisitorFault> {
        if self.0.contains_key(&name) {
            return Err(VisitorFault::Exists);
        }
        if self.0.len() >= MAX_VISITORS {
            return Err(VisitorFault::Full);
        }
        self.0.insert(name, visitor);
        Ok(())
    }

    /// Gives a visitor another password.
    ///
    /// # Errors
    /// [`VisitorFault::Unknown`].
    pub fn set_password(
        &mut self,
        name: &UserName,
        password: VisitorHash,
    ) -> Result<(), VisitorFault> {
        let visitor = self.0.get_mut(name).ok_or(VisitorFault::Unknown)?;
        visitor.password = password;
        Ok(())
    }

    /// Removes a visitor.
    ///
    /// # Errors
    /// [`VisitorFault::Unknown`].
    pub fn remove(&mut self, name: &UserName) -> Result<(), VisitorFault> {
        self.0.remove(name).map(drop).ok_or(VisitorFault::Unknown)
    }
}

/// What is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The form, for later ones.
    schema: u32,
    visitors: Vec<KeptVisitor>,
}

#[derive(Serialize, Deserialize)]
struct KeptVisitor {
    name: UserName,
    #[serde(flatten)]
    visitor: Visitor,
}

const SCHEMA: u32 = 1;

impl From<Visitors> for Kept {
    fn from(visitors: Visitors) -> Self {
        let kept = visitors.0.into_iter();
        Self {
            schema: SCHEMA,
            visitors: kept
                .map(|(name, visitor)| KeptVisitor { name, visitor })
                .collect(),
        }
    }
}

impl TryFrom<Kept> for Visitors {
    type Error = String;

    fn try_from(kept: Kept) -> Result<Self, String> {
        if kept.schema != SCHEMA {
            return Err(format!("schema {} is not known", kept.schema));
        }
        let mut visitors = Self::default();
        for KeptVisitor { name, visitor } in kept.visitors {
            let text = name.to_string();
            visitors
                .add(name, visitor)
                .map_err(|fault| format!("{text}: {fault}"))?;
        }
        Ok(visitors)
    }
}
