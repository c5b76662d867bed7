//! The menu on the serial line, as its operator uses it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use image_tests::{BOX, Machine, NAMED, Network, SERVER, Settings};

use super::{ESCAPE, at_home, curl, on_a_new_disk, serves, target};

/// Longer than what is on trial may take to come to its end.
const TRIAL: Duration = Duration::from_mins(6);

#[test]
fn a_host_is_pinged_and_a_name_is_looked_up() {
    on_a_new_disk("asks", |settings| {
        let network = Network::start()?;
        let mut machine = Machine::start(&Settings {
            network: Some(&network),
            ..*settings
        })?;
        machine.wait_for(&format!("{BOX}/24"))?;
        machine.type_in(&format!("5{SERVER}\r"))?;
        machine.see(&[&format!("{SERVER}: answer 4 after"), "4 of 4 answered"])?;
        machine.type_in(ESCAPE)?;
        at_home(&mut machine)?;
        // Of the name server that came with the address.
        machine.type_in("6pbx.image.example\r")?;
        machine.see(&[&format!("pbx.image.example\n{NAMED}\n")])?;
        Ok(())
    });
}

#[test]
fn network_settings_are_tried_kept_given_up_and_rolled_back_and_all_is_reset() {
    on_a_new_disk("menu", |settings| {
        let target = target(settings.folder)?;
        let settings = Settings {
            forwards: &[443, 8443],
            target: Some(&target),
            ..*settings
        };
        let mut machine = Machine::start(&settings)?;
        machine.wait_for("10.0.2.15/24")?;
        serves(&machine)?;
        let authority = authority(&machine, settings.folder)?;

        set_address(&mut machine, "10.0.2.15/25", "10.0.2.2")?;
        machine.see(&["Generation 2 is in force", "ON TRIAL"])?;
        keep(&mut machine)?;
        machine.see(&["generation 2 of", "lan): 10.0.2.15/25"])?;
        serves(&machine)?;

        // Nobody keeps this one.
        set_address(&mut machine, "10.0.2.77/24", "10.0.2.2")?;
        machine.see(&["Generation 3 is in force", "ON TRIAL"])?;
        machine.type_in(ESCAPE)?;
        machine.see(&["generation 3 of", "ON TRIAL", "lan): 10.0.2.77/24"])?;
        let back = ["generation 2 of", "lan): 10.0.2.15/25"];
        let shown = machine.see_within(TRIAL, &back)?;
        ensure!(!shown.contains("ON TRIAL"), "{shown}");
        serves(&machine)?;

        restart(&mut machine)?;
        machine.see(&back)?;

        roll_back(&mut machine, "generation 1 of")?;
        keep(&mut machine)?;
        machine.see(&["(rollback to 1)", "lan): 10.0.2.15/24"])?;
        serves(&machine)?;

        ban(&machine)?;
        machine.type_in("1")?;
        machine.see(&["Banned         1 addresses"])?;
        machine.type_in(ESCAPE)?;
        at_home(&mut machine)?;
        reset(&mut machine)?;
        machine.see(&["generation 1 of", "(file)", "lan): 10.0.2.15/24"])?;
        machine.type_in("1")?;
        machine.see(&["Banned         0 addresses"])?;
        serves(&machine)?;
        let new = self::authority(&machine, settings.folder)?;
        ensure!(authority != new, "the authority is that of before: {new}");
        Ok(())
    });
}

/// Gives the first zone a fixed address; what comes of it is shown then.
pub(crate) fn set_address(machine: &mut Machine, address: &str, gateway: &str) -> Result<()> {
    at_home(machine)?;
    machine.type_in("2")?;
    machine.see(&["The address of which zone?", "lan (inside, eth0)"])?;
    machine.type_in("1")?;
    machine.see(&["A fixed address"])?;
    machine.type_in("2")?;
    machine.see(&["Address/prefix"])?;
    // What is there already is taken away first.
    machine.type_in(&format!("\u{15}{address}\r"))?;
    machine.see(&["The router towards everything else"])?;
    machine.type_in(&format!("\u{15}{gateway}\r"))?;
    machine.see(&[&format!("Gateway  {gateway}"), "Type yes"])?;
    machine.type_in("yes\r")
}

/// Keeps what is on trial, when it is asked for.
pub(crate) fn keep(machine: &mut Machine) -> Result<()> {
    machine.see(&["Keep it"])?;
    machine.type_in("1")?;
    machine.see(&["Keep the change", "Type yes"])?;
    machine.type_in("yes\r")?;
    machine.see(&["Keep the change", "is in force.\n"])?;
    machine.type_in(ESCAPE)?;
    at_home(machine)
}

fn roll_back(machine: &mut Machine, generation: &str) -> Result<()> {
    at_home(machine)?;
    machine.type_in("4")?;
    let list = machine.see(&["Which one shall be in force?", generation])?;
    let line = list.lines().find(|line| line.contains(generation));
    let digit = line.and_then(|line| line.chars().find(char::is_ascii_digit));
    machine.type_in(&digit.context("a digit")?.to_string())?;
    machine.see(&["is put into force again", "Type yes"])?;
    machine.type_in("yes\r")
}

fn restart(machine: &mut Machine) -> Result<()> {
    at_home(machine)?;
    machine.type_in("7")?;
    machine.see(&["Type yes"])?;
    machine.type_in("yes\r")?;
    machine.wait_anew_for("init: Gatehouse")?;
    at_home(machine)
}

/// Removes everything; the box is back then.
pub(crate) fn reset(machine: &mut Machine) -> Result<()> {
    machine.type_in("9")?;
    machine.see(&["Type RESET"])?;
    machine.type_in("RESET\r")?;
    machine.wait_anew_for("init: Gatehouse")?;
    at_home(machine)
}

/// Turns the box off in order.
pub(crate) fn switch_off(mut machine: Machine) -> Result<()> {
    at_home(&mut machine)?;
    machine.type_in("8")?;
    machine.see(&["Type yes"])?;
    machine.type_in("yes\r")?;
    machine.wait_until_off()
}

/// Breaks the rules of HTTP until the box has enough of it.
fn ban(machine: &Machine) -> Result<()> {
    let url = format!("https://127.0.0.1:{}/", machine.port(443)?);
    for _ in 0..60 {
        let broken = ["--header", "Host: hq.image.example", "--header", "X y: z"];
        if curl(&url, &broken).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// What tells the box's own authority from others: the identifier of its key, in the certificate of the admin pages.
fn authority(machine: &Machine, folder: &Path) -> Result<String> {
    let url = format!("https://127.0.0.1:{}/", machine.port(8443)?);
    let page = folder.join("page");
    let out = [
        "--output",
        page.to_str().context("a path")?,
        "--write-out",
        "%{certs}",
    ];
    let certificates = curl(&url, &out)?;
    let found = certificates
        .lines()
        .skip_while(|line| !line.contains("Authority Key Identifier"))
        .take(2)
        .collect::<Vec<_>>()
        .join(" ");
    ensure!(!found.is_empty(), "no identifier in {certificates}");
    Ok(found)
}
