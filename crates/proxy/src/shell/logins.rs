//! Passwords of visitors are looked at off the workers: each look takes a hundredth of a second of a core and 19 MiB.
//!
//! One thread does it, which gives way to everything else that wants to run, so that a flood of passwords delays nobody but those
//! who sign in; clients take turns. What came of a look is remembered for all workers; what is asked twice meanwhile is looked at
//! once. The thread takes no lock that a worker could have to wait for. Of whom many wrong passwords came, whatever their addresses, the
//! next is looked at after a wait.

use guard::ClientKey;
use guard::entrance::{
    Guess, Guesses, PROOF_KEY_BYTES, Proof, ProofKey, Remembered, Typed, VisitorHash,
};
use guard::operators::UserName;
use service::RollWatch;
use service::metrics::Counter;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

/// How many looks may wait for their turn.
const WAITING: usize = 256;
/// How many requests may wait for one look.
const WAITING_FOR_ONE: usize = 256;
/// How long a request waits for a look.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the operator is not told the same failure again.
const TOLD: Duration = Duration::from_secs(10);
/// How many failures are known as told; with more of them in that time, some are told again.
const MOST_TOLD: usize = 1024;
/// A wrong password is told after as long as the slowest look took, up to this: forms of hashes that others made are slower than ours,
/// and nobody is to see by that whether there is such a user.
const SLOWEST: Duration = Duration::from_secs(1);

/// Where passwords are looked at, for all workers. Clones are the same.
#[derive(Clone)]
pub(crate) struct Logins(Arc<Desk>);

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
    /// The same that somebody else has just been told is wrong.
    WrongAgain,
    /// It was not looked at: too many wait.
    Busy,
    /// It was not looked at: too many wrong ones of that user came. The next is, after so many seconds.
    Held(u64),
}

struct Desk {
    key: ProofKey,
    remembered: Mutex<Remembered>,
    guesses: Mutex<Guesses>,
    queue: Mutex<Queue>,
    thread: mpsc::Sender<Job>,
    roll: RollWatch,
    told: Mutex<Told>,
}

/// Which failures the operator was told of lately, as hashes of client, list, user and reason.
#[derive(Default)]
struct Told {
    hashes: RandomState,
    at: HashMap<u64, Instant>,
}

/// For the thread.
struct Job {
    hash: Option<VisitorHash>,
    password: Typed,
    done: oneshot::Sender<(bool, Duration)>,
}

#[derive(Default)]
struct Queue {
    /// Who waits for which look, the first first.
    waiting: HashMap<Proof, Waiting>,
    /// The looks of each client; the one whose turn is next in front.
    turns: VecDeque<(ClientKey, VecDeque<Check>)>,
    /// How many looks there are in `turns`.
    count: usize,
    /// Whether the thread has one.
    is_busy: bool,
    slowest: Duration,
}

/// Who waits for one look.
struct Waiting {
    /// The look as a try at a password of its user; `None`: that is nobody's name.
    guess: Option<Guess>,
    senders: Vec<oneshot::Sender<Looked>>,
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
        let (thread, jobs) = mpsc::channel(1);
        let name = std::thread::Builder::new().name("passwords".into());
        name.spawn(move || look_at_all(jobs, &looks))?;
        Ok(Self(Arc::new(Desk {
            key: ProofKey::new(random),
            remembered: Mutex::default(),
            guesses: Mutex::default(),
            queue: Mutex::default(),
            thread,
            roll,
            told: Mutex::default(),
        })))
    }

    /// The keyed hash of a user and a password, by which a look is remembered.
    pub(crate) fn proof(&self, user: &str, password: &str, version: u64) -> Proof {
        self.0.key.proof(user, password, version)
    }

    /// What came of a look lately.
    pub(crate) fn recall(&self, proof: &Proof) -> Option<bool> {
        lock(&self.0.remembered).recall(proof, Instant::now())
    }

    /// Whether the operator was not told lately that `user` of that address did not get in by that list.
    pub(crate) fn is_news(&self, client: IpAddr, access: &str, user: &str, why: &str) -> bool {
        self.is_first_lately((client, access, user, why))
    }

    /// What a guess is known by: nobody can tell the guess from it.
    pub(crate) fn digest(&self, guess: impl Hash) -> u64 {
        lock(&self.0.told).hashes.hash_one(guess)
    }

    /// Whether `failure` was not heard of lately. No more than a hash of it is kept.
    pub(crate) fn is_first_lately(&self, failure: impl Hash) -> bool {
        let mut told = lock(&self.0.told);
        let now = Instant::now();
        let hash = told.hashes.hash_one(failure);
        let lately = |at: &Instant| now.duration_since(*at) < TOLD;
        if told.at.get(&hash).is_some_and(lately) {
            return false;
        }
        if told.at.len() >= MOST_TOLD {
            told.at.retain(|_, at| lately(at));
        }
        if told.at.len() >= MOST_TOLD {
            told.at.clear();
        }
        told.at.insert(hash, now);
        true
    }

    /// Has a password of `client` looked at.
    pub(crate) async fn look_at(&self, check: Check, client: IpAddr) -> Looked {
        let answer = match self.ask(check, client) {
            Ok(answer) => answer,
            Err(not_now) => return not_now,
        };
        match timeout(PATIENCE, answer).await {
            Ok(Ok(looked)) => looked,
            // It was pushed out, or the thread has come to grief over it.
            Ok(Err(_)) | Err(_) => Looked::Busy,
        }
    }

    /// # Errors
    /// [`Looked::Busy`] and [`Looked::Held`].
    fn ask(&self, check: Check, client: IpAddr) -> Result<oneshot::Receiver<Looked>, Looked> {
        let (sender, answer) = oneshot::channel();
        let mut queue = lock(&self.0.queue);
        if let Some(others) = queue.waiting.get_mut(&check.proof) {
            if others.senders.len() >= WAITING_FOR_ONE {
                return Err(Looked::Busy);
            }
            others.senders.push(sender);
            return Ok(answer);
        }
        let guess = self.begin_guess(check.user.as_ref(), client)?;
        let proof = check.proof;
        let pushed_out = queue.add(check, ClientKey::of(client));
        self.take_back(pushed_out.and_then(|gone| gone.guess));
        let senders = vec![sender];
        queue.waiting.insert(proof, Waiting { guess, senders });
        self.begin(&mut queue);
        Ok(answer)
    }

    /// Lets a try at the password of `user` in, which counts as failed from now on.
    fn begin_guess(
        &self,
        user: Option<&UserName>,
        client: IpAddr,
    ) -> Result<Option<Guess>, Looked> {
        let Some(user) = user else { return Ok(None) };
        let begun = lock(&self.0.guesses).begin("", user.as_str(), client, Instant::now());
        begun
            .map(Some)
            .map_err(|wait| Looked::Held(wait.as_secs() + 1))
    }

    fn take_back(&self, guess: Option<Guess>) {
        if let Some(guess) = guess {
            lock(&self.0.guesses).take_back(guess);
        }
    }

    /// Gives the thread the next look, if it has none.
    fn begin(&self, queue: &mut Queue) {
        if queue.is_busy {
            return;
        }
        let (check, gone) = queue.next();
        for guess in gone {
            self.take_back(Some(guess));
        }
        let Some(check) = check else {
            return;
        };
        let Check {
            proof,
            user,
            password,
            hash,
        } = check;
        let outdated = hash.as_ref().is_some_and(VisitorHash::is_outdated);
        let rehash = user
            .filter(|_| outdated)
            .map(|user| (user, password.clone()));
        let (done, answer) = oneshot::channel();
        let job = Job {
            hash,
            password,
            done,
        };
        // It has room, or is gone with everything else.
        queue.is_busy = self.0.thread.try_send(job).is_ok();
        let logins = self.clone();
        spawn_local(async move {
            let answer = answer.await.ok();
            logins.finish(proof, answer, rehash);
        });
    }

    /// Tells who waits what came of a look; `None`: nothing.
    fn finish(
        &self,
        proof: Proof,
        answer: Option<(bool, Duration)>,
        rehash: Option<(UserName, Typed)>,
    ) {
        let mut queue = lock(&self.0.queue);
        queue.is_busy = false;
        self.begin(&mut queue);
        let Some((right, took)) = answer else {
            let gone = queue.waiting.remove(&proof);
            self.take_back(gone.and_then(|gone| gone.guess));
            return;
        };
        queue.slowest = queue.slowest.max(took).min(SLOWEST);
        let pause = queue.slowest.saturating_sub(took);
        if !right {
            drop(queue);
            let logins = self.clone();
            spawn_local(async move {
                sleep(pause).await;
                logins.tell_wrong(proof);
            });
            return;
        }
        lock(&self.0.remembered).keep(proof, true, Instant::now());
        let waiting = queue.waiting.remove(&proof);
        drop(queue);
        if let Some(Waiting { guess, senders }) = waiting {
            if let Some(guess) = guess {
                lock(&self.0.guesses).succeeded(guess, Instant::now());
            }
            for sender in senders {
                // Who has gone meanwhile does not want to know.
                let _ = sender.send(Looked::Right);
            }
        }
        if let Some((user, password)) = rehash {
            self.0.roll.tell_outdated(user, password);
        }
    }

    /// Tells who waits that it was wrong. Where nobody hears it, nobody is counted for it, and it is not remembered.
    fn tell_wrong(&self, proof: Proof) {
        let mut queue = lock(&self.0.queue);
        let mut looked = Looked::Wrong;
        let waiting = queue.waiting.remove(&proof);
        for sender in waiting.into_iter().flat_map(|waiting| waiting.senders) {
            if sender.send(looked).is_ok() {
                looked = Looked::WrongAgain;
            }
        }
        if looked == Looked::WrongAgain {
            lock(&self.0.remembered).keep(proof, false, Instant::now());
        }
    }
}

impl Queue {
    /// Puts a look into line; where the line is full, one of the client that has the most in it goes: who waited for it.
    fn add(&mut self, check: Check, client: ClientKey) -> Option<Waiting> {
        let mut pushed_out = None;
        if self.count >= WAITING {
            let lengths = self.turns.iter().enumerate();
            let longest = lengths.max_by_key(|(_, (_, checks))| checks.len());
            let at = longest.map_or(0, |(at, _)| at);
            let checks = self.turns.get_mut(at).map(|(_, checks)| checks);
            if let Some(gone) = checks.and_then(VecDeque::pop_back) {
                pushed_out = self.waiting.remove(&gone.proof);
                self.count -= 1;
            }
            if self
                .turns
                .get(at)
                .is_some_and(|(_, checks)| checks.is_empty())
            {
                self.turns.remove(at);
            }
        }
        self.count += 1;
        match self.turns.iter_mut().find(|(known, _)| *known == client) {
            Some((_, checks)) => checks.push_back(check),
            None => self.turns.push_back((client, [check].into())),
        }
        pushed_out
    }

    /// The look whose turn it is; its client is the last then. With it the tries before it for which nobody waits any more.
    fn next(&mut self) -> (Option<Check>, Vec<Guess>) {
        let mut gone = Vec::new();
        while let Some((client, mut checks)) = self.turns.pop_front() {
            let Some(check) = checks.pop_front() else {
                continue;
            };
            self.count -= 1;
            if !checks.is_empty() {
                self.turns.push_back((client, checks));
            }
            // For whom nobody waits any more, nobody is to hear of: a guess that was not told would not be counted.
            let waiting = self.waiting.get(&check.proof);
            if waiting.is_some_and(Waiting::is_awaited) {
                return (Some(check), gone);
            }
            let left = self.waiting.remove(&check.proof);
            gone.extend(left.and_then(|left| left.guess));
        }
        (None, gone)
    }
}

impl Waiting {
    fn is_awaited(&self) -> bool {
        !self.senders.iter().all(oneshot::Sender::is_closed)
    }
}

fn look_at_all(mut jobs: mpsc::Receiver<Job>, looks: &Counter) {
    // Where the system does not allow it, passwords are as important as requests.
    let _ = net::thread::give_way();
    while let Some(job) = jobs.blocking_recv() {
        let started = Instant::now();
        looks.inc();
        let look = || is_right(job.hash.as_ref(), &job.password);
        // A panic costs one look.
        if let Ok(right) = catch_unwind(AssertUnwindSafe(look)) {
            // Who has asked is gone with everything else.
            let _ = job.done.send((right, started.elapsed()));
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
