//! Which safeguards a scenario tests, as text and as JSON.

use super::text::visible;
use crate::experiment::results::mutation::{Mutant, Mutations};

/// One block for each safeguard, those that nothing tests last.
pub fn text(mutations: &Mutations) -> String {
    let Mutations { mutants, replications, seed, .. } = mutations;
    let noticed = mutants.iter().filter(|mutant| mutant.is_noticed()).count();
    let mut text = format!(
        "{}: {} safeguards, each taken away by itself, seed {seed}, {replications} replications\n",
        visible(&mutations.file),
        mutants.len(),
    );
    for mutant in mutants.iter().filter(|mutant| mutant.is_noticed()) {
        text += &block("NOTICED   ", mutant);
    }
    for mutant in mutants.iter().filter(|mutant| !mutant.is_noticed()) {
        text += &block("NOT TESTED", mutant);
    }
    text += &format!("{noticed} of {} are tested by this scenario", mutants.len());
    if mutations.not_tried > 0 {
        text += &format!("; {} more were not taken away", mutations.not_tried);
    }
    text + "\n"
}

fn block(heading: &str, mutant: &Mutant) -> String {
    let place = format!("{}:{}", mutant.line.file, mutant.line.line);
    let mut text = format!("{heading}  {}  ({})\n", visible(&mutant.lacks), visible(&place));
    for change in &mutant.changed {
        let broken = if change.breaks_promise { ", which breaks a promise" } else { "" };
        let measure = visible(&change.measure);
        text += &format!("{:12}{measure}: {} → {}{broken}\n", "", change.with, change.without);
    }
    if let Some(why) = &mutant.halted {
        text += &format!("{:12}it does not come to its end: {}\n", "", visible(why));
    }
    text
}

/// All of it as JSON.
pub fn json(mutations: &Mutations) -> String {
    serde_json::to_string_pretty(mutations).expect("plain data with text keys") + "\n"
}
