//! The networks of the box.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema::address_or_null;

/// The networks of the box: what the kernel has, and what the configuration wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Network {
    /// The interfaces, as the kernel has them now.
    pub interfaces: Vec<InterfaceStatus>,
    /// The zones of the configuration in force.
    pub zones: Vec<ZoneStatus>,
}

/// One network interface, as the kernel has it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InterfaceStatus {
    /// Its name.
    pub name: String,
    /// The zone it belongs to; none: the configuration does not name it.
    pub zone: Option<String>,
    /// Whether it is up and has a link.
    pub up: bool,
    /// Its hardware address.
    pub mac: Option<String>,
    /// Its addresses with their networks.
    pub addresses: Vec<String>,
}

/// One zone of the configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneStatus {
    /// Its name.
    pub name: String,
    /// `inside` or `outside`.
    pub trust: String,
    /// Its network interface.
    pub interface: String,
    /// Its addresses, as the file has them.
    pub addresses: Vec<String>,
    /// Its gateway, as the file has it.
    #[schema(schema_with = address_or_null)]
    pub gateway: Option<IpAddr>,
}

/// Another address for a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneChange {
    /// The zone.
    #[schema(min_length = 1, max_length = 64)]
    pub zone: String,
    /// `dhcp`, `auto6`, or an address with its network; takes the place of those of its family.
    #[schema(min_length = 1, max_length = 64)]
    pub address: String,
    /// The router towards everything else; none: the zone leads nowhere.
    #[schema(schema_with = address_or_null)]
    pub gateway: Option<IpAddr>,
}
