//! The key figures: what a reader would quote from the report.

use super::tables::interval;
use crate::experiment::results::{Estimate, RunResults, SubscriptionResults};
use crate::report::figure::{Quantity, count, figure};
use crate::report::text;
use maud::{Markup, html};

/// Most clients in the table; the tables further below have more.
const MOST_CLIENTS: usize = 4;

/// The figures of one client, service or subscription.
struct Group {
    name: String,
    /// Why it is among the key figures.
    role: &'static str,
    rows: Vec<Row>,
}

/// One figure.
struct Row {
    what: &'static str,
    estimate: Estimate,
    quantity: Quantity,
}

/// How a subscription is named: topic, then group.
pub fn subscription_name(subscription: &SubscriptionResults) -> String {
    text::name(&format!("{}.{}", subscription.topic, subscription.group))
}

/// The key figures, each with its half-width and the replications behind it.
pub fn key_figures(results: &RunResults) -> Markup {
    let groups = groups(results);
    let hidden = results.clients.len().saturating_sub(MOST_CLIENTS);
    html! {
        section aria-labelledby="figures" {
            h2 #figures { "Key figures" }
            @if groups.is_empty() {
                p { "The scenario has no clients, services or subscriptions to measure." }
            } @else {
                div.key { @for group in &groups { (draw(group, results)) } }
                p.under {
                    "± is the half-width of the " (interval(results)) " confidence interval; n counts the replications in \
                     which the figure is defined."
                    @if hidden > 0 { " " (count(hidden as u64)) " more clients are in the table of clients." }
                }
            }
        }
    }
}

fn draw(group: &Group, results: &RunResults) -> Markup {
    html! {
        table {
            caption { strong { (group.name) } " " span { (group.role) } }
            thead { tr {
                th scope="col" { "figure" } th.number scope="col" { "mean" }
                th.number scope="col" { "± " (interval(results)) } th.number scope="col" { "n" }
            } }
            tbody { @for row in &group.rows { (draw_row(row)) } }
        }
    }
}

fn draw_row(row: &Row) -> Markup {
    let figure = figure(&row.estimate, row.quantity);
    let half_width =
        figure.half_width.as_ref().map(|half_width| format!("± {half_width}{}", figure.suffix()));
    let missing = if figure.is_defined() { "no interval" } else { "" };
    html! {
        tr {
            th scope="row" { (row.what) }
            td.number { (figure.value) (figure.suffix()) }
            td.number { (half_width.as_deref().unwrap_or(missing)) }
            td.number { (row.estimate.n) }
        }
    }
}

/// The first clients, the busiest service and the subscription that is furthest behind.
fn groups(results: &RunResults) -> Vec<Group> {
    let row = |what, estimate, quantity| Row { what, estimate, quantity };
    let mut groups = Vec::new();
    for client in results.clients.iter().take(MOST_CLIENTS) {
        let rows = vec![
            row("offered", client.offered, Quantity::PerSecond),
            row("throughput", client.throughput, Quantity::PerSecond),
            row("success", client.success, Quantity::Share),
            row("response, mean", client.response_time.mean, Quantity::Seconds),
            row("response, p50", client.response_time.p50, Quantity::Seconds),
            row("response, p99", client.response_time.p99, Quantity::Seconds),
        ];
        groups.push(Group { name: text::name(&client.name), role: "client", rows });
    }
    let mean = |estimate: &Estimate| estimate.mean.unwrap_or(f64::NEG_INFINITY);
    let busiest =
        results.services.iter().max_by(|a, b| mean(&a.utilization).total_cmp(&mean(&b.utilization)));
    if let Some(service) = busiest.filter(|service| service.utilization.mean.is_some()) {
        let rows = vec![
            row("utilization", service.utilization, Quantity::Share),
            row("queue length", service.queue_length, Quantity::Number),
            row("waiting, mean", service.waiting_time.mean, Quantity::Seconds),
            row("waiting, p99", service.waiting_time.p99, Quantity::Seconds),
        ];
        groups.push(Group { name: text::name(&service.name), role: "the busiest service", rows });
    }
    let furthest = results.subscriptions.iter().max_by(|a, b| mean(&a.lag).total_cmp(&mean(&b.lag)));
    if let Some(group) = furthest.filter(|group| group.lag.mean.is_some()) {
        let rows = vec![
            row("lag, mean", group.lag, Quantity::Number),
            row("lag, max", group.lag_max, Quantity::Number),
            row("in topic, p99", group.time_in_topic.p99, Quantity::Seconds),
            row("redeliveries", group.redeliveries, Quantity::PerSecond),
        ];
        groups.push(Group { name: subscription_name(group), role: "the subscription furthest behind", rows });
    }
    groups
}
