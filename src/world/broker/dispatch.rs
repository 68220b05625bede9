//! From acceptance to sending: which partition, which consumer, and when.

use super::delivery::{Delivery, NONE, Place, holder, mark};
use super::log::Log;
use super::state::Topic;
use super::timers::TimerKind;
use super::{Accepted, Action, Broker, Choose, Chooser, Origin, Settlement};
use crate::kernel::ids::{GroupId, TopicId};
use crate::model::messaging::*;

impl Broker {
    /// The partition that a message with this key is sent to. A producer asks once, and sends again to the
    /// same partition.
    pub fn route(&mut self, topic: TopicId, key: Option<u64>, choose: Choose) -> u32 {
        self.topics[topic.index()].route(key, &mut |n| choose(Chooser::Topic(topic), n))
    }

    /// A message has reached the broker. `message` is the world's slot for it, held until
    /// [`Action::Release`]; `size` is in bytes; `origin` identifies it among what its producer sends, where
    /// the producer might send it again.
    #[allow(clippy::too_many_arguments)]
    pub fn accept(
        &mut self,
        topic: TopicId,
        partition: u32,
        message: u32,
        key: Option<u64>,
        size: u64,
        origin: Option<Origin>,
        choose: Choose,
        out: &mut Vec<Action>,
    ) -> Accepted {
        let state = &mut self.topics[topic.index()];
        assert!(partition < state.knobs.partitions);
        if let (Some(knobs), Some(origin)) = (state.knobs.deduplicate, origin) {
            if state.memory.knows(&knobs, partition, origin) {
                return Accepted::Duplicate;
            }
            if let Window::For(length) = knobs.window {
                self.start_timer(TimerKind::Memory, topic.0, length, out);
            }
        }
        self.keep(message, key, size);
        let log = &self.logs[(self.topics[topic.index()].first_log + partition) as usize];
        if log.lanes.is_empty() {
            out.push(Action::Unclaimed { topic, message });
        }
        let offset = self.enter(topic.0, partition, message, choose, out);
        Accepted::Appended { partition, offset }
    }

    /// Notes what there is to know of a message.
    #[inline]
    pub(super) fn keep(&mut self, message: u32, key: Option<u64>, size: u64) {
        if self.kept.len() <= message as usize {
            self.kept.resize(message as usize + 1, Default::default());
        }
        let kept = &mut self.kept[message as usize];
        kept.tombstone = false;
        kept.key = key.unwrap_or_default();
        kept.keyed = key.is_some();
        kept.size = size.min(u64::from(u32::MAX)) as u32;
    }

    /// Puts a message into a partition: now, when what is before it is decided, or when the topic's delay is
    /// over; returns its offset.
    fn enter(
        &mut self,
        topic: u32,
        partition: u32,
        message: u32,
        choose: Choose,
        out: &mut Vec<Action>,
    ) -> u64 {
        let log = self.topics[topic as usize].first_log + partition;
        // Held by what it waits for or by this call, so that nobody lets go of it meanwhile.
        self.kept[message as usize].holders += 1;
        let state = &mut self.logs[log as usize];
        if !state.line.is_empty() {
            state.line.wait(message);
            return state.end + state.delayed + state.line.len() as u64 - 1;
        }
        let offset = self.admit(log, message, choose, out);
        self.let_go(message, out);
        offset
    }

    /// Moves a message on to another topic.
    pub(super) fn transfer(&mut self, topic: TopicId, message: u32, choose: Choose, out: &mut Vec<Action>) {
        self.forget_expiry(message, out);
        let kept = self.kept[message as usize];
        let partition = self.topics[topic.index()]
            .route(kept.keyed.then_some(kept.key), &mut |n| choose(Chooser::Topic(topic), n));
        out.push(Action::Transferred { message, topic, partition });
        self.enter(topic.0, partition, message, choose, out);
    }

    /// Moves all that was kept in a topic to another; returns how many.
    pub fn redrive(&mut self, from: TopicId, to: TopicId, choose: Choose, out: &mut Vec<Action>) -> u32 {
        let letters = std::mem::take(&mut self.topics[from.index()].letters);
        for &message in &letters {
            self.transfer(to, message, choose, out);
            self.let_go(message, out);
        }
        letters.len() as u32
    }

    pub(super) fn append(&mut self, log: u32, message: u32, choose: Choose, out: &mut Vec<Action>) -> u64 {
        if self.logs[log as usize].is_full() {
            self.make_room(log);
        }
        let state = &mut self.logs[log as usize];
        let offset = state.push(message);
        let lanes = state.lanes.len();
        self.kept[message as usize].holders += lanes as u32;
        self.kept[message as usize].log = log;
        let topic = &mut self.topics[self.logs[log as usize].topic as usize];
        if topic.knobs.keeps_letters {
            topic.letters.push_back(message);
            self.kept[message as usize].holders += 1;
        }
        for i in 0..lanes {
            let lane = self.logs[log as usize].lanes[i];
            let subscription = self.lanes[lane as usize].subscription;
            self.subscriptions[subscription as usize].counts.owed += 1;
            if !self.send_at_once(lane, out) {
                self.serve_lane(lane, choose, out);
            }
        }
        self.watch_durability(log, out);
        self.watch_compaction(log);
        self.watch_retention(log, message, choose, out);
        offset
    }

    /// Forgets what every subscription has passed.
    fn make_room(&mut self, log: u32) {
        let state = &self.logs[log as usize];
        let mut low = self.held_from(log);
        for &lane in &state.lanes {
            low = low.min(self.low_of(lane));
        }
        self.logs[log as usize].make_room(low);
    }

    /// The oldest offset that the lane may still ask the log for.
    pub(super) fn low_of(&self, lane: u32) -> u64 {
        let state = &self.lanes[lane as usize];
        match self.knobs_of(lane).ack_scope {
            AckScope::Cursor => state.committed.min(state.durable),
            _ => state.fetched,
        }
    }

    /// Sends what waits in a lane to whoever has room.
    #[inline]
    pub(super) fn serve_lane(&mut self, lane: u32, choose: Choose, out: &mut Vec<Action>) {
        let state = &self.lanes[lane as usize];
        // A listed lane is served when a consumer gets room, and not before.
        if state.listed || state.moving || !self.has_work(lane) {
            return;
        }
        if self.knobs_of(lane).owns_partitions() {
            self.serve_owner(lane, choose, out);
        } else {
            self.offer(lane, choose, out);
        }
    }

    fn serve_owner(&mut self, lane: u32, choose: Choose, out: &mut Vec<Action>) {
        let owner = self.lanes[lane as usize].owner;
        if owner == NONE {
            return;
        }
        let mut room = self.room(owner);
        while room > 0 {
            let Some(slot) = self.take(lane, choose, out) else { return };
            self.send(slot, owner, choose, out);
            room -= 1;
            if !self.has_work(lane) {
                return;
            }
        }
        if self.has_work(lane) {
            self.lanes[lane as usize].listed = true;
            self.consumers[owner as usize].hungry.push_back(lane);
        }
    }

    /// Offers a lane's messages to competing consumers: one each in turn, or a batch each.
    fn offer(&mut self, lane: u32, choose: Choose, out: &mut Vec<Action>) {
        let subscription = self.lanes[lane as usize].subscription;
        let batch = self.knobs_of(lane).batch;
        while let Some(consumer) = self.subscriptions[subscription as usize].available.pop_front() {
            self.consumers[consumer as usize].listed = false;
            let mut room = self.room(consumer).min(batch);
            while room > 0 && self.has_work(lane) {
                let Some(slot) = self.take(lane, choose, out) else { break };
                self.send(slot, consumer, choose, out);
                room -= 1;
            }
            self.list_if_room(consumer);
            if !self.has_work(lane) {
                return;
            }
        }
        self.lanes[lane as usize].listed = true;
        self.subscriptions[subscription as usize].backlog.push_back(lane);
    }

    /// A consumer may have got room.
    #[inline]
    pub(super) fn serve_consumer(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let subscription = self.consumers[consumer as usize].subscription;
        let knobs = &self.subscriptions[subscription as usize].knobs;
        if knobs.owns_partitions() {
            if !self.consumers[consumer as usize].hungry.is_empty() {
                self.feed_owner(consumer, choose, out);
            }
        } else {
            if !self.subscriptions[subscription as usize].backlog.is_empty() {
                self.feed_competitor(consumer, choose, out);
            }
            self.list_if_room(consumer);
        }
    }

    /// Any consumer of a subscription may have got room.
    pub(super) fn serve_members(&mut self, subscription: u32, choose: Choose, out: &mut Vec<Action>) {
        for i in 0..self.subscriptions[subscription as usize].members.len() {
            let member = self.subscriptions[subscription as usize].members[i];
            self.serve_consumer(member, choose, out);
        }
    }

    /// One from each of its hungry lanes in turn.
    pub(super) fn feed_owner(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let mut room = self.room(consumer);
        while room > 0 {
            let Some(lane) = self.consumers[consumer as usize].hungry.pop_front() else { return };
            self.lanes[lane as usize].listed = false;
            if self.lanes[lane as usize].moving {
                continue;
            }
            if !self.send_next(lane, out) {
                let Some(slot) = self.take(lane, choose, out) else { continue };
                self.send(slot, consumer, choose, out);
            }
            room -= 1;
            if self.has_work(lane) {
                self.lanes[lane as usize].listed = true;
                self.consumers[consumer as usize].hungry.push_back(lane);
            }
        }
    }

    /// One from each lane of the backlog in turn.
    fn feed_competitor(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let subscription = self.consumers[consumer as usize].subscription as usize;
        let mut room = self.room(consumer);
        while room > 0 {
            let Some(lane) = self.subscriptions[subscription].backlog.pop_front() else { return };
            self.lanes[lane as usize].listed = false;
            let Some(slot) = self.take(lane, choose, out) else { continue };
            self.send(slot, consumer, choose, out);
            room -= 1;
            if self.has_work(lane) {
                self.lanes[lane as usize].listed = true;
                self.subscriptions[subscription].backlog.push_back(lane);
            }
        }
    }

    fn list_if_room(&mut self, consumer: u32) {
        if self.consumers[consumer as usize].listed || self.room(consumer) == 0 {
            return;
        }
        let subscription = self.consumers[consumer as usize].subscription;
        self.consumers[consumer as usize].listed = true;
        self.subscriptions[subscription as usize].available.push_back(consumer);
    }

    /// How many messages a consumer could be sent now.
    #[inline]
    fn room(&self, consumer: u32) -> u32 {
        let state = &self.consumers[consumer as usize];
        let subscription = &self.subscriptions[state.subscription as usize];
        let knobs = &subscription.knobs;
        // On a connection the broker sends until it knows better; else consumers ask.
        let asks = !matches!(knobs.lease, Lease::Connection { .. });
        if !state.open || state.muted || state.retiring || (asks && (!state.alive || state.silent)) {
            return 0;
        }
        let used = match knobs.ack_scope {
            AckScope::Cursor => state.held,
            AckScope::Individual => state.unsettled,
            AckScope::OnDelivery => 0,
        };
        let mut room = knobs.max_in_flight_per_consumer.map_or(u32::MAX, |most| most.saturating_sub(used));
        if let Some(most) = knobs.max_in_flight_per_group {
            room = room.min(most.saturating_sub(subscription.unsettled));
        }
        // Under a lease per message a worker receives, handles, acknowledges, and only then asks again.
        let one_by_one = knobs.lease.is_taken_one_by_one();
        let occupied = if one_by_one { state.held + state.speaking } else { state.held };
        if knobs.batch > 1 {
            // It asks again when it is done with all it had.
            return if occupied == 0 { room.min(knobs.batch) } else { 0 };
        }
        if one_by_one {
            // What it fetched ahead would only lose its lease while waiting.
            room = room.min(knobs.concurrency.map_or(u32::MAX, |most| most.saturating_sub(occupied)));
        }
        room
    }

    #[inline]
    pub(super) fn has_work(&self, lane: u32) -> bool {
        let state = &self.lanes[lane as usize];
        state.fetched < self.logs[state.log as usize].end || !state.returned.is_empty()
    }

    /// Takes the next message of a lane: one that came back, or the log's next.
    fn take(&mut self, lane: u32, choose: Choose, out: &mut Vec<Action>) -> Option<u32> {
        let state = &mut self.lanes[lane as usize];
        let end = self.logs[state.log as usize].end;
        let group = GroupId(self.subscriptions[state.subscription as usize].group);
        while !self.lanes[lane as usize].returned.is_empty() {
            let state = &mut self.lanes[lane as usize];
            let fetched = state.fetched;
            let Some(slot) = state.returned.take(fetched, end, &mut |n| choose(Chooser::Group(group), n))
            else {
                break;
            };
            if !self.give_up_expired(slot, choose, out) {
                return Some(slot);
            }
        }
        loop {
            let state = &self.lanes[lane as usize];
            if state.fetched == end {
                let state = &mut self.lanes[lane as usize];
                let slot = state.returned.take(end, end, &mut |n| choose(Chooser::Group(group), n))?;
                if self.give_up_expired(slot, choose, out) {
                    continue;
                }
                return Some(slot);
            }
            let log = &self.logs[state.log as usize];
            if state.fetched < log.kept_from {
                self.skip(lane, out);
                continue;
            }
            if !log.holes.is_empty()
                && let Some(&end) = log.holes.get(&state.fetched)
            {
                self.pass_over(lane, end, out);
                continue;
            }
            if self.expired > 0 && self.kept[log.at(state.fetched) as usize].expired {
                self.pass_over(lane, Settlement::Expired, out);
                continue;
            }
            let slot = self.fetch(lane);
            if self.rewinds(lane) {
                self.join_line(slot);
                return Some(slot);
            }
            if !self.knobs_of(lane).order_lock.is_of_keys() || self.lock_key(lane, slot) {
                return Some(slot);
            }
        }
    }

    /// Takes the log's next into a delivery.
    #[inline]
    fn fetch(&mut self, lane: u32) -> u32 {
        let state = &mut self.lanes[lane as usize];
        let offset = state.fetched;
        let log: &Log = &self.logs[state.log as usize];
        let mut delivery = Delivery::new(log.at(offset), lane, offset);
        delivery.deliveries = u16::from(offset < state.seen);
        let slot = self.deliveries.add(delivery);
        state.fetched += 1;
        state.seen = state.seen.max(state.fetched);
        if self.subscriptions[state.subscription as usize].knobs.ack_scope == AckScope::Cursor {
            state.window.push_back(slot);
            self.deliveries[slot].bits |= holder::WINDOW;
        }
        slot
    }

    /// Locks the key of a message, or parks the message behind whoever has the lock.
    pub(super) fn lock_key(&mut self, lane: u32, slot: u32) -> bool {
        let delivery = &mut self.deliveries[slot];
        let kept = &self.kept[delivery.message as usize];
        if !kept.keyed {
            return true;
        }
        if let Some(line) = self.locks.get_mut(&(lane, kept.key)) {
            delivery.place = Place::Parked;
            line.push_back(slot);
            return false;
        }
        delivery.bits |= mark::LOCKS_KEY;
        self.locks.insert((lane, kept.key), Default::default());
        true
    }

    /// Takes a message out of the line for its key.
    pub(super) fn leave_line(&mut self, slot: u32) {
        let delivery = &self.deliveries[slot];
        let key = (delivery.lane, self.kept[delivery.message as usize].key);
        if let Some(line) = self.locks.get_mut(&key) {
            line.retain(|&other| other != slot);
        }
    }

    /// Gives the key that a delivery locks to the next in line, which then waits to be sent; where keys
    /// belong to consumers it goes to the same one at once, if that has room.
    pub(super) fn unlock_key(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        let delivery = &mut self.deliveries[slot];
        delivery.bits &= !mark::LOCKS_KEY;
        let lane = delivery.lane;
        let key = (lane, self.kept[delivery.message as usize].key);
        let line = self.locks.get_mut(&key).expect("the holder of a lock is in the table");
        let Some(next) = line.pop_front() else {
            self.locks.remove(&key);
            return;
        };
        let next_delivery = &mut self.deliveries[next];
        next_delivery.bits |= mark::LOCKS_KEY;
        next_delivery.place = Place::Waiting;
        let offset = next_delivery.offset;
        let keeper = self.deliveries[slot].consumer;
        if self.knobs_of(lane).order_lock == OrderLock::Session && keeper != NONE && self.room(keeper) > 0 {
            return self.send(next, keeper, choose, out);
        }
        let state = &mut self.lanes[lane as usize];
        // It has waited its turn: nothing that is in the log now goes before it.
        state.returned.push(next, offset, 0);
    }

    #[inline]
    fn send(&mut self, slot: u32, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        // What may be rewound goes where the rest of its key is, if that is somewhere.
        let keeper = if self.lines.is_empty() { None } else { self.keeper_of(slot) };
        let consumer = keeper.unwrap_or(consumer);
        let delivery = &mut self.deliveries[slot];
        let state = &mut self.consumers[consumer as usize];
        delivery.consumer = consumer;
        delivery.deliveries = delivery.deliveries.saturating_add(1);
        delivery.place = if state.alive { Place::Sent } else { Place::Forgotten };
        if state.alive {
            delivery.bits |= holder::CONSUMER;
            state.held += 1;
        }
        state.unsettled += 1;
        state.references += 1;
        let subscription = &mut self.subscriptions[state.subscription as usize];
        subscription.unsettled += 1;
        let knobs = &subscription.knobs;
        if knobs.order_lock.is_of_partitions() && knobs.ack_scope != AckScope::Cursor {
            self.lanes[delivery.lane as usize].window.push_back(slot);
        }
        out.push(Action::Deliver { delivery: self.deliveries.id(slot) });
        if let Lease::Delivery { after } = knobs.lease {
            self.deliveries[slot].timer = self.start_timer(TimerKind::Visibility, slot, after, out);
        } else if knobs.ack_scope == AckScope::OnDelivery {
            self.deliveries[slot].bits |= mark::SPOKEN;
            self.settle(slot, Settlement::Acknowledged, choose, out);
        }
    }
}

impl Topic {
    /// The partition of a message.
    fn route(&mut self, key: Option<u64>, choose: &mut dyn FnMut(u32) -> u32) -> u32 {
        let partitions = self.partitions;
        if partitions == 1 {
            return 0;
        }
        match (self.knobs.route, key) {
            (PartitionRoute::ByKey, Some(key)) => {
                ((u128::from(spread(key)) * u128::from(partitions)) >> 64) as u32
            }
            (PartitionRoute::ByKey, None) => choose(partitions),
            (PartitionRoute::RoundRobin, _) => {
                let partition = self.next_partition;
                self.next_partition = (partition + 1) % partitions;
                partition
            }
        }
    }
}

/// Spreads keys, which are often small numbers, over all 64 bits (the finaliser of SplitMix64;
/// Steele, Lea and Flood 2014).
fn spread(key: u64) -> u64 {
    let key = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}
