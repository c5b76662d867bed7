//! Who may be reached through a relay.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use stun::peer::{Allowed, Peers, Refused};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn allowed(network: &str, ports: RangeInclusive<u16>) -> Allowed {
    Allowed {
        network: network.parse().unwrap(),
        ports,
    }
}

#[test]
fn every_special_range_is_refused_in_every_form_and_what_is_beside_it_is_not() {
    let peers = Peers::new();
    let mut count = 0;
    for line in include_str!("../../../../tests/data/stun/peers.tsv").lines() {
        if line.starts_with('#') {
            continue;
        }
        let [verdict, form, _, text] =
            <[&str; 4]>::try_from(line.split('\t').collect::<Vec<_>>()).unwrap();
        let peer = SocketAddr::new(ip(text), 40_000);
        let may = peers.judge(peer).is_ok();
        assert_eq!(may, verdict == "allowed", "{line}");
        assert_eq!(peers.judge_address(peer.ip()).is_ok(), may, "{line}");
        if may && form == "mapped" {
            assert!(peers.judge(peer).unwrap().is_ipv4(), "{line}");
        }
        count += 1;
    }
    assert!(count > 1000, "{count}");
}

#[test]
fn what_is_named_is_allowed_on_its_ports() {
    let peers = Peers::new().allowing([
        allowed("172.31.31.0/24", 16384..=32767),
        allowed("fd00:1::/64", 5000..=5000),
    ]);
    for (peer, expected) in [
        ("172.31.31.2:16384", Ok(())),
        ("172.31.31.2:32767", Ok(())),
        ("[::ffff:172.31.31.2]:20000", Ok(())),
        ("172.31.31.2:16383", Err(Refused::NotPublic)),
        ("172.31.31.2:443", Err(Refused::NotPublic)),
        ("172.31.30.2:20000", Err(Refused::NotPublic)),
        ("172.31.31.2:0", Err(Refused::NoPort)),
        ("[fd00:1::7]:5000", Ok(())),
        ("[fd00:1::7]:5001", Err(Refused::NotPublic)),
        ("[fd00:1::5efe:10.0.0.1]:5000", Err(Refused::NotPublic)),
        ("[fd00:1::5efe:127.0.0.1]:5000", Err(Refused::NotAPeer)),
    ] {
        assert_eq!(peers.judge(address(peer)).map(|_| ()), expected, "{peer}");
    }
    assert!(peers.judge_address(ip("172.31.31.9")).is_ok());
    assert!(peers.judge_address(ip("172.31.32.9")).is_err());
}

#[test]
fn nothing_that_is_named_opens_loopback_or_multicast() {
    let peers =
        Peers::new().allowing([allowed("0.0.0.0/0", 1..=65535), allowed("::/0", 1..=65535)]);
    for peer in [
        "0.0.0.0:9",
        "0.1.2.3:9",
        "127.0.0.1:9",
        "224.0.0.1:9",
        "255.255.255.255:9",
        "[::]:9",
        "[::1]:9",
        "[ff02::1]:9",
        "[::ffff:127.0.0.1]:9",
        "[::127.0.0.1]:9",
        "[64:ff9b::127.0.0.1]:9",
        "[64:ff9b:1::127.0.0.1]:9",
        "[2002:7f00:1::]:9",
        "[2001:0:7f00:1::]:9",
        "[2001:0:808:808::80ff:fffe]:9",
        "[2a00::5efe:127.0.0.1]:9",
    ] {
        let judged = peers.judge(address(peer));
        assert_eq!(judged, Err(Refused::NotAPeer), "{peer}");
    }
    assert!(peers.judge(address("10.0.0.1:9")).is_ok());
}

#[test]
fn of_our_own_addresses_only_the_relayed_ports_are_open() {
    let peers = Peers::new()
        .own([ip("172.31.31.4"), ip("93.184.216.34"), ip("2a00::4")])
        .relaying([ip("172.31.31.4"), ip("93.184.216.34")], 50_000..=50_999)
        .allowing([allowed("172.31.31.0/24", 1..=65535)]);
    for (peer, expected) in [
        ("172.31.31.4:50000", Ok(())),
        ("93.184.216.34:50999", Ok(())),
        ("172.31.31.4:49999", Err(Refused::Ours)),
        ("172.31.31.4:443", Err(Refused::Ours)),
        ("93.184.216.34:51000", Err(Refused::Ours)),
        ("[::ffff:93.184.216.34]:3478", Err(Refused::Ours)),
        ("[64:ff9b::93.184.216.34]:3478", Err(Refused::Ours)),
        ("[64:ff9b::93.184.216.34]:50000", Err(Refused::Ours)),
        ("[2a00::4]:50000", Err(Refused::Ours)),
        ("172.31.31.5:443", Ok(())),
    ] {
        assert_eq!(peers.judge(address(peer)).map(|_| ()), expected, "{peer}");
    }
    assert!(peers.is_relayed(address("172.31.31.4:50000")));
    assert!(!peers.is_relayed(address("172.31.31.5:50000")));
    assert_eq!(
        peers.judge_address(ip("172.31.31.4")),
        Ok(ip("172.31.31.4"))
    );
    assert_eq!(peers.judge_address(ip("2a00::4")), Err(Refused::Ours));
}
