//! Kamailio as PBX: it registers phones, puts calls through, and says what it heard.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{Lab, Place, Process, wait_until};

const SETTINGS: &str = "kamailio.cfg";

/// What it says of its TLS; with `ca_list` it asks for a certificate and wants it from there.
const TLS: &str = "[server:default]
method = TLSv1.2+
certificate = {folder}/target.pem
private_key = {folder}/target.key
";

/// A running Kamailio, TCP on port 5060 and TLS on 5061. It registers everybody who knows [`Kamailio::PASSWORD`], in the realm
/// `dvl-ckl2.net`, but of numbers it knows 100 alone (404 for others). Users of a domain with a location (`dvl-ckl2.net/branch-b`) can not be called.
pub struct Kamailio<'lab> {
    lab: &'lab Lab,
    place: Place,
    dir: PathBuf,
    process: Process,
}

/// A request as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// `REGISTER`, ...
    pub method: String,
    /// The URI of From.
    pub from: String,
    /// The URI of To.
    pub to: String,
    /// `IP:PORT` of Kamailio.
    pub at: String,
    /// `tcp` or `tls`.
    pub transport: String,
    /// The Request-URI.
    pub uri: String,
    /// Contact, as written.
    pub contact: String,
    /// The topmost Via.
    pub via: String,
    /// The topmost Route.
    pub route: String,
    /// The common name of the certificate that was shown, empty for none.
    pub certificate: String,
}

impl<'lab> Kamailio<'lab> {
    /// Programs a test with it names in its list.
    pub const NEEDS: [&'static str; 3] = ["kamailio", "kamcmd", "openssl"];
    /// The password of everybody.
    pub const PASSWORD: &'static str = "word-of-the-lab";

    /// Starts one at `place` on `addresses`, each an `IP`.
    pub fn start(lab: &'lab Lab, place: Place, addresses: &[&str]) -> Result<Self> {
        Self::start_with(lab, place, addresses, None)
    }

    /// The same that lets only those in over TLS who show a certificate below `root`.
    pub fn start_asking(
        lab: &'lab Lab,
        place: Place,
        addresses: &[&str],
        root: &Path,
    ) -> Result<Self> {
        Self::start_with(lab, place, addresses, Some(root))
    }

    fn start_with(
        lab: &'lab Lab,
        place: Place,
        addresses: &[&str],
        root: Option<&Path>,
    ) -> Result<Self> {
        let dir = lab.dir().join("kamailio");
        fs::create_dir_all(&dir)?;
        crate::nginx::self_signed(lab, &dir)?;
        let folder = dir.display().to_string();
        let mut tls = TLS.replace("{folder}", &folder);
        if let Some(root) = root {
            tls += "verify_certificate = yes\nrequire_certificate = yes\n";
            let root = root.display().to_string();
            tls.extend(["ca_list = ", &root, "\n"]);
        }
        fs::write(dir.join("tls.cfg"), tls)?;
        let listen =
            |address: &&str| format!("listen=tcp:{address}:5060\nlisten=tls:{address}:5061\n");
        let settings = fs::read_to_string(crate::websocket::peer(SETTINGS))?
            .replace("{folder}", &folder)
            .replace("{password}", Self::PASSWORD)
            .replace(
                "{listen}",
                &addresses.iter().map(listen).collect::<String>(),
            );
        let file = dir.join("kamailio.cfg");
        fs::write(&file, settings)?;
        let file = file.display().to_string();
        // In the foreground, and small: 32 MB shared, 4 MB each.
        let command = ["kamailio", "-DD", "-E", "-m", "32", "-M", "4", "-f", &file];
        let process = lab.spawn(place, "kamailio", &command)?;
        for address in addresses {
            for port in [5060, 5061] {
                lab.wait_for_port(place, &format!("{address}:{port}"))?;
            }
        }
        Ok(Self {
            lab,
            place,
            dir,
            process,
        })
    }

    /// Every request that has arrived until now.
    pub fn heard(&self) -> Vec<Heard> {
        let log = self.process.log();
        log.lines().filter_map(Heard::read).collect()
    }

    /// Waits for a request that is as `wanted` says, and returns the first.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Heard) -> bool) -> Result<Heard> {
        let mut found = None;
        wait_until(&format!("{what} at Kamailio"), || {
            found = self.heard().into_iter().find(&wanted);
            Ok(found.is_some())
        })?;
        Ok(found.unwrap_or_default())
    }

    /// The statuses of the answers to calls that it has passed on.
    pub fn answered(&self) -> Vec<String> {
        let log = self.process.log();
        let lines = log.lines().filter_map(|line| line.split_once("answered\t"));
        lines.map(|(_, line)| line.to_owned()).collect()
    }

    /// Who is registered, and where: what `kamcmd ul.dump` prints.
    pub fn registered(&self) -> Result<String> {
        let socket = format!("unix:{}/ctl", self.dir.display());
        let command = ["kamcmd", "-s", &socket, "ul.dump"];
        self.lab.run(self.place, &command)?.success()
    }

    /// Everything it said.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

impl Heard {
    fn read(line: &str) -> Option<Self> {
        let (_, line) = line.split_once("heard\t")?;
        // What Kamailio has no value for.
        let mut words = line.split('\t').map(|word| match word {
            "<null>" | "0" => String::new(),
            word => word.to_owned(),
        });
        Some(Self {
            method: words.next()?,
            from: words.next()?,
            to: words.next()?,
            at: words.next()?,
            transport: words.next()?,
            uri: words.next()?,
            contact: words.next()?,
            via: words.next()?,
            route: words.next()?,
            certificate: words.next()?,
        })
    }
}
