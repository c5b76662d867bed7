//! The image boots, and comes up again after its power was cut.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod hardware;
mod menu;
mod rescue;

use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use image_tests::{Machine, SERVING, Settings, missing, sparse_copy, test_image};

/// Larger than the image, so that the state partition has something to grow into.
const DISK: u64 = 2 << 30;

#[test]
fn a_new_box_boots_takes_the_whole_disk_and_keeps_its_state_over_a_power_cut() {
    on_a_new_disk("state", |settings| {
        let mut machine = Machine::start(settings)?;
        machine.wait_for("the state partition now takes the rest of the disk")?;
        machine.wait_for("eth0 is pci")?;
        machine.wait_for(SERVING)?;
        let first = machine.said();
        ensure!(!first.contains("THE STATE IS NOT KEPT"), "{first}");
        ensure!(first.contains("the watchdog is on"), "{first}");
        machine.cut();

        let mut machine = Machine::start(settings)?;
        machine.wait_for(SERVING)?;
        let second = machine.said();
        ensure!(
            !second.contains("the state partition now takes"),
            "it has grown already:\n{second}"
        );
        ensure!(!second.contains("THE STATE IS NOT KEPT"), "{second}");
        Ok(())
    });
}

#[test]
fn a_damaged_partition_table_and_a_damaged_file_system_are_made_well_again() {
    on_a_new_disk("damaged", |settings| {
        let mut machine = Machine::start(settings)?;
        machine.wait_for(SERVING)?;
        machine.cut();
        // As if power had been cut while the table was written; and the first description of the file system is gone.
        let disk = settings.folder.join("disk");
        overwrite(&disk, 2 * 512, 4096)?;
        overwrite(&disk, STATE, 4096)?;
        let mut machine = Machine::start(settings)?;
        machine.wait_for("is damaged: everything that can be is repaired")?;
        machine.wait_for(SERVING)?;
        let said = machine.said();
        ensure!(!said.contains("THE STATE IS NOT KEPT"), "{said}");
        Ok(())
    });
}

#[test]
fn a_box_whose_state_is_lost_says_so_and_serves() {
    on_a_new_disk("lost", |settings| {
        // A disk where nothing is left of the state partition, not even what e2fsck keeps in other places.
        let image = settings.folder.join("disk");
        sparse_copy(settings.image, &image)?;
        overwrite(&image, STATE, 64 << 20)?;
        let mut machine = Machine::start(settings)?;
        machine.wait_for("THE STATE IS NOT KEPT")?;
        machine.wait_for(SERVING)?;
        Ok(())
    });
}

#[test]
fn a_published_host_and_the_admin_pages_answer_from_outside() {
    on_a_new_disk("serves", |settings| {
        let target = target(settings.folder)?;
        let settings = Settings {
            forwards: &[443, 8443],
            target: Some(&target),
            ..*settings
        };
        let mut machine = Machine::start(&settings)?;
        // What QEMU gives by DHCP.
        machine.wait_for("10.0.2.15/24")?;
        serves(&machine)?;
        machine.cut();
        // And again, with the lease of before.
        let mut machine = Machine::start(&settings)?;
        machine.wait_for("10.0.2.15/24")?;
        serves(&machine)
    });
}

fn serves(machine: &Machine) -> Result<()> {
    let published = format!("https://127.0.0.1:{}/hello", machine.port(443)?);
    let answer = curl(&published, &["--header", "Host: hq.image.example"])?;
    ensure!(answer == "hello from the target", "{answer}");
    let admin = format!("https://127.0.0.1:{}/", machine.port(8443)?);
    ensure!(curl(&admin, &[])?.contains("Gatehouse"));
    Ok(())
}

/// Goes back to the menu, wherever the console is.
const ESCAPE: &str = "\u{1b}";

/// Waits for the menu of a box that answers.
fn at_home(machine: &mut Machine) -> Result<()> {
    machine
        .see(&[SERVING, "Restart the box", "Configuration"])
        .map(drop)
}

/// A program that is the published host's target.
fn target(folder: &Path) -> Result<PathBuf> {
    let target = folder.join("target");
    fs::write(&target, TARGET)?;
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
    Ok(target)
}

/// Answers one request for whatever it asks.
const TARGET: &str = "#!/bin/sh
while IFS= read -r line && [ ${#line} -gt 1 ]; do :; done
printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 21\\r\\nConnection: close\\r\\n\\r\\nhello from the target'
";

/// What a client outside gets; it goes on trying while the box has no address yet.
fn curl(url: &str, more: &[&str]) -> Result<String> {
    let out = Command::new("curl")
        .args(["--silent", "--show-error", "--insecure", "--max-time", "20"])
        .args(["--retry", "30", "--retry-all-errors", "--retry-delay", "1"])
        .args(more)
        .arg(url)
        .output()
        .context("curl")?;
    ensure!(
        out.status.success(),
        "{url}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Where the state partition begins, in bytes: after the EFI system partition.
const STATE: u64 = 257 << 20;

fn overwrite(disk: &Path, at: u64, length: usize) -> Result<()> {
    let file = fs::File::options().write(true).open(disk)?;
    Ok(file.write_all_at(&vec![0xff; length], at)?)
}

/// Runs `body` with a folder of its own; without QEMU or an image it is skipped with the reason.
fn on_a_new_disk(name: &str, body: impl FnOnce(&Settings) -> Result<()>) {
    let image = test_image();
    if let Some(why) = missing().or_else(|| no_image(&image)) {
        lab::skip(&why);
        return;
    }
    let folder = Folder::new(name);
    let settings = Settings::new(&folder.0, &image, DISK);
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
