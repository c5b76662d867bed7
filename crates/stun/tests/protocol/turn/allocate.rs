//! Allocate and Refresh.

use stun::credentials::Algorithm;
use stun::message::{Digest, Method, attribute};
use stun::turn::{Family, Input, Quota, Reason, Token, Verdict};
use stun_codec::rfc5766::attributes::{EvenPort, Lifetime, ReservationToken};
use stun_codec::rfc8656::attributes::{
    AdditionalAddressFamily, AddressFamily, RequestedAddressFamily,
};

use super::udp;
use crate::world::{OURS_V4, OURS_V6, World, address, client};

#[test]
fn an_allocation_tells_its_addresses() {
    let mut world = World::new();
    let answer = world.allocate(client(1));
    let relayed = answer.addresses(attribute::XOR_RELAYED_ADDRESS);
    assert_eq!(relayed, [address(&format!("{OURS_V4}:50000"))]);
    let mapped = answer.addresses(attribute::XOR_MAPPED_ADDRESS);
    assert_eq!(mapped, [client(1).address]);
    assert_eq!(answer.lifetime(), 600);
    assert_eq!(world.turn.len(), 1);
    assert_eq!(world.turn.allocations().count(), 1);
}

#[test]
fn a_client_of_the_new_kind_is_served() {
    let transport: (u16, &[u8]) = (attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    for (number, algorithm, digest) in [
        (1, Algorithm::Md5, Digest::Sha256),
        (2, Algorithm::Sha256, Digest::Sha256),
    ] {
        let mut world = World::new();
        let bytes = world.modern(
            client(number),
            Method::ALLOCATE,
            &[transport],
            algorithm,
            digest,
        );
        let answer = world.ask(client(number), &bytes).unwrap();
        assert_eq!(answer.code(), None);
        let key = algorithm.key(b"alice", crate::world::REALM.as_bytes(), b"secret");
        assert_eq!(answer.message().protection(), Some(Digest::Sha256));
        assert!(answer.message().is_by(&key, Digest::Sha256, 32));
    }
}

#[test]
fn a_request_that_comes_again_gets_the_same_answer() {
    let mut world = World::new();
    let bytes = world.theirs(client(1), Method::ALLOCATE, vec![udp()]);
    world.is_slow = true;
    assert!(world.ask(client(1), &bytes).is_none());
    let again = world.datagram(client(1), &bytes);
    assert_eq!(again, Verdict::Drop(Reason::Busy));
    let first = world.open().unwrap();
    world.wait(7);
    let second = world.ask(client(1), &bytes).unwrap();
    assert_eq!(first.0, second.0);
    assert_eq!(world.turn.len(), 1);
    let other = world.does(client(1), Method::ALLOCATE, vec![udp()]);
    assert_eq!(other.code(), Some(437));
}

#[test]
fn both_families_and_one_of_them_if_the_other_can_not_be() {
    let mut world = World::new();
    let both = || {
        vec![
            udp(),
            AdditionalAddressFamily::new(AddressFamily::V6).into(),
        ]
    };
    let answer = world.does(client(1), Method::ALLOCATE, both());
    let relayed = answer.addresses(attribute::XOR_RELAYED_ADDRESS);
    let expected = [format!("{OURS_V4}:50000"), format!("[{OURS_V6}]:50000")];
    assert_eq!(relayed, expected.map(|text| address(&text)));
    assert_eq!(answer.first(attribute::ADDRESS_ERROR_CODE), None);

    world.broken = vec![Family::V6];
    let bytes = world.theirs(client(2), Method::ALLOCATE, both());
    let answer = world.ask(client(2), &bytes).unwrap();
    let error = answer.first(attribute::ADDRESS_ERROR_CODE);
    assert_eq!(error, Some(vec![2, 0, 5, 8]));
    assert_eq!(world.ask(client(2), &bytes).unwrap().0, answer.0);

    world.broken = vec![Family::V4, Family::V6];
    let answer = world.does(client(3), Method::ALLOCATE, both());
    assert_eq!(answer.code(), Some(508));

    world.broken = vec![];
    let only = vec![udp(), RequestedAddressFamily::new(AddressFamily::V6).into()];
    let answer = world.does(client(4), Method::ALLOCATE, only);
    let relayed = answer.addresses(attribute::XOR_RELAYED_ADDRESS);
    assert!(relayed.len() == 1 && relayed[0].is_ipv6());
    assert_eq!(world.sockets.len(), 4);
}

#[test]
fn a_port_is_kept_for_whoever_has_its_token_for_half_a_minute() {
    let mut world = World::new();
    let pair = |world: &mut World, number| {
        let with = vec![udp(), EvenPort::new(true).into()];
        let answer = world.does(client(number), Method::ALLOCATE, with);
        let token = answer.first(attribute::RESERVATION_TOKEN).unwrap();
        u64::from_be_bytes(token.try_into().unwrap())
    };
    let take = |world: &mut World, number, token| {
        let with = vec![udp(), ReservationToken::new(token).into()];
        world.does(client(number), Method::ALLOCATE, with)
    };
    let token = pair(&mut world, 1);
    assert_eq!(take(&mut world, 9, token ^ 1).code(), Some(508));
    let answer = take(&mut world, 2, token);
    let relayed = answer.addresses(attribute::XOR_RELAYED_ADDRESS);
    assert_eq!(relayed[0].port(), 50_001);
    assert_eq!(take(&mut world, 3, token).code(), Some(508));
    // Of another worker: whether it is still there is known to whoever has the sockets.
    let elsewhere = [9, 1, 2, 3, 4, 5, 6, 7];
    let above = address(&format!("{OURS_V4}:50999"));
    world.kept.insert(Token(elsewhere), above);
    let elsewhere = u64::from_be_bytes(elsewhere);
    let answer = take(&mut world, 6, elsewhere);
    assert_eq!(answer.addresses(attribute::XOR_RELAYED_ADDRESS), [above]);
    assert_eq!(take(&mut world, 7, elsewhere).code(), Some(508));
    let late = pair(&mut world, 4);
    assert_eq!(world.kept.len(), 1);
    world.wait(31);
    assert!(world.kept.is_empty());
    assert_eq!(take(&mut world, 5, late).code(), Some(508));
}

#[test]
fn a_lifetime_is_at_least_ten_minutes_and_at_most_an_hour() {
    let mut world = World::new();
    for (number, wanted, granted) in [
        (1, 1, 600),
        (2, 1000, 1000),
        (3, 100_000, 3600),
        (4, 0, 600),
    ] {
        let with = vec![udp(), Lifetime::from_u32(wanted).into()];
        let answer = world.does(client(number), Method::ALLOCATE, with);
        assert_eq!(answer.lifetime(), granted, "{wanted}");
    }
    let refresh = |world: &mut World, wanted| {
        let with = vec![Lifetime::from_u32(wanted).into()];
        world.does(client(1), Method::REFRESH, with)
    };
    assert_eq!(refresh(&mut world, 1200).lifetime(), 1200);
    assert_eq!(refresh(&mut world, 0).lifetime(), 0);
    assert_eq!(refresh(&mut world, 0).code(), Some(437));
    assert_eq!(world.turn.len(), 3);
}

#[test]
fn one_of_two_families_can_be_given_back() {
    let mut world = World::new();
    let both = vec![
        udp(),
        AdditionalAddressFamily::new(AddressFamily::V6).into(),
    ];
    world.does(client(1), Method::ALLOCATE, both);
    let give_back = |world: &mut World, family| {
        let family = RequestedAddressFamily::new(family).into();
        let with = vec![Lifetime::from_u32(0).into(), family];
        world.does(client(1), Method::REFRESH, with)
    };
    assert_eq!(give_back(&mut world, AddressFamily::V4).code(), None);
    assert_eq!(world.sockets.len(), 1);
    assert_eq!(give_back(&mut world, AddressFamily::V4).code(), Some(443));
    assert_eq!(give_back(&mut world, AddressFamily::V6).code(), None);
    assert!(world.sockets.is_empty() && world.turn.is_empty());
}

#[test]
fn quotas_are_kept_and_given_back_and_nobody_is_dropped_for_them() {
    let mut world = World::new();
    for number in 0..10 {
        world.allocate(client(number));
    }
    let answer = world.does(client(10), Method::ALLOCATE, vec![udp()]);
    assert_eq!(answer.code(), Some(486));
    let bob = ("bob", "other");
    for number in 20..30 {
        let bytes = world.theirs_of(bob, client(number), Method::ALLOCATE, vec![udp()]);
        assert_eq!(world.ask(client(number), &bytes).unwrap().code(), None);
    }
    world.quotas.set(Quota {
        user: 100,
        source: 100,
        all: 20,
    });
    let answer = world.does(client(10), Method::ALLOCATE, vec![udp()]);
    assert_eq!(answer.code(), Some(508));
    assert_eq!(world.turn.len(), 20);
    world.input(Input::Gone { client: client(0) });
    assert_eq!(world.quotas.all(), 19);
    world.allocate(client(10));
    world.turn.drain();
    world.input(Input::Gone { client: client(1) });
    let answer = world.does(client(11), Method::ALLOCATE, vec![udp()]);
    assert_eq!(answer.code(), Some(508));
    world.turn.retire(OURS_V4.parse().unwrap());
    world.wait(0);
    assert!(world.turn.is_empty() && world.quotas.all() == 0);
}

#[test]
fn sockets_that_come_too_late_are_closed() {
    let mut world = World::new();
    world.is_slow = true;
    let bytes = world.theirs(client(1), Method::ALLOCATE, vec![udp()]);
    assert!(world.ask(client(1), &bytes).is_none());
    world.wait(60);
    assert!(world.turn.is_empty() && world.quotas.all() == 0);
    assert!(world.open().is_none());
    assert!(world.sockets.is_empty());
    // And where there are none, the client is told, and nothing is left of it.
    world.broken = vec![Family::V4];
    let answer = world.does(client(1), Method::ALLOCATE, vec![udp()]);
    assert_eq!(answer.code(), Some(508));
    assert!(world.turn.is_empty() && world.quotas.all() == 0);
}
