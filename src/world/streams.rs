//! Event streams: what is appended, what it folds to, and what a stream was.
//!
//! A store keeps of each stream the row that its messages fold to, so that appending is a change of that
//! row: its locks, versions and commits are those of every row. What is appended to a stream with a topic
//! is handed, when it is committed, to the relay that carries it there; the relay takes it up in the order
//! of the commits, and goes on from its position when it was cut.
//!
//! Folding takes time, not work: `load` waits as long as reading the messages since the last snapshot
//! takes. The snapshot is written with the message that completes its block.

use super::attempt::StepResult;
use super::deed::Part;
use super::record::Observer;
use super::remainder::Remainder;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::*;
use crate::kernel::time::{LONGEST, Nanos};
use crate::model::{
    AppendStep, AsOf, Duration, Error, Model, NONE, Pc, RowStep, RowVerb, Slot, Stream, StreamStep, Word,
};
use rustc_hash::FxHashMap;

/// The states that streams had, kept where some step asks for one.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// By number of the table: by key, every state with the time of its commit, oldest first.
    streams: Vec<FxHashMap<Vec<Word>, Vec<State>>>,
    words: usize,
}

#[derive(Clone, Debug)]
struct State {
    since: Nanos,
    words: Vec<Word>,
}

/// What a state takes beside its words.
const BESIDE_WORDS: usize = 4;

impl Past {
    /// Keeps a state that was committed now.
    pub fn keep(&mut self, table: u32, key: &[u32], since: Nanos, words: Vec<Word>) {
        let table = table as usize;
        if self.streams.len() <= table {
            self.streams.resize_with(table + 1, FxHashMap::default);
        }
        self.words += words.len() + BESIDE_WORDS;
        let key = key.iter().map(|&column| words[column as usize]).collect();
        self.streams[table].entry(key).or_default().push(State { since, words });
    }

    /// The newest state of a stream never came to be.
    pub fn forget(&mut self, table: u32, key: &[Word]) {
        let states = self.streams.get_mut(table as usize).and_then(|streams| streams.get_mut(key));
        if let Some(state) = states.and_then(Vec::pop) {
            self.words -= state.words.len() + BESIDE_WORDS;
        }
    }

    /// Words that all states take.
    pub fn kept(&self) -> usize {
        self.words
    }

    /// The state of a version, counted from 1.
    fn version(&self, table: u32, key: &[Word], version: i64) -> Option<&[Word]> {
        let states = self.streams.get(table as usize)?.get(key)?;
        let at = usize::try_from(version).ok()?.checked_sub(1)?;
        states.get(at).map(|state| &state.words[..])
    }

    /// The state at an instant.
    fn at(&self, table: u32, key: &[Word], instant: Nanos) -> Option<&[Word]> {
        let states = self.streams.get(table as usize)?.get(key)?;
        let before = states.partition_point(|state| state.since <= instant);
        states.get(before.checked_sub(1)?).map(|state| &state.words[..])
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Makes the message of an `append`. Its own tries share one id.
    pub(super) fn make_appended(
        &mut self,
        attempt: u32,
        pc: Pc,
        of: &RowStep,
        append: &AppendStep,
    ) -> Result<(), Error> {
        self.drop_outgoing(attempt);
        self.world.attempts[attempt].pc = pc;
        let model = self.model;
        let message = match model.publishes.get(append.publish as usize) {
            Some(publish) => self.make_publication(attempt, publish, append.publish)?,
            None => self.make_message(attempt, append.message, append.with, of.site)?,
        };
        if append.tries != Slot::MAX && self.local(attempt, append.tries) > 0 {
            self.world.messages[message].id = self.local(attempt, append.id);
        }
        let id = self.world.messages[message].id;
        self.set_local(attempt, append.id, id);
        self.world.attempts[attempt].outgoing = message;
        Ok(())
    }

    /// The same, when an `append` has its answer.
    pub(super) fn drop_appended(&mut self, attempt: u32, step: u32) {
        if self.model.row_steps[step as usize].verb == RowVerb::Append {
            self.drop_outgoing(attempt);
        }
    }

    /// Lets go of a message that was not appended, or is not published.
    pub(super) fn drop_outgoing(&mut self, attempt: u32) {
        let outgoing = std::mem::replace(&mut self.world.attempts[attempt].outgoing, NONE);
        if outgoing != NONE {
            self.release_message(outgoing);
        }
    }

    /// Folds the message that is appended into the state in `scratch.row`.
    ///
    /// # Errors
    ///
    /// `conflict` if the stream is at another version than the one expected; whatever the fold has.
    pub(super) fn fold_in(&mut self, attempt: u32, table: TableId, append: &AppendStep) -> Result<(), Error> {
        let stream = stream_of(self.model, table);
        let version = stream.version as usize;
        if let Some(expect) = append.expect
            && self.evaluate(expect, attempt)? != self.world.scratch.row[version]
        {
            return Err(Error::Conflict);
        }
        let set = stream.apply.iter().find(|(message, _)| *message == append.message);
        let set = set.map_or(&[][..], |(_, set)| set);
        // What the fold calls `message` is the one that is appended.
        let of = &mut self.world.attempts[attempt];
        let appended = of.outgoing;
        let in_hand = std::mem::replace(&mut of.message, appended);
        let values: Result<Vec<Word>, Error> =
            set.iter().map(|assignment| self.value(assignment.value, attempt)).collect();
        self.world.attempts[attempt].message = in_hand;
        let row = &mut self.world.scratch.row;
        for (assignment, value) in set.iter().zip(values?) {
            row[assignment.position as usize] = value;
        }
        row[version] += 1;
        Ok(())
    }

    /// Hands what was appended to the relay of its stream, which sees it when it is committed.
    pub(super) fn feed_appended(&mut self, attempt: u32, table: TableId, append: &AppendStep) {
        let model = self.model;
        let Some(feed) = stream_of(self.model, table).feed else { return };
        let message = std::mem::replace(&mut self.world.attempts[attempt].outgoing, NONE);
        self.tell_published(attempt, message, &model.publishes[append.publish as usize]);
        self.world.outboxes[feed as usize].follow(attempt, message);
    }

    /// The answer to a `load` takes as long as folding the state in `scratch.row` from its snapshot.
    pub(super) fn fold(&mut self, attempt: u32, table: TableId) {
        let stream = stream_of(self.model, table);
        let version = self.world.scratch.row.get(stream.version as usize).copied().unwrap_or(0);
        let messages = stream.folded(version);
        let length = match stream.read {
            Duration::Constant(each) => each.saturating_mul(messages).min(LONGEST),
            each => {
                let key = self.attempt_key(attempt).beside(self.world.attempts[attempt].pc);
                (0..messages).fold(0, |length: Nanos, message| {
                    length.saturating_add(self.length(each, key.beside(message as u32))).min(LONGEST)
                })
            }
        };
        let slowness = self.step_length(Duration::Constant(length), attempt);
        let answer = &mut self.world.attempts[attempt].last_wait;
        *answer = answer.saturating_add(slowness.unwrap_or(length)).min(LONGEST);
    }

    /// A `load` of a state that the stream had, whose key is in `scratch.key`. What has been is read by
    /// whoever asks for it, and is never out of date.
    pub(super) fn look_back(&mut self, attempt: u32, of: &RowStep) -> Result<StepResult, Error> {
        let Some(StreamStep::Load(Some(as_of))) = of.stream.as_deref() else {
            unreachable!("called where the past is asked for")
        };
        let (AsOf::Version(operand) | AsOf::Time(operand)) = *as_of;
        let wanted = self.evaluate(operand, attempt)?;
        let store = self.store_of(attempt);
        let number = self.model.tables[of.table.index()].number;
        let world = &mut self.world;
        let (past, key) = (&world.stores[store].past, &world.scratch.key);
        let state = match as_of {
            AsOf::Version(_) => past.version(number, key, wanted as i64),
            AsOf::Time(_) => past.at(number, key, (wanted as i64).max(0) as Nanos),
        };
        world.scratch.row.clear();
        let exists = state.is_some();
        world.scratch.row.extend_from_slice(state.unwrap_or(&[]));
        self.keep_row(attempt, of, exists);
        self.fold(attempt, of.table);
        Ok(if exists { StepResult::Done } else { StepResult::Nothing })
    }

    /// An `append` of a remainder that is run dry: the change, and the message if it is published.
    pub(super) fn dry_append(
        &mut self,
        attempt: u32,
        of: &RowStep,
        append: &AppendStep,
        name: (TableId, Vec<Word>),
        exists: bool,
        remainder: &mut Remainder,
    ) -> Result<StepResult, Error> {
        let message = self.make_message(attempt, append.message, append.with, of.site)?;
        let under_way = std::mem::replace(&mut self.world.attempts[attempt].outgoing, message);
        let changed = self.change(attempt, of, exists);
        self.world.attempts[attempt].outgoing = under_way;
        self.release_message(message);
        changed?;
        let (row, item) = (self.row_part(attempt, of), self.world.attempts[attempt].item);
        let published = self.model.publishes.get(append.publish as usize);
        let published = published.map(|publish| Part::new(publish.site, item));
        remainder.owe([row].into_iter().chain(published));
        remainder.leave(name, self.world.scratch.row.clone());
        Ok(StepResult::Done)
    }
}

/// Whether a step asks for a state that a stream had.
pub(super) fn asks_for_past(of: &RowStep) -> bool {
    matches!(of.stream.as_deref(), Some(StreamStep::Load(Some(_))))
}

fn stream_of(model: &Model, table: TableId) -> &Stream {
    model.tables[table.index()].stream.as_deref().expect("compiled: a step on a stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_asked_by_version_from_1_and_by_instant() {
        let mut past = Past::default();
        for (since, version) in [(10, 1), (10, 2), (30, 3)] {
            past.keep(2, &[0], since, vec![7, version]);
        }
        let version = |version| past.version(2, &[7], version).map(|words| words[1]);
        assert_eq!([0, 1, 3, 4, -1].map(version), [None, Some(1), Some(3), None, None]);
        let at = |instant| past.at(2, &[7], instant).map(|words| words[1]);
        assert_eq!([9, 10, 29, 30, 99].map(at), [None, Some(2), Some(2), Some(3), Some(3)]);
        assert!(past.at(2, &[8], 99).is_none() && past.at(0, &[7], 99).is_none());
        assert_eq!(past.kept(), 3 * (2 + BESIDE_WORDS));
    }
}
