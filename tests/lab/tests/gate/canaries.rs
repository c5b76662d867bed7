//! Secrets are planted wherever one can be sent, and looked for wherever something is said.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use data_encoding::BASE64;
use lab::{Answer, Curl, Gatehouse, Lab, Nginx, Operator, Place, Site, contract, form, test};
use serde_json::json;

const SITE: &str = "https://wcs.yourdomain.com";
const PAGES: &str = "https://172.31.31.4:8443";

/// What nobody may find again, each with the place where it was planted.
pub(crate) struct Canaries<'lab> {
    pub(crate) lab: &'lab Lab,
    root: String,
    planted: RefCell<Vec<(&'static str, String)>>,
    /// What was said, and where.
    said: RefCell<Vec<(String, String)>>,
}

impl<'lab> Canaries<'lab> {
    pub(crate) fn new(lab: &'lab Lab, gate: &Gatehouse<'_>) -> Result<Self> {
        Ok(Self {
            lab,
            root: gate.root()?.display().to_string(),
            planted: RefCell::default(),
            said: RefCell::default(),
        })
    }

    /// A new secret, to be planted at `place`.
    pub(crate) fn hatch(&self, place: &'static str) -> String {
        let mut planted = self.planted.borrow_mut();
        let text = format!("Canary{:02}Xq7Zt", planted.len());
        planted.push((place, text.clone()));
        text
    }

    /// One that the box has made.
    pub(crate) fn keep(&self, place: &'static str, text: &str) {
        self.planted.borrow_mut().push((place, text.to_owned()));
    }

    pub(crate) fn hear(&self, place: &str, text: &str) {
        self.said
            .borrow_mut()
            .push((place.to_owned(), text.to_owned()));
    }

    pub(crate) fn hear_answer(&self, place: &str, answer: &Answer) {
        self.hear(place, &format!("{}\n{}", answer.head, answer.body));
    }

    fn visit(&self, path: &str) -> Curl {
        Curl::new(&format!("{SITE}{path}")).with(&["--cacert", &self.root])
    }

    fn run(&self, request: &Curl, what: &str) -> Result<Answer> {
        let answer = request.run(self.lab, Place::Internet)?;
        self.hear_answer(what, &answer);
        Ok(answer)
    }

    /// What the box has said, and what it keeps, holds none of them.
    pub(crate) fn look(&self, gate: &Gatehouse<'_>) -> Result<()> {
        self.hear("output", &gate.output());
        for command in [
            &["log"][..],
            &["log", "--json"],
            &["metrics"],
            &["status", "--json"],
            &["bans", "--json"],
            &["token", "list", "--json"],
            &["token", "key", "list", "--access", "wcs", "--json"],
            &["user", "list", "--json"],
            &["session", "list", "--json"],
            &["history"],
        ] {
            let said = gate.command(command)?;
            self.hear(
                &command.join(" "),
                &format!("{}{}", said.stdout, said.stderr),
            );
        }
        kept(gate.state(), &mut |file, text| {
            self.hear(&file.display().to_string(), text);
        })?;
        let said = self.said.borrow();
        ensure!(said.len() > 20, "nothing was looked at");
        let planted = self.planted.borrow();
        let mut found = Vec::new();
        for (planted, canary) in planted.iter() {
            let heard = said.iter().filter(|(_, text)| text.contains(canary));
            found.extend(heard.map(|(place, text)| {
                let line = text.lines().find(|line| line.contains(canary));
                format!("{planted} -> {place}: {}", line.unwrap_or_default())
            }));
        }
        ensure!(found.is_empty(), "{}", found.join("\n"));
        Ok(())
    }
}

/// Every file of the state but those that secrets are kept in.
fn kept(folder: &Path, hear: &mut dyn FnMut(&Path, &str)) -> Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() && entry.file_name() != "secrets" {
            kept(&path, hear)?;
        } else if kind.is_file() {
            hear(&path, &String::from_utf8_lossy(&fs::read(&path)?));
        }
    }
    Ok(())
}

pub(crate) fn file(lab: &Lab, text: &str) -> Result<std::path::PathBuf> {
    let file = lab.dir().join("typed");
    fs::write(&file, text)?;
    Ok(file)
}

fn gate_that_logs_all(lab: &Lab) -> Result<Gatehouse<'_>> {
    let text = contract("flashphoner-wcs")?.replace(
        "standard_ports = true",
        "standard_ports = true\nlog_rejected = [\"http\"]\nlog_forwarded = [\"http\"]",
    );
    let text = format!("{text}\n[guard]\nnever = [\"0.0.0.0/0\", \"::/0\"]\n");
    Gatehouse::start(lab, &text)
}

#[test]
fn what_visitors_send_to_be_let_in_is_found_nowhere() {
    let needs = &["nginx", "openssl", "curl"];
    test(Site::one_server(), needs, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["192.168.10.20:8443 ssl"])?;
        let gate = gate_that_logs_all(lab)?;
        let birds = Canaries::new(lab, &gate)?;
        let password = birds.hatch("the right password");
        gate.ok_reading(&["user", "add", "login"], &file(lab, &password)?)?;
        let token = gate.ok(&["token", "new", "--access", "wcs", "--note", "a call"])?;
        birds.keep("a token", token.trim());
        let key = gate.ok(&["token", "key", "new", "--access", "wcs"])?;
        birds.keep("a key", key.trim());

        let user = format!("login:{password}");
        let right = birds.visit("/page").with(&["--user", &user]);
        ensure!(birds.run(&right, "the right password")?.status == 200);
        // Also as a browser writes it: nobody decodes the log either.
        birds.keep(
            "the right password, encoded",
            &BASE64.encode(user.as_bytes()),
        );
        let token_cookie = format!("Cookie: AUTH={}", token.trim());
        birds.run(&birds.visit("/wss").header(&token_cookie), "a token")?;
        send_wrong_credentials(&birds)?;
        send_strange_requests(&birds)?;
        birds.look(&gate)
    });
}

fn send_wrong_credentials(birds: &Canaries<'_>) -> Result<()> {
    let broken = birds.hatch("credentials that are no Basic");
    let bearer = birds.hatch("a bearer token");
    let cookie = birds.hatch("a wrong token");
    let query = birds.hatch("a query");
    let referer = birds.hatch("the query of a referer");
    let fields = [
        format!("Authorization: Basic {broken}!!"),
        format!("Authorization: Basic {broken}"),
        format!("Authorization: Bearer {bearer}"),
        format!("Cookie: AUTH={cookie}; AUTH={cookie}"),
        format!("Proxy-Authorization: Basic {bearer}"),
        format!("Referer: {SITE}/?token={referer}"),
    ];
    for field in &fields {
        for path in ["/page", "/wss", &format!("/page?auth={query}"), "//%2f/"] {
            birds.run(&birds.visit(path).header(field), field)?;
        }
    }
    let wrong = birds.hatch("a wrong password");
    for user in [format!("login:{wrong}"), format!("nobody:{wrong}")] {
        birds.run(
            &birds.visit("/page").with(&["--user", &user]),
            "a wrong password",
        )?;
    }
    Ok(())
}

fn send_strange_requests(birds: &Canaries<'_>) -> Result<()> {
    // The name is what the log is for; what can be none is not kept.
    let user = birds.hatch("a password typed as the name");
    let strange = birds
        .visit("/page")
        .with(&["--user", &format!("{user} :x")]);
    birds.run(&strange, "a strange name")?;
    let body = birds.hatch("a body");
    let post = birds
        .visit("/page")
        .with(&["--data", &format!("password={body}")]);
    birds.run(&post, "a body")?;
    let userinfo = birds.hatch("a password before a host");
    let target = format!("http://login:{userinfo}@wcs.yourdomain.com/page");
    let absolute = birds.visit("/page").with(&["--request-target", &target]);
    birds.run(&absolute, "a name and password before the host")?;
    let query = birds.hatch("the query of a torn line");
    let torn = format!("/a b?x={query}");
    let torn = birds.visit("/page").with(&["--request-target", &torn]);
    birds.run(&torn, "a torn first line")?;
    Ok(())
}

#[test]
fn what_operators_type_is_found_nowhere() {
    test(Site::innovaphone(), &["curl"], |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let birds = Canaries::new(lab, &gate)?;
        let owner = claim_with_canaries(&birds, &gate)?;
        ask_the_api(&birds, &owner)?;
        let secret = birds.hatch("a secret");
        gate.ok_reading(&["secret", "set", "bird"], &file(lab, &secret)?)?;
        write_a_secret_into_the_file(&birds, &gate)?;
        birds.look(&gate)
    });
}

fn claim_with_canaries<'lab>(
    birds: &Canaries<'lab>,
    gate: &Gatehouse<'lab>,
) -> Result<Operator<'lab>> {
    let password = format!("{} Aa1!", birds.hatch("the owner's password"));
    let guess = birds.hatch("a wrong code");
    let fields = [
        ("code", guess.as_str()),
        ("user", "owner"),
        ("password", &password),
        ("again", &password),
    ];
    let answer = form(PAGES, "/claim", &fields).run(birds.lab, Place::Lan)?;
    birds.hear_answer("a wrong code", &answer);
    let owner = Operator::claim(gate, birds.lab, PAGES, "owner", &password)?;
    birds.keep("the session", owner.token());
    let wrong = birds.hatch("a wrong password of the pages");
    let fields = [("user", "owner"), ("password", wrong.as_str())];
    let answer = form(PAGES, "/login", &fields).run(birds.lab, Place::Lan)?;
    birds.hear_answer("a wrong password", &answer);
    Ok(owner)
}

#[rustfmt::skip]
fn ask_the_api(birds: &Canaries<'_>, owner: &Operator<'_>) -> Result<()> {
    let secret = birds.hatch("a secret that is stored");
    let visitor = birds.hatch("the password of a new visitor");
    let unfit = birds.hatch("a value of the wrong shape");
    let wrong = birds.hatch("the wrong password of a session");
    let bodies = [
        ("POST", "/v1/visitors", json!({"name": "max", "password": visitor})),
        ("POST", "/v1/visitors", json!({"name": "max", "password": visitor})),
        ("POST", "/v1/visitors", json!({"name": "no name", "password": visitor})),
        ("POST", "/v1/visitors", json!({"name": "moritz", "password": [unfit]})),
        ("POST", "/v1/visitors", json!({"name": "moritz", "passwort": unfit})),
        ("PATCH", "/v1/visitors?name=max", json!({"password": visitor})),
        ("PATCH", "/v1/visitors?name=moritz", json!({"password": visitor})),
        ("PUT", "/v1/secrets", json!({"name": "other", "value": secret})),
        ("PUT", "/v1/secrets", json!({"name": "no name", "value": secret})),
        ("PUT", "/v1/secrets", json!({"name": "other", "value": {"x": unfit}})),
        ("POST", "/v1/visitors/import", json!({"text": format!("max:{unfit}"), "content": unfit})),
        ("POST", "/v1/certificates/import", json!({"content": unfit, "password": visitor, "key": unfit})),
        ("POST", "/v1/session/totp", json!({"password": wrong})),
        ("PUT", "/v1/session/totp", json!({"code": unfit})),
        ("POST", "/v1/users", json!({"name": "hans", "password": visitor, "role": "nobody"})),
        ("POST", "/v1/login", json!({"user": "owner", "password": wrong})),
    ];
    for (method, path, body) in &bodies {
        birds.hear_answer(path, &owner.ask(method, path, Some(body))?);
    }
    let bearer = birds.hatch("a key that is none");
    let asked = Curl::new(&format!("{PAGES}/api/v1/access/wcs/tokens"))
        .with(&["--insecure"])
        .header(&format!("Authorization: Bearer gk{bearer}"));
    birds.hear_answer("a key that is none", &asked.run(birds.lab, Place::Lan)?);
    Ok(())
}

/// Where a secret's name belongs, somebody writes the secret itself.
fn write_a_secret_into_the_file(birds: &Canaries<'_>, gate: &Gatehouse<'_>) -> Result<()> {
    let plain = birds.hatch("a secret in the file");
    let text = contract("flashphoner-wcs")?;
    let faulty = text.replace("{ secret = \"wcs-key\" }", &format!("\"{plain}\""));
    ensure!(faulty.contains(&plain), "the file has no secret");
    let file = birds.lab.dir().join("faulty.toml");
    fs::write(&file, faulty)?;
    let file = file.display().to_string();
    for said in [
        gate.alone(&["check", &file])?,
        gate.command(&["apply", &file])?,
    ] {
        ensure!(said.code == Some(1), "{said:?}");
        birds.hear(
            "the faults of a file",
            &format!("{}{}", said.stdout, said.stderr),
        );
    }
    Ok(())
}
