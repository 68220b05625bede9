//! What became of the work, as the oracles know it: how obligations ended, when duplicates and losses
//! happened, how late views and reads were, how far from order messages arrived. Each part only where
//! there is something to show.

use super::draw_panel;
use super::tables::{Cell, Table, draw, named, number, share, time};
use crate::experiment::results::RunResults;
use crate::experiment::results::truth::{ArrivalResults, ExtentResults};
use crate::report::chart::{
    Bar, Line, OverTime, Panel, Shade, Silence, Tail, bars, over_time, percentile, shades,
};
use crate::report::figure::{Quantity, count};
use crate::report::text;
use maud::{Markup, html};

/// Most subscriptions whose extents are drawn: those with the greatest share of reordered arrivals.
const MOST_GROUPS: usize = 4;

/// The section; nothing if no oracle had anything to measure.
pub fn truth(results: &RunResults) -> Markup {
    // The warm-up is measured here.
    let shades: Vec<Shade> = shades(results).into_iter().filter(|shade| shade.is_fault).collect();
    let panels = panels(results, &shades);
    let tables = [ends(results), views(results), reads(results), arrivals(results)];
    let tables: Vec<Table> = tables.into_iter().filter(|table| table.all > 0).collect();
    html! {
        @if !panels.is_empty() || !tables.is_empty() {
            section aria-labelledby="truth" {
                h2 #truth { "What became of the work" }
                p.lead {
                    "Of whole replications, from the start to the end of the drain: nothing is left out as warm-up."
                    @if !panels.is_empty() && !shades.is_empty() {
                        " Shaded bands show the faults as they fell in the first replication."
                    }
                }
                @for table in &tables { (draw(table, results.replications_done)) }
                @if !panels.is_empty() { div.charts { @for panel in &panels { (draw_panel(panel)) } } }
            }
        }
    }
}

/// How obligations ended, all that were owed first.
fn ends(results: &RunResults) -> Table {
    let ends: Vec<_> = results.obligations.ends.iter().collect();
    let head = ["obligations", "in all", "of those owed", "what it means"];
    let title = "How obligations ended";
    let mut table = Table::new("ends", title, &head, &ends, |end| {
        let times = Cell::Number(count(end.count));
        vec![named(&end.end), times, share(&end.share), Cell::Prose(text::prose(&end.meaning))]
    });
    if !ends.is_empty() {
        let owed = Cell::Number(count(results.obligations.owed));
        let meaning =
            "What ought to happen once, however often it is tried: each message for each group, each call.";
        table.rows.insert(
            0,
            vec![named("owed"), owed, Cell::Number(String::new()), Cell::Prose(meaning.to_owned())],
        );
        table.all += 1;
    }
    table
}

fn views(results: &RunResults) -> Table {
    let head = [
        "view",
        "of",
        "changes",
        "never shown",
        "lag, mean",
        "lag, p99",
        "wrong, p99",
        "wrong, max",
        "converged, max",
        "keys wrong at the end",
    ];
    Table::new("views", "Views", &head, &results.views, |view| {
        let mut row = vec![named(&view.name), named(&format!("{} → {}", view.of, view.view))];
        row.extend([view.changes, view.never_shown].map(|all| Cell::Number(count(all))));
        row.extend([view.lag.mean, view.lag.p99, view.window.p99].map(|figure| time(&figure)));
        row.extend([view.window.max, view.convergence.max].map(|figure| time(&figure)));
        row.push(number(&view.disagreeing));
        row
    })
    .with_note(
        "Lag: from a change until the view shows it or something newer. Wrong: each time that a row is not what the \
         source makes of it. Converged: from the last change of a key until its row is right for good.",
    )
}

fn reads(results: &RunResults) -> Table {
    let head = [
        "reads of",
        "in all",
        "stale",
        "age, mean",
        "age, p99",
        "age, max",
        "versions missed, mean",
        "at most",
    ];
    Table::new("reads", "Staleness of reads", &head, &results.reads, |reads| {
        let mut row = vec![named(&reads.table), Cell::Number(count(reads.reads)), share(&reads.stale)];
        row.extend([reads.age.mean, reads.age.p99, reads.age.max].map(|figure| time(&figure)));
        row.extend([reads.versions_mean, reads.versions_max].map(|figure| number(&figure)));
        row
    })
    .with_note("Age and versions are of stale reads: since when the first version missed had been there, and how many.")
}

fn arrivals(results: &RunResults) -> Table {
    let head = [
        "subscription",
        "first arrivals",
        "reordered",
        "extent, mean",
        "extent, max",
        "late, mean",
        "late, max",
        "held to restore the order",
    ];
    Table::new("arrivals", "Order of arrival, by key", &head, &results.arrivals, |of| {
        let mut row = vec![Cell::Text(name(of)), Cell::Number(count(of.arrived)), share(&of.reordered)];
        row.extend([of.extent_mean, of.extent_max].map(|figure| number(&figure)));
        row.extend([of.late_time.mean, of.late_time.max].map(|figure| time(&figure)));
        row.push(number(&of.held));
        row
    })
    .with_note(
        "Reordered: arrived after a message of the same key that was sent later (RFC 4737). Extent: how many arrivals of \
         the key ago the first such one came. Held: messages in a buffer that restores the order (RFC 5236), on average.",
    )
}

fn name(of: &ArrivalResults) -> String {
    text::name(&format!("{}.{}", of.topic, of.group))
}

fn panels(results: &RunResults, shades: &[Shade]) -> Vec<Panel> {
    let mut panels = Vec::new();
    panels.extend(anomalies(results, shades));
    panels.extend(disagreement(results, shades));
    let views = |durations: fn(&crate::experiment::results::truth::ViewResults) -> &_| -> Vec<Tail> {
        results
            .views
            .iter()
            .map(|view| Tail { name: text::name(&view.name), durations: durations(view) })
            .collect()
    };
    let ages: Vec<Tail> = results
        .reads
        .iter()
        .map(|reads| Tail { name: text::name(&reads.table), durations: &reads.age })
        .collect();
    let distributions = [
        ("view-lag", "View lag by percentile", "lag", "views", views(|view| &view.lag)),
        (
            "window",
            "Inconsistency windows by percentile",
            "time a row was wrong",
            "views",
            views(|view| &view.window),
        ),
        ("staleness", "Age of stale reads by percentile", "age", "tables", ages),
    ];
    for (id, title, y_title, what, tails) in distributions {
        let is_seen = tails.iter().any(|tail| tail.durations.max.mean.is_some_and(|most| most > 0.0));
        if is_seen {
            panels.push(percentile(id, title, y_title, what, &tails));
        }
    }
    panels.extend(extents(results));
    panels
}

/// Duplicates and losses over time, if there were any before the horizon.
fn anomalies(results: &RunResults, shades: &[Shade]) -> Option<Panel> {
    let seen: Vec<_> = results.anomalies_over_time.iter().filter(|of| of.count > of.later).collect();
    let lines = seen.iter().map(|of| Line { name: words(&of.anomaly), series: &of.over_time }).collect();
    let chart = OverTime {
        id: "anomalies-over-time",
        title: "Duplicates and losses over time",
        y_title: "effects",
        quantity: Quantity::PerSecond,
        silence: Silence::Zero,
        lines,
        what: "kinds",
        if_zero: "There were none.",
    };
    if seen.is_empty() {
        return None;
    }
    let mut panel = over_time(&chart, shades);
    let later: u64 = results.anomalies_over_time.iter().map(|of| of.later).sum();
    if let Panel::Drawn(chart) = &mut panel {
        chart.notes.push("A loss is dated where nothing worked on it any more.".to_owned());
        if later > 0 {
            chart.notes.push(format!("{} more came after the horizon, while the run drained.", count(later)));
        }
    }
    Some(panel)
}

/// How many keys of each view were wrong, if any was.
fn disagreement(results: &RunResults, shades: &[Shade]) -> Option<Panel> {
    let is_seen =
        results.views.iter().any(|view| view.disagreeing_over_time.values.iter().any(|&it| it > 0.0));
    let chart = OverTime {
        id: "disagreement",
        title: "Keys that views show wrongly, over time",
        y_title: "keys",
        quantity: Quantity::Number,
        silence: Silence::Zero,
        lines: results
            .views
            .iter()
            .map(|view| Line { name: text::name(&view.name), series: &view.disagreeing_over_time })
            .collect(),
        what: "views",
        if_zero: "Every view agreed with its source all the time.",
    };
    is_seen.then(|| over_time(&chart, shades))
}

/// `lost_effects` as text.
fn words(anomaly: &str) -> String {
    text::name(&anomaly.replace('_', " "))
}

/// Of those that reordered most, a chart each.
fn extents(results: &RunResults) -> Vec<Panel> {
    let mut groups: Vec<&ArrivalResults> =
        results.arrivals.iter().filter(|of| !of.extents.is_empty()).collect();
    let size = |of: &ArrivalResults| of.reordered.mean.unwrap_or(0.0);
    groups.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let hidden = groups.len().saturating_sub(MOST_GROUPS);
    let draw = |(i, of): (usize, &&ArrivalResults)| {
        let is_seen = |one: &ExtentResults| one.share.mean.is_some_and(|share| share > 0.0);
        let last = of.extents.iter().rposition(is_seen).map_or(0, |last| last + 1);
        let all: Vec<Bar> =
            of.extents[..last].iter().map(|one| Bar { name: bar_name(one), share: one.share }).collect();
        let title = format!("Extent of reordering, {}", name(of));
        let mut panel = bars(&format!("extents-{i}"), &title, "extents", "Nothing was reordered.", &all);
        if let Panel::Drawn(chart) = &mut panel {
            chart.notes.push("Of reordered arrivals: how many arrivals too late each was.".to_owned());
            if i + 1 == MOST_GROUPS && hidden > 0 {
                chart.notes.push(format!("{} more subscriptions are in the table.", count(hidden as u64)));
            }
        }
        panel
    };
    groups.iter().take(MOST_GROUPS).enumerate().map(draw).collect()
}

/// `1 arrival late`, `4 to 7 arrivals late`, `64 or more arrivals late`.
fn bar_name(of: &ExtentResults) -> String {
    match of.to {
        Some(1) => "1 arrival late".to_owned(),
        Some(to) if to == of.from => format!("{to} arrivals late"),
        Some(to) => format!("{} to {to} arrivals late", of.from),
        None => format!("{} or more arrivals late", of.from),
    }
}
