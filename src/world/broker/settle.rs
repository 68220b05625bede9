//! The broker's side of acknowledgements: what they settle, what comes back, what is given up.

use super::delivery::{Delivery, NONE, Place, holder, mark};
use super::timers::TimerKind;
use super::{Action, Broker, Choose, DeliveryId, Settlement};
use crate::kernel::ids::GroupId;
use crate::kernel::time::{MILLISECOND, Nanos};
use crate::model::messaging::*;

/// How long each half of a dead letter's move takes that is not done in one instant: about a hop.
const MOVE_TIME: Nanos = MILLISECOND;

impl Broker {
    /// An acknowledgement reaches the broker.
    pub fn ack(&mut self, delivery: DeliveryId, choose: Choose, out: &mut Vec<Action>) {
        let Some(slot) = self.deliveries.find(delivery) else { return };
        let is_plain = self.transactions.is_empty();
        if is_plain && self.commit_at_once(slot, out) || !self.ack_arrives(slot) {
            return;
        }
        let delivery = &self.deliveries[slot];
        let (lane, consumer, offset) = (delivery.lane, delivery.consumer, delivery.offset);
        if delivery.has(mark::REVOKED) {
            self.stale(slot, choose, out);
        } else if delivery.has(holder::BROKER) {
            if self.knobs_of(lane).ack_scope == AckScope::Cursor {
                self.commit(lane, offset, choose, out);
            } else if self.is_missed(lane, offset) {
                self.miss(slot, out);
            } else {
                self.acknowledged(slot, choose, out);
            }
        }
        self.ack_done(slot, out);
        self.after_settling(lane, consumer, choose, out);
    }

    /// A negative acknowledgement reaches the broker.
    pub fn nack(&mut self, delivery: DeliveryId, choose: Choose, out: &mut Vec<Action>) {
        let Some(slot) = self.deliveries.find(delivery) else { return };
        if !self.ack_arrives(slot) {
            return;
        }
        let delivery = &mut self.deliveries[slot];
        let (lane, consumer) = (delivery.lane, delivery.consumer);
        if delivery.has(mark::REVOKED) {
            self.tell_stale(slot, out);
            self.ack_done(slot, out);
        } else if delivery.has(holder::BROKER) {
            delivery.failures = delivery.failures.saturating_add(1);
            delivery.bits &= !holder::ACK;
            let rest = self.knobs_of(lane).redeliver_delay;
            self.take_back(slot, rest, choose, out);
            self.serve_lane(lane, choose, out);
        } else {
            self.ack_done(slot, out);
        }
        self.after_settling(lane, consumer, choose, out);
    }

    /// An acknowledgement of either kind will never reach the broker.
    pub fn ack_lost(&mut self, delivery: DeliveryId, choose: Choose, out: &mut Vec<Action>) {
        let Some(slot) = self.deliveries.find(delivery) else { return };
        if !self.ack_arrives(slot) {
            return;
        }
        let (lane, consumer) = (self.deliveries[slot].lane, self.deliveries[slot].consumer);
        self.ack_done(slot, out);
        self.after_settling(lane, consumer, choose, out);
    }

    /// Whether an acknowledgement was on its way, and is no longer; the slot stays held until `ack_done`.
    #[inline]
    fn ack_arrives(&mut self, slot: u32) -> bool {
        let delivery = &self.deliveries[slot];
        if !delivery.has(holder::ACK) {
            return false;
        }
        self.consumers[delivery.consumer as usize].speaking -= 1;
        if !delivery.has(mark::REVOKED) {
            self.lanes[delivery.lane as usize].acks -= 1;
        }
        true
    }

    #[inline]
    fn ack_done(&mut self, slot: u32, out: &mut Vec<Action>) {
        self.deliveries[slot].bits &= !holder::ACK;
        self.free_if_unheld(slot, out);
    }

    /// What was settled or came back may have made room.
    #[inline]
    fn after_settling(&mut self, lane: u32, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let subscription = self.lanes[lane as usize].subscription;
        let shared = &self.subscriptions[subscription as usize];
        let capped = shared.knobs.max_in_flight_per_group.is_some();
        // What a cursor's consumer has room for is counted when it has handled something.
        let made_room = shared.knobs.ack_scope != AckScope::Cursor;
        if made_room && consumer != NONE {
            self.serve_consumer(consumer, choose, out);
        }
        if capped {
            self.serve_members(subscription, choose, out);
        }
        self.proceed(subscription, choose, out);
    }

    /// A cursor moves past `offset`.
    #[inline]
    fn commit(&mut self, lane: u32, offset: u64, choose: Choose, out: &mut Vec<Action>) {
        self.position_is_known(lane, out);
        while let Some(&slot) = self.lanes[lane as usize].window.front() {
            let delivery = &mut self.deliveries[slot];
            // What retention skipped goes along with what was before it.
            if delivery.offset > offset && delivery.has(holder::BROKER) {
                break;
            }
            delivery.bits &= !holder::WINDOW;
            let state = &mut self.lanes[lane as usize];
            state.committed = state.committed.max(delivery.offset + 1);
            state.window.pop_front();
            state.started = state.started.saturating_sub(1);
            state.handled = state.handled.saturating_sub(1);
            if delivery.has(holder::BROKER) {
                let end = self.end_of(slot);
                self.settle(slot, end, choose, out);
            } else {
                self.free_if_unheld(slot, out);
            }
        }
    }

    #[inline]
    fn end_of(&self, slot: u32) -> Settlement {
        let delivery = &self.deliveries[slot];
        if !delivery.has(mark::EXHAUSTED) {
            return Settlement::Acknowledged;
        }
        match self.knobs_of(delivery.lane).exhaust.map(|exhaust| exhaust.then) {
            Some(ExhaustThen::DeadLetter(_)) => Settlement::DeadLettered,
            Some(ExhaustThen::Park) => Settlement::Parked,
            Some(ExhaustThen::Stay) => Settlement::Stayed,
            Some(ExhaustThen::Drop) | None => Settlement::Dropped,
        }
    }

    /// The broker is done with the message of a delivery.
    #[inline]
    pub(super) fn settle(&mut self, slot: u32, end: Settlement, choose: Choose, out: &mut Vec<Action>) {
        if self.deliveries[slot].timer != NONE {
            if self.deliveries[slot].place == Place::Resting {
                self.forget(slot, out);
            } else {
                self.cancel_delivery_timer(slot, out);
            }
        }
        let delivery = &self.deliveries[slot];
        debug_assert!(delivery.has(holder::BROKER));
        let (lane, message, offset) = (delivery.lane, delivery.message, delivery.offset);
        let locks_key = delivery.has(mark::LOCKS_KEY);
        if !self.copies.is_empty() {
            self.copies.remove(&(lane, offset));
        }
        if !self.transactions.is_empty() {
            match end {
                Settlement::Acknowledged => self.let_in(slot, out),
                _ => self.drop_undecided(slot, out),
            }
        }
        if !self.lines.is_empty() {
            self.leave_key(slot, choose, out);
        }
        self.keep_until_flush(slot, end, out);
        self.uncount(slot);
        if locks_key {
            self.unlock_key(slot, choose, out);
        }
        self.is_not_owed(slot, out);
        self.end_message(self.lanes[lane as usize].subscription, message, end, out);
        self.free_if_unheld(slot, out);
        if locks_key {
            self.serve_lane(lane, choose, out);
        }
    }

    /// The log's next is settled without being fetched.
    pub(super) fn settle_next(&mut self, lane: u32, end: Settlement, out: &mut Vec<Action>) {
        let state = &mut self.lanes[lane as usize];
        let message = self.logs[state.log as usize].at(state.fetched);
        state.fetched += 1;
        let subscription = state.subscription;
        self.end_message(subscription, message, end, out);
    }

    /// A subscription is done with a message.
    #[inline]
    pub(super) fn end_message(
        &mut self,
        subscription: u32,
        message: u32,
        end: Settlement,
        out: &mut Vec<Action>,
    ) {
        let state = &mut self.subscriptions[subscription as usize];
        match end {
            Settlement::Acknowledged => state.counts.acknowledged += 1,
            Settlement::DeadLettered | Settlement::Dropped | Settlement::Parked | Settlement::Stayed => {
                state.counts.exhausted += 1
            }
            Settlement::Skipped | Settlement::Expired | Settlement::Superseded | Settlement::Destroyed => {
                state.counts.skipped += 1
            }
        }
        out.push(Action::Settled { group: GroupId(state.group), message, end });
        self.let_go(message, out);
    }

    /// One holder less.
    #[inline]
    pub(super) fn let_go(&mut self, message: u32, out: &mut Vec<Action>) {
        let kept = &mut self.kept[message as usize];
        kept.holders -= 1;
        if kept.holders == 0 {
            if kept.expired || kept.expiry != NONE {
                self.forget_expiry(message, out);
            }
            out.push(Action::Release { message });
        }
    }

    /// The broker no longer counts a delivery as unsettled with its consumer, if it has one.
    #[inline]
    pub(super) fn uncount(&mut self, slot: u32) {
        let consumer = self.deliveries[slot].consumer;
        if consumer != NONE {
            let state = &mut self.consumers[consumer as usize];
            state.unsettled -= 1;
            self.subscriptions[state.subscription as usize].unsettled -= 1;
        }
    }

    /// The broker takes a message away from its consumer, to send it again or to give it up.
    pub(super) fn take_back(&mut self, slot: u32, rest: u64, choose: Choose, out: &mut Vec<Action>) {
        self.cancel_delivery_timer(slot, out);
        let slot = self.take_from_line(slot, out);
        if self.is_exhausted(slot) {
            self.exhaust(slot, choose, out);
        } else if rest > 0 {
            self.deliveries[slot].place = Place::Delayed;
            self.deliveries[slot].timer = self.start_timer(TimerKind::Rest, slot, rest, out);
        } else {
            self.put_back(slot, out);
        }
    }

    /// Parts the broker's copy from a consumer that may still work on it; returns the broker's.
    pub(super) fn part(&mut self, slot: u32, out: &mut Vec<Action>) -> u32 {
        self.uncount(slot);
        if !self.transactions.is_empty() {
            self.drop_undecided(slot, out);
        }
        let old = &mut self.deliveries[slot];
        if !old.has(holder::CONSUMER | holder::ACK | holder::UNSAID) {
            let consumer = std::mem::replace(&mut old.consumer, NONE);
            old.bits &= !mark::SPOKEN;
            self.consumers[consumer as usize].references -= 1;
            self.free_if_forgotten(consumer);
            return slot;
        }
        let mut copy = Delivery::new(old.message, old.lane, old.offset);
        copy.deliveries = old.deliveries;
        copy.failures = old.failures;
        copy.bits |= old.bits & mark::LOCKS_KEY;
        self.disown(slot, out);
        let copy = self.deliveries.add(copy);
        if !self.lines.is_empty() {
            self.replace_in_line(slot, copy);
        }
        let Delivery { lane, offset, .. } = self.deliveries[copy];
        let knobs = self.knobs_of(lane);
        if knobs.stale_ack != StaleAck::Fence {
            self.copies.insert((lane, offset), copy);
        }
        copy
    }

    /// What the consumer does with a delivery is of no more concern to its lane.
    pub(super) fn disown(&mut self, slot: u32, out: &mut Vec<Action>) {
        if !self.transactions.is_empty() {
            self.drop_undecided(slot, out);
        }
        if self.deliveries[slot].has(holder::BROKER) {
            self.is_not_owed(slot, out);
        }
        let old = &mut self.deliveries[slot];
        old.bits = (old.bits | mark::REVOKED) & !mark::LOCKS_KEY;
        let state = &mut self.lanes[old.lane as usize];
        if matches!(old.place, Place::Running | Place::Queued | Place::Resting) {
            state.busy -= 1;
        }
        if old.has(holder::ACK) {
            state.acks -= 1;
        }
    }

    /// A message of the broker waits to be sent again.
    pub(super) fn put_back(&mut self, slot: u32, out: &mut Vec<Action>) {
        if !self.lines.is_empty() {
            self.rewind_key(slot, out);
        }
        self.wait_again(slot);
    }

    /// It waits in its lane.
    pub(super) fn wait_again(&mut self, slot: u32) {
        let delivery = &mut self.deliveries[slot];
        delivery.place = Place::Waiting;
        let state = &mut self.lanes[delivery.lane as usize];
        let end = self.logs[state.log as usize].end;
        state.returned.push(slot, delivery.offset, end);
    }

    /// The lease of one delivery is over.
    pub(super) fn visible_again(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        let delivery = &mut self.deliveries[slot];
        delivery.timer = NONE;
        let (lane, consumer) = (delivery.lane, delivery.consumer);
        self.take_back(slot, 0, choose, out);
        self.serve_lane(lane, choose, out);
        self.after_settling(lane, consumer, choose, out);
    }

    pub(super) fn is_exhausted(&self, slot: u32) -> bool {
        let delivery = &self.deliveries[slot];
        self.knobs_of(delivery.lane).exhaust.is_some_and(|exhaust| match exhaust.count {
            ExhaustCount::Deliveries => delivery.deliveries >= exhaust.after,
            ExhaustCount::Failures => delivery.failures >= exhaust.after,
        })
    }

    /// The broker gives a message up.
    fn exhaust(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        self.deliveries[slot].bits |= mark::EXHAUSTED;
        let exhaust = self.knobs_of(self.deliveries[slot].lane).exhaust;
        if exhaust.is_some_and(|exhaust| {
            exhaust.transfer != Transfer::Atomic && matches!(exhaust.then, ExhaustThen::DeadLetter(_))
        }) {
            self.deliveries[slot].place = Place::Moving;
            self.deliveries[slot].timer = self.start_timer(TimerKind::Move, slot, MOVE_TIME, out);
            return;
        }
        self.move_to_dead_letters(slot, choose, out);
        let end = self.end_of(slot);
        self.settle(slot, end, choose, out);
    }

    /// A dead letter has moved half way: it is there, or no longer here.
    pub(super) fn moved(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        self.deliveries[slot].timer = NONE;
        let exhaust = self.knobs_of(self.deliveries[slot].lane).exhaust;
        let copies_first = exhaust.is_some_and(|exhaust| exhaust.transfer == Transfer::AtLeastOnce);
        let is_there = self.deliveries[slot].has(mark::COPIED);
        if !is_there {
            self.move_to_dead_letters(slot, choose, out);
        }
        if copies_first && !is_there {
            self.deliveries[slot].bits |= mark::COPIED;
            self.deliveries[slot].timer = self.start_timer(TimerKind::Move, slot, MOVE_TIME, out);
            return;
        }
        let (lane, end) = (self.deliveries[slot].lane, self.end_of(slot));
        self.settle(slot, end, choose, out);
        self.proceed(self.lanes[lane as usize].subscription, choose, out);
    }

    /// A cursor's consumer gives a message up; the broker learns when the cursor passes it.
    pub(super) fn give_up_in_place(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        self.deliveries[slot].bits |= mark::EXHAUSTED;
        self.move_to_dead_letters(slot, choose, out);
    }

    fn move_to_dead_letters(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        let (lane, message) = (self.deliveries[slot].lane, self.deliveries[slot].message);
        if let Some(Exhaust { then: ExhaustThen::DeadLetter(topic), .. }) = self.knobs_of(lane).exhaust {
            self.transfer(topic, message, choose, out);
        }
    }

    fn tell_stale(&self, slot: u32, out: &mut Vec<Action>) {
        let delivery = &self.deliveries[slot];
        let (group, instance) = self.name_of(delivery.consumer);
        out.push(Action::StaleAck { group, instance, message: delivery.message });
    }

    /// An acknowledgement of what was taken away. Where it is not fenced, it still counts as long as the
    /// message has not been sent again; where it is accepted, always.
    fn stale(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        self.tell_stale(slot, out);
        let Delivery { lane, offset, .. } = self.deliveries[slot];
        let knobs = self.knobs_of(lane);
        let accepted = knobs.stale_ack == StaleAck::Accept;
        let Some(&copy) = self.copies.get(&(lane, offset)) else { return };
        let (place, consumer) = (self.deliveries[copy].place, self.deliveries[copy].consumer);
        if !accepted && !matches!(place, Place::Waiting | Place::Delayed) {
            return;
        }
        if place == Place::Waiting {
            self.lanes[lane as usize].returned.remove(copy);
        }
        self.acknowledged(copy, choose, out);
        if consumer != NONE {
            self.serve_consumer(consumer, choose, out);
        }
    }
}
