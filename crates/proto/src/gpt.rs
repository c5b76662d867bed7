//! The partition table of a disk (UEFI specification 2.10, section 5.3), for disks with blocks of 512 bytes.

mod crc;

use thiserror::Error;

/// Bytes of a block; the table counts in blocks.
pub const BLOCK: u64 = 512;
/// Bytes of one copy of the table: its header and 128 entries.
pub const COPY: usize = 512 + ENTRIES * ENTRY;

const ENTRIES: usize = 128;
const ENTRY: usize = 128;
const HEADER: usize = 92;
/// The same three as the header names them: its own size, number and size of entries.
const SIZES: [u32; 3] = [92, 128, 128];
const SIGNATURE: &[u8; 8] = b"EFI PART";
/// Blocks of the entries of one copy.
const ENTRY_BLOCKS: u64 = (ENTRIES * ENTRY) as u64 / BLOCK;
/// The first block that a partition may have: after the protective record, the header and the entries.
const FIRST_USABLE: u64 = 2 + ENTRY_BLOCKS;
/// Letters of a name, as UTF-16.
const NAME: usize = 36;

/// A globally unique identifier in the byte order of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guid([u8; 16]);

impl Guid {
    /// The type of an EFI system partition.
    pub const EFI_SYSTEM: Self = Self::new(0xc12a_7328_f81f_11d2_ba4b_00a0_c93e_c93b);
    /// The type of a partition with a Linux file system.
    pub const LINUX: Self = Self::new(0x0fc6_3daf_8483_4772_8e79_3d69_d847_7de4);

    /// The identifier whose text form has these hexadecimal digits, without the dashes.
    pub const fn new(digits: u128) -> Self {
        let mut bytes = digits.to_be_bytes();
        // The first three groups are little endian on the disk.
        let text = bytes;
        let order = [3, 2, 1, 0, 5, 4, 7, 6];
        let mut at = 0;
        while at < order.len() {
            bytes[at] = text[order[at]];
            at += 1;
        }
        Self(bytes)
    }
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// What it holds.
    pub kind: Guid,
    /// Which one it is.
    pub id: Guid,
    /// Its first block.
    pub first: u64,
    /// Its last block.
    pub last: u64,
    /// Its label: at most 36 letters.
    pub name: String,
}

/// A partition table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Which disk it is.
    pub disk: Guid,
    /// The partitions in the order of their numbers; at most 128.
    pub partitions: Vec<Partition>,
}

/// Why a partition table can not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    /// It is shorter than a table.
    #[error("the partition table is cut off")]
    Short,
    /// It does not begin as a table does.
    #[error("there is no partition table")]
    Missing,
    /// Its checksum is wrong.
    #[error("the partition table is damaged")]
    Damaged,
    /// It is one of a form that is allowed and nobody writes.
    #[error("the partition table has entries of an unusual size or number")]
    Unusual,
}

/// What is written at the two ends of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// From block 0: protective record, header, entries.
    pub start: Vec<u8>,
    /// The last blocks of the disk: entries, header.
    pub end: Vec<u8>,
    /// The first block of `end`.
    pub end_block: u64,
}

impl Table {
    /// The table at the start of a disk: `bytes` from its block 1 on, at least [`COPY`].
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let whole = bytes.get(..COPY).ok_or(Fault::Short)?;
        let (header, entries) = whole.split_at(512);
        Self::of(header, entries)
    }

    /// The table at the end of a disk: the last [`COPY`] bytes of it.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub fn read_end(bytes: &[u8]) -> Result<Self, Fault> {
        let whole = bytes.get(..COPY).ok_or(Fault::Short)?;
        let (entries, header) = whole.split_at(ENTRIES * ENTRY);
        Self::of(header, entries)
    }

    fn of(header: &[u8], entries: &[u8]) -> Result<Self, Fault> {
        let header = &header[..HEADER];
        if &header[..8] != SIGNATURE {
            return Err(Fault::Missing);
        }
        let mut unsigned = header.to_vec();
        unsigned[16..20].fill(0);
        if crc::crc32(&unsigned) != u32_at(header, 16) {
            return Err(Fault::Damaged);
        }
        if [12, 80, 84].map(|at| u32_at(header, at)) != SIZES {
            return Err(Fault::Unusual);
        }
        if crc::crc32(entries) != u32_at(header, 88) {
            return Err(Fault::Damaged);
        }
        let used = entries
            .chunks_exact(ENTRY)
            .filter(|entry| entry[..16] != [0; 16]);
        Ok(Self {
            disk: guid_at(header, 56),
            partitions: used.map(partition).collect(),
        })
    }

    /// Lets the last partition end where the disk of `blocks` ends, on a boundary of 1 MiB.
    ///
    /// Whether anything has changed: a partition never becomes smaller.
    pub fn grow_last(&mut self, blocks: u64) -> bool {
        let end = last_usable(blocks).saturating_add(1) / 2048 * 2048;
        let last = self.partitions.iter_mut().max_by_key(|one| one.first);
        let Some(last) = last.filter(|last| last.last < end.saturating_sub(1)) else {
            return false;
        };
        last.last = end - 1;
        true
    }

    /// The bytes for both ends of a disk of `blocks`.
    pub fn write(&self, blocks: u64) -> Copies {
        let mut entries = vec![0; ENTRIES * ENTRY];
        for (place, one) in entries.chunks_exact_mut(ENTRY).zip(&self.partitions) {
            write_partition(one, place);
        }
        let (first, last) = (1, blocks.saturating_sub(1));
        let end_block = last.saturating_sub(ENTRY_BLOCKS);
        let mut start = protective(blocks);
        start.extend(self.header(&entries, [first, last, 2], blocks));
        start.extend(&entries);
        let backup = self.header(&entries, [last, first, end_block], blocks);
        entries.extend(backup);
        Copies {
            start,
            end: entries,
            end_block,
        }
    }

    /// A header at block `own`, which names the `other` one and where its entries are.
    fn header(&self, entries: &[u8], [own, other, at]: [u64; 3], blocks: u64) -> Vec<u8> {
        let mut header = SIGNATURE.to_vec();
        header.extend(0x0001_0000_u32.to_le_bytes());
        header.extend(SIZES[0].to_le_bytes());
        header.extend([0; 8]);
        for block in [own, other, FIRST_USABLE, last_usable(blocks)] {
            header.extend(block.to_le_bytes());
        }
        header.extend(self.disk.0);
        header.extend(at.to_le_bytes());
        header.extend(SIZES[1].to_le_bytes());
        header.extend(SIZES[2].to_le_bytes());
        header.extend(crc::crc32(entries).to_le_bytes());
        let sum = crc::crc32(&header);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
        header.resize(512, 0);
        header
    }
}

fn last_usable(blocks: u64) -> u64 {
    blocks.saturating_sub(ENTRY_BLOCKS + 2)
}

/// Block 0: tells programs that know no GPT that the disk is full.
fn protective(blocks: u64) -> Vec<u8> {
    let mut record = vec![0; 512];
    let length = u32::try_from(blocks.saturating_sub(1)).unwrap_or(u32::MAX);
    record[446..458].copy_from_slice(&[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
    record[458..462].copy_from_slice(&length.to_le_bytes());
    record[510..].copy_from_slice(&[0x55, 0xaa]);
    record
}

fn partition(entry: &[u8]) -> Partition {
    let letters = entry[56..].chunks_exact(2);
    let letters = letters.map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let name: Vec<u16> = letters.take_while(|letter| *letter != 0).collect();
    Partition {
        kind: guid_at(entry, 0),
        id: guid_at(entry, 16),
        first: u64_at(entry, 32),
        last: u64_at(entry, 40),
        name: String::from_utf16_lossy(&name),
    }
}

fn write_partition(one: &Partition, place: &mut [u8]) {
    place[..16].copy_from_slice(&one.kind.0);
    place[16..32].copy_from_slice(&one.id.0);
    place[32..40].copy_from_slice(&one.first.to_le_bytes());
    place[40..48].copy_from_slice(&one.last.to_le_bytes());
    let letters = one.name.encode_utf16().take(NAME);
    for (pair, letter) in place[56..].chunks_exact_mut(2).zip(letters) {
        pair.copy_from_slice(&letter.to_le_bytes());
    }
}

fn guid_at(bytes: &[u8], at: usize) -> Guid {
    let mut guid = [0; 16];
    guid.copy_from_slice(&bytes[at..at + 16]);
    Guid(guid)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            disk: Guid::new(1),
            partitions: vec![
                Partition {
                    kind: Guid::EFI_SYSTEM,
                    id: Guid::new(2),
                    first: 2048,
                    last: 4095,
                    name: "esp".to_owned(),
                },
                Partition {
                    kind: Guid::LINUX,
                    id: Guid::new(3),
                    first: 4096,
                    last: 8191,
                    name: "state".to_owned(),
                },
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let copies = table().write(10_240);
        assert_eq!(Table::read(&copies.start[512..]), Ok(table()));
        assert_eq!(Table::read_end(&copies.end), Ok(table()));
        assert_eq!(copies.end.len(), COPY);
        assert_eq!(copies.end_block + COPY as u64 / BLOCK, 10_240);
    }

    #[test]
    fn an_identifier_is_on_the_disk_as_the_specification_says() {
        let known = [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b];
        assert_eq!(Guid::EFI_SYSTEM.0[..10], known);
    }

    #[test]
    fn every_changed_bit_and_every_missing_byte_is_noticed() {
        let whole = table().write(10_240).start[512..].to_vec();
        for at in (0..HEADER).chain([512, 1000, COPY - 1]) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(Table::read(&changed).is_err(), "byte {at}");
        }
        for length in [0, 91, 92, 511, 512, COPY - 1] {
            assert_eq!(Table::read(&whole[..length]), Err(Fault::Short), "{length}");
        }
    }

    #[test]
    fn numbers_at_their_ends_are_no_fault() {
        let mut table = table();
        table.partitions[1].last = u64::MAX;
        for blocks in [0, 1, 33, 34, u64::MAX] {
            assert!(!table.grow_last(blocks));
            let copies = table.write(blocks);
            assert_eq!(Table::read_end(&copies.end).as_ref(), Ok(&table));
        }
    }

    #[test]
    fn the_last_partition_grows_to_the_end_and_never_shrinks() {
        let mut grown = table();
        assert!(grown.grow_last(1 << 20));
        assert_eq!(grown.partitions[1].last + 1, (1 << 20) - 2048);
        assert_eq!(grown.partitions[0], table().partitions[0]);
        let same = grown.clone();
        assert!(!grown.grow_last(1 << 20) && !grown.grow_last(9000) && !grown.grow_last(0));
        assert_eq!(grown, same);
    }
}
