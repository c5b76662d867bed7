//! All that strangers can send, for the fuzzer.

use super::order::{DnsUpdate, Proof};
use super::problem::{Problem, clean, retry_after};
use super::shape::{Authorization, Directory, OrderSeen, read, window};
use super::{dns, http};
use std::time::UNIX_EPOCH;

/// Reads `bytes` as each thing that a CA or a name server can send, and gives the sentences that an operator could
/// get to see of it. None of them holds a control character, or is long.
pub fn chew(bytes: &[u8]) -> Vec<String> {
    let mut said = vec![Problem::read(bytes).text()];
    let mut failures = Vec::new();
    failures.extend(read::<Directory>(bytes, "directory").err());
    failures.extend(window(bytes, None).err());
    match read::<OrderSeen>(bytes, "order") {
        Ok(order) => {
            order.is_for(&["hq.example".to_owned()]);
        }
        Err(failure) => failures.push(failure),
    }
    match read::<Authorization>(bytes, "authorization") {
        Ok(seen) => {
            for proof in proofs() {
                failures.extend(seen.challenge(&proof).err());
                failures.push(seen.failure(&proof));
            }
        }
        Err(failure) => failures.push(failure),
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        said.push(clean(text));
        retry_after(text, UNIX_EPOCH);
        failures.extend(http::is_address(text).err());
    }
    dns::chew(bytes);
    said.extend(failures.into_iter().map(|failure| failure.text));
    said
}

fn proofs() -> [Proof; 4] {
    let server = DnsUpdate {
        server: "ns.example".to_owned(),
        tsig_name: "box".to_owned(),
        tsig_key: String::new(),
    };
    [
        Proof::Http01,
        Proof::TlsAlpn01,
        Proof::Dns01(server),
        Proof::Dns01Zone("acme.example".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_stranger_sends_an_operator_can_read() {
        let detail = "\u{1b}[2J\r\nroot:\u{202e}".repeat(1000);
        let problem = serde_json::json!({ "detail": detail, "type": detail });
        let authorization = serde_json::json!({ "status": "pending", "wildcard": true,
            "identifier": { "type": "dns", "value": detail },
            "challenges": [{ "type": "http-01", "url": detail, "status": "x", "token": detail,
                "error": problem }] });
        for text in [problem.to_string(), authorization.to_string(), detail] {
            for sentence in chew(text.as_bytes()) {
                assert!(sentence.len() < 2000, "{sentence}");
                assert!(!sentence.contains(char::is_control), "{sentence:?}");
            }
        }
    }
}
