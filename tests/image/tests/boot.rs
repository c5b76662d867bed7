//! The image boots, and comes up again after its power was cut.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use image_tests::{Machine, Settings, missing, test_image};

/// Larger than the image, so that the state partition has something to grow into.
const DISK: u64 = 2 << 30;

#[test]
fn a_new_box_boots_takes_the_whole_disk_and_keeps_its_state_over_a_power_cut() {
    on_a_new_disk("state", |settings| {
        let mut machine = Machine::start(settings)?;
        machine.wait_for("the state partition now takes the rest of the disk")?;
        machine.wait_for("eth0 is pci")?;
        machine.wait_for("the box serves")?;
        let first = machine.said();
        ensure!(!first.contains("THE STATE IS NOT KEPT"), "{first}");
        ensure!(first.contains("the watchdog is on"), "{first}");
        machine.cut();

        let mut machine = Machine::start(settings)?;
        machine.wait_for("the box serves")?;
        let second = machine.said();
        ensure!(
            !second.contains("the state partition now takes"),
            "it has grown already:\n{second}"
        );
        ensure!(!second.contains("THE STATE IS NOT KEPT"), "{second}");
        Ok(())
    });
}

/// Runs `body` with a folder of its own; without QEMU or an image it is skipped with the reason.
fn on_a_new_disk(name: &str, body: impl FnOnce(&Settings) -> Result<()>) {
    let image = test_image();
    if let Some(why) = missing().or_else(|| no_image(&image)) {
        lab::skip(&why);
        return;
    }
    let folder = Folder::new(name);
    let settings = Settings {
        folder: &folder.0,
        image: &image,
        disk: DISK,
        forwards: &[],
        target: None,
    };
    if let Err(error) = body(&settings) {
        panic!("{error:#}");
    }
}

fn no_image(image: &Path) -> Option<String> {
    (!image.is_file()).then(|| {
        "no image was built: `cargo xtask test` does, or \
         `cargo xtask image --profile dev --plain --out target/image/test`"
            .to_owned()
    })
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("gatehouse-image-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path)
            .context("a folder for the machine")
            .unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
