//! The cookie of a session is worth something at the hosts of its list alone, and targets get it where that is wanted.

use anyhow::{Context, Result};
use lab::{Curl, Freeradius, Gatehouse, Nginx, Place, Site, test};

use crate::sso::{Browser, FIRST, RADIUS, RADIUS_KEYS, SECOND, SHARED, two_hosts};

const NEEDS: &[&str] = &["nginx", "openssl", "curl", "freeradius"];
/// A host of another domain, with a cookie of the same name.
const ELSEWHERE: &str = "https://pbx.example.org";
/// A host of the same domain, with another list.
const INNER: &str = "https://inner.example.com";

/// Two lists more, each with a host.
fn file() -> Result<String> {
    let text = two_hosts("radius", RADIUS_KEYS)?;
    let elsewhere = ("elsewhere", "gatehouse_session", "example.org", "pbx");
    let inner = ("inner", "inner_session", "example.com", "inner");
    let more = [elsewhere, inner].map(|(list, cookie, domain, host)| {
        format!(
            "[access.{list}]\nkind = \"sso\"\nlogin = \"radius\"\n{RADIUS_KEYS}\nuser_header = \"X-Remote-User\"\n\
             session = {{ cookie = \"{cookie}\", domain = \"{domain}\" }}\n\
             [[host]]\nname = \"{host}.{domain}\"\n[[host.http]]\ntarget = \"http://10.0.0.20\"\naccess = [\"{list}\"]\n"
        )
    });
    Ok(text + &more.concat())
}

#[test]
fn a_session_opens_the_hosts_of_its_list_under_its_cookie_and_nothing_else() {
    test(Site::interwise(), NEEDS, |lab| {
        let _radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let gate = Gatehouse::start(lab, &file()?)?;
        let nemo = Browser::new(lab, &gate, "nemo")?;
        let answer = nemo.sign_in(FIRST, "", "nemo", "arctangent")?;
        let kept = answer.header("set-cookie");
        for part in ["Domain=example.com", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(kept.contains(&format!("; {part}")), "{kept}");
        }
        let session = nemo.cookie("gatehouse_session")?.context("no session")?;
        let root = gate.root()?;
        let sent = |host: &str, field: &str| {
            let request = Curl::new(&format!("{host}/stolen"));
            request.trusting(&root).at("192.0.2.10").header(field)
        };
        for (host, field) in [
            (ELSEWHERE, format!("Cookie: gatehouse_session={session}")),
            (INNER, format!("Cookie: gatehouse_session={session}")),
            (INNER, format!("Cookie: inner_session={session}")),
            (FIRST, format!("Cookie: inner_session={session}")),
            (FIRST, format!("Cookie: GATEHOUSE_SESSION={session}")),
            (FIRST, format!("Cookie: __Host-gatehouse-login={session}")),
            (FIRST, format!("Cookie: gatehouse_session={session}x")),
            (FIRST, format!("Authorization: Bearer {session}")),
            (FIRST, format!("gatehouse_session: {session}")),
        ] {
            let page = "Accept: text/html";
            let refused = sent(host, &field).expect(lab, Place::Internet, 401);
            refused.context(format!("{host} {field}"))?;
            let shown = sent(host, &field).header(page).run(lab, Place::Internet)?;
            assert_eq!(shown.status, 303, "{host} {field}: {shown:?}");
        }
        // Its own page knows nobody by it either.
        for (host, cookie) in [(ELSEWHERE, "gatehouse_session"), (INNER, "inner_session")] {
            let account = Curl::new(&format!("{host}/.gatehouse/"));
            let account = account.trusting(&root).at("192.0.2.10");
            let account = account.header(&format!("Cookie: {cookie}={session}"));
            let page = account.expect(lab, Place::Internet, 200)?;
            assert!(!page.body.contains("Nemo"), "{page:?}");
        }
        let log = gate.ok(&["log"])?;
        assert!(!log.contains(&session), "{log}");
        sent(SECOND, &format!("Cookie: gatehouse_session={session}")).expect(
            lab,
            Place::Internet,
            200,
        )?;
        let arrived = target.wait_for("/stolen")?;
        assert_eq!(arrived.len(), 1, "{arrived:?}");
        Ok(())
    });
}

#[test]
fn a_target_gets_the_cookie_of_a_session_only_where_that_is_wanted() {
    test(Site::interwise(), NEEDS, |lab| {
        let _radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let gate = Gatehouse::start(lab, &file()?)?;
        for (host, path, name, is_forwarded) in [
            (FIRST, "/first", "gatehouse_session", true),
            (ELSEWHERE, "/elsewhere", "gatehouse_session", false),
            (INNER, "/inner", "inner_session", false),
        ] {
            let nemo = Browser::new(lab, &gate, &format!("jar{}", path.replace('/', "-")))?;
            nemo.sign_in(host, "", "nemo", "arctangent")?;
            let session = nemo.cookie(name)?.context("no session")?;
            let login = nemo.cookie("__Host-gatehouse-login")?;
            let login = login.context("no cookie of the form")?;
            let cookies = format!(
                "Cookie: theme=dark; {name}={session}; __Host-gatehouse-login={login}; a=b"
            );
            let request = Curl::new(&format!("{host}{path}"));
            let request = request.trusting(&nemo.root).at("192.0.2.10");
            request.header(&cookies).expect(lab, Place::Internet, 200)?;
            let arrived = target.wait_for(path)?;
            let request = arrived.last().context("waited for")?;
            let wanted = if is_forwarded {
                format!("theme=dark; {name}={session}; a=b")
            } else {
                "theme=dark; a=b".to_owned()
            };
            assert_eq!(request.get("http_cookie"), wanted, "{host}");
            assert_eq!(request.get("http_x_remote_user"), "Nemo", "{host}");
        }
        Ok(())
    });
}
