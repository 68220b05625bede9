//! Messages that came back to the broker and wait to be sent again.

use crate::model::messaging::RedeliverTo;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

#[derive(Clone, Debug)]
pub(super) enum Returned {
    /// (offset, slot), smallest first.
    Original(BinaryHeap<Reverse<(u64, u32)>>),
    Front(VecDeque<u32>),
    /// (end of the log when it came back, slot): served when all before that has been.
    Back(VecDeque<(u64, u32)>),
    Unordered(Vec<u32>),
}

impl Returned {
    pub fn new(to: RedeliverTo) -> Self {
        match to {
            RedeliverTo::Original | RedeliverTo::RewindKey => Self::Original(BinaryHeap::new()),
            RedeliverTo::Front => Self::Front(VecDeque::new()),
            RedeliverTo::Back => Self::Back(VecDeque::new()),
            RedeliverTo::Unordered => Self::Unordered(Vec::new()),
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Original(heap) => heap.len(),
            Self::Front(queue) => queue.len(),
            Self::Back(queue) => queue.len(),
            Self::Unordered(pool) => pool.len(),
        }
    }

    pub fn push(&mut self, slot: u32, offset: u64, end: u64) {
        match self {
            Self::Original(heap) => heap.push(Reverse((offset, slot))),
            Self::Front(queue) => queue.push_back(slot),
            Self::Back(queue) => queue.push_back((end, slot)),
            Self::Unordered(pool) => pool.push(slot),
        }
    }

    /// The one to send now, unless the log's next goes first. `fetched` is the offset of that next,
    /// `end` the log's end.
    pub fn take(&mut self, fetched: u64, end: u64, choose: &mut dyn FnMut(u32) -> u32) -> Option<u32> {
        match self {
            Self::Original(heap) => heap.pop().map(|Reverse((_, slot))| slot),
            Self::Front(queue) => queue.pop_front(),
            Self::Back(queue) => {
                let &(behind, slot) = queue.front()?;
                if behind > fetched {
                    return None;
                }
                queue.pop_front();
                Some(slot)
            }
            Self::Unordered(pool) => {
                let candidates = pool.len() + usize::from(fetched < end);
                let chosen = if candidates > 1 { choose(candidates as u32) as usize } else { 0 };
                (chosen < pool.len()).then(|| pool.swap_remove(chosen))
            }
        }
    }

    pub fn remove(&mut self, slot: u32) {
        match self {
            Self::Original(heap) => heap.retain(|&Reverse((_, other))| other != slot),
            Self::Front(queue) => queue.retain(|&other| other != slot),
            Self::Back(queue) => queue.retain(|&(_, other)| other != slot),
            Self::Unordered(pool) => pool.retain(|&other| other != slot),
        }
    }
}
