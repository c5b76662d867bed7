//! LDAP by the domain of who binds.

use crate::domains::{Site, capture, secure};

/// The answer to a StartTLS of the number 1: it can begin.
const BEGIN: &[u8] =
    b"\x30\x24\x02\x01\x01\x78\x1f\x0a\x01\x00\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20037";

/// The same bind in another domain.
fn elsewhere(bind: &[u8]) -> Vec<u8> {
    let at = bind.windows(4).position(|part| part == b"ckl2").unwrap();
    let mut other = bind.to_vec();
    other[at + 3] = b'9';
    other
}

/// The code of a result of the number 1.
fn code(answer: &[u8]) -> (u8, u8) {
    (answer[5], answer[9])
}

#[tokio::test]
async fn a_bind_in_any_form_goes_to_the_host_of_its_domain() {
    for file in [
        "domain-user",
        "user-at-domain",
        "dn-spaces",
        "dn-long-form",
        "bind-with-control",
        "dn-ldapsearch",
        "domain-user-ldapsearch",
        "modify-ldapmodify",
    ] {
        let bytes = capture(&format!("ldap/{file}.hex"));
        for piece in [1, 700] {
            let mut site = Site::start("ldap", "").await;
            let mut client = site.connect("ldap").await;
            client.stream.set_nodelay(true).unwrap();
            for part in bytes.chunks(piece) {
                client.send(part).await;
                tokio::task::yield_now().await;
            }
            let mut there = site.plain.accept().await;
            assert_eq!(there.bytes(bytes.len()).await, bytes, "{file}");
            let found = long_message(0x64);
            let ((), seen) = tokio::join!(there.send(&found), client.bytes(found.len()));
            assert_eq!(seen, found);
            let decision = site.gate.decision().await;
            assert!(decision.asked.starts_with("bind "), "{decision:?}");
            assert_eq!(decision.host, "dvl-ckl2.net");
        }
    }
}

#[tokio::test]
async fn start_tls_is_answered_by_us_and_leads_to_the_tls_target() {
    let bind = capture("ldap/domain-user.hex");
    let mut site = Site::start("ldap", "").await;
    let mut client = site.connect("ldap").await;
    client.send(capture("ldap/starttls.hex")).await;
    assert_eq!(client.bytes(BEGIN.len()).await, BEGIN);
    let mut client = secure(client.stream, None).await;
    client.send(&bind).await;
    let mut there = site.accept_tls().await;
    assert_eq!(there.bytes(bind.len()).await, bind);
    assert_eq!(site.gate.decision().await.protocol, "ldaps");

    let mut client = site.connect_tls("ldaps", None).await;
    client.send(&bind).await;
    let mut there = site.accept_tls().await;
    assert_eq!(there.bytes(bind.len()).await, bind);
    site.plain.stays_alone().await;
}

#[tokio::test]
async fn what_was_sent_behind_start_tls_is_not_taken_into_tls() {
    let mut site = Site::start("ldap", "").await;
    let mut client = site.connect("ldap").await;
    let both = [
        capture("ldap/starttls.hex"),
        capture("ldap/domain-user.hex"),
    ]
    .concat();
    client.send(&both).await;
    client.rest().await;
    site.gate.rejects_for("StartTLS: more was sent").await;
    site.plain.stays_alone().await;
}

#[tokio::test]
async fn who_names_no_domain_is_told_to_or_goes_to_the_default() {
    let search = b"\x30\x25\x02\x01\x01\x63\x20\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x0bobjectclass\x30\x00";
    let first = |bytes: &[u8]| bytes.to_vec();
    for (bytes, told) in [
        (capture("ldap/anonymous.hex"), (0x61, 48)),
        (capture("ldap/sasl-external.hex"), (0x61, 7)),
        (first(search), (0x65, 8)),
    ] {
        let site = Site::start("ldap", "").await;
        let mut client = site.connect("ldap").await;
        client.send(&bytes).await;
        let head = client.bytes(2).await;
        let rest = client.bytes(usize::from(head[1])).await;
        assert_eq!(code(&[head, rest].concat()), told);
        // It may still bind as somebody.
        let bind = capture("ldap/domain-user.hex");
        client.send(&bind).await;
        let mut there = site.plain.accept().await;
        assert_eq!(there.bytes(bind.len()).await, bind);

        let site = Site::start("ldap", "default = true").await;
        let mut client = site.connect("ldap").await;
        client.send(&bytes).await;
        let mut there = site.plain.accept().await;
        assert_eq!(there.bytes(bytes.len()).await, bytes);
    }
}

#[tokio::test]
async fn an_unknown_domain_is_no_other_than_a_wrong_password() {
    let bind = capture("ldap/domain-user.hex");
    let mut site = Site::start("ldap", "default = true").await;
    let mut client = site.connect("ldap").await;
    client.send(elsewhere(&bind)).await;
    let (answer, clean) = client.rest().await;
    assert_eq!((code(&answer), clean), ((0x61, 49), true));
    site.gate
        .rejects_for("no [[host]] of that name serves ldap")
        .await;
}

#[tokio::test]
async fn a_bind_to_another_domain_ends_the_connection() {
    let bind = capture("ldap/domain-user.hex");
    let mut site = Site::start("ldap", "").await;
    let mut client = site.connect("ldap").await;
    client.send(&bind).await;
    let mut there = site.plain.accept().await;
    there.bytes(bind.len()).await;
    there.send(bound(bind[4], 49)).await;
    client.bytes(14).await;
    client.send(&bind).await;
    there.bytes(bind.len()).await;
    client.send(elsewhere(&bind)).await;
    assert_eq!(there.rest().await.0, b"");
    site.gate.rejects_for("for another domain").await;
}

#[tokio::test]
async fn a_target_that_hangs_up_or_is_away_is_told() {
    let bind = capture("ldap/domain-user.hex");
    let mut site = Site::start("ldap", "").await;
    let mut client = site.connect("ldap").await;
    client.send(&bind).await;
    drop(site.plain.accept().await);
    client.finish().await;
    client.rest().await;
    site.gate.rejects_for("at once").await;
    site.plain.close();
    let mut client = site.connect("ldap").await;
    client.send(&bind).await;
    let (answer, _) = client.rest().await;
    assert_eq!(code(&answer), (0x61, 52));
    site.gate.rejects_for("can not be reached").await;
}

/// What a directory answers to the bind of the number `id`.
fn bound(id: u8, code: u8) -> Vec<u8> {
    vec![0x30, 12, 2, 1, id, 0x61, 7, 0x0a, 1, code, 0x04, 0, 0x04, 0]
}

/// The bind with a password whose last letter is `letter`.
fn with_password(bind: &[u8], id: u8, letter: u8) -> Vec<u8> {
    let mut bind = bind.to_vec();
    assert_eq!(bind[2..4], [2, 1], "its number is short");
    bind[4] = id;
    *bind.last_mut().unwrap() = letter;
    bind
}

#[tokio::test]
async fn passwords_that_the_directory_refuses_count_each_of_them_once() {
    let bind = capture("ldap/domain-user.hex");
    let mut site = Site::start("ldap", "").await;
    let mut client = site.connect("ldap").await;
    let mut there = None;
    // The same again within seconds is what a telephone does with each letter of a search.
    for (id, letter, code) in [(1, b'a', 49), (2, b'a', 49), (3, b'b', 49), (4, b'c', 14)] {
        let tried = with_password(&bind, id, letter);
        client.send(&tried).await;
        if there.is_none() {
            there = Some(site.plain.accept().await);
        }
        let there = there.as_mut().unwrap();
        assert_eq!(there.bytes(tried.len()).await, tried);
        // An answer in pieces, behind something else.
        let answer = [bound(id + 100, 0), bound(id, code)].concat();
        there.send(&answer[..20]).await;
        tokio::task::yield_now().await;
        there.send(&answer[20..]).await;
        assert_eq!(client.bytes(answer.len()).await, answer);
    }
    for _ in 0..2 {
        assert_eq!(site.gate.outbox.offences.recv().await.unwrap().weight, 1);
    }
    assert!(site.gate.outbox.offences.try_recv().is_err());
}

#[tokio::test]
async fn a_message_of_any_length_passes_in_both_directions() {
    let bind = capture("ldap/domain-user.hex");
    let site = Site::start("ldap", "").await;
    let mut client = site.connect("ldap").await;
    client.send(&bind).await;
    let mut there = site.plain.accept().await;
    there.bytes(bind.len()).await;
    there.send(bound(1, 0)).await;
    client.bytes(14).await;
    let change = long_message(0x66);
    let ((), changed) = tokio::join!(client.send(&change), there.bytes(change.len()));
    assert_eq!(changed, change);
    let entry = long_message(0x64);
    let ((), found) = tokio::join!(there.send(&entry), client.bytes(entry.len()));
    assert_eq!(found, entry);
    // And both directions are still read.
    client.send(elsewhere(&bind)).await;
    assert_eq!(there.rest().await.0, b"");
}

/// A message of three megabytes with the number 2.
fn long_message(tag: u8) -> Vec<u8> {
    let mut photo = vec![7; 3_000_000];
    // The name of an entry.
    photo[..2].copy_from_slice(b"\x04\x05");
    let length = u32::try_from(photo.len()).unwrap();
    let mut message = vec![0x30, 0x84];
    message.extend((length + 9).to_be_bytes());
    message.extend([2, 1, 2, tag, 0x84]);
    message.extend(length.to_be_bytes());
    message.extend(&photo);
    message
}

#[tokio::test]
async fn guesses_are_neither_pushed_out_nor_made_old_beforehand() {
    let bind = capture("ldap/domain-user.hex");
    let mut site = Site::start("ldap", "").await;
    // More at once than are waited for, of which none is answered before the last.
    let mut client = site.connect("ldap").await;
    for id in 1..=9 {
        client.send(with_password(&bind, id, b'a' + id)).await;
    }
    site.gate.rejects_for("without waiting for an answer").await;
    drop(site.plain.accept().await);
    // One that was cut off before its answer is as good as new.
    let mut client = site.connect("ldap").await;
    let guess = with_password(&bind, 1, b'z');
    client
        .send([guess.clone(), elsewhere(&bind)].concat())
        .await;
    site.plain.accept().await.rest().await;
    site.gate.rejects_for("for another domain").await;
    while site.gate.outbox.offences.try_recv().is_ok() {}
    let mut client = site.connect("ldap").await;
    client.send(&guess).await;
    let mut there = site.plain.accept().await;
    there.bytes(guess.len()).await;
    there.send(bound(1, 49)).await;
    client.bytes(14).await;
    assert_eq!(site.gate.outbox.offences.recv().await.unwrap().weight, 1);
}

#[tokio::test]
async fn nothing_is_sealed_before_a_mechanism_that_seals_has_succeeded() {
    let bind = capture("ldap/domain-user.hex");
    let mut site = Site::start("ldap", "default = true").await;
    let sasl = capture("ldap/sasl-digest-md5.hex");
    let id = sasl[sasl.windows(2).position(|two| two == [2, 1]).unwrap() + 2];
    for (code, seals) in [(14, false), (0, true)] {
        let mut client = site.connect("ldap").await;
        client.send(&sasl).await;
        let mut there = site.plain.accept().await;
        there.bytes(sasl.len()).await;
        there.send(bound(id, code)).await;
        client.bytes(14).await;
        let sealed = b"\0\0\0\x04seal";
        client.send(sealed).await;
        if seals {
            assert_eq!(there.bytes(8).await, sealed);
            there.send(sealed).await;
            assert_eq!(client.bytes(8).await, sealed);
        } else {
            assert_eq!(there.rest().await.0, b"");
            site.gate.rejects_for("malformed ldap").await;
        }
    }
    // What is no LDAP comes from no directory.
    let mut client = site.connect("ldap").await;
    client.send(&bind).await;
    let mut there = site.plain.accept().await;
    there.bytes(bind.len()).await;
    there.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(client.rest().await.0, b"");
    site.gate.rejects_for("none of the protocol").await;
}
