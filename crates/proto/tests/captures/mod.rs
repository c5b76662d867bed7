//! Reads the captures of tests/data: bytes in hexadecimal, after comments.

use std::path::PathBuf;

/// The captures of a folder by name.
pub(crate) fn captures(folder: &str) -> Vec<(String, Vec<u8>)> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let mut captures = Vec::new();
    for entry in std::fs::read_dir(data.join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        captures.push((
            path.file_stem().unwrap().to_str().unwrap().to_owned(),
            unhex(&lines.collect::<String>()),
        ));
    }
    captures.sort();
    captures
}

/// The bytes that are written in hexadecimal.
pub(crate) fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
