use super::*;
use crate::core::{
    AskedTls, Asker, Login, Reason, Shown, Ticket, Verdict, decide, explain, explain_to, told,
};
use proto::http::{self, Limits};
use std::collections::BTreeMap;

const FILE: &str = r#"schema = 1
[system]
hostname = "gate"
[network.lan]
trust = "inside"
interface = "lo"
addresses = ["192.0.2.1/24"]
[admin]
port = 8443
[site]
domain = "example"
[access.sso]
kind = "sso"
session = { domain = "example", idle = "1h", longest = "8h" }
login = "radius"
radius = { server = "10.0.0.8", shared = { secret = "radius" } }
user_header = "X-User"
groups_header = "X-Groups"
[access.pbx]
kind = "sso"
session = { domain = "example", cookie = "pbx" }
login = "radius"
radius = { server = "10.0.0.8", shared = { secret = "radius" } }
groups = ["admins", "pbx users"]
forward_cookie = true
[access.lan]
kind = "network"
from = ["192.0.2.0/24"]
[access.staff]
kind = "basic"
users = ["anna"]
[[host]]
name = "a.example"
target = "10.0.0.1"
[[host.http]]
paths = ["/public"]
[[host.http]]
paths = ["/pbx"]
access = ["pbx"]
[[host.http]]
paths = ["/either"]
access = ["sso", "lan"]
[[host.http]]
paths = ["/both"]
access_all = ["sso", "lan"]
[[host.http]]
paths = ["/basic"]
access = ["staff", "sso"]
[[host.http]]
access = ["sso"]
login_page = "always"
[[host]]
name = "b.example"
target = "10.0.0.1"
[[host.http]]
"#;

fn config() -> config::Config {
    config::check(FILE, "test.toml").unwrap().config
}

fn routes() -> Routes {
    Routes::new(&config(), &BTreeMap::new()).unwrap()
}

/// Who has signed in for the list `sso`, or `pbx`.
#[derive(Debug)]
struct Anna(&'static str, Vec<Box<str>>);

impl Credentials for Anna {
    fn login(&self) -> Login<'_> {
        Login::Nothing
    }

    fn ticket(&self, _: &str, _: &str) -> Ticket {
        Ticket::Nothing
    }

    fn session(&self, _: &str, access: &str, _: Span) -> Session<'_> {
        if access != self.0 {
            return Session::Nothing;
        }
        Session::Live(SignedIn {
            user: "anna",
            groups: &self.1,
        })
    }

    fn origin(&self) -> Option<&[u8]> {
        None
    }
}

const INSIDE: &str = "192.0.2.7";
const OUTSIDE: &str = "203.0.113.7";

fn ask<'a>(path: &'a str, client: &str, credentials: &'a dyn Credentials) -> Ask<'a> {
    Ask {
        client: client.parse().unwrap(),
        tls: Some(AskedTls {
            server_name: Some("a.example"),
            same_certificate: true,
            certificate: Shown::NotAsked,
        }),
        method: "GET",
        scheme: None,
        host: Some("a.example"),
        path,
        websocket: false,
        body: None,
        fields: None,
        credentials,
    }
}

fn decided(ask: &Ask<'_>) -> Result<String, Reason> {
    match decide(&routes(), ask) {
        Verdict::Forward(_, rule) => Ok(rule.targets(true).first().target.to_string()),
        Verdict::Refuse { reason, .. } => Err(reason),
        Verdict::Redirect(_, found) => Ok(format!("redirect {}", found.status)),
    }
}

/// The status for a request with these fields.
fn status(method: &str, path: &str, fields: &str) -> u16 {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n");
    let request = http::request(head.as_bytes(), &Limits::default())
        .unwrap()
        .unwrap();
    let nobody = Anna("", Vec::new());
    let ask = Ask {
        method: request.method,
        websocket: request.upgrade.is_some(),
        fields: Some(&request.fields),
        ..ask(path, OUTSIDE, &nobody)
    };
    let reason = decided(&ask).unwrap_err();
    assert_eq!((reason.weight(), reason.blame()), (0, Blame::Peer));
    assert_eq!(
        reason.challenge().is_some(),
        reason.status() == 401,
        "{reason}"
    );
    reason.status()
}

#[test]
fn only_a_browser_that_opens_a_page_is_shown_the_login() {
    let navigates = "Sec-Fetch-Mode: navigate\r\n";
    let old = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
    for (method, fields, expected) in [
        ("GET", navigates, 303),
        ("HEAD", navigates, 303),
        ("GET", old, 303),
        ("POST", navigates, 401),
        ("POST", old, 401),
        ("GET", "", 401),
        ("GET", "Accept: */*\r\n", 401),
        ("GET", "Sec-Fetch-Mode: cors\r\nAccept: text/html\r\n", 401),
    ] {
        assert_eq!(
            status(method, "/either", fields),
            expected,
            "{method} {fields}"
        );
    }
    // With login_page = "always".
    assert_eq!(status("GET", "/", ""), 303);
    assert_eq!(status("POST", "/", ""), 401);
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert_eq!(status("GET", "/", websocket), 401);
    // A program can do more with a password, a browser with a page.
    assert_eq!(status("GET", "/basic", navigates), 303);
    assert_eq!(status("GET", "/basic", ""), 401);
}

#[test]
fn the_way_to_the_login_page_holds_the_way_back() {
    let nobody = Anna("", Vec::new());
    let Err(Reason::SignIn(refused)) = decided(&ask("/x", OUTSIDE, &nobody)) else {
        panic!("it is let in");
    };
    let routes = routes();
    let location = |tls, path, query| {
        let location = refused.location(&routes, tls, "a.example", (path, query));
        location.unwrap()
    };
    assert_eq!(
        location(true, "/a b", Some("c=d&access=e#f")),
        "/.gatehouse/login?access=sso&to=/a%20b%3Fc%3Dd%26access%3De%23f"
    );
    assert_eq!(
        location(false, "/", None),
        "https://a.example/.gatehouse/login?access=sso&to=/"
    );
    let long = format!("/{}", "x".repeat(4000));
    assert_eq!(
        location(true, &long, None),
        "/.gatehouse/login?access=sso&to=/"
    );
    assert_eq!(
        SignInRefused {
            page: false,
            ..*refused
        }
        .challenge()
        .unwrap(),
        "Cookie realm=\"sso\", form-action=\"/.gatehouse/login\", cookie-name=\"gatehouse_session\""
    );
}

#[test]
fn lists_of_other_kinds_go_with_it() {
    let (anna, nobody) = (Anna("sso", Vec::new()), Anna("", Vec::new()));
    let status = |ask: Ask<'_>| decided(&ask).map_err(|reason| reason.status());
    let target = || Ok("10.0.0.1:443".to_owned());
    assert_eq!(status(ask("/either", OUTSIDE, &anna)), target());
    assert_eq!(status(ask("/either", INSIDE, &nobody)), target());
    assert_eq!(status(ask("/both", INSIDE, &anna)), target());
    assert_eq!(status(ask("/both", INSIDE, &nobody)), Err(303));
    // Nobody is asked for a login who is not let in anyway.
    assert_eq!(status(ask("/both", OUTSIDE, &nobody)), Err(403));
    assert_eq!(status(ask("/both", OUTSIDE, &anna)), Err(403));
    assert_eq!(status(ask("/pbx", OUTSIDE, &anna)), Err(303));
}

#[test]
fn who_is_in_none_of_the_groups_is_not_asked_for_another_login() {
    let of = |groups: &[&str]| Anna("pbx", groups.iter().map(|group| (*group).into()).collect());
    assert!(decided(&ask("/pbx", OUTSIDE, &of(&["x", "pbx users"]))).is_ok());
    let none = of(&["PBX users"]);
    let reason = decided(&ask("/pbx", OUTSIDE, &none)).unwrap_err();
    assert_eq!((reason.status(), reason.challenge()), (403, None));
    let Reason::SignIn(refused) = reason else {
        panic!("{reason}");
    };
    assert_eq!(refused.user.as_deref(), Some("anna"));
}

#[test]
fn the_target_is_told_the_user_and_his_groups() {
    let routes = routes();
    let told = |groups: &[&str]| {
        let anna = Anna("sso", groups.iter().map(|group| (*group).into()).collect());
        let ask = ask("/", OUTSIDE, &anna);
        let Verdict::Forward(_, rule) = decide(&routes, &ask) else {
            panic!("she is not let in");
        };
        let told = told(rule, &ask).into_iter();
        told.map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&[]), ["X-User: anna"]);
    let groups = ["a", "b c", "x,admins", " admins", "x\r\nX-User: root"];
    assert_eq!(told(&groups), ["X-User: anna", "X-Groups: a,b c"]);
}

#[test]
fn the_paths_of_the_login_page_go_to_no_target() {
    let nobody = Anna("", Vec::new());
    let at = |path| decided(&ask(path, OUTSIDE, &nobody));
    assert_eq!(at("/.gatehouse/login"), Ok("login page".to_owned()));
    assert!(at("/.gatehouse").is_err());
    assert!(matches!(
        at("/.gatehouse/../x"),
        Err(Reason::PathAmbiguous(_))
    ));
    let plain = Ask {
        tls: None,
        ..ask("/.gatehouse/login", OUTSIDE, &nobody)
    };
    assert_eq!(decided(&plain), Ok("redirect 301".to_owned()));
    let websocket = Ask {
        websocket: true,
        ..ask("/.gatehouse/login", OUTSIDE, &nobody)
    };
    assert_eq!(decided(&websocket), Err(Reason::WebSocketRefused));
    let other = Ask {
        host: Some("b.example"),
        ..ask("/.gatehouse/login", OUTSIDE, &nobody)
    };
    assert_eq!(decided(&other), Ok("10.0.0.1:443".to_owned()));
}

#[test]
fn our_cookies_go_to_no_target_but_those_that_are_to_have_them() {
    let routes = routes();
    let host = routes.host("a.example").unwrap();
    let passes = |path: &str| {
        let mut entries = host.entries.iter();
        let rule = &entries.find(|entry| &*entry.path == path).unwrap().rule;
        let names = [
            "gatehouse_session",
            "pbx",
            "__Host-gatehouse-login",
            "other",
        ];
        names.map(|name| !rule.is_own_cookie(name.as_bytes()))
    };
    // One that a list forwards goes to all of the domain.
    assert_eq!(passes("/public"), [false, true, false, true]);
    assert_eq!(passes("/pbx"), [false, true, false, true]);
    let withheld = &host.entries[0].rule.withheld;
    assert_eq!(**withheld, ["X-User".into(), "X-Groups".into()]);
    assert_eq!(
        routes.session_cookies(),
        ["gatehouse_session".into(), "pbx".into()]
    );
}

#[test]
fn sessions_end_by_rest_and_by_age() {
    let span = Span {
        idle: 60,
        longest: 100,
    };
    for (used, now, expected) in [
        (1000, 1000, Ok(60)),
        (1000, 1059, Ok(1)),
        (1000, 1060, Err(SignInFault::Idle)),
        (1050, 1060, Ok(40)),
        (1099, 1099, Ok(1)),
        (1099, 1100, Err(SignInFault::TooOld)),
        // The clock was set back, a little or far.
        (1000, 800, Ok(60)),
        (1000, 10, Err(SignInFault::TooOld)),
    ] {
        assert_eq!(span.left(1000, used, now), expected, "{used} {now}");
    }
}

#[test]
fn it_is_explained() {
    let explained = |url| explain(&config(), url, None, None).unwrap().to_string();
    let text = explained("https://a.example/x?y");
    assert!(
        text.contains("access sso lets in who is signed in; here, nobody is"),
        "{text}"
    );
    assert!(
        text.contains("redirected (303) to /.gatehouse/login?access=sso&to=/x%3Fy: access `sso`"),
        "{text}"
    );
    let text = explained("https://a.example/.gatehouse/login");
    assert!(text.contains("forwarded to login page (line"), "{text}");
}

#[test]
fn it_is_explained_who_lets_a_user_in() {
    let explained = |path: &str, user, from: &str, groups| {
        let url = format!("https://a.example{path}");
        let asker = Asker {
            from: Some(from.parse().unwrap()),
            user: Some(user),
            groups,
            ..Asker::default()
        };
        explain_to(&config(), &url, &asker).unwrap().to_string()
    };
    let text = explained("/basic", "anna", OUTSIDE, None);
    for line in [
        "access staff lets anna in, by password",
        "access sso lets anna in, by login",
        "forwarded to https://10.0.0.1:443",
        "X-User: anna",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let text = explained("/basic", "bert", OUTSIDE, None);
    assert!(
        text.contains("access staff lets in who signs in as anna, not bert"),
        "{text}"
    );
    let text = explained("/either", "bert", INSIDE, None);
    assert!(text.contains("access lan lets it in"), "{text}");
    let text = explained("/pbx", "bert", OUTSIDE, None);
    assert!(
        text.contains("access pbx lets bert in, by login, if in one of admins, pbx users"),
        "{text}"
    );
    let others: Vec<Box<str>> = vec!["sales".into()];
    let text = explained("/pbx", "bert", OUTSIDE, Some(&others));
    assert!(
        text.contains("access pbx lets in who is in one of admins, pbx users, not bert"),
        "{text}"
    );
    assert!(text.contains("refused (403)"), "{text}");
    let text = explained("/", "bert", OUTSIDE, Some(&others));
    assert!(text.contains("X-Groups: sales"), "{text}");
}

/// Anna, asked for by a page of that origin.
#[derive(Debug)]
struct By(Anna, &'static str);

impl Credentials for By {
    fn login(&self) -> Login<'_> {
        self.0.login()
    }

    fn ticket(&self, cookie: &str, access: &str) -> Ticket {
        self.0.ticket(cookie, access)
    }

    fn session(&self, cookie: &str, access: &str, span: Span) -> Session<'_> {
        self.0.session(cookie, access, span)
    }

    fn origin(&self) -> Option<&[u8]> {
        Some(self.1.as_bytes())
    }
}

#[test]
fn no_page_of_a_neighbour_opens_a_websocket_in_a_session() {
    for (origin, websocket, lets_in) in [
        ("https://a.example", true, true),
        ("https://A.example:8443", true, true),
        ("https://b.example", true, false),
        ("https://evil.example", true, false),
        ("null", true, false),
        // What else a page of another origin asks, it can not read.
        ("https://evil.example", false, true),
    ] {
        let by = By(Anna("sso", Vec::new()), origin);
        let decided = decided(&Ask {
            websocket,
            ..ask("/", OUTSIDE, &by)
        });
        assert_eq!(
            decided.is_ok(),
            lets_in,
            "{origin} {websocket}: {decided:?}"
        );
        if let Err(reason) = decided {
            assert_eq!((reason.status(), reason.weight()), (403, 0));
        }
    }
}

#[test]
fn pages_of_hosts_that_ask_for_the_same_login_open_one() {
    let file = FILE.replace(
        "name = \"b.example\"\ntarget = \"10.0.0.1\"\n[[host.http]]\n",
        "name = \"b.example\"\ntarget = \"10.0.0.1\"\n[[host.http]]\naccess = [\"sso\"]\n",
    );
    let config = config::check(&file, "test.toml").unwrap().config;
    let routes = Routes::new(&config, &BTreeMap::new()).unwrap();
    let by = By(Anna("sso", Vec::new()), "https://b.example");
    let ask = Ask {
        websocket: true,
        ..ask("/", OUTSIDE, &by)
    };
    assert!(matches!(decide(&routes, &ask), Verdict::Forward(..)));
}

#[test]
fn no_target_sets_a_cookie_of_a_session() {
    let routes = routes();
    let host = routes.host("b.example").unwrap();
    let edit = host.entries[0].rule.response_edit(true);
    let removes = |line: &str| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{line}\r\n\r\n");
        let response = http::response(head.as_bytes(), "GET", &Limits::default());
        let response = response.unwrap().unwrap();
        let mut out = Vec::new();
        response
            .fields
            .write(&mut out, |field| !edit.removes(field));
        !String::from_utf8(out).unwrap().contains(line)
    };
    for own in [
        "Set-Cookie: pbx=gsAAAA; Domain=example; Path=/app",
        "set-cookie:  gatehouse_session = x",
        "Set-Cookie: =pbx=x",
        "Set-Cookie: __Host-gatehouse-login=x; Path=/",
    ] {
        assert!(removes(own), "{own}");
    }
    for other in [
        "Set-Cookie: pbx2=1",
        "Set-Cookie: PBX=1",
        "Set-Cookie: a=pbx=x",
        "X-Cookie: pbx=1",
    ] {
        assert!(!removes(other), "{other}");
    }
}
