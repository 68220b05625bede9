//! Random interleavings: the store does what the model does, call for call; and what serializable
//! transactions saw is what they would have seen one after another.

use super::model::{Answer, Key, Model, ModelChange, ModelWake, matches};
use super::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};

const TRANSACTIONS: usize = 5;

/// What to do with a row once it is locked.
#[derive(Clone, Copy, Debug)]
enum Write {
    Nothing,
    Put(Word),
    /// One more than it was.
    Increment,
    Delete,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Read(u8),
    Write(u8, Write),
    Scan(u32, u32),
    Commit,
    RollBack,
    Alone(u8, Write),
    Expire(usize),
}

fn actions() -> impl Strategy<Value = Vec<(usize, Action)>> {
    let write = prop_oneof![
        1 => Just(Write::Nothing),
        4 => (0..6u64).prop_map(Write::Put),
        2 => Just(Write::Increment),
        3 => Just(Write::Delete),
    ];
    let action = prop_oneof![
        4 => (0..8u8).prop_map(Action::Read),
        8 => (0..8u8, write.clone()).prop_map(|(key, write)| Action::Write(key, write)),
        3 => (0..2u32, 0..3u32).prop_map(|(table, predicate)| Action::Scan(table, predicate)),
        5 => Just(Action::Commit),
        1 => Just(Action::RollBack),
        3 => (0..8u8, write).prop_map(|(key, write)| Action::Alone(key, write)),
        1 => (0..1000usize).prop_map(Action::Expire),
    ];
    prop::collection::vec((0..TRANSACTIONS, action), 1..120)
}

/// The first four keys are of a table keyed by one column, the others of one keyed by two.
fn key(number: u8) -> Key {
    match number {
        0..4 => (0, vec![Word::from(number)]),
        _ => (1, vec![Word::from(number & 1), Word::from(number >> 1 & 1)]),
    }
}

/// Tables `key, value` and `b, value of no matter, a, value`, keyed by `a, b`.
fn shapes() -> [TableShape; 2] {
    [
        TableShape { columns: 2, key: vec![0], initial: vec![0; 2], rows: vec![] },
        TableShape { columns: 4, key: vec![2, 0], initial: vec![0; 4], rows: vec![] },
    ]
}

fn row(key: &Key, value: Word) -> Vec<Word> {
    match key.1[..] {
        [a, b] => vec![b, 0, a, value],
        _ => vec![key.1[0], value],
    }
}

fn key_of(table: u32, words: &[Word]) -> Key {
    (table, if table == 0 { vec![words[0]] } else { vec![words[2], words[0]] })
}

impl Write {
    /// The row after, `None` within: deleted; `None`: as it was.
    fn result(self, key: &Key, before: Option<&[Word]>) -> Option<Option<Vec<Word>>> {
        match self {
            Write::Nothing => None,
            Write::Put(value) => Some(Some(row(key, value))),
            Write::Increment => Some(Some(row(key, before.map_or(0, |words| words[words.len() - 1] + 1)))),
            Write::Delete => Some(None),
        }
    }
}

/// What a transaction did and saw.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Row(Key, Option<Vec<Word>>),
    Scan(u32, u32, Vec<Vec<Word>>),
    Wrote(Key, Option<Vec<Word>>),
}

/// The store and the model side by side.
struct Pair {
    store: Store,
    model: Model,
    transactions: Vec<Option<Transaction>>,
    /// What each will do when its wait ends.
    intended: Vec<Option<(Key, Write)>>,
    /// What each has done so far.
    seen: Vec<Vec<Seen>>,
    /// What was committed, in order.
    history: Vec<Vec<Seen>>,
    timers: Vec<(Key, RowVersion)>,
    writers: u64,
}

impl Pair {
    fn new(isolation: Isolation) -> Self {
        Self {
            store: Store::new(isolation, &shapes()),
            model: Model::new(isolation, TRANSACTIONS),
            transactions: vec![None; TRANSACTIONS],
            intended: vec![None; TRANSACTIONS],
            seen: vec![Vec::new(); TRANSACTIONS],
            history: Vec::new(),
            timers: Vec::new(),
            writers: 0,
        }
    }

    fn run(isolation: Isolation, actions: &[(usize, Action)]) -> Self {
        let mut pair = Self::new(isolation);
        for &(who, action) in actions {
            pair.act(who, action);
            pair.settle();
        }
        for who in 0..TRANSACTIONS {
            if pair.model.is_open(who) {
                pair.roll_back(who);
                pair.settle();
            }
        }
        assert_nothing_left(&pair.store);
        pair
    }

    fn act(&mut self, who: usize, action: Action) {
        match action {
            Action::Alone(number, write) => return self.alone(key(number), write),
            Action::Expire(timer) if !self.timers.is_empty() => {
                let (key, version) = self.timers[timer % self.timers.len()].clone();
                return self.expire(key, version);
            }
            Action::Expire(_) => return,
            _ => {}
        }
        if !self.model.is_open(who) {
            self.model.begin(who);
            self.transactions[who] = Some(self.store.begin(who as u32));
            self.seen[who].clear();
        }
        match action {
            Action::RollBack => self.roll_back(who),
            _ if self.model.is_waiting(who) => {}
            Action::Commit => self.commit(who),
            _ if self.model.is_doomed(who) => self.roll_back(who),
            Action::Read(number) => self.read(who, key(number)),
            Action::Scan(table, predicate) => self.scan(who, table, predicate),
            Action::Write(number, write) => self.write(who, key(number), write),
            Action::Alone(..) | Action::Expire(_) => unreachable!("done above"),
        }
    }

    fn transaction(&self, who: usize) -> Transaction {
        self.transactions[who].expect("it is open")
    }

    fn read(&mut self, who: usize, key: Key) {
        let transaction = self.transaction(who);
        let got = self.store.read(transaction, key.0, &key.1).map(|row| {
            let own = row.version.number == UNCOMMITTED;
            (row.words.to_vec(), (!own).then_some((row.version.number, row.writer)))
        });
        assert_eq!(got, self.model.read(who, &key));
        self.seen[who].push(Seen::Row(key, got.map(|(words, _)| words)));
    }

    fn scan(&mut self, who: usize, table: u32, predicate: u32) {
        let transaction = self.transaction(who);
        let rows: Vec<_> =
            self.store.scan(transaction, table, predicate).map(|row| row.words.to_vec()).collect();
        assert_eq!(rows, self.model.scan(who, table, predicate));
        let meant = rows.into_iter().filter(|words| matches(predicate, words)).collect();
        self.seen[who].push(Seen::Scan(table, predicate, meant));
    }

    fn write(&mut self, who: usize, key: Key, write: Write) {
        let access = self.store.lock(self.transaction(who), key.0, &key.1);
        let answer = match access {
            Access::Granted(_) => Answer::Granted,
            Access::Waits => Answer::Waits,
            Access::Conflict => Answer::Conflict,
        };
        assert_eq!(answer, self.model.lock(who, &key));
        match access {
            Access::Granted(row) => self.write_locked(who, row, key, write),
            Access::Waits => self.intended[who] = Some((key, write)),
            Access::Conflict => {}
        }
    }

    fn write_locked(&mut self, who: usize, row: LockedRow, key: Key, write: Write) {
        let before = self.store.newest(row).map(|row| row.words.to_vec());
        assert_eq!(before, self.model.newest(who, &key));
        let after = write.result(&key, before.as_deref());
        self.seen[who].push(Seen::Row(key.clone(), before));
        let Some(after) = after else { return };
        match &after {
            Some(words) => self.store.put(row, words),
            None => self.store.delete(row),
        }
        self.model.write(who, &key, after.clone());
        self.seen[who].push(Seen::Wrote(key, after));
    }

    fn commit(&mut self, who: usize) {
        self.writers += 1;
        let got = self.store.commit(self.transaction(who), self.writers, matches);
        match self.model.commit(who, self.writers) {
            None => assert_eq!(got, Err(Conflict)),
            Some(changes) => {
                assert_eq!(got, Ok(()));
                self.check_changes(changes);
                let seen = std::mem::take(&mut self.seen[who]);
                self.history.push(seen);
            }
        }
    }

    fn roll_back(&mut self, who: usize) {
        self.store.roll_back(self.transaction(who));
        self.model.roll_back(who);
    }

    fn alone(&mut self, key: Key, write: Write) {
        let glance = self.store.glance(key.0, &key.1);
        let Glance::Free(row) = glance else {
            assert!(self.model.holder(&key).is_some());
            return;
        };
        assert_eq!(self.model.holder(&key), None);
        let before = self.store.newest_alone(row).map(|row| row.words.to_vec());
        let Some(after) = write.result(&key, before.as_deref()) else { return };
        self.writers += 1;
        match &after {
            Some(words) => self.store.put_alone(row, words, self.writers),
            None => self.store.delete_alone(row, self.writers),
        }
        let changes = self.model.alone(&key, after.clone(), self.writers);
        self.check_changes(changes);
        self.history.push(vec![Seen::Row(key.clone(), before), Seen::Wrote(key, after)]);
    }

    fn expire(&mut self, key: Key, version: RowVersion) {
        self.writers += 1;
        let (expiry, changes) = self.model.expire(&key, version.number, self.writers);
        assert_eq!(self.store.remove_expired(version, self.writers), expiry);
        self.check_changes(changes);
        if expiry == Expiry::Removed {
            self.history.push(vec![Seen::Wrote(key, None)]);
        }
    }

    fn check_changes(&mut self, expected: Vec<ModelChange>) {
        assert_eq!(self.store.changes().len(), expected.len());
        for (got, (key, old, new)) in self.store.changes().zip(expected) {
            let of = |words: &[Word]| key_of(got.version.table, words);
            assert!(got.old.map(|old| of(old.words)).is_none_or(|other| other == key));
            let was = got.old.map(|old| (old.words.to_vec(), old.version.number, old.writer));
            assert_eq!(was, old.map(|old| (old.words, old.number, old.writer)));
            assert_eq!(got.new.map(<[Word]>::to_vec), new);
            assert_eq!(got.writer, self.writers);
            if new.is_some() {
                self.timers.push((key, got.version));
            }
        }
    }

    /// Serves all who were woken, and compares what is committed.
    fn settle(&mut self) {
        loop {
            let expected = (!self.model.wakes.is_empty()).then(|| self.model.wakes.remove(0));
            match (self.store.next_wake(), expected) {
                (None, None) => break,
                (Some(Wake::Granted { owner, row }), Some(ModelWake::Granted(who))) => {
                    assert_eq!(owner as usize, who);
                    let (key, write) = self.intended[who].take().expect("it waited");
                    self.write_locked(who, row, key, write);
                }
                (Some(Wake::Conflict { owner, transaction }), Some(ModelWake::Conflict(who))) => {
                    assert_eq!((owner as usize, Some(transaction)), (who, self.transactions[who]));
                    // Some are rolled back at once, others when they are next asked for something.
                    if who % 2 == 0 {
                        self.roll_back(who);
                    }
                }
                (Some(Wake::Overdue(version)), Some(ModelWake::Overdue(key, number))) => {
                    assert_eq!((version.table, version.number), (key.0, number));
                    self.expire(key, version);
                }
                (got, expected) => panic!("woken {got:?}, expected {expected:?}"),
            }
        }
        for table in 0..2 {
            let rows = self.store.rows(table).map(|row| (row.words.to_vec(), row.version.number, row.writer));
            let of_table = self.model.rows.iter().filter(|row| row.key.0 == table);
            let expected: Vec<_> = of_table.map(|row| (row.words.clone(), row.number, row.writer)).collect();
            assert_eq!(rows.collect::<Vec<_>>(), expected);
            assert_eq!(self.store.len(table), expected.len());
        }
    }
}

/// Runs committed transactions one after another; the first that would then have seen something else.
fn first_not_serial(history: &[Vec<Seen>]) -> Option<&Vec<Seen>> {
    let mut rows: Vec<(Key, Vec<Word>)> = Vec::new();
    history.iter().find(|transaction| !transaction.iter().all(|step| would_see(&mut rows, step)))
}

/// Whether a step sees on these rows what it saw; and then does to them what it did.
fn would_see(rows: &mut Vec<(Key, Vec<Word>)>, step: &Seen) -> bool {
    match step {
        Seen::Row(key, words) => {
            rows.iter().find(|(of, _)| of == key).map(|(_, words)| words) == words.as_ref()
        }
        Seen::Scan(table, predicate, meant) => {
            let of_table = rows.iter().filter(|(key, _)| key.0 == *table).map(|(_, words)| words.clone());
            let mut found: Vec<_> = of_table.filter(|words| matches(*predicate, words)).collect();
            let mut meant = meant.clone();
            // Own insertions are in another place before the commit than after it.
            found.sort();
            meant.sort();
            found == meant
        }
        Seen::Wrote(key, words) => {
            rows.retain(|(of, _)| of != key);
            rows.extend(words.clone().map(|words| (key.clone(), words)));
            true
        }
    }
}

/// Always the same cases, and no file of failures.
fn seeded() -> Config {
    Config { cases: 700, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn read_committed_does_what_its_model_does(actions in actions()) {
        Pair::run(Isolation::ReadCommitted, &actions);
    }

    #[test]
    fn snapshot_does_what_its_model_does(actions in actions()) {
        Pair::run(Isolation::Snapshot, &actions);
    }

    #[test]
    fn serializable_does_what_its_model_does_and_equals_the_serial_order_of_commits(actions in actions()) {
        let pair = Pair::run(Isolation::Serializable, &actions);
        prop_assert_eq!(first_not_serial(&pair.history), None);
    }
}

#[test]
fn the_check_of_serial_order_sees_what_weaker_isolations_let_through() {
    for isolation in [Isolation::ReadCommitted, Isolation::Snapshot] {
        let mut runner = TestRunner::new(seeded());
        let anomalies = (0..200).filter(|_| {
            let case = actions().new_tree(&mut runner).expect("any list of actions is a case").current();
            first_not_serial(&Pair::run(isolation, &case).history).is_some()
        });
        assert!(anomalies.count() > 10, "{isolation:?}");
    }
}
