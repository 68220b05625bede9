//! Which faults are needed: the replication is run again without them, one after another.
//!
//! Greedy: all firings are left out together, then ever smaller groups of them; what can be left out while the
//! same still goes wrong, is. What remains is minimal: without any one of it, the rest left out, all is well.

use super::focus::{Charge, Standing, is_of_obligations, standing};
use super::{Bench, seconds};
use crate::experiment::results::account::{Counterfactual, Instead};
use crate::kernel::ids::FaultId;
use crate::kernel::time::Nanos;
use crate::observe::oracles::Oracles;
use crate::observe::oracles::lineage::Watch;
use crate::observe::trace::{Firing, Trace};
use crate::world::Halt;
use crate::world::deed::Deed;
use crate::world::record::{Observer, Record};
use crate::world::without::Without;
use std::sync::atomic::{AtomicBool, Ordering};

/// Of the needed firings, and of deliveries, so many are spoken of.
const MOST_SAID: usize = 4;

/// What is needed, and what happens without it.
pub struct Ablation {
    pub needed: Vec<Firing>,
    /// Those of them that it takes with all others there, if there are any.
    decisive: Vec<Firing>,
    pub said: Vec<Counterfactual>,
    pub runs: u32,
    pub is_minimal: bool,
    /// Needed firings, and further deliveries, that were not left out one by one: they are too many.
    pub untried: usize,
    /// Whether nothing goes wrong with the obligation without what is needed.
    passes_without: bool,
}

impl Ablation {
    /// What to leave out for the obligation to come well out of it; `None`: nothing is known to help.
    pub fn passing(&self) -> Option<Without> {
        (self.passes_without && !self.needed.is_empty()).then(|| without(&self.needed))
    }

    pub fn is_needed(&self, fault: FaultId, number: u64) -> bool {
        self.decisive.iter().any(|firing| (firing.fault, firing.number) == (fault, number))
    }
}

fn without(firings: &[Firing]) -> Without {
    let firings = firings.iter().map(|firing| (firing.fault, firing.number)).collect();
    Without { firings, deliveries: Vec::new() }
}

/// Runs the replication again without one thing or another.
pub fn ablate(bench: &Bench, charge: &Charge, trace: &Trace) -> Result<Ablation, Halt> {
    let mut trial = Trial { bench, charge, also: Vec::new(), runs: 0, events: 0 };
    let fired: Vec<Firing> = trace
        .firings
        .iter()
        .copied()
        .filter(|firing| firing.touched > 0 && firing.at <= charge.moment().at)
        .collect();
    if !fired.is_empty() || !trace.deliveries_again.is_empty() {
        trial.also = trial.run(&Without::default())?.others;
        trial.runs = 0;
    }
    let mut needed = fired.clone();
    let mut is_minimal = true;
    let mut passes_without = false;
    if !fired.is_empty() {
        let all = trial.run(&without(&fired))?;
        passes_without = !all.same && all.others.is_empty();
        if all.same {
            needed.clear();
        } else {
            is_minimal = trial.reduce(&fired, &mut needed)?;
        }
    }
    let mut said = Vec::new();
    let mut decisive = needed.clone();
    for firing in needed.iter().take(MOST_SAID) {
        let standing = trial.run(&without(&[*firing]))?;
        if standing.same {
            decisive.retain(|other| other != firing);
        }
        said.push(counterfactual(trial.name(firing), standing));
    }
    // What helps is said first.
    said.sort_by_key(|of| of.outcome != Instead::Passes);
    if decisive.is_empty() {
        decisive.clone_from(&needed);
    }
    let spare: Vec<Firing> = fired.iter().copied().filter(|firing| !needed.contains(firing)).collect();
    if !spare.is_empty() {
        let standing = trial.run(&without(&spare))?;
        let left_out = match (&spare[..], needed.is_empty()) {
            ([only], _) => trial.name(only),
            (all, true) => format!("all {} firings of faults", all.len()),
            (all, false) => format!("{} other firings of faults, together", all.len()),
        };
        said.push(counterfactual(left_out, standing));
    }
    for &(obligation, number) in trace.deliveries_again.iter().take(MOST_SAID) {
        let left_out = Without { firings: Vec::new(), deliveries: vec![(obligation, number)] };
        let standing = trial.run(&left_out)?;
        said.push(counterfactual(format!("delivery {number}"), standing));
    }
    if is_minimal && !needed.is_empty() {
        passes_without = {
            let standing = trial.run(&without(&needed))?;
            !standing.same && standing.others.is_empty()
        };
    }
    let beyond = |all: usize| all.saturating_sub(MOST_SAID);
    let untried = beyond(needed.len()) + beyond(trace.deliveries_again.len());
    Ok(Ablation { needed, decisive, said, runs: trial.runs, is_minimal, untried, passes_without })
}

fn counterfactual(left_out: String, standing: Standing) -> Counterfactual {
    let outcome = match (standing.same, standing.others.is_empty()) {
        (true, _) => Instead::StillFails,
        (false, true) => Instead::Passes,
        (false, false) => Instead::FailsOtherwise,
    };
    let instead = if outcome == Instead::FailsOtherwise { standing.others } else { Vec::new() };
    Counterfactual { left_out, outcome, instead }
}

/// Counts what it costs.
struct Trial<'a> {
    bench: &'a Bench<'a>,
    charge: &'a Charge,
    /// What goes wrong with the obligation beside, with nothing left out.
    also: Vec<String>,
    runs: u32,
    events: u64,
}

impl Trial<'_> {
    fn run(&mut self, without: &Without) -> Result<Standing, Halt> {
        let (mut standing, events) = stands(self.bench, self.charge, without)?;
        standing.others.retain(|other| !self.also.contains(other));
        self.runs += 1;
        self.events += events;
        Ok(standing)
    }

    /// Leaves firings out of `needed` as long as it still goes wrong. False: given up before the end.
    fn reduce(&mut self, fired: &[Firing], needed: &mut Vec<Firing>) -> Result<bool, Halt> {
        let mut size = fired.len().div_ceil(2);
        loop {
            for group in fired.chunks(size) {
                // A single firing that all is well without needs no second look.
                if fired.len() == 1 || !group.iter().any(|firing| needed.contains(firing)) {
                    continue;
                }
                let effort = self.bench.question.effort;
                if self.runs >= effort.runs || self.events >= effort.events {
                    return Ok(false);
                }
                let kept: Vec<Firing> =
                    needed.iter().copied().filter(|firing| !group.contains(firing)).collect();
                let left_out: Vec<Firing> =
                    fired.iter().copied().filter(|firing| !kept.contains(firing)).collect();
                if !kept.is_empty() && self.run(&without(&left_out))?.same {
                    *needed = kept;
                }
            }
            if size == 1 {
                return Ok(true);
            }
            size = size.div_ceil(2);
        }
    }

    /// `crash of stock at 1.004s`
    fn name(&self, firing: &Firing) -> String {
        let fault = &self.bench.question.model.faults[firing.fault.index()];
        format!("{} ({}) at {}", fault.name, fault.what, time(firing.at))
    }
}

/// What goes wrong with the obligation in a replication that lacks something; and how many events that took.
fn stands(bench: &Bench, charge: &Charge, without: &Without) -> Result<(Standing, u64), Halt> {
    let mut oracles = Oracles::new(bench.question.model);
    oracles.watch(Watch::One(charge.obligation));
    let over = AtomicBool::new(false);
    let mut watcher = Watcher {
        oracles,
        obligation: charge.obligation,
        stops_when_settled: is_of_obligations(charge.tried()),
        was_open: false,
        interrupt: bench.question.interrupt,
        over: &over,
    };
    let (events, ending) = bench.run_until(&mut watcher, without, &over);
    if ending != Err(Halt::Interrupted) || bench.question.interrupt.load(Ordering::Relaxed) {
        ending?;
    }
    Ok((standing(charge, bench.question.model, watcher.oracles), events))
}

/// Watches one obligation until it is settled: what comes later does not concern it.
struct Watcher<'a, 'm> {
    oracles: Oracles<'m>,
    obligation: u64,
    stops_when_settled: bool,
    was_open: bool,
    /// From outside.
    interrupt: &'a AtomicBool,
    over: &'a AtomicBool,
}

impl Watcher<'_, '_> {
    fn look(&mut self) {
        let is_open = self.oracles.is_open(self.obligation);
        let is_settled = self.stops_when_settled && self.was_open && !is_open;
        self.was_open |= is_open;
        if is_settled || self.interrupt.load(Ordering::Relaxed) {
            self.over.store(true, Ordering::Relaxed);
        }
    }
}

impl Observer for Watcher<'_, '_> {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, now: Nanos, record: &Record) {
        self.oracles.record(now, record);
        self.look();
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.oracles.deed(now, deed);
        self.look();
    }
}

fn time(at: Nanos) -> String {
    format!("{:.6}s", seconds(at))
}
