//! The network: each packet takes its route's latency; lossy streams send again, lossy datagrams do
//! not; narrow links queue; a split holds streams back and swallows datagrams.
//!
//! A split acts on what is sent while it lasts: what is under way when it begins still arrives.

use super::record::{Observer, Record};
use super::words::Slab;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::ids::StreamId;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::{Nanos, SECOND, nanos_from_f64};
use crate::model::{Duration, Model, NONE, Place, Route};
use std::collections::VecDeque;

/// A stream gives up doubling its retransmission timeout here (RFC 6298, 2.5).
const LONGEST_RETRANSMISSION: Nanos = 60 * SECOND;

/// Which half of a store's round trip.
#[derive(Clone, Copy, Debug)]
pub enum StoreWay {
    There,
    Back,
}

/// One packet's way.
#[derive(Clone, Copy, Debug)]
pub struct Hop {
    pub route: u32,
    pub latency: Duration,
    /// Draws loss, duplication and regions.
    pub trouble: StreamId,
    pub draw: DrawKey,
    /// Regions of the two ends.
    pub from: u16,
    pub to: u16,
    pub bytes: u64,
    /// The ordered connection it travels on; `None`: one of its own.
    pub channel: Option<u64>,
}

/// A call's request under way.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub caller: u32,
    pub token: u32,
    pub message: u32,
    pub step: u32,
    pub target: u32,
    pub epoch: u32,
    pub cause: super::identity::Cause,
    pub copies: u32,
}

/// What is on the wires.
#[derive(Clone, Default)]
pub struct Network {
    pub requests: Slab<Request>,
    pipes: Vec<Pipe>,
    splits: Vec<Split>,
    degradations: Vec<Degradation>,
    /// What splits hold back, in the order it was sent.
    held: Vec<(Hop, Event)>,
    /// Statements and answers of stores that splits hold back.
    held_statements: Vec<Event>,
}

/// A link of limited bandwidth: one packet after another.
#[derive(Clone, Default)]
struct Pipe {
    waiting: VecDeque<(Hop, Event)>,
}

#[derive(Clone)]
struct Split {
    firing: u32,
    places: Vec<Place>,
    one_way: bool,
}

/// What a degradation puts in place of a link's own knobs.
#[derive(Clone)]
pub struct Degradation {
    pub firing: u32,
    pub places: Vec<Place>,
    pub one_way: bool,
    pub latency: Option<Duration>,
    pub loss: Option<f64>,
    pub duplicate: Option<f64>,
    pub bandwidth: Option<f64>,
}

impl Network {
    pub fn new(model: &Model) -> Self {
        let pipes = model.routes.iter().map(|route| route.pipe.wrapping_add(1)).max().unwrap_or(0);
        Self { pipes: vec![Pipe::default(); pipes as usize], ..Self::default() }
    }

    /// Packets that splits hold back or that wait for bandwidth.
    pub fn delayed(&self) -> usize {
        self.held.len()
            + self.held_statements.len()
            + self.pipes.iter().map(|pipe| pipe.waiting.len()).sum::<usize>()
    }

    pub fn is_disturbed(&self) -> bool {
        !self.splits.is_empty() || !self.degradations.is_empty()
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Sends a packet; its event happens when it arrives, if it does.
    #[inline]
    pub(super) fn transmit(&mut self, hop: Hop, event: Event) {
        let route = &self.model.routes[hop.route as usize];
        self.record(Record::Sent { link: route.link });
        if route.is_plain() && !self.world.network.is_disturbed() && self.model.region_links.is_empty() {
            let latency = self.length(hop.latency, hop.draw);
            return self.arrive_after(latency, &hop, event);
        }
        self.transmit_through_trouble(hop, event);
    }

    #[inline]
    fn arrive_after(&mut self, latency: Nanos, hop: &Hop, event: Event) {
        match hop.channel {
            Some(channel) if self.model.routes[hop.route as usize].reorders => {
                self.agenda.after_in_order(channel, latency, event);
            }
            _ => drop(self.agenda.after(latency, Class::Delivery, event)),
        }
    }

    fn transmit_through_trouble(&mut self, hop: Hop, event: Event) {
        let model = self.model;
        let route = &model.routes[hop.route as usize];
        if self.is_split(route, &hop) {
            if route.datagram {
                return self.lose(route, event);
            }
            self.world.network.held.push((hop, event));
            return;
        }
        if route.pipe != NONE {
            let pipe = &mut self.world.network.pipes[route.pipe as usize];
            pipe.waiting.push_back((hop, event));
            if pipe.waiting.len() == 1 {
                self.fill_pipe(route.pipe);
            }
            return;
        }
        self.launch(hop, event);
    }

    /// Puts the first packet of a pipe on the wire.
    fn fill_pipe(&mut self, pipe: u32) {
        let Some((hop, _)) = self.world.network.pipes[pipe as usize].waiting.front().copied() else { return };
        let route = &self.model.routes[hop.route as usize];
        let bandwidth = self.degradation(route, &hop).and_then(|of| of.bandwidth).unwrap_or(route.bandwidth);
        let length = nanos_from_f64(hop.bytes as f64 / bandwidth * 1e9);
        self.agenda.after(length, Class::Completion, Event::PipeFree { pipe });
    }

    /// A packet has left its pipe; the next one enters.
    pub(super) fn pipe_free(&mut self, pipe: u32) {
        if let Some((hop, event)) = self.world.network.pipes[pipe as usize].waiting.pop_front() {
            self.launch(hop, event);
        }
        self.fill_pipe(pipe);
    }

    /// Loss, duplication and latency of a packet on the wire.
    fn launch(&mut self, hop: Hop, event: Event) {
        let model = self.model;
        let route = &model.routes[hop.route as usize];
        let worse = self.degradation(route, &hop).cloned();
        let worse = worse.as_ref();
        let mut loss = worse.and_then(|of| of.loss).unwrap_or(route.loss);
        let duplicate = worse.and_then(|of| of.duplicate).unwrap_or(route.duplicate);
        let mut latency = match worse.and_then(|of| of.latency) {
            Some(latency) => self.length(latency, hop.draw.beside(hop.route)),
            None => self.length(hop.latency, hop.draw),
        };
        let between = |link: &&crate::model::RegionLink| link.from == hop.from && link.to == hop.to;
        if let Some(link) = model.region_links.iter().find(between).filter(|_| hop.from != hop.to) {
            latency += self.length(link.latency, hop.draw.beside(hop.route));
            loss = 1.0 - (1.0 - loss) * (1.0 - link.loss);
        }
        let mut ordinal = 0;
        let mut draw = |this: &mut Self| {
            ordinal += 1;
            this.uniform(hop.trouble, hop.draw.beside(ordinal))
        };
        if route.datagram {
            if loss > 0.0 && draw(self) < loss {
                return self.lose(route, event);
            }
            if duplicate > 0.0 && draw(self) < duplicate {
                self.record(Record::Duplicated { link: route.link });
                if self.packet_copied(event) {
                    let second = self.length(hop.latency, hop.draw.beside(u32::MAX));
                    self.arrive_after(second, &hop, event);
                }
            }
        } else if loss > 0.0 {
            let mut again = route.retransmit_after;
            while draw(self) < loss && latency < crate::kernel::time::LONGEST / 2 {
                self.record(Record::Lost { link: route.link });
                latency += again;
                again = (again * 2).min(LONGEST_RETRANSMISSION.max(route.retransmit_after));
            }
        }
        self.arrive_after(latency, &hop, event);
    }

    /// A uniform number in [0, 1).
    pub(super) fn uniform(&mut self, stream: StreamId, key: DrawKey) -> f64 {
        (self.agenda.draw(stream, key) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn lose(&mut self, route: &Route, event: Event) {
        self.record(Record::Lost { link: route.link });
        self.packet_lost(event);
    }

    fn is_split(&self, route: &Route, hop: &Hop) -> bool {
        let splits = &self.world.network.splits;
        splits.iter().any(|split| parts(&split.places, split.one_way, route, hop))
    }

    /// The last degradation that a packet meets.
    fn degradation(&self, route: &Route, hop: &Hop) -> Option<&Degradation> {
        let degradations = self.world.network.degradations.iter().rev();
        degradations.filter(|of| !of.places.is_empty()).find(|of| parts(&of.places, of.one_way, route, hop))
    }

    pub(super) fn begin_split(&mut self, firing: u32, places: Vec<Place>, one_way: bool) {
        self.world.network.splits.push(Split { firing, places, one_way });
    }

    /// A split heals: what it held back is sent on, unless its sender has given up.
    pub(super) fn end_split(&mut self, firing: u32) {
        self.world.network.splits.retain(|split| split.firing != firing);
        for event in std::mem::take(&mut self.world.network.held_statements) {
            self.later(0, Class::Delivery, event);
        }
        for (hop, event) in std::mem::take(&mut self.world.network.held) {
            if self.is_given_up(event) {
                let route = &self.model.routes[hop.route as usize];
                self.lose(route, event);
            } else {
                self.transmit_through_trouble(hop, event);
            }
        }
    }

    pub(super) fn begin_degradation(&mut self, degradation: Degradation) {
        self.world.network.degradations.push(degradation);
    }

    pub(super) fn end_degradation(&mut self, firing: u32) {
        self.world.network.degradations.retain(|of| of.firing != firing);
    }

    /// Holds back an attempt's statement to its store, or the store's answer, while a split parts them.
    pub(super) fn held_from_store(&mut self, attempt: u32, way: StoreWay, event: Event) -> bool {
        if self.world.network.splits.is_empty() {
            return false;
        }
        let service = self.model.instances[self.world.attempts[attempt].instance as usize].service;
        let store = self.model.stores[self.store_of(attempt)].service;
        let ends = [Place::Service(service), Place::Store(store)];
        let [from, to] = match way {
            StoreWay::There => ends,
            StoreWay::Back => [ends[1], ends[0]],
        };
        let parts = |split: &Split| joins(&split.places, split.one_way, &[from], &[to]);
        let held = self.world.network.splits.iter().any(parts);
        if held {
            self.world.network.held_statements.push(event);
        }
        held
    }

    /// A peer that timed out has closed the connection: what it had sent is dropped with it.
    fn is_given_up(&self, event: Event) -> bool {
        match event {
            Event::Request { request } => {
                let of = &self.world.network.requests[request];
                !self.world.attempts.is_waiting(of.caller, of.token)
            }
            Event::Publish { attempt, token, .. } => {
                attempt != NONE && !self.world.attempts.is_waiting(attempt, token)
            }
            Event::RelayPublished { outbox, token, .. } => !self.is_relay_waiting(outbox, token),
            _ => false,
        }
    }

    /// Lets go of what a packet carried that will not arrive.
    pub(super) fn packet_lost(&mut self, event: Event) {
        match event {
            Event::Request { request } => drop(self.take_request(request)),
            Event::Sent { message, .. }
            | Event::Publish { message, .. }
            | Event::RelayPublished { message, .. } => {
                self.world.in_flight -= 1;
                self.release_message(message);
            }
            Event::Answer { payload, .. } => self.free_answer(payload),
            Event::Ack { delivery } | Event::Nack { delivery } => self.ack_lost(delivery),
            _ => {}
        }
    }

    /// A packet arrives twice, if a second copy makes any difference.
    fn packet_copied(&mut self, event: Event) -> bool {
        match event {
            Event::Request { request } => {
                let of = &mut self.world.network.requests[request];
                of.copies += 1;
                self.world.messages[of.message].references += 1;
            }
            Event::Sent { message, .. }
            | Event::Publish { message, .. }
            | Event::RelayPublished { message, .. } => {
                self.world.in_flight += 1;
                self.world.messages[message].references += 1;
            }
            // Whoever waits for an answer, or hears an acknowledgement, takes the first and drops the second.
            _ => return false,
        }
        true
    }

    /// One copy of a request is no longer under way.
    pub(super) fn take_request(&mut self, request: u32) -> Request {
        let of = &mut self.world.network.requests[request];
        of.copies -= 1;
        let taken = *of;
        if taken.copies == 0 {
            self.world.network.requests.release(request);
        }
        taken
    }
}

impl Route {
    /// Whether nothing but latency can happen to a packet.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.loss == 0.0 && self.duplicate == 0.0 && self.pipe == NONE
    }
}

/// Whether a packet on this route passes between two of the places.
fn parts(places: &[Place], one_way: bool, route: &Route, hop: &Hop) -> bool {
    let from = [route.from, Place::Region(hop.from)];
    let to = [route.to, Place::Region(hop.to)];
    joins(places, one_way, &from, &to)
}

fn joins(places: &[Place], one_way: bool, from: &[Place], to: &[Place]) -> bool {
    let position =
        |ends: &[Place]| places.iter().position(|place| ends.iter().any(|end| covers(*place, *end)));
    match (position(from), position(to)) {
        (Some(start), Some(end)) => start != end && (!one_way || start < end),
        _ => false,
    }
}

/// A service's relay is cut off with it.
fn covers(place: Place, end: Place) -> bool {
    place == end || matches!((place, end), (Place::Service(a), Place::Outbox(b)) if a == b)
}
