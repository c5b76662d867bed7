//! `stun_codec` reads what we write, and we read what it writes.

use std::net::SocketAddr;

use bytecodec::{DecodeExt as _, EncodeExt as _};
use stun::message::{Class, Digest, Key, Message, Method, TransactionId, Writer, attribute};
use stun_codec::rfc5389::attributes::{
    ErrorCode, Fingerprint, MessageIntegrity, Nonce, Realm, Username, XorMappedAddress,
};
use stun_codec::rfc5389::{errors::Unauthorized, methods::BINDING};
use stun_codec::rfc5766::attributes::{
    ChannelNumber, Data, DontFragment, EvenPort, Lifetime, RequestedTransport, ReservationToken,
    XorPeerAddress, XorRelayAddress,
};
use stun_codec::rfc5766::methods;
use stun_codec::rfc8656::attributes::{AdditionalAddressFamily, RequestedAddressFamily};
use stun_codec::{MessageClass, MessageDecoder, MessageEncoder, define_attribute_enums};

define_attribute_enums!(
    Attribute,
    AttributeDecoder,
    AttributeEncoder,
    [
        Username,
        MessageIntegrity,
        ErrorCode,
        Realm,
        Nonce,
        XorMappedAddress,
        Fingerprint,
        ChannelNumber,
        Lifetime,
        XorPeerAddress,
        Data,
        XorRelayAddress,
        EvenPort,
        RequestedTransport,
        DontFragment,
        ReservationToken,
        RequestedAddressFamily,
        AdditionalAddressFamily
    ]
);

pub(crate) type Theirs = stun_codec::Message<Attribute>;

const ID: [u8; 12] = *b"abcdefghijkl";

fn key() -> Key {
    use md5::Digest as _;
    Key::new(&md5::Md5::digest("user:realm:password"))
}

#[test]
fn what_we_write_is_read() {
    let addresses: [SocketAddr; 2] = [
        "192.0.2.7:49152".parse().unwrap(),
        "[2001:db8::7]:49153".parse().unwrap(),
    ];
    for address in addresses {
        let mut out = [0; 300];
        let mut writer = Writer::new(
            &mut out,
            Class::Success,
            Method::ALLOCATE,
            TransactionId(ID),
        );
        writer.xor_address(attribute::XOR_RELAYED_ADDRESS, address);
        writer.xor_address(attribute::XOR_MAPPED_ADDRESS, address);
        writer.number(attribute::LIFETIME, 600);
        writer.attribute(attribute::RESERVATION_TOKEN, &[9; 8]);
        writer.protect(&key(), Digest::Sha1).fingerprint();
        let length = writer.finish().unwrap();

        let read = MessageDecoder::<Attribute>::new()
            .decode_from_bytes(&out[..length])
            .unwrap()
            .unwrap();
        assert_eq!(read.class(), MessageClass::SuccessResponse);
        assert_eq!(read.method(), methods::ALLOCATE);
        assert_eq!(read.transaction_id().as_bytes(), &ID);
        let relayed = read.get_attribute::<XorRelayAddress>().unwrap();
        assert_eq!(relayed.address(), address);
        let mapped = read.get_attribute::<XorMappedAddress>().unwrap();
        assert_eq!(mapped.address(), address);
        let lifetime = read.get_attribute::<Lifetime>().unwrap();
        assert_eq!(lifetime.lifetime().as_secs(), 600);
        let token = read.get_attribute::<ReservationToken>().unwrap();
        assert_eq!(token.token(), u64::from_be_bytes([9; 8]));
        let name = Username::new("user".into()).unwrap();
        let realm = Realm::new("realm".into()).unwrap();
        read.get_attribute::<MessageIntegrity>()
            .unwrap()
            .check_long_term_credential(&name, &realm, "password")
            .unwrap();
        assert!(read.get_attribute::<Fingerprint>().is_some());
    }
}

#[test]
fn errors_without_a_phrase_are_read() {
    for code in [400, 401, 420, 438, 486, 508] {
        let mut out = [0; 100];
        let mut writer = Writer::new(&mut out, Class::Error, Method::BINDING, TransactionId(ID));
        let length = writer.error(code).finish().unwrap();
        let read = MessageDecoder::<Attribute>::new()
            .decode_from_bytes(&out[..length])
            .unwrap()
            .unwrap();
        let error = read.get_attribute::<ErrorCode>().unwrap();
        assert_eq!((error.code(), error.reason_phrase()), (code, ""));
    }
    assert_eq!(Unauthorized::CODEPOINT, 401);
}

#[test]
fn we_read_what_it_writes() {
    let peer: SocketAddr = "[2001:db8::9]:5000".parse().unwrap();
    let id = stun_codec::TransactionId::new(ID);
    let mut message = Theirs::new(MessageClass::Request, methods::ALLOCATE, id);
    message.add_attribute(Username::new("user".into()).unwrap());
    message.add_attribute(Realm::new("realm".into()).unwrap());
    message.add_attribute(RequestedTransport::new(17));
    message.add_attribute(EvenPort::new(true));
    message.add_attribute(DontFragment);
    message.add_attribute(XorPeerAddress::new(peer));
    message.add_attribute(Data::new(vec![1, 2, 3, 4, 5]).unwrap());
    let name = Username::new("user".into()).unwrap();
    let realm = Realm::new("realm".into()).unwrap();
    let integrity = MessageIntegrity::new_long_term_credential(&message, &name, &realm, "password");
    message.add_attribute(integrity.unwrap());
    let fingerprint = Fingerprint::new(&message).unwrap();
    message.add_attribute(fingerprint);
    let bytes = MessageEncoder::new().encode_into_bytes(message).unwrap();

    let read = Message::parse(&bytes).unwrap();
    assert_eq!(read.class(), Class::Request);
    assert_eq!(read.method(), Method::ALLOCATE);
    assert_eq!(read.transaction(), TransactionId(ID));
    assert_eq!(read.fingerprint(), Some(true));
    assert!(read.is_by(&key(), Digest::Sha1, 32));
    assert_eq!(read.first(attribute::USERNAME), Some(&b"user"[..]));
    assert_eq!(read.first(attribute::EVEN_PORT), Some(&[0x80][..]));
    assert_eq!(read.first(attribute::DONT_FRAGMENT), Some(&[][..]));
    assert_eq!(read.first(attribute::DATA), Some(&[1, 2, 3, 4, 5][..]));
    let told = read
        .attributes()
        .find(|found| found.kind == attribute::XOR_PEER_ADDRESS);
    assert_eq!(told.and_then(|told| told.xor_address(&read)), Some(peer));
}

#[test]
fn every_class_and_method_has_the_bits_of_the_rfc() {
    // RFC 8489 section 5, figure 3.
    for method in 0..0x1000_u16 {
        for (class, bits) in [
            (Class::Request, 0),
            (Class::Indication, 1),
            (Class::Success, 2),
            (Class::Error, 3),
        ] {
            let mut out = [0; 20];
            let mut writer = Writer::new(&mut out, class, Method(method), TransactionId(ID));
            writer.finish().unwrap();
            let typed = u16::from_be_bytes([out[0], out[1]]);
            let mut expected = 0;
            let mut from = method;
            for place in [0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 12, 13] {
                expected |= (from & 1) << place;
                from >>= 1;
            }
            expected |= (bits & 1) << 4 | (bits >> 1) << 8;
            assert_eq!(typed, expected);
            let read = Message::parse(&out).unwrap();
            assert_eq!((read.class(), read.method()), (class, Method(method)));
        }
    }
    assert_eq!(BINDING.as_u16(), 1);
}
