//! The relay (RFC 8656) as a state machine, one for each worker: [`Turn::handle_input`] says what is to be done with the bytes at
//! hand, [`Turn::poll_output`] what else, [`Turn::handle_timeout`] wants to be called at [`Turn::poll_timeout`].
//!
//! The caller has the sockets. An Allocate whose sender is believed gives [`Output::Open`]; with [`Input::Opened`] comes the answer for the
//! client. A packet gives a verdict with ranges of the caller's bytes, and neither allocates memory nor waits for anything.
//! Nothing is kept of anybody whose password was not checked.

mod allocate;
mod allocation;
mod authenticate;
mod bucket;
mod client;
mod config;
mod data;
mod quota;
mod request;
mod reservations;
mod strangers;
mod table;
mod transactions;
mod upkeep;
mod verdict;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub use allocation::Traffic;
pub use client::{Client, Source, Transport};
pub use config::{Config, Strangers};
pub use quota::{Quota, Quotas};
pub use verdict::{
    AllocationId, CanNotOpen, Family, Header, Input, LONGEST_ANSWER, Open, Opened, Output, Reason,
    Relay, Token, Verdict,
};

use crate::Now;
use crate::channel_data;
use crate::credentials::{Account, Credentials};
use crate::message::{Class, Message, Method, attribute};
use crate::nonce::Nonces;
use crate::peer::Peers;
use bucket::Bucket;
use request::Reply;
use reservations::Reservations;
use strangers::Limiter;
use table::Table;
use transactions::Transactions;

/// Allocations that end in one call of [`Turn::handle_timeout`].
const ENDS_AT_A_TIME: usize = 256;
/// Outputs that may wait before no more allocations begin and no more offences are told.
const MOST_OUTPUTS: usize = 4096;

/// The relay of one worker.
#[derive(Debug)]
pub struct Turn {
    config: Config,
    credentials: Credentials,
    nonces: Nonces,
    peers: Peers,
    quotas: Quotas,
    strangers: Limiter,
    table: Table,
    reservations: Reservations,
    transactions: Transactions,
    all: Bucket,
    outputs: VecDeque<Output>,
    tokens: u64,
    is_draining: bool,
}

/// An allocation, for whoever shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Which.
    pub id: AllocationId,
    /// Whose client.
    pub client: Client,
    /// Whose.
    pub account: Account,
    /// Its addresses, as the client was told them.
    pub relayed: [Option<SocketAddr>; 2],
    /// Peers that are let in, or were.
    pub permissions: usize,
    /// Peers that have a number, or had one.
    pub channels: usize,
    /// What it has relayed.
    pub traffic: Traffic,
}

impl Turn {
    /// A relay without allocations. Nonces and quotas are those of all workers; the seed is random, and nobody else's.
    pub fn new(
        config: Config,
        credentials: Credentials,
        nonces: Nonces,
        peers: Peers,
        quotas: Quotas,
        seed: u64,
    ) -> Self {
        Self {
            strangers: Limiter::new(config.strangers, seed),
            table: Table::new(seed),
            reservations: Reservations::new(config.reservations),
            transactions: Transactions::new(seed),
            all: Bucket::full(config.bytes_per_second_in_all, 0),
            outputs: VecDeque::new(),
            tokens: 0,
            is_draining: false,
            config,
            credentials,
            nonces,
            peers,
            quotas,
        }
    }

    /// Says what is to be done. Answers are written to the beginning of `out`, which should have [`LONGEST_ANSWER`] bytes.
    pub fn handle_input(&mut self, input: Input<'_>, now: Now, out: &mut [u8]) -> Verdict {
        match input {
            Input::FromClient { client, bytes } => self.take(client, bytes, now, out),
            Input::FromPeer {
                relay,
                peer,
                length,
            } => self.relay_down(relay, peer, length, now),
            Input::Icmp {
                relay,
                peer,
                kind,
                code,
                data,
            } => self.icmp(relay, peer, (kind, code, data), now, out),
            Input::Opened { allocation, result } => self.opened(allocation, result, now, out),
            Input::Gone { client } => {
                if let Some((id, _)) = self.table.of_client(&client) {
                    self.remove(id);
                }
                Verdict::Nothing
            }
        }
    }

    /// Ends what is over.
    pub fn handle_timeout(&mut self, now: Now) {
        let seconds = now.seconds();
        for _ in 0..ENDS_AT_A_TIME {
            match self.table.first_due() {
                Some((due, id)) if due <= seconds => self.look_at(id, seconds),
                _ => break,
            }
        }
        while let Some(token) = self.reservations.expired(seconds) {
            self.outputs.push_back(Output::Release { token });
        }
    }

    /// What else is to be done; to be asked until there is nothing, after each input and timeout.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Turn::handle_timeout`] has something to do, as [`Now::running`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        let first = self.table.first_due().map(|(due, _)| due);
        let due = first.into_iter().chain(self.reservations.first_due()).min();
        due.map(|due| Duration::from_secs(u64::from(due)))
    }

    /// Begins no allocation any more; those that there are go on.
    pub fn drain(&mut self) {
        self.is_draining = true;
    }

    /// Other users from now on. Whoever is no more one can not prolong his allocation.
    pub fn set_credentials(&mut self, credentials: Credentials) {
        self.credentials = credentials;
    }

    /// Other rules of who may be reached, at once.
    pub fn set_peers(&mut self, peers: Peers) {
        for allocation in self.table.iter_mut() {
            let permissions = &mut allocation.permissions;
            permissions.retain(|held| peers.judge_address(held.peer).is_ok());
            let channels = &mut allocation.channels;
            channels.retain(|bound| peers.judge(bound.peer).is_ok());
        }
        self.peers = peers;
    }

    /// Ends all allocations at an address that is no more ours.
    pub fn retire(&mut self, address: IpAddr) {
        let is_there = |held: &allocation::Relayed| held.told.ip() == address;
        let ids: Vec<AllocationId> = self
            .table
            .iter()
            .filter(|(_, held)| held.relayed.iter().flatten().any(is_there))
            .map(|(id, _)| id)
            .collect();
        for id in ids {
            self.remove(id);
        }
    }

    /// All allocations.
    pub fn allocations(&self) -> impl Iterator<Item = Shown> {
        self.table.iter().map(|(id, held)| Shown {
            id,
            client: held.client,
            account: held.account,
            relayed: held.relayed.map(|held| held.map(|held| held.told)),
            permissions: held.permissions.len(),
            channels: held.channels.len(),
            traffic: held.traffic,
        })
    }

    /// How many allocations there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no allocation.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take(&mut self, client: Client, bytes: &[u8], now: Now, out: &mut [u8]) -> Verdict {
        if bytes
            .first()
            .copied()
            .is_some_and(channel_data::begins_with)
        {
            return self.channel_data(&client, bytes, now);
        }
        let Ok(message) = Message::parse(bytes) else {
            return Verdict::Drop(Reason::NotStun);
        };
        match (message.class(), message.method()) {
            (Class::Indication, Method::SEND) => self.send(&client, &message, now),
            (Class::Request, _) if message.fingerprint() == Some(false) => {
                Verdict::Drop(Reason::NotForUs)
            }
            (Class::Request, Method::BINDING) => self.binding(client, &message, now, out),
            (
                Class::Request,
                Method::ALLOCATE
                | Method::REFRESH
                | Method::CREATE_PERMISSION
                | Method::CHANNEL_BIND,
            ) => self.request(client, message, now, out),
            _ => Verdict::Drop(Reason::NotForUs),
        }
    }

    /// Binding (RFC 8489 section 12): anybody may ask, and nobody often.
    fn binding(
        &mut self,
        client: Client,
        message: &Message<'_>,
        now: Now,
        out: &mut [u8],
    ) -> Verdict {
        if !self.admits_stranger(&client, now) {
            return Verdict::Drop(Reason::Stranger);
        }
        let reply = Reply {
            client,
            method: Method::BINDING,
            transaction: message.transaction(),
            has_fingerprint: message.fingerprint().is_some(),
            proven: None,
        };
        if let Some(unknown) = reply.unknown(message, out) {
            return unknown;
        }
        reply.write(Class::Success, out, |writer| {
            writer.xor_address(attribute::XOR_MAPPED_ADDRESS, client.address);
        })
    }

    fn request(
        &mut self,
        client: Client,
        message: Message<'_>,
        now: Now,
        out: &mut [u8],
    ) -> Verdict {
        let request = match self.authenticate(client, message, now, out) {
            Ok(request) => request,
            Err(told) => return told,
        };
        if let Some(unknown) = request.unknown(out) {
            return unknown;
        }
        match request.message.method() {
            Method::ALLOCATE => self.allocate(&request, out),
            Method::REFRESH => self.refresh(&request, out),
            Method::CREATE_PERMISSION => self.create_permission(&request, out),
            _ => self.channel_bind(&request, out),
        }
    }

    /// Makes room where an allocation is over that was not looked at yet.
    fn forget_if_over(&mut self, client: &Client, now: u32) {
        match self.table.of_client(client) {
            Some((id, held)) if held.is_over(now) => self.remove(id),
            _ => {}
        }
    }

    /// Ends an allocation.
    fn remove(&mut self, allocation: AllocationId) {
        let Some(held) = self.table.remove(allocation) else {
            return;
        };
        let source = Source::of(held.client.address.ip());
        self.quotas.give_back(held.account, source);
        for relayed in held.relayed.iter().flatten() {
            let family = Family::of(relayed.told);
            let relay = Relay { allocation, family };
            self.outputs.push_back(Output::Close { relay });
        }
    }

    /// An output that may be left out.
    fn note(&mut self, output: Output) {
        if self.outputs.len() < MOST_OUTPUTS {
            self.outputs.push_back(output);
        }
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        let number = self.tokens << 8 | u64::from(self.config.worker);
        let mut token = self.nonces.token(number);
        token[0] = self.config.worker;
        Token(token)
    }

    /// What of a wanted lifetime is granted (RFC 8656 section 7.2), in seconds.
    fn granted_lifetime(&self, told: Option<u32>) -> u32 {
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let least = seconds(self.config.lifetime);
        let most = seconds(self.config.longest_lifetime).max(least);
        told.unwrap_or(least).clamp(least, most)
    }
}

/// The lifetime that a request wants.
fn lifetime(message: &Message<'_>) -> Result<Option<u32>, u16> {
    match message.first(attribute::LIFETIME) {
        None => Ok(None),
        Some(value) => match value.try_into() {
            Ok(seconds) => Ok(Some(u32::from_be_bytes(seconds))),
            Err(_) => Err(400),
        },
    }
}
