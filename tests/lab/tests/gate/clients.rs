//! Client certificates as openssl makes them and curl and Chromium show them, and the TLS that is spoken.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use lab::{Browser, Curl, Echo, Gatehouse, Lab, Nginx, Pki, Place, Site, report_file, test};
use serde_json::Value;

use crate::rules::with_rules;

const NEEDS: &[&str] = &["nginx", "openssl", "curl"];
const URL: &str = "https://hq.dvl-ckl2.net";
const TARGET: &str = "172.31.31.2:80";

/// The host `hq` lets in alice alone, but for a path that is open; nobody is banned.
fn configuration() -> Result<String> {
    let rules = r#"
trusted_clients = ["ca.pem"]
revoked = ["ca.crl"]
[[host.http]]
target = "http://172.31.31.2"
access = ["certified"]
[[host.http]]
paths = ["/open"]
target = "http://172.31.31.2"
"#;
    let access = r#"
[access.certified]
kind = "certificate"
names = ["alice"]
user_header = "X-Remote-User"
"#;
    let text = with_rules(rules)?.replace(
        "[\"172.31.31.0/24\"]",
        "[\"172.31.31.0/24\", \"78.54.23.0/24\"]",
    );
    Ok(text + access)
}

fn start(lab: &Lab) -> Result<(Pki, Gatehouse<'_>)> {
    let pki = Pki::make(lab)?;
    for name in ["ca.pem", "ca.crl"] {
        fs::copy(pki.file(name), lab.dir().join(name))?;
    }
    Ok((pki, Gatehouse::start(lab, &configuration()?)?))
}

/// A certificate, and why it is refused; none: it is let in.
const TABLE: &[(&str, Option<&str>)] = &[
    ("alice", None),
    ("", Some("needs a client certificate, and none was shown")),
    (
        "bob",
        Some("the client certificate of \"bob\" has none of its `names`"),
    ),
    (
        "carol",
        Some("the client certificate of \"alice\" was revoked"),
    ),
    (
        "expired",
        Some("the client certificate of \"alice\" expired on 2025-02-01"),
    ),
    ("server", Some("was not made for clients (no clientAuth)")),
    (
        "stranger",
        Some("is not from a trusted authority, but from \"CN=Lab clients\""),
    ),
];

#[test]
fn who_shows_a_certificate_is_let_in_or_told_apart_over_both_https_and_both_tls() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let target = Nginx::start(lab, Place::Lan, &[TARGET])?;
        let (pki, gate) = start(lab)?;
        let root = gate.root()?;
        for (http, tls) in [
            ("--http1.1", "1.2"),
            ("--http1.1", "1.3"),
            ("--http2", "1.2"),
            ("--http2", "1.3"),
        ] {
            for (name, refused) in TABLE {
                let path = format!("/{name}{http}-{tls}");
                let request = Curl::new(&format!("{URL}{path}"))
                    .trusting(&root)
                    .with(&[http, "--tlsv1.2", "--tls-max", tls])
                    .header("X-Remote-User: root");
                let request = shows(request, &pki, name);
                let status = if refused.is_some() { 403 } else { 200 };
                request.expect(lab, Place::Internet, status)?;
                let Some(reason) = refused else {
                    let arrived = target.wait_for(&path)?;
                    let user = arrived
                        .last()
                        .context("waited for")?
                        .get("http_x_remote_user");
                    assert_eq!(user, "alice");
                    continue;
                };
                let told = |line: &str| line.contains(&path) && line.contains(reason);
                // The log has it a moment after the client has its answer.
                lab::wait_until(&format!("{path} {reason}"), || {
                    Ok(gate.ok(&["log"])?.lines().any(told))
                })?;
            }
        }
        let open = Curl::new(&format!("{URL}/open")).trusting(&root);
        open.expect(lab, Place::Internet, 200)?;
        let explained = gate.ok(&["explain", &format!("{URL}/page")])?;
        assert!(
            explained.contains("a client certificate is asked for, from ca.pem"),
            "{explained}"
        );
        Ok(())
    });
}

fn shows(request: Curl, pki: &Pki, name: &str) -> Curl {
    if name.is_empty() {
        return request;
    }
    let [certificate, key] = ["pem", "key"].map(|end| {
        let file = pki.file(&format!("{name}.{end}"));
        file.display().to_string()
    });
    request.with(&["--cert", &certificate, "--key", &key])
}

#[test]
fn a_file_that_holds_no_certificate_is_no_configuration() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_pki, gate) = start(lab)?;
        fs::write(lab.dir().join("ca.pem"), "nothing")?;
        let refused = gate.command(&["reload"])?;
        assert_ne!(refused.code, Some(0), "{refused:?}");
        assert!(
            refused.stderr.contains("ca.pem: holds no certificate"),
            "{refused:?}"
        );
        Ok(())
    });
}

#[test]
fn chromium_shows_its_certificate_for_a_page_and_a_websocket() {
    let needs = [
        &["nginx", "openssl", "python3-websockets", "pk12util"][..],
        &Browser::NEEDS,
    ]
    .concat();
    test(Site::innovaphone(), &needs, |lab| {
        let target = Nginx::start(lab, Place::Lan, &[TARGET])?;
        let echo = Echo::start(lab, Place::Lan, "127.0.0.1:7225", false)?;
        let (pki, gate) = start(lab)?;
        let browser = Browser::trusting(lab, Place::Internet, &gate.root()?)?;
        let browser = browser.showing(&pki.file("alice.p12"), "lab", URL)?;
        let socket = "wss://hq.dvl-ckl2.net/ws";
        let seen = browser.talk("78.54.23.241", &format!("{URL}/page"), socket, "wörds")?;
        assert_eq!(seen["status"], 200, "{seen}");
        assert_eq!(seen["echo"], "wörds", "{seen}");
        // Post-quantum, as Chromium understands it.
        assert_eq!(seen["group"], "X25519MLKEM768", "{seen}");
        let page = target.wait_for("/page")?;
        assert_eq!(page[0].get("http_x_remote_user"), "alice");
        let handshake = &echo.handshakes()?[0]["headers"];
        assert_eq!(handshake["x-remote-user"], "alice", "{handshake}");
        Ok(())
    });
}

/// Findings that are not ours, each with its reason.
const EXEMPT: &[(&str, &str)] = &[(
    "engine_problem",
    "what the openssl beside testssl.sh can not do",
)];

/// testssl.sh takes its time: some minutes for what is looked at here.
const MINUTES: Duration = Duration::from_mins(8);

#[test]
fn testssl_has_no_finding_of_medium_or_above() {
    test(
        Site::innovaphone(),
        &["testssl", "nginx", "openssl"],
        |lab| {
            let _target = Nginx::start(lab, Place::Lan, &[TARGET])?;
            let (_pki, _gate) = start(lab)?;
            let report: PathBuf = report_file("testssl.json")?;
            if report.exists() {
                fs::remove_file(&report)?;
            }
            let file = report.display().to_string();
            // Protocols, ciphers by kind, forward secrecy, the server's preferences, known attacks.
            let command = [
                "testssl",
                "--quiet",
                "--color",
                "0",
                "--warnings",
                "off",
                "--nodns",
                "none",
                "--openssl-timeout",
                "10",
                "--ip",
                "78.54.23.241",
                "-p",
                "-s",
                "-f",
                "-P",
                "-U",
                "--jsonfile",
                &file,
                "https://apps.dvl-ckl2.net:443",
            ];
            let out = lab.run_within(MINUTES, Place::Internet, &command)?;
            fs::write(report.with_extension("txt"), &out.stdout)?;
            let text = fs::read_to_string(&report).with_context(|| format!("{out:?}"))?;
            let findings: Vec<Value> = serde_json::from_str(&text).with_context(|| text.clone())?;
            for proof in ["TLS1_3", "PFS", "cipher_order", "heartbleed", "ROBOT"] {
                let mut all = findings.iter();
                let found = all.find(|finding| finding["id"] == proof);
                let severity = found.map(|finding| &finding["severity"]);
                assert_eq!(severity.context(proof)?, "OK", "{text}");
            }
            let bad = findings.iter().filter(|finding| {
                let severity = finding["severity"].as_str().unwrap_or_default();
                let id = finding["id"].as_str().unwrap_or_default();
                matches!(severity, "MEDIUM" | "HIGH" | "CRITICAL" | "FATAL" | "WARN")
                    && !EXEMPT.iter().any(|(exempt, _)| *exempt == id)
            });
            let bad: Vec<_> = bad.collect();
            assert!(bad.is_empty(), "{bad:#?}");
            Ok(())
        },
    );
}

#[test]
fn sslscan_sees_nothing_old_or_weak() {
    test(
        Site::innovaphone(),
        &["sslscan", "nginx", "openssl"],
        |lab| {
            let _target = Nginx::start(lab, Place::Lan, &[TARGET])?;
            let (_pki, _gate) = start(lab)?;
            let report = report_file("sslscan.txt")?;
            let command = [
                "sslscan",
                "--no-colour",
                "--sni-name=apps.dvl-ckl2.net",
                "78.54.23.241:443",
            ];
            let out = lab
                .run_within(MINUTES, Place::Internet, &command)?
                .success()?;
            fs::write(&report, &out)?;
            for (protocol, state) in [
                ("SSLv2", "disabled"),
                ("SSLv3", "disabled"),
                ("TLSv1.0", "disabled"),
                ("TLSv1.1", "disabled"),
                ("TLSv1.2", "enabled"),
                ("TLSv1.3", "enabled"),
            ] {
                let line = out.lines().find(|line| line.starts_with(protocol));
                assert!(line.is_some_and(|line| line.ends_with(state)), "{out}");
            }
            let suites = out
                .lines()
                .filter(|line| line.starts_with("Preferred") || line.starts_with("Accepted"));
            for suite in suites {
                let strong = suite.contains("TLS_") || suite.contains("ECDHE-");
                let sealed = suite.contains("GCM") || suite.contains("POLY1305");
                assert!(strong && sealed, "{suite}");
            }
            for proof in ["TLSv1.2 not vulnerable", "TLSv1.3 not vulnerable"] {
                assert!(out.contains(proof), "{out}");
            }
            Ok(())
        },
    );
}
