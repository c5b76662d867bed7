//! The command line, as an operator uses it.

use std::fs;

use anyhow::Result;
use lab::{Curl, Gatehouse, Lab, Nginx, Place, Site, contract, test};
use nix::sys::signal::Signal;

const NEEDS: &[&str] = &["nginx", "curl"];

fn started(lab: &Lab) -> Result<(Nginx, Gatehouse<'_>)> {
    let target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
    Ok((target, Gatehouse::start(lab, &contract("innovaphone")?)?))
}

/// The contract with another port for the admin pages: a change that could lock somebody out.
fn other_admin_port() -> Result<String> {
    Ok(contract("innovaphone")?.replace("port = 8443", "port = 8444"))
}

/// The line of the file in which `text` stands first.
fn line_of(file: &str, text: &str) -> usize {
    file.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn check_names_every_fault_with_its_line_and_tells_apart_by_its_exit_code() {
    test(Site::innovaphone(), &[], |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let good = gate.file().display().to_string();
        fs::remove_file(lab.dir().join("innovaphone-devices.pem"))?;
        // Only the box can know which files it has: without its state, a missing one is no fault.
        let alone = gate.alone(&["check", &good])?.success()?;
        assert!(
            alone.contains("not checked") && alone.contains("innovaphone-devices.pem"),
            "{alone}"
        );
        let said = gate.command(&["check", &good])?;
        assert!(
            said.code == Some(1) && said.stderr.contains("innovaphone-devices.pem"),
            "{said:?}"
        );
        let faulty = lab.dir().join("faulty.toml");
        let text = contract("innovaphone")?
            .replace("trust = \"inside\"", "trust = \"insid\"")
            .replace("ban_for = \"5m\"", "ban_for = 5");
        fs::write(&faulty, &text)?;
        let said = gate.alone(&["check", &faulty.display().to_string()])?;
        assert_eq!(said.code, Some(1), "{said:?}");
        let words = format!("{}{}", said.stdout, said.stderr);
        for (line, key) in [
            (line_of(&text, "trust = "), "trust"),
            (line_of(&text, "ban_for"), "ban_for"),
        ] {
            assert!(
                words.contains(&format!("faulty.toml:{line}: ")) && words.contains(key),
                "{key}: {words}"
            );
        }
        assert_eq!(
            gate.alone(&["check", "/nowhere/gatehouse.toml"])?.code,
            Some(2)
        );
        Ok(())
    });
}

#[test]
fn explain_says_what_would_happen_and_which_line_makes_it_so() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (target, gate) = started(lab)?;
        let allowed = gate.ok(&["explain", "https://hq.dvl-ckl2.net/PBX0/APPS"])?;
        assert!(allowed.contains("172.31.31.2:443"), "{allowed}");
        let text = contract("innovaphone")?;
        let start = line_of(&text, "name = \"hq.dvl-ckl2.net\"");
        let rule = text
            .lines()
            .skip(start)
            .position(|line| line.contains("/PBX0/APPS\""))
            .unwrap()
            + start
            + 1;
        assert!(
            allowed.contains(&rule.to_string()),
            "line {rule}: {allowed}"
        );
        let refused = gate.command(&["explain", "https://hq.dvl-ckl2.net/PBX0/SECRET"])?;
        assert!(
            format!("{}{}", refused.stdout, refused.stderr).contains("404"),
            "{refused:?}"
        );
        let file = gate.file().display().to_string();
        let offline = gate.ok(&[
            "explain",
            "https://hq.dvl-ckl2.net/PBX0/APPS",
            "--config",
            &file,
        ])?;
        assert!(offline.contains("172.31.31.2:443"), "{offline}");
        assert!(target.requests()?.is_empty(), "explaining asks no target");
        Ok(())
    });
}

#[test]
fn the_log_has_one_line_per_decision_with_reason_and_target() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let text =
            contract("innovaphone")?.replace("log_forwarded = []", "log_forwarded = [\"http\"]");
        let gate = Gatehouse::start(lab, &text)?;
        let mut operator = gate.follow_log(&[])?;
        Curl::new("http://hq.dvl-ckl2.net/PBX0/APPS").expect(lab, Place::Internet, 200)?;
        Curl::new("http://hq.dvl-ckl2.net/PBX0/SECRET?token").expect(lab, Place::Internet, 404)?;
        operator.wait_for("GET /PBX0/SECRET")?;
        let said = operator.log();
        let find = |part: &str| {
            said.lines()
                .find(|line| line.contains(part))
                .unwrap_or_default()
                .to_owned()
        };
        let allowed = find("GET /PBX0/APPS");
        assert!(
            allowed.contains("78.54.23.1") && allowed.contains("-> 172.31.31.2:80 (new)"),
            "{said}"
        );
        let refused = find("GET /PBX0/SECRET");
        assert!(
            refused.contains("78.54.23.1") && refused.contains("hq.dvl-ckl2.net"),
            "{said}"
        );
        assert!(!refused.contains("->"), "{said}");
        drop(target);
        Ok(())
    });
}

#[test]
fn status_names_the_processes_and_what_is_not_built_yet() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_target, gate) = started(lab)?;
        let said = gate.ok(&["status"])?;
        for word in ["gate-hq", "edge", "admin", "turn", "not built yet"] {
            assert!(said.contains(word), "{word} is missing: {said}");
        }
        let value = gate.json(&["status"])?;
        let processes = value["processes"].as_array().unwrap();
        let edge = processes
            .iter()
            .find(|process| process["name"] == "edge")
            .unwrap();
        assert_eq!(edge["pid"], gate.child("edge")?);
        Ok(())
    });
}

#[test]
fn a_change_of_the_admin_port_waits_for_confirmation_and_can_be_given_up() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_target, gate) = started(lab)?;
        let page = |port: u16| {
            let url = format!("https://172.31.31.4:{port}/claim");
            Ok::<_, anyhow::Error>(
                Curl::new(&url)
                    .with(&["--insecure"])
                    .run(lab, Place::Lan)?
                    .status,
            )
        };
        assert_eq!(page(8443)?, 200);
        gate.write(&other_admin_port()?)?;
        let said = gate.ok(&["reload"])?;
        assert!(said.contains("confirm"), "{said}");
        assert_eq!(page(8444)?, 200);
        gate.ok(&["rollback"])?;
        assert_eq!((page(8443)?, page(8444)?), (200, 0));
        gate.ok(&["reload"])?;
        gate.ok(&["confirm"])?;
        gate.signal(Signal::SIGTERM)?;
        gate.wait()?;
        gate.start_again()?;
        assert_eq!(
            (page(8443)?, page(8444)?),
            (0, 200),
            "what was confirmed stays"
        );
        Ok(())
    });
}

#[test]
fn a_power_cut_while_unconfirmed_boots_the_configuration_before() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_target, gate) = started(lab)?;
        gate.write(&other_admin_port()?)?;
        gate.ok(&["reload"])?;
        let children = [gate.child("edge")?, gate.child("admin")?];
        gate.signal(Signal::SIGKILL)?;
        gate.wait()?;
        lab::wait_until("the end of the orphans", || {
            Ok(children
                .iter()
                .all(|pid| !fs::exists(format!("/proc/{pid}")).unwrap_or(true)))
        })?;
        gate.start_again()?;
        let page = |port: u16| {
            Curl::new(&format!("https://172.31.31.4:{port}/claim")).with(&["--insecure"])
        };
        page(8443).expect(lab, Place::Lan, 200)?;
        assert_eq!(page(8444).run(lab, Place::Lan)?.status, 0);
        Ok(())
    });
}

#[test]
fn a_change_that_nobody_confirms_is_rolled_back_after_three_minutes() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_target, gate) = started(lab)?;
        let mut operator = gate.follow_log(&[])?;
        gate.write(&other_admin_port()?)?;
        gate.ok(&["reload"])?;
        std::thread::sleep(std::time::Duration::from_secs(175));
        operator.wait_for("not confirmed in time")?;
        let pages = Curl::new("https://172.31.31.4:8443/claim").with(&["--insecure"]);
        pages.expect(lab, Place::Lan, 200)?;
        Ok(())
    });
}

#[test]
fn generations_are_numbered_compared_and_brought_back() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_target, gate) = started(lab)?;
        gate.write(&contract("innovaphone")?.replace("  \"/PBX0/APPS\",\n", ""))?;
        gate.ok(&["reload"])?;
        let url = "http://branch-b.dvl-ckl2.net/PBX0/APPS";
        Curl::new(url).expect(lab, Place::Internet, 404)?;
        let diff = gate.ok(&["diff"])?;
        assert!(
            diff.lines()
                .any(|line| line.starts_with('-') && line.contains("/PBX0/APPS")),
            "{diff}"
        );
        let list = gate.json(&["generations"])?;
        assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
        gate.ok(&["rollback", "1"])?;
        Curl::new("http://hq.dvl-ckl2.net/PBX0/APPS").expect(lab, Place::Internet, 200)?;
        Ok(())
    });
}

#[test]
fn secrets_are_set_and_listed_but_never_shown() {
    test(Site::innovaphone(), &[], |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let value = lab.dir().join("value");
        fs::write(&value, "correct horse battery staple")?;
        gate.ok_reading(&["secret", "set", "one-more"], &value)?;
        let list = gate.ok(&["secret", "list"])?;
        assert!(
            list.contains("one-more") && !list.contains("horse"),
            "{list}"
        );
        gate.ok(&["secret", "rm", "one-more"])?;
        assert!(!gate.ok(&["secret", "list"])?.contains("one-more"));
        Ok(())
    });
}

#[test]
fn without_root_the_same_processes_run_and_status_says_what_was_left_out() {
    test(Site::one_server(), &["curl", "setpriv"], |lab| {
        let folder = lab.dir().join("somebody");
        fs::create_dir(&folder)?;
        fs::copy(lab::program()?, folder.join("gatehouse"))?;
        let demo = lab::repository().join("xtask/src/demo/gatehouse.toml");
        fs::copy(demo, folder.join("gatehouse.toml"))?;
        let folder = folder.display().to_string();
        lab.run(Place::Gate, &["chown", "-R", "65534:65534", &folder])?
            .success()?;
        let as_somebody = |arguments: &str| {
            let line = format!("cd {folder} && exec ./gatehouse {arguments} --state state");
            [
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "sh",
                "-c",
                &line,
            ]
            .map(str::to_owned)
        };
        let run = as_somebody("run --config gatehouse.toml");
        let _gate = lab.spawn(Place::Gate, "somebody", &run.each_ref().map(String::as_str))?;
        lab.wait_for_port(Place::Gate, "127.0.0.1:8453")?;
        let ask = as_somebody("status");
        lab::wait_until("an answer of the box", || {
            let said = lab.run(Place::Gate, &ask.each_ref().map(String::as_str))?;
            Ok(said.stdout.contains("not root") && said.stdout.contains("edge"))
        })?;
        let answer = Curl::new("http://app.demo.localhost:8090/x").expect(lab, Place::Gate, 301)?;
        assert_eq!(
            answer.header("location"),
            "https://app.demo.localhost:8453/x"
        );
        Ok(())
    });
}
