use super::*;

/// An answer as name servers send them, names compressed: an alias, and the TXT record it leads to.
fn answer() -> Vec<u8> {
    let mut out = question(7, "_acme-challenge.HQ.example.", TXT).unwrap();
    out[2] |= 0x84;
    out[7] = 2;
    // The name of the question, at 12; "example" begins behind two labels.
    put(&mut out, &[0xc00c, CNAME, IN, 0, 60, 7]);
    out.extend_from_slice(&[4, b'A', b'c', b'm', b'e']);
    put(&mut out, &[0xc000 | (12 + 16 + 3)]);
    put(&mut out, &[0xc000 | 56, TXT, IN, 0, 60, 6]);
    out.extend_from_slice(&[2, b'a', b'b', 2, b'c', b'd']);
    out
}

#[test]
fn an_answer_is_read() {
    let message = answer();
    let reply = reply(&message).unwrap();
    assert_eq!((reply.id, reply.code, reply.authoritative), (7, 0, true));
    let [alias, record] = &reply.answers[..] else {
        panic!("{reply:?}");
    };
    assert_eq!(alias.name, "_acme-challenge.hq.example");
    let target = name(&message, alias.data.start).unwrap();
    assert_eq!(target, ("acme.example".to_owned(), alias.data.end));
    assert_eq!((record.name.as_str(), record.kind), ("acme.example", TXT));
    assert_eq!(text(&message[record.data.clone()]), b"abcd");
}

#[test]
fn every_piece_of_an_answer_is_refused() {
    let message = answer();
    for end in 0..message.len() {
        assert!(reply(&message[..end]).is_err(), "{end}");
    }
    for at in 0..message.len() {
        for value in [0, 0x3f, 0x40, 0xc0, 0xff] {
            let mut bent = message.clone();
            bent[at] = value;
            let _ = reply(&bent);
        }
    }
}

#[test]
fn a_name_that_leads_to_itself_comes_to_an_end() {
    let mut message = vec![0; HEAD];
    put(&mut message, &[0xc00c]);
    assert_eq!(name(&message, HEAD), Err(Broken::Message));
    // One that winds backwards through many labels.
    let mut message = vec![1, b'a', 0];
    for at in 0..200_u16 {
        let to = if at == 0 { 0 } else { 3 + (at - 1) * 4 };
        message.extend_from_slice(&[1, b'b']);
        put(&mut message, &[0xc000 | to]);
    }
    assert!(name(&message, message.len() - 4).is_err());
}

#[test]
fn an_update_is_the_one_of_rfc_2136() {
    let message = update(1, "example", "_acme-challenge.example", "abc", Change::Add).unwrap();
    let expected: &[u8] = b"\x00\x01\x28\x00\x00\x01\x00\x00\x00\x01\x00\x00\
        \x07example\x00\x00\x06\x00\x01\
        \x0f_acme-challenge\x07example\x00\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x04\x03abc";
    assert_eq!(message, expected);
    let message = update(1, "example", "example", "abc", Change::Remove).unwrap();
    assert!(message.ends_with(b"\x00\x10\x00\xfe\x00\x00\x00\x00\x00\x04\x03abc"));
}

#[test]
fn what_is_no_name_is_not_sent() {
    let long = format!("{}.example", "a".repeat(64));
    for name in ["a..b", ".", ".a", "a b", "ä.example", &long] {
        let expected = if name == "." {
            Ok(())
        } else {
            Err(Broken::Name)
        };
        assert_eq!(put_name(&mut Vec::new(), name), expected, "{name:?}");
    }
}
