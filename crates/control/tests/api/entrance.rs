//! Visitors, tokens and keys, and what a program with a key may ask.

use super::memory::NOW;
use super::operators::Line;
use super::*;

use control::{
    AccessKey, AccessKeyMade, Actor, Entrance, FactorsReset, Htpasswd, Imported, NewAccessKey,
    NewToken, NewVisitor, Peer, Revoked, SsoEnded, SsoFactor, SsoSession, Token, TokenMade,
    Visitor, VisitorPassword, WhichFactors, WhichSessions,
};
use hyper::StatusCode;

/// As a key looks.
const KEY: &str = "gkKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK";
const OTHER: &str = "gkXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";

fn visitor(name: String) -> Visitor {
    Visitor {
        name,
        created: NOW,
        imported: false,
    }
}

fn token(access: &str, by: &Actor) -> Token {
    Token {
        id: 4,
        access: access.to_owned(),
        created: NOW,
        expires: None,
        note: String::new(),
        by: by.to_string(),
    }
}

fn key(access: &str) -> AccessKey {
    AccessKey {
        id: 5,
        access: access.to_owned(),
        created: NOW,
        note: String::new(),
        by: "local".to_owned(),
    }
}

fn session() -> SsoSession {
    SsoSession {
        id: 6,
        access: "staff".to_owned(),
        user: "anna ä".to_owned(),
        groups: vec!["pbx-users".to_owned()],
        from: [192, 0, 2, 7].into(),
        begun: NOW,
        used: NOW,
    }
}

fn factor() -> SsoFactor {
    SsoFactor {
        access: "staff".to_owned(),
        user: "anna ä".to_owned(),
        confirmed: NOW,
        used: NOW,
    }
}

impl Entrance for Memory {
    fn authenticate_key(&self, text: &str, client: Option<IpAddr>) -> Result<Actor, Refusal> {
        if text != KEY {
            return Err(Refusal::unauthorized("this is no key"));
        }
        Ok(Actor::Key {
            id: 5,
            access: "wcs".to_owned(),
            client,
        })
    }
    async fn visitors(&self) -> Result<Vec<Visitor>, Refusal> {
        Ok(vec![visitor("login".to_owned())])
    }
    async fn add_visitor(&self, new: NewVisitor) -> Result<Visitor, Refusal> {
        Ok(visitor(new.name))
    }
    async fn change_visitor(&self, name: String, _: VisitorPassword) -> Result<Visitor, Refusal> {
        Ok(visitor(name))
    }
    async fn remove_visitor(&self, name: String) -> Result<(), Refusal> {
        Err(Refusal::conflict(name))
    }
    async fn import_visitors(&self, file: Htpasswd) -> Result<Imported, Refusal> {
        let names = file.text.lines().map(str::to_owned).collect();
        Ok(Imported { names })
    }
    async fn tokens(&self, access: Option<String>) -> Result<Vec<Token>, Refusal> {
        let access = access.unwrap_or("all".to_owned());
        Ok(vec![token(&access, &self.actor)])
    }
    async fn make_token(&self, access: String, new: NewToken) -> Result<TokenMade, Refusal> {
        Ok(TokenMade {
            token: Token {
                note: new.note.unwrap_or_default(),
                ..token(&access, &self.actor)
            },
            text: "ghcanary".to_owned(),
        })
    }
    async fn revoke_token(&self, access: Option<String>, id: u64) -> Result<(), Refusal> {
        match (access.as_deref(), id) {
            (None | Some("wcs"), 4) => Ok(()),
            _ => Err(Refusal::conflict("no such token")),
        }
    }
    async fn revoke_tokens(&self, _: String) -> Result<Revoked, Refusal> {
        Ok(Revoked { revoked: 3 })
    }
    async fn keys(&self, access: String) -> Result<Vec<AccessKey>, Refusal> {
        Ok(vec![key(&access)])
    }
    async fn make_key(&self, access: String, _: NewAccessKey) -> Result<AccessKeyMade, Refusal> {
        Ok(AccessKeyMade {
            key: key(&access),
            text: "gkcanary".to_owned(),
        })
    }
    async fn revoke_key(&self, _: String, id: u64) -> Result<(), Refusal> {
        match id {
            5 => Ok(()),
            _ => Err(Refusal::conflict("no such key")),
        }
    }
    async fn sso_sessions(&self) -> Result<Vec<SsoSession>, Refusal> {
        Ok(vec![session()])
    }
    async fn end_sso_sessions(&self, which: WhichSessions) -> Result<SsoEnded, Refusal> {
        let ended = match which {
            WhichSessions::One(6) => 1,
            WhichSessions::OfUser(user) if user == "anna ä" => 2,
            WhichSessions::All => 3,
            _ => return Err(Refusal::conflict("no such session")),
        };
        Ok(SsoEnded { ended })
    }
    async fn sso_factors(&self) -> Result<Vec<SsoFactor>, Refusal> {
        Ok(vec![factor()])
    }
    async fn reset_sso_factors(&self, which: WhichFactors) -> Result<FactorsReset, Refusal> {
        let reset = match which {
            WhichFactors::One { access, user } if access == "staff" && user == "anna ä" => 1,
            WhichFactors::All => 2,
            WhichFactors::One { .. } => return Err(Refusal::conflict("no such factor")),
        };
        Ok(FactorsReset { reset, ended: 3 })
    }
}

#[tokio::test]
async fn the_command_line_speaks_of_visitors_and_tokens() {
    let running = Running::start("entrance");
    let client = running.client().await;
    let (name, password) = ("login".to_owned(), "canary".to_owned());
    let new = NewVisitor { name, password };
    assert_eq!(client.visitors().await.unwrap(), [visitor("login".into())]);
    assert_eq!(client.add_visitor(&new).await.unwrap().name, "login");
    let password = VisitorPassword {
        password: "canary".to_owned(),
    };
    let changed = client.change_visitor("a@b.example", &password).await;
    assert_eq!(changed.unwrap().name, "a@b.example");
    assert!(client.remove_visitor("login").await.is_err());
    let file = Htpasswd {
        text: "a\nb".repeat(100_000),
    };
    assert_eq!(
        client.import_visitors(&file).await.unwrap().names.len(),
        100_001
    );
    assert_eq!(client.tokens(None).await.unwrap()[0].access, "all");
    assert_eq!(client.tokens(Some("wcs")).await.unwrap()[0].access, "wcs");
    assert_eq!(
        client.tokens(Some("a/b ä?")).await.unwrap()[0].access,
        "a/b ä?"
    );
    let new = NewToken {
        expires_seconds: Some(60),
        note: Some("a ä".to_owned()),
    };
    let made = client.make_token("wcs", &new).await.unwrap();
    assert_eq!((&*made.text, &*made.token.note), ("ghcanary", "a ä"));
    client.revoke_token(4).await.unwrap();
    assert!(client.revoke_token(5).await.is_err());
    assert_eq!(client.revoke_tokens("wcs").await.unwrap().revoked, 3);
    assert_eq!(client.keys("wcs").await.unwrap(), [key("wcs")]);
    let key = client
        .make_key("wcs", &NewAccessKey::default())
        .await
        .unwrap();
    assert_eq!(key.text, "gkcanary");
    client.revoke_key("wcs", 5).await.unwrap();
    for shown in [
        format!("{made:?}{key:?}{password:?}"),
        format!(
            "{:?}{:?}",
            NewVisitor {
                name: String::new(),
                password: "canary".into()
            },
            Htpasswd {
                text: "canary".into()
            }
        ),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[tokio::test]
async fn the_command_line_speaks_of_who_has_signed_in() {
    let running = Running::start("signed-in");
    let client = running.client().await;
    assert_eq!(client.sso_sessions().await.unwrap(), [session()]);
    for (which, ended) in [
        (WhichSessions::One(6), 1),
        (WhichSessions::OfUser("anna ä".to_owned()), 2),
        (WhichSessions::All, 3),
    ] {
        assert_eq!(client.end_sso_sessions(&which).await.unwrap().ended, ended);
    }
    assert!(
        client
            .end_sso_sessions(&WhichSessions::One(7))
            .await
            .is_err()
    );
    let local = Line::open(Peer::Local).await;
    for query in ["", "?all=false", "?id=6&user=a", "?id=x", "?name=a"] {
        let asked = format!("DELETE /v1/sso/sessions{query}");
        let (status, text) = local.ask(&asked, &[], "").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {text}");
    }
}

#[tokio::test]
async fn the_command_line_speaks_of_second_factors() {
    let running = Running::start("factors");
    let client = running.client().await;
    assert_eq!(client.sso_factors().await.unwrap(), [factor()]);
    let of = |user: &str| WhichFactors::One {
        access: "staff".to_owned(),
        user: user.to_owned(),
    };
    for (which, reset) in [(of("anna ä"), 1), (WhichFactors::All, 2)] {
        let done = client.reset_sso_factors(&which).await.unwrap();
        assert_eq!((done.reset, done.ended), (reset, 3));
    }
    assert!(client.reset_sso_factors(&of("bert")).await.is_err());
    let local = Line::open(Peer::Local).await;
    for query in [
        "",
        "?all=false",
        "?user=a",
        "?access=a",
        "?access=a&user=b&all=true",
        "?name=a",
    ] {
        let asked = format!("DELETE /v1/sso/factors{query}");
        let (status, text) = local.ask(&asked, &[], "").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {text}");
    }
}

#[tokio::test]
async fn a_key_is_for_the_tokens_of_its_own_access_only() {
    let pages = Line::open(Peer::Pages).await;
    let (key, other) = (format!("Bearer {KEY}"), format!("Bearer {OTHER}"));
    for (asked, body, status) in [
        ("GET /v1/access/wcs/tokens", "", StatusCode::OK),
        ("POST /v1/access/wcs/tokens", "{}", StatusCode::OK),
        ("DELETE /v1/access/wcs/tokens", "", StatusCode::OK),
        ("DELETE /v1/access/wcs/tokens/4", "", StatusCode::OK),
        ("PUT /v1/access/wcs/tokens", "{}", StatusCode::FORBIDDEN),
        ("DELETE /v1/access/wcs/tokens/", "", StatusCode::FORBIDDEN),
        (
            "DELETE /v1/access/wcs/tokens/x",
            "",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("GET /v1/access/lab/tokens", "", StatusCode::FORBIDDEN),
        ("GET /v1/access/wcs/keys", "", StatusCode::FORBIDDEN),
        ("POST /v1/access/wcs/keys", "{}", StatusCode::FORBIDDEN),
        ("DELETE /v1/access/wcs/keys/5", "", StatusCode::FORBIDDEN),
        (
            "GET /v1/access/wcs/../lab/tokens",
            "",
            StatusCode::FORBIDDEN,
        ),
        ("GET /v1/access/%77cs/tokens", "", StatusCode::FORBIDDEN),
        ("GET /v1/tokens", "", StatusCode::FORBIDDEN),
        ("DELETE /v1/tokens?id=4", "", StatusCode::FORBIDDEN),
        ("GET /v1/sso/sessions", "", StatusCode::FORBIDDEN),
        ("GET /v1/sso/factors", "", StatusCode::FORBIDDEN),
        (
            "DELETE /v1/sso/sessions?all=true",
            "",
            StatusCode::FORBIDDEN,
        ),
        ("GET /v1/status", "", StatusCode::FORBIDDEN),
        ("GET /v1/claim", "", StatusCode::FORBIDDEN),
        ("GET /v1/visitors", "", StatusCode::FORBIDDEN),
        ("GET /v1/nothing", "", StatusCode::FORBIDDEN),
    ] {
        let found = pages.ask(asked, &[("authorization", &key)], body).await;
        assert_eq!(found.0, status, "{asked}: {}", found.1);
        let found = pages.ask(asked, &[("authorization", &other)], body).await;
        assert_eq!(found.0, StatusCode::UNAUTHORIZED, "{asked}");
    }
    let (_, body) = pages
        .ask("GET /v1/access/wcs/tokens", &[("authorization", &key)], "")
        .await;
    assert!(body.contains("key 5 of wcs"), "{body}");
}
