//! A box whose state is there and no use.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use image_tests::{Machine, sparse_copy};

use super::menu::{keep, reset, set_address, switch_off};
use super::{ESCAPE, STATE, at_home, on_a_new_disk};

/// What is said, on the serial line and as a fault.
const CAN_NOT_START: &str = "GATEHOUSE CAN NOT START WITH WHAT IT KEEPS";
const NOT_USED: &str = "WHAT THE DISK KEEPS IS NOT USED";

#[test]
fn a_state_that_nothing_starts_with_leaves_the_last_configuration_and_can_be_reset() {
    on_a_new_disk("rescue", |settings| {
        let mut machine = Machine::start(settings)?;
        machine.wait_for("10.0.2.15/24")?;
        set_address(&mut machine, "10.0.2.15/25", "10.0.2.2")?;
        keep(&mut machine)?;
        switch_off(machine)?;
        // A file where a directory belongs.
        let disk = settings.folder.join("disk");
        change(
            &disk,
            &[
                "rmdir gatehouse/secrets",
                "write /dev/null gatehouse/secrets",
            ],
        )?;

        let mut machine = Machine::start(settings)?;
        // The supervisor says why, and init what comes of it.
        machine.wait_for("/state/gatehouse/secrets")?;
        let line = machine.wait_for(CAN_NOT_START)?;
        ensure!(line.contains("its last configuration"), "{line}");
        machine.see(&["lan): 10.0.2.15/25"])?;
        told(&mut machine)?;
        // Not of the memory, but of the disk.
        reset(&mut machine)?;
        machine.wait_anew_for("factory reset: everything that was kept is removed")?;
        machine.see(&["generation 1 of", "lan): 10.0.2.15/24"])?;
        let shown = machine.said();
        let (_, since) = shown
            .rsplit_once("init: Gatehouse")
            .context("it has begun")?;
        ensure!(
            !since.contains(NOT_USED) && !since.contains(CAN_NOT_START),
            "{since}"
        );
        machine.cut();
        let mut machine = Machine::start(settings)?;
        at_home(&mut machine)?;
        ensure!(
            !machine.said().contains(CAN_NOT_START),
            "{}",
            machine.said()
        );
        Ok(())
    });
}

#[test]
fn a_state_of_which_nothing_can_be_read_leaves_the_factory_configuration() {
    on_a_new_disk("unreadable", |settings| {
        let disk = settings.folder.join("disk");
        sparse_copy(settings.image, &disk)?;
        change(&disk, &["write /dev/null gatehouse"])?;
        let mut machine = Machine::start(settings)?;
        let line = machine.wait_for(CAN_NOT_START)?;
        ensure!(line.contains("the factory configuration"), "{line}");
        machine.see(&["lan): 10.0.2.15/24"])?;
        told(&mut machine)?;
        reset(&mut machine)?;
        machine.see(&["lan): 10.0.2.15/24"])?;
        let shown = machine.said();
        let (_, since) = shown
            .rsplit_once("init: Gatehouse")
            .context("it has begun")?;
        ensure!(!since.contains(CAN_NOT_START), "{since}");
        Ok(())
    });
}

/// Among the faults on the page of the state.
fn told(machine: &mut Machine) -> Result<()> {
    at_home(machine)?;
    machine.type_in("1")?;
    machine.see(&[NOT_USED])?;
    machine.type_in(ESCAPE)?;
    at_home(machine)
}

/// Changes the file system of the state partition while the box is off.
fn change(disk: &Path, orders: &[&str]) -> Result<()> {
    let list = disk.with_extension("orders");
    fs::write(&list, orders.join("\n") + "\n")?;
    let mut debugfs = Command::new("debugfs");
    let path = std::env::var("PATH").unwrap_or_default();
    debugfs.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    debugfs.args(["-w", "-f"]).arg(&list);
    let out = debugfs
        .arg(format!("{}?offset={STATE}", disk.display()))
        .output()
        .context("debugfs, of e2fsprogs")?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    // The first line is its version; it ends well whatever has happened.
    let faults: Vec<&str> = said
        .lines()
        .filter(|line| !line.starts_with("debugfs "))
        .collect();
    ensure!(out.status.success() && faults.is_empty(), "{said}");
    Ok(())
}
