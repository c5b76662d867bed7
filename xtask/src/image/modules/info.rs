//! What a kernel module says of itself: the section `.modinfo` of its ELF file.

use anyhow::{Context, Result, ensure};

/// What a module says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Info {
    /// Modules it can not do without.
    pub(super) depends: Vec<String>,
    /// What it asks to be loaded before it if it is there: names or aliases.
    pub(super) before: Vec<String>,
    /// Hardware and functions it serves.
    pub(super) aliases: Vec<String>,
}

impl Info {
    /// What the module `file` says.
    ///
    /// # Errors
    /// It is no module of 64 bits.
    pub(super) fn of(file: &[u8]) -> Result<Self> {
        Ok(Self::read(
            section(file, b".modinfo").context("this is no kernel module")?,
        ))
    }

    fn read(section: &[u8]) -> Self {
        let mut info = Self::default();
        for entry in section.split(|byte| *byte == 0) {
            let entry = String::from_utf8_lossy(entry);
            match entry.split_once('=') {
                Some(("depends", names)) => {
                    let names = names.split(',').filter(|name| !name.is_empty());
                    info.depends.extend(names.map(str::to_owned));
                }
                Some(("softdep", text)) => info.before.extend(before(text)),
                Some(("alias", alias)) => info.aliases.push(alias.to_owned()),
                _ => {}
            }
        }
        info
    }
}

/// The names after `pre:` and before `post:`.
fn before(text: &str) -> Vec<String> {
    let words = text.split_whitespace();
    let words = words.skip_while(|word| *word != "pre:").skip(1);
    let words = words.take_while(|word| *word != "post:");
    words.map(str::to_owned).collect()
}

/// The content of a section of an ELF file (64 bits, little endian).
fn section<'a>(file: &'a [u8], name: &[u8]) -> Result<&'a [u8]> {
    ensure!(file.starts_with(b"\x7fELF\x02\x01"), "no ELF file");
    let table = number(file, 0x28, 8)?;
    let (size, count) = (number(file, 0x3a, 2)?, number(file, 0x3c, 2)?);
    let names = table + number(file, 0x3e, 2)? * size;
    let names = content(file, names)?;
    for entry in (0..count).map(|index| table + index * size) {
        let at = number(file, entry, 4)?;
        let found = names.get(at..).unwrap_or_default();
        if found
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(&[0]))
        {
            return content(file, entry);
        }
    }
    anyhow::bail!("no section {}", String::from_utf8_lossy(name))
}

fn content(file: &[u8], entry: usize) -> Result<&[u8]> {
    let (start, length) = (number(file, entry + 24, 8)?, number(file, entry + 32, 8)?);
    let end = start.checked_add(length).context("cut off")?;
    file.get(start..end).context("cut off")
}

fn number(file: &[u8], at: usize, length: usize) -> Result<usize> {
    let bytes = file.get(at..at + length).context("cut off")?;
    let value = bytes
        .iter()
        .rev()
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    Ok(usize::try_from(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_soft_ones_and_aliases_are_read() {
        let text = b"name=ext4\0depends=jbd2,crc16\0softdep=pre: crypto-crc32c post: x\0alias=fs-ext4\0alias=ext3\0";
        let info = Info::read(text);
        assert_eq!(info.depends, ["jbd2", "crc16"]);
        assert_eq!(info.before, ["crypto-crc32c"]);
        assert_eq!(info.aliases, ["fs-ext4", "ext3"]);
        assert_eq!(Info::read(b"depends=\0softdep=post: y\0"), Info::default());
    }

    #[test]
    fn what_is_no_module_is_refused() {
        for file in [b"".as_slice(), b"\x7fELF\x02\x01", &[0; 100]] {
            assert!(Info::of(file).is_err());
        }
    }
}
