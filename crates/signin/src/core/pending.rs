//! Logins that wait for a one-time code, be it for the directory or for us.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use guard::entrance::TokenHash;
use guard::totp::TotpSecret;

use crate::directory::Person;

/// How many wait at most; then the oldest goes.
const MOST: usize = 1000;
/// How many of one user: whoever knows a password must not push out all others.
const MOST_OF_USER: usize = 4;
/// How long one waits for the answer to a directory's question.
const LIFE: Duration = Duration::from_mins(5);
/// How long one waits for a code of an app: who has none yet sets it up meanwhile.
const FACTOR_LIFE: Duration = Duration::from_mins(10);
/// Answers that one takes.
const ANSWERS: u8 = 5;

/// A login whose password was right.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    /// The `[access.NAME]`.
    pub(crate) access: String,
    /// As whom, as it was typed.
    pub(crate) user: String,
    /// What is waited for.
    pub(crate) step: Step,
    /// Where the login leads, as it was asked for.
    pub(crate) to: String,
}

/// What a login waits for.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The answer to a question of the directory, which wants this back with it.
    Answer(Vec<u8>),
    /// A code of the app of him whom the directory knows; who has none yet is offered a secret for it.
    Code(Person, Option<Box<TotpSecret>>),
}

#[derive(Debug)]
struct Entry {
    waiting: Waiting,
    /// The browser that it began in.
    browser: TokenHash,
    until: Instant,
    left: u8,
}

/// All of them, by hashes of random texts.
#[derive(Debug, Default)]
pub(crate) struct Pending(HashMap<TokenHash, Entry>);

/// What one still may, that was taken out to be answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    until: Instant,
    answers: u8,
}

impl Left {
    /// One that begins with a question of a directory.
    pub(crate) fn of_question(now: Instant) -> Self {
        Self {
            until: now + LIFE,
            answers: ANSWERS,
        }
    }

    /// One that begins with the question for a code of an app.
    pub(crate) fn of_factor(now: Instant) -> Self {
        Self {
            until: now + FACTOR_LIFE,
            answers: ANSWERS,
        }
    }
}

impl Pending {
    /// Keeps one under a new text, for the browser with this cookie. False: it has had its answers.
    pub(crate) fn keep(
        &mut self,
        text: &str,
        browser: &str,
        waiting: Waiting,
        left: Left,
        now: Instant,
    ) -> bool {
        let is_live = |entry: &Entry| now < entry.until;
        if left.answers == 0 || now >= left.until {
            return false;
        }
        if self.0.len() >= MOST {
            self.0.retain(|_, entry| is_live(entry));
        }
        let is_own = |entry: &Entry| {
            let user = entry.waiting.user.to_lowercase();
            entry.waiting.access == waiting.access && user == waiting.user.to_lowercase()
        };
        self.keep_below(MOST_OF_USER, is_own);
        self.keep_below(MOST, |_| true);
        let entry = Entry {
            waiting,
            browser: TokenHash::of(browser),
            until: left.until,
            left: left.answers,
        };
        self.0.insert(TokenHash::of(text), entry);
        true
    }

    /// Forgets the oldest of some where there are as many as may be.
    fn keep_below(&mut self, most: usize, is_such: impl Fn(&Entry) -> bool) {
        let such = || self.0.iter().filter(|(_, entry)| is_such(entry));
        if such().count() < most {
            return;
        }
        let oldest = such().min_by_key(|(_, entry)| entry.until);
        if let Some(oldest) = oldest.map(|(key, _)| *key) {
            self.0.remove(&oldest);
        }
    }

    /// One of this browser that can still be answered.
    pub(crate) fn get(&self, text: &str, browser: &str, now: Instant) -> Option<&Waiting> {
        let entry = self.0.get(&TokenHash::of(text))?;
        let is_its = entry.browser == TokenHash::of(browser) && now < entry.until;
        is_its.then_some(&entry.waiting)
    }

    /// Takes one out to be answered, once; none: there is none, or it is another browser's.
    pub(crate) fn take(
        &mut self,
        text: &str,
        browser: &str,
        now: Instant,
    ) -> Option<(Waiting, Left)> {
        let key = TokenHash::of(text);
        if self.0.get(&key)?.browser != TokenHash::of(browser) {
            return None;
        }
        let entry = self.0.remove(&key)?;
        let is_live = now < entry.until;
        let left = Left {
            until: entry.until,
            answers: entry.left.saturating_sub(1),
        };
        is_live.then_some((entry.waiting, left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> Waiting {
        Waiting {
            access: "staff".to_owned(),
            user: "max".to_owned(),
            step: Step::Answer(vec![1]),
            to: "/".to_owned(),
        }
    }

    #[test]
    fn one_takes_five_answers_in_five_minutes_of_one_browser() {
        let (mut pending, begin) = (Pending::default(), Instant::now());
        assert!(pending.keep("0", "a", waiting(), Left::of_question(begin), begin));
        assert!(pending.take("0", "b", begin).is_none());
        let mut answered = 0;
        let mut text = "0".to_owned();
        while let Some((waiting, left)) = pending.take(&text, "a", begin) {
            assert!(pending.take(&text, "a", begin).is_none(), "once");
            answered += 1;
            text = answered.to_string();
            pending.keep(&text, "a", waiting, left, begin);
        }
        assert_eq!(answered, 5);
        assert!(pending.keep("x", "a", waiting(), Left::of_question(begin), begin));
        assert!(pending.take("x", "a", begin + LIFE).is_none());
        assert!(pending.0.is_empty());
        let (minute, left) = (Duration::from_mins(1), Left::of_factor(begin));
        assert!(pending.keep("y", "a", waiting(), left, begin + 9 * minute));
        assert!(pending.take("y", "a", begin + 10 * minute).is_none());
    }

    #[test]
    fn a_flood_pushes_out_the_oldest() {
        let (mut pending, begin) = (Pending::default(), Instant::now());
        for number in 0..=MOST {
            let now = begin + Duration::from_millis(number as u64);
            let waiting = Waiting {
                user: number.to_string(),
                ..waiting()
            };
            pending.keep(
                &number.to_string(),
                "a",
                waiting,
                Left::of_question(now),
                now,
            );
        }
        assert_eq!(pending.0.len(), MOST);
        assert!(pending.take("0", "a", begin).is_none());
        assert!(pending.get("1", "b", begin).is_none());
        assert!(pending.get("1", "a", begin).is_some());
        assert!(pending.take("1", "a", begin).is_some());
        assert!(pending.get("1", "a", begin).is_none());
        // One user has four.
        let mut pending = Pending::default();
        for number in 0..10 {
            let left = Left::of_question(begin + Duration::from_secs(number));
            pending.keep(&number.to_string(), "a", waiting(), left, begin);
        }
        assert_eq!(pending.0.len(), MOST_OF_USER);
        assert!(pending.take("9", "a", begin).is_some());
    }
}
