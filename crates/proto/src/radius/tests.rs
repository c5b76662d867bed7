use md5::{Digest as _, Md5};

use super::*;

/// The secret of the examples of RFC 2865 section 7.
const SECRET: &[u8] = b"xyzzy5461";

const ASKED: Nonce = Nonce {
    identifier: 7,
    authenticator: *b"0123456789abcdef",
};

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}

fn authenticator(packet: &[u8]) -> [u8; DIGEST] {
    packet[4..HEADER].try_into().unwrap()
}

fn request<'a>(user: &'a str, password: &'a [u8]) -> Request<'a> {
    Request {
        user,
        password,
        nas: "gate.example.com",
        client: "192.0.2.7".parse().unwrap(),
        state: b"",
    }
}

/// Type and value of all attributes of a packet.
fn attributes(packet: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut rest = &packet[HEADER..];
    let mut all = Vec::new();
    while let [kind, len, ..] = *rest {
        let (attribute, after) = rest.split_at(usize::from(len));
        all.push((kind, attribute[2..].to_vec()));
        rest = after;
    }
    all
}

/// What a server makes of a hidden password.
fn shown(hidden: &[u8], secret: &[u8], authenticator: &[u8; DIGEST]) -> Vec<u8> {
    let mut previous: &[u8] = authenticator;
    let mut plain = Vec::new();
    for block in hidden.chunks(DIGEST) {
        let key = Md5::new()
            .chain_update(secret)
            .chain_update(previous)
            .finalize();
        plain.extend(block.iter().zip(key).map(|(byte, key)| byte ^ key));
        previous = block;
    }
    plain.truncate(
        plain
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1),
    );
    plain
}

/// Bytes that look random, the same in each run.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.0 >> 33
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap() % end
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

#[test]
fn passwords_are_hidden_as_in_rfc_2865_section_7() {
    let asked = hex("0f403f9473978057bd83d5cb98f4227a").try_into().unwrap();
    let hidden = hex("0dbe708d93d413ce3196e43f782a0aee");
    assert_eq!(digest::hide(b"arctangent", SECRET, &asked), hidden);
    let asked = hex("f3a47a1f6a6d76710b947ab93041a039").try_into().unwrap();
    let hidden = hex("33657573778289b570885e15084825c5");
    assert_eq!(digest::hide(b"challenge", SECRET, &asked), hidden);
}

#[test]
fn answers_prove_themselves_as_in_rfc_2865_section_7() {
    // 7.1: accept; 7.3: challenge and reject.
    let rows = [
        (
            "0f403f9473978057bd83d5cb98f4227a",
            "0200002686fe220e7624ba2a1005f6bf9b55e0b2 0606000000010f06000000000e06c0a80103",
        ),
        (
            "f3a47a1f6a6d76710b947ab93041a039",
            "0b02004e36f3c8764ae8c71157403c0c71ff9c45 12304368616c6c656e67652033323736393433302e
             2020456e74657220726573706f6e73652061742070726f6d70742e 180a3332373639343330",
        ),
        (
            "b122556d428a13d0d6253807c457ecf0",
            "03030014a42f4fca45916c4e09c8340f9e746aa0",
        ),
    ];
    for (asked, packet) in rows {
        let (asked, packet) = (hex(asked).try_into().unwrap(), hex(packet));
        assert_eq!(usize::from(packet[3]), packet.len());
        assert_eq!(
            digest::response(&packet, &asked, SECRET),
            authenticator(&packet)
        );
        // They are of a time without Message-Authenticator, and no answers any more.
        let nonce = Nonce {
            identifier: packet[1],
            authenticator: asked,
        };
        let fault = Answer::read(&packet, &nonce, SECRET).unwrap_err();
        assert_eq!(fault, Fault::Unproven);
    }
}

#[test]
fn a_message_authenticator_is_an_hmac_of_rfc_2104() {
    // RFC 2202 section 2, test case 2, put around the places where authenticators stand.
    let text = b"what do ya want for nothing?";
    let mut mac = <hmac::Hmac<Md5> as hmac::KeyInit>::new_from_slice(b"Jefe").unwrap();
    hmac::Mac::update(&mut mac, text);
    let known = hex("750c783e6ab0b503eaa86e310a5db738");
    assert_eq!(hmac::Mac::finalize(mac).into_bytes().as_slice(), known);
    // The same by the definition: an inner and an outer digest under the padded key.
    let packet = request("nemo", b"arctangent")
        .encode(&ASKED, SECRET)
        .unwrap();
    let mut plain = packet.clone();
    plain[22..38].fill(0);
    let pad = |byte: u8| {
        let mut key = [byte; 64];
        key.iter_mut()
            .zip(SECRET)
            .for_each(|(pad, key)| *pad ^= key);
        key
    };
    let inner = Md5::new().chain_update(pad(0x36)).chain_update(&plain);
    let outer = Md5::new()
        .chain_update(pad(0x5c))
        .chain_update(inner.finalize());
    assert_eq!(packet[22..38], outer.finalize()[..]);
}

#[test]
fn a_request_begins_with_its_proof_and_says_who_and_from_where() {
    let mut asks = request("nemo", b"arctangent");
    let mapped = "::ffff:192.0.2.9".parse().unwrap();
    asks.client = mapped;
    asks.state = b"32769430";
    let packet = asks.encode(&ASKED, SECRET).unwrap();
    assert_eq!(packet[..2], [1, 7]);
    assert_eq!(usize::from(packet[3]), packet.len());
    assert_eq!(authenticator(&packet), ASKED.authenticator);
    let all = attributes(&packet);
    assert_eq!(all[0].0, MESSAGE_AUTHENTICATOR);
    assert_eq!(all[1], (1, b"nemo".to_vec()));
    assert_eq!(all[2].0, 2);
    assert_eq!(
        shown(&all[2].1, SECRET, &ASKED.authenticator),
        b"arctangent"
    );
    assert_eq!(all[3], (32, b"gate.example.com".to_vec()));
    assert_eq!(all[4], (31, b"192.0.2.9".to_vec()));
    assert_eq!(all[5], (24, b"32769430".to_vec()));
    assert_eq!(all.len(), 6);
}

#[test]
fn every_password_comes_out_as_it_went_in() {
    let mut random = Sequence(1);
    for len in 0..=MAX_PASSWORD {
        let mut password = random.bytes(len);
        for byte in &mut password {
            *byte = (*byte).max(1);
        }
        let packet = request("u", &password).encode(&ASKED, SECRET).unwrap();
        let hidden = &attributes(&packet)[2].1;
        assert_eq!(hidden.len(), len.max(1).next_multiple_of(16));
        assert_eq!(shown(hidden, SECRET, &ASKED.authenticator), password);
    }
}

#[test]
fn what_does_not_fit_is_not_sent() {
    let long = "x".repeat(254);
    let encode = |asks: Request<'_>| asks.encode(&ASKED, SECRET).err();
    assert_eq!(encode(request(&long[1..], b"p")), None);
    assert_eq!(encode(request(&long, b"p")), Some(Unsayable::User));
    assert_eq!(encode(request("", b"p")), Some(Unsayable::User));
    let tall = [b'p'; MAX_PASSWORD + 1];
    assert_eq!(encode(request("u", &tall)), Some(Unsayable::Password));
    assert_eq!(encode(request("u", b"p\0")), Some(Unsayable::Password));
    for nas in ["", &long] {
        let asks = Request {
            nas,
            ..request("u", b"p")
        };
        assert_eq!(encode(asks), Some(Unsayable::Nas));
    }
    let asks = Request {
        state: long.as_bytes(),
        ..request("u", b"p")
    };
    assert_eq!(encode(asks), Some(Unsayable::State));
}

#[test]
fn an_answer_is_read_as_it_was_written() {
    let said: &[(u8, &[u8])] = &[
        (11, b"pbx-users"),
        (33, b"a proxy's state"),
        (18, b""),
        (25, b"OU=staff"),
        (11, b"admins"),
        (1, b"nemo"),
        (250, b"unknown"),
    ];
    for verdict in [Verdict::Accept, Verdict::Reject, Verdict::Challenge] {
        let mut packet = Answer::write(verdict, said, &ASKED, SECRET);
        // Padding behind the packet means nothing (RFC 2865 section 3).
        packet.extend([0xff; 9]);
        let answer = Answer::read(&packet, &ASKED, SECRET).unwrap();
        assert_eq!(answer.verdict, verdict);
        let values = |attribute| answer.values(attribute).collect::<Vec<_>>();
        assert_eq!(values(Attribute::FilterId), [&b"pbx-users"[..], b"admins"]);
        assert_eq!(values(Attribute::Class), [b"OU=staff"]);
        assert_eq!(values(Attribute::UserName), [b"nemo"]);
        assert!(values(Attribute::ReplyMessage).is_empty());
        assert!(values(Attribute::State).is_empty());
    }
}

#[test]
fn nothing_but_the_whole_answer_to_this_request_is_believed() {
    let said: &[(u8, &[u8])] = &[(18, b"Enter response at prompt."), (24, b"32769430")];
    let packet = Answer::write(Verdict::Challenge, said, &ASKED, SECRET);
    for end in 0..packet.len() {
        let fault = Answer::read(&packet[..end], &ASKED, SECRET).unwrap_err();
        assert_eq!(fault, Fault::Length, "{end}");
    }
    for bit in 0..packet.len() * 8 {
        let mut other = packet.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(Answer::read(&other, &ASKED, SECRET).is_err(), "{bit}");
    }
    let read = |asked: Nonce, secret: &[u8]| Answer::read(&packet, &asked, secret).unwrap_err();
    assert_eq!(read(ASKED, b"another"), Fault::Response);
    let mut asked = ASKED;
    asked.authenticator[15] ^= 1;
    assert_eq!(read(asked, SECRET), Fault::Response);
    asked = ASKED;
    asked.identifier = 8;
    assert_eq!(read(asked, SECRET), Fault::Identifier);
}

/// A packet whose Response Authenticator is right, whatever its attributes are: what a forger gets out of a collision.
fn forged(code: u8, attributes: &[u8]) -> Vec<u8> {
    let mut packet = vec![code, ASKED.identifier, 0, 0];
    packet.extend([0; DIGEST]);
    packet.extend(attributes);
    set_length(&mut packet);
    let response = digest::response(&packet, &ASKED.authenticator, SECRET);
    packet.splice(4..HEADER, response);
    packet
}

#[test]
fn a_right_response_authenticator_alone_proves_nothing() {
    let fault = |code, attributes: &[u8]| {
        Answer::read(&forged(code, attributes), &ASKED, SECRET).unwrap_err()
    };
    assert_eq!(fault(2, b""), Fault::Unproven);
    assert_eq!(fault(2, b"\x0b\x05abc"), Fault::Unproven);
    let zeros = [&[80, 18][..], &[0; 16]].concat();
    assert_eq!(fault(2, &zeros), Fault::Message);
    assert_eq!(fault(2, &zeros.repeat(2)), Fault::Repeated(80));
    for (code, attributes, expected) in [
        (1, &b""[..], Fault::Code(1)),
        (5, b"", Fault::Code(5)),
        (2, b"\x0b", Fault::Attribute),
        (2, b"\x0b\x01", Fault::Attribute),
        (2, b"\x0b\x00", Fault::Attribute),
        (2, b"\x0b\x06abc", Fault::Attribute),
        (2, b"\x50\x03a", Fault::Attribute),
    ] {
        assert_eq!(fault(code, attributes), expected, "{attributes:?}");
    }
    for (single, name) in [(1, Fault::Repeated(1)), (24, Fault::Repeated(24))] {
        let twice: &[(u8, &[u8])] = &[(single, b"a"), (single, b"b")];
        let packet = Answer::write(Verdict::Accept, twice, &ASKED, SECRET);
        assert_eq!(Answer::read(&packet, &ASKED, SECRET).unwrap_err(), name);
    }
}

#[test]
fn whatever_comes_is_read_without_panic_and_lengths_are_believed_only_up_to_4096() {
    let mut random = Sequence(2);
    for _ in 0..20_000 {
        let len = random.below(80);
        let mut packet = random.bytes(len);
        // Half of them get as far as their attributes.
        if len >= HEADER && random.below(2) == 0 {
            let attributes = packet.split_off(HEADER);
            packet = forged(2, &attributes);
        }
        assert!(Answer::read(&packet, &ASKED, SECRET).is_err());
    }
    let filler = [0xff, 253].into_iter().chain([7; 251]).collect::<Vec<_>>();
    let mut packet = forged(2, &filler.repeat(17));
    packet[2..4].copy_from_slice(&4097_u16.to_be_bytes());
    let fault = Answer::read(&packet, &ASKED, SECRET).unwrap_err();
    assert_eq!(fault, Fault::Length);
}
