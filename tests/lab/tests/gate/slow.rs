//! Clients that keep connections busy by being slow: slowhttptest in its modes, and everybody else.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use lab::{Curl, Gatehouse, Nginx, PATIENCE, Place, Site, contract, test, wait_until};

const NEEDS: &[&str] = &["nginx", "openssl", "curl", "slowhttptest"];
const CONNECTIONS: &str = "200";
/// Opened within two seconds, kept up for twenty.
const PER_SECOND: &str = "100";
const SECONDS: &str = "20";
const GATE: &str = "78.54.23.241:80";
/// Of the client that is not slow; the slow ones come from the first address of the place.
const NORMAL: &str = "78.54.23.11";

/// Runs slowhttptest with `mode` against `url`; a normal client is served all the time, and at the
/// end no connection is left over.
fn besieged(mode: &[&str], url: &str) {
    test(Site::innovaphone(), NEEDS, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.12:80"])?;
        fs::write(target.folder().join("large"), "x".repeat(4_000_000))?;
        let text = contract("innovaphone")?.replacen(
            "[[host.http]]",
            "[[host.http]]\ntarget = \"http://172.31.31.12\"\n",
            1,
        );
        let gate = Gatehouse::start(lab, &text)?;
        let root = gate.root()?;
        let fixed = [
            "slowhttptest",
            "-c",
            CONNECTIONS,
            "-r",
            PER_SECOND,
            "-l",
            SECONDS,
            "-u",
            url,
        ];
        let mut slow = lab.spawn(Place::Internet, "slow", &[&fixed, mode].concat())?;
        let mut served = 0;
        let mut most = 0;
        while slow.runs()? {
            for normal in ["http://apps.dvl-ckl2.net/", "https://apps.dvl-ckl2.net/"] {
                let request = Curl::new(normal).trusting(&root).from(NORMAL);
                request.expect(lab, Place::Internet, 200)?;
                served += 1;
            }
            most = most.max(open(&gate)?);
        }
        ensure!(
            served > 0 && most > 50,
            "served {served}, at most {most} open"
        );
        wait_until("the end of every connection", || Ok(open(&gate)? == 0))?;
        let bans = gate.ok(&["bans"])?;
        ensure!(!bans.contains(NORMAL), "{bans}");
        Ok(())
    });
}

/// Connections of clients, plain and TLS.
fn open(gate: &Gatehouse) -> Result<u64> {
    let plain = gate.metric("gatehouse_proxy_connections{protocol=\"http\"}")?;
    let tls = gate.metric("gatehouse_proxy_connections{protocol=\"https\"}")?;
    Ok(plain + tls)
}

#[test]
fn slow_heads_keep_nobody_out() {
    // A line of a few bytes every three seconds.
    let mode = ["-H", "-i", "3", "-x", "8"];
    besieged(&mode, "https://apps.dvl-ckl2.net/");
}

#[test]
fn slow_bodies_keep_nobody_out() {
    let mode = ["-B", "-i", "3", "-x", "8", "-s", "8192"];
    // The target takes the whole body of this path before it answers.
    besieged(&mode, "http://apps.dvl-ckl2.net/ws");
}

/// The client would go on for ever: it is the gate that ends it, and tells.
#[test]
fn bodies_slower_than_the_file_allows_are_ended_by_the_gate() {
    test(Site::innovaphone(), &[], |lab| {
        let listener = lab.enter(Place::Lan, || TcpListener::bind("172.31.31.12:80"))??;
        let text = contract("innovaphone")?.replacen(
            "[[host.http]]",
            "[[host.http]]\ntarget = \"http://172.31.31.12\"\n",
            1,
        );
        let limits = "\n[proxy.limits]\nbody_rate = \"100B\"\nbody_rate_grace = \"1s\"\n";
        let gate = Gatehouse::start(lab, &(text + limits))?;
        let mut slow = lab.connect(Place::Internet, GATE)?;
        slow.write_all(
            b"POST /ws HTTP/1.1\r\nHost: apps.dvl-ckl2.net\r\nContent-Length: 100000\r\n\r\n",
        )?;
        let (mut target, _) = listener.accept()?;
        let mut sent = 0;
        while sent < 600 && slow.write_all(b"x").is_ok() {
            sent += 1;
            thread::sleep(Duration::from_millis(50));
        }
        ensure!(sent < 600, "20 bytes a second were borne for 30 s");
        let mut heard = Vec::new();
        target.set_read_timeout(Some(PATIENCE))?;
        // It must not look whole, however it ends.
        let _ = target.read_to_end(&mut heard);
        ensure!(heard.len() < 2000, "{}", heard.escape_ascii());
        let log = gate.ok(&["log"])?;
        ensure!(
            log.contains("less than body_rate, 100 bytes per second"),
            "{log}"
        );
        wait_until("the end of the connection", || Ok(open(&gate)? == 0))
    });
}

#[test]
fn slow_readers_keep_nobody_out() {
    // A receive window of a few bytes, of which five are read every second.
    let mode = ["-X", "-w", "64", "-y", "512", "-n", "1", "-z", "5"];
    besieged(&mode, "http://apps.dvl-ckl2.net/files/large");
}
