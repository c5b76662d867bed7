//! What the store has of visitors, tokens and sessions.

use super::{Book, SESSIONS, TOKENS, VISITORS};
use crate::supervisor::journal::Journal;
use serde::de::DeserializeOwned;
use store::Store;

/// Where lists are laid that can not be read.
const DAMAGED_VISITORS: &str = "visitors-damaged.json";
const DAMAGED_TOKENS: &str = "tokens-damaged.json";
const DAMAGED_SESSIONS: &str = "sessions-damaged.json";

/// All of it. What is there and can not be read is laid aside, and lets nobody in.
pub fn kept(store: &mut Store, journal: &Journal) -> Book {
    Book {
        visitors: blob(
            store,
            journal,
            (VISITORS, DAMAGED_VISITORS),
            "no visitor has a password until `gatehouse user add` gives him one",
        ),
        tokens: blob(
            store,
            journal,
            (TOKENS, DAMAGED_TOKENS),
            "no token and no key is good any more; make new ones",
        ),
        sessions: blob(
            store,
            journal,
            (SESSIONS, DAMAGED_SESSIONS),
            "nobody is signed in any more",
        ),
    }
}

fn blob<T: Default + DeserializeOwned>(
    store: &mut Store,
    journal: &Journal,
    (name, aside): (&str, &str),
    follows: &str,
) -> T {
    let bytes = match store.blob(name) {
        Ok(None) => return T::default(),
        Ok(Some(bytes)) => bytes,
        Err(error) => {
            journal.notice("entrance", format!("{error}; {follows}"));
            return T::default();
        }
    };
    serde_json::from_slice(&bytes).unwrap_or_else(|error| {
        // Without its own words, which repeat what is in the file.
        let (line, column) = (error.line(), error.column());
        let text = format!(
            "{name} is damaged at {line}:{column} and was laid aside as {aside}; {follows}"
        );
        journal.notice("entrance", text);
        if let Err(error) = store.set_blob(aside, &bytes) {
            journal.notice("entrance", error.to_string());
        }
        T::default()
    })
}
