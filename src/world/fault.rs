//! Faults: crashes, pauses, slowness, skewed clocks, surges, splits and degraded links. Each firing
//! says what it hit, and heals by itself, or when the measured phase ends. Crashes, pauses, slowness and skew hit the instances that are
//! up when they begin; a split or a degraded link hits what is sent while it lasts, a surge the arrivals
//! that it brings, and an outage what it finds in hand or turns away.

use super::attempt::{Source, Wait};
use super::commit::TransactionEnd;
use super::interpret::Flow;
use super::network::Degradation;
use super::record::{Observer, Outcome, Record};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, Handle};
use crate::kernel::ids::*;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::{MILLISECOND, Nanos};
use crate::model::{Error, FaultKind, FaultWhen, InstanceChoice, Pc, Place, StoreFault};

/// How long an attempt on a poisonous message takes to fail.
const CHOKING_TIME: Nanos = MILLISECOND;

/// Where a fault stands.
#[derive(Clone, Debug, Default)]
pub struct FaultState {
    fired: u64,
    /// Times its step was reached.
    occasions: u64,
}

/// One firing that hit something and has not healed.
#[derive(Clone, Debug)]
pub struct Firing {
    fault: FaultId,
    /// The instances it hit, each in the life it had, by rising instance.
    hit: Vec<(u32, u32)>,
    active: bool,
    /// Of one that lies in wait: whether it has hit something.
    touched: bool,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Schedules a fault's first firings.
    pub(super) fn begin_fault(&mut self, fault: FaultId) {
        let model = self.model;
        match &model.faults[fault.index()].when {
            FaultWhen::At(times) => {
                for &time in times {
                    self.later(time, Class::Fault, Event::FaultBegin { fault });
                }
            }
            FaultWhen::Every(_) => self.schedule_fault(fault),
            FaultWhen::AtStep { .. } => {}
        }
    }

    fn schedule_fault(&mut self, fault: FaultId) {
        let spec = &self.model.faults[fault.index()];
        let FaultWhen::Every(interval) = spec.when else { return };
        let number = self.world.faults[fault.index()].fired;
        let length = self.length(interval, DrawKey::numbered(0, number));
        self.agenda.after(length, Class::Fault, Event::FaultBegin { fault });
    }

    pub(super) fn fault_due(&mut self, fault: FaultId) {
        if self.world.draining {
            return;
        }
        self.fire(fault, None);
        self.schedule_fault(fault);
    }

    /// A fault fires at a step that an instance has come to.
    pub(super) fn fault_at(&mut self, fault: FaultId, instance: u32) {
        if !self.world.draining {
            self.fire(fault, Some(instance));
        }
    }

    /// An attempt passes a place that a fault watches. Goes on at `next`, if it still can.
    pub(super) fn watched(&mut self, attempt: u32, next: Pc, fault: FaultId) -> Flow {
        let instance = self.world.attempts[attempt].instance;
        if !self.occasion(fault, instance) {
            return Flow::Go(next);
        }
        self.world.attempts[attempt].pc = next;
        self.go_on_at_this_instant(attempt);
        Flow::Leave
    }

    /// Faults that fire between what a step did and its answer. True if one does: it strikes before
    /// anything else that the attempt might do at this instant.
    pub(super) fn unanswered(&mut self, attempt: u32, faults: &[FaultId]) -> bool {
        let instance = self.world.attempts[attempt].instance;
        let mut fires = false;
        for &fault in faults {
            fires |= self.occasion(fault, instance);
        }
        fires
    }

    /// Continues an attempt at its operation, at this instant but after the faults that are to strike:
    /// if it is still there then, and not before its instance wakes.
    pub(super) fn go_on_at_this_instant(&mut self, attempt: u32) {
        let token = self.world.attempts.wait(attempt, Wait::Nothing);
        self.agenda.after(0, Class::Completion, Event::Resume { attempt, token });
    }

    /// A fault that watches a step meets an occasion. True if it fires: not here, in the middle of what
    /// the instance does, but as the next event.
    fn occasion(&mut self, fault: FaultId, instance: u32) -> bool {
        if self.world.draining {
            return false;
        }
        let model = self.model;
        let spec = &model.faults[fault.index()];
        let FaultWhen::AtStep { nth, share } = spec.when else { return false };
        let state = &mut self.world.faults[fault.index()];
        state.occasions += 1;
        let occasion = state.occasions;
        if nth.is_some_and(|nth| nth != occasion) {
            return false;
        }
        if let Some(share) = share
            && self.uniform(spec.stream, DrawKey::numbered(1, occasion)) >= share
        {
            return false;
        }
        self.agenda.after(0, Class::Fault, Event::FaultAt { fault, instance });
        true
    }

    /// Fires a fault: on the instance that came to the step it watches, if that is one of its service and
    /// `instance` leaves the choice; else on the ones it chooses.
    fn fire(&mut self, fault: FaultId, at: Option<u32>) {
        let model = self.model;
        let spec = &model.faults[fault.index()];
        let state = &mut self.world.faults[fault.index()];
        let number = state.fired;
        state.fired += 1;
        if self.without.is_firing(fault, number) || self.alone.is_some() {
            return;
        }
        let hit = match &spec.kind {
            FaultKind::Crash(service)
            | FaultKind::Pause(service)
            | FaultKind::Slow(service, _)
            | FaultKind::Skew(service, _) => match at {
                Some(instance)
                    if spec.instance == InstanceChoice::Any
                        && model.instances[instance as usize].service == *service =>
                {
                    let up = self.world.instances[instance as usize].up;
                    if up { vec![instance] } else { Vec::new() }
                }
                _ => self.chosen(*service, spec.instance, spec.stream, number),
            },
            _ => Vec::new(),
        };
        let hit: Vec<(u32, u32)> = hit
            .into_iter()
            .map(|instance| (instance, self.world.instances[instance as usize].epoch))
            .collect();
        let touched = match spec.kind {
            FaultKind::Replay { group, .. } => u32::from(self.world.broker.has_past(group)),
            FaultKind::Redrive { from, to } => self.redrive(from, to),
            FaultKind::Repartition { topic, partitions } => self.repartition(topic, partitions),
            FaultKind::Deploy(service, _) => self.model.services[service.index()].instances,
            FaultKind::Scale(service, instances, _) => self.differing(service, instances),
            FaultKind::Store(_, StoreFault::Slow(_)) => 1,
            _ if spec.kind.lies_in_wait() => 1,
            _ => hit.len() as u32,
        };
        self.record(Record::FaultBegan { fault, touched });
        if touched == 0 {
            return;
        }
        match spec.kind {
            FaultKind::Replay { group, .. } => return self.replay(fault, group),
            FaultKind::Redrive { .. } | FaultKind::Repartition { .. } => return,
            FaultKind::Deploy(service, rollout) => return self.deploy(fault, service, rollout),
            FaultKind::Scale(service, instances, how) => return self.scale(fault, service, instances, how),
            _ => {}
        }
        let firing = self.world.firings.add(Firing { fault, hit: hit.clone(), active: true, touched: false });
        let length = spec.duration.map(|duration| self.length(duration, DrawKey::numbered(2, number)));
        match &spec.kind {
            FaultKind::Crash(_) => hit.iter().for_each(|&(instance, _)| {
                self.world.instances[instance as usize].crashes += 1;
                self.crash(instance);
            }),
            FaultKind::Pause(_) => hit.iter().for_each(|&(instance, _)| self.pause(instance)),
            FaultKind::Slow(..) => self.reckon_slowness(&hit),
            FaultKind::Skew(_, by) => {
                hit.iter().for_each(|&(instance, _)| self.world.instances[instance as usize].skew += by)
            }
            FaultKind::Surge(client, _) => self.reckon_surge(*client),
            FaultKind::Replay { .. }
            | FaultKind::Redrive { .. }
            | FaultKind::Repartition { .. }
            | FaultKind::Deploy(..)
            | FaultKind::Scale(..) => unreachable!("operations do not last"),
            FaultKind::Store(store, what) => self.store_trouble(*store as usize, *what),
            FaultKind::Outage(place) => self.begin_outage(*place),
            FaultKind::Failover(place) => self.begin_failover(*place),
            FaultKind::Poison(..) => self.world.poisons += 1,
            FaultKind::Split { places, one_way } => self.begin_split(firing, places.clone(), *one_way),
            FaultKind::Degrade { places, one_way, latency, loss, duplicate, bandwidth, datagram } => self
                .begin_degradation(Degradation {
                    since: self.agenda.now(),
                    firing,
                    places: places.clone(),
                    one_way: *one_way,
                    latency: *latency,
                    loss: *loss,
                    duplicate: *duplicate,
                    bandwidth: *bandwidth,
                    datagram: *datagram,
                }),
        }
        if let Some(length) = length {
            self.later(length, Class::Fault, Event::FaultEnd { firing });
        }
    }

    /// The instances of a service that a firing hits: those alive among the wanted.
    fn chosen(
        &mut self,
        service: ServiceId,
        choice: InstanceChoice,
        stream: StreamId,
        number: u64,
    ) -> Vec<u32> {
        let spec = &self.model.services[service.index()];
        let instances = spec.first_instance..spec.first_instance + spec.instances;
        let up: Vec<u32> = instances.filter(|&at| self.world.instances[at as usize].up).collect();
        match choice {
            InstanceChoice::All => up,
            InstanceChoice::Number(number) => {
                up.into_iter().filter(|at| *at == spec.first_instance + number).collect()
            }
            InstanceChoice::Any if up.is_empty() => up,
            InstanceChoice::Any => {
                let choice = self.agenda.choose(stream, DrawKey::numbered(0, number), up.len() as u32);
                vec![up[choice as usize]]
            }
        }
    }

    pub(super) fn fault_ends(&mut self, firing: u32) {
        if !self.world.firings[firing].active {
            return;
        }
        let Firing { fault, hit, .. } = self.world.firings[firing].clone();
        self.world.firings[firing].active = false;
        self.world.firings.release(firing);
        let model = self.model;
        let lives = |this: &Self, &(instance, epoch): &(u32, u32)| {
            this.world.instances[instance as usize].epoch == epoch
        };
        match &model.faults[fault.index()].kind {
            FaultKind::Crash(_) => {
                for (instance, epoch) in hit {
                    self.restart(instance, epoch + 1);
                }
            }
            FaultKind::Pause(_) => {
                let paused: Vec<_> = hit.into_iter().filter(|life| lives(self, life)).collect();
                paused.into_iter().for_each(|(instance, _)| self.wake(instance));
            }
            FaultKind::Slow(..) => self.reckon_slowness(&hit),
            FaultKind::Skew(_, by) => {
                let skewed: Vec<_> = hit.into_iter().filter(|life| lives(self, life)).collect();
                skewed.iter().for_each(|&(at, _)| self.world.instances[at as usize].skew -= by)
            }
            FaultKind::Surge(client, _) => self.reckon_surge(*client),
            FaultKind::Outage(place) => self.end_outage(*place),
            FaultKind::Failover(place) => self.end_failover(*place),
            FaultKind::Poison(..) => self.world.poisons -= 1,
            FaultKind::Split { .. } => self.end_split(firing),
            FaultKind::Degrade { .. } => self.end_degradation(firing),
            FaultKind::Replay { .. }
            | FaultKind::Redrive { .. }
            | FaultKind::Repartition { .. }
            | FaultKind::Deploy(..)
            | FaultKind::Scale(..) => unreachable!("operations do not last"),
            FaultKind::Store(store, what) => self.store_mended(*store as usize, *what),
        }
        self.record(Record::FaultEnded { fault });
    }

    /// A firing that lay in wait hits something; that is told once.
    pub(super) fn touched(&mut self, firing: u32) {
        let of = &mut self.world.firings[firing];
        if !of.touched {
            of.touched = true;
            let fault = of.fault;
            self.record(Record::FaultTouched { fault });
        }
    }

    /// An intent arrives that the surges under way brought nearer.
    #[cold]
    pub(super) fn surge_brought(&mut self, client: ClientId) {
        self.meets_those(|kind| matches!(kind, FaultKind::Surge(surging, _) if *surging == client));
    }

    /// Somebody, or something that it holds, meets a broker or service that is out.
    #[cold]
    pub(super) fn outage_met(&mut self, at: Place) {
        self.meets_those(
            |kind| matches!(kind, FaultKind::Outage(place) | FaultKind::Failover(place) if *place == at),
        );
    }

    /// Somebody, or something that it holds, meets a store that is down or paused.
    #[cold]
    pub(super) fn store_met(&mut self, store: usize) {
        self.meets_those(|kind| kind.refuses_of_store() == Some(store as u32));
    }

    /// Firings under way that lay in wait for what has come.
    fn meets_those(&mut self, is_such: impl Fn(&FaultKind) -> bool) {
        let such = self.world.firings.all().filter(|(_, firing)| {
            firing.active && !firing.touched && is_such(&self.model.faults[firing.fault.index()].kind)
        });
        let such: Vec<u32> = such.map(|(firing, _)| firing).collect();
        such.into_iter().for_each(|firing| self.touched(firing));
    }

    /// The measured phase is over: every fault heals.
    pub(super) fn heal(&mut self) {
        let active: Vec<u32> =
            self.world.firings.all().filter(|(_, firing)| firing.active).map(|(slot, _)| slot).collect();
        active.into_iter().for_each(|firing| self.fault_ends(firing));
    }

    /// Active firings of one kind.
    pub(super) fn active(&self) -> impl Iterator<Item = (&FaultKind, &Firing)> {
        let firings = self.world.firings.all().map(|(_, firing)| firing).filter(|firing| firing.active);
        firings.map(|firing| (&self.model.faults[firing.fault.index()].kind, firing))
    }

    /// Whether a message that is made now is poisonous. Every copy of an obligation is, or none.
    #[cold]
    pub(super) fn is_poisoned(&mut self, message: MessageId, obligation: u64) -> bool {
        let model = self.model;
        let active: Vec<u32> =
            self.world.firings.all().filter(|(_, firing)| firing.active).map(|(slot, _)| slot).collect();
        for slot in active {
            let fault = self.world.firings[slot].fault;
            let spec = &model.faults[fault.index()];
            let FaultKind::Poison(kind, share) = spec.kind else { continue };
            if kind != message || self.uniform(spec.stream, DrawKey::hashed(obligation, 0, 0)) >= share {
                continue;
            }
            self.touched(slot);
            return true;
        }
        false
    }

    /// An attempt on a message that no handler can handle: it looks at it and fails.
    pub(super) fn choke(&mut self, attempt: u32) {
        let token = self.world.attempts.wait(attempt, Wait::Choking);
        let event = Event::Resume { attempt, token };
        self.world.attempts[attempt].pending = self.agenda.after(CHOKING_TIME, Class::Completion, event);
    }

    /// How slow some instances are now: the product of all that slows each in the life it has.
    fn reckon_slowness(&mut self, instances: &[(u32, u32)]) {
        for &(instance, _) in instances {
            let life = (instance, self.world.instances[instance as usize].epoch);
            let slowing = self.active().filter_map(|(kind, firing)| match kind {
                FaultKind::Slow(_, by) => firing.hit.binary_search(&life).is_ok().then_some(*by),
                _ => None,
            });
            let slowness = slowing.fold(1.0, |product, by| product * by);
            self.world.instances[instance as usize].slowness = slowness;
        }
    }

    fn reckon_surge(&mut self, client: ClientId) {
        let surges = self.active().filter_map(|(kind, _)| match kind {
            FaultKind::Surge(surging, by) if *surging == client => Some(*by),
            _ => None,
        });
        let surge = surges.fold(1.0, |product, by| product * by);
        self.set_surge(client, surge);
    }

    /// A process is gone, with everything in its memory; its peers' connections are reset.
    pub(super) fn crash(&mut self, instance: u32) {
        let here = &mut self.world.instances[instance as usize];
        here.up = false;
        here.epoch += 1;
        here.paused = 0;
        here.suspended.clear();
        let deferred = std::mem::take(&mut here.deferred);
        let tickets = here.drain();
        let (busy, waiting) = (here.busy, tickets.len() as u32);
        self.record(Record::InstanceDown { instance: InstanceId(instance), waiting, busy });
        for event in deferred {
            self.discard_event(event);
        }
        for ticket in tickets {
            self.drop_ticket(instance, ticket, Error::Unavailable);
        }
        let running = self.world.attempts.select(|attempt| attempt.instance == instance);
        running.iter().for_each(|&attempt| self.orphan_write(attempt));
        // What each leaves undone is told on the store as it stands, before any of them rolls back.
        running.iter().for_each(|&attempt| self.tell_cut(attempt));
        for attempt in running {
            self.cut(attempt);
        }
        self.reset_callers(instance);
        self.forget_timers(instance);
        self.forget_guards(instance);
        let here = &mut self.world.instances[instance as usize];
        here.busy = 0;
        here.computing = 0;
        self.world.memories[instance as usize].clear();
        self.relay_crashed(instance);
        let service = self.model.instances[instance as usize].service;
        for &group in &self.model.services[service.index()].groups {
            self.with_broker(|broker, choose, actions| {
                broker.lost(group, InstanceId(instance), choose, actions)
            });
        }
    }

    /// Cuts an attempt of a crashed instance.
    fn cut(&mut self, attempt: u32) {
        let of = &self.world.attempts[attempt];
        let (source, worker, instance) = (of.source, of.state.worker, of.instance);
        self.cut_requests(attempt);
        self.roll_back(attempt);
        // One that was on its way to the store without a transaction never got there.
        self.store_timers(attempt, TransactionEnd::RolledBack);
        if worker {
            let instance = InstanceId(instance);
            self.record(Record::Ended { instance, attempt, outcome: Outcome::Cut });
        }
        self.tell_ended(attempt, Outcome::Cut);
        if let Source::Timer { timer } = source {
            self.timer_cut(timer);
        }
        self.discard(attempt);
    }

    /// Callers whose call the crashed instance had accepted learn of it after one latency.
    fn reset_callers(&mut self, instance: u32) {
        let callers = self.world.attempts.select(|attempt| {
            attempt.target == instance && attempt.state.arrived && matches!(attempt.wait, Wait::Call { .. })
        });
        for caller in callers {
            let of = &mut self.world.attempts[caller];
            of.state.arrived = false;
            let (Wait::Call { step }, token, cause) = (of.wait, of.token, of.cause) else { continue };
            self.answer_error(instance, step, caller, token, cause, Error::Unavailable);
        }
    }

    /// A process is there again: empty-handed, connected, its jobs starting over.
    pub(super) fn restart(&mut self, instance: u32, epoch: u32) {
        let here = &mut self.world.instances[instance as usize];
        if here.up || here.epoch != epoch {
            return;
        }
        here.up = true;
        here.skew = 0;
        self.record(Record::InstanceUp { instance: InstanceId(instance) });
        self.reckon_slowness(&[(instance, epoch)]);
        self.begin_jobs(instance);
        self.schedule_memory_expiries(instance);
        let service = self.model.instances[instance as usize].service;
        for &group in &self.model.services[service.index()].groups {
            self.with_broker(|broker, choose, actions| {
                broker.join(group, InstanceId(instance), choose, actions)
            });
        }
        self.goes_on_leaving(instance);
    }

    /// Silence: nothing on the instance goes on, and nothing notices.
    fn pause(&mut self, instance: u32) {
        let here = &mut self.world.instances[instance as usize];
        here.paused += 1;
        if here.paused > 1 {
            return;
        }
        let on_it = self
            .world
            .attempts
            .select(|attempt| attempt.instance == instance && attempt.pending != Handle::NONE);
        for attempt in on_it {
            let pending = self.world.attempts[attempt].pending;
            if let Some(left) = self.agenda.suspend(pending) {
                self.world.attempts[attempt].pending = Handle::NONE;
                self.world.instances[instance as usize].suspended.push((attempt, left));
            }
        }
        let service = self.model.instances[instance as usize].service;
        for &group in &self.model.services[service.index()].groups {
            self.with_broker(|broker, _, actions| broker.silent(group, InstanceId(instance), actions));
        }
    }

    /// It wakes and goes on where it was.
    fn wake(&mut self, instance: u32) {
        let here = &mut self.world.instances[instance as usize];
        here.paused -= 1;
        if here.paused > 0 {
            return;
        }
        let suspended = std::mem::take(&mut here.suspended);
        let deferred = std::mem::take(&mut here.deferred);
        for (attempt, left) in suspended {
            let of = &self.world.attempts[attempt];
            if of.state.alive && of.instance == instance && of.pending == Handle::NONE && of.token != 0 {
                let token = of.token;
                let event = Event::Resume { attempt, token };
                self.world.attempts[attempt].pending = self.agenda.after(left, Class::Completion, event);
            }
        }
        for event in deferred {
            self.later(0, Class::Delivery, event);
        }
        let service = self.model.instances[instance as usize].service;
        for &group in &self.model.services[service.index()].groups {
            self.with_broker(|broker, choose, actions| {
                broker.heard(group, InstanceId(instance), choose, actions)
            });
        }
        self.next_work(instance);
    }

    /// An event that a crash found waiting for its instance to wake.
    fn discard_event(&mut self, event: Event) {
        match event {
            Event::Answer { payload, .. } => self.free_answer(payload),
            // These find out that the process they were meant for is gone.
            Event::Request { .. } | Event::Sent { .. } => drop(self.later(0, Class::Delivery, event)),
            Event::Timer { timer } => self.timer_cut(timer),
            _ => {}
        }
    }
}
