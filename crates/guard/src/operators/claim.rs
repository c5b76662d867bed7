//! How a new box gets its first operator: whoever reads the code from its console is.

use std::time::{Duration, Instant};

use super::code::{CODE_BYTES, Code};

/// How long a claim code can be used.
pub const CLAIM_LIFE: Duration = Duration::from_mins(30);
/// How many wrong tries a claim code outlives, less one.
pub const CLAIM_TRIES: u32 = 5;

/// The claim code of a box that nobody has claimed; there is none until somebody wants to see it.
#[derive(Debug, Default)]
pub struct Claim(Option<Shown>);

#[derive(Debug)]
struct Shown {
    code: Code,
    until: Instant,
    wrong: u32,
}

/// What became of a try.
#[derive(Debug)]
#[must_use]
pub enum Claimed {
    /// It is the code; it can not be used again, unless [`Claim::give_back`] gives it back.
    Right(Taken),
    /// It is not.
    Wrong {
        /// How many tries are left; 0: the code is void now.
        left: u32,
    },
    /// There is no code, or its time is over, or it is void.
    NoCode,
}

/// A code that was used.
#[derive(Debug)]
pub struct Taken(Shown);

impl Claim {
    /// The code, and until when it can be used; made of `random` where there is none that can.
    pub fn show(&mut self, random: [u8; CODE_BYTES], now: Instant) -> (&Code, Instant) {
        if self.0.as_ref().is_none_or(|shown| shown.until <= now) {
            self.0 = Some(Shown {
                code: Code::new(random),
                until: now + CLAIM_LIFE,
                wrong: 0,
            });
        }
        let shown = self.0.as_ref().expect("it was made where there was none");
        (&shown.code, shown.until)
    }

    /// Uses the code up if `typed` is it, and counts a wrong try otherwise.
    pub fn take(&mut self, typed: &str, now: Instant) -> Claimed {
        let Some(mut shown) = self.0.take().filter(|shown| shown.until > now) else {
            return Claimed::NoCode;
        };
        if Code::typed(typed).is_some_and(|typed| typed.matches(&shown.code)) {
            return Claimed::Right(Taken(shown));
        }
        shown.wrong += 1;
        let left = CLAIM_TRIES.saturating_sub(shown.wrong);
        if left > 0 {
            self.0 = Some(shown);
        }
        Claimed::Wrong { left }
    }

    /// Makes a code good again where the claim came to nothing for a reason of our own.
    pub fn give_back(&mut self, taken: Taken) {
        if self.0.is_none() {
            self.0 = Some(taken.0);
        }
    }

    /// Forgets the code.
    pub fn clear(&mut self) {
        self.0 = None;
    }
}
