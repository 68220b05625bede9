//! Ends that a fault of the network parts: statements, answers and copies of rows wait until it is over.

use super::{Degradation, Split, StoreLeg, joins};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::StreamId;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::Nanos;
use crate::model::Place;
use crate::world::loss::RETRANSMISSION;
use crate::world::record::Observer;
use crate::world::{Event, Simulation};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Holds back an attempt's statement to its store, or the store's answer, while a split parts them or all that
    /// is sent between them is lost.
    pub(in crate::world) fn held_from_store(&mut self, attempt: u32, way: StoreLeg, event: Event) -> bool {
        if !self.world.network.is_disturbed() {
            return false;
        }
        let instance = &self.model.instances[self.world.attempts[attempt].instance as usize];
        let store = &self.model.stores[self.store_of(attempt)];
        let own = [Place::Service(instance.service), Place::Region(instance.region)];
        let other = [Place::Store(store.service), Place::Region(store.region)];
        let (from, to) = match way {
            StoreLeg::There => (own, other),
            StoreLeg::Back => (other, own),
        };
        let is_held = self.are_parted(&from, &to, self.agenda.now());
        if is_held {
            self.hold_statement(event);
        }
        is_held
    }

    /// How much longer than without loss it takes from one end to another over a connection, between these regions;
    /// `None`: the link between them lets nothing through.
    pub(in crate::world) fn resent(
        &mut self,
        trouble: StreamId,
        draw: DrawKey,
        (from, to): (&[Place], &[Place]),
        regions: (u16, u16),
    ) -> Option<Nanos> {
        let degradations = self.world.network.degradations.iter().rev();
        let degraded = degradations
            .filter(|of| joins(&of.places, of.one_way, from, to))
            .find_map(|of| Some((of.firing, of.loss?)));
        // One that lets nothing through holds back what is sent.
        let degraded = degraded.filter(|(_, loss)| *loss < 1.0);
        let own = degraded.map_or(0.0, |(_, loss)| loss);
        let links = &self.model.region_links;
        let link = links.iter().find(|link| regions.0 != regions.1 && (link.from, link.to) == regions);
        let between = link.map_or(0.0, |link| link.loss);
        if between >= 1.0 {
            return None;
        }
        let loss = 1.0 - (1.0 - own) * (1.0 - between);
        if loss == 0.0 {
            return Some(0);
        }
        let again = link.map_or(RETRANSMISSION, |link| link.retransmit_after);
        let hit = degraded.filter(|(_, loss)| *loss > 0.0).map(|(firing, _)| firing);
        Some(self.retransmissions(trouble, draw, loss, again, |this| {
            if let Some(firing) = hit {
                this.touched(firing);
            }
        }))
    }

    /// What would reach a store, or a copy of it, waits until a fault of the network is over.
    pub(in crate::world) fn hold_statement(&mut self, event: Event) {
        self.world.network.held_statements.push(event);
    }

    /// Whether faults that had begun by a time let nothing through from one end to another: they have hit it.
    pub(in crate::world) fn are_parted(&mut self, from: &[Place], to: &[Place], by: Nanos) -> bool {
        let parts = |split: &Split| split.since <= by && joins(&split.places, split.one_way, from, to);
        let splits = self.world.network.splits.iter().filter(|split| parts(split));
        let mut hit: Vec<u32> = splits.map(|split| split.firing).collect();
        let loses = |of: &&Degradation| {
            of.since <= by && of.loss.is_some() && joins(&of.places, of.one_way, from, to)
        };
        let losing = self.world.network.degradations.iter().rev().find(loses);
        hit.extend(losing.filter(|of| of.loss.is_some_and(|loss| loss >= 1.0)).map(|of| of.firing));
        let are_parted = !hit.is_empty();
        hit.into_iter().for_each(|firing| self.touched(firing));
        are_parted
    }
}
