//! What an operator has of TOTP: the secret of his authenticator app, and recovery codes for whoever loses it.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::code::{CODE_BYTES, Code};
use crate::totp::TotpSecret;

/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;

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

impl fmt::Debug for RecoveryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryHash(..)")
    }
}
