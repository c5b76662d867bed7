//! A login by RADIUS, against freeradius.

use std::thread;

use anyhow::{Result, bail};
use config::{AccessKind, Login, RadiusLogin};
use guard::entrance::Typed;
use lab::{Freeradius, Lab, Place, Site, test};
use net::resolve::Names;
use net::sandbox::{drop_rights, shut_in};
use signin::directory::radius::Radius;
use signin::directory::{Answer, Fault, Person, Typing};
use tokio::runtime;

const NEEDS: &[&str] = &["freeradius"];
const FIRST: &str = "192.168.10.5:1812";
const SECOND: &str = "192.168.10.20:1645";
const SECRET: &str = "testing 123, a long one";

/// The login of a configuration with these servers.
fn login(keys: &str) -> Result<RadiusLogin> {
    let text = format!(
        "schema = 1\n[access.sso]\nkind = \"sso\"\nlogin = \"radius\"\n\
         session = {{ domain = \"example.com\" }}\n\
         radius = {{ shared = {{ secret = \"radius\" }}, timeout = \"500ms\", {keys} }}\n"
    );
    let config = config::check(&text, "x.toml")?.config;
    match config.access.first().map(|list| &list.kind) {
        Some(AccessKind::Sso(sso)) => match &sso.login {
            Login::Radius(login) => Ok(login.clone()),
            other => bail!("{other:?}"),
        },
        other => bail!("{other:?}"),
    }
}

/// One login after the other, each an attempt of user and password: on the box, with as little as the process may do
/// that will ask. A question is answered with `code`.
fn sign_in(
    lab: &Lab,
    login: &RadiusLogin,
    code: &str,
    attempts: &[(&str, &str)],
) -> Result<Vec<Result<Answer, Fault>>> {
    let names = Names::from_texts("", "192.168.10.20 radius.example\n");
    lab.enter(Place::Gate, || {
        thread::scope(|scope| {
            let asks = scope.spawn(|| -> Result<_> {
                let radius = Radius::new(login, SECRET.as_bytes(), names, "gate.example.com");
                let runtime = runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                drop_rights(None)?;
                shut_in()?;
                Ok(runtime.block_on(async {
                    let mut answers = Vec::new();
                    for (user, password) in attempts {
                        let said = radius.sign_in(&typing(user, password)).await;
                        answers.push(match said {
                            Ok(Answer::Asks(question)) => {
                                radius.answer(&typing(user, code), &question.state).await
                            }
                            other => other,
                        });
                    }
                    answers
                }))
            });
            asks.join().expect("the login does not panic")
        })
    })?
}

fn typing(user: &str, password: &str) -> Typing {
    Typing {
        user: user.to_owned(),
        password: Typed::from(password.to_owned()),
        client: "203.0.113.11".parse().expect("an address"),
    }
}

fn person(user: &str, groups: &[&str]) -> Person {
    Person {
        user: user.to_owned(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        is_named: user == "Nemo",
    }
}

/// What came of an attempt, as one line.
fn told(answer: &Result<Answer, Fault>) -> String {
    match answer {
        Ok(Answer::Known(person)) => format!("{} {:?}", person.user, person.groups),
        Ok(Answer::Refused(why)) => why.clone(),
        Ok(Answer::Asks(question)) => question.prompt.clone(),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn freeradius_knows_who_it_is() {
    test(Site::one_server(), NEEDS, |lab| {
        let server = Freeradius::start(lab, FIRST, SECRET)?;
        let long = "x".repeat(128);
        let attempts = [
            ("nemo", "arctangent"),
            ("nemo", "wrong"),
            ("nobody", "arctangent"),
            ("nemo", &long),
        ];
        let filter = login(&format!("server = \"{FIRST}\""))?;
        let answers = sign_in(lab, &filter, "", &attempts)?;
        let told: Vec<_> = answers.iter().map(told).collect();
        let no = "the server says no: unknown or wrong";
        assert_eq!(told, [r#"Nemo ["pbx-users", "admins"]"#, no, no, no]);
        let log = server.log();
        assert!(log.contains("Login OK: [nemo]"), "{log}");
        // The address of the client is in what the server writes down.
        assert!(log.contains("cli 203.0.113.11"), "{log}");

        let class = login(&format!(
            "server = \"{FIRST}\", groups_attribute = \"class\""
        ))?;
        let answers = sign_in(lab, &class, "", &attempts[..1])?;
        let Some(Ok(Answer::Known(known))) = answers.first() else {
            bail!("{answers:?}")
        };
        assert_eq!(*known, person("Nemo", &["OU=staff"]));
        Ok(())
    });
}

#[test]
fn freeradius_asks_for_a_code_and_takes_only_the_right_one() {
    test(Site::one_server(), NEEDS, |lab| {
        let server = Freeradius::start(lab, SECOND, SECRET)?;
        // By name, and behind one that is not there: the answer goes to whoever has asked.
        let keys = "server = \"192.168.10.99\", others = [\"radius.example:1645\"], tries = 1";
        let login = login(keys)?;
        let attempt = [("mopsy", "challenge")];
        let right = sign_in(lab, &login, "99101462", &attempt)?;
        assert_eq!(right.iter().map(told).collect::<Vec<_>>(), ["mopsy []"]);
        let no = "the server says no: unknown or wrong";
        let wrong = sign_in(lab, &login, "99101463", &attempt)?;
        assert_eq!(wrong.iter().map(told).collect::<Vec<_>>(), [no]);
        let answers = sign_in(lab, &login, "99101462", &[("mopsy", "wrong")])?;
        assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), [no]);
        assert!(
            server.log().contains("Login OK: [mopsy]"),
            "{}",
            server.log()
        );
        Ok(())
    });
}

#[test]
fn who_has_another_secret_or_proves_nothing_is_not_heard() {
    test(Site::one_server(), NEEDS, |lab| {
        let server = Freeradius::start(lab, FIRST, "another secret")?;
        let alone = login(&format!("server = \"{FIRST}\""))?;
        let answers = sign_in(lab, &alone, "", &[("nemo", "arctangent")])?;
        let expected = format!("{FIRST} can not be reached: no answer in 1s");
        assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), [expected]);
        let log = server.log();
        assert!(log.contains("Shared secret is incorrect"), "{log}");
        server.stop();

        let server = Freeradius::start(lab, FIRST, SECRET)?;
        let answers = sign_in(lab, &alone, "", &[("old", "arctangent")])?;
        let told: Vec<_> = answers.iter().map(told).collect();
        let why = "that can not be believed: it has no Message-Authenticator";
        assert!(told[0].ends_with(why), "{told:?}");
        assert!(server.log().contains("Login OK: [old]"), "{}", server.log());
        Ok(())
    });
}

#[test]
fn where_one_server_is_down_the_other_is_asked_and_later_first() {
    test(Site::one_server(), NEEDS, |lab| {
        let both = login(&format!("server = \"{FIRST}\", others = [\"{SECOND}\"]"))?;
        let attempt = ("nemo", "arctangent");
        let answers = sign_in(lab, &both, "", &[attempt])?;
        let all = answers.iter().map(told).collect::<String>();
        assert!(
            all.starts_with(&format!("{FIRST}, {SECOND} can not be")),
            "{all}"
        );

        // The first has another secret, and is as silent as one that is down.
        let first = Freeradius::start(lab, FIRST, "another secret")?;
        let second = Freeradius::start(lab, SECOND, SECRET)?;
        let answers = sign_in(lab, &both, "", &[attempt, attempt])?;
        for answer in &answers {
            assert_eq!(told(answer), r#"Nemo ["pbx-users", "admins"]"#);
        }
        // Asked twice by the first login, and not by the next.
        let drops = first.log().matches("Shared secret is incorrect").count();
        assert!((1..=2).contains(&drops), "{}", first.log());
        assert_eq!(second.log().matches("Login OK: [nemo]").count(), 2);
        Ok(())
    });
}
