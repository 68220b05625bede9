//! A world in small: it carries out the broker's actions with latencies of 1 ms, keeps its messages
//! in slots like the real one, and watches over the law at every step.

use super::super::*;
use crate::kernel::ids::{GroupId, InstanceId, TopicId};
use crate::kernel::time::MILLISECOND;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Deliver(DeliveryId),
    Attempt(DeliveryId),
    Ack(DeliveryId),
    Nack(DeliveryId),
    Timer(TimerId, TimerKind),
}

#[derive(Clone, Copy, Debug)]
pub struct Pending {
    pub due: Nanos,
    pub sequence: u64,
    pub event: Event,
    /// Group and instance whose connection or process it belongs to.
    pub at: Option<(GroupId, InstanceId)>,
}

/// An attempt that was started: (milliseconds, instance, message, which attempt).
pub type Started = (u64, u32, u64, u32);

pub struct Rig {
    pub broker: Broker,
    pub now: Nanos,
    pub pending: Vec<Pending>,
    sequence: u64,
    /// Number of the message in each slot, if one is there, and how often it is held.
    slots: Vec<Option<(u64, u32)>>,
    free: Vec<u32>,
    messages: u64,
    pub started: Vec<Started>,
    /// How each (group, message) ended.
    pub ends: BTreeMap<(u32, u64), Settlement>,
    /// Everything else the broker had to say.
    pub notes: Vec<Action>,
    /// How long an attempt (message, which) takes, and how it ends.
    pub work: fn(u64, u32) -> (Nanos, Outcome),
    /// Instances that have crashed, and those that are paused.
    pub down: Vec<(GroupId, InstanceId)>,
    pub paused: Vec<(GroupId, InstanceId)>,
    /// Acknowledgements arrive as they are sent, where that is simple.
    pub acknowledges_at_once: bool,
    /// How long a message with an odd key is worth anything, if not for ever; and those whose time was over.
    pub expires_odd_keys: Option<Nanos>,
    expiries: Vec<(TimerId, u64)>,
    pub times_over: Vec<u64>,
    /// Each attempt that ends well publishes a message to topic 1 with its acknowledgement: for which, and its number.
    pub publishes_with_acks: bool,
    pub sent: Vec<(u64, u64)>,
    draws: u64,
}

impl Rig {
    pub fn new(topics: &[TopicKnobs], groups: &[Group]) -> Self {
        Self {
            broker: Broker::new(topics, groups),
            now: 0,
            pending: Vec::new(),
            sequence: 0,
            slots: Vec::new(),
            free: Vec::new(),
            messages: 0,
            started: Vec::new(),
            ends: BTreeMap::new(),
            notes: Vec::new(),
            work: |_, _| (10 * MILLISECOND, Outcome::Done),
            down: Vec::new(),
            paused: Vec::new(),
            acknowledges_at_once: false,
            expires_odd_keys: None,
            expiries: Vec::new(),
            times_over: Vec::new(),
            publishes_with_acks: false,
            sent: Vec::new(),
            draws: 0,
        }
    }

    /// Publishes the next message (0, 1, 2, …) to topic 0.
    pub fn publish(&mut self, key: Option<u64>) -> Accepted {
        let slot = self.new_message();
        let accepted = self.call(|broker, choose, out| {
            let partition = broker.route(TopicId(0), key, choose);
            broker.accept(TopicId(0), partition, slot, key, 100, None, choose, out)
        });
        if let Some(after) = self.expires_odd_keys.filter(|_| key.is_some_and(|key| key % 2 == 1)) {
            let number = self.messages - 1;
            self.call(|broker, _, out| broker.expires(slot, after, out));
            if let Some(&Pending { event: Event::Timer(timer, TimerKind::Expiry), .. }) = self.pending.last()
            {
                self.expiries.push((timer, number));
            }
        }
        accepted
    }

    /// A slot with the next message.
    fn new_message(&mut self) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        assert_eq!(self.slots[slot as usize].replace((self.messages, 1)), None);
        self.messages += 1;
        slot
    }

    /// The attempt on a delivery publishes with its acknowledgement.
    fn publish_with(&mut self, delivery: DeliveryId, source: u64) {
        let (slot, number) = (self.new_message(), self.messages - 1);
        self.sent.push((source, number));
        let is_held =
            self.call(|broker, _, _| broker.accept_undecided(delivery, TopicId(1), 0, slot, None, 100));
        if !is_held {
            self.slots[slot as usize] = None;
            self.free.push(slot);
        }
    }

    pub fn publish_many(&mut self, count: u64) {
        for i in 0..count {
            self.publish(Some(i));
        }
    }

    pub fn crash(&mut self, group: u32, instance: u32) {
        let at = (GroupId(group), InstanceId(instance));
        self.down.push(at);
        self.paused.retain(|&other| other != at);
        self.pending
            .retain(|p| p.at != Some(at) || !matches!(p.event, Event::Deliver(_) | Event::Attempt(_)));
        self.call(|broker, choose, out| broker.lost(at.0, at.1, choose, out));
    }

    pub fn restart(&mut self, group: u32, instance: u32) {
        let at = (GroupId(group), InstanceId(instance));
        self.down.retain(|&other| other != at);
        self.call(|broker, choose, out| broker.join(at.0, at.1, choose, out));
    }

    /// Attempts and packets of a paused instance wait.
    pub fn pause(&mut self, group: u32, instance: u32) {
        let at = (GroupId(group), InstanceId(instance));
        self.paused.push(at);
        self.call(|broker, _, out| broker.silent(at.0, at.1, out));
    }

    pub fn resume(&mut self, group: u32, instance: u32) {
        let at = (GroupId(group), InstanceId(instance));
        self.paused.retain(|&other| other != at);
        self.call(|broker, choose, out| broker.heard(at.0, at.1, choose, out));
    }

    /// Runs everything that is due until then.
    pub fn run_until(&mut self, then: Nanos) {
        while let Some(i) = self.earliest() {
            if self.pending[i].due > then {
                break;
            }
            self.happen(i);
        }
        self.now = then;
    }

    /// Runs until nothing is pending that anybody waits for.
    pub fn run_out(&mut self) {
        for _ in 0..1_000_000 {
            let waited_for = |p: &Pending| !matches!(p.event, Event::Timer(_, kind) if !kind.keeps_running());
            if !self.pending.iter().any(waited_for) {
                return;
            }
            let Some(i) = self.earliest() else { return };
            self.happen(i);
        }
        panic!("the rig does not come to rest: {:?}", self.pending);
    }

    fn earliest(&self) -> Option<usize> {
        (0..self.pending.len())
            .filter(|&i| self.may_happen(i))
            .min_by_key(|&i| (self.pending[i].due, self.pending[i].sequence))
    }

    fn may_happen(&self, i: usize) -> bool {
        let p = &self.pending[i];
        let held = matches!(p.event, Event::Deliver(_) | Event::Attempt(_));
        !(held && p.at.is_some_and(|at| self.paused.contains(&at)))
    }

    /// Events that may happen next when time is no guide: packets of one connection stay in order.
    pub fn possible(&self) -> Vec<usize> {
        let ordered = |event| matches!(event, Event::Deliver(_) | Event::Ack(_) | Event::Nack(_));
        let direction = |event| matches!(event, Event::Deliver(_));
        let first = |i: usize| {
            let p = &self.pending[i];
            !ordered(p.event)
                || !self.pending.iter().any(|other| {
                    ordered(other.event)
                        && direction(other.event) == direction(p.event)
                        && other.at == p.at
                        && other.sequence < p.sequence
                })
        };
        (0..self.pending.len()).filter(|&i| self.may_happen(i) && first(i)).collect()
    }

    pub fn happen(&mut self, i: usize) {
        let p = self.pending.remove(i);
        self.now = self.now.max(p.due);
        if let Event::Deliver(delivery) | Event::Ack(delivery) | Event::Nack(delivery) = p.event
            && let Some(message) = self.broker.message(delivery)
        {
            self.number(message);
        }
        match p.event {
            Event::Deliver(delivery) => self.call(|broker, _, out| broker.received(delivery, out)),
            Event::Attempt(delivery) => {
                let message = self.broker.message(delivery).expect("a running attempt has its delivery");
                let attempts = self.broker.attempts(delivery).expect("as above");
                let number = self.number(message);
                let (_, outcome) = (self.work)(number, attempts);
                let is_of_first =
                    self.broker.consumer(delivery).is_some_and(|(group, _)| group == GroupId(0));
                if self.publishes_with_acks && is_of_first {
                    self.publish_with(delivery, number);
                }
                if self.acknowledges_at_once
                    && outcome == Outcome::Done
                    && self.call(|broker, choose, out| broker.acknowledge_at_once(delivery, choose, out))
                {
                    return;
                }
                self.call(|broker, choose, out| broker.ended(delivery, outcome, choose, out));
            }
            Event::Ack(delivery) => self.call(|broker, choose, out| broker.ack(delivery, choose, out)),
            Event::Nack(delivery) => self.call(|broker, choose, out| broker.nack(delivery, choose, out)),
            Event::Timer(timer, kind) => {
                if kind == TimerKind::Expiry
                    && let Some(at) = self.expiries.iter().rposition(|(own, _)| *own == timer)
                {
                    self.times_over.push(self.expiries[at].1);
                }
                self.call(|broker, choose, out| broker.timer(timer, choose, out));
            }
        }
    }

    /// The packet is lost, and the world says so.
    pub fn lose_ack(&mut self, i: usize) {
        let (Event::Ack(delivery) | Event::Nack(delivery)) = self.pending.remove(i).event else {
            panic!("no acknowledgement")
        };
        self.call(|broker, choose, out| broker.ack_lost(delivery, choose, out));
    }

    pub fn call<T>(&mut self, what: impl FnOnce(&mut Broker, Choose, &mut Vec<Action>) -> T) -> T {
        let mut out = Vec::new();
        let mut draws = self.draws;
        let mut choose = |_: Chooser, n: u32| {
            draws = draws.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((draws >> 33) % u64::from(n)) as u32
        };
        let result = what(&mut self.broker, &mut choose, &mut out);
        self.draws = draws;
        for action in out {
            self.carry_out(action);
        }
        self.broker.check();
        result
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Deliver { delivery } => {
                if let Some(at) = self.broker.consumer(delivery)
                    && !self.down.contains(&at)
                {
                    self.after(MILLISECOND, Event::Deliver(delivery), Some(at));
                }
            }
            Action::Start { delivery } => self.start(delivery),
            Action::SendAck { delivery } => {
                let at = self.broker.consumer(delivery);
                self.after(MILLISECOND, Event::Ack(delivery), at);
            }
            Action::SendNack { delivery } => {
                let at = self.broker.consumer(delivery);
                self.after(MILLISECOND, Event::Nack(delivery), at);
            }
            // The consumer is at the broker's side here.
            Action::FetchAgain { delivery } => {
                self.call(|broker, _, out| broker.fetch_takes(delivery, 0, out));
            }
            Action::StartTimer { timer, kind, length } => self.after(length, Event::Timer(timer, kind), None),
            Action::CancelTimer { timer } => {
                let before = self.pending.len();
                self.pending.retain(|p| !matches!(p.event, Event::Timer(other, _) if other == timer));
                assert_eq!(self.pending.len() + 1, before, "a timer is cancelled once, while it runs");
            }
            Action::Release { message } | Action::PutDown { message } => {
                let slot = &mut self.slots[message as usize];
                let (number, holders) = slot.expect("a message is let go of by who holds it");
                *slot = (holders > 1).then_some((number, holders - 1));
                if holders == 1 {
                    self.free.push(message);
                }
            }
            Action::Carry { message } => {
                let slot = &mut self.slots[message as usize];
                slot.as_mut().expect("a message that somebody has is held").1 += 1;
            }
            Action::Settled { group, message, end } => {
                let number = self.number(message);
                let before = self.ends.insert((group.0, number), end);
                assert_eq!(before, None, "a group is done with a message once");
            }
            Action::Unblocked { topic, partition } => {
                self.call(|broker, choose, out| broker.admit_decided(topic, partition, choose, out));
            }
            other => self.notes.push(other),
        }
    }

    /// The message in a slot, which somebody must hold.
    fn number(&self, message: u32) -> u64 {
        self.slots[message as usize].expect("what a delivery or a group speaks of is held").0
    }

    fn start(&mut self, delivery: DeliveryId) {
        let at = self.broker.consumer(delivery).expect("an attempt has a consumer");
        let message = self.broker.message(delivery).expect("an attempt has a message");
        let attempts = self.broker.attempts(delivery).expect("an attempt is counted");
        let number = self.number(message);
        self.started.push((self.now / MILLISECOND, at.1.0, number, attempts));
        let (length, _) = (self.work)(number, attempts);
        self.after(length, Event::Attempt(delivery), Some(at));
    }

    fn after(&mut self, delay: Nanos, event: Event, at: Option<(GroupId, InstanceId)>) {
        self.sequence += 1;
        self.pending.push(Pending { due: self.now + delay, sequence: self.sequence, event, at });
    }

    /// Messages the rig still holds for the broker.
    pub fn held(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn published(&self) -> u64 {
        self.messages
    }
}
