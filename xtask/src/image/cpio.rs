//! An archive as the kernel unpacks it at its start: cpio in the "newc" form, the same bytes for the same content.

use std::collections::BTreeMap;

/// What is to be unpacked, by path; folders above come by themselves.
#[derive(Default)]
pub(super) struct Archive {
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    mode: u32,
    device: (u32, u32),
    content: Vec<u8>,
}

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;
const DEVICE: u32 = 0o020_600;

impl Archive {
    /// A folder, which may stay empty.
    pub(super) fn folder(&mut self, path: &str) {
        self.add(path, FOLDER, (0, 0), Vec::new());
    }

    /// A file that is read.
    pub(super) fn file(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.add(path, FILE, (0, 0), content.into());
    }

    /// A file that is run.
    pub(super) fn program(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.add(path, PROGRAM, (0, 0), content.into());
    }

    /// A name for what is at `target`.
    pub(super) fn link(&mut self, path: &str, target: &str) {
        self.add(path, LINK, (0, 0), target.as_bytes().to_vec());
    }

    /// A device of characters, for root alone.
    pub(super) fn device(&mut self, path: &str, numbers: (u32, u32)) {
        self.add(path, DEVICE, numbers, Vec::new());
    }

    /// The bytes; every file is of the time `seconds` since 1970.
    pub(super) fn bytes(&self, seconds: u32) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, (path, entry)) in (1_u32..).zip(&self.entries) {
            write(&mut out, number, path, entry, seconds);
        }
        let end = Entry {
            mode: 0,
            device: (0, 0),
            content: Vec::new(),
        };
        write(&mut out, 0, "TRAILER!!!", &end, 0);
        out
    }

    fn add(&mut self, path: &str, mode: u32, device: (u32, u32), content: Vec<u8>) {
        let above = path.match_indices('/').map(|(end, _)| &path[..end]);
        for folder in above {
            self.entries
                .entry(folder.to_owned())
                .or_insert_with(|| Entry {
                    mode: FOLDER,
                    device: (0, 0),
                    content: Vec::new(),
                });
        }
        let entry = Entry {
            mode,
            device,
            content,
        };
        self.entries.insert(path.to_owned(), entry);
    }
}

/// Header, name and content, each filled up to a multiple of four bytes.
fn write(out: &mut Vec<u8>, number: u32, path: &str, entry: &Entry, seconds: u32) {
    let size = u32::try_from(entry.content.len()).expect("no file of the image has 4 GB");
    let name = u32::try_from(path.len() + 1).expect("paths are short");
    let (major, minor) = entry.device;
    let links = 1;
    let fields = [
        number, entry.mode, 0, 0, links, seconds, size, 0, 0, major, minor, name, 0,
    ];
    out.extend(b"070701");
    for field in fields {
        out.extend(format!("{field:08x}").bytes());
    }
    out.extend(path.bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(&entry.content);
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_the_same_in_whatever_order_it_was_filled() {
        let mut one = Archive::default();
        one.file("etc/a", "x");
        one.link("init", "bin/gatehouse");
        let mut other = Archive::default();
        other.link("init", "bin/gatehouse");
        other.file("etc/a", "x");
        assert_eq!(one.bytes(7), other.bytes(7));
        assert_ne!(one.bytes(7), one.bytes(8));
    }

    #[test]
    fn folders_come_before_what_is_in_them_and_all_is_aligned() {
        let mut archive = Archive::default();
        archive.file("a/b/c", "abc");
        let bytes = archive.bytes(0);
        let text = String::from_utf8_lossy(&bytes);
        let places: Vec<usize> = ["a\0", "a/b\0", "a/b/c\0", "TRAILER!!!\0"]
            .iter()
            .map(|name| text.find(name).unwrap())
            .collect();
        assert!(places.is_sorted(), "{places:?}");
        assert!(text.match_indices("070701").all(|(at, _)| at % 4 == 0));
        assert_eq!(bytes.len() % 4, 0);
    }
}
