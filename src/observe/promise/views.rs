//! Views that follow a source: how far behind they are, for how long they are wrong, and whether they end as
//! they should.
//!
//! A view's row of a key *agrees* if it shows what the source's rows of that key make of it. A *change* is a
//! commit that alters what should be shown. Old values are kept with their times until the view has
//! caught up with them, so that a hot key that is always a little behind is just that:
//!
//! ```text
//! source   5 ──► 6 ──► 7 ──► 8          changes of the sum that should be shown
//! view        5 ────► 6 ────► 7         each followed, one after another, 50 ms later
//! ```
//!
//! - *lag*: from a change until the view shows that value or a newer one. A view that shows it before anything
//!   of the change has come to it does so by chance, A → B → A: then until the view is written for the intent or
//!   tick that made the change, or nothing carries that any more (`errands`)
//! - *window*: from disagreement to agreement
//! - *convergence*: from the last change of a key until it agrees for good
//!
//! A change is late if the view has not followed `within`; it is dated by the instant at which that time is
//! over. At rest, what is still missing never comes, and a row that disagrees although no change is missing
//! (an effect twice, say) is counted once. Absent is a value: a view may lack the row of a key that no row of
//! the source has, or show there what aggregates are of no rows. A column that is no aggregate shows the row
//! of the key that was changed last.

mod ending;
mod errands;
mod group;
mod key;

use super::formula::{Evaluator, hash_of};
use crate::kernel::encoder::Encoder;
use crate::kernel::ids::TableId;
use crate::kernel::time::Nanos;
use crate::model::promise::Convergence;
use crate::model::{Model, NONE, Word};
use crate::observe::facts;
use crate::observe::findings::Finding;
use crate::observe::slots::SlotTable;
use crate::stats::histogram::Histogram;
use crate::stats::series::{Buckets, LevelSeries};
use crate::world::deed::{Deed, Write};
use crate::world::identity::mix;
use crate::world::record::{Observer, Record};
use errands::{Errands, NO_ERRAND};
use group::{Expected, Groups};
use key::{Change, Key};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What was seen of one view in one replication.
#[derive(Clone, Debug, Default)]
pub struct ViewFindings {
    /// Counted: changes not followed in time, and rows wrong at the end without a change missing; `of` all
    /// changes, each of which is an exposure.
    pub finding: Finding,
    /// In nanoseconds: of each change that was followed.
    pub lag: Histogram,
    /// Of each change that was not followed: how old it was when the run was over.
    pub never_shown: Histogram,
    /// Of each time that a row was wrong; one that is not over lasts to the end of the run.
    pub window: Histogram,
    /// Of each key that changed and agrees at the end.
    pub convergence: Histogram,
    /// Keys that do not agree at the end.
    pub disagreeing: u64,
    /// Keys that are wrong, over time up to the horizon.
    pub wrong_keys: Option<LevelSeries>,
}

/// Stretches of a run.
const MOST_BUCKETS: usize = 120;

/// Watches the views of all `convergence` guarantees.
#[derive(Clone, Debug)]
pub struct Views<'m> {
    evaluator: Evaluator<'m>,
    views: Vec<View<'m>>,
    faults: u32,
    /// Of each attempt.
    obligations: SlotTable<u64>,
    errands: Errands,
}

#[derive(Clone, Debug)]
struct View<'m> {
    spec: &'m Convergence,
    groups: Groups<'m>,
    keys: FxHashMap<u64, Key>,
    /// By key and value: the newest change that should show that value.
    newest: FxHashMap<u64, u64>,
    /// Changes by when they are late: (instant, key, number).
    due: VecDeque<(Nanos, u64, u64)>,
    changes: u64,
    stirred: BTreeSet<u64>,
    /// Keys with a change that may be shown by chance, by its errand.
    by_chance: BTreeMap<u64, BTreeSet<u64>>,
    /// Keys that are wrong now.
    wrong: u64,
    found: ViewFindings,
}

/// When something happened, and on whose account.
#[derive(Clone, Copy)]
struct Moment {
    now: Nanos,
    obligation: u64,
    errand: u64,
    is_under_fault: bool,
}

impl<'m> Views<'m> {
    /// `None` if no view is to be watched.
    pub fn new(model: &'m Model) -> Option<Self> {
        if model.promises.convergence.is_empty() {
            return None;
        }
        let mut evaluator = Evaluator::new(model);
        let views = model.promises.convergence.iter().map(|spec| View::new(spec, &mut evaluator)).collect();
        let (obligations, errands) = (SlotTable::default(), Errands::default());
        Some(Self { evaluator, views, faults: 0, obligations, errands })
    }

    /// What it knows now; how far behind views are is measured, and no part of it.
    pub fn encode(&self, encoder: &mut Encoder) {
        // Whose an attempt is says lineage.
        let Self { evaluator: _, views, faults, obligations: _, errands } = self;
        encoder.word(u64::from(*faults));
        encoder.list(views, |encoder, view| view.encode(encoder));
        errands.encode(encoder);
    }

    /// By position in the model's `convergence`, once the run is over.
    pub fn findings(self) -> Vec<ViewFindings> {
        self.views.into_iter().map(|view| view.found).collect()
    }

    fn settle(&mut self, now: Nanos, obligation: u64, errand: u64) {
        let moment = Moment { now, obligation, errand, is_under_fault: self.faults > 0 };
        for view in &mut self.views {
            while let Some(key) = view.stirred.pop_first() {
                view.compare(key, moment, &mut self.evaluator, &mut self.errands);
            }
        }
    }

    /// Nothing carries an errand any more: what is shown of it is not shown by chance.
    fn errand_over(&mut self, now: Nanos, errand: u64) {
        for view in &mut self.views {
            for key in view.by_chance.remove(&errand).unwrap_or_default() {
                view.confirm(key, errand);
                view.follow(key, now);
            }
        }
    }
}

impl<'m> View<'m> {
    fn new(spec: &'m Convergence, evaluator: &mut Evaluator<'m>) -> Self {
        let model = evaluator.model;
        let buckets = Buckets::new(model.run.horizon, MOST_BUCKETS);
        let mut view = Self {
            spec,
            groups: Groups::new(spec, evaluator),
            keys: FxHashMap::default(),
            newest: FxHashMap::default(),
            due: VecDeque::new(),
            changes: 0,
            stirred: BTreeSet::new(),
            by_chance: BTreeMap::new(),
            wrong: 0,
            found: ViewFindings { wrong_keys: Some(LevelSeries::new(buckets)), ..ViewFindings::default() },
        };
        view.found.finding.under_fault = (!model.faults.is_empty()).then_some(0);
        for table in [spec.of, spec.view] {
            let of = &model.tables[table.index()];
            for row in &of.rows {
                let key = hash_of(of.key.iter().map(|&column| row[column as usize]));
                view.commit(table, key, None, Some(row), NO_ERRAND, evaluator);
            }
        }
        let start = Moment { now: 0, obligation: 0, errand: NO_ERRAND, is_under_fault: false };
        while let Some(key) = view.stirred.pop_first() {
            view.begin(key, evaluator);
            view.compare(key, start, evaluator, &mut Errands::default());
        }
        view
    }

    fn encode(&self, encoder: &mut Encoder) {
        let Self {
            spec: _,
            groups,
            keys,
            // They follow from the changes that the keys have not followed.
            newest: _,
            due: _,
            by_chance: _,
            wrong: _,
            changes: _,
            stirred,
            found,
        } = self;
        encoder.set(keys, |encoder, (key, of)| {
            encoder.word(*key);
            of.encode(encoder);
        });
        groups.encode(encoder);
        encoder.set(stirred, |encoder, key| encoder.word(*key));
        facts::finding(encoder, &found.finding);
        encoder.flag(found.disagreeing > 0);
    }

    /// What should be shown at the start is no change, if it is shown.
    fn begin(&mut self, key: u64, evaluator: &mut Evaluator<'m>) {
        let expected = self.groups.expected(key, evaluator);
        if let Some(of) = self.keys.get_mut(&key)
            && expected.agrees(of.shown)
        {
            of.expected = expected.signatures();
        }
    }

    fn commit(
        &mut self,
        table: TableId,
        row: u64,
        old: Option<&[Word]>,
        new: Option<&[Word]>,
        errand: u64,
        evaluator: &mut Evaluator<'m>,
    ) {
        if table == self.spec.of {
            for (key, words) in self.groups.change(row, old, new, evaluator) {
                self.key(key, &words);
                self.stirred.insert(key);
            }
        }
        if table == self.spec.view {
            let Some(words) = new.or(old) else { return };
            let columns = &evaluator.model.tables[table.index()].key;
            let words: Vec<Word> = columns.iter().map(|&column| words[column as usize]).collect();
            let shown: Option<Box<[Word]>> =
                new.map(|new| self.spec.columns.iter().map(|column| new[column.column as usize]).collect());
            let of = self.key(row, &words);
            of.shown = Expected::shown(shown.as_deref());
            of.shows = shown;
            of.served_by = errand;
            self.stirred.insert(row);
        }
    }

    /// An attempt found that there was nothing to write.
    fn left(&mut self, table: TableId, row: u64, errand: u64, now: Nanos) {
        if table == self.spec.view
            && let Some(of) = self.keys.get_mut(&row)
        {
            of.served_by = errand;
            if !self.by_chance.is_empty() {
                self.confirm(row, errand);
                self.follow(row, now);
            }
        }
    }

    fn key(&mut self, key: u64, words: &[Word]) -> &mut Key {
        let nothing = self.groups.nothing;
        self.keys.entry(key).or_insert_with(|| Key::new(words, nothing))
    }

    /// Holds a row of the view against what it should show.
    fn compare(&mut self, key: u64, moment: Moment, evaluator: &mut Evaluator<'m>, errands: &mut Errands) {
        let expected = self.groups.expected(key, evaluator);
        let signatures = expected.signatures();
        let of = self.keys.get_mut(&key).expect("a key is known before it is stirred");
        let agrees = expected.agrees(of.shown);
        let is_change = of.expected != signatures;
        let served_by = of.served_by;
        if is_change {
            of.expected = signatures;
            let is_chance = agrees && served_by != moment.errand && errands.ask(moment.errand);
            self.changed(key, moment, is_chance);
        }
        if !self.by_chance.is_empty() {
            self.confirm(key, served_by);
        }
        self.follow(key, moment.now);
        let of = self.keys.get_mut(&key).expect("it is known");
        match (agrees, of.wrong_since) {
            (false, None) => {
                of.wrong_since = Some(moment.now);
                self.wrong += 1;
                self.draw_wrong(moment.now);
            }
            (true, Some(since)) => {
                of.wrong_since = None;
                of.right_since = moment.now;
                self.found.window.record(moment.now - since);
                self.wrong -= 1;
                self.draw_wrong(moment.now);
            }
            (true, None) if is_change => of.right_since = moment.now,
            _ => {}
        }
    }

    fn draw_wrong(&mut self, now: Nanos) {
        let wrong = self.wrong;
        self.found.wrong_keys.iter_mut().for_each(|series| series.set(now, wrong));
    }

    /// Something else is to be shown.
    fn changed(&mut self, key: u64, moment: Moment, is_chance: bool) {
        self.changes += 1;
        let number = self.changes;
        let of = self.keys.get_mut(&key).expect("it is known");
        self.found.finding.of += 1;
        self.found.finding.exposures += 1;
        if let Some(changes) = &mut self.found.finding.under_fault {
            *changes += u64::from(moment.is_under_fault);
        }
        of.has_changed = true;
        of.last_change = moment.now;
        let change = Change {
            number,
            at: moment.now,
            changes: 1,
            signatures: of.expected,
            is_late: false,
            obligation: moment.obligation,
            errand: moment.errand,
            is_chance,
        };
        of.add(change);
        if is_chance {
            self.by_chance.entry(moment.errand).or_default().insert(key);
        } else {
            self.expect(key, &change);
        }
        self.due.push_back((moment.now.saturating_add(self.spec.within), key, number));
    }

    /// From now on the view follows a change by showing its value.
    fn expect(&mut self, key: u64, change: &Change) {
        for signature in change.signatures.into_iter().flatten() {
            let newest = self.newest.entry(mix(key, signature)).or_insert(change.number);
            *newest = change.number.max(*newest);
        }
    }

    /// The view was served for an errand: what it shows of that it does not show by chance.
    fn confirm(&mut self, key: u64, errand: u64) {
        let confirmed = self.keys.get_mut(&key).map(|of| of.confirm(errand)).unwrap_or_default();
        confirmed.iter().for_each(|change| self.expect(key, change));
    }

    /// Finds the newest change that the view shows; that and all before it are followed.
    fn follow(&mut self, key: u64, now: Nanos) {
        let of = self.keys.get_mut(&key).expect("it is known");
        let Some(&shown) = self.newest.get(&mix(key, of.shown)) else { return };
        while let Some(change) = of.take_up_to(shown) {
            for _ in 0..change.changes {
                self.found.lag.record(now - change.at);
            }
            for signature in change.signatures.into_iter().flatten() {
                let name = mix(key, signature);
                if self.newest.get(&name) == Some(&change.number) {
                    self.newest.remove(&name);
                }
            }
        }
    }

    /// Lets time pass: changes that are not followed by now are late.
    fn advance(&mut self, now: Nanos, evaluator: &mut Evaluator<'m>) {
        while let Some(&(at, key, number)) = self.due.front().filter(|(at, ..)| *at < now) {
            self.due.pop_front();
            let Some(of) = self.keys.get_mut(&key) else { continue };
            let Some(change) = of.find(number) else { continue };
            change.is_late = true;
            let change = *change;
            self.count(change.changes, (key, change.at), (at, change.obligation), evaluator);
        }
    }
}

impl Observer for Views<'_> {
    fn record(&mut self, now: Nanos, record: &Record) {
        self.views.iter_mut().for_each(|view| view.advance(now, &mut self.evaluator));
        match *record {
            Record::FaultBegan { touched: 1.., .. } => {
                self.faults += 1;
                for View { found, wrong, .. } in &mut self.views {
                    found.finding.under_fault = found.finding.under_fault.map(|changes| changes + *wrong);
                }
            }
            Record::FaultEnded { .. } => self.faults = self.faults.saturating_sub(1),
            Record::End { quiet } => {
                self.settle(now, 0, NO_ERRAND);
                self.views.iter_mut().for_each(|view| view.end(now, quiet, &mut self.evaluator));
            }
            _ => {}
        }
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.views.iter_mut().for_each(|view| view.advance(now, &mut self.evaluator));
        let over = self.errands.deed(deed);
        match *deed {
            Deed::AttemptBegun { attempt, cause, .. } => {
                *self.obligations.begin(attempt) = cause.obligation;
            }
            Deed::Wrote { attempt, row, write: Write::Nothing, .. } => {
                let errand = self.errands.of_attempt(attempt);
                self.views.iter_mut().for_each(|view| view.left(row.table, row.key, errand, now));
            }
            Deed::Committed { attempt, row, old, new, .. } => {
                let errand = self.errands.of_attempt(attempt);
                for view in &mut self.views {
                    view.commit(row.table, row.key, old, new, errand, &mut self.evaluator);
                }
                if attempt == NONE {
                    self.settle(now, 0, NO_ERRAND);
                }
            }
            Deed::TransactionEnded { attempt, committed: true } => {
                let obligation = self.obligations.get(attempt).copied().unwrap_or(0);
                self.settle(now, obligation, self.errands.of_attempt(attempt));
            }
            _ => {}
        }
        if let Some(errand) = over {
            self.errand_over(now, errand);
        }
    }
}
