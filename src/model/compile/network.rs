//! Routes: which link a message from one place to another takes, and the streams of its hops.

use super::Compiler;
use super::steps::push;
use crate::kernel::distribution::Shape;
use crate::kernel::ids::*;
use crate::kernel::stream::Draw;
use crate::kernel::time::{MILLISECOND, Nanos, nanos_from_f64};
use crate::model::code::{Duration, Hops, NONE};
use crate::model::{Place, RegionLink, Route, StoreWay};
use crate::scenario::resolved::{self as scenario, End, GeneratorKind};

impl<'s> Compiler<'s> {
    /// The route between two places: the first written link that joins them, else the default.
    pub fn route(&mut self, from: Place, to: Place) -> u32 {
        if let Some(route) = self.routes.get(&(from, to)) {
            return *route;
        }
        let written = self.written_link(from, to);
        let (knobs, name) = match written {
            Some(link) => (link.knobs.clone(), link.name.clone()),
            None => {
                let name = format!("{} → {}", self.place_name(from), self.place_name(to));
                (self.unwritten(from, to), name)
            }
        };
        let names = &mut self.model.names.links;
        let link = match names.iter().position(|known| *known == name) {
            Some(link) => LinkId::new(link),
            None => LinkId(push(names, name)),
        };
        let route = Route {
            link,
            from,
            to,
            loss: knobs.loss,
            duplicate: knobs.duplicate,
            bandwidth: knobs.bandwidth.unwrap_or(f64::INFINITY),
            // Each way of each pair has the bandwidth to itself.
            pipe: match knobs.bandwidth.is_some() || self.is_degraded(|_, bandwidth| bandwidth) {
                true => self.model.routes.len() as u32,
                false => NONE,
            },
            datagram: knobs.datagram,
            retransmit_after: retransmit_after(&knobs.latency),
            reorders: (!knobs.datagram || self.is_made_a_stream())
                && (super::parts::fixed(&knobs.latency).is_none()
                    || knobs.loss > 0.0
                    || !self.model.region_links.is_empty()
                    || self.is_degraded(|latency, _| latency)),
        };
        let route = push(&mut self.model.routes, route);
        self.routes.insert((from, to), route);
        route
    }

    /// The streams of a step that crosses the network both ways.
    pub fn hops(&mut self, there: u32, back: u32, path: &str, routed: bool) -> Hops {
        let there = self.hop(there, format!("{path}/there"));
        let back = self.hop(back, format!("{path}/back"));
        let mut stream = |role: &str, wanted: bool| {
            if wanted { self.stream(format!("{path}/{role}"), Draw::Bits) } else { StreamId(NONE) }
        };
        Hops {
            there,
            back,
            routing: stream("routing", routed),
            routing_second: stream("routing second", routed),
            trouble: stream("trouble", true),
            trouble_back: stream("trouble back", true),
        }
    }

    /// The latency of one hop.
    pub fn hop(&mut self, route: u32, name: String) -> Duration {
        let route = &self.model.routes[route as usize];
        let (from, to) = (route.from, route.to);
        let latency = match self.written_link(from, to) {
            Some(link) => link.knobs.latency.clone(),
            None => self.unwritten(from, to).latency,
        };
        self.generated_duration(&latency, &name)
    }

    /// What a way is like that no link describes: as the default, but for the way to a store, whose
    /// latencies include it.
    fn unwritten(&self, from: Place, to: Place) -> scenario::LinkKnobs {
        let default = self.scenario.network.default.clone();
        if !matches!((from, to), (Place::Store(_), _) | (_, Place::Store(_))) {
            return default;
        }
        let mut latency = default.latency;
        latency.kind = GeneratorKind::Distribution(super::parts::plain(Shape::Constant(0.0)));
        scenario::LinkKnobs { latency, loss: 0.0, bandwidth: None, datagram: false, duplicate: 0.0 }
    }

    /// Whether some fault changes latencies or bandwidths (first and second argument of `how`).
    fn is_degraded(&self, how: impl Fn(bool, bool) -> bool) -> bool {
        self.scenario.faults.iter().any(|fault| match &fault.kind {
            scenario::FaultKind::Degrade { latency, loss, bandwidth, .. } => {
                how(latency.is_some() || loss.is_some(), bandwidth.is_some())
            }
            _ => false,
        })
    }

    /// Whether some fault makes datagrams a stream.
    fn is_made_a_stream(&self) -> bool {
        self.scenario
            .faults
            .iter()
            .any(|fault| matches!(fault.kind, scenario::FaultKind::Degrade { datagram: Some(false), .. }))
    }

    fn names_in_fault(&self, end: &End) -> bool {
        self.scenario.faults.iter().any(|fault| match &fault.kind {
            scenario::FaultKind::Degrade { ends, .. } => ends.contains(end),
            _ => false,
        })
    }

    /// The way between a service and its store, if there is anything to it beside the store's latencies:
    /// a link that is written, a degradation that may come, or regions apart.
    pub fn store_way(&mut self, service: ServiceId, store: u32) -> Option<StoreWay> {
        let owner = self.model.stores[store as usize].service;
        let ends = (Place::Service(service), Place::Store(owner));
        let is_named = self.written_link(ends.0, ends.1).is_some()
            || self.written_link(ends.1, ends.0).is_some()
            || self.names_in_fault(&End::Store(owner))
            || self.model.stores[store as usize].region != u16::MAX;
        if !is_named {
            return None;
        }
        let there = self.route(ends.0, ends.1);
        let back = self.route(ends.1, ends.0);
        let name = format!("{}/store", self.scenario.services[service.index()].name);
        let hops = self.hops(there, back, &name, false);
        Some(StoreWay { there, back, hops })
    }

    /// Links between regions; they add to whatever else a message crosses.
    pub fn region_links(&mut self) {
        let scenario = self.scenario;
        for link in &scenario.network.links {
            let ends: Vec<u16> = link.between.iter().filter_map(|end| self.region_of(end)).collect();
            if ends.len() != link.between.len() {
                continue;
            }
            let id = LinkId(push(&mut self.model.names.links, link.name.clone()));
            for (position, &from) in ends.iter().enumerate() {
                for &to in &ends[position + 1..] {
                    let name = format!("network/{}/{from}-{to}", link.name);
                    let latency = self.generated_duration(&link.knobs.latency, &name);
                    let retransmit_after = retransmit_after(&link.knobs.latency);
                    let narrows =
                        link.knobs.bandwidth.is_some() || self.is_degraded(|_, bandwidth| bandwidth);
                    let mut add = |from, to| {
                        self.model.region_links.push(RegionLink {
                            from,
                            to,
                            latency,
                            loss: link.knobs.loss,
                            retransmit_after,
                            datagram: link.knobs.datagram,
                            duplicate: link.knobs.duplicate,
                            bandwidth: link.knobs.bandwidth.unwrap_or(f64::INFINITY),
                            narrows,
                            link: id,
                        });
                    };
                    add(from, to);
                    if !link.one_way {
                        add(to, from);
                    }
                }
            }
        }
    }

    fn region_of(&self, end: &End) -> Option<u16> {
        match end {
            End::Region(name) => self.regions.iter().position(|region| region == name).map(|at| at as u16),
            _ => None,
        }
    }

    /// Region of something placed in turn over regions; `u16::MAX` if it has none.
    pub fn region_in_turn(&self, place: &[String], number: usize) -> u16 {
        if place.is_empty() {
            return u16::MAX;
        }
        let name = &place[number % place.len()];
        self.regions.iter().position(|region| region == name).map_or(u16::MAX, |at| at as u16)
    }

    /// The first link in the file that joins two places. An outbox is reached like its service, and
    /// a store's link adds to its latencies only where one is written.
    fn written_link(&self, from: Place, to: Place) -> Option<&'s scenario::Link> {
        let links = &self.scenario.network.links;
        let service = |place| match place {
            Place::Outbox(service) => Place::Service(service),
            other => other,
        };
        links
            .iter()
            .find(|link| self.joins(link, from, to))
            .or_else(|| links.iter().find(|link| self.joins(link, service(from), service(to))))
    }

    fn joins(&self, link: &scenario::Link, from: Place, to: Place) -> bool {
        let position = |place: Place| {
            link.between.iter().position(|end| !matches!(end, End::Region(_)) && self.place_of(end) == place)
        };
        match (position(from), position(to)) {
            (Some(start), Some(end)) => start != end && (!link.one_way || start < end),
            _ => false,
        }
    }

    pub fn place_of(&self, end: &End) -> Place {
        match end {
            End::Service(service) => Place::Service(*service),
            End::Client(client) => Place::Client(*client),
            End::Broker(broker) => Place::Broker(*broker),
            End::Store(service) => Place::Store(*service),
            End::Outbox(service) => Place::Outbox(*service),
            End::Region(_) => Place::Region(self.region_of(end).unwrap_or(u16::MAX)),
        }
    }

    pub fn place_name(&self, place: Place) -> String {
        let scenario = self.scenario;
        match place {
            Place::Client(client) => scenario.clients[client.index()].name.clone(),
            Place::Service(service) => scenario.services[service.index()].name.clone(),
            Place::Broker(broker) => scenario.brokers[broker.index()].name.clone(),
            Place::Store(service) => format!("{}.store", scenario.services[service.index()].name),
            Place::Outbox(service) => format!("{}.outbox", scenario.services[service.index()].name),
            Place::Region(region) => self.regions[region as usize].clone(),
        }
    }
}

/// How long who sends over a link waits before sending again what was lost.
fn retransmit_after(latency: &scenario::Generator) -> Nanos {
    (200 * MILLISECOND).max(nanos_from_f64(2.0 * mean_latency(latency)))
}

fn mean_latency(generator: &scenario::Generator) -> f64 {
    match &generator.kind {
        GeneratorKind::Distribution(distribution) => {
            crate::kernel::sampler::Sampler::new(distribution).mean()
        }
        _ => 0.0,
    }
}
