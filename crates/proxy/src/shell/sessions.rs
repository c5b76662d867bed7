//! Sessions that a client sends, looked up and judged.

use crate::core::{Rule, Session, SignedIn, Span};
use crate::shell::claims::unix_now;
use guard::entrance::TokenHash;
use service::{LiveSession, RollWatch};
use std::cell::Cell;
use std::sync::Arc;

/// What was sent in cookies of one name.
pub(crate) struct Sent {
    cookie: Box<str>,
    /// Whether anything was that may be the text of a session.
    any: bool,
    found: Vec<Arc<LiveSession>>,
}

impl Sent {
    pub(crate) fn of(
        cookie: &str,
        hashes: impl Iterator<Item = TokenHash>,
        roll: &RollWatch,
    ) -> Self {
        let mut any = false;
        let found = hashes.filter_map(|hash| {
            any = true;
            roll.session(&hash)
        });
        let found = found.collect();
        let cookie = cookie.into();
        Self { cookie, any, found }
    }
}

/// What was sent as `cookie` to the list called `access`.
pub(crate) fn session<'a>(
    sent: &'a [Sent],
    (cookie, access): (&str, &str),
    span: Span,
) -> Session<'a> {
    let Some(sent) = sent.iter().find(|sent| *sent.cookie == *cookie) else {
        return Session::Nothing;
    };
    let nothing = if sent.any {
        Session::Unknown
    } else {
        Session::Nothing
    };
    let found = sent.found.iter().map(|live| (&**live, live.used()));
    best(found, access, span).unwrap_or(nothing)
}

/// Takes note that what was sent is used, where it still holds.
pub(crate) fn touch(sent: &[Sent], (cookie, access): (&str, &str), span: Span) {
    let now = unix_now();
    let sent = sent.iter().filter(|sent| *sent.cookie == *cookie);
    for live in sent.flat_map(|sent| &sent.found) {
        touch_one(live, access, span, now);
    }
}

fn touch_one(live: &LiveSession, access: &str, span: Span, now: u64) {
    let (session, used) = (live.session(), live.used());
    if *session.access == *access && used != now && span.left(session.begun, used, now).is_ok() {
        live.touch(now);
    }
}

/// The best of several sessions, each with its last use.
fn best<'a>(
    found: impl Iterator<Item = (&'a LiveSession, u64)>,
    access: &str,
    span: Span,
) -> Option<Session<'a>> {
    let now = unix_now();
    let mut over = None;
    for (live, used) in found {
        let session = live.session();
        if *session.access != *access {
            continue;
        }
        match span.left(session.begun, used, now) {
            Ok(_) => {
                return Some(Session::Live(SignedIn {
                    user: &session.user,
                    groups: &session.groups,
                }));
            }
            Err(fault) => over = Some(Session::Over(fault)),
        }
    }
    over
}

/// Those by which something was let in that is still open.
#[derive(Default)]
pub(crate) struct HeldSessions {
    held: Vec<HeldSession>,
    /// When it was last noted that they are used.
    touched: Cell<u64>,
}

struct HeldSession {
    cookie: Box<str>,
    span: Span,
    /// As it was then: what is known of it may be told anew.
    live: Arc<LiveSession>,
}

impl HeldSessions {
    /// Those of `sent` that `rule` asks for.
    pub(crate) fn of(rule: &Rule, sent: &[Sent]) -> Self {
        let held = rule.sign_ons().flat_map(|(access, sign_on)| {
            let sent = sent.iter().filter(|sent| sent.cookie == sign_on.cookie);
            let found = sent.flat_map(|sent| &sent.found);
            let found = found.filter(move |live| *live.session().access == *access);
            found.map(|live| HeldSession {
                cookie: sign_on.cookie.clone(),
                span: sign_on.span,
                live: Arc::clone(live),
            })
        });
        Self {
            held: held.collect(),
            touched: Cell::default(),
        }
    }

    /// For how many seconds each holds at least.
    pub(crate) fn holds(&self, roll: &RollWatch) -> impl Iterator<Item = u64> {
        let now = unix_now();
        self.held.iter().filter_map(move |held| {
            let live = held.now(roll)?;
            held.span.left(live.session().begun, live.used(), now).ok()
        })
    }

    /// Takes note that they are used, once a second at the most.
    pub(crate) fn touch(&self, roll: &RollWatch) {
        if self.held.is_empty() {
            return;
        }
        let now = unix_now();
        if self.touched.replace(now) == now {
            return;
        }
        for held in &self.held {
            if let Some(live) = held.now(roll) {
                touch_one(&live, &live.session().access, held.span, now);
            }
        }
    }

    pub(crate) fn session(
        &self,
        roll: &RollWatch,
        (cookie, access): (&str, &str),
        span: Span,
    ) -> Session<'_> {
        let held = self.held.iter().filter(|held| *held.cookie == *cookie);
        let known = held.filter_map(|held| Some((&*held.live, held.now(roll)?.used())));
        best(known, access, span).unwrap_or(Session::Unknown)
    }
}

impl HeldSession {
    /// As it is now, unless somebody has ended it.
    fn now(&self, roll: &RollWatch) -> Option<Arc<LiveSession>> {
        roll.session(&self.live.session().hash)
    }
}

impl std::fmt::Debug for HeldSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HeldSessions({})", self.held.len())
    }
}
