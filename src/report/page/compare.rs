//! The page of a comparison: the designs side by side, what is clear and what is not, and what their files say
//! differently.

use super::draw_panel;
use super::shell::Page;
use super::tables::MOST_ROWS;
use crate::experiment::results::compare::{
    ComparedMeasure, Comparison, Draws, FileDifference, LineKind, PairOfMeasures,
};
use crate::experiment::results::verdict::Outcome;
use crate::experiment::results::{ClientResults, RunResults, Series};
use crate::report::chart::{
    Line, OverTime, Panel, Shade, Silence, Tail, over_time, percentile, shades, topology,
};
use crate::report::compare::words;
use crate::report::figure::{Quantity, count, figure, instant, rough};
use crate::report::{reproduce, text, verdict};
use maud::{Markup, html};

/// The page for a comparison.
pub fn render(comparison: &Comparison) -> String {
    let names: Vec<String> = comparison.designs.iter().map(|design| text::name(&design.name)).collect();
    let title = names.join(" against ");
    let main = html! {
        (banner(comparison))
        (ranking(comparison))
        (notes(comparison))
        (promises(comparison))
        (measures("questions", "Questions", QUESTIONS, &comparison.questions, comparison))
        (charts(comparison))
        (pictures(comparison))
        (differences(comparison))
        (measures("further", "How it comes about", FURTHER, &comparison.further, comparison))
        (not_compared(comparison))
        (what_was_run(comparison))
    };
    let foot = html! {
        "Differences are Student's paired t within each replication, " (words::confidence(comparison))
        ". What is called clear is so together with all else in its table, at " (percent(comparison.confidence))
        " (Holm)."
    };
    let page =
        Page { kind: "comparison of designs", title, about: "", version: &comparison.eventflow, main, foot };
    page.render()
}

const QUESTIONS: &str =
    "What one asks first. The last columns say how the second design of each pair differs from the first.";
const FURTHER: &str = "All other measures that the designs share, as one family of questions of its own.";

fn percent(level: f64) -> String {
    format!("{} %", (level * 10_000.0).round() / 100.0)
}

fn banner(comparison: &Comparison) -> Markup {
    html! {
        @if comparison.partial {
            p.banner role="status" {
                strong { "Partial result. " }
                "Interrupted: " (comparison.replications_done) " of " (comparison.replications_asked)
                " replications were done of every design, and only those are compared."
            }
        }
    }
}

fn ranking(comparison: &Comparison) -> Markup {
    let answers = comparison.questions.iter().filter_map(|measure| words::answer(comparison, measure));
    let broken = comparison.promises.iter().flat_map(|promise| words::broken_more(comparison, promise));
    let clear: Vec<String> = broken.chain(answers).take(MOST_ROWS).collect();
    let open = words::open(comparison);
    html! {
        section aria-labelledby="ranking" {
            h2 #ranking { "Which is better" }
            ol.ranking {
                @for ranked in &comparison.ranking {
                    li value=(ranked.place) {
                        strong { (words::named(comparison, ranked.design)) }
                        ": " (words::reason(comparison, ranked)) "."
                    }
                }
            }
            p.under {
                "What is promised, and what went wrong, decides first; then how much is done and how fast. Designs with the "
                "same number cannot be told apart, or each is better in something."
            }
            @if !clear.is_empty() {
                h3 { "What is clear" }
                ul { @for line in &clear { li { (line) "." } } }
            }
            @if !open.is_empty() {
                h3 { "No clear difference" }
                p { (open.join(", ")) "." }
            }
            p.under { (words::draws(comparison)) }
        }
    }
}

fn notes(comparison: &Comparison) -> Markup {
    let of_designs = comparison.designs.iter().enumerate().flat_map(|(at, design)| {
        design.run.notes.iter().map(move |note| format!("{}: {note}", words::letter(at)))
    });
    let notes: Vec<String> = comparison.notes.iter().cloned().chain(of_designs).take(MOST_ROWS).collect();
    html! {
        @if !notes.is_empty() {
            section.notes aria-labelledby="notes" {
                h2 #notes { "Read this first" }
                ul { @for note in &notes { li { (text::prose(note)) } } }
            }
        }
    }
}

fn promises(comparison: &Comparison) -> Markup {
    html! {
        @if !comparison.promises.is_empty() {
            section aria-labelledby="promises" {
                h2 #promises { "Promises" }
                p.lead {
                    "Replications that break each promise, with the exact (Clopper–Pearson) bounds of its probability at "
                    (percent(comparison.confidence)) "; below, how often over all replications."
                }
                div.scroll tabindex="0" role="region" aria-labelledby="promises" { table {
                    thead { tr {
                        th scope="col" { "promise" }
                        @for at in 0..comparison.designs.len() { th scope="col" { (words::named(comparison, at)) } }
                        th scope="col" { "difference" }
                    } }
                    tbody { @for promise in comparison.promises.iter().take(MOST_ROWS) { tr {
                        th scope="row" { span.name { (text::name(&promise.name)) } }
                        @for kept in &promise.designs {
                            td {
                                @if let Some(kept) = kept {
                                    span class={ "verdict " (kept.outcome.name()) } {
                                        (verdict::mark(kept.outcome)) "\u{a0}" (outcome(kept.outcome))
                                    }
                                    span.name { (words::kept(Some(kept))) }
                                    @if let Some(counted) = words::counted(kept) { span.few { (counted) } }
                                } @else { "not promised" }
                            }
                        }
                        td { span.why {
                            @let clear = words::broken_more(comparison, promise);
                            @if clear.is_empty() { "none that is clear" } @else { (clear.join("; ")) }
                        } }
                    } } }
                } }
            }
        }
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    outcome.name()
}

/// A table of measures: each design, then each pair.
fn measures(
    id: &str,
    title: &str,
    lead: &str,
    measures: &[ComparedMeasure],
    comparison: &Comparison,
) -> Markup {
    let count_of_designs = comparison.designs.len();
    let pairs: Vec<(usize, usize)> = (0..count_of_designs)
        .flat_map(|first| (first + 1..count_of_designs).map(move |second| (first, second)))
        .collect();
    let hidden = measures.len().saturating_sub(MOST_ROWS);
    html! {
        @if !measures.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (title) }
                p.lead { (lead) }
                div.scroll tabindex="0" role="region" aria-labelledby=(id) { table {
                    thead { tr {
                        th scope="col" { "measure" }
                        @for at in 0..count_of_designs { th.number scope="col" { (words::named(comparison, at)) } }
                        @for (first, second) in &pairs {
                            th.number scope="col" { (words::letter(*second)) " against " (words::letter(*first)) }
                        }
                        th.number scope="col" { "variance cut" }
                    } }
                    tbody { @for measure in measures.iter().take(MOST_ROWS) { tr {
                        th scope="row" { span.name { (text::name(&measure.name)) } }
                        @for estimate in &measure.designs {
                            td.number {
                                (figure(estimate, measure.unit.into()))
                                @if estimate.mean.is_some() && estimate.n != comparison.replications_done {
                                    span.few { " (n = " (estimate.n) ")" }
                                }
                            }
                        }
                        @for (first, second) in &pairs {
                            @let pair = measure.pairs.iter().find(|pair| (pair.first, pair.second) == (*first, *second));
                            td.number { @match pair { Some(pair) => (difference(pair, measure)), None => "–" } }
                        }
                        td.number { (cut(measure)) }
                    } } }
                } }
                p.under {
                    "✓ is clear: better or worse, or just different where neither is a merit. Variance cut: how much smaller the "
                    "variance of the difference is than between independent runs."
                }
                @if hidden > 0 { p.under { (count(hidden as u64)) " more are not shown here; the JSON file has all." } }
            }
        }
    }
}

fn difference(pair: &PairOfMeasures, measure: &ComparedMeasure) -> Markup {
    let mark = match words::worse(measure, pair) {
        _ if !pair.is_clear => "",
        None => "✓ ",
        Some(worse) if worse == pair.second => "✓ worse: ",
        Some(_) => "✓ better: ",
    };
    html! {
        @if pair.is_clear { strong { (mark) (words::change(pair, measure.unit)) } }
        @else { span.few { (words::change(pair, measure.unit)) } }
    }
}

/// By the pairs of a measure, smallest and largest.
fn cut(measure: &ComparedMeasure) -> String {
    let mut factors: Vec<f64> = measure.pairs.iter().filter_map(|pair| pair.variance_reduction).collect();
    factors.sort_by(f64::total_cmp);
    let factor = |value: f64| format!("{} ×", rough(value, Quantity::Number));
    match factors[..] {
        [] => "–".to_owned(),
        [one] => factor(one),
        [least, .., most] => format!("{} to {}", factor(least), factor(most)),
    }
}

/// A line for each client of each design.
fn charts(comparison: &Comparison) -> Markup {
    let clients: Vec<(String, &ClientResults)> = comparison
        .designs
        .iter()
        .enumerate()
        .flat_map(|(at, design)| {
            let is_one = design.run.clients.len() == 1;
            design.run.clients.iter().map(move |client| {
                let name = words::named(comparison, at);
                (if is_one { name } else { format!("{name}: {}", text::name(&client.name)) }, client)
            })
        })
        .collect();
    let tails: Vec<Tail> = clients
        .iter()
        .map(|(name, client)| Tail { name: name.clone(), durations: &client.response_time })
        .collect();
    let lines = |series: fn(&ClientResults) -> &Series| -> Vec<Line> {
        clients.iter().map(|(name, client)| Line { name: name.clone(), series: series(client) }).collect()
    };
    let weather = weather(comparison);
    let time = |titles, axis, lines| time(titles, axis, lines, &weather);
    let panels = [
        percentile("response", "Response time by percentile", "response time", "clients", &tails),
        time(
            ("response-over-time", "Response time over time", "mean response time"),
            (Quantity::Seconds, Silence::Gap, "No intent ended well, or every one in no time."),
            lines(|client| &client.response_time_over_time),
        ),
        time(
            ("throughput", "Throughput over time", "intents ended well"),
            (Quantity::PerSecond, Silence::Zero, "No intent ended well."),
            lines(|client| &client.throughput_over_time),
        ),
        time(
            ("errors", "Errors over time", "intents ended badly"),
            (Quantity::PerSecond, Silence::Zero, "No intent ended badly."),
            lines(|client| &client.errors_over_time),
        ),
    ];
    html! {
        section aria-labelledby="charts" {
            h2 #charts { "Charts" }
            p.lead {
                "Lines over time are means over replications, without their intervals."
                @if weather.iter().any(|shade| shade.is_fault) {
                    " Shaded bands show the faults as they fell in the first replication, of all designs alike."
                }
            }
            div.charts { @for panel in &panels { (draw_panel(panel)) } }
        }
    }
}

fn time(
    (id, title, y_title): (&'static str, &'static str, &'static str),
    (quantity, silence, if_zero): (Quantity, Silence, &'static str),
    lines: Vec<Line>,
    shades: &[Shade],
) -> Panel {
    over_time(&OverTime { id, title, y_title, quantity, silence, lines, what: "clients", if_zero }, shades)
}

/// The warm-up and the faults, if they fell on all designs alike: a band stands behind the lines of all.
fn weather(comparison: &Comparison) -> Vec<Shade> {
    let of = |run: &RunResults| -> Vec<(String, Vec<(f64, f64)>)> {
        run.faults.iter().map(|fault| (fault.name.clone(), fault.bands.clone())).collect()
    };
    let first = &comparison.designs[0].run;
    let is_alike = |run: &RunResults| run.warm_up == first.warm_up && of(run) == of(first);
    if comparison.designs.iter().all(|design| is_alike(&design.run)) { shades(first) } else { Vec::new() }
}

/// Each design's parts and what flows between them.
fn pictures(comparison: &Comparison) -> Markup {
    html! {
        section aria-labelledby="designs" {
            h2 #designs { "The designs" }
            @for (at, design) in comparison.designs.iter().enumerate() {
                h3 { (words::named(comparison, at)) }
                @if !design.run.about.trim().is_empty() { p { (text::prose(&design.run.about)) } }
                div.charts { (draw_panel(&picture(&design.run, at))) }
            }
        }
    }
}

/// Its ids are unlike those of the other pictures.
fn picture(run: &RunResults, at: usize) -> Panel {
    let mut panel = topology(&run.topology);
    if let Panel::Drawn(chart) = &mut panel {
        let own = format!("{}-{}", chart.id, words::letter(at).to_ascii_lowercase());
        for drawing in [&mut chart.wide, &mut chart.narrow] {
            *drawing = drawing.replace(&format!("\"{}-", chart.id), &format!("\"{own}-"));
            *drawing = drawing.replace(&format!("#{}-", chart.id), &format!("#{own}-"));
            *drawing = drawing.replace(&format!(" {}-", chart.id), &format!(" {own}-"));
        }
        chart.id = own;
    }
    panel
}

fn differences(comparison: &Comparison) -> Markup {
    html! {
        section aria-labelledby="files" {
            h2 #files { "What the files say differently" }
            p.lead { "As " code { "eventflow show" } " tells them, after presets, what they extend, and defaults." }
            @for difference in &comparison.differences { (file(difference, comparison)) }
        }
    }
}

fn file(difference: &FileDifference, comparison: &Comparison) -> Markup {
    html! {
        h3 { (words::named(comparison, 0)) " (−) and " (words::named(comparison, difference.design)) " (+)" }
        @if difference.lines.is_empty() {
            p { "Nothing." }
        } @else {
            pre.difference tabindex="0" { @for line in &difference.lines {
                @let (class, mark) = match line.kind {
                    LineKind::Both => ("same", "  "),
                    LineKind::OnlyFirst => ("gone", "− "),
                    LineKind::OnlySecond => ("new", "+ "),
                    LineKind::Gap => ("same", "  ⋯"),
                };
                span class=(class) { (mark) (text::shortened(&line.text, 400)) "\n" }
            } }
        }
        @if difference.more > 0 { p.under { (count(difference.more as u64)) " more lines are not shown." } }
    }
}

fn not_compared(comparison: &Comparison) -> Markup {
    let told = |names: &[String]| {
        let shown: Vec<String> = names.iter().take(MOST_ROWS).map(|name| text::name(name)).collect();
        shown.join(", ")
    };
    html! {
        @if !comparison.unchanged.is_empty() || !comparison.not_shared.is_empty() {
            section aria-labelledby="other" {
                h2 #other { "Not compared" }
                @if !comparison.unchanged.is_empty() {
                    p { strong { "The same in every replication: " } (told(&comparison.unchanged)) "." }
                }
                @if !comparison.not_shared.is_empty() {
                    p { strong { "Not in all designs: " } (told(&comparison.not_shared)) "." }
                }
            }
        }
    }
}

fn what_was_run(comparison: &Comparison) -> Markup {
    let first = &comparison.designs[0].run;
    let replications = format!("{} of {}", comparison.replications_done, comparison.replications_asked);
    let draws = match comparison.draws {
        Draws::Common => "the same for all designs",
        Draws::Independent => "of each design its own",
    };
    let facts = [
        ("Seed", comparison.seed.to_string()),
        ("Replications of each", replications),
        ("Random numbers", draws.to_owned()),
        ("Measured", format!("{} to {}", instant(first.warm_up), instant(first.horizon))),
        ("Version", format!("eventflow {}", text::name(&comparison.eventflow))),
    ];
    html! {
        section aria-labelledby="run" {
            h2 #run { "What was run" }
            dl.facts { @for (term, value) in &facts { div { dt { (term) } dd { (value) } } } }
            div.scroll tabindex="0" role="region" aria-labelledby="run" { table {
                thead { tr { @for head in ["design", "file", "seed", "events", "digest"] { th scope="col" { (head) } } } }
                tbody { @for (at, design) in comparison.designs.iter().enumerate() { tr {
                    th scope="row" { (words::named(comparison, at)) }
                    td { span.name { (text::name(&design.run.file)) } }
                    td { (design.run.seed) }
                    td { (count(design.run.events)) }
                    td { code.digest { (text::name(&design.run.digest)) } }
                } } }
            } }
            h3 { "To get the same again" }
            pre.command tabindex="0" { code { (text::shortened(&reproduce::comparison(comparison), 4000)) } }
        }
    }
}
