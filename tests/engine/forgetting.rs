//! The outside forgets idempotency keys that nobody can ask with again, and no others.

use super::run;
use eventflow::world::record::Record;

/// Ten thousand orders, each charged when it is placed and once more, by its message, an hour later.
fn orders(order: &str, ty: &str, later: &str) -> (usize, Vec<bool>) {
    let text = format!(
        "scenario: charges
run: {{ horizon: 100s, drain: 3h }}
messages: {{ Place: {{ kind: command, fields: {{ order: {ty} }} }} }}
services:
  cards:
    workers: unlimited
    handlers:
      Place:
        - {{ effect: charge, idempotency_key: message.order, takes: 1ms }}
        {later}
clients:
  shopper:
    arrivals: {{ every: 10ms }}
    do:
      - let: {{ order: {order} }}
      - {{ send: cards.Place, with: {{ order: order }} }}
network: {{ default: {{ latency: 1ms }} }}
"
    );
    let run = run(&text);
    let effects = run.when(|record| match record {
        Record::Effected { first, .. } => Some(*first),
        _ => None,
    });
    (run.world.keys_known_outside(), effects.into_iter().map(|(_, first)| first).collect())
}

#[test]
fn a_key_that_is_held_nowhere_is_forgotten() {
    let (known, effects) = orders("unique()", "id", "");
    assert_eq!(effects, vec![true; 9_999]);
    assert!(known < 5_000, "{known} keys");
}

#[test]
fn a_key_that_somebody_holds_is_known_for_ever() {
    let again = "- { after: 1h, do: [ { effect: charge, idempotency_key: message.order, takes: 1ms } ] }";
    let (_, effects) = orders("unique()", "id", again);
    assert_eq!(effects.len(), 2 * 9_999);
    let first = effects.iter().filter(|first| **first).count();
    assert_eq!(first, 9_999, "each is charged once");
}

/// What is counted can be counted to by somebody else: nobody knows that such a key is gone.
#[test]
fn a_key_that_can_come_to_be_again_is_known_for_ever() {
    for (order, ty) in
        [("{ counter: 1 }", "int"), ("{ counter: 1 }", "id"), ("{ uniform: [1, 1000000000] }", "id")]
    {
        let (known, effects) = orders(order, ty, "");
        assert_eq!(known, effects.iter().filter(|first| **first).count(), "{order} as {ty}");
        assert!(known > 9_990);
    }
}
