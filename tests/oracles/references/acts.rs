//! What the measures of messages and answers say, from everything that was done.

use super::orders::{Design, Step};
use super::{Done, Trace};
use eventflow::kernel::anomaly::Anomaly::{self, *};
use eventflow::world::deed::{Served, Way};
use eventflow::world::record::Outcome;
use eventflow::world::store::INITIAL_WRITER;
use std::collections::{BTreeMap, BTreeSet};

/// How often each of `JUDGED`.
#[derive(Debug, PartialEq)]
pub struct Counts(pub [u64; 7]);

impl Counts {
    pub const JUDGED: [Anomaly; 7] = [
        DuplicateMessages,
        DivergentCopies,
        Premature,
        PhantomEffects,
        Swallowed,
        AcknowledgedLoss,
        UnacknowledgedEffect,
    ];
}

/// A run of a design, looked at from behind.
pub struct Acts<'t> {
    trace: &'t Trace<'t>,
    design: &'t Design,
    /// By attempt: where among the deeds it committed, in order.
    commits: Vec<Vec<usize>>,
    /// Messages whose outbox row was rolled back.
    taken_back: BTreeSet<usize>,
    /// By message obligation: the contents of the copies that were taken in.
    taken: BTreeMap<u64, Vec<u64>>,
}

impl<'t> Acts<'t> {
    pub fn new(trace: &'t Trace<'t>, design: &'t Design) -> Self {
        let mut acts = Self {
            trace,
            design,
            commits: vec![Vec::new(); trace.attempts.len()],
            taken_back: BTreeSet::new(),
            taken: BTreeMap::new(),
        };
        let mut written: Vec<bool> = vec![false; trace.attempts.len()];
        for (place, &(_, done)) in trace.deeds.iter().enumerate() {
            match done {
                Done::Committed { attempt: Some(attempt), is_effect, .. } => written[attempt] |= is_effect,
                Done::TransactionEnded { attempt, committed } => {
                    let has_written = committed && std::mem::take(&mut written[attempt]);
                    acts.commits[attempt].extend(has_written.then_some(place));
                }
                Done::Taken { message } => {
                    let of = &trace.messages[message];
                    acts.taken.entry(of.obligation).or_default().push(of.content);
                }
                _ => {}
            }
        }
        for (number, message) in trace.messages.iter().enumerate() {
            let is_committed = acts.commits_of_transaction(message.attempt);
            if message.way == Way::Outbox && !is_committed {
                acts.taken_back.insert(number);
            }
        }
        acts
    }

    pub fn counts(&self) -> Counts {
        let copies = self.taken.values();
        let differ = |copies: &&Vec<u64>| copies.iter().any(|content| *content != copies[0]);
        Counts([
            copies.clone().map(|copies| copies.len() as u64 - 1).sum(),
            copies.filter(differ).count() as u64,
            self.premature(),
            self.phantoms(),
            self.swallowed(),
            self.told(Outcome::Well, |did, _| did.is_empty()),
            self.told_no(),
        ])
    }

    /// Whether the attempt's transaction was committed. What holds rows commits them; a transaction of
    /// messages alone ends as its attempt goes on.
    fn commits_of_transaction(&self, attempt: usize) -> bool {
        self.trace.deeds.iter().any(|(_, done)| {
            matches!(*done, Done::TransactionEnded { attempt: of, committed: true } if of == attempt)
        }) && self.design.transaction.is_some()
            && self.ends_of(attempt) > self.singles_before_transaction()
    }

    /// How many commits an attempt has behind it, those of marks included.
    fn ends_of(&self, attempt: usize) -> usize {
        let is_own = |done: &Done| matches!(*done, Done::TransactionEnded { attempt: of, committed: true } if of == attempt);
        self.trace.deeds.iter().filter(|(_, done)| is_own(done)).count()
    }

    /// How many commits come before the transaction's.
    fn singles_before_transaction(&self) -> usize {
        let (first, _) = self.design.transaction.expect("asked for where there is one");
        let rows = self.design.steps[..first].iter().filter(|step| **step == Step::Row).count();
        rows + usize::from(self.design.has_guard())
    }

    /// The step of `Place` at which a message was issued.
    fn step_of(&self, message: usize) -> Option<usize> {
        let site = self.trace.site(self.trace.messages[message].site);
        site.rsplit(['/', '.', ':', ' ']).next()?.strip_prefix('s')?.parse().ok()
    }

    /// Whether the issuer of a message had row changes to commit at a place of the history, dead or alive: those behind it
    /// in the text, and those of its transaction.
    fn has_changes_to_come(&self, message: usize, at: usize) -> bool {
        let Some(step) = self.step_of(message) else { return false };
        if self.trace.messages[message].way == Way::Outbox {
            return false;
        }
        let commits = self.design.commits();
        let done =
            self.commits[self.trace.messages[message].attempt].iter().filter(|&&then| then <= at).count();
        let left = commits.iter().filter(|commit| !commit.is_empty()).skip(done);
        let left = left.flatten();
        // What is given up ends it: nothing behind that would ever have come.
        let end = self.design.transaction.filter(|_| self.design.aborts).map_or(usize::MAX, |(_, last)| last);
        let mut left = left.filter(|row| **row <= end);
        left.any(|&row| row > step || self.design.is_inside(row) && self.design.is_inside(step))
    }

    /// Attempts begun on a message while one who issued a copy of it was alive and had changes to commit.
    fn premature(&self) -> u64 {
        let begun = self.trace.attempts.iter().filter(|attempt| {
            let Some(message) = attempt.message else { return false };
            let obligation = self.trace.messages[message].obligation;
            self.copies(obligation).any(|copy| {
                let of = &self.trace.messages[copy];
                let issuer = &self.trace.attempts[of.attempt];
                let is_alive =
                    of.issued <= attempt.begun && issuer.ended.is_none_or(|(end, _)| end > attempt.begun);
                is_alive && of.way != Way::Call && self.has_changes_to_come(copy, attempt.begun)
            })
        });
        begun.count() as u64
    }

    /// Messages acted on, a copy of which was issued by one who ended with changes to commit, which no
    /// other attempt has made since.
    fn phantoms(&self) -> u64 {
        let acted_on: BTreeSet<u64> = self
            .trace
            .attempts
            .iter()
            .filter_map(|attempt| Some(self.trace.messages[attempt.message?].obligation))
            .collect();
        let is_phantom = |obligation: &&u64| {
            let orphaned = self.copies(**obligation).filter_map(|copy| {
                let of = &self.trace.messages[copy];
                let (ended, _) = self.trace.attempts[of.attempt].ended?;
                (of.way != Way::Call && self.has_changes_to_come(copy, usize::MAX))
                    .then_some((of.attempt, ended))
            });
            let Some((issuer, ended)) = orphaned.max_by_key(|(_, ended)| *ended) else { return false };
            let issuer = self.trace.attempts[issuer].obligation;
            let mut later = self.trace.attempts_of(issuer).flat_map(|attempt| &self.commits[attempt]);
            !later.any(|&commit| commit > ended)
        };
        acted_on.iter().filter(is_phantom).count() as u64
    }

    fn copies(&self, obligation: u64) -> impl Iterator<Item = usize> {
        (0..self.trace.messages.len()).filter(move |&copy| self.trace.messages[copy].obligation == obligation)
    }

    /// Obligations without any effect, of which the last thing seen before a good end was another's mark.
    fn swallowed(&self) -> u64 {
        let owing = |attempt: &&super::Attempt| !matches!(attempt.served, Served::Intent { .. });
        let obligations: BTreeSet<u64> =
            self.trace.attempts.iter().filter(owing).map(|attempt| attempt.obligation).collect();
        let is_swallowed = |obligation: &&u64| {
            self.did(**obligation).is_empty()
                && self.trace.attempts_of(**obligation).any(|attempt| self.ended_at_anothers_mark(attempt))
        };
        obligations.iter().filter(is_swallowed).count() as u64
    }

    fn ended_at_anothers_mark(&self, attempt: usize) -> bool {
        let of = &self.trace.attempts[attempt];
        let mut own = self.trace.deeds.iter().filter_map(|(_, done)| match *done {
            Done::Read { attempt: by, row, version, .. } if by == attempt => Some((row, version)),
            Done::Wrote { attempt: by, row, seen, .. } if by == attempt => Some((row, seen)),
            _ => None,
        });
        let Some((row, seen)) = own.next_back() else { return false };
        let is_mark = matches!(self.trace.table(row), "stock.handled" | "orders.marks");
        let anothers = seen.exists && seen.writer != of.obligation && seen.writer != INITIAL_WRITER;
        is_mark && anothers && of.ended.is_some_and(|(_, outcome)| outcome == Outcome::Well)
    }

    /// What an obligation left behind: the names of its steps.
    fn did(&self, obligation: u64) -> BTreeSet<usize> {
        let mut did = BTreeSet::new();
        for attempt in self.trace.attempts_of(obligation) {
            let is_place = self.trace.attempts[attempt].handler.ends_with("Place");
            if is_place {
                let commits = self.design.commits();
                let commits = commits.iter().filter(|commit| !commit.is_empty());
                did.extend(commits.take(self.commits[attempt].len()).flatten());
                let issued = (0..self.trace.messages.len()).filter(|message| {
                    self.trace.messages[*message].attempt == attempt && !self.taken_back.contains(message)
                });
                did.extend(issued.filter_map(|message| self.step_of(message)));
            } else {
                did.extend((!self.commits[attempt].is_empty()).then_some(0));
            }
        }
        did
    }

    /// Calls of clients whose last answer was this one, and what they did was so.
    fn told(&self, answer: Outcome, is_so: impl Fn(&BTreeSet<usize>, &[usize]) -> bool) -> u64 {
        let whole = self.design.whole();
        let calls = self.last_told();
        let wanted = calls.iter().filter(|(obligation, told)| {
            let begun = self.trace.attempts_of(**obligation).next().is_some();
            let is_same = (**told == Outcome::Well) == (answer == Outcome::Well);
            begun && is_same && is_so(&self.did(**obligation), &whole)
        });
        wanted.count() as u64
    }

    fn told_no(&self) -> u64 {
        let no = Outcome::Error(eventflow::model::Error::Timeout);
        self.told(no, |did, whole| !did.is_empty() && whole.iter().all(|step| did.contains(step)))
    }

    fn last_told(&self) -> BTreeMap<u64, Outcome> {
        let mut last = BTreeMap::new();
        for (_, done) in &self.trace.deeds {
            if let Done::Told { attempt, obligation, outcome } = *done
                && matches!(self.trace.attempts[attempt].served, Served::Intent { .. })
            {
                last.insert(obligation, outcome);
            }
        }
        last
    }
}
