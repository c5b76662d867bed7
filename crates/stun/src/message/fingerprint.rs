//! The fingerprint (RFC 8489 section 14.7): CRC-32 of ITU-T V.42.

const TABLE: [u32; 256] = table();

/// The value of the attribute for a message of these parts.
pub(super) fn of(parts: &[&[u8]]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for byte in parts.iter().copied().flatten() {
        let index = usize::from(crc.to_le_bytes()[0] ^ byte);
        crc = (crc >> 8) ^ TABLE[index];
    }
    (!crc ^ 0x5354_554e).to_be_bytes()
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte: u32 = 0;
    let mut index = 0;
    while index < table.len() {
        let mut crc = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[index] = crc;
        byte += 1;
        index += 1;
    }
    table
}
