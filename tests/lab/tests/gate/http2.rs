//! HTTP/2 as curl, h2load, Chromium and a client that keeps to no rule speak it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use lab::{
    Answer, Browser, Curl, Echo, Gatehouse, Lab, Mirror, Nginx, Place, Site, contract, say, test,
};

const NEEDS: &[&str] = &["nginx", "openssl", "curl"];
const URL: &str = "https://apps.dvl-ckl2.net";
/// 5 MiB in which no two places are alike.
const LARGE: usize = 5 * 1024 * 1024;

/// The contract with the application platform on plain HTTP, `lines` in its rule, and nobody banned.
fn configuration(lines: &str) -> Result<String> {
    let rule = format!("[[host.http]]\ntarget = \"http://172.31.31.12\"\n{lines}\n");
    let text = contract("innovaphone")?.replacen("[[host.http]]", &rule, 1);
    Ok(text.replace(
        "[\"172.31.31.0/24\"]",
        "[\"172.31.31.0/24\", \"78.54.23.0/24\"]",
    ))
}

/// A request that curl makes over HTTP/2, and demands so of the answer.
fn ask(lab: &Lab, root: &Path, url: &str, arguments: &[&str], status: u16) -> Result<Answer> {
    let request = Curl::new(url).trusting(root).with(&["--http2"]);
    let answer = request
        .with(arguments)
        .expect(lab, Place::Internet, status)?;
    assert!(answer.head.starts_with("HTTP/2 "), "{}", answer.head);
    Ok(answer)
}

/// What some numbers look like: bytes that a wrong order or a lost frame would change.
fn bytes(count: usize) -> Vec<u8> {
    (0..count as u64 / 8).flat_map(u64::to_le_bytes).collect()
}

#[test]
fn curl_gets_pages_heads_and_refusals() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.12:80", "172.31.31.2:443 ssl"])?;
        let gate = Gatehouse::start(lab, &configuration("plain = \"redirect\"")?)?;
        let root = gate.root()?;
        let answer = ask(lab, &root, &format!("{URL}/a?b=c"), &[], 200)?;
        assert_eq!(answer.body, "172.31.31.12:80 /a?b=c\n");
        let answer = ask(lab, &root, &format!("{URL}/head"), &["--head"], 200)?;
        assert_eq!((answer.header("content-length"), &*answer.body), ("22", ""));
        // Names are in lower case, and what belongs to one connection stays on it.
        assert!(!answer.head.to_lowercase().contains("connection:"));
        assert!(!answer.head.contains("Content-Length"));
        ask(lab, &root, "https://hq.dvl-ckl2.net/PBX0/APPS", &[], 200)?;
        ask(lab, &root, "https://hq.dvl-ckl2.net/nothing", &[], 404)?;
        let plain = Curl::new("http://apps.dvl-ckl2.net/a?b").with(&["--http2"]);
        let answer = plain.expect(lab, Place::Internet, 301)?;
        assert_eq!(answer.header("location"), format!("{URL}/a?b"));
        let seen = target.wait_for("/PBX0/APPS")?;
        assert_eq!(seen[0].get("http_host"), "apps.dvl-ckl2.net");
        assert_eq!(seen[0].get("http_x_forwarded_proto"), "https");
        assert_eq!(seen[0].get("http_x_real_ip"), "78.54.23.1");
        assert_eq!(seen.len(), 3, "{seen:?}");
        Ok(())
    });
}

#[test]
fn a_connection_serves_more_than_one_request() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.12:80", "172.31.31.2:443 ssl"])?;
        let gate = Gatehouse::start(lab, &configuration("")?)?;
        let root = gate.root()?.display().to_string();
        let second = "https://hq.dvl-ckl2.net/PBX0/APPS";
        let out = lab.run(
            Place::Internet,
            &[
                "curl",
                "-sS",
                "--http2",
                "--cacert",
                &root,
                "-w",
                "%{num_connects} ",
                URL,
                second,
                URL,
            ],
        )?;
        let said = out.success()?;
        // Whether the second name shares the connection is curl's choice; the third request does.
        assert!(said.ends_with("0 "), "{said}");
        assert_eq!(said.matches("172.31.31.").count(), 3, "{said}");
        Ok(())
    });
}

#[test]
fn large_bodies_pass_both_ways_unchanged() {
    test(Site::innovaphone(), &["curl", "python3"], |lab| {
        let _mirror = Mirror::start(lab, Place::Lan, "172.31.31.12:80")?;
        let gate = Gatehouse::start(lab, &configuration("")?)?;
        let root = gate.root()?;
        let (sent, received) = (lab.dir().join("sent"), lab.dir().join("received"));
        let large = bytes(LARGE);
        fs::write(&sent, &large)?;
        let (file, back) = (sent.display(), received.display().to_string());
        let line = format!("@{file}");
        for (arguments, framing) in [
            (["--data-binary", &line], "length"),
            // From a pipe, whose length nobody knows.
            (["--upload-file", "-"], "chunked"),
        ] {
            let root = root.display();
            let [first, second] = arguments;
            let line = format!(
                "curl -sS --fail --http2 --cacert {root} -D - -o {back} {first} {second} {URL}/ < {file}"
            );
            let head = lab.run(Place::Internet, &["sh", "-c", &line])?.success()?;
            assert!(head.contains(&format!("x-framing: {framing}")), "{head}");
            assert!(head.starts_with("HTTP/2 200"), "{head}");
            assert!(
                fs::read(&received)? == large,
                "{framing}: not what was sent"
            );
        }
        Ok(())
    });
}

#[test]
fn h2load_is_answered_ten_thousand_times_under_load() {
    let needs = [NEEDS, &["h2load"]].concat();
    test(Site::innovaphone(), &needs, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.12:80"])?;
        let gate = Gatehouse::start(lab, &configuration("")?)?;
        let page = format!("{URL}/page");
        let command = ["h2load", "-n10000", "-c8", "-m8", &page];
        let said = lab.run(Place::Internet, &command)?.success()?;
        assert!(said.contains("Application protocol: h2\n"), "{said}");
        assert!(said.contains("status codes: 10000 2xx"), "{said}");
        assert!(said.contains(" 0 failed, 0 errored, 0 timeout"), "{said}");
        let done = gate
            .metric("gatehouse_proxy_requests_total{host=\"apps.dvl-ckl2.net\",status=\"2xx\"}")?;
        assert_eq!(done, 10_000);
        Ok(())
    });
}

#[test]
fn chromium_speaks_http2_and_talks_over_a_websocket() {
    let needs = [
        &["nginx", "openssl", "python3-websockets"][..],
        &Browser::NEEDS,
    ]
    .concat();
    test(Site::innovaphone(), &needs, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.12:80"])?;
        let echo = Echo::start(lab, Place::Lan, "127.0.0.1:7225", false)?;
        let gate = Gatehouse::start(lab, &configuration("")?)?;
        let browser = Browser::trusting(lab, Place::Internet, &gate.root()?)?;
        let socket = "wss://apps.dvl-ckl2.net/ws";
        let seen = browser.talk("78.54.23.241", &format!("{URL}/page"), socket, "wörds")?;
        assert_eq!(seen["protocol"], "h2", "{seen}");
        assert_eq!(seen["status"], 200, "{seen}");
        assert_eq!(seen["echo"], "wörds", "{seen}");
        let handshake = &echo.handshakes()?[0]["headers"];
        assert_eq!(handshake["host"], "apps.dvl-ckl2.net");
        assert_eq!(handshake["origin"], URL);
        Ok(())
    });
}

#[test]
fn every_case_of_the_table_goes_as_the_rfcs_say() {
    let needs = [
        NEEDS,
        &["python3-hyperframe", "python3-hpack", "python3-websockets"],
    ]
    .concat();
    test(Site::innovaphone(), &needs, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.12:80", "172.31.31.2:443 ssl"])?;
        fs::write(target.folder().join("large"), "x".repeat(300_000))?;
        let _echo = Echo::start(lab, Place::Lan, "127.0.0.1:7225", false)?;
        let gate = Gatehouse::start(lab, &configuration("")?)?;
        let script = lab::repository().join("tests/lab/peers/http2.py");
        let (script, root) = (
            script.display().to_string(),
            gate.root()?.display().to_string(),
        );
        let name = "apps.dvl-ckl2.net";
        let command = [
            "/usr/bin/python3",
            "-B",
            &script,
            "78.54.23.241:443",
            name,
            &root,
        ];
        let out = lab.run(Place::Internet, &command)?;
        let wrong: Vec<&str> = out
            .stdout
            .lines()
            .filter(|line| line.starts_with("WRONG "))
            .collect();
        let all = out.stdout.lines().count();
        say(&format!(
            "{} of {all} cases go as they must",
            all - wrong.len()
        ));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(out.code, Some(0), "{}", out.stderr);
        assert!(all > 200, "{all} cases");
        let seen = target.wait_for("/cookies")?;
        let asked = |uri: &str| seen.iter().find(|request| request.get("uri") == uri);
        let cookies = asked("/cookies").context("waited for")?;
        assert_eq!(cookies.get("http_cookie"), "a=1; b=2; c=3");
        let never: Vec<_> = seen
            .iter()
            .filter(|request| request.get("uri").contains("never"))
            .collect();
        assert!(never.is_empty(), "{never:?}");
        Ok(())
    });
}
