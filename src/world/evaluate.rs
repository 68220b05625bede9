//! Values: operands, programs on a stack of words, and draws.

use super::record::{Observer, Record};
use super::words::EMPTY;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::StreamId;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::{LONGEST, Nanos, nanos_from_f64};
use crate::model::arithmetic::{calculate, pop, two};
use crate::model::{Assignment, Code, Duration, Error, Operand, Value, Word};

/// The longest list an expression may make.
const LONGEST_LIST: i64 = 1_000_000;

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// The value of an operand for an attempt. Lists it makes are temporaries.
    #[inline]
    pub(super) fn evaluate(&mut self, operand: Operand, attempt: u32) -> Result<Word, Error> {
        match operand {
            Operand::Literal(small) => Ok(small.word()),
            Operand::Local(slot) => Ok(self.local(attempt, slot)),
            Operand::Message(field) => Ok(self.message_field(attempt, field)),
            Operand::Program(program) => self.run_program(program, attempt),
        }
    }

    /// Whether a condition holds.
    #[inline]
    pub(super) fn holds(&mut self, operand: Operand, attempt: u32) -> Result<bool, Error> {
        Ok(self.evaluate(operand, attempt)? != 0)
    }

    /// A computed or drawn value.
    pub(super) fn value(&mut self, value: u32, attempt: u32) -> Result<Word, Error> {
        let model = self.model;
        match &model.values[value as usize] {
            Value::Computed(operand) => self.evaluate(*operand, attempt),
            Value::Drawn { stream, per_attempt } => Ok(self.draw_value(*stream, *per_attempt, attempt)),
            Value::Chosen { stream, per_attempt, words } => {
                let position = self.draw_value(*stream, *per_attempt, attempt);
                Ok(words[(position as usize).min(words.len() - 1)])
            }
            Value::Counted { counter, of } => {
                let of = self.evaluate(*of, attempt)?;
                let count = self.world.counters[*counter as usize].entry(of).or_insert(0);
                *count += 1;
                let count = *count;
                Ok(self.made(attempt, count))
            }
        }
    }

    fn draw_value(&mut self, stream: StreamId, per_attempt: bool, attempt: u32) -> Word {
        let of = &self.world.attempts[attempt];
        let key =
            if per_attempt { of.cause.attempt_key(of.item, of.tries) } else { of.cause.value_key(of.item) };
        self.agenda.draw(stream, key)
    }

    /// Keys a draw of the attempt: durations, routing.
    #[inline(always)]
    pub(super) fn attempt_key(&self, attempt: u32) -> DrawKey {
        let of = &self.world.attempts[attempt];
        of.cause.attempt_key(of.item, of.tries)
    }

    /// How long a step lasts by the clock: a wait, a delay, an act of the outside.
    #[inline(always)]
    pub(super) fn clock_length(&mut self, duration: Duration, attempt: u32) -> Result<Nanos, Error> {
        match duration {
            Duration::Constant(nanos) => Ok(nanos),
            Duration::Drawn(stream) => {
                let key = self.attempt_key(attempt);
                Ok(self.agenda.draw(stream, key))
            }
            Duration::Computed(operand) => self.computed_length(operand, attempt),
        }
    }

    fn computed_length(&mut self, operand: Operand, attempt: u32) -> Result<Nanos, Error> {
        let nanos = self.evaluate(operand, attempt)? as i64;
        self.drop_temporaries();
        // A computed length below zero is clamped.
        Ok((nanos.max(0) as Nanos).min(LONGEST))
    }

    /// How long work or a store takes, the instance's slowness included.
    #[inline(always)]
    pub(super) fn step_length(&mut self, duration: Duration, attempt: u32) -> Result<Nanos, Error> {
        let nanos = self.clock_length(duration, attempt)?;
        let instance = self.world.attempts[attempt].instance;
        match self.world.instances.get(instance as usize) {
            Some(slow) if slow.slowness != 1.0 => Ok(nanos_from_f64(nanos as f64 * slow.slowness)),
            _ => Ok(nanos),
        }
    }

    #[inline]
    pub(super) fn local(&self, attempt: u32, slot: u16) -> Word {
        self.world.words.get(self.world.attempts[attempt].frame, slot)
    }

    #[inline]
    pub(super) fn set_local(&mut self, attempt: u32, slot: u16, word: Word) {
        let frame = self.world.attempts[attempt].frame;
        self.world.words.set(frame, slot, word);
    }

    fn message_field(&self, attempt: u32, field: u16) -> Word {
        let message = self.world.attempts[attempt].message;
        self.world.words.get(self.world.messages[message].payload, field)
    }

    /// Frees lists that expressions of the step in hand made and nobody took.
    #[inline]
    pub(super) fn drop_temporaries(&mut self) {
        while let Some(list) = self.world.scratch.temporaries.pop() {
            self.world.lists.release(list);
        }
    }

    /// Makes a list one's own: a temporary is taken over, any other is copied.
    pub(super) fn own_list(&mut self, list: Word) -> Word {
        let temporaries = &mut self.world.scratch.temporaries;
        match temporaries.iter().position(|&temporary| temporary == list) {
            Some(position) => temporaries.swap_remove(position),
            None => self.world.lists.duplicate(list),
        }
    }

    /// Writes assignments into a block of words; words at `lists` own theirs.
    #[inline(always)]
    pub(super) fn assign(
        &mut self,
        assignments: &[Assignment],
        block: u32,
        lists: &[u16],
        attempt: u32,
    ) -> Result<(), Error> {
        if assignments.is_empty() && lists.is_empty() {
            return Ok(());
        }
        self.assign_all(assignments, block, lists, attempt)
    }

    fn assign_all(
        &mut self,
        assignments: &[Assignment],
        block: u32,
        lists: &[u16],
        attempt: u32,
    ) -> Result<(), Error> {
        for &list in lists {
            self.world.words.set(block, list, EMPTY);
        }
        for assignment in assignments {
            let mut word = self.value(assignment.value, attempt)?;
            if !lists.is_empty() && lists.contains(&assignment.position) {
                word = self.own_list(word);
            }
            self.world.words.set(block, assignment.position, word);
        }
        self.drop_temporaries();
        Ok(())
    }

    fn run_program(&mut self, program: u32, attempt: u32) -> Result<Word, Error> {
        let model = self.model;
        let range = model.programs[program as usize];
        let code = &model.instructions[range.indices()];
        let mut stack = std::mem::take(&mut self.world.scratch.stack);
        let base = stack.len();
        let result = self.run_code(code, &mut stack, attempt);
        let value = stack.pop().unwrap_or(0);
        stack.truncate(base);
        self.world.scratch.stack = stack;
        match result {
            Ok(()) => Ok(value),
            Err(cut) => Err(self.cut_short(range.start, cut)),
        }
    }

    /// Says where an expression had no value. That a row is absent is a value's absence that a design
    /// reckons with, and no miscalculation.
    #[cold]
    #[inline(never)]
    fn cut_short(&mut self, start: u32, (error, after): (Error, usize)) -> Error {
        if error == Error::Failed && !self.world.scratch.is_dry {
            self.record(Record::Miscalculated { instruction: start + after as u32 - 1 });
        }
        error
    }

    /// Runs instructions; an error comes with the number of them that were begun.
    fn run_code(&mut self, code: &[Code], stack: &mut Vec<Word>, attempt: u32) -> Result<(), (Error, usize)> {
        let mut at = 0;
        while at < code.len() {
            let instruction = code[at];
            at += 1;
            match instruction {
                Code::Literal(word) => stack.push(word),
                Code::Local(slot) => stack.push(self.local(attempt, slot)),
                Code::RowLocal { exists, slot } => {
                    if self.local(attempt, exists) == 0 {
                        return Err((Error::Missing, at));
                    }
                    stack.push(self.local(attempt, slot));
                }
                Code::Message(field) => stack.push(self.message_field(attempt, field)),
                Code::Row(column) => stack.push(self.world.scratch.row[column as usize]),
                Code::Skip(distance) => at += distance as usize,
                Code::Unless(distance) => {
                    if stack.pop() == Some(0) {
                        at += distance as usize;
                    }
                }
                Code::AndThen(distance) => match stack.last() {
                    Some(0) => at += distance as usize,
                    _ => drop(stack.pop()),
                },
                Code::OrElse(distance) => match stack.last() {
                    Some(0) => drop(stack.pop()),
                    _ => at += distance as usize,
                },
                Code::MessageId
                | Code::MessageKey
                | Code::MessagePublishedAt
                | Code::MessageSchema
                | Code::DeliveryAttempt
                | Code::DeliveryTopic
                | Code::DeliveryPartition
                | Code::DeliveryOffset
                | Code::DeliveryReplayed
                | Code::Instance
                | Code::InFlight
                | Code::QueueLength
                | Code::Now
                | Code::Unique => {
                    let word = self.surroundings(instruction, attempt);
                    stack.push(word);
                }
                Code::List(count) => {
                    let list = self.temporary();
                    let from = stack.len() - count as usize;
                    self.world.lists.extend(list, stack.drain(from..));
                    stack.push(list);
                }
                Code::Range => {
                    let (low, high) = two(stack);
                    let (low, high) = (low as i64, high as i64);
                    if high.checked_sub(low).is_none_or(|length| length >= LONGEST_LIST) {
                        return Err((Error::Failed, at));
                    }
                    let list = self.temporary();
                    self.world.lists.extend(list, (low..=high).map(|item| item as Word));
                    stack.push(list);
                }
                Code::Size => {
                    let list = pop(stack);
                    stack.push(self.world.lists.get(list).len() as Word);
                }
                Code::Index => {
                    let (list, position) = two(stack);
                    let item = self.world.lists.get(list).get(position as usize);
                    stack.push(*item.ok_or((Error::Failed, at))?);
                }
                Code::In => {
                    let (item, list) = two(stack);
                    stack.push(self.world.lists.get(list).contains(&item) as Word);
                }
                arithmetic => calculate(arithmetic, stack).map_err(|error| (error, at))?,
            }
        }
        Ok(())
    }

    fn temporary(&mut self) -> Word {
        let list = self.world.lists.add();
        self.world.scratch.temporaries.push(list);
        list
    }

    /// What an expression may know of the message, the delivery and the instance in hand.
    fn surroundings(&mut self, code: Code, attempt: u32) -> Word {
        let of = &self.world.attempts[attempt];
        let instance = of.instance;
        let message = of.message;
        match code {
            Code::MessageId => self.world.messages[message].id,
            Code::MessageKey => self.world.messages[message].key.unwrap_or(0),
            Code::MessagePublishedAt => self.world.messages[message].published_at,
            Code::MessageSchema => {
                let kind = self.world.messages[message].kind;
                Word::from(self.model.messages[kind.index()].schema)
            }
            Code::Instance => self.model.instances[instance as usize].number as Word,
            Code::InFlight => self.world.instances[instance as usize].busy as Word,
            Code::QueueLength => self.world.instances[instance as usize].waiting() as Word,
            Code::Now => {
                let skew = self.world.instances.get(instance as usize).map_or(0, |instance| instance.skew);
                self.agenda.now().saturating_add_signed(skew)
            }
            Code::Unique => {
                let handler = of.handler;
                self.unique((attempt, handler), 0x756E_6971)
            }
            delivery => self.delivery_value(delivery, attempt),
        }
    }

    /// A value that nobody else gets, told apart by `kind`. Each handler counts for itself, so that
    /// what another makes unique shifts nobody.
    #[inline(always)]
    pub(super) fn unique(&mut self, (attempt, handler): (u32, u32), kind: u64) -> Word {
        let count = &mut self.world.unique[handler as usize];
        *count += 1;
        let key = self.model.handlers[handler as usize].key;
        let word = super::identity::mix(key ^ kind, self.model.seed.rotate_left(40) ^ *count);
        self.made(attempt, word)
    }

    /// A value that an attempt has made; what it made in the run that this one repeats, if it does.
    #[inline(always)]
    fn made(&mut self, attempt: u32, value: Word) -> Word {
        if self.model.promises.reference.is_none() { value } else { self.made_again(attempt, value) }
    }
}
