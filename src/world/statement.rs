//! What an attempt says to its store, and the store's answer, on a way that may be narrow.
//!
//! A store's latencies include the way there; a link that is written adds to them. Where its bandwidth is limited,
//! statements and answers queue like packets. What one takes is counted in the values that it carries: 8 bytes for
//! each, and 100 bytes around them; an outbox row is as large as its message.

use super::attempt::Wait;
use super::network::{Hop, StoreLeg};
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::Nanos;
use crate::model::{Duration, NONE, RowVerb};

/// Protocol, names, addresses.
const AROUND_BYTES: u64 = 100;
/// One value.
const VALUE_BYTES: u64 = 8;

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Has a statement or an answer arrive after `length`, and after its turn.
    pub(super) fn carry_statement(&mut self, attempt: u32, way: StoreLeg, length: Nanos, event: Event) {
        let hop = match self.world.network.has_pipes() {
            true => self.narrow_way(attempt, way, length),
            false => None,
        };
        match hop {
            Some((pipe, hop)) => self.wait_in_line(pipe, hop, event),
            None => drop(self.later(length, Class::Completion, event)),
        }
    }

    /// The way to a store or back, if its bandwidth is limited now and then.
    fn narrow_way(&self, attempt: u32, way: StoreLeg, length: Nanos) -> Option<(u32, Hop)> {
        let model = self.model;
        let instance = &model.instances[self.world.attempts[attempt].instance as usize];
        let between = model.services[instance.service.index()].store_way.as_ref()?;
        let store = model.stores[self.store_of(attempt)].region;
        let (route, trouble, from, to) = match way {
            StoreLeg::There => (between.there, between.hops.trouble, instance.region, store),
            StoreLeg::Back => (between.back, between.hops.trouble_back, store, instance.region),
        };
        let pipe = model.routes[route as usize].pipe;
        let (latency, bytes) = (Duration::Constant(length), AROUND_BYTES + self.carried_bytes(attempt, way));
        let draw = DrawKey::numbered(0, 0);
        (pipe != NONE)
            .then_some((pipe, Hop { route, latency, trouble, draw, from, to, bytes, channel: None }))
    }

    /// What an attempt's statement says, or the answer to it.
    fn carried_bytes(&self, attempt: u32, way: StoreLeg) -> u64 {
        let model = self.model;
        let of = &self.world.attempts[attempt];
        let step = match of.wait {
            Wait::Row { step } | Wait::QuorumWrite { step } | Wait::RowAnswer { step } => {
                &model.row_steps[step as usize]
            }
            Wait::Outbox { step } => {
                return model.messages[model.publishes[step as usize].message.index()].size_bytes;
            }
            _ => return 0,
        };
        let table = &model.tables[step.table.index()];
        let values = match (way, step.verb) {
            (StoreLeg::There, verb) if verb.reads() => table.key.len() as u64,
            (StoreLeg::There, _) => u64::from(table.columns),
            (StoreLeg::Back, RowVerb::Scan) => {
                step.result.map_or(0, |found| self.world.lists.get(self.local(attempt, found)).len() as u64)
            }
            (StoreLeg::Back, verb) if verb.reads() => u64::from(table.columns),
            (StoreLeg::Back, _) => 0,
        };
        values * VALUE_BYTES
    }
}
