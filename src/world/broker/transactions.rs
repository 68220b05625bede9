//! What a consumer publishes with its acknowledgement: visible if and only if that counts.
//!
//! For as long as a delivery is with its consumer, what was published for it waits in the partitions that it
//! came to, *undecided*: no group sees it, and nothing behind it in the partition either, so that order stays
//! order (a reader of committed messages stops at the first open transaction). It is decided with its
//! delivery: an acknowledgement that counts lets it in, in the same instant; whatever else ends the delivery
//! drops it: a failed attempt, a lease that ran out, a partition that went to another consumer. So what a
//! zombie publishes is never seen: its delivery is no longer its own.
//!
//! ```text
//! delivery 7 ── publish a ─▶ │ a? │          │ a? b │ ack 7 ─▶ a b        b came from elsewhere, and waits too
//!                            │ a? │  b ─▶    │ a? b │ lost  ─▶   b
//! ```

use super::delivery::{NONE, holder, mark};
use super::{Action, Broker, Choose, DeliveryId};
use crate::kernel::ids::TopicId;
use std::collections::{BTreeMap, VecDeque};

/// Which deliveries have undecided messages, and in which logs.
pub(super) type Transactions = BTreeMap<u32, Vec<u32>>;

/// A message that has come to a partition and is not to be seen yet.
#[derive(Clone, Copy, Debug)]
struct Pending {
    message: u32,
    /// The delivery that it is decided with, or `NONE`: it waits for those before it.
    delivery: u32,
}

/// What has come to a partition behind something undecided, that included.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(VecDeque<Pending>);

impl Line {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A message that is decided waits behind those that are not.
    pub fn wait(&mut self, message: u32) {
        self.0.push_back(Pending { message, delivery: NONE });
    }

    /// The next that nothing undecided is before.
    fn pop_decided(&mut self) -> Option<u32> {
        if self.0.front()?.delivery != NONE {
            return None;
        }
        self.0.pop_front().map(|first| first.message)
    }
}

impl Broker {
    /// A message has reached the broker that is to be seen with the acknowledgement of a delivery. `message` is
    /// the world's slot for it, held until [`Action::Release`]. Returns whether it is held: not if the delivery
    /// is no longer its consumer's, nor if it is here already.
    #[allow(clippy::too_many_arguments)]
    pub fn accept_undecided(
        &mut self,
        delivery: DeliveryId,
        topic: TopicId,
        partition: u32,
        message: u32,
        key: Option<u64>,
        size: u64,
    ) -> bool {
        let is_own = |slot: &u32| {
            let delivery = &self.deliveries[*slot];
            delivery.has(holder::BROKER) && !delivery.has(mark::REVOKED)
        };
        let Some(slot) = self.deliveries.find(delivery).filter(is_own) else { return false };
        let log = self.topics[topic.index()].first_log + partition;
        let line = &mut self.logs[log as usize].line;
        if line.0.iter().any(|pending| pending.message == message) {
            return false;
        }
        line.0.push_back(Pending { message, delivery: slot });
        self.keep(message, key, size);
        self.kept[message as usize].holders += 1;
        let logs = self.transactions.entry(slot).or_default();
        if !logs.contains(&log) {
            logs.push(log);
        }
        true
    }

    /// What was published with a delivery is there: its acknowledgement counts.
    pub(super) fn let_in(&mut self, slot: u32, out: &mut Vec<Action>) {
        for log in self.transactions.remove(&slot).unwrap_or_default() {
            let topic = TopicId(self.logs[log as usize].topic);
            for pending in self.logs[log as usize].line.0.iter_mut() {
                if pending.delivery == slot {
                    pending.delivery = NONE;
                    out.push(Action::LetIn { message: pending.message, topic });
                }
            }
            self.unblock(log, out);
        }
    }

    /// What was published with a delivery never was.
    pub(super) fn drop_undecided(&mut self, slot: u32, out: &mut Vec<Action>) {
        for log in self.transactions.remove(&slot).unwrap_or_default() {
            let line = std::mem::take(&mut self.logs[log as usize].line.0);
            let (own, others): (VecDeque<_>, _) =
                line.into_iter().partition(|pending| pending.delivery == slot);
            self.logs[log as usize].line.0 = others;
            own.into_iter().for_each(|pending| self.let_go(pending.message, out));
            self.unblock(log, out);
        }
    }

    /// The broker may be in the middle of something: what waited comes in when that is done.
    fn unblock(&self, log: u32, out: &mut Vec<Action>) {
        let topic = self.logs[log as usize].topic;
        let partition = log - self.topics[topic as usize].first_log;
        out.push(Action::Unblocked { topic: TopicId(topic), partition });
    }

    /// Takes in what nothing undecided is before any more.
    pub fn admit_decided(&mut self, topic: TopicId, partition: u32, choose: Choose, out: &mut Vec<Action>) {
        let log = self.topics[topic.index()].first_log + partition;
        while let Some(message) = self.logs[log as usize].line.pop_decided() {
            self.admit(log, message, choose, out);
            self.let_go(message, out);
        }
    }
}
