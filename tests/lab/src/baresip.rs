//! baresip as phone: it registers, calls, and answers by itself.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::{Kamailio, Lab, Place, Process};

/// Tones instead of a microphone, a file instead of a loudspeaker, commands from its standard input.
const SETTINGS: &str = "poll_method epoll
call_local_timeout 60
call_max_calls 4
audio_player aufile,{folder}/heard.wav
audio_source ausine,440
audio_alert aufile,{folder}/alert.wav
ausrc_srate 48000
ausrc_channels 2
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module ausine.so
module aufile.so
module_tmp account.so
module_app menu.so
";

/// Who a phone registers as, and by which way.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// `USER@DOMAIN`.
    pub address: &'a str,
    /// Of which of the place's addresses it speaks.
    pub own: &'a str,
    /// `IP:PORT` of whom it sends everything to.
    pub by: &'a str,
    /// Over TLS or over TCP.
    pub tls: bool,
    /// The file with the certificate and the key that it shows.
    pub certificate: Option<&'a Path>,
}

/// A running phone. Its log has every message that it sends and receives.
pub struct Baresip {
    process: Process,
}

impl Baresip {
    /// The program a test with it names in its list.
    pub const NEEDS: &'static str = "baresip";

    /// Starts one at `place` and lets it register with the password of [`Kamailio`].
    pub fn start(lab: &Lab, place: Place, account: Account<'_>) -> Result<Self> {
        let Account {
            address, own, by, ..
        } = account;
        let name = format!("baresip-{}", address.replace(['@', '/'], "-"));
        let dir = lab.dir().join(&name);
        fs::create_dir_all(&dir)?;
        let folder = dir.display().to_string();
        let mut settings = SETTINGS.replace("{folder}", &folder);
        settings.extend(["net_interface ", own, "\n"]);
        if let Some(certificate) = account.certificate {
            let certificate = certificate.display().to_string();
            settings.extend(["sip_certificate ", &certificate, "\n"]);
        }
        let transport = if account.tls { "tls" } else { "tcp" };
        let (user, password) = (
            address.split('@').next().unwrap_or_default(),
            Kamailio::PASSWORD,
        );
        let line = format!(
            "<sip:{address};transport={transport}>;auth_user={user};auth_pass={password};\
             outbound=\"sip:{by};transport={transport}\";regint=600;answermode=auto\n"
        );
        fs::write(dir.join("config"), settings)?;
        fs::write(dir.join("accounts"), line)?;
        fs::write(dir.join("contacts"), "\n")?;
        let process = lab.spawn(place, &name, &["baresip", "-s", "-f", &folder])?;
        Ok(Self { process })
    }

    /// Waits until it is registered.
    pub fn wait_until_registered(&mut self) -> Result<()> {
        self.wait_for("registered successfully")
    }

    /// Waits until its log holds `text`.
    pub fn wait_for(&mut self, text: &str) -> Result<()> {
        self.process.wait_for(text)
    }

    /// Calls `uri`.
    pub fn call(&mut self, uri: &str) -> Result<()> {
        self.process.tell(&format!("/dial {uri}"))
    }

    /// Ends the call.
    pub fn hang_up(&mut self) -> Result<()> {
        self.process.tell("/hangup")
    }

    /// Everything it said, sent and received until now.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
