//! The network: each packet takes its route's latency; lossy streams send again, lossy datagrams do
//! not; narrow links queue; a split holds streams back and swallows datagrams.
//!
//! A split acts on what is sent while it lasts: what is under way when it begins still arrives.

mod pipes;

use super::packet::is_worth_copying;
use super::record::{Observer, Record};
use super::words::Slab;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::ids::StreamId;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::{LONGEST, Nanos};
use crate::model::{Duration, Model, NONE, Place, RegionLink, Route};
use std::collections::VecDeque;

/// Which half of a store's round trip.
#[derive(Clone, Copy, Debug)]
pub enum StoreLeg {
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
    /// By route: whether nothing but latency can happen to a packet, unless a fault disturbs the network.
    calm: Vec<bool>,
    /// Whether a fault does.
    disturbed: bool,
    pipes: Vec<Pipe>,
    splits: Vec<Split>,
    degradations: Vec<Degradation>,
    /// What splits hold back, and links that lose everything, in the order it was sent.
    pub(super) held: Vec<(Hop, Event)>,
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
    since: Nanos,
    places: Vec<Place>,
    one_way: bool,
}

/// What a degradation puts in place of a link's own knobs.
#[derive(Clone)]
pub struct Degradation {
    pub firing: u32,
    pub since: Nanos,
    pub places: Vec<Place>,
    pub one_way: bool,
    pub latency: Option<Duration>,
    pub loss: Option<f64>,
    pub duplicate: Option<f64>,
    pub bandwidth: Option<f64>,
    /// Of a change of transport: whether to datagrams.
    pub datagram: Option<bool>,
}

impl Network {
    pub fn new(model: &Model) -> Self {
        let narrow = model.routes.iter().any(|route| route.pipe != NONE)
            || model.region_links.iter().any(|link| link.narrows);
        // Of the routes, and behind them of the links between regions.
        let pipes = if narrow { model.routes.len() + model.region_links.len() } else { 0 };
        let one_region = model.region_links.is_empty();
        let is_calm = |route: &Route| one_region && route.is_plain() && !route.reorders && !route.datagram;
        Self {
            calm: model.routes.iter().map(is_calm).collect(),
            pipes: vec![Pipe::default(); pipes],
            ..Self::default()
        }
    }

    /// Packets that splits hold back or that wait for bandwidth.
    pub fn delayed(&self) -> usize {
        self.held.len()
            + self.held_statements.len()
            + self.pipes.iter().map(|pipe| pipe.waiting.len()).sum::<usize>()
    }

    #[inline(always)]
    pub fn is_disturbed(&self) -> bool {
        self.disturbed
    }

    #[inline(always)]
    pub fn has_pipes(&self) -> bool {
        !self.pipes.is_empty()
    }

    fn look_for_disturbance(&mut self) {
        self.disturbed = !self.splits.is_empty() || !self.degradations.is_empty();
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Sends a packet where nothing but latency can happen to it. False if more can: then nothing is done,
    /// and [`Self::transmit`] wants to know the whole hop.
    #[inline(always)]
    pub(super) fn transmit_calmly(
        &mut self,
        route: u32,
        latency: Duration,
        draw: impl FnOnce() -> DrawKey,
        event: Event,
    ) -> bool {
        let network = &self.world.network;
        if network.disturbed || !network.calm[route as usize] {
            return false;
        }
        self.record(Record::Sent { link: self.model.routes[route as usize].link });
        let latency = match latency {
            Duration::Constant(nanos) => nanos,
            drawn => self.length(drawn, draw()),
        };
        self.agenda.after(latency, Class::Delivery, event);
        true
    }

    /// Sends a packet; its event happens when it arrives, if it does.
    pub(super) fn transmit(&mut self, hop: Hop, event: Event) {
        if self.transmit_calmly(hop.route, hop.latency, || hop.draw, event) {
            return;
        }
        let route = &self.model.routes[hop.route as usize];
        self.record(Record::Sent { link: route.link });
        if route.is_plain() && !self.world.network.is_disturbed() && self.model.region_links.is_empty() {
            let latency = self.length(hop.latency, hop.draw);
            return self.arrive_after(latency, &hop, event);
        }
        self.transmit_through_trouble(hop, event);
    }

    /// How long a packet takes where nothing can happen to it now but a latency that never varies: it draws
    /// nothing, and overtakes none that was sent before.
    #[inline]
    pub(super) fn steady_latency(&self, route: u32, latency: Duration) -> Option<Nanos> {
        if self.world.network.is_disturbed() {
            return None;
        }
        steady_latency(self.model, &self.model.routes[route as usize], latency)
    }

    /// Sends a packet that takes its [steady latency](Self::steady_latency).
    #[inline]
    pub(super) fn transmit_steadily(&mut self, route: u32, latency: Nanos, event: Event) {
        self.packet_sent(route);
        self.agenda.after(latency, Class::Delivery, event);
    }

    #[inline]
    pub(super) fn packet_sent(&mut self, route: u32) {
        let link = self.model.routes[route as usize].link;
        self.record(Record::Sent { link });
    }

    #[inline]
    fn arrive_after(&mut self, latency: Nanos, hop: &Hop, event: Event) {
        match hop.channel {
            Some(channel) if self.may_overtake(hop, event) => {
                self.agenda.after_in_order(channel, latency, event);
            }
            _ => drop(self.agenda.after(latency, Class::Delivery, event)),
        }
    }

    /// Whether packets of one connection could overtake one another, and must not.
    #[inline]
    fn may_overtake(&self, hop: &Hop, event: Event) -> bool {
        let route = &self.model.routes[hop.route as usize];
        match self.is_datagram(route, hop) {
            true => self.is_on_connection(event),
            false => route.reorders,
        }
    }

    /// Whether a packet is for itself: on its own link, between its regions, or because a fault makes it so.
    fn is_datagram(&self, route: &Route, hop: &Hop) -> bool {
        if self.model.region_links.is_empty() && !self.world.network.disturbed {
            return route.datagram;
        }
        match self.degraded(route, hop, |of| of.datagram) {
            Some((_, datagram)) => datagram,
            None => route.datagram || self.region_link(hop).is_some_and(|link| link.datagram),
        }
    }

    fn transmit_through_trouble(&mut self, hop: Hop, event: Event) {
        let model = self.model;
        let route = &model.routes[hop.route as usize];
        if self.is_split(route, &hop) {
            self.split_hits(route, &hop);
            if self.is_datagram(route, &hop) && !self.is_on_connection(event) {
                return self.lose(route, event);
            }
            self.world.network.held.push((hop, event));
            return;
        }
        match route.pipe {
            NONE => self.cross_regions(hop, event),
            pipe => self.wait_in_line(pipe, hop, event),
        }
    }

    /// Loss, duplication and latency of a packet on the wire.
    fn launch(&mut self, hop: Hop, event: Event) {
        let route = &self.model.routes[hop.route as usize];
        let transport = self.degraded(route, &hop, |of| of.datagram);
        self.hits(transport);
        if !self.is_datagram(route, &hop) || self.is_on_connection(event) {
            if self.loss(route, &hop) >= 1.0 {
                return self.gets_nothing_through(hop, event);
            }
            let latency = self.stream_latency(&hop);
            return self.arrive_after(latency, &hop, event);
        }
        let loss = self.loss(route, &hop);
        if loss > 0.0 && self.uniform(hop.trouble, hop.draw.beside(1)) < loss {
            self.loss_hits(route, &hop);
            return self.lose(route, event);
        }
        let degraded = self.degraded(route, &hop, |of| of.duplicate);
        let own = degraded.map_or(route.duplicate, |(_, duplicate)| duplicate);
        let between = self.region_link(&hop).map_or(0.0, |link| link.duplicate);
        let duplicate = if between == 0.0 { own } else { 1.0 - (1.0 - own) * (1.0 - between) };
        if duplicate > 0.0
            && self.uniform(hop.trouble, hop.draw.beside(2)) < duplicate
            && is_worth_copying(event)
        {
            self.hits(degraded);
            self.record(Record::Duplicated { link: route.link });
            self.copy_packet(event);
            let second = self.latency(&hop, 1);
            self.arrive_after(second, &hop, event);
        }
        let latency = self.latency(&hop, 0);
        self.arrive_after(latency, &hop, event);
    }

    /// The latency of one copy of a packet: of its route, and between its regions.
    pub(super) fn latency(&mut self, hop: &Hop, copy: u32) -> Nanos {
        let model = self.model;
        let route = &model.routes[hop.route as usize];
        // What other packets may draw for the same cause from the same stream is kept apart by the step.
        let aside = hop.draw.beside(hop.trouble.0).beside(copy);
        let degraded = self.degraded_between_ends(route, hop);
        let own = match self.hits(degraded) {
            Some(worse) => self.length(worse, aside),
            None if copy == 0 => self.length(hop.latency, hop.draw),
            None => self.length(hop.latency, aside),
        };
        if hop.from == hop.to || hop.from == u16::MAX || hop.to == u16::MAX {
            return own;
        }
        let worse = self.degraded_between_regions(hop.from, hop.to);
        let worse = self.hits(worse);
        let between = self.region_link(hop).map(|link| link.latency);
        match worse.or(between) {
            Some(latency) => own.saturating_add(self.length(latency, aside)).min(LONGEST),
            None => own,
        }
    }

    fn region_link(&self, hop: &Hop) -> Option<&'_ RegionLink> {
        self.model.region_links.iter().find(|link| link.from == hop.from && link.to == hop.to)
    }

    /// The share of packets lost: on the route, and between the regions.
    pub(super) fn loss(&self, route: &Route, hop: &Hop) -> f64 {
        let own = self.degraded(route, hop, |of| of.loss).map_or(route.loss, |(_, loss)| loss);
        let between = if hop.from == hop.to { None } else { self.region_link(hop) };
        between.map_or(own, |link| 1.0 - (1.0 - own) * (1.0 - link.loss))
    }

    /// What lies between an attempt's service and its store takes, beside the store's own latencies.
    pub(super) fn store_leg(&mut self, attempt: u32, way: StoreLeg) -> Nanos {
        let model = self.model;
        let instance = &model.instances[self.world.attempts[attempt].instance as usize];
        let Some(between) = &model.services[instance.service.index()].store_way else { return 0 };
        let store = model.stores[self.store_of(attempt)].region;
        let of = &self.world.attempts[attempt];
        // One attempt goes to its store many times: once for each wait.
        let draw = self.attempt_key(attempt).beside(of.pc).beside(of.step_tries);
        let (route, latency, trouble, from, to) = match way {
            StoreLeg::There => {
                (between.there, between.hops.there, between.hops.trouble, instance.region, store)
            }
            StoreLeg::Back => {
                (between.back, between.hops.back, between.hops.trouble_back, store, instance.region)
            }
        };
        self.stream_latency(&Hop { route, latency, trouble, draw, from, to, bytes: 0, channel: None })
    }

    /// How far apart two regions are, beside whatever else a message crosses.
    pub(super) fn between_regions(&mut self, from: u16, to: u16, draw: DrawKey) -> Nanos {
        if from == to {
            return 0;
        }
        let worse = self.degraded_between_regions(from, to);
        let worse = self.hits(worse);
        let links = &self.model.region_links;
        let own = links.iter().find(|link| link.from == from && link.to == to).map(|link| link.latency);
        match worse.or(own) {
            Some(latency) => self.length(latency, draw),
            None => 0,
        }
    }

    /// The latency that a fault puts in place of what lies between two regions.
    fn degraded_between_regions(&self, from: u16, to: u16) -> Option<(u32, Duration)> {
        let (from, to) = ([Place::Region(from)], [Place::Region(to)]);
        self.world.network.degradations.iter().rev().find_map(|of| {
            let latency = of.latency.filter(|_| joins(&of.places, of.one_way, &from, &to))?;
            Some((of.firing, latency))
        })
    }

    /// A uniform number in [0, 1).
    pub(super) fn uniform(&mut self, stream: StreamId, key: DrawKey) -> f64 {
        (self.agenda.draw(stream, key) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn lose(&mut self, route: &Route, event: Event) {
        self.record(Record::Lost { link: route.link });
        self.packet_lost(event);
    }

    fn is_split(&self, route: &Route, hop: &Hop) -> bool {
        let splits = &self.world.network.splits;
        splits.iter().any(|split| parts(&split.places, split.one_way, route, hop))
    }

    /// The splits that a packet meets hit it.
    fn split_hits(&mut self, route: &Route, hop: &Hop) {
        for at in 0..self.world.network.splits.len() {
            let split = &self.world.network.splits[at];
            if parts(&split.places, split.one_way, route, hop) {
                self.touched(split.firing);
            }
        }
    }

    /// A packet is lost: a degradation that says how many are has hit it.
    pub(super) fn loss_hits(&mut self, route: &Route, hop: &Hop) {
        let degraded = self.degraded(route, hop, |of| of.loss);
        self.hits(degraded);
    }

    /// What a degradation says takes effect, if there is one.
    fn hits<T>(&mut self, degraded: Option<(u32, T)>) -> Option<T> {
        degraded.map(|(firing, knob)| {
            self.touched(firing);
            knob
        })
    }

    /// What the latest degradation says of a knob that a packet meets, and which firing that is.
    pub(super) fn degraded<T>(
        &self,
        route: &Route,
        hop: &Hop,
        knob: impl Fn(&Degradation) -> Option<T>,
    ) -> Option<(u32, T)> {
        let meets = |of: &&Degradation| parts(&of.places, of.one_way, route, hop);
        let mut met = self.world.network.degradations.iter().rev().filter(meets);
        met.find_map(|of| Some((of.firing, knob(of)?)))
    }

    /// The latency that a degradation puts in place of the route's own; between regions alone, it is the
    /// regions' link that gets slower.
    fn degraded_between_ends(&self, route: &Route, hop: &Hop) -> Option<(u32, Duration)> {
        let regions = [Place::Region(hop.from), Place::Region(hop.to)];
        self.degraded(route, hop, |of| {
            of.latency.filter(|_| !joins(&of.places, of.one_way, &[regions[0]], &[regions[1]]))
        })
    }

    pub(super) fn begin_split(&mut self, firing: u32, places: Vec<Place>, one_way: bool) {
        let since = self.agenda.now();
        self.world.network.splits.push(Split { firing, since, places, one_way });
        self.world.network.disturbed = true;
    }

    /// A split heals: what it held back is sent on, unless its sender has given up.
    pub(super) fn end_split(&mut self, firing: u32) {
        self.world.network.splits.retain(|split| split.firing != firing);
        self.send_what_was_held();
    }

    /// A way may be open again: what was held back on it is sent on, or held back once more.
    fn send_what_was_held(&mut self) {
        self.world.network.look_for_disturbance();
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
        self.world.network.disturbed = true;
    }

    pub(super) fn end_degradation(&mut self, firing: u32) {
        self.world.network.degradations.retain(|of| of.firing != firing);
        self.send_what_was_held();
    }

    /// Holds back an attempt's statement to its store, or the store's answer, while a split parts them or all that
    /// is sent between them is lost.
    pub(super) fn held_from_store(&mut self, attempt: u32, way: StoreLeg, event: Event) -> bool {
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

    /// What would reach a store, or a copy of it, waits until a fault of the network is over.
    pub(super) fn hold_statement(&mut self, event: Event) {
        self.world.network.held_statements.push(event);
    }

    /// Whether faults that had begun by a time let nothing through from one end to another: they have hit it.
    pub(super) fn are_parted(&mut self, from: &[Place], to: &[Place], by: Nanos) -> bool {
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

/// The latency of an undisturbed route where it never varies and nothing else can happen to a packet.
#[inline]
pub fn steady_latency(model: &Model, route: &Route, latency: Duration) -> Option<Nanos> {
    let Duration::Constant(latency) = latency else { return None };
    let steady = route.is_plain() && !route.reorders && !route.datagram && model.region_links.is_empty();
    steady.then_some(latency)
}

impl Route {
    /// Whether nothing but latency can happen to a packet.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.loss == 0.0 && self.duplicate == 0.0 && self.pipe == NONE
    }

    /// Whether it lies between a service and a store.
    pub fn is_to_a_store(&self) -> bool {
        matches!((self.from, self.to), (Place::Store(_), _) | (_, Place::Store(_)))
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
