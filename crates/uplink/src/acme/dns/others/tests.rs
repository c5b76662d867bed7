use super::super::message::{IN, put};
use super::*;

/// An answer with these flags and code, and one TXT record where there is a text.
fn answer(flags: u8, code: u8, record: Option<&[u8]>) -> Vec<u8> {
    let mut out = question(7, "_acme-challenge.hq.example", TXT).unwrap();
    out[2] |= 0x80 | flags;
    out[3] = code;
    if let Some(text) = record {
        out[7] = 1;
        let length = u16::try_from(text.len()).unwrap();
        put(&mut out, &[0xc00c, TXT, IN, 0, 60, length + 1]);
        out.push(u8::try_from(length).unwrap());
        out.extend_from_slice(text);
    }
    out
}

#[test]
fn only_who_answers_for_the_zone_lacks_a_record() {
    let (sure, vague) = (4, 0);
    for (message, expected) in [
        (answer(sure, 0, Some(b"wanted")), Said::Here),
        (answer(sure, 0, Some(b"older")), Said::NotHere),
        (answer(sure, 0, None), Said::NotHere),
        (answer(sure, 3, None), Said::NotHere),
        (answer(sure, 2, None), Said::Nothing),
        (answer(vague, 5, None), Said::Nothing),
        // Somebody who only remembers.
        (answer(vague, 0, Some(b"wanted")), Said::Nothing),
        (vec![0; 12], Said::Nothing),
    ] {
        assert_eq!(said(&message, "wanted"), expected, "{message:?}");
    }
}

#[test]
fn what_is_left_is_said_of_each_server_once() {
    let server = |number: u8| Server {
        name: format!("ns{number}.example"),
        address: [192, 0, 2, number].into(),
    };
    let open = |server: &Server| Open {
        server: server.clone(),
        name: "hq.example".into(),
        text: "text".into(),
    };
    let (late, silent) = (server(1), server(2));
    assert_eq!(remark(&[], &BTreeSet::new()), None);
    let said = remark(&[open(&late), open(&late)], &BTreeSet::from([silent]));
    assert_eq!(
        said.unwrap(),
        "after 2 minutes these name servers did not have it yet: ns1.example (192.0.2.1); have the primary notify them; \
         these name servers did not answer for the zone: ns2.example (192.0.2.2)"
    );
}
