//! Tokens, each claim of which is wrong once, by keys made here; the provider of [`stub`] speaks TLS.

pub(crate) mod stub;
mod whole;

use super::claims::{IdToken, Parties, id_token};
use super::jws::TokenFault;
use super::keys::Keys;
use super::logout::{LoggedOut, LogoutToken, Seen, logout_token};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RsaSignatureEncoding,
};
use data_encoding::BASE64URL_NOPAD as BASE64URL;
use serde_json::{Value, json};
use std::sync::LazyLock;

const NOW: u64 = 1_800_000_000;
const NONCE: &str = "n-0S6_WzA2Mj";
const OURS: Parties<'_> = Parties {
    issuer: "https://login.example",
    client: "gatehouse",
};

/// A key pair of a provider.
pub(crate) enum Pair {
    Rsa(RsaKeyPair),
    Ec(&'static str, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

pub(crate) static RSA: LazyLock<Pair> =
    LazyLock::new(|| Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
static P256: LazyLock<Pair> = LazyLock::new(|| {
    Pair::Ec(
        "P-256",
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
    )
});

impl Pair {
    fn jwk(&self, id: &str) -> Value {
        let text = |bytes: &[u8]| BASE64URL.encode(bytes);
        match self {
            Self::Rsa(pair) => {
                // RFC 8017 appendix A.1.1, in DER: a modulus of 2048 bits and 65537.
                let der = pair.public_key().as_ref();
                let (n, e) = (&der[9..265], &der[267..]);
                json!({ "kty": "RSA", "use": "sig", "kid": id, "n": text(n), "e": text(e) })
            }
            Self::Ec(curve, pair) => {
                let (x, y) =
                    pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
                json!({ "kty": "EC", "crv": curve, "kid": id, "x": text(x), "y": text(y) })
            }
            Self::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": text(pair.public_key().as_ref()) })
            }
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let encoding: &RsaSignatureEncoding = match algorithm {
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signed).unwrap();
                signed
            }
            Self::Ec(_, pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    pub(crate) fn token(&self, head: &Value, claims: &[u8]) -> String {
        let algorithm = head["alg"].as_str().unwrap_or_default();
        let head = BASE64URL.encode(head.to_string().as_bytes());
        let message = format!("{head}.{}", BASE64URL.encode(claims));
        let signed = self.sign(algorithm, message.as_bytes());
        format!("{message}.{}", BASE64URL.encode(&signed))
    }
}

fn keys(all: &[Value]) -> Keys {
    Keys::read(json!({ "keys": all }).to_string().as_bytes()).unwrap()
}

pub(crate) fn id_claims() -> Value {
    json!({
        "iss": "https://login.example", "aud": "gatehouse", "sub": "1f2e", "sid": "s1", "nonce": NONCE,
        "iat": NOW, "exp": NOW + 300, "preferred_username": "ada", "groups": ["pbx-users"],
    })
}

fn id(head: &Value, claims: &Value) -> Result<IdToken, TokenFault> {
    let token = P256.token(head, claims.to_string().as_bytes());
    id_token(
        &token,
        &keys(&[RSA.jwk("r"), P256.jwk("e")]),
        OURS,
        NONCE,
        NOW,
    )
}

#[test]
fn every_algorithm_with_a_key_pair_is_taken() {
    let pairs = [
        (
            &*RSA,
            vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        ),
        (&*P256, vec!["ES256"]),
        (
            &Pair::Ec(
                "P-384",
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
            ),
            vec!["ES384"],
        ),
        (
            &Pair::Ec(
                "P-521",
                EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap(),
            ),
            vec!["ES512"],
        ),
        (
            &Pair::Ed25519(Ed25519KeyPair::generate().unwrap()),
            vec!["EdDSA", "Ed25519"],
        ),
    ];
    let claims = id_claims().to_string();
    let all: Vec<_> = pairs
        .iter()
        .enumerate()
        .map(|(n, (pair, _))| pair.jwk(&n.to_string()))
        .collect();
    for (number, (pair, algorithms)) in pairs.iter().enumerate() {
        for algorithm in algorithms {
            for head in [
                json!({ "alg": algorithm, "kid": number.to_string() }),
                json!({ "alg": algorithm, "typ": "JWT" }),
            ] {
                let token = pair.token(&head, claims.as_bytes());
                let id = id_token(&token, &keys(&all), OURS, NONCE, NOW).unwrap();
                assert_eq!(
                    (&*id.subject, id.session.as_deref()),
                    ("1f2e", Some("s1")),
                    "{head}"
                );
                assert_eq!(id.expires, NOW + 300);
            }
            // Another algorithm of the same key, another key by its name.
            let head = json!({ "alg": algorithm, "kid": ((number + 1) % 5).to_string() });
            let token = pair.token(&head, claims.as_bytes());
            let fault = id_token(&token, &keys(&all), OURS, NONCE, NOW).unwrap_err();
            assert_eq!(fault, TokenFault::Key, "{head}");
        }
    }
}

#[test]
fn what_needs_no_key_pair_is_never_believed() {
    let set = keys(&[RSA.jwk("r"), P256.jwk("e")]);
    let claims = BASE64URL.encode(id_claims().to_string().as_bytes());
    for algorithm in [
        "none", "None", "HS256", "HS384", "HS512", "RS1", "RSA-OAEP", "dir", "ES256K", "", "es256",
    ] {
        let head = BASE64URL.encode(json!({ "alg": algorithm }).to_string().as_bytes());
        for signature in [
            String::new(),
            "AAAA".to_owned(),
            hs256(&format!("{head}.{claims}")),
        ] {
            let token = format!("{head}.{claims}.{signature}");
            let fault = id_token(&token, &set, OURS, NONCE, NOW).unwrap_err();
            assert_eq!(fault, TokenFault::Algorithm, "{algorithm:?}");
        }
    }
}

/// By the text of the public key as a secret, which some libraries once took.
fn hs256(message: &str) -> String {
    let secret = RSA.jwk("r")["n"].as_str().unwrap().to_owned();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    BASE64URL.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref())
}

#[test]
fn heads_that_say_something_else_are_refused() {
    let claims = id_claims();
    for (head, fault) in [
        (
            json!({ "alg": "ES256", "typ": "logout+jwt" }),
            TokenFault::Kind,
        ),
        (json!({ "alg": "ES256", "typ": "at+jwt" }), TokenFault::Kind),
        (json!({ "alg": "ES256", "typ": 1 }), TokenFault::Form),
        (
            json!({ "alg": "ES256", "crit": ["exp"] }),
            TokenFault::Critical,
        ),
        (
            json!({ "alg": "ES256", "b64": false }),
            TokenFault::Critical,
        ),
        (json!({ "alg": "ES256", "kid": 7 }), TokenFault::Form),
        (json!({ "alg": "ES256", "kid": "x" }), TokenFault::Key),
        (json!({ "alg": "RS256", "kid": "e" }), TokenFault::Key),
        (json!({ "alg": "RS256", "kid": "r" }), TokenFault::Signature),
        (json!({ "alg": ["ES256"] }), TokenFault::Algorithm),
        (json!({}), TokenFault::Algorithm),
    ] {
        assert_eq!(id(&head, &claims).unwrap_err(), fault, "{head}");
    }
    assert!(
        id(
            &json!({ "alg": "ES256", "typ": "application/JWT", "jku": "https://evil.example" }),
            &claims
        )
        .is_ok()
    );
}

#[test]
fn every_claim_is_wrong_once() {
    let head = json!({ "alg": "ES256", "kid": "e" });
    assert!(id(&head, &id_claims()).is_ok());
    for (claim, value, fault) in [
        (
            "iss",
            json!("https://login.example/"),
            TokenFault::Wrong("iss"),
        ),
        (
            "iss",
            json!(["https://login.example"]),
            TokenFault::Claim("iss"),
        ),
        ("aud", json!("other"), TokenFault::Wrong("aud")),
        ("aud", json!([]), TokenFault::Wrong("aud")),
        ("aud", json!(["other"]), TokenFault::Wrong("aud")),
        (
            "aud",
            json!(["gatehouse", "other"]),
            TokenFault::Claim("azp"),
        ),
        ("aud", json!({ "gatehouse": 1 }), TokenFault::Claim("aud")),
        ("azp", json!("other"), TokenFault::Wrong("azp")),
        ("azp", json!(null), TokenFault::Wrong("azp")),
        ("exp", json!(NOW - 60), TokenFault::Over),
        ("exp", json!("soon"), TokenFault::Claim("exp")),
        ("exp", json!(-1), TokenFault::Claim("exp")),
        ("iat", json!(NOW + 61), TokenFault::Early),
        ("iat", json!("now"), TokenFault::Claim("iat")),
        ("nbf", json!(NOW + 61), TokenFault::Early),
        ("nbf", json!({}), TokenFault::Claim("nbf")),
        ("nonce", json!("n-0S6_WzA2Mk"), TokenFault::Wrong("nonce")),
        ("nonce", json!(""), TokenFault::Wrong("nonce")),
        ("nonce", json!(7), TokenFault::Claim("nonce")),
        ("sub", json!(""), TokenFault::Claim("sub")),
        ("sub", json!(7), TokenFault::Claim("sub")),
        ("sub", json!("a\nb"), TokenFault::Claim("sub")),
        ("sub", json!("a".repeat(256)), TokenFault::Claim("sub")),
        ("sid", json!(7), TokenFault::Claim("sid")),
    ] {
        let mut claims = id_claims();
        claims[claim] = value;
        assert_eq!(id(&head, &claims).unwrap_err(), fault, "{claims}");
    }
}

#[test]
fn claims_are_all_there_and_may_be_said_in_their_own_way() {
    let head = json!({ "alg": "ES256", "kid": "e" });
    for claim in ["iss", "aud", "exp", "iat", "nonce", "sub"] {
        let mut claims = id_claims();
        claims.as_object_mut().unwrap().remove(claim);
        assert_eq!(id(&head, &claims).unwrap_err(), TokenFault::Claim(claim));
    }
    for (claim, value) in [
        ("aud", json!(["gatehouse"])),
        ("azp", json!("gatehouse")),
        ("exp", json!(NOW - 59)),
        ("exp", json!(1_800_000_100.5)),
        ("iat", json!(NOW + 60)),
        ("nbf", json!(NOW + 60)),
    ] {
        let mut claims = id_claims();
        claims[claim] = value;
        assert!(id(&head, &claims).is_ok(), "{claims}");
    }
    let mut claims = id_claims();
    (claims["aud"], claims["azp"]) = (json!(["other", "gatehouse"]), json!("gatehouse"));
    assert!(id(&head, &claims).is_ok());
}

#[test]
fn a_token_is_whole_or_nothing() {
    let head = json!({ "alg": "ES256", "kid": "e" });
    let set = keys(&[P256.jwk("e")]);
    let check = |token: &str| id_token(token, &set, OURS, NONCE, NOW);
    let token = P256.token(&head, id_claims().to_string().as_bytes());
    assert!(check(&token).is_ok());
    for end in 0..token.len() {
        assert!(check(&token[..end]).is_err(), "{end}");
        let mut other = token.clone().into_bytes();
        other[end] = if other[end] == b'A' { b'B' } else { b'A' };
        assert!(
            check(std::str::from_utf8(&other).unwrap()).is_err(),
            "{end}"
        );
    }
    assert_eq!(
        check(&format!("{token}.a.b")).unwrap_err(),
        TokenFault::Encrypted
    );
    for wrong in [
        format!("{token}="),
        format!("{token}."),
        format!(" {token}"),
        format!("{token}\n"),
    ] {
        assert_eq!(check(&wrong).unwrap_err(), TokenFault::Form, "{wrong:?}");
    }
    for claims in [
        r#"{"iss":"a","iss":"https://login.example"}"#,
        "[]",
        "",
        "\u{0}",
    ] {
        let token = P256.token(&head, claims.as_bytes());
        assert_eq!(check(&token).unwrap_err(), TokenFault::Form, "{claims}");
    }
    let long = format!("{}{token}", "A".repeat(64 * 1024));
    assert_eq!(check(&long).unwrap_err(), TokenFault::Form);
}

#[test]
fn keys_for_something_else_are_none_of_ours() {
    let set = |jwk: Value| Keys::read(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
    for (member, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("kty", json!("oct")),
        ("kty", json!(7)),
        ("crv", json!("secp256k1")),
        ("x", json!("AAAA")),
        ("y", json!("not base64url!")),
    ] {
        let mut jwk = P256.jwk("e");
        jwk[member] = value;
        assert!(set(jwk).is_empty(), "{member}");
    }
    let mut only = P256.jwk("e");
    only["alg"] = json!("ES384");
    let token = P256.token(
        &json!({ "alg": "ES256" }),
        id_claims().to_string().as_bytes(),
    );
    assert_eq!(
        id_token(&token, &set(only), OURS, NONCE, NOW).unwrap_err(),
        TokenFault::Key
    );
    for wrong in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        assert!(Keys::read(wrong.as_bytes()).is_none(), "{wrong}");
    }
    assert!(Keys::read(br#"{"keys":[1,null,{}]}"#).unwrap().is_empty());
}

pub(crate) fn logout_claims() -> Value {
    json!({
        "iss": "https://login.example", "aud": "gatehouse", "sub": "1f2e", "sid": "s1", "jti": "j1",
        "iat": NOW, "exp": NOW + 120,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    })
}

fn logout(kind: &str, claims: &Value) -> Result<LogoutToken, TokenFault> {
    let head = json!({ "alg": "RS256", "kid": "r", "typ": kind });
    let token = RSA.token(&head, claims.to_string().as_bytes());
    logout_token(&token, &keys(&[RSA.jwk("r")]), OURS, NOW)
}

#[test]
fn only_a_logout_token_ends_a_session() {
    for kind in ["logout+jwt", "JWT", "application/logout+jwt"] {
        let token = logout(kind, &logout_claims()).unwrap();
        let whom = LoggedOut {
            issuer_session: Some("s1".to_owned()),
            subject: Some("1f2e".to_owned()),
        };
        assert_eq!(
            (token.whom, &*token.id, token.over),
            (whom, "j1", NOW + 180)
        );
    }
    assert_eq!(
        logout("at+jwt", &logout_claims()).unwrap_err(),
        TokenFault::Kind
    );
    // An ID token is none.
    assert_eq!(
        logout("JWT", &id_claims()).unwrap_err(),
        TokenFault::Claim("events")
    );
    for (claim, value, fault) in [
        (
            "iss",
            json!("https://other.example"),
            TokenFault::Wrong("iss"),
        ),
        ("aud", json!("other"), TokenFault::Wrong("aud")),
        ("iat", json!(NOW + 61), TokenFault::Early),
        ("exp", json!(NOW - 60), TokenFault::Over),
        ("events", json!({}), TokenFault::Claim("events")),
        (
            "events",
            json!({ "http://schemas.openid.net/event/backchannel-logout": true }),
            TokenFault::Claim("events"),
        ),
        (
            "events",
            json!(["http://schemas.openid.net/event/backchannel-logout"]),
            TokenFault::Claim("events"),
        ),
        ("nonce", json!(NONCE), TokenFault::Wrong("nonce")),
        ("jti", json!(7), TokenFault::Claim("jti")),
    ] {
        let mut claims = logout_claims();
        claims[claim] = value;
        assert_eq!(
            logout("logout+jwt", &claims).unwrap_err(),
            fault,
            "{claims}"
        );
    }
}

#[test]
fn a_logout_token_says_whom_and_is_fresh() {
    for claim in ["iss", "aud", "iat", "events", "jti"] {
        let mut claims = logout_claims();
        claims.as_object_mut().unwrap().remove(claim);
        assert_eq!(
            logout("logout+jwt", &claims).unwrap_err(),
            TokenFault::Claim(claim)
        );
    }
    let mut claims = logout_claims();
    claims.as_object_mut().unwrap().remove("sub");
    assert!(logout("logout+jwt", &claims).is_ok());
    claims.as_object_mut().unwrap().remove("sid");
    assert_eq!(
        logout("logout+jwt", &claims).unwrap_err(),
        TokenFault::Claim("sub")
    );
    // Where it does not say until when, a few minutes.
    let mut claims = logout_claims();
    claims.as_object_mut().unwrap().remove("exp");
    assert!(logout("logout+jwt", &claims).is_ok());
    claims["iat"] = json!(NOW - 360);
    assert_eq!(logout("logout+jwt", &claims).unwrap_err(), TokenFault::Over);
}

#[test]
fn a_logout_token_is_taken_once() {
    let mut seen = Seen::default();
    let mut token = logout("JWT", &logout_claims()).unwrap();
    assert_eq!(seen.take(&token, NOW), Ok(()));
    assert_eq!(seen.take(&token, NOW + 100), Err(TokenFault::Again));
    for number in 0..5000 {
        token.id = number.to_string();
        assert_eq!(seen.take(&token, NOW), Ok(()));
    }
    assert_eq!(seen.take(&token, NOW), Err(TokenFault::Again));
    assert!(format!("{seen:?}").len() < 1024 * 40);
}

#[test]
fn random_bytes_are_no_token() {
    let set = keys(&[P256.jwk("e")]);
    let head = json!({ "alg": "ES256", "kid": "e" });
    let mut bytes = [0; 96];
    for _ in 0..2000 {
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let coded = BASE64URL.encode(&bytes);
        for token in [text, format!("{coded}.{coded}.{coded}"), coded] {
            assert!(id_token(&token, &set, OURS, NONCE, NOW).is_err());
            assert!(logout_token(&token, &set, OURS, NOW).is_err());
        }
        Keys::read(&bytes);
    }
    for _ in 0..100 {
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        let token = P256.token(&head, &bytes);
        assert!(id_token(&token, &set, OURS, NONCE, NOW).is_err());
    }
}
