//! The plan of a site: which places there are, which wires join them, which addresses they have.

/// Where a program runs. Each place is a network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Clients and attackers outside.
    Internet,
    /// The router of the site's provider: forwards public ports to the box.
    Router,
    /// Servers between router and LAN, at sites where the box has two legs.
    Dmz,
    /// The box itself.
    Gate,
    /// Targets, and clients inside.
    Lan,
}

impl Place {
    /// All of them, outside first.
    pub const ALL: [Self; 5] = [
        Self::Internet,
        Self::Router,
        Self::Dmz,
        Self::Gate,
        Self::Lan,
    ];

    /// The last part of the namespace's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Router => "router",
            Self::Dmz => "dmz",
            Self::Gate => "gate",
            Self::Lan => "lan",
        }
    }
}

/// One Ethernet segment: a bridge that stands at a place and has that place's addresses.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Where the bridge is.
    pub at: Place,
    /// Addresses of hosts at that place, with prefix length.
    pub hosts: &'static [&'static str],
    /// Other places wired to it.
    pub ports: &'static [Port],
}

/// An interface of a place on a segment.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    /// Whose interface it is.
    pub place: Place,
    /// Its name there, as the configuration calls it.
    pub interface: &'static str,
    /// Its addresses with prefix length.
    pub addresses: &'static [&'static str],
}

/// A site: segments, routes, and the port forwards somebody typed into the router.
#[derive(Clone, Debug)]
pub struct Site {
    /// The wires.
    pub segments: &'static [Segment],
    /// Routes per place, as `ip route add` takes them.
    pub routes: &'static [(Place, &'static str)],
    /// The router's public IPv4 address.
    pub public: &'static str,
    /// Names that clients outside find at that address.
    pub names: &'static [&'static str],
    /// The box's address that the router forwards to.
    pub gate: &'static str,
    /// TCP forwards of the router: public port, port of the box.
    pub forwards: &'static [(u16, u16)],
    /// UDP forwards of the router, likewise.
    pub datagrams: &'static [(u16, u16)],
}

/// What the router of an innovaphone site forwards, by port: all that the proxy speaks.
const INNOVAPHONE_FORWARDS: &[(u16, u16)] = &[
    (80, 90),
    (443, 453),
    (5060, 5070),
    (5061, 5071),
    (389, 399),
    (636, 646),
    (1720, 1730),
    (1300, 1310),
];

impl Site {
    /// The addresses of `configs/innovaphone.toml`: PBXs and box in one private network behind a router.
    pub fn innovaphone() -> Self {
        const SEGMENTS: &[Segment] = &[
            Segment {
                at: Place::Internet,
                hosts: &[
                    "78.54.23.1/24",
                    "78.54.23.11/24",
                    "78.54.23.12/24",
                    "2001:db8:f::1/64",
                ],
                ports: &[Port {
                    place: Place::Router,
                    interface: "wan",
                    addresses: &["78.54.23.241/24", "2001:db8:f::ffff/64"],
                }],
            },
            Segment {
                at: Place::Lan,
                hosts: &[
                    "172.31.31.2/24",
                    "172.31.31.3/24",
                    "172.31.31.12/24",
                    "2001:db8:31::2/64",
                ],
                ports: &[
                    Port {
                        place: Place::Router,
                        interface: "lan",
                        addresses: &["172.31.31.1/24", "2001:db8:31::1/64"],
                    },
                    Port {
                        place: Place::Gate,
                        interface: "eth0",
                        addresses: &["172.31.31.4/24", "2001:db8:31::4/64"],
                    },
                ],
            },
        ];
        const ROUTES: &[(Place, &str)] = &[
            (Place::Internet, "2001:db8:31::/64 via 2001:db8:f::ffff"),
            (Place::Gate, "default via 172.31.31.1"),
            (Place::Gate, "2001:db8:f::/64 via 2001:db8:31::1"),
            (Place::Lan, "default via 172.31.31.1"),
        ];
        Self {
            segments: SEGMENTS,
            routes: ROUTES,
            public: "78.54.23.241",
            names: &[
                "hq.dvl-ckl2.net",
                "branch-b.dvl-ckl2.net",
                "apps.dvl-ckl2.net",
                "dvl-ckl2.net",
                "nobody.dvl-ckl2.net",
                "elsewhere.example",
            ],
            gate: "172.31.31.4",
            forwards: INNOVAPHONE_FORWARDS,
            datagrams: &[],
        }
    }

    /// The addresses of `configs/estos-ucserver.toml` and `configs/flashphoner-wcs.toml`: one server
    /// in the LAN, the box beside it on the standard ports.
    pub fn one_server() -> Self {
        const SEGMENTS: &[Segment] = &[
            Segment {
                at: Place::Internet,
                hosts: &["203.0.113.1/24", "203.0.113.11/24", "203.0.113.12/24"],
                ports: &[Port {
                    place: Place::Router,
                    interface: "wan",
                    addresses: &["203.0.113.20/24"],
                }],
            },
            Segment {
                at: Place::Lan,
                hosts: &["192.168.10.5/24", "192.168.10.20/24", "192.168.10.30/24"],
                ports: &[
                    Port {
                        place: Place::Router,
                        interface: "lan",
                        addresses: &["192.168.10.1/24"],
                    },
                    Port {
                        place: Place::Gate,
                        interface: "eth0",
                        addresses: &["192.168.10.2/24", "fd00:10::2/64"],
                    },
                ],
            },
        ];
        const ROUTES: &[(Place, &str)] = &[
            (Place::Gate, "default via 192.168.10.1"),
            (Place::Lan, "default via 192.168.10.1"),
        ];
        Self {
            segments: SEGMENTS,
            routes: ROUTES,
            public: "203.0.113.20",
            names: &["ucws.domain.com", "wcs.yourdomain.com"],
            gate: "192.168.10.2",
            forwards: &[(80, 80), (443, 443)],
            datagrams: &[],
        }
    }

    /// The addresses of `configs/interwise.toml`: the box between a DMZ with public addresses and the
    /// inside.
    pub fn interwise() -> Self {
        const SEGMENTS: &[Segment] = &[
            Segment {
                at: Place::Internet,
                hosts: &["198.51.100.1/24", "198.51.100.11/24"],
                ports: &[Port {
                    place: Place::Router,
                    interface: "wan",
                    addresses: &["198.51.100.254/24"],
                }],
            },
            Segment {
                at: Place::Dmz,
                hosts: &["192.0.2.30/24"],
                ports: &[
                    Port {
                        place: Place::Router,
                        interface: "dmz",
                        addresses: &["192.0.2.1/24"],
                    },
                    Port {
                        place: Place::Gate,
                        interface: "eth0",
                        addresses: &["192.0.2.10/24", "192.0.2.11/24"],
                    },
                ],
            },
            Segment {
                at: Place::Lan,
                hosts: &["10.0.0.20/24", "10.0.0.21/24"],
                ports: &[Port {
                    place: Place::Gate,
                    interface: "eth1",
                    addresses: &["10.0.0.2/24"],
                }],
            },
        ];
        const ROUTES: &[(Place, &str)] = &[
            (Place::Internet, "192.0.2.0/24 via 198.51.100.254"),
            (Place::Dmz, "default via 192.0.2.1"),
            (Place::Gate, "default via 192.0.2.1"),
        ];
        Self {
            segments: SEGMENTS,
            routes: ROUTES,
            public: "192.0.2.10",
            names: &["icc.example.com", "ics.example.com"],
            gate: "192.0.2.10",
            forwards: &[],
            datagrams: &[],
        }
    }
}
