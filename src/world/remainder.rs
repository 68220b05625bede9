//! What is known of a remainder while it is run dry, and what it comes to.

use super::deed::{EndsOn, Part};
use super::store::{INITIAL_WRITER, UNCOMMITTED};
use crate::kernel::ids::TableId;
use crate::model::{Code, Model, Operand, RowStep, RowVerb, Slot, Word};
use rustc_hash::FxHashMap;

/// So many operations of a remainder are run.
const MOST_OPERATIONS: u32 = 100_000;

/// Rows as a remainder has left them; `None`: deleted.
pub(super) type Rows = FxHashMap<(TableId, Vec<Word>), Option<Vec<Word>>>;

/// What a remainder came to.
pub(super) struct Debt {
    /// What it would still have changed, each once.
    pub parts: Vec<Part>,
    /// A decision on the way is on a row that its own obligation has written.
    pub resumes: bool,
    pub ends_on: EndsOn,
    /// It was run to its end.
    pub is_whole: bool,
}

/// A remainder under way.
pub(super) struct Remainder {
    pub rows: Rows,
    pub debt: Vec<Part>,
    /// What no rollback takes back: messages sent at once, acts on the outside.
    pub sent: Vec<Part>,
    pub resumes: bool,
    pub ends_on: EndsOn,
    /// Locals that say whether a row is there that another obligation has left, and its table.
    marks: Vec<(Slot, TableId)>,
    /// Where the open transactions began: the rows then, and how much debt there was.
    pub transactions: Vec<(Rows, usize)>,
    pub operations: u32,
}

impl Default for Remainder {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            debt: Vec::new(),
            sent: Vec::new(),
            resumes: false,
            ends_on: EndsOn::Other,
            marks: Vec::new(),
            transactions: Vec::new(),
            operations: 0,
        }
    }
}

impl Remainder {
    /// It would still make these effects.
    pub fn owe(&mut self, parts: impl IntoIterator<Item = Part>) {
        self.debt.extend(parts);
        self.ends_on = EndsOn::Other;
    }

    /// It would leave a row like this.
    pub fn leave(&mut self, row: (TableId, Vec<Word>), words: Vec<Word>) {
        self.rows.insert(row, Some(words));
    }

    pub fn is_given_up(&self) -> bool {
        self.operations > MOST_OPERATIONS
    }

    /// A step comes upon a row that another one wrote, or that nobody did.
    pub fn find(&mut self, of: &RowStep, another: Option<u64>) {
        let is_anothers = another.is_some_and(|writer| writer != INITIAL_WRITER && writer != UNCOMMITTED);
        if let (RowVerb::Read | RowVerb::ReadLocked, Some(slot)) = (of.verb, of.result) {
            self.marks.retain(|mark| mark.0 != slot);
            self.marks.extend(is_anothers.then_some((slot, of.table)));
        }
        if is_anothers && of.verb == RowVerb::Insert && of.otherwise.is_some() {
            self.ends_on = EndsOn::AnothersRow(of.table);
        }
    }

    /// It decides on a condition.
    pub fn decide(&mut self, model: &Model, condition: Operand) {
        self.ends_on = match only_local(model, condition) {
            None => EndsOn::Other,
            Some(slot) => {
                let mark = self.marks.iter().find(|mark| mark.0 == slot);
                mark.map_or(EndsOn::Local(slot), |mark| EndsOn::AnothersRow(mark.1))
            }
        };
    }

    pub fn into_debt(self, is_whole: bool) -> Debt {
        let Self { debt: mut parts, sent, resumes, ends_on, .. } = self;
        parts.extend(sent);
        parts.sort_unstable();
        parts.dedup();
        Debt { parts, resumes, ends_on, is_whole }
    }
}

/// The local that a condition is on, if it is on one alone.
fn only_local(model: &Model, condition: Operand) -> Option<Slot> {
    let program = match condition {
        Operand::Local(slot) => return Some(slot),
        Operand::Program(program) => &model.instructions[model.programs[program as usize].indices()],
        Operand::Literal(_) | Operand::Message(_) => return None,
    };
    let mut slots = program.iter().filter_map(|code| match *code {
        Code::Local(slot) => Some(slot),
        Code::RowLocal { slot, .. } => Some(slot),
        _ => None,
    });
    let first = slots.next()?;
    slots.all(|slot| slot == first).then_some(first)
}
