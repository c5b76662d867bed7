//! Hashes that other web servers have made: they are looked at, and made anew as soon as their password is at hand.

use std::fmt;

use data_encoding::{BASE64, Encoding, Specification};
use md5::Md5;
use sha1::Sha1;
use sha2::Digest as _;
use subtle::ConstantTimeEq as _;

/// The most that a bcrypt hash may cost, as a power of two: a quarter of a second and more.
const BCRYPT_COST: u32 = 12;
/// The bytes of a password that bcrypt looks at, the zero at its end counted in.
const BCRYPT_BYTES: usize = 72;
/// The most bytes of a salt of `$apr1$`.
const APR1_SALT: usize = 8;
/// How often `$apr1$` hashes.
const APR1_ROUNDS: usize = 1000;
/// The digits of `$apr1$` and of crypt(3), the least first.
const APR1_DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A hash as `htpasswd` of Apache writes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Legacy(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    /// `$2a$`, `$2b$`, `$2y$`, which differ in faults of programs long gone only.
    Bcrypt {
        letter: char,
        cost: u32,
        salt: [u8; 16],
        hash: [u8; 23],
    },
    /// `$apr1$`: a thousand times MD5.
    Apr1 { salt: Box<str>, digits: [u8; 22] },
    /// `{SHA}`: SHA-1, without salt.
    Sha1([u8; 20]),
}

impl Legacy {
    /// The hash that `text` is.
    ///
    /// # Errors
    /// What it is instead, for whoever keeps the file; nothing of the text is repeated.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let kind = if let Some(rest) = text.strip_prefix("$2") {
            read_bcrypt(rest)?
        } else if let Some(rest) = text.strip_prefix("$apr1$") {
            read_apr1(rest).ok_or("a damaged $apr1$ hash")?
        } else if let Some(rest) = text.strip_prefix("{SHA}") {
            let bytes = BASE64.decode(rest.as_bytes()).ok();
            let hash = bytes.and_then(|bytes| bytes.try_into().ok());
            Kind::Sha1(hash.ok_or("a damaged {SHA} hash")?)
        } else if text.starts_with('$') {
            return Err(
                "a hash of a kind that is not taken; make one with `htpasswd -B`, which is bcrypt",
            );
        } else {
            return Err(
                "a password in plain text or a hash of crypt(3), which everybody can find out; make one with `htpasswd -B`, which is \
                 bcrypt",
            );
        };
        Ok(Self(kind))
    }

    /// Whether `password` has this hash.
    pub fn matches(&self, password: &str) -> bool {
        match &self.0 {
            Kind::Bcrypt {
                cost, salt, hash, ..
            } => {
                let found = bcrypt_of(password.as_bytes(), *cost, *salt);
                found[..hash.len()].ct_eq(hash).into()
            }
            Kind::Apr1 { salt, digits } => apr1(password.as_bytes(), salt.as_bytes())
                .ct_eq(digits)
                .into(),
            Kind::Sha1(hash) => Sha1::digest(password).ct_eq(hash).into(),
        }
    }
}

impl fmt::Display for Legacy {
    /// As it was read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Bcrypt {
                letter,
                cost,
                salt,
                hash,
            } => {
                let base64 = bcrypt_base64();
                let (salt, hash) = (base64.encode(salt), base64.encode(hash));
                write!(f, "$2{letter}${cost:02}${salt}{hash}")
            }
            Kind::Apr1 { salt, digits } => {
                write!(f, "$apr1${salt}$")?;
                digits
                    .iter()
                    .try_for_each(|&digit| write!(f, "{}", char::from(digit)))
            }
            Kind::Sha1(hash) => write!(f, "{{SHA}}{}", BASE64.encode(hash)),
        }
    }
}

fn read_bcrypt(rest: &str) -> Result<Kind, &'static str> {
    const DAMAGED: &str = "a damaged bcrypt hash";
    let mut parts = rest.split('$');
    let (letter, cost, text) = (parts.next(), parts.next(), parts.next());
    let letter = match letter {
        Some("a") => 'a',
        Some("b") => 'b',
        Some("y") => 'y',
        _ => return Err("a bcrypt hash of a kind that is not taken; $2y$, $2a$ and $2b$ are"),
    };
    let (Some(cost), Some(text), None) = (cost, text, parts.next()) else {
        return Err(DAMAGED);
    };
    let is_number = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
    let cost: u32 = cost.parse().ok().filter(|_| is_number).ok_or(DAMAGED)?;
    if cost > BCRYPT_COST {
        return Err("a bcrypt hash at a cost above 12, which would keep the box busy for long");
    }
    if cost < 4 || text.len() != 53 || !text.is_ascii() {
        return Err(DAMAGED);
    }
    let (salt, hash) = text.split_at(22);
    let bytes = |text: &str| bcrypt_base64().decode(text.as_bytes()).ok();
    let salt = bytes(salt).and_then(|salt| salt.try_into().ok());
    let hash = bytes(hash).and_then(|hash| hash.try_into().ok());
    Ok(Kind::Bcrypt {
        letter,
        cost,
        salt: salt.ok_or(DAMAGED)?,
        hash: hash.ok_or(DAMAGED)?,
    })
}

/// The digits of bcrypt. Some programs leave bits in the last one that mean nothing.
fn bcrypt_base64() -> Encoding {
    let mut digits = Specification::new();
    digits
        .symbols
        .push_str("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    digits.check_trailing_bits = false;
    digits.encoding().expect("64 different digits")
}

fn bcrypt_of(password: &[u8], cost: u32, salt: [u8; 16]) -> [u8; 24] {
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(BCRYPT_BYTES));
    bytes.extend(password.iter().take(BCRYPT_BYTES - 1));
    if password.len() < BCRYPT_BYTES {
        bytes.push(0);
    } else {
        bytes.push(password[BCRYPT_BYTES - 1]);
    }
    bcrypt::bcrypt(cost, salt, &bytes)
}

fn read_apr1(rest: &str) -> Option<Kind> {
    let (salt, digits) = rest.split_once('$')?;
    let is_digit = |byte: u8| APR1_DIGITS.contains(&byte);
    let fits = salt.len() <= APR1_SALT && salt.bytes().all(|byte| byte.is_ascii_graphic());
    let digits: [u8; 22] = digits.as_bytes().try_into().ok()?;
    (fits && digits.iter().copied().all(is_digit)).then(|| Kind::Apr1 {
        salt: salt.into(),
        digits,
    })
}

/// The digits of `$apr1$`, as Apache's `apr_md5_encode` makes them.
fn apr1(password: &[u8], salt: &[u8]) -> [u8; 22] {
    let inner = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut outer = Md5::new()
        .chain_update(password)
        .chain_update(b"$apr1$")
        .chain_update(salt);
    let mut left = password.len();
    while left > 0 {
        let some = left.min(inner.len());
        outer.update(&inner[..some]);
        left -= some;
    }
    let mut bits = password.len();
    while bits > 0 {
        let byte = if bits & 1 == 1 {
            0
        } else {
            // There is a bit left, so there is a byte.
            password[0]
        };
        outer.update([byte]);
        bits >>= 1;
    }
    let mut hash: [u8; 16] = outer.finalize().into();
    for round in 0..APR1_ROUNDS {
        let mut next = Md5::new();
        let (first, last): (&[u8], &[u8]) = if round & 1 == 1 {
            (password, &hash)
        } else {
            (&hash, password)
        };
        next.update(first);
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(last);
        hash = next.finalize().into();
    }
    apr1_digits(&hash)
}

fn apr1_digits(hash: &[u8; 16]) -> [u8; 22] {
    const GROUPS: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let mut digits = [b'.'; 22];
    let mut write = |at: usize, count: usize, mut value: u32| {
        for digit in &mut digits[at..at + count] {
            *digit = APR1_DIGITS[(value & 0x3f) as usize];
            value >>= 6;
        }
    };
    for (group, [high, middle, low]) in GROUPS.into_iter().enumerate() {
        let value = u32::from_be_bytes([0, hash[high], hash[middle], hash[low]]);
        write(group * 4, 4, value);
    }
    write(20, 2, u32::from(hash[11]));
    digits
}
