//! `eventually`: what does not hold yet and must.

use super::super::formula::Trouble;
use super::Invariants;
use super::state::Subject;
use crate::kernel::time::Nanos;

impl Invariants<'_> {
    pub(super) fn claim(
        &mut self,
        subject: Subject,
        result: Result<bool, Trouble>,
        within: Option<Nanos>,
        now: Nanos,
    ) {
        let index = subject.invariant as usize;
        match result {
            Err(Trouble::NoValue) => {}
            Ok(true) => {
                let (deadline, is_known) = self.subjects.meet(subject);
                if let Some(deadline) = deadline {
                    self.deadlines.remove(&(deadline, subject));
                }
                // A row that came into being as it should is an exposure too.
                if !is_known && self.has_moved[index] {
                    self.findings[index].exposures += 1;
                }
            }
            _ if self.subjects.has_claim(subject) => {}
            _ if within.is_none() && self.subjects.has_held(subject) => {}
            _ => {
                let last = self.model.promises.invariants[index].during.map(|(_, to)| to);
                let deadline = match within {
                    None => last,
                    Some(within) => Some(now.saturating_add(within)),
                };
                if deadline.zip(last).is_some_and(|(deadline, last)| deadline > last) {
                    return;
                }
                self.findings[index].exposures += 1;
                self.subjects.claim(subject, now, deadline);
                self.deadlines.extend(deadline.map(|deadline| (deadline, subject)));
            }
        }
    }

    /// A deadline has passed. The claim stands, so that it is counted once for each time it ceased to hold.
    pub(super) fn miss(&mut self, subject: Subject, deadline: Nanos) {
        self.subjects.claim(subject, deadline, None);
        self.violated(subject, deadline);
    }

    /// The run is over: at rest, nothing will come true any more.
    pub(super) fn end_claims(&mut self, now: Nanos, quiet: bool) {
        for (subject, deadline) in self.subjects.claims() {
            let within = self.within(subject);
            match deadline {
                // It was missed, and counted then.
                None if within => {}
                _ if quiet => self.violated(subject, now),
                _ => self.findings[subject.invariant as usize].unsettled += 1,
            }
        }
    }

    /// Whether an invariant gives its claims a time.
    fn within(&self, subject: Subject) -> bool {
        let invariant = &self.model.promises.invariants[subject.invariant as usize];
        let has_time = matches!(invariant.kind, crate::model::promise::InvariantKind::Eventually(_, Some(_)));
        has_time || invariant.during.is_some()
    }

    fn violated(&mut self, subject: Subject, at: Nanos) {
        let result = self.evaluate(subject).unwrap_or(Ok(false));
        self.sight(subject, result, at, 0);
    }
}
