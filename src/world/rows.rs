//! Row steps: what reads and writes of one table do, in the middle of their round trip.

use super::attempt::{StepResult, Wait};
use super::commit::TransactionEnd;
use super::deed::Write;
use super::expiry::Expiring;
use super::identity::mix;
use super::interpret::Flow;
use super::record::{Observer, Record};
use super::store::memory::{Memory, MemoryShape};
use super::store::{Access, Glance, LockedRow, Wake};
use super::streams::asks_for_past;
use super::tell::{Place, version_of};
use super::{Event, Simulation, World};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::*;
use crate::kernel::time::LONGEST;
use crate::model::{Copies, Error, Model, NONE, Pc, RowStep, RowVerb, Word};

/// A scan, or a write to every row that `where` admits, takes the time of one round trip for each so
/// many rows that it looks at: there is no index but the key.
const ROWS_OF_A_PAGE: usize = 100;

/// What a write does to the row it has in hand.
pub(super) enum Change {
    Put,
    Delete,
    Nothing,
}

impl Change {
    /// As judges are told it.
    fn told(&self) -> Write {
        match self {
            Change::Put => Write::Put,
            Change::Delete => Write::Delete,
            Change::Nothing => Write::Nothing,
        }
    }
}

/// The memory tables of one instance of a service.
pub fn memory_of(model: &Model, service: ServiceId) -> Memory {
    let tables = model.services[service.index()].memory.iter();
    let shapes: Vec<MemoryShape> = tables
        .map(|table| {
            let spec = &model.tables[table.index()];
            MemoryShape {
                table: super::commit::shape_of(spec),
                capacity: if spec.capacity == u32::MAX { None } else { Some(spec.capacity) },
            }
        })
        .collect();
    Memory::new(&shapes)
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    pub(super) fn row_step(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        let model = self.model;
        let of = &model.row_steps[step as usize];
        if model.tables[of.table.index()].memory {
            self.world.attempts[attempt].pc = pc;
            let result = self.memory_step(attempt, of)?;
            return self.after_row(of, result).map(Flow::Go);
        }
        if self.is_reset(attempt) {
            return Err(Error::Unavailable);
        }
        let alone = self.world.attempts[attempt].transaction.is_none();
        if alone && !self.take_connection(attempt, pc) {
            return Ok(Flow::Leave);
        }
        if let Some(append) = of.appended()
            && let Err(error) = self.make_appended(attempt, pc, of, append)
        {
            if alone {
                self.release_connection(attempt);
            }
            return Err(error);
        }
        self.world.attempts[attempt].state.alone = alone;
        if !asks_for_past(of) {
            self.tell_asked(attempt, pc, of.verb);
        }
        if let Some(Copies::Quorum(quorum)) = &model.stores[self.store_of(attempt)].copies {
            return self.ask_quorum(attempt, pc, step, quorum);
        }
        let length = self.step_length(of.latency, attempt)? + self.step_length(of.commit, attempt)?;
        self.world.attempts[attempt].last_wait = length - length / 2;
        self.round_trip(attempt, pc, length / 2, Wait::Row { step });
        Ok(Flow::Leave)
    }

    /// The statement reaches the store.
    pub(super) fn row_arrives(&mut self, attempt: u32, step: u32) {
        let model = self.model;
        let of = &model.row_steps[step as usize];
        let result = match of.verb {
            RowVerb::Read | RowVerb::Scan => self.look(attempt, of, step),
            _ if of.key.is_none() => {
                self.collect_rows(attempt, of, step).and_then(|()| self.next_row(attempt, of))
            }
            RowVerb::ReadLocked => self.open_alone(attempt).and_then(|()| self.lock_row(attempt, of)),
            _ if self.world.attempts[attempt].state.alone => self.write_alone(attempt, of),
            _ => self.lock_row(attempt, of),
        };
        self.row_done(attempt, step, result);
    }

    /// The statement has its answer, waits for a lock (`None`), or failed.
    pub(super) fn row_done(&mut self, attempt: u32, step: u32, result: Result<Option<StepResult>, Error>) {
        self.drop_temporaries();
        let result = match result {
            Ok(None) => {
                self.world.attempts.wait(attempt, Wait::Lock { step });
                return;
            }
            Ok(Some(result)) => result,
            Err(error) => {
                let remaining =
                    std::mem::replace(&mut self.world.attempts[attempt].remaining, super::words::EMPTY);
                self.world.lists.release(remaining);
                StepResult::Error(error)
            }
        };
        self.drop_appended(attempt, step);
        let result = self.end_alone(attempt, result);
        let half = self.world.attempts[attempt].last_wait;
        self.return_trip(attempt, half, Wait::RowAnswer { step }, result);
        let model = self.model;
        if !matches!(result, StepResult::Error(_)) {
            self.unanswered(attempt, &model.row_steps[step as usize].unanswered);
        }
    }

    /// A statement of its own commits with what it did.
    fn end_alone(&mut self, attempt: u32, result: StepResult) -> StepResult {
        let of = &self.world.attempts[attempt];
        if !of.state.alone || of.transaction.is_none() {
            return result;
        }
        match result {
            StepResult::Error(_) => {
                self.roll_back_only(attempt);
                result
            }
            _ => match self.commit_now(attempt) {
                Ok(()) => result,
                Err(error) => StepResult::Error(error),
            },
        }
    }

    /// The answer is back at the attempt.
    pub(super) fn row_answered(&mut self, attempt: u32, step: u32) {
        let of = &mut self.world.attempts[attempt];
        let result = of.result;
        let alone = std::mem::replace(&mut of.state.alone, false);
        if alone {
            self.release_connection(attempt);
        }
        let model = self.model;
        let next = self.after_row(&model.row_steps[step as usize], result);
        self.proceed(attempt, next);
    }

    pub(super) fn after_row(&self, of: &RowStep, result: StepResult) -> Result<Pc, Error> {
        match (result, of.otherwise, of.verb) {
            (StepResult::Done, ..) => Ok(of.next),
            (StepResult::Nothing, Some(otherwise), _) => Ok(otherwise),
            (StepResult::Nothing, None, RowVerb::Insert) => Err(Error::Exists),
            (StepResult::Nothing, None, _) => Ok(of.next),
            (StepResult::Error(error), ..) => Err(error),
        }
    }

    /// Reads and scans, which take no lock.
    fn look(&mut self, attempt: u32, of: &RowStep, step: u32) -> Result<Option<StepResult>, Error> {
        if of.verb == RowVerb::Scan {
            return self.scan(attempt, of, step).map(Some);
        }
        self.load_key(attempt, of)?;
        if asks_for_past(of) {
            return self.look_back(attempt, of).map(Some);
        }
        let (store, table) = self.store_table(attempt, of.table);
        if let Some(copy) = self.asked_copy(attempt, of, store, table) {
            return Ok(Some(self.look_at_copy(attempt, of, copy)));
        }
        let world = &mut self.world;
        let state = &mut world.stores[store].store;
        let row = match world.attempts[attempt].transaction {
            Some(transaction) => state.read(transaction, table, &world.scratch.key),
            None => state.peek(table, &world.scratch.key),
        };
        let seen = version_of(row.as_ref());
        world.scratch.row.clear();
        let exists = row.is_some();
        if let Some(row) = row {
            world.scratch.row.extend_from_slice(row.words);
        }
        self.keep_row(attempt, of, exists);
        self.tell_read(attempt, of.table, seen, of.result);
        if of.stream.is_some() {
            self.fold(attempt, of.table);
        }
        Ok(Some(if exists { StepResult::Done } else { StepResult::Nothing }))
    }

    fn scan(&mut self, attempt: u32, of: &RowStep, step: u32) -> Result<StepResult, Error> {
        let rows = self.visible_rows(attempt, of, step)?;
        let rows = self.sorted_to_limit(attempt, of, rows)?;
        self.tell_scanned(attempt, of.table, &rows, of.result);
        Ok(self.keep_scan(attempt, of, &rows))
    }

    /// Names a scan's rows for the steps that follow.
    pub(super) fn keep_scan(&mut self, attempt: u32, of: &RowStep, rows: &[Word]) -> StepResult {
        if let Some(result) = of.result {
            let list = self.world.lists.add();
            self.world.lists.extend(list, rows.iter().copied());
            self.world.scratch.temporaries.push(list);
            self.set_owned(attempt, result, list);
        }
        StepResult::Done
    }

    /// The rows of a scan in the order it asks for, as many as it asks for.
    pub(super) fn sorted_to_limit(
        &mut self,
        attempt: u32,
        of: &RowStep,
        rows: Vec<Word>,
    ) -> Result<Vec<Word>, Error> {
        let columns = self.model.tables[of.table.index()].columns as usize;
        let mut rows = self.sorted(attempt, of, rows, columns)?;
        let limit = match of.limit {
            Some(limit) => self.evaluate(limit, attempt)? as i64,
            None => i64::MAX,
        };
        rows.truncate((limit.max(0) as usize).saturating_mul(columns));
        Ok(rows)
    }

    /// The rows that a scan, an update or a delete admits, one after another.
    fn visible_rows(&mut self, attempt: u32, of: &RowStep, step: u32) -> Result<Vec<Word>, Error> {
        let all = self.all_rows(attempt, of, step);
        let columns = self.model.tables[of.table.index()].columns as usize;
        let pages = (all.len() / columns).div_ceil(ROWS_OF_A_PAGE).max(1) as u64;
        // The first page is in the round trip; the others are read before the answer sets out.
        let answer = &mut self.world.attempts[attempt].last_wait;
        *answer = answer.saturating_mul(2 * pages - 1).min(LONGEST);
        let Some(filter) = of.filter else { return Ok(all) };
        let mut admitted = Vec::new();
        for row in all.chunks(columns) {
            if self.admits(filter, row, attempt)? {
                admitted.extend_from_slice(row);
            }
        }
        Ok(admitted)
    }

    fn all_rows(&mut self, attempt: u32, of: &RowStep, step: u32) -> Vec<Word> {
        let mut all = Vec::new();
        if self.model.tables[of.table.index()].memory {
            let (instance, table) = self.memory_table(attempt, of.table);
            self.world.memories[instance].rows(table).for_each(|row| all.extend_from_slice(row.words));
            return all;
        }
        let (store, table) = self.store_table(attempt, of.table);
        match self.world.attempts[attempt].transaction {
            Some(transaction) => {
                let predicate = self.keep_predicate(attempt, store, step);
                let rows = self.world.stores[store].store.scan(transaction, table, predicate);
                rows.for_each(|row| all.extend_from_slice(row.words));
            }
            None => {
                self.world.stores[store].store.rows(table).for_each(|row| all.extend_from_slice(row.words))
            }
        }
        all
    }

    /// Whether a predicate holds of a row.
    pub(super) fn admits(
        &mut self,
        filter: crate::model::Operand,
        row: &[Word],
        attempt: u32,
    ) -> Result<bool, Error> {
        self.world.scratch.row.clear();
        self.world.scratch.row.extend_from_slice(row);
        self.holds(filter, attempt)
    }

    fn sorted(
        &mut self,
        attempt: u32,
        of: &RowStep,
        rows: Vec<Word>,
        columns: usize,
    ) -> Result<Vec<Word>, Error> {
        let Some(order_by) = of.order_by else { return Ok(rows) };
        let mut keyed = Vec::with_capacity(rows.len() / columns);
        for (position, row) in rows.chunks(columns).enumerate() {
            self.world.scratch.row.clear();
            self.world.scratch.row.extend_from_slice(row);
            keyed.push((self.evaluate(order_by, attempt)? as i64, position));
        }
        keyed.sort_by(|a, b| if of.descending { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) });
        let row = |&(_, position): &(i64, usize)| rows[position * columns..][..columns].to_vec();
        Ok(keyed.iter().flat_map(row).collect())
    }

    /// An update or delete of many rows: their keys, to be done one after another.
    fn collect_rows(&mut self, attempt: u32, of: &RowStep, step: u32) -> Result<(), Error> {
        self.open_alone(attempt)?;
        let rows = self.visible_rows(attempt, of, step)?;
        let spec = &self.model.tables[of.table.index()];
        let list = self.world.lists.add();
        // Taken from the end: the first row is to come first.
        let rows = rows.chunks(spec.columns as usize).rev();
        let keys = rows.flat_map(|row| spec.key.iter().rev().map(|&column| row[column as usize]));
        self.world.lists.extend(list, keys);
        self.world.attempts[attempt].remaining = list;
        self.world.attempts[attempt].result = StepResult::Nothing;
        Ok(())
    }

    /// Does the remaining rows of a step on many, until one of them waits for its lock.
    fn next_row(&mut self, attempt: u32, of: &RowStep) -> Result<Option<StepResult>, Error> {
        let key_words = self.model.tables[of.table.index()].key.len();
        loop {
            let remaining = self.world.attempts[attempt].remaining;
            if self.world.lists.get(remaining).is_empty() {
                self.world.lists.release(remaining);
                self.world.attempts[attempt].remaining = super::words::EMPTY;
                return Ok(Some(self.world.attempts[attempt].result));
            }
            let World { lists, scratch, .. } = &mut self.world;
            scratch.key.clear();
            scratch.key.extend(lists.take_last(remaining, key_words).rev());
            match self.lock_loaded(attempt, of)? {
                None => return Ok(None),
                Some(StepResult::Done) => self.world.attempts[attempt].result = StepResult::Done,
                Some(_) => {}
            }
        }
    }

    /// A statement that may have to wait opens a transaction of its own.
    fn open_alone(&mut self, attempt: u32) -> Result<(), Error> {
        if self.world.attempts[attempt].state.alone && self.world.attempts[attempt].transaction.is_none() {
            let store = self.store_of(attempt);
            self.world.attempts[attempt].transaction = Some(self.world.stores[store].store.begin(attempt));
        }
        Ok(())
    }

    fn lock_row(&mut self, attempt: u32, of: &RowStep) -> Result<Option<StepResult>, Error> {
        self.load_key(attempt, of)?;
        self.lock_loaded(attempt, of)
    }

    /// Locks the row whose key is loaded, and acts on it.
    fn lock_loaded(&mut self, attempt: u32, of: &RowStep) -> Result<Option<StepResult>, Error> {
        let (store, table) = self.store_table(attempt, of.table);
        let world = &mut self.world;
        let transaction = world.attempts[attempt].transaction.expect("opened before a lock is wanted");
        match world.stores[store].store.lock(transaction, table, &world.scratch.key) {
            Access::Granted(row) => self.act(attempt, of, row).map(Some),
            Access::Waits => Ok(None),
            Access::Conflict => Err(Error::Conflict),
        }
    }

    /// One row under its lock.
    fn act(&mut self, attempt: u32, of: &RowStep, row: LockedRow) -> Result<StepResult, Error> {
        let store = self.store_of(attempt);
        let world = &mut self.world;
        // Who had to wait for the lock finds another's key here.
        world.scratch.key.clear();
        world.scratch.key.extend_from_slice(world.stores[store].store.key(row));
        let newest = world.stores[store].store.newest(row);
        let seen = version_of(newest.as_ref());
        world.scratch.row.clear();
        let exists = newest.is_some();
        if let Some(newest) = newest {
            world.scratch.row.extend_from_slice(newest.words);
        }
        if of.verb == RowVerb::ReadLocked {
            self.keep_row(attempt, of, exists);
            self.tell_read(attempt, of.table, seen, of.result);
            return Ok(if exists { StepResult::Done } else { StepResult::Nothing });
        }
        let change = self.change(attempt, of, exists)?;
        self.tell_wrote(attempt, of, seen, change.told());
        if let Some(append) = of.appended() {
            self.feed_appended(attempt, of.table, append);
        }
        let world = &mut self.world;
        match change {
            Change::Put => world.stores[store].store.put(row, &world.scratch.row),
            Change::Delete => world.stores[store].store.delete(row),
            Change::Nothing => return Ok(StepResult::Nothing),
        }
        Ok(StepResult::Done)
    }

    /// A write outside a transaction to a row that nobody holds needs none; else it waits in one.
    pub(super) fn write_alone(&mut self, attempt: u32, of: &RowStep) -> Result<Option<StepResult>, Error> {
        self.load_key(attempt, of)?;
        let (store, table) = self.store_table(attempt, of.table);
        let world = &mut self.world;
        let Glance::Free(row) = world.stores[store].store.glance(table, &world.scratch.key) else {
            self.open_alone(attempt)?;
            return self.lock_loaded(attempt, of);
        };
        let newest = world.stores[store].store.newest_alone(row);
        let seen = version_of(newest.as_ref());
        world.scratch.row.clear();
        let exists = newest.is_some();
        if let Some(newest) = newest {
            world.scratch.row.extend_from_slice(newest.words);
        }
        let change = self.change(attempt, of, exists)?;
        self.tell_wrote(attempt, of, seen, change.told());
        if let Some(append) = of.appended() {
            self.feed_appended(attempt, of.table, append);
        }
        let world = &mut self.world;
        let writer = world.attempts[attempt].cause.obligation;
        let state = &mut world.stores[store].store;
        match change {
            Change::Put => state.put_alone(row, &world.scratch.row, writer),
            Change::Delete => state.delete_alone(row, writer),
            Change::Nothing => return Ok(Some(StepResult::Nothing)),
        }
        if of.stream.is_some() {
            self.enqueue_outbox(attempt, TransactionEnd::Committed);
        }
        self.committed(attempt, store);
        Ok(Some(StepResult::Done))
    }

    /// What the step makes of the row in `scratch.row` (empty if absent); the new row is left there.
    pub(super) fn change(&mut self, attempt: u32, of: &RowStep, exists: bool) -> Result<Change, Error> {
        match of.verb {
            RowVerb::Insert if exists => {
                self.keep_row(attempt, of, true);
                return Ok(Change::Nothing);
            }
            RowVerb::Update | RowVerb::Delete if !exists => {
                self.keep_row(attempt, of, false);
                return Ok(Change::Nothing);
            }
            _ => {}
        }
        if !exists {
            self.start_row(of.table);
        }
        if let Some(append) = of.appended() {
            return self.fold_in(attempt, of.table, append).map(|()| Change::Put);
        }
        if let Some(filter) = of.filter
            && !self.holds(filter, attempt)?
        {
            self.keep_row(attempt, of, exists);
            return Ok(Change::Nothing);
        }
        if of.verb == RowVerb::Delete {
            return Ok(Change::Delete);
        }
        // Every value is computed from the row as it was.
        let mut values = Vec::with_capacity(of.set.len());
        for assignment in &of.set {
            values.push(self.value(assignment.value, attempt)?);
        }
        for (assignment, value) in of.set.iter().zip(values) {
            self.world.scratch.row[assignment.position as usize] = value;
        }
        self.keep_row(attempt, of, true);
        Ok(Change::Put)
    }

    /// What a new row starts with, under the key in `scratch.key`.
    fn start_row(&mut self, table: TableId) {
        let spec = &self.model.tables[table.index()];
        let scratch = &mut self.world.scratch;
        scratch.row.clear();
        scratch.row.extend_from_slice(&spec.initial);
        for (&column, &word) in spec.key.iter().zip(&scratch.key) {
            scratch.row[column as usize] = word;
        }
    }

    /// Names the row in `scratch.row` for the steps that follow.
    pub(super) fn keep_row(&mut self, attempt: u32, of: &RowStep, exists: bool) {
        let Some(result) = of.result else { return };
        self.set_local(attempt, result, exists as u64);
        if exists {
            let frame = self.world.attempts[attempt].frame;
            for (column, &word) in self.world.scratch.row.iter().enumerate() {
                self.world.words.set(frame, result + 1 + column as u16, word);
            }
        }
    }

    /// Computes the step's key into `scratch.key`.
    pub(super) fn load_key(&mut self, attempt: u32, of: &RowStep) -> Result<(), Error> {
        let mut key = std::mem::take(&mut self.world.scratch.key);
        key.clear();
        let mut result = Ok(());
        for &part in of.key.iter().flatten() {
            match self.evaluate(part, attempt) {
                Ok(word) => key.push(word),
                Err(error) => result = Err(error),
            }
        }
        self.world.scratch.key = key;
        result
    }

    /// The store that an attempt's service uses, and the number of a table in it.
    fn store_table(&self, attempt: u32, table: TableId) -> (usize, u32) {
        (self.store_of(attempt), self.model.tables[table.index()].number)
    }

    fn memory_table(&self, attempt: u32, table: TableId) -> (usize, u32) {
        (self.world.attempts[attempt].instance as usize, self.model.tables[table.index()].number)
    }

    /// Row steps on memory tables happen at once.
    fn memory_step(&mut self, attempt: u32, of: &RowStep) -> Result<StepResult, Error> {
        if of.verb == RowVerb::Scan {
            return self.scan(attempt, of, 0);
        }
        if of.key.is_some() {
            self.load_key(attempt, of)?;
            return self.memory_row(attempt, of);
        }
        let rows = self.visible_rows(attempt, of, 0)?;
        let spec = &self.model.tables[of.table.index()];
        let mut result = StepResult::Nothing;
        for row in rows.chunks(spec.columns as usize) {
            self.world.scratch.key.clear();
            self.world.scratch.key.extend(spec.key.iter().map(|&column| row[column as usize]));
            if self.memory_row(attempt, of)? == StepResult::Done {
                result = StepResult::Done;
            }
        }
        Ok(result)
    }

    fn memory_row(&mut self, attempt: u32, of: &RowStep) -> Result<StepResult, Error> {
        let (instance, table) = self.memory_table(attempt, of.table);
        let world = &mut self.world;
        let row = world.memories[instance].read(table, &world.scratch.key);
        let seen = version_of(row.as_ref());
        world.scratch.row.clear();
        let exists = row.is_some();
        if let Some(row) = row {
            world.scratch.row.extend_from_slice(row.words);
        }
        if let RowVerb::Read | RowVerb::ReadLocked = of.verb {
            self.keep_row(attempt, of, exists);
            self.tell_read(attempt, of.table, seen, of.result);
            return Ok(if exists { StepResult::Done } else { StepResult::Nothing });
        }
        let change = self.change(attempt, of, exists)?;
        self.tell_wrote(attempt, of, seen, change.told());
        let world = &mut self.world;
        let writer = world.attempts[attempt].cause.obligation;
        match change {
            Change::Put => world.memories[instance].put(table, &world.scratch.row, writer),
            Change::Delete => world.memories[instance].delete(table, &world.scratch.key, writer),
            Change::Nothing => return Ok(StepResult::Nothing),
        }
        self.tell_committed(attempt, Place::Memory(instance as u32));
        self.tell_transaction_ended(attempt, TransactionEnd::Committed);
        self.remembered(instance);
        Ok(StepResult::Done)
    }

    /// Says what a commit of a store changed, and lets times to live begin; then serves who waited. The
    /// attempt is `NONE` where a row's time was over.
    pub(super) fn committed(&mut self, attempt: u32, store: usize) {
        let model = self.model;
        self.tell_committed(attempt, Place::Store(store));
        self.keep_for_crash(store);
        self.replicate(attempt, store);
        if attempt != NONE {
            self.tell_transaction_ended(attempt, TransactionEnd::Committed);
        }
        let changes = self.world.stores[store].store.changes().len();
        for at in 0..changes {
            let Some(change) = self.world.stores[store].store.changes().nth(at) else { continue };
            let table = model.stores[store].tables[change.version.table as usize];
            let spec = &model.tables[table.index()];
            let words = change.new.or(change.old.map(|old| old.words)).unwrap_or(&[]);
            let row = spec.key.iter().fold(0, |hash, &column| mix(hash, words[column as usize]));
            if let (Some(words), Some(stream)) = (change.new, &spec.stream)
                && stream.keeps_past
            {
                let (table, words) = (change.version.table, words.to_vec());
                let now = self.agenda.now();
                self.world.stores[store].past.keep(table, &spec.key, now, words);
            }
            let Some(change) = self.world.stores[store].store.changes().nth(at) else { continue };
            let (version, obligation, new) = (change.version, change.writer, change.new.is_some());
            self.world.stir += 1;
            self.record(Record::Committed { table, row, version: version.number, obligation });
            if new {
                self.schedule_expiry(Expiring { version, table, memory: None });
            }
            if !spec.captures.is_empty() {
                self.capture_change(attempt, store, at, row);
            }
        }
        self.serve_waiters(store);
    }

    /// Those whose wait for a lock has ended go on.
    pub(super) fn serve_waiters(&mut self, store: usize) {
        let model = self.model;
        // Who is served may commit and free others: they are served in this loop, not inside it.
        if std::mem::replace(&mut self.world.stores[store].serving, true) {
            return;
        }
        while let Some(wake) = self.world.stores[store].store.next_wake() {
            let (attempt, result) = match wake {
                Wake::Overdue(version) => {
                    let table = model.stores[store].tables[version.table as usize];
                    self.expire_now(Expiring { version, table, memory: None });
                    continue;
                }
                Wake::Granted { owner, row } => (owner, Ok(row)),
                Wake::Conflict { owner, .. } => (owner, Err(Error::Conflict)),
            };
            let Wait::Lock { step } = self.world.attempts[attempt].wait else {
                unreachable!("only who waits for a lock is woken")
            };
            let of = &model.row_steps[step as usize];
            let result = result.and_then(|row| {
                let done = self.act(attempt, of, row)?;
                if of.key.is_some() {
                    return Ok(Some(done));
                }
                if done == StepResult::Done {
                    self.world.attempts[attempt].result = StepResult::Done;
                }
                self.next_row(attempt, of)
            });
            self.row_done(attempt, step, result);
        }
        self.world.stores[store].serving = false;
    }
}
