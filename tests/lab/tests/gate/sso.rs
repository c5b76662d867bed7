//! `configs/interwise.toml` with its login: one page of the box, asked of freeradius, opens two hosts.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use lab::{Answer, Curl, Freeradius, Gatehouse, Lab, Nginx, Place, Site, contract, test};
use nix::sys::signal::Signal;

pub(crate) const NEEDS: &[&str] = &["nginx", "openssl", "curl", "freeradius"];
pub(crate) const RADIUS: &str = "10.0.0.20:1812";
/// What the lab sets every secret to.
pub(crate) const SHARED: &str = "a word of the lab";
pub(crate) const FIRST: &str = "https://icc.example.com";
pub(crate) const SECOND: &str = "https://wiki.example.com";

pub(crate) const RADIUS_KEYS: &str = "radius = { server = \"10.0.0.20:1812\", shared = { secret = \"radius\" }, timeout = \"1s\", tries = 1 }";

pub(crate) fn file() -> Result<String> {
    two_hosts("radius", RADIUS_KEYS)
}

/// The file with another login and more keys of its list, a header for groups, and a second host.
pub(crate) fn two_hosts(login: &str, keys: &str) -> Result<String> {
    let text = contract("interwise")?;
    let (before, rest) = text.split_once("login = \"ldap\"").context("login")?;
    let (_, after) = rest.split_once("user_header").context("user_header")?;
    Ok(format!(
        "{before}login = \"{login}\"\n{keys}\ngroups_header = \"X-Remote-Groups\"\nuser_header{after}\n\
         [[host]]\nname = \"wiki.example.com\"\n[[host.http]]\ntarget = \"http://10.0.0.20\"\naccess = [\"sso\"]\n"
    ))
}

/// A browser without script, as far as curl can be one.
pub(crate) struct Browser<'lab> {
    lab: &'lab Lab,
    pub(crate) root: PathBuf,
    jar: String,
}

impl<'lab> Browser<'lab> {
    pub(crate) fn new(lab: &'lab Lab, gate: &Gatehouse<'_>, name: &str) -> Result<Self> {
        Ok(Self {
            lab,
            root: gate.root()?,
            jar: lab.dir().join(name).display().to_string(),
        })
    }

    pub(crate) fn ask(&self, url: &str) -> Curl {
        Curl::new(url)
            .trusting(&self.root)
            .at("192.0.2.10")
            .header("Accept: text/html,application/xhtml+xml")
            .with(&["--cookie", &self.jar, "--cookie-jar", &self.jar])
    }

    pub(crate) fn get(&self, url: &str) -> Result<Answer> {
        self.ask(url).run(self.lab, Place::Internet)
    }

    /// The form of the page at `url` with `fields`, sent as that page's own.
    pub(crate) fn send(&self, page: &Answer, url: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let mut curl = self.ask(url);
        for name in ["mark", "access", "to", "pending"] {
            if let Some(value) = hidden(page, name) {
                curl = curl.with(&["--data-urlencode", &format!("{name}={value}")]);
            }
        }
        for (name, value) in fields {
            curl = curl.with(&["--data-urlencode", &format!("{name}={value}")]);
        }
        curl.run(self.lab, Place::Internet)
    }

    pub(crate) fn sign_in(
        &self,
        host: &str,
        query: &str,
        user: &str,
        password: &str,
    ) -> Result<Answer> {
        let url = format!("{host}/.gatehouse/login");
        let page = self.get(&format!("{url}{query}"))?;
        ensure!(page.status == 200, "{page:?}");
        self.send(&page, &url, &[("user", user), ("password", password)])
    }

    /// The value of a cookie in the jar.
    pub(crate) fn cookie(&self, name: &str) -> Result<Option<String>> {
        let jar = std::fs::read_to_string(&self.jar)?;
        let mut lines = jar.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let found = lines.find(|fields| fields.get(5) == Some(&name));
        Ok(found.and_then(|fields| fields.get(6).map(|&value| value.to_owned())))
    }
}

/// The value of a hidden field of a form.
pub(crate) fn hidden<'a>(page: &'a Answer, name: &str) -> Option<&'a str> {
    let (_, rest) = page.body.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split('"').next()
}

#[test]
fn a_browser_is_sent_to_the_login_page_and_a_program_is_refused() {
    test(Site::interwise(), NEEDS, |lab| {
        let _radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let gate = Gatehouse::start(lab, &file()?)?;
        let nemo = Browser::new(lab, &gate, "nemo")?;
        let sent = nemo.get(&format!("{FIRST}/page?a=b"))?;
        assert_eq!(sent.status, 303, "{sent:?}");
        let place = sent.header("location").to_owned();
        let page = "/.gatehouse/login?access=sso&to=";
        assert!(place.starts_with(page), "{place}");
        let api = Curl::new(&format!("{FIRST}/page"))
            .trusting(&nemo.root)
            .at("192.0.2.10");
        let refused = api.expect(lab, Place::Internet, 401)?;
        let challenge = refused.header("www-authenticate");
        assert!(challenge.starts_with("Cookie "), "{refused:?}");

        let query = place.split_once("login").context("query")?.1;
        let wrong = nemo.sign_in(FIRST, query, "nemo", "wrong word")?;
        assert_eq!(wrong.status, 403, "{wrong:?}");
        assert!(nemo.cookie("gatehouse_session")?.is_none());
        assert!(target.requests()?.is_empty());
        let right = nemo.sign_in(FIRST, query, "nemo", "arctangent")?;
        let leads = (right.status, right.header("location"));
        assert_eq!(leads, (303, "/page?a=b"), "{right:?}");
        let session = nemo.cookie("gatehouse_session")?.context("no session")?;
        let said = gate.ok(&["log"])?;
        let failed = "login-failed nemo at 198.51.100.1 by sso (sso)";
        assert!(said.contains(failed), "{said}");
        for secret in [session.as_str(), "arctangent", "wrong word", SHARED] {
            let is_told = said.contains(secret) || gate.output().contains(secret);
            assert!(!is_told, "{secret}");
        }
        Ok(())
    });
}

#[test]
fn one_login_opens_two_hosts_over_a_restart_until_it_is_ended() {
    test(Site::interwise(), NEEDS, |lab| {
        let _radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let gate = Gatehouse::start(lab, &file()?)?;
        let nemo = Browser::new(lab, &gate, "nemo")?;
        nemo.sign_in(FIRST, "", "nemo", "arctangent")?;
        let session = nemo.cookie("gatehouse_session")?.context("no session")?;
        for (host, path) in [(FIRST, "/one"), (SECOND, "/two")] {
            let forged = nemo
                .ask(&format!("{host}{path}"))
                .header("X-Remote-User: root")
                .header("X-Remote-Groups: wheel");
            forged.expect(lab, Place::Internet, 200)?;
            let arrived = target.wait_for(path)?;
            let request = arrived.iter().find(|request| request.get("uri") == path);
            let request = request.context("not arrived")?;
            assert_eq!(request.get("http_x_remote_user"), "Nemo");
            assert_eq!(request.get("http_x_remote_groups"), "pbx-users,admins");
        }
        let list = gate.json(&["session", "list"])?;
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
        assert!(!list.to_string().contains(&session));

        gate.signal(Signal::SIGTERM)?;
        gate.wait()?;
        gate.start_again()?;
        let again = nemo.ask(&format!("{SECOND}/again"));
        again.expect(lab, Place::Internet, 200)?;
        gate.ok(&["session", "end", "--all"])?;
        lab::wait_until("the session is over", || {
            Ok(nemo.get(&format!("{FIRST}/over"))?.status == 303)
        })
    });
}

#[test]
fn a_login_leads_nowhere_else_and_no_foreign_page_begins_one() {
    test(Site::interwise(), NEEDS, |lab| {
        let _radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let _target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let gate = Gatehouse::start(lab, &file()?)?;
        for (number, (to, place)) in [
            ("https://evil.example/", "/"),
            ("//evil.example", "/"),
            ("https://wiki.example.com.evil.example/", "/"),
            ("https://wiki.example.com/a", "https://wiki.example.com/a"),
        ]
        .into_iter()
        .enumerate()
        {
            let browser = Browser::new(lab, &gate, &format!("jar{number}"))?;
            let query = format!(
                "?access=sso&to={}",
                to.replace(':', "%3A").replace('/', "%2F")
            );
            let answer = browser.sign_in(FIRST, &query, "nemo", "arctangent")?;
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, place),
                "{to}"
            );
        }
        // A form without the browser it was shown in, or from a page of somebody else.
        let (shown, other) = (
            Browser::new(lab, &gate, "shown")?,
            Browser::new(lab, &gate, "other")?,
        );
        let url = format!("{FIRST}/.gatehouse/login");
        let page = shown.get(&url)?;
        let fields = [("user", "nemo"), ("password", "arctangent")];
        let stolen = other.send(&page, &url, &fields)?;
        assert_eq!(stolen.status, 403, "{stolen:?}");
        let mark = hidden(&page, "mark").context("no mark")?;
        let foreign = shown
            .ask(&url)
            .header("Origin: https://evil.example")
            .with(&["--data-urlencode", &format!("mark={mark}")])
            .with(&["--data", "user=nemo&password=arctangent"]);
        foreign.expect(lab, Place::Internet, 403)?;
        assert!(shown.cookie("gatehouse_session")?.is_none());

        // Whoever signs out is out, at all hosts.
        let answer = shown.sign_in(FIRST, "", "nemo", "arctangent")?;
        assert_eq!(answer.status, 303, "{answer:?}");
        shown
            .ask(&format!("{SECOND}/in"))
            .expect(lab, Place::Internet, 200)?;
        let session = shown.cookie("gatehouse_session")?.context("no session")?;
        let account = shown.get(&format!("{FIRST}/.gatehouse/"))?;
        assert!(account.body.contains("Nemo"), "{account:?}");
        shown.send(&account, &format!("{FIRST}/.gatehouse/logout"), &[])?;
        assert_eq!(shown.get(&format!("{SECOND}/out"))?.status, 303);
        let replayed = Curl::new(&format!("{SECOND}/replayed"))
            .trusting(&shown.root)
            .at("192.0.2.10")
            .header(&format!("Cookie: gatehouse_session={session}"));
        replayed.expect(lab, Place::Internet, 401)?;
        Ok(())
    });
}

#[test]
fn a_code_is_asked_for_and_a_server_that_is_away_costs_no_session() {
    test(Site::interwise(), NEEDS, |lab| {
        let radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let _target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let gate = Gatehouse::start(lab, &file()?)?;
        let mopsy = Browser::new(lab, &gate, "mopsy")?;
        let page = mopsy.sign_in(FIRST, "?access=sso&to=%2Fdeep", "mopsy", "challenge")?;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(hidden(&page, "pending").is_some(), "{page:?}");
        let url = format!("{FIRST}/.gatehouse/code");
        let answer = mopsy.send(&page, &url, &[("code", "99101462")])?;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/deep"),
            "{answer:?}"
        );

        radius.stop();
        mopsy
            .ask(&format!("{FIRST}/goes-on"))
            .expect(lab, Place::Internet, 200)?;
        let nemo = Browser::new(lab, &gate, "nemo")?;
        let away = nemo.sign_in(FIRST, "", "nemo", "arctangent")?;
        assert_eq!(away.status, 503, "{away:?}");
        assert!(
            !away.body.contains("10.0.0.20"),
            "nothing of the inside: {}",
            away.body
        );
        let said = gate.ok(&["log"])?;
        assert!(
            said.contains("access `sso`: nobody can sign in: "),
            "{said}"
        );
        let _radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let back = nemo.sign_in(FIRST, "", "nemo", "arctangent")?;
        assert_eq!(back.status, 303, "{back:?}");
        Ok(())
    });
}
