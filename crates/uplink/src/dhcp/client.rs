//! A client and its states (RFC 2131 section 4.4). Pure: bytes and time go in, outputs come out.

mod answers;
mod steps;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::lease::{Lease, Refusal};
use super::message::{Answer, Ask, HardwareAddr, Question, Say};
use super::random::Random;

/// The wait after an address that is in use (RFC 2131 section 3.1), and after an answer that makes no sense.
const DECLINE_WAIT: Duration = Duration::from_secs(10);
/// How often an offer is asked for before all servers are asked anew: half a minute.
const REQUEST_TRIES: u32 = 3;
/// How often a remembered lease is asked for before any is: 12 seconds.
const REBOOT_TRIES: u32 = 2;

/// The moment of a call, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// What everything is measured by; it is never set.
    pub instant: Instant,
    /// What a lease is dated by, so that it can be compared after a restart.
    pub wall: SystemTime,
}

/// Who asks: the same at every start, so that servers give the same address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The Ethernet address of the port; answers to another do not count.
    pub hardware: HardwareAddr,
    /// What servers are told as our name. Anything but letters, digits, `-` and dots is left out altogether.
    pub hostname: Option<String>,
}

/// What a client wants done or known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this datagram from port 68.
    Send {
        /// To whom, at port 67.
        to: Receiver,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// The port has this lease: a new one, or the same with new times.
    Bound(Lease),
    /// The port has no lease any more; its address must not be used.
    Lost(Loss),
    /// An answer was not taken; told once for each question.
    Refused(Refusal),
}

/// Who is to have a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// Everybody on the wire: 255.255.255.255.
    Broadcast,
    /// One server, from the address of the lease.
    Server(Ipv4Addr),
}

/// Why a lease was lost.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// Nobody renewed it in time.
    #[error("no DHCP server has renewed the lease in time")]
    Expired,
    /// A server says that it is not valid, in these words if any.
    #[error("the DHCP server says that the address is not valid here{}", after_colon(.0))]
    Denied(String),
    /// We were told that another host has the address.
    #[error("another host uses the address")]
    InUse,
    /// We were told to give it back.
    #[error("the lease was given back")]
    Released,
}

/// The DHCP client of one port.
///
/// It asks as soon as [`handle_timeout`](Self::handle_timeout) is called for the first time. After each call, take all
/// outputs, and call `handle_timeout` at [`poll_timeout`](Self::poll_timeout) at the latest.
pub struct Client {
    identity: Identity,
    random: Random,
    state: State,
    /// The number of the present exchange.
    xid: u32,
    /// When the present exchange began.
    began: Instant,
    /// When we last asked.
    asked: Now,
    /// When the state wants to go on.
    wake: Option<Instant>,
    /// The lease in use; also while we ask for another.
    held: Option<Held>,
    /// The address that we would like.
    wanted: Option<Ipv4Addr>,
    /// Whether an answer to the last question was refused. It is told once, so that nobody can make us speak of it
    /// as often as he likes.
    refused: bool,
    /// How often in a row a server has said no.
    denials: u32,
    outputs: VecDeque<Output>,
}

/// A lease in use, and its times on the clock that is never set.
struct Held {
    lease: Lease,
    ends: Option<Ends>,
}

#[derive(Clone, Copy)]
struct Ends {
    renew: Instant,
    rebind: Instant,
    expires: Instant,
}

enum State {
    /// Waits, then asks all servers.
    Init,
    /// Has asked all servers.
    Selecting { tries: u32 },
    /// Has asked for an offer.
    Requesting { offer: Lease, tries: u32 },
    /// Has asked for what it had before.
    Rebooting { lease: Lease, tries: u32 },
    /// Has a lease, and nothing to ask.
    Bound,
    /// Asks its server.
    Renewing,
    /// Asks any server.
    Rebinding,
    /// Has given back what it had.
    Stopped,
}

impl Client {
    /// A client that has not asked yet.
    ///
    /// `seed` is of the system's random numbers. A `remembered` lease is asked for first; if nobody answers
    /// within 12 s, it is used as long as it has not ended (RFC 2131 section 3.2), while all servers are
    /// asked for another.
    pub fn new(identity: Identity, seed: u64, remembered: Option<Lease>, now: Now) -> Self {
        let mut client = Self {
            identity: Identity {
                hostname: identity.hostname.filter(|name| is_hostname(name)),
                ..identity
            },
            random: Random::new(seed),
            state: State::Init,
            xid: 0,
            began: now.instant,
            asked: now,
            wake: None,
            held: None,
            wanted: None,
            refused: false,
            denials: 0,
            outputs: VecDeque::new(),
        };
        match remembered.filter(Lease::is_sound) {
            Some(lease) => client.ask_again_for(lease, now.instant),
            None => client.start_at(now.instant),
        }
        client
    }

    /// Takes a datagram that has come to port 68.
    ///
    /// It counts only if it is whole, answers what was asked last, and comes from the server that was asked, where
    /// it was one.
    pub fn handle_input(&mut self, bytes: &[u8], now: Now) {
        let Some(answer) = Answer::read(bytes, self.identity.hardware) else {
            return;
        };
        if answer.xid != self.xid {
            return;
        }
        match answer.kind {
            Say::Offer => self.take_offer(&answer, now),
            Say::Ack => self.take_ack(&answer, now),
            Say::Nak => self.take_nak(&answer, now),
        }
    }

    /// Goes on where a wait is over; calling it too early changes nothing.
    pub fn handle_timeout(&mut self, now: Now) {
        let expires = self.ends().map(|ends| ends.expires);
        if expires.is_some_and(|at| at <= now.instant) {
            self.lose(Loss::Expired);
            // A question for this very lease is over, too; one for another goes on.
            if !matches!(
                self.state,
                State::Init | State::Selecting { .. } | State::Requesting { .. }
            ) {
                self.start_at(now.instant);
            }
        }
        if self.wake.is_none_or(|at| at > now.instant) {
            return;
        }
        match &mut self.state {
            State::Requesting { tries, .. } if *tries < REQUEST_TRIES => self.ask(now),
            State::Rebooting { tries, .. } if *tries < REBOOT_TRIES => self.ask(now),
            State::Selecting { .. } | State::Renewing | State::Rebinding => self.ask(now),
            State::Init | State::Requesting { .. } => {
                self.begin(State::Selecting { tries: 0 }, now);
            }
            State::Rebooting { lease, .. } => {
                let lease = lease.clone();
                self.use_unconfirmed(lease, now);
            }
            State::Bound => self.begin(State::Renewing, now),
            State::Stopped => self.wake = None,
        }
    }

    /// The next thing to do or to know.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called at the latest; `None`: not before something else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let expires = self.ends().map(|ends| ends.expires);
        [self.wake, expires].into_iter().flatten().min()
    }

    /// The lease in use.
    pub fn lease(&self) -> Option<&Lease> {
        self.held.as_ref().map(|held| &held.lease)
    }

    /// Whether the lease was given back, so that nothing more will happen.
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopped)
    }

    /// Asks whether the lease still holds, because the cable was out: this may be another network now.
    ///
    /// The lease stays in use meanwhile. Without one, servers are asked at once.
    pub fn verify(&mut self, now: Now) {
        match (&self.state, &self.held) {
            (State::Stopped, _) => {}
            (_, Some(held)) => {
                let lease = held.lease.clone();
                self.ask_again_for(lease, now.instant);
            }
            (State::Rebooting { .. }, None) => self.wake = Some(now.instant),
            (_, None) => self.start_at(now.instant),
        }
    }

    /// Another host answers at the address of the lease: refuses it (DHCPDECLINE), and asks anew after 10 s.
    pub fn address_in_use(&mut self, now: Now) {
        let Some(held) = &self.held else { return };
        let (address, server) = (held.lease.address.addr(), held.lease.server);
        self.xid = self.random.xid();
        self.began = now.instant;
        let question = Question {
            requested: Some(address),
            server: Some(server),
            ..self.question(Ask::Decline, now)
        };
        let bytes = question.to_bytes();
        self.put(Output::Send {
            to: Receiver::Broadcast,
            bytes,
        });
        self.lose(Loss::InUse);
        self.wanted = None;
        self.start_at(now.instant + DECLINE_WAIT);
    }

    /// Gives the lease back (DHCPRELEASE) and stops. The datagram must be sent while the address is still set.
    pub fn release(&mut self, now: Now) {
        if let Some(held) = &self.held {
            let (own, server) = (held.lease.address.addr(), held.lease.server);
            self.xid = self.random.xid();
            self.began = now.instant;
            let question = Question {
                own: Some(own),
                server: Some(server),
                ..self.question(Ask::Release, now)
            };
            let bytes = question.to_bytes();
            let to = Receiver::Server(server);
            self.put(Output::Send { to, bytes });
            self.lose(Loss::Released);
        }
        self.state = State::Stopped;
        self.wake = None;
    }
}

fn after_colon(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(": {words}")
    }
}

fn is_hostname(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=253).contains(&name.len()) && name.bytes().all(is_plain)
}
