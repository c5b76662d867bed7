//! `cargo xtask bench boot`: how large the image is, how long a box takes to serve, how much memory it takes then. The box is a
//! virtual machine without acceleration; its time is its own, from when the kernel began.

use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, Result, ensure};
use image_tests::{Machine, SERVING, Settings, missing};

use super::folder::Folder;
use crate::image;
use crate::run::say;

/// How often the box is started.
const ROUNDS: usize = 3;
/// Bytes of its disk.
const DISK: u64 = 2 << 30;
/// How long after the start the memory is looked at.
const SETTLED: Duration = Duration::from_secs(10);
/// What the figures should be at most: MB, MB, MB, seconds.
const AIMS: [f64; 4] = [30.0, 40.0, 128.0, 12.0];

/// Measures and prints the table.
///
/// # Errors
/// There is no virtual machine, or the box does not start.
pub(super) fn run() -> Result<()> {
    if let Some(why) = missing() {
        anyhow::bail!("{why}; `cargo xtask test` installs what is needed");
    }
    let built = image::built(&image::Options::release())?;
    let packed = built.packed.context("a whole image is packed")?;
    let size = megabytes(fs::metadata(packed)?.len());
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let folder = Folder::new()?;
        let settings = Settings::new(folder.path(), &built.image, DISK);
        let mut machine = Machine::start(&settings)?;
        machine.wait_for(SERVING)?;
        thread::sleep(SETTLED);
        machine.type_in("1")?;
        machine.wait_for("after the kernel began")?;
        let said = machine.said();
        let whole = number(&said, "Memory ", 0)?;
        let ours = number(&said, "Memory ", 2)?;
        let serves = number(&said, "Start ", 0)?;
        rounds.push([size, ours, whole, serves]);
    }
    ensure!(!rounds.is_empty(), "nothing was measured");
    let names = [
        "image, compressed (MB)",
        "memory of our processes, idle (MB)",
        "memory of the whole box, idle (MB)",
        "from the kernel's start to serving (s)",
    ];
    say("| figure | median | least | most | aim |\n|---|---|---|---|---|");
    for (column, name) in names.iter().enumerate() {
        let mut values: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (values[0], values[values.len() - 1]);
        let median = values[values.len() / 2];
        let aim = AIMS[column];
        say(&format!(
            "| {name} | {median:.1} | {least:.1} | {most:.1} | ≤ {aim:.0} |"
        ));
    }
    Ok(())
}

/// The number in place `place` behind the label that was shown last.
///
/// # Errors
/// There is none.
fn number(said: &str, label: &str, place: usize) -> Result<f64> {
    let (_, rest) = said
        .rsplit_once(label)
        .with_context(|| format!("the console shows no {label}"))?;
    let words = rest.split([' ', ',', '\n', '\r', '\u{1b}']);
    let mut numbers = words.filter_map(|word| word.parse().ok());
    numbers
        .nth(place)
        .with_context(|| format!("the console shows no number as {label}"))
}

fn megabytes(bytes: u64) -> f64 {
    let kilobytes = u32::try_from(bytes / 1000).unwrap_or(u32::MAX);
    f64::from(kilobytes) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_console_shows_is_understood() {
        let said = "\u{1b}[7;1HMemory         66 MB in use of 478, 27 by Gatehouse\r\n\
            Start          served 20.3 s after the kernel began\r\n";
        let at = |label, place| number(said, label, place).unwrap();
        assert!((at("Memory ", 0) - 66.0).abs() < 0.01);
        assert!((at("Memory ", 2) - 27.0).abs() < 0.01);
        assert!((at("Start ", 0) - 20.3).abs() < 0.01);
        assert!(number(said, "Disk ", 0).is_err());
    }
}
