//! What outlives a reload: forms that are open, logins that wait for a code, and what is known of those who guess.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use guard::entrance::Guesses;
use service::Context;

use crate::core::crowd::Crowd;
use crate::core::pending::Pending;
use crate::core::seal::{BYTES, Seal};
use crate::directory::oidc::Waiting;

/// All of it.
pub(crate) struct Lasting {
    pub(crate) seal: Seal,
    pub(crate) crowd: Crowd,
    pub(crate) context: Context,
    guesses: Mutex<Guesses>,
    pending: Mutex<Pending>,
    waiting: Mutex<Waiting>,
}

impl Lasting {
    /// Nobody has come yet.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn new(context: Context) -> Result<Self, getrandom::Error> {
        Ok(Self {
            seal: Seal::new(random()?),
            crowd: Crowd::default(),
            context,
            guesses: Mutex::default(),
            pending: Mutex::default(),
            waiting: Mutex::default(),
        })
    }

    pub(crate) fn guesses(&self) -> MutexGuard<'_, Guesses> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logins of browsers that are at their provider.
    pub(crate) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lasting(..)")
    }
}

/// A text that nobody guesses.
pub(crate) fn random_text() -> Result<String, getrandom::Error> {
    random::<BYTES>().map(|bytes| BASE64URL_NOPAD.encode(&bytes))
}

/// Bytes that nobody guesses.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map(|()| bytes)
}
