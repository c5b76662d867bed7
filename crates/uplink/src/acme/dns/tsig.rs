//! Signed DNS messages (RFC 8945), with HMAC-SHA256.

use super::message::{ADDITIONAL, ANY, Broken, Reply, TSIG, name, put, put_name, word};
use aws_lc_rs::hmac;

const ALGORITHM: &str = "hmac-sha256";
/// By how much the clocks may differ, in seconds (RFC 8945 section 10).
const FUDGE: u16 = 300;

/// A key that we share with a name server.
pub(super) struct Key {
    name: String,
    secret: hmac::Key,
}

/// A signed message on its way.
pub(super) struct Signed {
    pub(super) message: Vec<u8>,
    mac: hmac::Tag,
}

/// Why an answer is not believed, or the name server did not believe us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Distrust {
    #[error("{0}")]
    Broken(#[from] Broken),
    #[error("its answer is not signed by the key")]
    Unsigned,
    #[error("the signature of its answer is wrong")]
    Forged,
    #[error("it takes the signature for wrong; is the secret of the key the same on both sides?")]
    WrongSecret,
    #[error(
        "it does not know the key; is its name the same on both sides, and its algorithm hmac-sha256?"
    )]
    UnknownKey,
    #[error("its clock differs by more than five minutes from ours")]
    Clock,
}

impl Key {
    /// The key of that name.
    ///
    /// # Errors
    /// The name is none.
    pub(super) fn new(name: &str, secret: &[u8]) -> Result<Self, Broken> {
        put_name(&mut Vec::new(), name)?;
        let name = name.strip_suffix('.').unwrap_or(name);
        Ok(Self {
            name: name.to_ascii_lowercase(),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret),
        })
    }

    /// Signs a message at the time `now`, in seconds since 1970 (RFC 8945 section 5.1).
    ///
    /// # Errors
    /// It is none.
    pub(super) fn sign(&self, mut message: Vec<u8>, now: u64) -> Result<Signed, Broken> {
        let stamp = Stamp {
            time: now,
            fudge: FUDGE,
            error: 0,
            other: &[],
        };
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(&message);
        context.update(&self.variables(&stamp)?);
        let mac = context.sign();
        let id = word(&message, 0)?;
        put_name(&mut message, &self.name)?;
        put(&mut message, &[TSIG, ANY, 0, 0]);
        let mut data = Vec::new();
        put_name(&mut data, ALGORITHM)?;
        data.extend_from_slice(&now.to_be_bytes()[2..]);
        put(&mut data, &[FUDGE, length(mac.as_ref())?]);
        data.extend_from_slice(mac.as_ref());
        put(&mut data, &[id, 0, 0]);
        put(&mut message, &[length(&data)?]);
        message.extend_from_slice(&data);
        let count = word(&message, ADDITIONAL)? + 1;
        message[ADDITIONAL..ADDITIONAL + 2].copy_from_slice(&count.to_be_bytes());
        Ok(Signed { message, mac })
    }

    /// Looks whether `message`, read as `reply`, is the name server's answer to `asked` (RFC 8945 section 5.3).
    ///
    /// # Errors
    /// It is not, or it says that our signature is not believed.
    pub(super) fn verify(
        &self,
        message: &[u8],
        reply: &Reply,
        asked: &Signed,
        now: u64,
    ) -> Result<(), Distrust> {
        let record = reply.signature.as_ref().ok_or(Distrust::Unsigned)?;
        let data = &message[record.data.clone()];
        let (algorithm, mut at) = name(message, record.data.start)?;
        at -= record.data.start;
        let time = data.get(at..at + 6).ok_or(Broken::Message)?;
        let time = time.iter().fold(0, |all, &byte| all << 8 | u64::from(byte));
        let fudge = word(data, at + 6)?;
        let size = usize::from(word(data, at + 8)?);
        let mac = data.get(at + 10..at + 10 + size).ok_or(Broken::Message)?;
        at += 10 + size;
        let (id, error) = (word(data, at)?, word(data, at + 2)?);
        let other = usize::from(word(data, at + 4)?);
        let other = data.get(at + 6..at + 6 + other).ok_or(Broken::Message)?;
        // RFC 8945 section 5.2: these answers can not be signed.
        match error {
            16 => return Err(Distrust::WrongSecret),
            17 => return Err(Distrust::UnknownKey),
            _ => {}
        }
        if record.name != self.name || algorithm != ALGORITHM {
            return Err(Distrust::Forged);
        }
        let stamp = Stamp {
            time,
            fudge,
            error,
            other,
        };
        // What was signed: our signature, the message as it was before it was signed, the stamp.
        let mut plain = message[..record.begin].to_vec();
        plain[..2].copy_from_slice(&id.to_be_bytes());
        let count = word(message, ADDITIONAL)?.saturating_sub(1);
        plain[ADDITIONAL..ADDITIONAL + 2].copy_from_slice(&count.to_be_bytes());
        let mut signed = Vec::new();
        put(&mut signed, &[length(asked.mac.as_ref())?]);
        signed.extend_from_slice(asked.mac.as_ref());
        signed.extend_from_slice(&plain);
        signed.extend_from_slice(&self.variables(&stamp)?);
        hmac::verify(&self.secret, &signed, mac).map_err(|_| Distrust::Forged)?;
        if error == 18 || time.abs_diff(now) > u64::from(fudge) {
            return Err(Distrust::Clock);
        }
        Ok(())
    }

    /// RFC 8945 section 4.3.3.
    fn variables(&self, stamp: &Stamp<'_>) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        put_name(&mut out, &self.name)?;
        put(&mut out, &[ANY, 0, 0]);
        put_name(&mut out, ALGORITHM)?;
        out.extend_from_slice(&stamp.time.to_be_bytes()[2..]);
        put(&mut out, &[stamp.fudge, stamp.error, length(stamp.other)?]);
        out.extend_from_slice(stamp.other);
        Ok(out)
    }
}

struct Stamp<'a> {
    time: u64,
    fudge: u16,
    error: u16,
    other: &'a [u8],
}

fn length(bytes: &[u8]) -> Result<u16, Broken> {
    u16::try_from(bytes.len()).map_err(|_| Broken::Message)
}

#[cfg(test)]
mod tests {
    use super::super::message::{SOA, question, reply};
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn key(secret: &[u8]) -> Key {
        Key::new("Box.example.", secret).unwrap()
    }

    /// What a name server that has `key` answers to `asked`.
    fn answered(key: &Key, asked: &Signed, time: u64) -> Vec<u8> {
        let mut message = question(9, "example", SOA).unwrap();
        message[2] |= 0x84;
        let stamp = Stamp {
            time,
            fudge: FUDGE,
            error: 0,
            other: &[],
        };
        let mut context = hmac::Context::with_key(&key.secret);
        context.update(&[0, 32]);
        context.update(asked.mac.as_ref());
        context.update(&message);
        context.update(&key.variables(&stamp).unwrap());
        let mac = context.sign();
        // The place of the signature is the same, only its content differs.
        let mut signed = key.sign(message, time).unwrap().message;
        let end = signed.len() - 6;
        signed[end - 32..end].copy_from_slice(mac.as_ref());
        signed
    }

    #[test]
    fn only_the_answer_of_who_holds_the_key_is_believed() {
        let ours = key(b"secret");
        let asked = ours
            .sign(question(9, "example", SOA).unwrap(), NOW)
            .unwrap();
        let verify = |message: &[u8]| ours.verify(message, &reply(message).unwrap(), &asked, NOW);
        let good = answered(&ours, &asked, NOW + 100);
        assert_eq!(verify(&good), Ok(()));
        let other = answered(&key(b"another"), &asked, NOW);
        assert_eq!(verify(&other), Err(Distrust::Forged));
        let late = answered(&ours, &asked, NOW - 301);
        assert_eq!(verify(&late), Err(Distrust::Clock));
        // Another question's answer.
        let elsewhere = ours
            .sign(question(8, "example", SOA).unwrap(), NOW)
            .unwrap();
        let replayed = answered(&ours, &elsewhere, NOW);
        assert_eq!(verify(&replayed), Err(Distrust::Forged));
        let mut unsigned = question(9, "example", SOA).unwrap();
        unsigned[2] |= 0x80;
        assert_eq!(verify(&unsigned), Err(Distrust::Unsigned));
        for at in 0..good.len() {
            let mut bent = good.clone();
            bent[at] ^= 1;
            if let Ok(read) = reply(&bent) {
                // The number of the message stands in the signature, too; class and lifetime of that can not differ.
                let verified = ours.verify(&bent, &read, &asked, NOW);
                assert!(matches!(at, 0..2 | 40..46) || verified.is_err(), "{at}");
            }
        }
    }

    #[test]
    fn what_the_name_server_does_not_believe_is_told() {
        let ours = key(b"secret");
        let asked = ours
            .sign(question(9, "example", SOA).unwrap(), NOW)
            .unwrap();
        for (error, expected) in [(16, Distrust::WrongSecret), (17, Distrust::UnknownKey)] {
            let mut message = answered(&ours, &asked, NOW);
            let at = message.len() - 3;
            message[at] = error;
            let verified = ours.verify(&message, &reply(&message).unwrap(), &asked, NOW);
            assert_eq!(verified, Err(expected));
        }
    }
}
