//! `cargo xtask bench boot`: how large the image is, how long a box takes to serve, how much memory it takes then. The box is a
//! virtual machine without acceleration; its time is its own, from when the kernel began.

use std::fs;

use anyhow::{Context, Result, ensure};
use image_tests::{Machine, Settings, missing};

use super::folder::Folder;
use crate::image;
use crate::run::say;

/// How often the box is started.
const ROUNDS: usize = 3;
/// Bytes of its disk.
const DISK: u64 = 2 << 30;
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
        let mut machine = Machine::start(&Settings {
            folder: folder.path(),
            image: &built.image,
            disk: DISK,
            forwards: &[],
            target: None,
        })?;
        let serves = time(&machine.wait_for("the box serves")?)?;
        let memory = numbers(&machine.wait_for("init: memory:")?);
        let [whole, _, ours] = memory[..] else {
            anyhow::bail!("the line about memory is not understood");
        };
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

/// The time at the beginning of a line of init: `[   10.01] init: …`.
fn time(line: &str) -> Result<f64> {
    let (_, rest) = line.split_once('[').context("a line without a time")?;
    let (seconds, _) = rest.split_once(']').context("a line without a time")?;
    Ok(seconds.trim().parse()?)
}

/// The numbers in what follows "memory:".
fn numbers(line: &str) -> Vec<f64> {
    let (_, rest) = line.split_once("memory:").unwrap_or_default();
    let words = rest.split([' ', ',']);
    words.filter_map(|word| word.parse().ok()).collect()
}

fn megabytes(bytes: u64) -> f64 {
    let kilobytes = u32::try_from(bytes / 1000).unwrap_or(u32::MAX);
    f64::from(kilobytes) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_init_are_understood() {
        let line = "[   20.31] init: memory: 66 MB in use of 478, 27 by our processes";
        assert_eq!(numbers(line), [66.0, 478.0, 27.0]);
        assert!((time(line).unwrap() - 20.31).abs() < 0.001);
        assert!(time("no time").is_err());
    }
}
