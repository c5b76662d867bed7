//! The servers of a RADIUS login, taken apart.

use super::RadiusLogin;
use crate::value::{TargetHost, TargetText, parse_target};

/// The port of RADIUS (RFC 2865 section 3).
const PORT: u16 = 1812;

/// A server that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadiusServer {
    /// As the file writes it.
    pub text: String,
    /// Its address or name.
    pub host: TargetHost,
    /// Its port.
    pub port: u16,
}

impl RadiusLogin {
    /// All servers, in the order in which they are asked; never empty.
    pub fn servers(&self) -> Vec<RadiusServer> {
        std::iter::once(&self.server)
            .chain(&self.others)
            .filter_map(|text| {
                let TargetText { host, port, .. } = parse_target(text).ok()?;
                Some(RadiusServer {
                    text: text.clone(),
                    host,
                    port: port.unwrap_or(PORT),
                })
            })
            .collect()
    }
}
