//! Instances: one pool of workers each, a queue in front of it, CPUs behind it.

mod processors;

use super::attempt::Source;
use super::broker::DeliveryId;
use super::identity::Cause;
use super::record::{Observer, Outcome, Record};
use super::{Event, NOWHERE, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Error, Model, NONE, QueueOrder, Service, Shed};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// One running process. Laid out by cache line: what every attempt meets stands in the first, its queue in the
/// second.
#[derive(Clone)]
#[repr(C, align(64))]
pub struct Instance {
    /// Counts its lives: what was meant for an earlier one does not reach it.
    pub epoch: u32,
    /// The operation that stops it: it takes nothing new. `NONE`: none does.
    pub stopped_by: u32,
    /// Of its service; 0 is what that begins with.
    pub version: u32,
    /// How many faults have its service refuse everything.
    pub outages: u32,
    /// How many pauses hold it; while one does, nothing on it goes on.
    pub paused: u32,
    /// Workers in use, CPUs in use.
    pub busy: u32,
    pub computing: u32,
    /// How many wait for a worker: those in `line` and `ranked`.
    queued: u32,
    door: Door,
    pub up: bool,
    /// It is not wanted: it was not started yet, or is stopped for good.
    pub unwanted: bool,
    /// Free workers are being given work.
    serving: bool,
    pub slowness: f64,
    line: VecDeque<u32>,
    ranked: BinaryHeap<Reverse<(i64, u64, u32)>>,
    ranks: u64,
    /// How far its clock is ahead, in nanoseconds.
    pub skew: i64,
    waiting_for_cpu: VecDeque<(u32, u32)>,
    pub deferred: Vec<Event>,
    /// Work and waits that a pause interrupted, with what was left of them.
    pub suspended: Vec<(u32, Nanos)>,
    /// How often a fault has crashed it; what is stopped on purpose has not crashed.
    pub crashes: u32,
}

const _: () = assert!(size_of::<Instance>() == 256);

/// Knobs of its service that an instance meets whenever anything comes or goes.
#[derive(Clone, Copy)]
struct Door {
    workers: u32,
    cpus: u32,
    capacity: u32,
    order: QueueOrder,
    shed: Shed,
}

impl Instance {
    pub fn new(model: &Model, spec: &crate::model::Instance) -> Self {
        let &Service { workers, cpus, capacity, order, shed, instances_at_start, .. } =
            &model.services[spec.service.index()];
        let is_there = spec.number < instances_at_start;
        Self {
            epoch: 0,
            stopped_by: NONE,
            version: 0,
            outages: 0,
            paused: 0,
            busy: 0,
            computing: 0,
            queued: 0,
            door: Door { workers, cpus, capacity, order, shed },
            up: is_there,
            unwanted: !is_there,
            serving: false,
            slowness: 1.0,
            line: VecDeque::new(),
            ranked: BinaryHeap::new(),
            ranks: 0,
            skew: 0,
            waiting_for_cpu: VecDeque::new(),
            deferred: Vec::new(),
            suspended: Vec::new(),
            crashes: 0,
        }
    }

    /// Whether it takes new calls.
    #[inline(always)]
    pub fn takes_calls(&self) -> bool {
        self.up && self.stopped_by == NONE
    }

    /// How many wait for a worker.
    #[inline]
    pub fn waiting(&self) -> usize {
        self.queued as usize
    }

    /// Whether a worker can take something up at once. Who waits already goes first, when an instance has
    /// just woken.
    #[inline(always)]
    pub fn is_free(&self) -> bool {
        self.busy < self.door.workers && self.paused == 0 && self.queued == 0
    }

    /// A paused instance turns nobody away: what finds its queue full waits outside until it wakes.
    #[inline(always)]
    pub fn is_full_and_paused(&self) -> bool {
        self.paused > 0 && self.waiting() >= self.door.capacity as usize
    }

    /// Everything that waits, taken out.
    pub fn drain(&mut self) -> Vec<u32> {
        self.queued = 0;
        self.waiting_for_cpu.clear();
        let ranked = std::mem::take(&mut self.ranked).into_iter().map(|entry| entry.0.2);
        self.line.drain(..).chain(ranked).collect()
    }
}

/// Something that wants a worker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    Call { caller: u32, token: u32, message: u32, step: u32, cause: Cause },
    Send { message: u32, step: u32 },
    Delivery { delivery: DeliveryId, message: u32 },
    Job { job: JobId, number: u64 },
    Timer { timer: u32 },
}

/// What a worker takes up: the code that it runs, for whom, and on which message.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    pub handler: HandlerId,
    pub cause: Cause,
    pub source: Source,
    pub message: u32,
}

/// A place in a queue.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    work: Work,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Something wants a worker of an instance that is up.
    #[inline]
    pub(super) fn enter(&mut self, instance: u32, work: Work) {
        let here = &self.world.instances[instance as usize];
        let door = here.door;
        if here.is_free() {
            return self.start(instance, work, NONE);
        }
        // Deliveries, jobs and timers are let in by their own limits; the door is for callers.
        let by_capacity = matches!(work, Work::Call { .. } | Work::Send { .. });
        if by_capacity && here.waiting() >= door.capacity as usize && !self.make_room(instance, door.shed) {
            self.record(Record::Rejected { instance: InstanceId(instance) });
            self.refuse(instance, work, Error::Rejected);
            return;
        }
        let priority = match door.order {
            QueueOrder::Priority => self.priority(instance, work),
            _ => 0,
        };
        let ticket = self.world.tickets.add(Ticket { work });
        let here = &mut self.world.instances[instance as usize];
        here.queued += 1;
        match door.order {
            QueueOrder::Priority => {
                here.ranks += 1;
                here.ranked.push(Reverse((priority, here.ranks, ticket)));
            }
            _ => here.line.push_back(ticket),
        }
        self.record(Record::Waits { instance: InstanceId(instance), ticket });
    }

    /// `shed: drop_oldest` makes room at a full door: the caller goes that has waited longest.
    fn make_room(&mut self, instance: u32, shed: Shed) -> bool {
        if shed != Shed::DropOldest {
            return false;
        }
        let tickets = &self.world.tickets;
        let is_caller = |ticket: u32| matches!(tickets[ticket].work, Work::Call { .. } | Work::Send { .. });
        let here = &mut self.world.instances[instance as usize];
        let ranked = here.ranked.iter().filter(|entry| is_caller(entry.0.2));
        let oldest_ranked = ranked.min_by_key(|entry| entry.0.1).map(|entry| entry.0.2);
        let Some(oldest) = here.line.iter().copied().find(|&ticket| is_caller(ticket)).or(oldest_ranked)
        else {
            return false;
        };
        here.line.retain(|&ticket| ticket != oldest);
        here.ranked.retain(|entry| entry.0.2 != oldest);
        here.queued -= 1;
        self.drop_ticket(instance, oldest, Error::Rejected);
        true
    }

    /// Turns away something that waited.
    pub(super) fn drop_ticket(&mut self, instance: u32, ticket: u32, error: Error) {
        let work = self.world.tickets[ticket].work;
        self.world.tickets.release(ticket);
        self.record(Record::Dropped { instance: InstanceId(instance), ticket });
        self.refuse(instance, work, error);
    }

    /// Says no to whoever waits for the work, and lets its message go.
    fn refuse(&mut self, instance: u32, work: Work, error: Error) {
        match work {
            Work::Call { caller, token, message, step, cause } => {
                self.answer_error(instance, step, caller, token, cause, error);
                self.release_message(message);
            }
            Work::Send { message, .. } | Work::Delivery { message, .. } => self.release_message(message),
            Work::Timer { timer } => self.timer_cut(timer),
            Work::Job { .. } => {}
        }
    }

    fn priority(&mut self, instance: u32, work: Work) -> i64 {
        let spec = &self.model.services[self.model.instances[instance as usize].service.index()];
        let Some(by) = spec.priority else { return 0 };
        let message = match work {
            Work::Call { message, .. } | Work::Send { message, .. } | Work::Delivery { message, .. } => {
                message
            }
            // Work without a message goes last.
            Work::Job { .. } | Work::Timer { .. } => return i64::MAX,
        };
        let cause = self.world.messages[message].cause;
        let reader = self.world.attempts.add(0, 0, instance, message, cause, Source::Send);
        let priority = self.evaluate(by, reader);
        self.drop_temporaries();
        self.world.attempts.release(reader);
        priority.map_or(i64::MAX, |word| word as i64)
    }

    /// A worker takes something up.
    #[inline(always)]
    fn start(&mut self, instance: u32, work: Work, ticket: u32) {
        let Some(served) = self.begin_work(instance, work) else {
            if ticket != NONE {
                self.record(Record::Dropped { instance: InstanceId(instance), ticket });
            }
            return;
        };
        self.start_attempt(instance, served, ticket);
    }

    /// An attempt begins on an instance with a free worker.
    #[inline(always)]
    pub(super) fn start_attempt(&mut self, instance: u32, served: Served, ticket: u32) {
        let Served { handler, cause, source, message } = served;
        let body = &self.model.handlers[handler.index()];
        let attempt = self.world.attempts.add(handler.0, body.entry, instance, message, cause, source);
        self.world.attempts[attempt].state.worker = true;
        self.world.instances[instance as usize].busy += 1;
        let obligation = cause.obligation;
        self.record(Record::Started { instance: InstanceId(instance), attempt, ticket, obligation });
        self.tell_begun(attempt);
        match source {
            Source::Timer { timer } => self.take_timer_frame(attempt, timer),
            _ if body.words > 0 => self.give_frame(attempt),
            _ => {}
        }
        let is_asked = matches!(source, Source::Call { .. } | Source::Send);
        let is_refused = !is_asked && self.refuses(instance);
        if is_refused || message != NONE && self.world.messages[message].poisoned {
            return self.choke(attempt);
        }
        self.run_from(attempt, body.entry);
    }

    /// What the work runs, for whom; `None` if nobody wants it any more, or nothing handles it.
    #[inline(always)]
    fn begin_work(&mut self, instance: u32, work: Work) -> Option<Served> {
        let served = |handler, cause, source, message| Some(Served { handler, cause, source, message });
        match work {
            Work::Call { caller, token, message, step, cause } => {
                let call = &self.model.calls[step as usize];
                let handler = self.in_version(instance, call.handler, |of| of.handler(call.message));
                served(handler, cause, Source::Call { step, caller, token }, message)
            }
            Work::Send { message, step } => {
                let send = &self.model.sends[step as usize];
                let cause = self.world.messages[message].cause;
                let cause = if send.main.contains(cause.origin()) { cause } else { cause.aside() };
                let handler = self.in_version(instance, send.handler, |of| of.handler(send.message));
                served(handler, cause, Source::Send, message)
            }
            Work::Delivery { delivery, message } => self.begin_delivery(instance, delivery, message),
            Work::Job { job, number } => {
                let spec = &self.model.jobs[job.index()];
                let cause = Cause::root(spec.origin, spec.key, number);
                // The same tick on another instance is the same obligation, attempted again.
                let cause = match spec.once {
                    true => cause,
                    false => cause.again(self.model.instances[instance as usize].number),
                };
                let body = self.in_version(instance, spec.body, |of| of.job(job, spec.body));
                served(body, cause, Source::Job { job }, NONE)
            }
            Work::Timer { timer } => {
                let (body, cause, message) = self.begin_timer(timer);
                served(body, cause, Source::Timer { timer }, message)
            }
        }
    }

    /// An attempt is over: its worker takes the next thing, and whoever waits for it is told.
    #[inline(always)]
    pub(super) fn end_attempt(&mut self, attempt: u32, outcome: Outcome) {
        if let Outcome::Error(_) = outcome {
            self.tell_cut(attempt);
        }
        if self.world.attempts[attempt].holds_store() {
            self.roll_back(attempt);
        }
        let of = &self.world.attempts[attempt];
        let (source, instance, has_worker) = (of.source, of.instance, of.state.worker);
        if let Source::Call { .. } = source
            && !of.state.replied
        {
            self.answer_at_end(attempt, outcome);
        }
        if has_worker {
            self.record(Record::Ended { instance: InstanceId(instance), attempt, outcome });
        }
        self.tell_ended(attempt, outcome);
        // What the broker sends next need not queue for a worker that nobody else waits for.
        let hands_over = matches!(source, Source::Delivery { .. })
            && has_worker
            && self.world.instances[instance as usize].waiting() == 0;
        if hands_over {
            self.world.instances[instance as usize].busy -= 1;
        }
        match source {
            Source::Intent { client, user } => self.intent_ended(attempt, client, user, outcome),
            Source::Delivery { group, delivery } => self.delivery_ended(group, delivery, outcome),
            Source::Job { job } => self.job_ended(job, instance),
            Source::Timer { timer } => self.timer_ended(timer, outcome),
            Source::Call { .. } | Source::Send | Source::Branch { .. } => {}
        }
        self.discard(attempt);
        if let Source::Branch { parent } = source {
            return self.branch_ended(parent, outcome);
        }
        if has_worker {
            if !hands_over {
                self.world.instances[instance as usize].busy -= 1;
            }
            self.next_work(instance);
        }
    }

    /// Frees an attempt's slot with everything it holds but its worker.
    #[inline(always)]
    pub(super) fn discard(&mut self, attempt: u32) {
        let of = &self.world.attempts[attempt];
        let (message, holds_more) = (of.message, of.holds_more());
        self.agenda.cancel(of.pending);
        self.agenda.cancel(of.timeout);
        if message != NONE {
            self.release_message(message);
        }
        if holds_more {
            self.let_go(attempt);
        }
        self.world.attempts.release(attempt);
    }

    /// Lets go of what few attempts hold to their end.
    fn let_go(&mut self, attempt: u32) {
        if self.world.attempts[attempt].state.sending {
            self.send_is_over(attempt);
        }
        self.send_is_settled(attempt);
        let of = &self.world.attempts[attempt];
        let (frame, handler, outgoing, remaining) = (of.frame, of.handler, of.outgoing, of.remaining);
        if of.state.owns_frame {
            self.free_frame(frame, handler);
        }
        if outgoing != NONE {
            self.release_message(outgoing);
        }
        self.world.lists.release(remaining);
    }

    /// Free workers take what waits.
    #[inline(always)]
    pub(super) fn next_work(&mut self, instance: u32) {
        let here = &mut self.world.instances[instance as usize];
        let door = here.door;
        // Work that takes no time ends inside this loop, and must not begin another.
        if std::mem::replace(&mut here.serving, true) {
            return;
        }
        loop {
            let here = &mut self.world.instances[instance as usize];
            if here.queued == 0 || here.busy >= door.workers || !here.up || here.paused > 0 {
                break;
            }
            let next = match door.order {
                QueueOrder::Fifo => here.line.pop_front(),
                QueueOrder::Lifo => here.line.pop_back(),
                QueueOrder::Priority => here.ranked.pop().map(|entry| entry.0.2),
            };
            let ticket = next.expect("somebody waits");
            here.queued -= 1;
            let work = self.world.tickets[ticket].work;
            // Whoever has given up waiting is past its deadline.
            if door.shed == Shed::Deadline
                && let Work::Call { caller, token, .. } = work
                && !self.world.attempts.is_waiting(caller, token)
            {
                self.drop_ticket(instance, ticket, Error::Rejected);
                continue;
            }
            self.world.tickets.release(ticket);
            self.start(instance, work, ticket);
        }
        self.world.instances[instance as usize].serving = false;
    }

    /// The region that an instance or a client is in.
    pub(super) fn region_of(&self, attempt: u32) -> u16 {
        let of = &self.world.attempts[attempt];
        if of.instance != NOWHERE {
            return self.model.instances[of.instance as usize].region;
        }
        let client = self.model.clients.get(of.cause.origin() as usize);
        match client.map_or(&[][..], |client| &client.regions) {
            [] => u16::MAX,
            [one] => *one,
            many => {
                let turn = match self.user_of(attempt) {
                    NONE => of.cause.number().unwrap_or(0),
                    user => u64::from(user),
                };
                many[(turn % many.len() as u64) as usize]
            }
        }
    }

    /// The user of a closed population whose intent an attempt serves; `NONE`: nobody in particular.
    pub(super) fn user_of(&self, attempt: u32) -> u32 {
        match self.world.attempts[self.root_of(attempt)].source {
            Source::Intent { user, .. } => user,
            Source::Timer { timer } => self.world.timers[timer].user,
            _ => NONE,
        }
    }
}
