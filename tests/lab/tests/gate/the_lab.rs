//! The lab itself, without the box: what the other tests stand on.

use lab::{
    Accounts, AddressBook, Browser, Chat, Curl, Echo, Lab, Nginx, Pebble, Place, Recorder, Site,
    test,
};
use std::fs;

#[test]
fn the_router_forwards_public_ports_and_keeps_the_clients_address() {
    test(Site::innovaphone(), &["nginx", "curl"], |lab| {
        let target = Nginx::start(lab, Place::Gate, &["172.31.31.4:90"])?;
        let answer = Curl::new("http://78.54.23.241/hello")
            .from("78.54.23.11")
            .expect(lab, Place::Internet, 200)?;
        assert_eq!(answer.body, "172.31.31.4:90 /hello\n");
        let requests = target.wait_for("/hello")?;
        assert_eq!(requests[0].get("http_host"), "78.54.23.241");
        Ok(())
    });
}

#[test]
fn a_recorder_keeps_every_byte_it_receives() {
    test(Site::innovaphone(), &["curl"], |lab| {
        let target = Recorder::start(lab, Place::Lan, "172.31.31.2:80")?;
        Curl::new("http://172.31.31.2/x")
            .header("X-CaSe: Kept")
            .expect(lab, Place::Gate, 200)?;
        assert!(
            target.received().contains("\r\nX-CaSe: Kept\r\n"),
            "{}",
            target.received()
        );
        Ok(())
    });
}

#[test]
fn the_websocket_peers_talk_to_each_other() {
    test(
        Site::one_server(),
        &["openssl", "python3-websockets"],
        |lab| {
            let echo = Echo::start(lab, Place::Lan, "192.168.10.20:8443", false)?;
            let mut chat = Chat::open(
                lab,
                Place::Gate,
                "ws://wcs.test/wss",
                "192.168.10.20:8443",
                None,
            )?;
            assert!(chat.is_open()?);
            std::thread::sleep(std::time::Duration::from_millis(300));
            assert!(chat.close()? > 0);
            assert_eq!(echo.handshakes()?[0]["path"], "/wss");
            Ok(())
        },
    );
}

#[test]
fn chromium_trusts_only_the_root_it_was_given() {
    let mut needs = vec!["nginx", "openssl", "python3-websockets"];
    needs.extend(Browser::NEEDS);
    test(Site::one_server(), &needs, |lab| {
        let target = Nginx::start(
            lab,
            Place::Lan,
            &["192.168.10.5:7224", "192.168.10.5:443 ssl"],
        )?;
        let _echo = Echo::start(lab, Place::Lan, "192.168.10.5:7225", false)?;
        let root = target.folder().with_file_name("target.pem");
        let browser = Browser::trusting(lab, Place::Lan, &root)?;
        let page = "http://plain.test:7224/page";
        let seen = browser.talk("192.168.10.5", page, "ws://plain.test:7225/", "hello")?;
        assert_eq!(seen["echo"], "hello", "{seen}");
        let seen = browser.talk(
            "192.168.10.5",
            "https://other.test/",
            "wss://other.test/",
            "hello",
        )?;
        assert!(
            seen["error"].as_str().unwrap().contains("ERR_CERT"),
            "{seen}"
        );
        Ok(())
    });
}

#[test]
fn two_labs_stand_side_by_side() {
    test(Site::innovaphone(), &["nginx", "curl"], |first| {
        let second = Lab::new(Site::innovaphone())?;
        let _here = Nginx::start(first, Place::Lan, &["172.31.31.2:80"])?;
        let there = Curl::new("http://172.31.31.2/")
            .with(&["--max-time", "5"])
            .run(&second, Place::Gate)?;
        assert_eq!(there.status, 0, "{there:?}");
        Curl::new("http://172.31.31.2/").expect(first, Place::Gate, 200)?;
        Ok(())
    });
}

#[test]
fn a_ca_outside_is_reached_by_the_box_and_believed_by_its_root() {
    let programs = ["pebble", "pebble-challtestsrv", "openssl", "curl"];
    test(Site::innovaphone(), &programs, |lab| {
        let ca = Pebble::start(lab, "")?;
        let root = lab.dir().join("root.pem");
        fs::write(&root, ca.root())?;
        let answer = Curl::new(&ca.directory())
            .trusting(&root)
            .expect(lab, Place::Gate, 200)?;
        assert!(answer.body.contains("newOrder"), "{answer:?}");
        let directory = ca.directory();
        ca.stop();
        let down = Curl::new(&directory)
            .trusting(&root)
            .run(lab, Place::Gate)?;
        assert_eq!(down.status, 0, "{down:?}");
        Ok(())
    });
}

#[test]
fn slapd_knows_names_of_directories_and_the_other_one_those_of_users() {
    test(Site::innovaphone(), &AddressBook::NEEDS, |lab| {
        let mut book = AddressBook::start(lab, "dvl-ckl2.net", "172.31.31.2", 3)?;
        let user = "dvl-ckl2.net\\contacts";
        let _accounts = Accounts::start(lab, "172.31.31.3", &[(user, "secret")])?;
        let search = |url: &str, name: &str| {
            let who = ["-D", name, "-w", "secret"];
            let what = ["-b", "dc=dvl-ckl2,dc=net", "description=*"];
            // Their certificates are their own.
            let start = ["env", "LDAPTLS_REQCERT=never", "ldapsearch", "-x", "-LLL"];
            let command = [&start[..], &["-H", url], &who, &what].concat();
            lab.run(Place::Gate, &command)
        };
        let admin = "CN=Admin; DC=DVL-ckl2 ,dc=NET";
        for (scheme, port) in [("ldap", 389), ("ldaps", 636)] {
            let found = search(&format!("{scheme}://172.31.31.2"), admin)?.success()?;
            assert!(found.contains("description: 172.31.31.2\n"), "{found}");
            // The test that a port is open comes from elsewhere.
            assert_eq!(book.connections(port), 1, "{}", book.log());
            let found = search(&format!("{scheme}://172.31.31.3"), user)?.success()?;
            let place = format!("description: 172.31.31.3:{port}\n");
            assert!(found.contains(&place), "{found}");
        }
        assert_eq!(search("ldap://172.31.31.2", user)?.code, Some(34));
        assert_eq!(search("ldap://172.31.31.3", admin)?.code, Some(34));
        book.stop();
        assert_ne!(search("ldap://172.31.31.2", admin)?.code, Some(0));
        book.start_again()?;
        search("ldap://172.31.31.2", admin)?.success().map(drop)
    });
}
