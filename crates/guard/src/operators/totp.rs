//! Codes of an authenticator app (RFC 6238), and the recovery codes for whoever loses it.

use std::fmt::{self, Write as _};

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::code::{CODE_BYTES, Code};

/// How many random bytes a secret is made of (RFC 4226 section 4: 160 bits are recommended).
pub const TOTP_BYTES: usize = 20;
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;

/// Seconds of one step.
const STEP: u64 = 30;
/// Six digits.
const MODULUS: u32 = 1_000_000;
/// Steps that a clock may be off, either way.
const WINDOW: u64 = 1;

/// The secret that an authenticator app shares with the box; has no debug form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TotpSecret([u8; TOTP_BYTES]);

impl TotpSecret {
    /// The secret that these random bytes are.
    pub fn new(random: [u8; TOTP_BYTES]) -> Self {
        Self(random)
    }

    /// As it is typed into an app: base32 without padding (RFC 4648 section 6).
    pub fn text(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// As an app reads it from a QR code.
    pub fn uri(&self, hostname: &str, user: &str) -> String {
        let issuer = escaped(&format!("Gatehouse {hostname}"));
        format!(
            "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            escaped(user),
            self.text()
        )
    }

    /// The step of the code `typed`, which must be later than `used`; `unix` is the time in seconds.
    pub fn step_of(&self, typed: &str, unix: u64, used: u64) -> Option<u64> {
        let typed = typed.get(..16.min(typed.len()))?.replace(' ', "");
        if typed.len() != 6 || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let typed: u32 = typed.parse().ok()?;
        let now = unix / STEP;
        let mut found = None;
        for step in now.saturating_sub(WINDOW)..=now + WINDOW {
            let same: bool = self.code(step).ct_eq(&typed).into();
            if same && step > used {
                found = Some(step);
            }
        }
        found
    }

    /// The code of a step (RFC 4226 section 5.3).
    fn code(&self, step: u64) -> u32 {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let digest: [u8; 20] = mac.finalize().into_bytes().into();
        let offset = usize::from(digest[19] & 0x0f);
        let four = digest[offset..]
            .first_chunk()
            .expect("the offset is 15 at the most, of 20 bytes");
        (u32::from_be_bytes(*four) & 0x7fff_ffff) % MODULUS
    }

    /// What an app shows at a time in Unix seconds.
    pub fn code_at(&self, unix: u64) -> String {
        format!("{:06}", self.code(unix / STEP))
    }
}

/// What a user has of TOTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    secret: TotpSecret,
    /// The step of the last code that was taken: none up to it is taken again.
    used: u64,
    /// The recovery codes that were not used yet.
    recovery: Vec<RecoveryHash>,
}

impl Totp {
    /// TOTP that begins: `step` is that of the code by which the user showed that the app has the secret. The recovery codes
    /// are shown once, and kept as hashes.
    pub fn begin(
        secret: TotpSecret,
        step: u64,
        random: [[u8; CODE_BYTES]; RECOVERY_CODES],
    ) -> (Self, Vec<Code>) {
        let codes: Vec<Code> = random.into_iter().map(Code::new).collect();
        let recovery = codes.iter().map(RecoveryHash::of).collect();
        let totp = Self {
            secret,
            used: step,
            recovery,
        };
        (totp, codes)
    }

    /// Takes a code of the app, or a recovery code, which are used up by that; false: it is none.
    pub fn take(&mut self, typed: &str, unix: u64) -> bool {
        if let Some(step) = self.secret.step_of(typed, unix, self.used) {
            self.used = step;
            return true;
        }
        let Some(hash) = Code::typed(typed).map(|code| RecoveryHash::of(&code)) else {
            return false;
        };
        let mut place = None;
        for (index, kept) in self.recovery.iter().enumerate() {
            if kept.0.ct_eq(&hash.0).into() {
                place = Some(index);
            }
        }
        place.map(|index| self.recovery.remove(index)).is_some()
    }

    /// How many recovery codes are left.
    pub fn recovery_codes_left(&self) -> usize {
        self.recovery.len()
    }

    /// Whether what was read from a file can be.
    pub(super) fn is_sound(&self) -> bool {
        self.recovery.len() <= RECOVERY_CODES
    }
}

/// The hash of a recovery code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecoveryHash([u8; 32]);

impl RecoveryHash {
    fn of(code: &Code) -> Self {
        Self(code.hash("gatehouse recovery code"))
    }
}

/// Everything but letters and digits as `%XX`: an app may take anything else for the end of a part.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                escaped.push(char::from(byte));
            }
            other => write!(escaped, "%{other:02X}").expect("a string takes everything"),
        }
    }
    escaped
}

impl From<TotpSecret> for String {
    fn from(secret: TotpSecret) -> Self {
        secret.text()
    }
}

impl TryFrom<String> for TotpSecret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let bytes = BASE32_NOPAD.decode(text.as_bytes());
        let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or("no secret of TOTP: 32 characters of base32")
    }
}

impl From<RecoveryHash> for String {
    fn from(hash: RecoveryHash) -> Self {
        HEXLOWER.encode(&hash.0)
    }
}

impl TryFrom<String> for RecoveryHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let bytes = HEXLOWER.decode(text.as_bytes());
        let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or("no hash of a recovery code: 64 hexadecimal digits")
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

impl fmt::Debug for RecoveryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryHash(..)")
    }
}
