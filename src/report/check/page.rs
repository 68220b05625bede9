//! The page of a check: every verdict of every file in one table, worst first, each with the way to the report of its
//! file and to the first time that it was broken.

use super::{counted, tally};
use crate::experiment::results::check::{CheckResults, CheckedFile, CheckedRun, Standing, Trouble};
use crate::experiment::results::verdict::{Outcome, Verdict};
use crate::report::figure::count;
use crate::report::page::shell::Page;
use crate::report::page::verdicts::breakable;
use crate::report::{reproduce, text, verdict as words};
use maud::{Markup, html};

/// Most rows of a table, and most counterexamples that are listed.
const MOST_ROWS: usize = 1000;
const MOST_SHOWN: usize = 50;
/// The columns of the table of verdicts.
const HEADS: [&str; 6] = ["promise", "verdict", "file", "what is promised", "found, in replications", "why"];
/// Longest sentence, in characters.
const LONGEST: usize = 1000;

/// The page for `results`. `reports` are the names of the pages of the files, in their order, as far as there are any.
pub fn render(results: &CheckResults, reports: &[Option<String>]) -> String {
    let mut verdicts: Vec<Row> = rows(results, reports).collect();
    verdicts.sort_by_key(|row| std::cmp::Reverse(row.verdict.standing()));
    let title = format!("{} checked", counted(results.files.len(), "file"));
    let main = html! {
        (banner(results))
        (table(&verdicts))
        (unusable(results))
        (silent(results, reports))
        (broken(&verdicts))
        (runs(results))
    };
    let foot = html! {
        "Exposures are how often it had the chance to go wrong: without any, nothing is proved. Replications that break a \
         promise stand with the exact (Clopper–Pearson) bounds of its probability at 95 %."
    };
    Page { kind: "check", title, about: "", version: &results.eventflow, main, foot }.render()
}

/// A verdict, with the file that it is of.
struct Row<'a> {
    file: &'a CheckedFile,
    run: &'a CheckedRun,
    report: Option<&'a str>,
    verdict: &'a Verdict,
}

fn rows<'a>(results: &'a CheckResults, reports: &'a [Option<String>]) -> impl Iterator<Item = Row<'a>> {
    results.files.iter().enumerate().flat_map(move |(at, file)| {
        let report = reports.get(at).and_then(Option::as_deref);
        let verdicts = |run: &'a CheckedRun| run.verdicts.iter().map(move |verdict| (run, verdict));
        file.run.iter().flat_map(verdicts).map(move |(run, verdict)| Row { file, run, report, verdict })
    })
}

fn is_partial(run: &CheckedRun) -> bool {
    run.replications_done < run.replications_asked
}

fn banner(results: &CheckResults) -> Markup {
    let is_partial =
        |file: &&CheckedFile| file.run.as_ref().map_or(file.standing == Standing::Inconclusive, is_partial);
    let partial = results.files.iter().filter(is_partial).count();
    let word = match results.standing {
        Standing::Pass => "Passed.",
        Standing::Inconclusive => "Inconclusive.",
        Standing::Fail => "Failed.",
        Standing::Unusable => "Not usable.",
    };
    html! {
        p.banner.quiet[results.standing == Standing::Pass] role="status" {
            strong { (word) " " } (tally(results)) "."
        }
        @if partial > 0 {
            p.banner role="status" {
                strong { "Partial result. " }
                "Interrupted: of " (counted(partial, "file")) " not all replications were done."
            }
        }
    }
}

fn table(verdicts: &[Row]) -> Markup {
    let hidden = verdicts.len().saturating_sub(MOST_ROWS);
    html! {
        @if !verdicts.is_empty() {
            section aria-labelledby="verdicts" {
                h2 #verdicts { "Verdicts" }
                p.lead { "What does not stand comes first. Each file leads to its report." }
                // Cards on a phone: the roles keep it a table for who is read to.
                table.verdicts role="table" aria-labelledby="verdicts" {
                    thead role="rowgroup" { tr role="row" {
                        @for head in HEADS { th role="columnheader" scope="col" { (head) } }
                    } }
                    tbody role="rowgroup" { @for row in verdicts.iter().take(MOST_ROWS) { (line(row)) } }
                }
                @if hidden > 0 { p.under { (count(hidden as u64)) " more are not shown here; the JSON has all." } }
            }
        }
    }
}

fn line(row: &Row) -> Markup {
    let verdict = row.verdict;
    let standing = verdict.standing();
    let [_, outcome, from, bound, found, why] = HEADS;
    html! {
        tr role="row" {
            th role="rowheader" scope="row" { span.name { (breakable(&text::name(&verdict.name))) } }
            td role="cell" data-of=(outcome) {
                span class={ "verdict " (standing.name()) } { (words::mark(standing)) "\u{a0}" (words::word(verdict)) }
            }
            td role="cell" data-of=(from) { (file(row.file, row.report)) }
            td role="cell" data-of=(bound) { span.name { (breakable(&text::shortened(&verdict.bound, 300))) } }
            td.number role="cell" data-of=(found) { @match &verdict.tally { Some(tally) => (words::found(tally)), None => "–" } }
            td role="cell" data-of=(why) { span.why {
                (text::shortened(&verdict.reason, LONGEST))
                @if let Some(violation) = &verdict.violation {
                    span.few { " Replications that break it: " (words::violation(violation)) "." }
                }
            } }
        }
    }
}

/// A file's name, which leads to its report.
fn file(file: &CheckedFile, report: Option<&str>) -> Markup {
    html! {
        span.name {
            @match report {
                Some(report) => a href=(address(report)) { (breakable(&text::name(&file.file))) },
                None => (breakable(&text::name(&file.file))),
            }
        }
    }
}

/// The name of a file beside this page as an address: with `./` it can be no other kind of address.
fn address(name: &str) -> String {
    let mut address = "./".to_owned();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => address.push(char::from(byte)),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

fn unusable(results: &CheckResults) -> Markup {
    let troubles = || results.files.iter().flat_map(|file| file.troubles.iter().map(move |one| (file, one)));
    let place = |trouble: &Trouble| {
        let place = trouble.place.as_ref();
        place.map_or("–".to_owned(), |at| format!("{}:{}:{}", text::name(&at.file), at.line, at.column))
    };
    html! {
        @if troubles().next().is_some() {
            section aria-labelledby="unusable" {
                h2 #unusable { "Without a result" }
                div.scroll tabindex="0" role="region" aria-labelledby="unusable" { table {
                    thead { tr { @for head in ["file", "place", "what is wrong"] { th scope="col" { (head) } } } }
                    tbody { @for (file, trouble) in troubles().take(MOST_ROWS) { tr {
                        th scope="row" { span.name { (text::name(&file.file)) } }
                        td { span.name { (place(trouble)) } }
                        td { span.why { (text::shortened(&trouble.message, LONGEST)) } }
                    } } }
                } }
            }
        }
    }
}

/// Files that promise nothing.
fn silent(results: &CheckResults, reports: &[Option<String>]) -> Markup {
    let is_silent = |file: &CheckedFile| file.run.as_ref().is_some_and(|run| run.verdicts.is_empty());
    let silent: Vec<(&CheckedFile, Option<&str>)> = results
        .files
        .iter()
        .enumerate()
        .filter(|(_, file)| is_silent(file))
        .map(|(at, file)| (file, reports.get(at).and_then(Option::as_deref)))
        .collect();
    html! {
        @if !silent.is_empty() {
            section aria-labelledby="silent" {
                h2 #silent { "Without promises" }
                p.lead { "Of these nobody can tell whether they are right: they promise nothing." }
                ul { @for (of, report) in silent.iter().take(MOST_ROWS) { li { (file(of, *report)) } } }
            }
        }
    }
}

/// What was run of each file, and the command that runs it again.
fn runs(results: &CheckResults) -> Markup {
    let runs: Vec<(&CheckedFile, &CheckedRun)> =
        results.files.iter().filter_map(|file| Some((file, file.run.as_ref()?))).collect();
    html! {
        section aria-labelledby="runs" {
            h2 #runs { "What was run" }
            p.lead { "By eventflow " (text::name(&results.eventflow)) "." }
            @if !runs.is_empty() {
                div.scroll tabindex="0" role="region" aria-labelledby="runs" { table {
                    thead { tr { @for head in ["file", "seed", "replications", "digest"] { th scope="col" { (head) } } } }
                    tbody { @for (file, run) in runs.iter().take(MOST_ROWS) { tr {
                        th scope="row" { span.name { (breakable(&text::name(&file.file))) } }
                        td.number { (run.seed) }
                        td.number {
                            (count(run.replications_done.into()))
                            @if is_partial(run) { " of " (count(run.replications_asked.into())) }
                        }
                        td { code { (text::name(&run.digest)) } }
                    } } }
                } }
            }
            h3 { "To get the same again" }
            pre.command tabindex="0" { code { (text::shortened(&reproduce::check(results), 4000)) } }
        }
    }
}

/// The first time that each promise was broken that should not have been.
fn broken(verdicts: &[Row]) -> Markup {
    let first = |row: &&Row| row.verdict.counterexample.is_some() && row.verdict.standing() == Outcome::Fail;
    let broken: Vec<&Row> = verdicts.iter().filter(first).collect();
    html! {
        @if !broken.is_empty() {
            section aria-labelledby="broken" {
                h2 #broken { "First broken" }
                p.lead { "Where each broken promise was first seen broken, and the command that shows it." }
                @for row in broken.iter().take(MOST_SHOWN) {
                    @if let Some(shown) = &row.verdict.counterexample {
                        h3 { (text::name(&row.verdict.name)) " in " (file(row.file, row.report)) }
                        p { (text::shortened(&words::seen(shown), LONGEST)) }
                        @let CheckedRun { seed, settings, .. } = row.run;
                        @let replay = reproduce::replay(&row.file.file, *seed, settings, &row.verdict.name, shown);
                        pre.command tabindex="0" { code { (text::shortened(&replay, 4000)) } }
                    }
                }
                @if broken.len() > MOST_SHOWN { p.under { (broken.len() - MOST_SHOWN) " more are in the table." } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    /// A name is a name, whatever it would like to be.
    #[test]
    fn a_name_leads_to_a_file_beside_the_page() {
        assert_eq!(address("shop 2.html"), "./shop%202.html");
        assert_eq!(address("javascript:alert(1).html"), "./javascript%3Aalert%281%29.html");
        assert_eq!(address("größe.html"), "./gr%C3%B6%C3%9Fe.html");
    }
}
