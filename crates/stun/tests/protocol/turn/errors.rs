//! Every error code of RFC 8489 and RFC 8656, and what comes before what.

use stun::message::{Class, Method, attribute};
use stun::turn::{Config, Reason, Verdict};

use super::{Raw, channel, peer, udp};
use crate::world::{PEER, World, client};

const TRANSPORT: Raw<'static> = (attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);

const TOKEN: Raw<'static> = (attribute::RESERVATION_TOKEN, &[0; 8]);
const EVEN: Raw<'static> = (attribute::EVEN_PORT, &[0x80]);
const V4: Raw<'static> = (attribute::REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]);
const MORE: Raw<'static> = (attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);

/// What is asked, and how it is refused.
const REFUSED: [(&str, &[Raw<'static>], u16); 16] = [
    ("no transport", &[], 400),
    (
        "a short one",
        &[(attribute::REQUESTED_TRANSPORT, &[17])],
        400,
    ),
    (
        "TCP",
        &[(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0])],
        442,
    ),
    ("unknown first", &[(0x7fff, &[])], 420),
    (
        "CHANGE-REQUEST",
        &[TRANSPORT, (attribute::CHANGE_REQUEST, &[0, 0, 0, 0])],
        420,
    ),
    ("token and even", &[TRANSPORT, TOKEN, EVEN], 400),
    ("token and family", &[TRANSPORT, TOKEN, V4], 400),
    ("token and more", &[TRANSPORT, TOKEN, MORE], 400),
    (
        "a short token",
        &[TRANSPORT, (attribute::RESERVATION_TOKEN, &[0; 7])],
        400,
    ),
    ("no such token", &[TRANSPORT, TOKEN], 508),
    (
        "no such family",
        &[
            TRANSPORT,
            (attribute::REQUESTED_ADDRESS_FAMILY, &[3, 0, 0, 0]),
        ],
        440,
    ),
    ("both kinds of family", &[TRANSPORT, V4, MORE], 400),
    (
        "more of IPv4",
        &[
            TRANSPORT,
            (attribute::ADDITIONAL_ADDRESS_FAMILY, &[1, 0, 0, 0]),
        ],
        400,
    ),
    ("more and a pair", &[TRANSPORT, EVEN, MORE], 400),
    (
        "a bad EVEN-PORT",
        &[TRANSPORT, (attribute::EVEN_PORT, &[])],
        400,
    ),
    (
        "a bad LIFETIME",
        &[TRANSPORT, (attribute::LIFETIME, &[1])],
        400,
    ),
];

#[test]
fn requests_for_an_allocation_are_refused_in_the_order_of_the_rfc() {
    let mut world = World::new();
    for (name, with, code) in REFUSED {
        let answer = world.does_raw(client(1), Method::ALLOCATE, with);
        assert_eq!(answer.code(), Some(code), "{name}");
        if code == 420 {
            let unknown = answer.first(attribute::UNKNOWN_ATTRIBUTES).unwrap();
            assert_eq!(unknown.len(), 2, "{name}");
        }
        assert!(answer.message().protection().is_some(), "{name}");
    }
    assert!(world.turn.is_empty() && world.quotas.all() == 0);
    // 437 comes before what is wrong with the request.
    world.allocate(client(1));
    let answer = world.does_raw(client(1), Method::ALLOCATE, &[]);
    assert_eq!(answer.code(), Some(437));
}

#[test]
fn a_family_that_we_do_not_have_is_440() {
    let mut world = World::with(Config {
        ipv6: false,
        ..Config::default()
    });
    let v6: (u16, &[u8]) = (attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    let answer = world.does_raw(client(1), Method::ALLOCATE, &[TRANSPORT, v6]);
    assert_eq!(answer.code(), Some(440));
    let more: (u16, &[u8]) = (attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    world.broken = vec![stun::turn::Family::V6];
    let answer = world.does_raw(client(1), Method::ALLOCATE, &[TRANSPORT, more]);
    assert_eq!(answer.code(), None);
}

#[test]
fn without_an_allocation_everything_is_437_and_with_somebody_elses_441() {
    let mut world = World::new();
    let methods = [
        Method::REFRESH,
        Method::CREATE_PERMISSION,
        Method::CHANNEL_BIND,
    ];
    for method in methods {
        let answer = world.does(client(1), method, vec![]);
        assert_eq!(answer.code(), Some(437), "{method:?}");
    }
    world.allocate(client(1));
    for method in methods {
        let bytes = world.theirs_of(("bob", "other"), client(1), method, vec![]);
        let answer = world.ask(client(1), &bytes).unwrap();
        assert_eq!(answer.code(), Some(441), "{method:?}");
    }
}

#[test]
fn permissions_and_channels_are_refused() {
    let mut world = World::new();
    world.allocate(client(1));
    for (text, code) in [
        ("127.0.0.1:1", 403),
        ("10.0.0.1:1", 403),
        ("172.31.32.1:20000", 403),
        ("[2606:4700::1]:1", 443),
        ("[::1]:1", 443),
        ("[::ffff:127.0.0.1]:1", 403),
    ] {
        let answer = world.does(client(1), Method::CREATE_PERMISSION, vec![peer(text)]);
        assert_eq!(answer.code(), Some(code), "{text}");
        let with = vec![channel(0x4000), peer(text)];
        let answer = world.does(client(1), Method::CHANNEL_BIND, with);
        assert_eq!(answer.code(), Some(code), "{text}");
    }
    // All or none.
    let both = vec![peer(PEER), peer("127.0.0.1:1")];
    let answer = world.does(client(1), Method::CREATE_PERMISSION, both);
    assert_eq!(answer.code(), Some(403));
    assert_eq!(world.turn.allocations().next().unwrap().permissions, 0);
    let answer = world.does(client(1), Method::CREATE_PERMISSION, vec![]);
    assert_eq!(answer.code(), Some(400));

    // A permission knows no port, a channel does.
    world.permit(client(1), "172.31.31.1:1");
    let with = vec![channel(0x4000), peer("172.31.31.1:443")];
    let answer = world.does(client(1), Method::CHANNEL_BIND, with);
    assert_eq!(answer.code(), Some(403));
    for with in [vec![channel(0x4000)], vec![peer(PEER)]] {
        let answer = world.does(client(1), Method::CHANNEL_BIND, with);
        assert_eq!(answer.code(), Some(400));
    }
    let outside: (u16, &[u8]) = (attribute::CHANNEL_NUMBER, &[0x50, 0, 0, 0]);
    let answer = world.does_raw(client(1), Method::CHANNEL_BIND, &[outside]);
    assert_eq!(answer.code(), Some(400));

    world.bind(client(1), 0x4000, PEER);
    world.bind(client(1), 0x4000, PEER);
    for with in [
        vec![channel(0x4001), peer(PEER)],
        vec![channel(0x4000), peer("9.9.9.9:5001")],
    ] {
        let answer = world.does(client(1), Method::CHANNEL_BIND, with);
        assert_eq!(answer.code(), Some(400));
    }
}

#[test]
fn permissions_and_channels_have_a_most_number() {
    let mut world = World::with(Config {
        permissions: 3,
        channels: 2,
        ..Config::default()
    });
    world.allocate(client(1));
    world.bind(client(1), 0x4000, "9.9.9.1:1");
    world.bind(client(1), 0x4001, "9.9.9.1:2");
    let with = vec![channel(0x4002), peer("9.9.9.1:3")];
    let answer = world.does(client(1), Method::CHANNEL_BIND, with);
    assert_eq!(answer.code(), Some(508));
    let with = vec![peer("9.9.9.1:1"), peer("9.9.9.2:1"), peer("9.9.9.3:1")];
    let answer = world.does(client(1), Method::CREATE_PERMISSION, with);
    assert_eq!(answer.code(), None);
    let answer = world.does(
        client(1),
        Method::CREATE_PERMISSION,
        vec![peer("9.9.9.4:1")],
    );
    assert_eq!(answer.code(), Some(508));
    world.permit(client(1), "9.9.9.3:7");
    // They end, and there is room again.
    world.wait(301);
    world.permit(client(1), "9.9.9.4:1");
}

#[test]
fn what_no_relay_is_sent_is_dropped() {
    let mut world = World::new();
    let mut id = 0;
    let mut send = |class, method| {
        let mut out = [0; 64];
        id += 1;
        let id = stun::message::TransactionId([id; 12]);
        let end = stun::message::Writer::new(&mut out, class, method, id)
            .finish()
            .unwrap();
        world.datagram(client(1), &out[..end])
    };
    for (class, method) in [
        (Class::Success, Method::BINDING),
        (Class::Error, Method::ALLOCATE),
        (Class::Indication, Method::BINDING),
        (Class::Indication, Method::DATA),
        (Class::Request, Method::SEND),
        (Class::Request, Method::CONNECT),
        (Class::Request, Method(0xfff)),
    ] {
        assert_eq!(send(class, method), Verdict::Drop(Reason::NotForUs));
    }
    assert_eq!(
        world.datagram(client(1), b"hello"),
        Verdict::Drop(Reason::NotStun)
    );
    assert_eq!(
        world.datagram(client(1), b""),
        Verdict::Drop(Reason::NotStun)
    );
    let wrong = world.theirs(client(1), Method::ALLOCATE, vec![udp()]);
    assert!(matches!(
        world.datagram(client(1), &wrong[..wrong.len() - 1]),
        Verdict::Drop(Reason::NotStun)
    ));
}
