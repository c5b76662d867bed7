//! An OpenID Connect provider, the npm package oidc-provider.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use crate::authority::Authority;
use crate::{Lab, Place, Process};

const SCRIPT: &str = "tests/lab/node/provider.mjs";

/// The client that a provider has: the box.
#[derive(Clone, Copy, Debug)]
pub struct Client<'c> {
    /// The host by way of which browsers come back, `https://NAME`.
    pub host: &'c str,
    /// What it shows that it is the client.
    pub secret: &'c str,
    /// Where the provider finds the host, and the root of its certificate.
    pub gateway: (&'c str, &'c Path),
}

/// A running provider: whoever types a name is signed in under it, with any password. `ada` is in the groups `pbx-users` and `staff`,
/// `eve` in `visitors`; of everybody else it says no groups.
pub struct Provider<'lab> {
    lab: &'lab Lab,
    place: Place,
    /// `IP:443`.
    address: String,
    file: PathBuf,
    process: Option<Process>,
}

impl<'lab> Provider<'lab> {
    /// Programs a test with it names in its list.
    pub const NEEDS: [&'static str; 3] = ["node", "oidc-provider", "openssl"];

    /// Starts one called `name` at `place`, on port 443 of `address`, with a certificate of `authority`. It knows one client, `gatehouse`.
    pub fn start(
        lab: &'lab Lab,
        (place, address): (Place, &str),
        (name, authority): (&str, &Authority<'_>),
        client: Client<'_>,
    ) -> Result<Self> {
        let issued = authority.issue(name)?;
        let own = |path: &str| format!("{}/.gatehouse/oidc/{path}", client.host);
        let (gateway, root) = client.gateway;
        let told = json!({
            "issuer": format!("https://{name}"), "address": address, "port": 443,
            "certificate": issued.chain, "key": issued.key, "client": "gatehouse", "secret": client.secret,
            "redirect": own("callback"), "logout": own("logout"), "back": null, "algorithm": "ES256", "inToken": true,
            "gateway": gateway, "authority": root, "keys": lab.dir().join("provider-keys.json"),
        });
        let file = lab.dir().join("provider.json");
        fs::write(&file, told.to_string())?;
        let mut provider = Self {
            lab,
            place,
            address: format!("{address}:443"),
            file,
            process: None,
        };
        provider.start_again()?;
        Ok(provider)
    }

    /// Starts it again after a stop; it has its keys still, and nobody is signed in there.
    pub fn start_again(&mut self) -> Result<()> {
        let script = crate::repository().join(SCRIPT).display().to_string();
        let file = self.file.display().to_string();
        let process = self
            .lab
            .spawn(self.place, "provider", &["node", &script, &file])?;
        self.process = Some(process);
        self.lab.wait_for_port(self.place, &self.address)
    }

    /// Ends it; its address refuses connections from now on.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Everything it said until now: a line `logout STATUS` for each session of which it told the client that it has ended.
    pub fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }
}
