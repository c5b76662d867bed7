//! The control API over its socket, as programs use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::{Curl, Gatehouse, Lab, Nginx, Output, Place, Process, Site, contract, test};
use serde_json::Value;

/// How long schemathesis may take: a limit for one that hangs.
const FOUR_MINUTES: Duration = Duration::from_mins(4);

/// What `curl` says to a request of the API; standard output.
fn ask(lab: &Lab, gate: &Gatehouse<'_>, options: &[&str], path: &str) -> Result<String> {
    let socket = gate.state().join("control.sock").display().to_string();
    let url = format!("http://localhost{path}");
    let mut command = vec!["curl", "--silent", "--show-error", "--unix-socket", &socket];
    command.extend(options);
    command.push(&url);
    lab.run(Place::Gate, &command)?.success()
}

fn json(lab: &Lab, gate: &Gatehouse<'_>, path: &str) -> Result<Value> {
    let text = ask(lab, gate, &[], path)?;
    serde_json::from_str(&text).with_context(|| text)
}

fn write(lab: &Lab, name: &str, text: &str) -> Result<String> {
    let file = lab.dir().join(name);
    fs::write(&file, text)?;
    Ok(file.display().to_string())
}

#[test]
fn a_file_is_applied_on_trial_for_as_long_as_asked_and_confirmed() {
    test(Site::innovaphone(), &["curl"], |lab| {
        let text = contract("innovaphone")?;
        let gate = Gatehouse::start(lab, &text)?;
        let changed = text.replace("ban_for = \"5m\"", "ban_for = \"6m\"");
        let file = write(lab, "changed.toml", &changed)?;
        let said = gate.ok(&["apply", &file, "--trial", "10m"])?;
        assert!(
            said.contains("on trial") && said.contains("10 minutes"),
            "{said}"
        );
        let status = gate.json(&["status"])?;
        assert_eq!(status["generation"]["state"], "trial");
        assert_eq!(status["generation"]["origin"], "apply");
        let left = status["generation"]["seconds"].as_u64().unwrap();
        assert!((181..=600).contains(&left), "{left}");
        gate.ok(&["confirm"])?;
        // Harmless, and not asked for: no trial.
        let file = write(lab, "back.toml", &text)?;
        let said = gate.ok(&["apply", &file])?;
        assert!(!said.contains("trial"), "{said}");
        let diff = gate.ok(&["diff", "2", "1"])?;
        assert!(
            diff.contains("-ban_for = \"6m\"") && diff.contains("+ban_for = \"5m\""),
            "{diff}"
        );
        assert!(gate.ok(&["diff", "1", "3"])?.contains("do not differ"));
        Ok(())
    });
}

#[test]
fn faults_of_a_file_are_told_with_its_name_and_nothing_changes() {
    test(Site::innovaphone(), &["curl"], |lab| {
        let text = contract("innovaphone")?;
        let gate = Gatehouse::start(lab, &text)?;
        let faulty = text.replace("trust = \"inside\"", "trust = \"insid\"");
        let line = text
            .lines()
            .position(|line| line.contains("trust = "))
            .unwrap()
            + 1;
        let file = write(lab, "faulty.toml", &faulty)?;
        let said = gate.command(&["apply", &file])?;
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(
            said.stderr.contains(&format!("faulty.toml:{line}: ")),
            "{said:?}"
        );
        let draft = write(
            lab,
            "draft.json",
            &serde_json::json!({ "text": faulty }).to_string(),
        )?;
        let data = format!("@{draft}");
        let post = [
            "--header",
            "content-type: application/json",
            "--data-binary",
            &data,
        ];
        let checked: Value = serde_json::from_str(&ask(lab, &gate, &post, "/v1/check")?)?;
        assert_eq!(checked["faults"][0]["line"], line, "{checked}");
        assert_eq!(checked["changed"], true);
        assert!(
            checked["diff"]
                .as_str()
                .unwrap()
                .contains("+trust = \"insid\"")
        );
        assert_eq!(gate.json(&["generations"])?.as_array().unwrap().len(), 1);
        // Made from a generation that is not in force any more.
        let stale = serde_json::json!({ "text": text, "base": 7 }).to_string();
        let stale = format!("@{}", write(lab, "stale.json", &stale)?);
        let post = [
            "--header",
            "content-type: application/json",
            "--data-binary",
            &stale,
        ];
        let refused: Value = serde_json::from_str(&ask(lab, &gate, &post, "/v1/apply")?)?;
        assert_eq!(refused["kind"], "conflict", "{refused}");
        Ok(())
    });
}

#[test]
fn hosts_tables_and_history_tell_what_was_asked() {
    test(Site::innovaphone(), &["nginx", "curl"], |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        Curl::new("http://hq.dvl-ckl2.net/PBX0/APPS").expect(lab, Place::Internet, 200)?;
        Curl::new("http://hq.dvl-ckl2.net/PBX0/SECRET").expect(lab, Place::Internet, 404)?;
        let hosts = json(lab, &gate, "/v1/hosts")?;
        let hosts = hosts.as_array().unwrap();
        let hq = hosts
            .iter()
            .find(|host| host["name"] == "hq.dvl-ckl2.net")
            .unwrap();
        let figures = &hq["figures"];
        assert_eq!(
            figures["by_class"],
            serde_json::json!([0, 1, 0, 1, 0]),
            "{hq}"
        );
        assert_eq!(
            (figures["requests"].as_u64(), figures["rejected"].as_u64()),
            (Some(2), Some(1))
        );
        assert!(figures["p95_seconds"].is_number(), "{figures}");
        let targets = hq["rules"][0]["targets"].as_array().unwrap();
        assert!(
            targets
                .iter()
                .any(|target| target["address"] == "172.31.31.2:80" && target["well"] == true),
            "{hq}"
        );
        let tables = gate.ok(&["tables"])?;
        assert!(
            tables.contains("Port forwards of the router upstream") && tables.contains("443/tcp"),
            "{tables}"
        );
        let derived = json(lab, &gate, "/v1/derived")?;
        assert_eq!(derived["tables"].as_array().unwrap().len(), 5);
        let known = |name: &str| -> Result<bool> {
            let history = json(lab, &gate, "/v1/history?seconds=60")?;
            let series = history["series"].as_array().context("series")?;
            let found = series.iter().find(|series| series["name"] == name);
            let points = found.and_then(|series| series["points"].as_array());
            Ok(points.is_some_and(|points| points.iter().any(Value::is_number)))
        };
        // Two samples make a rate.
        for name in ["connections", "memory_ours", "cpu", "requests_2xx"] {
            lab::wait_until(name, || known(name))?;
        }
        Ok(())
    });
}

#[test]
fn who_is_banned_by_hand_is_rejected_at_once_and_who_is_never_banned_is_refused() {
    test(Site::innovaphone(), &["nginx", "curl"], |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let text = contract("innovaphone")?;
        let gate = Gatehouse::start(lab, &text)?;
        let page = Curl::new("http://hq.dvl-ckl2.net/PBX0/APPS");
        page.expect(lab, Place::Internet, 200)?;
        let mut log = gate.follow_log(&[])?;
        gate.ok(&[
            "bans",
            "add",
            "78.54.23.1",
            "--for",
            "2d",
            "--reason",
            "a test",
        ])?;
        lab::wait_until(
            "the ban",
            || Ok(page.run(lab, Place::Internet)?.status == 0),
        )?;
        log.wait_for("by hand: a test")?;
        // A reload with a short `ban_for` leaves it its time.
        gate.write(&text.replace("ban_for = \"5m\"", "ban_for = \"1m\""))?;
        gate.ok(&["reload"])?;
        let bans = gate.json(&["bans"])?;
        assert_eq!(
            (&bans[0]["client"], &bans[0]["by_hand"]),
            (&"78.54.23.1".into(), &true.into())
        );
        assert!(gate.ok(&["bans"])?.contains("2d"));
        gate.ok(&["bans", "clear", "78.54.23.1"])?;
        page.expect(lab, Place::Internet, 200)?;
        let said = gate.command(&["bans", "add", "172.31.31.2"])?;
        assert!(
            said.code == Some(1) && said.stderr.contains("never banned"),
            "{said:?}"
        );
        Ok(())
    });
}

#[test]
fn a_browser_can_follow_the_log() {
    test(Site::innovaphone(), &["curl"], |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let socket = gate.state().join("control.sock").display().to_string();
        let command = [
            "curl",
            "--no-buffer",
            "--silent",
            "--unix-socket",
            &socket,
            "--header",
            "accept: text/event-stream",
            "http://localhost/v1/log",
        ];
        let mut stream = lab.spawn(Place::Gate, "stream", &command)?;
        stream.wait_for("event: record")?;
        gate.ok(&["bans", "add", "203.0.113.9"])?;
        stream.wait_for("\"event\":\"banned\"")?;
        Ok(())
    });
}

/// A box whose file lies in the folder of its state, so that it refuses a factory reset; and its control socket.
fn indestructible(lab: &Lab) -> Result<(Process, PathBuf)> {
    let state = lab.dir().join("state");
    fs::create_dir_all(&state)?;
    let file = state.join("gatehouse.toml");
    fs::copy(
        lab::repository().join("xtask/src/demo/gatehouse.toml"),
        &file,
    )?;
    let words = [
        lab::program()?,
        "run".into(),
        "--config".into(),
        file,
        "--state".into(),
        state.clone(),
    ];
    let words = words.map(|word| word.display().to_string());
    let gate = lab.spawn(
        Place::Gate,
        "gatehouse",
        &words.each_ref().map(String::as_str),
    )?;
    let socket = state.join("control.sock");
    lab::wait_until("the control socket", || Ok(socket.exists()))?;
    Ok((gate, socket))
}

/// Has schemathesis ask everything that the document knows, at an address that leads to `socket`.
fn schemathesis(lab: &Lab, socket: &Path) -> Result<Output> {
    let here = |file: &str| {
        lab::repository()
            .join("tests/lab")
            .join(file)
            .display()
            .to_string()
    };
    let (script, settings) = (here("peers/forward.py"), here("schemathesis.toml"));
    let (socket, address) = (socket.display().to_string(), "127.0.0.1:8700");
    let forward = ["/usr/bin/python3", &script, address, &socket];
    let _forward = lab.spawn(Place::Gate, "forward", &forward)?;
    lab.wait_for_port(Place::Gate, address)?;
    let program = lab::schemathesis().context("no schemathesis")?;
    let program = program.display().to_string();
    let folder = lab.dir().display().to_string();
    let document = format!("http://{address}/v1/openapi.json");
    let base = format!("http://{address}");
    let command = [
        "env",
        "-C",
        &folder,
        &program,
        "--no-color",
        "--config-file",
        &settings,
        "run",
        &document,
        "--url",
        &base,
        "--checks",
        "all",
        "--workers",
        "1",
    ];
    lab.run_within(FOUR_MINUTES, Place::Gate, &command)
}

#[test]
fn schemathesis_finds_nothing() {
    test(Site::one_server(), &["python3", "schemathesis"], |lab| {
        let (gate, socket) = indestructible(lab)?;
        let said = schemathesis(lab, &socket)?;
        let (words, log) = (format!("{}\n{}", said.stdout, said.stderr), gate.log());
        ensure!(said.code == Some(0), "{words}\n{log}");
        let tested = words.lines().find(|line| line.contains("Tested:"));
        let selected = words.lines().find(|line| line.contains("Selected:"));
        let count = |line: Option<&str>| {
            line.and_then(|line| {
                line.split_whitespace()
                    .last()?
                    .split('/')
                    .next()?
                    .parse::<u32>()
                    .ok()
            })
        };
        ensure!(
            count(tested) == count(selected) && count(tested) > Some(20),
            "{words}"
        );
        // The box is as well as before.
        let program = lab::program()?.display().to_string();
        let state = socket.parent().context("state")?.display().to_string();
        let status = lab
            .run(Place::Gate, &[&program, "status", "--state", &state])?
            .success()?;
        ensure!(
            status.contains("edge") && !log.contains("panicked"),
            "{status}\n{log}"
        );
        Ok(())
    });
}
