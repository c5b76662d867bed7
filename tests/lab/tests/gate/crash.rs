//! Processes that end, by fault or by order, and what clients notice of it.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;

use anyhow::{Result, ensure};
use lab::{Curl, Gatehouse, Lab, Nginx, Place, Process, Site, contract, test, wait_until};
use nix::sys::signal::Signal;

const NEEDS: &[&str] = &["nginx", "curl", "wrk"];
const URL: &str = "http://hq.dvl-ckl2.net/PBX0/APPS";

fn load(lab: &Lab) -> Result<Process> {
    lab.spawn(Place::Internet, "wrk", &["wrk", "-t1", "-c16", "-d8s", URL])
}

/// A field of /proc/PID/status.
fn status(pid: u32, field: &str) -> Result<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{field}:")));
    Ok(line
        .unwrap_or_default()
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned())
}

#[test]
fn edge_killed_under_load_is_back_and_waiting_clients_are_served() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        Curl::new(URL).expect(lab, Place::Internet, 200)?;
        let mut wrk = load(lab)?;
        for _ in 0..3 {
            let before = gate.signal_child("edge", Signal::SIGKILL)?;
            // At once, while no edge lives: the listener stays open, so the client waits.
            Curl::new(URL).expect(lab, Place::Internet, 200)?;
            gate.wait_for_successor("edge", before)?;
        }
        assert_eq!(wrk.wait()?.code(), Some(0));
        assert!(!wrk.log().contains("Non-2xx"), "{}", wrk.log());
        Curl::new(URL).expect(lab, Place::Internet, 200)?;
        let log = gate.ok(&["log"])?;
        assert!(log.contains("edge"), "the operator is told: {log}");
        Ok(())
    });
}

/// To a client of HTTP/1.0 a clean end says that the answer was whole.
#[test]
fn an_answer_that_ends_with_its_connection_ends_with_a_reset_when_edge_is_killed() {
    test(Site::innovaphone(), &[], |lab| {
        let listener = lab.enter(Place::Lan, || TcpListener::bind("172.31.31.2:80"))??;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let mut client = lab.connect(Place::Internet, "78.54.23.241:80")?;
        client.write_all(b"GET /PBX0/APPS HTTP/1.0\r\nHost: hq.dvl-ckl2.net\r\n\r\n")?;
        let (mut target, _) = listener.accept()?;
        target.write_all(b"HTTP/1.1 200 OK\r\n\r\nhalf")?;
        let mut heard = Vec::new();
        while !heard.ends_with(b"\r\n\r\nhalf") {
            let mut bytes = [0; 1024];
            let count = client.read(&mut bytes)?;
            ensure!(count > 0, "{}", heard.escape_ascii());
            heard.extend(bytes.get(..count).unwrap_or_default());
        }
        let before = gate.signal_child("edge", Signal::SIGKILL)?;
        let end = client.read(&mut [0; 16]);
        let reset = end
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionReset);
        ensure!(reset, "{end:?}");
        gate.wait_for_successor("edge", before)?;
        Ok(())
    });
}

#[test]
fn admin_killed_under_load_is_back_and_edge_does_not_notice() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let edge = gate.child("edge")?;
        let mut wrk = load(lab)?;
        let pages = Curl::new("https://172.31.31.4:8443/claim").with(&["--insecure"]);
        pages.expect(lab, Place::Lan, 200)?;
        for _ in 0..3 {
            let before = gate.signal_child("admin", Signal::SIGKILL)?;
            pages.expect(lab, Place::Lan, 200)?;
            gate.wait_for_successor("admin", before)?;
        }
        assert_eq!(wrk.wait()?.code(), Some(0));
        let said = wrk.log();
        assert!(
            !said.contains("Non-2xx") && !said.contains("Socket errors"),
            "{said}"
        );
        assert_eq!(gate.child("edge")?, edge);
        Ok(())
    });
}

#[test]
fn when_the_supervisor_dies_all_of_it_ends_and_starts_anew() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let children = [gate.child("edge")?, gate.child("admin")?];
        gate.signal(Signal::SIGKILL)?;
        gate.wait()?;
        gate.start_again()?;
        Curl::new(URL).expect(lab, Place::Internet, 200)?;
        wait_until("the end of the orphans", || {
            Ok(children
                .iter()
                .all(|pid| !fs::exists(format!("/proc/{pid}")).unwrap_or(true)))
        })
    });
}

#[test]
fn sigterm_lets_a_running_download_finish() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        // 200 kB/s: about four seconds, below the time sessions have to finish.
        fs::write(target.folder().join("large"), "x".repeat(800_000))?;
        let text = contract("innovaphone")?.replace(
            "  \"/PBX0/session\",\n",
            "  \"/PBX0/session\", \"/slow/\",\n",
        );
        let gate = Gatehouse::start(lab, &text)?;
        let file = lab.dir().join("received").display().to_string();
        let command = [
            "curl",
            "-sS",
            "--fail",
            "-o",
            &file,
            "http://hq.dvl-ckl2.net/slow/large",
        ];
        let mut download = lab.spawn(Place::Internet, "download", &command)?;
        wait_until("the first bytes", || {
            Ok(fs::metadata(&file).is_ok_and(|about| about.len() > 0))
        })?;
        gate.signal(Signal::SIGTERM)?;
        assert_eq!(download.wait()?.code(), Some(0), "{}", download.log());
        assert_eq!(fs::metadata(&file)?.len(), 800_000);
        assert_eq!(gate.wait()?, Some(0), "{}", gate.output());
        let refused = Curl::new(URL).run(lab, Place::Internet)?;
        assert_eq!(refused.status, 0, "{refused:?}");
        Ok(())
    });
}

#[test]
fn edge_and_admin_have_no_right_that_an_intruder_could_use() {
    test(Site::innovaphone(), &[], |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let (edge, admin) = (gate.child("edge")?, gate.child("admin")?);
        for pid in [edge, admin] {
            wait_until("the process has shut itself in", || {
                Ok(status(pid, "Seccomp")? == "2")
            })?;
            assert_ne!(status(pid, "Uid")?, "0");
            assert_ne!(status(pid, "Gid")?, "0");
            assert_eq!(status(pid, "NoNewPrivs")?, "1");
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                assert_eq!(
                    status(pid, set)?.trim_start_matches('0'),
                    "",
                    "{set} of {pid}"
                );
            }
        }
        assert_ne!(status(edge, "Uid")?, status(admin, "Uid")?);
        Ok(())
    });
}

#[test]
fn an_interface_that_is_deleted_and_made_anew_is_listened_at_again() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        // These listen at the interface, not at an address.
        let pages = Curl::new("https://172.31.31.4:8443/claim").with(&["--insecure"]);
        pages.expect(lab, Place::Lan, 200)?;
        let before = [gate.supervisor(), gate.child("edge")?, gate.child("admin")?];
        let ip = |place, line: &str| {
            let words: Vec<_> = std::iter::once("ip").chain(line.split(' ')).collect();
            lab.run(place, &words)?.success()
        };
        let lan = ip(Place::Lan, "netns identify")?;
        for gone_for_long in [true, false] {
            ip(Place::Gate, "link del eth0")?;
            if gone_for_long {
                wait_until("the notice", || {
                    Ok(gate
                        .ok(&["status"])?
                        .contains("does not have that network interface"))
                })?;
            }
            let pair = format!(
                "link add eth0 type veth peer name again netns {}",
                lan.trim()
            );
            ip(Place::Gate, &pair)?;
            ip(Place::Lan, "link set again master segment up")?;
            ip(Place::Gate, "addr add 172.31.31.4/24 dev eth0")?;
            ip(Place::Gate, "link set eth0 up")?;
            ip(Place::Gate, "route add default via 172.31.31.1")?;
            for place in [Place::Router, Place::Lan] {
                ip(place, "neigh flush all")?;
            }
            wait_until("the admin pages", || {
                Ok(pages.run(lab, Place::Lan)?.status == 200)
            })?;
            Curl::new(URL).expect(lab, Place::Internet, 200)?;
        }
        let after = [gate.supervisor(), gate.child("edge")?, gate.child("admin")?];
        assert_eq!(before, after, "nothing was started anew");
        assert!(gate.ok(&["log"])?.contains("it is there now"));
        Ok(())
    });
}
