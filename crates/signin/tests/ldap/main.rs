//! Logins at a real LDAP server (slapd), and at listeners that are none.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail by panic"
)]

mod slapd;

use config::{AccessKind, LdapLogin, Login};
use guard::entrance::Typed;
use net::resolve::Names;
use signin::directory::ldap::Ldap;
use signin::directory::{Answer, Fault, Typing};
use slapd::{NAME, Slapd, free_port};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// The keys of a login that searches with an account.
const SEARCH: &str = "search = \"dc=hq,dc=example\"\nuser = \"cn=gate,ou=services,dc=hq,dc=example\"\n\
                      password = { secret = \"ldap\" }\n";
/// The keys of a login by template.
const TEMPLATE: &str = "bind = \"uid={user},ou=people,dc=hq,dc=example\"\n";
/// The password of the account.
const ACCOUNT: &str = "searches, and nothing else";

fn login(keys: &str) -> LdapLogin {
    let text = format!(
        "schema = 1\n[access.sso]\nkind = \"sso\"\nlogin = \"ldap\"\nsession = {{ domain = \"hq.example\" }}\n\
         [access.sso.ldap]\n{keys}"
    );
    let config = config::check(&text, "test.toml").unwrap_or_else(|faults| panic!("{faults}"));
    match &config.config.access[0].kind {
        AccessKind::Sso(sso) => match &sso.login {
            Login::Ldap(login) => login.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn ldap(keys: &str, ca: &str) -> Ldap {
    ldap_with(keys, ca, ACCOUNT)
}

fn ldap_with(keys: &str, ca: &str, account: &str) -> Ldap {
    let names = Names::from_texts("", format!("127.0.0.1 {NAME} other.example\n"));
    let password = Some(Typed::from(account.to_owned()));
    Ldap::new(&login(keys), password, Some(ca), names).unwrap()
}

impl Slapd {
    /// A login over ldaps:// with these keys.
    fn ldap(&self, keys: &str) -> Ldap {
        let url = format!(
            "url = \"ldaps://{NAME}:{}\"\ncertificate = {{ ca = \"ca.pem\" }}\n",
            self.tls_port
        );
        ldap(&(url + keys), &self.ca)
    }
}

async fn asked(ldap: &Ldap, user: &str, password: &str) -> Result<Answer, Fault> {
    let typing = Typing {
        user: user.to_owned(),
        password: Typed::from(password.to_owned()),
        client: "192.0.2.1".parse().unwrap(),
    };
    ldap.sign_in(&typing).await
}

/// What became of a login, in one line.
async fn said(ldap: &Ldap, user: &str, password: &str) -> String {
    match asked(ldap, user, password).await {
        Ok(Answer::Known(person)) => format!("{} [{}]", person.user, person.groups.join("|")),
        Ok(Answer::Refused(why)) => format!("refused: {why}"),
        Ok(other) => format!("{other:?}"),
        Err(fault) => format!("fault: {fault}"),
    }
}

const WRONG: &str = "refused: user or password is wrong, or the account is locked";
const NO_ENTRY: &str = "refused: `filter` is true of no entry";

#[tokio::test]
async fn a_template_gives_the_name_of_the_bind() {
    let Some(slapd) = Slapd::start() else { return };
    let ldap = slapd.ldap(TEMPLATE);
    let alice = "Alice [Sales, west|pbx-users]";
    assert_eq!(said(&ldap, " aLICE ", "alice's").await, alice);
    assert_eq!(
        said(&ldap, "dan, a (b)*", "dan's").await,
        "dan, a (b)* [pbx-users]"
    );
    for (user, password) in [
        ("alice", "wrong"),
        ("nobody", "alice's"),
        ("carol", "matches nothing"),
        ("*", "alice's"),
        ("alice,ou=people,dc=hq,dc=example", "alice's"),
        ("alice+cn=Alice", "alice's"),
        ("\\", "x"),
    ] {
        assert_eq!(said(&ldap, user, password).await, WRONG, "{user}");
    }
    assert!(
        said(&ldap, "al\0ice", "alice's")
            .await
            .starts_with("refused: the name")
    );
    assert!(
        said(&ldap, "alice", "")
            .await
            .starts_with("refused: the password")
    );
    assert!(said(&ldap, " ", "x").await.starts_with("refused: the name"));
    // The user finds his entry himself; a filter that is not true of it keeps him out.
    let with = |name: &str| {
        let filter = format!("filter = \"(&(uid={{user}})(sn={name}))\"");
        slapd.ldap(&format!(
            "{TEMPLATE}search = \"dc=hq,dc=example\"\n{filter}\n"
        ))
    };
    assert_eq!(said(&with("Adams"), "ALICE", "alice's").await, alice);
    let kept_out = "refused: the password is right, but `filter` is true of no entry";
    assert_eq!(said(&with("Brown"), "alice", "alice's").await, kept_out);
}

#[tokio::test]
async fn an_entry_is_searched_and_then_bound_to() {
    let Some(slapd) = Slapd::start() else { return };
    let ldap = slapd.ldap(SEARCH);
    assert_eq!(
        said(&ldap, "alice", "alice's").await,
        "Alice [Sales, west|pbx-users]"
    );
    assert_eq!(
        said(&ldap, "dan, a (b)*", "dan's").await,
        "dan, a (b)* [pbx-users]"
    );
    assert_eq!(said(&ldap, "bob", "bob's").await, "bob []");
    assert_eq!(said(&ldap, "alice", "wrong").await, WRONG);
    for user in [
        "nobody",
        "*",
        "alice)(uid=*",
        ")(uid=*",
        "a,dc=x",
        "\\",
        "ali*",
    ] {
        assert_eq!(said(&ldap, user, "alice's").await, NO_ENTRY, "{user}");
    }
    let by_mail = slapd.ldap(&format!(
        "{SEARCH}filter = \"(|(uid={{user}})(mail={{user}}))\"\n"
    ));
    let alice = "Alice [Sales, west|pbx-users]";
    assert_eq!(said(&by_mail, "Adams@hq.example", "alice's").await, alice);
    let both = "refused: `filter` is true of more than one entry";
    assert_eq!(said(&by_mail, "both@hq.example", "bob's").await, both);
}

#[tokio::test]
async fn groups_come_from_an_attribute_or_a_search() {
    let Some(slapd) = Slapd::start() else { return };
    let with = |keys: &str| slapd.ldap(&format!("{SEARCH}{keys}\n"));
    let plain = with("member_of = \"employeeType\"");
    assert_eq!(
        said(&plain, "alice", "alice's").await,
        "Alice [plain group]"
    );
    let searched = "member_of = \"employeeType\"\ngroups_search = \"ou=groups,dc=hq,dc=example\"";
    let both = "Alice [Sales, west|pbx-users|plain group]";
    assert_eq!(said(&with(searched), "alice", "alice's").await, both);
    assert_eq!(
        said(&with(searched), "dan, a (b)*", "dan's").await,
        "dan, a (b)* [pbx-users]"
    );
    let filtered = format!("{searched}\ngroups_filter = \"(&(member={{dn}})(cn=pbx*))\"");
    let expected = "Alice [pbx-users|plain group]";
    assert_eq!(said(&with(&filtered), "alice", "alice's").await, expected);
    let nowhere = with("groups_search = \"ou=nowhere,dc=hq,dc=example\"");
    let said = said(&nowhere, "alice", "alice's").await;
    assert!(
        said.contains("gave no answer that can be used: `groups_search`: there is no such entry"),
        "{said}"
    );
}

#[tokio::test]
async fn a_locked_account_stays_out() {
    let Some(slapd) = Slapd::start() else { return };
    let ldap = slapd.ldap(TEMPLATE);
    assert_eq!(said(&ldap, "bob", "bob's").await, "bob []");
    for _ in 0..3 {
        assert_eq!(said(&ldap, "bob", "wrong").await, WRONG);
    }
    assert_eq!(said(&ldap, "bob", "bob's").await, WRONG);
}

#[tokio::test]
async fn the_server_is_known_by_its_certificate() {
    let Some(slapd) = Slapd::start() else { return };
    let (port, tls_port) = (slapd.port, slapd.tls_port);
    let alice = "Alice [Sales, west|pbx-users]";
    let trust = "certificate = { ca = \"ca.pem\" }";
    let over = async |url: String, more: &str| {
        let keys = format!("url = \"{url}\"\n{more}\n{TEMPLATE}");
        said(&ldap(&keys, &slapd.ca), "alice", "alice's").await
    };
    let start = format!("start_tls = true\n{trust}");
    assert_eq!(over(format!("ldap://{NAME}:{port}"), &start).await, alice);
    let clear = "clear_text_passwords = true";
    assert_eq!(over(format!("ldap://127.0.0.1:{port}"), clear).await, alice);
    let unknown = over(format!("ldaps://{NAME}:{tls_port}"), "").await;
    assert!(
        unknown.contains("from a CA that is not trusted"),
        "{unknown}"
    );
    let unknown = over(format!("ldap://{NAME}:{port}"), "start_tls = true").await;
    assert!(
        unknown.contains("from a CA that is not trusted"),
        "{unknown}"
    );
    let other = over(format!("ldaps://other.example:{tls_port}"), trust).await;
    assert!(other.contains("for another name"), "{other}");
    let zeros = format!("certificate = {{ sha256 = \"{}\" }}", "00".repeat(32));
    let pinned = over(format!("ldaps://127.0.0.1:{tls_port}"), &zeros).await;
    assert!(pinned.contains("not the one of `certificate`"), "{pinned}");
    let no_tls = over(format!("ldaps://{NAME}:{port}"), trust).await;
    assert!(no_tls.starts_with("fault: "), "{no_tls}");
    let unresolved = over(format!("ldaps://nowhere.example:{tls_port}"), trust).await;
    assert!(
        unresolved.contains("its name has no address"),
        "{unresolved}"
    );
}

#[tokio::test]
async fn what_the_operator_has_wrong_is_told() {
    let Some(slapd) = Slapd::start() else { return };
    let url = format!(
        "url = \"ldaps://{NAME}:{}\"\ncertificate = {{ ca = \"ca.pem\" }}\n",
        slapd.tls_port
    );
    let wrong = ldap_with(&format!("{url}{SEARCH}"), &slapd.ca, "wrong");
    let said_wrong = said(&wrong, "alice", "alice's").await;
    assert!(
        said_wrong.contains("it refuses our own account"),
        "{said_wrong}"
    );
    let names = Names::from_texts("", format!("127.0.0.1 {NAME}\n"));
    let none = Ldap::new(
        &login(&format!("{url}{SEARCH}")),
        None,
        Some(&slapd.ca),
        names,
    )
    .unwrap();
    let said_none = said(&none, "alice", "alice's").await;
    assert!(
        said_none.contains("secret `ldap`, is not in the store"),
        "{said_none}"
    );
    let nowhere = slapd.ldap(&SEARCH.replace("search = \"dc=hq", "search = \"dc=nowhere,dc=hq"));
    let said_nowhere = said(&nowhere, "alice", "alice's").await;
    assert!(
        said_nowhere.contains("`search`: there is no such entry"),
        "{said_nowhere}"
    );
    let shown = format!("{wrong:?}");
    assert!(!shown.contains("wrong\""), "{shown}");
}

#[tokio::test]
async fn a_server_that_was_down_is_asked_again() {
    let Some(mut slapd) = Slapd::start() else {
        return;
    };
    let ldap = slapd.ldap(SEARCH);
    let alice = "Alice [Sales, west|pbx-users]";
    assert_eq!(said(&ldap, "alice", "alice's").await, alice);
    slapd.stop();
    let down = said(&ldap, "alice", "alice's").await;
    assert!(
        down.ends_with("can not be reached: nothing listens there"),
        "{down}"
    );
    slapd.run();
    assert_eq!(said(&ldap, "alice", "alice's").await, alice);
}

/// Says `words` to whoever asks something, once for each connection, and then nothing.
fn listener(words: &'static [u8]) -> u16 {
    let port = free_port();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let mut room = [0; 512];
            let _ = stream.read(&mut room);
            let _ = stream.write_all(words);
            held.push(stream);
        }
    });
    port
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let port = listener(b"");
    for keys in [
        format!("url = \"ldaps://127.0.0.1:{port}\"\n"),
        format!("url = \"ldap://127.0.0.1:{port}\"\nstart_tls = true\n"),
        format!("url = \"ldap://127.0.0.1:{port}\"\nclear_text_passwords = true\n"),
    ] {
        let begun = Instant::now();
        let silent = said(&ldap(&(keys + TEMPLATE), ""), "alice", "alice's").await;
        assert!(silent.ends_with("it does not answer in time"), "{silent}");
        assert!(begun.elapsed() < Duration::from_secs(11));
    }
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    for (words, expected) in [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            "a message is no LDAP",
        ),
        // A result of a search, where a bind was asked for.
        (
            b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00",
            "it answers what was not asked",
        ),
        // The notice of disconnection (RFC 4511 section 4.4.1).
        (
            b"\x30\x0c\x02\x01\x00\x78\x07\x0a\x01\x34\x04\x00\x04\x00",
            "it ends the connection",
        ),
        (b"\x30\x84\x7f\xff\xff\xff", "a message is too long"),
    ] {
        let keys = format!(
            "url = \"ldap://127.0.0.1:{}\"\nclear_text_passwords = true\n",
            listener(words)
        );
        let found = said(&ldap(&(keys + TEMPLATE), ""), "alice", "alice's").await;
        assert!(found.ends_with(expected), "{found}");
        let keys = format!(
            "url = \"ldap://127.0.0.1:{}\"\nstart_tls = true\n",
            listener(words)
        );
        let found = said(&ldap(&(keys + TEMPLATE), ""), "alice", "alice's").await;
        assert!(found.starts_with("fault: "), "{found}");
    }
    // What is slipped in before TLS is not taken for what comes in it.
    let words = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
    let keys = format!(
        "url = \"ldap://127.0.0.1:{}\"\nstart_tls = true\n",
        listener(words)
    );
    let found = said(&ldap(&(keys + TEMPLATE), ""), "alice", "alice's").await;
    assert!(
        found.ends_with("it speaks out of turn before TLS"),
        "{found}"
    );
}
