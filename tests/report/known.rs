//! What oracles might have measured in the order flow.

use super::fixture::{OUTAGE, durations, estimate, series, within};
use eventflow::experiment::results::RunResults;
use eventflow::experiment::results::truth::*;

/// Fills in what oracles measure: nine in ten thousand obligations were not done, a view follows, reads
/// are stale at times, messages overtake each other.
pub fn know_the_truth(results: &mut RunResults) {
    let end = |(end, count): (&str, u64)| EndResults {
        end: end.to_owned(),
        meaning: format!("It is {end}, and that is that."),
        count,
        share: estimate(count as f64 / 1_200_000.0, 2.1e-5),
    };
    let ends = [("done", 1_198_920), ("refused", 412), ("lost", 631), ("torn", 37), ("unsettled", 0)];
    results.obligations = Obligations { owed: 1_200_000, ends: ends.map(end).to_vec() };
    let view = |name: &str, median: f64| ViewResults {
        name: name.to_owned(),
        view: "inventory.stock".to_owned(),
        of: "orders.orders".to_owned(),
        changes: 119_000,
        never_shown: 31,
        lag: durations(median, 2.0, 119_000),
        window: durations(median * 2.0, 1.0, 80_000),
        convergence: durations(median, 1.0, 1_000),
        disagreeing: estimate(3.1, 0.8),
        disagreeing_over_time: series(|t| if within(t, OUTAGE) { 40.0 } else { 0.4 }),
    };
    results.views = vec![view("stock_shown", 0.05), view("totals", 0.4)];
    results.reads = vec![ReadResults {
        table: "inventory.stock".to_owned(),
        reads: 48_000,
        stale: estimate(0.031, 0.004),
        age: durations(0.02, 3.0, 1_500),
        versions_mean: estimate(1.4, 0.1),
        versions_max: estimate(7.2, 1.1),
    }];
    let extents =
        [(1, Some(1), 0.61), (2, Some(2), 0.2), (3, Some(3), 0.11), (4, Some(7), 0.08), (8, None, 0.0)];
    results.arrivals = vec![ArrivalResults {
        topic: "order-events".to_owned(),
        group: "inventory".to_owned(),
        arrived: 118_000,
        reordered: estimate(0.0041, 0.0006),
        extent_mean: estimate(1.7, 0.2),
        extent_max: estimate(6.0, 0.9),
        extents: extents
            .map(|(from, to, share)| ExtentResults { from, to, share: estimate(share, share / 10.0) })
            .to_vec(),
        late_time: durations(0.008, 1.0, 480),
        displacements: vec![(-1, 0.004), (0, 0.99), (1, 0.006)],
        held: estimate(0.012, 0.002),
    }];
    let over_time = |anomaly: &str, count: u64, rate: f64| AnomalyOverTime {
        anomaly: anomaly.to_owned(),
        count,
        later: count / 50,
        over_time: series(|t| if within(t, OUTAGE) { rate } else { 0.0 }),
    };
    results.anomalies_over_time = vec![
        over_time("duplicate_effects", 640, 1.07),
        over_time("lost_effects", 631, 1.05),
        over_time("torn_effects", 37, 0.06),
        over_time("mixed_effects", 0, 0.0),
    ];
}
