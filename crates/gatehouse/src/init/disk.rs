//! The state partition: found by its label, and enlarged to the end of the disk.

use anyhow::{Context as _, Result, bail, ensure};
use proto::gpt::{BLOCK, COPY, Table};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{io, thread};

const LABEL: &str = "gatehouse-state";
const BLOCKS: &str = "/sys/class/block";
/// How long the kernel may take to read the table anew.
const STEPS: u32 = 50;
const STEP: Duration = Duration::from_millis(100);

/// A partition, by the names that the kernel gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    /// Its own, below /dev.
    pub(super) name: String,
    /// That of its disk.
    disk: String,
}

impl Partition {
    /// The state partition; the first one, if there are several.
    pub(super) fn find() -> Option<Self> {
        let entries = fs::read_dir(BLOCKS).into_iter().flatten().flatten();
        let mut places: Vec<PathBuf> = entries
            .filter(|entry| {
                let about = fs::read_to_string(entry.path().join("uevent"));
                has_label(&about.unwrap_or_default())
            })
            .filter_map(|entry| fs::canonicalize(entry.path()).ok())
            .collect();
        places.sort();
        Self::at(places.first()?)
    }

    /// Its device.
    pub(super) fn device(&self) -> String {
        format!("/dev/{}", self.name)
    }

    /// How many bytes it has.
    ///
    /// # Errors
    /// It is gone.
    pub(super) fn size(&self) -> Result<u64> {
        size(&self.name)
    }

    /// Enlarges it to the end of its disk; whether it was smaller.
    ///
    /// The table at the end of the disk is written first: whenever power is cut, one of the two is whole.
    ///
    /// # Errors
    /// The table can not be read or written, or the kernel does not read it anew.
    pub(super) fn grow(&self) -> Result<bool> {
        let blocks = size(&self.disk)? / BLOCK;
        let device = format!("/dev/{}", self.disk);
        let file = OpenOptions::new().read(true).write(true).open(&device);
        let file = file.with_context(|| device.clone())?;
        let mut bytes = vec![0; COPY];
        file.read_exact_at(&mut bytes, BLOCK)?;
        let mut table = Table::read(&bytes).with_context(|| device.clone())?;
        let last = table.partitions.iter().max_by_key(|one| one.first);
        if last.is_none_or(|last| last.name != LABEL) || !table.grow_last(blocks) {
            return Ok(false);
        }
        let copies = table.write(blocks);
        file.write_all_at(&copies.end, copies.end_block * BLOCK)?;
        file.sync_all()?;
        file.write_all_at(&copies.start, 0)?;
        file.sync_all()?;
        drop(file);
        let before = self.size()?;
        read_table_anew(&self.disk).with_context(|| format!("/dev/{}", self.disk))?;
        self.wait_until_larger(before)?;
        Ok(true)
    }

    fn at(place: &Path) -> Option<Self> {
        let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
        Some(Self {
            name: name(place)?,
            disk: name(place.parent()?)?,
        })
    }

    fn wait_until_larger(&self, before: u64) -> Result<()> {
        for _ in 0..STEPS {
            if self.size().is_ok_and(|size| size > before) && Path::new(&self.device()).exists() {
                return Ok(());
            }
            thread::sleep(STEP);
        }
        bail!("the kernel does not see the larger partition before the next start")
    }
}

/// What the kernel says of a partition has this label.
fn has_label(about: &str) -> bool {
    let mut names = about
        .lines()
        .filter_map(|line| line.strip_prefix("PARTNAME="));
    names.any(|name| name == LABEL)
}

fn size(name: &str) -> Result<u64> {
    let path = format!("{BLOCKS}/{name}/size");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    let blocks: u64 = text.trim().parse().context(path)?;
    // The kernel counts in blocks of 512 bytes here, whatever the disk has.
    Ok(blocks * 512)
}

/// Lets the driver let go of the disk and find it again: the way without an ioctl.
fn read_table_anew(disk: &str) -> Result<()> {
    let place = fs::canonicalize(format!("{BLOCKS}/{disk}"))?;
    let device = place
        .ancestors()
        .skip(1)
        .find(|folder| folder.join("driver").exists());
    let device = device.context("the disk has no driver")?;
    let name = device.file_name().context("the disk has no device")?;
    let name = name.to_string_lossy();
    let driver = fs::canonicalize(device.join("driver"))?;
    let tell = |what: &str| -> io::Result<()> { fs::write(driver.join(what), name.as_bytes()) };
    ensure!(
        driver.join("unbind").exists(),
        "the driver of {disk} can not let go of it"
    );
    tell("unbind")?;
    Ok(tell("bind")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_found_in_what_the_kernel_says() {
        assert!(has_label(
            "DEVNAME=vda2\nPARTN=2\nPARTNAME=gatehouse-state\n"
        ));
        assert!(!has_label("DEVNAME=vda1\nPARTNAME=gatehouse-statement\n"));
        assert!(!has_label("DEVNAME=vda\n"));
    }

    #[test]
    fn a_partition_lies_below_its_disk() {
        let place = Path::new("/sys/devices/pci/virtio1/block/vda/vda2");
        let found = Partition::at(place).unwrap();
        assert_eq!(
            (found.device().as_str(), found.disk.as_str()),
            ("/dev/vda2", "vda")
        );
    }
}
