//! What single values look like: numbers, words, durations, sizes, addresses, names, targets.

mod address;
mod amount;
mod directory;
mod field;
mod name;
mod port;
mod secret;
mod target;
mod url;

pub use address::{AddressRange, Mac, PublicAddress, Upstream, ZoneAddress};
pub(crate) use amount::{MaxAge, Rate, Size};
pub(crate) use directory::{Attribute, LdapFilter};
pub(crate) use field::{Field, FieldList};
pub use name::HostName;
pub(crate) use name::{
    CertificateName, ClientCa, DnsName, FileName, GroupName, Interface, Label, Mail, Name,
    NumberPattern, Origin, SubjectName, Text, Token, VisitorName, dns_fault, name_fault,
};
pub use port::Ports;
pub use secret::SecretRef;
pub(crate) use target::{Scheme, TargetList, TargetText, parse as parse_target};
pub use target::{TargetHost, TargetHostHeader};
pub(crate) use url::{HttpsUrl, LdapUrl, Scope, ServerText};
