//! Clients: when intents begin, and what they want.

use super::attempt::Source;
use super::identity::Cause;
use super::record::{Observer, Outcome, Record};
use super::{Event, NOWHERE, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, Handle};
use crate::kernel::ids::*;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::{Nanos, SECOND, nanos_from_f64};
use crate::model::{Arrivals, Client, NONE, RateOverTime};

/// Where a client stands.
#[derive(Clone, Debug)]
pub struct ClientState {
    /// Intents begun, and arrivals drawn (more, where some are thinned out).
    pub begun: u64,
    drawn: u64,
    /// The phase of a bursty client.
    phase: u64,
    /// Product of the surges under way.
    pub surge: f64,
    /// Think times drawn, by user.
    thoughts: Vec<u64>,
    /// The next arrival of a renewal process.
    next: Handle,
}

impl ClientState {
    pub fn new(client: &Client) -> Self {
        let users = match client.arrivals {
            Arrivals::Population { users, .. } => users as usize,
            _ => 0,
        };
        Self { begun: 0, drawn: 0, phase: 0, surge: 1.0, thoughts: vec![0; users], next: Handle::NONE }
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// A client's first events.
    pub(super) fn begin_client(&mut self, client: ClientId) {
        let model = self.model;
        match &model.clients[client.index()].arrivals {
            Arrivals::Renewal { .. } => self.next_arrival(client),
            Arrivals::Times(times) => {
                for &time in times {
                    self.later(time, Class::Arrival, Event::Arrival { client });
                }
            }
            Arrivals::Population { users, .. } => {
                (0..*users).for_each(|user| self.begin_thinking(client, user))
            }
            Arrivals::Thinned { rate, .. } => {
                self.next_arrival(client);
                if let RateOverTime::Bursty { phases } = rate {
                    self.begin_phase(client, phases, 0);
                }
            }
        }
    }

    /// Draws the next arrival of a renewal process; a surge brings it nearer.
    #[inline(always)]
    fn next_arrival(&mut self, client: ClientId) {
        let model = self.model;
        let (Arrivals::Renewal { interval } | Arrivals::Thinned { interval, .. }) =
            model.clients[client.index()].arrivals
        else {
            return;
        };
        let state = &mut self.world.clients[client.index()];
        let key = DrawKey::numbered(0, state.drawn);
        state.drawn += 1;
        let mut interval = self.agenda.draw(interval, key);
        if state.surge != 1.0 {
            interval = nanos_from_f64(interval as f64 / state.surge);
        }
        state.next = self.agenda.after(interval, Class::Arrival, Event::Arrival { client });
    }

    /// The rate is multiplied from now on: what is left of the interval under way shrinks with it.
    pub(super) fn set_surge(&mut self, client: ClientId, surge: f64) {
        let state = &mut self.world.clients[client.index()];
        let before = std::mem::replace(&mut state.surge, surge);
        let next = state.next;
        if before != surge
            && let Some(left) = self.agenda.suspend(next)
        {
            let left = nanos_from_f64(left as f64 * before / surge);
            let next = self.agenda.after(left, Class::Arrival, Event::Arrival { client });
            self.world.clients[client.index()].next = next;
        }
    }

    #[inline]
    pub(super) fn arrival(&mut self, client: ClientId) {
        if self.world.draining {
            return;
        }
        if self.alone.is_some() {
            return self.begin_intent(client, NONE);
        }
        let model = self.model;
        let spec = &model.clients[client.index()];
        match &spec.arrivals {
            Arrivals::Renewal { .. } => self.next_arrival(client),
            Arrivals::Thinned { keep, highest, rate, .. } => {
                let number = self.world.clients[client.index()].drawn - 1;
                self.next_arrival(client);
                let rate = self.rate_now(client, rate);
                if self.uniform(*keep, DrawKey::numbered(0, number)) * highest >= rate {
                    return;
                }
            }
            Arrivals::Times(_) | Arrivals::Population { .. } => return self.begin_intent(client, NONE),
        }
        self.note_surge(client);
        self.begin_intent(client, NONE);
    }

    /// An arrival that a surge brought nearer is one that it hit.
    #[inline(always)]
    fn note_surge(&mut self, client: ClientId) {
        let state = &self.world.clients[client.index()];
        if state.surge != 1.0 && state.begun < self.model.clients[client.index()].count {
            self.surge_brought(client);
        }
    }

    #[inline(always)]
    fn begin_intent(&mut self, client: ClientId, user: u32) {
        let model = self.model;
        let spec = &model.clients[client.index()];
        let state = &mut self.world.clients[client.index()];
        if state.begun >= spec.count {
            return;
        }
        let number = state.begun;
        state.begun += 1;
        let cause = Cause::root(client.0, spec.key, number);
        let body = &model.handlers[spec.body.index()];
        let source = Source::Intent { client, user };
        let attempt = self.world.attempts.add(spec.body.0, body.entry, NOWHERE, NONE, cause, source);
        self.record(Record::IntentBegun { client, attempt, number });
        self.tell_begun(attempt);
        if body.words > 0 {
            self.give_frame(attempt);
        }
        self.run_from(attempt, body.entry);
    }

    #[inline(always)]
    pub(super) fn intent_ended(&mut self, attempt: u32, client: ClientId, user: u32, outcome: Outcome) {
        self.record(Record::IntentEnded { client, attempt, outcome });
        if user != NONE && !self.world.draining {
            self.begin_thinking(client, user);
        }
    }

    fn begin_thinking(&mut self, client: ClientId, user: u32) {
        let Arrivals::Population { think, .. } = self.model.clients[client.index()].arrivals else { return };
        let state = &mut self.world.clients[client.index()];
        let thought = state.thoughts[user as usize];
        state.thoughts[user as usize] += 1;
        let key = DrawKey::hashed(thought, user, 0);
        let surge = state.surge;
        let mut length = self.agenda.draw(think, key);
        if surge != 1.0 {
            length = nanos_from_f64(length as f64 / surge);
        }
        self.agenda.after(length, Class::Arrival, Event::Think { client, user });
    }

    pub(super) fn think(&mut self, client: ClientId, user: u32) {
        if !self.world.draining {
            self.note_surge(client);
            self.begin_intent(client, user);
        }
    }

    /// The rate of a client now, per second, without surges.
    fn rate_now(&self, client: ClientId, rate: &RateOverTime) -> f64 {
        match rate {
            RateOverTime::Bursty { phases } => {
                let phase = self.world.clients[client.index()].phase as usize % phases.len();
                phases[phase].0
            }
            RateOverTime::Profile(points) => rate_at(points, self.agenda.now()),
        }
    }

    fn begin_phase(&mut self, client: ClientId, phases: &[(f64, StreamId)], number: u64) {
        self.world.clients[client.index()].phase = number;
        let (_, length) = phases[number as usize % phases.len()];
        let length = self.agenda.draw(length, DrawKey::numbered(0, number));
        self.agenda.after(length, Class::Fault, Event::RatePhase { client });
    }

    pub(super) fn rate_phase(&mut self, client: ClientId) {
        let model = self.model;
        if let Arrivals::Thinned { rate: RateOverTime::Bursty { phases }, .. } =
            &model.clients[client.index()].arrivals
            && !self.world.draining
        {
            let next = self.world.clients[client.index()].phase + 1;
            self.begin_phase(client, phases, next);
        }
    }
}

/// Linear between the points; before the first and after the last, theirs.
fn rate_at(points: &[(Nanos, f64)], now: Nanos) -> f64 {
    let after = points.partition_point(|point| point.0 <= now);
    match (after.checked_sub(1).map(|before| points[before]), points.get(after)) {
        (Some((from, low)), Some(&(to, high))) => {
            let share = (now - from) as f64 / SECOND as f64 / ((to - from) as f64 / SECOND as f64);
            low + (high - low) * share
        }
        (Some((_, rate)), None) | (None, Some(&(_, rate))) => rate,
        (None, None) => 0.0,
    }
}
