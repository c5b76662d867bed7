//! linphonec as phone: another SIP than baresip's, and one that looks at the certificate of whom it talks to.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::{Kamailio, Lab, Place, Process};

/// It listens nowhere, and keeps what it writes below its folder.
const SETTINGS: &str = "[sip]
sip_port=0
sip_tcp_port=-2
sip_tls_port=-2
default_proxy=0
register_only_when_network_is_up=0
root_ca={root}
[proxy_0]
reg_proxy=<sip:{by}>
reg_identity=sip:{user}@{domain}
reg_expires=600
reg_sendregister=1
[auth_info_0]
username={user}
passwd={password}
realm=dvl-ckl2.net
";

/// A running phone that registers by itself.
pub struct Linphone {
    process: Process,
}

impl Linphone {
    /// The program a test with it names in its list.
    pub const NEEDS: &'static str = "linphonec";

    /// Starts one at `place` that registers `USER@DOMAIN` with the password of [`Kamailio`] by way of `by` (`HOST:PORT;transport=tcp` or `tls`), and
    /// believes certificates below `root`.
    pub fn start(lab: &Lab, place: Place, address: &str, by: &str, root: &Path) -> Result<Self> {
        let (user, domain) = address.split_once('@').unwrap_or((address, ""));
        let name = format!("linphone-{user}");
        let dir = lab.dir().join(&name);
        for below in [".local/share/linphone", ".config/linphone"] {
            fs::create_dir_all(dir.join(below))?;
        }
        let settings = SETTINGS
            .replace("{root}", &root.display().to_string())
            .replace("{by}", by)
            .replace("{user}", user)
            .replace("{domain}", domain)
            .replace("{password}", Kamailio::PASSWORD);
        let file = dir.join("linphonerc");
        fs::write(&file, settings)?;
        let home = format!("HOME={}", dir.display());
        let file = file.display().to_string();
        let command = ["env", &home, "linphonec", "-c", &file, "-d", "1"];
        let process = lab.spawn(place, &name, &command)?;
        Ok(Self { process })
    }

    /// Waits until it is registered. A server that would like to see a certificate makes it ask for one at its terminal, and wait there.
    pub fn wait_until_registered(&mut self) -> Result<()> {
        self.process.wait_for("[LinphoneRegistrationOk]")
    }

    /// Waits until its log holds `text`.
    pub fn wait_for(&mut self, text: &str) -> Result<()> {
        self.process.wait_for(text)
    }

    /// Gives it a command, such as `call URI`.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        self.process.tell(line)
    }

    /// Everything it said until now.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
