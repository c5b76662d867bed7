//! `configs/interwise.toml` with its login at a real slapd, by search and bind: Chromium signs in once and opens two hosts.

use std::path::Path;

use anyhow::{Context, Result};
use lab::{
    Authority, Browser, Gatehouse, Lab, Nginx, Place, Request, Site, Slapd, Visitor, Visitors,
    test, wait_until,
};

use crate::sso::{FIRST, SECOND, SHARED, two_hosts};

const ADDRESS: &str = "10.0.0.20";
const KEYS: &str = "groups = [\"pbx-users\"]\n\
    ldap = { url = \"ldaps://10.0.0.20\", certificate = { ca = \"office.pem\" }, search = \"dc=hq,dc=example\", \
    user = \"cn=gate,ou=services,dc=hq,dc=example\", password = { secret = \"ldap\" } }";

/// What every test here has.
struct Office<'lab> {
    slapd: Slapd<'lab>,
    target: Nginx,
    gate: Gatehouse<'lab>,
    visitors: Visitors,
}

impl<'lab> Office<'lab> {
    fn open(lab: &'lab Lab) -> Result<Self> {
        let authority = Authority::make(lab, "office")?;
        let slapd = Slapd::start(lab, ADDRESS, &authority, SHARED)?;
        let target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let gate = Gatehouse::start(lab, &two_hosts("ldap", KEYS)?)?;
        let names = [("*.example.com", "192.0.2.10")];
        let visitors = Visitors::trusting(lab, &[&gate.root()?], &names, Path::new("/nowhere"))?;
        Ok(Self {
            slapd,
            target,
            gate,
            visitors,
        })
    }

    /// What the target was told with the first request for `path`.
    fn arrived(&self, path: &str) -> Result<Request> {
        let arrived = self.target.wait_for(path)?;
        let found = arrived.into_iter().find(|one| one.get("uri") == path);
        found.context("waited for")
    }

    /// Waits until the log holds `text`.
    fn log_says(&self, text: &str) -> Result<()> {
        wait_until(&format!("{text:?} in the log"), || {
            Ok(self.gate.ok(&["log"])?.contains(text))
        })
    }
}

fn programs() -> Vec<&'static str> {
    [&["nginx", "curl"], &Slapd::NEEDS[..], &Browser::NEEDS].concat()
}

/// Alice signs in at the first host, and comes to its page `/in`.
fn signs_in(alice: &Visitor<'_>) -> Result<()> {
    let page = format!("{FIRST}/in");
    let form = alice.open(&page)?;
    assert!(form.title.starts_with("Sign in"), "{form:?}");
    let seen = alice.sign_in("alice", "alice's")?;
    assert_eq!((seen.status, &seen.url), (200, &page), "{seen:?}");
    Ok(())
}

#[test]
fn one_login_opens_two_hosts_and_one_log_out_closes_both() {
    test(Site::interwise(), &programs(), |lab| {
        let office = Office::open(lab)?;
        let alice = office.visitors.person("alice", "en");
        signs_in(&alice)?;
        let page = format!("{SECOND}/second?a=b");
        let second = alice.open(&page)?;
        let way = (second.status, second.url.as_str(), second.trail.len());
        assert_eq!(way, (200, page.as_str(), 1), "{second:?}");
        for path in ["/in", "/second?a=b"] {
            let request = office.arrived(path)?;
            // The name is the directory's; a group with a comma can not be told from two.
            assert_eq!(request.get("http_x_remote_user"), "Alice");
            assert_eq!(request.get("http_x_remote_groups"), "pbx-users");
            let cookie = request.get("http_cookie");
            assert!(cookie.starts_with("gatehouse_session="), "{cookie}");
            assert!(!cookie.contains("__Host-"), "{cookie}");
        }
        let account = alice.open(&format!("{SECOND}/.gatehouse/"))?;
        assert!(account.text.contains("Alice"), "{account:?}");
        let out = alice.press("Sign out")?;
        assert!(out.title.starts_with("You are signed out"), "{out:?}");
        for host in [FIRST, SECOND] {
            let again = alice.open(&format!("{host}/again"))?;
            assert!(again.title.starts_with("Sign in"), "{again:?}");
        }
        let left = office.gate.json(&["session", "list"])?;
        assert_eq!(left, serde_json::json!([]));
        let asked = office.target.requests()?;
        let again = asked.iter().any(|request| request.get("uri") == "/again");
        assert!(!again, "{asked:?}");
        Ok(())
    });
}

#[test]
fn who_is_wrong_unknown_or_locked_reads_the_same_and_who_has_no_group_reads_so() {
    test(Site::interwise(), &programs(), |lab| {
        let office = Office::open(lab)?;
        let bob = office.visitors.person("bob", "en");
        bob.open(&format!("{FIRST}/page"))?;
        let kept_out = bob.sign_in("bob", "bob's")?;
        assert_eq!(kept_out.status, 403, "{kept_out:?}");
        let words = "your account is not let in here";
        assert!(kept_out.text.contains(words), "{kept_out:?}");
        office
            .log_says("login-failed bob at 198.51.100.1 by sso (sso): is in none of the groups")?;

        let mut told = Vec::new();
        // Three of them lock him; what is right then comes too late.
        for (user, password) in [
            ("nobody", "bob's"),
            ("bob", "wrong one"),
            ("bob", "wrong two"),
            ("bob", "wrong three"),
            ("bob", "bob's"),
        ] {
            let refused = bob.sign_in(user, password)?;
            assert_eq!(refused.status, 403, "{refused:?}");
            assert!(bob.cookie(FIRST, "gatehouse_session")?.is_none());
            told.push(refused.text);
        }
        let wrong = "User name or password is wrong.";
        assert!(told.iter().all(|text| *text == told[0]), "{told:?}");
        assert!(told[0].contains(wrong), "{told:?}");
        let failed = "login-failed bob at 198.51.100.1 by sso (sso): user or password is wrong";
        wait_until("every failure in the log", || {
            Ok(office.gate.ok(&["log"])?.matches(failed).count() == 4)
        })?;
        office.log_says("login-failed nobody at 198.51.100.1 by sso (sso): ")?;
        let said = office.gate.ok(&["log"])?;
        for secret in ["bob's", "wrong one", "wrong two", "wrong three", SHARED] {
            let is_told = said.contains(secret) || office.gate.output().contains(secret);
            assert!(!is_told, "{secret}: {said}");
        }
        assert!(office.target.requests()?.is_empty());
        // Another one is not locked by it.
        signs_in(&office.visitors.person("alice", "en"))
    });
}

#[test]
fn a_directory_that_is_away_keeps_newcomers_out_calmly_and_nobody_else() {
    test(Site::interwise(), &programs(), |lab| {
        let mut office = Office::open(lab)?;
        let alice = office.visitors.person("alice", "en");
        signs_in(&alice)?;
        let cookie = alice.cookie(FIRST, "gatehouse_session")?;
        let cookie = cookie.context("no session")?;
        office.slapd.stop();
        let goes_on = alice.open(&format!("{SECOND}/goes-on"))?;
        assert_eq!(goes_on.status, 200, "{goes_on:?}");

        let other = office.visitors.person("another alice", "en");
        other.open(&format!("{FIRST}/in"))?;
        let away = other.sign_in("alice", "alice's")?;
        assert_eq!(away.status, 503, "{away:?}");
        assert!(away.title.starts_with("Nobody can sign in"), "{away:?}");
        assert!(!away.text.contains(ADDRESS), "{away:?}");
        office.log_says("access `sso`: nobody can sign in: ")?;
        let said = office.gate.ok(&["log"])?;
        assert!(!said.contains("login-failed"), "{said}");

        office.slapd.start_again()?;
        let form = other.follow("Try again")?;
        assert!(form.title.starts_with("Sign in"), "{form:?}");
        let seen = other.sign_in("alice", "alice's")?;
        let place = (seen.status, seen.url);
        assert_eq!(place, (200, format!("{FIRST}/in")));
        // Each has a session of his own.
        let other = other.cookie(FIRST, "gatehouse_session")?;
        assert_ne!(other.as_deref(), Some(cookie.as_str()));
        let sessions = office.gate.json(&["session", "list"])?;
        assert_eq!(sessions.as_array().map(Vec::len), Some(2), "{sessions}");
        Ok(())
    });
}
