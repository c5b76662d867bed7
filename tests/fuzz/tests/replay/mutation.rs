//! Small accidents that happen to bytes: the same for the same name and number.

/// No input gets longer than this by what happens to it, unless it is already.
const LONGEST: usize = 16 * 1024;
/// Bytes that parsers stumble over.
const BYTES: &[u8] = b"\0\r\n\t \"%,./:;=?@[\\]\x7f\x80\xc3\xed\xfe\xff";
/// Numbers at the edges of what a field can hold.
const NUMBERS: &[u64] = &[
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// Makes inputs out of others, by dice that fall alike in every run (xorshift64*).
pub(crate) struct Mutator {
    state: u64,
}

impl Mutator {
    /// The dice for one input.
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        // FNV-1a: neighbours begin far from each other.
        let bytes = name.bytes().chain(seed.to_le_bytes());
        let state = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { state: state | 1 }
    }

    /// One of the files after one to five accidents.
    pub(crate) fn mutated(&mut self, files: &[&[u8]]) -> Vec<u8> {
        let mut input = files[self.below(files.len())].to_vec();
        for _ in 0..=self.below(5) {
            self.accident(&mut input, files);
        }
        input
    }

    fn accident(&mut self, input: &mut Vec<u8>, files: &[&[u8]]) {
        let at = self.below(input.len() + 1);
        let end = at + self.below((input.len() - at).min(32) + 1);
        match self.below(9) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = BYTES[self.below(BYTES.len())];
                }
            }
            2 => self.write_number(input, at),
            3 => drop(input.drain(at..end)),
            4 => input.truncate(at),
            5 => {
                let piece = input[at..end].to_vec();
                let times = 1 + self.below(8);
                insert(input, end, &piece.repeat(times));
            }
            6 => {
                let count = 1 + self.below(4);
                let piece: Vec<u8> = (0..count).map(|_| self.byte()).collect();
                insert(input, at, &piece);
            }
            7 => {
                let piece = vec![BYTES[self.below(BYTES.len())]; 1 << self.below(10)];
                insert(input, at, &piece);
            }
            _ => {
                let other = files[self.below(files.len())];
                let from = self.below(other.len() + 1);
                let tail = &other[from..];
                if self.below(2) == 0 {
                    input.truncate(at);
                    input.extend_from_slice(tail);
                } else {
                    insert(input, at, &tail[..tail.len().min(64)]);
                }
            }
        }
    }

    /// A number over what is there: one, two, four or eight bytes, either end first.
    fn write_number(&mut self, input: &mut [u8], at: usize) {
        let number = NUMBERS[self.below(NUMBERS.len())];
        let width = 1 << self.below(4);
        let (low, high) = (number.to_le_bytes(), number.to_be_bytes());
        let bytes = if self.below(2) == 0 {
            &low[..width]
        } else {
            &high[8 - width..]
        };
        for (there, byte) in input[at..].iter_mut().zip(bytes) {
            *there = *byte;
        }
    }

    fn byte(&mut self) -> u8 {
        if self.below(2) == 0 {
            BYTES[self.below(BYTES.len())]
        } else {
            self.next().to_le_bytes()[7]
        }
    }

    /// A number from 0 on, below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap();
        usize::try_from((self.next() >> 16) % limit).unwrap()
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if input.len() + piece.len() <= LONGEST {
        input.splice(at..at, piece.iter().copied());
    }
}
