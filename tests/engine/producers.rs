//! Producers that send again by themselves: how long they try, and whether what they repeat is overtaken.

use super::messaging::{CASE, Case, text};
use super::{MS, Run, S, run};
use eventflow::model::Error;
use eventflow::world::record::Outcome;

fn play(case: Case) -> Run {
    run(&text(&case))
}

#[test]
fn a_producer_waits_longer_each_time_and_outlasts_an_outage() {
    let case = Case {
        preset: "kafka",
        times: "[2s]",
        publish: "{ publish: Fact, with: { n: n, k: 0 } }",
        more: "faults: { f: { outage: b, at: 1s, for: 4s } }",
        ..CASE
    };
    // Refused at 2, 2.1, 2.3, 2.7, 3.5 and 4.5 s, a round trip of 2 ms each; taken at the seventh try.
    let patient = play(case);
    assert_eq!(patient.outcomes(), [(5500 * MS + 14 * MS, Outcome::Well)]);
    assert_eq!(patient.rows("s.seen"), [[1, 0, 1]]);
    let unavailable = Outcome::Error(Error::Unavailable);
    for topic in [", producer: { give_up: 1s }", ", producer: { attempts: 4 }"] {
        let outcomes = play(Case { topic, ..case }).outcomes();
        assert_eq!(outcomes[0].1, unavailable, "{topic}");
        // After 100, 200 and 400 ms; 800 more would be too long.
        assert_eq!(outcomes[0].0, 2700 * MS + 8 * MS, "{topic}");
    }
    let at_once = play(Case { topic: ", producer: { attempts: 4, delay: 0s }", ..case }).outcomes();
    assert_eq!(at_once, [(2 * S + 8 * MS, unavailable)], "over before it has begun");
}

#[test]
fn timeouts_count_towards_the_time_in_which_a_producer_gives_up() {
    let run = play(Case {
        preset: "kafka",
        publish: "{ publish: Fact, with: { n: n, k: 0 } }",
        more: "faults: { f: { split: [c, b], at: 500ms, for: 50s } }",
        topic: ", producer: { timeout: 5s, give_up: 12s }",
        ..CASE
    });
    // Tries of 5 s and waits of 100 and 200 ms: after the third it is too late for another.
    assert_eq!(run.outcomes()[0], (S + 15 * S + 300 * MS, Outcome::Error(Error::Timeout)));
}

/// Three facts of one key, the first refused by a broker that is back when the second arrives.
const REPEATED: Case = Case {
    preset: "kafka",
    service: "workers: 1",
    steps: "- { upsert: seen, key: [delivery.offset, message.n], set: { times: 1 } }",
    times: "[1s, 1001ms, 1002ms]",
    publish: "{ publish: Fact, with: { n: n, k: 0 }, retry: { attempts: 3, delay: 5ms } }",
    more: "faults: { f: { outage: b, at: 500ms, for: 501500us } }",
    ..CASE
};

fn order(case: Case) -> Vec<i64> {
    let run = play(case);
    assert!(run.is_quiet());
    run.rows("s.seen").into_iter().map(|row| row[1]).collect()
}

#[test]
fn a_broker_that_goes_by_sequence_refuses_what_is_ahead_of_its_turn() {
    let by_none = ", producer: { deduplicate: { by: none } }";
    assert_eq!(order(Case { topic: by_none, ..REPEATED }), [2, 3, 1], "without sequences");
    assert_eq!(order(REPEATED), [1, 2, 3]);
}

#[test]
fn what_is_given_up_is_waited_for_no_longer() {
    let publish = "{ publish: Fact, with: { n: n, k: 0 }, retry: { attempts: 1 } }";
    assert_eq!(order(Case { publish, ..REPEATED }), [2, 3]);
    // Other keys go to other partitions, and wait for nobody.
    let apart = Case {
        topic: ", partitions: 64",
        publish: "{ publish: Fact, with: { n: n, k: n }, retry: { attempts: 3, delay: 5ms } }",
        steps: "- { scan: seen, as: before }\n- { upsert: seen, key: [size(before), message.n], set: { times: 1 } }",
        ..REPEATED
    };
    assert_eq!(order(apart), [2, 3, 1]);
}
