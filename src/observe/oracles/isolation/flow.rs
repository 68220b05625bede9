//! Which locals a value, a condition or a row step is computed from: read off the code once, so that a
//! deed is judged by looking up.
//!
//! ```text
//! - { read: stock, key: 7, as: s }
//! - let: { left: s.amount - 1 }                        from s
//! - { update: stock, key: 7, set: { amount: left } }   from left, and so from s
//! ```
//!
//! `row.x` is the newest row under its lock, and no local. An item of a loop comes from the loop's list.

use crate::model::{
    AppendStep, Arithmetic, Code, Comparison, Model, NONE, Op, Operand, Pc, RowStep, RowVerb, Slot, Value,
};
use std::ops::Range;

/// A word of the frame that something is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub slot: Slot,
    /// Of an item of a loop over the rows in `slot`: its word, the first one for `exists`.
    pub item_word: Option<u16>,
}

/// What a row step is computed from.
#[derive(Clone, Debug, Default)]
pub struct StepFlow {
    /// What it sets.
    pub values: Vec<Use>,
    /// Which rows, and whether: its key and its `where`.
    pub choice: Vec<Use>,
    /// `where: row.version == local.version`: the local's word, and the column that it is equal to.
    pub guards: Vec<(Use, usize)>,
    /// Whether it only adds to what is there, so that it commutes with others that do.
    pub adds: bool,
    /// Whether something goes on elsewhere if there was nothing to do.
    pub branches: bool,
}

/// The data flow of a model.
#[derive(Clone, Debug)]
pub struct Flows {
    /// By operation: what a condition reads.
    conditions: Vec<Vec<Use>>,
    /// By value, of those that a `let` names.
    values: Vec<Vec<Use>>,
    steps: Vec<StepFlow>,
    /// By operation: whether it stands in a transaction.
    in_transaction: Vec<bool>,
}

impl Flows {
    pub fn new(model: &Model) -> Self {
        let mut flows = Self {
            conditions: vec![Vec::new(); model.code.len()],
            values: vec![Vec::new(); model.values.len()],
            steps: vec![StepFlow::default(); model.row_steps.len()],
            in_transaction: (0..model.code.len()).map(|pc| is_in_transaction(model, pc)).collect(),
        };
        for body in bodies(model) {
            flows.body(model, body);
        }
        flows
    }

    fn body(&mut self, model: &Model, body: Range<usize>) {
        let reader = Reader { model, items: items(model, body.clone()) };
        for pc in body {
            match model.code[pc] {
                Op::JumpUnless { condition, .. } => self.conditions[pc] = reader.operands([condition]),
                Op::Let { value, .. } => self.values[value as usize] = reader.values([value]),
                Op::Row(step) => {
                    self.steps[step as usize] = reader.step(&model.row_steps[step as usize]);
                }
                _ => {}
            }
        }
    }

    pub fn condition(&self, pc: Pc) -> &[Use] {
        &self.conditions[pc as usize]
    }

    pub fn value(&self, value: u32) -> &[Use] {
        &self.values[value as usize]
    }

    pub fn step(&self, step: u32) -> &StepFlow {
        &self.steps[step as usize]
    }

    pub fn in_transaction(&self, pc: Pc) -> bool {
        self.in_transaction[pc as usize]
    }
}

/// The row step at an operation that reads or writes rows.
pub fn row_step(model: &Model, pc: Pc) -> u32 {
    match model.code[pc as usize] {
        Op::Row(step) => step,
        other => unreachable!("rows are read and written by row steps: {other:?}"),
    }
}

fn is_in_transaction(model: &Model, pc: usize) -> bool {
    let mut region = model.region_of[pc];
    while region != NONE {
        if model.regions[region as usize].transaction.is_some() {
            return true;
        }
        region = model.regions[region as usize].parent;
    }
    false
}

/// The operations of each body: they lie one body after another.
fn bodies(model: &Model) -> Vec<Range<usize>> {
    let mut starts: Vec<usize> = model.handlers.iter().map(|handler| handler.entry as usize).collect();
    starts.push(model.code.len());
    starts.sort_unstable();
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// The words of a loop's item, and the list that they come from.
struct Item {
    words: Range<Slot>,
    of_rows: bool,
    list: Operand,
}

fn items(model: &Model, body: Range<usize>) -> Vec<Item> {
    let loops = model.code[body].iter().filter_map(|op| match op {
        Op::ForEach(of) => Some(&model.loops[*of as usize]),
        _ => None,
    });
    loops
        .map(|of| Item {
            words: of.item..of.item + of.item_words,
            of_rows: of.rows_of.is_some(),
            list: of.list,
        })
        .collect()
}

struct Reader<'m> {
    model: &'m Model,
    items: Vec<Item>,
}

impl Reader<'_> {
    fn operands(&self, operands: impl IntoIterator<Item = Operand>) -> Vec<Use> {
        let mut uses = Vec::new();
        operands.into_iter().for_each(|operand| self.operand(operand, &mut uses));
        uses.sort_unstable();
        uses.dedup();
        uses
    }

    fn values(&self, values: impl IntoIterator<Item = u32>) -> Vec<Use> {
        self.operands(values.into_iter().filter_map(|value| match &self.model.values[value as usize] {
            Value::Computed(operand) | Value::Counted { of: operand, .. } => Some(*operand),
            Value::Drawn { .. } | Value::Chosen { .. } => None,
        }))
    }

    fn operand(&self, operand: Operand, uses: &mut Vec<Use>) {
        match operand {
            Operand::Literal(_) | Operand::Message(_) => {}
            Operand::Local(slot) => self.slot(slot, uses),
            Operand::Program(_) => {
                for code in self.program(operand) {
                    match *code {
                        Code::Local(slot) | Code::RowLocal { slot, .. } => self.slot(slot, uses),
                        _ => {}
                    }
                }
            }
        }
    }

    fn slot(&self, slot: Slot, uses: &mut Vec<Use>) {
        uses.push(Use { slot, item_word: None });
        let Some(item) = self.items.iter().find(|item| item.words.contains(&slot)) else { return };
        match item.list {
            Operand::Local(list) if item.of_rows => {
                uses.push(Use { slot: list, item_word: Some(slot - item.words.start) });
            }
            list => self.operand(list, uses),
        }
    }

    fn program(&self, operand: Operand) -> &[Code] {
        match operand {
            Operand::Program(program) => {
                &self.model.instructions[self.model.programs[program as usize].indices()]
            }
            _ => &[],
        }
    }

    fn step(&self, step: &RowStep) -> StepFlow {
        let key = step.key.iter().flatten().copied();
        if let Some(append) = step.appended() {
            return self.append(step, append);
        }
        StepFlow {
            values: self.values(step.set.iter().map(|assignment| assignment.value)),
            choice: self.operands(key.chain(step.filter)),
            guards: step.filter.map_or_else(Vec::new, |filter| self.guards(filter)),
            adds: self.adds(step),
            branches: step.otherwise.is_some(),
        }
    }

    /// What is appended at any version only adds to the stream; at an expected one, that is a guard.
    fn append(&self, step: &RowStep, append: &AppendStep) -> StepFlow {
        let with = &self.model.assignments[append.with.indices()];
        let expected = self.operands(append.expect);
        let stream = self.model.tables[step.table.index()].stream.as_deref();
        let version = stream.map_or(0, |stream| stream.version as usize);
        StepFlow {
            values: self.values(with.iter().map(|assignment| assignment.value)),
            choice: self.operands(step.key.iter().flatten().copied()),
            guards: expected.into_iter().map(|used| (used, version)).collect(),
            adds: append.expect.is_none(),
            branches: false,
        }
    }

    /// The equalities between a column and a local that hold wherever the condition does.
    fn guards(&self, filter: Operand) -> Vec<(Use, usize)> {
        let code = self.program(filter);
        let conjunctive =
            |code: &Code| !matches!(code, Code::OrElse(_) | Code::Not | Code::Unless(_) | Code::Skip(_));
        if !code.iter().all(conjunctive) {
            return Vec::new();
        }
        let mut guards = Vec::new();
        for (at, three) in code.windows(3).enumerate() {
            let is_whole = matches!(code.get(at + 3), None | Some(Code::AndThen(_)));
            let (column, slot) = match three {
                [Code::Row(column), Code::RowLocal { slot, .. } | Code::Local(slot), equal]
                | [Code::RowLocal { slot, .. } | Code::Local(slot), Code::Row(column), equal]
                    if is_whole && *equal == Code::CompareSigned(Comparison::Equal) =>
                {
                    (*column, *slot)
                }
                _ => continue,
            };
            let mut uses = Vec::new();
            self.slot(slot, &mut uses);
            guards.extend(uses.into_iter().map(|used| (used, column as usize)));
        }
        guards
    }

    /// Whether a step only adds to columns: nothing else of the row is asked for, tested or kept.
    fn adds(&self, step: &RowStep) -> bool {
        let incidental = &self.model.tables[step.table.index()].incidental;
        let is_add = |column: u16, value: u32| match &self.model.values[value as usize] {
            Value::Computed(operand) => is_sum_with(self.program(*operand), column),
            _ => false,
        };
        matches!(step.verb, RowVerb::Update | RowVerb::Upsert)
            && step.filter.is_none()
            && step.result.is_none()
            && step.otherwise.is_none()
            && step.set.iter().all(|assignment| {
                incidental[assignment.position as usize] || is_add(assignment.position, assignment.value)
            })
    }
}

/// Whether a program is `row.column + e`, `row.column - e` or `e + row.column`, with nothing of the row in e.
fn is_sum_with(code: &[Code], column: u16) -> bool {
    let of_row = |code: &&Code| matches!(code, Code::Row(_));
    if code.iter().filter(of_row).count() != 1 {
        return false;
    }
    match code {
        [Code::Row(first), term @ .., Code::Integer(Arithmetic::Add | Arithmetic::Subtract)] => {
            *first == column && is_one_value(term)
        }
        [term @ .., Code::Row(last), Code::Integer(Arithmetic::Add)] => *last == column && is_one_value(term),
        _ => false,
    }
}

/// Whether instructions without jumps and lists leave one word, and need none.
fn is_one_value(code: &[Code]) -> bool {
    let mut depth = 0_usize;
    for instruction in code {
        let (takes, gives) = match instruction {
            Code::Literal(_) | Code::Local(_) | Code::RowLocal { .. } | Code::Message(_) => (0, 1),
            Code::NegateInteger | Code::AbsoluteInteger => (1, 1),
            Code::Integer(_) => (2, 1),
            _ => return false,
        };
        if depth < takes {
            return false;
        }
        depth = depth - takes + gives;
    }
    depth == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADD: Code = Code::Integer(Arithmetic::Add);
    const TIMES: Code = Code::Integer(Arithmetic::Multiply);

    #[test]
    fn a_sum_with_the_column_itself_commutes_and_nothing_else() {
        assert!(is_sum_with(&[Code::Row(2), Code::Literal(1), ADD], 2));
        assert!(is_sum_with(&[Code::Literal(1), Code::Row(2), ADD], 2));
        assert!(is_sum_with(&[Code::Row(2), Code::Message(0), Code::Literal(3), TIMES, ADD], 2));
        assert!(!is_sum_with(&[Code::Row(2), Code::Literal(1), ADD], 3), "another column's value");
        assert!(!is_sum_with(&[Code::Literal(1), Code::Row(2), ADD], 3), "another column's value");
        assert!(!is_sum_with(&[Code::Now, Code::Row(2), ADD], 2), "what is added is not known to be a value");
        assert!(!is_sum_with(&[Code::Row(2), Code::Literal(2), TIMES, Code::Literal(1), ADD], 2));
        assert!(!is_sum_with(&[Code::Row(2), Code::Row(2), ADD], 2), "doubles");
        assert!(
            !is_sum_with(&[Code::Literal(9), Code::Row(2), Code::Integer(Arithmetic::Subtract)], 2),
            "what is there is taken from something"
        );
    }
}
