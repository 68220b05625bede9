//! Formulas: programs over a row, evaluated by judges.
//!
//! The arithmetic is the handlers' own ([`crate::model::arithmetic`]): an overflow or a division by zero is an
//! error here too, and a condition that cannot be calculated does not hold. A figure of no rows (the least
//! of none) is no value: a condition that needs it is not judged.

use crate::kernel::ids::TableId;
use crate::model::arithmetic::{calculate, pop, two};
use crate::model::promise::Formula;
use crate::model::{Code, Model, NONE, Operand, Word};
use crate::world::identity::mix;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A figure of no rows is needed.
    NoValue,
    /// It overflows, divides by zero, or asks for what a list does not have.
    Failed,
}

/// What a formula may look at beside the row in hand.
pub trait Surroundings {
    /// A row of a table, by the hash of its key.
    fn row(&mut self, table: TableId, key: u64) -> Option<&[Word]>;

    /// An aggregate of the rows whose keys have this hash.
    fn aggregate(&mut self, aggregate: u32, keys: u64) -> Result<Word, Trouble>;
}

/// Nothing beside the row.
impl Surroundings for () {
    fn row(&mut self, _: TableId, _: u64) -> Option<&[Word]> {
        None
    }

    fn aggregate(&mut self, _: u32, _: u64) -> Result<Word, Trouble> {
        Err(Trouble::NoValue)
    }
}

/// The longest list that a range may make.
const LONGEST_LIST: i64 = 1_000_000;

/// Runs formulas; keeps its stack from one to the next.
#[derive(Clone, Debug)]
pub struct Evaluator<'m> {
    pub model: &'m Model,
    stack: Vec<Word>,
    lists: Vec<Vec<Word>>,
}

/// The name of a key: a hash of its words, as deeds have it.
pub fn hash_of(key: impl IntoIterator<Item = Word>) -> u64 {
    key.into_iter().fold(0, mix)
}

impl<'m> Evaluator<'m> {
    pub fn new(model: &'m Model) -> Self {
        Self { model, stack: Vec::new(), lists: Vec::new() }
    }

    /// The value of a formula over a row.
    pub fn value(
        &mut self,
        formula: &Formula,
        row: &[Word],
        around: &mut impl Surroundings,
    ) -> Result<Word, Trouble> {
        self.stack.clear();
        self.lists.clear();
        let model = self.model;
        self.run(&model.instructions[formula.code.indices()], row, around)?;
        self.stack.pop().ok_or(Trouble::Failed)
    }

    /// The value of an expression over the fields of a message.
    pub fn of_message(&mut self, operand: Operand, fields: &[Word]) -> Result<Word, Trouble> {
        match operand {
            Operand::Literal(small) => Ok(small.word()),
            Operand::Message(field) => Ok(fields[field as usize]),
            Operand::Program(program) => {
                let code = self.model.programs[program as usize];
                self.value(&Formula { code, tables: Vec::new(), aggregates: Vec::new() }, fields, &mut ())
            }
            Operand::Local(_) => Err(Trouble::Failed),
        }
    }

    /// Whether a condition holds of a row.
    pub fn holds(
        &mut self,
        formula: &Formula,
        row: &[Word],
        around: &mut impl Surroundings,
    ) -> Result<bool, Trouble> {
        self.value(formula, row, around).map(|word| word != 0)
    }

    fn run(&mut self, code: &[Code], row: &[Word], around: &mut impl Surroundings) -> Result<(), Trouble> {
        let mut at = 0;
        while at < code.len() {
            let instruction = code[at];
            at += 1;
            match instruction {
                Code::Literal(word) => self.stack.push(word),
                Code::Row(column) | Code::Message(column) => self.stack.push(row[column as usize]),
                Code::Skip(distance) => at += distance as usize,
                Code::Unless(distance) => {
                    if self.stack.pop() == Some(0) {
                        at += distance as usize;
                    }
                }
                Code::AndThen(distance) => match self.stack.last() {
                    Some(0) => at += distance as usize,
                    _ => drop(self.stack.pop()),
                },
                Code::OrElse(distance) => match self.stack.last() {
                    Some(0) => drop(self.stack.pop()),
                    _ => at += distance as usize,
                },
                Code::Exists { table, key } => {
                    let key = self.take_key(key);
                    let exists = around.row(table, key).is_some();
                    self.stack.push(exists as Word);
                }
                Code::Column { table, key, column } => {
                    let key = self.take_key(key);
                    let initial = self.model.tables[table.index()].initial[column as usize];
                    let word = around.row(table, key).map_or(initial, |row| row[column as usize]);
                    self.stack.push(word);
                }
                Code::Aggregate { aggregate, keys } => {
                    let keys = self.take_key(keys);
                    let word = around.aggregate(aggregate, keys)?;
                    self.stack.push(word);
                }
                Code::List(_) | Code::Range | Code::Size | Code::Index | Code::In => {
                    self.list(instruction)?
                }
                arithmetic => calculate(arithmetic, &mut self.stack).map_err(|_| Trouble::Failed)?,
            }
        }
        Ok(())
    }

    /// The hash of a key whose words are on top of the stack.
    fn take_key(&mut self, words: u16) -> u64 {
        let from = self.stack.len().saturating_sub(words as usize);
        hash_of(self.stack.drain(from..))
    }

    fn list(&mut self, code: Code) -> Result<(), Trouble> {
        match code {
            Code::List(count) => {
                let from = self.stack.len().saturating_sub(count as usize);
                let list = self.stack.drain(from..).collect();
                self.keep(list);
            }
            Code::Range => {
                let (low, high) = two(&mut self.stack);
                let (low, high) = (low as i64, high as i64);
                if high.checked_sub(low).is_none_or(|length| length >= LONGEST_LIST) {
                    return Err(Trouble::Failed);
                }
                self.keep((low..=high).map(|item| item as Word).collect());
            }
            Code::Size => {
                let list = pop(&mut self.stack);
                self.stack.push(self.items(list).len() as Word);
            }
            Code::Index => {
                let (list, position) = two(&mut self.stack);
                let item = self.items(list).get(position as usize).copied();
                self.stack.push(item.ok_or(Trouble::Failed)?);
            }
            _ => {
                let (item, list) = two(&mut self.stack);
                self.stack.push(self.items(list).contains(&item) as Word);
            }
        }
        Ok(())
    }

    fn keep(&mut self, list: Vec<Word>) {
        self.lists.push(list);
        self.stack.push(self.lists.len() as Word - 1);
    }

    fn items(&self, list: Word) -> &[Word] {
        if list == NONE as Word { &[] } else { self.lists.get(list as usize).map_or(&[], Vec::as_slice) }
    }
}
