//! Messages through brokers: publishing, delivering, acknowledging, and what a crash makes of it.

use super::{MS, Run, S, run};
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record, Settlement};

/// A client publishes `Fact` to `facts` at these times, numbered from 1 and with key `k`; service `s` handles
/// it. Hops take 1 ms, the store no time.
#[derive(Clone, Copy)]
pub struct Case {
    pub preset: &'static str,
    pub topic: &'static str,
    pub service: &'static str,
    pub consumes: &'static str,
    pub steps: &'static str,
    pub times: &'static str,
    pub publish: &'static str,
    pub more: &'static str,
}

pub const CASE: Case = Case {
    preset: "rabbitmq-classic",
    topic: "",
    service: "workers: 8",
    consumes: "",
    steps: "- work: 10ms\n- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }",
    times: "[1s]",
    publish: "{ publish: Fact, with: { n: n, k: n % 2 } }",
    more: "",
};

pub fn text(case: &Case) -> String {
    let indent = |text: &str, by: usize| {
        text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect::<String>()
    };
    format!(
        "scenario: test
run: {{ horizon: 1m, drain: 10m }}
messages: {{ Fact: {{ kind: integration, key: k, fields: {{ n: int, k: int }} }} }}
brokers: {{ b: {{ preset: {} }} }}
topics:
  facts: {{ messages: [Fact]{} }}
services:
  s:
{}    store: {{ latency: {{ read: 0s, write: 0s, commit: 0s }}, tables: {{ seen: {{ key: [n, what], columns: {{ times: int }} }} }} }}
    consumes: {{ facts: {{ group: g{} }} }}
    handlers:
      Fact:
{}clients:
  c:
    arrivals: {{ times: {} }}
    do:
      - let: {{ n: {{ counter: 1 }} }}
      - {}
network: {{ default: {{ latency: 1ms }} }}
{}",
        case.preset,
        case.topic,
        indent(case.service, 4),
        case.consumes,
        indent(case.steps, 8),
        case.times,
        case.publish,
        case.more,
    )
}

fn case(case: Case) -> Run {
    run(&text(&case))
}

fn seen(run: &Run) -> Vec<(i64, i64)> {
    run.rows("s.seen").into_iter().map(|row| (row[0], row[2])).collect()
}

fn ends(run: &Run) -> Vec<(u64, u32, Outcome)> {
    run.ended("s").into_iter().map(|(at, (instance, outcome))| (at - S, instance, outcome)).collect()
}

pub fn settled(run: &Run) -> Vec<(u64, Settlement)> {
    run.when(|record| match record {
        Record::Settled { how, .. } => Some(*how),
        _ => None,
    })
}

fn again(run: &Run) -> usize {
    run.count(|record| matches!(record, Record::Delivered { again: true, .. }))
}

const PRESETS: [&str; 3] = ["kafka", "rabbitmq-classic", "sqs-standard"];

#[test]
fn a_message_takes_a_hop_to_its_broker_and_one_to_its_consumer() {
    for preset in PRESETS {
        let run = case(Case { preset, ..CASE });
        assert_eq!(run.outcomes(), [(S + 2 * MS, Outcome::Well)], "{preset}: confirmed");
        assert_eq!(run.started("s"), [S + 2 * MS], "{preset}");
        assert_eq!(settled(&run), [(S + 13 * MS, Settlement::Acknowledged)], "{preset}");
        assert!(run.is_quiet(), "{preset}");
        assert_eq!(seen(&run), [(1, 1)]);
    }
}

#[test]
fn who_wants_no_confirmation_does_not_wait() {
    let run = case(Case { publish: "{ publish: Fact, with: { n: n, k: 0 }, confirm: false }", ..CASE });
    assert_eq!(run.outcomes(), [(S, Outcome::Well)]);
    assert_eq!(seen(&run), [(1, 1)]);
}

#[test]
fn each_group_has_each_message_and_per_instance_each_instance() {
    let more = "";
    let two = text(&Case { more, ..CASE }).replace(
        "clients:\n",
        "  t: { consumes: { facts: {} }, handlers: { Fact: [ { work: 1ms } ] } }\n  u: { instances: 3, consumes: { facts: { group: per_instance } }, handlers: { Fact: [ { work: 1ms } ] } }\nclients:\n",
    );
    let run = run(&two);
    assert_eq!((run.started("s").len(), run.started("t").len(), run.started("u").len()), (1, 1, 3));
}

#[test]
fn a_message_without_a_handler_is_acknowledged_and_dropped() {
    let run = run(&text(&CASE).replace(
        "clients:\n",
        "  t: { consumes: { facts: { group: other } }, handlers: { Other: [ { work: 1ms } ] } }\nclients:\n",
    ).replace("messages: { Fact", "messages: { Other: { kind: integration }, Fact").replace("[Fact]", "[Fact, Other]").replace(
        "do:\n", "do:\n      - publish: Other\n"));
    assert_eq!(run.started("t").len(), 1, "Other alone");
    assert!(run.is_quiet());
    assert_eq!(settled(&run).len(), 4);
}

#[test]
fn values_of_message_and_delivery_are_those_of_the_broker() {
    let steps = "- { insert: seen, key: [message.k, 1], set: { times: delivery.attempt } }
- { insert: seen, key: [message.k, 2], set: { times: delivery.offset } }
- if: message.published_at != 1s && message.published_at != 2s && message.published_at != 3s
  then: [ { fail: wrong } ]
- if: delivery.topic != facts || delivery.partition != 0 || message.key != message.k
  then: [ { fail: wrong } ]";
    let run = case(Case {
        preset: "kafka",
        steps,
        times: "[1s, 2s, 3s]",
        publish: "{ publish: Fact, with: { n: n, k: n } }",
        ..CASE
    });
    assert!(ends(&run).iter().all(|(.., outcome)| *outcome == Outcome::Well), "{:?}", ends(&run));
    let rows = run.rows("s.seen");
    assert_eq!(rows, [[1, 1, 1], [1, 2, 0], [2, 1, 1], [2, 2, 1], [3, 1, 1], [3, 2, 2]]);
}

#[test]
fn an_id_given_is_the_message_s_and_a_key_given_overrides() {
    let steps = "- { insert: seen, key: [message.key, 9], set: { times: message.n } }\n- { if: message.id != 77, then: [ { fail: wrong } ] }";
    let run =
        case(Case { steps, publish: "{ publish: Fact, with: { n: n, k: 1 }, key: 5, id: 77 }", ..CASE });
    assert_eq!(run.rows("s.seen"), [[5, 9, 1]]);
    assert_eq!(ends(&run)[0].2, Outcome::Well);
}

#[test]
fn messages_of_a_partition_are_handled_one_after_another() {
    let run1 = case(Case { preset: "kafka", times: "[1s, 1001ms, 1002ms]", ..CASE });
    assert_eq!(
        run1.started("s"),
        [S + 2 * MS, S + 13 * MS, S + 23 * MS],
        "the next batch is fetched when the last is done"
    );
    let run2 = case(Case {
        preset: "kafka",
        topic: ", partitions: 2",
        times: "[1s, 1001ms, 1002ms]",
        publish: "{ publish: Fact, with: { n: n, k: 1 } }",
        ..CASE
    });
    assert_eq!(run2.started("s").len(), 3);
    assert_eq!(run2.started("s")[2], S + 23 * MS, "one key, one partition");
    let run3 = case(Case { times: "[1s, 1001ms, 1002ms]", ..CASE });
    assert_eq!(run3.started("s"), [S + 2 * MS, S + 3 * MS, S + 4 * MS], "a queue's consumers do not wait");
}

#[test]
fn concurrency_caps_the_share_of_a_subscription() {
    let run = case(Case { consumes: ", concurrency: 1", times: "[1s, 1001ms]", ..CASE });
    assert_eq!(run.started("s"), [S + 2 * MS, S + 12 * MS]);
}

#[test]
fn a_delay_makes_a_message_visible_later_and_its_confirmation_does_not_wait() {
    let run = case(Case { publish: "{ publish: Fact, with: { n: n, k: 0 }, delay: 5s }", ..CASE });
    assert_eq!(run.outcomes(), [(S + 2 * MS, Outcome::Well)]);
    assert_eq!(run.started("s"), [6 * S + 2 * MS]);
    let run = case(Case { topic: ", delay: 3s", ..CASE });
    assert_eq!(run.started("s"), [4 * S + 2 * MS]);
}

/// The broker is cut off on its way back, once, for the confirmation alone.
const NO_WAY_BACK: &str = "faults: { f: { split: [b, c], one_way: true, at: 500ms, for: 5s } }";

#[test]
fn a_confirmation_that_does_not_come_is_a_timeout() {
    let publish = "{ publish: Fact, with: { n: n, k: 0 }, timeout: 1s, retry: { attempts: 1 } }";
    let run = case(Case { publish, more: NO_WAY_BACK, ..CASE });
    assert_eq!(run.outcomes(), [(2 * S, Outcome::Error(Error::Timeout))]);
    assert_eq!(seen(&run), [(1, 1)], "it was accepted all the same");
}

#[test]
fn sent_again_a_message_is_there_twice_unless_its_broker_knows_it() {
    let publish = "{ publish: Fact, with: { n: n, k: 0 }, timeout: 1s, retry: { attempts: 3, delay: 1s } }";
    let run1 = case(Case { publish, more: NO_WAY_BACK, ..CASE });
    assert_eq!(seen(&run1), [(1, 3)]);
    assert_eq!(
        run1.outcomes(),
        [(5501 * MS, Outcome::Well)],
        "the third try was waiting when the split healed"
    );
    let run2 = case(Case { preset: "kafka", publish, more: NO_WAY_BACK, ..CASE });
    assert_eq!(seen(&run2), [(1, 1)]);
    assert_eq!(run2.count(|record| matches!(record, Record::Deduplicated { .. })), 2);
}

const CRASH: &str = "faults: { f: { crash: s, at: 1005ms, for: 500ms, instance: 0 } }";

#[test]
fn a_crash_of_a_consumer_is_noticed_by_its_lease() {
    // A second instance takes over: after the visibility of 30 s, the session of 45 s (and its rebalance),
    // or when the lost connection is noticed.
    let two = Case { service: "workers: 8\ninstances: 2", more: CRASH, ..CASE };
    let sqs = case(Case { preset: "sqs-standard", ..two });
    assert_eq!(again(&sqs), 1);
    let second = sqs.started("s")[1];
    assert!((31 * S..=31 * S + 10 * MS).contains(&second), "{second}");
    let two = Case { service: "workers: 8\ninstances: 2", more: CRASH, preset: "kafka", topic: "", ..CASE };
    let kafka = case(two);
    assert_eq!(seen(&kafka), [(1, 1)]);
    assert_eq!(kafka.started("s").len(), 2);
    let two = Case { service: "workers: 8\ninstances: 2", more: CRASH, ..CASE };
    let rabbit = case(two);
    assert_eq!((rabbit.started("s").len(), seen(&rabbit)), (2, vec![(1, 1)]));
}

#[test]
fn before_a_crash_loses_and_after_a_crash_repeats() {
    // The row is written at 1012 ms; the crash is between it and the acknowledgement.
    let steps =
        "- work: 10ms\n- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }\n- work: 100ms";
    let more = "faults: { f: { crash: s, at: 1050ms, for: 500ms } }";
    for preset in PRESETS {
        let after = case(Case { preset, steps, more, ..CASE });
        assert_eq!(seen(&after), [(1, 2)], "{preset}");
        let before = case(Case { preset, steps, consumes: ", ack: before", more: CRASH, ..CASE });
        assert_eq!(seen(&before), [], "{preset}");
    }
}

#[test]
fn a_manual_acknowledgement_is_where_the_handler_says() {
    let steps =
        "- work: 10ms\n- ack\n- work: 100ms\n- { upsert: seen, key: [message.n, 0], set: { times: 1 } }";
    let more = "faults: { f: { crash: s, at: 1050ms, for: 500ms } }";
    let run = case(Case { steps, consumes: ", ack: manual", more, ..CASE });
    assert_eq!((settled(&run).len(), seen(&run)), (1, vec![]), "acknowledged, and the rest was cut");
    assert_eq!(settled(&run)[0].0, S + 13 * MS);
}

#[test]
fn periodic_acknowledgements_come_together() {
    let run = case(Case { consumes: ", ack: periodic, ack_every: 2s", times: "[1s, 1500ms]", ..CASE });
    let at: Vec<u64> = settled(&run).iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [3 * S + 13 * MS, 3 * S + 13 * MS]);
}

#[test]
fn a_paused_consumer_is_a_zombie_whose_writes_land_and_whose_ack_is_stale() {
    let steps = "- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }\n- work: 10ms\n- { upsert: seen, key: [message.n, 1], set: { times: row.times + 1 } }";
    let more = "faults: { f: { pause: s, at: 1005ms, for: 100s, instance: 0 } }";
    for preset in ["kafka", "sqs-standard"] {
        let text = text(&Case { preset, steps, service: "workers: 8\ninstances: 2", more, ..CASE })
            .replace("horizon: 1m", "horizon: 5m");
        let run = run(&text);
        assert_eq!(run.rows("s.seen"), [[1, 0, 2], [1, 1, 2]], "{preset}: each did all of it");
        assert_eq!(run.count(|record| matches!(record, Record::AckStale { .. })), 1, "{preset}");
    }
}

#[test]
fn a_failure_is_a_negative_acknowledgement() {
    let steps = "- work: 1ms\n- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }\n- { if: delivery.attempt < 3, then: [ { fail: not_yet } ] }";
    for preset in ["kafka", "sqs-standard"] {
        let run = case(Case { preset, steps, ..CASE });
        assert_eq!(seen(&run), [(1, 3)], "{preset}");
    }
    let run = case(Case { steps, consumes: ", ack: before", ..CASE });
    assert_eq!(seen(&run), [(1, 1)], "after it was acknowledged, a failure is a loss");
}

/// Who goes back in a partition asks the broker again: a handler that fails at its first step does not spin.
#[test]
fn what_fails_at_once_is_fetched_again_after_a_round_trip() {
    let steps = "- { if: delivery.attempt < 4, then: [ { fail: not_yet } ] }
- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }";
    let run = case(Case { preset: "kafka", steps, ..CASE });
    assert_eq!(seen(&run), [(1, 1)]);
    let failed: Vec<u64> =
        ends(&run).iter().filter(|(.., outcome)| *outcome != Outcome::Well).map(|&(at, ..)| at).collect();
    assert_eq!(failed.len(), 3);
    assert!(failed.windows(2).all(|pair| pair[1] - pair[0] == 2 * MS), "two hops of 1 ms: {failed:?}");
    let never = "- { fail: never }";
    let stuck = case(Case { preset: "kafka", steps: never, more: "", ..CASE });
    assert!(seen(&stuck).is_empty(), "it goes on until the drain is over");
}

#[test]
fn what_fails_too_often_goes_to_the_dead_letters_with_its_kind() {
    let steps = "- fail: poison";
    let consumes = ", exhaust: { after: 3, count_on: delivery, then: dead_letter, dead_letter: dead }";
    let text = text(&Case { preset: "sqs-standard", steps, consumes, ..CASE })
        .replace("services:\n", "  dead: { messages: [Other] }\nservices:\n  t: { consumes: { dead: {} }, handlers: { Fact: [ { work: 1ms } ] } }\n")
        .replace("messages: { Fact", "messages: { Other: { kind: integration }, Fact");
    let run = run(&text);
    assert_eq!((run.started("s").len(), run.started("t").len()), (3, 1));
    assert!(settled(&run).iter().any(|(_, how)| *how == Settlement::DeadLettered));
    assert!(run.is_quiet());
}

#[test]
fn order_of_a_key_is_kept_through_a_crash() {
    let times: Vec<String> = (0..40).map(|n| format!("{}ms", 1000 + 50 * n)).collect();
    let times: &'static str = format!("[{}]", times.join(", ")).leak();
    let steps = "- work: 10ms\n- { read: seen, key: [message.k, 100], as: last }\n- { if: last.exists && last.times > message.n, then: [ { upsert: seen, key: [message.k, 200], set: { times: row.times + 1 } } ] }\n- { upsert: seen, key: [message.k, 100], set: { times: message.n } }";
    let more = "faults: { f: { crash: s, at: 2s, for: 1s, instance: 0 } }";
    let run = case(Case {
        preset: "kafka",
        topic: ", partitions: 4",
        service: "workers: 8\ninstances: 2",
        steps,
        times,
        more,
        ..CASE
    });
    let last: Vec<_> = run.rows("s.seen").into_iter().filter(|row| row[1] == 100).map(|row| row[2]).collect();
    assert_eq!(last.len(), 2);
    assert_eq!(last.iter().max(), Some(&40));
    assert!(run.is_quiet());
}

#[test]
fn delivered_and_acknowledged_at_once_is_still_handled() {
    // The broker forgets a message as it sends it: the run is not over before it has been handled.
    let text = text(&Case { consumes: ", ack_scope: on_delivery", times: "[59999ms]", ..CASE })
        .replace("latency: 1ms", "latency: 1s");
    let run = run(&text);
    assert_eq!(seen(&run), [(1, 1)]);
}

/// Without faults, what takes no time arrives as it is sent; with one that hits nobody any more, each packet is
/// an event of its own. Nobody can tell the difference.
#[test]
fn what_takes_no_time_arrives_the_same_with_and_without_an_event() {
    for preset in ["kafka", "rabbitmq-classic", "sqs-standard"] {
        let told = |more: &'static str| {
            let case = Case {
                preset,
                service: "workers: 1",
                steps: "- work: { exponential: 30ms }",
                times: "[1s, 1s, 1001ms, 1010ms, 1020ms, 1020ms, 1300ms, 1301ms, 1302ms, 1303ms, 2s]",
                more,
                ..CASE
            };
            let run = run(&text(&case).replace("latency: 1ms", "latency: 0s"));
            let mut told = run.when(|record| match *record {
                Record::Accepted { obligation, .. } => Some(format!("accepted {obligation}")),
                Record::Delivered { again, .. } => Some(format!("delivered {again}")),
                Record::Started { obligation, .. } => Some(format!("started {obligation}")),
                Record::Ended { outcome, .. } => Some(format!("ended {outcome:?}")),
                Record::Settled { how, .. } => Some(format!("settled {how:?}")),
                Record::Sent { link } => Some(format!("sent {link:?}")),
                _ => None,
            });
            told.sort();
            told
        };
        let at_once = told("");
        assert_eq!(at_once, told("faults: { f: { crash: s, at: 50s, for: 1s } }"), "{preset}");
        assert_eq!(at_once.iter().filter(|(_, what)| what.starts_with("settled")).count(), 11, "{preset}");
    }
}
