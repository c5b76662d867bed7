//! `configs/interwise.toml` with its login at a real provider (the npm package oidc-provider) in a network of its own, in a real browser.

use anyhow::{Context, Result};
use lab::{
    Authority, Browser, Client, Echo, Gatehouse, Lab, Nginx, Place, Provider, Request, Seen, Site,
    Visitor, Visitors, test, wait_until,
};

use crate::login_page::{look, shots};
use crate::sso::{FIRST, SECOND, SHARED, two_hosts};

/// Where the provider is, of whom the hosts' domain knows nothing.
const PROVIDER: &str = "login.example.net";
const ADDRESS: &str = "192.0.2.30";
const KEYS: &str = "groups = [\"pbx-users\"]\n\
    oidc = { issuer = \"https://login.example.net\", issuer_ca = \"office.pem\", client = \"gatehouse\", client_key = { secret = \"oidc\" } }";

/// What every test here has.
struct Office<'lab> {
    provider: Provider<'lab>,
    target: Nginx,
    gate: Gatehouse<'lab>,
    visitors: Visitors,
}

impl<'lab> Office<'lab> {
    fn open(lab: &'lab Lab) -> Result<Self> {
        let authority = Authority::make(lab, "office")?;
        lab.tell_name(Place::Gate, PROVIDER, ADDRESS)?;
        let target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let gate = Gatehouse::start(lab, &two_hosts("oidc", KEYS)?)?;
        let root = gate.root()?;
        let client = Client {
            host: FIRST,
            secret: SHARED,
            gateway: ("192.0.2.10", &root),
        };
        let provider = Provider::start(lab, (Place::Dmz, ADDRESS), (PROVIDER, &authority), client)?;
        let names = [(PROVIDER, ADDRESS), ("*.example.com", "192.0.2.10")];
        let roots = [&*root, &*authority.root()];
        let visitors = Visitors::trusting(lab, &roots, &names, &shots())?;
        Ok(Self {
            provider,
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

    fn sessions(&self) -> Result<usize> {
        let list = self.gate.json(&["session", "list"])?;
        list.as_array().map(Vec::len).context("no list")
    }
}

fn programs() -> Vec<&'static str> {
    [&["nginx", "curl"], &Provider::NEEDS[..], &Browser::NEEDS].concat()
}

/// Somebody comes to `page`, signs in at the provider under a name, and is sent on.
fn signs_in(visitor: &Visitor<'_>, page: &str, user: &str) -> Result<Seen> {
    let form = answered(visitor, visitor.open(page)?)?;
    assert!(is_at_provider(&form), "{form:?}");
    at_provider(visitor, user)
}

/// He signs in with its form, and says that we may know him.
fn at_provider(visitor: &Visitor<'_>, user: &str) -> Result<Seen> {
    let asked = visitor.send(&[("login", user), ("password", "any")])?;
    assert!(is_at_provider(&asked), "{asked:?}");
    answered(visitor, visitor.press("Continue")?)
}

/// What comes once the provider has answered the box in time, which it may not on a machine with much to do.
fn answered(visitor: &Visitor<'_>, mut seen: Seen) -> Result<Seen> {
    wait_until("an answer of the provider", || {
        if seen.status == 503 {
            seen = try_again(visitor)?;
        }
        Ok(seen.status != 503)
    })?;
    Ok(seen)
}

fn try_again(visitor: &Visitor<'_>) -> Result<Seen> {
    visitor.follow(visitor.words("Try again", "Noch einmal versuchen"))
}

fn is_at_provider(seen: &Seen) -> bool {
    seen.status == 200 && seen.url.starts_with(&format!("https://{PROVIDER}/"))
}

#[test]
fn one_login_at_the_provider_opens_two_hosts_and_no_code_is_told() {
    test(Site::interwise(), &programs(), |lab| {
        let office = Office::open(lab)?;
        let ada = office.visitors.person("ada", "en");
        // The provider knows the first host alone: the way leads over it, and back to the page that was asked for.
        let page = format!("{SECOND}/deep?x=1");
        let seen = signs_in(&ada, &page, "ada")?;
        assert_eq!((seen.status, &seen.url), (200, &page), "{seen:?}");
        let back = format!("{FIRST}/.gatehouse/oidc/callback?");
        let query = seen.trail.iter().find_map(|url| url.strip_prefix(&back));
        let query = query.with_context(|| format!("{:?}", seen.trail))?;
        let first = ada.open(&format!("{FIRST}/first"))?;
        assert_eq!((first.status, first.trail.len()), (200, 1), "{first:?}");
        for path in ["/deep?x=1", "/first"] {
            let request = office.arrived(path)?;
            assert_eq!(request.get("http_x_remote_user"), "ada");
            assert_eq!(request.get("http_x_remote_groups"), "pbx-users,staff");
        }
        assert_eq!(office.sessions()?, 1);
        office.log_says("\"ada\" has signed in at access `sso` from 198.51.100.1")?;

        let session = ada.cookie(FIRST, "gatehouse_session")?;
        let session = session.context("no session")?;
        let said = [
            office.gate.ok(&["log", "--json"])?,
            office.gate.ok(&["metrics"])?,
            office.gate.output(),
        ];
        let values = query.split('&').filter_map(|pair| pair.split_once('='));
        let code_and_state = values.filter(|(name, _)| *name != "iss");
        for secret in code_and_state
            .map(|(_, value)| value)
            .chain([&*session, SHARED])
        {
            let is_told = said.iter().any(|text| text.contains(secret));
            assert!(!is_told, "{secret}");
        }
        // The address with the code is worth nothing to who finds it.
        let thief = office.visitors.person("thief", "en");
        let refused = thief.open(&format!("{back}{query}"))?;
        assert_eq!(refused.status, 403, "{refused:?}");
        assert!(thief.cookie(FIRST, "gatehouse_session")?.is_none());
        Ok(())
    });
}

#[test]
fn who_has_no_group_or_another_one_is_kept_out_until_he_is_somebody_else() {
    let needs = [&programs()[..], &["the pages' packages"]].concat();
    test(Site::interwise(), &needs, |lab| {
        let office = Office::open(lab)?;
        let page = format!("{FIRST}/page");
        let mut faults = Vec::new();
        let people = [("stranger", "en"), ("eve", "en"), ("eve", "de")];
        for (user, language) in people {
            let visitor = office.visitors.person(language, language);
            let seen = signs_in(&visitor, &page, user)?;
            faults.extend(look(&visitor, "kept-out", 403, &seen)?);
            let words = match language {
                "de" => "Ihr Konto ist hier nicht zugelassen",
                _ => "your account is not let in here",
            };
            assert!(seen.text.contains(words), "{seen:?}");
            assert!(visitor.cookie(FIRST, "gatehouse_session")?.is_none());
            let failed = format!("login-failed {user} at 198.51.100.1 by sso (sso): ");
            office.log_says(&failed)?;
            let again = answered(&visitor, try_again(&visitor)?)?;
            assert_eq!(again.status, 403, "{again:?}");
            visitor.follow(visitor.words("Sign out at the provider", "Beim Anbieter abmelden"))?;
            visitor.press("Yes, sign me out")?;
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert_eq!(office.sessions()?, 0);
        assert!(office.target.requests()?.is_empty());
        let seen = signs_in(&office.visitors.person("en", "en"), &page, "ada")?;
        assert_eq!((seen.status, &seen.url), (200, &page), "{seen:?}");
        Ok(())
    });
}

#[test]
fn signing_out_here_or_there_ends_the_session_and_what_is_open_under_it() {
    let needs = [&programs()[..], &["python3-websockets"]].concat();
    test(Site::interwise(), &needs, |lab| {
        let _echo = Echo::start(lab, Place::Lan, "127.0.0.1:7225", false)?;
        let office = Office::open(lab)?;
        let ada = office.visitors.person("ada", "en");
        let page = format!("{FIRST}/page");
        signs_in(&ada, &page, "ada")?;
        ada.open(&format!("{SECOND}/.gatehouse/"))?;
        let out = ada.press("Sign out")?;
        assert!(out.title.starts_with("You are signed out"), "{out:?}");
        assert_eq!(office.sessions()?, 0);
        let there = ada.follow("Sign out at the provider as well")?;
        assert!(is_at_provider(&there), "{there:?}");
        ada.press("Yes, sign me out")?;

        let seen = signs_in(&ada, &page, "ada")?;
        assert_eq!((seen.status, &seen.url), (200, &page), "{seen:?}");
        ada.talk("wss://icc.example.com/ws")?;
        assert!(ada.talks()?);
        let desk = ada.other_tab();
        let asked = desk.open(&format!("https://{PROVIDER}/session/end"))?;
        assert!(is_at_provider(&asked), "{asked:?}");
        desk.press("Yes, sign me out")?;
        wait_until("the provider tells of it", || {
            Ok(office.provider.log().matches("logout 200").count() == 2)
        })?;
        wait_until("the WebSocket is closed", || Ok(!ada.talks()?))?;
        assert_eq!(office.sessions()?, 0);
        let again = answered(&desk, desk.open(&format!("{SECOND}/again"))?)?;
        assert!(is_at_provider(&again), "{again:?}");
        Ok(())
    });
}

#[test]
fn a_provider_that_is_away_keeps_newcomers_out_calmly_and_nobody_else() {
    test(Site::interwise(), &programs(), |lab| {
        let mut office = Office::open(lab)?;
        let ada = office.visitors.person("ada", "en");
        signs_in(&ada, &format!("{FIRST}/page"), "ada")?;
        office.provider.stop();
        let goes_on = ada.open(&format!("{SECOND}/goes-on"))?;
        assert_eq!(goes_on.status, 200, "{goes_on:?}");

        // For a moment the box believes that it is there.
        let other = office.visitors.person("other", "en");
        let mut away = None;
        wait_until("a page that says so", || {
            away = other.open(&format!("{FIRST}/other")).ok();
            Ok(away.is_some())
        })?;
        let away = away.context("waited for")?;
        assert_eq!(away.status, 503, "{away:?}");
        assert!(away.title.starts_with("Nobody can sign in"), "{away:?}");
        for inside in [ADDRESS, PROVIDER] {
            assert!(!away.text.contains(inside), "{away:?}");
        }
        office.log_says("access `sso`: nobody can sign in: https://login.example.net can not")?;

        office.provider.start_again()?;
        wait_until("the provider's form", || {
            Ok(is_at_provider(&other.follow("Try again")?))
        })?;
        let seen = at_provider(&other, "ada")?;
        let place = (seen.status, seen.url);
        assert_eq!(place, (200, format!("{FIRST}/other")));
        assert_eq!(office.sessions()?, 2);
        Ok(())
    });
}
