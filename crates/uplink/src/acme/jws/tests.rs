use super::*;
use crate::acme::order::Blame;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

fn account() -> Account {
    Account {
        key: certs::new_key(certs::KeyKind::P256).unwrap(),
        url: None,
        contact: Vec::new(),
        external: None,
    }
}

fn part(message: &Value, name: &str) -> Vec<u8> {
    BASE64URL
        .decode(message[name].as_str().unwrap().as_bytes())
        .unwrap()
}

fn header(message: &Value) -> Value {
    serde_json::from_slice(&part(message, "protected")).unwrap()
}

#[test]
fn a_request_is_signed_by_the_account_key() {
    let key = Key::of(&account()).unwrap();
    let payload = json!({ "a": 1 });
    let signer = Signer::Account("https://ca.example/account/1");
    let body = key.sign(&signer, "nonce", "https://ca.example/x", Some(&payload));
    let message: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    assert_eq!(
        header(&message),
        json!({ "alg": "ES256", "kid": "https://ca.example/account/1", "nonce": "nonce",
            "url": "https://ca.example/x" })
    );
    assert_eq!(part(&message, "payload"), br#"{"a":1}"#);
    let input = format!(
        "{}.{}",
        message["protected"].as_str().unwrap(),
        message["payload"].as_str().unwrap()
    );
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.pair.public_key().as_ref());
    public
        .verify(input.as_bytes(), &part(&message, "signature"))
        .unwrap();
}

#[test]
fn a_question_has_an_empty_payload_and_a_new_account_its_key() {
    let key = Key::of(&account()).unwrap();
    let body = key.sign(&Signer::Key, "n", "https://ca.example/new", None);
    let message: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    assert_eq!(message["payload"], "");
    assert_eq!(header(&message)["jwk"], key.jwk);
    assert_eq!(header(&message)["kid"], Value::Null);
    assert!(key.authorization("token").starts_with("token."));
    // A SHA-256 in base64url.
    assert_eq!(key.thumbprint.len(), 43);
}

#[test]
fn an_external_account_is_bound_by_its_mac_key() {
    let key = Key::of(&account()).unwrap();
    let mut external = External {
        key_id: "kid-1".into(),
        mac_key: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W==".into(),
    };
    let url = "https://ca.example/new";
    let bound = key.bind(&external, url).unwrap();
    assert_eq!(
        header(&bound),
        json!({ "alg": "HS256", "kid": "kid-1", "url": url })
    );
    let jwk: Value = serde_json::from_slice(&part(&bound, "payload")).unwrap();
    assert_eq!(jwk, key.jwk);
    assert_eq!(part(&bound, "signature").len(), 32);
    external.mac_key = "not base64!".into();
    assert_eq!(key.bind(&external, url).unwrap_err().blame, Blame::Us);
}

#[test]
fn what_is_no_key_is_our_fault() {
    for text in [
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        let mut account = account();
        account.key = text.into();
        let failure = Key::of(&account).err().unwrap();
        assert_eq!(failure.blame, Blame::Us, "{text}");
    }
}
