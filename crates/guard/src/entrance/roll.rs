//! What the data path knows of visitors, tokens, sessions and second factors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::factor::{Factor, FactorKey};
use super::factors::Factors;
use super::session::SessionId;
use super::sessions::Sessions;
use super::token::{LiveToken, TokenId};
use super::visitor::VisitorHash;
use crate::operators::UserName;

/// Everybody who can be let in, as it is told whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// Visitors and their passwords.
    pub visitors: BTreeMap<UserName, VisitorHash>,
    /// Tokens that are good.
    pub tokens: Vec<LiveToken>,
    /// Who has signed in.
    #[serde(default)]
    pub sessions: Sessions,
    /// Second factors.
    #[serde(default)]
    pub factors: Factors,
}

impl Roll {
    /// Does what `change` says.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Visitor(name, Some(hash)) => drop(self.visitors.insert(name, hash)),
            Change::Rehashed(name, hash) => {
                if let Some(known) = self.visitors.get_mut(&name) {
                    *known = hash;
                }
            }
            Change::Visitor(name, None) => drop(self.visitors.remove(&name)),
            Change::Token(token) => {
                self.tokens.retain(|known| known.id != token.id);
                self.tokens.push(token);
            }
            Change::TokenGone(id) => self.tokens.retain(|known| known.id != id),
            Change::SessionGone(id) => drop(self.sessions.end(id)),
            Change::Factor(factor) => self.factors.put(factor),
            Change::FactorGone(key) => drop(self.factors.remove(&key)),
            Change::NoFactors => self.factors = Factors::none(),
        }
    }
}

/// A change of the [`Roll`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A visitor is new or has another password; without one he is gone.
    Visitor(UserName, Option<VisitorHash>),
    /// The same password of a visitor is kept in a better form.
    Rehashed(UserName, VisitorHash),
    /// A token is new.
    Token(LiveToken),
    /// A token is revoked.
    TokenGone(TokenId),
    /// A session has ended. One that begins is news from the data path, and never to it.
    SessionGone(SessionId),
    /// A second factor is as this one, whatever the data path has.
    Factor(Factor),
    /// A second factor is gone.
    FactorGone(FactorKey),
    /// Nobody has a second factor.
    NoFactors,
}
