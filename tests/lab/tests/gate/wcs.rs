//! `configs/flashphoner-wcs.toml`: a WebSocket that must be one, the client's address for the target.

use anyhow::Result;
use lab::{Chat, Curl, Echo, Gatehouse, Lab, Nginx, Place, Site, contract, test};

const NEEDS: &[&str] = &["nginx", "openssl", "curl", "python3-websockets"];

/// The file without its access lists, which are served by an issue to come.
fn without_access() -> Result<String> {
    let text = contract("flashphoner-wcs")?;
    let (before, rest) = text.split_once("[access.wcs]").unwrap();
    let (_, after) = rest.split_once("[[host]]").unwrap();
    let lines = after.lines().filter(|line| !line.starts_with("access"));
    Ok(format!(
        "{before}[[host]]{}",
        lines.collect::<Vec<_>>().join("\n")
    ))
}

/// The server behind: pages from nginx, WebSockets from the echo server behind it.
fn server(lab: &Lab) -> Result<(Nginx, Echo)> {
    let echo = Echo::start(lab, Place::Lan, "127.0.0.1:7225", false)?;
    Ok((
        Nginx::start(lab, Place::Lan, &["192.168.10.20:8443 ssl"])?,
        echo,
    ))
}

#[test]
fn a_path_that_demands_a_websocket_lets_nothing_else_through() {
    test(Site::one_server(), NEEDS, |lab| {
        let (target, echo) = server(lab)?;
        let gate = Gatehouse::start(lab, &without_access()?)?;
        let root = gate.root()?;
        let get = Curl::new("https://wcs.yourdomain.com/wss")
            .with(&["--cacert", &root.display().to_string()]);
        get.expect(lab, Place::Internet, 403)?;
        let url = "wss://wcs.yourdomain.com/wss";
        let chat = Chat::open(lab, Place::Internet, url, "203.0.113.20:443", Some(&root))?;
        chat.close()?;
        let handshakes = echo.handshakes()?;
        let client = handshakes[0]["headers"]["x-client-ip"].as_str().unwrap();
        let (address, port) = client.rsplit_once(':').unwrap();
        assert_eq!(address, "203.0.113.1");
        assert!(port.parse::<u16>().is_ok(), "{client}");
        let page = Curl::new("https://wcs.yourdomain.com/page")
            .with(&["--cacert", &root.display().to_string()]);
        page.expect(lab, Place::Internet, 200)?;
        let arrived = target.wait_for("/page")?;
        assert!(
            arrived
                .iter()
                .all(|request| request.get("scheme") == "https"),
            "{arrived:?}"
        );
        assert_eq!(
            arrived.len(),
            2,
            "the refused request did not arrive: {arrived:?}"
        );
        Ok(())
    });
}

#[test]
fn a_client_can_not_set_the_address_header_itself() {
    test(Site::one_server(), NEEDS, |lab| {
        let (target, echo) = server(lab)?;
        let gate = Gatehouse::start(lab, &without_access()?)?;
        let root = gate.root()?.display().to_string();
        Curl::new("https://wcs.yourdomain.com/wss")
            .with(&["--cacert", &root, "--http1.1", "--max-time", "3"])
            .header("Connection: Upgrade")
            .header("Upgrade: websocket")
            .header("Sec-WebSocket-Version: 13")
            .header("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
            .header("X-Client-IP: 127.0.0.1:1")
            .expect(lab, Place::Internet, 101)?;
        let handshake = echo.handshakes()?.remove(0);
        let client = handshake["headers"]["x-client-ip"].as_str().unwrap();
        assert!(client.starts_with("203.0.113.1:"), "{handshake}");
        drop(target);
        Ok(())
    });
}

#[test]
fn access_lists_that_are_not_served_yet_let_nobody_in() {
    test(Site::one_server(), NEEDS, |lab| {
        let (target, _echo) = server(lab)?;
        let gate = Gatehouse::start(lab, &contract("flashphoner-wcs")?)?;
        let root = gate.root()?.display().to_string();
        for path in ["/", "/page", "/wss"] {
            let url = format!("https://wcs.yourdomain.com{path}");
            Curl::new(&url)
                .with(&["--cacert", &root])
                .expect(lab, Place::Internet, 403)?;
        }
        let said = gate.ok(&["log"])?;
        assert!(said.contains("not built yet"), "{said}");
        assert!(target.requests()?.is_empty());
        Ok(())
    });
}

#[test]
fn a_certificate_from_files_is_shown_once_its_key_is_in_the_store() {
    test(Site::one_server(), NEEDS, |lab| {
        let (_target, _echo) = server(lab)?;
        let (chain, key) = (
            lab.dir().join("wcs.yourdomain.com.crt"),
            lab.dir().join("wcs.key"),
        );
        let (chain, key) = (chain.display().to_string(), key.display().to_string());
        let name = "subjectAltName=DNS:wcs.yourdomain.com";
        let command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "9",
            "-subj",
            "/CN=bought",
            "-addext",
            name,
            "-keyout",
            &key,
            "-out",
            &chain,
        ];
        lab.run(Place::Gate, &command)?.success()?;
        let gate = Gatehouse::start(lab, &without_access()?)?;
        let page = Curl::new("https://wcs.yourdomain.com/page");
        let bought = page.with(&["--cacert", &chain]);
        assert_eq!(
            bought.run(lab, Place::Internet)?.exit,
            60,
            "the key is not the right one yet: the box's own CA stands in"
        );
        gate.ok_reading(&["secret", "set", "wcs-key"], std::path::Path::new(&key))?;
        gate.ok(&["reload"])?;
        bought.expect(lab, Place::Internet, 200)?;
        Ok(())
    });
}
