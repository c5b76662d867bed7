//! Keys from passphrases, and the proof that a passphrase is the right one (RFC 7292 section 4 and appendix B).

use aws_lc_rs::{digest, hmac};

use super::Error;
use super::der::{Der, NULL, OCTETS, OID, SEQUENCE, number, tlv};

/// The most rounds for all the keys of one file: about a second on a slow box.
pub(super) const MOST_ROUNDS: u32 = 2_000_000;

const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// Below it are SHA-256 (1), SHA-384 (2) and SHA-512 (3).
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// How much deriving keys may still cost.
pub(super) struct Work(u32);

impl Default for Work {
    fn default() -> Self {
        Self(MOST_ROUNDS)
    }
}

impl Work {
    pub(super) fn of(rounds: u32) -> Self {
        Self(rounds)
    }

    /// Takes what `keys` keys of so many rounds each cost.
    pub(super) fn take(&mut self, rounds: u32, keys: u32) -> Result<(), Error> {
        let cost = rounds.max(1).checked_mul(keys);
        let left = cost.and_then(|cost| self.0.checked_sub(cost));
        self.0 = left.ok_or(Error::TooMuchWork { most: MOST_ROUNDS })?;
        Ok(())
    }
}

/// What a derived key is for (RFC 7292 appendix B.3).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// What proves that a file was made with a passphrase.
pub(super) struct Mac<'a> {
    hash: &'static Hash,
    tag: &'a [u8],
    salt: &'a [u8],
    rounds: u32,
}

/// A hash, with what goes in at once.
pub(super) struct Hash {
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
    block: usize,
}

pub(super) static WITH_SHA1: Hash = Hash {
    digest: &digest::SHA1_FOR_LEGACY_USE_ONLY,
    hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    block: 64,
};
static WITH_SHA256: Hash = Hash {
    digest: &digest::SHA256,
    hmac: hmac::HMAC_SHA256,
    block: 64,
};
static WITH_SHA384: Hash = Hash {
    digest: &digest::SHA384,
    hmac: hmac::HMAC_SHA384,
    block: 128,
};
static WITH_SHA512: Hash = Hash {
    digest: &digest::SHA512,
    hmac: hmac::HMAC_SHA512,
    block: 128,
};

impl<'a> Mac<'a> {
    /// Reads the inside of a `MacData`.
    pub(super) fn read(data: &mut Der<'a>) -> Result<Self, Error> {
        let mut info = data.sequence()?;
        let kind = info.sequence()?.take(OID)?;
        let hash = match (kind, kind.strip_prefix(SHA2)) {
            (SHA1, _) => &WITH_SHA1,
            (_, Some([1])) => &WITH_SHA256,
            (_, Some([2])) => &WITH_SHA384,
            (_, Some([3])) => &WITH_SHA512,
            _ => return Err(Error::Unsupported("an unknown kind of checksum")),
        };
        let tag = info.take(OCTETS)?;
        let salt = data.take(OCTETS)?;
        let rounds = if data.is_empty() { 1 } else { data.number()? };
        Ok(Self {
            hash,
            tag,
            salt,
            rounds,
        })
    }

    /// Whether `passphrase` is that of `content`.
    pub(super) fn verify(
        &self,
        content: &[u8],
        passphrase: &str,
        work: &mut Work,
    ) -> Result<(), Error> {
        let mut key = vec![0; self.hash.digest.output_len()];
        let purpose = Purpose::Mac;
        derive(
            self.hash,
            purpose,
            passphrase,
            self.salt,
            self.rounds,
            work,
            &mut key,
        )?;
        let key = hmac::Key::new(self.hash.hmac, &key);
        hmac::verify(&key, content, self.tag).map_err(|_| Error::WrongPassphrase)
    }

    /// The `MacData` of a file of ours.
    pub(super) fn make(
        content: &[u8],
        passphrase: &str,
        rounds: u32,
        salt: [u8; 16],
    ) -> Result<Vec<u8>, Error> {
        let hash = &WITH_SHA256;
        let mut key = vec![0; hash.digest.output_len()];
        let mut work = Work::default();
        derive(
            hash,
            Purpose::Mac,
            passphrase,
            &salt,
            rounds,
            &mut work,
            &mut key,
        )?;
        let tag = hmac::sign(&hmac::Key::new(hash.hmac, &key), content);
        let algorithm = tlv(SEQUENCE, &[&tlv(OID, &[SHA2, &[1]]), &tlv(NULL, &[])]);
        let info = tlv(SEQUENCE, &[&algorithm, &tlv(OCTETS, &[tag.as_ref()])]);
        Ok(tlv(
            SEQUENCE,
            &[&info, &tlv(OCTETS, &[&salt]), &number(rounds)],
        ))
    }
}

/// Fills `key` from a passphrase (RFC 7292 appendix B.2).
pub(super) fn derive(
    hash: &Hash,
    purpose: Purpose,
    passphrase: &str,
    salt: &[u8],
    rounds: u32,
    work: &mut Work,
    key: &mut [u8],
) -> Result<(), Error> {
    let pieces = key.len().div_ceil(hash.digest.output_len());
    work.take(rounds, u32::try_from(pieces).unwrap_or(u32::MAX))?;
    // Two bytes each letter, and a zero behind them (appendix B.1).
    let letters = passphrase.encode_utf16().chain([0]);
    let letters: Vec<_> = letters.flat_map(u16::to_be_bytes).collect();
    let filled = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(hash.block) * hash.block;
        bytes.iter().copied().cycle().take(length).collect()
    };
    let mut state = filled(salt);
    state.extend(filled(&letters));
    let purpose = vec![purpose as u8; hash.block];
    for piece in key.chunks_mut(hash.digest.output_len()) {
        let mut context = digest::Context::new(hash.digest);
        context.update(&purpose);
        context.update(&state);
        let mut output = context.finish();
        for _ in 1..rounds {
            output = digest::digest(hash.digest, output.as_ref());
        }
        piece.copy_from_slice(&output.as_ref()[..piece.len()]);
        let step: Vec<_> = output
            .as_ref()
            .iter()
            .copied()
            .cycle()
            .take(hash.block)
            .collect();
        for block in state.chunks_mut(hash.block) {
            add_with_one(block, &step);
        }
    }
    Ok(())
}

/// `number + step + 1`, without what does not fit.
fn add_with_one(number: &mut [u8], step: &[u8]) {
    let mut carry = 1_u16;
    for (digit, step) in number.iter_mut().zip(step).rev() {
        let [high, low] = (u16::from(*digit) + u16::from(*step) + carry).to_be_bytes();
        *digit = low;
        carry = u16::from(high);
    }
}
