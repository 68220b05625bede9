//! What guarantees and invariants may say beyond expressions of steps: rows of tables by key,
//! aggregates over tables, and statistics of measures.
//!
//! ```text
//! enactor.plans[row.plan].exists                     a row by key; of several key columns: t[[a, b]]
//! sum(inventory.stock.reserved)                      over all rows
//! count(orders.orders.status == placed)              the rows where it holds; count(orders.orders): all
//! count(orders.lines.order == row.order)             `row` is the row being checked
//! sum(row.qty)                                       over the group of rows in hand (`convergence`)
//! p99(shopper.response_time), quantile(shopper.response_time, 95%)
//! ```

use super::super::diagnostic::Diagnostic;
use super::super::resolved::*;
use super::super::source::Span;
use super::check::{Checker, Inside, literal};
use super::names::with_known;
use super::syntax::{Syntax, SyntaxKind};
use crate::kernel::ids::*;

/// All functions over tables and measures.
pub const NAMES: [&str; 12] =
    ["sum", "count", "mean", "rate", "share", "min", "max", "p50", "p90", "p99", "p999", "quantile"];

/// What kind of values a measure has.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A duration for each of many.
    Samples,
    /// A number that changes over time.
    Level,
    /// How many.
    Occurrences,
    Rate,
    Number,
}

const MEASURES: [(&str, Measure, Kind); 18] = [
    ("response_time", Measure::ResponseTime, Kind::Samples),
    ("throughput", Measure::Throughput, Kind::Rate),
    ("succeeded", Measure::Succeeded, Kind::Occurrences),
    ("failed", Measure::Failed, Kind::Occurrences),
    ("timeouts", Measure::Timeouts, Kind::Occurrences),
    ("amplification", Measure::Amplification, Kind::Number),
    ("utilization", Measure::Utilization, Kind::Level),
    ("queue_length", Measure::QueueLength, Kind::Level),
    ("waiting_time", Measure::WaitingTime, Kind::Samples),
    ("service_time", Measure::ServiceTime, Kind::Samples),
    ("in_flight", Measure::InFlight, Kind::Level),
    ("lag", Measure::GroupLag, Kind::Level),
    ("time_in_topic", Measure::TimeInTopic, Kind::Samples),
    ("deliveries", Measure::Deliveries, Kind::Occurrences),
    ("redeliveries", Measure::Redeliveries, Kind::Occurrences),
    ("window", Measure::Window, Kind::Samples),
    ("fresh_reads", Measure::FreshReads, Kind::Occurrences),
    ("staleness", Measure::Staleness, Kind::Samples),
];

/// Whether a function goes over rows or a measure: `min` and `max` of one thing do.
pub fn is_aggregate(name: &str, arguments: usize) -> bool {
    NAMES.contains(&name) && (arguments == 1 || !matches!(name, "min" | "max"))
}

/// The statistic that a function of one argument takes.
fn statistic(name: &str) -> Option<Statistic> {
    Some(match name {
        "sum" => Statistic::Sum,
        "count" => Statistic::Count,
        "mean" => Statistic::Mean,
        "rate" => Statistic::Rate,
        "share" => Statistic::Share,
        "min" => Statistic::Minimum,
        "max" => Statistic::Maximum,
        "p50" => Statistic::Quantile(0.5),
        "p90" => Statistic::Quantile(0.9),
        "p99" => Statistic::Quantile(0.99),
        "p999" => Statistic::Quantile(0.999),
        _ => return None,
    })
}

impl Checker<'_, '_> {
    /// `sum(…)` and its kin.
    pub fn aggregate(&mut self, name: &str, arguments: &[Syntax], span: Span) -> Option<Expression> {
        if self.inside != Inside::Nothing {
            let message = "an aggregate within an aggregate is not possible";
            return self.refuse("wrong-type", span, message.into());
        }
        let (statistic, argument) = match (name, statistic(name), arguments) {
            ("quantile", _, [argument, share]) => {
                (Statistic::Quantile(self.quantile_share(share)?), argument)
            }
            (_, Some(statistic), [argument]) => (statistic, argument),
            ("quantile", ..) => {
                let message = "`quantile` takes a measure and a share: `quantile(client.response_time, 95%)`";
                return self.refuse("wrong-arguments", span, message.into());
            }
            _ => return self.refuse("wrong-arguments", span, format!("`{name}` takes one argument")),
        };
        if let Some((measure, kind)) = self.measure(argument) {
            return self.measured(MeasureUse { statistic, ..measure }, kind, span);
        }
        let (over, of) = self.over_rows(name, argument)?;
        let ty = self.aggregate_type(name, statistic, &of)?;
        Some(Expression {
            kind: ExpressionKind::Aggregate(Box::new(Aggregate { statistic, over, of })),
            ty,
            span,
        })
    }

    fn quantile_share(&mut self, share: &Syntax) -> Option<f64> {
        let share = self.check(share, &Type::Number)?;
        match share.kind {
            ExpressionKind::Literal(Literal::Number(value)) if (0.0..=1.0).contains(&value) => Some(value),
            _ => {
                self.refuse("wrong-type", share.span, "a share from 0% to 100% is expected".into());
                None
            }
        }
    }

    /// The argument of an aggregate, with the table it goes over.
    fn over_rows(&mut self, name: &str, argument: &Syntax) -> Option<(Option<TableId>, Expression)> {
        if let Some(table) = self.table(argument) {
            if name != "count" {
                self.refuse("wrong-type", argument.span, "this is a whole table: name a column of it".into());
                return None;
            }
            return Some((Some(table), literal(Literal::Bool(true), Type::Bool, argument.span)));
        }
        self.inside = Inside::Aggregate;
        let of = self.infer(argument, None);
        let inside = std::mem::replace(&mut self.inside, Inside::Nothing);
        let of = of?;
        match inside {
            Inside::Table(table) => Some((Some(table), of)),
            Inside::Rows => Some((None, of)),
            Inside::Nothing | Inside::Aggregate => {
                let message =
                    format!("`{name}` goes over the rows of a table: name a column, `service.table.column`");
                self.refuse("wrong-type", argument.span, message);
                None
            }
        }
    }

    fn aggregate_type(&mut self, name: &str, statistic: Statistic, of: &Expression) -> Option<Type> {
        let ty = of.ty.clone();
        let summable = matches!(ty, Type::Int | Type::Number | Type::Duration | Type::Size | Type::Rate);
        let (fits, result, wanted) = match statistic {
            Statistic::Count => (ty == Type::Bool, Type::Int, "a condition or a table"),
            Statistic::Share => (ty == Type::Bool, Type::Number, "a condition"),
            Statistic::Sum => (summable, ty, "an int, number, duration or size"),
            Statistic::Mean if ty == Type::Int => (true, Type::Number, ""),
            Statistic::Mean => (summable, ty, "an int, number, duration or size"),
            Statistic::Minimum | Statistic::Maximum | Statistic::Quantile(_) => {
                (ty.is_quantity(), ty, "something that has an order")
            }
            Statistic::Rate | Statistic::Whole => (false, Type::Rate, "a measure"),
        };
        if !fits {
            let is = self.words(&of.ty);
            self.refuse("wrong-type", of.span, format!("`{name}` takes {wanted}, this is {is}"));
            return None;
        }
        Some(result)
    }

    /// `a.b…` that is no local's and no origin's.
    pub fn select_aggregate(
        &mut self,
        whole: &Syntax,
        operand: &Syntax,
        field: &str,
        field_span: Span,
    ) -> Option<Expression> {
        if let SyntaxKind::Index(list, key) = &operand.kind
            && let Some(table) = self.table(list)
        {
            return self.lookup(table, key, field, field_span, whole.span);
        }
        if let Some((measure, kind)) = self.measure(whole) {
            return self.measured(measure, kind, whole.span);
        }
        if let Some(table) = self.table(operand) {
            return self.each(table, field, field_span, whole.span);
        }
        if self.table(whole).is_some() {
            let message = "this is a whole table: `count` takes one, else name a row by key or a column";
            return self.refuse("wrong-type", whole.span, message.into());
        }
        self.unknown_path(operand, field, field_span)
    }

    fn unknown_path(&mut self, operand: &Syntax, field: &str, field_span: Span) -> Option<Expression> {
        let SyntaxKind::Name(service) = &operand.kind else {
            if let SyntaxKind::Select(inner, table, table_span) = &operand.kind {
                // The first part that is not known is the one to name.
                return self.unknown_path(inner, table, *table_span);
            }
            let diagnostic =
                Diagnostic::new("unknown-field", field_span, format!("there is no field `{field}` here"));
            self.report(diagnostic);
            return None;
        };
        let services = self.context.services;
        let Some((_, tables)) = services.iter().find(|(name, _)| name == service) else {
            return self.unknown_name(service, operand.span);
        };
        let known: Vec<_> = tables.iter().map(|id| self.context.tables[id.index()].name.as_str()).collect();
        let known: Vec<_> = known.into_iter().chain(MEASURES.iter().map(|(name, ..)| *name)).collect();
        let message = format!("{service} has no table or measure `{field}`");
        self.report(with_known(Diagnostic::new("unknown-table", field_span, message), field, &known));
        None
    }

    /// The table that `service.table` names.
    fn table(&self, syntax: &Syntax) -> Option<TableId> {
        let SyntaxKind::Select(operand, table, _) = &syntax.kind else { return None };
        let SyntaxKind::Name(service) = &operand.kind else { return None };
        let (_, tables) = self.context.services.iter().find(|(name, _)| name == service)?;
        tables.iter().copied().find(|id| self.context.tables[id.index()].name == *table)
    }

    pub fn is_table(&self, syntax: &Syntax) -> bool {
        self.table(syntax).is_some()
    }

    /// `service.table[key].field`
    fn lookup(
        &mut self,
        table: TableId,
        key: &Syntax,
        field: &str,
        field_span: Span,
        span: Span,
    ) -> Option<Expression> {
        let tables = self.context.tables;
        let declared = &tables[table.index()];
        let parts = match &key.kind {
            SyntaxKind::List(parts) if declared.key.len() != 1 => parts.as_slice(),
            _ => std::slice::from_ref(key),
        };
        if parts.len() != declared.key.len() {
            let names: Vec<_> =
                declared.key.iter().map(|&column| declared.columns[column].name.as_str()).collect();
            let message = format!("the key of {} is [{}]", declared.name, names.join(", "));
            return self.refuse("wrong-arguments", key.span, message);
        }
        let checked: Vec<_> = parts
            .iter()
            .zip(&declared.key)
            .map(|(part, &column)| self.check(part, &declared.columns[column].ty))
            .collect();
        let key = checked.into_iter().collect::<Option<Vec<_>>>()?;
        if field == "exists" {
            return Some(Expression { kind: ExpressionKind::TableExists(table, key), ty: Type::Bool, span });
        }
        let (column, ty) = self.column(table, field, field_span, &["exists"])?;
        Some(Expression { kind: ExpressionKind::TableColumn(table, key, column), ty, span })
    }

    /// `service.table.column` within an aggregate.
    fn each(&mut self, table: TableId, field: &str, field_span: Span, span: Span) -> Option<Expression> {
        let (column, ty) = self.column(table, field, field_span, &[])?;
        match self.inside {
            Inside::Nothing => {
                let diagnostic = Diagnostic::new("wrong-type", span, "this is a column of many rows");
                self.report(
                    diagnostic.help("take `sum(…)`, `count(…)`, `min(…)` or `max(…)` of it, or a row by key"),
                );
                return None;
            }
            Inside::Table(other) if other != table => {
                let name = &self.context.tables[other.index()].name;
                let message = format!("this aggregate goes over {name}: it reads no other table's columns");
                return self.refuse("wrong-type", span, message);
            }
            Inside::Aggregate | Inside::Rows | Inside::Table(_) => self.inside = Inside::Table(table),
        }
        Some(Expression { kind: ExpressionKind::Each(column), ty, span })
    }

    /// The measure that a path ends with, taken whole.
    fn measure(&self, syntax: &Syntax) -> Option<(MeasureUse, Kind)> {
        let SyntaxKind::Select(owner, name, _) = &syntax.kind else { return None };
        let (mut parts, mut at) = (Vec::new(), &**owner);
        while let SyntaxKind::Select(inner, part, _) = &at.kind {
            parts.push(part.as_str());
            at = inner;
        }
        let SyntaxKind::Name(first) = &at.kind else { return None };
        if parts.len() > 1 || self.table(syntax).is_some() {
            return None;
        }
        let &(_, mut measure, mut kind) = MEASURES.iter().find(|(known, ..)| known == name)?;
        if let Some(table) = self.table(owner) {
            // Its columns come first; of measures a table has only those of its reads.
            let is_column =
                self.context.tables[table.index()].columns.iter().any(|column| column.name == *name);
            if is_column || !matches!(measure, Measure::FreshReads | Measure::Staleness) {
                return None;
            }
        }
        if measure == Measure::GroupLag && parts.is_empty() {
            (measure, kind) = (Measure::ViewLag, Kind::Samples);
        }
        parts.push(first);
        parts.reverse();
        let owner_span = owner.span;
        Some((MeasureUse { owner: parts.join("."), owner_span, measure, statistic: Statistic::Whole }, kind))
    }

    fn measured(&mut self, measure: MeasureUse, kind: Kind, span: Span) -> Option<Expression> {
        if self.inside != Inside::Nothing {
            return self.refuse("wrong-type", span, "measures and columns do not mix in an aggregate".into());
        }
        let ty = match (kind, measure.statistic) {
            (Kind::Samples, Statistic::Count) | (Kind::Occurrences, Statistic::Whole | Statistic::Count) => {
                Type::Int
            }
            (Kind::Samples, Statistic::Whole | Statistic::Rate | Statistic::Share) => {
                let diagnostic = Diagnostic::new("wrong-type", span, "this measure has many values");
                self.report(diagnostic.help("take `mean(…)`, `p99(…)` or `max(…)` of it"));
                return None;
            }
            (Kind::Samples, _) => Type::Duration,
            (Kind::Occurrences, Statistic::Rate) | (Kind::Rate, Statistic::Whole) => Type::Rate,
            (Kind::Occurrences, Statistic::Share) | (Kind::Number, Statistic::Whole) => Type::Number,
            (
                Kind::Level,
                Statistic::Whole
                | Statistic::Mean
                | Statistic::Minimum
                | Statistic::Maximum
                | Statistic::Quantile(_),
            ) => Type::Number,
            _ => {
                let help = match kind {
                    Kind::Occurrences => "it counts: take it as it is, or `rate(…)` or `share(…)` of it",
                    Kind::Level => "it changes over time: take `mean(…)`, `max(…)` or `p99(…)` of it",
                    Kind::Samples | Kind::Rate | Kind::Number => "take it as it is",
                };
                self.report(
                    Diagnostic::new("wrong-type", span, "this cannot be taken of this measure").help(help),
                );
                return None;
            }
        };
        Some(Expression { kind: ExpressionKind::Measure(measure), ty, span })
    }
}
