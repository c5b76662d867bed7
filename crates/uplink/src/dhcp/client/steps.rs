//! How a client goes from one state to the next, and what it says there.

use std::time::{Duration, Instant};

use super::{Client, Ends, Held, Loss, Now, Output, Receiver, State};
use crate::dhcp::lease::Lease;
use crate::dhcp::message::{Ask, Question};

/// The first wait for an answer; it doubles with every try (RFC 2131 section 4.1).
const FIRST_WAIT: Duration = Duration::from_secs(4);
/// The longest wait for an answer while there is no address.
const LONGEST_WAIT: Duration = Duration::from_secs(64);
/// The shortest wait for an answer to a renewal (RFC 2131 section 4.4.5).
const RENEW_WAIT: Duration = Duration::from_mins(1);
/// The most outputs that wait to be taken; one call makes three at most.
const MOST_OUTPUTS: usize = 16;

impl Client {
    /// Goes on with all servers, at that time.
    pub(super) fn start_at(&mut self, at: Instant) {
        self.state = State::Init;
        self.wake = Some(at);
    }

    /// Asks for a lease that we had, by a number of its own.
    pub(super) fn ask_again_for(&mut self, lease: Lease, at: Instant) {
        self.wanted = Some(lease.address.addr());
        self.state = State::Rebooting { lease, tries: 0 };
        self.xid = self.random.xid();
        self.began = at;
        self.wake = Some(at);
    }

    /// A new exchange.
    pub(super) fn begin(&mut self, state: State, now: Now) {
        self.state = state;
        self.xid = self.random.xid();
        self.began = now.instant;
        self.ask(now);
    }

    /// Nobody has answered whether the lease still holds: it is used to its end, unless a server gives another.
    pub(super) fn use_unconfirmed(&mut self, lease: Lease, now: Now) {
        let left = lease.left(now.wall);
        if self.held.is_none() && left.is_none_or(|left| !left.is_zero()) {
            let ends = left.map(|left| Ends {
                renew: now.instant,
                rebind: now.instant,
                expires: now.instant + left,
            });
            self.held = Some(Held {
                lease: lease.clone(),
                ends,
            });
            self.put(Output::Bound(lease));
        }
        self.begin(State::Selecting { tries: 0 }, now);
    }

    pub(super) fn hold(&mut self, lease: Lease, since: Instant) {
        let ends = lease.times.map(|times| {
            let after = |seconds: u32| since + Duration::from_secs(seconds.into());
            Ends {
                renew: after(times.renew),
                rebind: after(times.rebind),
                expires: after(times.lasts),
            }
        });
        self.wanted = Some(lease.address.addr());
        self.held = Some(Held {
            lease: lease.clone(),
            ends,
        });
        self.put(Output::Bound(lease));
    }

    pub(super) fn lose(&mut self, why: Loss) {
        if self.held.take().is_some() {
            self.put(Output::Lost(why));
        }
    }

    pub(super) fn ends(&self) -> Option<Ends> {
        self.held.as_ref().and_then(|held| held.ends)
    }

    /// Says what the state says, and sets the wait for its answer.
    pub(super) fn ask(&mut self, now: Now) {
        if matches!(self.state, State::Renewing)
            && self.ends().is_some_and(|ends| ends.rebind <= now.instant)
        {
            self.state = State::Rebinding;
        }
        self.asked = now;
        self.refused = false;
        let own = self.lease().map(|lease| lease.address.addr());
        let server = self.lease().map(|lease| lease.server);
        let question = self.question(Ask::Request, now);
        let (to, question) = match &self.state {
            State::Requesting { offer, .. } => (
                Receiver::Broadcast,
                Question {
                    requested: Some(offer.address.addr()),
                    server: Some(offer.server),
                    ..question
                },
            ),
            State::Rebooting { lease, .. } => (
                Receiver::Broadcast,
                Question {
                    requested: Some(lease.address.addr()),
                    ..question
                },
            ),
            State::Renewing => (
                server.map_or(Receiver::Broadcast, Receiver::Server),
                Question { own, ..question },
            ),
            State::Rebinding => (Receiver::Broadcast, Question { own, ..question }),
            _ => (
                Receiver::Broadcast,
                Question {
                    kind: Ask::Discover,
                    requested: self.wanted,
                    ..question
                },
            ),
        };
        let bytes = question.to_bytes();
        self.put(Output::Send { to, bytes });
        self.wake = Some(self.next_try(now.instant));
    }

    /// When to ask again, if nobody answers; counts the try.
    fn next_try(&mut self, now: Instant) -> Instant {
        let until = match (&self.state, self.ends()) {
            (State::Renewing, Some(ends)) => Some(ends.rebind),
            (State::Rebinding, Some(ends)) => Some(ends.expires),
            _ => None,
        };
        if let Some(until) = until {
            let half = until.saturating_duration_since(now) / 2;
            return until.min(now + half.max(RENEW_WAIT));
        }
        let (State::Selecting { tries }
        | State::Requesting { tries, .. }
        | State::Rebooting { tries, .. }) = &mut self.state
        else {
            return now + LONGEST_WAIT;
        };
        let wait = (FIRST_WAIT * (1 << (*tries).min(4))).min(LONGEST_WAIT);
        *tries = tries.saturating_add(1);
        now + self.random.around(wait)
    }

    pub(super) fn question(&self, kind: Ask, now: Now) -> Question<'_> {
        let secs = now.instant.saturating_duration_since(self.began).as_secs();
        Question {
            kind,
            xid: self.xid,
            secs: u16::try_from(secs).unwrap_or(u16::MAX),
            own: None,
            hardware: self.identity.hardware,
            requested: None,
            server: None,
            hostname: self.identity.hostname.as_deref(),
        }
    }

    /// Where nobody takes the outputs, what was to be sent is given up first: it will be sent again.
    pub(super) fn put(&mut self, output: Output) {
        if self.outputs.len() >= MOST_OUTPUTS {
            let is_send = |output: &Output| matches!(output, Output::Send { .. });
            let oldest = self.outputs.iter().position(is_send).unwrap_or(0);
            self.outputs.remove(oldest);
        }
        self.outputs.push_back(output);
    }
}
