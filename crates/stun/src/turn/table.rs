//! All allocations of a worker, found by client, by relayed address, and by when they end.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

use super::allocation::Allocation;
use super::client::Client;
use super::verdict::{AllocationId, Family, Relay};

#[derive(Debug)]
pub(super) struct Table {
    places: Vec<Place>,
    free: Vec<u32>,
    clients: HashMap<Client, u32, SeedableRandomState>,
    relayed: HashMap<SocketAddr, Relay, SeedableRandomState>,
    /// One entry for each allocation: when it is to be looked at.
    due: BTreeSet<(u32, u32)>,
}

#[derive(Debug, Default)]
struct Place {
    generation: u32,
    due: u32,
    allocation: Option<Box<Allocation>>,
}

impl Table {
    pub(super) fn new(seed: u64) -> Self {
        let hasher = SeedableRandomState::with_seed(seed, SharedSeed::global_fixed());
        Self {
            places: Vec::new(),
            free: Vec::new(),
            clients: HashMap::with_hasher(hasher.clone()),
            relayed: HashMap::with_hasher(hasher),
            due: BTreeSet::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    pub(super) fn insert(&mut self, allocation: Allocation, due: u32) -> AllocationId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            u32::try_from(self.places.len() - 1).expect("there are fewer allocations than ports")
        });
        self.clients.insert(allocation.client, place);
        self.due.insert((due, place));
        let held = &mut self.places[place as usize];
        held.due = due;
        held.allocation = Some(Box::new(allocation));
        AllocationId {
            place,
            generation: held.generation,
        }
    }

    pub(super) fn of_client(&mut self, client: &Client) -> Option<(AllocationId, &mut Allocation)> {
        let place = *self.clients.get(client)?;
        let held = self.places.get_mut(place as usize)?;
        let id = AllocationId {
            place,
            generation: held.generation,
        };
        held.allocation.as_deref_mut().map(|found| (id, found))
    }

    pub(super) fn get(&mut self, id: AllocationId) -> Option<&mut Allocation> {
        let held = self.places.get_mut(id.place as usize)?;
        if held.generation != id.generation {
            return None;
        }
        held.allocation.as_deref_mut()
    }

    pub(super) fn at(&self, relayed: SocketAddr) -> Option<Relay> {
        self.relayed.get(&relayed).copied()
    }

    pub(super) fn note_relayed(&mut self, told: SocketAddr, allocation: AllocationId) {
        let family = Family::of(told);
        self.relayed.insert(told, Relay { allocation, family });
    }

    pub(super) fn forget_relayed(&mut self, told: SocketAddr, allocation: AllocationId) {
        let is_its = |relay: &Relay| relay.allocation == allocation;
        if self.relayed.get(&told).is_some_and(is_its) {
            self.relayed.remove(&told);
        }
    }

    /// When the allocation is to be looked at next.
    pub(super) fn set_due(&mut self, id: AllocationId, due: u32) {
        let Some(held) = self.places.get_mut(id.place as usize) else {
            return;
        };
        if self.due.remove(&(held.due, id.place)) {
            held.due = due;
            self.due.insert((due, id.place));
        }
    }

    pub(super) fn first_due(&self) -> Option<(u32, AllocationId)> {
        let (due, place) = *self.due.first()?;
        let generation = self.places.get(place as usize)?.generation;
        Some((due, AllocationId { place, generation }))
    }

    pub(super) fn remove(&mut self, id: AllocationId) -> Option<Box<Allocation>> {
        self.get(id)?;
        let held = self.places.get_mut(id.place as usize)?;
        let allocation = held.allocation.take()?;
        held.generation = held.generation.wrapping_add(1);
        self.due.remove(&(held.due, id.place));
        self.clients.remove(&allocation.client);
        self.free.push(id.place);
        for held in allocation.relayed.iter().flatten() {
            self.forget_relayed(held.told, id);
        }
        Some(allocation)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (AllocationId, &Allocation)> {
        self.places.iter().zip(0..).filter_map(|(held, place)| {
            let generation = held.generation;
            let id = AllocationId { place, generation };
            held.allocation.as_deref().map(|found| (id, found))
        })
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Allocation> {
        let held = self.places.iter_mut();
        held.filter_map(|held| held.allocation.as_deref_mut())
    }
}
