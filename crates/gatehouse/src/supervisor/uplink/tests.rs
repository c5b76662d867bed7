use super::*;
use router::Dynamic;
use uplink::dhcp::Times;

const OUTSIDE: Dynamic = Dynamic {
    metric: 100,
    inside: false,
};
/// Some time after this is read.
const FUTURE: u64 = 1 << 40;

fn lease(address: &str, expires: u64) -> Lease {
    Lease {
        address: address.parse().unwrap(),
        router: Some("192.0.2.1".parse().unwrap()),
        routes: Vec::new(),
        name_servers: vec!["192.0.2.53".parse().unwrap()],
        domain: None,
        time_servers: Vec::new(),
        mtu: None,
        server: "192.0.2.2".parse().unwrap(),
        times: Some(Times {
            renew: 60,
            rebind: 105,
            lasts: 120,
            expires,
        }),
    }
}

fn standing(address: &str) -> Standing {
    Standing {
        lease: Some(lease(address, FUTURE)),
        ..Standing::default()
    }
}

fn of(lease: Lease) -> Leases {
    [("eth0".into(), lease)].into()
}

/// With a port on the loopback, as if it were eth0.
fn asking(leases: Leases) -> (Uplink, Device) {
    let uplink = Uplink::new(leases, Journal::new());
    let device = Device {
        name: "eth0".into(),
        index: Some(7),
    };
    let port = OpenPort {
        device: device.clone(),
        socket: Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap()),
        identity: Identity {
            hardware: HardwareAddr([2, 0, 0, 0, 0, 1]),
            hostname: None,
        },
        carriers: 1,
    };
    uplink.ports.send_replace([Arc::new(port)].into());
    (uplink, device)
}

fn wanted() -> Wanted {
    Wanted {
        dynamic: [("eth0".to_owned(), OUTSIDE)].into(),
        pending: ["eth0".to_owned()].into(),
        ..Wanted::default()
    }
}

#[test]
fn what_edge_says_counts_for_ports_that_were_asked_for_and_addresses_that_can_be() {
    let (uplink, eth0) = asking(Leases::new());
    let mut learned = wanted();
    let other = Device {
        index: Some(8),
        ..eth0.clone()
    };
    uplink.heard(&other, standing("192.0.2.7/24"));
    for impossible in ["0.0.0.0/0", "127.0.0.1/8", "192.0.2.255/24", "224.0.0.5/24"] {
        uplink.heard(&eth0, standing(impossible));
    }
    assert!(uplink.teach(&mut learned).is_empty());
    assert_eq!(learned, wanted());
    uplink.heard(&eth0, standing("192.0.2.7/24"));
    assert!(uplink.teach(&mut learned).is_empty());
    assert!(learned.interfaces["eth0"].contains(&"192.0.2.7/24".parse().unwrap()));
    assert!(learned.pending.is_empty());
}

#[test]
fn a_lease_is_remembered_and_the_address_goes_only_when_it_is_lost() {
    let (uplink, eth0) = asking(of(lease("192.0.2.7/24", 1000)));
    let ports = uplink.ports().borrow().clone();
    let remembered = uplink.orders(&ports).remove(0).remembered;
    assert_eq!(
        remembered,
        Some(lease("192.0.2.7/24", 1000)),
        "of an earlier run"
    );
    uplink.heard(&eth0, standing("192.0.2.8/24"));
    let remembered = uplink.orders(&ports).remove(0).remembered;
    assert_eq!(remembered, Some(lease("192.0.2.8/24", FUTURE)));
    let lost = Standing {
        loss: Some(Loss::Expired),
        ..Standing::default()
    };
    assert!(uplink.faults().is_empty());
    uplink.heard(&eth0, Standing::default());
    let faults = uplink.faults();
    assert!(faults[0].contains("no server has answered"), "{faults:?}");
    let mut learned = wanted();
    assert!(uplink.teach(&mut learned).is_empty());
    assert_eq!(learned, wanted(), "asking, not lost");
    uplink.heard(&eth0, lost);
    assert!(uplink.teach(&mut learned).is_empty());
    assert!(learned.pending.is_empty() && learned.interfaces.is_empty());
}

#[test]
fn an_inside_port_keeps_its_address_to_the_end_of_the_lease() {
    let inside = || Wanted {
        dynamic: [(
            "eth0".to_owned(),
            Dynamic {
                inside: true,
                ..OUTSIDE
            },
        )]
        .into(),
        ..wanted()
    };
    let (uplink, eth0) = asking(Leases::new());
    let lost = Standing {
        loss: Some(Loss::Denied(String::new())),
        ..Standing::default()
    };
    uplink.heard(&eth0, standing("192.0.2.7/24"));
    uplink.heard(&eth0, lost);
    let mut learned = inside();
    assert!(uplink.teach(&mut learned).is_empty());
    assert!(learned.interfaces.contains_key("eth0"));
    assert!(uplink.leases().is_empty(), "not asked for again");
    let over = Standing {
        lease: Some(lease("192.0.2.7/24", 1000)),
        ..Standing::default()
    };
    uplink.heard(&eth0, over);
    let mut learned = inside();
    assert!(uplink.teach(&mut learned).is_empty());
    assert!(
        !learned.interfaces.contains_key("eth0"),
        "it has ended long ago"
    );
}

#[test]
fn what_edge_makes_up_is_not_kept_at_any_length() {
    let (uplink, eth0) = asking(Leases::new());
    let long = "x".repeat(100_000);
    let lost = Standing {
        loss: Some(Loss::Denied(long.clone())),
        fault: Some(long),
        ..Standing::default()
    };
    uplink.heard(&eth0, lost);
    let standing = uplink.standings().borrow()["eth0"].clone();
    let Some(Loss::Denied(words)) = standing.loss else {
        panic!("{:?}", standing.loss);
    };
    let fault = standing.fault.unwrap();
    assert!(words.len() < 300 && fault.len() < 300);
}

#[test]
fn an_outside_port_does_not_take_the_network_of_an_inside_one() {
    let (uplink, eth0) = asking(Leases::new());
    let eth1 = Device {
        name: "eth1".into(),
        index: Some(8),
    };
    let second = OpenPort {
        device: eth1.clone(),
        socket: Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap()),
        identity: Identity {
            hardware: HardwareAddr([2, 0, 0, 0, 0, 2]),
            hostname: None,
        },
        carriers: 1,
    };
    let first = Arc::clone(&uplink.ports().borrow()[0]);
    uplink.ports.send_replace([first, Arc::new(second)].into());
    let mut learned = wanted();
    let inside = Dynamic {
        inside: true,
        ..OUTSIDE
    };
    learned.dynamic.insert("eth1".to_owned(), inside);
    uplink.heard(&eth0, standing("10.1.2.3/8"));
    uplink.heard(&eth1, standing("10.1.0.4/24"));
    let unfit = uplink.teach(&mut learned);
    assert!(
        unfit[0]
            .to_string()
            .contains("10.1.2.3/8 by DHCP is not used"),
        "{unfit:?}"
    );
    assert!(learned.interfaces.keys().eq(["eth1"]));
}

#[test]
fn a_port_that_is_not_wanted_any_more_is_forgotten() {
    let (uplink, eth0) = asking(Leases::new());
    uplink.heard(&eth0, standing("192.0.2.7/24"));
    uplink.open(&Wanted::default(), &BTreeMap::new(), "gate");
    assert!(uplink.ports().borrow().is_empty());
    assert!(uplink.faults().is_empty());
    assert!(uplink.standings().borrow().is_empty());
}

#[test]
fn renewals_of_short_leases_do_not_wear_out_the_disk() {
    let kept = of(lease("192.0.2.7/24", 1000));
    assert!(!is_worth_keeping(&kept, &of(lease("192.0.2.7/24", 1060))));
    assert!(is_worth_keeping(
        &kept,
        &of(lease("192.0.2.7/24", 1000 + HOUR))
    ));
    assert!(is_worth_keeping(&kept, &of(lease("192.0.2.8/24", 1060))));
    assert!(is_worth_keeping(&Leases::new(), &kept));
    let names = resolv_conf(&[("eth0".into(), standing("192.0.2.7/24"))].into());
    assert_eq!(names, "nameserver 192.0.2.53\n");
}
