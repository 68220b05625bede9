//! What is remembered of each thing that an invariant speaks of, and who read what.

use super::super::tables::Source;
use crate::kernel::encoder::{Encoder, Ranks};
use crate::kernel::time::Nanos;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// What an invariant speaks of: a row by the hash of its key, 0 without `for_each`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    pub invariant: u32,
    pub row: u64,
}

impl Subject {
    pub fn encode(self, encoder: &mut Encoder) {
        let Self { invariant, row } = self;
        encoder.word(u64::from(invariant));
        encoder.word(row);
    }
}

/// What is remembered; of a subject that is as it began, nothing.
#[derive(Clone, Debug, Default)]
struct State {
    reads: Vec<Source>,
    is_violated: bool,
    /// Since when it has not held, and by when it must; `None`: by the end.
    claim: Option<(Nanos, Option<Nanos>)>,
    has_held: bool,
}

impl State {
    fn is_nothing(&self) -> bool {
        self.reads.is_empty() && !self.is_violated && self.claim.is_none() && !self.has_held
    }
}

#[derive(Clone, Debug, Default)]
pub struct Subjects {
    states: FxHashMap<Subject, State>,
}

impl Subjects {
    fn change<T>(&mut self, subject: Subject, change: impl FnOnce(&mut State) -> T) -> T {
        let state = self.states.entry(subject).or_default();
        let result = change(state);
        if state.is_nothing() {
            self.states.remove(&subject);
        }
        result
    }

    /// Whether it is violated now; tells whether it was not before.
    pub fn violate(&mut self, subject: Subject, is_violated: bool) -> bool {
        if !is_violated && !self.states.contains_key(&subject) {
            return false;
        }
        self.change(subject, |state| !std::mem::replace(&mut state.is_violated, is_violated) && is_violated)
    }

    /// Forgets a subject; gives the deadline that it had.
    pub fn forget(&mut self, subject: Subject) -> Option<Nanos> {
        self.states.remove(&subject)?.claim?.1
    }

    /// It holds: its claim is met. Gives the deadline it had, and whether it had held or claimed before.
    pub fn meet(&mut self, subject: Subject) -> (Option<Nanos>, bool) {
        self.change(subject, |state| {
            let claim = state.claim.take();
            let is_known = claim.is_some() | std::mem::replace(&mut state.has_held, true);
            (claim.and_then(|(_, deadline)| deadline), is_known)
        })
    }

    pub fn has_claim(&self, subject: Subject) -> bool {
        self.states.get(&subject).is_some_and(|state| state.claim.is_some())
    }

    pub fn has_held(&self, subject: Subject) -> bool {
        self.states.get(&subject).is_some_and(|state| state.has_held)
    }

    pub fn claim(&mut self, subject: Subject, since: Nanos, deadline: Option<Nanos>) {
        self.change(subject, |state| state.claim = Some((since, deadline)));
    }

    /// What is remembered of each. By when a claim must be met counts by the order of those times; what was read
    /// follows from the rows.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self { states } = self;
        let ranks = Ranks::of(states.values().filter_map(|state| state.claim?.1));
        encoder.set(states, |encoder, (subject, State { reads: _, is_violated, claim, has_held })| {
            subject.encode(encoder);
            encoder.flags(&[*is_violated, *has_held]);
            encoder.list(claim, |encoder, (_, deadline)| {
                encoder.option(deadline.map(|deadline| ranks.rank(deadline)));
            });
        });
    }

    /// The subjects that still claim something, in order, with their deadlines.
    pub fn claims(&self) -> Vec<(Subject, Option<Nanos>)> {
        let claim = |(subject, state): (&Subject, &State)| Some((*subject, state.claim?.1));
        let mut claims: Vec<_> = self.states.iter().filter_map(claim).collect();
        claims.sort_unstable();
        claims
    }
}

/// Who read what when it was last judged.
#[derive(Clone, Debug, Default)]
pub struct Dependents {
    by_source: BTreeSet<(Source, Subject)>,
}

impl Dependents {
    /// Who read this.
    pub fn of(&self, source: Source) -> impl Iterator<Item = Subject> + '_ {
        let least = Subject { invariant: 0, row: 0 };
        let greatest = Subject { invariant: u32::MAX, row: u64::MAX };
        self.by_source.range((source, least)..=(source, greatest)).map(|(_, subject)| *subject)
    }

    /// From now on a subject depends on just these.
    pub fn watch(&mut self, subject: Subject, subjects: &mut Subjects, reads: &[Source]) {
        if reads.is_empty() && !subjects.states.contains_key(&subject) {
            return;
        }
        subjects.change(subject, |state| {
            if state.reads == reads {
                return;
            }
            for source in &state.reads {
                self.by_source.remove(&(*source, subject));
            }
            self.by_source.extend(reads.iter().map(|source| (*source, subject)));
            state.reads = reads.to_vec();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;

    #[test]
    fn what_is_remembered_of_a_subject_shows() {
        const ONE: Subject = Subject { invariant: 1, row: 2 };
        const OTHER: Subject = Subject { invariant: 1, row: 3 };
        let mut of = Subjects::default();
        of.claim(OTHER, 0, Some(10));
        each_shows(
            &of,
            |of, encoder| of.encode(encoder),
            &[
                |of| _ = of.violate(ONE, true),
                |of| _ = of.violate(Subject { invariant: 2, ..ONE }, true),
                |of| _ = of.violate(Subject { row: 4, ..ONE }, true),
                |of| _ = of.meet(ONE),
                |of| of.claim(ONE, 0, None),
                |of| of.claim(ONE, 0, Some(10)),
                |of| of.claim(ONE, 0, Some(20)),
                |of| of.claim(ONE, 0, Some(5)),
            ],
        );
        let words = |of: &Subjects| {
            let mut encoder = Encoder::default();
            of.encode(&mut encoder);
            encoder.into_words()
        };
        let as_it_was = words(&of);
        assert!(of.violate(ONE, true) && !of.violate(ONE, true));
        assert!(!of.violate(ONE, false));
        assert_eq!(words(&of), as_it_was, "of a subject that is as it began nothing is remembered");
    }
}
