//! The bytes: what a client says and what it reads (RFC 2131 section 2, RFC 2132, RFC 3396).
//!
//! Options are read as bytes first and looked into only where we want them, so that nonsense in an option that we
//! never asked for costs nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// The most bytes of an answer that are read: those of one Ethernet frame.
pub const MAX_DATAGRAM: usize = 1500;

/// Where the options begin: after the fixed fields and the magic cookie.
const FIXED: usize = 240;
const MAGIC: [u8; 4] = [99, 130, 83, 99];
/// Relays of old drop what is shorter than a BOOTP message (RFC 1542 section 2.1).
const SHORTEST: usize = 300;
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const ETHERNET: u8 = 1;

/// The codes of options.
pub(super) mod code {
    pub(in super::super) const MASK: u8 = 1;
    pub(in super::super) const ROUTERS: u8 = 3;
    pub(in super::super) const NAME_SERVERS: u8 = 6;
    pub(super) const HOSTNAME: u8 = 12;
    pub(in super::super) const DOMAIN: u8 = 15;
    pub(in super::super) const MTU: u8 = 26;
    pub(in super::super) const TIME_SERVERS: u8 = 42;
    pub(super) const REQUESTED: u8 = 50;
    pub(in super::super) const LEASE_TIME: u8 = 51;
    pub(super) const OVERLOAD: u8 = 52;
    pub(super) const KIND: u8 = 53;
    pub(in super::super) const SERVER: u8 = 54;
    pub(super) const ASKED: u8 = 55;
    pub(in super::super) const MESSAGE: u8 = 56;
    pub(super) const LARGEST: u8 = 57;
    pub(in super::super) const RENEW: u8 = 58;
    pub(in super::super) const REBIND: u8 = 59;
    pub(super) const CLIENT: u8 = 61;
    pub(in super::super) const ROUTES: u8 = 121;
    pub(super) const END: u8 = 255;
}

/// The options that we ask for. RFC 3442 wants 121 before 3.
const ASKED: [u8; 11] = [
    code::MASK,
    code::ROUTES,
    code::ROUTERS,
    code::NAME_SERVERS,
    code::DOMAIN,
    code::MTU,
    code::TIME_SERVERS,
    code::LEASE_TIME,
    code::SERVER,
    code::RENEW,
    code::REBIND,
];

/// The Ethernet address of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardwareAddr(pub [u8; 6]);

impl fmt::Display for HardwareAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

/// What a client says (RFC 2131 table 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Discover = 1,
    Request = 3,
    Decline = 4,
    Release = 7,
}

/// One message of ours.
pub(super) struct Question<'a> {
    pub(super) kind: Ask,
    pub(super) xid: u32,
    /// Seconds since we began to ask.
    pub(super) secs: u16,
    /// The address that we have and can answer at.
    pub(super) own: Option<Ipv4Addr>,
    pub(super) hardware: HardwareAddr,
    /// The address that we would like, or that is meant (option 50).
    pub(super) requested: Option<Ipv4Addr>,
    /// The server that is meant (option 54).
    pub(super) server: Option<Ipv4Addr>,
    pub(super) hostname: Option<&'a str>,
}

impl Question<'_> {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let wants_answer = matches!(self.kind, Ask::Discover | Ask::Request);
        let mut out = vec![REQUEST, ETHERNET, 6, 0];
        out.extend(self.xid.to_be_bytes());
        out.extend(self.secs.to_be_bytes());
        out.extend(if wants_answer { [0x80, 0] } else { [0, 0] });
        out.extend(self.own.unwrap_or(Ipv4Addr::UNSPECIFIED).octets());
        out.resize(28, 0);
        out.extend(self.hardware.0);
        out.resize(FIXED - MAGIC.len(), 0);
        out.extend(MAGIC);
        option(&mut out, code::KIND, &[self.kind as u8]);
        // RFC 2132 section 9.14: the type of the hardware address and the address.
        let mut client = vec![ETHERNET];
        client.extend(self.hardware.0);
        option(&mut out, code::CLIENT, &client);
        if let Some(address) = self.requested {
            option(&mut out, code::REQUESTED, &address.octets());
        }
        if let Some(server) = self.server {
            option(&mut out, code::SERVER, &server.octets());
        }
        if wants_answer {
            let largest = u16::try_from(MAX_DATAGRAM).expect("1500 fits");
            option(&mut out, code::LARGEST, &largest.to_be_bytes());
            option(&mut out, code::ASKED, &ASKED);
            if let Some(name) = self.hostname {
                option(&mut out, code::HOSTNAME, name.as_bytes());
            }
        }
        out.push(code::END);
        out.resize(out.len().max(SHORTEST), 0);
        out
    }
}

/// Every value of ours is shorter than 256 bytes.
fn option(out: &mut Vec<u8>, code: u8, value: &[u8]) {
    out.push(code);
    out.push(u8::try_from(value.len()).expect("our options are short"));
    out.extend(value);
}

/// What a server says to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    Offer,
    Ack,
    Nak,
}

/// An answer of a server that is meant for somebody.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) kind: Say,
    pub(super) xid: u32,
    /// The address that is given.
    pub(super) given: Ipv4Addr,
    options: BTreeMap<u8, Vec<u8>>,
}

impl Answer {
    /// Reads an answer to `hardware`; `None` for anything else, and for what is not whole.
    pub(super) fn read(bytes: &[u8], hardware: HardwareAddr) -> Option<Self> {
        if bytes.len() > MAX_DATAGRAM {
            return None;
        }
        let (fixed, rest) = bytes.split_at_checked(FIXED)?;
        let head = [REPLY, ETHERNET, 6];
        if fixed[..3] != head || fixed[28..34] != hardware.0 || fixed[236..] != MAGIC {
            return None;
        }
        let options = options(fixed, rest)?;
        let kind = match options.get(&code::KIND)?[..] {
            [2] => Say::Offer,
            [5] => Say::Ack,
            [6] => Say::Nak,
            _ => return None,
        };
        Some(Self {
            kind,
            xid: u32::from_be_bytes(four(&fixed[4..8])?),
            given: four(&fixed[16..20])?.into(),
            options,
        })
    }

    /// The bytes of an option, those of all its pieces together.
    pub(super) fn bytes(&self, code: u8) -> Option<&[u8]> {
        self.options.get(&code).map(Vec::as_slice)
    }

    /// An option that is one address.
    pub(super) fn address(&self, code: u8) -> Option<Ipv4Addr> {
        self.bytes(code).and_then(four).map(Ipv4Addr::from)
    }

    /// An option that is a list of addresses; empty where there is none, or no list.
    pub(super) fn addresses(&self, code: u8) -> Vec<Ipv4Addr> {
        let bytes = self.bytes(code).unwrap_or_default();
        if !bytes.len().is_multiple_of(4) {
            return Vec::new();
        }
        let each = bytes.chunks_exact(4).filter_map(four);
        each.map(Ipv4Addr::from).collect()
    }

    /// An option that is a number of four bytes.
    pub(super) fn number(&self, code: u8) -> Option<u32> {
        self.bytes(code).and_then(four).map(u32::from_be_bytes)
    }
}

/// All options, also those in the fields of old (RFC 2131 section 4.1: first `file`, then `sname`); pieces of one code are put
/// together in this order (RFC 3396 section 7).
fn options(fixed: &[u8], rest: &[u8]) -> Option<BTreeMap<u8, Vec<u8>>> {
    let mut found = BTreeMap::new();
    // Without its end the message may have been cut off.
    if !collect(rest, &mut found)? {
        return None;
    }
    let overload = found.get(&code::OVERLOAD).and_then(|v| v.first()).copied();
    let (sname, file) = (&fixed[44..108], &fixed[108..236]);
    if matches!(overload, Some(1 | 3)) {
        collect(file, &mut found)?;
    }
    if matches!(overload, Some(2 | 3)) {
        collect(sname, &mut found)?;
    }
    Some(found)
}

/// Adds the options of one field; whether it had an end. `None`: an option does not fit into it.
fn collect(mut field: &[u8], found: &mut BTreeMap<u8, Vec<u8>>) -> Option<bool> {
    while let Some((&code, rest)) = field.split_first() {
        match code {
            0 => field = rest,
            code::END => return Some(true),
            _ => {
                let (&len, rest) = rest.split_first()?;
                let (value, rest) = rest.split_at_checked(usize::from(len))?;
                found.entry(code).or_default().extend(value);
                field = rest;
            }
        }
    }
    Some(false)
}

fn four(bytes: &[u8]) -> Option<[u8; 4]> {
    bytes.try_into().ok()
}
