//! Values of steps, from the compiled code back to text: `row.reserved + message.quantity`.
//!
//! At run time every value is one word, so a constant shows by the type of what it is set to, or of what
//! it is compared with.

use super::quantity;
use crate::kernel::ids::*;
use crate::kernel::time::Pretty;
use crate::model::{Arithmetic, Code, Comparison, Duration, Model, NONE, Operand, Slot, Value, Word};
use crate::scenario::resolved::{Body, Scenario, Type};

/// What the names of a body mean.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    pub scenario: &'a Scenario,
    pub model: &'a Model,
    pub body: &'a Body,
    /// First slots of the body's locals.
    pub locals: &'a [Slot],
    /// The message in hand.
    pub message: Option<MessageId>,
}

/// Part of an expression.
#[derive(Clone)]
struct Piece<'a> {
    text: String,
    ty: Option<&'a Type>,
    /// A constant, whose text depends on its type.
    constant: Option<Word>,
    /// Needs brackets inside others.
    compound: bool,
}

impl<'a> Names<'a> {
    pub fn duration(&self, duration: Duration) -> String {
        match duration {
            Duration::Constant(nanos) => quantity::time(nanos),
            Duration::Drawn(stream) => self.stream(stream),
            Duration::Computed(operand) => self.operand(operand, Some(&Type::Duration), None),
        }
    }

    /// What a stream draws, and its name.
    pub fn stream(&self, stream: StreamId) -> String {
        let stream = &self.model.streams[stream.index()];
        format!("{} ~{}", quantity::draw(&stream.draw), stream.name)
    }

    /// An entry of the model's values, as one of a type; `row` is the table that `row.x` reads.
    pub fn value(&self, value: u32, ty: Option<&'a Type>, row: Option<TableId>) -> String {
        match &self.model.values[value as usize] {
            Value::Computed(operand) => self.operand(*operand, ty, row),
            Value::Drawn { stream, per_attempt } => {
                format!("{}{}", self.stream(*stream), per(*per_attempt))
            }
            Value::Chosen { stream, per_attempt, words } => {
                let words: Vec<String> = words.iter().map(|&word| self.word(word, ty)).collect();
                format!("one of {} by {}{}", words.join(", "), self.stream(*stream), per(*per_attempt))
            }
            Value::Counted { of, .. } => format!("counter({})", self.operand(*of, None, row)),
        }
    }

    pub fn operand(&self, operand: Operand, ty: Option<&'a Type>, row: Option<TableId>) -> String {
        let piece = match operand {
            Operand::Literal(small) => constant(small.word()),
            Operand::Local(slot) => self.local(slot),
            Operand::Message(field) => self.field(field),
            Operand::Program(program) => self.program(program, row),
        };
        self.text(&piece, ty)
    }

    /// A constant of a type.
    pub fn word(&self, word: Word, ty: Option<&Type>) -> String {
        let signed = word as i64;
        match ty {
            Some(Type::Bool) => (word != 0).to_string(),
            Some(Type::Duration | Type::Time) if signed < 0 => format!("-{}", Pretty(signed.unsigned_abs())),
            Some(Type::Duration | Type::Time) => quantity::time(word),
            Some(Type::Size) => format!("{word}B"),
            Some(Type::Number) => f64::from_bits(word).to_string(),
            Some(Type::Rate) => format!("{}/s", f64::from_bits(word)),
            Some(Type::Text) => format!("{:?}", self.symbol(word)),
            Some(Type::Enumeration(_)) => self.symbol(word).to_owned(),
            Some(Type::List(_)) if word == NONE as Word => "[]".to_owned(),
            _ => signed.to_string(),
        }
    }

    fn symbol(&self, word: Word) -> &str {
        self.model.names.symbols.get(word as usize).map_or("?", |symbol| symbol)
    }

    fn text(&self, piece: &Piece, ty: Option<&Type>) -> String {
        match piece.constant {
            Some(word) => self.word(word, ty.or(piece.ty)),
            None => piece.text.clone(),
        }
    }

    /// What a slot of the frame is called.
    fn local(&self, slot: Slot) -> Piece<'a> {
        let held = self.locals.iter().rposition(|&first| first <= slot);
        let Some((first, local)) = held.and_then(|at| Some((self.locals[at], self.body.locals.get(at)?)))
        else {
            return named(format!("slot {slot}"), None);
        };
        let part = usize::from(slot - first);
        let scenario = self.scenario;
        match &local.ty {
            Type::Row(_) if part == 0 => named(format!("{}.exists", local.name), Some(&Type::Bool)),
            Type::Row(table) => {
                let column = scenario.tables[table.index()].columns.get(part - 1);
                let name = column.map_or("?", |column| &column.name);
                named(format!("{}.{name}", local.name), column.map(|column| &column.ty))
            }
            Type::Reply(message) => {
                let field = scenario.messages[message.index()].reply.get(part);
                let name = field.map_or("?", |field| &field.name);
                named(format!("{}.{name}", local.name), field.map(|field| &field.ty))
            }
            ty => named(local.name.clone(), Some(ty)),
        }
    }

    /// Name of the local that starts at a slot.
    pub fn local_name(&self, slot: Slot) -> String {
        let at = self.locals.iter().position(|&first| first == slot);
        let local = at.and_then(|at| self.body.locals.get(at));
        local.map_or(format!("slot {slot}"), |local| local.name.clone())
    }

    /// Type of the local that starts at a slot.
    pub fn local_type(&self, slot: Slot) -> Option<&'a Type> {
        let at = self.locals.iter().position(|&first| first == slot)?;
        self.body.locals.get(at).map(|local| &local.ty)
    }

    fn field(&self, field: u16) -> Piece<'a> {
        let scenario = self.scenario;
        let message = self.message.map(|message| &scenario.messages[message.index()]);
        let field = message.and_then(|message| message.fields.get(usize::from(field)));
        named(format!("message.{}", field.map_or("?", |field| &field.name)), field.map(|field| &field.ty))
    }

    /// Runs an expression on pieces of text instead of words.
    fn program(&self, program: u32, row: Option<TableId>) -> Piece<'a> {
        let code = &self.model.instructions[self.model.programs[program as usize].indices()];
        self.pieces(code, row).pop().unwrap_or_else(|| named("?".into(), None))
    }

    fn pieces(&self, code: &[Code], row: Option<TableId>) -> Vec<Piece<'a>> {
        let mut stack: Vec<Piece> = Vec::new();
        let mut at = 0;
        while at < code.len() {
            let here = code[at];
            at += 1;
            match here {
                Code::AndThen(length) | Code::OrElse(length) => {
                    let word = if matches!(here, Code::AndThen(_)) { "&&" } else { "||" };
                    let right = self.pieces(&code[at..at + usize::from(length)], row).pop();
                    at += usize::from(length);
                    let (Some(left), Some(right)) = (stack.pop(), right) else { break };
                    stack.push(self.joined(&left, word, &right, Some(&Type::Bool)));
                }
                Code::Unless(length) => {
                    // condition, Unless, then, Skip, otherwise
                    let then_end = at + usize::from(length) - 1;
                    let Code::Skip(rest) = code[then_end] else { break };
                    let then = self.pieces(&code[at..then_end], row).pop();
                    at = then_end + 1;
                    let otherwise = self.pieces(&code[at..at + usize::from(rest)], row).pop();
                    at += usize::from(rest);
                    let (Some(condition), Some(then), Some(otherwise)) = (stack.pop(), then, otherwise)
                    else {
                        break;
                    };
                    let ty = then.ty.or(otherwise.ty);
                    let text = format!(
                        "{} ? {} : {}",
                        self.inner(&condition, Some(&Type::Bool)),
                        self.inner(&then, ty),
                        self.inner(&otherwise, ty)
                    );
                    stack.push(Piece { text, ty, constant: None, compound: true });
                }
                other => self.instruction(other, row, &mut stack),
            }
        }
        stack
    }

    /// An instruction without jumps.
    fn instruction(&self, code: Code, row: Option<TableId>, stack: &mut Vec<Piece<'a>>) {
        let scenario = self.scenario;
        let piece = match code {
            Code::Literal(word) => constant(word),
            Code::Local(slot) | Code::RowLocal { slot, .. } => self.local(slot),
            Code::Message(field) => self.field(field),
            Code::MessageId => named("message.id".into(), Some(&Type::Id)),
            Code::MessageKey => named("message.key".into(), None),
            Code::MessagePublishedAt => named("message.published_at".into(), Some(&Type::Time)),
            Code::MessageSchema => named("message.schema".into(), Some(&Type::Int)),
            Code::DeliveryAttempt => named("delivery.attempt".into(), Some(&Type::Int)),
            Code::DeliveryTopic => named("delivery.topic".into(), Some(&Type::Text)),
            Code::DeliveryPartition => named("delivery.partition".into(), Some(&Type::Int)),
            Code::DeliveryOffset => named("delivery.offset".into(), Some(&Type::Int)),
            Code::DeliveryReplayed => named("delivery.replayed".into(), Some(&Type::Bool)),
            Code::Row(column) => {
                let columns = row.map(|table| &scenario.tables[table.index()].columns);
                let column = columns.and_then(|columns| columns.get(usize::from(column)));
                let name = column.map_or("?", |column| &column.name);
                named(format!("row.{name}"), column.map(|column| &column.ty))
            }
            Code::Instance => named("self.instance".into(), Some(&Type::Int)),
            Code::InFlight => named("self.in_flight".into(), Some(&Type::Int)),
            Code::QueueLength => named("self.queue_length".into(), Some(&Type::Int)),
            Code::Now => named("now".into(), Some(&Type::Time)),
            Code::Unique => named("unique()".into(), Some(&Type::Id)),
            Code::Not => self.wrapped("!", stack),
            Code::NegateInteger | Code::NegateFloat => self.wrapped("-", stack),
            Code::Integer(arithmetic) | Code::Float(arithmetic) => self.binary(sign(arithmetic), None, stack),
            Code::CompareSigned(comparison) | Code::CompareFloat(comparison) => {
                self.binary(relation(comparison), Some(&Type::Bool), stack)
            }
            // Kept: the number is the same, only its form changes.
            Code::ToFloat | Code::ToInteger => return,
            Code::AbsoluteInteger | Code::AbsoluteFloat => self.function("abs", 1, stack),
            Code::MinimumInteger(count) | Code::MinimumFloat(count) => self.function("min", count, stack),
            Code::MaximumInteger(count) | Code::MaximumFloat(count) => self.function("max", count, stack),
            Code::Size => self.function("size", 1, stack),
            Code::List(count) => {
                let list = self.function("", count, stack);
                named(format!("[{}]", list.text.trim_matches(['(', ')'])), None)
            }
            Code::Range => self.binary("..", None, stack),
            Code::Index => {
                let (position, list) = (stack.pop(), stack.pop());
                let part = |piece: Option<Piece>| piece.map_or("?".into(), |piece| self.inner(&piece, None));
                named(format!("{}[{}]", part(list), part(position)), None)
            }
            Code::In => self.binary("in", Some(&Type::Bool), stack),
            Code::Exists { table, key } => self.looked_up(table, key, "exists", stack),
            Code::Column { table, key, column } => {
                let columns = &scenario.tables[table.index()].columns;
                let name = columns.get(usize::from(column)).map_or("?", |column| &column.name);
                self.looked_up(table, key, name, stack)
            }
            Code::Aggregate { keys, .. } => self.function("aggregate", keys, stack),
            Code::AndThen(_) | Code::OrElse(_) | Code::Unless(_) | Code::Skip(_) => return,
        };
        stack.push(piece);
    }

    fn binary(&self, word: &str, ty: Option<&'a Type>, stack: &mut Vec<Piece<'a>>) -> Piece<'a> {
        let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else { return named("?".into(), None) };
        self.joined(&left, word, &right, ty)
    }

    /// Constants take the type of the other side.
    fn joined(&self, left: &Piece<'a>, word: &str, right: &Piece<'a>, ty: Option<&'a Type>) -> Piece<'a> {
        let side = left.ty.or(right.ty);
        let text = format!("{} {word} {}", self.inner(left, side), self.inner(right, side));
        Piece { text, ty: ty.or(side), constant: None, compound: true }
    }

    fn wrapped(&self, sign: &str, stack: &mut Vec<Piece<'a>>) -> Piece<'a> {
        let inner = stack.pop().unwrap_or_else(|| named("?".into(), None));
        named(format!("{sign}{}", self.inner(&inner, None)), inner.ty)
    }

    fn function(&self, name: &str, count: u16, stack: &mut Vec<Piece<'a>>) -> Piece<'a> {
        let arguments = stack.split_off(stack.len().saturating_sub(usize::from(count)));
        let ty = arguments.iter().find_map(|argument| argument.ty);
        let texts: Vec<String> = arguments.iter().map(|argument| self.text(argument, ty)).collect();
        named(format!("{name}({})", texts.join(", ")), ty)
    }

    /// `stock[key].column`
    fn looked_up(&self, table: TableId, key: u16, what: &str, stack: &mut Vec<Piece<'a>>) -> Piece<'a> {
        let key = self.function("", key, stack);
        let table = &self.scenario.tables[table.index()].name;
        named(format!("{table}[{}].{what}", key.text.trim_matches(['(', ')'])), None)
    }

    fn inner(&self, piece: &Piece, ty: Option<&Type>) -> String {
        let text = self.text(piece, ty);
        if piece.compound { format!("({text})") } else { text }
    }
}

fn named(text: String, ty: Option<&Type>) -> Piece<'_> {
    Piece { text, ty, constant: None, compound: false }
}

fn constant<'a>(word: Word) -> Piece<'a> {
    Piece { text: String::new(), ty: None, constant: Some(word), compound: false }
}

fn per(attempt: bool) -> &'static str {
    if attempt { " per attempt" } else { "" }
}

fn sign(arithmetic: Arithmetic) -> &'static str {
    match arithmetic {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "/",
        Arithmetic::Remainder => "%",
    }
}

fn relation(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
