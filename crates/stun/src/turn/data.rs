//! What is relayed (RFC 8656 sections 11 and 12): no copy, no allocation, no search that grows with the number of clients.

use std::net::SocketAddr;
use std::ops::Range;

use super::Turn;
use super::client::Client;
use super::request::is_understood;
use super::verdict::{Family, Header, Reason, Relay, Verdict};
use crate::Now;
use crate::channel_data;
use crate::message::{self, Class, Message, Method, TransactionId, Writer, attribute};

/// The most bytes of what follows the header of a message.
const LONGEST_MESSAGE: usize = 0xffff;

impl Turn {
    pub(super) fn channel_data(&mut self, client: &Client, bytes: &[u8], now: Now) -> Verdict {
        let Some((channel, payload)) = channel_data::parse(bytes) else {
            return Verdict::Drop(Reason::NotStun);
        };
        let seconds = now.seconds();
        let Some((id, allocation)) = self.table.of_client(client) else {
            return Verdict::Drop(Reason::NoAllocation);
        };
        let Some(peer) = allocation.channel(channel, seconds) else {
            return Verdict::Drop(Reason::NoChannel);
        };
        let family = Family::of(peer);
        let Some(from) = allocation.relayed(family, seconds) else {
            return Verdict::Drop(Reason::NoAllocation);
        };
        let relay = Relay {
            allocation: id,
            family,
        };
        self.relay_up(relay, from, peer, payload, false, now)
    }

    /// A Send indication; it is not answered, whatever is wrong with it.
    pub(super) fn send(&mut self, client: &Client, message: &Message<'_>, now: Now) -> Verdict {
        let seconds = now.seconds();
        if message.not_understood(is_understood).next().is_some() {
            return Verdict::Drop(Reason::NotForUs);
        }
        let Some((id, allocation)) = self.table.of_client(client) else {
            return Verdict::Drop(Reason::NoAllocation);
        };
        let mut peer = None;
        let mut data = None;
        let mut dont_fragment = false;
        for found in message.attributes() {
            match found.kind {
                attribute::XOR_PEER_ADDRESS if peer.is_none() => peer = found.xor_address(message),
                attribute::DATA if data.is_none() => data = range_in(message.bytes(), found.value),
                attribute::DONT_FRAGMENT => dont_fragment = true,
                _ => {}
            }
        }
        let (Some(peer), Some(data)) = (peer, data) else {
            return Verdict::Drop(Reason::NotForUs);
        };
        let Ok(peer) = self.peers.judge(peer) else {
            return Verdict::Drop(Reason::Peer);
        };
        let family = Family::of(peer);
        let Some(from) = allocation.relayed(family, seconds) else {
            return Verdict::Drop(Reason::NoAllocation);
        };
        if !allocation.permits(peer.ip(), seconds) {
            return Verdict::Drop(Reason::NoPermission);
        }
        let relay = Relay {
            allocation: id,
            family,
        };
        self.relay_up(relay, from, peer, data, dont_fragment, now)
    }

    /// From a client to a peer who is let in.
    fn relay_up(
        &mut self,
        relay: Relay,
        from: SocketAddr,
        peer: SocketAddr,
        payload: Range<usize>,
        dont_fragment: bool,
        now: Now,
    ) -> Verdict {
        let Some(allocation) = self.table.get(relay.allocation) else {
            return Verdict::Drop(Reason::NoAllocation);
        };
        let bytes = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let milliseconds = now.milliseconds();
        let each = self.config.bytes_per_second;
        let all = self.config.bytes_per_second_in_all;
        if !allocation.up.take(bytes, each, milliseconds)
            || !self.all.take(bytes, all, milliseconds)
        {
            return Verdict::Drop(Reason::Bandwidth);
        }
        allocation.traffic.packets_up += 1;
        allocation.traffic.bytes_up += u64::from(bytes);
        if self.peers.is_relayed(peer) {
            return Verdict::ToOwnRelay {
                relay: self.table.at(peer),
                to: peer,
                from,
                payload,
            };
        }
        Verdict::ToPeer {
            relay,
            peer,
            payload,
            dont_fragment,
        }
    }

    pub(super) fn relay_down(
        &mut self,
        relay: Relay,
        peer: SocketAddr,
        length: usize,
        now: Now,
    ) -> Verdict {
        let seconds = now.seconds();
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let Some(allocation) = self.table.get(relay.allocation) else {
            return Verdict::Drop(Reason::NoAllocation);
        };
        if allocation.relayed(relay.family, seconds).is_none() {
            return Verdict::Drop(Reason::NoAllocation);
        }
        if !allocation.permits(peer.ip(), seconds) {
            return Verdict::Drop(Reason::NoPermission);
        }
        let client = allocation.client;
        let padding = channel_data::padding(length);
        let framed = if let Some(channel) = allocation.channel_of(peer, seconds) {
            let padding = if client.is_stream() { padding } else { 0 };
            channel
                .header(length)
                .map(|header| (Header::channel_data(header), padding))
        } else {
            let transaction = TransactionId(self.transactions.next());
            data_indication(peer, length, transaction).map(|header| (header, padding))
        };
        let Some((header, padding)) = framed else {
            return Verdict::Drop(Reason::Size);
        };
        let bytes = u32::try_from(length).unwrap_or(u32::MAX);
        let milliseconds = now.milliseconds();
        let each = self.config.bytes_per_second;
        let all = self.config.bytes_per_second_in_all;
        if !allocation.down.take(bytes, each, milliseconds)
            || !self.all.take(bytes, all, milliseconds)
        {
            return Verdict::Drop(Reason::Bandwidth);
        }
        allocation.traffic.packets_down += 1;
        allocation.traffic.bytes_down += u64::from(bytes);
        Verdict::ToClient {
            client,
            header,
            padding,
        }
    }

    /// Tells the client of an ICMP error (RFC 8656 sections 11.5 and 18.13).
    pub(super) fn icmp(
        &mut self,
        relay: Relay,
        peer: SocketAddr,
        error: (u8, u8, [u8; 4]),
        now: Now,
        out: &mut [u8],
    ) -> Verdict {
        let seconds = now.seconds();
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let Some(allocation) = self.table.get(relay.allocation) else {
            return Verdict::Drop(Reason::NoAllocation);
        };
        if !allocation.permits(peer.ip(), seconds) {
            return Verdict::Drop(Reason::NoPermission);
        }
        let (kind, code, data) = error;
        let [high, low] = (u16::from(kind & 0x7f) << 9 | u16::from(code)).to_be_bytes();
        let client = allocation.client;
        let transaction = TransactionId(self.transactions.next());
        let mut writer = Writer::new(out, Class::Indication, Method::DATA, transaction);
        writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        let [a, b, c, d] = data;
        writer.attribute(attribute::ICMP, &[0, 0, high, low, a, b, c, d]);
        match writer.finish() {
            Ok(length) => Verdict::Answer { client, length },
            Err(_) => Verdict::Drop(Reason::Size),
        }
    }
}

/// A Data indication up to its data; none if it would be too long.
fn data_indication(peer: SocketAddr, length: usize, transaction: TransactionId) -> Option<Header> {
    let mut bytes = [0; Header::LONGEST];
    let mut writer = Writer::new(&mut bytes, Class::Indication, Method::DATA, transaction);
    writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
    let end = writer.finish().ok()?;
    bytes[end..end + 2].copy_from_slice(&attribute::DATA.to_be_bytes());
    bytes[end + 2..end + 4].copy_from_slice(&u16::try_from(length).ok()?.to_be_bytes());
    let whole = end + 4 - message::HEADER + length.next_multiple_of(4);
    if whole > LONGEST_MESSAGE {
        return None;
    }
    bytes[2..4].copy_from_slice(&u16::try_from(whole).ok()?.to_be_bytes());
    Some(Header::new(&bytes[..end + 4]))
}

/// Where a part of the bytes stands in them.
fn range_in(bytes: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= bytes.len()).then_some(start..end)
}
