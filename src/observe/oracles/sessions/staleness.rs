//! Staleness of reads: what was committed before a read began and was not seen by it.
//!
//! A read of a row itself is stale where its transaction's snapshot is older than the read. A read of a copy, in
//! memory or in a view, is stale by the versions of the row that it is a copy of.

use super::super::copies;
use super::super::lifetimes::{Lifetimes, Moment, Number};
use crate::kernel::ids::TableId;
use crate::kernel::time::{Nanos, Pretty};
use crate::model::promise::{StalenessBound, StalenessPromise};
use crate::model::{Copies, NONE};
use crate::observe::findings::{Facts, Finding, Sighting};
use crate::stats::histogram::Histogram;
use crate::world::deed::{RowName, Version};
use crate::world::store::UNCOMMITTED;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// What was found about the reads of one table, and of the copies in memory of its rows.
#[derive(Clone, Debug)]
pub struct Staleness {
    pub table: TableId,
    /// Stale reads, of all; exposures are reads while something newer was on its way to some copy,
    /// or had been committed during the life of an attempt.
    pub reads: Finding,
    /// Of stale reads: since when the first version missed had been there, in nanoseconds.
    pub age_nanos: Histogram,
    /// Of stale reads: how many versions were missed.
    pub versions: Histogram,
    /// Of each bound on age or versions that is promised: the reads beyond it.
    pub beyond: Vec<(StalenessBound, Finding)>,
}

impl Staleness {
    /// Of a table's reads, held against what is promised of them.
    pub fn new(table: TableId, promises: &[StalenessPromise]) -> Self {
        let own = promises.iter().filter(|promise| promise.table == table);
        Self {
            table,
            beyond: own.map(|promise| (promise.bound, Finding::default())).collect(),
            reads: Finding::default(),
            age_nanos: Histogram::default(),
            versions: Histogram::default(),
        }
    }
}

/// A read, as it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    pub begun: Nanos,
    pub now: Nanos,
    pub row: RowName,
    pub version: Version,
    pub obligation: u64,
}

/// An attempt under way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alive {
    here: Number,
    among_attempts: Number,
}

/// Versions committed lately: while an attempt is alive that may have a snapshot of the time before, and
/// while some copy of the store lacks them, or did when an attempt that is alive began.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// Of attempts, and of versions that copies lack.
    lifetimes: Lifetimes,
    /// Of attempts alone.
    attempts: Lifetimes,
    /// The lifetimes of the versions that some copy lacks.
    lacking: FxHashMap<(RowName, u64), Number>,
    /// Of those that all copies have: they end with the attempts that were alive then.
    caught_up: VecDeque<(Moment, Number)>,
    versions: FxHashMap<RowName, VecDeque<(u64, Nanos)>>,
    order: VecDeque<(Moment, RowName)>,
}

impl Recent {
    pub fn begin(&mut self) -> Alive {
        Alive { here: self.lifetimes.begin(), among_attempts: self.attempts.begin() }
    }

    pub fn end(&mut self, attempt: Alive) {
        self.lifetimes.end(attempt.here);
        self.attempts.end(attempt.among_attempts);
        self.sweep();
    }

    /// All copies of a store have a version.
    pub fn replicated(&mut self, row: RowName, version: u64) {
        if let Some(lifetime) = self.lacking.remove(&(row, version)) {
            self.caught_up.push_back((self.attempts.now(), lifetime));
            self.sweep();
        }
    }

    fn sweep(&mut self) {
        while let Some(&(moment, lifetime)) = self.caught_up.front()
            && self.attempts.is_past(moment)
        {
            self.caught_up.pop_front();
            self.lifetimes.end(lifetime);
        }
        while let Some(&(moment, row)) = self.order.front()
            && self.lifetimes.is_past(moment)
        {
            self.order.pop_front();
            let versions = self.versions.get_mut(&row).expect("one for each in the order");
            versions.pop_front();
            if versions.is_empty() {
                self.versions.remove(&row);
            }
        }
    }

    /// Takes in a version; one of a store with copies lives until all have it.
    pub fn committed(&mut self, now: Nanos, row: RowName, version: u64, copies: Option<&Copies>) {
        if copies.is_some() {
            self.lacking.insert((row, version), self.lifetimes.begin());
        }
        self.versions.entry(row).or_default().push_back((version, now));
        self.order.push_back((self.lifetimes.now(), row));
    }

    /// How many versions are remembered.
    pub fn remembered(&self) -> usize {
        self.order.len()
    }

    /// Versions after this one and before an instant: how many, and when the first was committed.
    fn missed(&self, row: RowName, version: u64, before: Nanos) -> Option<(u64, Nanos)> {
        let later = self.versions.get(&row)?.iter().filter(|(number, at)| *number > version && *at < before);
        let first = later.clone().map(|&(_, at)| at).min()?;
        Some((later.count() as u64, first))
    }
}

impl Staleness {
    /// Takes in a read of any row.
    pub fn read(&mut self, read: &Read, copies: &copies::Copies, recent: &Recent, name: &str) {
        if read.version.number == UNCOMMITTED {
            return;
        }
        let own = read.row.table == self.table;
        let of_copy = |(source, _): &(RowName, u64)| {
            if read.row.instance == NONE { own } else { own || source.table == self.table }
        };
        let sources = copies.held_by(read.row, read.version);
        let sources: Vec<(RowName, u64)> = sources.into_iter().filter(of_copy).collect();
        if !own && sources.is_empty() {
            return;
        }
        self.reads.of += 1;
        let under_way = copies.is_under_way(read.row)
            || recent.versions.contains_key(&read.row)
            || sources.iter().any(|(source, _)| copies.is_under_way(*source));
        self.reads.exposures += u64::from(under_way);
        let snapshot = own.then(|| recent.missed(read.row, read.version.number, read.begun)).flatten();
        let snapshot = snapshot.map(|missed| (missed, (read.row, read.version.number)));
        let copied = sources.iter().filter_map(|&(source, version)| {
            Some((copies.missed(source, version, read.begun)?, (source, version)))
        });
        // Of several that it is a copy of, the one it is furthest behind.
        let furthest = copied.chain(snapshot).min_by_key(|&((_, since), _)| since);
        let Some(((versions, since), (source, seen))) = furthest else { return };
        let age = read.begun - since;
        self.age_nanos.record(age);
        self.versions.record(versions);
        let sighting = || Sighting {
            at: read.now,
            obligation: read.obligation,
            what: told(name, versions, age),
            facts: Facts {
                rows: vec![read.row, source],
                missed: Some((source, seen + 1)),
                ..Facts::default()
            },
        };
        self.reads.count(sighting);
        for (bound, finding) in &mut self.beyond {
            let is_beyond = match *bound {
                StalenessBound::StaleReads(_) => false,
                StalenessBound::Age(most) => age > most,
                StalenessBound::Versions(most) => versions > most,
            };
            if is_beyond {
                finding.count(sighting);
            }
        }
    }
}

/// `shop.cache: a read missed 2 versions, the first there for 40ms`
fn told(name: &str, versions: u64, age: Nanos) -> String {
    let missed =
        if versions == 1 { "1 version,".to_owned() } else { format!("{versions} versions, the first") };
    format!("{name}: a read missed {missed} there for {}", Pretty(age))
}
