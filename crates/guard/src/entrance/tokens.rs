//! All tokens and the keys by which applications make them, and the form in which both are kept.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::token::{LiveToken, TokenHash, TokenId};

/// The most tokens of all accesses together.
pub const MAX_TOKENS: usize = 10_000;
/// The most tokens of one access: whoever makes them for one shall not take them from all others.
pub const MAX_TOKENS_OF_ACCESS: usize = 8_000;
/// The most keys of all accesses together.
pub const MAX_KEYS: usize = 64;
/// The most characters of a note.
pub const LONGEST_NOTE: usize = 200;
/// How many random bytes the text of a token or key is made of.
pub const TEXT_BYTES: usize = 32;

const TOKEN_PREFIX: &str = "gh";
const KEY_PREFIX: &str = "gk";
/// Characters of the text of a token or key.
const TEXT_LENGTH: usize = 45;

/// The text of a token: letters, digits, `-` and `_`, so that it can be the value of a cookie (RFC 6265 section 4.1.1).
pub fn token_text(random: [u8; TEXT_BYTES]) -> String {
    format!("{TOKEN_PREFIX}{}", BASE64URL_NOPAD.encode(&random))
}

/// The text of a key.
pub fn key_text(random: [u8; TEXT_BYTES]) -> String {
    format!("{KEY_PREFIX}{}", BASE64URL_NOPAD.encode(&random))
}

/// Whether `text` looks like that of a key, whether or not there is such a key.
pub fn is_key_text(text: &str) -> bool {
    text.len() == TEXT_LENGTH && text.starts_with(KEY_PREFIX)
}

/// What says what a token or key is for: any text in one line, [`LONGEST_NOTE`] characters at the most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Note(Box<str>);

/// The text can be no note; whoever wrote it is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a note has {LONGEST_NOTE} characters at the most, and no control characters")]
pub struct BadNote;

impl Note {
    /// The note that `text` is.
    ///
    /// # Errors
    /// [`BadNote`].
    pub fn new(text: &str) -> Result<Self, BadNote> {
        let fits = text.chars().count() <= LONGEST_NOTE && !text.chars().any(char::is_control);
        fits.then(|| Self(text.into())).ok_or(BadNote)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Note {
    type Error = BadNote;

    fn try_from(text: String) -> Result<Self, BadNote> {
        Self::new(&text)
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0.into()
    }
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What the data path knows of it.
    #[serde(flatten)]
    pub live: LiveToken,
    /// When it was made, in Unix seconds.
    pub created: u64,
    /// What it is for.
    #[serde(default)]
    pub note: Note,
    /// Who made it.
    pub by: String,
}

/// The number of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub u64);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key of an application, which may make, list and revoke the tokens of one access, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    /// Its number, by which it is listed and revoked.
    pub id: KeyId,
    /// The `[access.NAME]` whose tokens it makes.
    pub access: Box<str>,
    /// Its hash.
    pub hash: TokenHash,
    /// When it was made, in Unix seconds.
    pub created: u64,
    /// What it is for.
    #[serde(default)]
    pub note: Note,
    /// Who made it.
    pub by: String,
}

/// A token or key to be made.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The access.
    pub access: Box<str>,
    /// The hash of its text.
    pub hash: TokenHash,
    /// When it expires, in Unix seconds; `None`: never. A key never does.
    pub expires: Option<u64>,
    /// What it is for.
    pub note: Note,
    /// Who makes it.
    pub by: String,
}

/// Why none is made; whoever made so many is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// Too many tokens.
    #[error(
        "there are {MAX_TOKENS} tokens already, or {MAX_TOKENS_OF_ACCESS} of this access; revoke some, or let them expire sooner"
    )]
    Full,
    /// Too many keys.
    #[error("there are {MAX_KEYS} keys already; revoke one")]
    FullOfKeys,
}

/// All tokens and keys; serde writes and reads the form that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Tokens {
    /// The last number that was given, to a token or a key.
    last: u64,
    made: BTreeMap<TokenId, Token>,
    keys: BTreeMap<KeyId, TokenKey>,
}

impl Tokens {
    /// All tokens, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.made.values()
    }

    /// All keys, the oldest first.
    pub fn keys(&self) -> impl Iterator<Item = &TokenKey> {
        self.keys.values()
    }

    /// Those of an access.
    pub fn of<'t>(&'t self, access: &'t str) -> impl Iterator<Item = &'t Token> {
        self.iter()
            .filter(move |token| &*token.live.access == access)
    }

    /// A token by its number.
    pub fn get(&self, id: TokenId) -> Option<&Token> {
        self.made.get(&id)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`TokenFault::Full`].
    pub fn add(&mut self, wish: Wish, now: u64) -> Result<Token, TokenFault> {
        if self.is_full(&wish.access) {
            self.expire(now);
        }
        if self.is_full(&wish.access) {
            return Err(TokenFault::Full);
        }
        let live = LiveToken {
            id: TokenId(self.next()),
            access: wish.access,
            hash: wish.hash,
            expires: wish.expires,
        };
        let token = Token {
            live,
            created: now,
            note: wish.note,
            by: wish.by,
        };
        self.made.insert(token.live.id, token.clone());
        Ok(token)
    }

    fn is_full(&self, access: &str) -> bool {
        // Seldom, and they are counted then.
        self.made.len() >= MAX_TOKENS
            || (self.made.len() >= MAX_TOKENS_OF_ACCESS
                && self.of(access).count() >= MAX_TOKENS_OF_ACCESS)
    }

    /// Revokes a token; false: there is none of this number.
    pub fn revoke(&mut self, id: TokenId) -> bool {
        self.made.remove(&id).is_some()
    }

    /// Revokes all tokens of an access, and says which those were.
    pub fn revoke_all(&mut self, access: &str) -> Vec<TokenId> {
        self.take_out(|token| &*token.live.access == access)
    }

    /// Forgets the tokens whose time is over at `now`, in Unix seconds, and says which those were.
    pub fn expire(&mut self, now: u64) -> Vec<TokenId> {
        self.take_out(|token| token.live.expires.is_some_and(|expires| expires <= now))
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`TokenFault::FullOfKeys`].
    pub fn add_key(&mut self, wish: Wish, now: u64) -> Result<TokenKey, TokenFault> {
        if self.keys.len() >= MAX_KEYS {
            return Err(TokenFault::FullOfKeys);
        }
        let key = TokenKey {
            id: KeyId(self.next()),
            access: wish.access,
            hash: wish.hash,
            created: now,
            note: wish.note,
            by: wish.by,
        };
        self.keys.insert(key.id, key.clone());
        Ok(key)
    }

    /// The key with this text. Every key is looked at, however early the right one comes.
    pub fn key(&self, text: &str) -> Option<&TokenKey> {
        let hash = TokenHash::of(text);
        self.keys().fold(None, |found, key| {
            let is_it: bool = key.hash.bytes().ct_eq(hash.bytes()).into();
            if is_it { Some(key) } else { found }
        })
    }

    /// Revokes a key, and leaves the tokens that were made with it; false: there is none of this number.
    pub fn revoke_key(&mut self, id: KeyId) -> bool {
        self.keys.remove(&id).is_some()
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn take_out(&mut self, goes: impl Fn(&Token) -> bool) -> Vec<TokenId> {
        let gone = self.made.extract_if(.., |_, token| goes(token));
        gone.map(|(id, _)| id).collect()
    }
}

/// What is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The form, for later ones.
    schema: u32,
    last: u64,
    tokens: Vec<Token>,
    keys: Vec<TokenKey>,
}

const SCHEMA: u32 = 1;

impl From<Tokens> for Kept {
    fn from(tokens: Tokens) -> Self {
        Self {
            schema: SCHEMA,
            last: tokens.last,
            tokens: tokens.made.into_values().collect(),
            keys: tokens.keys.into_values().collect(),
        }
    }
}

impl TryFrom<Kept> for Tokens {
    type Error = String;

    fn try_from(kept: Kept) -> Result<Self, String> {
        if kept.schema != SCHEMA {
            return Err(format!("schema {} is not known", kept.schema));
        }
        if kept.tokens.len() > MAX_TOKENS || kept.keys.len() > MAX_KEYS {
            return Err("too many tokens or keys".to_owned());
        }
        let ids = kept.tokens.iter().map(|token| token.live.id.0);
        let last = ids.chain(kept.keys.iter().map(|key| key.id.0)).max();
        Ok(Self {
            last: kept.last.max(last.unwrap_or_default()),
            made: kept
                .tokens
                .into_iter()
                .map(|token| (token.live.id, token))
                .collect(),
            keys: kept.keys.into_iter().map(|key| (key.id, key)).collect(),
        })
    }
}
