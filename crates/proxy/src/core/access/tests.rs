use super::*;
use crate::core::{Anonymous, LoginFault, LoginRefused, Routes, Verdict, decide, explain};
use certs::{Ca, Clients, Outdated, PemFile, Usage};
use std::collections::BTreeMap;
use std::time::SystemTime;

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
[proxy]
trusted_clients = ["ca.pem"]
[access.office]
kind = "network"
from = ["198.51.100.0/24"]
[access.any]
kind = "certificate"
[access.alice]
kind = "certificate"
names = ["alice"]
user_header = "X-User"
[access.later]
kind = "basic"
users = ["x"]
[[host]]
name = "a.example"
target = "10.0.0.1"
[[host.http]]
paths = ["/either"]
access = ["office", "alice"]
[[host.http]]
paths = ["/both"]
access_all = ["office", "alice"]
[[host.http]]
paths = ["/any"]
access = ["any"]
[[host.http]]
paths = ["/later"]
access = ["later", "alice"]
"#;

fn config() -> config::Config {
    config::check(FILE, "test.toml").unwrap().config
}

fn decided(path: &str, client: &str, shown: Option<Shown<'_>>) -> Result<(), Reason> {
    let routes = Routes::new(&config(), &BTreeMap::new()).unwrap();
    match decide(&routes, &asked(path, client, shown)) {
        Verdict::Forward(..) => Ok(()),
        Verdict::Refuse { reason, .. } => Err(reason),
        Verdict::Redirect(..) => panic!("no rule redirects"),
    }
}

fn asked<'a>(path: &'a str, client: &str, shown: Option<Shown<'a>>) -> Ask<'a> {
    let tls = shown.map(|certificate| AskedTls {
        server_name: Some("a.example"),
        same_certificate: true,
        certificate,
    });
    Ask {
        client: client.parse().unwrap(),
        tls,
        method: "GET",
        scheme: None,
        host: Some("a.example"),
        path,
        websocket: false,
        body: None,
        fields: None,
        credentials: &Anonymous,
    }
}

fn verified(name: &str) -> Verified {
    let now = SystemTime::now();
    let ca = Ca::create("ca", now).unwrap();
    let client = ca.issue(&[name], Usage::Identity, now).unwrap();
    let file = PemFile {
        name: "ca.pem",
        pem: ca.root_pem(),
    };
    let clients = Clients::new(&[file], &[], Outdated::Refuse).unwrap();
    clients
        .verify(&client.chain().unwrap()[0], &[], now)
        .unwrap()
}

const INSIDE: &str = "198.51.100.7";
const OUTSIDE: &str = "203.0.113.7";

fn fault(list: &str, fault: CertificateFault) -> Result<(), Reason> {
    Err(Reason::Certificate(list.into(), fault))
}

#[test]
fn one_of_access_and_all_of_access_all() {
    let (alice, bob) = (verified("alice"), verified("bob"));
    let (alice, bob) = (Some(Shown::Verified(&alice)), Some(Shown::Verified(&bob)));
    assert_eq!(decided("/either", OUTSIDE, alice), Ok(()));
    assert_eq!(decided("/either", INSIDE, bob), Ok(()));
    let not_named = || CertificateFault::NotNamed("bob".into());
    assert_eq!(
        decided("/either", OUTSIDE, bob),
        fault("alice", not_named())
    );
    assert_eq!(decided("/both", INSIDE, alice), Ok(()));
    assert_eq!(
        decided("/both", OUTSIDE, alice),
        Err(Reason::AccessDenied("office".into()))
    );
    assert_eq!(decided("/both", INSIDE, bob), fault("alice", not_named()));
    assert_eq!(decided("/any", OUTSIDE, bob), Ok(()));
}

#[test]
fn who_was_not_asked_comes_again_unless_another_list_lets_it_in() {
    let not_asked = Some(Shown::NotAsked);
    assert_eq!(decided("/either", INSIDE, not_asked), Ok(()));
    let refused = decided("/either", OUTSIDE, not_asked);
    assert_eq!(refused, fault("alice", CertificateFault::NotAsked));
    let reason = refused.unwrap_err();
    assert_eq!((reason.status(), reason.weight()), (421, 0));
    assert_eq!(
        decided("/later", OUTSIDE, not_asked),
        fault("alice", CertificateFault::NotAsked)
    );
    assert_eq!(
        decided("/later", OUTSIDE, Some(Shown::Nothing)),
        Err(Reason::Login(Box::new(LoginRefused {
            access: "later".into(),
            realm: "later".into(),
            fault: LoginFault::Missing,
        })))
    );
    assert_eq!(
        decided("/any", INSIDE, None),
        fault("any", CertificateFault::NeedsTls)
    );
}

#[test]
fn what_can_not_be_judged_is_not_the_fault_of_the_client() {
    let outdated = Refused {
        subject: Some("alice".into()),
        why: Why::ListOutdated(SystemTime::UNIX_EPOCH),
    };
    let revoked = Refused {
        subject: Some("alice".into()),
        why: Why::Revoked,
    };
    for (shown, weight, words) in [
        (
            Shown::Refused(&outdated),
            0,
            "the list of revoked certificates expired on 1970-01-01",
        ),
        (Shown::Unusable("ca.pem: torn"), 0, "ca.pem: torn"),
        (
            Shown::Refused(&revoked),
            1,
            "access `any`: the client certificate of \"alice\" was revoked",
        ),
        (Shown::Nothing, 1, "none was shown"),
    ] {
        let reason = decided("/any", OUTSIDE, Some(shown)).unwrap_err();
        assert_eq!((reason.status(), reason.weight()), (403, weight));
        assert!(reason.to_string().contains(words), "{reason}");
    }
}

#[test]
fn the_target_is_told_only_by_the_list_that_lets_in() {
    let routes = Routes::new(&config(), &BTreeMap::new()).unwrap();
    let host = routes.host("a.example").unwrap();
    let rule = |path: &str| {
        let mut entries = host.entries.iter();
        let entry = entries.find(|entry| &*entry.path == path);
        &*entry.unwrap().rule
    };
    let told = |path, shown| {
        let ask = asked(path, OUTSIDE, Some(shown));
        let told = told(rule(path), &ask).into_iter();
        told.map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
    };
    let nobody = Vec::<String>::new();
    let (alice, bob) = (verified("alice"), verified("bob"));
    let (alice, bob) = (Shown::Verified(&alice), Shown::Verified(&bob));
    assert_eq!(told("/either", alice), ["X-User: alice"]);
    assert_eq!(told("/either", bob), nobody);
    assert_eq!(told("/any", alice), nobody);
    assert_eq!(told("/either", Shown::Nothing), nobody);
    // Its name is nobody's else, on all rules.
    assert_eq!(&*rule("/any").withheld, ["X-User".into()]);
}

#[test]
fn an_explanation_says_what_is_asked_for() {
    let said = explain(&config(), "https://a.example/either", None, None).unwrap();
    let text = said.to_string();
    for part in [
        "over TLS, a client certificate is asked for, from ca.pem",
        "access office does not let it in",
        "access alice lets in who shows a client certificate for alice; here, none is",
        "refused (403): access `alice`: needs a client certificate, and none was shown (line ",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}
