//! Broken files and what is said about them: `tests/broken/*.txt`.
//!
//! A case is a file behind `--- title`, and behind `+++` the faults as they are printed, without the
//! file's name. `GATEHOUSE_BLESS=1` writes what is said now; read it before you commit it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fmt::Write as _;
use std::path::Path;

#[test]
fn broken_files_are_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut count = 0;
    let mut wrong = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut blessed = String::new();
        for case in text.split("--- ").skip(1) {
            let (title, rest) = case.split_once('\n').unwrap();
            let (file, expected) = rest.split_once("+++\n").unwrap_or((rest, ""));
            let said = said(file);
            if said != expected {
                let _ = writeln!(
                    wrong,
                    "{}: {title}\n{file}expected\n{expected}said\n{said}",
                    path.display()
                );
            }
            let _ = write!(blessed, "--- {title}\n{file}+++\n{said}");
            count += 1;
        }
        if std::env::var_os("GATEHOUSE_BLESS").is_some() {
            std::fs::write(&path, blessed).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 80, "only {count} cases");
}

/// The faults of a file, one per line; "fine" if there is none.
fn said(file: &str) -> String {
    match config::check(file, "x.toml") {
        Ok(_) => "fine\n".to_owned(),
        Err(faults) => {
            let lines = faults.to_string();
            lines
                .lines()
                .map(|line| line.strip_prefix("x.toml:").unwrap())
                .fold(String::new(), |text, line| text + line + "\n")
        }
    }
}
