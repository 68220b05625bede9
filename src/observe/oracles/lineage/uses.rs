//! Which locals a condition or a value is computed from, and which tables a handler writes: read off the code once.

use crate::kernel::ids::{HandlerId, TableId};
use crate::model::{Code, Model, Op, Operand, Pc, Slot, Value};

/// Of all conditions and values of a model.
#[derive(Clone, Debug)]
pub struct Uses {
    /// By operation.
    conditions: Vec<Box<[Slot]>>,
    /// By value.
    values: Vec<Box<[Slot]>>,
    /// By handler, in their order.
    writes: Vec<Box<[TableId]>>,
}

impl Uses {
    pub fn new(model: &Model) -> Self {
        let condition = |op: &Op| match *op {
            Op::JumpUnless { condition, .. } => slots_of(model, condition),
            _ => Box::default(),
        };
        let value = |value: &Value| match value {
            Value::Computed(operand) => slots_of(model, *operand),
            _ => Box::default(),
        };
        Self {
            conditions: model.code.iter().map(condition).collect(),
            values: model.values.iter().map(value).collect(),
            writes: (0..model.handlers.len()).map(|handler| written_by(model, handler)).collect(),
        }
    }

    /// The locals that the condition of an operation reads, each once.
    pub fn condition(&self, pc: Pc) -> &[Slot] {
        &self.conditions[pc as usize]
    }

    pub fn value(&self, value: u32) -> &[Slot] {
        &self.values[value as usize]
    }

    /// Whether a handler writes a table: what it finds there can be its own mark.
    pub fn writes(&self, handler: HandlerId, table: TableId) -> bool {
        self.writes[handler.index()].binary_search(&table).is_ok()
    }
}

fn written_by(model: &Model, handler: usize) -> Box<[TableId]> {
    let entry = model.handlers[handler].entry as usize;
    let end = model.handlers.iter().map(|other| other.entry as usize).filter(|&other| other > entry).min();
    let body = &model.code[entry..end.unwrap_or(model.code.len())];
    let written = body.iter().filter_map(|op| {
        let Op::Row(step) = op else { return None };
        let step = &model.row_steps[*step as usize];
        (!step.verb.reads()).then_some(step.table)
    });
    let mut tables: Vec<TableId> = written.collect();
    tables.sort_unstable();
    tables.dedup();
    tables.into()
}

fn slots_of(model: &Model, operand: Operand) -> Box<[Slot]> {
    let mut slots = Vec::new();
    match operand {
        Operand::Local(slot) => slots.push(slot),
        Operand::Program(program) => {
            for instruction in &model.instructions[model.programs[program as usize].indices()] {
                match *instruction {
                    Code::Local(slot) => slots.push(slot),
                    Code::RowLocal { exists, slot } => slots.extend([exists, slot]),
                    _ => {}
                }
            }
        }
        Operand::Literal(_) | Operand::Message(_) => {}
    }
    slots.sort_unstable();
    slots.dedup();
    slots.into()
}
