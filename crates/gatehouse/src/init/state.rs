//! The one file system that is written to: enlarged, looked over, mounted.

use super::disk::Partition;
use super::{mount, say, told};
use anyhow::{Context as _, Result, bail};
use nix::mount::{MntFlags, MsFlags, umount2};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PLACE: &str = "/state";
/// The state directory on it.
const FOLDER: &str = "gatehouse";
/// Beside that one: while it is there, the directory counts as removed.
const FORGET: &str = "factory-reset";
/// What the supervisor gets instead of the state directory, where it can not run with that.
const SPARE: &str = "/run/gatehouse";
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
            told(PLACE, in_memory(PLACE));
        }
    }
    match forget(Path::new(PLACE)) {
        Ok(true) => say("factory reset: everything that was kept is removed"),
        Ok(false) => {}
        Err(error) => say(&format!("the factory reset: {error}")),
    }
    let folder = file(FOLDER);
    told("the state directory", fs::create_dir_all(&folder));
    folder
}

/// Decides that the state directory is removed at the next start, whatever is wrong with it.
///
/// # Errors
/// The disk takes nothing.
pub(super) fn forget_at_next_start() -> io::Result<()> {
    File::create(file(FORGET))?.sync_all()?;
    File::open(PLACE)?.sync_all()
}

/// An empty directory in memory of this name.
///
/// # Errors
/// There is no room.
pub(super) fn spare(name: &str) -> io::Result<PathBuf> {
    if !mount::is_mounted(SPARE) {
        fs::create_dir_all(SPARE)?;
        in_memory(SPARE)?;
    }
    let folder = Path::new(SPARE).join(name);
    remove(&folder)?;
    fs::create_dir(&folder)?;
    Ok(folder)
}

/// Removes the state directory of `place` where that was decided; whether it was. The mark goes last.
fn forget(place: &Path) -> io::Result<bool> {
    let mark = place.join(FORGET);
    if !mark.exists() {
        return Ok(false);
    }
    remove(&place.join(FOLDER))?;
    File::open(place)?.sync_all()?;
    fs::remove_file(mark)?;
    File::open(place)?.sync_all()?;
    Ok(true)
}

/// Removes whatever is there: a directory and all that is in it, or a file where one should be.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
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

fn in_memory(place: &str) -> nix::Result<()> {
    let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let options = Some("mode=0755,size=64m");
    nix::mount::mount(Some("tmpfs"), place, Some("tmpfs"), flags, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_to_be_forgotten_is_removed_whatever_it_is() {
        let place = std::env::temp_dir().join(format!("gatehouse-forget-{}", std::process::id()));
        let (state, mark) = (place.join(FOLDER), place.join(FORGET));
        fs::create_dir_all(state.join("generations")).unwrap();
        fs::write(place.join("ports"), "").unwrap();
        assert!(!forget(&place).unwrap());
        assert!(state.exists(), "nobody wanted it removed");
        fs::write(&mark, "").unwrap();
        assert!(forget(&place).unwrap());
        assert!(!state.exists() && !mark.exists());
        // A file where the directory should be; then nothing at all.
        fs::write(&state, "").unwrap();
        for _ in 0..2 {
            fs::write(&mark, "").unwrap();
            assert!(forget(&place).unwrap());
            assert!(!state.exists() && !mark.exists());
        }
        assert!(place.join("ports").exists());
        fs::remove_dir_all(&place).unwrap();
    }
}
