//! The consumer's side: what is received, which attempt may start, and what its end leads to.

use super::delivery::{NONE, Outcome, Place, holder, mark};
use super::timers::TimerKind;
use super::{Action, Broker, Choose, DeliveryId};
use crate::model::messaging::*;

/// The longest time between polls is watched in so many parts: an attempt is found overdue after
/// one poll interval at the earliest, and after one and an eighth at the latest.
pub(super) const POLL_PARTS: u16 = 8;

impl Broker {
    /// A delivery reaches its consumer.
    pub fn received(&mut self, delivery: DeliveryId, out: &mut Vec<Action>) {
        let Some(slot) = self.deliveries.find(delivery) else { return };
        if self.deliveries[slot].place != Place::Sent {
            return;
        }
        if self.start_at_once(slot, out) {
            return;
        }
        let delivery = &mut self.deliveries[slot];
        delivery.place = Place::Buffered;
        let lane = delivery.lane;
        if self.knobs_of(lane).order_lock.is_of_partitions() {
            self.start_next(lane, out);
        } else if self.rewinds(lane) {
            self.start_in_line(slot, out);
        } else {
            self.start_or_queue(slot, out);
        }
    }

    /// A delivery will never reach its consumer, which asks for more. The broker goes on waiting for the
    /// acknowledgement until its lease is over.
    pub fn lost_on_the_way(&mut self, delivery: DeliveryId, choose: Choose, out: &mut Vec<Action>) {
        let Some(slot) = self.deliveries.find(delivery) else { return };
        if self.deliveries[slot].place != Place::Sent {
            return;
        }
        let consumer = self.deliveries[slot].consumer;
        let behind = if self.lines.is_empty() { None } else { self.line_of(slot) };
        self.forget(slot, out);
        if let Some(key) = behind {
            self.start_first(key, out);
        }
        self.serve_consumer(consumer, choose, out);
    }

    /// The attempt that `Start` began has run to its end. For one that a crash cut, `lost` is enough.
    pub fn ended(&mut self, delivery: DeliveryId, outcome: Outcome, choose: Choose, out: &mut Vec<Action>) {
        let Some(slot) = self.deliveries.find(delivery) else { return };
        let delivery = &self.deliveries[slot];
        if delivery.place != Place::Running {
            return;
        }
        if outcome == Outcome::Done && self.handle_at_once(slot, choose, out) {
            return;
        }
        let delivery = &self.deliveries[slot];
        let (lane, consumer) = (delivery.lane, delivery.consumer);
        self.consumers[consumer as usize].running -= 1;
        if delivery.has(mark::REVOKED) {
            self.zombie_ended(slot, outcome, out);
        } else {
            self.lanes[lane as usize].busy -= 1;
            let owed = delivery.has(holder::BROKER) && !delivery.has(mark::SPOKEN);
            if outcome == Outcome::Failed && owed {
                self.failed(slot, choose, out);
            } else {
                self.handled(slot, choose, out);
            }
        }
        self.start_more(consumer, lane, out);
        self.serve_consumer(consumer, choose, out);
        let state = &self.consumers[consumer as usize];
        let subscription = state.subscription;
        if !state.open {
            self.come_back(consumer, choose, out);
        }
        self.proceed(subscription, choose, out);
    }

    /// The handler acknowledges while it runs (`ack: manual`).
    pub fn acknowledge_now(&mut self, delivery: DeliveryId, out: &mut Vec<Action>) {
        let Some(slot) = self.deliveries.find(delivery) else { return };
        let delivery = &self.deliveries[slot];
        if delivery.place == Place::Running && !delivery.has(mark::SPOKEN) {
            self.say(slot, out);
        }
    }

    /// Starts the next of a partition in order, if nothing of the partition is being worked on.
    #[inline]
    pub(super) fn start_next(&mut self, lane: u32, out: &mut Vec<Action>) {
        let state = &mut self.lanes[lane as usize];
        if state.busy > 0 || state.moving {
            return;
        }
        while let Some(&slot) = state.window.get(state.started as usize) {
            match self.deliveries[slot].place {
                // Retention passed it before it was fetched.
                Place::Handled => state.started += 1,
                Place::Buffered => {
                    state.started += 1;
                    state.busy += 1;
                    return self.start_when_free(slot, out);
                }
                _ => return,
            }
        }
    }

    #[inline]
    pub(super) fn start_or_queue(&mut self, slot: u32, out: &mut Vec<Action>) {
        let delivery = &mut self.deliveries[slot];
        if !delivery.has(mark::REVOKED) {
            self.lanes[delivery.lane as usize].busy += 1;
        }
        self.start_when_free(slot, out);
    }

    #[inline]
    fn start_when_free(&mut self, slot: u32, out: &mut Vec<Action>) {
        let delivery = &mut self.deliveries[slot];
        let consumer = &mut self.consumers[delivery.consumer as usize];
        let knobs = &self.subscriptions[consumer.subscription as usize].knobs;
        if knobs.concurrency.is_none_or(|most| consumer.running < most) {
            self.start(slot, out);
        } else {
            delivery.place = Place::Queued;
            consumer.queued.push_back(slot);
        }
    }

    #[inline]
    fn start(&mut self, slot: u32, out: &mut Vec<Action>) {
        let delivery = &mut self.deliveries[slot];
        delivery.place = Place::Running;
        let consumer = delivery.consumer;
        let spoken = delivery.has(mark::SPOKEN);
        let state = &mut self.consumers[consumer as usize];
        state.running += 1;
        let knobs = &self.subscriptions[state.subscription as usize].knobs;
        let ack_first = knobs.ack == AckMode::Before && !spoken;
        if let Some(poll) = knobs.lease.poll() {
            if state.poll_timer == NONE {
                delivery.born = state.poll_tick;
                let part = poll.div_ceil(u64::from(POLL_PARTS));
                let timer = self.start_timer(TimerKind::Poll, consumer, part, out);
                self.consumers[consumer as usize].poll_timer = timer;
            } else {
                // Some of the present part was over before: it does not count.
                delivery.born = state.poll_tick.wrapping_add(1);
            }
        }
        if ack_first {
            self.say(slot, out);
        }
        out.push(Action::Start { delivery: self.deliveries.id(slot) });
    }

    /// Starts what waited for the concurrency, or the lock, that an attempt has freed.
    #[inline]
    pub(super) fn start_more(&mut self, consumer: u32, lane: u32, out: &mut Vec<Action>) {
        let concurrency = self.knobs_of(lane).concurrency;
        loop {
            let state = &mut self.consumers[consumer as usize];
            if concurrency.is_some_and(|most| state.running >= most) {
                break;
            }
            let Some(slot) = state.queued.pop_front() else { break };
            self.start(slot, out);
        }
        let state = &self.lanes[lane as usize];
        // Only under a partition lock does a window say how many have been started.
        if state.owner == consumer
            && (state.started as usize) < state.window.len()
            && self.knobs_of(lane).order_lock.is_of_partitions()
        {
            self.start_next(lane, out);
        }
    }

    /// Its consumer does not know that the delivery was taken away, and acknowledges as ever.
    fn zombie_ended(&mut self, slot: u32, outcome: Outcome, out: &mut Vec<Action>) {
        let delivery = &self.deliveries[slot];
        let after = self.knobs_of(delivery.lane).ack == AckMode::After;
        if outcome == Outcome::Done && after && !delivery.has(mark::SPOKEN) {
            self.say(slot, out);
        }
        self.put_down(slot);
        self.free_if_unheld(slot, out);
    }

    /// The consumer has no more to do for a delivery.
    #[inline]
    fn put_down(&mut self, slot: u32) {
        let delivery = &mut self.deliveries[slot];
        delivery.bits &= !holder::CONSUMER;
        delivery.place = Place::Handled;
        self.consumers[delivery.consumer as usize].held -= 1;
    }

    /// An attempt is over, and so is the consumer's work on the delivery.
    #[inline]
    fn handled(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        self.put_down(slot);
        let delivery = &self.deliveries[slot];
        let (lane, bits) = (delivery.lane, delivery.bits);
        let GroupKnobs { ack_scope, ack, .. } = *self.knobs_of(lane);
        if ack_scope == AckScope::Cursor {
            if bits & mark::LOCKS_KEY != 0 {
                self.unlock_key(slot, choose, out);
                self.serve_lane(lane, choose, out);
            }
            self.advance(lane, ack, out);
        } else {
            self.leave_window(slot);
            if !self.lines.is_empty() {
                self.start_behind(slot, out);
            }
            let owed = bits & holder::BROKER != 0 && bits & mark::SPOKEN == 0;
            match ack {
                AckMode::After if owed => self.say(slot, out),
                AckMode::Periodic { every } if owed => {
                    let consumer = self.deliveries[slot].consumer;
                    self.deliveries[slot].bits |= holder::UNSAID;
                    self.consumers[consumer as usize].unsaid.push(slot);
                    self.say_later(consumer, every, out);
                }
                _ => {}
            }
        }
        self.free_if_unheld(slot, out);
    }

    /// Moves the consumer's position over what has been handled without a gap.
    #[inline]
    fn advance(&mut self, lane: u32, ack: AckMode, out: &mut Vec<Action>) {
        let state = &mut self.lanes[lane as usize];
        let before = state.handled;
        while let Some(&slot) = state.window.get(state.handled as usize)
            && self.deliveries[slot].place == Place::Handled
        {
            state.handled += 1;
        }
        if state.handled == before {
            return;
        }
        let (owner, moving) = (state.owner, state.moving);
        match ack {
            AckMode::After => self.say_position(lane, out),
            AckMode::Periodic { .. } if moving => self.say_position(lane, out),
            AckMode::Periodic { every } => self.say_later(owner, every, out),
            AckMode::Before | AckMode::Manual => {}
        }
    }

    /// Acknowledges all that a lane's consumer has handled.
    #[inline]
    fn say_position(&mut self, lane: u32, out: &mut Vec<Action>) {
        let state = &self.lanes[lane as usize];
        // What retention skipped was never with the consumer, and goes along with what was before it.
        let handled = state.window.range(..state.handled as usize).rev();
        for &slot in handled {
            let delivery = &self.deliveries[slot];
            if delivery.consumer != NONE {
                if !delivery.has(mark::SPOKEN) {
                    self.say(slot, out);
                }
                return;
            }
        }
    }

    fn say_later(&mut self, consumer: u32, every: u64, out: &mut Vec<Action>) {
        if self.consumers[consumer as usize].ack_timer == NONE {
            let timer = self.start_timer(TimerKind::PeriodicAck, consumer, every, out);
            self.consumers[consumer as usize].ack_timer = timer;
        }
    }

    /// The time has come to acknowledge what was handled; a paused consumer does so when it wakes.
    pub(super) fn say_all(&mut self, consumer: u32, out: &mut Vec<Action>) {
        self.consumers[consumer as usize].ack_timer = NONE;
        if !self.consumers[consumer as usize].silent {
            self.say_handled(consumer, out);
        }
    }

    pub(super) fn say_handled(&mut self, consumer: u32, out: &mut Vec<Action>) {
        let subscription = self.consumers[consumer as usize].subscription;
        if !matches!(self.subscriptions[subscription as usize].knobs.ack, AckMode::Periodic { .. }) {
            return;
        }
        for lane in self.lanes_of(subscription) {
            if self.lanes[lane as usize].owner == consumer {
                self.say_position(lane, out);
            }
        }
        let mut unsaid = std::mem::take(&mut self.consumers[consumer as usize].unsaid);
        for slot in unsaid.drain(..) {
            self.say(slot, out);
            self.deliveries[slot].bits &= !holder::UNSAID;
        }
        self.consumers[consumer as usize].unsaid = unsaid;
    }

    /// Sends an acknowledgement.
    #[inline]
    fn say(&mut self, slot: u32, out: &mut Vec<Action>) {
        self.deliveries[slot].bits |= mark::SPOKEN;
        self.count_ack(slot);
        out.push(Action::SendAck { delivery: self.deliveries.id(slot) });
    }

    #[inline]
    fn count_ack(&mut self, slot: u32) {
        let delivery = &mut self.deliveries[slot];
        delivery.bits |= holder::ACK;
        self.consumers[delivery.consumer as usize].speaking += 1;
        if !delivery.has(mark::REVOKED) {
            self.lanes[delivery.lane as usize].acks += 1;
        }
    }

    /// An attempt has failed, and nothing was acknowledged.
    fn failed(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        let lane = self.deliveries[slot].lane;
        let knobs = *self.knobs_of(lane);
        if !self.transactions.is_empty() {
            self.drop_undecided(slot, out);
        }
        if knobs.ack_scope == AckScope::Cursor {
            return self.failed_in_place(slot, &knobs, choose, out);
        }
        self.put_down(slot);
        self.leave_window(slot);
        if !self.lines.is_empty() {
            self.start_behind(slot, out);
        }
        let waits_for_lease = matches!(knobs.lease, Lease::Delivery { .. }) && knobs.redeliver_delay == 0;
        if !waits_for_lease {
            self.count_ack(slot);
            out.push(Action::SendNack { delivery: self.deliveries.id(slot) });
        }
        self.free_if_unheld(slot, out);
    }

    /// Under a cursor the consumer itself tries again: the partition waits. It goes back to where it was and fetches
    /// from there, which costs a round trip even where no delay is asked for.
    fn failed_in_place(&mut self, slot: u32, knobs: &GroupKnobs, choose: Choose, out: &mut Vec<Action>) {
        let delivery = &mut self.deliveries[slot];
        delivery.failures = delivery.failures.saturating_add(1);
        if self.is_exhausted(slot) {
            self.give_up_in_place(slot, choose, out);
            return self.handled(slot, choose, out);
        }
        let delivery = &mut self.deliveries[slot];
        let state = &mut self.lanes[delivery.lane as usize];
        if state.moving {
            // Whoever gets the partition begins here.
            self.put_down(slot);
            self.deliveries[slot].place = Place::Forgotten;
            return;
        }
        state.busy += 1;
        delivery.place = Place::Resting;
        if knobs.redeliver_delay > 0 {
            self.deliveries[slot].timer = self.start_timer(TimerKind::Rest, slot, knobs.redeliver_delay, out);
        } else {
            out.push(Action::FetchAgain { delivery: self.deliveries.id(slot) });
        }
    }

    /// How long a consumer takes to go back and fetch again what it failed at.
    pub fn fetch_takes(&mut self, delivery: DeliveryId, length: u64, out: &mut Vec<Action>) {
        let Some(slot) = self.deliveries.find(delivery) else { return };
        if self.deliveries[slot].place != Place::Resting || self.deliveries[slot].timer != NONE {
            return;
        }
        if length > 0 {
            self.deliveries[slot].timer = self.start_timer(TimerKind::Rest, slot, length, out);
        } else {
            self.try_again(slot, out);
        }
    }

    /// A message has rested, at the broker or in place.
    pub(super) fn rested(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        self.deliveries[slot].timer = NONE;
        if self.deliveries[slot].place == Place::Resting {
            self.try_again(slot, out);
        } else {
            self.put_back(slot, out);
            self.serve_lane(self.deliveries[slot].lane, choose, out);
        }
    }

    fn try_again(&mut self, slot: u32, out: &mut Vec<Action>) {
        let delivery = &mut self.deliveries[slot];
        delivery.deliveries = delivery.deliveries.saturating_add(1);
        self.start_when_free(slot, out);
    }

    /// Takes a delivery out of the window of a partition lock without a cursor, if it stands there.
    fn leave_window(&mut self, slot: u32) {
        let state = &mut self.lanes[self.deliveries[slot].lane as usize];
        // The one that has the lock is the first.
        let Some(position) = state.window.iter().position(|&other| other == slot) else { return };
        state.window.remove(position);
        if position < state.started as usize {
            state.started -= 1;
        }
    }

    /// A consumer lets go of a delivery without ending its attempt.
    pub(super) fn forget(&mut self, slot: u32, out: &mut Vec<Action>) {
        let delivery = &self.deliveries[slot];
        let (lane, place, revoked) = (delivery.lane, delivery.place, delivery.has(mark::REVOKED));
        let consumer = &mut self.consumers[delivery.consumer as usize];
        match place {
            Place::Running => consumer.running -= 1,
            Place::Queued => consumer.queued.retain(|&other| other != slot),
            Place::Resting => self.cancel_delivery_timer(slot, out),
            _ => {}
        }
        if !revoked && matches!(place, Place::Running | Place::Queued | Place::Resting) {
            self.lanes[lane as usize].busy -= 1;
        }
        self.put_down(slot);
        self.deliveries[slot].place = Place::Forgotten;
        if !self.deliveries[slot].has(holder::WINDOW) {
            self.leave_window(slot);
        }
        self.free_if_unheld(slot, out);
    }
}
