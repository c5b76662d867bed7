//! How the parts of a file are encrypted: PBES2 (RFC 8018) with AES or 3DES, and the older PKCS#12 way with 3DES (RFC 7292 appendix C).

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use des::TdesEde3;
use des::cipher::{Array, BlockCipherDecrypt as _, KeyInit as _};

use super::der::{Der, NULL, OCTETS, OID, SEQUENCE, number, tlv};
use super::kdf::{Purpose, WITH_SHA1, Work, derive};
use super::{Error, random};

/// PKCS#5; below it are PBKDF2 (12) and PBES2 (13).
const PKCS5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];
/// The older PKCS#12 ways; below it 3DES (3), RC2 (5, 6) and others.
const PKCS12: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
/// HMAC with SHA-1 (7), SHA-256 (9), SHA-384 (10), SHA-512 (11).
const HMAC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02];
/// AES in CBC mode: 128 (2), 192 (22), 256 (42).
const AES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];
const DES_EDE3: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07];

/// What is encrypted, and how.
pub(super) struct Sealed {
    /// The `AlgorithmIdentifier`.
    pub(super) algorithm: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

/// Decrypts a part; `algorithm` is the inside of its `AlgorithmIdentifier`.
pub(super) fn decrypt(
    mut algorithm: Der<'_>,
    bytes: &[u8],
    passphrase: &str,
    work: &mut Work,
) -> Result<Vec<u8>, Error> {
    let kind = algorithm.take(OID)?;
    let mut parameters = algorithm.sequence()?;
    if kind.strip_prefix(PKCS5) == Some(&[13]) {
        return pbes2(&mut parameters, bytes, passphrase, work);
    }
    match kind.strip_prefix(PKCS12) {
        Some([3]) => {}
        Some([5 | 6]) => return Err(Error::Broken("RC2")),
        Some(_) => return Err(Error::Broken("RC4 or DES")),
        None if kind.starts_with(PKCS5) => return Err(Error::Broken("DES or RC2")),
        None => return Err(Error::Unsupported("an unknown encryption")),
    }
    let salt = parameters.take(OCTETS)?;
    let rounds = parameters.number()?;
    let (mut key, mut iv) = ([0; 24], [0; 8]);
    derive(
        &WITH_SHA1,
        Purpose::Key,
        passphrase,
        salt,
        rounds,
        work,
        &mut key,
    )?;
    derive(
        &WITH_SHA1,
        Purpose::Iv,
        passphrase,
        salt,
        rounds,
        work,
        &mut iv,
    )?;
    triple_des(&key, iv, bytes)
}

/// Encrypts with AES-256 under a key of PBKDF2 with HMAC-SHA256.
pub(super) fn encrypt(plain: &[u8], passphrase: &str, rounds: u32) -> Result<Sealed, Error> {
    let (salt, iv) = (random()?, random()?);
    let mut key = [0; 32];
    let times = NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        times,
        &salt,
        passphrase.as_bytes(),
        &mut key,
    );
    let mut bytes = plain.to_vec();
    UnboundCipherKey::new(&AES_256, &key)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .and_then(|key| {
            let iv = EncryptionContext::Iv128(FixedLength::from(iv));
            key.less_safe_encrypt(&mut bytes, iv)
        })
        .map_err(|_| Error::NoRandom)?;
    let prf = tlv(SEQUENCE, &[&tlv(OID, &[HMAC, &[9]]), &tlv(NULL, &[])]);
    let kdf = tlv(SEQUENCE, &[&tlv(OCTETS, &[&salt]), &number(rounds), &prf]);
    let kdf = tlv(SEQUENCE, &[&tlv(OID, &[PKCS5, &[12]]), &kdf]);
    let cipher = tlv(SEQUENCE, &[&tlv(OID, &[AES, &[42]]), &tlv(OCTETS, &[&iv])]);
    let parameters = tlv(SEQUENCE, &[&kdf, &cipher]);
    let algorithm = tlv(SEQUENCE, &[&tlv(OID, &[PKCS5, &[13]]), &parameters]);
    Ok(Sealed { algorithm, bytes })
}

/// RFC 8018 appendix A.4.
fn pbes2(
    parameters: &mut Der<'_>,
    bytes: &[u8],
    passphrase: &str,
    work: &mut Work,
) -> Result<Vec<u8>, Error> {
    let mut kdf = parameters.sequence()?;
    if kdf.take(OID)?.strip_prefix(PKCS5) != Some(&[12]) {
        return Err(Error::Unsupported(
            "a key derived in another way than by PBKDF2",
        ));
    }
    let mut kdf = kdf.sequence()?;
    let salt = kdf.take(OCTETS)?;
    let rounds = kdf.number()?;
    if kdf.is_next(super::INTEGER) {
        kdf.number()?;
    }
    let prf = pseudorandom(&mut kdf)?;
    let mut cipher = parameters.sequence()?;
    let kind = cipher.take(OID)?;
    let iv = cipher.take(OCTETS)?;
    let aes: &'static Algorithm = match (kind.strip_prefix(AES), kind) {
        (Some([2]), _) => &AES_128,
        (Some([22]), _) => &AES_192,
        (Some([42]), _) => &AES_256,
        (_, DES_EDE3) => {
            let key = stretched::<24>(&prf, rounds, salt, passphrase, work)?;
            let iv = iv.try_into().map_err(|_| BAD_IV)?;
            return triple_des(&key, iv, bytes);
        }
        _ => return Err(Error::Unsupported("an unknown encryption")),
    };
    let key = stretched::<32>(&prf, rounds, salt, passphrase, work)?;
    let key = key.get(..aes_key(kind)).unwrap_or_default();
    let iv: [u8; 16] = iv.try_into().map_err(|_| BAD_IV)?;
    let mut buffer = bytes.to_vec();
    let plain = UnboundCipherKey::new(aes, key)
        .and_then(PaddedBlockDecryptingKey::cbc_pkcs7)
        .and_then(|key| {
            let iv = DecryptionContext::Iv128(FixedLength::from(iv));
            key.decrypt(&mut buffer, iv).map(|plain| plain.to_vec())
        });
    plain.map_err(|_| Error::WrongPassphrase)
}

/// What PBKDF2 is made of, and how many bytes that gives at a time (RFC 8018 appendix B.1).
struct Pseudorandom {
    algorithm: pbkdf2::Algorithm,
    length: u32,
}

/// SHA-1 where the end of `kdf` names none.
fn pseudorandom(kdf: &mut Der<'_>) -> Result<Pseudorandom, Error> {
    let kind = if kdf.is_empty() {
        Some([7].as_slice())
    } else {
        kdf.sequence()?.take(OID)?.strip_prefix(HMAC)
    };
    let (algorithm, length) = match kind {
        Some([7]) => (pbkdf2::PBKDF2_HMAC_SHA1, 20),
        Some([9]) => (pbkdf2::PBKDF2_HMAC_SHA256, 32),
        Some([10]) => (pbkdf2::PBKDF2_HMAC_SHA384, 48),
        Some([11]) => (pbkdf2::PBKDF2_HMAC_SHA512, 64),
        _ => return Err(Error::Unsupported("an unknown kind of PBKDF2")),
    };
    Ok(Pseudorandom { algorithm, length })
}

const BAD_IV: Error = Error::Malformed("what its encryption begins with has a wrong length");

fn aes_key(kind: &[u8]) -> usize {
    match kind.last() {
        Some(2) => 16,
        Some(22) => 24,
        _ => 32,
    }
}

/// A key by PBKDF2; a longer one begins with the shorter one.
fn stretched<const LENGTH: usize>(
    prf: &Pseudorandom,
    rounds: u32,
    salt: &[u8],
    passphrase: &str,
    work: &mut Work,
) -> Result<[u8; LENGTH], Error> {
    let length = u32::try_from(LENGTH).unwrap_or(u32::MAX);
    work.take(rounds, length.div_ceil(prf.length))?;
    let times = NonZeroU32::new(rounds).ok_or(Error::Malformed("its key has no rounds"))?;
    let mut key = [0; LENGTH];
    pbkdf2::derive(prf.algorithm, times, salt, passphrase.as_bytes(), &mut key);
    Ok(key)
}

/// 3DES in CBC mode, without the padding.
fn triple_des(key: &[u8; 24], iv: [u8; 8], bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let cipher = TdesEde3::new(&Array::from(*key));
    let (blocks, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Error::Malformed("an encrypted part is cut off"));
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut before = iv;
    for block in blocks {
        let mut decrypted = Array::from(*block);
        cipher.decrypt_block(&mut decrypted);
        plain.extend(
            decrypted
                .iter()
                .zip(before)
                .map(|(byte, before)| byte ^ before),
        );
        before = *block;
    }
    let padding = plain.last().copied().map_or(0, usize::from);
    let length = plain.len().checked_sub(padding);
    let length = length.filter(|_| (1..=8).contains(&padding));
    let length = length.ok_or(Error::WrongPassphrase)?;
    if plain[length..]
        .iter()
        .any(|byte| usize::from(*byte) != padding)
    {
        return Err(Error::WrongPassphrase);
    }
    plain.truncate(length);
    Ok(plain)
}
