//! Targets that are down, silent, rude or wrong.

use anyhow::Result;
use lab::{Curl, Gatehouse, Lab, Nginx, Place, Recorder, Site, contract, test};

use crate::rules::with_rules;

const URL: &str = "http://hq.dvl-ckl2.net/PBX0/APPS";

/// The page says nothing of the inside; the log says everything.
fn assert_told_apart(lab: &Lab, gate: &Gatehouse<'_>, url: &str, status: u16) -> Result<()> {
    let answer = Curl::new(url).expect(lab, Place::Internet, status)?;
    assert!(!answer.body.contains("172.31"), "{answer:?}");
    assert!(!answer.head.contains("172.31"), "{answer:?}");
    let log = gate.ok(&["log"])?;
    assert!(log.contains("172.31.31.2:80"), "{log}");
    Ok(())
}

#[test]
fn a_target_that_is_down_is_502_and_served_again_when_it_is_back() {
    test(Site::innovaphone(), &["nginx", "curl"], |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        assert_told_apart(lab, &gate, URL, 502)?;
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        Curl::new(URL).expect(lab, Place::Internet, 200)?;
        target.stop();
        Curl::new(URL).expect(lab, Place::Internet, 502)?;
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        Curl::new(URL).expect(lab, Place::Internet, 200)?;
        Ok(())
    });
}

#[test]
fn a_target_that_is_down_gets_no_client_banned() {
    test(Site::innovaphone(), &["curl"], |lab| {
        let _gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        for _ in 0..30 {
            Curl::new(URL).expect(lab, Place::Internet, 502)?;
        }
        Ok(())
    });
}

#[test]
fn a_target_that_asks_who_we_are_sees_the_certificate_of_the_box() {
    test(Site::innovaphone(), &["nginx", "curl", "openssl"], |lab| {
        let rule = "[[host.http]]\ntarget = \"172.31.31.2\"\ntls_port = 443";
        let gate = Gatehouse::start(lab, &with_rules(rule)?)?;
        let root = gate.root()?;
        let addresses = ["172.31.31.2:443 ssl"];
        let target = Nginx::start_asking(lab, Place::Lan, &addresses, &root)?;
        let url = "https://hq.dvl-ckl2.net/who";
        Curl::new(url)
            .trusting(&root)
            .expect(lab, Place::Internet, 200)?;
        let seen = target.wait_for("/who")?;
        assert_eq!(seen[0].get("ssl_client_s_dn"), "CN=gate-hq");
        let explained = gate.ok(&["explain", url])?;
        let told = "our certificate, if it asks for one: gate-hq, from the box's own CA";
        assert!(explained.contains(told), "{explained}");
        Ok(())
    });
}

#[test]
fn a_silent_target_is_504() {
    test(Site::innovaphone(), &["curl"], |lab| {
        let target = Recorder::answering(lab, Place::Lan, "172.31.31.2:80", "")?;
        let rule = "[[host.http]]\ntarget = \"http://172.31.31.2\"\nidle_timeout = \"2s\"";
        let gate = Gatehouse::start(lab, &with_rules(rule)?)?;
        assert_told_apart(lab, &gate, URL, 504)?;
        assert!(
            target.received().starts_with("GET /PBX0/APPS HTTP/1.1\r\n"),
            "{}",
            target.received()
        );
        Ok(())
    });
}

#[test]
fn an_answer_that_two_clients_could_read_differently_is_502() {
    let answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
        "no HTTP at all\r\n\r\n",
    ];
    for answer in answers {
        test(Site::innovaphone(), &["curl"], |lab| {
            let _target = Recorder::answering(lab, Place::Lan, "172.31.31.2:80", answer)?;
            let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
            assert_told_apart(lab, &gate, URL, 502)
        });
    }
}

#[test]
fn header_names_keep_their_case_and_order() {
    test(Site::innovaphone(), &["curl"], |lab| {
        let target = Recorder::start(lab, Place::Lan, "172.31.31.2:80")?;
        let _gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let request = Curl::new(URL)
            .header("X-UPPER: 1")
            .header("x-lower: 2")
            .header("X-MiXed: 3");
        request.expect(lab, Place::Internet, 200)?;
        let received = target.received();
        assert!(
            received.contains("\r\nX-UPPER: 1\r\nx-lower: 2\r\nX-MiXed: 3\r\n"),
            "{received}"
        );
        Ok(())
    });
}

#[test]
fn connections_to_a_target_are_used_again() {
    test(Site::innovaphone(), &["nginx", "curl", "ss"], |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let _gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        for _ in 0..20 {
            Curl::new(URL).expect(lab, Place::Internet, 200)?;
        }
        assert_eq!(target.wait_for("/PBX0/APPS")?.len(), 20);
        let open = lab
            .run(
                Place::Gate,
                &["ss", "-Htn", "state", "all", "dst", "172.31.31.2:80"],
            )?
            .success()?;
        // One for each worker, at most; closed ones would linger here in TIME-WAIT.
        let cores = std::thread::available_parallelism()?.get();
        assert!(open.lines().count() <= cores, "{open}");
        Ok(())
    });
}
