use super::Wanted;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The kernel's tables as far as they matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// By name.
    pub(crate) links: BTreeMap<String, Link>,
    pub(crate) addresses: Vec<Address>,
    /// Default routes of the main table.
    pub(crate) routes: Vec<Route>,
}

/// A network interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// The kernel's number of it.
    pub index: u32,
    /// Whether it was taken up; there may be no cable.
    pub up: bool,
    /// Its Ethernet address, where it has one.
    pub mac: Option<[u8; 6]>,
    /// How often its link has come up.
    pub carriers: u32,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) index: u32,
    pub(crate) net: IpNet,
    /// Whether it carries our mark.
    pub(crate) ours: bool,
}

/// A default route that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) way: Way,
    /// Whether it carries our mark.
    pub(crate) ours: bool,
}

/// A way to everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) index: u32,
    pub(crate) gateway: IpAddr,
    pub(crate) metric: u32,
}

/// One change of the kernel's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Up { index: u32 },
    AddAddress { index: u32, net: IpNet },
    RemoveRoute(Way),
    AddRoute(Way),
    RemoveAddress { index: u32, net: IpNet },
}

/// What turns `found` into `wanted`, in this order. What is not ours stays; of ours only what `removing`
/// allows is taken away, and after everything new is there.
///
/// The kernel may take more away than it was told to (addresses and routes that hang on a removed one), so
/// that this is to be asked until nothing is left to do.
pub(crate) fn steps(found: &Found, wanted: &Wanted, removing: bool) -> Vec<Step> {
    let index = |interface: &str| found.links.get(interface).map(|link| link.index);
    let mut steps = Vec::new();
    for (interface, addresses) in &wanted.interfaces {
        let Some(link) = found.links.get(interface) else {
            continue;
        };
        let index = link.index;
        if !link.up {
            steps.push(Step::Up { index });
        }
        let is_there = |net: &&IpNet| {
            let mut there = found.addresses.iter();
            there.any(|address| address.index == index && address.net == **net)
        };
        let missing = addresses.iter().filter(|net| !is_there(net));
        steps.extend(missing.map(|net| Step::AddAddress { index, net: *net }));
    }
    let ways: Vec<Way> = wanted
        .defaults
        .iter()
        .filter_map(|route| {
            Some(Way {
                index: index(&route.interface)?,
                gateway: route.gateway,
                metric: route.metric,
            })
        })
        .collect();
    if removing {
        let old = found.routes.iter();
        let old = old.filter(|route| {
            let is_kept = route.way.gateway.is_ipv4() && is_pending(found, wanted, route.way.index);
            route.ours && !ways.contains(&route.way) && !is_kept
        });
        steps.extend(old.map(|route| Step::RemoveRoute(route.way)));
    }
    let new = ways.iter().filter(|way| !is_served(found, way, removing));
    steps.extend(new.map(|way| Step::AddRoute(*way)));
    if removing {
        steps.extend(old_addresses(found, wanted));
    }
    steps
}

/// Whether `way` needs no route: it is there, whoever has set it, or, as long as nothing may be removed, one
/// of ours stands where it would be.
fn is_served(found: &Found, way: &Way, removing: bool) -> bool {
    found.routes.iter().any(|route| {
        let there = route.way;
        let same_place =
            (there.metric, there.gateway.is_ipv4()) == (way.metric, way.gateway.is_ipv4());
        (there.index, there.gateway) == (way.index, way.gateway)
            || (!removing && route.ours && same_place)
    })
}

/// Whether the IPv4 address of an interface is still being asked for.
fn is_pending(found: &Found, wanted: &Wanted, index: u32) -> bool {
    let mut pending = wanted.pending.iter();
    pending.any(|name| {
        found
            .links
            .get(name)
            .is_some_and(|link| link.index == index)
    })
}

fn old_addresses(found: &Found, wanted: &Wanted) -> Vec<Step> {
    let is_wanted = |address: &Address| {
        let mut links = found.links.iter();
        let link = links.find(|(_, link)| link.index == address.index);
        link.and_then(|(name, _)| wanted.interfaces.get(name))
            .is_some_and(|addresses| addresses.contains(&address.net))
    };
    let addresses = found.addresses.iter();
    addresses
        .filter(|address| {
            let is_kept = address.net.addr().is_ipv4() && is_pending(found, wanted, address.index);
            address.ours && !is_wanted(address) && !is_kept
        })
        .map(|address| Step::RemoveAddress {
            index: address.index,
            net: address.net,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::DefaultRoute;
    use super::*;
    use std::collections::BTreeSet;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn wanted(addresses: &[&str], gateway: &str) -> Wanted {
        let interface = "eth0".to_owned();
        Wanted {
            interfaces: [(
                interface.clone(),
                addresses.iter().map(|text| net(text)).collect(),
            )]
            .into(),
            defaults: [DefaultRoute {
                interface,
                gateway: ip(gateway),
                metric: 100,
            }]
            .into(),
            ..Wanted::default()
        }
    }

    fn way(gateway: &str) -> Way {
        Way {
            index: 2,
            gateway: ip(gateway),
            metric: 100,
        }
    }

    #[test]
    fn what_an_earlier_run_has_set_stays_until_dhcp_has_answered() {
        let old = wanted(&["192.0.2.4/24", "2001:db8::4/64"], "192.0.2.1");
        let found = after(fresh(), &steps(&fresh(), &old, true));
        let mut asking = Wanted {
            interfaces: [("eth0".to_owned(), BTreeSet::new())].into(),
            pending: ["eth0".to_owned()].into(),
            ..Wanted::default()
        };
        let left = [Step::RemoveAddress {
            index: 2,
            net: net("2001:db8::4/64"),
        }];
        assert_eq!(steps(&found, &asking, true), left, "DHCP is of IPv4 only");
        asking.pending.clear();
        assert_eq!(steps(&found, &asking, true).len(), 3);
    }

    /// An interface that is down, with an address of somebody else.
    fn fresh() -> Found {
        Found {
            links: [(
                "eth0".to_owned(),
                Link {
                    index: 2,
                    ..Link::default()
                },
            )]
            .into(),
            addresses: vec![Address {
                index: 2,
                net: net("198.51.100.9/24"),
                ours: false,
            }],
            routes: Vec::new(),
        }
    }

    /// What the kernel has after `steps`.
    fn after(mut found: Found, steps: &[Step]) -> Found {
        for step in steps {
            match *step {
                Step::Up { index } => {
                    let link = found.links.values_mut().find(|link| link.index == index);
                    link.unwrap().up = true;
                }
                Step::AddAddress { index, net } => found.addresses.push(Address {
                    index,
                    net,
                    ours: true,
                }),
                Step::AddRoute(way) => found.routes.push(Route { way, ours: true }),
                Step::RemoveRoute(way) => found.routes.retain(|route| route.way != way),
                Step::RemoveAddress { index, net } => found
                    .addresses
                    .retain(|address| (address.index, address.net) != (index, net)),
            }
        }
        found
    }

    #[test]
    fn sets_what_is_missing_and_then_has_nothing_to_do() {
        let wanted = wanted(&["192.0.2.4/24", "2001:db8::4/64"], "192.0.2.1");
        let first = steps(&fresh(), &wanted, true);
        assert_eq!(
            first,
            [
                Step::Up { index: 2 },
                Step::AddAddress {
                    index: 2,
                    net: net("192.0.2.4/24")
                },
                Step::AddAddress {
                    index: 2,
                    net: net("2001:db8::4/64")
                },
                Step::AddRoute(way("192.0.2.1")),
            ]
        );
        assert!(steps(&after(fresh(), &first), &wanted, true).is_empty());
    }

    #[test]
    fn removes_only_what_is_ours_and_only_when_it_may() {
        let old = wanted(&["192.0.2.4/24"], "192.0.2.1");
        let found = after(fresh(), &steps(&fresh(), &old, true));
        let new = wanted(&["203.0.113.4/24"], "203.0.113.1");
        let added = Step::AddAddress {
            index: 2,
            net: net("203.0.113.4/24"),
        };
        assert_eq!(
            steps(&found, &new, false),
            [added],
            "one default route at a time"
        );
        let all = steps(&found, &new, true);
        let removed = Step::RemoveAddress {
            index: 2,
            net: net("192.0.2.4/24"),
        };
        let routes = [
            Step::RemoveRoute(way("192.0.2.1")),
            Step::AddRoute(way("203.0.113.1")),
        ];
        assert_eq!(all, [added, routes[0], routes[1], removed]);
        let nothing = steps(&after(found, &all), &Wanted::default(), true);
        assert_eq!(nothing.len(), 2, "the last of ours: {nothing:?}");
    }

    #[test]
    fn what_somebody_else_has_set_serves_as_well() {
        let mut found = fresh();
        found.routes.push(Route {
            way: Way {
                metric: 0,
                ..way("198.51.100.1")
            },
            ours: false,
        });
        let wanted = wanted(&["198.51.100.9/24"], "198.51.100.1");
        assert_eq!(steps(&found, &wanted, true), [Step::Up { index: 2 }]);
        assert!(
            steps(&found, &Wanted::default(), true).is_empty(),
            "and stays"
        );
    }

    #[test]
    fn an_interface_that_is_not_there_is_left_for_later() {
        let found = Found::default();
        assert!(steps(&found, &wanted(&["192.0.2.4/24"], "192.0.2.1"), true).is_empty());
    }
}
