//! Allocate (RFC 8656 section 7.2): what is wanted, whether there may be one more, and the answer once its sockets are open.

use std::net::SocketAddr;

use super::allocation::{Allocation, Pending, Relayed, Traffic};
use super::bucket::Bucket;
use super::client::Source;
use super::quota::Over;
use super::request::{Reply, Request};
use super::verdict::{
    AllocationId, CanNotOpen, Family, Open, Opened, Output, Reason, Relay, Token, Verdict,
};
use super::{Turn, lifetime};
use crate::Now;
use crate::message::{Class, Message, Method, attribute};

/// Seconds that sockets may take to be opened.
const OPENING: u32 = 10;
/// Seconds that a port waits for whoever has its token (RFC 8656 section 7.2).
pub(super) const RESERVED: u32 = 30;
/// UDP, as IP numbers it.
const UDP: u8 = 17;

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    v4: bool,
    v6: bool,
    is_even: bool,
    wants_reservation: bool,
    reserved: Option<Token>,
}

impl Turn {
    pub(super) fn allocate(&mut self, request: &Request<'_>, out: &mut [u8]) -> Verdict {
        let seconds = request.seconds();
        self.forget_if_over(&request.client, seconds);
        if let Some((_, held)) = self.table.of_client(&request.client) {
            let is_again = held.transaction == request.message.transaction()
                && held.account == request.proven.account;
            return match held.pending {
                Some(_) if is_again => Verdict::Drop(Reason::Busy),
                None if is_again => granted(&request.reply(), held, out),
                _ => request.deny(437, out),
            };
        }
        match self.begin(request) {
            Ok(()) => Verdict::Nothing,
            Err(code) => request.deny(code, out),
        }
    }

    /// Begins an allocation: its sockets are wanted from now on.
    fn begin(&mut self, request: &Request<'_>) -> Result<(), u16> {
        let wanted = self.wanted(&request.message)?;
        let told = lifetime(&request.message)?;
        // A token of another worker is for the caller to look up.
        let is_spent = |token: Token| {
            token.0[0] == self.config.worker && !self.reservations.has(token, request.seconds())
        };
        if wanted.reserved.is_some_and(is_spent) {
            return Err(508);
        }
        if self.is_draining
            || self.table.len() >= self.config.allocations
            || self.outputs.len() >= super::MOST_OUTPUTS
            || (wanted.wants_reservation && self.reservations.is_full())
        {
            return Err(508);
        }
        let source = Source::of(request.client.address.ip());
        self.quotas
            .take(request.proven.account, source)
            .map_err(|over| match over {
                Over::All => 508_u16,
                Over::Own => 486,
            })?;
        if let Some(token) = wanted.reserved {
            self.reservations.take(token);
        }
        let reserve = wanted.wants_reservation.then(|| self.token());
        let open = Open {
            v4: wanted.v4,
            v6: wanted.v6,
            is_even: wanted.is_even,
            reserve,
            reserved: wanted.reserved,
        };
        let milliseconds = request.now.milliseconds();
        let bucket = Bucket::full(self.config.bytes_per_second, milliseconds);
        let allocation = Allocation {
            client: request.client,
            account: request.proven.account,
            transaction: request.message.transaction(),
            lifetime: self.granted_lifetime(told),
            token: reserve,
            wanted: [wanted.v4, wanted.v6],
            pending: Some(Box::new(Pending {
                open,
                proven: request.proven.clone(),
                has_fingerprint: request.message.fingerprint().is_some(),
            })),
            relayed: [None; 2],
            permissions: Vec::new(),
            channels: Vec::new(),
            up: bucket,
            down: bucket,
            traffic: Traffic::default(),
        };
        let due = request.seconds().saturating_add(OPENING);
        let allocation = self.table.insert(allocation, due);
        self.outputs.push_back(Output::Open { allocation, open });
        Ok(())
    }

    /// Reads what is wanted; otherwise the code of the error, in the order of RFC 8656 section 7.2.
    fn wanted(&self, message: &Message<'_>) -> Result<Wanted, u16> {
        match message.first(attribute::REQUESTED_TRANSPORT) {
            Some(&[UDP, _, _, _]) => {}
            Some([_, _, _, _]) => return Err(442),
            _ => return Err(400),
        }
        let even = match message.first(attribute::EVEN_PORT) {
            None => None,
            Some([bits]) => Some(bits & 0x80 != 0),
            Some(_) => return Err(400),
        };
        let requested = message.first(attribute::REQUESTED_ADDRESS_FAMILY);
        let additional = message.first(attribute::ADDITIONAL_ADDRESS_FAMILY);
        let reserved = match message.first(attribute::RESERVATION_TOKEN) {
            None => None,
            Some(token) => Some(Token(token.try_into().map_err(|_| 400_u16)?)),
        };
        if reserved.is_some() && (even.is_some() || requested.is_some() || additional.is_some()) {
            return Err(400);
        }
        let mut wanted = Wanted {
            v4: true,
            v6: false,
            is_even: even.is_some(),
            wants_reservation: even == Some(true),
            reserved,
        };
        match (requested, additional) {
            (None, None) => {}
            (Some(_), Some(_)) => return Err(400),
            (Some(value), None) => {
                let family = family(value)?;
                (wanted.v4, wanted.v6) = (family == Family::V4, family == Family::V6);
            }
            (None, Some(value)) => match (family(value), even) {
                (Ok(Family::V6), None | Some(false)) => wanted.v6 = true,
                _ => return Err(400),
            },
        }
        let has = |is_wanted: bool, is_there: bool| !is_wanted || is_there;
        let is_dual = wanted.v4 && wanted.v6;
        let has_v4 = has(wanted.v4, self.config.ipv4);
        let has_v6 = has(wanted.v6, self.config.ipv6);
        if wanted.reserved.is_none() && !(has_v4 && has_v6) && !(is_dual && (has_v4 || has_v6)) {
            return Err(440);
        }
        Ok(wanted)
    }

    /// Takes the sockets, and answers the request that has wanted them.
    pub(super) fn opened(
        &mut self,
        id: AllocationId,
        result: Result<Opened, CanNotOpen>,
        now: Now,
        out: &mut [u8],
    ) -> Verdict {
        let opened = result.unwrap_or_default();
        let pending = self
            .table
            .get(id)
            .and_then(|allocation| allocation.pending.take());
        let Some(pending) = pending else {
            self.close_opened(id, opened);
            return Verdict::Drop(Reason::NoAllocation);
        };
        let until = {
            let Some(allocation) = self.table.get(id) else {
                return Verdict::Drop(Reason::NoAllocation);
            };
            now.seconds().saturating_add(allocation.lifetime)
        };
        let is_enough = is_enough(&pending.open, opened);
        let addresses: Vec<SocketAddr> = opened.v4.into_iter().chain(opened.v6).collect();
        if let Some(allocation) = self.table.get(id) {
            for told in addresses.iter().copied() {
                allocation.relayed[Family::of(told).index()] = Some(Relayed { told, until });
            }
        }
        for told in addresses {
            self.table.note_relayed(told, id);
        }
        let Some(allocation) = self.table.get(id) else {
            return Verdict::Drop(Reason::NoAllocation);
        };
        let reply = Reply {
            client: allocation.client,
            method: Method::ALLOCATE,
            transaction: allocation.transaction,
            has_fingerprint: pending.has_fingerprint,
            proven: Some(&pending.proven),
        };
        if !is_enough {
            let verdict = reply.error(508, out);
            self.remove(id);
            return verdict;
        }
        let verdict = granted(&reply, allocation, out);
        if let Some(token) = pending.open.reserve {
            self.reservations.put(token, now.seconds());
        }
        self.table.set_due(id, until);
        verdict
    }

    /// Closes what nobody waits for any more.
    fn close_opened(&mut self, allocation: AllocationId, opened: Opened) {
        for told in opened.v4.into_iter().chain(opened.v6) {
            let family = Family::of(told);
            let relay = Relay { allocation, family };
            self.outputs.push_back(Output::Close { relay });
        }
    }
}

/// Whether there is what was asked for; of two families one is enough.
fn is_enough(open: &Open, opened: Opened) -> bool {
    let has_address = if open.reserved.is_some() {
        opened.v4.is_some() || opened.v6.is_some()
    } else {
        (open.v4 && opened.v4.is_some()) || (open.v6 && opened.v6.is_some())
    };
    has_address && (open.reserve.is_none() || opened.is_reserved)
}

/// The answer to an allocation that there is.
fn granted(reply: &Reply<'_>, allocation: &Allocation, out: &mut [u8]) -> Verdict {
    let has_some = |held: &[Option<Relayed>; 2]| held.iter().flatten().count() == 1;
    let lacks_one = allocation.wanted == [true, true] && has_some(&allocation.relayed);
    reply.write(Class::Success, out, |writer| {
        for relayed in allocation.relayed.iter().flatten() {
            writer.xor_address(attribute::XOR_RELAYED_ADDRESS, relayed.told);
        }
        writer.number(attribute::LIFETIME, allocation.lifetime);
        if let Some(Token(token)) = allocation.token {
            writer.attribute(attribute::RESERVATION_TOKEN, &token);
        }
        writer.xor_address(attribute::XOR_MAPPED_ADDRESS, reply.client.address);
        if lacks_one {
            let missing = if allocation.relayed[0].is_none() {
                1
            } else {
                2
            };
            writer.attribute(attribute::ADDRESS_ERROR_CODE, &[missing, 0, 5, 8]);
        }
    })
}

/// The family that an attribute names.
pub(super) fn family(value: &[u8]) -> Result<Family, u16> {
    match value {
        [1, _, _, _] => Ok(Family::V4),
        [2, _, _, _] => Ok(Family::V6),
        [_, _, _, _] => Err(440),
        _ => Err(400),
    }
}
