//! Changes of a file that a machine makes: everything else in it, comments too, stays as the operator wrote it.

use std::net::IpAddr;

use ipnet::IpNet;
use toml_edit::{Array, DocumentMut, TableLike, Value};

use crate::types::ZoneAddress;

/// Why a file could not be changed; the operator is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no TOML, so that it was never in force.
    #[error("the configuration can not be read: {0}")]
    Unreadable(String),
    /// There is no such zone.
    #[error("there is no zone `{zone}`; there {}", known(.names))]
    NoSuchZone {
        /// What was asked for.
        zone: String,
        /// What there is.
        names: Vec<String>,
    },
    /// An address from elsewhere has its gateway from there.
    #[error("with \"{0}\" the gateway comes from the network; leave it out")]
    GatewayOfDhcp(ZoneAddress),
    /// Gateway and address are of different families.
    #[error(
        "the gateway {gateway} is of another family than {address}; write both as IPv4 or both as IPv6"
    )]
    OtherFamily {
        /// The gateway.
        gateway: IpAddr,
        /// The address.
        address: IpNet,
    },
    /// The zone has a gateway of the other family, and there is room for one.
    #[error(
        "the zone has the gateway {kept}, and a zone has one only; to have {gateway} instead, take it out of the file first"
    )]
    AnotherGateway {
        /// What the zone has.
        kept: IpAddr,
        /// What it was to have.
        gateway: IpAddr,
    },
}

/// The text of a file with another address for a zone.
///
/// `address` takes the place of those of its family (DHCP is IPv4, router advertisements IPv6), and `gateway` that of a gateway
/// of its family; `None`: the zone leads nowhere else. Addresses of the other family stay. The result is to be checked as any file.
///
/// # Errors
/// [`EditError`].
pub fn edit_zone(
    text: &str,
    zone: &str,
    address: ZoneAddress,
    gateway: Option<IpAddr>,
) -> Result<String, EditError> {
    match (address, gateway) {
        (ZoneAddress::Dhcp | ZoneAddress::Auto6, Some(_)) => {
            return Err(EditError::GatewayOfDhcp(address));
        }
        (ZoneAddress::Static(address), Some(gateway))
            if address.addr().is_ipv4() != gateway.is_ipv4() =>
        {
            return Err(EditError::OtherFamily { gateway, address });
        }
        _ => {}
    }
    let mut file: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| EditError::Unreadable(error.message().to_owned()))?;
    let table = zone_table(&mut file, zone)?;
    set_address(table, address);
    set_gateway(table, is_v4(address), gateway)?;
    Ok(file.to_string())
}

fn zone_table<'f>(
    file: &'f mut DocumentMut,
    zone: &str,
) -> Result<&'f mut dyn TableLike, EditError> {
    let zones = file.get("network").and_then(|zones| zones.as_table_like());
    let names = zones.map(|zones| zones.iter().map(|(name, _)| name.to_owned()).collect());
    let missing = EditError::NoSuchZone {
        zone: zone.to_owned(),
        names: names.unwrap_or_default(),
    };
    file.get_mut("network")
        .and_then(|zones| zones.as_table_like_mut())
        .and_then(|zones| zones.get_mut(zone))
        .and_then(|zone| zone.as_table_like_mut())
        .ok_or(missing)
}

fn set_address(table: &mut dyn TableLike, address: ZoneAddress) {
    let is_v4_text = |value: &Value| match value.as_str() {
        Some("dhcp") => true,
        Some(text) => text.parse().is_ok_and(|net: IpNet| net.addr().is_ipv4()),
        None => false,
    };
    let replaced = |value: &Value| is_v4_text(value) == is_v4(address);
    let list = table.get_mut("addresses");
    let Some(addresses) = list.and_then(|item| item.as_array_mut()) else {
        let addresses = Array::from_iter([address.to_string()]);
        table.insert("addresses", toml_edit::value(addresses));
        return;
    };
    let Some(place) = addresses.iter().position(replaced) else {
        return addresses.push(address.to_string());
    };
    addresses.replace(place, address.to_string());
    let mut index = 0;
    addresses.retain(|value| {
        let keep = index == place || !replaced(value);
        index += 1;
        keep
    });
}

fn set_gateway(
    table: &mut dyn TableLike,
    v4: bool,
    gateway: Option<IpAddr>,
) -> Result<(), EditError> {
    let value = table
        .get_mut("gateway")
        .and_then(|item| item.as_value_mut());
    let old = value.as_deref().and_then(Value::as_str);
    let old: Option<IpAddr> = old.and_then(|text| text.parse().ok());
    match (gateway, value) {
        (Some(gateway), Some(_)) if old.is_some_and(|old| old.is_ipv4() != v4) => {
            let kept = old.unwrap_or(gateway);
            return Err(EditError::AnotherGateway { kept, gateway });
        }
        (Some(gateway), Some(value)) => {
            let surroundings = value.decor().clone();
            *value = gateway.to_string().into();
            *value.decor_mut() = surroundings;
        }
        (Some(gateway), None) => {
            table.insert("gateway", toml_edit::value(gateway.to_string()));
        }
        (None, Some(_)) if old.is_some_and(|old| old.is_ipv4() == v4) => {
            table.remove("gateway");
        }
        (None, _) => {}
    }
    Ok(())
}

fn is_v4(address: ZoneAddress) -> bool {
    match address {
        ZoneAddress::Static(net) => net.addr().is_ipv4(),
        ZoneAddress::Dhcp => true,
        ZoneAddress::Auto6 => false,
    }
}

impl From<IpNet> for ZoneAddress {
    fn from(net: IpNet) -> Self {
        Self::Static(net)
    }
}

fn known(names: &[String]) -> String {
    match names {
        [] => "is none; write [network.NAME] into the file".to_owned(),
        [name] => format!("is `{name}`"),
        names => format!("are `{}`", names.join("`, `")),
    }
}

#[cfg(test)]
mod tests;
