//! The account of a counterexample, for reading: as text, as a Mermaid sequence diagram, and drawn.
//!
//! Pure functions. Every name is hostile until shown otherwise, and escaped for its format.

pub mod mermaid;
pub mod sequence;
pub mod text;

use crate::experiment::results::account::{
    Account, Because, Compared, Counted, Instead, Kind, Link, Step, Twin,
};

/// As JSON: everything that the other formats show.
pub fn json(account: &Account) -> String {
    serde_json::to_string_pretty(account).expect("an account has no map and no number that JSON lacks") + "\n"
}

/// `1.004003`: seconds to the microsecond; finer where that would hide something.
pub fn time(seconds: f64) -> String {
    let micros = format!("{seconds:.6}");
    let nanos = format!("{seconds:.9}");
    if nanos.ends_with("000") { micros } else { nanos }
}

/// Whether a link is one of somebody's: those of faults and the verdict stand across all lifelines.
fn has_lifeline(link: &Link) -> bool {
    !matches!(link.kind, Kind::Fault) && !matches!(link.step, Step::Verdict | Step::Broken)
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

/// `all is well`, `the same goes wrong`, `something else goes wrong: idempotency.lost_effects`.
pub fn instead(outcome: Instead, others: &[String]) -> String {
    match outcome {
        Instead::Passes => "all is well".into(),
        Instead::StillFails => "the same goes wrong".into(),
        Instead::FailsOtherwise => format!("something else goes wrong: {}", others.join(", ")),
    }
}

/// `2 of 1204 in replication 4, in 188 exposures; this one at 83.063117s`
pub fn counted(account: &Account) -> String {
    let of = if account.of > 0 { format!(" of {}", account.of) } else { String::new() };
    let noun = if account.exposures == 1 { "exposure" } else { "exposures" };
    format!(
        "{}{of} in replication {}, in {} {noun}; this one at {}s",
        account.count,
        account.replication,
        account.exposures,
        time(account.at)
    )
}

/// `inventory.stock[17]: reserved = 3; should be reserved = 5`
pub fn compared(of: &Compared) -> String {
    match &of.should_be {
        Some(should_be) => format!("{}: {}; should be {should_be}", of.of, of.is),
        None => format!("{}: {}", of.of, of.is),
    }
}

/// `idempotency.duplicate_effects, 3 times in this replication; the first at 83.063s: …`
pub fn because(of: &Because) -> String {
    let times = if of.count == 1 { "once".to_owned() } else { format!("{} times", of.count) };
    let Because { measure, what, at, .. } = of;
    format!("{measure}, {times} in this replication; told below is that of {}s: {what}", time(*at))
}

/// What the last links are: where nothing could save the work any more, and which promise that broke.
pub fn ending(link: &Link) -> &'static str {
    if link.step == Step::Broken { "BROKEN BY THAT" } else { "NO WAY BACK" }
}

/// The twin in lines, what convinces first.
pub fn twin(twin: &Twin) -> Vec<String> {
    let mut lines = vec![format!("{} ({}): the same seed, the same intents", twin.scenario, twin.file)];
    for beside in &twin.measures {
        let there = match &beside.there {
            Some(there) => found(there),
            None => "not promised there".into(),
        };
        lines.push(format!("{}: {there}; here {}", beside.measure, found(&beside.here)));
    }
    for fault in &twin.faults {
        let there = fault.there.map_or("not there".into(), |there| format!("hit {there} times"));
        lines.push(format!("fault {} ({}): {there}; here {}", fault.name, fault.what, fault.here));
    }
    match &twin.same_work {
        None => lines.push("the same work: there is none, the way to it is another".into()),
        Some(work) => {
            let noun = if work.attempts == 1 { "attempt" } else { "attempts" };
            let wrong = if work.wrong.is_empty() { "nothing wrong".into() } else { work.wrong.join(", ") };
            lines.push(format!("the same work: {} {noun}, {wrong}", work.attempts));
            lines.extend(work.did.iter().map(|did| format!("  {did}")));
        }
    }
    lines.push(format!("digest {}", twin.digest));
    lines
}

/// `none in 188 exposures`
fn found(of: &Counted) -> String {
    let noun = if of.exposures == 1 { "exposure" } else { "exposures" };
    let count = if of.count == 0 { "none".to_owned() } else { of.count.to_string() };
    format!("{count} in {} {noun}", of.exposures)
}

/// `:52`, or with its file if that is not the scenario's own.
pub fn place(account: &Account, link: &Link) -> String {
    match &link.line {
        None => String::new(),
        Some(at) if at.file == account.file => format!(":{}", at.line),
        Some(at) => {
            let name = at.file.rsplit(['/', '\\']).next().unwrap_or(&at.file);
            format!("{name}:{}", at.line)
        }
    }
}
