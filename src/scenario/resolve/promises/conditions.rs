//! What the expressions of promises may speak of where they stand. Their types were checked when they were
//! read; here it is what a judge can watch: rows of stores, aggregates that can be kept up to date row
//! by row, and, in `measure` alone, figures of the run.

use super::super::Resolver;
use super::super::names::{Kind, unknown};
use super::super::nodes;
use super::May;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

impl<'a> Resolver<'a> {
    /// Whether an expression speaks only of what it may; all that it may not is reported.
    pub(super) fn may_say(&mut self, expression: &Expression, may: May<'a>) -> bool {
        let reported = self.diagnostics.list.len();
        self.check_part(expression, may);
        self.diagnostics.list.len() == reported
    }

    fn check_part(&mut self, expression: &Expression, may: May<'a>) {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Unique => {
                self.out_of_place(span, "`unique()` makes something new: a promise only looks", None)
            }
            ExpressionKind::Measure(measure) => self.check_measure(measure, span, may),
            ExpressionKind::TableColumn(table, ..) | ExpressionKind::TableExists(table, _) => {
                self.check_table(Some(*table), span, may)
            }
            ExpressionKind::Aggregate(aggregate) => return self.check_aggregate(aggregate, span, may),
            ExpressionKind::Index(list, _) | ExpressionKind::In(_, list) | ExpressionKind::Size(list) => {
                self.check_list(list)
            }
            _ => {}
        }
        for part in expression.parts() {
            self.check_part(part, may);
        }
    }

    fn check_measure(&mut self, measure: &MeasureUse, span: Span, may: May<'a>) {
        match may {
            May::Measures(root) => {
                self.check_owner(measure, root);
                self.check_statistic(measure, span);
            }
            _ => self.out_of_place(
                span,
                "this is a figure of the whole run",
                Some("an invariant on figures is written `measure: …`"),
            ),
        }
    }

    /// A row by key, or all rows of a table.
    fn check_table(&mut self, table: Option<TableId>, span: Span, may: May<'a>) {
        match may {
            May::Row | May::Group => {
                let message = "a view is made of the rows of `of` alone";
                self.out_of_place(span, message, Some("they are read as `row.column`"));
            }
            May::Measures(_) => {
                let message = "`measure` goes over figures of the run, not over rows";
                self.out_of_place(
                    span,
                    message,
                    Some("rows are judged by `always`, `at_end` and their like"),
                );
            }
            May::Tables => {
                if table.is_some_and(|table| self.tables[table.index()].memory) {
                    self.not_built(span, "a table in memory in a promise");
                }
            }
        }
    }

    fn check_aggregate(&mut self, aggregate: &Aggregate, span: Span, may: May<'a>) {
        match (aggregate.over, may) {
            (Some(_), _) => self.check_table(aggregate.over, span, may),
            (None, May::Group) => {}
            (None, _) => {
                let message = "`row` is one row here: there is no group of rows to go over";
                self.out_of_place(
                    span,
                    message,
                    Some("name a column of all rows: `sum(service.table.column)`"),
                );
            }
        }
        self.check_summand(&aggregate.of);
        if aggregate.over.is_some() && aggregate.grouped().is_none() {
            let what = "an aggregate that does more with `row` than `count(orders.lines.order == row.order)` or \
                        `sum(orders.lines.order == row.order ? orders.lines.qty : 0)`";
            self.not_built(aggregate.of.span, what);
        }
    }

    /// What an aggregate takes of each row.
    fn check_summand(&mut self, of: &Expression) {
        match &of.kind {
            ExpressionKind::TableColumn(..) | ExpressionKind::TableExists(..) => {
                self.not_built(of.span, "a row by key within an aggregate");
            }
            ExpressionKind::Unique => {
                self.out_of_place(of.span, "`unique()` makes something new: a promise only looks", None);
            }
            ExpressionKind::Index(list, _) | ExpressionKind::In(_, list) | ExpressionKind::Size(list) => {
                self.check_list(list)
            }
            _ => {}
        }
        for part in of.parts() {
            self.check_summand(part);
        }
    }

    /// Lists in promises are written where they are used.
    fn check_list(&mut self, list: &Expression) {
        let is_written = matches!(
            list.kind,
            ExpressionKind::List(_) | ExpressionKind::Range(..) | ExpressionKind::Literal(Literal::EmptyList)
        );
        if !is_written {
            self.not_built(list.span, "a list that is not written out, in a promise");
        }
    }

    /// A measure belongs to a client, a service, a group (`topic.group`), a guarantee or a table.
    fn check_owner(&mut self, measure: &MeasureUse, root: &'a crate::scenario::node::Node) {
        let (owner, span) = (&measure.owner, measure.owner_span);
        match measure.measure {
            Measure::ResponseTime
            | Measure::Throughput
            | Measure::Succeeded
            | Measure::Failed
            | Measure::Timeouts => _ = self.client_named(owner, span),
            Measure::Amplification if self.names.services.contains_key(owner) => {}
            Measure::Amplification => _ = self.client_named(owner, span),
            Measure::Utilization
            | Measure::QueueLength
            | Measure::WaitingTime
            | Measure::ServiceTime
            | Measure::InFlight => _ = self.service_named(owner, span),
            Measure::GroupLag | Measure::TimeInTopic | Measure::Deliveries | Measure::Redeliveries => {
                if self.groups.iter().all(|group| group.name != *owner) {
                    let names = self.groups.iter().map(|group| group.name.as_str());
                    let diagnostic = unknown(Kind::Group, owner, span, names);
                    self.report(diagnostic);
                }
            }
            Measure::FreshReads | Measure::Staleness => _ = self.table_named(owner, span),
            Measure::ViewLag | Measure::Window => {
                if let Some(guarantees) = nodes::get(root, "guarantees") {
                    let known = nodes::section(guarantees, "convergence");
                    self.lookup(Kind::Convergence, known, owner, span);
                } else {
                    self.report(unknown(Kind::Convergence, owner, span, std::iter::empty()));
                }
            }
        }
    }

    /// What is kept of a measure: of a level its mean over time, and of the lag of a group the greatest, too.
    fn check_statistic(&mut self, of: &MeasureUse, span: Span) {
        use Statistic::*;
        let (what, help) = match (of.measure, of.statistic) {
            (
                Measure::Utilization | Measure::QueueLength | Measure::InFlight,
                Minimum | Maximum | Quantile(_),
            ) => ("anything but the mean of this level", "take `mean(…)` of it"),
            (Measure::GroupLag, Minimum | Quantile(_)) => (
                "anything but the mean and the greatest of a subscription's lag",
                "take `mean(…)` or `max(…)` of it",
            ),
            (Measure::FreshReads, Rate) => {
                ("a rate of reads", "take them as they are, or `share(…)` of them")
            }
            _ => return,
        };
        let diagnostic = Diagnostic::new("not-built-yet", span, format!("{what} is not built yet"));
        self.report(diagnostic.help(help));
    }

    fn out_of_place(&mut self, span: Span, message: &str, help: Option<&str>) {
        let diagnostic = Diagnostic::new("out-of-place", span, message);
        self.report(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }
}
