//! Promises about what was counted: at most so many in each replication, or at most such a share of all.
//!
//! The interval of a share takes what was counted for independent. Within a replication it is not quite: one
//! crash can tear several obligations. What is promised as a share is better asked of many replications.

use super::words::{percent, times};
use super::{Evidence, Holding, counterexample};
use crate::experiment::results::verdict::{Counterexample, Tally};
use crate::model::promise::Bound;
use crate::stats::proportion::{exact_interval, most_after_none};

/// What was counted over all replications; with the exact interval of the share where one is wanted.
pub fn tally(exposure: &str, with_share: bool, evidence: &Evidence) -> Tally {
    let all = || evidence.replications.iter().map(|one| one.finding);
    let count: u64 = all().map(|finding| finding.count).sum();
    let exposures: u64 = all().map(|finding| finding.exposures).sum();
    let of: u64 = all().map(|finding| finding.of).sum();
    Tally {
        count,
        replications: evidence.replications.len() as u32,
        replications_affected: all().filter(|finding| finding.count > 0).count() as u32,
        exposures,
        exposure: exposure.to_owned(),
        of,
        unsettled: all().map(|finding| finding.unsettled).sum(),
        rate: (exposures > 0).then(|| count as f64 / exposures as f64),
        rate_at_most: (exposures > 0 && count == 0).then(|| most_after_none(exposures, evidence.confidence)),
        share: with_share.then(|| exact_interval(count, of, evidence.confidence)),
    }
}

/// Whether the bound was kept.
pub fn holding(bound: Bound, tally: &Tally, evidence: &Evidence) -> Holding {
    match bound {
        Bound::Count(most) => of_counts(most, tally, evidence),
        Bound::Share(most) => of_share(most, tally, evidence.confidence),
    }
}

/// The first replication that breaks the bound by itself or, of a share, has any part in it.
pub fn first_broken(bound: Bound, evidence: &Evidence) -> Option<Counterexample> {
    let most = match bound {
        Bound::Count(most) => most,
        Bound::Share(_) => 0,
    };
    let broken = evidence.replications.iter().find(|one| one.finding.count > most)?;
    broken.finding.first.as_ref().map(|sighting| counterexample(broken.number, sighting))
}

fn of_counts(most: u64, tally: &Tally, evidence: &Evidence) -> Holding {
    let worst = evidence.replications.iter().map(|one| one.finding.count).max().unwrap_or(0);
    let over = evidence.replications.iter().filter(|one| one.finding.count > most).count();
    let replications = tally.replications;
    if over > 0 {
        let exposures = exposed(tally);
        return Holding::Broken(match most {
            0 => format!("{} in {over} of {replications} replications, {exposures}.", tally.count),
            _ => format!(
                "More than {most} in {over} of {replications} replications, up to {worst} in one; {} in all, {exposures}.",
                tally.count
            ),
        });
    }
    Holding::Held(match tally.rate_at_most {
        Some(most) => format!(
            "None in {}: at most {} of them ({}).",
            times(tally.exposures, "exposure"),
            percent(most),
            level(evidence.confidence)
        ),
        None => format!("At most {worst} in a replication, {}.", exposed(tally)),
    })
}

fn of_share(most: f64, tally: &Tally, confidence: f64) -> Holding {
    let (low, high) = tally.share.unwrap_or((0.0, 1.0));
    let level = level(confidence);
    let interval = format!("between {} and {} ({level})", percent(low), percent(high));
    let found = format!("{} of {}", tally.count, tally.of);
    if low > most {
        Holding::Broken(format!("{found}: the share is {interval}, above {}.", percent(most)))
    } else if high <= most {
        Holding::Held(format!("{found}: the share is {interval}."))
    } else if tally.of == 0 {
        Holding::Open("There was nothing to take a share of.".to_owned())
    } else {
        let bound = percent(most);
        Holding::Open(format!(
            "{found}: the share is {interval}, which leaves open whether it is above {bound}."
        ))
    }
}

fn exposed(tally: &Tally) -> String {
    format!("in {}", times(tally.exposures, "exposure"))
}

fn level(confidence: f64) -> String {
    format!("at {} confidence", percent(confidence))
}
