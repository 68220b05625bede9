//! Which safeguards a scenario tests, as text and as JSON.

use super::figure::{Quantity, figure};
use super::text::visible;
use crate::experiment::results::mutation::{CountChange, Direction, Effect, Mutant, Mutations};

/// The order of the blocks, each with its heading.
const HEADINGS: [(Effect, &str); 4] = [
    (Effect::Breaks, "BREAKS     "),
    (Effect::Worsens, "WORSENS    "),
    (Effect::CannotTell, "CANNOT TELL"),
    (Effect::NotTested, "NOT TESTED "),
];
/// Under the headings.
const INDENT: &str = "             ";

/// One block for each safeguard, those that nothing tests last.
pub fn text(mutations: &Mutations) -> String {
    let Mutations { mutants, replications, seed, .. } = mutations;
    let all = counted(mutants.len(), "safeguard");
    let replications = counted(*replications as usize, "replication");
    let mut text = format!(
        "{}: {all}, each taken away by itself, seed {seed}, {replications}\n",
        visible(&mutations.file)
    );
    for (effect, heading) in HEADINGS {
        for mutant in mutants.iter().filter(|mutant| mutant.effect == effect) {
            text += &block(heading, mutant);
        }
    }
    let tested = mutants.iter().filter(|mutant| mutant.effect <= Effect::Worsens).count();
    let open = mutants.iter().filter(|mutant| mutant.effect == Effect::CannotTell).count();
    text += &format!("{tested} of {all} tested by this scenario");
    if open > 0 {
        text += &format!("; of {open} it cannot be told");
    }
    if mutations.not_tried > 0 {
        text += &format!("; {} more were not taken away", mutations.not_tried);
    }
    text + "\n"
}

fn block(heading: &str, mutant: &Mutant) -> String {
    let place = format!("{}:{}", mutant.line.file, mutant.line.line);
    let mut text = format!("{heading}  {}  ({})\n", visible(&mutant.lacks), visible(&place));
    let mut line = |said: String| text += &format!("{INDENT}{said}\n");
    for broken in &mutant.broken {
        line(format!(
            "breaks {}, which was {}: {}",
            visible(&broken.promise),
            broken.with.name(),
            visible(&broken.reason)
        ));
    }
    if let Some(why) = &mutant.halted {
        line(format!("it does not come to its end: {}", visible(why)));
    }
    // What is broken was told with its counts.
    let is_told = |change: &&CountChange| mutant.broken.iter().any(|of| of.promise == change.measure);
    mutant.changed.iter().filter(|change| !is_told(change)).for_each(|change| line(changed(change)));
    mutant.doubts.iter().for_each(|doubt| line(visible(doubt)));
    text
}

/// `idempotency.duplicate_effects: 0 → 20, 2 ± 0.3 more a replication: worse`
fn changed(change: &CountChange) -> String {
    let way = match change.direction {
        Direction::Worse => "worse",
        Direction::Better => "better",
        Direction::Open => "within noise",
    };
    let CountChange { measure, with, without, more, .. } = change;
    let more = figure(more, Quantity::Number);
    format!("{}: {with} → {without}, {more} more a replication: {way}", visible(measure))
}

/// `1 safeguard`, `2 safeguards`.
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// All of it as JSON.
pub fn json(mutations: &Mutations) -> String {
    serde_json::to_string_pretty(mutations).expect("plain data with text keys") + "\n"
}
