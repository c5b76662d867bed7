//! Browsers that sign in at an OIDC provider.

use std::time::{SystemTime, UNIX_EPOCH};

use guard::entrance::TokenHash;
use serde_json::{Value, json};

use super::{Browser, World, on_worker};
use crate::directory::Directory;
use crate::directory::oidc::tests::stub::Stub;
use crate::directory::oidc::tests::{RSA, id_claims, logout_claims};

const CONFIG: &str = r#"
schema = 1
[access.staff]
kind = "sso"
login = "oidc"
oidc = { issuer = "https://login.example", client = "gatehouse", client_key = { secret = "oidc" } }
session = { domain = "example.com" }
[[host]]
name = "pbx.example.com"
[[host.http]]
target = "http://192.0.2.1"
access = ["staff"]
[[host]]
name = "a.example.com"
[[host.http]]
target = "http://192.0.2.2"
access = ["staff"]
"#;
const CALLBACK: &str = "/.gatehouse/oidc/callback";

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

async fn world() -> (Stub, World) {
    let stub = Stub::start().await;
    let oidc = stub.oidc("");
    let mut oidc = Some(Box::new(oidc));
    let all = World::with(CONFIG, |_, _| {
        let oidc = oidc.take().ok_or("one list")?;
        Ok(Directory::Oidc(oidc))
    });
    (stub, all)
}

/// A parameter of an address.
fn parameter(address: &str, name: &str) -> String {
    let query = address.split_once('?').unwrap().1;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
    pairs.into_iter().find(|(own, _)| own == name).unwrap().1
}

/// Has the provider say who it is, by a token for this login.
fn signed_in(stub: &Stub, nonce: &str) {
    let mut claims = id_claims();
    claims["iss"] = json!(stub.issuer);
    claims["nonce"] = json!(nonce);
    let token = signed(&mut claims, "JWT");
    stub.say("/token", 200, &json!({ "id_token": token }));
}

fn signed(claims: &mut Value, kind: &str) -> String {
    claims["iat"] = json!(now());
    claims["exp"] = json!(now() + 100);
    let head = json!({ "alg": "RS256", "kid": "r", "typ": kind });
    RSA.token(&head, claims.to_string().as_bytes())
}

/// Begins at the provider's host, and says which answer the browser is to bring back.
async fn begun(max: &mut Browser<'_>, stub: &Stub, to: &str) -> String {
    let said = max
        .get(&format!("/.gatehouse/login?access=staff&to={to}"))
        .await;
    let address = said.header("location").unwrap().to_owned();
    assert_eq!(said.status, 303, "{address}");
    assert!(
        address.starts_with(&format!("{}/auth?", stub.issuer)),
        "{address}"
    );
    let back = parameter(&address, "redirect_uri");
    assert_eq!(back, format!("https://pbx.example.com{CALLBACK}"));
    signed_in(stub, &parameter(&address, "nonce"));
    format!("{CALLBACK}?code=c1&state={}", parameter(&address, "state"))
}

#[tokio::test]
async fn whoever_comes_from_the_provider_is_led_to_where_he_began() {
    on_worker(async {
        let (stub, all) = world().await;
        let mut max = Browser::new(&all);
        max.host = "a.example.com";
        let said = max
            .get("/.gatehouse/login?access=staff&to=%2Flog%3Fa%3Db")
            .await;
        let there = said.header("location").unwrap();
        let there = there
            .strip_prefix("https://pbx.example.com/.gatehouse/login")
            .unwrap();
        assert_eq!(parameter(there, "to"), "https://a.example.com/log?a=b");
        let to = there.split_once("to=").unwrap().1.to_owned();
        max.host = "pbx.example.com";
        let back = begun(&mut max, &stub, &to).await;
        // Another browser has nothing of it.
        let mut eve = Browser::new(&all);
        assert_eq!(eve.get(&back).await.status, 403);
        assert_eq!(eve.cookie("gatehouse_session"), None);
        let said = max.get(&back).await;
        assert_eq!(
            (said.status, said.header("location")),
            (303, Some("https://a.example.com/log?a=b")),
            "{}",
            said.body
        );
        let text = max.cookie("gatehouse_session").unwrap().to_owned();
        let live = all.entrance.session(&TokenHash::of(&text)).unwrap();
        assert_eq!(
            (&*live.session().user, &*live.session().groups[0]),
            ("ada", "pbx-users")
        );
        assert_eq!(live.session().issuer_session.as_deref(), Some("s1"));
        // What was brought once is worth nothing.
        assert_eq!(max.get(&back).await.status, 403);
        assert_eq!(max.get(CALLBACK).await.status, 403);
    })
    .await;
}

#[tokio::test]
async fn the_provider_ends_what_it_began() {
    on_worker(async {
        let (stub, mut all) = world().await;
        let mut max = Browser::new(&all);
        let back = begun(&mut max, &stub, "/").await;
        assert_eq!(max.get(&back).await.status, 303);
        let hash = TokenHash::of(max.cookie("gatehouse_session").unwrap());
        let mut claims = logout_claims();
        claims["iss"] = json!(stub.issuer);
        claims["sid"] = json!("another");
        let mut op = Browser::new(&all);
        let channel = "/.gatehouse/oidc/logout";
        for (token, status) in [
            ("a.b.c".to_owned(), 400),
            (signed(&mut claims, "logout+jwt"), 200),
        ] {
            assert_eq!(
                op.post(channel, &[("logout_token", &token)]).await.status,
                status
            );
            assert!(all.entrance.session(&hash).is_some());
        }
        (claims["sid"], claims["jti"]) = (json!("s1"), json!("j2"));
        let token = signed(&mut claims, "logout+jwt");
        assert_eq!(
            op.post(channel, &[("logout_token", &token)]).await.status,
            200
        );
        assert!(all.entrance.session(&hash).is_none());
        assert_eq!(op.post(channel, &[("other", "x")]).await.status, 400);
        assert_eq!(all.offences(), 0);
    })
    .await;
}

#[tokio::test]
async fn signing_out_leads_to_the_provider() {
    on_worker(async {
        let (stub, all) = world().await;
        let mut max = Browser::new(&all);
        let back = begun(&mut max, &stub, "/").await;
        assert_eq!(max.get(&back).await.status, 303);
        let page = max.get("/.gatehouse/").await;
        assert!(page.body.contains("ada"));
        let mark = page.hidden("mark").to_owned();
        let out = max.post("/.gatehouse/logout", &[("mark", &mark)]).await;
        assert_eq!(max.cookie("gatehouse_session"), None);
        let end = format!("href=\"{}/end?client_id=gatehouse\"", stub.issuer);
        assert!(out.body.contains(&end), "{}", out.body);
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_of() {
    on_worker(async {
        let (stub, mut all) = world().await;
        stub.say("/.well-known/openid-configuration", 503, &json!({}));
        let mut max = Browser::new(&all);
        let said = max.get("/.gatehouse/login?access=staff&to=%2F").await;
        assert_eq!((said.status, said.header("retry-after")), (503, Some("30")));
        assert!(
            !said.body.contains(&stub.issuer),
            "the operator alone is told"
        );
        let told = all.events();
        assert!(
            format!("{told:?}").contains("nobody can sign in"),
            "{told:?}"
        );
    })
    .await;
}
