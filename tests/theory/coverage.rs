//! Nominal 95 % intervals hold the truth about as often as they say: a small version of `cargo bench --bench coverage`.

use super::formulas::Mm1;
use crate::runs::{model, results_of};
use eventflow::experiment::run::RunOptions;

/// 60 experiments of five replications each on M/M/1 at half load: of the means about 57 hold it; fewer than 51 would come
/// by chance once in a hundred times.
#[test]
fn intervals_hold_the_truth() {
    let model = model("queueing/mm1", &["rate=50/s", "run.horizon=25s", "run.warm_up=2s"]);
    let truth = Mm1::new(50.0, 100.0);
    let (mut means, mut quantiles) = (0, 0);
    for seed in 0..60 {
        let options = RunOptions { seed: Some(seed), replications: Some(5), ..RunOptions::default() };
        let times = &results_of(&model, options).clients[0].response_time;
        let holds = |estimate: eventflow::experiment::results::Estimate, value: f64| {
            u32::from((estimate.mean.unwrap() - value).abs() <= estimate.half_width.unwrap())
        };
        means += holds(times.mean, truth.mean_sojourn());
        quantiles += holds(times.p99, truth.sojourn_quantile(0.99));
    }
    assert!((51..=60).contains(&means), "{means} of 60 means");
    assert!((50..=60).contains(&quantiles), "{quantiles} of 60 percentiles");
}
