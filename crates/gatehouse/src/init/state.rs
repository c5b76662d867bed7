//! The one file system that is written to: enlarged, looked over, mounted.

use super::disk::Partition;
use super::{mount, say, told};
use anyhow::{Context as _, Result, bail};
use nix::mount::{MntFlags, MsFlags, umount2};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PLACE: &str = "/state";
/// Bytes of a block of the file system that the image has.
const BLOCK: u64 = 4096;
/// e2fsck: all is well, or was made well again.
const REPAIRED: i32 = 1 | 2;
/// How often a repair is tried.
const REPAIRS: usize = 3;

/// Mounts the state partition. Where that can not be, the state is in memory: the box runs and can be asked, and forgets what it
/// is told.
pub(super) fn prepare(partition: Option<Partition>) -> PathBuf {
    if !mount::is_mounted(PLACE) {
        let result = partition.context("there is no partition with the label gatehouse-state");
        if let Err(error) = result.and_then(|partition| on_disk(&partition)) {
            say(&format!(
                "THE STATE IS NOT KEPT: {error:#}; it is in memory until the next start"
            ));
            told(PLACE, in_memory());
        }
    }
    let folder = Path::new(PLACE).join("gatehouse");
    told("the state directory", fs::create_dir_all(&folder));
    folder
}

/// A file beside the state directory: it outlives a factory reset.
pub(super) fn file(name: &str) -> PathBuf {
    Path::new(PLACE).join(name)
}

/// Writes everything to the disk and lets go of it.
pub(super) fn close() {
    nix::unistd::sync();
    if umount2(PLACE, MntFlags::empty()).is_err() {
        // Somebody still has a file open; what was written is safe all the same.
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        told(
            PLACE,
            nix::mount::mount(None::<&str>, PLACE, None::<&str>, flags, None::<&str>),
        );
    }
    nix::unistd::sync();
}

fn on_disk(partition: &Partition) -> Result<()> {
    if told("the state partition", partition.grow()) == Some(true) {
        say("the state partition now takes the rest of the disk");
    }
    let device = partition.device();
    check(&device)?;
    let flags = MsFlags::MS_NOATIME | MsFlags::MS_NODEV | MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let options = Some("errors=remount-ro");
    nix::mount::mount(Some(device.as_str()), PLACE, Some("ext4"), flags, options)
        .with_context(|| format!("{device} can not be mounted"))?;
    // Nothing happens where it has its size already.
    let resized = resize(partition);
    told("the file system keeps its size", resized);
    Ok(())
}

fn resize(partition: &Partition) -> Result<()> {
    let blocks = partition.size()? / BLOCK;
    let folder = File::open(PLACE)?;
    Ok(rustix::fs::ext4_ioc_resize_fs(&folder, blocks)?)
}

/// Looks the file system over, and repairs what a power cut has left; where that is not enough, repairs whatever it can.
fn check(device: &str) -> Result<()> {
    if run_check("-p", device)? {
        return Ok(());
    }
    say(&format!(
        "{device} is damaged: everything that can be is repaired"
    ));
    // Where the first description of the file system is gone, one run writes it anew, and the next one finds the rest.
    for _ in 0..REPAIRS {
        if run_check("-fy", device)? {
            return Ok(());
        }
    }
    bail!("{device} can not be repaired")
}

fn run_check(how: &str, device: &str) -> Result<bool> {
    let mut command = Command::new("/bin/e2fsck");
    let out = command
        .args([how, device])
        .stdin(Stdio::null())
        .output()
        .context("/bin/e2fsck")?;
    let code = out.status.code().unwrap_or(-1);
    if code != 0 {
        for line in String::from_utf8_lossy(&out.stdout).lines() {
            say(&format!("e2fsck: {line}"));
        }
    }
    Ok(code >= 0 && code & !REPAIRED == 0)
}

fn in_memory() -> nix::Result<()> {
    let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let options = Some("mode=0755,size=64m");
    nix::mount::mount(Some("tmpfs"), PLACE, Some("tmpfs"), flags, options)
}
