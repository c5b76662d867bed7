//! What of H.225.0 stands before the names that are looked for, and is passed over.

use super::per::{Bits, Choice};
use super::{NotH323, Read};

/// Passes over one value.
type Skip = fn(&mut Bits<'_>) -> Read<()>;

/// `TransportAddress`.
pub(super) fn transport_address(bits: &mut Bits<'_>) -> Read<()> {
    match bits.choice(3)? {
        // ipAddress, and a port
        Choice::Root(0) => octets(bits, 4 + 2),
        Choice::Root(1) => Err(NotH323::SourceRoute),
        // ipxAddress: node, network, port; it can not be extended
        Choice::Root(2) => octets(bits, 6 + 4 + 2),
        Choice::Root(3) => {
            let extended = bits.bit()?;
            octets(bits, 16 + 2)?;
            additions(bits, extended)
        }
        // netBios
        Choice::Root(4) => octets(bits, 16),
        Choice::Root(5) => {
            let nsap = usize::from(bits.bits(5)?) + 1;
            octets(bits, nsap)
        }
        Choice::Root(6) => non_standard(bits),
        Choice::Root(_) => Err(NotH323::Malformed),
        Choice::Added(..) => Ok(()),
    }
}

/// `EndpointType`.
pub(super) fn endpoint_type(bits: &mut Bits<'_>) -> Read<()> {
    let [
        extended,
        own,
        has_vendor,
        gatekeeper,
        has_gateway,
        mcu,
        terminal,
    ] = bits.flags()?;
    let parts: [(bool, Skip); 6] = [
        (own, non_standard),
        (has_vendor, vendor),
        (gatekeeper, info),
        (has_gateway, gateway),
        (mcu, info),
        (terminal, info),
    ];
    for (_, part) in parts.into_iter().filter(|(present, _)| *present) {
        part(bits)?;
    }
    let [_mc, _undefined_node] = bits.flags()?;
    additions(bits, extended)
}

/// `VendorIdentifier`.
pub(super) fn vendor(bits: &mut Bits<'_>) -> Read<()> {
    let [extended, product, version] = bits.flags()?;
    h221(bits)?;
    for _ in [product, version].into_iter().filter(|present| *present) {
        let len = usize::from(bits.octet()?) + 1;
        octets(bits, len)?;
    }
    additions(bits, extended)
}

/// `NonStandardParameter`.
pub(super) fn non_standard(bits: &mut Bits<'_>) -> Read<()> {
    match bits.choice(1)? {
        Choice::Root(0) => object_identifier(bits)?,
        Choice::Root(_) => h221(bits)?,
        Choice::Added(..) => {}
    }
    bits.vector().map(drop)
}

/// OBJECT IDENTIFIER.
pub(super) fn object_identifier(bits: &mut Bits<'_>) -> Read<()> {
    bits.vector().map(drop)
}

/// `QseriesOptions`.
pub(super) fn call_services(bits: &mut Bits<'_>) -> Read<()> {
    let [extended, ..]: [bool; 8] = bits.flags()?;
    // Q954Details
    let [details_extended, _conference, _three_party] = bits.flags()?;
    additions(bits, details_extended)?;
    additions(bits, extended)
}

/// Additions that say nothing to us.
pub(super) fn additions(bits: &mut Bits<'_>, any: bool) -> Read<()> {
    bits.additions(any).map(drop)
}

/// `GatewayInfo`.
fn gateway(bits: &mut Bits<'_>) -> Read<()> {
    let [extended, protocols, own] = bits.flags()?;
    if protocols {
        bits.list(protocol)?;
    }
    if own {
        non_standard(bits)?;
    }
    additions(bits, extended)
}

/// `SupportedProtocols`.
fn protocol(bits: &mut Bits<'_>) -> Read<()> {
    match bits.choice(4)? {
        Choice::Root(0) => non_standard(bits),
        Choice::Root(1..=8) => info(bits),
        Choice::Root(_) => Err(NotH323::Malformed),
        Choice::Added(..) => Ok(()),
    }
}

/// `GatekeeperInfo`, `McuInfo`, `TerminalInfo`, `H310Caps` to `T120OnlyCaps`: something of the manufacturer, and additions.
fn info(bits: &mut Bits<'_>) -> Read<()> {
    let [extended, own] = bits.flags()?;
    if own {
        non_standard(bits)?;
    }
    additions(bits, extended)
}

/// `H221NonStandard`: two numbers of an octet, one of two.
fn h221(bits: &mut Bits<'_>) -> Read<()> {
    let extended = bits.bit()?;
    octets(bits, 1 + 1 + 2)?;
    additions(bits, extended)
}

fn octets(bits: &mut Bits<'_>, count: usize) -> Read<()> {
    bits.octets(count).map(drop)
}
