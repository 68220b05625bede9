//! The first look: whom an obligation comes from, who works for it, and which rows they meet.

use super::descent::{Descent, Line};
use crate::kernel::ids::TopicId;
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::observe::findings::Facts;
use crate::world::deed::{Deed, RowName, Served};
use crate::world::identity::{Cause, mix};
use crate::world::record::{Observer, Record};
use rustc_hash::{FxHashMap, FxHashSet};

/// Rows beyond these are not followed.
const MOST_ROWS: usize = 64;

/// What concerns an obligation.
#[derive(Clone, Debug, Default)]
pub struct Kin {
    pub focus: u64,
    /// Those that it comes from, the nearest last.
    pub ancestors: Vec<u64>,
    /// Those whose attempts do its work: itself, the groups' shares of a message, the ticks of a row.
    pub own: FxHashSet<u64>,
    /// What its attempts read and wrote.
    pub rows: FxHashSet<RowName>,
    /// Who wrote what it should have seen.
    pub missed: Option<u64>,
    /// What came first and should have come after.
    pub overtaker: Option<u64>,
}

impl Kin {
    pub fn is_ancestor(&self, obligation: u64) -> bool {
        self.ancestors.contains(&obligation)
    }

    /// Whether something is, or comes from, the write that was not seen.
    pub fn is_missed(&self, line: &Line) -> bool {
        self.missed.is_some_and(|missed| line.obligation == missed || line.ancestors.contains(&missed))
    }

    /// Whether something is the message that came first, or what that asks of somebody.
    pub fn is_overtaker(&self, line: &Line) -> bool {
        self.overtaker.is_some_and(|first| line.obligation == first || line.parent() == Some(first))
    }

    /// Whether something comes from the work of this obligation.
    pub fn is_descendant(&self, line: &Line) -> bool {
        line.ancestors.iter().any(|ancestor| self.own.contains(ancestor) || *ancestor == self.focus)
    }
}

/// Looks for the kin of an obligation.
pub struct Search<'m> {
    model: &'m Model,
    descent: Descent<'m>,
    kin: Kin,
    seen: bool,
    /// A version of a row that should have been seen.
    missed: Option<(RowName, u64)>,
    /// Jobs whose rows are obligations of their own, by attempt.
    ticks: FxHashMap<u32, u64>,
}

impl<'m> Search<'m> {
    pub fn new(model: &'m Model, focus: u64) -> Self {
        let kin = Kin { focus, ..Kin::default() };
        Self {
            model,
            descent: Descent::new(model),
            kin,
            seen: false,
            missed: None,
            ticks: FxHashMap::default(),
        }
    }

    /// Looks also for who wrote what was not seen, and for what came first.
    pub fn look_for(&mut self, facts: &Facts) {
        self.missed = facts.missed;
        self.kin.overtaker = facts.overtaken_by;
    }

    /// `None`: there was no such obligation.
    pub fn finish(self) -> Option<Kin> {
        self.seen.then_some(self.kin)
    }

    fn meet(&mut self, attempt: u32, row: RowName) {
        let is_own =
            self.descent.of_attempt(attempt).is_some_and(|line| self.kin.own.contains(&line.obligation));
        if is_own && self.kin.rows.len() < MOST_ROWS {
            self.kin.rows.insert(row);
        }
    }

    /// What a message asks of a group is owed before anyone has begun with it.
    fn find_share(&mut self, line: &Line, cause: Cause, topic: Option<TopicId>) {
        let Some(topic) = topic else { return };
        let model = self.model;
        for &group in &model.topics[topic.index()].groups {
            let share = self.descent.shares(group, cause).find(|share| *share == self.kin.focus);
            if let Some(share) = share {
                self.find(&line.child(share), true);
            }
        }
    }

    fn find(&mut self, line: &Line, does_work: bool) {
        let focus = self.kin.focus;
        if line.obligation == focus {
            if !self.seen {
                self.kin.ancestors.clone_from(&line.ancestors);
            }
            self.seen = true;
            self.kin.own.insert(focus);
        } else if does_work && line.parent() == Some(focus) {
            self.kin.own.insert(line.obligation);
        }
    }
}

impl Observer for Search<'_> {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, _: Nanos, _: &Record) {}

    fn deed(&mut self, _: Nanos, deed: &Deed<'_>) {
        self.descent.enter(deed);
        match *deed {
            Deed::AttemptBegun { attempt, served, .. } => {
                if let Served::Tick { job } = served
                    && self.model.jobs[job.index()].per_row
                {
                    self.ticks.insert(attempt, self.model.jobs[job.index()].key);
                }
                let is_share = matches!(served, Served::Delivery { .. });
                if let Some(line) = self.descent.of_attempt(attempt).cloned() {
                    self.find(&line, is_share);
                }
            }
            Deed::Issued { message, cause, topic, .. } => {
                if let Some(line) = self.descent.of_message(message).cloned() {
                    self.find(&line, false);
                    self.find_share(&line, cause, topic);
                }
            }
            Deed::Wrote { attempt, row, part, .. } => {
                if let Some(&job) = self.ticks.get(&attempt)
                    && mix(job, part.item) == self.kin.focus
                    && let Some(line) = self.descent.of_attempt(attempt)
                {
                    self.seen = true;
                    self.kin.own.insert(line.obligation);
                }
                self.meet(attempt, row);
            }
            Deed::Read { attempt, row, .. } => self.meet(attempt, row),
            Deed::Committed { attempt, row, version, .. }
                if self.missed.is_some_and(|missed| row == missed.0 && version >= missed.1) =>
            {
                self.missed = None;
                self.kin.missed = self.descent.of_attempt(attempt).map(|line| line.obligation);
                self.kin.rows.insert(row);
            }
            Deed::AttemptEnded { attempt, .. } => drop(self.ticks.remove(&attempt)),
            _ => {}
        }
        self.descent.leave(deed);
    }
}
