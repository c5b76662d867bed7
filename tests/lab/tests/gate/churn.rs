//! An operator who changes the file again and again while everybody is at work.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::{
    Crowd, Curl, Gatehouse, Guests, Lab, Nginx, Parrot, Place, Process, Site, contract, test,
};
use nix::sys::signal::Signal;

const NEEDS: &[&str] = &["nginx", "openssl", "curl", "wrk", "python3"];
const RELOADS: usize = 50;
const WEBSOCKETS: usize = 20;
const DOWNLOAD: usize = 20 * 1024 * 1024;

/// Files that keep the rule of `apps`, which everybody uses, and change what stands around it:
/// where in the file it is, a header that it adds, and hosts besides.
fn generation(number: usize) -> Result<String> {
    let moved = "\n".repeat(number % 3);
    let header = if number.is_multiple_of(2) {
        "client_address_header = \"X-Client-IP\"\n"
    } else {
        ""
    };
    let text = contract("innovaphone")?.replacen(
        "[[host.http]]",
        &format!("{moved}[[host.http]]\ntarget = \"http://172.31.31.12\"\n{header}"),
        1,
    );
    let extra = format!(
        "\n[[host]]\nname = \"extra{}.dvl-ckl2.net\"\ntarget = \"172.31.31.3\"\n[[host.http]]\n",
        number % 4
    );
    Ok(text + &extra)
}

/// Sixteen connections that ask without pause, until they are told to stop.
fn load(lab: &Lab) -> Result<Process> {
    let url = "https://apps.dvl-ckl2.net/load";
    let command = ["wrk", "-t1", "-c16", "-d60s", "--timeout", "20s", url];
    lab.spawn(Place::Internet, "wrk", &command)
}

/// One that reads slower than it could, for about as long as all the reloads take; `version` as curl calls it.
fn download(lab: &Lab, root: &Path, version: &str) -> Result<(Process, PathBuf)> {
    let (root, file) = (root.display().to_string(), lab.dir().join(version));
    let (path, option) = (file.display().to_string(), format!("--{version}"));
    let url = "https://apps.dvl-ckl2.net/files/large";
    let command = [
        "curl",
        "-sS",
        "--fail",
        &option,
        "--limit-rate",
        "1M",
        "--cacert",
        &root,
        "-o",
        &path,
        url,
    ];
    let process = lab.spawn(Place::Internet, &format!("download-{version}"), &command)?;
    Ok((process, file))
}

/// Echoes over every WebSocket, ten times a second, until `over`; how many rounds.
fn chat(crowd: &Crowd, over: &AtomicBool) -> Result<usize> {
    let mut rounds = 0;
    while !over.load(Ordering::Acquire) {
        let alive = crowd.echo().with_context(|| format!("round {rounds}"))?;
        ensure!(alive == WEBSOCKETS, "{alive} of {WEBSOCKETS}");
        rounds += 1;
        sleep(Duration::from_millis(100));
    }
    Ok(rounds)
}

#[test]
fn fifty_reloads_under_load_cut_nothing() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.12:80"])?;
        let large: Vec<u8> = (0..DOWNLOAD / 8)
            .flat_map(|number| (number as u64).to_le_bytes())
            .collect();
        fs::write(target.folder().join("large"), &large)?;
        let _parrot = Parrot::start(lab, Place::Lan, "127.0.0.1:7225")?;
        let gate = Gatehouse::start(lab, &generation(0)?)?;
        let guests = Guests {
            count: WEBSOCKETS,
            from: vec!["78.54.23.12".parse()?],
            to: "78.54.23.241:443".parse()?,
            host: "apps.dvl-ckl2.net",
            path: "/ws",
            root: gate.root()?,
        };
        let crowd = Crowd::open(lab, Place::Internet, &guests)?;
        let mut downloads = [
            download(lab, &guests.root, "http1.1")?,
            download(lab, &guests.root, "http2")?,
        ];
        let mut wrk = load(lab)?;
        let over = AtomicBool::new(false);
        scope(|scope| -> Result<()> {
            let chat = scope.spawn(|| chat(&crowd, &over));
            let reloads = (1..=RELOADS).try_for_each(|number| {
                gate.write(&generation(number)?)?;
                gate.ok(&["reload"]).map(drop)
            });
            let downloaded: Vec<_> = downloads.iter_mut().map(|(curl, _)| curl.wait()).collect();
            over.store(true, Ordering::Release);
            let rounds = chat.join().expect("does not panic")?;
            reloads?;
            for (ended, (curl, file)) in downloaded.into_iter().zip(&downloads) {
                assert_eq!(ended?.code(), Some(0), "{}", curl.log());
                assert!(fs::read(file)? == large, "{} is whole", file.display());
            }
            assert!(rounds > 10, "{rounds} rounds of echoes");
            Ok(())
        })?;
        // The last file is in force: a host without a server behind it, not a name that nobody has.
        let extra = format!("http://extra{}.dvl-ckl2.net/", RELOADS % 4);
        let request = Curl::new(&extra).at("78.54.23.241");
        request.expect(lab, Place::Internet, 502)?;
        wrk.signal(Signal::SIGINT)?;
        wrk.wait()?;
        let said = wrk.log();
        let wrong = said.contains("Non-2xx") || said.contains("Socket errors");
        assert!(said.contains("Requests/sec") && !wrong, "{said}");
        Ok(())
    });
}
