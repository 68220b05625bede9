//! The account of a counterexample, for reading: as text, as a Mermaid sequence diagram, and drawn.
//!
//! Pure functions. Every name is hostile until shown otherwise, and escaped for its format.

pub mod mermaid;
pub mod sequence;
pub mod text;

use crate::experiment::results::account::{Account, Instead, Kind, Link, Step};

/// As JSON: everything that the other formats show.
pub fn json(account: &Account) -> String {
    serde_json::to_string_pretty(account).expect("an account has no map and no number that JSON lacks") + "\n"
}

/// `1.004003`: seconds to the microsecond; finer where that would hide something.
fn time(seconds: f64) -> String {
    let micros = format!("{seconds:.6}");
    let nanos = format!("{seconds:.9}");
    if nanos.ends_with("000") { micros } else { nanos }
}

/// Whether a link is one of somebody's: those of faults and the verdict stand across all lifelines.
fn has_lifeline(link: &Link) -> bool {
    !matches!(link.kind, Kind::Fault) && link.step != Step::Verdict
}

/// Everyone with a lifeline, in the order in which they come in.
fn lifelines(account: &Account) -> Vec<(&str, Kind)> {
    let mut all: Vec<(&str, Kind)> = Vec::new();
    for link in account.chain.iter().filter(|link| has_lifeline(link)) {
        if let Some(from) = link.from.as_deref()
            && all.iter().all(|(who, _)| *who != from)
        {
            let known = account.chain.iter().find(|other| other.who == from);
            all.push((from, known.map_or(Kind::Instance, |other| other.kind)));
        }
        if all.iter().all(|(who, _)| *who != link.who) {
            all.push((&link.who, link.kind));
        }
    }
    all
}

/// `passes`, `still fails`, `fails otherwise: idempotency.lost_effects`.
fn instead(outcome: Instead, others: &[String]) -> String {
    match outcome {
        Instead::Passes => "passes".into(),
        Instead::StillFails => "still fails".into(),
        Instead::FailsOtherwise => format!("fails otherwise: {}", others.join(", ")),
    }
}

/// `:52`, or with its file if that is not the scenario's own.
fn place(account: &Account, link: &Link) -> String {
    match &link.line {
        None => String::new(),
        Some(at) if at.file == account.file => format!(":{}", at.line),
        Some(at) => {
            let name = at.file.rsplit(['/', '\\']).next().unwrap_or(&at.file);
            format!("{name}:{}", at.line)
        }
    }
}
