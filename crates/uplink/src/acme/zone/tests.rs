//! What the zone answers, and that it answers nothing else.

use super::*;
use hickory_proto::op::Query;

fn zones() -> Vec<Zone> {
    vec![Zone::new("acme.gate.example", "Gate.Example").unwrap()]
}

fn texts(name: &str) -> Vec<String> {
    match name {
        "pbx.example.com.acme.gate.example" => vec!["one".to_owned(), "two".to_owned()],
        "many.acme.gate.example" => (0..40).map(|n| format!("{n:0>43}")).collect(),
        _ => Vec::new(),
    }
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn ask(message: &Message, carrier: Carrier) -> Message {
    let said = answer(&zones(), &message.to_vec().unwrap(), carrier, texts).unwrap();
    Message::from_vec(&said).unwrap()
}

fn code(name: &str, kind: RecordType) -> (ResponseCode, usize, usize) {
    let said = ask(&question(name, kind), Carrier::Datagram);
    assert_eq!(said.metadata.id, 7);
    assert_eq!(said.queries.len(), 1);
    (
        said.metadata.response_code,
        said.answers.len(),
        said.authorities.len(),
    )
}

#[test]
fn proofs_are_told_in_any_case_and_nothing_is_said_not_to_be_there() {
    use RecordType::{A, ANY, AXFR, NS, SOA, TXT};
    use ResponseCode::{NoError, Refused};
    for (name, kind, expected) in [
        ("pbx.example.com.acme.gate.example.", TXT, (NoError, 2, 0)),
        ("PBX.eXample.com.acme.gate.EXAMPLE.", TXT, (NoError, 2, 0)),
        ("pbx.example.com.acme.gate.example.", ANY, (NoError, 2, 0)),
        ("pbx.example.com.acme.gate.example.", A, (NoError, 0, 1)),
        // Between the zone and a proof: there, without records.
        ("com.acme.gate.example.", NS, (NoError, 0, 1)),
        ("other.acme.gate.example.", TXT, (NoError, 0, 1)),
        ("acme.gate.example.", SOA, (NoError, 1, 0)),
        ("acme.gate.example.", NS, (NoError, 1, 0)),
        ("acme.gate.example.", AXFR, (Refused, 0, 0)),
        ("gate.example.", SOA, (Refused, 0, 0)),
        ("xacme.gate.example.", TXT, (Refused, 0, 0)),
        (".", NS, (Refused, 0, 0)),
    ] {
        assert_eq!(code(name, kind), expected, "{name} {kind}");
    }
}

#[test]
fn the_name_comes_back_as_it_was_asked() {
    let said = ask(
        &question("PbX.example.com.acme.gate.example.", RecordType::TXT),
        Carrier::Datagram,
    );
    assert!(said.metadata.authoritative && !said.metadata.recursion_available);
    assert_eq!(
        said.answers[0].name.to_ascii(),
        "PbX.example.com.acme.gate.example."
    );
}

#[test]
fn a_long_answer_is_cut_in_a_datagram_and_whole_in_a_connection() {
    let mut message = question("many.acme.gate.example.", RecordType::TXT);
    let cut = ask(&message, Carrier::Datagram);
    assert!(cut.metadata.truncation && cut.answers.is_empty());
    let mut edns = Edns::new();
    edns.set_max_payload(65_000);
    message.edns = Some(edns);
    let cut = ask(&message, Carrier::Datagram);
    assert!(cut.metadata.truncation && cut.edns.is_some());
    let whole = ask(&message, Carrier::Stream);
    assert_eq!(whole.answers.len(), 40);
    assert!(!whole.metadata.truncation);
}

#[test]
fn what_is_no_question_gets_no_records() {
    let mut message = question("acme.gate.example.", RecordType::SOA);
    message.metadata.op_code = OpCode::Notify;
    let said = ask(&message, Carrier::Datagram);
    assert_eq!(said.metadata.response_code, ResponseCode::NotImp);
    let mut message = question("acme.gate.example.", RecordType::SOA);
    let mut edns = Edns::new();
    edns.set_version(1);
    message.edns = Some(edns);
    let said = ask(&message, Carrier::Datagram);
    // BADVERS, which shares its number with another.
    assert_eq!(u16::from(said.metadata.response_code), 16);
    assert!(said.answers.is_empty());
    let mut many = question("acme.gate.example.", RecordType::SOA);
    many.queries = vec![many.queries[0].clone(); 300];
    let said = ask(&many, Carrier::Datagram);
    assert_eq!(said.metadata.response_code, ResponseCode::FormErr);
    assert!(said.queries.is_empty(), "it would be a long answer");
    // Nobody answers an answer.
    let mut message = question("acme.gate.example.", RecordType::SOA);
    message.metadata.message_type = MessageType::Response;
    let bytes = message.to_vec().unwrap();
    assert_eq!(answer(&zones(), &bytes, Carrier::Datagram, texts), None);
}

#[test]
fn who_is_sent_to_a_connection_gets_no_more_than_he_sent() {
    let mut message = question("PbX.acme.gate.example.", RecordType::TXT);
    message.edns = Some(Edns::new());
    let asked = message.to_vec().unwrap();
    let said = by_stream(&asked).unwrap();
    assert!(said.len() <= asked.len());
    let said = Message::from_vec(&said).unwrap();
    assert!(said.metadata.truncation && said.metadata.recursion_desired);
    assert_eq!(said.metadata.message_type, MessageType::Response);
    assert_eq!(said.queries, message.queries);
    for end in 0..asked.len() {
        let said = by_stream(&asked[..end]);
        assert!(said.is_none_or(|said| said.len() <= end), "{end}");
    }
    message.metadata.message_type = MessageType::Response;
    assert_eq!(by_stream(&message.to_vec().unwrap()), None);
}

#[test]
fn every_truncation_and_every_changed_byte_is_survived_with_a_short_answer() {
    let bytes = question("pbx.example.com.acme.gate.example.", RecordType::TXT);
    let bytes = bytes.to_vec().unwrap();
    for end in 0..bytes.len() {
        let said = answer(&zones(), &bytes[..end], Carrier::Datagram, texts);
        assert_eq!(said.is_some(), end >= 12, "{end}");
    }
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let said = answer(&zones(), &changed, Carrier::Datagram, texts);
            assert!(said.is_none_or(|said| said.len() <= usize::from(SHORT)));
        }
    }
}
