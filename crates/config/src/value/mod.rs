//! What single values look like: numbers, words, durations, sizes, addresses, names, targets.

mod address;
mod amount;
mod name;
mod port;
mod secret;
mod target;
mod url;

pub use address::{AddressRange, Mac, PublicAddress, Upstream, ZoneAddress};
pub(crate) use amount::Size;
pub use name::HostName;
pub(crate) use name::{
    CertificateName, DnsName, FileName, Interface, Label, Name, NumberPattern, Origin, Text, Token,
    dns_fault, name_fault,
};
pub use port::Ports;
pub use secret::SecretRef;
pub use target::TargetHost;
pub(crate) use target::{Scheme, TargetText, parse as parse_target};
pub(crate) use url::{HttpsUrl, LdapUrl, ServerText};
