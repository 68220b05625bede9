//! Sagas that a service leads: through their steps, across crashes, and back.

use super::{MS, Run, S, run};
use eventflow::world::record::{Outcome, Record};

/// A trip: a room, a payment, a ticket. Each step writes down that it was done, or undone, and when; stores
/// answer at once, hops take 1 ms.
fn text(steps: &str, times: &str, more: &str) -> String {
    format!(
        "scenario: test
run: {{ horizon: 1m, drain: 1m }}
messages:
  Book: {{ kind: command, key: trip, fields: {{ trip: int, card: int }} }}
  Pay: {{ kind: command, fields: {{ trip: int, card: int }} }}
  Paid: {{ kind: integration, key: trip, fields: {{ trip: int }} }}
  Declined: {{ kind: integration, key: trip, fields: {{ trip: int }} }}
  Ping: {{ kind: command }}
brokers: {{ b: {{ preset: sqs-standard }} }}
topics: {{ answers: {{ messages: [Paid, Declined] }} }}
services:
  trips:
    instances: 2
    workers: 1
    store:
      latency: {{ read: 0s, write: 0s, commit: 0s }}
      tables: {{ done: {{ key: [trip, what], columns: {{ what: text, at: time, times: int }} }}, pings: {{ key: at }} }}
    calls: {{ bank: {{ timeout: 1s }} }}
    consumes: {{ answers: {{}} }}
    handlers: {{ Ping: [ {{ insert: pings, key: now }} ] }}
    sagas:
      book:
        start: Book
        key: message.trip
        steps:
{steps}
        completed: [ {{ upsert: done, key: [message.trip, completed], set: {{ at: now, times: row.times + 1 }} }} ]
        compensated: [ {{ upsert: done, key: [message.trip, compensated], set: {{ at: now, times: row.times + 1 }} }} ]
  bank:
    workers: 9
    store: {{ latency: {{ read: 0s, write: 0s, commit: 0s }}, tables: {{ paid: {{ key: trip, columns: {{ times: int }} }} }} }}
    handlers:
      Pay:
        - {{ if: message.card == 1, then: [ {{ fail: declined }} ] }}
        - {{ if: message.card == 2, then: [ {{ wait: 3s }} ] }}
        - {{ upsert: paid, key: message.trip, set: {{ times: row.times + 1 }} }}
        - {{ if: message.card == 3, then: [ {{ wait: 3s }} ] }}
        - {{ if: message.card != 4, then: [ {{ publish: Paid, with: {{ trip: message.trip }} }} ], else: [ {{ publish: Declined, with: {{ trip: message.trip }} }} ] }}
clients:
  c:
    arrivals: {{ times: {times} }}
    do:
      - let: {{ n: {{ counter: 1 }} }}
      - {{ call: trips.Book, with: {{ trip: $trip, card: $card }} }}
  pinger: {{ arrivals: {{ times: [2s, 5s] }}, do: [ {{ call: trips.Ping }} ] }}
network: {{ default: {{ latency: 1ms }} }}
{more}"
    )
}

/// What was done, undone and ended, in the order of time: the words of the table, and how often each was.
fn done(run: &Run) -> Vec<(String, i64)> {
    let mut rows = run.rows("trips.done");
    rows.sort_by_key(|row| row[2]);
    let word = |symbol: i64| run.model.names.symbols[symbol as usize].clone();
    rows.into_iter().map(|row| (word(row[1]), row[3])).collect()
}

fn words(run: &Run) -> Vec<String> {
    done(run).into_iter().map(|(word, _)| word).collect()
}

fn paid(run: &Run) -> i64 {
    run.rows("bank.paid").iter().map(|row| row[1]).sum()
}

fn note(what: &str, name: &str) -> String {
    format!(
        "{{ name: {name}, upsert: done, key: [message.trip, {what}], set: {{ at: now, times: row.times + 1 }} }}"
    )
}

/// A step that writes down that it was done, and waits a little, so that times differ.
fn step(what: &str) -> String {
    format!(
        "          - {{ step: {what}, do: [ {}, {{ wait: 1ms }} ], undo: [ {}, {{ wait: 1ms }} ] }}\n",
        note(what, &format!("do_{what}")),
        note(&format!("{what}_undone"), &format!("undo_{what}")),
    )
}

fn pay(more: &str) -> String {
    format!(
        "          - step: pay
            do: [ {{ call: bank.Pay, with: {{ trip: message.trip, card: message.card }} }} ]
            undo: [ {}, {{ wait: 1ms }} ]
{more}
",
        note("pay_undone", "undo_pay")
    )
}

fn parameters(card: u32, more: &str) -> String {
    format!("parameters: {{ trip: 7, card: {card} }}\n{more}")
}

#[test]
fn steps_are_done_in_order_and_then_what_follows() {
    let steps = step("room") + &pay("") + &step("ticket");
    let run = run(&text(&steps, "[1s]", &parameters(0, "")));
    assert_eq!(words(&run), ["room", "ticket", "completed"]);
    assert_eq!((paid(&run), run.outcomes()[0]), (1, (S + 2 * MS, Outcome::Well)), "told when it is stored");
    assert!(run.is_quiet());
}

#[test]
fn a_reason_undoes_the_earlier_steps_the_last_one_first() {
    let steps = step("room") + &step("seat") + &pay("") + &step("ticket");
    let run = run(&text(&steps, "[1s]", &parameters(1, "")));
    assert_eq!(words(&run), ["room", "seat", "seat_undone", "room_undone", "compensated"]);
    assert_eq!(paid(&run), 0, "and the step that failed is not one of them");
}

#[test]
fn a_timeout_undoes_the_step_itself_unless_it_is_skipped() {
    let steps = |more| step("room") + &pay(more);
    let in_doubt = run(&text(&steps(""), "[1s]", &parameters(2, "")));
    assert_eq!(words(&in_doubt), ["room", "pay_undone", "room_undone", "compensated"]);
    let skipped = run(&text(&steps("            on_timeout: skip"), "[1s]", &parameters(2, "")));
    assert_eq!(words(&skipped), ["room", "room_undone", "compensated"]);
    assert_eq!((paid(&in_doubt), paid(&skipped)), (1, 1), "the bank did it all the same, and late");
}

#[test]
fn a_crash_repeats_the_step_in_hand_and_no_other() {
    let steps = step("room") + &step("seat") + &pay("");
    let fault = "faults: { f: { crash: trips, at_step: trips.book.do_seat, edge: after, for: 10s } }";
    let run = run(&text(&steps, "[1s]", &parameters(0, fault)));
    let times: Vec<(String, i64)> = done(&run);
    let expected = [("room", 1), ("seat", 2), ("completed", 1)].map(|(word, n)| (word.to_owned(), n));
    assert_eq!(times, expected, "the other instance goes on with the seat");
    assert!(run.is_quiet());
}

#[test]
fn a_crash_within_an_undo_repeats_the_undo() {
    let steps = step("room") + &step("seat") + &pay("");
    let fault = "faults: { f: { crash: trips, at_step: trips.book.undo_seat, edge: after, for: 10s, instance: all } }";
    let run = run(&text(&steps, "[1s]", &parameters(1, fault)));
    assert_eq!(words(&run), ["room", "seat", "seat_undone", "room_undone", "compensated"]);
    assert_eq!(done(&run)[2].1, 2);
    let ended = run.rows("trips.done").iter().map(|row| row[2]).max().unwrap();
    assert!(ended as u64 > 11 * S, "nobody was there before: {ended}");
}

#[test]
fn a_second_start_of_the_same_key_is_ignored() {
    let steps = step("room") + &pay("");
    let run = run(&text(&steps, "[1s, 1001ms, 20s]", &parameters(0, "")));
    assert_eq!(done(&run), [("room", 1), ("completed", 1)].map(|(word, n)| (word.to_owned(), n)));
    assert_eq!((paid(&run), run.outcomes().len()), (1, 3 + 2), "and answered well, like the two pings");
}

#[test]
fn between_its_steps_it_holds_no_worker() {
    // Nobody answers for eight seconds; each instance has one worker, and a ping is served meanwhile.
    let waits = "            await: { success: Paid, failure: Declined, timeout: 8s }";
    let asks = "{ call: bank.Pay, with: { trip: message.trip, card: message.card } }";
    let pay = pay(waits).replace(asks, "{ if: message.card == 9, then: [ CALL ] }").replace("CALL", asks);
    let run = run(&text(&(step("room") + &pay), "[1s]", &parameters(0, "")));
    assert_eq!(words(&run), ["room", "pay_undone", "room_undone", "compensated"]);
    let undone = run.rows("trips.done").iter().map(|row| row[2]).max().unwrap() as u64;
    assert!((9 * S..10 * S).contains(&undone), "eight seconds later: {undone}");
    assert_eq!(run.rows("trips.pings").len(), 2);
}

#[test]
fn the_message_that_it_awaits_ends_a_step_even_if_it_comes_first() {
    let waits = "            await: { success: Paid, failure: Declined, timeout: 20s }";
    let steps = step("room") + &pay(waits) + &step("ticket");
    let went_well = run(&text(&steps, "[1s]", &parameters(0, "")));
    assert_eq!(words(&went_well), ["room", "ticket", "completed"]);
    // The answer to the call takes three seconds longer than the message, and there is one try of five seconds.
    let steps = step("room") + &pay(waits).replace("call: bank.Pay,", "call: bank.Pay, timeout: 5s,");
    let early = steps.replace("card: message.card", "card: 0");
    let early = text(&early, "[1s]", &parameters(0, "")).replace(
        "- { if: message.card == 3, then: [ { wait: 3s } ] }",
        "- { publish: Paid, with: { trip: message.trip } }\n        - { wait: 3s }",
    );
    let early = run(&early);
    assert_eq!(words(&early), ["room", "completed"], "one came before the step was done, one after");
    let failed = run(&text(&(step("room") + &pay(waits)), "[1s]", &parameters(4, "")));
    assert_eq!(words(&failed), ["room", "room_undone", "compensated"], "a failure: nothing was done");
}

#[test]
fn a_success_that_comes_too_late_undoes_its_step_once_more() {
    // The bank takes three seconds; the saga waits for one, having asked one-way.
    let late = |late: &str| {
        let waits = format!("            await: {{ success: Paid, timeout: 1s{late} }}");
        let steps = step("room") + &pay(&waits).replace("call: bank.Pay", "send: bank.Pay");
        run(&text(&steps, "[1s]", &parameters(3, "")))
    };
    let ignored = late("");
    assert_eq!(words(&ignored), ["room", "pay_undone", "room_undone", "compensated"]);
    let undone = late(", late: undo");
    let times: Vec<i64> = done(&undone).iter().map(|row| row.1).collect();
    assert_eq!(words(&undone), ["room", "room_undone", "compensated", "pay_undone"]);
    assert_eq!(times, [1, 1, 1, 2], "once in doubt, once when the late answer came");
}

#[test]
fn an_undo_that_fails_is_tried_until_the_drain_ends() {
    let steps = step("room").replace("undo: [", "undo: [ { fail: closed },").replace(
        "{ fail: closed }, { name: undo_room",
        "{ if: self.in_flight > 0, then: [ { fail: closed } ] }, { name: undo_room",
    ) + &pay("");
    let run = run(&text(&steps, "[1s]", &parameters(1, "")));
    assert_eq!(words(&run), ["room"]);
    assert!(!run.is_quiet(), "it has not given up");
    let failed =
        run.ended("trips").iter().filter(|(_, (_, outcome))| matches!(outcome, Outcome::Error(_))).count();
    assert!((115..125).contains(&failed), "once a second for two minutes, less the start: {failed}");
}

#[test]
fn what_a_step_named_is_known_in_the_next_ones_on_any_instance() {
    let steps = "          - { step: room, do: [ { let: { nights: 3, list: '[1, 2, 3]' } }, { name: here, wait: 1ms } ] }
          - { step: count, do: [ { for_each: list, as: number, do: [ { upsert: done, key: [number, night], set: { at: now, times: row.times + nights } } ] } ] }\n".to_owned()
        + &pay("");
    let fault = "faults: { f: { crash: trips, at_step: trips.book.here, edge: after, for: 10s } }";
    let run = run(&text(&steps, "[1s]", &parameters(0, fault)));
    let nights: Vec<i64> = done(&run).iter().filter(|row| row.0 == "night").map(|row| row.1).collect();
    assert_eq!(nights, [3, 3, 3]);
    assert!(run.count(|record| matches!(record, Record::InstanceDown { .. })) == 1);
}
