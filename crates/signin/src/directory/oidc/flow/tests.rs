use super::*;

const ISSUER: &str = "https://login.example";
const REDIRECT: &str = "https://pbx.example.com/.gatehouse/oidc/callback";

fn pending() -> Pending {
    Pending::new(&[[1; 32], [2; 32], [3; 32]], REDIRECT, 1000)
}

fn provider() -> Provider {
    Provider {
        authorization: "https://login.example/auth".to_owned(),
        token: "https://login.example/token".to_owned(),
        userinfo: None,
        keys: "https://login.example/jwks".to_owned(),
        end_session: None,
        names_itself: true,
        client: ClientProof::Basic,
    }
}

#[test]
fn the_browser_takes_along_what_the_provider_needs_and_no_more() {
    let pending = pending();
    let scopes = ["openid".to_owned(), "profile".to_owned()];
    let address = pending.address(&provider(), "gate&house", &scopes);
    let (start, query) = address.split_once('?').unwrap();
    assert_eq!(start, "https://login.example/auth");
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
    let challenge = digest(&SHA256, pending.verifier.as_bytes());
    let challenge = BASE64URL.encode(challenge.as_ref());
    let wanted = [
        ("response_type", "code"),
        ("client_id", "gate&house"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile"),
        ("state", pending.state()),
        ("nonce", pending.nonce()),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    assert_eq!(pairs, wanted.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert!(!address.contains(&*pending.verifier));
    assert_eq!(pending.state().len(), 43);
    assert!(!format!("{pending:?}").contains(pending.state()));
}

#[test]
fn we_show_that_we_are_the_client_as_the_provider_wants_it() {
    let key = Typed::from("s:cr%t ü".to_owned());
    let (body, field) = pending().token_request("c/1", "gate house", &key, ClientProof::Basic);
    let basic = BASE64.encode(b"gate%20house:s%3Acr%25t%20%C3%BC");
    assert_eq!(field.unwrap().as_str(), format!("Basic {basic}"));
    let body = body.as_str();
    assert!(
        body.starts_with("grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2F")
    );
    assert!(!body.contains("client"));
    let (body, field) = pending().token_request("c", "gate house", &key, ClientProof::Post);
    assert!(field.is_none());
    let body = body.as_str();
    assert!(body.ends_with("&client_id=gate%20house&client_secret=s%3Acr%25t%20%C3%BC"));
}

#[test]
fn what_is_said_twice_or_at_length_is_no_answer() {
    assert!(Callback::of("code=a&state=b&session_state=c&session_state=d").is_some());
    for twice in ["code=a&code=b", "state=a&state=a", "iss=a&%69ss=b"] {
        assert!(Callback::of(twice).is_none(), "{twice}");
    }
    assert!(Callback::of(&"a".repeat(LONGEST_QUERY + 1)).is_none());
}

/// What is made of `query`, in which STATE stands for that of the login.
fn told(query: &str, names_itself: bool, now: u64) -> String {
    let pending = pending();
    let callback = Callback::of(&query.replace("STATE", pending.state())).unwrap();
    match callback.returned(&pending, ISSUER, names_itself, now) {
        Ok(Returned::Code(code)) => format!("code {code}"),
        Ok(Returned::Refused(error, told)) => format!("{error} ({told})"),
        Err(why) => why.to_owned(),
    }
}

#[test]
fn an_answer_belongs_to_one_login() {
    let another = "the answer belongs to another login";
    for (query, now, wanted) in [
        ("code=c1&state=STATE", 1000, "code c1"),
        ("code=c1&state=STATE", 1599, "code c1"),
        ("code=c1&state=STATE", 1600, "the login has taken too long"),
        ("code=c1&state=STATE", 400, "the login has taken too long"),
        ("code=c1&state=STATEx", 1000, another),
        ("code=c1&state=", 1000, another),
        ("code=c1", 1000, another),
        ("error=access_denied", 1000, another),
        ("code=&state=STATE", 1000, "the answer holds no code"),
        ("state=STATE", 1000, "the answer holds no code"),
        (
            "code=c1&error=x&state=STATE",
            1000,
            "the answer holds no code",
        ),
        (
            "error=access_denied&state=STATE",
            1000,
            "access_denied (access_denied)",
        ),
        (
            "error=access_denied&error_description=not%0Ahere&state=STATE",
            1000,
            "access_denied (access_denied: not here)",
        ),
    ] {
        assert_eq!(told(query, false, now), wanted, "{query}");
    }
}

#[test]
fn an_answer_belongs_to_one_provider() {
    let other = "the answer is from another provider";
    let nameless = "the answer does not say from which provider it is";
    for (iss, names_itself, wanted) in [
        ("&iss=https%3A%2F%2Flogin.example", true, "code c1"),
        ("&iss=https%3A%2F%2Flogin.example", false, "code c1"),
        ("", false, "code c1"),
        ("", true, nameless),
        ("&iss=https%3A%2F%2Fevil.example", false, other),
        ("&iss=https%3A%2F%2Flogin.example%2F", true, other),
    ] {
        let query = format!("code=c1&state=STATE{iss}");
        assert_eq!(told(&query, names_itself, 1000), wanted, "{query}");
    }
}
