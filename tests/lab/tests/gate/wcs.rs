//! `configs/flashphoner-wcs.toml`: a WebSocket that must be one, the client's address for the target.

use anyhow::Result;
use lab::{Browser, Chat, Curl, Echo, Gatehouse, Lab, Nginx, Place, Site, contract, test};

const NEEDS: &[&str] = &["nginx", "openssl", "curl", "python3-websockets"];

/// The file without its access lists.
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
            .with(&["--cacert", &root, "--http1.1", "--max-time", "8"])
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

const PASSWORD: &str = "Zaunkönig: am Morgen";
const ORIGIN: &str = "Origin: https://wcs.yourdomain.com";

/// The contract file as it is, and a user for it.
fn gate_with_user(lab: &Lab) -> Result<Gatehouse<'_>> {
    let gate = Gatehouse::start(lab, &contract("flashphoner-wcs")?)?;
    let file = lab.dir().join("password");
    std::fs::write(&file, PASSWORD)?;
    gate.ok_reading(&["user", "add", "login"], &file)?;
    Ok(gate)
}

#[test]
fn user_and_password_open_the_pages_and_stay_with_us() {
    test(Site::one_server(), NEEDS, |lab| {
        let (target, _echo) = server(lab)?;
        let gate = gate_with_user(lab)?;
        let root = gate.root()?.display().to_string();
        let get = |path: &str, user: Option<&str>| {
            let curl = Curl::new(&format!("https://wcs.yourdomain.com{path}"));
            let curl = curl.with(&["--cacert", &root]);
            match user {
                Some(user) => curl.with(&["--user", user]),
                None => curl,
            }
        };
        let refused = get("/page", None).expect(lab, Place::Internet, 401)?;
        assert_eq!(
            refused.header("www-authenticate"),
            "Basic realm=\"Restricted Area\", charset=\"UTF-8\""
        );
        get("/page", Some("login:wrong")).expect(lab, Place::Internet, 401)?;
        get("/page", Some("nobody:wrong")).expect(lab, Place::Internet, 401)?;
        assert!(target.requests()?.is_empty());
        let right = format!("login:{PASSWORD}");
        for _ in 0..3 {
            get("/page", Some(&right)).expect(lab, Place::Internet, 200)?;
        }
        let arrived = target.wait_for("/page")?;
        assert_eq!(arrived.len(), 3, "{arrived:?}");
        let looks = gate.metric("gatehouse_proxy_passwords_checked_total")?;
        assert_eq!(looks, 3, "two wrong ones, and one for all three pages");
        let said = gate.ok(&["log"])?;
        for part in [
            "login-failed login at 203.0.113.1 by basic (staff): wrong user or password",
            "login-failed nobody at 203.0.113.1 by basic (staff): wrong user or password",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("Zaunkönig"), "{said}");
        // Without its password, the user is nobody.
        gate.ok(&["user", "remove", "login"])?;
        get("/page", Some(&right)).expect(lab, Place::Internet, 401)?;
        Ok(())
    });
}

#[test]
fn a_token_opens_the_websocket_from_the_right_page_until_it_is_revoked() {
    test(Site::one_server(), NEEDS, |lab| {
        let (_target, echo) = server(lab)?;
        let gate = gate_with_user(lab)?;
        let root = gate.root()?;
        let new =
            |expires: &str| gate.ok(&["token", "new", "--access", "wcs", "--expires", expires]);
        let token = new("1h")?.trim().to_owned();
        let open = |token: &str, origin: &str| {
            let cookie = format!("Cookie: theme=dark; AUTH={token}");
            let url = "wss://wcs.yourdomain.com/wss";
            let to = "203.0.113.20:443";
            Chat::open_with(
                lab,
                Place::Internet,
                url,
                to,
                Some(&root),
                &[&cookie, origin],
            )
        };
        let mut chat = open(&token, ORIGIN)?;
        assert!(open(&token, "Origin: https://evil.example").is_err());
        assert!(open("nonsense", ORIGIN).is_err());
        let short = new("3s")?;
        let mut brief = open(short.trim(), ORIGIN)?;
        assert!(chat.is_open()? && brief.is_open()?);
        let cookie = echo.handshakes()?[0]["headers"]["cookie"].to_string();
        assert_eq!(cookie, "\"theme=dark\"", "the token is ours");
        lab::wait_until("the token expires", || Ok(!brief.is_open()?))?;
        assert!(chat.is_open()?);
        let list = gate.json(&["token", "list"])?.to_string();
        assert!(!list.contains(&token), "{list}");
        let id = gate.json(&["token", "list", "--access", "wcs"])?[0]["id"].to_string();
        gate.ok(&["token", "revoke", &id])?;
        lab::wait_until("the token is revoked", || Ok(!chat.is_open()?))?;
        assert!(open(&token, ORIGIN).is_err());
        let said = gate.ok(&["log"])?;
        assert!(!said.contains(&token), "{said}");
        Ok(())
    });
}

#[test]
fn chromium_signs_in_with_the_password_of_an_address_and_with_a_cookie() {
    let needs = [NEEDS, &Browser::NEEDS].concat();
    test(Site::one_server(), &needs, |lab| {
        let (_target, echo) = server(lab)?;
        let gate = gate_with_user(lab)?;
        let browser = Browser::trusting(lab, Place::Internet, &gate.root()?)?;
        let with_password = |scheme: &str, path: &str| {
            format!("{scheme}://login:Zaunk%C3%B6nig%3A%20am%20Morgen@wcs.yourdomain.com{path}")
        };
        let (page, socket) = (
            with_password("https", "/page"),
            with_password("wss", "/wss"),
        );
        let seen = browser.talk("203.0.113.20", &page, &socket, "words")?;
        assert_eq!(
            (&seen["status"], &seen["echo"]),
            (&200.into(), &"words".into()),
            "{seen}"
        );
        let token = gate.ok(&["token", "new", "--access", "wcs"])?;
        let cookie = format!("AUTH={}", token.trim());
        let socket = "wss://wcs.yourdomain.com/wss";
        let seen = browser.talk_with_cookie("203.0.113.20", &page, socket, "words", &cookie)?;
        assert_eq!(
            (&seen["status"], &seen["echo"]),
            (&200.into(), &"words".into()),
            "{seen}"
        );
        assert_eq!(echo.handshakes()?.len(), 2);
        // Browsers ask without a password first: nobody is suspicious for it.
        assert_eq!(gate.json(&["bans"])?, serde_json::json!([]));
        let said = gate.ok(&["log"])?;
        assert!(!said.contains("login-failed"), "{said}");
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
