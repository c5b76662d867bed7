//! Changes that applications ask for are kept together, one write a second at the most: each waits for the disk, and none
//! wears it out.

use super::steward::{Shelf, Steward};
use crate::supervisor::operators::unix;
use control::{Actor, Refusal, Role};
use guard::entrance::{Change, Token, TokenFault, TokenId, Tokens, Wish};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

/// The time from one write to the next.
const PACE: Duration = Duration::from_secs(1);
/// How many changes wait for a write.
const WAITING: usize = 256;

/// What an application asks for.
pub(super) enum Ask {
    /// A new token.
    Make(Wish),
    /// One less, of this access.
    Revoke(Box<str>, TokenId),
    /// None any more, of this access.
    RevokeAll(Box<str>),
}

/// What came of it.
pub(super) enum Done {
    /// A new token.
    Made(Box<Token>),
    /// So many were revoked.
    Revoked(u64),
}

/// The changes that wait. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Group(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    /// Whether somebody is about to write.
    is_tended: bool,
    last: Option<Instant>,
}

struct Job {
    actor: Actor,
    ask: Ask,
    answer: oneshot::Sender<Result<Done, Refusal>>,
}

impl Steward {
    /// Does what an application asks for, with what others ask for in the same second.
    pub(super) async fn together(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        ask: Ask,
    ) -> Result<Done, Refusal> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            actor: actor.clone(),
            ask,
            answer,
        };
        let begins = {
            let mut queue = self.group.lock();
            if queue.jobs.len() >= WAITING {
                return Err(Refusal::unavailable(
                    "too many tokens are made at this moment; try again in a second",
                ));
            }
            queue.jobs.push(job);
            !std::mem::replace(&mut queue.is_tended, true)
        };
        if begins {
            let (steward, shelf) = (self.clone(), shelf.clone());
            tokio::spawn(async move { steward.tend_group(&shelf).await });
        }
        let gone = |_| Refusal::failed("the box ends, and it may not be kept");
        answered.await.map_err(gone)?
    }

    async fn tend_group(&self, shelf: &impl Shelf) {
        loop {
            let due = self.group.lock().last.map(|last| last + PACE);
            if let Some(due) = due {
                sleep_until(due).await;
            }
            let jobs = {
                let mut queue = self.group.lock();
                let jobs = std::mem::take(&mut queue.jobs);
                if jobs.is_empty() {
                    queue.is_tended = false;
                    return;
                }
                queue.last = Some(Instant::now());
                jobs
            };
            self.write_group(shelf, jobs).await;
        }
    }

    async fn write_group(&self, shelf: &impl Shelf, jobs: Vec<Job>) {
        let mut answers = Vec::new();
        let make = |tokens: &mut Tokens| {
            let mut changes = Vec::new();
            let mut results = Vec::new();
            for Job { actor, ask, answer } in jobs {
                let done = self
                    .still(&actor, Role::Operator)
                    .and_then(|()| apply(tokens, ask, &mut changes));
                results.push(done);
                answers.push(answer);
            }
            Ok((results, changes))
        };
        let kept = self.change_tokens(shelf, || Ok(()), make).await;
        match kept {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    let _ = answer.send(result);
                }
            }
            Err(refusal) => {
                for answer in answers {
                    let _ = answer.send(Err(refusal.clone()));
                }
            }
        }
    }
}

/// Does to `tokens` what is asked for, and notes what edge is to be told.
pub(super) fn apply(
    tokens: &mut Tokens,
    ask: Ask,
    changes: &mut Vec<Change>,
) -> Result<Done, Refusal> {
    match ask {
        Ask::Make(wish) => {
            let token = tokens.add(wish, unix()).map_err(full)?;
            changes.push(Change::Token(token.live.clone()));
            Ok(Done::Made(Box::new(token)))
        }
        Ask::Revoke(access, id) => {
            let is_there = tokens
                .get(id)
                .is_some_and(|token| token.live.access == access);
            if !is_there {
                return Err(Refusal::not_found("there is no token of this number"));
            }
            tokens.revoke(id);
            changes.push(Change::TokenGone(id));
            Ok(Done::Revoked(1))
        }
        Ask::RevokeAll(access) => {
            let gone = tokens.revoke_all(&access);
            let count = gone.len() as u64;
            changes.extend(gone.into_iter().map(Change::TokenGone));
            Ok(Done::Revoked(count))
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn full(fault: TokenFault) -> Refusal {
    Refusal::conflict(fault.to_string())
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
