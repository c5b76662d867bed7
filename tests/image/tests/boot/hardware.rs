//! What a box makes of its hardware: ports, clock.

use anyhow::{Context as _, Result, ensure};
use image_tests::{Machine, Settings};

use super::{ESCAPE, at_home, on_a_new_disk};

#[test]
fn a_port_keeps_its_name_wherever_it_is_on_the_bus() {
    const FIRST: &str = "52:54:00:00:00:aa";
    const SECOND: &str = "52:54:00:00:00:bb";
    const THIRD: &str = "52:54:00:00:00:cc";
    on_a_new_disk("ports", |settings| {
        let mut machine = Machine::start(&Settings {
            ports: &[(5, FIRST), (6, SECOND)],
            ..*settings
        })?;
        names(&mut machine, &[FIRST, SECOND])?;
        machine.cut();
        // They have changed their places, and a new one is before them.
        let mut machine = Machine::start(&Settings {
            ports: &[(8, FIRST), (6, SECOND), (5, THIRD)],
            ..*settings
        })?;
        names(&mut machine, &[FIRST, SECOND, THIRD])?;
        machine.cut();
        // The second one is out; nobody gets its name.
        let mut machine = Machine::start(&Settings {
            ports: &[(5, FIRST), (6, THIRD)],
            ..*settings
        })?;
        names(&mut machine, &[FIRST, "", THIRD])
    });
}

/// These hardware addresses are those of eth0, eth1 and so on; an empty one: that port is out.
fn names(machine: &mut Machine, wanted: &[&str]) -> Result<()> {
    at_home(machine)?;
    machine.type_in("1")?;
    for (number, mac) in wanted.iter().enumerate() {
        let name = format!("eth{number}");
        if mac.is_empty() {
            ensure!(!machine.said().contains(&format!("init: {name} is")));
        } else {
            machine.wait_for(&format!("init: {name} is"))?;
            let shown = machine.see(&[&format!("[{mac}]")])?;
            // What does not fit on a line goes on on the next one.
            let interfaces = shown.split("Interfaces:").nth(1).unwrap_or_default();
            let mut interfaces = interfaces.split("  eth");
            let ours = interfaces.find(|one| one.starts_with(&number.to_string()));
            let ours = ours.with_context(|| format!("no {name}:\n{shown}"))?;
            ensure!(ours.contains(mac), "{name} should be {mac}:\n{shown}");
        }
    }
    Ok(())
}

#[test]
fn a_clock_that_has_lost_its_time_is_not_before_the_image_and_the_state() {
    on_a_new_disk("clock", |settings| {
        // The image is of this year; that the clock says when it was built shows in that it is not 2001.
        let year = |clock| year_with(settings, clock);
        let built = year(Some("2001-01-01"))?;
        ensure!(built >= 2026, "{built}");
        ensure!(year(Some("2041-07-01"))? == 2041);
        // What was written then is newer than the clock.
        ensure!(year(Some("2001-01-01"))? == 2041);
        Ok(())
    });
}

/// The year that a box shows whose clock begins with `clock`.
fn year_with(settings: &Settings, clock: Option<&str>) -> Result<u32> {
    let mut machine = Machine::start(&Settings { clock, ..*settings })?;
    at_home(&mut machine)?;
    machine.type_in("1")?;
    // With the line behind it, the whole line is there.
    let shown = machine.see(&["Time  ", "Running for"])?;
    machine.type_in(ESCAPE)?;
    at_home(&mut machine)?;
    let time = shown.split("Time").nth(1).context("it was just there")?;
    let year = time.trim_start().split('-').next();
    let year = year.and_then(|year| year.parse().ok());
    year.with_context(|| format!("this is no time: {time}"))
}
