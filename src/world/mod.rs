//! The world: everything that changes in a replication, and what happens to it.
//!
//! [`Simulation`] joins the compiled [`Model`], the [`World`] (plain data: it can be cloned), an
//! [`Agenda`] that owns time and chance, and an observer. Its loop is [`Simulation::run`]: take the
//! next event, apply it, say what happened. Each file beside this one is one kind of happening:
//!
//! - `client` begins intents; `interpret` runs handler code, `evaluate` its expressions;
//! - `instance` queues work for workers and CPUs; `call`, `routing` and `network` carry it between processes;
//! - `rows` and `commit` act on the `store`; `publish`, `deliver`, `outbox` and `relay` on the `broker`;
//! - `job`, `timer` and `saga` start work by themselves; `fault` disturbs all of it.

pub mod alone;
mod attempt;
mod autoscale;
pub mod broker;
mod call;
mod capture;
mod client;
mod commit;
mod condition;
mod debt;
pub mod deed;
mod deliver;
mod effect;
mod evaluate;
mod expiry;
mod fault;
mod forgetting;
mod guard;
mod hedge;
pub mod identity;
mod inspect;
mod instance;
mod interpret;
mod job;
mod kept;
mod loss;
mod message;
mod network;
mod operation;
mod outage;
mod outbox;
mod packet;
mod phases;
mod postponed;
mod publish;
mod quorum;
pub mod record;
mod region;
mod relay;
mod remainder;
mod replicas;
mod rollout;
mod routing;
mod rows;
mod saga;
mod send;
mod sending;
mod statement;
pub mod store;
mod streams;
pub mod survey;
pub mod tell;
mod timer;
pub mod without;
mod words;

use crate::kernel::agenda::{Agenda, EVENT_BUDGET};
use crate::kernel::event_list::{Class, Handle};
use crate::kernel::ids::*;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::Nanos;
use crate::model::{Duration, Model, NONE};
use attempt::{Attempt, Attempts};
use broker::{Broker, DeliveryId, TimerId};
use message::Messages;
use record::{Observer, Record};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use without::Without;
use words::{Lists, Slab, Words};

/// What the event list holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    Phase(phases::Phase),
    Arrival {
        client: ClientId,
    },
    /// A user of a closed population has thought.
    Think {
        client: ClientId,
        user: u32,
    },
    /// A rate changes to its next phase.
    RatePhase {
        client: ClientId,
    },
    /// What an attempt waits for on its own instance is over.
    Resume {
        attempt: u32,
        token: u32,
    },
    /// What it waits for elsewhere takes effect: the middle of a round trip.
    Midpoint {
        attempt: u32,
        token: u32,
    },
    /// Its timeout.
    Timeout {
        attempt: u32,
        token: u32,
    },
    /// A one-way message reaches an instance.
    Sent {
        message: u32,
        instance: u32,
        epoch: u32,
    },
    /// A call reaches an instance.
    Request {
        request: u32,
    },
    /// A call's answer, a publish's confirmation.
    Answer {
        attempt: u32,
        token: u32,
        payload: u32,
    },
    /// An error instead of an answer.
    Refusal {
        attempt: u32,
        token: u32,
        error: u32,
    },
    /// A publish reaches its broker; the token is of the attempt that waits for the confirmation.
    Publish {
        message: u32,
        attempt: u32,
        token: u32,
    },
    /// A delivery reaches its consumer.
    Delivery {
        delivery: DeliveryId,
    },
    Ack {
        delivery: DeliveryId,
    },
    Nack {
        delivery: DeliveryId,
    },
    Broker {
        timer: TimerId,
    },
    /// The broker's decisions go on to be carried out.
    CarryOut,
    /// A packet leaves a pipe of limited bandwidth.
    PipeFree {
        pipe: u32,
    },
    Job {
        job: JobId,
        instance: u32,
        epoch: u32,
    },
    /// A call has waited long enough for its answer to ask another instance too.
    Hedge {
        attempt: u32,
        token: u32,
    },
    /// A breaker has been open long enough.
    Breaker {
        state: u32,
        era: u32,
    },
    /// The busy workers of a service are counted.
    Autoscale {
        autoscale: u32,
    },
    /// The next instances of a rolling deployment may be due.
    Rollout {
        rollout: u32,
    },
    /// An instance that is to stop may have ended what it had begun.
    Leaves {
        instance: u32,
        epoch: u32,
    },
    /// It has had its time.
    Killed {
        instance: u32,
        epoch: u32,
    },
    /// A process that was started on purpose is there.
    Installed {
        instance: u32,
        epoch: u32,
    },
    /// An instance that was asked for has started.
    Started {
        autoscale: u32,
        instance: u32,
    },
    JobLease {
        job: JobId,
        lease: u32,
    },
    Timer {
        timer: u32,
    },
    Relay {
        relay: u32,
        token: u32,
    },
    RelayPublished {
        relay: u32,
        token: u32,
        message: u32,
    },
    RelayConfirmed {
        relay: u32,
        token: u32,
        message: u32,
    },
    /// A relay's position is saved, as it is now and then.
    RelayMark {
        relay: u32,
    },
    /// A request to the outside is half way there and back.
    Effect {
        request: u32,
    },
    /// A row's time to live is over: an index into what expires.
    Expire {
        expiry: u32,
    },
    FaultBegin {
        fault: FaultId,
    },
    FaultEnd {
        firing: u32,
    },
    /// A fault fires at a step that an instance has come to.
    FaultAt {
        fault: FaultId,
        instance: u32,
    },
    /// The delay of a published message is over.
    Visible {
        message: u32,
    },
    /// What a store has committed becomes durable.
    Flush {
        store: u32,
    },
    /// A copy of a store gets a change.
    Replicated {
        change: u32,
    },
    /// A read reaches a replica of a quorum; or, without one, has all the answers that it waits for.
    QuorumRead {
        read: u32,
        replica: u32,
    },
}

/// Everything that changes, but for time and chance.
#[derive(Clone)]
pub struct World {
    attempts: Attempts,
    messages: Messages,
    words: Words,
    lists: Lists,
    instances: Vec<instance::Instance>,
    tickets: Slab<instance::Ticket>,
    /// Round-robin pointer of each service, by its first instance.
    next_instance: Vec<u32>,
    clients: Vec<client::ClientState>,
    jobs: Vec<job::JobState>,
    timers: Slab<timer::Timer>,
    sagas: saga::Sagas,
    guards: Vec<guard::GuardState>,
    autoscales: Vec<autoscale::AutoscaleState>,
    rollouts: rollout::Rollouts,
    stores: Vec<commit::StoreState>,
    memories: Vec<store::memory::Memory>,
    expiries: Slab<expiry::Expiring>,
    broker: Broker,
    broker_timers: Vec<Handle>,
    /// What the broker has chosen, and how its packets travel.
    dispatch: deliver::Dispatch,
    /// Its decisions are being carried out.
    carrying_out: bool,
    producers: Vec<u64>,
    /// Who has how many unconfirmed sends, where that is limited.
    sending: sending::Lines,
    /// Sends that their producer has to repeat, and that nothing after them may overtake.
    overdue: sending::Overdue,
    turns: sending::Turns,
    outboxes: Vec<outbox::OutboxState>,
    relays: Vec<relay::Relay>,
    outages: outage::Outages,
    /// Messages whose delay is not over, and that are not durable.
    postponed: Vec<postponed::Postponed>,
    /// Faults that poison messages now.
    poisons: u32,
    network: network::Network,
    faults: Vec<fault::FaultState>,
    firings: Slab<fault::Firing>,
    /// Faults of stores that last.
    store_troubles: u32,
    /// Changes on their way to copies of stores, and reads that ask a quorum.
    replicating: Slab<replicas::Replicating>,
    quorum_reads: Slab<quorum::QuorumRead>,
    /// What the quorum read that is being answered has found.
    quorum_answer: Option<replicas::Copy>,
    /// Replays that wait for their group to pause.
    replays: Vec<FaultId>,
    effects: effect::Effects,
    counters: Vec<rustc_hash::FxHashMap<u64, u64>>,
    /// Values made unique so far, by handler.
    unique: Vec<u64>,
    /// Set when arrivals have stopped.
    draining: bool,
    /// Messages on their way to a service or a broker, or waiting there for their delay.
    in_flight: u64,
    /// Answers with fields that are on their way, or wait for a paused instance.
    answers: u64,
    /// Counts what anyone did that others can see: commits, messages, effects, calls. A job during whose
    /// round it stood still had nothing to do.
    stir: u64,
    ended: Option<bool>,
    scratch: Scratch,
}

/// Buffers reused by one event after another.
#[derive(Clone, Default)]
struct Scratch {
    actions: Vec<broker::Action>,
    stack: Vec<u64>,
    /// Lists that expressions made and nobody has taken yet.
    temporaries: Vec<u64>,
    row: Vec<u64>,
    key: Vec<u64>,
    /// A remainder is run dry: what it meets did not happen.
    is_dry: bool,
}

/// Bounds of a replication that a design may not pass.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Events in all.
    pub events: u64,
    /// Events at one instant.
    pub events_per_instant: u64,
    /// Messages, attempts and waiting things held at once; so many take about as much memory as `kept` allows.
    pub held: usize,
    /// Words of 8 bytes that tables, lists, values, keys of effects and counters take.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { events: EVENT_BUDGET, events_per_instant: 20_000_000, held: 5_000_000, kept: 1 << 28 }
    }
}

/// Why a replication did not come to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Halt {
    /// Time stood still over a whole budget of events; the handler that ran last.
    ZeroDelayLoop {
        events: u64,
        handler: String,
    },
    EventBudget {
        events: u64,
        at: Nanos,
    },
    /// Too much was held at once; what held most.
    Overload {
        held: usize,
        at: Nanos,
        largest: String,
    },
    /// Tables and the like took too much memory; what took most.
    Memory {
        kept: usize,
        at: Nanos,
        largest: String,
    },
    Interrupted,
}

impl std::fmt::Display for Halt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use crate::kernel::time::Pretty;
        match self {
            Halt::ZeroDelayLoop { events, handler } => write!(
                f,
                "a loop without delay: {events} events happened at one instant, the last of them in {handler}"
            ),
            Halt::EventBudget { events, at } => {
                write!(f, "the run is over its budget of {events} events at {}", Pretty(*at))
            }
            Halt::Overload { held, at, largest } => write!(
                f,
                "the design is overloaded without bound: {held} things are waiting or under way at {}, most of \
                 them {largest}",
                Pretty(*at)
            ),
            Halt::Memory { kept, at, largest } => write!(
                f,
                "the design keeps more than there is room for: {} MiB at {}, most of it {largest}",
                kept >> 17,
                Pretty(*at)
            ),
            Halt::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// One replication under way.
pub struct Simulation<'m, A, O> {
    pub model: &'m Model,
    pub world: World,
    pub agenda: A,
    pub observer: O,
    /// What does not take place.
    pub without: Without,
    /// Where only some intents take place, one after another: what they made before.
    alone: Option<alone::Script>,
    /// Events applied so far.
    pub events: u64,
}

impl<'m, A: Agenda<Event>, O: Observer> Simulation<'m, A, O> {
    /// A replication at time 0: clients, jobs and faults have their first events.
    pub fn new(model: &'m Model, agenda: A, observer: O) -> Self {
        Self::lacking(model, agenda, observer, Without::default())
    }

    /// The same, with something left out.
    pub fn lacking(model: &'m Model, agenda: A, observer: O, without: Without) -> Self {
        let world = World::new(model);
        let mut simulation = Self { model, world, agenda, observer, without, alone: None, events: 0 };
        simulation.begin();
        simulation
    }

    /// Runs to the end: until the drain is quiet, or its limit.
    ///
    /// # Errors
    ///
    /// What the design did that no run can bear, or that `interrupt` was set.
    pub fn run(&mut self, limits: Limits, interrupt: &AtomicBool) -> Result<(), Halt> {
        let mut instant = self.agenda.now();
        let mut instant_began = self.events;
        // The first look comes no later than the budget ends.
        let mut next_check = limits.events.saturating_add(1).min(EVENTS_BETWEEN_CHECKS);
        while let Some(event) = self.agenda.next() {
            self.events += 1;
            self.apply(event);
            if self.world.draining && self.is_over() {
                break;
            }
            if self.events >= next_check || self.agenda.is_full() || self.world.lists.kept() > limits.kept {
                next_check = (self.events + EVENTS_BETWEEN_CHECKS).min(limits.events.saturating_add(1));
                if self.agenda.now() != instant {
                    instant = self.agenda.now();
                    instant_began = self.events;
                }
                self.check(limits, self.events - instant_began, interrupt)?;
                self.world.forget_keys(self.model);
            }
        }
        self.record(Record::End { quiet: self.world.ended.unwrap_or(true) });
        Ok(())
    }

    #[inline(always)]
    fn apply(&mut self, event: Event) {
        match event {
            Event::Resume { attempt, token } => self.resume(attempt, token),
            Event::Midpoint { attempt, token } => self.midpoint(attempt, token),
            Event::Arrival { client } => self.arrival(client),
            Event::Sent { message, instance, epoch } => self.sent(message, instance, epoch),
            Event::Request { request } => self.request(request),
            Event::Answer { attempt, token, payload } => self.answer(attempt, token, payload),
            Event::Refusal { attempt, token, error } => self.refusal(attempt, token, error),
            Event::Timeout { attempt, token } => self.timeout(attempt, token),
            Event::Publish { message, attempt, token } => self.publish_arrives(message, attempt, token),
            Event::Delivery { delivery } => self.delivery_arrives(delivery),
            Event::Ack { delivery } => self.ack_arrives(delivery),
            Event::Nack { delivery } => self.nack_arrives(delivery),
            Event::Broker { timer } => self.broker_timer(timer),
            Event::Think { client, user } => self.think(client, user),
            Event::RatePhase { client } => self.rate_phase(client),
            Event::CarryOut => self.carry_out(),
            Event::PipeFree { pipe } => self.pipe_free(pipe),
            Event::Job { job, instance, epoch } => self.job_due(job, instance, epoch),
            Event::Hedge { attempt, token } => self.hedge(attempt, token),
            Event::Breaker { state, era } => self.breaker_due(state, era),
            Event::Autoscale { autoscale } => self.autoscale(autoscale),
            Event::Started { autoscale, instance } => self.instance_started(autoscale, instance),
            Event::Rollout { rollout } => self.roll_out(rollout),
            Event::Leaves { instance, epoch } => self.leaves(instance, epoch),
            Event::Killed { instance, epoch } => self.killed(instance, epoch),
            Event::Installed { instance, epoch } => self.installed(instance, epoch),
            Event::JobLease { job, lease } => self.job_lease_over(job, lease),
            Event::Timer { timer } => self.timer_due(timer),
            Event::Relay { relay, token } => self.relay(relay, token),
            Event::RelayPublished { relay, token, message } => self.relay_published(relay, token, message),
            Event::RelayConfirmed { relay, token, message } => self.relay_confirmed(relay, token, message),
            Event::RelayMark { relay } => self.relay_mark(relay),
            Event::Effect { request } => self.effect_happens(request),
            Event::Expire { expiry } => self.expire(expiry),
            Event::FaultBegin { fault } => self.fault_due(fault),
            Event::FaultEnd { firing } => self.fault_ends(firing),
            Event::FaultAt { fault, instance } => self.fault_at(fault, instance),
            Event::Visible { message } => self.visible(message),
            Event::Flush { store } => self.flush_due(store),
            Event::Replicated { change } => self.replicated(change),
            Event::QuorumRead { read, replica } => self.quorum_read(read, replica),
            Event::Phase(phase) => self.phase(phase),
        }
    }

    #[inline(always)]
    fn record(&mut self, record: Record) {
        let now = self.agenda.now();
        self.observer.record(now, &record);
    }

    /// A length of time that does not depend on an attempt's values.
    #[inline]
    fn length(&mut self, duration: Duration, key: DrawKey) -> Nanos {
        match duration {
            Duration::Constant(nanos) => nanos,
            Duration::Drawn(stream) => self.agenda.draw(stream, key),
            Duration::Computed(_) => unreachable!("computed durations belong to steps"),
        }
    }

    /// Events that have nothing to do with an attempt's own instance.
    fn later(&mut self, delay: Nanos, class: Class, event: Event) -> Handle {
        self.agenda.after(delay, class, event)
    }

    fn check(&self, limits: Limits, at_this_instant: u64, interrupt: &AtomicBool) -> Result<(), Halt> {
        if interrupt.load(Ordering::Relaxed) {
            return Err(Halt::Interrupted);
        }
        if at_this_instant > limits.events_per_instant {
            let handler = self.world.attempts.last_handler();
            let handler = self.model.handlers.get(handler as usize).map_or("no handler", |last| &last.name);
            return Err(Halt::ZeroDelayLoop { events: at_this_instant, handler: handler.to_string() });
        }
        if self.events > limits.events {
            return Err(Halt::EventBudget { events: limits.events, at: self.agenda.now() });
        }
        let held = self.world.held() + self.agenda.pending();
        if held > limits.held || self.agenda.is_full() {
            return Err(Halt::Overload { held, at: self.agenda.now(), largest: self.largest_holder() });
        }
        // Walking over ten thousand tables takes time, and they grow by no more than some rows an event.
        let lists = self.world.lists.kept() > limits.kept;
        if lists || self.events & (EVENTS_BETWEEN_LOOKS - 1) < EVENTS_BETWEEN_CHECKS {
            let kept = self.world.kept();
            if kept > limits.kept {
                let largest = self.world.largest_keeper(self.model).1;
                return Err(Halt::Memory { kept, at: self.agenda.now(), largest });
            }
        }
        Ok(())
    }

    /// What holds most of what is waiting: named when there is too much.
    fn largest_holder(&self) -> String {
        let queues = self.world.instances.iter().enumerate().map(|(index, instance)| {
            let spec = &self.model.instances[index];
            let service = &self.model.services[spec.service.index()].name;
            (instance.waiting() as u64, format!("in the queue of {service}#{}", spec.number))
        });
        let groups = self.model.groups.iter().enumerate().map(|(index, group)| {
            (self.world.broker.lag(GroupId::new(index)), format!("in the topic of {}", group.name))
        });
        let attempts = (self.world.attempts.len() as u64, "attempts under way".to_string());
        let pending = (self.agenda.pending() as u64 / 2, "events to come".to_string());
        queues
            .chain(groups)
            .chain([attempts, pending])
            .max_by_key(|(held, _)| *held)
            .map_or(String::new(), |most| most.1)
    }
}

impl World {
    /// Attempts, messages and waiting things held now.
    fn held(&self) -> usize {
        self.attempts.len() + self.messages.len() + self.tickets.len()
    }

    fn new(model: &Model) -> Self {
        let members: Vec<_> = model.groups.iter().map(|group| group.member.clone()).collect();
        let topics: Vec<_> = model.topics.iter().map(|topic| topic.knobs.clone()).collect();
        Self {
            attempts: Attempts::default(),
            messages: Messages::default(),
            words: Words::default(),
            lists: Lists::default(),
            instances: model.instances.iter().map(|spec| instance::Instance::new(model, spec)).collect(),
            tickets: Slab::default(),
            next_instance: vec![0; model.instances.len()],
            clients: model.clients.iter().map(client::ClientState::new).collect(),
            jobs: model.jobs.iter().map(|_| job::JobState::default()).collect(),
            timers: Slab::default(),
            sagas: saga::Sagas::default(),
            guards: guard::GuardState::all(model),
            autoscales: autoscale::AutoscaleState::all(model),
            rollouts: rollout::Rollouts::new(model),
            stores: model.stores.iter().map(|store| commit::StoreState::new(model, store)).collect(),
            memories: model
                .instances
                .iter()
                .map(|instance| rows::memory_of(model, instance.service))
                .collect(),
            expiries: Slab::default(),
            broker: Broker::new(&topics, &members),
            broker_timers: Vec::new(),
            dispatch: deliver::Dispatch::new(model),
            carrying_out: false,
            producers: vec![0; model.instances.len() + model.clients.len()],
            outboxes: model.outboxes.iter().map(|_| outbox::OutboxState::default()).collect(),
            relays: vec![relay::Relay::default(); model.relays.len()],
            sending: sending::Lines::default(),
            overdue: sending::Overdue::new(),
            turns: sending::Turns::new(),
            outages: outage::Outages::new(model),
            postponed: Vec::new(),
            poisons: 0,
            network: network::Network::new(model),
            faults: model.faults.iter().map(|_| fault::FaultState::default()).collect(),
            firings: Slab::default(),
            store_troubles: 0,
            replicating: Slab::default(),
            quorum_reads: Slab::default(),
            quorum_answer: None,
            replays: Vec::new(),
            effects: effect::Effects::default(),
            counters: vec![Default::default(); model.counters as usize],
            unique: vec![0; model.handlers.len()],
            draining: false,
            in_flight: 0,
            answers: 0,
            stir: 0,
            ended: None,
            scratch: Scratch::default(),
        }
    }
}

/// How often the limits are looked at.
const EVENTS_BETWEEN_CHECKS: u64 = 1 << 12;
/// And how often at what is kept.
const EVENTS_BETWEEN_LOOKS: u64 = 1 << 16;

/// "None" among instances: a client's attempts run on none.
const NOWHERE: u32 = NONE;

const _: () = assert!(std::mem::size_of::<Event>() <= 16);
const _: () = assert!(std::mem::size_of::<Record>() <= 32);
const _: () = assert!(std::mem::size_of::<Attempt>() <= 256);
