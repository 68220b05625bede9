//! The page of a run: first what stands and what does not, then what was run, then every figure.
//!
//! The pages of a check, a comparison and a sweep are made of the same parts, in the same [`shell`].

mod accounts;
pub mod compare;
mod figures;
pub mod shell;
mod tables;
mod truth;
pub mod verdicts;

use super::chart::{
    Bar, Chart, LegendEntry, Line, OverTime, Panel, Shade, Silence, Swatch, Tail, bars, over_time,
    percentile, shades, topology,
};
use super::figure::{Quantity, count, instant, rough};
use super::{reproduce, text};
use crate::experiment::results::{RunResults, Series};
use maud::{Markup, PreEscaped, html};
use shell::Page;

/// The page for `results`.
pub fn render(results: &RunResults) -> String {
    let main = html! {
        (banner(results))
        (verdicts::verdicts(results))
        (accounts::accounts(results))
        (truth::truth(results))
        (what_was_run(results))
        (notes(results))
        (figures::key_figures(results))
        (charts(results))
        (verdicts::anomalies(results))
        (tables::tables(results))
    };
    let foot = html! {
        "Durations, rates and shares are estimates over independent replications; every interval is a Student t interval \
         at " (confidence(results)) "."
    };
    let title = text::name(&results.scenario);
    let page = Page {
        kind: "simulation report",
        title,
        about: &results.about,
        version: &results.eventflow,
        main,
        foot,
    };
    page.render()
}

/// Said before anything else if not everything was run.
fn banner(results: &RunResults) -> Markup {
    html! {
        @if results.partial {
            p.banner role="status" {
                strong { "Partial result. " }
                "Interrupted after " (results.replications_done) " of " (results.replications_asked)
                " replications; intervals are wider than asked for."
            }
        }
        @if results.replications_done < 2 {
            p.banner.quiet {
                strong { "No intervals. " }
                "A confidence interval needs at least two replications; " (results.replications_done)
                @if results.replications_done == 1 { " was" } @else { " were" }
                " done. Figures are marked accordingly, and say nothing about how much they vary."
            }
        }
    }
}

/// Scenario, seed, times and the way to get the same again.
fn what_was_run(results: &RunResults) -> Markup {
    let replications = format!("{} of {}", results.replications_done, results.replications_asked);
    let facts = [
        ("Seed", results.seed.to_string()),
        ("Replications", replications),
        ("Measured", format!("{} to {}", instant(results.warm_up), instant(results.horizon))),
        ("Warm-up", warm_up(results)),
        ("Stopped", stopped(results)),
        ("Drained in", drain(results)),
        ("Events simulated", count(results.events)),
        ("Version", format!("eventflow {}", text::name(&results.eventflow))),
    ];
    html! {
        section aria-labelledby="run" {
            h2 #run { "What was run" }
            dl.facts {
                div.double { dt { "File" } dd { (text::name(&results.file)) } }
                @for (term, value) in &facts { div { dt { (term) } dd { (value) } } }
                div.long { dt { "Digest" } dd { code { (text::name(&results.digest)) } } }
            }
            @if !results.parameters.is_empty() {
                h3 { "Parameters" }
                dl.facts {
                    @for (name, value) in results.parameters.iter().take(tables::MOST_ROWS) {
                        div { dt { (text::name(name)) } dd { (text::name(value)) } }
                    }
                }
            }
            h3 { "To get the same again" }
            pre.command tabindex="0" { code { (text::shortened(&reproduce::command_line(results), 4000)) } }
        }
    }
}

fn warm_up(results: &RunResults) -> String {
    match &results.warm_up_search {
        None => format!("{}, as given", instant(results.warm_up)),
        Some(search) => match &search.told_by {
            Some(what) => format!(
                "{}, found by MSER-5 in {} pilots, for {}",
                instant(results.warm_up),
                search.pilots,
                text::name(what)
            ),
            None => format!("none needed, by MSER-5 in {} pilots", search.pilots),
        },
    }
}

fn stopped(results: &RunResults) -> String {
    let Some(precision) = &results.precision else { return "at the number asked for".to_owned() };
    let share = rough(precision.relative, Quantity::Share);
    if precision.is_met {
        return format!("when every key figure was known within {share} of its mean");
    }
    let open: Vec<String> = precision.open.iter().take(5).map(|name| text::name(name)).collect();
    format!("at the limit; not known within {share}: {}", open.join(", "))
}

fn drain(results: &RunResults) -> String {
    match results.drain_limit_hit {
        0 => format!("at most {}", instant(results.drained)),
        hit => format!("limit hit in {hit} of {} replications", results.replications_done),
    }
}

fn confidence(results: &RunResults) -> String {
    format!("{} % confidence", (results.confidence * 1000.0).round() / 10.0)
}

fn notes(results: &RunResults) -> Markup {
    html! {
        @if !results.notes.is_empty() {
            section.notes aria-labelledby="notes" {
                h2 #notes { "Read this first" }
                ul { @for note in results.notes.iter().take(tables::MOST_ROWS) { li { (text::prose(note)) } } }
            }
        }
    }
}

/// All charts, the broad ones first, as the order of the reader's questions has it.
fn charts(results: &RunResults) -> Markup {
    let shades = shades(results);
    let panels = panels(results, &shades);
    html! {
        section aria-labelledby="charts" {
            h2 #charts { "Charts" }
            p.lead {
                "Lines over time are means over " (results.replications_done)
                @if results.replications_done == 1 { " replication" } @else { " replications" }
                ", without their intervals."
                @if shades.iter().any(|shade| shade.is_fault) {
                    " Shaded bands show the faults as they fell in the first replication."
                }
            }
            div.charts { @for panel in &panels { (draw_panel(panel)) } }
        }
    }
}

fn panels(results: &RunResults, shades: &[Shade]) -> Vec<Panel> {
    let clients = &results.clients;
    let services = &results.services;
    let groups = &results.subscriptions;
    let of_clients = |series: fn(&_) -> &Series| lines(clients, |client| text::name(&client.name), series);
    let of_services =
        |series: fn(&_) -> &Series| lines(services, |service| text::name(&service.name), series);
    let group_name =
        |group: &crate::experiment::results::SubscriptionResults| figures::subscription_name(group);
    let tail_of_clients: Vec<Tail> =
        clients.iter().map(|c| Tail { name: text::name(&c.name), durations: &c.response_time }).collect();
    let tail_of_groups: Vec<Tail> =
        groups.iter().map(|g| Tail { name: group_name(g), durations: &g.time_in_topic }).collect();
    let busy: Vec<Bar> =
        services.iter().map(|s| Bar { name: text::name(&s.name), share: s.utilization }).collect();
    let with_workers: Vec<_> = services.iter().filter(|service| service.workers.is_some()).collect();
    let time = |chart: OverTime| over_time(&chart, shades);
    let mut panels = vec![
        topology(&results.topology),
        percentile("response", "Response time by percentile", "response time", "clients", &tail_of_clients),
        time(OverTime {
            id: "response-over-time",
            title: "Response time over time",
            y_title: "mean response time",
            quantity: Quantity::Seconds,
            silence: Silence::Gap,
            lines: of_clients(|client| &client.response_time_over_time),
            what: "clients",
            if_zero: "No intent ended well, or every one in no time.",
        }),
        time(OverTime {
            id: "throughput",
            title: "Throughput over time",
            y_title: "intents ended well",
            quantity: Quantity::PerSecond,
            silence: Silence::Zero,
            lines: of_clients(|client| &client.throughput_over_time),
            what: "clients",
            if_zero: "No intent ended well.",
        }),
        time(OverTime {
            id: "errors",
            title: "Errors over time",
            y_title: "intents ended badly",
            quantity: Quantity::PerSecond,
            silence: Silence::Zero,
            lines: of_clients(|client| &client.errors_over_time),
            what: "clients",
            if_zero: "No intent ended badly.",
        }),
        time(OverTime {
            id: "queues",
            title: "Queue lengths over time",
            y_title: "waiting for a worker",
            quantity: Quantity::Number,
            silence: Silence::Zero,
            lines: of_services(|service| &service.queue_length_over_time),
            what: "services",
            if_zero: "Nothing ever waited for a worker.",
        }),
    ];
    if !groups.is_empty() {
        panels.push(time(OverTime {
            id: "lag",
            title: "Topic lag over time",
            y_title: "messages not yet acknowledged",
            quantity: Quantity::Number,
            silence: Silence::Zero,
            lines: lines(groups, group_name, |group| &group.lag_over_time),
            what: "subscriptions",
            if_zero: "No subscription ever lagged.",
        }));
    }
    panels.push(bars(
        "utilization",
        "Utilization",
        "services",
        "No service has a bounded number of workers, so that none has a utilization.",
        &busy,
    ));
    panels.push(time(OverTime {
        id: "utilization-over-time",
        title: "Utilization over time",
        y_title: "busy share of workers",
        quantity: Quantity::Share,
        silence: Silence::Zero,
        lines: lines(
            with_workers,
            |service| text::name(&service.name),
            |service| &service.utilization_over_time,
        ),
        what: "services with a bounded number of workers",
        if_zero: "No worker was ever busy.",
    }));
    if !groups.is_empty() {
        panels.push(percentile(
            "time-in-topic",
            "Time in topic by percentile",
            "time in topic",
            "subscriptions",
            &tail_of_groups,
        ));
    }
    panels
}

/// One line for each of `all`.
fn lines<'a, T: 'a>(
    all: impl IntoIterator<Item = &'a T>,
    name: impl Fn(&T) -> String,
    series: impl Fn(&'a T) -> &'a Series,
) -> Vec<Line<'a>> {
    all.into_iter().map(|one| Line { name: name(one), series: series(one) }).collect()
}

pub fn draw_panel(panel: &Panel) -> Markup {
    match panel {
        Panel::Drawn(chart) => draw_chart(chart),
        Panel::Blank { title, why } => html! {
            div.blank { h3 { (title) } p { (why) } }
        },
    }
}

fn draw_chart(chart: &Chart) -> Markup {
    let class = if chart.broad { "chart broad" } else { "chart" };
    html! {
        figure class=(class) id=(chart.id) {
            h3 { (chart.title) }
            // What is too large for its place is scrolled there, not with the page.
            div.drawing tabindex=[chart.broad.then_some("0")] { (PreEscaped(&chart.wide)) (PreEscaped(&chart.narrow)) }
            @if let Some(live) = &chart.live { script.live type="application/json" { (PreEscaped(live)) } }
            @if !chart.legend.is_empty() { ul.legend { @for entry in &chart.legend { (legend_entry(entry)) } } }
            figcaption {
                @for note in &chart.notes { p { (note) } }
                details {
                    summary { "The numbers" }
                    p { (chart.summary) }
                    (tables::plain(&chart.title, &chart.table))
                }
            }
        }
    }
}

fn legend_entry(entry: &LegendEntry) -> Markup {
    let line =
        |class: &str| format!("<path class=\"{class}\" fill=\"none\" stroke-width=\"10\" d=\"M0 24H128\"/>");
    let drawing = match entry.swatch {
        Swatch::Line(i) => line(&format!("s{i}")),
        Swatch::Node(class) => format!(
            "<rect class=\"swatch node {class}\" x=\"4\" y=\"4\" width=\"120\" height=\"40\" rx=\"6\"/>"
        ),
        Swatch::Edge(class) => format!("<path class=\"swatch edge {class}\" d=\"M0 24H128\"/>"),
    };
    html! {
        li {
            svg.swatch width="32" height="12" viewBox="0 0 128 48" aria-hidden="true" { (PreEscaped(drawing)) }
            span { (entry.label) }
        }
    }
}
