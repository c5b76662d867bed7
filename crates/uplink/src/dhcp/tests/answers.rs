//! What is taken from an answer, and which answers are not taken.

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, HType, Message, MessageType, Opcode, UnknownOption};

use super::model::{FIRST, SERVER, Server, World, encoded};
use crate::dhcp::message::MAX_DATAGRAM;
use crate::dhcp::{Lease, Refusal};

/// The lease that a server with these options beside mask and time gives, or why it is refused.
fn given(options: &[DhcpOption]) -> Result<Lease, Refusal> {
    given_address(FIRST, options)
}

fn given_address(address: Ipv4Addr, options: &[DhcpOption]) -> Result<Lease, Refusal> {
    let mut server = Server::new(3600);
    server.gives = address;
    server
        .options
        .retain(|option| !matches!(option, DhcpOption::Router(_)));
    server.options.extend_from_slice(options);
    let mut world = World::new(server, None, 1);
    world.pass(0);
    match world.bound.pop() {
        Some(lease) => Ok(lease),
        None => Err(world.refused.remove(0)),
    }
}

fn raw(code: u8, data: &[u8]) -> DhcpOption {
    DhcpOption::Unknown(UnknownOption::new(code.into(), data.to_vec()))
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn everything_asked_for_is_read() {
    let lease = given(&[
        DhcpOption::Router(vec![SERVER]),
        DhcpOption::DomainNameServer(vec![ip("192.0.2.53"), ip("0.0.0.0"), ip("198.51.100.53")]),
        DhcpOption::DomainName("office.example\0".into()),
        DhcpOption::NtpServers(vec![ip("192.0.2.123")]),
        DhcpOption::InterfaceMtu(1492),
        DhcpOption::Renewal(100),
        DhcpOption::Rebinding(200),
    ])
    .unwrap();
    assert_eq!(lease.name_servers, [ip("192.0.2.53"), ip("198.51.100.53")]);
    assert_eq!(lease.domain.as_deref(), Some("office.example"));
    assert_eq!(lease.time_servers, [ip("192.0.2.123")]);
    assert_eq!(lease.mtu, Some(1492));
    let times = lease.times.unwrap();
    assert_eq!((times.renew, times.rebind), (100, 200));
}

#[test]
fn what_makes_no_sense_is_left_out() {
    let lease = given(&[
        DhcpOption::DomainName("evil\n.example".into()),
        raw(6, &[1, 2, 3]),
        DhcpOption::InterfaceMtu(68),
        DhcpOption::Renewal(3000),
        DhcpOption::Rebinding(200),
        raw(80, &[1, 2]),
        raw(114, &[0xff]),
    ])
    .unwrap();
    assert_eq!((lease.domain, lease.mtu), (None, None));
    assert!(lease.name_servers.is_empty());
    assert_eq!(lease.times.unwrap().renew, 1800);
    let many = vec![ip("192.0.2.53"); 200];
    let lease = given(&[DhcpOption::DomainNameServer(many)]).unwrap();
    assert_eq!(lease.name_servers.len(), 8, "a long option, and a limit");
}

#[test]
fn classless_routes_win_over_routers() {
    let lease = given(&[
        DhcpOption::Router(vec![ip("203.0.113.1")]),
        DhcpOption::ClasslessStaticRoute(vec![
            ("198.51.100.1/32".parse().unwrap(), ip("0.0.0.0")),
            ("0.0.0.0/0".parse().unwrap(), ip("198.51.100.1")),
            ("10.0.0.0/8".parse().unwrap(), ip("192.0.2.2")),
            ("10.1.0.0/16".parse().unwrap(), ip("224.0.0.1")),
            ("127.0.0.0/8".parse().unwrap(), SERVER),
            ("224.0.0.0/4".parse().unwrap(), SERVER),
            ("10.2.0.0/16".parse().unwrap(), FIRST),
        ]),
    ])
    .unwrap();
    assert_eq!(lease.router, Some(ip("198.51.100.1")));
    let routes: Vec<String> = lease
        .routes
        .iter()
        .map(|route| format!("{} {:?}", route.to, route.via))
        .collect();
    assert_eq!(
        routes,
        ["198.51.100.1/32 None", "10.0.0.0/8 Some(192.0.2.2)"]
    );

    // Not well formed: as if it had not been sent.
    for broken in [
        &[33, 1, 2, 3, 4, 5, 192, 0, 2, 2][..],
        &[8, 10, 192, 0],
        &[24],
    ] {
        let lease = given(&[DhcpOption::Router(vec![SERVER]), raw(121, broken)]).unwrap();
        assert_eq!((lease.router, lease.routes), (Some(SERVER), vec![]));
    }
    let many = vec![("10.0.0.0/8".parse().unwrap(), SERVER); 150];
    let lease = given(&[DhcpOption::ClasslessStaticRoute(many)]).unwrap();
    assert_eq!(lease.routes.len(), 64, "a limit");
}

#[test]
fn a_router_that_is_not_on_the_wire_refuses_the_offer() {
    let far = given(&[DhcpOption::Router(vec![ip("203.0.113.1")])]);
    let network = "192.0.2.0/24".parse().unwrap();
    assert_eq!(far, Err(Refusal::Router(ip("203.0.113.1"), network)));
    let near = given(&[DhcpOption::Router(vec![ip("203.0.113.1"), SERVER])]).unwrap();
    assert_eq!(near.router, Some(SERVER));
    assert_eq!(given(&[]).unwrap().router, None);
}

#[test]
fn an_address_that_can_not_be_ours_refuses_the_offer() {
    for address in [
        "0.0.0.0",
        "127.0.0.1",
        "224.0.0.5",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.0",
        "192.0.2.255",
    ] {
        let refused = given_address(ip(address), &[]);
        assert!(
            matches!(refused, Err(Refusal::Address(_))),
            "{address}: {refused:?}"
        );
    }
    let mask = |mask: &str| given(&[DhcpOption::SubnetMask(ip(mask))]);
    for broken in ["255.0.255.0", "0.0.0.0", "254.0.0.0"] {
        assert_eq!(mask(broken), Err(Refusal::Mask));
    }
    assert!(mask("255.255.255.254").is_ok() && mask("255.255.255.255").is_ok());
    for (code, reason) in [(1, Refusal::Mask), (51, Refusal::LeaseTime)] {
        let mut server = Server::new(3600);
        server
            .options
            .retain(|option| u8::from(dhcproto::v4::OptionCode::from(option)) != code);
        let mut world = World::new(server, None, 1);
        world.pass(0);
        assert_eq!(world.refused, [reason]);
    }
    assert_eq!(
        given(&[DhcpOption::ServerIdentifier(ip("0.0.0.0"))]),
        Err(Refusal::Server)
    );
}

#[test]
fn refusals_of_the_answers_to_one_question_are_told_once_and_the_right_one_is_still_taken() {
    let server = Server::new(3600);
    let mut world = World::new(Server::new(3600), None, 1);
    let discover = world.question();
    for last in 1..100 {
        let loopback = Ipv4Addr::new(127, 0, 0, last);
        let offer = server.write(&discover, MessageType::Offer, loopback);
        world.client.handle_input(&offer, world.now);
    }
    let offer = server.write(&discover, MessageType::Offer, FIRST);
    world.client.handle_input(&offer, world.now);
    world.exchange();
    assert_eq!(world.refused.len(), 1);
    assert_eq!(world.address(), Some(FIRST));
}

/// An answer to the discovery of a new client, changed.
fn offered(change: impl FnOnce(&mut Message)) -> bool {
    let server = Server::new(3600);
    let mut world = World::new(Server::new(3600), None, 1);
    let discover = world.question();
    let offer = server.write(&discover, MessageType::Offer, FIRST);
    let mut offer: Message = dhcproto::Decodable::from_bytes(&offer).unwrap();
    change(&mut offer);
    world.client.handle_input(&encoded(&offer), world.now);
    world.client.poll_output().is_some()
}

#[test]
fn only_answers_to_our_own_question_count() {
    assert!(offered(|_| {}));
    assert!(!offered(|offer| {
        offer.set_xid(offer.xid() ^ 1);
    }));
    assert!(!offered(|offer| {
        offer.set_opcode(Opcode::BootRequest);
    }));
    assert!(!offered(|offer| {
        offer.set_htype(HType::IEEE802);
    }));
    assert!(!offered(|offer| {
        offer.set_chaddr(&[2, 0, 0, 0, 0, 8]);
    }));
    assert!(!offered(|offer| {
        offer.set_chaddr(&[2, 0, 0, 0, 0, 7, 0]);
    }));
    assert!(!offered(|offer| {
        offer
            .opts_mut()
            .insert(DhcpOption::MessageType(MessageType::Ack));
    }));
    assert!(!offered(|offer| {
        offer
            .opts_mut()
            .insert(DhcpOption::MessageType(MessageType::Discover));
    }));
    assert!(!offered(|offer| {
        let long = vec![ip("192.0.2.53"); MAX_DATAGRAM / 4];
        offer.opts_mut().insert(DhcpOption::DomainNameServer(long));
    }));
}

#[test]
fn a_request_is_answered_by_its_server_and_with_its_address_only() {
    let server = Server::new(3600);
    let mut other = Server::new(3600);
    other.id = ip("192.0.2.66");
    let mut world = World::new(Server::new(3600), None, 1);
    let discover = world.question();
    let offer = server.write(&discover, MessageType::Offer, FIRST);
    world.client.handle_input(&offer, world.now);
    let request = world.question();
    for kind in [MessageType::Ack, MessageType::Nak] {
        let answer = other.write(&request, kind, FIRST);
        world.client.handle_input(&answer, world.now);
        assert_eq!(world.client.poll_output(), None);
    }
    let answer = server.write(&request, MessageType::Ack, ip("192.0.2.101"));
    world.client.handle_input(&answer, world.now);
    world.exchange();
    assert_eq!(world.refused, [Refusal::Another(ip("192.0.2.101"), FIRST)]);
    assert_eq!(world.address(), None);
}

#[test]
fn no_beginning_of_an_answer_is_an_answer() {
    let server = Server::new(3600);
    let mut world = World::new(Server::new(3600), None, 1);
    let discover = world.question();
    for kind in [MessageType::Offer, MessageType::Ack] {
        let asked = if kind == MessageType::Offer {
            discover.clone()
        } else {
            world.question()
        };
        let whole = server.write(&asked, kind, FIRST);
        for length in 0..whole.len() {
            world.client.handle_input(&whole[..length], world.now);
            assert_eq!(
                world.client.poll_output(),
                None,
                "{length} bytes of {kind:?}"
            );
        }
        world.client.handle_input(&whole, world.now);
    }
    assert_eq!(world.address(), Some(FIRST));
}

#[test]
fn options_in_the_fields_of_old_and_in_pieces_are_put_together() {
    let mut server = Server::new(3600);
    server.options.push(raw(52, &[3]));
    server.options.push(raw(6, &[192, 0]));
    let mut world = World::new(Server::new(3600), None, 1);
    for kind in [MessageType::Offer, MessageType::Ack] {
        let asked = world.question();
        let mut bytes = server.write(&asked, kind, FIRST);
        // `file` goes before `sname` (RFC 3396 section 5).
        bytes[108..116].copy_from_slice(&[0, 0, 6, 3, 2, 53, 198, 255]);
        bytes[44..50].copy_from_slice(&[6, 3, 51, 100, 53, 255]);
        world.client.handle_input(&bytes, world.now);
    }
    world.exchange();
    assert_eq!(
        world.bound[0].name_servers,
        [ip("192.0.2.53"), ip("198.51.100.53")]
    );

    // An option that does not fit into its field.
    let asked = World::new(Server::new(3600), None, 1).question();
    let mut bytes = server.write(&asked, MessageType::Offer, FIRST);
    bytes[108..236].fill(1);
    bytes[109] = 200;
    let mut world = World::new(Server::new(3600), None, 1);
    world.question();
    world.client.handle_input(&bytes, world.now);
    assert_eq!(world.client.poll_output(), None);
}
