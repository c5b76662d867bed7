//! A target that sends every body back.

use anyhow::Result;

use crate::{Lab, Place, Process};

/// A web server that answers POST and PUT with what they brought; `x-framing` says how it came,
/// `length` or `chunked`.
pub struct Mirror {
    _process: Process,
}

impl Mirror {
    /// Starts one at `place` on `address`, `IP:PORT`.
    pub fn start(lab: &Lab, place: Place, address: &str) -> Result<Self> {
        let script = crate::websocket::peer("mirror.py");
        let mut process = lab.spawn(place, "mirror", &["/usr/bin/python3", &script, address])?;
        process.wait_for("ready")?;
        Ok(Self { _process: process })
    }
}
