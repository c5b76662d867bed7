//! The checksum of a header of version 2 (CRC32C, RFC 9260 appendix A).

/// The polynomial of Castagnoli, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// A sum over bytes that come in pieces. It is made bit by bit: a header is short, and seldom summed.
pub(super) struct Crc32c(u32);

impl Default for Crc32c {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc32c {
    /// Adds the next bytes.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 ^= u32::from(byte);
            for _ in 0..8 {
                let carry = self.0 & 1;
                self.0 >>= 1;
                if carry == 1 {
                    self.0 ^= POLYNOMIAL;
                }
            }
        }
    }

    /// The sum of all bytes until now.
    pub(super) const fn value(&self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(bytes: &[u8]) -> u32 {
        let mut crc = Crc32c::default();
        crc.add(bytes);
        crc.value()
    }

    #[test]
    fn the_examples_of_rfc_3720_appendix_b_4_come_out() {
        let up: Vec<u8> = (0..32).collect();
        let down: Vec<u8> = (0..32).rev().collect();
        assert_eq!(sum(b""), 0);
        assert_eq!(sum(b"123456789"), 0xe306_9283);
        assert_eq!(sum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(sum(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(sum(&up), 0x46dd_794e);
        assert_eq!(sum(&down), 0x113f_db5c);
    }
}
