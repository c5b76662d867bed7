//! Orders by the two proofs that the proxy shows, and what can go wrong.

use crate::peers::{Pebble, all_here, answer, free_port, scripted};
use crate::{Buyer, External, Lookup, News, OrderId, Proof, Step, Wanted, local, names, order};
use certs::Answers;
use uplink::acme::{Blame, Window};

const PEBBLE: [&str; 2] = ["pebble", "pebble-challtestsrv"];

/// A CA, and who answers it.
async fn pebble(more: &str) -> (Pebble, Answers) {
    let pebble = Pebble::start(None, more).await;
    let answers = Answers::default();
    answer(pebble.http_port, pebble.tls_port, &answers).await;
    (pebble, answers)
}

#[tokio::test]
async fn a_certificate_is_had_by_http_01() {
    is_had_by(Proof::Http01).await;
}

#[tokio::test]
async fn a_certificate_is_had_by_tls_alpn_01() {
    is_had_by(Proof::TlsAlpn01).await;
}

async fn is_had_by(proof: Proof) {
    if !all_here(&PEBBLE) {
        return;
    }
    local(async {
        let (pebble, answers) = pebble("").await;
        let mut buyer = Buyer::start(&answers);
        let wanted = ["hq.example", "pbx.hq.example"];
        let (key, mut order) = order(&pebble.directory, &pebble.roots, &wanted, proof);
        let (told, chain) = buyer.order(order.clone()).await;
        assert_eq!(names(&chain.unwrap(), &key), wanted);
        let steps = [Step::Account, Step::Order, Step::Proofs, Step::Issuance];
        assert_eq!(told.steps, steps);
        // Whoever lost the chain gets it again, as the same account, without another proof.
        order.id = OrderId(2);
        order.authority.account.url = told.account;
        order.begun = told.begun;
        let (told, chain) = buyer.order(order).await;
        assert_eq!(names(&chain.unwrap(), &key), wanted);
        assert_eq!(told.steps, [Step::Account, Step::Order]);
        assert_eq!((told.account, told.begun), (None, None));
    })
    .await;
}

#[tokio::test]
async fn an_order_that_was_given_up_is_taken_up_where_it_stood() {
    if !all_here(&PEBBLE) {
        return;
    }
    local(async {
        let (pebble, answers) = pebble("").await;
        let mut buyer = Buyer::start(&answers);
        let (key, mut order) = order(
            &pebble.directory,
            &pebble.roots,
            &["hq.example"],
            Proof::Http01,
        );
        buyer.want(vec![order.clone()]);
        loop {
            match buyer.hear().await {
                News::Account { url, .. } => order.authority.account.url = Some(url),
                News::Begun { url, .. } => {
                    order.begun = Some(url);
                    break;
                }
                _ => {}
            }
        }
        buyer.want(Vec::new());
        order.id = OrderId(2);
        // What was told of the first meanwhile is not of interest.
        let mut second = Buyer::start(&answers);
        let (told, chain) = second.order(order.clone()).await;
        assert_eq!(names(&chain.unwrap(), &key), ["hq.example"]);
        assert_eq!(told.begun, None, "it is the same order");
        // One that the CA knows nothing of is made anew, and so is one for other names.
        order.id = OrderId(3);
        order.begun = order.begun.map(|url| format!("{url}x"));
        let (told, chain) = second.order(order).await;
        assert_eq!(names(&chain.unwrap(), &key), ["hq.example"]);
        assert!(told.begun.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_proof_that_is_not_found_names_the_port_that_must_lead_here() {
    if !all_here(&PEBBLE) {
        return;
    }
    local(async {
        let pebble = Pebble::start(None, "").await;
        // Somebody else answers.
        answer(pebble.http_port, pebble.tls_port, &Answers::default()).await;
        let mut buyer = Buyer::start(&Answers::default());
        for (id, proof, words) in [
            (1, Proof::Http01, "port 80 of hq.example must lead here"),
            (2, Proof::TlsAlpn01, "port 443 of hq.example must lead here"),
        ] {
            let (_, mut order) = order(&pebble.directory, &pebble.roots, &["hq.example"], proof);
            order.id = OrderId(id);
            let failure = buyer.order(order).await.1.unwrap_err();
            assert_eq!(failure.blame, Blame::Proof, "{}", failure.text);
            assert!(failure.text.contains(words), "{}", failure.text);
        }
        let (_, mut wildcard) = order(
            &pebble.directory,
            &pebble.roots,
            &["*.hq.example"],
            Proof::Http01,
        );
        wildcard.id = OrderId(3);
        let failure = buyer.order(wildcard).await.1.unwrap_err();
        assert_eq!(failure.blame, Blame::Order);
        assert!(failure.text.contains("by DNS only"), "{}", failure.text);
    })
    .await;
}

#[tokio::test]
async fn an_external_account_is_bound() {
    if !all_here(&PEBBLE) {
        return;
    }
    let secret = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let more = format!(
        r#""externalAccountBindingRequired": true, "externalAccountMACKeys": {{"kid-1": "{secret}"}},"#
    );
    local(async {
        let (pebble, answers) = pebble(&more).await;
        let mut buyer = Buyer::start(&answers);
        let external = |mac_key: &str| External {
            key_id: "kid-1".into(),
            mac_key: mac_key.into(),
        };
        for (id, account, expected) in [
            (1, None, Err(Blame::Order)),
            (2, Some(external("AAAA")), Err(Blame::Order)),
            (3, Some(external("no base64!")), Err(Blame::Us)),
            (4, Some(external(secret)), Ok(())),
        ] {
            let (_, mut order) = order(
                &pebble.directory,
                &pebble.roots,
                &["hq.example"],
                Proof::Http01,
            );
            order.id = OrderId(id);
            order.authority.account.external = account;
            let ended = buyer.order(order).await.1;
            let ended = ended.map(drop).map_err(|failure| failure.blame);
            assert_eq!(ended, expected, "{id}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_ca_that_is_not_there_or_is_none_is_said_to_be() {
    local(async {
        let mut buyer = Buyer::start(&Answers::default());
        let nowhere = format!("https://{}:{}/dir", crate::peers::CA_NAME, free_port());
        let page = "HTTP/1.1 200 OK\r\n\r\n<html>".to_owned();
        let busy = "HTTP/1.1 503 No\r\nRetry-After: 120\r\n\r\n".to_owned();
        let (here, roots) = scripted(vec![("/page", page), ("/busy", busy)]).await;
        let other = crate::peers::web_ca().0.root_pem().to_owned();
        for (id, directory, roots, blame, words) in [
            (1, nowhere, &roots, Blame::Unreachable, "can not be reached"),
            (
                2,
                format!("{here}/page"),
                &roots,
                Blame::Unreachable,
                "is no directory",
            ),
            (
                3,
                format!("{here}/busy"),
                &roots,
                Blame::Unreachable,
                "status 503",
            ),
            (
                4,
                format!("{here}/none"),
                &roots,
                Blame::Order,
                "is the address right",
            ),
            (
                5,
                format!("{here}/page"),
                &other,
                Blame::Unreachable,
                "TLS failed",
            ),
            (
                6,
                "https://nobody.test/dir".into(),
                &roots,
                Blame::Unreachable,
                "no address",
            ),
            (
                7,
                "http://ca.test/dir".into(),
                &roots,
                Blame::Us,
                "no https address",
            ),
            (
                8,
                format!("{here}/page"),
                &"no roots".into(),
                Blame::Us,
                "root certificates",
            ),
        ] {
            let (_, mut order) = order(&directory, roots, &["hq.example"], Proof::Http01);
            order.id = OrderId(id);
            let failure = buyer.order(order).await.1.unwrap_err();
            assert_eq!(failure.blame, blame, "{id}: {}", failure.text);
            assert!(failure.text.contains(words), "{id}: {}", failure.text);
            assert_eq!(failure.retry_after, (id == 3).then_some(120));
        }
    })
    .await;
}

#[tokio::test]
async fn a_ca_says_when_it_wants_a_certificate_renewed() {
    local(async {
        let directory = r#"{"newNonce":"x","newAccount":"x","newOrder":"x"}"#;
        let with = directory.replace('}', r#","renewalInfo":"{here}/ri"}"#);
        let ok = "HTTP/1.1 200 OK\r\n";
        let window =
            r#"{"suggestedWindow":{"start":"2026-01-02T04:00:00Z","end":"2026-01-03T04:00:00Z"}}"#;
        let (here, roots) = crate::peers::scripted(vec![
            ("/dir", format!("{ok}\r\n{with}")),
            ("/old", format!("{ok}\r\n{directory}")),
            ("/ri/a.b", format!("{ok}Retry-After: 21600\r\n\r\n{window}")),
        ])
        .await;
        let mut buyer = Buyer::start(&Answers::default());
        let lookup = |certificate: &str, path: &str| crate::Lookup {
            certificate: certificate.into(),
            directory: format!("{here}{path}"),
            roots: Some(roots.clone()),
        };
        let lookups = vec![
            lookup("a.b", "/dir"),
            lookup("c.d", "/dir"),
            lookup("e.f", "/old"),
        ];
        buyer.wanted.send_replace(Wanted {
            orders: Vec::new(),
            lookups,
        });
        let mut failed = Vec::new();
        for _ in 0..3 {
            match buyer.hear().await {
                News::Renewal {
                    certificate,
                    window,
                } => {
                    assert_eq!(certificate, "a.b");
                    let expected = Window {
                        start: 1_767_326_400,
                        end: 1_767_412_800,
                        explanation: None,
                        ask_again: Some(21_600),
                    };
                    assert_eq!(window, expected);
                }
                News::NoRenewal { certificate, .. } => failed.push(certificate),
                other => panic!("{other:?}"),
            }
        }
        failed.sort();
        assert_eq!(failed, ["c.d", "e.f"]);
    })
    .await;
}
