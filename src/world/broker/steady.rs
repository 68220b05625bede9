//! The steady state of a log, in one look at each table: a message is sent as it is appended,
//! handled in turn, acknowledged, settled. Each step does what the general one does, or leaves it
//! to that; the random interleavings run through both.

use super::delivery::{Delivery, NONE, Place, holder, mark};
use super::state::Balance;
use super::{Action, Broker, Settlement};
use crate::kernel::ids::GroupId;
use crate::model::messaging::*;

impl Broker {
    /// The common case of `serve_lane`, in one look at each table: the owner of a cursor's lane has taken all
    /// before `offset` and has room for it. Returns whether it was that simple.
    #[inline]
    pub(super) fn send_at_once(
        &mut self,
        lane: u32,
        offset: u64,
        message: u32,
        out: &mut Vec<Action>,
    ) -> bool {
        let state = &mut self.lanes[lane as usize];
        let subscription = &mut self.subscriptions[state.subscription as usize];
        if !subscription.is_plain || state.owner == NONE || state.moving || state.fetched != offset {
            return false;
        }
        let consumer = &mut self.consumers[state.owner as usize];
        let full = subscription.knobs.max_in_flight_per_consumer.is_some_and(|most| consumer.held >= most);
        if full || !consumer.alive || consumer.silent || !consumer.open {
            return false;
        }
        let mut delivery = Delivery::new(message, lane, offset);
        delivery.consumer = state.owner;
        delivery.deliveries = 1;
        delivery.place = Place::Sent;
        delivery.bits = holder::BROKER | holder::CONSUMER | holder::WINDOW;
        let slot = self.deliveries.add(delivery);
        state.window.push_back(slot);
        state.fetched += 1;
        state.seen = state.fetched;
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
        let knobs = &subscription.knobs;
        let in_turn = knobs.order_lock == OrderLock::Partition && knobs.ack == AckMode::After;
        // The general way looks after the poll deadline when a consumer begins to be busy.
        if !subscription.is_plain || !in_turn || consumer.poll_timer == NONE {
            return false;
        }
        let full = knobs.concurrency.is_some_and(|most| consumer.running >= most);
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
    pub(super) fn handle_at_once(&mut self, slot: u32, out: &mut Vec<Action>) -> bool {
        let delivery = &mut self.deliveries[slot];
        if delivery.bits != holder::BROKER | holder::CONSUMER | holder::WINDOW {
            return false;
        }
        let lane = &mut self.lanes[delivery.lane as usize];
        let subscription = &self.subscriptions[lane.subscription as usize];
        let consumer = &mut self.consumers[delivery.consumer as usize];
        let knobs = &subscription.knobs;
        let in_turn = knobs.order_lock == OrderLock::Partition && knobs.ack == AckMode::After;
        if !subscription.is_plain || !in_turn || subscription.balance != Balance::Stable {
            return false;
        }
        if !consumer.open || !consumer.queued.is_empty() || !consumer.hungry.is_empty() {
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
        let lane = delivery.lane;
        out.push(Action::SendAck { delivery: self.deliveries.id(slot) });
        if waiting {
            self.start_next(lane, out);
        }
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
