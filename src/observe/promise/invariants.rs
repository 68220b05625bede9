//! Invariants: what must hold of rows and of aggregates over rows, judged online.
//!
//! A condition is judged after each transaction that changed something which it read when it was last
//! judged, and of `for_each` only for the rows concerned: each remembers what it read.
//!
//! ```text
//! always, never   a violation is the passing from holding to not holding, dated by the commit
//! eventually      … within d: each time it does not hold, from the start or from when it ceased to, it holds again
//!                 within d, else it is violated at that instant; without `within` it holds once, before the end.
//!                 A row that is deleted claims nothing any more
//! at_end          judged when the run is over, if it came to rest
//! during          nothing is judged before and after; at its beginning everything is
//! ```
//!
//! Exposures are judgements that a change brought about, for `eventually` the times it had to come true: what
//! was there at the start and never touched has shown nothing. A condition that cannot be calculated is
//! violated; one that needs a figure of no rows is not judged.

mod claim;
mod state;

use super::formula::{Evaluator, Trouble};
use super::tables::{Source, Tables, Watched};
use crate::kernel::encoder::Encoder;
use crate::kernel::ids::TableId;
use crate::kernel::time::Nanos;
use crate::model::promise::{Formula, Invariant, InvariantKind};
use crate::model::{Code, Model, NONE};
use crate::observe::facts;
use crate::observe::findings::{Facts, Finding, Side, Sighting};
use crate::observe::slots::SlotTable;
use crate::world::deed::{Deed, RowName};
use crate::world::record::{Observer, Record};
use state::{Dependents, Subject, Subjects};
use std::collections::BTreeSet;

/// Judges all invariants of a model but those on figures of the run.
#[derive(Clone, Debug)]
pub struct Invariants<'m> {
    model: &'m Model,
    evaluator: Evaluator<'m>,
    tables: Tables<'m>,
    dependents: Dependents,
    subjects: Subjects,
    /// What must hold by when: (instant, whose).
    deadlines: BTreeSet<(Nanos, Subject)>,
    /// To be judged again when the transaction is over.
    stirred: BTreeSet<Subject>,
    changed: Vec<Source>,
    /// By invariant: whether anything it reads was ever changed, and whether its time has begun.
    has_moved: Vec<bool>,
    has_begun: Vec<bool>,
    findings: Vec<Finding>,
    /// Of each attempt.
    obligations: SlotTable<u64>,
    read: Vec<Source>,
}

/// The program of an invariant over rows; `None` for one over figures.
pub fn formula_of(invariant: &Invariant) -> Option<&Formula> {
    match &invariant.kind {
        InvariantKind::Always(formula)
        | InvariantKind::Never(formula)
        | InvariantKind::Eventually(formula, _)
        | InvariantKind::AtEnd(formula) => Some(formula),
        InvariantKind::Measure(_) => None,
    }
}

impl<'m> Invariants<'m> {
    /// `None` if there is nothing to judge.
    pub fn new(model: &'m Model) -> Option<Self> {
        let invariants = &model.promises.invariants;
        let formulas: Vec<&Formula> = invariants.iter().filter_map(formula_of).collect();
        if formulas.is_empty() {
            return None;
        }
        let rows = invariants.iter().filter_map(|invariant| invariant.for_each);
        let mut judge = Self {
            model,
            evaluator: Evaluator::new(model),
            tables: Tables::new(model, formulas, rows),
            dependents: Dependents::default(),
            subjects: Subjects::default(),
            deadlines: BTreeSet::new(),
            stirred: BTreeSet::new(),
            changed: Vec::new(),
            has_moved: vec![false; invariants.len()],
            has_begun: vec![false; invariants.len()],
            findings: vec![Finding::default(); invariants.len()],
            obligations: SlotTable::default(),
            read: Vec::new(),
        };
        judge.advance(0);
        Some(judge)
    }

    /// By position in the model's invariants, once the run is over. Those on figures are left as they began.
    pub fn findings(self) -> Vec<Finding> {
        self.findings
    }

    /// What it knows now that does not follow from the rows.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self {
            model: _,
            evaluator: _,
            // They follow from the rows.
            tables: _,
            dependents: _,
            subjects,
            // They follow from the subjects' claims.
            deadlines: _,
            stirred,
            changed: _,
            has_moved,
            has_begun,
            findings,
            // Whose an attempt is says lineage.
            obligations: _,
            read: _,
        } = self;
        subjects.encode(encoder);
        encoder.set(stirred, |encoder, subject| subject.encode(encoder));
        encoder.list(has_moved, |encoder, has_moved| encoder.flag(*has_moved));
        encoder.list(has_begun, |encoder, has_begun| encoder.flag(*has_begun));
        encoder.list(findings, facts::finding);
    }

    /// Lets time pass up to `now`: deadlines before it are missed, and what is judged from now on begins.
    fn advance(&mut self, now: Nanos) {
        while let Some(&(deadline, subject)) = self.deadlines.first().filter(|(deadline, _)| *deadline < now)
        {
            self.deadlines.pop_first();
            self.miss(subject, deadline);
        }
        for index in 0..self.has_begun.len() {
            let from = self.model.promises.invariants[index].during.map_or(0, |(from, _)| from);
            if !self.has_begun[index] && from <= now {
                self.has_begun[index] = true;
                self.begin(index as u32, from);
            }
        }
    }

    /// Judges everything that an invariant speaks of, for the first time.
    fn begin(&mut self, index: u32, from: Nanos) {
        let invariant = &self.model.promises.invariants[index as usize];
        if matches!(invariant.kind, InvariantKind::AtEnd(_) | InvariantKind::Measure(_)) {
            return;
        }
        for subject in self.all_of(index) {
            self.judge(subject, from, 0);
        }
    }

    /// Everything that an invariant speaks of.
    fn all_of(&self, invariant: u32) -> Vec<Subject> {
        match self.model.promises.invariants[invariant as usize].for_each {
            None => vec![Subject { invariant, row: 0 }],
            Some(table) => {
                self.tables.keys(table).into_iter().map(|row| Subject { invariant, row }).collect()
            }
        }
    }

    fn commit(&mut self, table: TableId, key: u64, old: Option<&[u64]>, new: Option<&[u64]>) {
        if !self.tables.reads(table) {
            return;
        }
        let Self { tables, changed, .. } = self;
        tables.change(table, key, old, new, &mut |source| changed.push(source));
        for (index, invariant) in self.model.promises.invariants.iter().enumerate() {
            if invariant.for_each == Some(table) {
                self.stirred.insert(Subject { invariant: index as u32, row: key });
                self.has_moved[index] = true;
            }
            let reads = formula_of(invariant).is_some_and(|formula| {
                let aggregates = &self.model.promises.aggregates;
                formula.tables.contains(&table)
                    || formula
                        .aggregates
                        .iter()
                        .any(|&aggregate| aggregates[aggregate as usize].table == table)
            });
            self.has_moved[index] |= reads;
        }
    }

    /// Judges what the transaction just over has changed.
    fn settle(&mut self, now: Nanos, obligation: u64) {
        let Self { changed, dependents, stirred, .. } = self;
        for source in changed.drain(..) {
            stirred.extend(dependents.of(source));
        }
        while let Some(subject) = self.stirred.pop_first() {
            self.judge(subject, now, obligation);
        }
    }

    /// What a condition comes to now, and a note of what it read.
    fn evaluate(&mut self, subject: Subject) -> Option<Result<bool, Trouble>> {
        let invariant = &self.model.promises.invariants[subject.invariant as usize];
        let formula = formula_of(invariant)?;
        self.read.clear();
        let row: Box<[u64]> = match invariant.for_each {
            None => Box::default(),
            Some(table) => self.tables.row(table, subject.row)?.into(),
        };
        let mut around = Watched { tables: &mut self.tables, read: &mut self.read };
        let result = self.evaluator.holds(formula, &row, &mut around);
        self.read.sort_unstable();
        self.read.dedup();
        Some(match invariant.kind {
            InvariantKind::Never(_) => result.map(|holds| !holds),
            _ => result,
        })
    }

    fn judge(&mut self, subject: Subject, now: Nanos, obligation: u64) {
        let invariant = &self.model.promises.invariants[subject.invariant as usize];
        let is_within = invariant.during.is_none_or(|(from, to)| from <= now && now <= to);
        let has_begun = self.has_begun[subject.invariant as usize];
        if !has_begun || !is_within || matches!(invariant.kind, InvariantKind::AtEnd(_)) {
            return;
        }
        let Some(result) = self.evaluate(subject) else { return self.forget(subject) };
        self.dependents.watch(subject, &mut self.subjects, &self.read);
        match invariant.kind {
            InvariantKind::Eventually(_, within) => self.claim(subject, result, within, now),
            _ => self.check(subject, result, now, obligation),
        }
    }

    /// `always` and `never`: counts the passing from holding to not holding.
    fn check(&mut self, subject: Subject, result: Result<bool, Trouble>, now: Nanos, obligation: u64) {
        if result == Err(Trouble::NoValue) {
            return;
        }
        if self.has_moved[subject.invariant as usize] {
            self.findings[subject.invariant as usize].exposures += 1;
        }
        let is_violated = result != Ok(true);
        if self.subjects.violate(subject, is_violated) {
            self.sight(subject, result, now, obligation);
        }
    }

    /// The row is gone: nothing is claimed of it any more.
    fn forget(&mut self, subject: Subject) {
        self.dependents.watch(subject, &mut self.subjects, &[]);
        if let Some(deadline) = self.subjects.forget(subject) {
            self.deadlines.remove(&(deadline, subject));
        }
    }

    /// One more violation.
    fn sight(&mut self, subject: Subject, result: Result<bool, Trouble>, at: Nanos, obligation: u64) {
        let index = subject.invariant as usize;
        if self.findings[index].first.is_none() {
            let (what, facts) = self.words(subject, result);
            self.findings[index].first = Some(Box::new(Sighting { at, obligation, what, facts }));
        }
        self.findings[index].count += 1;
    }

    /// What is wrong, in words of the scenario: that a condition does not hold, and that inventory.stock[17]
    /// has reserved = -2. And the rows and figures that it was read from.
    fn words(&mut self, subject: Subject, result: Result<bool, Trouble>) -> (String, Facts) {
        let model = self.model;
        let invariant = &model.promises.invariants[subject.invariant as usize];
        let mut facts = Facts::default();
        let Some(formula) = formula_of(invariant) else { return (String::new(), facts) };
        let verb = match (result, &invariant.kind) {
            (Err(_), _) => "cannot be calculated",
            (Ok(_), InvariantKind::Never(_)) => "holds",
            (Ok(_), _) => "does not hold",
        };
        let mut known = Vec::new();
        let row_of = |table: TableId, key: u64| RowName { table, key, instance: NONE };
        facts.rows.extend(invariant.for_each.map(|table| row_of(table, subject.row)));
        for source in &self.read {
            if let Source::Row(table, key) = *source {
                facts.rows.push(row_of(table, key));
            }
        }
        if let Some(table) = invariant.for_each
            && let Some(row) = self.tables.row(table, subject.row)
        {
            let read = columns(model, formula);
            let cells = model.cells(table, read, row);
            let has = if cells.is_empty() { String::new() } else { format!(" has {cells}") };
            known.push(format!("{}{has}", model.row_name(table, row)));
        }
        known.extend(self.asked_rows(subject, formula));
        for &aggregate in &formula.aggregates {
            let spec = &model.promises.aggregates[aggregate as usize];
            let asked = |source: &&Source| matches!(source, Source::Group(read, _) if *read == aggregate);
            let group = self.read.iter().find(asked).copied();
            if let Some(Source::Group(_, group)) = group
                && let Ok(word) = self.tables.figure(aggregate, group)
            {
                let value = if spec.gives_float {
                    f64::from_bits(word).to_string()
                } else {
                    (word as i64).to_string()
                };
                known.push(format!("{} = {value}", spec.written));
                facts.sides.push(Side { of: spec.written.clone(), is: value, should_be: None });
            }
        }
        (format!("`{}` {verb}: {}", invariant.written, known.join(", ")), facts)
    }

    /// The rows that a condition asks for by their keys, with the columns that it reads of them.
    fn asked_rows(&self, subject: Subject, formula: &Formula) -> Vec<String> {
        let model = self.model;
        let own = model.promises.invariants[subject.invariant as usize].for_each;
        let code = &model.instructions[formula.code.indices()];
        let mut told = Vec::new();
        for source in &self.read {
            let Source::Row(table, key) = *source else { continue };
            let read: BTreeSet<usize> = code
                .iter()
                .filter_map(|code| match *code {
                    Code::Column { table: asked, column, .. } if asked == table => Some(column as usize),
                    _ => None,
                })
                .collect();
            let is_asked = |code: &Code| matches!(*code, Code::Exists { table: asked, .. } | Code::Column { table: asked, .. } if asked == table);
            if own == Some(table) && key == subject.row || !code.iter().any(is_asked) {
                continue;
            }
            let Some(row) = self.tables.row(table, key) else {
                told.push(format!(
                    "the row of {} that it asks for is absent",
                    model.tables[table.index()].name
                ));
                continue;
            };
            let cells = model.cells(table, read, row);
            let has = if cells.is_empty() { " exists".into() } else { format!(" has {cells}") };
            told.push(format!("{}{has}", model.row_name(table, row)));
        }
        told
    }

    /// The run is over.
    fn end(&mut self, now: Nanos, quiet: bool) {
        self.settle(now, 0);
        self.end_claims(now, quiet);
        for index in 0..self.findings.len() {
            if !matches!(self.model.promises.invariants[index].kind, InvariantKind::AtEnd(_)) {
                continue;
            }
            for subject in self.all_of(index as u32) {
                match self.evaluate(subject) {
                    _ if !quiet => self.findings[index].unsettled += 1,
                    None | Some(Err(Trouble::NoValue)) => {}
                    Some(result) => {
                        self.findings[index].exposures += u64::from(self.has_moved[index]);
                        if result != Ok(true) {
                            self.sight(subject, result, now, 0);
                        }
                    }
                }
            }
        }
    }
}

/// The columns of the row in hand that a formula reads, each once.
fn columns(model: &Model, formula: &Formula) -> BTreeSet<usize> {
    let code = &model.instructions[formula.code.indices()];
    let read = code.iter().filter_map(|code| match code {
        Code::Row(column) => Some(*column as usize),
        _ => None,
    });
    read.collect()
}

impl Observer for Invariants<'_> {
    fn record(&mut self, now: Nanos, record: &Record) {
        self.advance(now);
        if let Record::End { quiet } = *record {
            self.end(now, quiet);
        }
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.advance(now);
        match *deed {
            Deed::AttemptBegun { attempt, cause, .. } => {
                *self.obligations.begin(attempt) = cause.obligation;
            }
            Deed::Committed { attempt, row, old, new, .. } => {
                self.commit(row.table, row.key, old, new);
                if attempt == NONE {
                    self.settle(now, 0);
                }
            }
            Deed::TransactionEnded { attempt, committed: true } => {
                let obligation = self.obligations.get(attempt).copied().unwrap_or(0);
                self.settle(now, obligation);
            }
            _ => {}
        }
    }
}
