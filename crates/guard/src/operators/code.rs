//! Codes that people read from a screen and type in elsewhere.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How many random bytes a code is made of, one for each character.
pub const CODE_BYTES: usize = 12;

/// Capital letters and digits without those that look alike: no I, no O, no 0, no 1. Five bits each.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters of one group.
const GROUP: usize = 4;

/// Twelve characters, 60 bits, shown as `ABCD-EFGH-JKLM`; has no debug form.
#[derive(Clone)]
pub struct Code([u8; CODE_BYTES]);

impl Code {
    /// The code that these random bytes make.
    pub fn new(random: [u8; CODE_BYTES]) -> Self {
        Self(random.map(|byte| ALPHABET[usize::from(byte % 32)]))
    }

    /// What somebody typed; small letters, spaces and hyphens are as good. `None`: it can be no code.
    pub fn typed(text: &str) -> Option<Self> {
        // Nothing that is long is gone through to its end.
        let text = text.get(..64.min(text.len())).unwrap_or_default();
        let mut code = [0; CODE_BYTES];
        let mut length = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')) {
            let byte = byte.to_ascii_uppercase();
            if !ALPHABET.contains(&byte) {
                return None;
            }
            *code.get_mut(length)? = byte;
            length += 1;
        }
        (length == CODE_BYTES).then_some(Self(code))
    }

    /// Whether `other` is the same, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Its hash together with what it is for; 60 random bits need no slow one.
    pub(super) fn hash(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(purpose.as_bytes());
        hash.update([0]);
        hash.update(self.0);
        hash.finalize().into()
    }
}

/// As it is shown: three groups of four.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, group) in self.0.chunks(GROUP).enumerate() {
            if place > 0 {
                f.write_str("-")?;
            }
            f.write_str(str::from_utf8(group).expect("the alphabet is ASCII"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}
