//! Keys that are rewound: under `RewindKey` a consumer is sent a key's messages one after another without
//! waiting for each to be acknowledged, and works on them in turn. When one comes back, every later one of its
//! key comes back as well, those that were acknowledged included.
//!
//! So the broker keeps an acknowledged message until all before it of its key are acknowledged: a line for
//! each key, in order, of what was fetched and is not done with. All of it is with one consumer at a time.

use super::delivery::{NONE, Place, holder, mark};
use super::{Action, Broker, Choose, Settlement};
use crate::model::messaging::*;

impl Broker {
    #[inline]
    pub(super) fn rewinds(&self, lane: u32) -> bool {
        self.knobs_of(lane).redeliver_to == RedeliverTo::RewindKey
    }

    pub(super) fn line_of(&self, slot: u32) -> Option<(u32, u64)> {
        let delivery = &self.deliveries[slot];
        let kept = &self.kept[delivery.message as usize];
        (kept.keyed && self.rewinds(delivery.lane)).then_some((delivery.lane, kept.key))
    }

    /// A message was fetched: it is the last of its key.
    pub(super) fn join_line(&mut self, slot: u32) {
        if let Some(line) = self.line_of(slot) {
            self.lines.entry(line).or_default().push_back(slot);
        }
    }

    /// A message that was done with stands where it was among those of its key.
    pub(super) fn stand_in_line(&mut self, slot: u32) {
        let Some(key) = self.line_of(slot) else { return };
        let offset = self.deliveries[slot].offset;
        let line = self.lines.entry(key).or_default();
        let at = line.iter().position(|&other| self.deliveries[other].offset > offset);
        line.insert(at.unwrap_or(line.len()), slot);
    }

    /// The consumer that has earlier ones of the key, if one has.
    pub(super) fn keeper_of(&self, slot: u32) -> Option<u32> {
        let line = self.lines.get(&self.line_of(slot)?)?;
        let before = line.iter().take_while(|&&other| other != slot);
        before
            .map(|&other| self.deliveries[other].consumer)
            .find(|&consumer| consumer != NONE && self.consumers[consumer as usize].open)
    }

    /// Another slot stands for the same message.
    pub(super) fn replace_in_line(&mut self, old: u32, new: u32) {
        if let Some(key) = self.line_of(old)
            && let Some(line) = self.lines.get_mut(&key)
            && let Some(place) = line.iter_mut().find(|place| **place == old)
        {
            *place = new;
        }
    }

    /// Parts the broker's copy from its consumer's, which drops what waited for an earlier one of its key and
    /// would wait for ever.
    pub(super) fn take_from_line(&mut self, slot: u32, out: &mut Vec<Action>) -> u32 {
        let copy = self.part(slot, out);
        let waits = copy != slot && self.deliveries[slot].place == Place::Buffered;
        if waits && !self.lines.is_empty() {
            self.forget(slot, out);
        }
        copy
    }

    /// A message is acknowledged: it is done with if all before it of its key are.
    pub(super) fn acknowledged(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        let Some(key) = self.line_of(slot) else {
            return self.settle(slot, Settlement::Acknowledged, choose, out);
        };
        let is_first = self.lines.get(&key).and_then(|line| line.front()) == Some(&slot);
        if is_first {
            return self.settle(slot, Settlement::Acknowledged, choose, out);
        }
        self.cancel_delivery_timer(slot, out);
        self.let_in(slot, out);
        self.deliveries[slot].bits &= !holder::ACK;
        let kept = match self.deliveries[slot].consumer {
            NONE => slot,
            _ => self.take_from_line(slot, out),
        };
        self.deliveries[kept].bits |= mark::ACKNOWLEDGED;
        self.deliveries[kept].place = Place::Kept;
    }

    /// A message is done with: so are those behind it that were acknowledged before it.
    pub(super) fn leave_key(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) {
        let Some(key) = self.line_of(slot) else { return };
        let Some(line) = self.lines.get_mut(&key) else { return };
        line.retain(|&other| other != slot);
        let next = line.front().copied();
        if next.is_none() {
            self.lines.remove(&key);
        }
        // Its consumer, which had it wait for an earlier one, does not know.
        if self.deliveries[slot].place == Place::Buffered {
            self.start_or_queue(slot, out);
        }
        let Some(next) = next else { return };
        if self.deliveries[next].has(mark::ACKNOWLEDGED) {
            self.settle(next, Settlement::Acknowledged, choose, out);
        }
    }

    /// A message goes back, and all later ones of its key with it.
    pub(super) fn rewind_key(&mut self, slot: u32, out: &mut Vec<Action>) {
        let Some(line) = self.line_of(slot).and_then(|key| self.lines.get(&key)) else { return };
        let later: Vec<u32> = line.iter().copied().skip_while(|&other| other != slot).skip(1).collect();
        for other in later {
            let delivery = &mut self.deliveries[other];
            if delivery.has(mark::ACKNOWLEDGED) {
                delivery.bits &= !mark::ACKNOWLEDGED;
                self.wait_again(other);
            } else if delivery.consumer != NONE {
                self.cancel_delivery_timer(other, out);
                let copy = self.part(other, out);
                // What it has not begun a consumer drops with its lease.
                let idle = other != copy
                    && matches!(self.deliveries[other].place, Place::Sent | Place::Buffered | Place::Queued);
                if idle {
                    self.forget(other, out);
                }
                self.wait_again(copy);
            }
        }
    }

    /// Starts a message that its consumer has received, if none before it of its key is in its hands.
    pub(super) fn start_in_line(&mut self, slot: u32, out: &mut Vec<Action>) {
        let line =
            self.line_of(slot).filter(|key| self.lines.get(key).is_some_and(|line| line.contains(&slot)));
        match line {
            Some(key) => self.start_first(key, out),
            // Without a key, taken away, or done with before it came.
            None => self.start_or_queue(slot, out),
        }
    }

    /// The consumer is done with a message: the next of its key that it has begins.
    pub(super) fn start_behind(&mut self, slot: u32, out: &mut Vec<Action>) {
        if let Some(key) = self.line_of(slot) {
            self.start_first(key, out);
        }
    }

    /// Starts the first of a key that is with its consumer, if that is not under way.
    pub(super) fn start_first(&mut self, key: (u32, u64), out: &mut Vec<Action>) {
        let Some(line) = self.lines.get(&key) else { return };
        let first = line.iter().copied().find(|&other| self.deliveries[other].has(holder::CONSUMER));
        if let Some(first) = first.filter(|&first| self.deliveries[first].place == Place::Buffered) {
            self.start_or_queue(first, out);
        }
    }
}
