//! Replications until a precision is reached, and a warm-up that is found.

use super::{model, results_of};
use eventflow::experiment::run::RunOptions;
use eventflow::stats::sequential::Precision;

const SHORT: &[&str] = &["rate=50/s", "run.horizon=12s", "run.warm_up=2s"];

#[test]
fn replications_go_on_until_the_figures_are_known_well_enough() {
    let model = model("queueing/mm1", SHORT);
    let options = |threads, relative, most| RunOptions {
        threads: Some(threads),
        precision: Some(Precision { relative, most }),
        ..RunOptions::default()
    };
    let rough = results_of(&model, options(1, 0.3, 200));
    let fine = results_of(&model, options(1, 0.1, 200));
    let precision = fine.precision.as_ref().unwrap();
    assert!(precision.is_met && precision.open.is_empty(), "{precision:?}");
    assert!(rough.replications_done >= 15, "two looks at least: {}", rough.replications_done);
    assert!(fine.replications_done > rough.replications_done, "{}", fine.replications_done);
    let p99 = fine.clients[0].response_time.p99;
    assert!(p99.half_width.unwrap() <= 0.1 * p99.mean.unwrap(), "{p99:?}");
    assert_eq!(fine.digest, results_of(&model, options(3, 0.1, 200)).digest, "threads do not show");
    let given = RunOptions { replications: Some(fine.replications_asked), ..RunOptions::default() };
    assert_eq!(fine.digest, results_of(&model, given).digest, "as many asked for give the same");
    let capped = results_of(&model, options(2, 0.001, 12));
    let precision = capped.precision.unwrap();
    assert_eq!((capped.replications_done, capped.partial, precision.is_met), (12, false, false));
    assert!(precision.open.contains(&"p99(source.response_time)".to_owned()), "{precision:?}");
    assert!(capped.notes.iter().any(|note| note.contains("Not known within 0.1 %")), "{:?}", capped.notes);
}

/// At a load of 0.9 the queue takes some ten seconds to fill; 300 s tell that, 10 s do not.
#[test]
fn a_warm_up_is_found_or_the_run_is_too_short() {
    let found = |horizon: &str| {
        let settings = ["rate=90/s", "run.warm_up=auto", "run.replications=2", horizon];
        results_of(&model("queueing/mm1", &settings), RunOptions::default())
    };
    let long = found("run.horizon=300s");
    let search = long.warm_up_search.as_ref().unwrap();
    assert!(!search.is_late && (0.5..150.0).contains(&long.warm_up), "{} {search:?}", long.warm_up);
    let growing = results_of(
        &model("queueing/mm1", &["rate=130/s", "run.warm_up=auto", "run.replications=2", "run.horizon=20s"]),
        RunOptions::default(),
    );
    assert_eq!(growing.warm_up, 10.0, "half of the horizon");
    assert!(growing.warm_up_search.unwrap().is_late);
    assert!(growing.notes.iter().any(|note| note.contains("too short to tell")), "{:?}", growing.notes);
    let given = results_of(&model("queueing/mm1", SHORT), RunOptions::default());
    assert_eq!(given.warm_up_search, None);
}
