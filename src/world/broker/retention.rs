//! Retention: a log gives up what is too old, or too much, before some group has consumed it.

use super::Settlement;
use super::delivery::{Delivery, NONE, Place, holder};
use super::log::Log;
use super::timers::TimerKind;
use super::{Action, Broker, Choose};
use crate::model::messaging::*;

impl Broker {
    /// A message was appended: watch its age, and the size of its log.
    pub(super) fn watch_retention(&mut self, log: u32, message: u32, choose: Choose, out: &mut Vec<Action>) {
        self.hold_for_replays(log, message);
        let knobs = &self.topics[self.logs[log as usize].topic as usize].knobs;
        let (age, bytes) = (knobs.retain_for, knobs.retain_bytes);
        if let Some(age) = age
            && self.logs[log as usize].retention_timer == NONE
        {
            let timer = self.start_timer(TimerKind::Retention, log, Log::part(age), out);
            self.logs[log as usize].retention_timer = timer;
        }
        if let Some(bytes) = bytes {
            let size = self.kept[message as usize].size;
            if self.logs[log as usize].count_bytes(size, bytes) {
                self.expire(log, choose, out);
            }
        }
    }

    /// A part of the retention has passed.
    pub(super) fn retention_tick(&mut self, log: u32, choose: Choose, out: &mut Vec<Action>) {
        self.logs[log as usize].retention_timer = NONE;
        if let Some(expired) = self.logs[log as usize].tick() {
            if self.topics[self.logs[log as usize].topic as usize].knobs.compact {
                self.drop_tombstones(log, expired);
            } else if self.logs[log as usize].give_up_before(expired) {
                self.expire(log, choose, out);
            }
        }
        let state = &self.logs[log as usize];
        let is_passed = state.lanes.iter().all(|&lane| self.low_of(lane) == state.end);
        if is_passed && self.held_from(log) == state.end {
            return self.logs[log as usize].stop_watching();
        }
        let age = self.topics[state.topic as usize].knobs.retain_for.expect("it has been watched");
        let timer = self.start_timer(TimerKind::Retention, log, Log::part(age), out);
        self.logs[log as usize].retention_timer = timer;
    }

    /// Groups that have not fetched what was given up never will.
    fn expire(&mut self, log: u32, choose: Choose, out: &mut Vec<Action>) {
        for i in 0..self.logs[log as usize].lanes.len() {
            let lane = self.logs[log as usize].lanes[i];
            if self.lanes[lane as usize].fetched < self.logs[log as usize].kept_from {
                self.skip(lane, out);
                self.serve_lane(lane, choose, out);
            }
        }
        let state = &self.logs[log as usize];
        if self.topics[state.topic as usize].knobs.is_replayed {
            self.forget_past(log, state.kept_from, out);
        }
    }

    /// Where a lane goes on that retention has passed.
    pub(super) fn reset_of(&self, lane: u32) -> u64 {
        let log = &self.logs[self.lanes[lane as usize].log as usize];
        let knobs = self.knobs_of(lane);
        let to_end = knobs.ack_scope == AckScope::Cursor && knobs.reset == Reset::Latest;
        if to_end { log.end } else { log.kept_from }
    }

    /// Jumps over what was given up. With a cursor, what its consumer still holds comes first: places
    /// are kept in its window, so that the cursor passes them in order.
    pub(super) fn skip(&mut self, lane: u32, out: &mut Vec<Action>) {
        let to = self.reset_of(lane);
        while self.lanes[lane as usize].fetched < to {
            self.pass_over(lane, Settlement::Skipped, out);
        }
    }

    /// Passes the log's next, which is given up; a second time if a rewind has brought the lane back before it.
    pub(super) fn pass_over(&mut self, lane: u32, end: Settlement, out: &mut Vec<Action>) {
        let cursor = self.knobs_of(lane).ack_scope == AckScope::Cursor;
        let state = &self.lanes[lane as usize];
        let (offset, log) = (state.fetched, state.log as usize);
        let stands_behind = cursor && !state.window.is_empty();
        let is_settled = self.lanes[lane as usize].passed.remove(&offset);
        if stands_behind {
            let mut passed = Delivery::new(self.logs[log].at(offset), lane, offset);
            passed.place = Place::Handled;
            passed.bits |= holder::WINDOW;
            if is_settled {
                passed.bits &= !holder::BROKER;
            }
            let slot = self.deliveries.add(passed);
            if !is_settled {
                self.is_not_owed(slot, out);
            }
            self.lanes[lane as usize].window.push_back(slot);
        }
        if is_settled {
            self.lanes[lane as usize].fetched += 1;
        } else {
            self.settle_next(lane, end, out);
        }
        if end == Settlement::Expired {
            // Who comes by it again must not ask the message, which is let go.
            self.logs[log].holes.insert(offset, end);
        }
        let state = &mut self.lanes[lane as usize];
        state.seen = state.seen.max(state.fetched);
        if cursor && state.window.is_empty() {
            state.committed = state.fetched;
            self.position_is_known(lane, out);
        }
    }
}
