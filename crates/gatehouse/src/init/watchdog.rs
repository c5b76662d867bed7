//! The hardware that starts the box anew when nobody tells it any more that all is well.

use super::say;
use std::fs::{File, OpenOptions};
use std::io::Write as _;

const DEVICE: &str = "/dev/watchdog";

/// The watchdog of the box; not every one has it.
pub(super) struct Watchdog(Option<File>);

impl Watchdog {
    /// Sets it off, if there is one: from now on it must be fed.
    pub(super) fn start() -> Self {
        let opened = OpenOptions::new().write(true).open(DEVICE);
        match &opened {
            Ok(_) => say("the watchdog is on"),
            Err(_) => say("there is no watchdog"),
        }
        Self(opened.ok())
    }

    /// A box without one.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Tells it that all is well.
    pub(super) fn feed(&mut self) {
        if let Some(device) = &mut self.0 {
            // What fails here is answered by the watchdog itself.
            device.write_all(b"\0").ok();
        }
    }
}
