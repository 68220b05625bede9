//! The verdicts: what was promised, whether it held, and the first time it did not. And what was counted
//! though nobody asked.

use super::tables::{MOST_ROWS, interval};
use crate::experiment::results::RunResults;
use crate::experiment::results::verdict::{Outcome, Tally, Unasked, Verdict};
use crate::report::figure::{Quantity, count, rough};
use crate::report::{reproduce, text, verdict as words};
use maud::{Markup, html};

/// Most counterexamples that are shown.
const MOST_SHOWN: usize = 20;

/// The columns.
const HEADS: [&str; 6] =
    ["promise", "verdict", "what is promised", "found, in replications", "exposures", "why"];

/// The table of verdicts, first of all; nothing if nothing was promised.
pub fn verdicts(results: &RunResults) -> Markup {
    let verdicts = &results.verdicts;
    let hidden = verdicts.len().saturating_sub(MOST_ROWS);
    html! {
        @if !verdicts.is_empty() {
            section aria-labelledby="verdicts" {
                h2 #verdicts { "Verdicts" }
                p.lead { (total(verdicts)) }
                // Cards on a phone: the roles keep it a table for who is read to.
                table.verdicts role="table" aria-labelledby="verdicts" {
                    thead role="rowgroup" { tr role="row" {
                        @for head in HEADS { th role="columnheader" scope="col" { (head) } }
                    } }
                    tbody role="rowgroup" {
                        @for verdict in worst_first(verdicts).into_iter().take(MOST_ROWS) { (row(verdict, results)) }
                    }
                }
                p.under {
                    "Exposures are how often it had the chance to go wrong: without any, nothing is proved."
                }
                @if hidden > 0 { p.under { (count(hidden as u64)) " more verdicts are not shown here; the JSON file has all." } }
                (shown(results))
            }
        }
    }
}

/// `13 promises: 6 failed, 5 passed, 2 inconclusive.`
fn total(verdicts: &[Verdict]) -> String {
    let of = |outcome| verdicts.iter().filter(|verdict| verdict.outcome == outcome).count();
    let told =
        [(Outcome::Fail, "failed"), (Outcome::Pass, "passed"), (Outcome::Inconclusive, "inconclusive")]
            .map(|(outcome, word)| (of(outcome), word));
    let told: Vec<String> =
        told.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let promises = if verdicts.len() == 1 { "1 promise" } else { &format!("{} promises", verdicts.len()) };
    let mut told = format!("{promises}: {}.", told.join(", "));
    let unexpected =
        verdicts.iter().filter(|verdict| verdict.expected.is_some_and(|it| it != verdict.outcome)).count();
    if unexpected > 0 {
        told += &format!(" Not as the scenario expects: {unexpected}.");
    }
    if of(Outcome::Inconclusive) > 0 {
        told += " Inconclusive is not a pass: nobody can tell, and the last column says why.";
    }
    told
}

/// What does not stand first, then what nobody can tell; else in the order of the file.
fn worst_first(verdicts: &[Verdict]) -> Vec<&Verdict> {
    let mut order: Vec<&Verdict> = verdicts.iter().collect();
    order.sort_by_key(|verdict| std::cmp::Reverse(verdict.standing()));
    order
}

/// Text that may be broken behind a dot, an underscore or a slash.
pub fn breakable(text: &str) -> Markup {
    html! { @for part in text.split_inclusive(['.', '_', '/']) { (part) wbr; } }
}

fn row(verdict: &Verdict, results: &RunResults) -> Markup {
    let account = results.accounts.told.iter().position(|of| of.measure == verdict.name);
    let [_, outcome, bound, found, exposures, why] = HEADS;
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                span.name {
                    @if let Some(number) = account {
                        a href={ "#account-" (number) } { (breakable(&text::name(&verdict.name))) }
                    } @else { (breakable(&text::name(&verdict.name))) }
                }
            }
            td role="cell" data-of=(outcome) {
                span class={ "verdict " (verdict.standing().name()) } { (words::mark(verdict.standing())) "\u{a0}" (words::word(verdict)) }
            }
            td role="cell" data-of=(bound) { span.name { (breakable(&text::shortened(&verdict.bound, 300))) } }
            td.number role="cell" data-of=(found) { @match &verdict.tally { Some(tally) => (words::found(tally)), None => "–" } }
            td.number role="cell" data-of=(exposures) { @match &verdict.tally { Some(tally) => (count(tally.exposures)), None => "–" } }
            td role="cell" data-of=(why) { span.why {
                (text::shortened(&verdict.reason, 1000))
                @if let Some(tally) = &verdict.tally {
                    span.few { " Exposures: " (text::shortened(&tally.exposure, 300)) "." }
                }
                @if let Some(violation) = &verdict.violation {
                    span.few { " Replications that break it: " (words::violation(violation)) " at " (interval(results)) "." }
                }
            } }
        }
    }
}

/// The first time that each broken promise was broken, of those that are not told in full.
fn shown(results: &RunResults) -> Markup {
    let is_told = |verdict: &Verdict| results.accounts.told.iter().any(|of| of.measure == verdict.name);
    let broken = worst_first(&results.verdicts)
        .into_iter()
        .filter(|verdict| !is_told(verdict))
        .filter_map(|verdict| Some((verdict, verdict.counterexample.as_ref()?)));
    html! {
        @for (verdict, shown) in broken.take(MOST_SHOWN) {
            h3 { "First broken: " (text::name(&verdict.name)) }
            p { (text::shortened(&words::seen(shown), 1000)) }
            @let replay = reproduce::replay(&results.file, results.seed, &results.settings, &verdict.name, shown);
            pre.command tabindex="0" { code { (text::shortened(&replay, 4000)) } }
        }
    }
}

/// What was counted though nothing was promised about it.
pub fn anomalies(results: &RunResults) -> Markup {
    html! {
        @if !results.anomalies.is_empty() {
            section aria-labelledby="anomalies" {
                h2 #anomalies { "Counted, though not asked for" }
                p.lead { "What could have gone wrong, and nothing is promised about it in the scenario. Rates are per exposure." }
                div.scroll tabindex="0" role="region" aria-labelledby="anomalies" {
                    table {
                        thead { tr {
                            th scope="col" { "measure" }
                            @for head in ["found", "exposures", "rate"] { th.number scope="col" { (head) } }
                            th scope="col" { "what is counted" }
                        } }
                        tbody { @for one in &results.anomalies { (unasked(one)) } }
                    }
                }
            }
        }
    }
}

fn unasked(one: &Unasked) -> Markup {
    html! {
        tr {
            th scope="row" { span.name { (text::name(&one.name)) } }
            td.number { (words::found(&one.tally)) }
            td.number { (count(one.tally.exposures)) }
            td.number { (rate(&one.tally)) }
            td { span.why { (text::prose(&one.counts)) } }
        }
    }
}

/// Count per exposure; of none how much it still can be.
fn rate(tally: &Tally) -> String {
    match (tally.rate_at_most, tally.rate) {
        (Some(most), _) => format!("≤ {}", rough(most, Quantity::Share)),
        (None, Some(rate)) => rough(rate, Quantity::Share),
        (None, None) => "–".to_owned(),
    }
}
