//! The state partition: found by its label, and enlarged to the end of the disk.

use anyhow::{Context as _, Result, bail, ensure};
use proto::gpt::{BLOCK, COPY, Table};
use std::fs::{self, File, OpenOptions};
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
    /// The table at the end of the disk is written first: whenever power is cut, one of the two is whole, and serves to
    /// write the other one anew at the next start.
    ///
    /// # Errors
    /// The table can not be read or written, or the kernel does not read it anew.
    pub(super) fn grow(&self) -> Result<bool> {
        let device = format!("/dev/{}", self.disk);
        let file = OpenOptions::new().read(true).write(true).open(&device);
        let file = file.with_context(|| device.clone())?;
        let grown = enlarge(&file, size(&self.disk)? / BLOCK).with_context(|| device.clone())?;
        drop(file);
        if grown {
            let before = self.size()?;
            read_table_anew(&self.disk).context(device)?;
            self.wait_until_larger(before)?;
        }
        Ok(grown)
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

/// Lets the state partition end where the disk of `blocks` does; whether it did not before.
fn enlarge(disk: &File, blocks: u64) -> Result<bool> {
    let mut bytes = vec![0; COPY];
    disk.read_exact_at(&mut bytes, BLOCK)?;
    let first = Table::read(&bytes);
    let is_whole = first.is_ok();
    let mut table = match first {
        Ok(table) => table,
        Err(fault) => {
            let end = (blocks * BLOCK).checked_sub(COPY as u64).ok_or(fault)?;
            disk.read_exact_at(&mut bytes, end)?;
            // The other fault says less: on a disk that was never enlarged, there is nothing at the end.
            Table::read_end(&bytes).map_err(|_| fault)?
        }
    };
    let last = table.partitions.iter().max_by_key(|one| one.first);
    let is_ours = last.is_some_and(|last| last.name == LABEL);
    let grown = is_ours && table.grow_last(blocks);
    if grown || !is_whole {
        let copies = table.write(blocks);
        disk.write_all_at(&copies.end, copies.end_block * BLOCK)?;
        disk.sync_all()?;
        disk.write_all_at(&copies.start, 0)?;
        disk.sync_all()?;
    }
    Ok(grown)
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
    use proto::gpt::Guid;

    #[test]
    fn the_label_is_found_in_what_the_kernel_says() {
        assert!(has_label(
            "DEVNAME=vda2\nPARTN=2\nPARTNAME=gatehouse-state\n"
        ));
        assert!(!has_label("DEVNAME=vda1\nPARTNAME=gatehouse-statement\n"));
        assert!(!has_label("DEVNAME=vda\n"));
    }

    #[test]
    fn a_power_cut_while_the_table_is_written_costs_nothing() {
        let disk = nameless("table");
        let blocks = 1 << 16;
        disk.set_len(blocks * BLOCK).unwrap();
        let old = Table {
            disk: Guid::new(1),
            partitions: vec![partition_of(2048, 4095)],
        };
        disk.write_all_at(&old.write(8192).start, 0).unwrap();
        assert!(enlarge(&disk, blocks).unwrap());
        assert!(!enlarge(&disk, blocks).unwrap(), "it has grown already");
        let read = || {
            let mut bytes = vec![0; COPY];
            disk.read_exact_at(&mut bytes, BLOCK).unwrap();
            Table::read(&bytes)
        };
        let whole = read().unwrap();
        assert_eq!(whole.partitions[0].last + 1, blocks - 2048);
        // Cut while the first copy was written: half of it is old, and its checksum is wrong.
        disk.write_all_at(&[0xff; 512], 2 * BLOCK).unwrap();
        assert!(read().is_err());
        assert!(!enlarge(&disk, blocks).unwrap());
        assert_eq!(read().unwrap(), whole);
    }

    #[test]
    fn a_disk_whose_last_partition_is_anothers_is_left_alone() {
        let disk = nameless("other");
        disk.set_len(1 << 24).unwrap();
        let mut other = partition_of(4096, 6143);
        other.name = "other".to_owned();
        let table = Table {
            disk: Guid::new(1),
            partitions: vec![partition_of(2048, 4095), other],
        };
        disk.write_all_at(&table.write(8192).start, 0).unwrap();
        assert!(!enlarge(&disk, 1 << 15).unwrap());
    }

    /// A file that goes when it is closed.
    fn nameless(name: &str) -> File {
        let path = std::env::temp_dir().join(format!("gatehouse-{name}-{}", std::process::id()));
        let mut options = File::options();
        let disk = options.read(true).write(true).create_new(true).open(&path);
        fs::remove_file(&path).unwrap();
        disk.unwrap()
    }

    fn partition_of(first: u64, last: u64) -> proto::gpt::Partition {
        proto::gpt::Partition {
            kind: Guid::LINUX,
            id: Guid::new(2),
            first,
            last,
            name: LABEL.to_owned(),
        }
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
