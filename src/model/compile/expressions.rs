//! Typed expressions → instructions of a stack machine.

use super::Compiler;
use super::frames::Frame;
use crate::model::code::{Arithmetic, Code, Comparison, Operand, Range, Small, Word};
use crate::scenario::resolved::{
    BinaryOperator, DeliveryField, Expression, ExpressionKind, Literal, MessageField, SelfField, Type,
};
use crate::scenario::source::Span;

/// The word a literal is at run time.
pub fn word_of(literal: &Literal) -> Word {
    match literal {
        Literal::Int(value) => *value as Word,
        Literal::Bool(value) => *value as Word,
        Literal::Number(value) => value.to_bits(),
        Literal::Symbol(symbol) => symbol.0 as Word,
        Literal::EmptyList => crate::model::code::NONE as Word,
    }
}

impl Compiler<'_> {
    /// Compiles an expression; constants, locals and message fields need no program.
    pub fn operand(&mut self, expression: &Expression, frame: &Frame) -> Operand {
        match &expression.kind {
            ExpressionKind::Literal(literal) => {
                let word = word_of(literal);
                match i32::try_from(word as i64) {
                    Ok(small) => Operand::Literal(Small(small)),
                    Err(_) => self.program(expression, frame),
                }
            }
            ExpressionKind::Local(local) => Operand::Local(frame.slot(*local)),
            ExpressionKind::Message(MessageField::Field(field)) => Operand::Message(*field as u16),
            _ => self.program(expression, frame),
        }
    }

    fn program(&mut self, expression: &Expression, frame: &Frame) -> Operand {
        let mut instructions = Vec::new();
        self.emit(expression, frame, &mut instructions);
        let start = self.model.instructions.len() as u32;
        for (at, span) in std::mem::take(&mut self.fallible) {
            let place = self.place(span);
            self.model.places.push((start + at, place));
        }
        self.model.programs.push(Range { start, length: instructions.len() as u32 });
        self.model.instructions.extend(instructions);
        Operand::Program(self.model.programs.len() as u32 - 1)
    }

    pub fn emit(&mut self, expression: &Expression, frame: &Frame, out: &mut Vec<Code>) {
        match &expression.kind {
            ExpressionKind::Literal(literal) => out.push(Code::Literal(word_of(literal))),
            ExpressionKind::Local(local) => out.push(Code::Local(frame.slot(*local))),
            ExpressionKind::RowColumn(local, column) => {
                let exists = frame.slot(*local);
                out.push(Code::RowLocal { exists, slot: exists + 1 + *column as u16 });
            }
            ExpressionKind::RowExists(local) => out.push(Code::Local(frame.slot(*local))),
            ExpressionKind::ReplyField(local, field) => {
                out.push(Code::Local(frame.slot(*local) + *field as u16))
            }
            ExpressionKind::Message(field) => out.push(match field {
                MessageField::Field(field) => Code::Message(*field as u16),
                MessageField::Id => Code::MessageId,
                MessageField::Key => Code::MessageKey,
                MessageField::PublishedAt => Code::MessagePublishedAt,
                MessageField::Schema => Code::MessageSchema,
            }),
            ExpressionKind::Delivery(field) => out.push(match field {
                DeliveryField::Attempt => Code::DeliveryAttempt,
                DeliveryField::Topic => Code::DeliveryTopic,
                DeliveryField::Partition => Code::DeliveryPartition,
                DeliveryField::Offset => Code::DeliveryOffset,
                DeliveryField::Replayed => Code::DeliveryReplayed,
            }),
            ExpressionKind::Row(column) => out.push(Code::Row(*column as u16)),
            ExpressionKind::This(field) => out.push(match field {
                SelfField::Instance => Code::Instance,
                SelfField::InFlight => Code::InFlight,
                SelfField::QueueLength => Code::QueueLength,
            }),
            ExpressionKind::Now => out.push(Code::Now),
            ExpressionKind::Unique => out.push(Code::Unique),
            ExpressionKind::Not(inner) => {
                self.emit(inner, frame, out);
                out.push(Code::Not);
            }
            ExpressionKind::Negate(inner) => {
                self.emit(inner, frame, out);
                self.may_fail(expression.span, out);
                out.push(if is_float(&inner.ty) { Code::NegateFloat } else { Code::NegateInteger });
            }
            ExpressionKind::Binary(operator, left, right) => {
                self.emit_binary(*operator, left, right, expression, frame, out)
            }
            ExpressionKind::Conditional(condition, then, otherwise) => {
                self.emit(condition, frame, out);
                let unless = reserve(out);
                self.emit(then, frame, out);
                let skip = reserve(out);
                out[unless] = Code::Unless(distance(unless, out));
                self.emit(otherwise, frame, out);
                out[skip] = Code::Skip(distance(skip, out));
            }
            ExpressionKind::Abs(inner) => {
                self.emit(inner, frame, out);
                self.may_fail(expression.span, out);
                out.push(if is_float(&inner.ty) { Code::AbsoluteFloat } else { Code::AbsoluteInteger });
            }
            ExpressionKind::Minimum(items) => {
                let count = self.emit_all(items, frame, out);
                out.push(if is_float(&expression.ty) {
                    Code::MinimumFloat(count)
                } else {
                    Code::MinimumInteger(count)
                });
            }
            ExpressionKind::Maximum(items) => {
                let count = self.emit_all(items, frame, out);
                out.push(if is_float(&expression.ty) {
                    Code::MaximumFloat(count)
                } else {
                    Code::MaximumInteger(count)
                });
            }
            ExpressionKind::Size(inner) => {
                self.emit(inner, frame, out);
                out.push(Code::Size);
                // A list of rows holds the columns of one after another.
                if let Type::List(item) = &inner.ty
                    && let Type::Row(table) = &**item
                {
                    let columns = self.scenario.tables[table.index()].columns.len();
                    out.push(Code::Literal(columns as Word));
                    out.push(Code::Integer(Arithmetic::Divide));
                }
            }
            ExpressionKind::List(items) => {
                let count = self.emit_all(items, frame, out);
                out.push(Code::List(count));
            }
            ExpressionKind::Range(low, high) => {
                self.emit(low, frame, out);
                self.emit(high, frame, out);
                self.may_fail(expression.span, out);
                out.push(Code::Range);
            }
            ExpressionKind::Index(list, position) => {
                self.emit(list, frame, out);
                self.emit(position, frame, out);
                self.may_fail(expression.span, out);
                out.push(Code::Index);
            }
            ExpressionKind::In(item, list) => {
                self.emit(item, frame, out);
                self.emit(list, frame, out);
                out.push(Code::In);
            }
            ExpressionKind::ToNumber(inner) => {
                self.emit(inner, frame, out);
                out.push(Code::ToFloat);
            }
            ExpressionKind::TableExists(..)
            | ExpressionKind::TableColumn(..)
            | ExpressionKind::Each(_)
            | ExpressionKind::Aggregate(_)
            | ExpressionKind::Measure(_) => self.emit_look(expression, frame, out),
        }
    }

    /// Keeps where the next instruction was written, so that a run can say where a value failed.
    fn may_fail(&mut self, span: Span, out: &[Code]) {
        self.fallible.push((out.len() as u32, span));
    }

    fn emit_all(&mut self, items: &[Expression], frame: &Frame, out: &mut Vec<Code>) -> u16 {
        for item in items {
            self.emit(item, frame, out);
        }
        items.len() as u16
    }

    fn emit_binary(
        &mut self,
        operator: BinaryOperator,
        left: &Expression,
        right: &Expression,
        expression: &Expression,
        frame: &Frame,
        out: &mut Vec<Code>,
    ) {
        use BinaryOperator::*;
        let result = &expression.ty;
        if let And | Or = operator {
            self.emit(left, frame, out);
            let jump = reserve(out);
            self.emit(right, frame, out);
            let distance = distance(jump, out);
            out[jump] = if operator == And { Code::AndThen(distance) } else { Code::OrElse(distance) };
            return;
        }
        // One float side makes the arithmetic floating; a whole result is rounded at the end.
        let float = is_float(&left.ty) || is_float(&right.ty) || is_float(result);
        for side in [left, right] {
            self.emit(side, frame, out);
            if float && !is_float(&side.ty) {
                out.push(Code::ToFloat);
            }
        }
        let arithmetic = match operator {
            Add => Arithmetic::Add,
            Subtract => Arithmetic::Subtract,
            Multiply => Arithmetic::Multiply,
            Divide => Arithmetic::Divide,
            Remainder => Arithmetic::Remainder,
            Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual | And | Or => {
                let comparison = match operator {
                    Equal => Comparison::Equal,
                    NotEqual => Comparison::NotEqual,
                    Less => Comparison::Less,
                    LessOrEqual => Comparison::LessOrEqual,
                    Greater => Comparison::Greater,
                    _ => Comparison::GreaterOrEqual,
                };
                out.push(if float {
                    Code::CompareFloat(comparison)
                } else {
                    Code::CompareSigned(comparison)
                });
                return;
            }
        };
        self.may_fail(expression.span, out);
        if float {
            out.push(Code::Float(arithmetic));
            if !is_float(result) {
                self.may_fail(expression.span, out);
                out.push(Code::ToInteger);
            }
        } else {
            out.push(Code::Integer(arithmetic));
        }
    }

    /// A literal word as an operand.
    pub fn constant(&mut self, word: Word) -> Operand {
        match i32::try_from(word as i64) {
            Ok(small) => Operand::Literal(Small(small)),
            Err(_) => {
                let start = self.model.instructions.len() as u32;
                self.model.instructions.push(Code::Literal(word));
                self.model.programs.push(Range { start, length: 1 });
                Operand::Program(self.model.programs.len() as u32 - 1)
            }
        }
    }

    /// How many words a local of this type takes.
    pub fn words(&self, ty: &Type) -> u16 {
        match ty {
            Type::Row(table) => 1 + self.scenario.tables[table.index()].columns.len() as u16,
            Type::Reply(message) => self.scenario.messages[message.index()].reply.len().max(1) as u16,
            _ => 1,
        }
    }
}

/// Whether values of this type are floats at run time.
pub fn is_float(ty: &Type) -> bool {
    matches!(ty, Type::Number | Type::Rate)
}

fn reserve(out: &mut Vec<Code>) -> usize {
    out.push(Code::Skip(0));
    out.len() - 1
}

/// From the instruction after `jump` to the end.
fn distance(jump: usize, out: &[Code]) -> u16 {
    (out.len() - jump - 1) as u16
}

/// Marks a list-typed local.
pub fn owns_list(ty: &Type) -> bool {
    matches!(ty, Type::List(_))
}
