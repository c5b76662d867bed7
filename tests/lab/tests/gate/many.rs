//! Very many connections that do nothing, as those of phones and browsers do most of the day.

use std::fs;
use std::net::IpAddr;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use lab::{Crowd, Gatehouse, Guests, Lab, Parrot, Place, Site, contract, say, skip, test};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What is wanted; a box does it, a machine with few files per process does less.
const WEBSOCKETS: usize = 10_000;
/// Fewer than this prove nothing.
const FEWEST: usize = 5_000;
/// Files that edge needs besides two for each WebSocket.
const OTHER_FILES: usize = 300;
/// More than one address may hold, all in all, so that each holds less.
const CLIENTS: u8 = 12;
/// Bytes of edge's memory for one of them: a generous cap that a leak would break, no aim.
const CAP: usize = 64 * 1024;

/// How many WebSockets this process and its children have files for; raises their limit as far as it goes.
fn possible() -> Result<usize> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    let files = usize::try_from(hard).unwrap_or(usize::MAX);
    Ok(WEBSOCKETS.min(files.saturating_sub(OTHER_FILES) / 2))
}

/// More addresses outside, none of which is asked to hold more than it may.
fn clients(lab: &Lab) -> Result<Vec<IpAddr>> {
    let mut all = Vec::new();
    for number in 0..CLIENTS {
        let address = format!("78.54.23.{}", 100 + number);
        let with_length = format!("{address}/24");
        let command = ["ip", "address", "add", &with_length, "dev", "segment"];
        lab.run(Place::Internet, &command)?.success()?;
        all.push(address.parse()?);
    }
    Ok(all)
}

/// Bytes of memory that are a process's own, its share of what it shares included.
fn memory(pid: u32) -> Result<usize> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
    let kilobytes: usize = kilobytes.context("no Pss")?.parse()?;
    Ok(kilobytes * 1024)
}

#[test]
fn ten_thousand_idle_websockets_stay_up() {
    let count = possible().unwrap();
    if count < FEWEST {
        skip(&format!("files for {count} WebSockets only"));
        return;
    }
    test(Site::innovaphone(), &["python3"], |lab| {
        let _target = Parrot::start(lab, Place::Lan, "172.31.31.12:80")?;
        let text = contract("innovaphone")?.replacen(
            "[[host.http]]",
            "[[host.http]]\ntarget = \"http://172.31.31.12\"\n",
            1,
        );
        let gate = Gatehouse::start(lab, &text)?;
        let edge = gate.child("edge")?;
        let before = memory(edge)?;
        let guests = Guests {
            count,
            from: clients(lab)?,
            to: "78.54.23.241:443".parse()?,
            host: "apps.dvl-ckl2.net",
            path: "/ws",
            root: gate.root()?,
        };
        let crowd = Crowd::open(lab, Place::Internet, &guests)?;
        let open = "gatehouse_proxy_upgraded_connections{host=\"apps.dvl-ckl2.net\"}";
        assert_eq!(gate.metric(open)?, count as u64);
        sleep(Duration::from_secs(5));
        let each = (memory(edge)? - before) / count;
        say(&format!(
            "{count} idle WebSockets over TLS: {each} bytes of edge's memory each"
        ));
        assert!(each < CAP, "{each} bytes each");
        assert_eq!(crowd.echo()?, count);
        assert_eq!(gate.metric(open)?, count as u64);
        drop(crowd);
        lab::wait_until("the end of all of them", || Ok(gate.metric(open)? == 0))
    });
}
