//! The end of an obligation: done, or what else.

use super::Lineage;
use super::ledger::{Entry, Fate, Kind};
use crate::kernel::anomaly::{Anomaly, Family};
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::observe::trace::wording::named_step;
use crate::world::record::Outcome;
use serde::{Deserialize, Serialize};

/// How obligations ended. Every one that was owed is in exactly one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub owed: u64,
    pub done: u64,
    /// Nothing was done, and who asked was told.
    pub refused: u64,
    pub swallowed: u64,
    pub parked: u64,
    /// Their time was over, as was declared.
    pub expired: u64,
    /// A newer message of the key was there instead.
    pub superseded: u64,
    pub lost: u64,
    pub torn: u64,
    pub mixed: u64,
    /// Still carried when the replication was cut off.
    pub unsettled: u64,
}

impl Sum {
    /// How many ends there are.
    pub const ENDS: usize = 10;

    /// Takes in those of another replication.
    pub fn merge(&mut self, other: &Self) {
        self.owed += other.owed;
        self.done += other.done;
        self.refused += other.refused;
        self.swallowed += other.swallowed;
        self.parked += other.parked;
        self.expired += other.expired;
        self.superseded += other.superseded;
        self.lost += other.lost;
        self.torn += other.torn;
        self.mixed += other.mixed;
        self.unsettled += other.unsettled;
    }

    /// Each end in a word, with how many obligations came to it.
    pub fn ends(&self) -> [(&'static str, u64); Self::ENDS] {
        [
            ("done", self.done),
            ("refused", self.refused),
            ("swallowed", self.swallowed),
            ("parked", self.parked),
            ("expired", self.expired),
            ("superseded", self.superseded),
            ("lost", self.lost),
            ("torn", self.torn),
            ("mixed", self.mixed),
            ("unsettled", self.unsettled),
        ]
    }

    /// What all ends come to; the same as `owed`.
    pub fn ended(&self) -> u64 {
        self.ends().iter().map(|(_, count)| count).sum()
    }
}

/// One end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Refused,
    Swallowed,
    Parked,
    Expired,
    Superseded,
    Lost,
    Torn,
    Mixed,
}

/// How an entry that nothing carries any more has ended; `None`: it was not owed.
pub fn end_of(entry: &Entry) -> Option<End> {
    let is_owed = match entry.kind {
        Kind::Root => false,
        // Once it is with the broker, its groups owe it.
        Kind::Message { .. } => entry.issued > 0 && entry.accepted == 0,
        Kind::Timer | Kind::Call | Kind::Send => entry.issued > 0,
        Kind::Share { .. } | Kind::Once { .. } => true,
    };
    if !is_owed {
        return None;
    }
    let told_no = entry.told.is_some_and(|outcome| outcome != Outcome::Well) || entry.excused;
    let is_somewhere = entry.has_left() || entry.marked;
    Some(if entry.mixed && entry.has_left() {
        End::Mixed
    } else if entry.swallowed {
        End::Swallowed
    } else if entry.done {
        End::Done
    } else if entry.fate == Fate::Parked {
        End::Parked
    } else if is_somewhere {
        End::Torn
    } else if entry.fate == Fate::Expired {
        End::Expired
    } else if entry.fate == Fate::Superseded {
        End::Superseded
    } else if told_no {
        End::Refused
    } else {
        End::Lost
    })
}

impl Lineage<'_> {
    /// Settles what nothing holds any more.
    pub(super) fn settle_released(&mut self, now: Nanos) {
        while let Some(id) = self.ledger.next_released() {
            self.settle(id);
            self.last_settled = now;
            self.leave_values(now, id);
            let of = &self.ledger[id];
            let told_no = of.told.is_some_and(|outcome| outcome != Outcome::Well);
            // What was sent in vain left nothing either.
            let has_nothing = !of.done || of.sent_in_vain && !of.has_left();
            let refused = told_no && has_nothing || of.excused;
            let over = self.ledger.forget(id, now, |parent, child| {
                child.excused |= refused;
                child.phantom |= child.orphaned == Some(parent.rows_committed);
            });
            if let Some(root) = over {
                self.undoables.forget(root);
                self.clocked.forget(root);
                self.judge_sagas_of(now, root);
            }
        }
    }

    fn settle(&mut self, id: u32) {
        let entry = &self.ledger[id];
        let (at, kind) = (entry.last_carrier_died, entry.kind);
        let obligation = if let Kind::Once { .. } = kind { entry.asked_by } else { entry.obligation };
        let told_well = entry.by_client && entry.told == Some(Outcome::Well);
        let told_no = entry.by_client && entry.told.is_some_and(|outcome| outcome != Outcome::Well);
        let (sent_in_vain, forgotten) = (entry.sent_in_vain, entry.forgotten);
        let (has_left, fate) = (entry.has_left() || self.has_done_for_a_value(entry), entry.fate);
        let is_phantom = entry.phantom && entry.acted_on;
        if is_phantom {
            self.sight(Anomaly::PhantomEffects, at, obligation, |model| {
                format!("{}: acted on, though its issuer's changes never came", name(model, kind))
            });
        }
        let is_discarded = self.clocked.take(self.ledger[id].obligation);
        let Some(end) = end_of(&self.ledger[id]) else { return };
        let is_discarded = is_discarded && end == End::Done && !has_left;
        let end = if is_discarded { End::Lost } else { end };
        self.sum.owed += 1;
        for anomaly in [Anomaly::LostEffects, Anomaly::TornEffects, Anomaly::MixedEffects, Anomaly::Swallowed]
        {
            self.finding(anomaly).of += 1;
        }
        let (counter, anomaly) = match end {
            End::Done => (&mut self.sum.done, None),
            End::Refused => (&mut self.sum.refused, None),
            End::Swallowed => (&mut self.sum.swallowed, Some(Anomaly::Swallowed)),
            End::Parked => (&mut self.sum.parked, Some(Anomaly::Parked)),
            End::Expired => (&mut self.sum.expired, None),
            End::Superseded => (&mut self.sum.superseded, None),
            End::Lost => (&mut self.sum.lost, Some(Anomaly::LostEffects)),
            End::Torn => (&mut self.sum.torn, Some(Anomaly::TornEffects)),
            End::Mixed => (&mut self.sum.mixed, Some(Anomaly::MixedEffects)),
        };
        *counter += 1;
        if let Some(anomaly) = anomaly {
            self.sight(anomaly, at, obligation, |model| {
                let why = if is_discarded { " (taken for older than what it is not)" } else { why(fate) };
                format!("{}: {}{why}", name(model, kind), words(end))
            });
        }
        if end == End::Lost && matches!(kind, Kind::Message { .. }) {
            self.expose(Anomaly::LostEffects);
        }
        let nothing = matches!(end, End::Lost | End::Swallowed)
            || !has_left && (end == End::Torn || end == End::Done && sent_in_vain);
        if told_well && nothing {
            self.sight(Anomaly::AcknowledgedLoss, at, obligation, |_| "told ok, and nothing was done".into());
        }
        // What its store had said to be done, and has forgotten, is no less gone because something else is left.
        if told_well && !nothing && forgotten && end == End::Torn {
            self.sight(Anomaly::AcknowledgedLoss, at, obligation, |_| {
                "told ok, and some of it is gone".into()
            });
        }
        if told_no && end == End::Done && has_left {
            self.sight(Anomaly::UnacknowledgedEffect, at, obligation, |_| "told no, and it was done".into());
        }
    }

    /// The replication is over: what is left is settled, or will never be known.
    pub(super) fn end(&mut self, now: Nanos, quiet: bool) {
        if quiet {
            for id in self.ledger.open() {
                self.settle(id);
            }
        } else {
            self.cut_off(now);
        }
        self.judge_all_sagas(now, quiet);
        self.finding(Anomaly::Stuck).exposures = self.sum.owed;
        for finding in &mut self.findings {
            // What happened had the chance to.
            finding.exposures = finding.exposures.max(finding.count);
            if finding.of == 0 {
                finding.of = finding.exposures;
            }
        }
    }

    /// The drain limit: of what is still carried nobody will know how it ends.
    fn cut_off(&mut self, now: Nanos) {
        let nothing_settles =
            self.last_settled <= self.drain_began + now.saturating_sub(self.drain_began) / 2;
        for id in self.ledger.open() {
            let entry = &self.ledger[id];
            let is_over = match entry.kind {
                Kind::Once { .. } => entry.done || !self.ledger.is_shared(id),
                _ => entry.done && entry.fate != Fate::Open,
            };
            if end_of(entry).is_none() || is_over {
                self.settle(id);
                continue;
            }
            let obligation = entry.obligation;
            self.sum.owed += 1;
            self.sum.unsettled += 1;
            if nothing_settles {
                self.sight(Anomaly::Stuck, now, obligation, |_| {
                    "still tried at the drain limit, and nothing more is settled".into()
                });
            }
            let all = Anomaly::ALL.iter().filter(|anomaly| anomaly.family() == Family::Idempotency);
            for &anomaly in all.filter(|anomaly| **anomaly != Anomaly::Stuck || !nothing_settles) {
                self.finding(anomaly).unsettled += 1;
            }
        }
    }
}

fn words(end: End) -> &'static str {
    match end {
        End::Done => "done",
        End::Refused => "refused",
        End::Swallowed => "ended by a guard that took it for another",
        End::Parked => "set aside, its work not done",
        End::Expired => "its time was over",
        End::Superseded => "a newer message of its key was there instead",
        End::Lost => "nothing was done",
        End::Torn => "half done, and nobody goes on with it",
        End::Mixed => "left what no single execution leaves",
    }
}

fn why(fate: Fate) -> &'static str {
    match fate {
        Fate::Dropped => " (dropped after too many tries)",
        Fate::Skipped => " (passed by retention)",
        Fate::Destroyed => " (gone with its broker)",
        _ => "",
    }
}

/// Whose work it is.
fn name(model: &Model, kind: Kind) -> String {
    match kind {
        Kind::Share { group } => format!("the work of {}", model.groups[group.index()].name),
        Kind::Message { topic } => format!("a message for {}", model.topics[topic.index()].name),
        Kind::Call => "a call".into(),
        Kind::Send => "a one-way message".into(),
        Kind::Timer => "a timer".into(),
        Kind::Root => "an intent".into(),
        Kind::Once { site } => format!("what {} does once for each value", named_step(model, site)),
    }
}
