//! How a path finds its rule: design section 7, end to end.

use anyhow::Result;
use lab::{Curl, Gatehouse, Nginx, Place, Site, contract, test};

const NEEDS: &[&str] = &["nginx", "curl"];

/// The contract file with other rules for the host `hq`.
pub(crate) fn with_rules(rules: &str) -> Result<String> {
    let text = contract("innovaphone")?;
    let (before, rest) = text.split_once("# --- master PBX").unwrap();
    let (_, after) = rest.split_once("# The system name").unwrap();
    Ok(format!(
        "{before}[[host]]\nname = \"hq.dvl-ckl2.net\"\n{rules}\n# The system name{after}"
    ))
}

const LAYERED: &str = r#"
[[host.http]]
paths = ["/a/"]
target = "http://172.31.31.3"
[[host.http]]
paths = ["/a", "/one/", "/one/two/three"]
target = "http://172.31.31.2"
[[host.http]]
default = true
target = "http://172.31.31.12"
"#;

/// A path, and the server that answers it; none: refused.
const TABLE: &[(&str, Option<&str>)] = &[
    ("/", Some("172.31.31.12")),
    ("/?a/b/c", Some("172.31.31.12")),
    ("/b", None),
    ("/a", Some("172.31.31.2")),
    ("/ab", Some("172.31.31.2")),
    ("/a/", Some("172.31.31.3")),
    ("/a/x", Some("172.31.31.3")),
    ("/a/x?y/z", Some("172.31.31.3")),
    ("/a/x/", Some("172.31.31.2")),
    ("/a/x/y", Some("172.31.31.2")),
    ("/one", None),
    ("/one/", Some("172.31.31.2")),
    ("/one/two", Some("172.31.31.2")),
    ("/one/two/", None),
    ("/one/two/thre", None),
    ("/one/two/three/four", Some("172.31.31.2")),
];

#[test]
fn the_longest_path_that_holds_wins_and_a_slash_at_the_end_means_one_step() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let addresses = ["172.31.31.2:80", "172.31.31.3:80", "172.31.31.12:80"];
        let target = Nginx::start(lab, Place::Lan, &addresses)?;
        let _gate = Gatehouse::start(lab, &with_rules(LAYERED)?)?;
        for (path, server) in TABLE {
            let answer =
                Curl::new(&format!("http://hq.dvl-ckl2.net{path}")).run(lab, Place::Internet)?;
            match server {
                Some(server) => {
                    assert_eq!(answer.body, format!("{server}:80 {path}\n"), "{answer:?}");
                }
                None => assert_eq!(answer.status, 404, "{path}: {answer:?}"),
            }
        }
        let arrived = TABLE.iter().filter(|(_, server)| server.is_some()).count();
        assert_eq!(target.wait_for("/one/two/three/four")?.len(), arrived);
        Ok(())
    });
}

#[test]
fn paths_that_two_servers_could_read_differently_are_refused_before_any_rule() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let rule = "[[host.http]]\ntarget = \"http://172.31.31.2\"";
        let _gate = Gatehouse::start(lab, &with_rules(rule)?)?;
        let paths = [
            "/a/../b",
            "/a/./b",
            "/%2e%2e/b",
            "/.%2E/b",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a//b",
            "/a%00b",
            "/a%zzb",
            "/..",
        ];
        for path in paths {
            let answer =
                Curl::new(&format!("http://hq.dvl-ckl2.net{path}")).run(lab, Place::Internet)?;
            assert_eq!(answer.status, 400, "{path}: {answer:?}");
        }
        Curl::new("http://hq.dvl-ckl2.net/last").expect(lab, Place::Internet, 200)?;
        assert_eq!(target.wait_for("/last")?.len(), 1);
        Ok(())
    });
}

#[test]
fn a_body_above_max_body_is_refused_and_one_below_arrives() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let rule = "[[host.http]]\ntarget = \"http://172.31.31.2\"\nmax_body = \"10kB\"";
        let _gate = Gatehouse::start(lab, &with_rules(rule)?)?;
        let post = |path: &str, bytes: usize, more: &[&str]| {
            let body = "x".repeat(bytes);
            let url = format!("http://hq.dvl-ckl2.net/{path}");
            Curl::new(&url)
                .with(&["--data-binary", &body])
                .with(more)
                .run(lab, Place::Internet)
        };
        assert_eq!(post("small", 9_000, &[])?.status, 200);
        assert_eq!(post("large", 11_000, &[])?.status, 413);
        assert_eq!(
            post(
                "chunked",
                11_000,
                &["--header", "Transfer-Encoding: chunked"]
            )?
            .status,
            413
        );
        Curl::new("http://hq.dvl-ckl2.net/last").expect(lab, Place::Internet, 200)?;
        let arrived = target.wait_for("/last")?;
        assert!(
            arrived.iter().all(|request| request.get("uri") != "/large"),
            "{arrived:?}"
        );
        Ok(())
    });
}
