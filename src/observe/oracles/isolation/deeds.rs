//! Which deed is judged by what.

use super::Isolation;
use crate::kernel::time::Nanos;
use crate::world::deed::{Deed, Served};
use crate::world::record::{Observer, Record};

impl Observer for Isolation<'_> {
    fn record(&mut self, _: Nanos, record: &Record) {
        if let Record::End { quiet: false } = *record {
            self.break_off();
        }
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        if let Some(copies) = &mut self.copies {
            copies.deed(now, deed);
        }
        match *deed {
            Deed::AttemptBegun { served: Served::Intent { .. }, .. } => {}
            Deed::AttemptBegun { attempt, cause, .. } => self.begin(attempt, cause.obligation),
            Deed::AttemptEnded { attempt, outcome } => self.end(now, attempt, outcome),
            Deed::Asked { attempt, pc, item } => self.asked(attempt, (pc, item)),
            Deed::Read { attempt, pc, item, row, version, .. } => {
                self.read(attempt, (pc, item), row, version);
            }
            Deed::Named { attempt, item, slot, value } => {
                let uses = self.flows.value(value);
                if let Some(attempt) = self.attempts.get_mut(attempt) {
                    attempt.reading = None;
                    let premises = attempt.premises(uses, item);
                    attempt.name(slot, 1, item, premises);
                }
            }
            Deed::Decided { attempt, pc, item, .. } => self.decided(attempt, (pc, item)),
            Deed::Wrote { attempt, pc, part, row, seen, write } => {
                self.wrote(attempt, (pc, part.item), row, seen, write);
            }
            Deed::Committed { attempt, row, old, new, version, .. } => {
                self.committed(now, attempt, row, version, (old, new));
            }
            Deed::TransactionEnded { attempt, committed } => {
                self.transaction_ended(now, attempt, committed);
            }
            _ => {}
        }
    }
}
