use proto::gpt::Table;

/// A partition table that is accepted is read alike when it is written anew, and can grow on any disk.
pub fn partition_table(data: &[u8]) {
    let (length, rest) = data.split_at(data.len().min(8));
    let mut blocks = [0; 8];
    blocks[..length.len()].copy_from_slice(length);
    let blocks = u64::from_le_bytes(blocks);
    for found in [Table::read(rest), Table::read_end(rest)] {
        let Ok(mut table) = found else {
            continue;
        };
        table.grow_last(blocks);
        let copies = table.write(blocks);
        assert_eq!(Table::read(&copies.start[512..]).as_ref(), Ok(&table));
        assert_eq!(Table::read_end(&copies.end).as_ref(), Ok(&table));
    }
}
