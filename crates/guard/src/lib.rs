//! Who may enter: one suspicion counter and one ban list for the whole box.
//!
//! Every service reports its rejected requests as offences; a client with more of them in a minute than the
//! policy allows is banned everywhere. Nothing here has a clock or a socket: time is passed in, as
//! [`Instant`] while the box runs and as Unix milliseconds for what is kept over a restart.
//!
//! **What an attacker with many addresses gains: nothing.** All tables have fixed caps, apart for IPv4 and IPv6, so
//! that whoever owns a /32 of IPv6 can not push out records of IPv4 clients. Where a table of suspicion is full, the least
//! suspicious of a random sample goes, so that a record close to its ban survives a flood of fresh addresses, and no
//! sequence of requests can aim at one record. Where the table of bans is full, the ban goes that would have ended first;
//! to fill it takes as many offences, each over a completed handshake, as the attacker had tries to gain.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests"))]

mod ban_set;
mod bans;
mod client;
pub mod entrance;
mod exempt;
mod hearsay;
pub mod operators;
mod saved;
mod suspicion;
pub mod totp;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;

pub use ban_set::BanSet;
pub use bans::Ban;
pub use client::{ClientKey, NotAClient};
pub use hearsay::HEARSAY_BANS;
pub use saved::{Saved, SavedBan};

use bans::Bans;
use exempt::Exempt;
use hearsay::Hearsay;
use suspicion::Suspicion;

/// The most clients that are under suspicion at a time, for IPv4 and IPv6 each; about 7 MB each when full.
pub const MAX_SUSPECTS: usize = 32_768;
/// The most clients that are banned at a time, for IPv4 and IPv6 each; about 5 MB each when full.
pub const MAX_BANS: usize = 32_768;
/// The most operators' addresses whose own offences are remembered at a time.
const MAX_OPERATORS: usize = 1024;
/// How many times the offences of one client a whole /64 may have in which operators are.
const NETWORK: u32 = 16;
/// The longest ban; a longer `ban_for` is cut to it. Ten years.
pub const MAX_BAN: Duration = Duration::from_hours(10 * 365 * 24);

/// What the operator wants; `[guard]` of the configuration and the addresses it derives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The number of offences in one minute that a client may have; one more, and it is banned.
    pub suspicious_per_minute: u32,
    /// How long a ban lasts; zero: offences are counted but nobody is banned.
    pub ban_for: Duration,
    /// Networks whose clients are neither counted nor banned.
    pub never: Vec<IpNet>,
    /// Single addresses likewise: targets, trunks, upstream servers.
    pub exempt: Vec<IpAddr>,
    /// Networks from which an operator reaches the box: hearsay may get them banned, but not from there.
    pub operators: Vec<IpNet>,
}

/// What became of an offence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Remembered.
    Counted {
        /// The sum of the weights in the last minute, this one included.
        offences: u32,
        /// The sum up to which the client is not banned.
        limit: u32,
    },
    /// The client is banned.
    Banned {
        /// When the ban ends. Offences during a ban do not make it longer.
        until: Instant,
        /// Whether this offence was the one too many; false: the client was banned already.
        new: bool,
    },
    /// One too many, but hearsay has had the bans of this minute; the client is counted and goes free.
    Withheld {
        /// Whether it is the first of this minute.
        first: bool,
    },
    /// The client is in `never` or `exempt`; nothing was counted.
    Exempt,
}

/// How full the tables are, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Clients with at least one remembered offence.
    pub suspects: usize,
    /// Banned clients.
    pub bans: usize,
    /// Suspicion records dropped before their minute was over, since the start.
    pub suspects_evicted: u64,
    /// Bans ended before their time because the table was full, since the start.
    pub bans_evicted: u64,
}

/// Whose word an offence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// Our own.
    Own,
    /// That of the admin pages, which may have been captured, but are the ones who see who guesses there.
    Pages,
    /// That of a process that talks to the world, and may have been captured.
    Hearsay,
}

/// The suspicion counter and the ban list.
#[derive(Debug)]
pub struct Guard {
    policy: Policy,
    exempt: Exempt,
    operators: Exempt,
    v4: Family,
    v6: Family,
    hearsay: Hearsay,
    /// The same for the word of the admin pages.
    pages: Hearsay,
    /// Offences of operators' addresses that are no hearsay.
    own_words: Suspicion,
    set: BanSet,
    /// The bans that hold for the operator's way in, too.
    operator_set: BanSet,
    version: u64,
    /// Bans that ended since [`Guard::expire`] was last called, its answer to come.
    lifted: Vec<ClientKey>,
}

impl Guard {
    /// A guard with empty tables.
    pub fn new(policy: Policy) -> Self {
        Self::with_caps(policy, MAX_SUSPECTS, MAX_BANS)
    }

    fn with_caps(policy: Policy, suspects: usize, bans: usize) -> Self {
        let (exempt, operators) = (Exempt::new(&policy), Exempt::operators(&policy));
        Self {
            policy,
            exempt,
            operators,
            v4: Family::new(suspects, bans),
            v6: Family::new(suspects, bans),
            hearsay: Hearsay::default(),
            pages: Hearsay::default(),
            own_words: Suspicion::new(MAX_OPERATORS),
            set: BanSet::default(),
            operator_set: BanSet::default(),
            version: 0,
            lifted: Vec::new(),
        }
    }

    /// Remembers that a client did something that was rejected and for which the client is to blame.
    ///
    /// Call it only for a proven address: a completed TCP handshake or a valid nonce over UDP.
    /// `weight` is 1 for an ordinary offence; 0 only asks.
    pub fn offence(&mut self, client: IpAddr, weight: u32, now: Instant) -> Verdict {
        self.report(client, weight, now, Word::Own)
    }

    /// As [`Guard::offence`], on the word of the admin pages, which may have been captured and invent offences of addresses that
    /// never came: a weight counts 5 at the most, and there are at most [`HEARSAY_BANS`] new bans a minute, apart from
    /// those of hearsay. Such a ban holds for the operator's way in, too: it is there that somebody guesses.
    pub fn pages(&mut self, client: IpAddr, weight: u32, now: Instant) -> Verdict {
        self.report(client, weight.min(hearsay::WEIGHT), now, Word::Pages)
    }

    /// As [`Guard::offence`], on the word of a process that talks to the world and may have been captured.
    ///
    /// It can invent offences of addresses that never came. So a weight counts 5 at the most, there are at most
    /// [`HEARSAY_BANS`] new bans a minute, and a ban of an address in [`Policy::operators`] does not hold
    /// for the operator's way in ([`Guard::operator_set`]).
    pub fn hearsay(&mut self, client: IpAddr, weight: u32, now: Instant) -> Verdict {
        self.report(client, weight.min(hearsay::WEIGHT), now, Word::Hearsay)
    }

    /// Whether a client is in a network from which an operator reaches the box, or on a cable of the box.
    pub fn is_neighbour(&self, client: IpAddr) -> bool {
        is_link_local(client) || self.operators.key_of(client).is_none()
    }

    /// Whether a client is banned at this moment; [`BanSet::contains`] is the faster way where a snapshot is at hand.
    pub fn is_banned(&self, client: IpAddr, now: Instant) -> bool {
        self.ban_of(client, now).is_some()
    }

    /// Bans a client by the operator's hand for `time`, in place of a ban that it has; `None`: it is exempt.
    ///
    /// Whoever is in [`Policy::operators`] keeps the operator's way in, so that a slip of the hand closes it to nobody.
    pub fn ban_by_hand(&mut self, client: IpAddr, time: Duration, now: Instant) -> Option<Ban> {
        let key = self.exempt.key_of(client)?;
        let ban = Ban {
            client: key,
            since: now,
            until: now + time.min(MAX_BAN),
            offences: 0,
            by_hand: true,
        };
        if let Some(before) = self.ban_of(client, now).copied() {
            self.family(before.client).bans.remove(before.client);
            self.unset(before.client);
        }
        let spared = self.operators.touches(key);
        self.ban(ban, spared);
        Some(ban)
    }

    /// Lifts the ban of a client and forgets its offences; true if it was banned.
    ///
    /// An IPv6 address lifts the ban of its /64.
    pub fn clear(&mut self, client: IpAddr) -> bool {
        let mut lifted = false;
        for key in keys_of(client).into_iter().flatten() {
            let family = self.family(key);
            family.suspicion.forget(key);
            self.own_words.forget(key);
            let family = self.family(key);
            if family.bans.remove(key).is_some() {
                self.unset(key);
                lifted = true;
            }
        }
        self.version += u64::from(lifted);
        lifted
    }

    /// Lifts every ban and forgets every offence; returns who was banned.
    pub fn clear_all(&mut self) -> Vec<ClientKey> {
        let lifted: Vec<ClientKey> = self.set.iter().collect();
        for family in [&mut self.v4, &mut self.v6] {
            family.suspicion.clear();
            family.bans.clear();
        }
        self.set = BanSet::default();
        self.operator_set = BanSet::default();
        self.own_words.clear();
        self.version += u64::from(!lifted.is_empty());
        lifted
    }

    /// Who is banned at this moment, the ban that ends first first.
    pub fn bans(&self, now: Instant) -> Vec<Ban> {
        let mut bans: Vec<Ban> = self
            .v4
            .bans
            .iter()
            .chain(self.v6.bans.iter())
            .filter(|ban| ban.until > now)
            .copied()
            .collect();
        bans.sort_unstable_by_key(|ban| (ban.until, ban.client));
        bans
    }

    /// Ends the bans whose time is over; returns all that ended by themselves since the last call.
    ///
    /// Those that [`Guard::clear`], [`Guard::clear_all`] and [`Guard::set_policy`] lift are their own answers and not repeated here.
    pub fn expire(&mut self, now: Instant) -> Vec<ClientKey> {
        self.drop_ended(now);
        std::mem::take(&mut self.lifted)
    }

    /// When the next ban ends: the time to call [`Guard::expire`] and to publish a new [`BanSet`].
    pub fn next_expiry(&self) -> Option<Instant> {
        [self.v4.bans.first_end(), self.v6.bans.first_end()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Takes over a changed policy; returns whose ban ends by it.
    ///
    /// Bans end of clients that are now exempt; none that offences led to lasts longer than the new `ban_for`, counted from its
    /// beginning.
    pub fn set_policy(&mut self, policy: Policy, now: Instant) -> Vec<ClientKey> {
        self.exempt = Exempt::new(&policy);
        self.operators = Exempt::operators(&policy);
        self.policy = policy;
        let longest = self.policy.ban_for.min(MAX_BAN);
        let mut lifted = Vec::new();
        for mut ban in self
            .v4
            .bans
            .drain()
            .chain(self.v6.bans.drain())
            .collect::<Vec<_>>()
        {
            ban.until = ban.until.min(ban.since + ban.at_most(longest));
            if ban.until > now && !self.exempt.touches(ban.client) {
                self.family(ban.client).bans.insert(ban);
            } else {
                self.unset(ban.client);
                lifted.push(ban.client);
            }
        }
        self.version += u64::from(!lifted.is_empty());
        lifted
    }

    /// The snapshot for the data path, without the bans that have ended by now.
    pub fn ban_set(&mut self, now: Instant) -> BanSet {
        self.drop_ended(now);
        self.set.clone()
    }

    /// The same for the operator's way in: without the bans of [`Policy::operators`] that only hearsay led to, or
    /// that were restored, when nobody knows any more what led to them.
    pub fn operator_set(&mut self, now: Instant) -> BanSet {
        self.drop_ended(now);
        self.operator_set.clone()
    }

    /// A number that grows whenever the ban list changes: while it stands still, nothing need be published or saved.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How full the tables are.
    pub fn levels(&self) -> Levels {
        Levels {
            suspects: self.v4.suspicion.len() + self.v6.suspicion.len(),
            bans: self.v4.bans.len() + self.v6.bans.len(),
            suspects_evicted: self.v4.suspicion.evicted() + self.v6.suspicion.evicted(),
            bans_evicted: self.v4.bans.evicted() + self.v6.bans.evicted(),
        }
    }

    /// The bans in a form that outlives the process; `unix_ms` is the wall-clock time that belongs to `now`.
    pub fn save(&self, now: Instant, unix_ms: u64) -> Saved {
        saved::save(&self.bans(now), now, unix_ms)
    }

    /// Takes over saved bans for the time that remains of them; returns how many.
    ///
    /// Exempt clients and bans that have ended meanwhile are left out. Where the clock of the box has gone
    /// back since the list was saved, the time it was off is not counted; no ban gets longer than `ban_for`.
    pub fn restore(&mut self, saved: &Saved, now: Instant, unix_ms: u64) -> usize {
        let longest = self.policy.ban_for.min(MAX_BAN);
        let mut taken = 0;
        for ban in saved::remaining(saved, now, unix_ms, longest) {
            if self.exempt.touches(ban.client)
                || self.family(ban.client).bans.get(ban.client).is_some()
            {
                continue;
            }
            let spared = self.operators.touches(ban.client);
            self.ban(ban, spared);
            taken += 1;
        }
        taken
    }

    fn report(&mut self, client: IpAddr, weight: u32, now: Instant, word: Word) -> Verdict {
        let Some(key) = self.exempt.key_of(client) else {
            return Verdict::Exempt;
        };
        let limit = self.policy.suspicious_per_minute;
        let (ClientKey::V6Network(_), IpAddr::V6(address)) = (key, client.to_canonical()) else {
            return self.count(key, weight, now, word, limit);
        };
        if !self.is_one_of_many(client, word) {
            return self.count(key, weight, now, word, limit);
        }
        // A network inside is one /64: what one host does there must not close the box to all others, unless it makes up
        // addresses without end.
        let own = self.count(ClientKey::V6Address(address), weight, now, word, limit);
        let network = self.count(key, weight, now, word, limit.saturating_mul(NETWORK));
        match network {
            Verdict::Banned { new: true, .. } => network,
            _ => own,
        }
    }

    /// Whether the /64 of a client is not one subscriber but a network behind the box.
    fn is_one_of_many(&self, client: IpAddr, word: Word) -> bool {
        // Where a router says which networks these are, everybody might be there; the admin pages are reached from there only.
        let mut networks = self.policy.operators.iter();
        let is_known = |network: &IpNet| network.prefix_len() > 0 && network.contains(&client);
        (word == Word::Pages && self.is_neighbour(client))
            || is_link_local(client)
            || networks.any(is_known)
    }

    /// Counts an offence under `key`, which may have `limit` of them.
    fn count(
        &mut self,
        key: ClientKey,
        weight: u32,
        now: Instant,
        word: Word,
        limit: u32,
    ) -> Verdict {
        let spared = self.operators.touches(key)
            && (word == Word::Hearsay || self.own_words.count(key, weight, now) <= limit);
        if let Some(ban) = self.ban_of(key.network(), now) {
            let (key, until) = (ban.client, ban.until);
            if word != Word::Hearsay && !spared && self.operator_set.insert(key) {
                self.version += 1;
            }
            return Verdict::Banned { until, new: false };
        }
        let family = self.family(key);
        let offences = family.suspicion.count(key, weight, now);
        if offences <= limit || self.policy.ban_for.is_zero() {
            return Verdict::Counted { offences, limit };
        }
        let budget = match word {
            Word::Own => None,
            Word::Pages => Some(&mut self.pages),
            Word::Hearsay => Some(&mut self.hearsay),
        };
        if let Some(Err(first)) = budget.map(|budget| budget.spend(now)) {
            return Verdict::Withheld { first };
        }
        let until = now + self.policy.ban_for.min(MAX_BAN);
        let ban = Ban {
            client: key,
            since: now,
            until,
            offences,
            by_hand: false,
        };
        self.ban(ban, spared);
        Verdict::Banned { until, new: true }
    }

    fn family(&mut self, key: ClientKey) -> &mut Family {
        match key {
            ClientKey::V4(_) => &mut self.v4,
            ClientKey::V6Network(_) | ClientKey::V6Address(_) => &mut self.v6,
        }
    }

    fn ban_of(&self, client: IpAddr, now: Instant) -> Option<&Ban> {
        let family = if client.to_canonical().is_ipv4() {
            &self.v4
        } else {
            &self.v6
        };
        keys_of(client)
            .into_iter()
            .flatten()
            .filter_map(|key| family.bans.get(key))
            .find(|ban| ban.until > now)
    }

    /// `spared`: not at the operator's way in.
    fn ban(&mut self, ban: Ban, spared: bool) {
        let family = self.family(ban.client);
        family.suspicion.forget(ban.client);
        let displaced = family.bans.insert(ban);
        self.set.insert(ban.client);
        if !spared {
            self.operator_set.insert(ban.client);
        }
        self.lifted.retain(|client| *client != ban.client);
        if let Some(displaced) = displaced {
            self.lift(displaced);
        }
        self.version += 1;
    }

    fn drop_ended(&mut self, now: Instant) {
        while let Some(client) = self
            .v4
            .bans
            .pop_ended(now)
            .or_else(|| self.v6.bans.pop_ended(now))
        {
            self.lift(client);
            self.version += 1;
        }
    }

    fn unset(&mut self, client: ClientKey) {
        self.set.remove(client);
        self.operator_set.remove(client);
    }

    fn lift(&mut self, client: ClientKey) {
        self.unset(client);
        // A caller that never asks must not make this grow; the snapshot is right in any case.
        if self.lifted.len() < 2 * MAX_BANS {
            self.lifted.push(client);
        }
    }
}

fn is_link_local(client: IpAddr) -> bool {
    matches!(client.to_canonical(), IpAddr::V6(address) if address.is_unicast_link_local())
}

/// IPv4 and IPv6 have tables of their own: addresses of the one are scarce, of the other not.
#[derive(Debug)]
struct Family {
    suspicion: Suspicion,
    bans: Bans,
}

impl Family {
    fn new(suspects: usize, bans: usize) -> Self {
        Self {
            suspicion: Suspicion::new(suspects),
            bans: Bans::new(bans),
        }
    }
}

/// The keys under which a client may be banned.
fn keys_of(client: IpAddr) -> [Option<ClientKey>; 2] {
    let single = match client.to_canonical() {
        IpAddr::V6(address) => Some(ClientKey::V6Address(address)),
        IpAddr::V4(_) => None,
    };
    [Some(ClientKey::of(client)), single]
}

#[cfg(test)]
mod tests;
