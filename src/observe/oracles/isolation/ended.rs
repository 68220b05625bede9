//! Attempts that end, and what is remembered of them while others that overlapped them are alive.

use super::Isolation;
use super::premise::Attempt;
use crate::kernel::time::Nanos;
use crate::world::record::{Outcome, SlotNumber};

impl Isolation<'_> {
    /// The run was cut off.
    pub(super) fn break_off(&mut self) {
        let at_work = self.attempts.iter().filter(|(_, attempt)| !attempt.touched.is_empty());
        let unsettled = at_work.count() as u64;
        for finding in [&mut self.lost_updates, &mut self.stale_premises, &mut self.conflict_cycles] {
            finding.unsettled += unsettled;
        }
    }

    pub(super) fn end(&mut self, now: Nanos, slot: SlotNumber, outcome: Outcome) {
        // Taken out while one is looked at; nothing of this asks for another.
        let mut attempts = std::mem::take(&mut self.attempts);
        if let Some(attempt) = attempts.end(slot) {
            self.close(now, attempt, outcome);
        }
        self.attempts = attempts;
    }

    /// What an attempt that has ended leaves to be remembered.
    fn close(&mut self, now: Nanos, attempt: &mut Attempt, outcome: Outcome) {
        if outcome == Outcome::Well {
            self.count_reads(now, attempt);
        }
        let number = attempt.number;
        if !attempt.touched.is_empty() {
            let mut rows = self.spare.pop().unwrap_or_default();
            for (&name, touched) in attempt.touched.iter() {
                let row = self.rows.get_mut(&name).expect("a row is kept while it is touched");
                if row.leave(self.graph.now(), number, touched.writes) {
                    self.rows.remove(&name);
                } else {
                    rows.push(name);
                }
            }
            self.touched.insert(number, rows);
        }
        for closed in self.graph.end(number) {
            let Some(mut rows) = self.touched.remove(&closed.attempt) else { continue };
            for name in &rows {
                let row = self.rows.get_mut(name);
                if row.is_some_and(|row| row.rename(closed.attempt, closed.stands_for_it)) {
                    self.rows.remove(name);
                }
            }
            if let Some(other) = closed.stands_for_it {
                let kept = rows.iter().filter(|name| self.rows.get(name).is_some());
                let all = self.touched.entry(other).or_default();
                all.extend(kept);
                all.sort_unstable();
                all.dedup();
            }
            rows.clear();
            self.spare.push(rows);
        }
    }
}
