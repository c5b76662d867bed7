//! Messages that two servers could read differently: none of them passes.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result};
use lab::{Gatehouse, Lab, Place, Recorder, Site, contract, rows, test};

const GATE: &str = "78.54.23.241:80";
const TARGET: &str = "172.31.31.2:80";
const GOOD: &[u8] = b"GET /good HTTP/1.1\r\nHost: hq.example\r\nConnection: close\r\n\r\n";

/// A host that lets every path through, and clients that are never banned.
fn configuration() -> Result<String> {
    let text = contract("innovaphone")?.replace(
        "[\"172.31.31.0/24\"]",
        "[\"172.31.31.0/24\", \"78.54.23.0/24\"]",
    );
    let (before, after) = text.split_once("# --- master PBX").unwrap();
    let host = "[[host]]\nname = \"hq.example\"\n[[host.http]]\ntarget = \"http://172.31.31.2\"\nidle_timeout = \"5s\"\n\n";
    Ok(format!("{before}{host}# --- master PBX{after}"))
}

/// Sends bytes and returns everything that comes back until the connection is closed.
fn exchange(lab: &Lab, bytes: &[u8]) -> Result<String> {
    let mut stream = lab.connect(Place::Internet, GATE)?;
    // A refusal may close the connection before all is written.
    stream.write_all(bytes).ok();
    read_to_end(&mut stream)
}

fn read_to_end(stream: &mut TcpStream) -> Result<String> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error).context("the connection stays open"),
        }
    }
    Ok(String::from_utf8_lossy(&all).into_owned())
}

#[test]
fn no_malformed_request_reaches_a_target() {
    test(Site::innovaphone(), &[], |lab| {
        let target = Recorder::start(lab, Place::Lan, TARGET)?;
        let _gate = Gatehouse::start(lab, &configuration()?)?;
        let mut wrong = Vec::new();
        let rows = rows("malformed")?;
        for row in rows.iter().filter(|row| row.kind == "request") {
            let answer = exchange(lab, &row.bytes).with_context(|| row.name.clone())?;
            let arrived = target.take();
            let is = |status: &str| answer.starts_with(&format!("HTTP/1.1 {status}"));
            // 408 would mean that it waited for the end of what can not become right any more.
            let refused = answer.is_empty() || is("4") && !is("408") || is("5");
            if !arrived.is_empty() || !refused {
                wrong.push(format!(
                    "{}: answered {answer:?}, arrived {arrived:?}",
                    row.name
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let answer = exchange(lab, GOOD)?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(target.take().starts_with("GET /good HTTP/1.1\r\n"));
        Ok(())
    });
}

#[test]
fn no_malformed_body_reaches_a_target_as_a_whole() {
    test(Site::innovaphone(), &[], |lab| {
        let target = Recorder::start(lab, Place::Lan, TARGET)?;
        let _gate = Gatehouse::start(lab, &configuration()?)?;
        let head = b"POST /body HTTP/1.1\r\nHost: hq.example\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut wrong = Vec::new();
        let rows = rows("malformed")?;
        for row in rows.iter().filter(|row| row.kind == "body") {
            exchange(lab, &[head, row.bytes.as_slice()].concat())
                .with_context(|| row.name.clone())?;
            let arrived = target.take();
            let requests = arrived.matches(" HTTP/1.1\r\n").count();
            if requests > 1 || arrived.ends_with("0\r\n\r\n") {
                wrong.push(format!("{}: arrived {arrived:?}", row.name));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}

#[test]
fn no_malformed_answer_reaches_a_client() {
    test(Site::innovaphone(), &[], |lab| {
        let target = Recorder::start(lab, Place::Lan, TARGET)?;
        let _gate = Gatehouse::start(lab, &configuration()?)?;
        let mut wrong = Vec::new();
        let rows = rows("malformed")?;
        for row in rows.iter().filter(|row| row.kind == "response") {
            target.answer(&row.bytes);
            let answer = exchange(lab, GOOD).with_context(|| row.name.clone())?;
            if !answer.starts_with("HTTP/1.1 502") {
                wrong.push(format!("{}: {answer:?}", row.name));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}

#[test]
fn no_malformed_body_of_an_answer_reaches_a_client_as_a_whole() {
    test(Site::innovaphone(), &[], |lab| {
        let target = Recorder::start(lab, Place::Lan, TARGET)?;
        let _gate = Gatehouse::start(lab, &configuration()?)?;
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut wrong = Vec::new();
        let rows = rows("malformed")?;
        for row in rows.iter().filter(|row| row.kind == "body") {
            target.answer(&[head, row.bytes.as_slice()].concat());
            let answer = exchange(lab, GOOD).with_context(|| row.name.clone())?;
            if answer.ends_with("0\r\n\r\n") || answer.matches("HTTP/1.1 ").count() > 1 {
                wrong.push(format!("{}: {answer:?}", row.name));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}

#[test]
fn a_second_request_on_the_connection_goes_through_all_rules() {
    test(Site::innovaphone(), &[], |lab| {
        let target = Recorder::start(lab, Place::Lan, TARGET)?;
        let _gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let good = "GET /PBX0/APPS HTTP/1.1\r\nHost: hq.dvl-ckl2.net\r\n\r\n";
        let bad = "GET /PBX0/SECRET HTTP/1.1\r\nHost: hq.dvl-ckl2.net\r\n\r\n";
        let answer = exchange(lab, [good, good, bad, good].concat().as_bytes())?;
        let statuses: Vec<&str> = answer
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|rest| &rest[..3])
            .collect();
        assert_eq!(
            statuses,
            ["200", "200", "404"],
            "the connection ends at the refused one: {answer}"
        );
        assert_eq!(target.take().matches("GET ").count(), 2);
        Ok(())
    });
}
