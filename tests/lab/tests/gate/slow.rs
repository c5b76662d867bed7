//! Clients that keep connections busy by being slow: slowhttptest in its modes, and everybody else.

use std::fs;

use anyhow::{Result, ensure};
use lab::{Curl, Gatehouse, Nginx, Place, Site, contract, test, wait_until};

const NEEDS: &[&str] = &["nginx", "openssl", "curl", "slowhttptest"];
const CONNECTIONS: &str = "200";
/// Opened within two seconds, kept up for twenty.
const PER_SECOND: &str = "100";
const SECONDS: &str = "20";
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

#[test]
fn slow_readers_keep_nobody_out() {
    // A receive window of a few bytes, of which five are read every second.
    let mode = ["-X", "-w", "64", "-y", "512", "-n", "1", "-z", "5"];
    besieged(&mode, "http://apps.dvl-ckl2.net/files/large");
}
