//! The disk: partition table, EFI system partition, state partition; the same bytes for the same content.

use std::fs::{self, File};
use std::io::{Cursor, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};
use proto::gpt::{BLOCK, Guid, Partition, Table};

use super::board::Disk;
use crate::run::visibly;

const MIB: u64 = 1024 * 1024;
/// What is not written because it is zero anyway is looked for in pieces of this size.
const PIECE: usize = 4096;
/// Which disk and partitions these are: the same in every image, since boxes find them by label.
const DISK: Guid = Guid::new(0x6761_7465_686f_7573_8000_6469_736b_0001);
const ESP: Guid = Guid::new(0x6761_7465_686f_7573_8000_6573_7000_0002);
const STATE: Guid = Guid::new(0x6761_7465_686f_7573_8000_7374_6174_0003);
/// The same for the file system of the state partition and the order of names in its folders.
const STATE_ID: &str = "67617465-686f-7573-8000-737461746504";
const STATE_SEED: &str = "67617465-686f-7573-8000-737461746505";

/// What mke2fs wants to find in its configuration, and is told on the command line anyway.
const KINDS: &str =
    "[fs_types]\n\text4 = {\n\t\tinode_size = 256\n\t}\n\tsmall = {\n\t\tinode_size = 256\n\t}\n";

/// A file of the EFI system partition: its path and what it holds.
pub(super) type EspFile<'a> = (&'a str, &'a [u8]);

/// Writes the image `out` with the files of the EFI system partition and an empty state partition.
///
/// # Errors
/// There is no room, on this machine or on the partition.
pub(super) fn write(out: &Path, disk: &Disk, files: &[EspFile], seconds: u32) -> Result<()> {
    let (esp, state) = (u64::from(disk.esp) * MIB, u64::from(disk.state) * MIB);
    let blocks = (esp + state + 2 * MIB) / BLOCK;
    let table = Table {
        disk: DISK,
        partitions: vec![
            partition(Guid::EFI_SYSTEM, ESP, "gatehouse-esp", MIB, esp),
            partition(Guid::LINUX, STATE, "gatehouse-state", MIB + esp, state),
        ],
    };
    let copies = table.write(blocks);
    let file = File::create(out).with_context(|| out.display().to_string())?;
    file.set_len(blocks * BLOCK)?;
    file.write_all_at(&copies.start, 0)?;
    file.write_all_at(&copies.end, copies.end_block * BLOCK)?;
    put(&file, MIB, &fat(usize::try_from(esp)?, files)?)?;
    let work = out.with_extension("state");
    let made = ext4(&work, state, seconds);
    fs::remove_file(&work).ok();
    put(&file, MIB + esp, &made?)
}

fn partition(kind: Guid, id: Guid, name: &str, start: u64, length: u64) -> Partition {
    Partition {
        kind,
        id,
        first: start / BLOCK,
        last: (start + length) / BLOCK - 1,
        name: name.to_owned(),
    }
}

/// Writes `content`, leaving out what is zero.
fn put(file: &File, start: u64, content: &[u8]) -> Result<()> {
    for (at, piece) in (start..).step_by(PIECE).zip(content.chunks(PIECE)) {
        if piece.iter().any(|byte| *byte != 0) {
            file.write_all_at(piece, at)?;
        }
    }
    Ok(())
}

/// A file system FAT32 with these files. It has no times: the library writes 1980 where it is not told else.
fn fat(length: usize, files: &[EspFile]) -> Result<Vec<u8>> {
    let mut disk = Cursor::new(vec![0; length]);
    let options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat32)
        .volume_id(0x6761_7465)
        .volume_label(*b"GATEHOUSE  ");
    fatfs::format_volume(&mut disk, options)?;
    disk.seek(SeekFrom::Start(0))?;
    let system = FileSystem::new(&mut disk, FsOptions::new())?;
    for (path, content) in files {
        for (end, _) in path.match_indices('/') {
            system.root_dir().create_dir(&path[..end])?;
        }
        let mut file = system.root_dir().create_file(path)?;
        file.write_all(content).with_context(|| {
            format!("{path} does not fit on the EFI system partition: raise [disk] esp")
        })?;
    }
    system.unmount()?;
    Ok(disk.into_inner())
}

/// An empty file system ext4, made in the file `work`.
fn ext4(work: &Path, length: u64, seconds: u32) -> Result<Vec<u8>> {
    File::create(work)?.set_len(length)?;
    // Nothing is taken from the configuration of this machine.
    let settings = work.with_extension("conf");
    fs::write(&settings, KINDS)?;
    let mut command = Command::new("mke2fs");
    command
        .env("MKE2FS_CONFIG", &settings)
        .env("E2FSPROGS_FAKE_TIME", seconds.to_string())
        .env("SOURCE_DATE_EPOCH", seconds.to_string());
    if let Some(path) = std::env::var_os("PATH") {
        let path = path.to_string_lossy();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    }
    let features = "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum";
    let extended = format!(
        "hash_seed={STATE_SEED},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,nodiscard"
    );
    command.args(["-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256"]);
    command.args(["-i", "16384", "-m", "1", "-J", "size=8", "-e", "remount-ro"]);
    command.args(["-O", features, "-U", STATE_ID, "-E", &extended]);
    command.args(["-L", "state"]).arg(work);
    let made = visibly(&mut command);
    fs::remove_file(&settings)?;
    made?;
    Ok(fs::read(work)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_gives_the_same_bytes_which_can_be_read_again() {
        let folder = std::env::temp_dir().join(format!("gatehouse-disk-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let disk = Disk { esp: 40, state: 64 };
        let files: [EspFile; 2] = [
            ("EFI/BOOT/BOOTX64.EFI", b"loader"),
            ("loader/loader.conf", b"x"),
        ];
        let images = [folder.join("one.img"), folder.join("other.img")];
        let bytes = images.each_ref().map(|image| {
            write(image, &disk, &files, 1_700_000_000).unwrap();
            fs::read(image).unwrap()
        });
        fs::remove_dir_all(&folder).unwrap();
        assert!(bytes[0] == bytes[1], "two images of one content differ");
        let table = Table::read(&bytes[0][512..]).unwrap();
        assert_eq!(table.partitions[1].name, "gatehouse-state");
        let start = usize::try_from(MIB).unwrap();
        let esp = bytes[0][start..start + 40 * start].to_vec();
        let system = FileSystem::new(Cursor::new(esp), FsOptions::new()).unwrap();
        let mut file = system.root_dir().open_file("efi/boot/bootx64.efi").unwrap();
        let mut content = String::new();
        std::io::Read::read_to_string(&mut file, &mut content).unwrap();
        assert_eq!(content, "loader");
    }
}
