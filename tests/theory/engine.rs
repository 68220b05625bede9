//! The scenario library's queueing systems, through the public path, against theory.
//!
//! Each figure's 99.9 % interval over replications must hold the analytic value: 99.9, because some
//! fifty are held here, and seeds are fixed, so that a test passes always or never. Each interval must also be
//! narrow enough to say something. `cargo test theory -- --nocapture` prints them.

use super::formulas::*;
use crate::runs::results;
use eventflow::experiment::results::{Estimate, RunResults, ServiceResults};
use eventflow::stats::confidence::student_quantile;

/// λ and mean service time of most files.
const RATE: f64 = 80.0;
const SERVICE: f64 = 0.01;

/// The interval of `estimate` at 99.9 % holds `theory`, and is at most `width` of it wide to either side.
#[track_caller]
fn assert_holds(what: &str, estimate: &Estimate, theory: f64, width: f64) {
    let (Some(mean), Some(half)) = (estimate.mean, estimate.half_width) else {
        panic!("{what}: {estimate:?}")
    };
    let freedom = u64::from(estimate.n) - 1;
    let half = half * student_quantile(0.9995, freedom) / student_quantile(0.975, freedom);
    println!("{what}: {mean:.6} ± {half:.6} (99.9 %), theory {theory:.6}");
    assert!((mean - theory).abs() <= half, "{what}: {mean} ± {half} does not hold {theory}");
    assert!(half <= width * theory, "{what}: {mean} ± {half} says little about {theory}");
}

/// L = λW for the system and for the queue; busy workers = the load that was let in. Up to what is under way at the
/// edges of the window.
#[track_caller]
fn assert_laws(service: &ServiceResults) {
    let mean = |estimate: &Estimate| estimate.mean.expect("it has worked");
    let rate = mean(&service.throughput);
    let near = |what: &str, got: f64, wanted: f64| {
        println!("{} {what}: {got:.6}, by law {wanted:.6}", service.name);
        assert!((got - wanted).abs() <= 0.01 * wanted + 1e-3, "{}: {what} {got}, not {wanted}", service.name);
    };
    near("number in system", mean(&service.in_system), rate * mean(&service.sojourn_time.mean));
    near("queue length", mean(&service.queue_length), rate * mean(&service.waiting_time.mean));
    let by_number: f64 =
        service.number_in_system.iter().enumerate().map(|(k, share)| k as f64 * mean(share)).sum();
    if service.number_in_system.len() < 64 {
        near("number in system by its distribution", by_number, mean(&service.in_system));
    }
    if let Some(workers) = service.workers {
        let servers = f64::from(workers * service.instances);
        let let_in = mean(&service.offered_load) * (1.0 - mean(&service.rejected));
        near("utilization", mean(&service.utilization), let_in / servers);
    }
}

fn simulated(name: &str, horizon: &str) -> RunResults {
    let horizon = format!("run.horizon={horizon}");
    let results = results(&format!("queueing/{name}"), &[&horizon, "run.warm_up=20s", "run.replications=12"]);
    results.services.iter().for_each(assert_laws);
    results
}

#[test]
fn mm1() {
    let results = simulated("mm1", "600s");
    let (client, server) = (&results.clients[0], &results.services[0]);
    let theory = Mm1::new(RATE, 1.0 / SERVICE);
    assert_holds("M/M/1 mean", &client.response_time.mean, theory.mean_sojourn(), 0.1);
    assert_holds("M/M/1 median", &client.response_time.p50, theory.sojourn_quantile(0.5), 0.1);
    assert_holds("M/M/1 p99", &client.response_time.p99, theory.sojourn_quantile(0.99), 0.15);
    assert_holds("M/M/1 wait", &server.waiting_time.mean, theory.mean_wait(), 0.12);
    assert_holds("M/M/1 queue", &server.queue_length, theory.mean_queue(), 0.15);
    assert_holds("M/M/1 utilization", &server.utilization, theory.utilization(), 0.02);
    for n in 0..12 {
        let what = format!("M/M/1 share of time with {n}");
        assert_holds(&what, &server.number_in_system[n as usize], theory.probability(n), 0.15);
    }
    assert_holds("M/M/1 throughput", &client.throughput, RATE, 0.02);
    assert_eq!(client.success.mean, Some(1.0));
}

#[test]
fn mmc() {
    let results = simulated("mmc", "170s");
    let theory = Mmc::new(320.0, 1.0 / SERVICE, 4);
    let server = &results.services[0];
    assert_holds("M/M/4 wait", &server.waiting_time.mean, theory.mean_wait(), 0.12);
    assert_holds("M/M/4 mean", &results.clients[0].response_time.mean, theory.mean_sojourn(), 0.06);
    assert_holds("M/M/4 p90 of wait", &server.waiting_time.p90, theory.wait_quantile(0.9), 0.12);
    assert_holds("M/M/4 p50 of wait", &server.waiting_time.p50, theory.wait_quantile(0.5), 0.2);
    assert_holds("M/M/4 utilization", &server.utilization, 0.8, 0.02);
}

#[test]
fn loss() {
    let results = simulated("loss", "70s");
    let (client, server) = (&results.clients[0], &results.services[0]);
    let theory = erlang_b(8.0, 10);
    assert_holds("M/M/10/10 rejected", &server.rejected, theory, 0.05);
    assert_holds("M/M/10/10 errors", &client.errors, theory, 0.05);
    assert_holds("M/M/10/10 utilization", &server.utilization, loss_system_mean_busy(8.0, 10) / 10.0, 0.02);
    assert_holds("M/M/10/10 full", &server.number_in_system[10], theory, 0.05);
}

#[test]
fn md1() {
    let results = simulated("md1", "400s");
    let theory = md1_mean_wait(RATE, SERVICE);
    assert_holds("M/D/1 wait", &results.services[0].waiting_time.mean, theory, 0.1);
    assert_holds("M/D/1 mean", &results.clients[0].response_time.mean, theory + SERVICE, 0.1);
}

/// E[S²] = mean² + sd², with sd = 2 × mean.
#[test]
fn mg1() {
    let results = simulated("mg1", "800s");
    let theory = mg1_mean_wait(60.0, SERVICE, 5.0 * SERVICE * SERVICE);
    assert_holds("M/G/1 wait", &results.services[0].waiting_time.mean, theory, 0.2);
    assert_holds("M/G/1 utilization", &results.services[0].utilization, 0.6, 0.03);
}

#[test]
fn mm1k() {
    let results = simulated("mm1k", "500s");
    let (client, server) = (&results.clients[0], &results.services[0]);
    let theory = Mm1k::new(90.0, 1.0 / SERVICE, 10);
    assert_holds("M/M/1/10 loss", &server.rejected, theory.loss(), 0.1);
    assert_holds("M/M/1/10 mean", &client.response_time.mean, theory.mean_sojourn(), 0.05);
    assert_holds("M/M/1/10 number", &server.in_system, theory.mean_number(), 0.05);
    for n in 0..=10 {
        let what = format!("M/M/1/10 share of time with {n}");
        assert_holds(&what, &server.number_in_system[n as usize], theory.probability(n), 0.12);
    }
    assert_eq!(server.number_in_system.len(), 11);
}

#[test]
fn priority() {
    let results = simulated("priority", "600s");
    let class = |arrival_rate| PriorityClass {
        arrival_rate,
        mean_service: SERVICE,
        mean_square_service: 2.0 * SERVICE * SERVICE,
    };
    let waits = priority_mean_waits(&[class(30.0), class(50.0)]);
    for (client, wait) in results.clients.iter().zip(waits) {
        let what = format!("priority, {}", client.name);
        assert_holds(&what, &client.response_time.mean, wait + SERVICE, 0.12);
    }
}

#[test]
fn finite_source() {
    let results = simulated("closed", "300s");
    let (client, server) = (&results.clients[0], &results.services[0]);
    let theory = FiniteSource::new(10, 0.1, SERVICE, 1);
    assert_holds("finite source throughput", &client.throughput, theory.throughput(), 0.02);
    assert_holds("finite source mean", &client.response_time.mean, theory.mean_response(), 0.04);
    assert_holds("finite source utilization", &server.utilization, theory.throughput() * SERVICE, 0.02);
    for n in 0..=6 {
        let what = format!("finite source, share of time with {n}");
        assert_holds(&what, &server.number_in_system[n as usize], theory.probability(n), 0.1);
    }
}

#[test]
fn tandem() {
    let results = simulated("tandem", "90s");
    let theory = tandem_mean_sojourn(320.0, &[(1.0 / SERVICE, 4); 5]);
    assert_holds("tandem mean", &results.clients[0].response_time.mean, theory, 0.06);
    let station = Mmc::new(320.0, 1.0 / SERVICE, 4);
    for service in &results.services {
        let what = format!("tandem wait, {}", service.name);
        assert_holds(&what, &service.waiting_time.mean, station.mean_wait(), 0.2);
    }
}

/// A thread that waits for an answer is held for the callee's time as well as its own; one that hands over is not.
#[test]
fn threads_held_and_handed_over() {
    let held = simulated("held-threads", "80s");
    let gateway = &held.services[0];
    let theory = Mmc::new(700.0, 1.0 / SERVICE, 8);
    assert_holds("held threads utilization", &gateway.utilization, 0.875, 0.02);
    assert_holds("held threads wait", &gateway.waiting_time.mean, theory.mean_wait(), 0.25);
    assert_holds("held threads mean", &held.clients[0].response_time.mean, theory.mean_sojourn(), 0.1);

    let handed_over = simulated("handed-over", "40s");
    let (gateway, backend) = (&handed_over.services[0], &handed_over.services[1]);
    assert_eq!(gateway.utilization.mean, Some(0.0), "no step of its own takes time");
    assert_eq!(gateway.queue_length.mean, Some(0.0));
    assert_holds("handed over, in the backend", &backend.in_system, 7.0, 0.03);

    let own = "services.gateway.handlers.Request=[{work: {exponential: 2ms}}, {call: backend.Task}, reply]";
    let settings = [own, "rate=500/s", "run.horizon=60s", "run.warm_up=10s", "run.replications=12"];
    let both = results("queueing/held-threads", &settings);
    assert_holds("own 2 ms + callee's 10 ms", &both.services[0].utilization, 500.0 * 0.012 / 8.0, 0.02);
}

/// 26.5 ms with 100 servers: found by simulating the Markov chain itself.
#[test]
fn two_choices_beat_one() {
    let settings = ["run.horizon=14s", "run.warm_up=4s", "run.replications=20"];
    let two = results("queueing/two-choices", &settings);
    assert_laws(&two.services[0]);
    let mean = &two.clients[0].response_time.mean;
    assert_holds("two choices mean", mean, 0.0265, 0.05);
    let limit = SERVICE * two_choices_mean_sojourn(0.9);
    assert!(mean.mean.unwrap() > 0.98 * limit, "{mean:?} is better than with infinitely many servers");

    let settings = ["run.horizon=32s", "run.warm_up=20s", "run.replications=12"];
    let random = results("queueing/two-choices-random", &settings);
    let theory = Mm1::new(90.0, 1.0 / SERVICE).mean_sojourn();
    assert_holds("one at random", &random.clients[0].response_time.mean, theory, 0.2);
    assert!(random.clients[0].response_time.mean.mean.unwrap() > 3.0 * mean.mean.unwrap());
}
