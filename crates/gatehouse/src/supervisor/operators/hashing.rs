//! Passwords are hashed on a thread of their own, one at a time: each takes some 20 MB, and the supervisor has one thread.

use crate::supervisor::operators::random;
use control::Refusal;
use guard::operators::{PasswordHash, SALT_BYTES, UserName, check_password};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many may wait for the one whose turn it is.
const WAITING: usize = 8;

/// The queue before the thread. Clones are the same.
#[derive(Clone)]
pub struct Hashing {
    places: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

impl Hashing {
    /// An empty queue.
    pub fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(WAITING + 1)),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// The hash of a new password for `name`, of a box called `hostname`.
    ///
    /// # Errors
    /// It will not do, or too many wait already.
    pub async fn new_password(
        &self,
        name: &UserName,
        password: String,
        hostname: &str,
    ) -> Result<PasswordHash, Refusal> {
        let checked = check_password(&password, name.as_str(), hostname);
        checked.map_err(|fault| Refusal::invalid(fault.to_string()))?;
        let salt = random::<SALT_BYTES>()?;
        self.run(move || PasswordHash::of(&password, salt)).await
    }

    /// Does `work` once it is its turn; it goes on to its end, also where nobody waits for it any more.
    ///
    /// # Errors
    /// Too many wait already.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(Refusal::unavailable(
                "too many people sign in at this moment; try again",
            ));
        };
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            done
        });
        done.await
            .map_err(|error| Refusal::failed(format!("the password was not looked at: {error}")))
    }
}
