//! Who comes from whom: for everything alive, its obligation and the nearest of those that it comes from.

use crate::kernel::ids::GroupId;
use crate::model::Model;
use crate::model::messaging::Members;
use crate::world::deed::{Deed, Served};
use crate::world::identity::{Cause, of_instance};
use rustc_hash::FxHashMap;

/// So many generations are remembered; who comes from further away is cut off there.
const MOST_GENERATIONS: usize = 24;

/// One obligation, and those that it comes from, the nearest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub obligation: u64,
    pub ancestors: Vec<u64>,
}

impl Line {
    fn root(obligation: u64) -> Self {
        Self { obligation, ancestors: Vec::new() }
    }

    pub fn child(&self, obligation: u64) -> Self {
        if obligation == self.obligation {
            return self.clone();
        }
        let skipped = (self.ancestors.len() + 1).saturating_sub(MOST_GENERATIONS);
        let ancestors = self.ancestors.iter().copied().skip(skipped).chain([self.obligation]).collect();
        Self { obligation, ancestors }
    }

    pub fn parent(&self) -> Option<u64> {
        self.ancestors.last().copied()
    }
}

/// The lines of everything alive. Memory is what is under way.
pub struct Descent<'m> {
    model: &'m Model,
    attempts: FxHashMap<u32, Line>,
    messages: FxHashMap<u32, Line>,
    timers: FxHashMap<u32, Line>,
}

impl<'m> Descent<'m> {
    pub fn new(model: &'m Model) -> Self {
        let none = FxHashMap::default;
        Self { model, attempts: none(), messages: none(), timers: none() }
    }

    pub fn of_attempt(&self, attempt: u32) -> Option<&Line> {
        self.attempts.get(&attempt)
    }

    pub fn of_message(&self, message: u32) -> Option<&Line> {
        self.messages.get(&message)
    }

    /// Learns who is new. To be told of each deed before it is read.
    pub fn enter(&mut self, deed: &Deed<'_>) {
        match *deed {
            Deed::AttemptBegun { attempt, instance, cause, served, message, .. } => {
                let line = match served {
                    Served::Delivery { group, .. } => {
                        let obligation = self.share(cause.obligation, group, instance);
                        self.messages.get(&message).map(|line| line.child(obligation))
                    }
                    Served::Timer { timer } => {
                        self.timers.get(&timer).map(|line| line.child(cause.obligation))
                    }
                    Served::Call | Served::Send => {
                        self.messages.get(&message).map(|line| line.child(cause.obligation))
                    }
                    Served::Intent { .. } | Served::Tick { .. } => None,
                };
                self.attempts.insert(attempt, line.unwrap_or_else(|| Line::root(cause.obligation)));
            }
            Deed::Issued { attempt, message, cause, .. } => {
                let line = self.issued_by(attempt, cause.obligation);
                self.messages.insert(message, line);
            }
            Deed::TimerSet { attempt, timer, cause, .. } => {
                let line = self.issued_by(attempt, cause.obligation);
                self.timers.insert(timer, line);
            }
            Deed::SagaMoved { attempt, timer, before, cause, .. } => {
                let line = match self.timers.get(&before) {
                    Some(line) => line.child(cause.obligation),
                    None => self.issued_by(attempt, cause.obligation),
                };
                self.timers.insert(timer, line);
            }
            _ => {}
        }
    }

    /// Forgets who is gone. To be told of each deed after it was read.
    pub fn leave(&mut self, deed: &Deed<'_>) {
        match *deed {
            Deed::AttemptEnded { attempt, .. } => drop(self.attempts.remove(&attempt)),
            Deed::Freed { message } => drop(self.messages.remove(&message)),
            Deed::TimerGone { timer } => drop(self.timers.remove(&timer)),
            _ => {}
        }
    }

    fn issued_by(&self, attempt: u32, obligation: u64) -> Line {
        self.attempts.get(&attempt).map_or_else(|| Line::root(obligation), |line| line.child(obligation))
    }

    /// What a message with this cause asks of a group: one obligation, or one of each instance.
    pub fn shares(&self, group: GroupId, cause: Cause) -> impl Iterator<Item = u64> {
        let of = &self.model.groups[group.index()];
        let share = cause.child(of.key, u64::MAX).obligation;
        let instances = match of.member.members {
            Members::Share => 1,
            Members::EachAlone => of.member.instances,
        };
        let first = of.member.first_instance.0;
        (first..first + instances).map(move |instance| self.share(share, group, instance))
    }

    /// What a delivery asks of its group, or of one instance of it.
    fn share(&self, share: u64, group: GroupId, instance: u32) -> u64 {
        match self.model.groups[group.index()].member.members {
            Members::Share => share,
            Members::EachAlone => of_instance(share, instance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_nearest_generations() {
        let line = (1..100).fold(Line::root(0), |line, obligation| line.child(obligation));
        assert_eq!((line.obligation, line.parent()), (99, Some(98)));
        assert_eq!(line.ancestors, (75..99).collect::<Vec<u64>>());
        assert_eq!(line.child(99), line);
    }
}
