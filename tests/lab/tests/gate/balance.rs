//! Several targets that stand in for each other, and load balancers on both sides.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;
use lab::{Curl, Gatehouse, Lab, Nginx, Place, Process, Site, test, wait_until};

use crate::rules::with_rules;

const URL: &str = "http://hq.dvl-ckl2.net/page";
const ONE: &str = "172.31.31.2:80";
const OTHER: &str = "172.31.31.3:80";

fn two(lines: &str) -> Result<String> {
    with_rules(&format!(
        "[[host.http]]\ntarget = [\"http://{ONE}\", \"http://{OTHER}\"]\n{lines}"
    ))
}

/// Whose page comes.
fn served_by(lab: &Lab) -> Result<String> {
    let page = Curl::new(URL).expect(lab, Place::Internet, 200)?.body;
    Ok(page.split(' ').next().unwrap_or_default().to_owned())
}

#[test]
fn a_target_goes_and_comes_back_and_no_request_is_lost() {
    test(Site::innovaphone(), &["nginx", "curl"], |lab| {
        let one = Nginx::start(lab, Place::Lan, &[ONE])?;
        let _other = Nginx::start(lab, Place::Lan, &[OTHER])?;
        let health = "health = { path = \"/health\", every = \"200ms\" }";
        let gate = Gatehouse::start(lab, &two(health)?)?;
        one.wait_for("/health")?;
        assert_eq!(served_by(lab)?, ONE);
        one.stop();
        for _ in 0..20 {
            assert_eq!(served_by(lab)?, OTHER);
        }
        let told = format!("target {ONE} is not well");
        assert!(gate.ok(&["log"])?.contains(&told), "{told}");
        let series = format!(
            "gatehouse_proxy_target_well{{target=\"{ONE}\",asked=\"hq.dvl-ckl2.net/health\"}}"
        );
        assert_eq!(gate.metric(&series)?, 0);
        let one = Nginx::start(lab, Place::Lan, &[ONE])?;
        one.wait_for("/health")?;
        wait_until("the first to be asked again", || Ok(served_by(lab)? == ONE))?;
        assert_eq!(gate.metric(&series)?, 1);
        let explained = gate.ok(&["explain", URL])?;
        assert!(explained.contains(OTHER), "{explained}");
        Ok(())
    });
}

#[test]
fn targets_are_told_the_client_by_a_proxy_header() {
    test(Site::innovaphone(), &["nginx", "curl", "openssl"], |lab| {
        let addresses = [
            "172.31.31.2:80 proxy_protocol",
            "172.31.31.2:443 ssl proxy_protocol",
        ];
        let target = Nginx::start(lab, Place::Lan, &addresses)?;
        for version in ["v1", "v2"] {
            let rule = format!(
                "[[host.http]]\ntarget = \"172.31.31.2\"\ntarget_proxy_protocol = \"{version}\""
            );
            let gate = Gatehouse::start(lab, &with_rules(&rule)?)?;
            let root = gate.root()?;
            for scheme in ["http", "https"] {
                let path = format!("/{scheme}/{version}");
                let asked = Curl::new(&format!("{scheme}://hq.dvl-ckl2.net{path}"));
                let asked = asked.trusting(&root).from("78.54.23.11");
                asked.expect(lab, Place::Internet, 200)?;
                let seen = target.wait_for(&path)?;
                let seen = seen
                    .last()
                    .map(|request| request.get("proxy_protocol_addr"));
                assert_eq!(seen, Some("78.54.23.11"), "{path}");
            }
        }
        Ok(())
    });
}

/// One in front of the box, with a port for each version of the PROXY header.
fn start_haproxy(lab: &Lab) -> Result<Process> {
    let file = lab.dir().join("haproxy.cfg");
    let mut text = "global\n  maxconn 256\n  nbthread 1\ndefaults\n  mode tcp\n  \
        timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n"
        .to_owned();
    for (port, send) in [(8443, "send-proxy"), (8444, "send-proxy-v2")] {
        let _ = write!(
            text,
            "listen {send}\n  bind 172.31.31.12:{port}\n  source 172.31.31.12\n  \
             server gate 172.31.31.4:453 {send} check-send-proxy check inter 300ms\n"
        );
    }
    fs::write(&file, text)?;
    let file = file.display().to_string();
    let process = lab.spawn(Place::Lan, "haproxy", &["haproxy", "-db", "-f", &file])?;
    lab.wait_for_port(Place::Lan, "172.31.31.12:8443")?;
    lab.wait_for_port(Place::Lan, "172.31.31.12:8444")?;
    Ok(process)
}

#[test]
fn a_load_balancer_in_front_says_who_comes() {
    test(Site::innovaphone(), &["nginx", "curl", "haproxy"], |lab| {
        let target = Nginx::start(lab, Place::Lan, &[ONE])?;
        let text = with_rules(&format!("[[host.http]]\ntarget = \"http://{ONE}\""))?;
        let from = "[proxy]\nproxy_protocol_from = [\"172.31.31.12\"]\n";
        let gate = Gatehouse::start(lab, &text.replace("[proxy]\n", from))?;
        let root = gate.root()?;
        let _haproxy = start_haproxy(lab)?;
        for port in [8443, 8444] {
            let url = format!("https://hq.dvl-ckl2.net:{port}/by/{port}");
            let asked = Curl::new(&url).trusting(&root);
            let asked = asked.from("172.31.31.3").at("172.31.31.12");
            asked.expect(lab, Place::Lan, 200)?;
            let seen = target.wait_for(&format!("/by/{port}"))?;
            let seen = seen
                .last()
                .map(|request| request.get("http_x_forwarded_for"));
            assert_eq!(seen, Some("172.31.31.3"));
        }
        // Who comes past it is known as ever.
        Curl::new(URL).expect(lab, Place::Internet, 200)?;
        let seen = target.wait_for("/page")?;
        let seen = seen
            .last()
            .map(|request| request.get("http_x_forwarded_for"));
        assert_eq!(seen, Some("78.54.23.1"));
        // Who comes from there and says nothing is not served.
        let bare = Curl::new("http://hq.dvl-ckl2.net:90/bare");
        let bare = bare.from("172.31.31.12").at("172.31.31.4");
        let bare = bare.run(lab, Place::Lan)?;
        assert_eq!(bare.status, 0, "{}", bare.head);
        let log = gate.ok(&["log"])?;
        assert!(
            log.contains("proxy_protocol_from names this address"),
            "{log}"
        );
        assert!(gate.ok(&["bans"])?.is_empty() || !gate.ok(&["bans"])?.contains("172.31"));
        Ok(())
    });
}
