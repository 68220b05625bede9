//! What a topic remembers of what was sent to it, to recognise what is sent again.
//!
//! A producer that hears nothing sends again, and a relay that crashed before it set its mark does too: the
//! first under the same sequence number, both under the same message id. A topic that remembers either takes
//! the message in once, for as long as it remembers.

use crate::model::messaging::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// What became of a message that reached a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    Appended {
        partition: u32,
        /// Its place in the partition, also if it is delayed.
        offset: u64,
    },
    /// Its producer had sent it before; nothing happened.
    Duplicate,
}

/// Which sending of which producer this is: equal when sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub producer: u32,
    pub sequence: u64,
    /// The message's id.
    pub id: u64,
}

/// One sending: the place in which it is looked for, the producer (0 where that does not matter), its number.
type Sending = (u32, u32, u64);

#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// The last sequence numbers, by (partition or 0, producer).
    recent: FxHashMap<(u32, u32), Recent>,
    /// What else is remembered; in time, the oldest first.
    known: FxHashSet<Sending>,
    in_time: VecDeque<Sending>,
    /// What came since the last flush, if that is not all the time: gone with what it came with.
    not_durable: Vec<Sending>,
    is_durable: bool,
}

/// The last numbers of one producer.
#[derive(Clone, Debug, Default)]
struct Recent {
    numbers: VecDeque<u64>,
    /// The largest of all so far: a sequence number that is larger has not been seen.
    largest: u64,
}

impl Memory {
    pub fn new(knobs: &TopicKnobs) -> Self {
        Self { is_durable: knobs.flush_every.is_none(), ..Self::default() }
    }

    /// Whether a sending is remembered; if not, it is from now on. One that is remembered for a time is
    /// forgotten by [`Self::forget_oldest`], to be called once for each, in turn.
    pub fn knows(&mut self, knobs: &Deduplicate, partition: u32, origin: Origin) -> bool {
        let place = match knobs.scope {
            DeduplicateScope::Topic => 0,
            DeduplicateScope::Partition => partition,
        };
        let (producer, number) = match knobs.by {
            DeduplicateBy::Sequence => (origin.producer, origin.sequence),
            DeduplicateBy::MessageId => (0, origin.id),
        };
        let sending = (place, producer, number);
        let Window::Last(most) = knobs.window else {
            let is_new = self.known.insert(sending);
            if is_new && matches!(knobs.window, Window::For(_)) {
                self.in_time.push_back(sending);
            }
            if is_new && !self.is_durable {
                self.not_durable.push(sending);
            }
            return !is_new;
        };
        let recent = self.recent.entry((place, producer)).or_default();
        let is_known = match knobs.by {
            // The few last of a producer are looked through faster than a table.
            DeduplicateBy::Sequence => number <= recent.largest && recent.numbers.contains(&number),
            DeduplicateBy::MessageId => self.known.contains(&sending),
        };
        if is_known {
            return true;
        }
        if !self.is_durable {
            self.not_durable.push(sending);
        }
        recent.largest = recent.largest.max(number);
        let oldest = if recent.numbers.len() >= most as usize { recent.numbers.pop_front() } else { None };
        recent.numbers.push_back(number);
        if knobs.by == DeduplicateBy::MessageId {
            self.known.insert(sending);
            if let Some(oldest) = oldest {
                self.known.remove(&(place, producer, oldest));
            }
        }
        false
    }

    /// What was accepted so far is durable, and so is that it was.
    pub fn flushed(&mut self) {
        self.not_durable.clear();
    }

    /// What came since the last flush is gone, and may come again.
    pub fn lose(&mut self) {
        for sending in std::mem::take(&mut self.not_durable) {
            self.known.remove(&sending);
            if let Some(recent) = self.recent.get_mut(&(sending.0, sending.1)) {
                recent.numbers.retain(|&number| number != sending.2);
            }
        }
    }

    /// The time of what was remembered longest is over.
    pub fn forget_oldest(&mut self) {
        let oldest = self.in_time.pop_front().expect("each that is remembered for a time has its timer");
        self.known.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(producer: u32, sequence: u64, id: u64) -> Origin {
        Origin { producer, sequence, id }
    }

    #[test]
    fn an_id_is_recognised_whoever_sends_it_and_a_sequence_is_its_producer_s() {
        let scope = DeduplicateScope::Topic;
        for (by, recognises) in [(DeduplicateBy::MessageId, true), (DeduplicateBy::Sequence, false)] {
            for window in [Window::Last(2), Window::For(1), Window::Ever] {
                let knobs = Deduplicate { by, scope, window };
                let mut memory = Memory::default();
                assert!(!memory.knows(&knobs, 0, origin(1, 7, 70)));
                assert!(memory.knows(&knobs, 1, origin(1, 7, 70)), "sent again");
                assert_eq!(memory.knows(&knobs, 0, origin(2, 7, 70)), recognises, "{by:?} {window:?}");
            }
        }
    }

    #[test]
    fn the_last_are_remembered_or_those_whose_time_is_not_over() {
        let (by, scope) = (DeduplicateBy::MessageId, DeduplicateScope::Partition);
        let last = Deduplicate { by, scope, window: Window::Last(2) };
        let mut memory = Memory::default();
        for id in 1..=3 {
            assert!(!memory.knows(&last, 0, origin(1, id, id)));
        }
        assert!(memory.knows(&last, 0, origin(1, 4, 2)) && !memory.knows(&last, 0, origin(1, 5, 1)));
        assert!(!memory.knows(&last, 1, origin(1, 6, 1)), "another partition");
        let timed = Deduplicate { by, scope, window: Window::For(5) };
        let mut memory = Memory::default();
        assert!(!memory.knows(&timed, 0, origin(1, 1, 1)));
        memory.forget_oldest();
        assert!(!memory.knows(&timed, 0, origin(1, 1, 1)));
    }
}
