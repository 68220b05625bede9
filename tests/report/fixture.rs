//! Results as a run of an order flow might give them: two clients, four services, a topic with three
//! groups, two faults. Every number follows from a formula, so that the same page comes out each time.

use eventflow::experiment::results::account::Accounts;
use eventflow::experiment::results::truth::Obligations;
use eventflow::experiment::results::verdict::*;
use eventflow::experiment::results::*;

const HORIZON: f64 = 600.0;
const BUCKETS: usize = 120;
/// When `inventory` is down.
pub const OUTAGE: (f64, f64) = (240.0, 300.0);
/// When the network is slow.
const DEGRADED: (f64, f64) = (420.0, 465.0);

pub fn estimate(mean: f64, half_width: f64) -> Estimate {
    Estimate { mean: Some(mean), half_width: Some(half_width), n: 10 }
}

pub const NONE: Estimate = Estimate { mean: None, half_width: None, n: 0 };

/// A log-normal-like distribution around `median`, with a tail as heavy as `spread` says.
pub fn durations(median: f64, spread: f64, count: u64) -> DurationResults {
    let at =
        |nines: f64| median * (1.0 + spread * nines * nines * 1.2) * (0.4 + 0.6 * (nines / 0.3).min(1.0));
    let last = libm::log10(count as f64);
    let distribution = (0..=120).map(|i| {
        let nines = last * f64::from(i) / 120.0;
        (at(nines), if i == 120 { 1.0 } else { 1.0 - libm::exp10(-nines) })
    });
    let figure = |nines: f64, noise: f64| estimate(at(nines), at(nines) * noise);
    DurationResults {
        count,
        mean: estimate(median * 1.3, median * 0.011),
        p50: figure(0.301, 0.008),
        p90: figure(1.0, 0.012),
        p99: figure(2.0, 0.03),
        p999: figure(3.0, 0.08),
        max: figure(last, 0.3),
        distribution: distribution.collect(),
    }
}

fn no_durations() -> DurationResults {
    let distribution = Vec::new();
    DurationResults {
        count: 0,
        mean: NONE,
        p50: NONE,
        p90: NONE,
        p99: NONE,
        p999: NONE,
        max: NONE,
        distribution,
    }
}

/// A series of `value(time)` with a little ripple.
pub fn series(value: impl Fn(f64) -> f64) -> Series {
    let width = HORIZON / BUCKETS as f64;
    let at = |i: usize| {
        let ripple = 1.0 + 0.04 * ((i * 7919 % 101) as f64 / 50.0 - 1.0);
        (value((i as f64 + 0.5) * width) * ripple).max(0.0)
    };
    Series { width, values: (0..BUCKETS).map(at).collect() }
}

/// Shares do not exceed 1.
fn capped(mut series: Series) -> Series {
    series.values.iter_mut().for_each(|value| *value = value.min(1.0));
    series
}

pub fn within(time: f64, (from, to): (f64, f64)) -> bool {
    time >= from && time < to
}

/// Rises while `during` lasts, then falls at `drain` per second.
fn backlog(time: f64, during: (f64, f64), rise: f64, drain: f64) -> f64 {
    let top = (during.1 - during.0) * rise;
    match time {
        time if time < during.0 => 0.0,
        time if time < during.1 => (time - during.0) * rise,
        time => (top - (time - during.1) * drain).max(0.0),
    }
}

pub fn client(name: &str, rate: f64, median: f64) -> ClientResults {
    ClientResults {
        name: name.to_owned(),
        offered: estimate(rate, rate * 0.004),
        throughput: estimate(rate * 0.9971, rate * 0.0043),
        success: estimate(0.99713, 0.00031),
        timeouts: estimate(0.00252, 0.00028),
        errors: estimate(0.00035, 0.00011),
        errors_by_reason: vec![
            error("timeout", 3024, 0.00252, 0.00028),
            error("out_of_stock", 420, 0.00035, 0.00011),
        ],
        unfinished: estimate(0.0, 0.0),
        response_time: durations(median, 1.4, (rate * HORIZON) as u64 * 10),
        throughput_over_time: series(|t| if within(t, OUTAGE) { rate * 0.72 } else { rate }),
        errors_over_time: series(|t| if within(t, OUTAGE) { rate * 0.28 } else { 0.0 }),
        response_time_over_time: series(|t| {
            median
                * if within(t, OUTAGE) {
                    38.0
                } else if within(t, DEGRADED) {
                    4.2
                } else {
                    1.3
                }
        }),
    }
}

fn error(reason: &str, count: u64, share: f64, half_width: f64) -> ErrorResults {
    ErrorResults { reason: reason.to_owned(), count, share: estimate(share, half_width) }
}

pub fn service(name: &str, workers: Option<u32>, utilization: f64, service_time: f64) -> ServiceResults {
    let down = name == "inventory";
    let busy = |t: f64| match t {
        t if down && within(t, OUTAGE) => 0.0,
        t if down && within(t, (OUTAGE.1, OUTAGE.1 + 90.0)) => 0.985,
        _ => utilization,
    };
    ServiceResults {
        name: name.to_owned(),
        instances: 2,
        workers,
        throughput: estimate(199.42, 0.61),
        amplification: estimate(1.04, 0.004),
        utilization: if workers.is_some() { estimate(utilization, utilization * 0.006) } else { NONE },
        offered_load: estimate(199.42 * service_time, 0.02),
        queue_length: estimate(utilization * 3.1, 0.12),
        in_system: estimate(utilization * 3.1 + 199.42 * service_time, 0.14),
        rejected: estimate(0.0, 0.0),
        waiting_time: durations(service_time * 0.2, 6.0, 1_190_000),
        service_time: durations(service_time, 0.7, 1_190_000),
        sojourn_time: durations(service_time * 1.2, 1.5, 1_190_000),
        number_in_system: (0..20).map(|k| estimate(0.4 * libm::pow(0.6, f64::from(k)), 0.002)).collect(),
        queue_length_over_time: series(|t| {
            utilization * 3.0 + if down { backlog(t, (OUTAGE.1, OUTAGE.1 + 12.0), 14.0, 2.1) } else { 0.0 }
        }),
        utilization_over_time: capped(series(|t| if workers.is_some() { busy(t) } else { 0.0 })),
    }
}

pub fn subscription(topic: &str, group: &str, median: f64) -> SubscriptionResults {
    let lag = |t: f64| match group {
        "inventory" => 2.0 + backlog(t, OUTAGE, 200.0, 133.0),
        "notification" => 6.0 + backlog(t, DEGRADED, 31.0, 12.0),
        _ => 3.0,
    };
    SubscriptionResults {
        topic: topic.to_owned(),
        group: group.to_owned(),
        accepted: estimate(199.71, 0.6),
        deliveries: estimate(199.71, 0.6),
        redeliveries: if group == "inventory" { estimate(0.412, 0.034) } else { estimate(0.0, 0.0) },
        exhausted: estimate(0.0, 0.0),
        lag: estimate(
            if group == "inventory" { 1312.0 } else { 4.12 },
            if group == "inventory" { 24.0 } else { 0.21 },
        ),
        lag_max: estimate(
            if group == "inventory" { 12_133.0 } else { 31.2 },
            if group == "inventory" { 210.0 } else { 2.2 },
        ),
        time_in_topic: if group == "audit" { no_durations() } else { durations(median, 2.0, 1_198_000) },
        lag_over_time: series(lag),
    }
}

fn call(caller: &str, callee: &str, median: f64) -> CallResults {
    CallResults {
        caller: caller.to_owned(),
        callee: callee.to_owned(),
        throughput: estimate(199.42, 0.61),
        success: estimate(0.9971, 0.0003),
        timeouts: estimate(0.0025, 0.0003),
        errors: estimate(0.0004, 0.0001),
        errors_by_reason: vec![error("rejected", 478, 0.0004, 0.0001)],
        tries: estimate(1.0127, 0.0011),
        response_time: durations(median, 1.4, 1_190_000),
    }
}

fn link(name: &str, lost: f64) -> LinkResults {
    let name = name.to_owned();
    LinkResults {
        name,
        sent: estimate(120_412.0, 310.0),
        lost: estimate(lost, lost * 0.07),
        duplicated: estimate(0.0, 0.0),
    }
}

fn fault(name: &str, what: &str, band: (f64, f64)) -> FaultResults {
    let (name, what) = (name.to_owned(), what.to_owned());
    FaultResults { name, what, fired: estimate(1.0, 0.0), touched: estimate(1.0, 0.0), bands: vec![band] }
}

fn node(name: &str, kind: NodeKind, detail: &str) -> TopologyNode {
    TopologyNode { name: name.to_owned(), kind, detail: detail.to_owned() }
}

fn edge(from: usize, to: usize, kind: EdgeKind, label: &str) -> TopologyEdge {
    TopologyEdge { from, to, kind, label: label.to_owned() }
}

fn topology() -> Topology {
    use EdgeKind::*;
    use NodeKind::*;
    let nodes = vec![
        node("shopper", Client, "poisson 200/s"),
        node("support", Client, "12 users"),
        node("orders", Service, "2 × 16 workers"),
        node("inventory", Service, "2 × 8 workers"),
        node("payment", Service, "2 × 12 workers"),
        node("notification", Service, "2 × unlimited"),
        node("order-events", Topic, "kafka, 6 partitions"),
    ];
    let edges = vec![
        edge(0, 2, Call, "PlaceOrder"),
        edge(1, 2, Call, "LookUpOrder"),
        edge(2, 4, Call, "Charge"),
        edge(2, 6, Publish, "OrderPlaced"),
        edge(6, 3, Consume, "OrderPlaced"),
        edge(6, 4, Consume, "OrderPlaced"),
        edge(6, 5, Consume, "OrderPlaced"),
        edge(3, 6, Publish, "StockReserved"),
        edge(5, 2, Call, "OrderDetails"),
        edge(4, 5, Send, "Receipt"),
    ];
    Topology { nodes, edges }
}

/// The order flow.
pub fn order_flow() -> RunResults {
    RunResults {
        version: RESULTS_VERSION,
        scenario: "order-flow".to_owned(),
        about: "An order is placed, stock is reserved, the card is charged and the customer is told. \
                Inventory is down for a minute."
            .to_owned(),
        file: "scenarios/coupling/order-flow.yaml".to_owned(),
        parameters: vec![("rate".to_owned(), "200/s".to_owned()), ("outage".to_owned(), "60s".to_owned())],
        settings: vec!["rate=200/s".to_owned(), "outage=60s".to_owned()],
        seed: 42,
        replications_asked: 10,
        replications_done: 10,
        partial: false,
        confidence: 0.95,
        horizon: HORIZON,
        warm_up: 30.0,
        warm_up_search: None,
        precision: None,
        drained: 3.218,
        drain_limit_hit: 0,
        digest: "9c1e5f0b7a2d4c8e6f10b3a59d7c2e48f6a1b0c3d5e7f9a2b4c6d8e0f1a3b5c7".to_owned(),
        eventflow: "0.1.0".to_owned(),
        events: 48_210_733,
        verdicts: Vec::new(),
        accounts: Accounts::default(),
        anomalies: Vec::new(),
        obligations: Obligations::default(),
        views: Vec::new(),
        reads: Vec::new(),
        arrivals: Vec::new(),
        anomalies_over_time: Vec::new(),
        clients: vec![client("shopper", 200.0, 0.0124), client("support", 4.1, 0.0041)],
        calls: vec![
            call("shopper", "orders.PlaceOrder", 0.0124),
            call("support", "orders.LookUpOrder", 0.0041),
            call("orders", "payment.Charge", 0.0061),
        ],
        services: vec![
            service("orders", Some(16), 0.412, 0.0065),
            service("inventory", Some(8), 0.731, 0.0058),
            service("payment", Some(12), 0.288, 0.0034),
            service("notification", None, 0.0, 0.015),
        ],
        subscriptions: vec![
            subscription("order-events", "inventory", 0.0131),
            subscription("order-events", "payment", 0.0093),
            subscription("order-events", "notification", 0.0212),
        ],
        links: vec![link("orders → kafka", 121.0), link("default", 0.0)],
        faults: vec![
            fault("stock_outage", "crash inventory", OUTAGE),
            fault("slow_network", "degrade orders, kafka", DEGRADED),
        ],
        failed_expressions: vec![FailedExpression {
            place: "scenarios/coupling/order-flow.yaml:41:23".to_owned(),
            count: 17,
            replications: 4,
        }],
        topology: topology(),
        notes: vec![
            "The lag of order-events.inventory was still above its average 80 s after the outage.".to_owned(),
        ],
    }
}

fn tally(count: u64, affected: u32, exposures: u64) -> Tally {
    Tally {
        count,
        replications: 10,
        replications_affected: affected,
        exposures,
        exposure: "attempts begun after an effect of their obligation was committed".to_owned(),
        of: 12_041,
        unsettled: 0,
        rate: (exposures > 0).then(|| count as f64 / exposures as f64),
        rate_at_most: (exposures > 0 && count == 0).then_some(0.0158),
        share: None,
    }
}

fn verdict(name: &str, line: u32, outcome: Outcome, reason: &str) -> Verdict {
    Verdict {
        name: name.to_owned(),
        place: Place { file: "scenarios/coupling/order-flow.yaml".to_owned(), line, column: 18 },
        bound: "none in any replication".to_owned(),
        outcome,
        expected: None,
        reason: reason.to_owned(),
        tally: None,
        figures: Vec::new(),
        violation: None,
        counterexample: None,
    }
}

/// The order flow with a verdict of each kind.
pub fn judged() -> RunResults {
    let mut results = order_flow();
    let mut broken = verdict(
        "idempotency.duplicate_effects",
        81,
        Outcome::Fail,
        "3 in 2 of 10 replications, in 188 exposures.",
    );
    broken.tally = Some(tally(3, 2, 188));
    broken.counterexample = Some(Counterexample {
        replication: 4,
        at: 83.063_117,
        obligation: Some("0000000000007f3a".to_owned()),
        what: "inventory.stock[17].reserved: 2 → 4, the second time".to_owned(),
    });
    let mut held = verdict(
        "idempotency.lost_effects",
        81,
        Outcome::Pass,
        "None in 188 exposures: at most 1.58 % of them (at 95 % confidence).",
    );
    held.tally = Some(tally(0, 0, 188));
    let mut open = verdict(
        "ordering.regressed",
        82,
        Outcome::Inconclusive,
        "Never put to the test: there were no messages of a key under way together.",
    );
    open.tally = Some(tally(0, 0, 0));
    let mut expected = Verdict { expected: Some(Outcome::Fail), ..broken.clone() };
    expected.name = "invariants.adds_up".to_owned();
    expected.bound = "at the end sum(inventory.stock.reserved) == sum(orders.orders.qty)".to_owned();
    let mut fast = verdict(
        "invariants.fast_enough",
        90,
        Outcome::Pass,
        "p99(shopper.response_time) was 0.412 ± 0.03 s (10 replications).",
    );
    fast.bound = "p99(shopper.response_time) < 500ms".to_owned();
    fast.expected = Some(Outcome::Inconclusive);
    fast.figures = vec![NamedEstimate {
        name: "p99(shopper.response_time)".to_owned(),
        estimate: estimate(0.412, 0.03),
    }];
    results.verdicts = vec![held, broken, open, expected, fast];
    results.anomalies = vec![Unasked {
        name: "isolation.lost_updates".to_owned(),
        counts: "Values written that were computed from a row another attempt had replaced since.".to_owned(),
        tally: tally(7, 3, 1200),
        first: None,
    }];
    super::known::know_the_truth(&mut results);
    results
}

/// Many of everything.
pub fn crowd(count: usize) -> RunResults {
    let mut results = order_flow();
    let name = |what: &str, i: usize| format!("{what}-{i:05}");
    results.services =
        (0..count).map(|i| service(&name("service", i), Some(4), (i % 97) as f64 / 100.0, 0.005)).collect();
    results.clients =
        (0..12).map(|i| client(&name("client", i), 10.0 + i as f64, 0.01 * (i + 1) as f64)).collect();
    results.subscriptions = (0..count / 10).map(|i| subscription(&name("topic", i), "group", 0.01)).collect();
    results.faults = (0..9)
        .map(|i| fault(&name("fault", i), "crash a service", (50.0 * i as f64, 50.0 * i as f64 + 20.0)))
        .collect();
    results
        .topology
        .nodes
        .extend((0..count).map(|i| node(&name("service", i), NodeKind::Service, "4 workers")));
    results.topology.edges.extend((0..count).map(|i| edge(i % 50, (i * 7 + 3) % 60, EdgeKind::Call, "Call")));
    results
}

/// One replication of a scenario in which nothing happened, interrupted.
pub fn nothing() -> RunResults {
    let mut results = order_flow();
    let once = Estimate { mean: Some(0.0), half_width: None, n: 1 };
    results.replications_done = 1;
    results.partial = true;
    results.parameters.clear();
    results.settings.clear();
    results.about.clear();
    results.warm_up = 0.0;
    let flat = || Series { width: 5.0, values: vec![0.0; 10] };
    for client in &mut results.clients {
        client.response_time = no_durations();
        client.throughput = once;
        client.success = NONE;
        client.errors_by_reason.clear();
        client.throughput_over_time = flat();
        client.errors_over_time = flat();
        client.response_time_over_time = flat();
    }
    results.services.clear();
    results.subscriptions.clear();
    results.links.clear();
    results.faults.clear();
    results.calls.clear();
    results.failed_expressions.clear();
    results.topology = Topology { nodes: Vec::new(), edges: Vec::new() };
    results
}
