//! The admin pages, from the first claim of a new box.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lab::{Curl, Gatehouse, Lab, Operator, Place, Site, contract, form, test, wait_until};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const NEEDS: &[&str] = &["curl"];
const PAGES: &str = "https://172.31.31.4:8443";
const PASSWORD: &str = "four words make sense";

fn claimed(lab: &Lab) -> Result<(Gatehouse<'_>, Operator<'_>)> {
    let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
    let operator = Operator::claim(&gate, lab, PAGES, "max", PASSWORD)?;
    Ok((gate, operator))
}

/// Another user of the box, signed in.
fn another<'lab>(
    lab: &'lab Lab,
    admin: &Operator<'_>,
    name: &str,
    role: &str,
) -> Result<Operator<'lab>> {
    let user = json!({ "name": name, "role": role, "password": PASSWORD });
    admin.ok("POST", "/v1/users", Some(&user))?;
    Operator::login(lab, PAGES, name, PASSWORD)
}

/// The contract with another port for the admin pages: a change that could lock somebody out.
fn apply_other_port(operator: &Operator<'_>, port: u16) -> Result<Value> {
    let config = operator.ok("GET", "/v1/config", None)?;
    let text = config["text"].as_str().context("no text")?;
    let text = text.replace("port = 8443", &format!("port = {port}"));
    let draft = json!({ "text": text, "base": config["generation"] });
    operator.ok("POST", "/v1/apply", Some(&draft))
}

#[test]
fn a_new_box_is_claimed_once_and_nobody_else_comes_in() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let login = [("user", "admin"), ("password", "admin")];
        let wrong = [
            ("code", "AAAA-AAAA-AAAA"),
            ("user", "eve"),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        form(PAGES, "/login", &login).expect(lab, Place::Lan, 409)?;
        form(PAGES, "/claim", &wrong).expect(lab, Place::Lan, 401)?;
        let api = Curl::new(&format!("{PAGES}/api/v1/status")).with(&["--insecure"]);
        api.expect(lab, Place::Lan, 401)?;
        let operator = Operator::claim(&gate, lab, PAGES, "max", PASSWORD)?;
        let status = operator.ok("GET", "/v1/status", None)?;
        assert_eq!(status["hostname"], "gate-hq");
        let claim = gate.json(&["claim"])?;
        assert_eq!(claim["claimed"], true, "{claim}");
        assert!(claim["code"].is_null(), "{claim}");
        form(PAGES, "/claim", &wrong).expect(lab, Place::Lan, 409)?;
        let page = Curl::new(&format!("{PAGES}/")).with(&["--insecure"]);
        let page = page.expect(lab, Place::Lan, 303)?;
        assert_eq!(page.header("location"), "/login");
        // Not from outside, whoever asks.
        let outside =
            Curl::new("https://78.54.23.241:8443/").with(&["--insecure", "--max-time", "3"]);
        assert_eq!(outside.run(lab, Place::Internet)?.status, 0);
        operator.ok("DELETE", "/v1/session", None)?;
        assert_eq!(operator.ask("GET", "/v1/status", None)?.status, 401);
        let log = gate.ok(&["log"])?;
        assert!(log.contains("max") && !log.contains(PASSWORD), "{log}");
        Ok(())
    });
}

#[test]
fn a_guessed_password_costs_time_and_then_the_way_in() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let text = contract("innovaphone")?;
        let text = text
            .replace("suspicious_per_minute = 20", "suspicious_per_minute = 3")
            .replace("never = [\"172.31.31.0/24\"]", "never = []");
        let gate = Gatehouse::start(lab, &text)?;
        Operator::claim(&gate, lab, PAGES, "max", PASSWORD)?;
        let guess = |number: u32| {
            let guess = format!("guess number {number}");
            let fields = [("user", "max"), ("password", guess.as_str())];
            let curl = form(PAGES, "/login", &fields).with(&["--max-time", "5"]);
            // Who is a target is never banned; the router is none.
            Ok::<_, anyhow::Error>(curl.run(lab, Place::Router)?.status)
        };
        let mut statuses = Vec::new();
        for number in 0..3 {
            statuses.push(guess(number)?);
        }
        let too_soon = guess(3)?;
        assert_eq!((statuses, too_soon), (vec![401; 3], 429));
        wait_until("the ban", || {
            std::thread::sleep(Duration::from_secs(2));
            Ok(guess(4)? == 0)
        })?;
        let bans = gate.ok(&["bans"])?;
        assert!(bans.contains("172.31.31.1 "), "{bans}");
        gate.ok(&["bans", "clear", "--all"])?;
        wait_until("the pages", || Ok(guess(5)? != 0))?;
        let log = gate.ok(&["log"])?;
        assert!(!log.contains("guess number"), "{log}");
        Ok(())
    });
}

#[test]
fn a_trial_is_kept_by_the_session_that_began_it_or_by_an_admin() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_gate, admin) = claimed(lab)?;
        let one = another(lab, &admin, "one", "operator")?;
        let two = another(lab, &admin, "two", "operator")?;
        let viewer = another(lab, &admin, "three", "viewer")?;
        let applied = apply_other_port(&one, 8444)?;
        assert_eq!(applied["generation"]["state"], "trial", "{applied}");
        // The pages moved: the sessions go on, under the other port.
        let at = |operator: &Operator<'_>, path: &str| {
            let moved = operator.at("https://172.31.31.4:8444");
            moved.ask("POST", path, Some(&json!({})))
        };
        for other in [&two, &viewer] {
            assert_eq!(at(other, "/v1/confirm")?.status, 403);
        }
        let kept = at(&one, "/v1/confirm")?;
        assert_eq!(kept.status, 200, "{kept:?}");
        let one = one.at("https://172.31.31.4:8444");
        let config = one.ok("GET", "/v1/config", None)?;
        let text = config["text"].as_str().context("no text")?;
        let text = text.replace("port = 8444", "port = 8443");
        let draft = json!({ "text": text, "base": config["generation"] });
        one.ok("POST", "/v1/apply", Some(&draft))?;
        assert_eq!(
            admin.ask("POST", "/v1/confirm", Some(&json!({})))?.status,
            200
        );
        Ok(())
    });
}

#[test]
fn a_trial_that_is_over_is_neither_given_up_nor_kept_again() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_gate, operator) = claimed(lab)?;
        let apply = |comment: &str, trial: Option<u32>| {
            let config = operator.ok("GET", "/v1/config", None)?;
            let text = config["text"].as_str().context("no text")?;
            let text = format!("{text}\n# {comment}\n");
            let draft =
                json!({ "text": text, "base": config["generation"], "trial_seconds": trial });
            let applied = operator.ok("POST", "/v1/apply", Some(&draft))?;
            applied["generation"]["number"]
                .as_u64()
                .context("no number")
        };
        let earlier = apply("one", None)?;
        let kept = apply("two", None)?;
        let trial = apply("three", Some(600))?;
        assert!(earlier < kept && kept < trial);
        let post = |path: &str| Ok::<_, anyhow::Error>(operator.ask("POST", path, None)?.status);
        let give_up = format!("/v1/rollback?trial={trial}");
        assert_eq!(post(&format!("/v1/confirm?generation={kept}"))?, 409);
        assert_eq!(post(&format!("/v1/rollback?trial={kept}"))?, 409);
        assert_eq!(post(&give_up)?, 200);
        // Whoever has looked at an old page presses now.
        assert_eq!(post(&give_up)?, 409);
        assert_eq!(post(&format!("/v1/confirm?generation={trial}"))?, 409);
        let config = operator.ok("GET", "/v1/config", None)?;
        assert_eq!(config["generation"], kept);
        Ok(())
    });
}

#[test]
fn a_change_that_cuts_the_browser_off_is_rolled_back() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_gate, operator) = claimed(lab)?;
        let config = operator.ok("GET", "/v1/config", None)?;
        let text = config["text"].as_str().context("no text")?;
        let text = text.replace("port = 8443", "port = 8443\nfrom = [\"10.9.9.0/24\"]");
        let draft = json!({ "text": text, "base": config["generation"], "trial_seconds": 60 });
        let began = Instant::now();
        operator.ok("POST", "/v1/apply", Some(&draft))?;
        assert_eq!(operator.ask("GET", "/v1/status", None)?.status, 0);
        wait_until("the end of the trial", || {
            Ok(began.elapsed() > Duration::from_secs(55))
        })
        .ok();
        wait_until("the pages", || {
            Ok(operator.ask("GET", "/v1/status", None)?.status == 200)
        })?;
        let again = operator.ok("GET", "/v1/config", None)?;
        assert_eq!(again["generation"], config["generation"]);
        Ok(())
    });
}

#[test]
fn the_pages_stay_up_while_edge_is_killed_fifty_times() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (gate, operator) = claimed(lab)?;
        let mut edge = gate.child("edge")?;
        for _ in 0..50 {
            gate.signal_child("edge", Signal::SIGKILL)?;
            operator.ok("GET", "/v1/status", None)?;
            edge = gate.wait_for_successor("edge", edge)?;
        }
        let status = operator.ok("GET", "/v1/status", None)?;
        let processes = status["processes"].as_array().context("no processes")?;
        let restarts = |name: &str| {
            let process = processes.iter().find(|process| process["name"] == name);
            process.and_then(|process| process["restarts"].as_u64())
        };
        assert_eq!((restarts("admin"), restarts("edge")), (Some(0), Some(50)));
        Ok(())
    });
}

#[test]
fn a_session_lives_through_a_new_admin_process_and_ends_with_the_users_role() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (gate, admin) = claimed(lab)?;
        let other = another(lab, &admin, "one", "operator")?;
        let before = gate.signal_child("admin", Signal::SIGKILL)?;
        gate.wait_for_successor("admin", before)?;
        wait_until("the pages", || {
            Ok(other.ask("GET", "/v1/session", None)?.status == 200)
        })?;
        let demoted = json!({ "role": "viewer" });
        admin.ok("PATCH", "/v1/users?name=one", Some(&demoted))?;
        assert_eq!(other.ask("GET", "/v1/session", None)?.status, 401);
        let demoted = admin.ask("PATCH", "/v1/users?name=max", Some(&demoted))?;
        assert_eq!(demoted.status, 409, "the last admin: {demoted:?}");
        // At the console everything can be begun anew.
        gate.ok(&["user", "reset", "--yes"])?;
        assert_eq!(admin.ask("GET", "/v1/session", None)?.status, 401);
        let claim = gate.json(&["claim"])?;
        assert_eq!(claim["claimed"], false, "{claim}");
        assert!(gate.ok(&["log"])?.contains("removed all users"));
        Ok(())
    });
}

#[test]
fn no_answer_holds_a_secret() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (gate, operator) = claimed(lab)?;
        let canary = "canary-4711-secret";
        let secret = json!({ "name": "canary", "value": canary });
        operator.ok("PUT", "/v1/secrets", Some(&secret))?;
        let document = operator.ok("GET", "/v1/openapi.json", None)?;
        let paths = document["paths"].as_object().context("no paths")?;
        let mut read = 0;
        for (path, methods) in paths {
            if methods["get"].is_null() {
                continue;
            }
            let query = if path == "/v1/explain" {
                "?url=https://a.example/"
            } else {
                ""
            };
            let answer = operator.ask("GET", &format!("{path}{query}"), None)?;
            let text = format!("{}{}", answer.head, answer.body);
            for word in [canary, PASSWORD, "$argon2", "PRIVATE KEY", operator.token()] {
                assert!(!text.contains(word), "{path}: {word}: {text}");
            }
            read += 1;
        }
        assert!(read > 15, "{read}");
        let log = format!("{}{}", gate.ok(&["log"])?, gate.output());
        for word in [canary, PASSWORD, operator.token()] {
            assert!(!log.contains(word), "{word}: {log}");
        }
        // What lies on the disk is of no use to who reads it, but for the store of secrets itself.
        let users = fs::read_dir(gate.state())?.flatten();
        for file in users
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
        {
            let text = fs::read(&file)?;
            let has = |word: &str| text.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(
                !has(PASSWORD) && !has(operator.token()),
                "{}",
                file.display()
            );
        }
        Ok(())
    });
}

#[test]
fn names_that_are_not_ours_and_foreign_sites_reach_nothing() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (gate, operator) = claimed(lab)?;
        let status = |headers: &[&str], path: &str, more: &[&str]| {
            let cookie = format!("Cookie: {}", operator.cookie());
            let mut curl = Curl::new(&format!("{PAGES}{path}"))
                .with(&["--insecure"])
                .with(more);
            for header in headers.iter().chain(&[cookie.as_str()]) {
                curl = curl.header(header);
            }
            Ok::<_, anyhow::Error>(curl.run(lab, Place::Lan)?.status)
        };
        let post = &["--request", "POST"];
        let json = "Content-Type: application/json";
        assert_eq!(
            status(&["Host: evil.example:8443"], "/api/v1/status", &[])?,
            421
        );
        assert_eq!(status(&["Host: gate-hq:8443"], "/api/v1/status", &[])?, 200);
        assert_eq!(status(&["Host: gate-hq.dvl-ckl2.net"], "/login", &[])?, 303);
        for headers in [
            &[json, "Origin: https://evil.example"][..],
            &[json, "Origin: null"],
            &[json, "Sec-Fetch-Site: cross-site"],
            &[
                json,
                "Sec-Fetch-Site: same-site",
                "Origin: https://172.31.31.4",
            ],
            &[json],
        ] {
            assert_eq!(
                status(headers, "/api/v1/rollback", post)?,
                403,
                "{headers:?}"
            );
        }
        assert_eq!(
            gate.json(&["generations"])?.as_array().map(Vec::len),
            Some(1)
        );
        let log = gate.ok(&["log"])?;
        assert!(log.contains("evil.example"), "{log}");
        Ok(())
    });
}

#[test]
fn every_page_is_sound_in_a_real_browser_in_every_language_colour_and_width() {
    let needs = &["curl", "chromium", "node", "the pages' packages"];
    test(Site::innovaphone(), needs, |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let code = gate.json(&["claim"])?;
        let code = code["code"].as_str().context("no claim code")?.to_owned();
        browse(lab, &[format!("GATEHOUSE_CLAIM={code}")])?;
        let admin = Operator::login(lab, PAGES, "max", PASSWORD)?;
        // Something to see: requests that are rejected, by their reasons, with names that would be markup.
        for path in ["/nothing", "/<img/src=x/onerror=alert(1)>", "/PBX0/APPS"] {
            // As HTTP/2, or in an address, a client refuses them itself.
            Curl::new("https://78.54.23.241/")
                .with(&["--insecure", "--http1.1", "--request-target", path])
                .header("Host: hq.dvl-ckl2.net")
                .run(lab, Place::Internet)?;
        }
        let log = gate.ok(&["log"])?;
        assert!(log.contains("/<img/src=x/onerror=alert(1)>"), "{log}");
        another(lab, &admin, "viewer", "viewer")?;
        browse(lab, &[])?;
        let processes = &gate.json(&["status"])?["processes"];
        assert!(!processes.to_string().contains("\"failed\""), "{processes}");
        Ok(())
    });
}

/// How long Chromium may take for all pages: a limit for one that hangs.
const LOOK: Duration = Duration::from_mins(20);

/// Has the pages looked at in Chromium.
fn browse(lab: &Lab, more: &[String]) -> Result<()> {
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    let script = lab::repository().join("crates/admin/web/test/pages.mjs");
    let settings = [
        format!("GATEHOUSE_URL={PAGES}"),
        "GATEHOUSE_USER=max".to_owned(),
        format!("GATEHOUSE_PASSWORD={PASSWORD}"),
        format!("GATEHOUSE_SHOTS={}", shots.display()),
        format!("HOME={}", lab.dir().display()),
    ];
    let mut command = vec!["env"];
    command.extend(settings.iter().chain(more).map(String::as_str));
    let script = script.display().to_string();
    command.extend(["node", &script]);
    let said = lab.run_within(LOOK, Place::Lan, &command)?;
    anyhow::ensure!(said.code == Some(0), "{}\n{}", said.stdout, said.stderr);
    Ok(())
}
