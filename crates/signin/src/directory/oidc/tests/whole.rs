//! Whole logins at a provider that a test directs.

use super::super::{Callback, Fault, Finished, LogoutFault, Oidc, Pending, TokenFault};
use super::stub::Stub;
use super::{NOW, P256, Pair, RSA, id_claims, logout_claims};
use serde_json::{Value, json};

const BACK: &str = "https://pbx.example.com/.gatehouse/oidc/callback";

/// What the browser brings, and what the provider gives for it.
struct Login {
    stub: Stub,
    oidc: Oidc,
    pending: Pending,
    claims: Value,
}

async fn begun(more: &str) -> Login {
    let stub = Stub::start().await;
    let oidc = stub.oidc(more);
    let (address, pending) = oidc.begin(BACK, NOW).await.unwrap();
    assert!(address.starts_with(&format!(
        "{}/auth?response_type=code&client_id=gatehouse&",
        stub.issuer
    )));
    let mut claims = id_claims();
    claims["iss"] = json!(stub.issuer);
    claims["nonce"] = json!(pending.nonce());
    Login {
        stub,
        oidc,
        pending,
        claims,
    }
}

impl Login {
    fn gives(&self, pair: &Pair, id: &str) {
        let algorithm = if matches!(pair, Pair::Rsa(_)) {
            "RS256"
        } else {
            "ES256"
        };
        let head = json!({ "alg": algorithm, "kid": id });
        let token = pair.token(&head, self.claims.to_string().as_bytes());
        let answer = json!({ "access_token": "at", "token_type": "Bearer", "id_token": token });
        self.stub.say("/token", 200, &answer);
    }

    async fn finish(&self) -> Result<Finished, Fault> {
        let query = format!("code=c1&state={}", self.pending.state());
        let callback = Callback::of(&query).unwrap();
        self.oidc.finish(&self.pending, &callback, NOW + 5).await
    }

    /// Why it can not be said who it is.
    async fn fault(&self) -> String {
        self.finish().await.unwrap_err().to_string()
    }
}

#[tokio::test]
async fn somebody_signs_in() {
    let login = begun("").await;
    login.gives(&RSA, "r");
    let Finished::Known(who) = login.finish().await.unwrap() else {
        panic!("not he");
    };
    assert_eq!(
        (&*who.person.user, &*who.person.groups[0]),
        ("ada", "pbx-users")
    );
    assert_eq!(
        (&*who.subject, who.issuer_session.as_deref()),
        ("1f2e", Some("s1"))
    );
    let says = login.stub.says.lock().unwrap();
    let (path, field, body) = says.asked.last().unwrap();
    // "gatehouse:s3cr%3At"
    assert_eq!(
        (&**path, &**field),
        ("/token", "Basic Z2F0ZWhvdXNlOnMzY3IlM0F0")
    );
    assert!(body.starts_with("grant_type=authorization_code&code=c1&redirect_uri=https%3A%2F%2Fpbx.example.com%2F.gatehouse%2Foidc%2Fcallback&code_verifier="));
    assert!(!says.asked.iter().any(|(path, ..)| path == "/me"));
}

#[tokio::test]
async fn what_the_token_does_not_say_userinfo_does() {
    let mut login = begun(", groups_claim = \"roles\"").await;
    login
        .claims
        .as_object_mut()
        .unwrap()
        .remove("preferred_username");
    login.gives(&RSA, "r");
    login.stub.say(
        "/me",
        200,
        &json!({ "sub": "1f2e", "preferred_username": "ada", "roles": ["a"] }),
    );
    let Finished::Known(who) = login.finish().await.unwrap() else {
        panic!("not he");
    };
    assert_eq!(
        (&*who.person.user, &*who.person.groups),
        ("ada", &["a".to_owned()][..])
    );
    assert_eq!(
        login.stub.says.lock().unwrap().asked.last().unwrap().1,
        "Bearer at"
    );
    login.stub.say(
        "/me",
        200,
        &json!({ "sub": "other", "preferred_username": "eve" }),
    );
    assert!(
        login
            .fault()
            .await
            .ends_with("its userinfo is about somebody else")
    );
    login.stub.say("/me", 401, &json!({}));
    assert!(login.fault().await.ends_with("status 401"));
    login.stub.say("/me", 200, &json!({ "sub": "1f2e" }));
    assert!(login.fault().await.contains("preferred_username"));
}

#[tokio::test]
async fn what_the_provider_says_wrong_lets_nobody_in() {
    let login = begun("").await;
    for (status, answer, why) in [
        (200, json!({ "access_token": "at" }), "it sent no id_token"),
        (
            200,
            json!({ "id_token": "a.b.c" }),
            "its id_token: it is no signed token",
        ),
        (
            401,
            json!({ "error": "invalid_client", "error_description": "no\n such" }),
            "status 401: invalid_client no such",
        ),
        (400, json!([]), "its token endpoint has status 400"),
        (500, json!({}), "its token endpoint has status 500"),
        (302, json!({}), "its token endpoint has status 302"),
    ] {
        login.stub.say("/token", status, &answer);
        let told = login.fault().await;
        assert!(told.ends_with(why), "{told}");
    }
    login
        .stub
        .say("/token", 400, &json!({ "error": "invalid_grant" }));
    let refused =
        Finished::Refused("the provider does not take the code: invalid_grant".to_owned());
    assert_eq!(login.finish().await.unwrap(), refused);
    let mut login = login;
    login.claims["nonce"] = json!("other");
    login.gives(&RSA, "r");
    assert!(
        login
            .fault()
            .await
            .ends_with("its claim nonce is not what it should be")
    );
}

#[tokio::test]
async fn an_error_of_the_provider_is_not_one_of_the_user() {
    let login = begun("").await;
    for (error, fault) in [
        ("access_denied", false),
        ("login_required", false),
        ("server_error", true),
        ("invalid_scope", true),
    ] {
        let query = format!("error={error}&state={}", login.pending.state());
        let callback = Callback::of(&query).unwrap();
        let finished = login.oidc.finish(&login.pending, &callback, NOW).await;
        assert_eq!(finished.is_err(), fault, "{error}");
        if let Ok(finished) = finished {
            assert_eq!(finished, Finished::Refused(error.to_owned()));
        }
    }
    let callback = Callback::of("code=c1&state=other").unwrap();
    let finished = login
        .oidc
        .finish(&login.pending, &callback, NOW)
        .await
        .unwrap();
    assert!(matches!(finished, Finished::Refused(_)));
    assert_eq!(login.stub.times("/token"), 0);
}

#[tokio::test]
async fn a_new_key_is_fetched_once_a_minute_at_most() {
    let mut login = begun("").await;
    login.gives(&P256, "new");
    let state = login.pending.state().to_owned();
    let callback = Callback::of(&format!("code=c1&state={state}")).unwrap();
    for _ in 0..3 {
        assert!(login.fault().await.contains("does not publish"));
    }
    assert_eq!(login.stub.times("/jwks"), 1);
    login.stub.say(
        "/jwks",
        200,
        &json!({ "keys": [RSA.jwk("r"), P256.jwk("new")] }),
    );
    let finished = login
        .oidc
        .finish(&login.pending, &callback, NOW + 61)
        .await
        .unwrap();
    assert!(matches!(finished, Finished::Known(_)));
    assert_eq!(login.stub.times("/jwks"), 2);
    login.gives(&P256, "newer");
    for later in 62..110 {
        let finished = login
            .oidc
            .finish(&login.pending, &callback, NOW + later)
            .await;
        assert!(finished.is_err());
    }
    assert_eq!(login.stub.times("/jwks"), 2);
    assert_eq!(login.stub.times("/.well-known/openid-configuration"), 1);
    login.claims["exp"] = json!(NOW + 9000);
    let _ = login.oidc.begin(BACK, NOW + 3600).await.unwrap();
    assert_eq!(login.stub.times("/.well-known/openid-configuration"), 2);
}

#[tokio::test]
async fn a_provider_that_is_away_is_not_asked_by_everybody() {
    let stub = Stub::start().await;
    let oidc = stub.oidc("");
    stub.say("/.well-known/openid-configuration", 503, &json!({}));
    for later in 0..5 {
        let fault = oidc.begin(BACK, NOW + later).await.unwrap_err();
        assert!(matches!(fault, Fault::Unreachable { .. }), "{fault}");
    }
    assert_eq!(stub.times("/.well-known/openid-configuration"), 1);
    let mut other = stub.discovery();
    other["issuer"] = json!("https://other.example");
    stub.say("/.well-known/openid-configuration", 200, &other);
    let fault = oidc.begin(BACK, NOW + 5).await.unwrap_err();
    assert!(
        fault
            .to_string()
            .contains("calls itself \"https://other.example\""),
        "{fault}"
    );
    stub.say("/.well-known/openid-configuration", 200, &stub.discovery());
    assert!(oidc.begin(BACK, NOW + 10).await.is_ok());
}

#[tokio::test]
async fn nobody_is_sent_to_a_provider_that_is_away_now() {
    let login = begun("").await;
    login.gives(&RSA, "r");
    let (stub, oidc) = (&login.stub, &login.oidc);
    let discovery = "/.well-known/openid-configuration";
    stub.say(discovery, 502, &json!({}));
    assert!(oidc.begin(BACK, NOW + 9).await.is_ok());
    let fault = oidc.begin(BACK, NOW + 10).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault}");
    // Whoever is there already comes back.
    let finished = login.finish().await.unwrap();
    assert!(matches!(finished, Finished::Known(_)));
    stub.say(discovery, 200, &stub.discovery());
    assert!(oidc.begin(BACK, NOW + 15).await.is_ok());
    assert!(oidc.begin(BACK, NOW + 24).await.is_ok());
    assert_eq!((stub.times(discovery), stub.times("/jwks")), (3, 1));
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let stub = Stub::start().await;
    let oidc = stub.oidc("");
    let mut long = stub.discovery();
    long["more"] = json!("a".repeat(300_000));
    stub.say("/.well-known/openid-configuration", 200, &long);
    let fault = oidc.begin(BACK, NOW).await.unwrap_err();
    assert!(fault.to_string().contains("broke off"), "{fault}");
}

#[tokio::test]
async fn the_provider_ends_a_session() {
    let stub = Stub::start().await;
    let oidc = stub.oidc("");
    let mut claims = logout_claims();
    claims["iss"] = json!(stub.issuer);
    let head = json!({ "alg": "RS256", "kid": "r", "typ": "logout+jwt" });
    let token = RSA.token(&head, claims.to_string().as_bytes());
    let whom = oidc.logged_out(&token, NOW).await.unwrap();
    assert_eq!(whom.issuer_session.as_deref(), Some("s1"));
    let fault = oidc.logged_out(&token, NOW + 1).await.unwrap_err();
    assert!(matches!(fault, LogoutFault::Token(TokenFault::Again)));
}

#[tokio::test]
async fn signing_out_leads_to_the_provider_if_that_is_wanted() {
    let stub = Stub::start().await;
    let there = stub
        .oidc("")
        .end_session(Some("https://pbx.example.com/"), NOW)
        .await
        .unwrap();
    let wanted = format!(
        "{}/end?client_id=gatehouse&post_logout_redirect_uri=https%3A%2F%2Fpbx.example.com%2F",
        stub.issuer
    );
    assert_eq!(there, Some(wanted));
    let here = stub.oidc(", provider_logout = false");
    assert_eq!(here.end_session(None, NOW).await.unwrap(), None);
}
