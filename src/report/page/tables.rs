//! The tables: every client, call, service, subscription, link and fault, up to a length that a
//! browser and a reader can take.

use super::figures::subscription_name;
use crate::experiment::results::{DurationResults, Estimate, RunResults};
use crate::report::chart::DataTable;
use crate::report::figure::{Figure, Quantity, count, figure};
use crate::report::text;
use maud::{Markup, html};

/// Most rows of a table.
pub const MOST_ROWS: usize = 200;

/// A cell of a table of results.
pub enum Cell {
    /// Text, already made visible.
    Text(String),
    /// Sentences, already made visible.
    Prose(String),
    Number(String),
    /// An estimate, and the replications behind it.
    Figure(Figure, u32),
}

/// A table of results, its rows cut to [`MOST_ROWS`] but counted.
pub struct Table {
    id: &'static str,
    title: &'static str,
    head: Vec<&'static str>,
    pub rows: Vec<Vec<Cell>>,
    pub all: usize,
    /// What a reader has to know of the columns; may be empty.
    note: &'static str,
}

impl Table {
    pub fn new<T>(
        id: &'static str,
        title: &'static str,
        head: &[&'static str],
        all: &[T],
        row: impl Fn(&T) -> Vec<Cell>,
    ) -> Table {
        let rows = all.iter().take(MOST_ROWS).map(row).collect();
        Table { id, title, head: head.to_vec(), rows, all: all.len(), note: "" }
    }

    pub fn with_note(self, note: &'static str) -> Table {
        Table { note, ..self }
    }
}

/// The interval's confidence as the head of a column: `95 %`.
pub fn interval(results: &RunResults) -> String {
    format!("{} %", (results.confidence * 1000.0).round() / 10.0)
}

/// All tables of the report; empty ones are left out.
pub fn tables(results: &RunResults) -> Markup {
    let tables = [
        clients(results),
        response_times(results),
        calls(results),
        call_times(results),
        errors(results),
        failed_expressions(results),
        services(results),
        service_times(results),
        subscriptions(results),
        topic_times(results),
        links(results),
        faults(results),
    ];
    html! {
        section aria-labelledby="tables" {
            h2 #tables { "Tables" }
            p.lead {
                "Mean ± half-width at " (interval(results)) " confidence, n = " (results.replications_done)
                " unless a cell says otherwise."
            }
            @for table in tables.iter().filter(|table| table.all > 0) { (draw(table, results.replications_done)) }
        }
    }
}

/// The table behind a chart.
pub fn plain(title: &str, table: &DataTable) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Numbers: " (title) } {
            table {
                thead { tr { @for (i, head) in table.head.iter().enumerate() {
                    th.number[i > 0] scope="col" { span.name { (head) } }
                } } }
                tbody {
                    @for row in table.rows.iter().take(MOST_ROWS) {
                        tr { @for (i, cell) in row.iter().enumerate() {
                            @if i == 0 { th scope="row" { span.name { (cell) } } } @else { td.number { (cell) } }
                        } }
                    }
                }
            }
        }
    }
}

pub fn draw(table: &Table, replications: u32) -> Markup {
    let hidden = table.all - table.rows.len();
    html! {
        h3 id={ "table-" (table.id) } { (table.title) }
        div.scroll tabindex="0" role="region" aria-labelledby={ "table-" (table.id) } {
            table {
                thead { tr { @for (i, head) in table.head.iter().enumerate() {
                    @let text = table.rows.iter().all(|row| matches!(row.get(i), Some(Cell::Text(_) | Cell::Prose(_))));
                    th.number[!text] scope="col" { (head) }
                } } }
                tbody { @for row in &table.rows {
                    tr { @for (i, cell) in row.iter().enumerate() { (draw_cell(cell, i == 0, replications)) } }
                } }
            }
        }
        @if !table.note.is_empty() { p.under { (table.note) } }
        @if hidden > 0 {
            p.under {
                (count(hidden as u64)) " more of " (count(table.all as u64)) " are not shown here; the JSON file has all."
            }
        }
    }
}

fn draw_cell(cell: &Cell, first: bool, replications: u32) -> Markup {
    html! {
        @match cell {
            Cell::Text(text) if first => th scope="row" { span.name { (text) } },
            Cell::Text(text) => td { span.name { (text) } },
            Cell::Prose(text) => td { span.why { (text) } },
            Cell::Number(number) => td.number { (number) },
            Cell::Figure(figure, n) => td.number {
                (figure)
                @if figure.is_defined() && *n != replications { span.few { " (n = " (n) ")" } }
            },
        }
    }
}

pub fn share(estimate: &Estimate) -> Cell {
    Cell::Figure(figure(estimate, Quantity::Share), estimate.n)
}

fn rate(estimate: &Estimate) -> Cell {
    Cell::Figure(figure(estimate, Quantity::PerSecond), estimate.n)
}

pub fn time(estimate: &Estimate) -> Cell {
    Cell::Figure(figure(estimate, Quantity::Seconds), estimate.n)
}

pub fn number(estimate: &Estimate) -> Cell {
    Cell::Figure(figure(estimate, Quantity::Number), estimate.n)
}

pub fn named(text: &str) -> Cell {
    Cell::Text(text::name(text))
}

/// Mean and percentiles of durations.
fn shape(durations: &DurationResults) -> [Cell; 6] {
    let DurationResults { mean, p50, p90, p99, p999, max, .. } = durations;
    [mean, p50, p90, p99, p999, max].map(time)
}

/// Heads of [`shape`], after those of what the durations belong to.
fn with_shape(heads: &[&'static str]) -> Vec<&'static str> {
    [heads, &["mean", "p50", "p90", "p99", "p99.9", "max"]].concat()
}

/// A row of durations.
fn shaped<const N: usize>(names: [Cell; N], durations: &DurationResults) -> Vec<Cell> {
    names.into_iter().chain(shape(durations)).collect()
}

fn clients(results: &RunResults) -> Table {
    let head = ["client", "offered", "throughput", "success", "timeouts", "errors", "unfinished"];
    Table::new("clients", "Clients", &head, &results.clients, |client| {
        let mut row = vec![named(&client.name), rate(&client.offered), rate(&client.throughput)];
        row.extend([&client.success, &client.timeouts, &client.errors, &client.unfinished].map(share));
        row
    })
}

fn response_times(results: &RunResults) -> Table {
    Table::new("response-times", "Response times", &with_shape(&["client"]), &results.clients, |client| {
        shaped([named(&client.name)], &client.response_time)
    })
}

fn calls(results: &RunResults) -> Table {
    let head = ["caller", "callee", "throughput", "success", "timeouts", "errors", "tries per call"];
    Table::new("calls", "Calls", &head, &results.calls, |call| {
        let mut row = vec![named(&call.caller), named(&call.callee), rate(&call.throughput)];
        row.extend([&call.success, &call.timeouts, &call.errors].map(share));
        row.push(number(&call.tries));
        row
    })
}

fn call_times(results: &RunResults) -> Table {
    let head = with_shape(&["caller", "callee"]);
    Table::new("call-times", "Response times of calls, retries included", &head, &results.calls, |call| {
        shaped([named(&call.caller), named(&call.callee)], &call.response_time)
    })
}

/// Of clients first, then of calls, each reason in a row of its own.
fn errors(results: &RunResults) -> Table {
    let of_clients = results.clients.iter().map(|client| (&client.name, "intents", &client.errors_by_reason));
    let of_calls =
        results.calls.iter().map(|call| (&call.caller, call.callee.as_str(), &call.errors_by_reason));
    let rows: Vec<_> = of_clients
        .chain(of_calls)
        .flat_map(|(who, of, errors)| errors.iter().map(move |error| (who, of, error)))
        .collect();
    let head = ["client or caller", "of", "error", "times, in all", "share"];
    Table::new("errors", "Errors by reason, timeouts included", &head, &rows, |(who, of, error)| {
        let times = Cell::Number(count(error.count));
        vec![named(who), named(of), named(&error.reason), times, share(&error.share)]
    })
}

fn failed_expressions(results: &RunResults) -> Table {
    let head = ["expression at", "times, in all", "replications"];
    let title = "Expressions that had no value";
    Table::new("failed-expressions", title, &head, &results.failed_expressions, |failed| {
        let replications = Cell::Number(count(u64::from(failed.replications)));
        vec![named(&failed.place), Cell::Number(count(failed.count)), replications]
    })
}

fn services(results: &RunResults) -> Table {
    let head = [
        "service",
        "instances",
        "workers each",
        "throughput",
        "attempts per intent",
        "utilization",
        "offered load",
        "queue length",
        "in system",
        "rejected",
    ];
    Table::new("services", "Services", &head, &results.services, |service| {
        let workers = service.workers.map_or("unlimited".to_owned(), |workers| count(u64::from(workers)));
        vec![
            named(&service.name),
            Cell::Number(count(u64::from(service.instances))),
            Cell::Number(workers),
            rate(&service.throughput),
            number(&service.amplification),
            share(&service.utilization),
            Cell::Figure(figure(&service.offered_load, Quantity::Erlang), service.offered_load.n),
            number(&service.queue_length),
            number(&service.in_system),
            share(&service.rejected),
        ]
    })
}

fn service_times(results: &RunResults) -> Table {
    let rows: Vec<(&str, &str, &DurationResults)> = results
        .services
        .iter()
        .flat_map(|service| {
            let name = service.name.as_str();
            [
                (name, "waiting", &service.waiting_time),
                (name, "service", &service.service_time),
                (name, "sojourn (both)", &service.sojourn_time),
            ]
        })
        .collect();
    Table::new(
        "service-times",
        "Times in services",
        &with_shape(&["service", "time"]),
        &rows,
        |(name, kind, durations)| shaped([named(name), Cell::Text((*kind).to_owned())], durations),
    )
    .with_note(
        "Waiting and sojourn are of what was begun. What was dropped, or still waited when the run ended, is not \
         among them: under overload the true times are longer. The queue length counts all that waits.",
    )
}

fn subscriptions(results: &RunResults) -> Table {
    let head =
        ["subscription", "accepted", "first deliveries", "redeliveries", "given up", "lag, mean", "lag, max"];
    Table::new("subscriptions", "Subscriptions", &head, &results.subscriptions, |group| {
        let mut row = vec![Cell::Text(subscription_name(group))];
        row.extend([&group.accepted, &group.deliveries, &group.redeliveries, &group.exhausted].map(rate));
        row.extend([&group.lag, &group.lag_max].map(number));
        row
    })
    .with_note(
        "Redeliveries are copies that the broker sent again. A consumer that keeps a message and tries it again \
         without asking the broker, as with kafka, is not among them: its tries show in the service's throughput.",
    )
}

fn topic_times(results: &RunResults) -> Table {
    let head = with_shape(&["subscription"]);
    Table::new(
        "topic-times",
        "Times in topics, from acceptance to acknowledgement",
        &head,
        &results.subscriptions,
        |group| shaped([Cell::Text(subscription_name(group))], &group.time_in_topic),
    )
}

fn links(results: &RunResults) -> Table {
    let head = ["link", "sent", "lost", "duplicated"];
    Table::new("links", "Links", &head, &results.links, |link| {
        vec![named(&link.name), number(&link.sent), number(&link.lost), number(&link.duplicated)]
    })
}

fn faults(results: &RunResults) -> Table {
    let head = ["fault", "what it does", "fired, times per replication", "touched something"];
    Table::new("faults", "Faults", &head, &results.faults, |fault| {
        vec![named(&fault.name), named(&fault.what), number(&fault.fired), number(&fault.touched)]
    })
}
