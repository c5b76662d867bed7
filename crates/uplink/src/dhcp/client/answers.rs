//! What a client makes of an answer.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Client, DECLINE_WAIT, Loss, Now, Output, State};
use crate::dhcp::lease::{Lease, Refusal};
use crate::dhcp::message::{Answer, code};

/// The most bytes of a server's message that are kept.
const MOST_WORDS: usize = 200;

impl Client {
    pub(super) fn take_offer(&mut self, answer: &Answer, now: Now) {
        if !matches!(self.state, State::Selecting { .. }) {
            return;
        }
        match Lease::read(answer, now.wall) {
            // The number stays: the request answers this offer (RFC 2131 section 4.4.1).
            Ok(offer) => {
                self.state = State::Requesting { offer, tries: 0 };
                self.ask(now);
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    pub(super) fn take_ack(&mut self, answer: &Answer, now: Now) {
        let Some(asked_for) = self.asked_for() else {
            return;
        };
        if !self.is_asked(answer) {
            return;
        }
        let lease = Lease::read(answer, self.asked.wall).and_then(|lease| {
            let given = lease.address.addr();
            if given == asked_for {
                Ok(lease)
            } else {
                Err(Refusal::Another(given, asked_for))
            }
        });
        match lease {
            Ok(lease) => {
                self.denials = 0;
                self.state = State::Bound;
                let since = self.asked.instant;
                self.hold(lease, since);
                self.wake = self.ends().map(|ends| ends.renew);
            }
            Err(refusal) => {
                self.refuse(refusal);
                // A lease in use is asked for again in its own time; anything else is begun anew.
                if matches!(
                    self.state,
                    State::Requesting { .. } | State::Rebooting { .. }
                ) {
                    self.start_at(now.instant + DECLINE_WAIT);
                }
            }
        }
    }

    pub(super) fn take_nak(&mut self, answer: &Answer, now: Now) {
        if self.asked_for().is_none() || !self.is_asked(answer) {
            return;
        }
        // What is in use stays so where it was another address that we asked for.
        if self.asked_for() == self.wanted {
            self.lose(Loss::Denied(words(answer)));
            self.wanted = None;
        }
        let wait = Duration::from_secs(1 << self.denials.min(6));
        self.denials = self.denials.saturating_add(1);
        self.start_at(now.instant + wait);
    }

    fn refuse(&mut self, refusal: Refusal) {
        if !self.refused {
            self.refused = true;
            self.put(Output::Refused(refusal));
        }
    }

    /// The address that a request is out for.
    fn asked_for(&self) -> Option<Ipv4Addr> {
        match &self.state {
            State::Requesting { offer: lease, .. } | State::Rebooting { lease, .. } => {
                Some(lease.address.addr())
            }
            State::Renewing | State::Rebinding => self.lease().map(|lease| lease.address.addr()),
            _ => None,
        }
    }

    /// Whether the answer comes from whom we asked.
    fn is_asked(&self, answer: &Answer) -> bool {
        let from = answer.address(code::SERVER);
        match &self.state {
            State::Requesting { offer, .. } => from == Some(offer.server),
            State::Renewing => from == self.lease().map(|lease| lease.server),
            _ => from.is_some(),
        }
    }
}

/// What the server says about its no; it is shown to people.
fn words(answer: &Answer) -> String {
    let bytes = answer.bytes(code::MESSAGE).unwrap_or_default();
    let bytes = &bytes[..bytes.len().min(MOST_WORDS)];
    let text = String::from_utf8_lossy(bytes);
    let shown = text.chars().filter(|letter| !letter.is_control());
    shown.collect()
}
