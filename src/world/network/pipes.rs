//! Narrow ways: what is sent over them waits for its turn, one packet after another.
//!
//! Each way of each pair of places has its bandwidth to itself. What lies between two regions is shared by all that
//! passes there, behind the link of its own that each packet has.

use super::{Degradation, Hop, joins};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::time::nanos_from_f64;
use crate::model::{Duration, Place};
use crate::world::record::Observer;
use crate::world::{Event, Simulation};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    pub(in crate::world) fn wait_in_line(&mut self, pipe: u32, hop: Hop, event: Event) {
        let waiting = &mut self.world.network.pipes[pipe as usize].waiting;
        waiting.push_back((hop, event));
        if waiting.len() == 1 {
            self.fill_pipe(pipe);
        }
    }

    /// A packet has its own link behind it: what lies between its regions may be narrow as well, and is shared by
    /// all that passes there.
    pub(super) fn cross_regions(&mut self, hop: Hop, event: Event) {
        let links = &self.model.region_links;
        let between = links.iter().position(|link| link.from == hop.from && link.to == hop.to);
        match between.filter(|link| links[*link].narrows) {
            Some(link) => self.wait_in_line((self.model.routes.len() + link) as u32, hop, event),
            None => self.launch(hop, event),
        }
    }

    /// Puts the first packet of a pipe on the wire.
    fn fill_pipe(&mut self, pipe: u32) {
        let Some((hop, _)) = self.world.network.pipes[pipe as usize].waiting.front().copied() else { return };
        let model = self.model;
        let route = &model.routes[hop.route as usize];
        let between = (pipe as usize).checked_sub(model.routes.len()).map(|link| &model.region_links[link]);
        let degraded = self.degraded(route, &hop, |of| match self.is_between_regions(of, &hop) {
            true => of.bandwidth.filter(|_| between.is_some()),
            false => of.bandwidth.filter(|_| between.is_none()),
        });
        let bandwidth =
            self.hits(degraded).unwrap_or_else(|| between.map_or(route.bandwidth, |link| link.bandwidth));
        let length = nanos_from_f64(hop.bytes as f64 / bandwidth * 1e9);
        self.agenda.after(length, Class::Completion, Event::PipeFree { pipe });
    }

    /// A packet has left its pipe; the next one enters.
    pub(in crate::world) fn pipe_free(&mut self, pipe: u32) {
        if let Some((hop, event)) = self.world.network.pipes[pipe as usize].waiting.pop_front() {
            let route = &self.model.routes[hop.route as usize];
            match hop.latency {
                // A store's latencies include the way there.
                Duration::Constant(rest) if route.is_to_a_store() => {
                    self.later(rest, Class::Completion, event);
                }
                _ if pipe as usize >= self.model.routes.len() => self.launch(hop, event),
                _ => self.cross_regions(hop, event),
            }
        }
        self.fill_pipe(pipe);
    }

    /// Whether a degradation is of what lies between the regions of a packet, and of nothing else on its way.
    fn is_between_regions(&self, of: &Degradation, hop: &Hop) -> bool {
        let ends = [Place::Region(hop.from), Place::Region(hop.to)];
        self.region_link(hop).is_some() && joins(&of.places, of.one_way, &ends[..1], &ends[1..])
    }
}
