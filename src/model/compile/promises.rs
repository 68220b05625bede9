//! What is promised, compiled last: it reads every table and nothing reads it.

use super::Compiler;
use super::expressions::{is_float, word_of};
use super::frames::Frame;
use crate::kernel::ids::{SagaId, SiteId, TableId};
use crate::model::code::{Arithmetic, Code, Comparison, Range};
use crate::model::promise::*;
use crate::scenario::resolved as scenario;
use crate::scenario::source::Span;
use scenario::{BinaryOperator, Expression, ExpressionKind, Literal};

impl Compiler<'_> {
    pub fn promises(&mut self) {
        let sources = self.sources;
        let promises = &self.scenario.promises;
        let head = |verdict: String, span: Span| {
            let (line, column) = sources.line_column(span);
            Heading {
                verdict,
                file: sources.get(span.file).name.clone(),
                line: line as u32,
                column: column as u32,
            }
        };
        for promise in &promises.anomalies {
            let verdict = format!("{}.{}", promise.anomaly.family().name(), promise.anomaly.name());
            let heading = head(verdict, promise.span);
            let bound = AnomalyBound { heading, anomaly: promise.anomaly, bound: promise.bound };
            self.model.promises.anomalies.push(bound);
        }
        for promise in &promises.convergence {
            let heading = head(format!("convergence.{}", promise.name), promise.span);
            let convergence = self.convergence(promise, heading);
            self.model.promises.convergence.push(convergence);
        }
        for promise in &promises.sessions {
            let client = &self.scenario.clients[promise.client.index()].name;
            let kinds = [
                (promise.read_your_writes, "read_your_writes", SessionKind::ReadYourWrites),
                (promise.monotonic_reads, "monotonic_reads", SessionKind::MonotonicReads),
            ];
            for (_, word, kind) in kinds.into_iter().filter(|(is_promised, ..)| *is_promised) {
                let heading = head(format!("sessions.{client}.{word}"), promise.span);
                let session = SessionPromise { heading, client: promise.client, kind };
                self.model.promises.sessions.push(session);
            }
        }
        for promise in &promises.staleness {
            let table = &self.model.tables[promise.table.index()].name;
            let bounds = [
                ("stale_reads", promise.stale_reads.map(|reads| StalenessBound::StaleReads(reads))),
                ("age", promise.age.map(StalenessBound::Age)),
                ("versions", promise.versions.map(StalenessBound::Versions)),
            ];
            for (word, bound) in bounds {
                let Some(bound) = bound else { continue };
                let heading = head(format!("staleness.{table}.{word}"), promise.span);
                self.model.promises.staleness.push(StalenessPromise { heading, table: promise.table, bound });
            }
        }
        for promise in &promises.sagas {
            let watched = self.watched_saga(promise);
            let watched = super::steps::push(&mut self.model.promises.watched_sagas, watched);
            for &(measure, of) in &promise.bounds {
                let word = SagaMeasure::ALL.iter().find(|(known, _)| *known == measure).map_or("", |of| of.1);
                let heading = head(format!("sagas.{}.{word}", promise.name), promise.span);
                let promise = SagaPromise { heading, watched, measure, bound: of };
                self.model.promises.sagas.push(promise);
            }
        }
        self.model.promises.reference = promises.reference.as_ref().map(|promise| ReferencePromise {
            heading: head("reference.rows".to_owned(), promise.span),
            tables: promise.tables.clone(),
            bound: promise.rows,
        });
        for promise in &promises.invariants {
            let heading = head(format!("invariants.{}", promise.name), promise.span);
            let invariant = self.invariant(promise, heading);
            self.model.promises.invariants.push(invariant);
        }
        for expected in &promises.expectations {
            let heading = head(expected.verdict.clone(), expected.span);
            let outcome = expected.outcome;
            self.model.promises.expectations.push(Expectation { heading, outcome });
        }
    }

    fn watched_saga(&mut self, promise: &scenario::SagaPromise) -> WatchedSaga {
        let way = match &promise.way {
            scenario::SagaWay::Orchestrated { service, saga } => {
                let name = format!("{}.{saga}", self.scenario.services[service.index()].name);
                let position = self.model.sagas.iter().position(|saga| saga.name == name);
                SagaWay::Orchestrated(SagaId::new(position.expect("resolved: the saga is declared")))
            }
            scenario::SagaWay::Choreographed { start, key, steps } => {
                self.message_in_hand = *start;
                let key = self.operand(key, &Frame::default());
                let sites = &self.model.names.sites;
                let named = |step: &String| {
                    let is_so = |site: &&String| site.rsplit('/').next() == Some(step);
                    let found = sites.iter().enumerate().filter(|(_, site)| is_so(site));
                    found.map(|(at, _)| SiteId::new(at)).collect()
                };
                SagaWay::Choreographed { start: *start, key, steps: steps.iter().map(named).collect() }
            }
        };
        WatchedSaga { name: promise.name.clone(), way }
    }

    fn convergence(&mut self, promise: &scenario::Convergence, heading: Heading) -> Convergence {
        let by = if promise.by.is_empty() {
            let key = self.scenario.tables[promise.of.index()].key.clone();
            key.into_iter().map(|column| self.formula_of(vec![Code::Row(column as u16)])).collect()
        } else {
            promise.by.iter().map(|part| self.formula(part, promise.of)).collect()
        };
        let columns = promise.columns.iter().map(|(column, expected)| ViewColumn {
            column: *column as u16,
            expected: self.formula(expected, promise.of),
            is_aggregate: !reads_row_itself(expected),
        });
        Convergence {
            heading,
            name: promise.name.clone(),
            view: promise.view,
            of: promise.of,
            columns: columns.collect(),
            filter: promise.filter.as_ref().map(|filter| self.formula(filter, promise.of)),
            by,
            within: promise.within,
            share: promise.share,
        }
    }

    fn invariant(&mut self, promise: &scenario::Invariant, heading: Heading) -> Invariant {
        // Without a table of its own a condition has no row in hand, so that any table will do.
        let table = promise.for_each.unwrap_or(TableId(0));
        let condition = &promise.condition;
        let kind = match promise.kind {
            scenario::InvariantKind::Always => InvariantKind::Always(self.formula(condition, table)),
            scenario::InvariantKind::Never => InvariantKind::Never(self.formula(condition, table)),
            scenario::InvariantKind::Eventually(within) => {
                InvariantKind::Eventually(self.formula(condition, table), within)
            }
            scenario::InvariantKind::AtEnd => InvariantKind::AtEnd(self.formula(condition, table)),
            scenario::InvariantKind::Measure => InvariantKind::Measure(figure(condition)),
        };
        Invariant {
            heading,
            name: promise.name.clone(),
            written: self.sources.text(condition.span).to_owned(),
            kind,
            for_each: promise.for_each,
            during: promise.during,
        }
    }

    /// A program over a row of `table`, the group of which is what aggregates without a table go over.
    fn formula(&mut self, expression: &Expression, table: TableId) -> Formula {
        let outer = std::mem::replace(&mut self.table_in_hand, table);
        let mut code = Vec::new();
        self.emit(expression, &Frame::default(), &mut code);
        self.table_in_hand = outer;
        self.formula_of(code)
    }

    fn formula_of(&mut self, code: Vec<Code>) -> Formula {
        let (mut tables, mut aggregates) = (Vec::new(), Vec::new());
        for instruction in &code {
            match instruction {
                Code::Exists { table, .. } | Code::Column { table, .. } if !tables.contains(table) => {
                    tables.push(*table);
                }
                Code::Aggregate { aggregate, .. } if !aggregates.contains(aggregate) => {
                    aggregates.push(*aggregate)
                }
                _ => {}
            }
        }
        let instructions = &mut self.model.instructions;
        let range = Range { start: instructions.len() as u32, length: code.len() as u32 };
        instructions.extend(code);
        Formula { code: range, tables, aggregates }
    }

    /// The instructions that look at tables as judges do.
    pub fn emit_look(&mut self, expression: &Expression, frame: &Frame, out: &mut Vec<Code>) {
        match &expression.kind {
            ExpressionKind::TableExists(table, key) => {
                key.iter().for_each(|part| self.emit(part, frame, out));
                out.push(Code::Exists { table: *table, key: key.len() as u16 });
            }
            ExpressionKind::TableColumn(table, key, column) => {
                key.iter().for_each(|part| self.emit(part, frame, out));
                out.push(Code::Column { table: *table, key: key.len() as u16, column: *column as u16 });
            }
            // Within an aggregate, each row that it goes over is in hand in turn.
            ExpressionKind::Each(column) => out.push(Code::Row(*column as u16)),
            ExpressionKind::Aggregate(aggregate) => {
                let grouped =
                    aggregate.grouped().expect("resolved: an aggregate that can be kept up to date");
                grouped.keys.iter().for_each(|(_, row)| self.emit(row, frame, out));
                let keys = grouped.keys.len() as u16;
                let written = self.sources.text(expression.span).to_owned();
                let aggregate = self.aggregate(aggregate, &grouped, written);
                out.push(Code::Aggregate { aggregate, keys });
            }
            other => unreachable!("figures of the run are no programs: {other:?}"),
        }
    }

    fn aggregate(
        &mut self,
        aggregate: &scenario::Aggregate,
        grouped: &scenario::Grouped,
        written: String,
    ) -> u32 {
        let table = aggregate.over.unwrap_or(self.table_in_hand);
        let keys = grouped.keys.iter().map(|(each, _)| self.formula(each, table)).collect();
        let conditions = grouped.conditions.iter().map(|condition| self.formula(condition, table)).collect();
        let value = grouped.value.map(|value| self.formula(value, table));
        let is_float = grouped.value.is_some_and(|value| is_float(&value.ty));
        let statistic = aggregate.statistic;
        let mean_of_whole = statistic == Statistic::Mean && aggregate.of.ty == scenario::Type::Int;
        let gives_float =
            statistic == Statistic::Share || mean_of_whole || is_float && statistic != Statistic::Count;
        let aggregates = &mut self.model.promises.aggregates;
        aggregates.push(Aggregate {
            written,
            statistic,
            table,
            keys,
            conditions,
            value,
            is_float,
            gives_float,
        });
        aggregates.len() as u32 - 1
    }
}

/// Whether it reads the row in hand outside any aggregate.
fn reads_row_itself(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Row(_) => true,
        ExpressionKind::Aggregate(_) => false,
        _ => expression.parts().into_iter().any(reads_row_itself),
    }
}

/// A condition over figures of the run.
fn figure(expression: &Expression) -> Figure {
    let one = |inner: &Expression| Box::new(figure(inner));
    let all = |inner: &[Expression]| inner.iter().map(figure).collect();
    match &expression.kind {
        ExpressionKind::Literal(Literal::Int(value)) => Figure::Constant(*value as f64),
        ExpressionKind::Literal(Literal::Number(value)) => Figure::Constant(*value),
        ExpressionKind::Literal(literal) => Figure::Constant(word_of(literal) as f64),
        ExpressionKind::Measure(of) => Figure::Measure(MeasureUse {
            owner: of.owner.clone(),
            measure: of.measure,
            statistic: of.statistic,
        }),
        ExpressionKind::Not(inner) => Figure::Not(one(inner)),
        ExpressionKind::Negate(inner) => Figure::Negate(one(inner)),
        ExpressionKind::Abs(inner) => Figure::Absolute(one(inner)),
        ExpressionKind::ToNumber(inner) => figure(inner),
        ExpressionKind::Minimum(inner) => Figure::Least(all(inner)),
        ExpressionKind::Maximum(inner) => Figure::Greatest(all(inner)),
        ExpressionKind::Conditional(condition, then, otherwise) => {
            Figure::Conditional(one(condition), one(then), one(otherwise))
        }
        ExpressionKind::Binary(operator, left, right) => {
            let (left, right) = (one(left), one(right));
            match operator {
                BinaryOperator::And => Figure::And(left, right),
                BinaryOperator::Or => Figure::Or(left, right),
                BinaryOperator::Add => Figure::Calculate(Arithmetic::Add, left, right),
                BinaryOperator::Subtract => Figure::Calculate(Arithmetic::Subtract, left, right),
                BinaryOperator::Multiply => Figure::Calculate(Arithmetic::Multiply, left, right),
                BinaryOperator::Divide => Figure::Calculate(Arithmetic::Divide, left, right),
                BinaryOperator::Remainder => Figure::Calculate(Arithmetic::Remainder, left, right),
                BinaryOperator::Equal => Figure::Compare(Comparison::Equal, left, right),
                BinaryOperator::NotEqual => Figure::Compare(Comparison::NotEqual, left, right),
                BinaryOperator::Less => Figure::Compare(Comparison::Less, left, right),
                BinaryOperator::LessOrEqual => Figure::Compare(Comparison::LessOrEqual, left, right),
                BinaryOperator::Greater => Figure::Compare(Comparison::Greater, left, right),
                BinaryOperator::GreaterOrEqual => Figure::Compare(Comparison::GreaterOrEqual, left, right),
            }
        }
        other => unreachable!("resolved: only figures of the run: {other:?}"),
    }
}
