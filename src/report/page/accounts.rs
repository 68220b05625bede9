//! The counterexamples: of each promise that failed the first time that it did, told in full.
//!
//! Each is told three times over: in words for who has a minute, drawn for who wants to see it, and step by step as
//! a table, for who checks it or does not see the drawing. What happens without each fault was run, not guessed.

use crate::experiment::results::RunResults;
use crate::experiment::results::account::{Account, Link, Part, Step, Untold};
use crate::report::account::{
    because, compared, counted, ending, instead, mermaid, place, sequence, text as lines, time,
};
use crate::report::{reproduce, text};
use maud::{Markup, PreEscaped, html};

/// Longest line of an account, in characters.
const LONGEST: usize = 1000;
/// Most rows of the table of who changed what.
const MOST_CHANGES: usize = 40;

/// The section; nothing if no account was gathered, and none is missing.
pub fn accounts(results: &RunResults) -> Markup {
    let accounts = &results.accounts;
    html! {
        @if !accounts.told.is_empty() {
            section aria-labelledby="accounts" {
                h2 #accounts { "How it goes wrong" }
                p.lead {
                    "Of each promise that failed, the first time that it did. The replication was run again with the \
                     same draws to follow the work that went wrong, and again without one thing or another, to see \
                     whether it is needed for that."
                }
                @for (number, account) in accounts.told.iter().enumerate() { (told(number, account, &accounts.told)) }
                (untold(&accounts.untold))
            }
        }
    }
}

fn untold(untold: &[Untold]) -> Markup {
    html! {
        @if !untold.is_empty() {
            p.under {
                "Not told here: "
                @for (number, of) in untold.iter().enumerate() {
                    @if number > 0 { "; " }
                    (text::name(&of.measure)) " (" (text::shortened(&of.why, 300)) ")"
                }
                ". The command beside each shows it."
            }
        }
    }
}

fn told(number: usize, account: &Account, all: &[Account]) -> Markup {
    let same = account.same_as.as_ref().and_then(|name| all.iter().position(|of| of.measure == *name));
    html! {
        article.account aria-labelledby={ "account-" (number) } {
            h3 id={ "account-" (number) } { (text::name(&account.measure)) }
            p.what { (text::shortened(&account.what, LONGEST)) }
            p.under { (text::shortened(&counted(account), LONGEST)) "." }
            (in_words(account))
            @if let Some(same) = same {
                p { "It goes back to the same work as " a href={ "#account-" (same) } { (text::name(&all[same].measure)) }
                    ", which is told there." }
            } @else {
                (drawing(number, account))
                (without(account))
                (changes(number, account))
            }
            @if same.is_none() {
                details {
                    summary { "As a Mermaid diagram, to copy" }
                    pre.command tabindex="0" { code { (mermaid::render(account)) } }
                }
            }
            p.under { "To see it on a terminal, with the same digest (" code.digest { (text::name(&account.digest)) } "):" }
            pre.command tabindex="0" { code { (text::shortened(&reproduce::replay_line(account), 4000)) } }
        }
    }
}

/// Meant against got, in rows and in words of the scenario.
fn in_words(account: &Account) -> Markup {
    let is_known = !account.meant.is_empty() && !account.meant_by.is_empty();
    let by = is_known.then(|| format!("Known from {}.", account.meant_by));
    let meant = account.meant.iter().map(|line| format!("{}: {line}", account.subject)).chain(by);
    let told = account.told.iter().map(|told| format!("{}, at {}s", told.what, time(told.at)));
    let parts: [(&str, Vec<String>); 7] = [
        ("Compared", account.sides.iter().map(compared).collect()),
        ("Because", account.because.iter().map(because).chain(account.whose.clone()).collect()),
        ("Meant", meant.collect()),
        ("Done", account.got.clone()),
        ("At the end", account.at_end.iter().map(lines::at_end).collect()),
        ("The client was told", told.collect()),
        ("The other design", account.twin.iter().flat_map(crate::report::account::twin).collect()),
    ];
    html! {
        dl.told {
            @for (term, all) in parts.iter().filter(|(_, all)| !all.is_empty()) {
                div { dt { (term) } @for line in all { dd { (text::shortened(line, LONGEST)) } } }
            }
        }
    }
}

fn drawing(number: usize, account: &Account) -> Markup {
    let id = format!("sequence-{number}");
    html! {
        figure.chart.broad.sequence id=(id) {
            h4 { "Step by step" }
            div.drawing tabindex="0" role="group" aria-label={ "Drawing of " (text::name(&account.measure)) } {
                (PreEscaped(sequence::wide(account, &id)))
                (PreEscaped(sequence::narrow(account, &id)))
            }
            figcaption {
                p { "Time runs down, in seconds of the replication. A band is a fault; the marked step is where it goes \
                     wrong; behind the line nothing can save it. Numbers with a colon are lines of "
                    (text::name(&account.file)) "." }
                details {
                    summary { "The same as a table" }
                    (steps(account))
                }
            }
        }
    }
}

fn steps(account: &Account) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Steps of " (text::name(&account.measure)) } {
            table {
                thead { tr {
                    @for head in ["time, s", "who", "attempt", "what", "line"] { th scope="col" { (head) } }
                } }
                tbody {
                    @for (index, link) in account.chain.iter().enumerate() {
                        (step(account, link))
                        @if account.left_out > 0 && index + 1 == account.gap_after {
                            tr { th scope="row" { "…" } td colspan="4" { (account.left_out) " steps are not shown" } }
                        }
                    }
                }
            }
        }
    }
}

fn step(account: &Account, link: &Link) -> Markup {
    let is_end = matches!(link.step, Step::Verdict | Step::Broken);
    let attempt = link.attempt.filter(|_| link.part == Part::Own);
    html! {
        tr {
            th scope="row" { (time(link.at)) }
            td { span.name { (text::name(&link.who)) } }
            td { @if let Some(attempt) = attempt { (attempt) } }
            td { span.why {
                @if link.part == Part::Fault { strong { "Fault: " } }
                @if is_end { strong { (ending(link)) ": " } }
                (text::shortened(&link.text, LONGEST))
                @if link.is_wrong { strong { " ← here it goes wrong" } }
            } }
            td { (text::name(&place(account, link))) }
        }
    }
}

fn without(account: &Account) -> Markup {
    html! {
        h4 { "What happens without" }
        @if !account.without.is_empty() {
            dl.told {
                @for of in &account.without {
                    div {
                        dt { (text::shortened(&of.left_out, 300)) }
                        dd { (text::shortened(&instead(of.outcome, &of.instead), LONGEST)) }
                    }
                }
            }
        }
        p.under { (lines::effort(account)) }
    }
}

fn changes(number: usize, account: &Account) -> Markup {
    let more = account.ledger.len().saturating_sub(MOST_CHANGES) + account.ledger_left_out;
    html! {
        @if !account.ledger.is_empty() {
            details {
                summary { "Who changed its rows" }
                div.scroll tabindex="0" role="region" aria-label={ "Changes, account " (number + 1) } {
                    table {
                        thead { tr { @for head in ["time, s", "change", "for"] { th scope="col" { (head) } } } }
                        tbody { @for entry in account.ledger.iter().take(MOST_CHANGES) {
                            tr {
                                th scope="row" { (time(entry.at)) }
                                td { span.why { (text::shortened(&entry.what, LONGEST)) } }
                                td { span.name {
                                    (text::name(&entry.by)) @if entry.is_own { " (the work told of)" }
                                } }
                            }
                        } }
                    }
                }
                @if more > 0 { p.under { (more) " other changes are not shown." } }
            }
        }
    }
}
