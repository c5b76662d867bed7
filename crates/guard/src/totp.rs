//! Codes of an authenticator app (RFC 6238): six digits, SHA-1, steps of 30 seconds.

use std::fmt::{self, Write as _};

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// How many random bytes a secret is made of (RFC 4226 section 4: 160 bits are recommended).
pub const TOTP_BYTES: usize = 20;
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

    /// As it is read by people: the same, in groups of four.
    pub fn groups(&self) -> String {
        let text = self.text();
        let groups = text.as_bytes().chunks(4);
        let groups = groups.map(|group| str::from_utf8(group).expect("base32 is ASCII"));
        groups.collect::<Vec<_>>().join(" ")
    }

    /// As an app reads it from a QR code; it shows `issuer` and `user`.
    pub fn uri(&self, issuer: &str, user: &str) -> String {
        let issuer = escaped(issuer);
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

    /// The last step of which a code can be taken at `unix`, the time in seconds.
    pub fn last_step(unix: u64) -> u64 {
        unix / STEP + WINDOW
    }

    /// When a step begins, in Unix seconds.
    pub fn begin_of(step: u64) -> u64 {
        step.saturating_mul(STEP)
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

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_an_app_are_those_of_the_rfc() {
        let secret = TotpSecret::new(*b"12345678901234567890");
        for (unix, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code_at(unix), code);
            assert_eq!(secret.step_of(code, unix, 0), Some(unix / 30));
        }
        assert_eq!(secret.text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(secret.groups(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let uri = secret.uri("Gatehouse gate hq", "anna@hq.example");
        assert!(
            uri.starts_with("otpauth://totp/Gatehouse%20gate%20hq:anna%40hq.example?secret=GEZD"),
            "{uri}"
        );
        assert_eq!(format!("{secret:?}"), "TotpSecret(..)");
    }
}
