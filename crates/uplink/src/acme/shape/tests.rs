use super::*;
use crate::acme::order::Blame;

fn authorization(text: &str) -> Authorization {
    read(text.as_bytes(), "authorization").unwrap()
}

const OFFERED: &str = r#"{"status":"pending","identifier":{"type":"dns","value":"HQ.example"},"challenges":[
    {"type":"http-01","url":"https://ca.example/c/1","status":"pending","token":"abc_-9"},
    {"type":"tls-alpn-01","url":"https://ca.example/c/2","status":"pending","token":"../etc"},
    {"type":"dns-account-01","url":"https://ca.example/c/3","status":"strange"}]}"#;

#[test]
fn the_challenge_that_was_chosen_is_taken() {
    let seen = authorization(OFFERED);
    assert_eq!(seen.challenge(&Proof::Http01).unwrap().token, "abc_-9");
    let failure = seen.challenge(&Proof::TlsAlpn01).unwrap_err();
    assert_eq!(failure.blame, Blame::Unreachable, "{}", failure.text);
    let zone = Proof::Dns01Zone("acme.example".into());
    let failure = seen.challenge(&zone).unwrap_err();
    assert_eq!(
        failure.text,
        "the CA does not take dns-01 for hq.example; choose one of: http-01, tls-alpn-01, dns-account-01"
    );
    let wildcard =
        r#"{"status":"pending","identifier":{"type":"dns","value":"hq.example"},"wildcard":true}"#;
    let failure = authorization(wildcard)
        .challenge(&Proof::Http01)
        .unwrap_err();
    assert_eq!(
        failure.text,
        "the CA proves *.hq.example by DNS only; choose dns-01 for it"
    );
}

#[test]
fn an_order_is_known_again_by_its_names() {
    let text = r#"{"status":"ready","finalize":"https://ca.example/f","identifiers":[
        {"type":"dns","value":"*.hq.example"},{"type":"dns","value":"HQ.example"}]}"#;
    let seen: OrderSeen = read(text.as_bytes(), "order").unwrap();
    let names = |list: &[&str]| list.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
    assert!(seen.is_for(&names(&["hq.example", "*.hq.example"])));
    assert!(!seen.is_for(&names(&["hq.example"])));
    assert!(!seen.is_for(&names(&["hq.example", "*.hq.example", "b.example"])));
    let mixed = identifiers(&names(&["hq.example", "192.0.2.1"]));
    assert_eq!(
        mixed,
        json!([{ "type": "dns", "value": "hq.example" }, { "type": "ip", "value": "192.0.2.1" }])
    );
}

#[test]
fn the_window_is_that_of_rfc_9773() {
    let text = r#"{"suggestedWindow":{"start":"2026-01-02T04:00:00Z","end":"2026-01-03T04:00:00Z"},
        "explanationURL":"https://ca.example/why"}"#;
    let window = window(text.as_bytes(), Some(21_600)).unwrap();
    assert_eq!(window.end - window.start, 86_400);
    assert_eq!(window.start, 1_767_326_400);
    assert_eq!(
        window.explanation.as_deref(),
        Some("https://ca.example/why")
    );
    assert_eq!(window.ask_again, Some(21_600));
}

#[test]
fn what_makes_no_sense_is_the_fault_of_the_ca() {
    for text in [
        "",
        "<html>",
        r#"{"suggestedWindow":{"start":"soon","end":"later"}}"#,
        r#"{"suggestedWindow":{"start":"2026-01-03T00:00:00Z","end":"2026-01-02T00:00:00Z"}}"#,
    ] {
        let failure = window(text.as_bytes(), None).unwrap_err();
        assert_eq!(failure.blame, Blame::Unreachable, "{text}");
    }
    assert!(read::<OrderSeen>(b"{\"status\":\"odd\"}", "order").is_err());
}
