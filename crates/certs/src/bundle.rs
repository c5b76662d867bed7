//! Keys with their certificates in one encrypted file (PKCS#12, RFC 7292), and keys encrypted in PEM (PKCS#8, RFC 5958).
//!
//! Read is what openssl and Windows write today (PBES2 with AES) and wrote for long (3DES); written is PBES2 with AES-256 alone.
//! Files of strangers cost what `Work` allows, and no more.

mod der;
mod encryption;
mod error;
mod kdf;

#[cfg(test)]
mod tests;

pub use error::Error;

use aws_lc_rs::rand;

use crate::Material;
use crate::material::{certificate_pem, load_pem};
use der::{Der, INTEGER, NULL, OCTETS, OID, SEQUENCE, SET, TEXT_BMP, explicit, number, tlv};
use kdf::{Mac, Work};

/// The longest file; one with sixteen certificates has a tenth of it.
const LONGEST: usize = 512 << 10;

/// The most bags of a file: every certificate, the key, and what else there may be.
const MOST_BAGS: usize = 64;

/// Rounds of every key that is derived for a file of ours: a guess at its passphrase costs a tenth of a second.
const ROUNDS: u32 = 200_000;

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
/// Below it are the kinds of bags: 1 a key, 2 an encrypted key, 3 a certificate.
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
const FRIENDLY_NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
const LOCAL_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// Reads a PKCS#12 file: its key and the chain that belongs to it, as [`load_pem`] puts it in order.
///
/// # Errors
/// Whoever provided the file or its passphrase is to blame: [`Error`] says what to do.
pub fn read(file: &[u8], passphrase: &str) -> Result<Material, Error> {
    if file.len() > LONGEST {
        return Err(Error::TooLong { most: LONGEST });
    }
    let mut work = Work::default();
    let mut whole = Der::new(file);
    let mut pfx = whole.sequence()?;
    whole.end()?;
    if pfx.number()? != 3 {
        return Err(Error::Malformed("its version is not 3"));
    }
    let (kind, mut content) = content_info(&mut pfx)?;
    if kind != DATA {
        // What is signed instead has no passphrase to check it by.
        return Err(Error::Unsupported("a signature instead of a passphrase"));
    }
    let safe = content.take(OCTETS)?;
    let mut mac = pfx
        .sequence()
        .map_err(|_| Error::Unsupported("no passphrase"))?;
    pfx.end()?;
    Mac::read(&mut mac)?.verify(safe, passphrase, &mut work)?;
    read_unproven(safe, passphrase, work)
}

/// Reads an `AuthenticatedSafe`, whoever made it.
fn read_unproven(safe: &[u8], passphrase: &str, mut work: Work) -> Result<Material, Error> {
    let mut found = Found::default();
    let mut contents = Der::new(safe);
    let mut all = contents.sequence()?;
    contents.end()?;
    while !all.is_empty() {
        let (kind, mut content) = content_info(&mut all)?;
        match kind {
            DATA => found.bags(content.take(OCTETS)?, passphrase, &mut work)?,
            ENCRYPTED_DATA => {
                let plain = encrypted_data(&mut content, passphrase, &mut work)?;
                found.bags(&plain, passphrase, &mut work)?;
            }
            _ => return Err(Error::Unsupported("another kind of content")),
        }
    }
    found.material()
}

/// Reads a chain and its key from PEM text, the key encrypted or not; otherwise as [`load_pem`].
///
/// # Errors
/// Whoever provided the files or the passphrase is to blame: [`Error`] says what to do.
pub fn read_pem(chain: &str, key: &str, passphrase: &str) -> Result<Material, Error> {
    if key.len() > LONGEST {
        return Err(Error::TooLong { most: LONGEST });
    }
    let sections = pem::parse_many(key).unwrap_or_default();
    let encrypted = sections
        .iter()
        .find(|section| section.tag() == "ENCRYPTED PRIVATE KEY");
    let Some(encrypted) = encrypted else {
        return Ok(load_pem(chain, key)?);
    };
    let mut whole = Der::new(encrypted.contents());
    let plain = encrypted_key(&mut whole, passphrase, &mut Work::default())?;
    whole.end()?;
    Ok(load_pem(chain, &key_pem(&plain))?)
}

/// The material as a PKCS#12 file under a passphrase, with a name that importing programs show.
///
/// # Errors
/// [`Error::NoPassphrase`]: keys never go out unencrypted. [`Error::Certificate`]: the material itself can not be read.
pub fn write(material: &Material, name: &str, passphrase: &str) -> Result<Vec<u8>, Error> {
    if passphrase.is_empty() {
        return Err(Error::NoPassphrase);
    }
    let key = pkcs8(&material.key_pem)?;
    // Programs know by it which of the certificates is that of the key.
    let mark = [1; 4];
    let attributes = attributes(name, &mark);
    let shrouded = encryption::encrypt(&key, passphrase, ROUNDS)?;
    let shrouded = tlv(
        SEQUENCE,
        &[&shrouded.algorithm, &tlv(OCTETS, &[&shrouded.bytes])],
    );
    let keys = tlv(SEQUENCE, &[&bag(2, &shrouded, &attributes)]);
    let certificates: Vec<_> = material
        .chain()?
        .iter()
        .enumerate()
        .map(|(index, der)| {
            let octets = tlv(OCTETS, &[der]);
            let certificate = tlv(SEQUENCE, &[&tlv(OID, &[X509]), &explicit(0, &octets)]);
            let attributes: &[u8] = if index == 0 { &attributes } else { &[] };
            bag(3, &certificate, attributes)
        })
        .collect();
    let certificates = tlv(SEQUENCE, &[&certificates.concat()]);
    let sealed = encryption::encrypt(&certificates, passphrase, ROUNDS)?;
    let content = tlv(
        SEQUENCE,
        &[
            &tlv(OID, &[DATA]),
            &sealed.algorithm,
            &tlv(0x80, &[&sealed.bytes]),
        ],
    );
    let sealed = tlv(SEQUENCE, &[&number(0), &content]);
    let safe = tlv(
        SEQUENCE,
        &[
            &info(ENCRYPTED_DATA, &sealed),
            &info(DATA, &tlv(OCTETS, &[&keys])),
        ],
    );
    let mac = Mac::make(&safe, passphrase, ROUNDS, random()?)?;
    Ok(tlv(
        SEQUENCE,
        &[&number(3), &info(DATA, &tlv(OCTETS, &[&safe])), &mac],
    ))
}

/// The inside of a file as if its passphrase were proven: for fuzzing, which never makes a proof.
#[doc(hidden)]
pub fn read_inside(safe: &[u8]) -> Result<Material, Error> {
    read_unproven(safe, "", Work::of(1000))
}

/// What the bags of a file hold.
#[derive(Default)]
struct Found {
    bags: usize,
    keys: Vec<Vec<u8>>,
    chain_pem: String,
}

impl Found {
    /// Reads a `SafeContents`.
    fn bags(&mut self, bytes: &[u8], passphrase: &str, work: &mut Work) -> Result<(), Error> {
        let mut whole = Der::new(bytes);
        let mut bags = whole.sequence()?;
        whole.end()?;
        while !bags.is_empty() {
            self.bags += 1;
            if self.bags > MOST_BAGS {
                return Err(Error::Malformed("it holds more than any chain needs"));
            }
            let mut bag = bags.sequence()?;
            let kind = bag.take(OID)?.strip_prefix(BAG);
            let mut value = Der::new(bag.take(0xa0)?);
            match kind {
                Some([1]) => self.keys.push(value.raw(SEQUENCE)?.to_vec()),
                Some([2]) => self.keys.push(encrypted_key(&mut value, passphrase, work)?),
                Some([3]) => self.certificate(&mut value)?,
                // Revocation lists and secrets of other programs.
                _ => {}
            }
        }
        Ok(())
    }

    fn certificate(&mut self, value: &mut Der<'_>) -> Result<(), Error> {
        let mut certificate = value.sequence()?;
        if certificate.take(OID)? == X509 {
            let der = Der::new(certificate.take(0xa0)?).take(OCTETS)?;
            self.chain_pem.push_str(&certificate_pem(der));
        }
        Ok(())
    }

    fn material(self) -> Result<Material, Error> {
        match self.keys.as_slice() {
            [] => Err(Error::NoKey),
            [key] => Ok(load_pem(&self.chain_pem, &key_pem(key))?),
            _ => Err(Error::SeveralKeys),
        }
    }
}

/// Reads a `ContentInfo`: its kind and its content.
fn content_info<'a>(from: &mut Der<'a>) -> Result<(&'a [u8], Der<'a>), Error> {
    let mut info = from.sequence()?;
    let kind = info.take(OID)?;
    let content = Der::new(info.take(0xa0)?);
    info.end()?;
    Ok((kind, content))
}

fn encrypted_data(
    content: &mut Der<'_>,
    passphrase: &str,
    work: &mut Work,
) -> Result<Vec<u8>, Error> {
    let mut data = content.sequence()?;
    data.number()?;
    let mut inner = data.sequence()?;
    inner.take(OID)?;
    let algorithm = inner.sequence()?;
    encryption::decrypt(algorithm, inner.take(0x80)?, passphrase, work)
}

/// Reads an `EncryptedPrivateKeyInfo` (RFC 5958 section 3).
fn encrypted_key(from: &mut Der<'_>, passphrase: &str, work: &mut Work) -> Result<Vec<u8>, Error> {
    let mut key = from.sequence()?;
    let algorithm = key.sequence()?;
    let bytes = key.take(OCTETS)?;
    encryption::decrypt(algorithm, bytes, passphrase, work)
}

fn key_pem(pkcs8: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("PRIVATE KEY", pkcs8), config)
}

/// The key as PKCS#8, whatever it is kept as.
fn pkcs8(key: &str) -> Result<Vec<u8>, Error> {
    let section = pem::parse(key).map_err(|error| crate::Error::BadKey(error.to_string()))?;
    let der = section.contents();
    let wrapped = |algorithm: &[&[u8]]| {
        let algorithm = tlv(SEQUENCE, algorithm);
        tlv(SEQUENCE, &[&number(0), &algorithm, &tlv(OCTETS, &[der])])
    };
    match section.tag() {
        "RSA PRIVATE KEY" => Ok(wrapped(&[&tlv(OID, &[RSA]), &tlv(NULL, &[])])),
        "EC PRIVATE KEY" => {
            // RFC 5915: version, key, the curve, the public key.
            let mut key = Der::new(der).sequence()?;
            key.take(INTEGER)?;
            key.take(OCTETS)?;
            let curve = Der::new(key.take(0xa0)?).take(OID)?;
            Ok(wrapped(&[&tlv(OID, &[EC]), &tlv(OID, &[curve])]))
        }
        _ => Ok(der.to_vec()),
    }
}

fn info(kind: &[u8], content: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[&tlv(OID, &[kind]), &explicit(0, content)])
}

fn bag(kind: u8, value: &[u8], attributes: &[u8]) -> Vec<u8> {
    let kind = tlv(OID, &[BAG, &[kind]]);
    tlv(SEQUENCE, &[&kind, &explicit(0, value), attributes])
}

/// `friendlyName` and `localKeyId` (RFC 2985 section 5.5).
fn attributes(name: &str, mark: &[u8]) -> Vec<u8> {
    let utf16: Vec<_> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let one = |kind: &[u8], value: &[u8]| tlv(SEQUENCE, &[&tlv(OID, &[kind]), &tlv(SET, &[value])]);
    // The shorter one goes first (X.690 section 11.6).
    let mut all = [
        one(LOCAL_KEY, &tlv(OCTETS, &[mark])),
        one(FRIENDLY_NAME, &tlv(TEXT_BMP, &[&utf16])),
    ];
    all.sort();
    tlv(SET, &[&all.concat()])
}

fn random() -> Result<[u8; 16], Error> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
    Ok(bytes)
}
