//! Passwords are hashed on a thread of their own, one at a time: each takes some 20 MB, and the supervisor has one thread.

use control::Refusal;
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
