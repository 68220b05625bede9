//! The steady state of a log, in one look at each table: a message is sent as it is appended,
//! handled in turn, acknowledged, settled. Each step does what the general one does, or leaves it
//! to that; the random interleavings run through both.

use super::delivery::{Delivery, NONE, Place, holder, mark};
use super::state::Balance;
use super::{Action, Broker, Choose, DeliveryId, Settlement};
use crate::kernel::ids::GroupId;

impl Broker {
    /// The common case of `serve_lane`: the owner of a cursor's lane has taken all before and has room for one
    /// more. Returns whether it was that simple.
    #[inline]
    pub(super) fn send_at_once(&mut self, lane: u32, out: &mut Vec<Action>) -> bool {
        let state = &self.lanes[lane as usize];
        if state.owner == NONE || state.listed {
            return false;
        }
        let knobs = &self.subscriptions[state.subscription as usize].knobs;
        let consumer = &self.consumers[state.owner as usize];
        let full = knobs.max_in_flight_per_consumer.is_some_and(|most| consumer.held >= most);
        // Who fetches by the batch asks again when it is done with all it had.
        if full || knobs.batch > 1 && consumer.held > 0 {
            return false;
        }
        self.send_next(lane, out)
    }

    /// Sends the log's next message to the owner of a cursor's lane, which has room for it. Returns whether it
    /// was that simple.
    #[inline]
    pub(super) fn send_next(&mut self, lane: u32, out: &mut Vec<Action>) -> bool {
        let state = &mut self.lanes[lane as usize];
        let subscription = &mut self.subscriptions[state.subscription as usize];
        let log = &self.logs[state.log as usize];
        let offset = state.fetched;
        if !subscription.is_plain
            || state.owner == NONE
            || state.moving
            || !log.offers(offset)
            || self.expired > 0
        {
            return false;
        }
        let consumer = &mut self.consumers[state.owner as usize];
        if !consumer.alive || consumer.silent || consumer.muted || consumer.retiring || !consumer.open {
            return false;
        }
        let mut delivery = Delivery::new(log.at(offset), lane, offset);
        delivery.consumer = state.owner;
        delivery.deliveries = 1 + u16::from(offset < state.seen);
        delivery.place = Place::Sent;
        delivery.bits = holder::BROKER | holder::CONSUMER | holder::WINDOW;
        let slot = self.deliveries.add(delivery);
        state.window.push_back(slot);
        state.fetched = offset + 1;
        state.seen = state.seen.max(offset + 1);
        consumer.held += 1;
        consumer.unsettled += 1;
        consumer.references += 1;
        subscription.unsettled += 1;
        out.push(Action::Deliver { delivery: self.deliveries.id(slot) });
        true
    }

    /// The common case of a delivery received: nothing of its partition is being worked on.
    #[inline]
    pub(super) fn start_at_once(&mut self, slot: u32, out: &mut Vec<Action>) -> bool {
        let delivery = &mut self.deliveries[slot];
        let lane = &mut self.lanes[delivery.lane as usize];
        let subscription = &self.subscriptions[lane.subscription as usize];
        let consumer = &mut self.consumers[delivery.consumer as usize];
        // The general way looks after the poll deadline when a consumer begins to be busy.
        if !subscription.is_in_turn || subscription.is_watched && consumer.poll_timer == NONE {
            return false;
        }
        let full = subscription.knobs.concurrency.is_some_and(|most| consumer.running >= most);
        if full || lane.busy > 0 || lane.moving || lane.window.get(lane.started as usize) != Some(&slot) {
            return false;
        }
        lane.busy += 1;
        lane.started += 1;
        consumer.running += 1;
        delivery.place = Place::Running;
        delivery.born = consumer.poll_tick.wrapping_add(1);
        out.push(Action::Start { delivery: self.deliveries.id(slot) });
        true
    }

    /// The common case of an attempt that ended well: its partition goes on, and it is acknowledged.
    #[inline]
    pub(super) fn handle_at_once(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) -> bool {
        let delivery = &mut self.deliveries[slot];
        if delivery.bits != holder::BROKER | holder::CONSUMER | holder::WINDOW {
            return false;
        }
        let lane = &mut self.lanes[delivery.lane as usize];
        let subscription = &self.subscriptions[lane.subscription as usize];
        let consumer = &mut self.consumers[delivery.consumer as usize];
        if !subscription.is_in_turn || subscription.balance != Balance::Stable {
            return false;
        }
        if !consumer.open || !consumer.queued.is_empty() {
            return false;
        }
        if lane.window.get(lane.handled as usize) != Some(&slot) {
            return false;
        }
        consumer.running -= 1;
        consumer.held -= 1;
        consumer.speaking += 1;
        lane.busy -= 1;
        lane.handled += 1;
        lane.acks += 1;
        delivery.bits = holder::BROKER | holder::WINDOW | holder::ACK | mark::SPOKEN;
        delivery.place = Place::Handled;
        let waiting = (lane.started as usize) < lane.window.len();
        // A consumer that fetches by the batch asks again when it is done with all it had.
        let asks = !consumer.hungry.is_empty() && (subscription.knobs.batch == 1 || consumer.held == 0);
        let (lane, consumer) = (delivery.lane, delivery.consumer);
        out.push(Action::SendAck { delivery: self.deliveries.id(slot) });
        if waiting {
            self.start_next(lane, out);
        }
        if asks {
            self.feed_owner(consumer, choose, out);
        }
        true
    }

    /// `ended`, `SendAck` and `ack` in one, for an attempt that ended well and an acknowledgement that arrives as
    /// it is sent. Returns whether it was that simple; if not, nothing has happened.
    pub fn acknowledge_at_once(
        &mut self,
        delivery: DeliveryId,
        choose: Choose,
        out: &mut Vec<Action>,
    ) -> bool {
        let Some(slot) = self.deliveries.find(delivery) else { return false };
        if !self.transactions.is_empty() {
            return false;
        }
        self.pass_at_once(slot, choose, out) || self.settle_at_once(slot, choose, out)
    }

    /// The partition goes on, and the cursor moves over what was handled.
    #[inline]
    fn pass_at_once(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) -> bool {
        let delivery = &self.deliveries[slot];
        let lane = &mut self.lanes[delivery.lane as usize];
        let subscription = &mut self.subscriptions[lane.subscription as usize];
        let in_turn = delivery.bits == holder::BROKER | holder::CONSUMER | holder::WINDOW
            && delivery.place == Place::Running
            && subscription.is_in_turn
            && subscription.balance == Balance::Stable;
        if !in_turn || lane.window.front() != Some(&slot) {
            return false;
        }
        let consumer = &mut self.consumers[delivery.consumer as usize];
        if !consumer.open || !consumer.queued.is_empty() {
            return false;
        }
        let (message, offset, owner, number) =
            (delivery.message, delivery.offset, delivery.consumer, delivery.lane);
        // What retention skipped goes along with what was before it.
        if lane.window.get(1).is_some_and(|&next| !self.deliveries[next].has(holder::BROKER)) {
            return false;
        }
        self.deliveries[slot].bits = 0;
        lane.committed = offset + 1;
        lane.window.pop_front();
        lane.started -= 1;
        lane.busy -= 1;
        consumer.running -= 1;
        consumer.held -= 1;
        consumer.unsettled -= 1;
        consumer.references -= 1;
        subscription.unsettled -= 1;
        subscription.counts.acknowledged += 1;
        let waiting = (lane.started as usize) < lane.window.len();
        let asks = !consumer.hungry.is_empty() && (subscription.knobs.batch == 1 || consumer.held == 0);
        let group = GroupId(subscription.group);
        out.push(Action::Settled { group, message, end: Settlement::Acknowledged });
        self.deliveries.remove(slot);
        self.let_go(message, out);
        if waiting {
            self.start_next(number, out);
        }
        if asks {
            self.feed_owner(owner, choose, out);
        }
        true
    }

    /// The same where consumers compete and nothing is locked.
    #[inline]
    fn settle_at_once(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) -> bool {
        let delivery = &self.deliveries[slot];
        let (message, owner, lane, offset) =
            (delivery.message, delivery.consumer, delivery.lane, delivery.offset);
        let missed = self.is_missed(lane, offset);
        let subscription = &mut self.subscriptions[self.lanes[lane as usize].subscription as usize];
        let consumer = &mut self.consumers[owner as usize];
        let simple = delivery.bits == holder::BROKER | holder::CONSUMER
            && delivery.place == Place::Running
            && subscription.is_free
            && consumer.open
            && !consumer.muted
            && !consumer.retiring;
        if !simple || !self.copies.is_empty() || missed {
            return false;
        }
        self.lanes[lane as usize].busy -= 1;
        consumer.running -= 1;
        consumer.held -= 1;
        consumer.unsettled -= 1;
        consumer.references -= 1;
        subscription.unsettled -= 1;
        subscription.counts.acknowledged += 1;
        let group = GroupId(subscription.group);
        self.cancel_delivery_timer(slot, out);
        self.deliveries[slot].bits = 0;
        self.deliveries.remove(slot);
        out.push(Action::Settled { group, message, end: Settlement::Acknowledged });
        self.let_go(message, out);
        self.start_more(owner, lane, out);
        self.serve_consumer(owner, choose, out);
        true
    }

    /// The common case of an acknowledgement: it moves the cursor over one message.
    #[inline]
    pub(super) fn commit_at_once(&mut self, slot: u32, out: &mut Vec<Action>) -> bool {
        let delivery = &self.deliveries[slot];
        if delivery.bits != holder::BROKER | holder::WINDOW | holder::ACK | mark::SPOKEN {
            return false;
        }
        let lane = &mut self.lanes[delivery.lane as usize];
        let subscription = &mut self.subscriptions[lane.subscription as usize];
        let consumer = &mut self.consumers[delivery.consumer as usize];
        let simple = subscription.is_plain && subscription.balance == Balance::Stable && consumer.open;
        if !simple || lane.window.front() != Some(&slot) || delivery.place != Place::Handled {
            return false;
        }
        // What retention skipped goes along with what was before it.
        if lane.window.get(1).is_some_and(|&next| !self.deliveries[next].has(holder::BROKER)) {
            return false;
        }
        lane.window.pop_front();
        lane.committed = delivery.offset + 1;
        lane.started = lane.started.saturating_sub(1);
        lane.handled -= 1;
        lane.acks -= 1;
        consumer.speaking -= 1;
        consumer.unsettled -= 1;
        consumer.references -= 1;
        subscription.unsettled -= 1;
        subscription.counts.acknowledged += 1;
        let (group, message) = (GroupId(subscription.group), delivery.message);
        out.push(Action::Settled { group, message, end: Settlement::Acknowledged });
        self.deliveries[slot].bits = 0;
        self.deliveries.remove(slot);
        self.let_go(message, out);
        true
    }
}
