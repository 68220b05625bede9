//! The store as it would be written if nothing mattered but to be obviously right: every snapshot is
//! a copy of all rows, every lock is looked for, every graph is searched.

use super::super::{Expiry, Isolation, Word};

pub(super) type Key = (u32, Vec<Word>);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ModelRow {
    pub key: Key,
    pub words: Vec<Word>,
    pub number: u64,
    pub writer: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Granted,
    Waits,
    Conflict,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ModelWake {
    Granted(usize),
    Conflict(usize),
    Overdue(Key, u64),
}

/// Words and, if they are committed, number and writer.
pub(super) type ModelRead = (Vec<Word>, Option<(u64, u64)>);

/// Row before, words after.
pub(super) type ModelChange = (Key, Option<ModelRow>, Option<Vec<Word>>);

#[derive(Clone, Debug, Default)]
struct Open {
    snapshot: Option<Vec<ModelRow>>,
    /// Locked keys in order, each with what was written under the lock.
    held: Vec<(Key, Option<Option<Vec<Word>>>)>,
    waits_for: Option<Key>,
    doomed: bool,
    reads: Vec<Key>,
    scans: Vec<(u32, u32)>,
}

pub(super) struct Model {
    isolation: Isolation,
    pub rows: Vec<ModelRow>,
    open: Vec<Option<Open>>,
    /// Who waits, in the order in which they came.
    queue: Vec<usize>,
    overdue: Vec<(Key, u64)>,
    commits: u64,
    pub wakes: Vec<ModelWake>,
}

/// Which rows a predicate means: a third of the values each.
pub(super) fn matches(predicate: u32, words: &[Word]) -> bool {
    words[words.len() - 1] % 3 == Word::from(predicate)
}

fn find<'a>(rows: &'a [ModelRow], key: &Key) -> Option<&'a ModelRow> {
    rows.iter().find(|row| row.key == *key)
}

impl Model {
    pub(super) fn new(isolation: Isolation, transactions: usize) -> Self {
        Self {
            isolation,
            rows: Vec::new(),
            open: vec![None; transactions],
            queue: Vec::new(),
            overdue: Vec::new(),
            commits: 0,
            wakes: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, who: usize) {
        self.open[who] = Some(Open::default());
    }

    pub(super) fn is_open(&self, who: usize) -> bool {
        self.open[who].is_some()
    }

    pub(super) fn is_waiting(&self, who: usize) -> bool {
        self.open[who].as_ref().is_some_and(|open| open.waits_for.is_some())
    }

    pub(super) fn is_doomed(&self, who: usize) -> bool {
        self.open[who].as_ref().is_some_and(|open| open.doomed)
    }

    pub(super) fn holder(&self, key: &Key) -> Option<usize> {
        let holds = |open: &Open| open.held.iter().any(|(held, _)| held == key);
        self.open.iter().position(|open| open.as_ref().is_some_and(holds))
    }

    pub(super) fn read(&mut self, who: usize, key: &Key) -> Option<ModelRead> {
        let view = self.view(who);
        let open = self.state(who);
        let held = open.held.iter().find(|(held, _)| held == key);
        if held.is_none() {
            open.reads.push(key.clone());
        }
        match self.state(who).held.iter().find(|(held, _)| held == key) {
            Some((_, Some(written))) => written.clone().map(|words| (words, None)),
            _ => find(&view, key).map(|row| (row.words.clone(), Some((row.number, row.writer)))),
        }
    }

    pub(super) fn scan(&mut self, who: usize, table: u32, predicate: u32) -> Vec<Vec<Word>> {
        let view = self.view(who);
        let open = self.state(who);
        open.scans.push((table, predicate));
        let written =
            |key: &Key| open.held.iter().find(|(held, _)| held == key).and_then(|(_, words)| words.clone());
        let mut seen = Vec::new();
        for row in view.iter().filter(|row| row.key.0 == table) {
            seen.extend(written(&row.key).unwrap_or(Some(row.words.clone())));
        }
        for (key, words) in open.held.iter().filter(|(key, _)| key.0 == table) {
            if find(&view, key).is_none() {
                seen.extend(words.clone().flatten());
            }
        }
        seen
    }

    pub(super) fn lock(&mut self, who: usize, key: &Key) -> Answer {
        let view = self.view(who);
        let holder = self.holder(key);
        if holder == Some(who) {
            return Answer::Granted;
        }
        if self.has_changed(&view, key) {
            self.state(who).doomed = true;
            return Answer::Conflict;
        }
        if holder.is_none() {
            self.state(who).held.push((key.clone(), None));
            return Answer::Granted;
        }
        self.state(who).waits_for = Some(key.clone());
        self.queue.push(who);
        if self.reaches(who, who, &mut Vec::new()) {
            self.queue.pop();
            let open = self.state(who);
            open.waits_for = None;
            open.doomed = true;
            return Answer::Conflict;
        }
        Answer::Waits
    }

    /// The newest row under a lock.
    pub(super) fn newest(&mut self, who: usize, key: &Key) -> Option<Vec<Word>> {
        let (_, written) = self.state(who).held.iter().find(|(held, _)| held == key).expect("it is locked");
        written.clone().unwrap_or_else(|| find(&self.rows, key).map(|row| row.words.clone()))
    }

    pub(super) fn write(&mut self, who: usize, key: &Key, words: Option<Vec<Word>>) {
        let held = self.state(who).held.iter_mut().find(|(held, _)| held == key);
        held.expect("it is locked").1 = Some(words);
    }

    pub(super) fn commit(&mut self, who: usize, writer: u64) -> Option<Vec<ModelChange>> {
        if self.is_doomed(who) || !self.is_valid(who) {
            self.state(who).doomed = true;
            return None;
        }
        let open = self.open[who].take().expect("it is open");
        Some(self.apply(open.held, writer))
    }

    pub(super) fn roll_back(&mut self, who: usize) {
        self.queue.retain(|&other| other != who);
        self.wakes
            .retain(|wake| !matches!(wake, ModelWake::Granted(of) | ModelWake::Conflict(of) if *of == who));
        let open = self.open[who].take().expect("it is open");
        for (key, _) in open.held {
            self.release(&key, false);
        }
    }

    /// A transaction of one write that nobody keeps waiting.
    pub(super) fn alone(&mut self, key: &Key, words: Option<Vec<Word>>, writer: u64) -> Vec<ModelChange> {
        self.apply(vec![(key.clone(), Some(words))], writer)
    }

    pub(super) fn expire(&mut self, key: &Key, number: u64, writer: u64) -> (Expiry, Vec<ModelChange>) {
        if find(&self.rows, key).is_none_or(|row| row.number != number) {
            return (Expiry::Superseded, vec![]);
        }
        if self.holder(key).is_some() {
            self.overdue.push((key.clone(), number));
            return (Expiry::Locked, vec![]);
        }
        (Expiry::Removed, self.alone(key, None, writer))
    }

    fn state(&mut self, who: usize) -> &mut Open {
        self.open[who].as_mut().expect("it is open")
    }

    fn view(&mut self, who: usize) -> Vec<ModelRow> {
        let rows = self.rows.clone();
        if self.isolation == Isolation::ReadCommitted {
            return rows;
        }
        self.state(who).snapshot.get_or_insert(rows).clone()
    }

    fn has_changed(&self, view: &[ModelRow], key: &Key) -> bool {
        find(view, key).map(|row| row.number) != find(&self.rows, key).map(|row| row.number)
    }

    /// Whether following waiters to all they wait for, holders and earlier waiters, leads to `goal`.
    fn reaches(&self, from: usize, goal: usize, visited: &mut Vec<usize>) -> bool {
        let Some(key) = self.open[from].as_ref().and_then(|open| open.waits_for.as_ref()) else {
            return false;
        };
        let earlier = self.queue.iter().copied().take_while(|&other| other != from);
        let same = earlier
            .filter(|&other| self.open[other].as_ref().and_then(|open| open.waits_for.as_ref()) == Some(key));
        let next: Vec<usize> = self.holder(key).into_iter().chain(same).collect();
        next.into_iter().any(|other| {
            other == goal
                || (!visited.contains(&other) && {
                    visited.push(other);
                    self.reaches(other, goal, visited)
                })
        })
    }

    fn is_valid(&mut self, who: usize) -> bool {
        if self.isolation != Isolation::Serializable {
            return true;
        }
        let view = self.state(who).snapshot.clone().unwrap_or_else(|| self.rows.clone());
        let open = self.open[who].as_ref().expect("it is open");
        if open.reads.iter().any(|key| self.has_changed(&view, key)) {
            return false;
        }
        let both = || view.iter().chain(&self.rows);
        open.scans.iter().all(|&(table, predicate)| {
            let mut meant = both().filter(|row| row.key.0 == table && matches(predicate, &row.words));
            !meant.any(|row| self.has_changed(&view, &row.key))
        })
    }

    fn apply(&mut self, held: Vec<(Key, Option<Option<Vec<Word>>>)>, writer: u64) -> Vec<ModelChange> {
        let mut changes = Vec::new();
        let number = self.commits + 1;
        for (key, written) in &held {
            let old = find(&self.rows, key).cloned();
            let Some(words) = written.clone() else { continue };
            if old.is_none() && words.is_none() {
                continue;
            }
            match &words {
                None => self.rows.retain(|row| row.key != *key),
                Some(words) => {
                    let row = ModelRow { key: key.clone(), words: words.clone(), number, writer };
                    match self.rows.iter_mut().find(|row| row.key == *key) {
                        Some(place) => *place = row,
                        None => self.rows.push(row),
                    }
                }
            }
            changes.push((key.clone(), old, words));
        }
        if !changes.is_empty() {
            self.commits = number;
        }
        for (key, _) in &held {
            let changed = changes.iter().any(|(of, _, _)| of == key);
            self.release(key, changed);
        }
        changes
    }

    fn release(&mut self, key: &Key, changed: bool) {
        let waits = |model: &Self, who: usize| {
            model.open[who].as_ref().and_then(|open| open.waits_for.as_ref()) == Some(key)
        };
        let waiting: Vec<usize> = self.queue.iter().copied().filter(|&who| waits(self, who)).collect();
        for who in waiting {
            self.queue.retain(|&other| other != who);
            let conflict = changed && self.isolation != Isolation::ReadCommitted;
            let open = self.state(who);
            open.waits_for = None;
            if conflict {
                open.doomed = true;
                self.wakes.push(ModelWake::Conflict(who));
            } else {
                open.held.push((key.clone(), None));
                self.wakes.push(ModelWake::Granted(who));
                return;
            }
        }
        let number = find(&self.rows, key).map(|row| row.number);
        if let Some(at) = self.overdue.iter().position(|(of, version)| of == key && Some(*version) == number)
        {
            self.overdue.retain(|(of, _)| of != key);
            self.wakes.push(ModelWake::Overdue(key.clone(), number.expect("it is there")));
            let _ = at;
        }
    }
}
