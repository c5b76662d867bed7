use super::*;
use crate::core::NotExplained;
use crate::core::{Anonymous, LoginFault, LoginRefused, explain};
use std::collections::BTreeMap;

const INNOVAPHONE: &str = include_str!("../../../../../configs/innovaphone.toml");

fn parse(text: &str) -> config::Config {
    match config::check(text, "test.toml") {
        Ok(checked) => checked.config,
        Err(faults) => panic!("{faults}"),
    }
}

fn routes(text: &str) -> Routes {
    Routes::new(&parse(text), &BTreeMap::new()).unwrap()
}

/// A file with these hosts, whose headers stand from line 15 on.
fn file(hosts: &str) -> String {
    format!(
        r#"schema = 1
[system]
hostname = "gate"
[network.lan]
trust = "inside"
interface = "eth0"
addresses = ["192.0.2.4/24"]
[admin]
port = 8443
[site]
domain = "example.org"
[site.public_ports]
https = 8443

{hosts}"#
    )
}

fn ask<'a>(host: &'a str, path: &'a str) -> Ask<'a> {
    Ask {
        client: "203.0.113.9".parse().unwrap(),
        tls: Some(AskedTls {
            server_name: Some(host),
            same_certificate: true,
            certificate: Shown::NotAsked,
        }),
        method: "GET",
        scheme: None,
        host: Some(host),
        path,
        websocket: false,
        body: None,
        fields: None,
        credentials: &Anonymous,
    }
}

/// The target, or the reason why there is none.
fn outcome(routes: &Routes, ask: &Ask<'_>) -> Result<String, Reason> {
    match decide(routes, ask) {
        Verdict::Forward(_, rule) => Ok(rule.targets(ask.tls.is_some()).first().target.to_string()),
        Verdict::Redirect(_, found) => Ok(format!("redirect {}", found.status)),
        Verdict::Refuse { reason, .. } => Err(reason),
    }
}

#[test]
fn the_innovaphone_site_lets_in_what_its_file_names_and_nothing_else() {
    let routes = routes(INNOVAPHONE);
    let named = [
        "/PBX0/APPCLIENT/appclient.htm",
        "/PBX0/APPCLIENT/appclient.htm/x",
        "/PBX0/APPS",
        "/PBX0/APPS/websocket",
        "/PBX0/APPSTORE",
        "/PBX0/session",
        "/PBX0/user.soap",
        "/PBX0/ADMIN",
        "/PBX0/ADMIN/mod_cmd.xml",
        "/OAUTH2/oauth2_login",
    ];
    let others = [
        "/",
        "/PBX0",
        "/PBX0/",
        "/PBX0/APP",
        "/PBX0/apps",
        "/pbx0/APPS",
        "/PBX0/APPCLIENT/",
        "/PBX0/APPCLIENT/appclient.ht",
        "/admin",
        "/x/PBX0/APPS",
        "/OAUTH2/",
        "/OAUTH2/oauth2_token",
    ];
    for (host, target) in [
        ("hq.dvl-ckl2.net", "172.31.31.2"),
        ("branch-b.dvl-ckl2.net", "172.31.31.3"),
    ] {
        for path in named {
            let over_tls = ask(host, path);
            assert_eq!(outcome(&routes, &over_tls), Ok(format!("{target}:443")));
            let plain = Ask {
                tls: None,
                ..over_tls
            };
            assert_eq!(outcome(&routes, &plain), Ok(format!("{target}:80")));
        }
        for path in others {
            let refused = outcome(&routes, &ask(host, path));
            assert_eq!(refused, Err(Reason::PathUnknown), "{path}");
        }
    }
    for path in ["/", "/any/where", "/PBX0/APPS"] {
        let target = outcome(&routes, &ask("apps.dvl-ckl2.net", path));
        assert_eq!(target, Ok("172.31.31.12:443".into()));
    }
    // The system name serves SIP, LDAP and H.323 only.
    for host in [
        "dvl-ckl2.net",
        "turn.dvl-ckl2.net",
        "other.example",
        "172.31.31.4",
    ] {
        assert_eq!(outcome(&routes, &ask(host, "/")), Err(Reason::HostUnknown));
    }
}

#[test]
fn paths_that_could_be_read_in_two_ways_are_refused_after_they_matched() {
    let routes = routes(INNOVAPHONE);
    for path in [
        "/PBX0/APPS/../ADMIN2",
        "/PBX0/APPS/%2e%2e/x",
        "/PBX0/APPS//x",
        "/PBX0/APPS\\x",
        "/PBX0/APPS/%2fx",
        "/PBX0/APPS%00",
    ] {
        let refused = outcome(&routes, &ask("hq.dvl-ckl2.net", path));
        assert!(
            matches!(refused, Err(Reason::PathAmbiguous(_))),
            "{path}: {refused:?}"
        );
    }
}

const PATHS: &str = r#"[[host]]
name = "paths.example"
[[host.http]]
target = "http://192.0.2.10"
[[host.http]]
paths = ["/a/", "/a/b/"]
target = "http://192.0.2.11"
[[host.http]]
paths = ["/a/b"]
target = "http://192.0.2.12"
[[host.http]]
default = true
target = "http://192.0.2.13"
[[host]]
name = "top.example"
[[host.http]]
paths = ["/"]
target = "http://192.0.2.14"
path_policy = "as_is"
"#;

#[test]
fn the_longest_match_wins_and_a_failing_one_gives_way_to_the_next_shorter() {
    let routes = routes(&file(PATHS));
    let table = [
        ("/", 13),
        ("/x", 10),
        ("/x/y", 10),
        ("/a", 10),
        ("/a/", 11),
        ("/a/x", 11),
        ("/a/x/y", 10),
        ("/a/b", 12),
        ("/a/bc", 12),
        ("/a/b/", 11),
        ("/a/b/c", 11),
        // "/a/b/" fails for the further "/", "/a/b" is the next shorter.
        ("/a/b/c/d", 12),
    ];
    for (path, last) in table {
        let target = outcome(&routes, &ask("paths.example", path));
        assert_eq!(target, Ok(format!("192.0.2.{last}:80")), "{path}");
    }
    let top = |path| outcome(&routes, &ask("top.example", path));
    assert!(top("/").is_ok() && top("/a").is_ok());
    assert_eq!(top("/a/b"), Err(Reason::PathUnknown));
    assert!(top("/a%2e").is_ok(), "path_policy = \"as_is\"");
}

#[test]
fn hosts_match_in_any_case() {
    let routes = routes(&file(PATHS));
    assert!(outcome(&routes, &ask("Paths.EXAMPLE", "/")).is_ok());
    let long = format!("{}.EXAMPLE", "a".repeat(300));
    assert_eq!(outcome(&routes, &ask(&long, "/")), Err(Reason::HostUnknown));
    let nobody = Ask {
        host: None,
        ..ask("", "/")
    };
    assert_eq!(outcome(&routes, &nobody), Err(Reason::HostMissing));
}

#[test]
fn a_host_with_another_certificate_is_misdirected() {
    let routes = routes(&file(PATHS));
    let other = Ask {
        tls: Some(AskedTls {
            server_name: Some("top.example"),
            same_certificate: false,
            certificate: Shown::NotAsked,
        }),
        ..ask("paths.example", "/")
    };
    assert_eq!(
        outcome(&routes, &other),
        Err(Reason::Misdirected("top.example".into()))
    );
}

#[test]
fn an_https_address_is_not_served_in_plain() {
    let routes = routes(&file(PATHS));
    let asked = |scheme, tls| {
        let ask = ask("paths.example", "/");
        let ask = Ask {
            scheme: Some(scheme),
            tls: ask.tls.filter(|_| tls),
            ..ask
        };
        outcome(&routes, &ask).map(drop)
    };
    assert_eq!(asked(Scheme::Https, true), Ok(()));
    // A load balancer in front may ask so for what it has decrypted.
    assert_eq!(asked(Scheme::Http, true), Ok(()));
    assert_eq!(asked(Scheme::Http, false), Ok(()));
    assert_eq!(asked(Scheme::Https, false), Err(Reason::NotSecured));
}

const RULES: &str = r#"[access.office]
kind = "network"
from = ["198.51.100.0/24", "2001:db8:1::/48"]
[access.here]
kind = "network"
from = ["198.51.100.0/28"]
[access.staff]
kind = "basic"
realm = "Staff"
users = ["a"]
[[host]]
name = "rules.example"
[[host.http]]
paths = ["/redirect"]
target = "http://192.0.2.10"
plain = "redirect"
[[host.http]]
paths = ["/refuse"]
target = "http://192.0.2.10"
plain = "refuse"
[[host.http]]
paths = ["/wss"]
target = "http://192.0.2.10"
websocket = "required"
[[host.http]]
paths = ["/nows"]
target = "http://192.0.2.10"
websocket = "refused"
[[host.http]]
paths = ["/small"]
target = "http://192.0.2.10"
max_body = "1kB"
[[host.http]]
paths = ["/office"]
target = "http://192.0.2.10"
access = ["office"]
[[host.http]]
paths = ["/either"]
target = "http://192.0.2.10"
access = ["office", "staff"]
[[host.http]]
paths = ["/both"]
target = "http://192.0.2.10"
access_all = ["office", "here"]
"#;

#[test]
fn what_a_rule_asks_for_beside_its_path() {
    let routes = routes(&file(RULES));
    let ask = |path| ask("rules.example", path);
    let plain = |path, method| Ask {
        tls: None,
        method,
        ..ask(path)
    };
    let says = |ask: Ask<'_>| outcome(&routes, &ask);
    let forwarded = || Ok("192.0.2.10:80".to_owned());
    assert_eq!(says(plain("/redirect", "GET")), Ok("redirect 301".into()));
    assert_eq!(says(plain("/redirect", "HEAD")), Ok("redirect 301".into()));
    assert_eq!(says(plain("/redirect", "POST")), Ok("redirect 308".into()));
    assert_eq!(says(ask("/redirect")), forwarded());
    assert_eq!(says(plain("/refuse", "GET")), Err(Reason::PlainRefused));
    let upgrade = |path| Ask {
        websocket: true,
        ..ask(path)
    };
    assert_eq!(says(ask("/wss")), Err(Reason::WebSocketRequired));
    assert_eq!(says(upgrade("/wss")), forwarded());
    assert_eq!(says(upgrade("/nows")), Err(Reason::WebSocketRefused));
    assert_eq!(says(ask("/nows")), forwarded());
    let body = |length| Ask {
        method: "POST",
        body: Some(length),
        ..ask("/small")
    };
    assert_eq!(says(body(1000)), forwarded());
    assert_eq!(says(body(1001)), Err(Reason::BodyTooLarge(1000)));
}

#[test]
fn access_by_network_and_what_is_not_built_yet() {
    let routes = routes(&file(RULES));
    let from = |path, client: &str| {
        let ask = Ask {
            client: client.parse().unwrap(),
            ..ask("rules.example", path)
        };
        outcome(&routes, &ask).map(drop)
    };
    let denied = |name: &str| Err(Reason::AccessDenied(name.into()));
    assert_eq!(from("/office", "198.51.100.77"), Ok(()));
    assert_eq!(from("/office", "2001:db8:1:2::3"), Ok(()));
    assert_eq!(from("/office", "203.0.113.9"), denied("office"));
    assert_eq!(from("/both", "198.51.100.7"), Ok(()));
    assert_eq!(from("/both", "198.51.100.77"), denied("here"));
    assert_eq!(from("/either", "198.51.100.77"), Ok(()));
    let missing = Reason::Login(Box::new(LoginRefused {
        access: "staff".into(),
        realm: "Staff".into(),
        fault: LoginFault::Missing,
    }));
    assert_eq!(from("/either", "203.0.113.9"), Err(missing));
}

#[test]
fn redirects_lead_to_the_public_port() {
    let routes = routes(&file(PATHS));
    let to = |path, query| redirect(&routes, "paths.example", path, query);
    assert_eq!(to("/a", None), "https://paths.example:8443/a");
    assert_eq!(to("/a", Some("b=c")), "https://paths.example:8443/a?b=c");
    let standard = file(PATHS).replace("https = 8443", "https = 443");
    let standard = Routes::new(&parse(&standard), &BTreeMap::new()).unwrap();
    assert_eq!(
        redirect(&standard, "paths.example", "*", Some("")),
        "https://paths.example/?"
    );
}

#[test]
fn tls_targets_are_asked_for_by_name() {
    let routes = routes(INNOVAPHONE);
    let Verdict::Forward(_, rule) = decide(&routes, &ask("hq.dvl-ckl2.net", "/PBX0/APPS")) else {
        panic!("not forwarded");
    };
    let tls = rule.targets(true).first().target.tls.as_ref().unwrap();
    assert_eq!(&*tls.name, "hq.dvl-ckl2.net");
    assert!(rule.targets(false).first().target.tls.is_none());
}

#[test]
fn an_explanation_names_every_step_and_its_line() {
    let config = parse(INNOVAPHONE);
    let said = |url| explain(&config, url, None, None).unwrap();
    let forwarded = said("https://hq.dvl-ckl2.net/PBX0/APPS/x?y#z");
    assert_eq!(forwarded.decision, "forward");
    assert_eq!(forwarded.target.as_deref(), Some("https://172.31.31.2:443"));
    let text = forwarded.to_string();
    for part in [
        "https on the public port 443, here 453",
        "host hq.dvl-ckl2.net (line ",
        "path /PBX0/APPCLIENT/appclient.htm: does not match (line ",
        "path /PBX0/APPS: matches (line ",
        "forwarded to https://172.31.31.2:443 (line ",
        "X-Forwarded-For: 203.0.113.1",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let refused = said("wss://hq.dvl-ckl2.net/");
    assert_eq!((refused.decision, refused.status), ("refuse", Some(404)));
    assert!(refused.line.is_some());
    let unknown = said("http://nobody.example:81/");
    assert!(unknown.to_string().contains("port 81 does not lead to us"));
    for url in [
        "ftp://hq/",
        "hq.dvl-ckl2.net/x",
        "https://",
        "https://a b/",
        "https://a/ü",
    ] {
        assert!(
            matches!(explain(&config, url, None, None), Err(NotExplained::Url(_))),
            "{url}"
        );
    }
}

#[test]
fn an_explanation_of_a_redirect_and_of_an_access() {
    let config = parse(&file(RULES));
    let said = |url, from: &str| explain(&config, url, Some(from.parse().unwrap()), None).unwrap();
    let redirected = said("http://rules.example/redirect?a", "198.51.100.1");
    assert_eq!(redirected.status, Some(301));
    assert_eq!(
        redirected.reason,
        "to https://rules.example:8443/redirect?a"
    );
    let let_in = said("https://rules.example/either", "198.51.100.1").to_string();
    assert!(let_in.contains("access office lets it in"), "{let_in}");
    let not = said("https://rules.example/either", "203.0.113.1").to_string();
    assert!(
        not.contains("access staff lets in who signs in as a; here, nobody does"),
        "{not}"
    );
}
