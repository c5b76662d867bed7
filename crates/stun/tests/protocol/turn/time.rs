//! What ends by itself.

use stun::channel_data::Channel;
use stun::message::{Method, attribute};
use stun::turn::{Family, Input, Reason, Relay, Verdict};
use stun_codec::rfc5766::attributes::Lifetime;

use super::udp;
use crate::world::{PEER, World, address, client};

fn up(world: &mut World) -> Verdict {
    let mut bytes = Channel::new(0x4000).unwrap().header(4).unwrap().to_vec();
    bytes.extend_from_slice(&[0; 4]);
    world.datagram(client(1), &bytes)
}

fn down(world: &mut World) -> Verdict {
    let allocation = world.turn.allocations().next().unwrap().id;
    let relay = Relay {
        allocation,
        family: Family::V4,
    };
    let peer = address(PEER);
    world
        .input(Input::FromPeer {
            relay,
            peer,
            length: 4,
        })
        .0
}

#[test]
fn an_allocation_ends_with_its_lifetime_and_is_kept_by_refreshes() {
    let mut world = World::new();
    world.allocate(client(1));
    world.wait(599);
    assert_eq!(world.turn.len(), 1);
    let answer = world.does(client(1), Method::REFRESH, vec![]);
    assert_eq!(answer.lifetime(), 600);
    world.wait(599);
    assert_eq!(world.turn.len(), 1);
    world.wait(1);
    assert!(world.turn.is_empty() && world.sockets.is_empty());
    assert_eq!(world.quotas.all(), 0);
    assert_eq!(world.turn.poll_timeout(), None);
    let answer = world.does(client(1), Method::REFRESH, vec![]);
    assert_eq!(answer.code(), Some(437));
}

#[test]
fn an_allocation_that_is_over_counts_no_more_even_where_nobody_has_looked() {
    let mut world = World::new();
    world.allocate(client(1));
    world.bind(client(1), 0x4000, PEER);
    // Time passes without a timeout.
    world.milliseconds += 600_000;
    assert_eq!(up(&mut world), Verdict::Drop(Reason::NoChannel));
    assert_eq!(down(&mut world), Verdict::Drop(Reason::NoAllocation));
    let answer = world.allocate(client(1));
    let relayed = answer.addresses(attribute::XOR_RELAYED_ADDRESS);
    assert_eq!(relayed[0].port(), 50_002);
    assert_eq!((world.turn.len(), world.sockets.len()), (1, 1));
}

#[test]
fn a_channel_lasts_ten_minutes_and_a_permission_five() {
    let mut world = World::new();
    let hour = vec![udp(), Lifetime::from_u32(3600).into()];
    world.does(client(1), Method::ALLOCATE, hour);
    world.bind(client(1), 0x4000, PEER);
    world.wait(299);
    assert!(matches!(up(&mut world), Verdict::ToPeer { .. }));
    assert!(matches!(down(&mut world), Verdict::ToClient { .. }));
    world.wait(1);
    assert!(matches!(up(&mut world), Verdict::ToPeer { .. }));
    assert_eq!(down(&mut world), Verdict::Drop(Reason::NoPermission));
    world.permit(client(1), PEER);
    assert!(matches!(down(&mut world), Verdict::ToClient { .. }));
    world.wait(299);
    assert!(matches!(up(&mut world), Verdict::ToPeer { .. }));
    world.wait(1);
    assert_eq!(up(&mut world), Verdict::Drop(Reason::NoChannel));
    // Its number is free again.
    world.bind(client(1), 0x4000, "9.9.9.9:5001");
    let shown = world.turn.allocations().next().unwrap();
    assert_eq!((shown.permissions, shown.channels), (1, 1));
}

#[test]
fn a_nonce_lasts_an_hour_and_the_next_one_is_in_the_answer() {
    let mut world = World::new();
    let hour = vec![udp(), Lifetime::from_u32(3600).into()];
    world.does(client(1), Method::ALLOCATE, hour);
    let refresh = world.theirs(client(1), Method::REFRESH, vec![]);
    world.wait(3599);
    assert_eq!(world.ask(client(1), &refresh).unwrap().code(), None);
    world.wait(1);
    let answer = world.ask(client(1), &refresh).unwrap();
    assert_eq!(answer.code(), Some(438));
    assert!(answer.first(attribute::NONCE).is_some());
    assert!(answer.first(attribute::REALM).is_some());
    assert_eq!(world.turn.len(), 1);
}

#[test]
fn many_that_end_at_once_end_all() {
    let mut world = World::new();
    for number in 0..10 {
        world.allocate(client(number));
    }
    assert_eq!(world.sockets.len(), 10);
    world.wait(600);
    assert!(world.turn.is_empty() && world.sockets.is_empty());
    // Places are used again, and an old number means nothing.
    world.allocate(client(1));
    let id = world.turn.allocations().next().unwrap().id;
    assert!(id.place < 10 && id.generation > 0);
    let old = Relay {
        allocation: stun::turn::AllocationId {
            generation: id.generation - 1,
            ..id
        },
        family: Family::V4,
    };
    let input = Input::FromPeer {
        relay: old,
        peer: address(PEER),
        length: 1,
    };
    assert_eq!(world.input(input).0, Verdict::Drop(Reason::NoAllocation));
}
