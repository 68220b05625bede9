//! The network: latencies, order, loss, bandwidth, splits, degradations and regions.

use super::{MS, Run, S, run};
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record};

/// A client calls or sends `Go` (numbered from 1) at these times; `s` notes when each arrived.
fn text(network: &str, times: &str, step: &str, more: &str) -> String {
    format!(
        "scenario: test
run: {{ horizon: 1m, drain: 10m }}
messages: {{ Go: {{ kind: command, fields: {{ n: int }}, size: 1MB }} }}
services:
  s:
    workers: unlimited
    store: {{ latency: {{ read: 0s, write: 0s, commit: 0s }}, tables: {{ seen: {{ key: [n, at] }} }} }}
    handlers: {{ Go: [ {{ upsert: seen, key: [message.n, now] }} ] }}
clients:
  c:
    arrivals: {{ times: {times} }}
    do:
      - let: {{ n: {{ counter: 1 }} }}
      - {step}
network: {network}
{more}"
    )
}

const SEND: &str = "{ send: s.Go, with: { n: n } }";
const CALL: &str = "{ call: s.Go, with: { n: n }, timeout: 2s }";

/// When each number arrived, in milliseconds from 1 s, in order of arrival.
fn arrived(run: &Run) -> Vec<(i64, f64)> {
    let rows = run.rows("s.seen").into_iter();
    rows.map(|row| (row[0], (row[1] - S as i64) as f64 / MS as f64)).collect()
}

fn many(count: u32, step_ms: f64) -> String {
    let times: Vec<String> =
        (0..count).map(|n| format!("{}us", 1_000_000 + (n as f64 * step_ms * 1000.0) as u64)).collect();
    format!("[{}]", times.join(", "))
}

#[test]
fn a_constant_latency_is_exact() {
    let run = run(&text("{ default: { latency: 7ms } }", "[1s]", CALL, ""));
    assert_eq!((arrived(&run), run.outcomes()), (vec![(1, 7.0)], vec![(S + 14 * MS, Outcome::Well)]));
}

#[test]
fn a_stream_keeps_its_order_and_datagrams_do_not() {
    let order = |transport: &str| {
        let network =
            format!("{{ default: {{ latency: {{ uniform: [1ms, 50ms] }}, transport: {transport} }} }}");
        let run = run(&text(&network, &many(100, 1.0), SEND, ""));
        let arrived = arrived(&run);
        assert_eq!(arrived.len(), 100);
        arrived.is_sorted_by_key(|(n, _)| *n)
    };
    assert!(order("stream") && !order("datagram"));
}

#[test]
fn a_loss_on_a_stream_costs_a_timeout_that_doubles() {
    let network = "{ default: { latency: 1ms, loss: 50% } }";
    let run = run(&text(network, &many(200, 200.0), CALL, ""));
    let tries = run.count(|record| matches!(record, Record::Lost { .. }));
    assert!(tries > 100, "{tries} losses");
    // After k losses: 1 ms and 200 · (2^k − 1) ms.
    let expected = |k: i32| 1.0 + 200.0 * f64::from((1 << k) - 1);
    for (n, at) in arrived(&run) {
        let latency = at - (n - 1) as f64 * 200.0;
        assert!((0..12).any(|k| (latency - expected(k)).abs() < 1e-6), "{n} took {latency} ms");
    }
}

#[test]
fn datagrams_are_lost_and_doubled() {
    let network = "{ default: { latency: 1ms, loss: 20%, duplicate: 30%, transport: datagram } }";
    let run = run(&text(network, &many(500, 1.0), SEND, ""));
    let (lost, doubled) = (
        run.count(|record| matches!(record, Record::Lost { .. })),
        run.count(|record| matches!(record, Record::Duplicated { .. })),
    );
    assert!((70..130).contains(&lost) && (90..150).contains(&doubled), "{lost} {doubled}");
    assert_eq!(run.started("s").len(), 500 - lost + doubled);
}

#[test]
fn lost_requests_and_answers_are_timeouts_and_let_go() {
    let network = "{ default: { latency: 1ms, loss: 30%, duplicate: 20%, transport: datagram } }";
    let run = run(&text(network, &many(300, 10.0), CALL, ""));
    let timeouts =
        run.outcomes().iter().filter(|(_, outcome)| *outcome == Outcome::Error(Error::Timeout)).count();
    assert!((100..220).contains(&timeouts), "{timeouts} of 300 lose a request or an answer");
    assert!(run.is_quiet());
}

#[test]
fn acknowledgements_are_lost_on_their_own_account() {
    let text = "scenario: test
run: { horizon: 10s, drain: 10m }
messages: { Fact: { kind: integration, fields: { n: int } } }
brokers: { b: { preset: sqs-standard } }
topics: { facts: { messages: [Fact] } }
services: { s: { workers: unlimited, consumes: { facts: {} }, handlers: { Fact: [ { work: 1ms } ] } } }
clients: { c: { arrivals: { every: 50ms, count: 150 }, do: [ { publish: Fact, with: { n: 0 }, confirm: false } ] } }
network: { default: { latency: 1ms }, links: { l: { between: [s, b], loss: 30%, transport: datagram } } }
";
    let run = run(text);
    assert!(
        run.started("s").len() > 170,
        "handled again where the acknowledgement alone was lost: {}",
        run.started("s").len()
    );
    assert!(run.is_quiet());
}

#[test]
fn a_narrow_link_takes_one_packet_after_another() {
    // 1 MB at 100 MB/s: 10 ms each.
    let run =
        run(&text("{ default: { latency: 1ms, bandwidth: 100MB/s } }", "[1s, 1s, 1005ms, 1100ms]", SEND, ""));
    assert_eq!(arrived(&run), [(1, 11.0), (2, 21.0), (3, 31.0), (4, 111.0)]);
}

#[test]
fn each_way_of_a_link_has_its_bandwidth_to_itself() {
    let run = run(&text("{ default: { latency: 1ms, bandwidth: 100MB/s } }", "[1s, 1010ms]", CALL, ""));
    let ended: Vec<u64> = run.outcomes().iter().map(|(at, _)| (at - S) / MS).collect();
    assert_eq!(ended, [22, 32], "the second request goes while the first answer comes");
}

fn split(times: &str, step: &str, transport: &str, options: &str) -> Run {
    let network = format!("{{ default: {{ latency: 1ms, transport: {transport} }} }}");
    run(&text(
        &network,
        times,
        step,
        &format!("faults: {{ f: {{ split: [c, s], at: 2s, for: 5s{options} }} }}\n"),
    ))
}

#[test]
fn a_split_holds_streams_back_in_order_and_swallows_datagrams() {
    let run1 = split("[1s, 3s, 4s, 8s]", SEND, "stream", "");
    assert_eq!(arrived(&run1), [(1, 1.0), (2, 6001.0), (3, 6001.0), (4, 7001.0)]);
    let run2 = split("[1s, 3s, 4s, 8s]", SEND, "datagram", "");
    assert_eq!(arrived(&run2), [(1, 1.0), (4, 7001.0)]);
}

#[test]
fn a_request_that_was_given_up_is_dropped_when_the_split_heals() {
    // One gives up at 5 s, the other at 8 s: only the second is carried out.
    let run = split("[3s, 6s]", CALL, "stream", "");
    assert_eq!(arrived(&run), [(2, 6001.0)]);
    assert_eq!(run.outcomes(), [(5 * S, Outcome::Error(Error::Timeout)), (7 * S + 2 * MS, Outcome::Well)]);
    assert!(run.is_quiet());
}

#[test]
fn a_one_way_split_lets_requests_through_and_holds_answers() {
    let text = text(
        "{ default: { latency: 1ms } }",
        "[3s]",
        CALL,
        "faults: { f: { split: [s, c], one_way: true, at: 2s, for: 5s } }\n",
    );
    let run = run(&text);
    assert_eq!(arrived(&run), [(1, 2001.0)]);
    assert_eq!(run.outcomes(), [(5 * S, Outcome::Error(Error::Timeout))]);
}

#[test]
fn a_split_lasts_while_one_of_two_does() {
    let faults =
        "faults:\n  a: { split: [c, s], at: 2s, for: 2s }\n  b: { split: [c, s], at: 3s, for: 3s }\n";
    let run = run(&text("{ default: { latency: 1ms } }", "[2500ms, 3500ms]", SEND, faults));
    assert_eq!(arrived(&run), [(1, 5001.0), (2, 5001.0)]);
}

#[test]
fn a_store_that_is_cut_off_answers_when_the_split_heals() {
    let faults = "faults: { f: { split: [s, s.store], at: 2s, for: 5s } }\n";
    let run = run(&text("{ default: { latency: 1ms } }", "[1s, 3s]", CALL, faults));
    assert_eq!(run.outcomes(), [(S + 2 * MS, Outcome::Well), (5 * S, Outcome::Error(Error::Timeout))]);
    assert_eq!(run.ended("s")[1], (7 * S, (0, Outcome::Well)));
}

#[test]
fn a_link_to_a_store_adds_to_its_latencies_where_it_is_written() {
    let network = "{ default: { latency: 1ms }, links: { l: { between: [s, s.store], latency: 10ms } } }";
    let run1 = run(&text(network, "[1s]", CALL, ""));
    assert_eq!(run1.outcomes(), [(S + 22 * MS, Outcome::Well)]);
    let faults = "faults: { f: { degrade: [s, s.store], latency: 30ms, at: 2s, for: 5s } }\n";
    let run2 = run(&text("{ default: { latency: 1ms } }", "[1s, 3s]", CALL, faults));
    assert_eq!(run2.outcomes(), [(S + 2 * MS, Outcome::Well), (3 * S + 62 * MS, Outcome::Well)]);
}

#[test]
fn a_degradation_takes_the_place_of_what_the_link_is_and_ends() {
    let faults = "faults:\n  a: { degrade: [c, s], latency: 20ms, at: 2s, for: 4s }\n  b: { degrade: [c, s], latency: 40ms, one_way: true, at: 4s, for: 1s }\n";
    let run = run(&text("{ default: { latency: 1ms } }", "[1s, 3s, 4500ms, 5500ms, 7s]", CALL, faults));
    let took: Vec<u64> = run
        .outcomes()
        .iter()
        .zip([S, 3 * S, 4500 * MS, 5500 * MS, 7 * S])
        .map(|((at, _), from)| (at - from) / MS)
        .collect();
    assert_eq!(took, [2, 40, 60, 40, 2]);
}

#[test]
fn a_degradation_can_narrow_a_wide_link_and_lose_its_packets() {
    let faults = "faults: { a: { degrade: [c, s], bandwidth: 100MB/s, at: 2s, for: 4s } }\n";
    let run1 = run(&text("{ default: { latency: 1ms } }", "[1s, 3s, 3s, 7s]", SEND, faults));
    assert_eq!(arrived(&run1), [(1, 1.0), (2, 2011.0), (3, 2021.0), (4, 6001.0)]);
    let faults = "faults: { a: { degrade: [c, s], loss: 100%, at: 2s, for: 4s } }\n";
    let run2 = run(&text("{ default: { latency: 1ms, transport: datagram } }", "[1s, 3s, 7s]", SEND, faults));
    assert_eq!(arrived(&run2).len(), 2);
}

#[test]
fn order_is_kept_through_a_degradation() {
    let faults = "faults: { a: { degrade: [c, s], latency: { uniform: [1ms, 50ms] }, at: 500ms, for: 500ms, one_way: true } }\n"
        .replace("for: 500ms, one", "for: 10s, one");
    let run = run(&text("{ default: { latency: 1ms } }", &many(100, 1.0), SEND, &faults));
    assert!(arrived(&run).is_sorted_by_key(|(n, _)| *n));
}

#[test]
fn regions_add_their_latency_to_each_leg() {
    let text = text(
        "{ default: { latency: 1ms }, links: { sea: { between: [eu, us], latency: 40ms } } }",
        "[1s, 3s, 6s]",
        CALL,
        "faults: { f: { degrade: [eu, us], latency: 100ms, at: 2s, for: 3s } }\n",
    )
    .replace("workers: unlimited", "workers: unlimited\n    place: [us]")
    .replace("  c:\n", "  c:\n    place: [eu]\n");
    let run = run(&text);
    let took: Vec<u64> =
        run.outcomes().iter().zip([S, 3 * S, 6 * S]).map(|((at, _), from)| (at - from) / MS).collect();
    assert_eq!(took, [82, 202, 82]);
}

#[test]
fn a_store_in_another_region_is_further_away() {
    let text = text(
        "{ default: { latency: 1ms }, links: { sea: { between: [eu, us], latency: 40ms } } }",
        "[1s]",
        CALL,
        "",
    )
    .replace("workers: unlimited", "workers: unlimited\n    place: [eu]")
    .replace("store: { ", "store: { place: [us], ")
    .replace("  c:\n", "  c:\n    place: [eu]\n");
    assert_eq!(run(&text).outcomes(), [(S + 82 * MS, Outcome::Well)]);
}

#[test]
fn a_stream_that_loses_everything_holds_back_until_it_is_better() {
    let faults = "faults: { a: { degrade: [c, s], loss: 100%, at: 2s, for: 4s } }\n";
    let held = run(&text("{ default: { latency: 1ms } }", "[1s, 3s, 4s, 7s]", SEND, faults));
    assert_eq!(arrived(&held), [(1, 1.0), (2, 5001.0), (3, 5001.0), (4, 6001.0)]);
    // Who has given up meanwhile sends nothing any more.
    let called = run(&text("{ default: { latency: 1ms } }", "[3s, 5s]", CALL, faults));
    assert_eq!(arrived(&called), [(2, 5001.0)]);
    assert_eq!(called.outcomes()[0], (5 * S, Outcome::Error(Error::Timeout)));
}

#[test]
fn a_link_that_hardly_lets_anything_through_costs_few_records() {
    let lost = |loss: &str| {
        let run =
            run(&text(&format!("{{ default: {{ latency: 1ms, loss: {loss} }} }}"), "[1s, 2s]", CALL, ""));
        assert!(run.outcomes().iter().all(|(_, outcome)| *outcome == Outcome::Error(Error::Timeout)));
        run.count(|record| matches!(record, Record::Lost { .. }))
    };
    assert_eq!(lost("100%"), 2, "nobody will ever hear of them");
    assert!((2..=60).contains(&lost("99.9999%")), "request and answer, at most fifteen each");
}

#[test]
fn what_a_broker_sends_into_nothing_is_owed_for_ever() {
    let text = "scenario: test
run: { horizon: 10s, drain: 10m }
messages: { Fact: { kind: integration, fields: { n: int } } }
brokers: { b: { preset: rabbitmq-classic } }
topics: { facts: { messages: [Fact] } }
services:
  s:
    store: { tables: { seen: { key: n } } }
    consumes: { facts: {} }
    handlers: { Fact: [ { upsert: seen, key: message.n } ] }
clients:
  c:
    arrivals: { every: 1s }
    do: [ { publish: Fact, with: { n: 1 } } ]
network: { default: { latency: 1ms }, links: { l: { between: [b, s], loss: 100%, one_way: true } } }
";
    let run = run(text);
    assert!(!run.is_quiet() && run.rows("s.seen").is_empty());
    assert!(run.count(|record| matches!(record, Record::Lost { .. })) <= 10);
}

/// A megabyte at a hundred megabytes a second takes 10 ms of the sea, whoever sends it.
#[test]
fn a_narrow_link_between_regions_is_shared_by_all_that_passes() {
    let far = |link: &str, faults: &str| {
        text(&format!("{{ default: {{ latency: 1ms }}, links: {{ sea: {{ between: [eu, us], latency: 40ms{link} }} }} }}"), "[1s, 1s]", SEND, faults)
            .replace("workers: unlimited", "workers: unlimited\n    place: [us]")
            .replace("  c:\n", "  c:\n    place: [eu]\n")
    };
    let wide = arrived(&run(&far("", "")));
    assert_eq!(wide, [(1, 41.0), (2, 41.0)]);
    let narrow = arrived(&run(&far(", bandwidth: 100MB/s", "")));
    assert_eq!(narrow, [(1, 51.0), (2, 61.0)]);
    let narrowed = far(
        ", bandwidth: 100MB/s",
        "faults: { a: { degrade: [eu, us], bandwidth: 50MB/s, at: 500ms, for: 4s } }\n",
    );
    assert_eq!(arrived(&run(&narrowed)), [(1, 61.0), (2, 81.0)]);
}

#[test]
fn datagrams_between_regions_are_each_for_themselves() {
    let far = |link: &str| {
        text(&format!("{{ default: {{ latency: 1ms }}, links: {{ sea: {{ between: [eu, us], latency: 40ms{link} }} }} }}"), &many(200, 1.0), SEND, "")
            .replace("workers: unlimited", "workers: unlimited\n    place: [us]")
            .replace("  c:\n", "  c:\n    place: [eu]\n")
    };
    let stream = run(&far(", loss: 50%"));
    assert_eq!(arrived(&stream).len(), 200, "sent again until they get through");
    let lossy = run(&far(", transport: datagram, loss: 50%"));
    let got = arrived(&lossy).len();
    assert!((70..=130).contains(&got), "{got} of 200");
    let doubled = run(&far(", transport: datagram, duplicate: 50%"));
    let copies = doubled.count(|record| matches!(record, Record::Duplicated { .. }));
    assert!((70..=130).contains(&copies), "{copies} of 200");
}

#[test]
fn a_degradation_can_change_the_transport() {
    let faults = "faults: { a: { degrade: [c, s], transport: datagram, loss: 100%, at: 2s, for: 4s } }\n";
    let lost = run(&text("{ default: { latency: 1ms } }", "[1s, 3s, 7s]", SEND, faults));
    assert_eq!(arrived(&lost), [(1, 1.0), (3, 6001.0)], "a stream would have held it back");
    // And the other way: what was each for itself keeps its order and loses nothing.
    let faults = "faults: { a: { degrade: [c, s], transport: stream, at: 500ms, for: 30s } }\n";
    let net = "{ default: { latency: { uniform: [1ms, 50ms] }, loss: 20%, transport: datagram } }";
    let mended = run(&text(net, &many(100, 1.0), SEND, faults));
    assert_eq!(arrived(&mended).len(), 100);
    assert!(arrived(&mended).is_sorted_by_key(|(n, _)| *n));
    let before = run(&text(net, &many(100, 1.0), SEND, ""));
    assert!(arrived(&before).len() < 100 && !arrived(&before).is_sorted_by_key(|(n, _)| *n));
}

/// 100 bytes and 8 for each value: on a way of 100 kB/s a statement of two values takes 1.16 ms.
#[test]
fn a_narrow_way_to_the_store_makes_statements_wait() {
    let near = |link: &str| {
        text(
            &format!(
                "{{ default: {{ latency: 1ms }}, links: {{ l: {{ between: [s, s.store], latency: 0ms{link} }} }} }}"
            ),
            "[1s, 1s]",
            CALL,
            "",
        )
    };
    let took = |text: &str| run(text).outcomes().iter().map(|(at, _)| (*at - S) / 1000).collect::<Vec<_>>();
    let wide = took(&near(""));
    assert_eq!(wide, [2000, 2000], "microseconds");
    let narrow = took(&near(", bandwidth: 100KB/s"));
    assert!(narrow[0] >= 3000 && narrow[1] > narrow[0] + 1000, "one after the other: {narrow:?}");
}

/// A client of two regions, one of them the service's, 50 ms from the other.
fn of_two_regions(arrivals: &str, steps: &str) -> Vec<(u64, u64)> {
    let run = run(&format!(
        "scenario: test
run: {{ horizon: 1m, drain: 1m }}
messages: {{ Go: {{ kind: command }} }}
services: {{ s: {{ place: eu, workers: 9, handlers: {{ Go: [ reply ] }} }} }}
clients:
  c:
    place: [eu, us]
    arrivals: {arrivals}
    calls: {{ s: {{ timeout: 10s }} }}
    do: {steps}
network:
  default: {{ latency: 1ms }}
  links: {{ sea: {{ between: [eu, us], latency: 50ms }} }}
"
    ));
    let began = run.when(|record| match record {
        Record::IntentBegun { .. } => Some(()),
        _ => None,
    });
    let ended = run.outcomes();
    began.iter().zip(&ended).map(|((began, ()), (ended, _))| (began / MS, (ended - began) / MS)).collect()
}

#[test]
fn intents_come_from_the_regions_of_their_client_in_turn() {
    let times = "{ times: [1s, 2s, 3s] }";
    let expected = [(1000, 2), (2000, 102), (3000, 2)];
    assert_eq!(of_two_regions(times, "[ { call: s.Go } ]"), expected);
    let branches = "[ { parallel: { a: [ { call: s.Go } ], b: [ { call: s.Go } ] } } ]";
    assert_eq!(of_two_regions(times, branches), expected);
}

#[test]
fn a_user_stays_in_one_region() {
    let users = of_two_regions("{ population: 2, think: 10s }", "[ { call: s.Go } ]");
    let near = users.iter().filter(|(_, took)| *took == 2).count();
    let far = users.iter().filter(|(_, took)| *took == 102).count();
    assert_eq!(near + far, users.len(), "{users:?}");
    // The near one is back 100 ms earlier each time: intents of the two alternate by their numbers, and drift apart.
    assert!(
        users.iter().filter(|(began, _)| began % 10_000 < 20).all(|(_, took)| *took == 2 || *took == 102)
    );
    let starts: Vec<u64> = users.iter().filter(|(_, took)| *took == 102).map(|(began, _)| *began).collect();
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 10_102), "{starts:?}");
}
