use super::*;
use std::time::Duration;

fn refusal(status: u16, kind: &str, detail: &str) -> Refusal {
    let body = serde_json::json!({ "type": format!("{PREFIX}{kind}"), "detail": detail });
    Refusal {
        status,
        problem: Problem::read(body.to_string().as_bytes()),
        retry_after: None,
    }
}

#[test]
fn the_blame_follows_from_what_the_ca_says() {
    for (status, kind, blame) in [
        (429, "rateLimited", Blame::Limited),
        (403, "rateLimited", Blame::Limited),
        (429, "unknown", Blame::Limited),
        (500, "serverInternal", Blame::Unreachable),
        (503, "", Blame::Unreachable),
        (400, "badNonce", Blame::Unreachable),
        (403, "caa", Blame::Proof),
        (403, "externalAccountRequired", Blame::Order),
        (400, "rejectedIdentifier", Blame::Order),
        (400, "malformed", Blame::Order),
        (404, "", Blame::Order),
    ] {
        let failure = refusal(status, kind, "because").failure("the order");
        assert_eq!(failure.blame, blame, "{status} {kind}: {}", failure.text);
    }
}

#[test]
fn a_proof_that_was_not_found_names_the_remedy() {
    let problem = refusal(403, "connection", "Timeout during connect.").problem;
    let failure = problem.of_proof("hq.example", &Proof::Http01);
    assert_eq!(failure.blame, Blame::Proof);
    assert_eq!(
        failure.text,
        "the CA could not fetch http://hq.example/.well-known/acme-challenge/...: Timeout during connect; \
         port 80 of hq.example must lead here from outside"
    );
    let forbidden = refusal(403, "caa", "no").problem;
    let failure = forbidden.of_proof("hq.example", &Proof::TlsAlpn01);
    assert!(failure.text.contains("CAA"), "{}", failure.text);
    let limited = refusal(429, "rateLimited", "no").problem;
    let failure = limited.of_proof("hq.example", &Proof::Http01);
    assert_eq!(failure.blame, Blame::Limited);
}

#[test]
fn the_words_of_a_stranger_are_clipped_and_cleansed() {
    for (text, expected) in [
        ("a\r\nb\u{1b}[31mc", "a b [31mc"),
        ("right\u{202e}left.", "right left"),
        ("  ", ""),
    ] {
        assert_eq!(clean(text), expected);
    }
    let long = clean(&"ä".repeat(1000));
    assert!(long.len() <= TEXT + 3 && long.ends_with('…'), "{long}");
    for body in ["", "[]", "{\"type\":1}", "\u{0}"] {
        assert_eq!(Problem::read(body.as_bytes()), Problem::default());
    }
    let body = r#"{"detail":"no","subproblems":[{"detail":"bad\nname","identifier":{"type":"dns","value":"x.example"}}]}"#;
    assert_eq!(
        Problem::read(body.as_bytes()).text(),
        "no; x.example: bad name"
    );
}

#[test]
fn the_wait_is_seconds_or_a_date() {
    let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
    for (field, expected) in [
        ("120", Some(120)),
        (" 0 ", Some(0)),
        ("99999999999999999999999", Some(LONGEST_WAIT)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("soon", None),
        ("", None),
        ("-1", None),
    ] {
        assert_eq!(retry_after(field, now), expected, "{field:?}");
    }
}
