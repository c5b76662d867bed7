//! The configuration: one TOML file to checked types, every fault at once, all derived tables.
//!
//! [`check()`] is the way in: it walks the file's TOML tree (shape), then applies the rules that
//! look at several settings (sense), and gives either a [`Config`] or every [`Fault`].
//! Nothing here opens a file or a socket or asks the time; what only the box can know is passed in
//! as [`Known`], or listed as [`Unchecked`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests"))]

mod build;
mod check;
mod definition;
mod edit;
mod fault;
mod generate;
mod nearest;
mod place;
mod reader;
mod sections;
mod syntax;
pub mod tables;
pub mod types;
mod value;

pub use edit::{EditError, edit_zone};
pub use fault::{Checked, Fault, Faults, Known, Unchecked};
pub use generate::{documentation, json_schema, reference};
pub use types::*;

use reader::Reader;
use syntax::Read;

/// The schema this version writes; it reads all up to it.
pub const SCHEMA: u32 = 1;

/// Checks a file by itself.
///
/// `file` is only its name, for the faults.
///
/// # Errors
/// Every fault of the file; the operator is to blame.
pub fn check(text: &str, file: &str) -> Result<Checked, Faults> {
    check_with(text, file, &Known::default())
}

/// Checks a file against what a box knows.
///
/// # Errors
/// Every fault of the file, secrets and files that the box does not have among them; the operator
/// is to blame.
pub fn check_with(text: &str, file: &str, known: &Known) -> Result<Checked, Faults> {
    let mut reader = Reader::new(text);
    let config = match syntax::read(&mut reader, text) {
        Read::Sections(sections) => {
            let config = build::config(&sections, &mut reader.report);
            check::sense(&sections, &config, &mut reader.report);
            Some(config)
        }
        Read::Nothing => None,
    };
    check::known(&mut reader, known);
    let mut report = reader.report;
    report.faults.sort();
    report.faults.dedup();
    report.unchecked.sort();
    match config {
        Some(config) if report.faults.is_empty() => Ok(Checked {
            config,
            unchecked: report.unchecked,
        }),
        _ => Err(Faults {
            file: file.to_owned(),
            faults: report.faults,
        }),
    }
}
