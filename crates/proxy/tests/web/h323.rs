//! H.323 by the gatekeeper identifier of the first registration.

use crate::domains::{Site, capture, every_combination};
use proto::h323::{Alias, recognise};

/// The one name of the registration in a capture.
fn name(bytes: &[u8]) -> String {
    let first = recognise(bytes).unwrap().unwrap();
    match first.aliases.as_slice() {
        [Alias::Name(name)] => name.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_registration_goes_on_over_tls_only_for_who_has_proven_its_name() {
    let first = capture("h323/rrq-facility-body.hex");
    every_combination("h323", &first, &name(&first)).await;
}

#[tokio::test]
async fn what_comes_behind_it_goes_both_ways_as_it_is() {
    let first = capture("h323/rrq-facility-body.hex");
    for piece in [1, 7, first.len()] {
        let mut site = Site::start("h323", "").await;
        let mut client = site.connect("h323").await;
        client.stream.set_nodelay(true).unwrap();
        for part in first.chunks(piece) {
            client.send(part).await;
            tokio::task::yield_now().await;
        }
        let mut there = site.plain.accept().await;
        assert_eq!(there.bytes(first.len()).await, first);
        there.send(b"\x03\0\0\x04anything").await;
        assert_eq!(client.bytes(12).await, b"\x03\0\0\x04anything");
        client.send(b"whatever it is").await;
        client.finish().await;
        assert_eq!(there.rest().await, (b"whatever it is".to_vec(), true));
        let decision = site.gate.decision().await;
        let asked = format!("RRQ dvl-ckl2.net as {}", name(&first));
        assert_eq!(
            (decision.protocol.as_ref(), decision.asked),
            ("h323", asked)
        );
        assert_eq!(decision.host, "dvl-ckl2.net");
    }
}

#[tokio::test]
async fn a_discovery_without_a_name_waits_a_little_for_the_registration() {
    let both = capture("h323/grq-then-rrq.hex");
    let registration = recognise(&both).unwrap().unwrap().len;
    let name = name(both.get(registration..).unwrap());
    let site = Site::start("h323", "").await;
    let phone = site.phone(&name);
    let mut client = site.connect_tls("h323s", Some(&phone)).await;
    client.send(&both).await;
    let mut there = site.accept_tls().await;
    assert_eq!(there.bytes(both.len()).await, both);

    // One that waits for an answer first is nobody.
    let alone = capture("h323/grq-without-alias.hex");
    let mut client = site.connect_tls("h323s", Some(&phone)).await;
    client.send(&alone).await;
    let mut there = site.plain.accept().await;
    assert_eq!(there.bytes(alone.len()).await, alone);
}

#[tokio::test]
async fn who_came_in_by_certificate_registers_nobody_else() {
    let first = capture("h323/rrq-facility-body.hex");
    let other = capture("h323/rrq-umlaut.hex");
    let mut site = Site::start("h323", "").await;
    let phone = site.phone(&name(&first));
    let mut client = site.connect_tls("h323s", Some(&phone)).await;
    client.send(&first).await;
    let mut there = site.accept_tls().await;
    there.bytes(first.len()).await;
    client.send(&first).await;
    there.bytes(first.len()).await;
    client.send(&other).await;
    assert_eq!(there.rest().await.0, b"");
    site.gate.rejects_for("now").await;
}

#[tokio::test]
async fn a_call_without_a_registration_needs_leave() {
    let call = capture("h323/setup-alias.hex");
    let mut site = Site::start("h323", "").await;
    let mut client = site.connect("h323").await;
    client.send(&call).await;
    client.ends().await;
    site.gate.rejects_for("").await;
    site.plain.stays_alone().await;
}

#[tokio::test]
async fn what_is_no_registration_is_closed_and_told() {
    let mut site = Site::start("h323", "").await;
    for (bytes, words) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "malformed h323"),
        (capture("h323/urq-first.hex"), "malformed h323"),
        (capture("h323/rrq-without-gatekeeper.hex"), "no domain"),
    ] {
        let mut client = site.connect("h323").await;
        client.send(&bytes).await;
        client.ends().await;
        site.gate.rejects_for(words).await;
    }
    site.plain.stays_alone().await;
}
