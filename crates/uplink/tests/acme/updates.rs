//! Orders proven by records that a name server takes from us.

use crate::peers::{Named, Pebble, SECRET, all_here};
use crate::{Buyer, OrderId, Proof, local, names, order};
use certs::Answers;
use std::net::SocketAddr;
use std::process::Command;
use uplink::acme::{Blame, DnsUpdate};

const PROGRAMS: [&str; 3] = ["pebble", "named", "dig"];

fn by(server: SocketAddr, name: &str, secret: &str) -> Proof {
    Proof::Dns01(DnsUpdate {
        server: server.to_string(),
        tsig_name: name.into(),
        tsig_key: secret.into(),
    })
}

/// The TXT records of a name.
fn records(server: SocketAddr, name: &str) -> String {
    let port = server.port().to_string();
    let asked = ["@127.0.0.1", "-p", &port, "+short", "TXT", name];
    let out = Command::new("dig").args(asked).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

#[tokio::test]
async fn a_wildcard_is_had_by_dns_01_and_an_alias_leads_elsewhere() {
    if !all_here(&PROGRAMS) {
        return;
    }
    local(async {
        let named = Named::start().await;
        let pebble = Pebble::start(Some(named.address), "").await;
        let mut buyer = Buyer::start(&Answers::default());
        // The first two share the name of their records; the last one's is an alias into another zone.
        let wanted = ["*.hq.example", "hq.example", "pbx.hq.example"];
        let proof = by(named.address, "box", SECRET);
        let (key, order) = order(&pebble.directory, &pebble.roots, &wanted, proof);
        let (_, chain) = buyer.order(order).await;
        assert_eq!(names(&chain.unwrap(), &key), wanted);
        for name in ["_acme-challenge.hq.example", "pbx.acme.example"] {
            assert_eq!(records(named.address, name), "", "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_server_that_does_not_take_the_record_is_to_blame() {
    if !all_here(&PROGRAMS) {
        return;
    }
    local(async {
        let named = Named::start().await;
        let pebble = Pebble::start(Some(named.address), "").await;
        let mut buyer = Buyer::start(&Answers::default());
        let nobody = SocketAddr::from(([127, 0, 0, 1], crate::peers::free_port()));
        let here = named.address;
        for (id, name, proof, blame, words) in [
            (
                1,
                "hq.example",
                by(nobody, "box", SECRET),
                Blame::NameServer,
                "reached",
            ),
            (
                2,
                "hq.example",
                by(here, "nobody", SECRET),
                Blame::NameServer,
                "not know the key",
            ),
            (
                3,
                "hq.example",
                by(here, "box", "AAAA"),
                Blame::NameServer,
                "signature for wrong",
            ),
            (
                4,
                "hq.example",
                by(here, "other", SECRET),
                Blame::NameServer,
                "this key",
            ),
            (
                5,
                "b.example",
                by(here, "box", SECRET),
                Blame::NameServer,
                "no zone",
            ),
            (6, "hq.example", by(here, "box", "?"), Blame::Us, "base64"),
        ] {
            let (_, mut order) = order(&pebble.directory, &pebble.roots, &[name], proof);
            order.id = OrderId(id);
            let failure = buyer.order(order).await.1.unwrap_err();
            assert_eq!(failure.blame, blame, "{id}: {}", failure.text);
            assert!(failure.text.contains(words), "{id}: {}", failure.text);
        }
    })
    .await;
}
