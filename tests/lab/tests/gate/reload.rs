//! A reload cuts nothing that the new configuration still allows.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

use anyhow::Result;
use lab::{
    Chat, Curl, Echo, Gatehouse, Lab, Nginx, Place, Process, Site, contract, program, test,
    wait_until,
};
use nix::sys::signal::Signal;

const NEEDS: &[&str] = &["nginx", "openssl", "curl", "wrk", "python3-websockets"];
/// 200 kB/s from the slow folder: ten seconds.
const DOWNLOAD: usize = 2_000_000;

/// The contract, with the paths that the load needs, and a host that is there in every second generation.
fn generation(number: usize) -> Result<String> {
    let text = contract("innovaphone")?.replace(
        "  \"/PBX0/session\",\n",
        "  \"/PBX0/session\", \"/ws\", \"/slow/\",\n",
    );
    let extra =
        "\n[[host]]\nname = \"extra.dvl-ckl2.net\"\ntarget = \"172.31.31.3\"\n[[host.http]]\n";
    let more = if number % 2 == 1 { extra } else { "" };
    // Keys of the last table stand before any new one.
    Ok(format!("{text}{more}"))
}

/// Load that lasts until it is asked for its result.
fn load(lab: &Lab) -> Result<Process> {
    let command = [
        "wrk",
        "-t1",
        "-c16",
        "-d10s",
        "https://hq.dvl-ckl2.net/PBX0/APPS",
    ];
    lab.spawn(Place::Internet, "wrk", &command)
}

#[test]
fn ten_reloads_under_load_cut_nothing() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80", "172.31.31.2:443 ssl"])?;
        fs::write(target.folder().join("large"), "x".repeat(DOWNLOAD))?;
        let _echo = Echo::start(lab, Place::Lan, "127.0.0.1:7225", false)?;
        let gate = Gatehouse::start(lab, &generation(0)?)?;
        let root = gate.root()?;
        let url = "wss://hq.dvl-ckl2.net/ws";
        let mut chat = Chat::open(lab, Place::Internet, url, "78.54.23.241:443", Some(&root))?;
        let (file, cacert) = (
            lab.dir().join("received").display().to_string(),
            root.display().to_string(),
        );
        let slow = "https://hq.dvl-ckl2.net/slow/large";
        let command = [
            "curl", "-sS", "--fail", "--cacert", &cacert, "-o", &file, slow,
        ];
        let mut download = lab.spawn(Place::Internet, "download", &command)?;
        let mut wrk = load(lab)?;
        for number in 1..=10 {
            gate.write(&generation(number)?)?;
            gate.ok(&["reload"])?;
            let extra = Curl::new("http://extra.dvl-ckl2.net/")
                .at("78.54.23.241")
                .run(lab, Place::Internet)?;
            // No server stands behind it: 502 where it is a host, 404 where it is not.
            assert_eq!(
                extra.status,
                if number % 2 == 1 { 502 } else { 404 },
                "generation {number}: {extra:?}"
            );
            assert!(chat.is_open()?, "the WebSocket was cut by reload {number}");
        }
        assert_eq!(wrk.wait()?.code(), Some(0));
        let said = wrk.log();
        assert!(
            !said.contains("Non-2xx") && !said.contains("Socket errors"),
            "{said}"
        );
        assert!(said.contains("Requests/sec"), "{said}");
        assert_eq!(download.wait()?.code(), Some(0), "{}", download.log());
        assert_eq!(fs::metadata(&file)?.len(), DOWNLOAD as u64);
        assert!(chat.close()? > 0);
        Ok(())
    });
}

#[test]
fn a_faulty_file_is_refused_as_a_whole_and_the_old_one_goes_on() {
    test(Site::innovaphone(), &["nginx", "curl"], |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let before = gate.ok(&["generations"])?;
        gate.write(
            &contract("innovaphone")?
                .replace("suspicious_per_minute = 20", "suspicous_per_minute = 30"),
        )?;
        let refused = gate.command(&["reload"])?;
        assert_ne!(refused.code, Some(0));
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(
            said.contains("suspicious_per_minute"),
            "the nearest key is named: {said}"
        );
        Curl::new("http://hq.dvl-ckl2.net/PBX0/APPS").expect(lab, Place::Internet, 200)?;
        assert_eq!(gate.ok(&["generations"])?, before);
        Ok(())
    });
}

#[test]
fn a_change_goes_on_to_its_end_when_who_asked_for_it_leaves() {
    test(Site::innovaphone(), &["nginx", "curl"], |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80", "172.31.31.2:443 ssl"])?;
        let gate = Gatehouse::start(lab, &generation(0)?)?;
        gate.write(&generation(1)?)?;
        // It is waited for, so that there is time to leave.
        let admin = gate.signal_child("admin", Signal::SIGSTOP)?;
        let program = program()?.display().to_string();
        let state = gate.state().display().to_string();
        let command = [&program, "reload", "--state", &state];
        let mut asker = lab.spawn(Place::Gate, "asker", &command)?;
        wait_until("edge has the change", || {
            let answer = Curl::new("https://extra.dvl-ckl2.net/")
                .at("78.54.23.241")
                .with(&["--insecure"])
                .run(lab, Place::Internet)?;
            Ok(answer.status != 0 && answer.status != 404)
        })?;
        assert!(asker.runs()?, "{}", asker.log());
        asker.signal(Signal::SIGKILL)?;
        asker.wait()?;
        assert_eq!(gate.signal_child("admin", Signal::SIGCONT)?, admin);
        wait_until("the change is in force", || {
            Ok(gate.json(&["status"])?["generation"]["number"] == 2)
        })
    });
}

#[test]
fn what_a_process_can_not_put_to_work_is_no_generation_and_the_old_one_goes_on() {
    let needs = &["nginx", "curl", "prlimit", "setpriv"];
    test(Site::innovaphone(), needs, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let served = Curl::new("http://hq.dvl-ckl2.net/PBX0/APPS");
        served.expect(lab, Place::Internet, 200)?;
        let pages = Curl::new("https://172.31.31.4:8443/claim").with(&["--insecure"]);
        let before = gate.ok(&["generations"])?;
        let admin = gate.child("admin")?;
        // It can receive the sockets of another interface for IPv4 and IPv6, but not open them.
        limit_files(lab, admin, limit_with_room_for(admin, 2)?)?;
        let zone = "\n[network.more]\ntrust = \"inside\"\ninterface = \"lo\"\naddresses = [\"127.1.0.1/24\"]\n";
        let other = contract("innovaphone")?.replace("  \"/PBX0/APPS\",\n", "") + zone;
        gate.write(&other)?;
        let said = gate.command(&["reload"])?;
        assert_eq!(said.code, Some(1), "{said:?}");
        let reason = "admin can not put the configuration to work";
        assert!(said.stderr.contains(reason), "{said:?}");
        assert_eq!(gate.ok(&["generations"])?, before);
        // Edge had taken it, and gave it back.
        served.expect(lab, Place::Internet, 200)?;
        pages.expect(lab, Place::Lan, 200)?;
        assert_eq!(gate.child("admin")?, admin);
        let status = gate.ok(&["status"])?;
        assert!(
            !status.contains("  lo  ") && !status.contains("can not serve"),
            "{status}"
        );
        // A fault that is gone keeps nobody from trying again.
        limit_files(lab, admin, 4096)?;
        gate.ok(&["reload"])?;
        assert!(gate.ok(&["status"])?.contains("  lo  "));
        served.expect(lab, Place::Internet, 404)?;
        Ok(())
    });
}

/// A limit of open files with which a process can open so many more.
fn limit_with_room_for(pid: u32, more: usize) -> Result<usize> {
    let mut open = BTreeSet::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        open.insert(entry?.file_name().to_string_lossy().parse::<usize>()?);
    }
    let mut free = (0..).filter(|number| !open.contains(number));
    Ok(free.nth(more).unwrap_or_default())
}

/// Sets how many files a process may have open, with the rights of its own user.
fn limit_files(lab: &Lab, pid: u32, limit: usize) -> Result<()> {
    let user = fs::metadata(format!("/proc/{pid}"))?.uid();
    let (user, group) = (format!("--reuid={user}"), format!("--regid={user}"));
    let (pid, limit) = (pid.to_string(), format!("--nofile={limit}:"));
    let command = [
        "setpriv",
        &user,
        &group,
        "--clear-groups",
        "prlimit",
        "--pid",
        &pid,
        &limit,
    ];
    lab.run(Place::Gate, &command)?.success().map(drop)
}
