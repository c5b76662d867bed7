//! `SIPVicious` as attacker. It speaks UDP alone: a bridge carries its packets over TCP.

use anyhow::{Context, Result};

use crate::{Lab, Place, Process};

/// The port of the first bridge.
const BASE: u16 = 15000;

/// A scan that goes on until it is dropped or gives up.
pub struct Scan {
    bridge: Process,
    scanner: Process,
}

impl Scan {
    /// Programs a test with it names in its list.
    pub const NEEDS: [&'static str; 3] = ["svmap", "svwar", "svcrack"];

    /// Runs `command` (`svwar` and its arguments) at `place` from the address `source` against `to`, `IP:PORT` over TCP; whatever of 127/8 it
    /// scans is meant. With `agent`, this is what it says it is instead of a scanner.
    pub fn start(
        lab: &Lab,
        place: Place,
        (source, to): (&str, &str),
        agent: &str,
        command: &[&str],
    ) -> Result<Self> {
        let (program, arguments) = command.split_first().context("no program")?;
        // A port of its own for each that runs at a time: its address tells them apart.
        let last = source.rsplit('.').next().unwrap_or_default();
        let port = (BASE + last.parse::<u16>()?).to_string();
        let name = format!("{program}-{source}");
        let listen = format!("0.0.0.0:{port}");
        let script = crate::websocket::peer("sip_bridge.py");
        let bridge = ["/usr/bin/python3", &script, &listen, source, to, agent];
        let mut bridge = lab.spawn(place, &format!("{name}-bridge"), &bridge)?;
        bridge.wait_for("ready")?;
        let command = [&[*program, "-p", &port], arguments].concat();
        let scanner = lab.spawn(place, &name, &command)?;
        Ok(Self { bridge, scanner })
    }

    /// Waits until the scanner gives up.
    pub fn wait(&mut self) -> Result<()> {
        self.scanner.wait().map(drop)
    }

    /// How many packets went out.
    pub fn sent(&self) -> usize {
        self.bridge.log().matches("sent ").count()
    }

    /// What the scanner has said.
    pub fn log(&self) -> String {
        self.scanner.log()
    }
}
