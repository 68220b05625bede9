//! The chain: of all that was gathered, what leads to the moment at which it went wrong.

use super::ablation::Ablation;
use super::focus::{Charge, Measure, is_of_obligations, name_of};
use super::seconds;
use crate::experiment::results::account::{Kind, Link, Part, SourceLine, Step};
use crate::kernel::anomaly::Anomaly;
use crate::model::Model;
use crate::observe::findings::Sighting;
use crate::observe::trace::{Act, Actor, Entry, Role, Trace, wording};

/// Links that are shown: so many from the beginning, so many to the end.
pub const MOST_FIRST: usize = 14;
const MOST_LAST: usize = 26;
/// Others' changes, the last before it went wrong; and what came of the obligation.
const MOST_OTHERS: usize = 6;
const MOST_AFTER: usize = 6;

/// The links in their order, and how many are left out.
pub fn chain(model: &Model, trace: &Trace, charge: &Charge, ablation: &Ablation) -> (Vec<Link>, usize) {
    let at = charge.moment().at;
    let entries = chosen(trace, charge, ablation);
    let wrong = first_wrong(&entries, charge);
    let mut links: Vec<Link> = earlier_faults(model, trace, ablation, &entries);
    let mut is_over = false;
    for (index, entry) in entries.iter().enumerate() {
        if entry.at > at && !is_over {
            is_over = true;
            links.push(settled(model, charge));
        }
        links.push(link(model, entry, wrong == Some(index)));
    }
    if !is_over {
        links.push(settled(model, charge));
    }
    links.extend(
        charge
            .cause
            .as_ref()
            .map(|_| Link { step: Step::Broken, ..verdict(model, charge.measure, &charge.sighting) }),
    );
    let left_out = links.len().saturating_sub(MOST_FIRST + MOST_LAST);
    links.drain(MOST_FIRST.min(links.len())..MOST_FIRST.min(links.len()) + left_out);
    (links, left_out)
}

/// What belongs to the chain: nothing without which the outcome would be the same.
fn chosen<'t>(trace: &'t Trace, charge: &Charge, ablation: &Ablation) -> Vec<&'t Entry> {
    let at = charge.moment().at;
    let is_others =
        |entry: &&Entry| entry.role == Role::Other && entry.actor != Actor::Time && entry.at <= at;
    let others = trace.entries.iter().filter(is_others).count();
    let most_others = if others_matter(charge) { MOST_OTHERS } else { 0 };
    let mut others_to_skip = others.saturating_sub(most_others);
    let mut after_left = if follows(charge) { MOST_AFTER } else { 0 };
    let mut missed_left = MOST_AFTER;
    let cuts = |entry: &Entry| match entry.actor {
        Actor::Fault(fault, number) => {
            ablation.is_needed(fault, number)
                || trace
                    .firings
                    .iter()
                    .any(|firing| (firing.fault, firing.number) == (fault, number) && firing.cut)
        }
        _ => false,
    };
    let belongs = |entry: &&'t Entry| match entry.role {
        Role::Ancestor | Role::Own => entry.at <= at || entry.act == Act::Told,
        Role::Overtaker => entry.at <= at,
        Role::Fault => entry.at <= at && cuts(entry),
        Role::Descendant => {
            let is_shown = entry.at <= at && after_left > 0;
            after_left -= is_shown as usize;
            is_shown
        }
        Role::Missed => {
            let is_late = entry.at > at;
            missed_left -= usize::from(is_late && missed_left > 0);
            !is_late || missed_left > 0
        }
        // What time has taken of its own matters whoever else came by.
        Role::Other if entry.actor == Actor::Time => entry.at <= at,
        Role::Other => {
            let is_late = entry.at <= at && others_to_skip == 0;
            others_to_skip -= usize::from(entry.at <= at && !is_late);
            is_late && most_others > 0
        }
    };
    trace.entries.iter().filter(belongs).collect()
}

/// Whether others' changes of the same rows can have a part in what went wrong: what was done twice or not at all
/// was so whoever else came by.
fn others_matter(charge: &Charge) -> bool {
    let by_its_rows = [Anomaly::MixedEffects, Anomaly::Swallowed].map(Measure::Anomaly);
    !is_of_obligations(charge.tried()) || by_its_rows.contains(&charge.tried())
}

/// Whether what came of the obligation is part of what went wrong.
fn follows(charge: &Charge) -> bool {
    if let Measure::Promise(_) = charge.tried() {
        return charge.sighting.facts.missed.is_none();
    }
    matches!(
        charge.tried(),
        Measure::Anomaly(
            Anomaly::PhantomEffects | Anomaly::Premature | Anomaly::Resurrected | Anomaly::DivergentCopies
        )
    )
}

/// Needed faults that fired before anything else.
fn earlier_faults(model: &Model, trace: &Trace, ablation: &Ablation, entries: &[&Entry]) -> Vec<Link> {
    let is_told = |actor: Actor| entries.iter().any(|entry| entry.actor == actor);
    let early = trace.firings.iter().filter(|firing| {
        ablation.is_needed(firing.fault, firing.number) && !is_told(Actor::Fault(firing.fault, firing.number))
    });
    early
        .map(|firing| Link {
            at: seconds(firing.at),
            who: model.faults[firing.fault.index()].name.clone(),
            kind: Kind::Fault,
            from: None,
            attempt: None,
            part: Part::Fault,
            step: Step::Fault,
            line: None,
            text: model.faults[firing.fault.index()].what.clone(),
            is_wrong: false,
        })
        .collect()
}

/// Where it goes wrong: the change, the read or the beginning at that moment; else the last cut, the last step that
/// had nothing to do, the last end.
fn first_wrong(entries: &[&Entry], charge: &Charge) -> Option<usize> {
    let Sighting { at, facts, .. } = charge.moment();
    let is_own = |entry: &Entry, acts: &[Act]| entry.role == Role::Own && acts.contains(&entry.act);
    let at_row = |entry: &Entry| entry.row.is_some_and(|row| facts.rows.contains(&row));
    let then = |acts: &[Act]| {
        let at_once = |entry: &&Entry| entry.at == *at && is_own(entry, acts);
        let of_the_row = entries.iter().position(|entry| at_once(entry) && at_row(entry));
        of_the_row.or_else(|| entries.iter().rposition(at_once))
    };
    let before = |acts: &[Act]| entries.iter().rposition(|entry| entry.at <= *at && is_own(entry, acts));
    then(&[Act::Commits, Act::Effect, Act::Accepts])
        .or_else(|| then(&[Act::Reads]))
        .or_else(|| then(&[Act::Begins]))
        .or_else(|| before(&[Act::Cut]))
        .or_else(|| before(&[Act::Refrains]))
        .or_else(|| before(&[Act::Ends, Act::Settles]))
        .or_else(|| before(&[Act::Begins, Act::Issues, Act::Accepts]))
}

fn link(model: &Model, entry: &Entry, is_wrong: bool) -> Link {
    // What the compiler adds at the end of a body stands on no line.
    let line = entry
        .place
        .filter(|place| place.line > 0)
        .map(|place| SourceLine { file: model.names.files[place.file as usize].clone(), line: place.line });
    Link {
        at: seconds(entry.at),
        who: wording::actor(model, entry.actor),
        kind: kind(entry.actor),
        from: entry.from.map(|from| wording::actor(model, from)),
        attempt: entry.attempt,
        part: match entry.role {
            Role::Ancestor => Part::Before,
            Role::Own => Part::Own,
            Role::Descendant => Part::After,
            Role::Missed => Part::Missed,
            Role::Overtaker => Part::Overtaker,
            Role::Other => Part::Other,
            Role::Fault => Part::Fault,
        },
        step: match entry.act {
            Act::Begins => Step::Begins,
            Act::Reads => Step::Reads,
            Act::Decides => Step::Decides,
            Act::Commits => Step::Commits,
            Act::Refrains => Step::Refrains,
            Act::Issues => Step::Issues,
            Act::Accepts => Step::Accepts,
            Act::Settles => Step::Settles,
            Act::Told => Step::Told,
            Act::Cut => Step::Cut,
            Act::Ends => Step::Ends,
            Act::Effect => Step::Effect,
            Act::Fault => Step::Fault,
        },
        line,
        text: entry.text.clone(),
        is_wrong,
    }
}

fn kind(actor: Actor) -> Kind {
    match actor {
        Actor::Client(_) => Kind::Client,
        Actor::Instance(_) => Kind::Instance,
        Actor::Topic(_) => Kind::Topic,
        Actor::Fault(..) => Kind::Fault,
        Actor::Time => Kind::Time,
    }
}

/// From here on nothing can save it.
fn settled(model: &Model, charge: &Charge) -> Link {
    verdict(model, charge.tried(), charge.moment())
}

fn verdict(model: &Model, measure: Measure, sighting: &Sighting) -> Link {
    Link {
        at: seconds(sighting.at),
        who: name_of(measure, model),
        kind: Kind::Time,
        from: None,
        attempt: None,
        part: Part::End,
        step: Step::Verdict,
        line: None,
        text: sighting.what.clone(),
        is_wrong: false,
    }
}
