//! When a certificate is ordered from a CA, and when the CA is asked about its renewal (RFC 9773).
//!
//! [`Record`] is what has to be remembered of one certificate; everything random is drawn once, when something
//! happens, and kept in it, so that the same record gives the same plan at every look. All times are seconds since 1970.

use serde::{Deserialize, Serialize};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How long is waited after the first failure, the second, and so on.
const PAUSES: [u64; 7] = [
    MINUTE,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
];
/// The longest that a CA can make us wait: what it says may be a mistake.
const LONGEST_WAIT: u64 = 7 * DAY;
/// A certificate that lives shorter is renewed after half of its life.
const SHORT_LIFE: u64 = 10 * DAY;
/// Failed orders an hour that a public CA puts up with.
const FAILURES_AN_HOUR: usize = 5;
/// Certificates a day for the same names, when nobody asks for more by hand.
const ISSUED_A_DAY: usize = 2;
/// One that lives shorter is had as often as its life wants it, but for the pause [`BETWEEN`].
const BRAKED_LIFE: u64 = 2 * DAY;
/// The least time between two certificates of whatever life, when nobody asks by hand.
const BETWEEN: u64 = 5 * MINUTE;
/// A certificate is renewed at this age, whatever it and its CA say: no public CA makes one that lives longer than 398 days.
const LONGEST_USE: u64 = 265 * DAY;
/// The least time until a certificate is judged again that could not be used.
const JUDGED_AGAIN: u64 = HOUR;
/// How often a CA is asked that does not say how often it wants to be.
const ASK_AGAIN: u64 = 6 * HOUR;
/// Days before its end at which the operator is told of a certificate.
const STAGES: [u64; 4] = [1, 7, 14, 30];

/// From when until when a certificate is valid, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// First second it is valid at.
    pub from: u64,
    /// Last second it is valid at.
    pub until: u64,
}

impl Life {
    /// When it is renewed where the CA does not say: at two thirds, or at half of a short life.
    pub fn renew_at(self) -> u64 {
        let life = self.until.saturating_sub(self.from);
        let lived = if life < SHORT_LIFE {
            life / 2
        } else {
            life - life / 3
        };
        self.from.saturating_add(lived.min(LONGEST_USE))
    }
}

/// Who can make an order succeed that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// Perhaps time does.
    Time,
    /// The operator, by another configuration; without it once a day is enough.
    Operator,
}

/// What is remembered of one certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Failures since the last success.
    pub failures: u32,
    /// The last failed orders, the newest last.
    failed: Vec<u64>,
    /// Before it nothing is tried again.
    retry_at: u64,
    /// Before it the CA does not want to hear of us.
    closed_until: u64,
    /// The last certificates, the newest last.
    issued: Vec<u64>,
    /// The moment drawn from the window in which the CA wants it renewed.
    renew_at: Option<u64>,
    /// Where that window lies; another one is a reason to draw anew.
    window: Option<(u64, u64)>,
    /// When the CA is asked again.
    ask_at: u64,
}

/// What there is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// The certificate that fits what is wanted; none: there is none, or it is for other names or of another CA.
    pub life: Option<Life>,
    /// Whether the operator has asked for another one.
    pub by_hand: bool,
}

impl Record {
    /// When the next certificate is to be ordered; what lies in the past is due now.
    pub fn order_at(&self, present: Present) -> u64 {
        let limit = oldest(&self.failed, FAILURES_AN_HOUR, HOUR).max(self.closed_until);
        if present.by_hand {
            return limit;
        }
        let due = present.life.map_or(0, |life| {
            let told = self.renew_at.filter(|at| *at < life.until);
            let longest = life.from.saturating_add(LONGEST_USE);
            told.unwrap_or(life.renew_at()).min(longest)
        });
        let is_short = |life: Life| life.until.saturating_sub(life.from) < BRAKED_LIFE;
        let enough = if present.life.is_some_and(is_short) {
            oldest(&self.issued, 1, BETWEEN)
        } else {
            oldest(&self.issued, ISSUED_A_DAY, DAY)
        };
        due.max(self.retry_at).max(enough).max(limit)
    }

    /// When the CA is to be asked when it wants the certificate renewed.
    pub fn ask_at(&self) -> u64 {
        self.ask_at
    }

    /// Whether the CA has said when it wants the certificate renewed.
    pub fn is_told(&self) -> bool {
        self.renew_at.is_some()
    }

    /// An order has come to nothing at `now`; the CA wants `retry_after` seconds of peace. `dice` is any number.
    pub fn fail(&mut self, now: u64, cure: Cure, retry_after: Option<u64>, dice: u64) {
        self.failures = self.failures.saturating_add(1);
        remember(&mut self.failed, now, FAILURES_AN_HOUR);
        let index = usize::try_from(self.failures - 1).unwrap_or(usize::MAX);
        let pause = PAUSES[index.min(PAUSES.len() - 1)];
        let pause = match cure {
            Cure::Time => pause,
            Cure::Operator => DAY,
        };
        // Longer only, by up to a fifth: many boxes fail in the same second when a CA does.
        let jitter = dice % (pause / 5 + 1);
        // `now` may be almost over: a second more, lest it be one too few.
        let asked = retry_after.map_or(0, |asked| asked.min(LONGEST_WAIT) + 1);
        self.closed_until = now.saturating_add(asked);
        self.retry_at = now.saturating_add(pause + jitter).max(self.closed_until);
    }

    /// A certificate was issued that can not be used, at `now`; it `is_new` where it was not judged before. `dice` is any number.
    pub fn spoil(&mut self, now: u64, is_new: bool, cure: Cure, dice: u64) {
        if is_new {
            remember(&mut self.issued, now, ISSUED_A_DAY);
        }
        self.fail(now, cure, None, dice);
        self.retry_at = self.retry_at.max(now.saturating_add(JUDGED_AGAIN));
    }

    /// Forgets what can not be at `now`: the clock was ahead when it was noted.
    pub fn mend(&mut self, now: u64) {
        let no_later = |at: &mut u64, span: u64| {
            if *at > now.saturating_add(span) {
                *at = 0;
            }
        };
        no_later(&mut self.retry_at, LONGEST_WAIT + DAY);
        no_later(&mut self.closed_until, LONGEST_WAIT + DAY);
        no_later(&mut self.ask_at, DAY);
        self.failed.retain(|at| *at <= now);
        self.issued.retain(|at| *at <= now);
    }

    /// When something happened last that a CA counts.
    pub fn last(&self) -> u64 {
        let all = self.failed.iter().chain(&self.issued);
        all.copied().max().unwrap_or(0).max(self.closed_until)
    }

    /// A certificate was issued at `now`.
    pub fn succeed(&mut self, now: u64) {
        remember(&mut self.issued, now, ISSUED_A_DAY);
        *self = Self {
            issued: std::mem::take(&mut self.issued),
            ask_at: now,
            ..Self::default()
        };
    }

    /// Something else is wanted than what failed: that failures are told is over, that the CA counts them is not, nor what it issued.
    pub fn change(&mut self) {
        self.failures = 0;
        self.retry_at = 0;
        self.renew_at = None;
        self.window = None;
        self.ask_at = 0;
    }

    /// The CA wants the certificate of `life` renewed between `start` and `end`, and to be asked again in `ask_again` seconds.
    /// A window that no certificate can have is none. `dice` is any number.
    pub fn tell(
        &mut self,
        now: u64,
        life: Life,
        (start, end): (u64, u64),
        ask_again: Option<u64>,
        dice: u64,
    ) {
        self.ask_at = now.saturating_add(ask_again.unwrap_or(ASK_AGAIN).clamp(HOUR, DAY));
        if start >= end || start >= life.until {
            self.renew_at = None;
            self.window = None;
        } else if self.window != Some((start, end)) {
            self.window = Some((start, end));
            self.renew_at = Some(start + dice % (end - start));
        }
    }

    /// The CA did not say when it wants the certificate renewed.
    pub fn tell_nothing(&mut self, now: u64, retry_after: Option<u64>) {
        self.ask_at = now.saturating_add(retry_after.unwrap_or(ASK_AGAIN).clamp(ASK_AGAIN, DAY));
    }
}

/// The stage that a certificate has reached which ends at `until`: the days of which it has at most so many left,
/// 30, 14, 7, 1, or 0 once it has ended.
pub fn stage(until: u64, now: u64) -> Option<u64> {
    let Some(left) = until.checked_sub(now) else {
        return Some(0);
    };
    STAGES.into_iter().find(|days| left <= days * DAY)
}

/// The moment at which less than `most` of `times` lie within `span`.
fn oldest(times: &[u64], most: usize, span: u64) -> u64 {
    let from = times.len().checked_sub(most);
    from.map_or(0, |from| times[from].saturating_add(span))
}

fn remember(times: &mut Vec<u64>, now: u64, most: usize) {
    times.push(now);
    let excess = times.len().saturating_sub(most);
    times.drain(..excess);
}

#[cfg(test)]
mod tests;
