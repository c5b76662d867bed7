//! What the store has of visitors, tokens, sessions and second factors.

use super::{Book, FACTORS, SESSIONS, TOKENS, VISITORS};
use crate::supervisor::journal::Journal;
use guard::entrance::Factors;
use serde::de::DeserializeOwned;
use store::Store;

/// Where lists are laid that can not be read.
const DAMAGED_VISITORS: &str = "visitors-damaged.json";
const DAMAGED_TOKENS: &str = "tokens-damaged.json";
const DAMAGED_SESSIONS: &str = "sessions-damaged.json";
const DAMAGED_FACTORS: &str = "factors-damaged.json";

/// All of it. What is there and can not be read is laid aside, and lets nobody in. `is_another`: the store is not the one that the
/// configuration ran with, so that nothing in it says who has a second factor.
pub fn kept(store: &mut Store, journal: &Journal, is_another: bool) -> Book {
    Book {
        factors: factors(store, journal, is_another),
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

fn factors(store: &mut Store, journal: &Journal, is_another: bool) -> Factors {
    let follows = "nobody can sign in by a list with `totp` until `gatehouse totp reset --all` has everybody begin anew";
    match store.blob(FACTORS) {
        Ok(None) if !is_another => Factors::none(),
        // That the box runs without its state is told elsewhere, and who signs in has it told here.
        Ok(None) => Factors::unknown(),
        _ => blob(store, journal, (FACTORS, DAMAGED_FACTORS), follows),
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
