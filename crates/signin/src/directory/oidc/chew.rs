//! Everything that a provider or a browser says, at once: for tests with bytes that nobody has chosen.

use super::claims::{self, Parties};
use super::flow::Callback;
use super::json::object;
use super::jws::verified;
use super::keys::Keys;
use super::person::ClaimNames;
use super::provider::Provider;
use super::{logout, text};

/// A key that nobody has the other half of (RFC 7515 appendix A.3).
const KEYS: &[u8] = br#"{"keys":[{"kty":"EC","crv":"P-256",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
const ISSUER: &str = "https://login.example";

/// Reads `data` as all that a provider sends, and tells what an operator gets to see of it.
pub fn chew(data: &[u8]) -> Vec<String> {
    let mut told = Vec::new();
    let text = String::from_utf8_lossy(data);
    let keys = Keys::read(data)
        .or_else(|| Keys::read(KEYS))
        .unwrap_or_default();
    let token = verified(&text, &["jwt", "logout+jwt"], &keys);
    told.extend(token.err().map(|fault| fault.to_string()));
    told.extend(Provider::read(data, ISSUER).err());
    if let Some(callback) = Callback::of(&text) {
        told.push(format!("{callback:?}"));
    }
    if let Some(claims) = object(data) {
        let parties = Parties {
            issuer: ISSUER,
            client: "gatehouse",
        };
        let names = ClaimNames {
            user: "preferred_username".to_owned(),
            groups: "groups".to_owned(),
        };
        match names.person(&claims, None) {
            Ok(person) => {
                told.push(person.user);
                told.extend(person.groups);
            }
            Err(why) => told.push(why),
        }
        match logout::read(&claims, parties, 1_800_000_000) {
            Ok(token) => told.extend(token.whom.subject),
            Err(fault) => told.push(fault.to_string()),
        }
        match claims::read(claims, parties, "nonce", 1_800_000_000) {
            Ok(token) => told.push(token.subject),
            Err(fault) => told.push(fault.to_string()),
        }
    }
    told.push(text::clean(&text));
    told
}
