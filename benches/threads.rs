//! What a second core is worth: the same replications on one thread and on two, by the wall clock, in turn.
//!
//! `cargo bench --bench threads [-- ROUNDS]`. It ends with an error if two threads are not 1.8 times as fast as one, by the
//! median of the rounds. Nothing else may run on the machine meanwhile.

use eventflow::experiment::run::{RunOptions, run};
use eventflow::model::Model;
use eventflow::model::compile::compile;
use eventflow::scenario::open::read_text;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const ROUNDS: usize = 5;
/// A multiple of two, so that no thread is left alone with the last one.
const REPLICATIONS: u32 = 32;
const LEAST: f64 = 1.8;

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let rounds = wanted.unwrap_or(ROUNDS).max(1);
    println!("{REPLICATIONS} replications, seconds by the wall clock");
    println!("{:<12} {:>6} {:>10} {:>10} {:>8}", "scenario", "round", "1 thread", "2 threads", "times");
    let mut is_well = true;
    for (name, text, horizon) in [
        ("mm1", include_str!("scenarios/mm1.yaml"), "1000s"),
        ("checkout", include_str!("scenarios/checkout.yaml"), "60s"),
    ] {
        let model = compiled(&text.replace("1000h", horizon));
        let mut found: Vec<f64> = Vec::new();
        for round in 1..=rounds {
            let (digest, one) = timed(&model, 1);
            let (same, two) = timed(&model, 2);
            assert_eq!(digest, same, "the number of threads shows");
            found.push(one / two);
            println!("{name:<12} {round:>6} {one:>10.2} {two:>10.2} {:>8.2}", one / two);
        }
        found.sort_by(f64::total_cmp);
        let median = found[found.len() / 2];
        is_well &= median >= LEAST;
        println!("{name:<12} {:>6} {median:>30.2}", "median");
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The digest of all replications, and the seconds that they took.
fn timed(model: &Model, threads: usize) -> (String, f64) {
    let options =
        RunOptions { replications: Some(REPLICATIONS), threads: Some(threads), ..RunOptions::default() };
    let start = Instant::now();
    match run(model, "threads", &options, &(), &AtomicBool::new(false)) {
        Ok(results) => (results.digest, start.elapsed().as_secs_f64()),
        Err(failure) => panic!("{failure}"),
    }
}

fn compiled(text: &str) -> Model {
    let (sources, mistakes, scenario) = read_text("threads.yaml", text, &[]);
    let told: Vec<&str> = mistakes.list.iter().map(|mistake| mistake.message.as_str()).collect();
    compile(&scenario.unwrap_or_else(|| panic!("{told:?}")), &sources)
}
