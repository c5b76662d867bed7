//! Whose something is.

use aws_lc_rs::digest;

/// A user, or the name in a name with a time: what quotas are counted for, and to whom an allocation belongs. It tells nobody the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account(u64);

impl Account {
    pub(super) fn of(name: &[u8]) -> Self {
        let hash = digest::digest(&digest::SHA256, name);
        let first = hash.as_ref().first_chunk::<8>();
        Self(first.map_or(0, |first| u64::from_be_bytes(*first)))
    }
}
