//! Passwords of visitors are looked at off the workers: each look takes a hundredth of a second of a core and 19 MiB.
//!
//! One thread does it, which gives way to everything else that wants to run, so that a flood of passwords delays nobody but those
//! who sign in. What came of a look is remembered for all workers; what is asked twice meanwhile is looked at once.

use guard::ClientKey;
use guard::entrance::{PROOF_KEY_BYTES, Proof, ProofKey, Remembered, Typed, VisitorHash};
use guard::operators::UserName;
use service::RollWatch;
use service::metrics::Counter;
use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// How many looks may wait for their turn.
const WAITING: usize = 32;
/// How many of them for one client.
const WAITING_OF_CLIENT: usize = 4;
/// How many requests may wait for one look.
const WAITING_FOR_ONE: usize = 256;

/// Where passwords are looked at, for all workers.
pub(crate) struct Logins {
    key: ProofKey,
    desk: Arc<Desk>,
    jobs: mpsc::Sender<Job>,
}

/// What is to be looked at.
pub(crate) struct Check {
    pub(crate) proof: Proof,
    /// The user; `None` where the name can be that of none.
    pub(crate) user: Option<UserName>,
    pub(crate) password: Typed,
    /// What the password is compared with; `None`: there is no such user.
    pub(crate) hash: Option<VisitorHash>,
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    Right,
    Wrong,
    /// It was not looked at: too many wait.
    Busy,
}

struct Job {
    check: Check,
    client: ClientKey,
}

#[derive(Default)]
struct Desk {
    remembered: Mutex<Remembered>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Who waits for which look.
    waiting: HashMap<Proof, Vec<oneshot::Sender<bool>>>,
    of_clients: HashMap<ClientKey, usize>,
}

impl Logins {
    /// Starts the thread, which ends with the last of `self`. `random` is the key of what is remembered.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn new(
        random: [u8; PROOF_KEY_BYTES],
        roll: RollWatch,
        looks: Counter,
    ) -> std::io::Result<Self> {
        let desk = Arc::<Desk>::default();
        let (jobs, queue) = mpsc::channel(WAITING);
        let theirs = Arc::clone(&desk);
        let thread = std::thread::Builder::new().name("passwords".into());
        thread.spawn(move || look_at_all(queue, &theirs, &roll, &looks))?;
        Ok(Self {
            key: ProofKey::new(random),
            desk,
            jobs,
        })
    }

    /// The keyed hash of a user and a password, by which a look is remembered.
    pub(crate) fn proof(&self, user: &str, password: &str, version: u64) -> Proof {
        self.key.proof(user, password, version)
    }

    /// What came of a look lately.
    pub(crate) fn recall(&self, proof: &Proof) -> Option<bool> {
        self.desk.remembered().recall(proof, Instant::now())
    }

    /// Has a password of `client` looked at.
    pub(crate) async fn look_at(&self, check: Check, client: IpAddr) -> Looked {
        let Some(answer) = self.ask(check, ClientKey::of(client)) else {
            return Looked::Busy;
        };
        match answer.await {
            Ok(true) => Looked::Right,
            Ok(false) => Looked::Wrong,
            // The thread has come to grief over it.
            Err(_) => Looked::Busy,
        }
    }

    fn ask(&self, check: Check, client: ClientKey) -> Option<oneshot::Receiver<bool>> {
        let (sender, answer) = oneshot::channel();
        let mut queue = self.desk.queue();
        let proof = check.proof;
        if let Some(others) = queue.waiting.get_mut(&proof) {
            others.retain(|other| !other.is_closed());
            if others.len() >= WAITING_FOR_ONE {
                return None;
            }
            others.push(sender);
            return Some(answer);
        }
        let of_client = queue.of_clients.entry(client).or_default();
        if *of_client >= WAITING_OF_CLIENT {
            return None;
        }
        *of_client += 1;
        if self.jobs.try_send(Job { check, client }).is_err() {
            queue.left(&client);
            return None;
        }
        queue.waiting.insert(proof, vec![sender]);
        Some(answer)
    }
}

fn look_at_all(mut queue: mpsc::Receiver<Job>, desk: &Desk, roll: &RollWatch, looks: &Counter) {
    // Where the system does not allow it, passwords are as important as requests.
    let _ = net::thread::give_way();
    while let Some(Job { check, client }) = queue.blocking_recv() {
        let Check {
            proof,
            user,
            password,
            hash,
        } = check;
        // What the first of them has found holds for who came meanwhile.
        let known = desk.remembered().recall(&proof, Instant::now());
        let looked = || {
            known.unwrap_or_else(|| {
                looks.inc();
                is_right(hash.as_ref(), &password)
            })
        };
        // A panic costs one look.
        let right = catch_unwind(AssertUnwindSafe(looked)).ok();
        if let Some(right) = right {
            desk.remembered().keep(proof, right, Instant::now());
        }
        let mut queue = desk.queue();
        queue.left(&client);
        let waiting = queue.waiting.remove(&proof).unwrap_or_default();
        drop(queue);
        for waiting in waiting {
            // Who has gone meanwhile does not want to know.
            let _ = right.map(|right| waiting.send(right));
        }
        let outdated = hash.is_some_and(|hash| hash.is_outdated());
        if let (Some(true), Some(user), true) = (right, user, outdated) {
            roll.tell_outdated(user, password);
        }
    }
}

/// Whether it is the password of `hash`. Takes as long for a user that there is not, and no less for a hash that is faster.
fn is_right(hash: Option<&VisitorHash>, password: &Typed) -> bool {
    let password = password.as_str();
    match hash {
        None => VisitorHash::of_nobody().matches(password),
        Some(hash) if hash.is_outdated() => {
            let right = hash.matches(password);
            right | VisitorHash::of_nobody().matches(password)
        }
        Some(hash) => hash.matches(password),
    }
}

impl Desk {
    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn left(&mut self, client: &ClientKey) {
        if let Some(count) = self.of_clients.get_mut(client) {
            *count -= 1;
            if *count == 0 {
                self.of_clients.remove(client);
            }
        }
    }
}
