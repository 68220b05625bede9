//! What may and what must still happen from a place in handler code on: the sites whose steps change
//! something that counts as an effect.

use super::{Model, Op, Pc};
use crate::kernel::ids::SiteId;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// The sites of an operation that makes an effect: a change of a table that is not bookkeeping, a message,
/// an act on the outside, a timer. What is appended to a stream that is published is two: the change and
/// the message.
pub fn effect_sites(model: &Model, pc: Pc) -> impl Iterator<Item = SiteId> {
    let published = match model.code[pc as usize] {
        Op::Row(step) => {
            let append = model.row_steps[step as usize].appended();
            append.and_then(|append| model.publishes.get(append.publish as usize)).map(|publish| publish.site)
        }
        _ => None,
    };
    effect_site(model, pc).into_iter().chain(published)
}

fn effect_site(model: &Model, pc: Pc) -> Option<SiteId> {
    match model.code[pc as usize] {
        Op::Row(step) => {
            let step = &model.row_steps[step as usize];
            let table = &model.tables[step.table.index()];
            (!step.verb.reads() && table.has_effects()).then_some(step.site)
        }
        Op::Publish(step) => Some(model.publishes[step as usize].site),
        Op::Send(step) => Some(model.sends[step as usize].site),
        Op::Effect(step) => Some(model.effects[step as usize].site),
        Op::After(step) => Some(model.afters[step as usize].site),
        Op::Saga(meeting) => {
            let meeting = &model.saga_meetings[meeting as usize];
            (meeting.told == super::Told::Start).then_some(meeting.site)
        }
        _ => None,
    }
}

/// The sites of all effects that some way on from here could make, errors that are caught included.
pub fn may_reach(model: &Model, from: Pc) -> FxHashSet<SiteId> {
    let mut sites = FxHashSet::default();
    let mut seen = FxHashSet::default();
    let mut ahead = vec![from];
    while let Some(pc) = ahead.pop() {
        if !seen.insert(pc) {
            continue;
        }
        sites.extend(effect_sites(model, pc));
        ahead.extend(next(model, pc));
        let mut region = model.region_of[pc as usize];
        while let Some(of) = model.regions.get(region as usize) {
            ahead.extend(of.catches.iter().map(|case| case.target));
            if of.retry != super::NONE {
                ahead.push(of.first);
            }
            region = of.parent;
        }
    }
    sites
}

/// The sites of the effects that every way on from here makes, if nothing fails. A loop may have no items.
pub fn must_reach(model: &Model, from: Pc) -> BTreeSet<SiteId> {
    must(model, from, |model, pc| effect_sites(model, pc).collect(), &mut Known::default())
}

/// The sites of the marks that every way on from here writes, if nothing fails: changes of bookkeeping tables.
pub fn marks_must_reach(model: &Model, from: Pc) -> BTreeSet<SiteId> {
    must(model, from, |model, pc| mark_site(model, pc).into_iter().collect(), &mut Known::default())
}

fn mark_site(model: &Model, pc: Pc) -> Option<SiteId> {
    let Op::Row(step) = model.code[pc as usize] else { return None };
    let step = &model.row_steps[step as usize];
    (!step.verb.reads() && !model.tables[step.table.index()].has_effects()).then_some(step.site)
}

/// What an operation counts as, if it counts.
type SitesOf = fn(&Model, Pc) -> Vec<SiteId>;

type Known = rustc_hash::FxHashMap<Pc, BTreeSet<SiteId>>;

fn must(model: &Model, pc: Pc, sites_of: SitesOf, known: &mut Known) -> BTreeSet<SiteId> {
    if let Some(sites) = known.get(&pc) {
        return sites.clone();
    }
    // A way that comes back here adds nothing.
    known.insert(pc, BTreeSet::new());
    let mut sites = match model.code[pc as usize] {
        Op::Fork(step) => {
            let fork = &model.forks[step as usize];
            let mut all = must(model, fork.next, sites_of, known);
            for &branch in &fork.branches {
                all.extend(must(model, branch, sites_of, known));
            }
            all
        }
        Op::ForEach(step) | Op::Next(step) => must(model, model.loops[step as usize].next, sites_of, known),
        _ => {
            let ways = next(model, pc);
            let mut ways = ways.into_iter().map(|way| must(model, way, sites_of, known));
            let first = ways.next().unwrap_or_default();
            ways.fold(first, |all, other| all.intersection(&other).copied().collect())
        }
    };
    sites.extend(sites_of(model, pc));
    known.insert(pc, sites.clone());
    sites
}

/// Where an operation leads if it does not fail.
fn next(model: &Model, pc: Pc) -> Vec<Pc> {
    match model.code[pc as usize] {
        Op::Jump(target) => vec![target],
        Op::JumpUnless { target, .. } => vec![pc + 1, target],
        Op::Row(step) => {
            let step = &model.row_steps[step as usize];
            [step.next].into_iter().chain(step.otherwise).collect()
        }
        Op::Fork(step) => {
            let fork = &model.forks[step as usize];
            fork.branches.iter().copied().chain([fork.next]).collect()
        }
        Op::ForEach(step) | Op::Next(step) => {
            let of = &model.loops[step as usize];
            vec![of.body, of.next]
        }
        Op::Stop | Op::Fail(_) => Vec::new(),
        _ => vec![pc + 1],
    }
}

/// Whether anything in a scenario makes an effect that could happen twice or not at all: a row that matters, a
/// message published, an act on the outside. Without any, nothing can go wrong with idempotency: what is sent, and
/// timers, lead to no effect either.
pub fn has_effects(model: &Model) -> bool {
    let writes = |step: &super::RowStep| !step.verb.reads() && model.tables[step.table.index()].has_effects();
    !model.publishes.is_empty() || !model.effects.is_empty() || model.row_steps.iter().any(writes)
}
