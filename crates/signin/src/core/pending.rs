//! Logins that wait for a one-time code.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use guard::entrance::TokenHash;

/// How many wait at most; then the oldest goes.
const MOST: usize = 1000;
/// How long one waits.
const LIFE: Duration = Duration::from_mins(5);
/// Answers that one takes.
const ANSWERS: u8 = 5;

/// A login whose password was right.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    /// The `[access.NAME]`.
    pub(crate) access: String,
    /// As whom, as it was typed.
    pub(crate) user: String,
    /// What the directory wants back with the answer.
    pub(crate) state: Vec<u8>,
    /// Where the login leads, as it was asked for.
    pub(crate) to: String,
}

#[derive(Debug)]
struct Entry {
    waiting: Waiting,
    /// The browser that it began in.
    browser: TokenHash,
    since: Instant,
    left: u8,
}

/// All of them, by hashes of random texts.
#[derive(Debug, Default)]
pub(crate) struct Pending(HashMap<TokenHash, Entry>);

/// What one still may, that was taken out to be answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    since: Instant,
    answers: u8,
}

impl Left {
    /// One that begins.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
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
        let is_live = |entry: &Entry| now.saturating_duration_since(entry.since) < LIFE;
        if self.0.len() >= MOST {
            self.0.retain(|_, entry| is_live(entry));
        }
        if self.0.len() >= MOST {
            let oldest = self.0.iter().min_by_key(|(_, entry)| entry.since);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                self.0.remove(&oldest);
            }
        }
        let entry = Entry {
            waiting,
            browser: TokenHash::of(browser),
            since: left.since,
            left: left.answers,
        };
        let stays = entry.left > 0 && is_live(&entry);
        if stays {
            self.0.insert(TokenHash::of(text), entry);
        }
        stays
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
        let is_live = now.saturating_duration_since(entry.since) < LIFE;
        let left = Left {
            since: entry.since,
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
            state: vec![1],
            to: "/".to_owned(),
        }
    }

    #[test]
    fn one_takes_five_answers_in_five_minutes_of_one_browser() {
        let (mut pending, begin) = (Pending::default(), Instant::now());
        assert!(pending.keep("0", "a", waiting(), Left::new(begin), begin));
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
        assert!(pending.keep("x", "a", waiting(), Left::new(begin), begin));
        assert!(pending.take("x", "a", begin + LIFE).is_none());
        assert!(pending.0.is_empty());
    }

    #[test]
    fn a_flood_pushes_out_the_oldest() {
        let (mut pending, begin) = (Pending::default(), Instant::now());
        for number in 0..=MOST {
            let now = begin + Duration::from_millis(number as u64);
            pending.keep(&number.to_string(), "a", waiting(), Left::new(now), now);
        }
        assert_eq!(pending.0.len(), MOST);
        assert!(pending.take("0", "a", begin).is_none());
        assert!(pending.take("1", "a", begin).is_some());
    }
}
