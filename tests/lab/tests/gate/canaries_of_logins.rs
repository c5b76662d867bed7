//! Secrets of single sign-on are planted wherever there is one, and looked for wherever something is said.

use anyhow::{Context, Result, ensure};
use lab::{
    Authority, Curl, Freeradius, Gatehouse, Lab, Nginx, Operator, Place, Site, Slapd, test,
    wait_until,
};

use crate::canaries::{Canaries, file};
use crate::sso::{Browser, FIRST, RADIUS, RADIUS_KEYS, hidden, two_hosts};

const PAGES: &str = "https://10.0.0.2:8443";
const LDAP: &str = "https://ldap.example.com";
const OIDC: &str = "https://oidc.example.com";
/// The keys of a list at a directory, and of one at a provider that is not there.
const LDAP_KEYS: &str = "login = \"ldap\"\nldap = { url = \"ldaps://10.0.0.20\", certificate = { ca = \"office.pem\" }, \
    search = \"dc=hq,dc=example\", user = \"cn=gate,ou=services,dc=hq,dc=example\", password = { secret = \"ldap\" } }";
const OIDC_KEYS: &str = "login = \"oidc\"\noidc = { issuer = \"https://10.0.0.21\", client = \"gatehouse\", client_key = { secret = \"oidc\" } }";

/// Three lists, one of each kind, each with a host; everything is logged, and nobody banned.
fn configuration() -> Result<String> {
    let text = two_hosts("radius", RADIUS_KEYS)?.replace(
        "standard_ports = true",
        "standard_ports = true\nlog_rejected = [\"http\"]\nlog_forwarded = [\"http\"]",
    );
    let more = [("ldap", LDAP_KEYS), ("oidc", OIDC_KEYS)].map(|(list, keys)| {
        format!(
            "[access.{list}]\nkind = \"sso\"\n{keys}\nsession = {{ domain = \"example.com\", cookie = \"{list}\" }}\n\
             [[host]]\nname = \"{list}.example.com\"\n[[host.http]]\ntarget = \"http://10.0.0.20\"\naccess = [\"{list}\"]\n"
        )
    });
    let never = "[guard]\nnever = [\"0.0.0.0/0\", \"::/0\"]\n";
    Ok(text + &more.concat() + never)
}

#[test]
fn what_a_login_needs_and_what_people_type_into_it_is_found_nowhere() {
    let needs = [&["nginx", "curl", "freeradius"], &Slapd::NEEDS[..]].concat();
    test(Site::interwise(), &needs, |lab| {
        let authority = Authority::make(lab, "office")?;
        let _target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let gate = Gatehouse::start(lab, &configuration()?)?;
        let birds = Canaries::new(lab, &gate)?;
        let [shared, account, client] = [
            ("radius", "the secret of RADIUS"),
            ("ldap", "the password of the account at the directory"),
            ("oidc", "the secret of the client at the provider"),
        ]
        .map(|(name, place)| (name, birds.hatch(place)));
        for (name, secret) in [&shared, &account, &client] {
            set(lab, &gate, name, secret)?;
        }
        let _radius = Freeradius::start(lab, RADIUS, &shared.1)?;
        let _slapd = Slapd::start(lab, "10.0.0.20", &authority, &account.1)?;
        at_radius(&birds, &gate)?;
        at_ldap(&birds, &gate)?;
        at_oidc(&birds, &gate)?;
        // Secrets that are wrong are none the less secret.
        for (name, host, user) in [("radius", FIRST, "nemo"), ("ldap", LDAP, "alice")] {
            set(lab, &gate, name, &birds.hatch("a secret that is not right"))?;
            let browser = Browser::new(lab, &gate, &format!("away-{name}"))?;
            let away = browser.sign_in(host, "", user, &birds.hatch("a password in vain"))?;
            ensure!(away.status == 503, "{away:?}");
            birds.hear_answer("a directory that refuses us", &away);
        }
        ask_the_api(&birds, &gate)?;
        wait_until("the last line of the log", || {
            Ok(gate
                .ok(&["log"])?
                .contains("access `ldap`: nobody can sign in"))
        })?;
        birds.look(&gate)
    });
}

/// Puts a secret into the store, and to work.
fn set(lab: &Lab, gate: &Gatehouse<'_>, name: &str, secret: &str) -> Result<()> {
    gate.ok_reading(&["secret", "set", name], &file(lab, secret)?)?;
    gate.ok(&["reload"]).map(drop)
}

fn at_radius(birds: &Canaries<'_>, gate: &Gatehouse<'_>) -> Result<()> {
    let nemo = Browser::new(birds.lab, gate, "nemo")?;
    let token = birds.hatch("a token in the address that was asked for");
    let sent = nemo.get(&format!("{FIRST}/page?token={token}"))?;
    let place = sent.header("location").to_owned();
    let query = place.strip_prefix("/.gatehouse/login").context("query")?;
    let wrong = birds.hatch("a wrong password");
    let refused = nemo.sign_in(FIRST, "", "nemo", &wrong)?;
    birds.hear_answer("a wrong password", &refused);
    let unknown = nemo.sign_in(FIRST, "", "nobody", &wrong)?;
    birds.hear_answer("nobody's password", &unknown);
    birds.keep("the right password", "arctangent");
    let right = nemo.sign_in(FIRST, query, "nemo", "arctangent")?;
    ensure!(right.status == 303, "{right:?}");
    let session = nemo.cookie("gatehouse_session")?.context("not signed in")?;
    birds.keep("a session", &session);
    let form = nemo.cookie("__Host-gatehouse-login")?;
    birds.keep("the cookie of the form", &form.context("no cookie")?);
    let inside = nemo.get(&format!("{FIRST}/inside?token={token}"))?;
    ensure!(inside.status == 200, "{inside:?}");
    birds.hear_answer("the account", &nemo.get(&format!("{FIRST}/.gatehouse/"))?);

    let mopsy = Browser::new(birds.lab, gate, "mopsy")?;
    let url = format!("{FIRST}/.gatehouse/code");
    let page = mopsy.sign_in(FIRST, "", "mopsy", "challenge")?;
    birds.keep(
        "which login waits for a code",
        hidden(&page, "pending").context("no question")?,
    );
    let wrong = mopsy.send(&page, &url, &[("code", &birds.hatch("a wrong code"))])?;
    birds.hear_answer("a wrong code", &wrong);
    let page = mopsy.sign_in(FIRST, "", "mopsy", "challenge")?;
    birds.keep("a code", "99101462");
    let right = mopsy.send(&page, &url, &[("code", "99101462")])?;
    ensure!(right.status == 303, "{right:?}");
    let forged = birds.hatch("a session that is none");
    let request = Curl::new(&format!("{FIRST}/page?session={forged}"));
    let request = request.trusting(&nemo.root).at("192.0.2.10");
    let request = request.header(&format!("Cookie: gatehouse_session={forged}"));
    let refused = request.run(birds.lab, Place::Internet)?;
    birds.hear_answer("a session that is none", &refused);
    Ok(())
}

fn at_ldap(birds: &Canaries<'_>, gate: &Gatehouse<'_>) -> Result<()> {
    let alice = Browser::new(birds.lab, gate, "alice")?;
    let wrong = birds.hatch("a wrong password at the directory");
    for user in ["alice", "nobody", "ali*", "cn=gate,ou=services,dc=hq"] {
        let refused = alice.sign_in(LDAP, "", user, &wrong)?;
        birds.hear_answer("a wrong password at the directory", &refused);
    }
    birds.keep("the right password at the directory", "alice's");
    let right = alice.sign_in(LDAP, "", "alice", "alice's")?;
    ensure!(right.status == 303, "{right:?}");
    let session = alice.cookie("ldap")?.context("not signed in")?;
    birds.keep("a session by LDAP", &session);
    Ok(())
}

fn at_oidc(birds: &Canaries<'_>, gate: &Gatehouse<'_>) -> Result<()> {
    let ada = Browser::new(birds.lab, gate, "ada")?;
    let away = ada.get(&format!("{OIDC}/.gatehouse/login"))?;
    ensure!(away.status == 503, "{away:?}");
    birds.hear_answer("a provider that is away", &away);
    let (code, state) = (birds.hatch("a code of a provider"), birds.hatch("a state"));
    for query in [
        format!("code={code}&state={state}"),
        format!("code={code}"),
        format!("error={code}&error_description={code}&state={state}"),
        format!("code={code}&code={code}&state={state}"),
    ] {
        let refused = ada.get(&format!("{OIDC}/.gatehouse/oidc/callback?{query}"))?;
        ensure!(refused.status == 403, "{refused:?}");
        birds.hear_answer("a way back that nobody waits for", &refused);
    }
    let token = birds.hatch("a token of a log-out");
    let told = ada.ask(&format!("{OIDC}/.gatehouse/oidc/logout"));
    let told = told.with(&["--data", &format!("logout_token={token}.{token}.{token}")]);
    birds.hear_answer("a log-out", &told.run(birds.lab, Place::Internet)?);
    Ok(())
}

/// Hears what the API says to an operator who asks for everything.
fn ask_the_api(birds: &Canaries<'_>, gate: &Gatehouse<'_>) -> Result<()> {
    let owner = Operator::claim(gate, birds.lab, PAGES, "owner", "four words make sense")?;
    let document = owner.ok("GET", "/v1/openapi.json", None)?;
    let paths = document["paths"].as_object().context("no paths")?;
    let reads = paths
        .iter()
        .filter(|(_, methods)| !methods["get"].is_null());
    for (path, _) in reads {
        let query = match path.as_str() {
            "/v1/explain" => "?url=https://icc.example.com/",
            _ => "",
        };
        let answer = owner.ask("GET", &format!("{path}{query}"), None)?;
        birds.hear_answer(path, &answer);
    }
    Ok(())
}
