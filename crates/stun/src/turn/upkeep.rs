//! What a client does with an allocation that he has: Refresh, `CreatePermission`, `ChannelBind` (RFC 8656 sections 8, 10, 12).

use std::net::{IpAddr, SocketAddr};

use super::allocate::family;
use super::request::Request;
use super::verdict::{AllocationId, Family, Output, Relay, Verdict};
use super::{Turn, lifetime};
use crate::channel_data::Channel;
use crate::message::{Class, attribute};
use crate::peer::{Peers, Refused};

/// The most peers of one `CreatePermission`.
const MOST_PEERS: usize = 32;

impl Turn {
    pub(super) fn refresh(&mut self, request: &Request<'_>, out: &mut [u8]) -> Verdict {
        match self.refreshed(request) {
            Ok(seconds) => request.reply().write(Class::Success, out, |writer| {
                writer.number(attribute::LIFETIME, seconds);
            }),
            Err(code) => request.deny(code, out),
        }
    }

    pub(super) fn create_permission(&mut self, request: &Request<'_>, out: &mut [u8]) -> Verdict {
        match self.permitted(request) {
            Ok(()) => request.reply().write(Class::Success, out, |_| {}),
            Err(code) => request.deny(code, out),
        }
    }

    pub(super) fn channel_bind(&mut self, request: &Request<'_>, out: &mut [u8]) -> Verdict {
        match self.bound(request) {
            Ok(()) => request.reply().write(Class::Success, out, |_| {}),
            Err(code) => request.deny(code, out),
        }
    }

    /// The allocation of the request; 437 if there is none, 441 if it is somebody else's.
    fn own(&mut self, request: &Request<'_>) -> Result<AllocationId, u16> {
        self.forget_if_over(&request.client, request.seconds());
        match self.table.of_client(&request.client) {
            Some((_, held)) if held.pending.is_some() => Err(437),
            Some((_, held)) if held.account != request.proven.account => Err(441),
            Some((id, _)) => Ok(id),
            None => Err(437),
        }
    }

    fn refreshed(&mut self, request: &Request<'_>) -> Result<u32, u16> {
        let id = self.own(request)?;
        let now = request.seconds();
        let told = lifetime(&request.message)?;
        let only = request.message.first(attribute::REQUESTED_ADDRESS_FAMILY);
        let only = only.map(family).transpose()?;
        let granted = match told {
            Some(0) => 0,
            told => self.granted_lifetime(told),
        };
        let allocation = self.table.get(id).ok_or(437_u16)?;
        if only.is_some_and(|only| allocation.relayed(only, now).is_none()) {
            return Err(443);
        }
        for family in [Family::V4, Family::V6] {
            let is_meant = only.is_none_or(|only| only == family);
            if let Some(held) = allocation.relayed[family.index()]
                .as_mut()
                .filter(|_| is_meant)
            {
                held.until = now.saturating_add(granted);
            }
        }
        self.look_at(id, now);
        Ok(granted)
    }

    fn permitted(&mut self, request: &Request<'_>) -> Result<(), u16> {
        let id = self.own(request)?;
        let now = request.seconds();
        let mut peers: Vec<IpAddr> = Vec::new();
        let named = request.message.attributes();
        for found in named.filter(|found| found.kind == attribute::XOR_PEER_ADDRESS) {
            let peer = found.xor_address(&request.message).ok_or(400_u16)?;
            if peers.len() == MOST_PEERS {
                return Err(508);
            }
            peers.push(peer.ip());
        }
        if peers.is_empty() {
            return Err(400);
        }
        for peer in &mut peers {
            *peer = self.reachable(id, *peer, now, Peers::judge_address)?;
        }
        let most = self.config.permissions;
        let allocation = self.table.get(id).ok_or(437_u16)?;
        if !allocation.has_room_for(&peers, most, now) {
            return Err(508);
        }
        for peer in peers {
            allocation.permit(peer, now);
        }
        Ok(())
    }

    fn bound(&mut self, request: &Request<'_>) -> Result<(), u16> {
        let id = self.own(request)?;
        let now = request.seconds();
        let message = &request.message;
        let number = match message.first(attribute::CHANNEL_NUMBER) {
            Some(&[high, low, _, _]) => u16::from_be_bytes([high, low]),
            _ => return Err(400),
        };
        let channel = Channel::new(number).ok_or(400_u16)?;
        let peer = message
            .attributes()
            .find(|found| found.kind == attribute::XOR_PEER_ADDRESS)
            .and_then(|found| found.xor_address(message))
            .ok_or(400_u16)?;
        let ip = self.reachable(id, peer.ip(), now, |peers, ip| {
            peers
                .judge(SocketAddr::new(ip, peer.port()))
                .map(|peer| peer.ip())
        })?;
        let (permissions, channels) = (self.config.permissions, self.config.channels);
        let allocation = self.table.get(id).ok_or(437_u16)?;
        if !allocation.has_room_for(&[ip], permissions, now) {
            return Err(508);
        }
        allocation.bind(channel, SocketAddr::new(ip, peer.port()), channels, now)?;
        allocation.permit(ip, now);
        Ok(())
    }

    /// The peer as what it is, if it is of a family that the allocation has (443 otherwise) and may be reached (403).
    fn reachable(
        &mut self,
        id: AllocationId,
        ip: IpAddr,
        now: u32,
        judge: impl FnOnce(&Peers, IpAddr) -> Result<IpAddr, Refused>,
    ) -> Result<IpAddr, u16> {
        let family = Family::of_ip(ip.to_canonical());
        let allocation = self.table.get(id).ok_or(437_u16)?;
        if allocation.relayed(family, now).is_none() {
            return Err(443);
        }
        judge(&self.peers, ip).map_err(|_| 403)
    }

    /// Closes what is over of an allocation, and says when it is to be looked at again.
    pub(super) fn look_at(&mut self, id: AllocationId, now: u32) {
        let Some(allocation) = self.table.get(id) else {
            return;
        };
        if allocation.pending.is_some() || allocation.is_over(now) {
            self.remove(id);
            return;
        }
        for family in [Family::V4, Family::V6] {
            let Some(allocation) = self.table.get(id) else {
                return;
            };
            let held = &mut allocation.relayed[family.index()];
            if let Some(over) = held.take_if(|held| held.until <= now) {
                self.table.forget_relayed(over.told, id);
                let relay = Relay {
                    allocation: id,
                    family,
                };
                self.outputs.push_back(Output::Close { relay });
            }
        }
        let next = self.table.get(id).and_then(|allocation| {
            let held = allocation.relayed.iter().flatten();
            held.map(|held| held.until).min()
        });
        if let Some(next) = next {
            self.table.set_due(id, next);
        }
    }
}
