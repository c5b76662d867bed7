//! Passwords: what is taken for one, and how it is kept.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64_NOPAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use thiserror::Error;

/// The fewest characters of a password.
pub const SHORTEST_PASSWORD: usize = 10;
/// The most bytes of a password.
pub const LONGEST_PASSWORD: usize = 256;
/// How many random bytes go into a hash.
pub const SALT_BYTES: usize = 16;

/// Memory in KiB, passes, lanes: what OWASP recommends for argon2id on small machines (19 MiB, 2, 1).
const COST: Cost = Cost {
    memory: 19 * 1024,
    passes: 2,
    lanes: 1,
};
/// What a kept hash may cost at the most, so that a file can not make the box compute for hours.
const MOST: Cost = Cost {
    memory: 64 * 1024,
    passes: 8,
    lanes: 4,
};
const HASH_BYTES: usize = 32;
/// The fewest different characters of a password.
const DIFFERENT: usize = 5;

/// Passwords of ten characters and more that are tried first by everybody who guesses; in small letters.
const COMMON: &[&str] = &[
    "0123456789",
    "0987654321",
    "1029384756",
    "123123123123",
    "1234512345",
    "123456789",
    "1234567890",
    "12345678910",
    "123456789012",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6z",
    "1qaz2wsx3edc",
    "9876543210",
    "abcdefghij",
    "abcdefghijkl",
    "abc1234567",
    "adminadmin",
    "administrator",
    "administrator1",
    "admin12345",
    "admin123456",
    "asdfasdfasdf",
    "asdfghjkl1",
    "asdfghjklö",
    "asdfghjkl;",
    "changeme12",
    "changeme123",
    "defaultpassword",
    "fussball123",
    "gatehouse1",
    "gatehouse12",
    "gatehouse123",
    "geheimgeheim",
    "geheim1234",
    "hallo12345",
    "ichliebedich",
    "iloveyou12",
    "iloveyou123",
    "innovaphone",
    "innovaphone1",
    "letmein123",
    "letmein1234",
    "mypassword",
    "mypassword1",
    "p@ssw0rd123",
    "p@ssword123",
    "passw0rd123",
    "password01",
    "password10",
    "password11",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "passwordpassword",
    "passwort01",
    "passwort12",
    "passwort123",
    "passwort1234",
    "passwortpasswort",
    "q1w2e3r4t5",
    "q1w2e3r4t5y6",
    "q1w2e3r4t5z6",
    "qazwsxedc1",
    "qazwsxedcrfv",
    "qwer123456",
    "qwert12345",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyuiop",
    "qwertyuiop1",
    "qwertz1234",
    "qwertz12345",
    "qwertzuiop",
    "qwertzuiopü",
    "schalke04!",
    "secretsecret",
    "sommer2024",
    "sommer2025",
    "sommer2026",
    "sunshine12",
    "test123456",
    "testtest123",
    "trustno1trustno1",
    "welcome123",
    "welcome1234",
    "willkommen",
    "willkommen1",
    "willkommen123",
    "winter2024",
    "winter2025",
    "winter2026",
    "zaq12wsxcde3",
    "zxcvbnm123",
    "zxcvbnm1234",
];

/// Why a password is not taken; whoever chose it is to blame. The password is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasswordFault {
    /// Too short.
    #[error("the password is too short; {SHORTEST_PASSWORD} characters are the least")]
    Short,
    /// Too long.
    #[error("the password is too long; {LONGEST_PASSWORD} bytes are the most")]
    Long,
    /// It has characters that no keyboard gives.
    #[error("the password has control characters; use those that can be seen, and spaces")]
    Control,
    /// The same few characters over and over.
    #[error("the password has too few different characters; use {DIFFERENT} at the least")]
    Monotonous,
    /// The name of the user or of the box.
    #[error("the password is the name of the user or of the box, or little more; choose another")]
    Name,
    /// Everybody's.
    #[error("the password is among those that are tried first; choose another")]
    Common,
}

/// Whether `password` will do for a user called `user` of a box called `hostname`.
///
/// # Errors
/// What is wrong with it.
pub fn check_password(password: &str, user: &str, hostname: &str) -> Result<(), PasswordFault> {
    if password.len() > LONGEST_PASSWORD {
        return Err(PasswordFault::Long);
    }
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(PasswordFault::Short);
    }
    if password.chars().any(char::is_control) {
        return Err(PasswordFault::Control);
    }
    let small = password.to_lowercase();
    let mut characters: Vec<char> = small.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < DIFFERENT {
        return Err(PasswordFault::Monotonous);
    }
    let label = hostname.split('.').next().unwrap_or_default();
    if [user, hostname, label]
        .iter()
        .any(|name| is_name(&small, name))
    {
        return Err(PasswordFault::Name);
    }
    if COMMON.contains(&small.as_str()) {
        return Err(PasswordFault::Common);
    }
    Ok(())
}

/// Whether `password` is `name`, once or more, with nothing but digits and signs around it.
fn is_name(password: &str, name: &str) -> bool {
    let name = name.to_lowercase();
    if name.is_empty() || !password.contains(&name) {
        return false;
    }
    !password.replace(&name, "").chars().any(char::is_alphabetic)
}

/// An argon2id hash of a password in the PHC string format, such as `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash {
    cost: Cost,
    salt: Vec<u8>,
    hash: [u8; HASH_BYTES],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl PasswordHash {
    /// Hashes a password; takes a while, and 19 MiB.
    pub fn of(password: &str, salt: [u8; SALT_BYTES]) -> Self {
        Self::with_cost(password, salt, COST)
    }

    /// Whether `password` has this hash; takes as long as [`PasswordHash::of`], whatever the answer.
    pub fn matches(&self, password: &str) -> bool {
        let hash = digest(password, &self.salt, self.cost);
        self.hash.ct_eq(&hash).into()
    }

    /// A hash that no password has, for users that there are not: they shall cost as much as others.
    pub fn of_nobody() -> Self {
        Self {
            cost: COST,
            salt: vec![0; SALT_BYTES],
            hash: [0; HASH_BYTES],
        }
    }

    /// Whether it was made at another cost than today's.
    pub fn is_outdated(&self) -> bool {
        self.cost != COST
    }

    fn with_cost(password: &str, salt: [u8; SALT_BYTES], cost: Cost) -> Self {
        Self {
            cost,
            salt: salt.to_vec(),
            hash: digest(password, &salt, cost),
        }
    }

    /// A hash that costs next to nothing, for tests.
    #[cfg(test)]
    pub(crate) fn cheap(password: &str) -> Self {
        let cost = Cost {
            memory: 8,
            passes: 1,
            lanes: 1,
        };
        Self::with_cost(password, [7; SALT_BYTES], cost)
    }

    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$")?;
        let mut parts = rest.split('$');
        let (cost, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || salt.len() > 86 {
            return None;
        }
        let salt = BASE64_NOPAD.decode(salt.as_bytes()).ok()?;
        if salt.len() < 8 {
            return None;
        }
        let hash = BASE64_NOPAD.decode(hash.as_bytes()).ok()?;
        Some(Self {
            cost: Cost::read(cost)?,
            salt,
            hash: hash.try_into().ok()?,
        })
    }
}

impl Cost {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let mut next = |name: &str| parts.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let cost = Self {
            memory: next("m=")?,
            passes: next("t=")?,
            lanes: next("p=")?,
        };
        let fits = parts.next().is_none()
            && (1..=MOST.lanes).contains(&cost.lanes)
            && (1..=MOST.passes).contains(&cost.passes)
            && (8 * cost.lanes..=MOST.memory).contains(&cost.memory);
        fits.then_some(cost)
    }
}

fn digest(password: &str, salt: &[u8], cost: Cost) -> [u8; HASH_BYTES] {
    let Cost {
        memory,
        passes,
        lanes,
    } = cost;
    let params = Params::new(memory, passes, lanes, Some(HASH_BYTES))
        .expect("every cost was checked when it was read");
    let mut hash = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .expect("a salt of 8 bytes and more, and a password of less than 4 GB");
    hash
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        let Cost {
            memory,
            passes,
            lanes,
        } = hash.cost;
        format!(
            "$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}",
            BASE64_NOPAD.encode(&hash.salt),
            BASE64_NOPAD.encode(&hash.hash)
        )
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::read(&text)
            .ok_or("no argon2id hash in the PHC string format, or one at a cost that is not taken")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}
