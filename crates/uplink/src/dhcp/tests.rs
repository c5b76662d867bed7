mod answers;
mod model;

use std::net::Ipv4Addr;
use std::time::{Duration, UNIX_EPOCH};

use dhcproto::v4::{DhcpOption, MessageType};

use model::{FIRST, SERVER, Server, World, after_noon};

use super::{Lease, Loss, Output, Receiver, Route};
use MessageType::{Decline, Discover, Release, Request};

/// A world whose client has a lease of so many seconds.
fn bound(lasts: u32) -> World {
    let mut world = World::new(Server::new(lasts), None, 1);
    world.pass(0);
    assert_eq!(world.address(), Some(FIRST));
    world
}

fn route(to: &str, via: Option<&str>) -> Route {
    Route {
        to: to.parse().unwrap(),
        via: via.map(|via| via.parse().unwrap()),
    }
}

fn remembered(lasts: u32) -> Lease {
    bound(lasts).bound.remove(0)
}

#[test]
fn asks_at_once_and_gets_a_lease() {
    let world = bound(3600);
    assert_eq!(world.said(), [Discover, Request]);
    let lease = &world.bound[0];
    assert_eq!(lease.address.to_string(), "192.0.2.100/24");
    assert_eq!((lease.router, lease.server), (Some(SERVER), SERVER));
    let times = lease.times.unwrap();
    assert_eq!((times.renew, times.rebind, times.lasts), (1800, 3150, 3600));
    let expires = after_noon(3600).duration_since(UNIX_EPOCH).unwrap();
    assert_eq!(times.expires, expires.as_secs());
}

#[test]
fn asks_again_after_4_8_16_32_and_64_seconds_give_or_take_one() {
    let mut world = World::new(Server::new(3600), None, 5);
    world.server.is_up = false;
    world.pass(400);
    let at: Vec<u64> = world.sent.iter().map(|(at, ..)| *at).collect();
    let mut until = 0;
    for (number, wait) in [4, 8, 16, 32, 64, 64].into_iter().enumerate() {
        let waited = at[number + 1] - at[number];
        assert!((wait - 2..=wait + 1).contains(&waited), "{at:?}");
        until += waited;
    }
    assert!(until <= 195, "{at:?}");
}

#[test]
fn renews_at_half_time_with_its_server_alone() {
    let mut world = bound(3600);
    world.pass(1801);
    assert_eq!(world.sent[2], (1800, Receiver::Server(SERVER), Request));
    assert_eq!(world.bound.len(), 2);
    let (old, new) = (world.bound[0].times.unwrap(), world.bound[1].times.unwrap());
    assert_eq!(new.expires, old.expires + 1800);
    assert!(world.lost.is_empty());
}

#[test]
fn asks_everybody_at_seven_eighths_and_ends_with_the_lease() {
    let mut world = bound(3600);
    world.server.is_up = false;
    world.pass(3599);
    let later: Vec<_> = world.sent[2..].to_vec();
    let (server, all): (Vec<_>, Vec<_>) = later.iter().partition(|(at, ..)| *at < 3150);
    let to_server = |(_, to, kind): &&(u64, Receiver, MessageType)| {
        *to == Receiver::Server(SERVER) && *kind == Request
    };
    assert!(
        !server.is_empty() && server.iter().all(to_server),
        "{later:?}"
    );
    assert!(
        all.iter()
            .all(|(_, to, kind)| (*to, *kind) == (Receiver::Broadcast, Request))
    );
    assert_eq!(all[0].0, 3150);
    // Half of what is left, never below a minute.
    assert!(
        later
            .windows(2)
            .all(|two| two[1].0 - two[0].0 >= 60 || two[1].0 == 3150),
        "{later:?}"
    );
    assert!(world.lost.is_empty());
    world.pass(2);
    assert_eq!(world.lost, [(3600, Loss::Expired)]);
    assert_eq!(world.sent.last().unwrap().2, Discover);
    world.server.is_up = true;
    world.pass(70);
    assert_eq!(world.address(), Some(FIRST));
}

#[test]
fn another_server_may_take_the_lease_over() {
    let mut world = bound(3600);
    world.server.id = Ipv4Addr::new(192, 0, 2, 2);
    world.server.is_up = false;
    world.pass(3000);
    world.server.is_up = true;
    world.pass(200);
    assert_eq!(world.bound.last().unwrap().server, world.server.id);
    assert!(world.lost.is_empty());
}

#[test]
fn a_no_ends_the_lease_and_the_waits_after_it_grow() {
    let mut world = bound(3600);
    let other = Ipv4Addr::new(192, 0, 2, 200);
    world.server.gives = other;
    world.pass(1900);
    assert_eq!(world.lost, [(1800, Loss::Denied(String::new()))]);
    assert_eq!(world.address(), Some(other));

    // Offers one address and denies it again and again.
    let liar = Server::new(3600);
    let mut world = World::new(Server::new(0), None, 1);
    let mut times = Vec::new();
    while times.len() < 9 {
        let discover = world.question();
        times.push(world.second());
        let offer = liar.write(&discover, MessageType::Offer, FIRST);
        world.client.handle_input(&offer, world.now);
        let request = world.question();
        let nak = liar.write(&request, MessageType::Nak, Ipv4Addr::UNSPECIFIED);
        world.client.handle_input(&nak, world.now);
    }
    let waits: Vec<u64> = times.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64]);
}

#[test]
fn a_remembered_lease_is_asked_for_first() {
    let mut world = World::new(Server::new(3600), Some(remembered(3600)), 2);
    world.pass(0);
    assert_eq!(world.said(), [Request]);
    assert_eq!(world.sent[0].1, Receiver::Broadcast);
    assert_eq!(world.address(), Some(FIRST));

    let mut moved = Server::new(3600);
    moved.gives = Ipv4Addr::new(192, 0, 2, 9);
    let mut world = World::new(moved, Some(remembered(3600)), 2);
    world.pass(3);
    assert_eq!(world.said(), [Request, Discover, Request]);
    assert_eq!(world.address(), Some(Ipv4Addr::new(192, 0, 2, 9)));
    assert!(world.lost.is_empty(), "it was never in use");
}

#[test]
fn a_remembered_lease_is_used_while_nobody_answers_but_not_beyond_its_end() {
    let mut lease = remembered(3600);
    let end = lease.times.unwrap().expires - 3000;
    lease.times.as_mut().unwrap().expires = end;
    let mut world = World::new(Server::new(3600), Some(lease.clone()), 3);
    world.server.is_up = false;
    world.pass(20);
    assert_eq!(world.bound, [lease.clone()]);
    world.pass(600);
    assert_eq!(world.lost, [(600, Loss::Expired)]);

    lease.times.as_mut().unwrap().expires = 1_600_000_000;
    let mut world = World::new(Server::new(3600), Some(lease.clone()), 3);
    world.server.is_up = false;
    world.pass(600);
    assert!(world.bound.is_empty(), "it had ended before the start");

    // A clock that stands years behind does not make it longer than it was given for.
    lease.times.as_mut().unwrap().expires = u64::MAX;
    let mut world = World::new(Server::new(3600), Some(lease), 3);
    world.server.is_up = false;
    world.pass(3620);
    assert_eq!(world.lost.len(), 1);
}

#[test]
fn a_stored_lease_that_can_not_be_is_not_asked_for() {
    let changes: [fn(&mut Lease); 13] = [
        |lease| lease.address = "127.0.0.1/8".parse().unwrap(),
        |lease| lease.address = "192.0.2.100/0".parse().unwrap(),
        |lease| lease.server = Ipv4Addr::BROADCAST,
        |lease| lease.router = Some(FIRST),
        |lease| lease.routes = vec![route("10.0.0.0/8", Some("224.0.0.1"))],
        |lease| lease.routes = vec![route("127.0.0.0/8", None)],
        |lease| lease.routes = vec![route("10.0.0.0/8", None); 65],
        |lease| lease.name_servers = vec![SERVER; 9],
        |lease| lease.time_servers = vec![Ipv4Addr::LOCALHOST],
        |lease| lease.domain = Some("a b".to_owned()),
        |lease| lease.mtu = Some(68),
        |lease| lease.times.as_mut().unwrap().renew = u32::MAX,
        |lease| lease.times.as_mut().unwrap().renew = 0,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut lease = remembered(3600);
        assert!(lease.is_sound());
        change(&mut lease);
        assert!(!lease.is_sound(), "change {number}");
        let mut world = World::new(Server::new(3600), Some(lease), 2);
        world.pass(0);
        assert_eq!(world.said(), [Discover, Request]);
    }
    let lease = remembered(3600);
    let text = serde_json::to_string(&lease).unwrap();
    assert_eq!(serde_json::from_str::<Lease>(&text).unwrap(), lease);
}

#[test]
fn a_link_that_comes_back_is_asked_about_and_keeps_its_lease() {
    let mut world = bound(3600);
    world.pass(10);
    world.client.verify(world.now);
    let held = world.address();
    world.pass(0);
    assert_eq!(
        (world.said(), held),
        (vec![Discover, Request, Request], Some(FIRST))
    );
    assert_eq!(world.bound.len(), 2);

    // Nobody answers there: kept until its end.
    world.server.is_up = false;
    world.client.verify(world.now);
    world.pass(3599);
    assert!(world.lost.is_empty());
    world.pass(2);
    assert_eq!(world.lost, [(3610, Loss::Expired)]);
}

#[test]
fn a_lease_that_ends_while_it_is_asked_about_has_ended_whatever_the_calendar_says() {
    let mut world = bound(3600);
    world.server.is_up = false;
    world.pass(3595);
    world.now.wall -= Duration::from_mins(50);
    world.client.verify(world.now);
    world.pass(60);
    assert_eq!(world.lost, [(3600, Loss::Expired)]);
    assert_eq!((world.bound.len(), world.address()), (1, None));
}

#[test]
fn an_address_in_use_is_declined_and_another_is_asked_for_after_ten_seconds() {
    let mut world = bound(3600);
    world.client.address_in_use(world.now);
    world.pass(11);
    assert_eq!(
        world.said(),
        [Discover, Request, Decline, Discover, Request]
    );
    assert_eq!(world.sent[3].0, 10);
    assert_eq!(world.lost, [(0, Loss::InUse)]);
    assert_eq!(world.address(), Some(Ipv4Addr::new(192, 0, 2, 101)));
}

#[test]
fn a_lease_is_given_back_and_nothing_happens_after_it() {
    let mut world = bound(3600);
    world.client.release(world.now);
    world.pass(10_000);
    assert_eq!(world.said(), [Discover, Request, Release]);
    assert_eq!(world.sent[2].1, Receiver::Server(SERVER));
    assert_eq!(world.lost, [(0, Loss::Released)]);
    assert!(world.client.is_stopped() && world.server.promised.is_empty());
    world.client.verify(world.now);
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn a_lease_for_ever_is_never_renewed() {
    let mut world = bound(u32::MAX);
    assert_eq!(world.bound[0].times, None);
    world.pass(10_000_000);
    assert_eq!(world.said(), [Discover, Request]);
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn a_lease_of_a_second_is_taken_for_thirty() {
    let mut world = bound(1);
    assert_eq!(world.bound[0].times.unwrap().lasts, 30);
    world.pass(3000);
    assert!(world.sent.len() < 210, "{}", world.sent.len());
}

#[test]
fn outputs_that_nobody_takes_are_limited_and_the_news_among_them_stay() {
    let mut world = bound(3600);
    world.client.address_in_use(world.now);
    for _ in 0..200 {
        let next = world.client.poll_timeout().unwrap();
        world.now.instant = next;
        world.client.handle_timeout(world.now);
    }
    let outputs: Vec<_> = std::iter::from_fn(|| world.client.poll_output()).collect();
    assert_eq!(outputs.len(), 16);
    assert!(outputs.contains(&Output::Lost(Loss::InUse)));
}

/// What the client believes is what the server has promised, whatever is lost on the way.
#[test]
fn with_loss_the_client_never_uses_an_address_that_is_not_promised() {
    for seed in 1..200 {
        let mut world = World::new(Server::new(600), None, seed);
        world.loss = 40;
        let mut with = 0;
        for minute in 0..600 {
            // The server is away now and then, and later gives another address.
            world.server.is_up = minute % 100 < 80;
            if minute == 300 {
                world.server.gives = Ipv4Addr::new(192, 0, 2, 150);
                world.client.verify(world.now);
            }
            world.pass(60);
            if let Some(address) = world.address() {
                let end = world.server.promised[&address];
                assert!(world.now.instant <= end, "seed {seed}, minute {minute}");
                with += 1;
            }
        }
        assert!(
            with > 300,
            "seed {seed}: only {with} minutes with an address"
        );
    }
}

#[test]
fn hostnames_are_told_only_if_they_are_plain() {
    for (name, told) in [
        ("gate-7.lan", true),
        ("b\u{f6}x", false),
        ("", false),
        ("a b", false),
    ] {
        let client = super::Client::new(model::named(name), 1, None, model::noon());
        let mut world = World::new(Server::new(3600), None, 1);
        world.client = client;
        let question = world.question();
        let found = question
            .opts()
            .get(dhcproto::v4::OptionCode::Hostname)
            .cloned();
        let expected = told.then(|| DhcpOption::Hostname(name.to_owned()));
        assert_eq!(found, expected);
    }
}
