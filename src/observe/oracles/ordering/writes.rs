//! What row steps write, read off their code once: which columns, and what their new values are made of.

use crate::kernel::ids::TableId;
use crate::model::{Code, Model, NONE, Op, Operand, Pc, RowVerb, Slot, Value};
use std::ops::Range;

/// A column that a step sets.
#[derive(Clone, Debug, Default)]
pub struct Assigned {
    pub column: u16,
    /// Its value is computed from `row.<this column>`: an addition, however often it is reordered.
    pub adds: bool,
    /// Locals that the value is computed from, over `let` too.
    pub locals: Vec<Slot>,
    /// One of them is the answer of a call: the view asks back, and may miss versions between.
    pub asks_back: bool,
}

/// By row step.
#[derive(Clone, Debug)]
pub struct Writes {
    steps: Vec<Vec<Assigned>>,
}

impl Writes {
    pub fn new(model: &Model) -> Self {
        let mut steps = vec![Vec::new(); model.row_steps.len()];
        for body in bodies(model) {
            let body = Body::new(model, body);
            for &step in &body.steps {
                let set = &model.row_steps[step as usize].set;
                steps[step as usize] = set
                    .iter()
                    .map(|assignment| body.assigned(assignment.position, assignment.value))
                    .collect();
            }
        }
        Self { steps }
    }

    pub fn of(&self, step: u32) -> &[Assigned] {
        &self.steps[step as usize]
    }
}

/// The row step at a place in the code, if there is one on this table.
pub fn step_at(model: &Model, pc: Pc, table: TableId) -> Option<u32> {
    match model.code.get(pc as usize) {
        Some(&Op::Row(step)) if model.row_steps[step as usize].table == table => Some(step),
        _ => None,
    }
}

/// Whether a step reads rows into a list, and not one row.
pub fn is_scan(model: &Model, step: u32) -> bool {
    model.row_steps[step as usize].verb == RowVerb::Scan
}

/// The code of each body: from its entry to the next one's.
fn bodies(model: &Model) -> Vec<Range<usize>> {
    let mut entries: Vec<usize> = model.handlers.iter().map(|handler| handler.entry as usize).collect();
    entries.sort_unstable();
    let ends = entries.iter().skip(1).copied().chain([model.code.len()]);
    entries.iter().copied().zip(ends).map(|(entry, end)| entry..end).collect()
}

struct Body<'m> {
    model: &'m Model,
    steps: Vec<u32>,
    /// `let`: the local, and the value it gets.
    lets: Vec<(Slot, u32)>,
    /// Words of answers.
    answers: Vec<Range<Slot>>,
}

impl<'m> Body<'m> {
    fn new(model: &'m Model, code: Range<usize>) -> Self {
        let mut body = Self { model, steps: Vec::new(), lets: Vec::new(), answers: Vec::new() };
        for op in &model.code[code] {
            match *op {
                Op::Row(step) => body.steps.push(step),
                Op::Let { slot, value } => body.lets.push((slot, value)),
                Op::Call(call) => {
                    let call = &model.calls[call as usize];
                    let words = model.messages[call.message.index()].reply_fields.max(1);
                    body.answers.extend(call.result.map(|slot| slot..slot + words));
                }
                _ => {}
            }
        }
        body
    }

    fn assigned(&self, column: u16, value: u32) -> Assigned {
        let (mut locals, mut adds) = (Vec::new(), false);
        self.read(value, &mut |code| match code {
            Code::Row(read) => adds |= read == column,
            Code::Local(slot) | Code::RowLocal { slot, .. } => locals.push(slot),
            _ => {}
        });
        let mut known = 0;
        while known < locals.len() {
            let local = locals[known];
            known += 1;
            for (_, value) in self.lets.iter().filter(|(slot, _)| *slot == local) {
                self.read(*value, &mut |code| {
                    if let Code::Local(slot) | Code::RowLocal { slot, .. } = code
                        && !locals.contains(&slot)
                    {
                        locals.push(slot);
                    }
                });
            }
        }
        let asks_back = locals.iter().any(|local| self.answers.iter().any(|answer| answer.contains(local)));
        Assigned { column, adds, locals, asks_back }
    }

    /// All that a value is computed from.
    fn read(&self, value: u32, each: &mut dyn FnMut(Code)) {
        let (Value::Computed(operand) | Value::Counted { of: operand, .. }) =
            self.model.values[value as usize]
        else {
            return;
        };
        match operand {
            Operand::Local(slot) => each(Code::Local(slot)),
            Operand::Program(program) if program != NONE => {
                let code = &self.model.instructions[self.model.programs[program as usize].indices()];
                code.iter().for_each(|code| each(*code));
            }
            _ => {}
        }
    }
}
