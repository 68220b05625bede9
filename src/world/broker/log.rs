//! One partition of a topic: messages by offset, in a ring that all groups share.

use super::Settlement;
use super::delivery::NONE;
use super::transactions::Line;
use std::collections::{BTreeMap, VecDeque};

/// Retention is watched in so many parts, as a log is deleted by whole segments: a message lives
/// between one retention and one and a sixteenth.
const SEGMENTS: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Log {
    pub topic: u32,
    /// Message at each offset, at `offset & mask`; the length is a power of two.
    ring: Vec<u32>,
    /// Of a log that is replayed: messages from here on are held for that.
    pub held_from: u64,
    /// Oldest offset in the ring.
    pub base: u64,
    /// Offset of the next message.
    pub end: u64,
    /// Messages accepted whose delay is not over.
    pub delayed: u64,
    /// What has come and may not be appended before something is decided.
    pub line: Line,
    /// What lies before has been given up by retention.
    pub kept_from: u64,
    /// What is gone at single places, and how.
    pub holes: BTreeMap<u64, Settlement>,
    /// Where it ended when it was compacted last.
    pub compacted: u64,
    /// What lies before is durable, where that takes time.
    pub durable: u64,
    /// What lies before has a copy on a server that is away.
    pub copied_before: u64,
    /// Runs while something is watched for its age.
    pub retention_timer: u32,
    /// Where the log ended at the last ticks.
    segments: VecDeque<u64>,
    /// Sizes from `kept_from` on, if the log is bounded in bytes.
    sizes: VecDeque<u32>,
    bytes: u64,
    /// What each subscription has of this partition.
    pub lanes: Vec<u32>,
}

impl Log {
    pub fn new(topic: u32) -> Self {
        Self {
            topic,
            ring: Vec::new(),
            held_from: 0,
            base: 0,
            end: 0,
            delayed: 0,
            line: Line::default(),
            kept_from: 0,
            holes: BTreeMap::new(),
            compacted: 0,
            durable: 0,
            copied_before: 0,
            retention_timer: NONE,
            segments: VecDeque::new(),
            sizes: VecDeque::new(),
            bytes: 0,
            lanes: Vec::new(),
        }
    }

    #[inline]
    pub fn is_full(&self) -> bool {
        self.end - self.base == self.ring.len() as u64
    }

    /// Forgets what lies before `low`, which is to look at every lane. The ring is doubled unless half of it, and
    /// room for a message a lane, is free then: so a look is paid for by the messages appended since the last.
    pub fn make_room(&mut self, low: u64) {
        self.base = low;
        if !self.holes.is_empty() {
            self.holes = self.holes.split_off(&low);
        }
        let least = (self.ring.len() / 2).max(self.lanes.len());
        if self.ring.len() - (self.end - self.base) as usize > least {
            return;
        }
        let mut larger = vec![0; (self.ring.len() * 2).max(8)];
        let mask = larger.len() as u64 - 1;
        for offset in self.base..self.end {
            larger[(offset & mask) as usize] = self.at(offset);
        }
        self.ring = larger;
    }

    /// Whether there is a message at an offset, and all is there that was not given up by retention.
    #[inline]
    pub fn offers(&self, offset: u64) -> bool {
        self.kept_from <= offset && offset < self.end && self.holes.is_empty()
    }

    /// Appends to a ring that is not full; returns the offset.
    #[inline]
    pub fn push(&mut self, message: u32) -> u64 {
        debug_assert!(!self.is_full());
        let offset = self.end;
        let mask = self.ring.len() as u64 - 1;
        self.ring[(offset & mask) as usize] = message;
        self.end += 1;
        offset
    }

    /// The message at an offset that some subscription has not passed.
    #[inline]
    pub fn at(&self, offset: u64) -> u32 {
        debug_assert!(self.base <= offset && offset < self.end);
        self.ring[(offset & (self.ring.len() as u64 - 1)) as usize]
    }

    /// Counts the last message towards `limit` bytes; returns whether `kept_from` moved.
    pub fn count_bytes(&mut self, size: u32, limit: u64) -> bool {
        // A message takes up something, so that the list of sizes is bounded as well.
        self.sizes.push_back(size.max(1));
        self.bytes += u64::from(size.max(1));
        let before = self.kept_from;
        while self.bytes > limit {
            let oldest = self.sizes.pop_front().expect("bytes are those of the sizes");
            self.bytes -= u64::from(oldest);
            self.kept_from += 1;
        }
        self.kept_from != before
    }

    /// A part of the retention has passed; what lies before the offset it returns is older than that.
    pub fn tick(&mut self) -> Option<u64> {
        self.segments.push_back(self.end);
        if self.segments.len() <= SEGMENTS {
            return None;
        }
        self.segments.pop_front()
    }

    /// Gives up what lies before; returns whether `kept_from` moved.
    pub fn give_up_before(&mut self, expired: u64) -> bool {
        let moved = expired > self.kept_from;
        while self.kept_from < expired {
            self.kept_from += 1;
            if let Some(size) = self.sizes.pop_front() {
                self.bytes -= u64::from(size);
            }
        }
        moved
    }

    /// Nothing here is waited for: its age need not be watched.
    pub fn stop_watching(&mut self) {
        self.segments.clear();
    }

    /// How long a part of `retention` is.
    pub fn part(retention: u64) -> u64 {
        retention.div_ceil(SEGMENTS as u64)
    }
}
