//! What is relayed, both ways.

use stun::channel_data::Channel;
use stun::message::{Class, Message, Method, Writer, attribute};
use stun::peer::Peers;
use stun::turn::{Client, Config, Family, Input, Reason, Relay, Transport, Verdict};
use stun_codec::rfc8656::attributes::{AdditionalAddressFamily, AddressFamily};

use super::udp;
use crate::world::{OURS_V4, PEER, World, address, client};

/// Channel data of so many bytes.
fn framed(number: u16, length: usize) -> Vec<u8> {
    let mut bytes = Channel::new(number)
        .unwrap()
        .header(length)
        .unwrap()
        .to_vec();
    bytes.resize(4 + length, 7);
    bytes
}

/// A Send indication.
fn send(world: &mut World, peer: &str, data: &[u8], more: &[(u16, &[u8])]) -> Vec<u8> {
    let mut out = [0; 2000];
    let id = world.transaction();
    let mut writer = Writer::new(&mut out, Class::Indication, Method::SEND, id);
    writer.xor_address(attribute::XOR_PEER_ADDRESS, address(peer));
    for (kind, value) in more {
        writer.attribute(*kind, value);
    }
    let length = writer.attribute(attribute::DATA, data).finish().unwrap();
    out[..length].to_vec()
}

fn relay(world: &World, of: Client) -> Relay {
    let found = world.turn.allocations().find(|shown| shown.client == of);
    Relay {
        allocation: found.unwrap().id,
        family: Family::V4,
    }
}

fn from_peer(world: &mut World, relay: Relay, peer: &str, length: usize) -> Verdict {
    let peer = address(peer);
    world
        .input(Input::FromPeer {
            relay,
            peer,
            length,
        })
        .0
}

#[test]
fn channel_data_goes_both_ways() {
    let mut world = World::new();
    let bytes = framed(0x4000, 172);
    let verdict = world.datagram(client(1), &bytes);
    assert_eq!(verdict, Verdict::Drop(Reason::NoAllocation));
    world.allocate(client(1));
    let verdict = world.datagram(client(1), &bytes);
    assert_eq!(verdict, Verdict::Drop(Reason::NoChannel));
    world.bind(client(1), 0x4000, PEER);
    let relay = relay(&world, client(1));
    let expected = Verdict::ToPeer {
        relay,
        peer: address(PEER),
        payload: 4..176,
        dont_fragment: false,
    };
    assert_eq!(world.datagram(client(1), &bytes), expected);
    assert_eq!(
        world.datagram(client(1), &bytes[..175]),
        Verdict::Drop(Reason::NotStun)
    );
    let Verdict::ToClient {
        client: to,
        header,
        padding,
    } = from_peer(&mut world, relay, PEER, 171)
    else {
        panic!("to the client");
    };
    assert_eq!(
        (to, header.as_slice(), padding),
        (client(1), &[0x40, 0, 0, 171][..], 0)
    );
    // From the same address and another port: permitted, and without a number.
    let Verdict::ToClient { header, .. } = from_peer(&mut world, relay, "9.9.9.9:5001", 171) else {
        panic!("to the client");
    };
    assert_eq!(header.as_slice().len(), 20 + 12 + 4);
    let verdict = from_peer(&mut world, relay, "9.9.9.8:5000", 171);
    assert_eq!(verdict, Verdict::Drop(Reason::NoPermission));
    let shown = world.turn.allocations().next().unwrap().traffic;
    assert_eq!((shown.packets_up, shown.bytes_up), (1, 172));
    assert_eq!((shown.packets_down, shown.bytes_down), (2, 342));
}

#[test]
fn indications_go_both_ways() {
    let mut world = World::new();
    world.allocate(client(1));
    let bytes = send(&mut world, PEER, b"hello", &[]);
    let verdict = world.datagram(client(1), &bytes);
    assert_eq!(verdict, Verdict::Drop(Reason::NoPermission));
    world.permit(client(1), "9.9.9.9:1");
    let relay = relay(&world, client(1));
    for (more, expected) in [
        (vec![], false),
        (vec![(attribute::DONT_FRAGMENT, &[][..])], true),
    ] {
        let bytes = send(&mut world, PEER, b"hello", &more);
        let Verdict::ToPeer {
            payload,
            dont_fragment,
            ..
        } = world.datagram(client(1), &bytes)
        else {
            panic!("to the peer");
        };
        assert_eq!(&bytes[payload], b"hello");
        assert_eq!(dont_fragment, expected);
    }
    let odd = send(&mut world, PEER, b"hello", &[(0x7fff, &[])]);
    let verdict = world.datagram(client(1), &odd);
    assert_eq!(verdict, Verdict::Drop(Reason::NotForUs));
    let denied = send(&mut world, "127.0.0.1:53", b"hello", &[]);
    let verdict = world.datagram(client(1), &denied);
    assert_eq!(verdict, Verdict::Drop(Reason::Peer));

    for length in [0, 1, 2, 3, 4, 1200] {
        let Verdict::ToClient {
            header, padding, ..
        } = from_peer(&mut world, relay, PEER, length)
        else {
            panic!("to the client");
        };
        let mut whole = header.as_slice().to_vec();
        whole.resize(whole.len() + length, 9);
        whole.resize(whole.len() + padding, 0);
        let message = Message::parse(&whole).unwrap();
        assert_eq!(
            (message.class(), message.method()),
            (Class::Indication, Method::DATA)
        );
        assert_eq!(message.first(attribute::DATA), Some(&vec![9; length][..]));
        let from = message.attributes().next().unwrap().xor_address(&message);
        assert_eq!(from, Some(address(PEER)));
    }
    let verdict = from_peer(&mut world, relay, PEER, 65_530);
    assert_eq!(verdict, Verdict::Drop(Reason::Size));
}

#[test]
fn streams_are_padded() {
    let mut world = World::new();
    let stream = Client {
        transport: Transport::Tcp,
        connection: 3,
        ..client(1)
    };
    world.allocate(stream);
    world.bind(stream, 0x4000, PEER);
    let relay = relay(&world, stream);
    for (length, expected) in [(0, 0), (1, 3), (2, 2), (3, 1), (4, 0)] {
        let verdict = from_peer(&mut world, relay, PEER, length);
        let Verdict::ToClient { padding, .. } = verdict else {
            panic!("{verdict:?}");
        };
        assert_eq!(padding, expected);
    }
    // The same address by another connection is another client.
    let other = Client {
        connection: 4,
        ..stream
    };
    let verdict = world.datagram(other, &framed(0x4000, 4));
    assert_eq!(verdict, Verdict::Drop(Reason::NoAllocation));
    world.input(Input::Gone { client: stream });
    assert!(world.turn.is_empty() && world.sockets.is_empty());
    let verdict = from_peer(&mut world, relay, PEER, 4);
    assert_eq!(verdict, Verdict::Drop(Reason::NoAllocation));
}

#[test]
fn two_of_our_clients_meet_inside_the_box() {
    let mut world = World::new();
    world.allocate(client(1));
    world.allocate(client(2));
    let first = format!("{OURS_V4}:50000");
    let second = format!("{OURS_V4}:50002");
    world.bind(client(1), 0x4000, &second);
    world.permit(client(2), &first);
    let (one, two) = (relay(&world, client(1)), relay(&world, client(2)));
    let verdict = world.datagram(client(1), &framed(0x4000, 99));
    let expected = Verdict::ToOwnRelay {
        relay: Some(two),
        to: address(&second),
        from: address(&first),
        payload: 4..103,
    };
    assert_eq!(verdict, expected);
    let verdict = from_peer(&mut world, two, &first, 99);
    assert!(matches!(verdict, Verdict::ToClient { client: to, .. } if to == client(2)));
    // Of another worker, or of nobody.
    world.bind(client(1), 0x4001, &format!("{OURS_V4}:59999"));
    let verdict = world.datagram(client(1), &framed(0x4001, 9));
    assert!(matches!(verdict, Verdict::ToOwnRelay { relay: None, .. }));
    // Nobody who was not let in comes in by this way, either.
    let verdict = from_peer(&mut world, one, "9.9.9.9:1", 99);
    assert_eq!(verdict, Verdict::Drop(Reason::NoPermission));
}

#[test]
fn bandwidth_is_limited_for_each_and_for_all() {
    let mut world = World::with(Config {
        bytes_per_second: 10_000,
        bytes_per_second_in_all: 15_000,
        ..Config::default()
    });
    for number in [1, 2] {
        world.allocate(client(number));
        world.bind(client(number), 0x4000, PEER);
    }
    world.milliseconds += 2000;
    let bytes = framed(0x4000, 1000);
    let passed = |world: &mut World, number| {
        let sent = (0..50).filter(|_| {
            let verdict = world.datagram(client(number), &bytes);
            matches!(verdict, Verdict::ToPeer { .. })
        });
        sent.count()
    };
    assert_eq!(passed(&mut world, 1), 10);
    assert_eq!(passed(&mut world, 2), 5);
    world.milliseconds += 500;
    assert_eq!(passed(&mut world, 1), 5);
    let verdict = world.datagram(client(1), &bytes);
    assert_eq!(verdict, Verdict::Drop(Reason::Bandwidth));
}

#[test]
fn errors_on_the_way_are_told() {
    let mut world = World::new();
    world.allocate(client(1));
    world.permit(client(1), PEER);
    let relay = relay(&world, client(1));
    let icmp = |peer: &str| Input::Icmp {
        relay,
        peer: address(peer),
        kind: 3,
        code: 4,
        data: [0, 0, 5, 0xdc],
    };
    let (verdict, _) = world.input(icmp("9.9.9.8:5000"));
    assert_eq!(verdict, Verdict::Drop(Reason::NoPermission));
    let told = world.input(icmp(PEER)).1.unwrap();
    assert_eq!(told.message().class(), Class::Indication);
    assert_eq!(told.addresses(attribute::XOR_PEER_ADDRESS), [address(PEER)]);
    let value = told.first(attribute::ICMP).unwrap();
    assert_eq!(value, [0, 0, 6, 4, 0, 0, 5, 0xdc]);
    assert_eq!(told.first(attribute::DATA), None);
}

#[test]
fn other_rules_hold_at_once() {
    let mut world = World::new();
    let both = vec![
        udp(),
        AdditionalAddressFamily::new(AddressFamily::V6).into(),
    ];
    world.does(client(1), Method::ALLOCATE, both);
    world.bind(client(1), 0x4000, "172.31.31.5:20000");
    world.bind(client(1), 0x4001, "[2606:4700::1]:20000");
    let private = framed(0x4000, 8);
    assert!(matches!(
        world.datagram(client(1), &private),
        Verdict::ToPeer { .. }
    ));
    world.turn.set_peers(Peers::new());
    let verdict = world.datagram(client(1), &private);
    assert_eq!(verdict, Verdict::Drop(Reason::NoChannel));
    let verdict = world.datagram(client(1), &framed(0x4001, 8));
    assert!(matches!(verdict, Verdict::ToPeer { .. }));
}
