//! Whether what a CA has made, or somebody says that it has, is what was asked for.

use certs::Material;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest chain that is read, in bytes.
const LONGEST: usize = 64 * 1024;
/// The longest life of a certificate of a public CA, and a day.
const LONGEST_LIFE: Duration = Duration::from_hours(399 * 24);
/// By how much the CA's clock may be ahead of ours.
const AHEAD: Duration = Duration::from_hours(1);

/// The certificate of `chain` with its `key`, if it serves for `names` now. One of a public CA does not live for years: who
/// has captured the part that talks to the CA can make one himself, and it is to be replaced in time.
///
/// # Errors
/// Why it does not, in one sentence.
pub fn judge(
    chain: &str,
    key: &str,
    names: &[String],
    now: u64,
    is_public: bool,
) -> Result<Material, String> {
    if chain.len() > LONGEST {
        return Err(format!("its chain is longer than {LONGEST} bytes"));
    }
    let material = certs::load_pem(chain, key).map_err(|error| error.to_string())?;
    let validity = certs::validity(&material).map_err(|error| error.to_string())?;
    let life = validity.not_after.duration_since(validity.not_before);
    if is_public && life.is_ok_and(|life| life > LONGEST_LIFE) {
        let text = "it is valid for longer than 398 days, which no public CA makes; one of your own is named with `directory_ca`";
        return Err(text.to_owned());
    }
    let now = at(now);
    let begins_soon = validity.not_before > now && validity.not_before <= now + AHEAD;
    let at = if begins_soon {
        validity.not_before
    } else {
        now
    };
    let problems = certs::check(&material, names, at);
    match problems.iter().find(|problem| problem.is_fatal()) {
        Some(problem) => Err(problem.to_string()),
        None => Ok(material),
    }
}

/// The instant that many seconds after 1970.
pub fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.min(u64::from(u32::MAX) * 2))
}

/// Seconds since 1970.
pub fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
