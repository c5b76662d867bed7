//! `configs/estos-ucserver.toml`: one name, redirect to TLS, a page and a WebSocket in a real browser.

use lab::{Browser, Curl, Echo, Gatehouse, Nginx, Place, Site, contract, test};

#[test]
fn plain_http_is_redirected_to_the_public_port_with_path_and_query() {
    test(Site::one_server(), &["nginx", "curl"], |lab| {
        let target = Nginx::start(lab, Place::Lan, &["192.168.10.5:7224"])?;
        let gate = Gatehouse::start(lab, &contract("estos-ucserver")?)?;
        let url = "http://ucws.domain.com/start/page?x=1&y=%20";
        let answer = Curl::new(url).expect(lab, Place::Internet, 301)?;
        assert_eq!(
            answer.header("location"),
            "https://ucws.domain.com/start/page?x=1&y=%20"
        );
        let answer = Curl::new(url)
            .with(&["--data", "x"])
            .expect(lab, Place::Internet, 308)?;
        assert_eq!(
            answer.header("location"),
            "https://ucws.domain.com/start/page?x=1&y=%20"
        );
        let root = gate.root()?.display().to_string();
        let answer = Curl::new("https://ucws.domain.com/last").with(&["--cacert", &root]);
        assert_eq!(
            answer.expect(lab, Place::Internet, 200)?.body,
            "192.168.10.5:7224 /last\n"
        );
        assert_eq!(
            target.wait_for("/last")?.len(),
            1,
            "a redirect is not forwarded"
        );
        Ok(())
    });
}

#[test]
fn a_redirect_names_the_public_port_where_it_is_not_443() {
    test(Site::one_server(), &["curl"], |lab| {
        // A public CA would look at port 443, so that this needs another source of certificates.
        let text = contract("estos-ucserver")?
            .replace(
                "source = \"acme\"\nchallenge = \"tls-alpn-01\"",
                "source = \"own\"",
            )
            .replace(
                "[proxy]\n",
                "[site.public_ports]\nhttps = 4443\n\n[proxy]\n",
            );
        let _gate = Gatehouse::start(lab, &text)?;
        let answer = Curl::new("http://ucws.domain.com/x").expect(lab, Place::Internet, 301)?;
        assert_eq!(answer.header("location"), "https://ucws.domain.com:4443/x");
        Ok(())
    });
}

#[test]
fn chromium_is_redirected_and_talks_over_a_websocket() {
    let needs = [&["nginx", "python3-websockets"][..], &Browser::NEEDS].concat();
    test(Site::one_server(), &needs, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["192.168.10.5:7224"])?;
        let echo = Echo::start(lab, Place::Lan, "127.0.0.1:7225", false)?;
        let gate = Gatehouse::start(lab, &contract("estos-ucserver")?)?;
        let browser = Browser::trusting(lab, Place::Internet, &gate.root()?)?;
        let page = "http://ucws.domain.com/start";
        let seen = browser.talk(
            "203.0.113.20",
            page,
            "wss://ucws.domain.com/ws",
            "words and ünïcode",
        )?;
        assert_eq!(seen["url"], "https://ucws.domain.com/start", "{seen}");
        assert_eq!(seen["status"], 200, "{seen}");
        assert_eq!(seen["echo"], "words and ünïcode", "{seen}");
        assert_eq!(echo.handshakes()?[0]["headers"]["host"], "ucws.domain.com");
        assert_eq!(
            target
                .wait_for("/ws")?
                .iter()
                .filter(|request| request.get("uri") == "/ws")
                .count(),
            1
        );
        Ok(())
    });
}
