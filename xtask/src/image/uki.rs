//! The one EFI file that holds kernel, command line and initramfs: sections that are added to a small program, which
//! finds them in itself and starts the kernel (UAPI group, "Unified Kernel Image").

use anyhow::{Context, Result, ensure};

/// A section to add.
pub(super) struct Section<'a> {
    /// Its name, at most 8 bytes.
    pub(super) name: &'a str,
    /// What it holds.
    pub(super) content: &'a [u8],
    /// How much memory it takes, where that is more than its content.
    pub(super) memory: u32,
}

/// Bytes of a section's entry in the table.
const ENTRY: usize = 40;
/// Initialised data that can be read.
const DATA: u32 = 0x4000_0040;

/// Adds `sections` to the program `stub`.
///
/// # Errors
/// It is no EFI program, or has no room in its table of sections.
pub(super) fn joined(stub: &[u8], sections: &[Section]) -> Result<Vec<u8>> {
    let mut file = stub.to_vec();
    let pe = Pe::of(stub)?;
    let (mut address, align) = (pe.end_of_memory(stub)?, pe.section_alignment);
    let mut entry = pe.table + pe.sections * ENTRY;
    ensure!(
        entry + sections.len() * ENTRY <= pe.first_content(stub)?,
        "the stub has no room for {} more sections",
        sections.len()
    );
    for section in sections {
        let start = file.len().next_multiple_of(pe.file_alignment as usize);
        file.resize(start, 0);
        file.extend(section.content);
        let length = file.len().next_multiple_of(pe.file_alignment as usize);
        file.resize(length, 0);
        let content = u32::try_from(section.content.len())?;
        let memory = content.max(section.memory);
        let mut name = section.name.as_bytes().to_vec();
        ensure!(name.len() <= 8, "{} is too long a name", section.name);
        name.resize(8, 0);
        file[entry..entry + 8].copy_from_slice(&name);
        let numbers = [
            memory,
            address,
            u32::try_from(length - start)?,
            u32::try_from(start)?,
            0,
            0,
            0,
            DATA,
        ];
        for (at, number) in (entry + 8..).step_by(4).zip(numbers) {
            put(&mut file, at, number);
        }
        entry += ENTRY;
        address = (address + memory).next_multiple_of(align);
    }
    let count = u16::try_from(pe.sections + sections.len())?;
    file[pe.header + 6..pe.header + 8].copy_from_slice(&count.to_le_bytes());
    // Size of the image in memory; no checksum.
    put(&mut file, pe.header + 24 + 56, address);
    put(&mut file, pe.header + 24 + 64, 0);
    Ok(file)
}

/// How much memory a kernel that is an EFI program takes.
///
/// # Errors
/// It is none.
pub(super) fn memory_of(kernel: &[u8]) -> Result<u32> {
    let pe = Pe::of(kernel)?;
    number(kernel, pe.header + 24 + 56)
}

/// Where things are in an EFI program (PE32+).
struct Pe {
    header: usize,
    table: usize,
    sections: usize,
    section_alignment: u32,
    file_alignment: u32,
}

impl Pe {
    fn of(file: &[u8]) -> Result<Self> {
        let header = number(file, 0x3c)? as usize;
        ensure!(
            file.get(header..header + 4) == Some(b"PE\0\0".as_slice())
                && short(file, header + 24)? == 0x20b,
            "this is no EFI program of 64 bits"
        );
        let options = short(file, header + 20)?;
        Ok(Self {
            header,
            table: header + 24 + options,
            sections: short(file, header + 6)?,
            section_alignment: number(file, header + 24 + 32)?.max(1),
            file_alignment: number(file, header + 24 + 36)?.max(1),
        })
    }

    fn entries(&self) -> impl Iterator<Item = usize> {
        (0..self.sections).map(|number| self.table + number * ENTRY)
    }

    /// The first address that no section takes.
    fn end_of_memory(&self, file: &[u8]) -> Result<u32> {
        let mut end = 0;
        for entry in self.entries() {
            end = end.max(number(file, entry + 12)? + number(file, entry + 8)?);
        }
        Ok(end.next_multiple_of(self.section_alignment))
    }

    /// Where the content of the first section begins, and the table must have ended.
    fn first_content(&self, file: &[u8]) -> Result<usize> {
        let mut first = usize::MAX;
        for entry in self.entries() {
            first = first.min(number(file, entry + 20)? as usize);
        }
        Ok(first)
    }
}

fn put(file: &mut [u8], at: usize, number: u32) {
    file[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

fn number(file: &[u8], at: usize) -> Result<u32> {
    let bytes = file.get(at..at + 4).context("the program is cut off")?;
    Ok(u32::from_le_bytes(bytes.try_into()?))
}

fn short(file: &[u8], at: usize) -> Result<usize> {
    let bytes = file.get(at..at + 2).context("the program is cut off")?;
    Ok(usize::from(u16::from_le_bytes(bytes.try_into()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with one section of 0x10 bytes at 0x1000, and room for more in its table.
    fn stub() -> Vec<u8> {
        let mut file = vec![0; 0x600];
        put(&mut file, 0x3c, 0x80);
        file[0x80..0x84].copy_from_slice(b"PE\0\0");
        file[0x86] = 1;
        file[0x94] = 0xf0;
        file[0x98..0x9a].copy_from_slice(&[0x0b, 0x02]);
        put(&mut file, 0x98 + 32, 0x1000);
        put(&mut file, 0x98 + 36, 0x200);
        let table = 0x98 + 0xf0;
        for (at, value) in [(8, 0x10), (12, 0x1000), (16, 0x200), (20, 0x400)] {
            put(&mut file, table + at, value);
        }
        file
    }

    #[test]
    fn sections_come_after_what_was_there_and_can_be_found_again() {
        let sections = [
            Section {
                name: ".cmdline",
                content: b"quiet",
                memory: 0,
            },
            Section {
                name: ".linux",
                content: b"kernel",
                memory: 0x3000,
            },
        ];
        let file = joined(&stub(), &sections).unwrap();
        let pe = Pe::of(&file).unwrap();
        assert_eq!(pe.sections, 3);
        let last = pe.entries().last().unwrap();
        assert_eq!(&file[last..last + 8], b".linux\0\0");
        assert_eq!(number(&file, last + 8).unwrap(), 0x3000);
        assert_eq!(number(&file, last + 12).unwrap(), 0x3000);
        let start = number(&file, last + 20).unwrap() as usize;
        assert_eq!(&file[start..start + 6], b"kernel");
        assert_eq!(memory_of(&file).unwrap(), 0x6000);
    }

    #[test]
    fn what_is_no_program_or_is_full_is_refused() {
        assert!(joined(b"MZ", &[]).is_err());
        let many: Vec<Section> = (0..20)
            .map(|_| Section {
                name: ".x",
                content: b"x",
                memory: 0,
            })
            .collect();
        let error = joined(&stub(), &many).unwrap_err().to_string();
        assert!(error.contains("no room"), "{error}");
    }
}
