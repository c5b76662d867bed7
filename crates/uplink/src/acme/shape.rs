//! What a CA's answers look like (RFC 8555 section 7.1, RFC 9773 section 4.2), as far as they are of use.

use super::order::{Failure, Proof, Window};
use super::problem::{Problem, clean, unreachable, unwanted};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::net::IpAddr;

/// A token that a path or a log can hold.
const LONGEST_TOKEN: usize = 256;

/// What a CA offers, and where.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Directory {
    pub(super) new_nonce: String,
    pub(super) new_account: String,
    pub(super) new_order: String,
    pub(super) renewal_info: Option<String>,
    #[serde(default)]
    pub(super) meta: Meta,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    #[serde(default)]
    pub(super) external_account_required: bool,
}

/// How far something is; `Other` is what RFC 8555 does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
    #[serde(other)]
    Other,
}

/// An order, as the CA sees it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct OrderSeen {
    pub(super) status: Status,
    #[serde(default)]
    identifiers: Vec<Identifier>,
    #[serde(default)]
    pub(super) authorizations: Vec<String>,
    pub(super) finalize: String,
    pub(super) certificate: Option<String>,
    pub(super) error: Option<Problem>,
}

/// What the CA wants to see for one name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Authorization {
    pub(super) status: Status,
    identifier: Identifier,
    #[serde(default)]
    challenges: Vec<Challenge>,
    #[serde(default)]
    wildcard: bool,
}

/// One way to show it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Challenge {
    #[serde(rename = "type")]
    kind: String,
    pub(super) url: String,
    pub(super) status: Status,
    #[serde(default)]
    pub(super) token: String,
    pub(super) error: Option<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Identifier {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RenewalInfo {
    suggested_window: SuggestedWindow,
    #[serde(rename = "explanationURL")]
    explanation: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SuggestedWindow {
    start: String,
    end: String,
}

/// Reads an answer; `what` names it, as in "order".
///
/// # Errors
/// The CA's: it is none.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let why = clean(&error.to_string());
        unreachable(format!(
            "what the CA sent is no {what}: {why}; is the address that of an ACME directory?"
        ))
    })
}

/// The names as an order has them (RFC 8555 section 7.1.4, RFC 8738 for addresses).
pub(super) fn identifiers(names: &[String]) -> Value {
    let of = |name: &String| json!({ "type": kind(name), "value": name });
    names.iter().map(of).collect()
}

fn kind(name: &str) -> &'static str {
    match name.parse::<IpAddr>() {
        Ok(_) => "ip",
        Err(_) => "dns",
    }
}

impl OrderSeen {
    /// Whether it is for these names and no others.
    pub(super) fn is_for(&self, names: &[String]) -> bool {
        let sorted = |mut list: Vec<Identifier>| {
            list.sort();
            list.dedup();
            list
        };
        let wanted = names.iter().map(|name| Identifier {
            kind: kind(name).to_owned(),
            value: name.clone(),
        });
        let seen = self.identifiers.iter().map(|seen| Identifier {
            kind: seen.kind.clone(),
            value: seen.value.to_ascii_lowercase(),
        });
        sorted(seen.collect()) == sorted(wanted.collect())
    }
}

impl Authorization {
    /// The name, without a `*`; as it may stand in a sentence of ours.
    pub(super) fn name(&self) -> String {
        clean(&self.identifier.value.to_ascii_lowercase())
    }

    /// Whether it is for one of these names.
    pub(super) fn is_of(&self, names: &[String]) -> bool {
        let value = &self.identifier.value;
        let mut names = names.iter();
        names.any(|name| {
            let bare = name.strip_prefix("*.").unwrap_or(name);
            bare.eq_ignore_ascii_case(value)
        })
    }

    /// The way that `proof` names.
    ///
    /// # Errors
    /// The CA's: it does not offer it, or in a form that can not be laid out.
    pub(super) fn challenge(&self, proof: &Proof) -> Result<&Challenge, Failure> {
        let kind = match proof {
            Proof::Http01 => "http-01",
            Proof::TlsAlpn01 => "tls-alpn-01",
            Proof::Dns01(_) | Proof::Dns01Zone(_) => "dns-01",
        };
        let name = self.name();
        let found = self.challenges.iter().find(|offered| offered.kind == kind);
        let Some(found) = found else {
            if self.wildcard {
                return Err(unwanted(format!(
                    "the CA proves *.{name} by DNS only; choose dns-01 for it"
                )));
            }
            let offered: Vec<&str> = self.challenges.iter().map(|c| c.kind.as_str()).collect();
            let offered = clean(&offered.join(", "));
            return Err(unwanted(format!(
                "the CA does not take {kind} for {name}; choose one of: {offered}"
            )));
        };
        // It becomes part of a path, and of what we sign.
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let token = &found.token;
        if token.is_empty() || token.len() > LONGEST_TOKEN || !token.bytes().all(fits) {
            return Err(unreachable(format!(
                "the CA gave a token for {name} that is none (RFC 8555 section 8)"
            )));
        }
        Ok(found)
    }

    /// Why it has failed.
    pub(super) fn failure(&self, proof: &Proof) -> Failure {
        let told = self.challenges.iter().find_map(|c| c.error.as_ref());
        let none = Problem::default();
        told.unwrap_or(&none).of_proof(&self.name(), proof)
    }
}

/// When the CA wants a certificate renewed.
///
/// # Errors
/// The CA's: it says nothing that makes sense.
pub(super) fn window(body: &[u8], ask_again: Option<u64>) -> Result<Window, Failure> {
    let told: RenewalInfo = read(body, "renewal information")?;
    // RFC 3339.
    let seconds = |at: &str| {
        let at: Timestamp = at.parse().ok()?;
        u64::try_from(at.as_second()).ok()
    };
    let window = &told.suggested_window;
    let (start, end) = (seconds(&window.start), seconds(&window.end));
    let (Some(start), Some(end)) = (start, end) else {
        return Err(unreachable(
            "the window in which the CA wants the certificate renewed has no dates",
        ));
    };
    if start >= end {
        return Err(unreachable(
            "the window in which the CA wants the certificate renewed ends before it begins",
        ));
    }
    Ok(Window {
        start,
        end,
        explanation: told.explanation.map(|page| clean(&page)),
        ask_again,
    })
}

#[cfg(test)]
mod tests;
