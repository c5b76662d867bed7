//! FreeRADIUS as a server that knows users.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

use crate::{Lab, Place, Process};

/// A running freeradius. It knows these users:
/// - `nemo`, password `arctangent`: it calls him `Nemo`, with two groups in Filter-Id and one in Class;
/// - `mopsy`, password `challenge`: it asks him for a code, which is 99101462 (RFC 2865 section 7.3);
/// - `old`, whom it answers without a Message-Authenticator, as a server did before 2024.
pub struct Freeradius {
    process: Process,
}

impl Freeradius {
    /// Starts one inside that answers on `address` (IP:PORT) whoever has the secret `shared`.
    pub fn start(lab: &Lab, address: &str, shared: &str) -> Result<Self> {
        // One that is started after another has a folder and a log of its own.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("freeradius-{address}-{number}");
        let dir = lab.dir().join(&name);
        fs::create_dir_all(&dir)?;
        let dir = dir.display().to_string();
        let file = format!("{dir}/radiusd.conf");
        fs::write(file, configuration(&dir, address, shared))?;
        let command = [
            "freeradius",
            "-f",
            "-l",
            "stdout",
            "-d",
            &dir,
            "-n",
            "radiusd",
        ];
        let mut process = lab.spawn(Place::Lan, &name, &command)?;
        process.wait_for("Ready to process requests")?;
        Ok(Self { process })
    }

    /// Everything it said until now.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Ends it.
    pub fn stop(self) {
        drop(self.process);
    }
}

fn configuration(dir: &str, address: &str, shared: &str) -> String {
    let (ip, port) = address.rsplit_once(':').unwrap_or((address, "1812"));
    format!(
        r#"name = lab
logdir = {dir}
run_dir = {dir}
db_dir = {dir}
libdir = /usr/lib/freeradius
pidfile = {dir}/pid
log {{
  destination = stdout
  auth = yes
}}
security {{
  reject_delay = 0
}}
client all {{
  ipaddr = *
  secret = "{shared}"
  require_message_authenticator = yes
}}
modules {{
  pap {{
  }}
  always reject {{
    rcode = reject
  }}
  always handled {{
    rcode = handled
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = {ip}
    port = {port}
  }}
  authorize {{
{USERS}
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
  }}
  post-auth {{
    Post-Auth-Type REJECT {{
      update reply {{
        &Reply-Message := "unknown or wrong"
      }}
    }}
  }}
}}
"#
    )
}

/// What it does with whom.
const USERS: &str = r#"
    if (&User-Name != "old") {
      update reply {
        &Message-Authenticator := 0x00
      }
    }
    if (&User-Name == "nemo") {
      update control {
        &Cleartext-Password := "arctangent"
      }
      update reply {
        &User-Name := "Nemo"
        &Filter-Id += "pbx-users"
        &Filter-Id += "admins"
        &Class += "OU=staff"
      }
    }
    elsif (&User-Name == "old") {
      update control {
        &Cleartext-Password := "arctangent"
      }
    }
    elsif (&User-Name == "mopsy") {
      if (&State) {
        if (&State != 0x3332373639343330) {
          reject
        }
        update control {
          &Cleartext-Password := "99101462"
        }
      }
      elsif (&User-Password == "challenge") {
        update reply {
          &Reply-Message := "Challenge 32769430.  Enter response at prompt."
          &State := 0x3332373639343330
        }
        update control {
          &Response-Packet-Type := Access-Challenge
        }
        handled
      }
      else {
        reject
      }
    }
"#;
