//! The same over rtnetlink.

use crate::core::{Address, Found, Link, Route, Step, Wanted, Way, steps};
use futures_util::TryStreamExt;
use ipnet::IpNet;
use netlink_packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol};
use nix::errno::Errno;
use rtnetlink::{Handle, LinkUnspec, RouteMessageBuilder, new_connection};
use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Our mark on addresses (`IFA_PROTO`, Linux 5.18 and later) and routes (`rtm_protocol`): a number that
/// neither the kernel nor a well-known routing daemon uses.
const MARK: u8 = 71;
/// The main routing table (`RT_TABLE_MAIN`).
const MAIN: u8 = 254;
/// How often the tables are looked at anew for what the kernel took along with something else.
const ROUNDS: usize = 4;
/// What the kernel says of something that is to be removed and is gone already.
const GONE: &[Errno] = &[Errno::ESRCH, Errno::EADDRNOTAVAIL, Errno::ENODEV];

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// How many changes were made.
    pub changes: usize,
    /// Interfaces that this machine does not have.
    pub missing: Vec<String>,
    /// Those it has, by name.
    pub links: BTreeMap<String, Link>,
    /// The first change that the kernel refused, or why there is no end to them.
    pub fault: Option<Error>,
}

/// Why the kernel's tables are not as they should be; ours or the configuration's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel does not talk about them.
    #[error("the kernel's network tables can not be read: {0}")]
    Unreadable(String),
    /// One change was refused.
    #[error("{what} was refused by the kernel: {why}")]
    Refused {
        /// The change.
        what: String,
        /// The kernel's reason.
        why: String,
    },
    /// Somebody else undoes what is done.
    #[error(
        "addresses or routes vanish as soon as they are set; does another program set up the network?"
    )]
    Restless,
}

/// Sets what is missing, and takes nothing away.
///
/// # Errors
/// The first change that the kernel refused; all others are made, until [`settle`] takes them away.
pub async fn reach(wanted: &Wanted) -> Result<(), Error> {
    let report = prepare(wanted).await?;
    report.fault.map_or(Ok(()), Err)
}

/// The same, with a report of what could not be.
///
/// # Errors
/// The kernel does not say what there is. What it refuses stands in the report, and all else is done.
pub async fn prepare(wanted: &Wanted) -> Result<Report, Error> {
    apply(wanted, false).await
}

/// Sets what is missing, and takes away what is ours and not wanted any more.
///
/// # Errors
/// The kernel does not say what there is. What it refuses stands in the report, and all else is done.
pub async fn settle(wanted: &Wanted) -> Result<Report, Error> {
    apply(wanted, true).await
}

async fn apply(wanted: &Wanted, removing: bool) -> Result<Report, Error> {
    let (connection, handle, _) =
        new_connection().map_err(|error| Error::Unreadable(error.to_string()))?;
    let _connection = Abort(tokio::spawn(connection));
    let mut report = Report::default();
    advertise(wanted);
    for _ in 0..ROUNDS {
        let found = look(&handle).await?;
        let steps = steps(&found, wanted, removing);
        let names = wanted.interfaces.keys();
        let missing = names.filter(|name| !found.links.contains_key(*name));
        report.missing = missing.cloned().collect();
        if steps.is_empty() {
            report.links = found.links;
            return Ok(report);
        }
        report.changes += steps.len();
        for step in steps {
            // What can be set is set: a machine without IPv6 still wants its IPv4.
            if let Err(error) = take(&handle, step).await {
                let fault = || refused(&found, step, &error);
                report.fault.get_or_insert_with(fault);
            }
        }
        if report.fault.is_some() {
            report.links = look(&handle).await?.links;
            return Ok(report);
        }
    }
    report.links = look(&handle).await?.links;
    report.fault = Some(Error::Restless);
    Ok(report)
}

/// Has the kernel listen to what IPv6 routers advertise where that is wanted, and nowhere else: an address that the file does
/// not name would be one more to be reached at. Without IPv6 there is nothing to set.
fn advertise(wanted: &Wanted) {
    for name in wanted.interfaces.keys() {
        let value = if wanted.advertised.contains(name) {
            "1"
        } else {
            "0"
        };
        for setting in ["accept_ra", "autoconf"] {
            let file = format!("/proc/sys/net/ipv6/conf/{name}/{setting}");
            let is_so = fs::read_to_string(&file).is_ok_and(|now| now.trim() == value);
            if !is_so {
                // An interface that is not there yet is met again.
                let _ = fs::write(&file, value);
            }
        }
    }
}

/// A task that ends with its owner.
struct Abort(tokio::task::JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn look(handle: &Handle) -> Result<Found, Error> {
    let unreadable = |error: rtnetlink::Error| Error::Unreadable(error.to_string());
    let mut found = Found::default();
    let mut links = handle.link().get().execute();
    while let Some(link) = links.try_next().await.map_err(unreadable)? {
        found.links.extend(read_link(link));
    }
    let mut addresses = handle.address().get().execute();
    while let Some(address) = addresses.try_next().await.map_err(unreadable)? {
        found.addresses.extend(read_address(&address));
    }
    for query in [
        RouteMessageBuilder::<Ipv4Addr>::new().build(),
        RouteMessageBuilder::<Ipv6Addr>::new().build(),
    ] {
        let mut routes = handle.route().get(query).execute();
        while let Some(route) = routes.try_next().await.map_err(unreadable)? {
            found.routes.extend(read_route(&route));
        }
    }
    Ok(found)
}

fn read_link(message: LinkMessage) -> Option<(String, Link)> {
    let mut name = None;
    let mut link = Link {
        index: message.header.index,
        up: message.header.flags.contains(LinkFlags::Up),
        ..Link::default()
    };
    let is_ethernet = message.header.link_layer_type == LinkLayerType::Ether;
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = Some(text),
            LinkAttribute::Address(bytes) if is_ethernet => link.mac = bytes.try_into().ok(),
            LinkAttribute::CarrierUpCount(count) => link.carriers = count,
            _ => {}
        }
    }
    Some((name?, link))
}

/// Of a point-to-point link the local address counts.
fn read_address(message: &AddressMessage) -> Option<Address> {
    let (mut local, mut address, mut ours) = (None, None, false);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => address = Some(*ip),
            AddressAttribute::Protocol(protocol) => ours = u8::from(*protocol) == MARK,
            _ => {}
        }
    }
    Some(Address {
        index: message.header.index,
        net: IpNet::new(local.or(address)?, message.header.prefix_len).ok()?,
        ours,
    })
}

fn read_route(message: &RouteMessage) -> Option<Route> {
    let header = &message.header;
    if header.destination_prefix_length != 0 || header.table != MAIN {
        return None;
    }
    let (mut index, mut gateway, mut metric) = (None, None, 0);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Oif(oif) => index = Some(*oif),
            RouteAttribute::Priority(priority) => metric = *priority,
            RouteAttribute::Gateway(RouteAddress::Inet(ip)) => gateway = Some(IpAddr::V4(*ip)),
            RouteAttribute::Gateway(RouteAddress::Inet6(ip)) => gateway = Some(IpAddr::V6(*ip)),
            _ => {}
        }
    }
    let way = Way {
        index: index?,
        gateway: gateway?,
        metric,
    };
    Some(Route {
        way,
        ours: u8::from(header.protocol) == MARK,
    })
}

async fn take(handle: &Handle, step: Step) -> Result<(), rtnetlink::Error> {
    match step {
        Step::Up { index } => {
            let up = LinkUnspec::new_with_index(index).up().build();
            handle.link().change(up).execute().await
        }
        Step::AddAddress { index, net } => {
            let mut request = handle.address().add(index, net.addr(), net.prefix_len());
            let mark = AddressAttribute::Protocol(AddressProtocol::Other(MARK));
            request.message_mut().attributes.push(mark);
            unless(request.execute().await, &[Errno::EEXIST])
        }
        Step::AddRoute(way) => {
            let request = handle.route().add(route(way));
            request.execute().await
        }
        Step::RemoveRoute(way) => {
            let request = handle.route().del(route(way));
            unless(request.execute().await, GONE)
        }
        Step::RemoveAddress { index, net } => {
            let mut same = handle.address().add(index, net.addr(), net.prefix_len());
            let message = same.message_mut().clone();
            let removed = handle.address().del(message).execute().await;
            unless(removed, GONE)
        }
    }
}

fn route(way: Way) -> RouteMessage {
    let mark = RouteProtocol::from(MARK);
    match way.gateway {
        IpAddr::V4(gateway) => RouteMessageBuilder::<Ipv4Addr>::new()
            .output_interface(way.index)
            .priority(way.metric)
            .gateway(gateway)
            .protocol(mark)
            .build(),
        IpAddr::V6(gateway) => RouteMessageBuilder::<Ipv6Addr>::new()
            .output_interface(way.index)
            .priority(way.metric)
            .gateway(gateway)
            .protocol(mark)
            .build(),
    }
}

/// What failed with one of `harmless` is as it should be.
fn unless(done: Result<(), rtnetlink::Error>, harmless: &[Errno]) -> Result<(), rtnetlink::Error> {
    match done {
        Err(error) if code(&error).is_some_and(|code| harmless.contains(&code)) => Ok(()),
        done => done,
    }
}

fn code(error: &rtnetlink::Error) -> Option<Errno> {
    match error {
        rtnetlink::Error::NetlinkError(message) => {
            message.to_io().raw_os_error().map(Errno::from_raw)
        }
        _ => None,
    }
}

fn refused(found: &Found, step: Step, error: &rtnetlink::Error) -> Error {
    let name = |index: u32| {
        let mut links = found.links.iter();
        let link = links.find(|(_, link)| link.index == index);
        link.map_or_else(|| format!("interface {index}"), |(name, _)| name.clone())
    };
    let what = match step {
        Step::Up { index } => format!("to bring up {}", name(index)),
        Step::AddAddress { index, net } => format!("address {net} on {}", name(index)),
        Step::AddRoute(way) => {
            let on = name(way.index);
            format!("the default route by {} on {on}", way.gateway)
        }
        Step::RemoveRoute(way) => {
            let on = name(way.index);
            format!("to remove the default route by {} on {on}", way.gateway)
        }
        Step::RemoveAddress { index, net } => {
            format!("to remove address {net} on {}", name(index))
        }
    };
    let why = code(error).map_or_else(|| error.to_string(), |code| code.desc().to_owned());
    Error::Refused { what, why }
}
