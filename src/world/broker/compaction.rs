//! What is given up one by one: older messages of a key where a log is compacted, tombstones in the end, and
//! messages whose time is over.
//!
//! A log is compacted when what came since it was last makes up half of it, as log cleaners do. A consumer
//! that comes late finds the newest message of each key, and gaps where the older ones were. A tombstone is
//! the newest of its key, and is dropped all the same when the log has kept it for long enough: who was
//! away for longer never hears that the key is gone.
//!
//! A message whose time is over is given up when it is next in line, or was handed out and came back; one
//! that a consumer has in hand is that consumer's.

use super::delivery::NONE;
use super::timers::TimerKind;
use super::{Action, Broker, Choose, Settlement};
use crate::kernel::time::Nanos;
use rustc_hash::FxHashSet;

/// A log is not compacted for fewer new messages than this.
const FEW: u64 = 16;

impl Broker {
    /// A message was appended: time to compact the log, perhaps.
    #[inline]
    pub(super) fn watch_compaction(&mut self, log: u32) {
        let state = &self.logs[log as usize];
        if self.topics[state.topic as usize].knobs.compact {
            let new = state.end - state.compacted;
            if new >= FEW && new * 2 >= state.end - state.base {
                self.compact(log);
            }
        }
    }

    /// Leaves of each key the newest message.
    fn compact(&mut self, log: u32) {
        let mut keys: FxHashSet<u64> = FxHashSet::default();
        let from = self.lanes_low(log);
        let end = self.logs[log as usize].end;
        let mut superseded = Vec::new();
        for offset in (from..end).rev() {
            if self.logs[log as usize].holes.contains_key(&offset) {
                continue;
            }
            let message = &self.kept[self.logs[log as usize].at(offset) as usize];
            if message.keyed && !keys.insert(message.key) {
                superseded.push(offset);
            }
        }
        let state = &mut self.logs[log as usize];
        for offset in superseded {
            state.holes.entry(offset).or_insert(Settlement::Superseded);
        }
        state.compacted = state.end;
    }

    /// The oldest offset that some lane may still ask for.
    fn lanes_low(&self, log: u32) -> u64 {
        let state = &self.logs[log as usize];
        state.lanes.iter().map(|&lane| self.low_of(lane)).min().unwrap_or(state.end)
    }

    /// Tombstones that were kept for long enough are gone.
    pub(super) fn drop_tombstones(&mut self, log: u32, before: u64) {
        for offset in self.lanes_low(log)..before {
            let message = self.logs[log as usize].at(offset);
            if self.kept[message as usize].tombstone {
                self.logs[log as usize].holes.entry(offset).or_insert(Settlement::Skipped);
            }
        }
    }

    /// A message says that its key is gone.
    pub fn buries(&mut self, message: u32) {
        self.kept[message as usize].tombstone = true;
    }

    /// A message that was just accepted is given up after this long.
    pub fn expires(&mut self, message: u32, after: Nanos, out: &mut Vec<Action>) {
        let kept = &self.kept[message as usize];
        // One that is in the broker twice has the time of its first copy.
        if kept.holders > 0 && kept.expiry == NONE && !kept.expired {
            self.kept[message as usize].expiry = self.start_timer(TimerKind::Expiry, message, after, out);
        }
    }

    /// A message's time is over: whoever has it next in line passes it.
    pub(super) fn time_is_over(&mut self, message: u32, out: &mut Vec<Action>) {
        let kept = &mut self.kept[message as usize];
        (kept.expiry, kept.expired) = (NONE, true);
        self.expired += 1;
        let log = kept.log;
        if log == NONE {
            return;
        }
        for lane in self.logs[log as usize].lanes.clone() {
            while self.is_next_expired(lane) {
                self.pass_over(lane, Settlement::Expired, out);
            }
        }
    }

    fn is_next_expired(&self, lane: u32) -> bool {
        let state = &self.lanes[lane as usize];
        let log = &self.logs[state.log as usize];
        state.fetched < log.end
            && state.fetched >= log.kept_from
            && match log.holes.get(&state.fetched) {
                Some(end) => *end == Settlement::Expired,
                None => self.kept[log.at(state.fetched) as usize].expired,
            }
    }

    /// Gives up a message that came back, if its time is over.
    #[inline]
    pub(super) fn give_up_expired(&mut self, slot: u32, choose: Choose, out: &mut Vec<Action>) -> bool {
        let is_over = self.expired > 0 && self.kept[self.deliveries[slot].message as usize].expired;
        if is_over {
            self.settle(slot, Settlement::Expired, choose, out);
        }
        is_over
    }

    /// A message's time does not matter any more.
    pub(super) fn forget_expiry(&mut self, message: u32, out: &mut Vec<Action>) {
        let kept = &mut self.kept[message as usize];
        self.expired -= u32::from(std::mem::replace(&mut kept.expired, false));
        let timer = std::mem::replace(&mut kept.expiry, NONE);
        self.cancel_timer(timer, out);
    }
}
