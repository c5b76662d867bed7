//! `gatehouse network`.

use std::path::Path;

use control::{Client, Network, ZoneChange};

use super::Done;
use super::args::NetworkAction;
use super::generations::applied_text;
use super::output::{Out, Table, Tone, plain};

/// Shows the networks, or sets the address of a zone.
pub(super) async fn run(out: Out, socket: &Path, action: Option<NetworkAction>) -> Done {
    let client = Client::connect(socket).await?;
    let Some(NetworkAction::Set {
        zone,
        address,
        gateway,
    }) = action
    else {
        let network = client.network().await?;
        return out.show(&network, || text(out, &network));
    };
    let change = ZoneChange {
        zone,
        address,
        gateway,
    };
    let applied = client.set_zone(&change).await?;
    out.show(&applied, || applied_text(out, &applied))
}

fn text(out: Out, network: &Network) -> String {
    let mut interfaces = Table::new(&["INTERFACE", "ZONE", "LINK", "HARDWARE", "ADDRESSES"]);
    for interface in &network.interfaces {
        let link = if interface.up {
            ("up".to_owned(), Some(Tone::Good))
        } else {
            ("down".to_owned(), Some(Tone::Attention))
        };
        interfaces.line([
            plain(&interface.name),
            plain(interface.zone.as_deref().unwrap_or_default()),
            link,
            plain(interface.mac.as_deref().unwrap_or_default()),
            plain(interface.addresses.join(", ")),
        ]);
    }
    let mut zones = Table::new(&["ZONE", "TRUST", "INTERFACE", "SET TO", "GATEWAY"]);
    for zone in &network.zones {
        let gateway = zone.gateway.map(|gateway| gateway.to_string());
        zones.line([
            plain(&zone.name),
            plain(&zone.trust),
            plain(&zone.interface),
            plain(zone.addresses.join(", ")),
            plain(gateway.unwrap_or_default()),
        ]);
    }
    format!("{}\n{}", interfaces.text(out), zones.text(out))
}

#[cfg(test)]
mod tests {
    use control::{InterfaceStatus, ZoneStatus};

    use super::super::output::TEXT;
    use super::*;

    #[test]
    fn what_is_and_what_was_asked_for_stand_apart() {
        let network = Network {
            interfaces: vec![InterfaceStatus {
                name: "eth0".to_owned(),
                zone: Some("lan".to_owned()),
                up: true,
                mac: None,
                addresses: vec!["192.0.2.4/24".to_owned(), "fe80::1/64".to_owned()],
            }],
            zones: vec![ZoneStatus {
                name: "lan".to_owned(),
                trust: "inside".to_owned(),
                interface: "eth0".to_owned(),
                addresses: vec!["dhcp".to_owned()],
                gateway: None,
            }],
        };
        let expected = "\
INTERFACE  ZONE  LINK  HARDWARE  ADDRESSES
eth0       lan   up    -         192.0.2.4/24, fe80::1/64

ZONE  TRUST   INTERFACE  SET TO  GATEWAY
lan   inside  eth0       dhcp    -
";
        assert_eq!(text(TEXT, &network), expected);
    }
}
