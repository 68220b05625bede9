//! What came out, by module.

use crate::explained::reason;
use crate::sites::Mutant;
use crate::tests::Outcome;
use std::collections::BTreeMap;

#[derive(Default)]
struct Count {
    noticed: u32,
    explained: u32,
    survived: u32,
    unreached: u32,
}

/// Tells what was not noticed, and how many were; whether every mutant was noticed or is explained.
pub fn tell(mutants: &[&Mutant], outcomes: &BTreeMap<u32, Outcome>) -> bool {
    let mut modules: BTreeMap<String, Count> = BTreeMap::new();
    let (mut all, mut is_well) = (Count::default(), true);
    println!();
    for mutant in mutants {
        let module = modules.entry(module(&mutant.file)).or_default();
        let outcome = &outcomes[&mutant.number];
        for count in [module, &mut all] {
            match (outcome, reason(mutant)) {
                (Outcome::Noticed(_), _) => count.noticed += 1,
                (_, Some(_)) => count.explained += 1,
                (Outcome::Survived, None) => count.survived += 1,
                (Outcome::NeverReached, None) => count.unreached += 1,
            }
        }
        if !matches!(outcome, Outcome::Noticed(_)) {
            let reason = reason(mutant);
            is_well &= reason.is_some();
            println!("{outcome}  {mutant}{}", reason.map_or(String::new(), |why| format!("\n           {why}")));
        }
    }
    println!("\n{:28} mutants  noticed  explained  survived  unreached  of all noticed", "");
    modules.iter().for_each(|(module, count)| line(module, count));
    line("all", &all);
    is_well
}

fn line(name: &str, Count { noticed, explained, survived, unreached }: &Count) {
    let all = noticed + explained + survived + unreached;
    let share = 100.0 * f64::from(*noticed) / f64::from(all.max(1));
    println!("{name:28} {all:7}  {noticed:7}  {explained:9}  {survived:8}  {unreached:9}  {share:13.1}%");
}

/// The folder of a file, or the oracle, without what all have in front.
fn module(file: &str) -> String {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<&str> = path.split('/').collect();
    if let ["observe", "oracles", oracle, ..] = parts[..] {
        return format!("oracles/{oracle}");
    }
    parts.truncate(2);
    parts.join("/")
}
