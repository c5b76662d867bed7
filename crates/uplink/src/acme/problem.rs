//! What a CA says when it does not want to: from its problem document (RFC 8555 section 6.7) to a [`Failure`].

use super::order::{Blame, Failure, Proof};
use jiff::fmt::rfc2822;
use serde::Deserialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a stranger's text may take of a sentence of ours.
const TEXT: usize = 300;
/// No CA means more than a month.
const LONGEST_WAIT: u64 = 31 * 24 * 3600;
/// What the types that RFC 8555 names begin with.
const PREFIX: &str = "urn:ietf:params:acme:error:";

/// A problem document (RFC 9457), as far as it is of use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Problem {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    subproblems: Vec<Subproblem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Subproblem {
    #[serde(default)]
    detail: String,
    identifier: Option<Identifier>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Identifier {
    value: String,
}

/// An answer of a CA that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) problem: Problem,
    pub(super) retry_after: Option<u64>,
}

/// Why something did not come about: the CA refused it, or it never came to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refused(Refusal),
    Other(Failure),
}

impl Problem {
    /// The problem document in `body`; an empty one where that holds none.
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Whether it is of this type, one of RFC 8555 section 6.7.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind.strip_prefix(PREFIX) == Some(kind)
    }

    /// What it says, for a sentence of ours.
    pub(super) fn text(&self) -> String {
        let mut text = self.detail.clone();
        for sub in self.subproblems.iter().take(3) {
            let name = sub.identifier.as_ref().map_or("", |of| of.value.as_str());
            text.push_str(&format!("; {name}: {}", sub.detail));
        }
        if text.is_empty() {
            text.clone_from(&self.kind);
        }
        clean(&text)
    }

    /// Why the CA does not believe that `name` is ours.
    pub(super) fn of_proof(&self, name: &str, proof: &Proof) -> Failure {
        let said = self.text();
        let text = if self.is("caa") {
            format!(
                "the CAA records of {name} do not allow this CA: {said}; allow it there, or take another CA"
            )
        } else if self.is("rateLimited") {
            return limited(&said, None);
        } else if self.is("serverInternal") {
            return unreachable(format!(
                "the CA failed to look for the proof of {name}: {said}"
            ));
        } else {
            match proof {
                Proof::Http01 => format!(
                    "the CA could not fetch http://{name}/.well-known/acme-challenge/...: {said}; \
                     port 80 of {name} must lead here from outside"
                ),
                Proof::TlsAlpn01 => format!(
                    "the CA found no proof at {name}:443: {said}; port 443 of {name} must lead here from \
                     outside, with nothing in between that ends TLS"
                ),
                Proof::Dns01(update) => format!(
                    "the CA did not find the TXT record _acme-challenge.{name}: {said}; the name servers of \
                     the zone must take it over from {}",
                    clean(&update.server)
                ),
                Proof::Dns01Zone(zone) => format!(
                    "the CA did not find the TXT record _acme-challenge.{name}: {said}; it must be a CNAME \
                     of {name}.{}, and that zone be delegated to this gateway",
                    clean(zone)
                ),
            }
        };
        Failure {
            blame: Blame::Proof,
            text,
            retry_after: None,
        }
    }
}

impl Refusal {
    /// Why there is no certificate; `asked` says what was refused, as in "the order".
    pub(super) fn failure(self, asked: &str) -> Failure {
        let said = self.problem.text();
        let is = |kind| self.problem.is(kind);
        if is("rateLimited") || self.status == 429 {
            return limited(&said, self.retry_after);
        }
        let (blame, text) = if is("serverInternal") || self.status >= 500 {
            let status = self.status;
            let text = format!("the CA has a fault of its own (status {status}): {said}");
            (Blame::Unreachable, text)
        } else if is("badNonce") {
            let text = "the CA has refused too many nonces of its own in a row; try again later";
            (Blame::Unreachable, text.to_owned())
        } else if is("caa") {
            let text = format!(
                "the CAA records do not allow this CA: {said}; allow it there, or take another CA"
            );
            (Blame::Proof, text)
        } else if is("externalAccountRequired") {
            let text = format!(
                "the CA takes only those who have an account with it already: {said}; give its key \
                 identifier and MAC key as the external account"
            );
            (Blame::Order, text)
        } else if is("userActionRequired") {
            let text = format!("the CA wants the operator to do something first: {said}");
            (Blame::Order, text)
        } else if is("invalidContact") || is("unsupportedContact") {
            let text = format!("the CA does not take the contact: {said}; give another address");
            (Blame::Order, text)
        } else if is("rejectedIdentifier") || is("unsupportedIdentifier") {
            let text = format!(
                "the CA gives no certificate for these names: {said}; a public CA takes public host names only"
            );
            (Blame::Order, text)
        } else {
            let text = format!("the CA refuses {asked} (status {}): {said}", self.status);
            (Blame::Order, text)
        };
        Failure {
            blame,
            text,
            retry_after: self.retry_after,
        }
    }
}

impl Fault {
    /// As [`Refusal::failure`].
    pub(super) fn failure(self, asked: &str) -> Failure {
        match self {
            Self::Refused(refusal) => refusal.failure(asked),
            Self::Other(failure) => failure,
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

fn limited(said: &str, retry_after: Option<u64>) -> Failure {
    Failure {
        blame: Blame::Limited,
        text: format!("the CA has had enough requests for now: {said}"),
        retry_after,
    }
}

/// The CA can not be reached, or talks nonsense.
pub(super) fn unreachable(text: impl Into<String>) -> Failure {
    Failure {
        blame: Blame::Unreachable,
        text: text.into(),
        retry_after: None,
    }
}

/// What we have is unfit.
pub(super) fn unfit(text: impl Into<String>) -> Failure {
    Failure {
        blame: Blame::Us,
        text: text.into(),
        retry_after: None,
    }
}

/// The CA does not want, or does not offer, what we need.
pub(super) fn unwanted(text: impl Into<String>) -> Failure {
    Failure {
        blame: Blame::Order,
        text: text.into(),
        retry_after: None,
    }
}

/// A stranger's text, fit for a log: one line, no control characters, none that turn the direction of writing, not
/// too long.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::new();
    for c in text.chars() {
        if clean.len() + c.len_utf8() > TEXT {
            clean.push('…');
            break;
        }
        let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        let c = if c.is_control() || turns { ' ' } else { c };
        if c != ' ' || !clean.ends_with(' ') {
            clean.push(c);
        }
    }
    clean.truncate(clean.trim_end_matches([' ', '.']).len());
    clean
}

/// The seconds that a `Retry-After` field means (RFC 9110 section 10.2.3): a number, or a date.
pub(super) fn retry_after(field: &str, now: SystemTime) -> Option<u64> {
    let field = field.trim();
    if !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit()) {
        // One too large for a number is a long wait.
        return Some(field.parse().unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT));
    }
    let at = rfc2822::parse(field).ok()?.timestamp().as_second();
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let wait = u64::try_from(at).unwrap_or_default().saturating_sub(now);
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
