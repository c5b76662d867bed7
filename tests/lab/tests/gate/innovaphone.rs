//! The web hosts of `configs/innovaphone.toml`, with every path of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use lab::{Curl, Gatehouse, Lab, Nginx, Place, Site, contract, test};

const NEEDS: &[&str] = &["nginx", "openssl", "curl"];

/// The paths that both PBXs publish.
const PATHS: &[&str] = &[
    "/PBX0/APPCLIENT/appclient.htm",
    "/PBX0/APPS",
    "/PBX0/session",
    "/PBX0/user.soap",
    "/PBX0/ADMIN",
    "/OAUTH2/oauth2_login",
];

/// Hosts that publish [`PATHS`], and where they are.
const PBXS: &[(&str, &str)] = &[
    ("hq.dvl-ckl2.net", "172.31.31.2"),
    ("branch-b.dvl-ckl2.net", "172.31.31.3"),
];

/// Paths that are none of [`PATHS`], though some are close.
const REFUSED: &[&str] = &[
    "/",
    "/PBX0",
    "/PBX0/",
    "/PBX0/APP",
    "/PBX0/ADMI",
    "/pbx0/ADMIN",
    "/PBX0/APPCLIENT/",
    "/PBX1/APPS",
    "/OAUTH2/",
    "//PBX0/APPS",
    "/x/PBX0/APPS",
    "/?/PBX0/APPS",
];

/// One nginx in the place of both PBXs and of the application platform.
fn servers(lab: &Lab) -> Result<Nginx> {
    let addresses = [
        "172.31.31.2:80",
        "172.31.31.2:443 ssl",
        "172.31.31.3:80",
        "172.31.31.3:443 ssl",
        "172.31.31.12:80",
        "172.31.31.12:443 ssl",
    ];
    Nginx::start(lab, Place::Lan, &addresses)
}

/// The servers, the box of the contract before them, and its root certificate.
fn site(lab: &Lab) -> Result<(Nginx, Gatehouse<'_>, PathBuf)> {
    let target = servers(lab)?;
    let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
    let root = gate.root()?;
    Ok((target, gate, root))
}

/// A last request that is right arrives, and no other did before.
fn nothing_else_arrived(lab: &Lab, target: &Nginx) -> Result<()> {
    Curl::new("http://apps.dvl-ckl2.net/last").expect(lab, Place::Internet, 200)?;
    let last = BTreeSet::from(["172.31.31.12:80 /last".to_owned()]);
    assert_eq!(places(target, "/last")?, last);
    Ok(())
}

fn places(target: &Nginx, last: &str) -> Result<BTreeSet<String>> {
    Ok(target
        .wait_for(last)?
        .iter()
        .map(lab::Request::place)
        .collect())
}

#[test]
fn every_path_of_the_contract_arrives_at_its_pbx_over_plain_and_tls() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (target, _gate, root) = site(lab)?;
        let mut wanted = BTreeSet::new();
        for (host, pbx) in PBXS {
            for path in PATHS {
                // A head match: what follows the path of the file is the target's business.
                for path in [
                    (*path).to_owned(),
                    format!("{path}/deeper?query=/x"),
                    format!("{path}.more"),
                ] {
                    let tls = format!("https://{host}{path}");
                    let answer =
                        Curl::new(&tls)
                            .trusting(&root)
                            .expect(lab, Place::Internet, 200)?;
                    assert_eq!(answer.body, format!("{pbx}:443 {path}\n"));
                    Curl::new(&format!("http://{host}{path}")).expect(lab, Place::Internet, 200)?;
                    wanted.insert(format!("{pbx}:443 {path}"));
                    wanted.insert(format!("{pbx}:80 {path}"));
                }
            }
        }
        Curl::new("http://apps.dvl-ckl2.net/last").expect(lab, Place::Internet, 200)?;
        wanted.insert("172.31.31.12:80 /last".to_owned());
        assert_eq!(places(&target, "/last")?, wanted);
        Ok(())
    });
}

#[test]
fn every_path_arrives_at_the_application_platform() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (target, _gate, root) = site(lab)?;
        for path in ["/", "/any/path/at/all/", "/?query", "/PBX0/APPS"] {
            let url = format!("https://apps.dvl-ckl2.net{path}");
            let answer = Curl::new(&url)
                .trusting(&root)
                .expect(lab, Place::Internet, 200)?;
            assert_eq!(answer.body, format!("172.31.31.12:443 {path}\n"));
        }
        assert_eq!(target.wait_for("/PBX0/APPS")?.len(), 4);
        Ok(())
    });
}

#[test]
fn every_other_path_is_refused_and_never_reaches_a_target() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (target, _gate, root) = site(lab)?;
        for (host, _) in PBXS {
            for path in REFUSED {
                // Each host from an address of its own: 20 refused requests of one address are a ban.
                let client = if *host == PBXS[0].0 {
                    "78.54.23.11"
                } else {
                    "78.54.23.12"
                };
                let request = Curl::new(&format!("https://{host}{path}")).trusting(&root);
                let answer = request.from(client).run(lab, Place::Internet)?;
                assert!(
                    [400, 404].contains(&answer.status),
                    "{host}{path}: {answer:?}"
                );
                assert!(!answer.body.contains("172.31.31"), "{answer:?}");
            }
        }
        nothing_else_arrived(lab, &target)
    });
}

#[test]
fn names_that_are_no_web_host_are_refused() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (target, _gate, _) = site(lab)?;
        // The bare domain is a host for SIP, LDAP and H.323, not for HTTP; the address is no name at all.
        for name in [
            "elsewhere.example",
            "nobody.dvl-ckl2.net",
            "dvl-ckl2.net",
            "78.54.23.241",
        ] {
            Curl::new(&format!("http://{name}/PBX0/APPS")).expect(lab, Place::Internet, 404)?;
            let tls = Curl::new(&format!("https://{name}/PBX0/APPS")).with(&["--insecure"]);
            let answer = tls.run(lab, Place::Internet)?;
            assert!(
                answer.status == 404 || answer.exit == 35,
                "{name}: {answer:?}"
            );
        }
        nothing_else_arrived(lab, &target)
    });
}

#[test]
fn the_target_is_told_who_asks_and_nothing_that_the_client_made_up() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (target, _gate, root) = site(lab)?;
        Curl::new("https://hq.dvl-ckl2.net/PBX0/APPS")
            .trusting(&root)
            // What Connection names is of HTTP/1 alone.
            .with(&["--http1.1"])
            .from("78.54.23.12")
            .header("X-Forwarded-For: 172.31.31.1")
            .header("X-Forwarded-Proto: gopher")
            .header("X-Forwarded-Host: made.up")
            .header("X-Real-IP: 172.31.31.1")
            .header("Forwarded: for=172.31.31.1")
            .header("Connection: x-test")
            .header("X-Test: only for the next hop")
            .header("Cookie: kept=1")
            .expect(lab, Place::Internet, 200)?;
        let request = target.wait_for("/PBX0/APPS")?.remove(0);
        assert_eq!(request.get("http_host"), "hq.dvl-ckl2.net");
        assert_eq!(request.get("http_x_real_ip"), "78.54.23.12");
        assert_eq!(request.get("http_x_forwarded_for"), "78.54.23.12");
        assert_eq!(request.get("http_x_forwarded_proto"), "https");
        assert_eq!(request.get("http_x_forwarded_host"), "hq.dvl-ckl2.net");
        assert_eq!(request.get("http_forwarded"), "");
        assert_eq!(request.get("http_x_test"), "");
        assert_eq!(request.get("http_cookie"), "kept=1");
        Ok(())
    });
}

#[test]
fn a_header_that_a_target_could_take_for_one_of_ours_is_refused() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (target, _gate, _) = site(lab)?;
        for twin in ["X_Real_IP: 172.31.31.1", "X_Forwarded-For: 172.31.31.1"] {
            let request = Curl::new("http://hq.dvl-ckl2.net/PBX0/APPS").header(twin);
            request.expect(lab, Place::Internet, 400)?;
        }
        nothing_else_arrived(lab, &target)
    });
}

#[test]
fn clients_reach_it_over_ipv6_as_well() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (target, _gate, root) = site(lab)?;
        let tls = Curl::new("https://hq.dvl-ckl2.net:453/PBX0/APPS").trusting(&root);
        tls.at("2001:db8:31::4").expect(lab, Place::Internet, 200)?;
        let plain = Curl::new("http://hq.dvl-ckl2.net:90/PBX0/session").at("2001:db8:31::4");
        plain.expect(lab, Place::Internet, 200)?;
        let requests = target.wait_for("/PBX0/session")?;
        assert!(
            requests
                .iter()
                .all(|request| request.get("http_x_real_ip") == "2001:db8:f::1"),
            "{requests:?}"
        );
        Ok(())
    });
}

#[test]
fn only_ports_of_services_that_are_served_are_open() {
    test(Site::innovaphone(), &["ss"], |lab| {
        let _gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let lines = lab.run(Place::Gate, &["ss", "-Hltn"])?.success()?;
        let port = |line: &str| {
            line.split_whitespace()
                .nth(3)
                .and_then(|at| at.rsplit(':').next())
                .map(str::to_owned)
        };
        let ports: BTreeSet<String> = lines.lines().filter_map(port).collect();
        let served = [
            "90", "453", "5070", "5071", "399", "646", "1730", "1310", "8443",
        ];
        assert_eq!(ports, served.map(str::to_owned).into(), "{lines}");
        Ok(())
    });
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_nothing_older() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let root = gate.root()?.display().to_string();
        let handshake = |version: &str| {
            let name = "hq.dvl-ckl2.net";
            let to = format!("{name}:443");
            let command = [
                "openssl",
                "s_client",
                "-connect",
                &to,
                "-servername",
                name,
                "-CAfile",
                &root,
                version,
            ];
            lab.run(
                Place::Internet,
                &[
                    &command[..],
                    &["-verify_return_error", "-verify_hostname", name],
                ]
                .concat(),
            )
        };
        for (flag, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let said = handshake(flag)?.success()?;
            assert!(
                said.contains(name) && said.contains("Verify return code: 0 (ok)"),
                "{said}"
            );
        }
        let old = handshake("-tls1_1")?;
        assert_ne!(old.code, Some(0), "{}", old.stdout);
        Ok(())
    });
}
