//! The last configuration of a state directory that can not be opened.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use crate::GENERATIONS;
use crate::generation::{Generation, fingerprint};
use crate::generations::{MAX_RECORD, MAX_TEXT, record_path, text_path};
use crate::reset::MARKER;

/// The text of the newest confirmed generation that is whole, if there is any. Nothing is locked, mended or written, so that
/// whatever else is wrong with the directory does not matter. Nothing where a factory reset was decided.
pub fn last_confirmed(directory: &Path) -> Option<String> {
    if directory.join(MARKER).exists() {
        return None;
    }
    let entries = fs::read_dir(directory.join(GENERATIONS)).ok()?.flatten();
    let number = |entry: fs::DirEntry| -> Option<u32> {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".json")?.parse().ok()
    };
    let mut numbers: Vec<u32> = entries.filter_map(number).collect();
    numbers.sort_unstable();
    numbers.into_iter().rev().find_map(|number| {
        let record = read(&directory.join(record_path(number)), MAX_RECORD)?;
        let generation: Generation = serde_json::from_str(&record).ok()?;
        let text = read(&directory.join(text_path(number)), MAX_TEXT)?;
        let is_whole = generation.sha256 == fingerprint(text.as_bytes());
        (generation.is_confirmed() && is_whole).then_some(text)
    })
}

/// A file of text that is not longer than it may be.
fn read(path: &Path, most: usize) -> Option<String> {
    let most = u64::try_from(most).ok()?;
    let file = File::open(path).ok()?;
    let mut text = String::new();
    file.take(most + 1).read_to_string(&mut text).ok()?;
    (text.len() as u64 <= most).then_some(text)
}
