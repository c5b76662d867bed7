//! Long-term credentials (RFC 8489 section 9.2): users with a password, and names that hold until a time and whose password follows
//! from a shared secret (draft-uberti-behave-turn-rest).

mod account;
mod prepared;
mod timed;

use std::collections::HashMap;
use std::fmt;

use aws_lc_rs::digest;
use md5::{Digest as _, Md5};
use thiserror::Error;

use crate::message::{Digest, Key, Message, attribute};

pub use account::Account;
pub use timed::password as timed_password;

/// The most bytes of a name (RFC 8489 section 14.3).
pub const LONGEST_NAME: usize = 508;
/// The most bytes of a realm, as we write it.
pub const LONGEST_REALM: usize = 127;

/// How a key comes from a password (RFC 8489 section 18.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Number 1.
    Md5,
    /// Number 2.
    Sha256,
}

impl Algorithm {
    /// The algorithm of this number.
    pub const fn of(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Md5),
            2 => Some(Self::Sha256),
            _ => None,
        }
    }

    /// The key of a name and a password as they are.
    pub fn key(self, name: &[u8], realm: &[u8], password: &[u8]) -> Key {
        let parts = [name, b":", realm, b":", password];
        match self {
            Self::Md5 => {
                let mut hash = Md5::new();
                for part in parts {
                    hash.update(part);
                }
                Key::new(&hash.finalize())
            }
            Self::Sha256 => {
                let mut hash = digest::Context::new(&digest::SHA256);
                for part in parts {
                    hash.update(part);
                }
                Key::new(hash.finish().as_ref())
            }
        }
    }
}

/// A name, password or realm that can not be used: the operator is to blame.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Unusable {
    /// Empty.
    #[error("empty")]
    Empty,
    /// Longer than STUN can carry.
    #[error("too long")]
    TooLong,
    /// It has a character that names and passwords must not have (RFC 8265 section 4).
    #[error("it has a character that names and passwords must not have")]
    Character,
    /// The same name twice.
    #[error("the name is there twice")]
    Twice,
}

/// Who has made a request, and with which key his answers are made.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Whose it is.
    pub account: Account,
    /// With what it was made.
    pub key: Key,
    /// By what it was protected.
    pub digest: Digest,
}

/// Everybody who may use the relay.
#[derive(Clone)]
pub struct Credentials {
    realm: String,
    names: HashMap<Vec<u8>, Entry>,
    hashes: HashMap<[u8; 32], Vec<u8>>,
    secrets: Vec<Key>,
    /// What a request of nobody is checked with, so that it takes as long.
    nobody: Key,
}

/// What is known of one form of a name.
#[derive(Clone)]
struct Entry {
    account: Account,
    md5: Vec<Key>,
    sha256: Vec<Key>,
}

impl Credentials {
    /// Nobody yet.
    ///
    /// # Errors
    /// The operator's: the realm can not be one.
    pub fn new(realm: &str) -> Result<Self, Unusable> {
        let realm = prepared::forms(realm, LONGEST_REALM)?.swap_remove(0);
        Ok(Self {
            realm,
            names: HashMap::new(),
            hashes: HashMap::new(),
            secrets: Vec::new(),
            nobody: Key::new(&[0; 16]),
        })
    }

    /// The realm, as clients are told it.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// A user with a password.
    ///
    /// # Errors
    /// The operator's: name or password can not be one.
    pub fn add_user(&mut self, name: &str, password: &str) -> Result<(), Unusable> {
        let passwords = prepared::forms(password, LONGEST_NAME)?;
        let names = prepared::forms(name, LONGEST_NAME)?;
        let account = Account::of(names.first().map_or(&[], |name| name.as_bytes()));
        if names
            .iter()
            .any(|name| self.names.contains_key(name.as_bytes()))
        {
            return Err(Unusable::Twice);
        }
        for name in names {
            let keys = |algorithm: Algorithm| {
                let key = |password: &String| {
                    algorithm.key(name.as_bytes(), self.realm.as_bytes(), password.as_bytes())
                };
                passwords.iter().map(key).collect()
            };
            let entry = Entry {
                account,
                md5: keys(Algorithm::Md5),
                sha256: keys(Algorithm::Sha256),
            };
            let hash = user_hash(name.as_bytes(), &self.realm);
            self.hashes.insert(hash, name.clone().into_bytes());
            self.names.insert(name.into_bytes(), entry);
        }
        Ok(())
    }

    /// A secret from which passwords of names with a time follow; there may be several, while one takes the place of another.
    ///
    /// # Errors
    /// The operator's: it is empty.
    pub fn add_secret(&mut self, secret: &str) -> Result<(), Unusable> {
        if secret.is_empty() {
            return Err(Unusable::Empty);
        }
        self.secrets.push(Key::new(secret.as_bytes()));
        Ok(())
    }

    /// Whether the request was made by somebody who may use the relay, `unix` seconds after 1970; none: it was not, and nobody
    /// is told why.
    pub fn prove(&self, message: &Message<'_>, algorithm: Algorithm, unix: u64) -> Option<Proven> {
        let digest = message.protection()?;
        let name = match message.first(attribute::USERHASH) {
            Some(hash) => self.hashes.get(hash)?.as_slice(),
            None => message.first(attribute::USERNAME)?,
        };
        let proven = |account: Account, mut keys: &mut dyn Iterator<Item = Key>| {
            Iterator::find(&mut keys, |key| message.is_by(key, digest, digest.length())).map(
                |key| Proven {
                    account,
                    key,
                    digest,
                },
            )
        };
        if let Some(entry) = self.names.get(name) {
            let keys = match algorithm {
                Algorithm::Md5 => &entry.md5,
                Algorithm::Sha256 => &entry.sha256,
            };
            return proven(entry.account, &mut keys.iter().cloned());
        }
        let Some(timed) = timed::Name::of(name).filter(|timed| timed.until > unix) else {
            let _ = message.is_by(&self.nobody, digest, digest.length());
            return None;
        };
        let mut keys = self.secrets.iter().map(|secret| {
            let password = timed::password_of(secret, name);
            algorithm.key(name, self.realm.as_bytes(), password.as_bytes())
        });
        proven(Account::of(timed.who), &mut keys)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credentials")
            .field("realm", &self.realm)
            .field("users", &self.names.len())
            .field("shared", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// What stands in USERHASH (RFC 8489 section 14.4).
pub fn user_hash(name: &[u8], realm: &str) -> [u8; 32] {
    let whole = [name, b":", realm.as_bytes()].concat();
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, &whole).as_ref());
    hash
}
