//! The hand-written baselines simulate what they say: a baseline that is wrong would be no measure.

use super::formulas::{Mm1, Mmc};
use super::hand_written::{SERVERS, STATIONS, mm1, tandem, three_groups};
use eventflow::stats::confidence::interval;

/// Seeds stand for replications; the 99.9 % interval of their means holds the value of theory, and is
/// narrow enough to say something.
fn assert_holds(simulate: impl Fn(u64) -> f64, theory: f64) {
    let interval = interval((0..12).map(simulate), 0.999);
    assert!(interval.contains(theory), "{interval:?} does not hold {theory}");
    assert!(interval.half_width.is_some_and(|half| half < 0.05 * theory), "{interval:?} is too wide");
}

#[test]
fn mm1_has_the_mean_sojourn_of_theory() {
    assert_holds(|seed| mm1(seed, 100_000, 0.7, 1.0).mean_sojourn, Mm1::new(0.7, 1.0).mean_sojourn());
}

/// Burke: the output of an M/M/c is Poisson, so each station is an M/M/4 of its own.
#[test]
fn tandem_has_the_mean_sojourn_of_theory() {
    let theory = STATIONS as f64 * Mmc::new(3.0, 1.0, SERVERS as u32).mean_sojourn();
    assert_holds(|seed| tandem(seed, 50_000, 3.0, 1.0).mean_sojourn, theory);
}

#[test]
fn each_of_three_groups_is_an_mm1() {
    let theory = Mm1::new(0.6, 1.0).mean_sojourn();
    assert_holds(|seed| three_groups(seed, 50_000, 0.6, 1.0).mean_sojourn, theory);
}

#[test]
fn events_are_counted() {
    let result = mm1(1, 1_000, 0.5, 1.0);
    assert!((2_000..2_020).contains(&result.events), "{result:?}");
}
