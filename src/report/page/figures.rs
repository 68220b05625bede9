//! The key figures: what a reader would quote from the report.

use super::tables::interval;
use crate::experiment::results::{Estimate, RunResults, SubscriptionResults};
use crate::report::figure::{Quantity, count, figure};
use crate::report::text;
use maud::{Markup, html};

/// Most clients in the table; the tables further below have more.
const MOST_CLIENTS: usize = 4;

/// One row: what it is, of what, how much.
struct Row {
    of: String,
    what: &'static str,
    estimate: Estimate,
    quantity: Quantity,
}

/// How a subscription is named: topic, then group.
pub fn subscription_name(subscription: &SubscriptionResults) -> String {
    text::name(&format!("{}.{}", subscription.topic, subscription.group))
}

/// The table of key figures, each with its half-width and the replications behind it.
pub fn key_figures(results: &RunResults) -> Markup {
    let rows = rows(results);
    let hidden = results.clients.len().saturating_sub(MOST_CLIENTS);
    html! {
        section aria-labelledby="figures" {
            h2 #figures { "Key figures" }
            @if rows.is_empty() {
                p { "The scenario has no clients, services or subscriptions to measure." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Key figures" {
                    table.key {
                        thead { tr {
                            th scope="col" { "where" } th scope="col" { "figure" } th.number scope="col" { "mean" }
                            th.number scope="col" { "± " (interval(results)) }
                            th.number scope="col" { "n" }
                        } }
                        tbody { @for (i, row) in rows.iter().enumerate() {
                            (draw(row, i == 0 || rows[i - 1].of != row.of))
                        } }
                    }
                }
                p.under {
                    "n: replications in which the figure is defined."
                    @if hidden > 0 { " " (count(hidden as u64)) " more clients are in the table of clients." }
                }
            }
        }
    }
}

fn draw(row: &Row, first: bool) -> Markup {
    let figure = figure(&row.estimate, row.quantity);
    let half_width =
        figure.half_width.as_ref().map(|half_width| format!("± {half_width}{}", figure.suffix()));
    let missing = if figure.is_defined() { "no interval" } else { "" };
    html! {
        tr.first[first] {
            th scope="row" { @if first { (row.of) } @else { span.again { (row.of) } } }
            td { (row.what) }
            td.number { (figure.value) (figure.suffix()) }
            td.number { (half_width.as_deref().unwrap_or(missing)) }
            td.number { (row.estimate.n) }
        }
    }
}

fn rows(results: &RunResults) -> Vec<Row> {
    let mut rows = Vec::new();
    for client in results.clients.iter().take(MOST_CLIENTS) {
        let mut row = |what, estimate, quantity| {
            rows.push(Row { of: text::name(&client.name), what, estimate, quantity });
        };
        row("offered", client.offered, Quantity::PerSecond);
        row("throughput", client.throughput, Quantity::PerSecond);
        row("success", client.success, Quantity::Share);
        row("response time, mean", client.response_time.mean, Quantity::Seconds);
        row("response time, p50", client.response_time.p50, Quantity::Seconds);
        row("response time, p99", client.response_time.p99, Quantity::Seconds);
    }
    let mean = |estimate: &Estimate| estimate.mean.unwrap_or(f64::MIN);
    let busiest =
        results.services.iter().max_by(|a, b| mean(&a.utilization).total_cmp(&mean(&b.utilization)));
    if let Some(service) = busiest.filter(|service| service.utilization.mean.is_some()) {
        let of = format!("{}, the busiest service", text::name(&service.name));
        let row = |what, estimate, quantity| Row { of: of.clone(), what, estimate, quantity };
        rows.push(row("utilization", service.utilization, Quantity::Share));
        rows.push(row("waiting time, mean", service.waiting_time.mean, Quantity::Seconds));
    }
    let furthest = results.subscriptions.iter().max_by(|a, b| mean(&a.lag).total_cmp(&mean(&b.lag)));
    if let Some(group) = furthest.filter(|group| group.lag.mean.is_some()) {
        let of = format!("{}, furthest behind", subscription_name(group));
        let row = |what, estimate, quantity| Row { of: of.clone(), what, estimate, quantity };
        rows.push(row("lag, mean", group.lag, Quantity::Number));
        rows.push(row("lag, at most", group.lag_max, Quantity::Number));
        rows.push(row("time in topic, p99", group.time_in_topic.p99, Quantity::Seconds));
    }
    rows
}
