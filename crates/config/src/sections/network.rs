//! `[network.NAME]`: zones.

use std::net::IpAddr;
use std::time::Duration;

use crate::definition::{choice, section};
use crate::value::{AddressRange, Interface, Label, Mac, ZoneAddress};

section! {
    /// A zone: a network the box is connected to, and how far it is trusted.
    pub struct Zone by name {
        /// What may reach the admin pages, DNS and DHCP by default, and what forwards, masquerading
        /// and the firewall take for outside.
        trust: Trust => "inside";
        /// The network interface, as the kernel calls it.
        interface: String as Interface => "eth0";
        /// Addresses of the box in this zone.
        addresses: Vec<ZoneAddress> => ["192.168.1.1/24", "fd12:3456::1/64"];
        /// The router towards everything else, if this zone leads there. Not needed with "dhcp"
        /// and "auto6".
        gateway: Option<IpAddr> | "192.168.1.254";
        /// The DHCP server for this zone.
        dhcp: Option<Dhcp>;
    }
}

choice! {
    /// How far a zone is trusted.
    pub enum Trust {
        /// Our own network: admin pages, DNS and DHCP are reachable by default.
        Inside = "inside",
        /// Strangers: only what is published is reachable.
        Outside = "outside",
    }
}

section! {
    /// The DHCP server of a zone.
    pub struct Dhcp {
        /// Runs of addresses to lease.
        ranges: Vec<AddressRange> => ["192.168.1.100-192.168.1.180"];
        /// How long a lease holds.
        lease_time: Duration = "12h";
        /// Addresses kept for one device each, `[[network.NAME.dhcp.reservation]]`.
        reservation: Vec<Reservation>;
    }
}

section! {
    /// An address kept for one device.
    pub struct Reservation {
        /// The device's hardware address.
        mac: Mac => "00:90:33:40:00:7e";
        /// The address it gets; inside the zone's network, in or beside the ranges.
        address: IpAddr => "192.168.1.200";
        /// Its name; with `site.domain` it becomes a record of the internal DNS.
        name: Option<String> as Option<Label> | "ucx";
    }
}

impl Zone {
    /// The addresses that are fixed in the file.
    pub fn static_addresses(&self) -> impl Iterator<Item = ipnet::IpNet> {
        self.addresses.iter().filter_map(|address| match address {
            ZoneAddress::Static(net) => Some(*net),
            ZoneAddress::Dhcp | ZoneAddress::Auto6 => None,
        })
    }
}
