//! Differences in plain words.

use crate::experiment::results::Estimate;
use crate::experiment::results::compare::{
    ComparedMeasure, ComparedPromise, Comparison, Draws, Kept, PairOfMeasures, Ranked,
};
use crate::experiment::results::measure::{Unit, Wanted};
use crate::report::figure::{Quantity, count, figure, rough};
use crate::report::{text, verdict};

/// The letter that stands for a design in tables: `A`, `B`, ….
pub fn letter(design: usize) -> char {
    char::from(b'A' + (design % 26) as u8)
}

/// `B event-fan-out`.
pub fn named(comparison: &Comparison, design: usize) -> String {
    format!("{} {}", letter(design), text::name(&comparison.designs[design].name))
}

/// How the second of a pair differs from the first: `38 ± 4 % less`, and without a share of the first
/// `1.2 ± 0.3 s more`.
pub fn change(pair: &PairOfMeasures, unit: Unit) -> String {
    let relative = pair.relative.mean.map(|mean| (mean, &pair.relative, Quantity::Share));
    let absolute = pair.difference.mean.map(|mean| (mean, &pair.difference, unit.into()));
    // Of shares and of rare counts a share of the share says little, and of what grew a hundredfold too.
    let relative = relative.filter(|(mean, ..)| unit != Unit::Share && mean.abs() < 10.0);
    let Some((mean, estimate, quantity)) = relative.or(absolute) else { return "–".to_owned() };
    let size = Estimate { mean: Some(mean.abs()), ..*estimate };
    let mut size = figure(&size, quantity);
    if unit == Unit::Share {
        size.unit = "points";
    }
    let way = if mean < 0.0 { "less" } else { "more" };
    format!("{size} {way}")
}

/// What a question comes to: which designs are best, and by how much; `None` if nothing is clear in it.
pub fn answer(comparison: &Comparison, measure: &ComparedMeasure) -> Option<String> {
    let clear: Vec<&PairOfMeasures> = measure.pairs.iter().filter(|pair| pair.is_clear).collect();
    if clear.is_empty() {
        return None;
    }
    let is_best = |design: &usize| !clear.iter().any(|pair| worse(measure, pair) == Some(*design));
    let shown = |design: usize| {
        let estimate = figure(&measure.designs[design], measure.unit.into());
        format!("{} ({estimate})", named(comparison, design))
    };
    let all = (0..comparison.designs.len()).filter(|design| measure.designs[*design].mean.is_some());
    let best: Vec<String> = all.filter(is_best).map(shown).collect();
    let by: Vec<String> = clear
        .iter()
        .map(|pair| {
            format!("{} {} than {}", letter(pair.second), change(pair, measure.unit), letter(pair.first))
        })
        .collect();
    let best = match measure.wanted {
        Wanted::Either => String::new(),
        _ => format!(" best {};", best.join(" and ")),
    };
    Some(format!("{}:{best} {}", text::name(&measure.name), by.join(", ")))
}

/// The design of a clear pair that has the worse of it.
pub fn worse(measure: &ComparedMeasure, pair: &PairOfMeasures) -> Option<usize> {
    let is_more = pair.difference.mean? > 0.0;
    match measure.wanted {
        Wanted::Either => None,
        Wanted::Less => Some(if is_more { pair.second } else { pair.first }),
        Wanted::More => Some(if is_more { pair.first } else { pair.second }),
    }
}

/// How a promise is kept by one design: `3 of 40 replications (1.57 % to 20.4 %)`, `0 of 40 (at most 7.22 %)`.
pub fn kept(kept: Option<&Kept>) -> String {
    kept.and_then(|kept| kept.violation.as_ref()).map_or("–".to_owned(), verdict::violation)
}

/// `ordering.regressed: A breaks it in 9 replications in which B does not, clearly more often`.
pub fn broken_more(comparison: &Comparison, promise: &ComparedPromise) -> Vec<String> {
    let clear = promise.pairs.iter().filter(|pair| pair.is_clear);
    let told = clear.map(|pair| {
        let is_second = pair.only_second > pair.only_first;
        let (worse, better) = if is_second { (pair.second, pair.first) } else { (pair.first, pair.second) };
        let (more, fewer) = (pair.only_first.max(pair.only_second), pair.only_first.min(pair.only_second));
        let fewer = if fewer == 0 { "never".to_owned() } else { format!("{fewer} times") };
        format!(
            "{}: {} breaks it where {} does not in {more} of {} replications, the other way round {fewer}",
            text::name(&promise.name),
            named(comparison, worse),
            named(comparison, better),
            comparison.replications_done
        )
    });
    told.collect()
}

/// How often something that is promised to be rare happened, over all replications: `44 of 14,938`.
pub fn counted(kept: &Kept) -> Option<String> {
    let (found, of) = (kept.count?, kept.of?);
    match found {
        0 => Some(format!("none of {}", count(of))),
        _ if of == 0 => Some(count(found)),
        _ => Some(format!(
            "{} of {}, {} in 10,000",
            count(found),
            count(of),
            rough(found as f64 / of as f64 * 10_000.0, Quantity::Number)
        )),
    }
}

/// Why a design has its place.
pub fn reason(comparison: &Comparison, ranked: &Ranked) -> String {
    let against = ranked.against.iter().map(|against| {
        let other = letter(against.design);
        match (against.better.len(), against.worse.len()) {
            (0, 0) => format!("cannot be told from {other}"),
            (better, 0) => format!("better than {other} in {}", all_of(&against.better, better)),
            (0, worse) => format!("worse than {other} in {}", all_of(&against.worse, worse)),
            (better, worse) => format!(
                "against {other} better in {}, worse in {}",
                all_of(&against.better, better),
                all_of(&against.worse, worse)
            ),
        }
    });
    let told: Vec<String> = against.collect();
    if comparison.replications_done < 2 { "nobody can tell".to_owned() } else { told.join("; ") }
}

/// The first names, and how many more there are.
fn all_of(names: &[String], all: usize) -> String {
    const MOST_NAMED: usize = 4;
    let named: Vec<String> = names.iter().take(MOST_NAMED).map(|name| text::name(name)).collect();
    let named = named.join(", ");
    if all > MOST_NAMED { format!("{named} and {} more", all - MOST_NAMED) } else { named }
}

/// Questions in which nothing is clear.
pub fn open(comparison: &Comparison) -> Vec<String> {
    let is_open = |measure: &&ComparedMeasure| measure.pairs.iter().all(|pair| !pair.is_clear);
    comparison.questions.iter().filter(is_open).map(|measure| text::name(&measure.name)).collect()
}

/// Whether and how much the same random numbers helped.
pub fn draws(comparison: &Comparison) -> String {
    let factor = |value: f64| rough(value, Quantity::Number);
    match (comparison.draws, comparison.variance_reduction) {
        (Draws::Common, Some(of)) => format!(
            "Same random numbers in all designs: they cut the variance of a difference by a factor of {} (the middle one of \
             the questions; {} to {}). Independent runs would take as many times more replications.",
            factor(of.median),
            factor(of.least),
            factor(of.most)
        ),
        (Draws::Common, None) => "Same random numbers in all designs.".to_owned(),
        (Draws::Independent, Some(of)) => format!(
            "Independent random numbers in each design: differences vary as they do between independent runs (a factor of \
             {} in the middle; 1 is expected).",
            factor(of.median)
        ),
        (Draws::Independent, None) => "Independent random numbers in each design.".to_owned(),
    }
}

/// At which confidence intervals and differences stand.
pub fn confidence(comparison: &Comparison) -> String {
    let percent = |level: f64| format!("{} %", (level * 10_000.0).round() / 100.0);
    let pairs = comparison.designs.len() * (comparison.designs.len() - 1) / 2;
    match pairs {
        1 => format!("± at {}", percent(comparison.confidence)),
        _ => format!(
            "± at {}; of differences at {}, so that all {pairs} pairs hold together",
            percent(comparison.confidence),
            percent(comparison.pair_confidence)
        ),
    }
}
