//! `configs/interwise.toml`: hosts that are decrypted and one that is not, on the same port.

use anyhow::Result;
use lab::{Curl, Gatehouse, Lab, Nginx, Place, Site, contract, test};

const NEEDS: &[&str] = &["nginx", "openssl", "curl"];

/// The file without its access lists, which are served by an issue to come, and with what is passed on in
/// the log.
fn without_access() -> Result<String> {
    let text = contract("interwise")?;
    let lines = text.lines().filter(|line| !line.starts_with("access = "));
    let text = lines.collect::<Vec<_>>().join("\n");
    Ok(text.replace("[proxy]\n", "[proxy]\nlog_forwarded = [\"http\"]\n"))
}

/// The web server, and the one whose TLS is its own.
fn servers(lab: &Lab) -> Result<(Nginx, Nginx)> {
    let web = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
    Ok((web, Nginx::start(lab, Place::Lan, &["10.0.0.21:443 ssl"])?))
}

#[test]
fn one_port_serves_hosts_that_are_decrypted_and_one_that_is_not() {
    test(Site::interwise(), NEEDS, |lab| {
        let (web, tunnel) = servers(lab)?;
        let gate = Gatehouse::start(lab, &without_access()?)?;
        let root = gate.root()?;
        let decrypted = Curl::new("https://icc.example.com/page").trusting(&root);
        let page = decrypted.expect(lab, Place::Internet, 200)?;
        assert!(page.body.contains("10.0.0.20:80"), "{}", page.body);
        let seen = web.wait_for("/page")?;
        assert_eq!(seen[0].get("http_x_forwarded_for"), "198.51.100.1");

        // By name on the shared address, with the target's own certificate.
        let passed = Curl::new("https://ics.example.com/live");
        let refused = passed.run(lab, Place::Internet)?;
        assert_eq!(refused.exit, 60, "the target's certificate is self-signed");
        let passed = passed.with(&["--insecure"]);
        let live = passed.expect(lab, Place::Internet, 200)?;
        assert!(live.body.contains("10.0.0.21:443"), "{}", live.body);
        let seen = tunnel.wait_for("/live")?;
        assert_eq!(seen[0].get("http_x_forwarded_for"), "", "nothing is added");
        Ok(())
    });
}

#[test]
fn an_address_of_its_own_takes_its_host_and_hellos_without_a_name_and_nothing_else() {
    test(Site::interwise(), NEEDS, |lab| {
        let (web, tunnel) = servers(lab)?;
        let gate = Gatehouse::start(lab, &without_access()?)?;
        let root = gate.root()?;
        let insecure = |url: &str| Curl::new(url).with(&["--insecure"]);
        insecure("https://192.0.2.11/nameless").expect(lab, Place::Internet, 200)?;
        let named = insecure("https://ics.example.com/named").at("192.0.2.11");
        named.expect(lab, Place::Internet, 200)?;
        let other = Curl::new("https://icc.example.com/other").trusting(&root);
        let refused = other.at("192.0.2.11").run(lab, Place::Internet)?;
        assert_eq!((refused.status, refused.exit), (0, 35), "{}", refused.head);
        tunnel.wait_for("/nameless")?;
        tunnel.wait_for("/named")?;
        assert!(web.requests()?.is_empty());
        let log = gate.ok(&["log"])?;
        let told = |words: &[&str]| {
            log.lines()
                .any(|line| words.iter().all(|word| line.contains(word)))
        };
        assert!(told(&["TLS passthrough", "10.0.0.21:443"]), "{log}");
        assert!(told(&["for \"ics.example.com\" alone"]), "{log}");
        let explained = gate.ok(&["explain", "https://ics.example.com/any"])?;
        assert!(explained.contains("tls://10.0.0.21:443"), "{explained}");
        let status = gate.ok(&["status"])?;
        assert!(status.contains("192.0.2.11:443"), "{status}");
        assert!(!status.contains("tls_passthrough"), "{status}");
        Ok(())
    });
}
