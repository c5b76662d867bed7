//! A reload cuts nothing that the new configuration still allows.

use std::fs;

use anyhow::Result;
use lab::{Chat, Curl, Echo, Gatehouse, Lab, Nginx, Place, Process, Site, contract, test};

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
