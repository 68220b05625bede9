//! The oracle on deeds made up at random, against the definitions said again over the whole history; and
//! what it remembers after very many.

mod definitions;
mod play;

use super::*;
use crate::model::{RowVerb, compile};
use crate::scenario::open;
use crate::world::deed::Part;
use crate::world::identity::Cause;
use definitions::{SET_BOTH, by_definition};
use play::Play;
use proptest::prelude::*;

/// Two producers; two groups that share, and one whose two instances take everything.
const SCENARIO: &str = "
scenario: deeds
messages:
  Go: { kind: command }
  Fact: { kind: integration, key: k, fields: { k: int, n: int } }
brokers: { b: { preset: kafka } }
topics: { facts: { messages: [Fact] } }
services:
  one: { handlers: { Go: [ { publish: Fact, with: { k: 1, n: 1 } } ] } }
  other: { handlers: { Go: [ { publish: Fact, with: { k: 1, n: 1 } } ] } }
  rows:
    store: { tables: { things: { key: k, columns: { a: int, b: int } } } }
    consumes: { facts: {} }
    handlers:
      Fact:
        - { upsert: things, key: message.k, set: { a: message.n } }
        - { upsert: things, key: message.k, set: { a: row.a + message.n } }
        - { upsert: things, key: message.k, set: { a: message.n, b: message.n } }
        - { delete: things, key: message.k }
  shared: { consumes: { facts: {} }, handlers: { Fact: [ stop ] } }
  each: { instances: 2, consumes: { facts: { group: per_instance } }, handlers: { Fact: [ stop ] } }
clients:
  c: { arrivals: { times: [1s] }, do: [ { call: one.Go }, { call: other.Go } ] }
";

fn model() -> Model {
    let (_, mistakes, scenario) = open::read_text("deeds.yaml", SCENARIO, &[]);
    let scenario = scenario.unwrap_or_else(|| panic!("{:?}", mistakes.list));
    let (sources, ..) = open::read_text("deeds.yaml", SCENARIO, &[]);
    compile::compile(&scenario, &sources)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_agrees_with_the_definitions(choices in prop::collection::vec((0..10u8, 0..10_000usize), 1..120)) {
        let model = MODEL.with(|model| model.clone());
        let mut play = Play::new(&model);
        choices.into_iter().for_each(|choice| play.choose(choice));
        let expected = by_definition(&play.facts, &play.obligations);
        let judged = play.oracle.finish();
        let [arrived, applied, regressed, _] = judged.findings.map(|(_, finding)| finding);
        let found = [arrived.count, applied.count, regressed.count, regressed.exposures];
        prop_assert_eq!(found, expected, "arrived, applied, regressed, together in {:#?}", play.facts);
        prop_assert!(arrived.count <= arrived.of);
    }
}

thread_local! {
    static MODEL: Model = model();
}

/// Forty thousand messages of four keys, of which a few are alive at a time: what is remembered does not grow.
#[test]
fn memory_is_flat() {
    let model = model();
    let mut play = Play::new(&model);
    let mut most = [0; 3];
    for round in 0..20_000 {
        for key in 0..2 {
            play.issue(1 + 2 * key + round % 2, true);
        }
        for choice in 0..4 {
            play.take(4 * (choice + round));
            play.write(1 + choice + round, &[choice % 4]);
        }
        (0..4).for_each(|_| play.finish(0));
        play.settle(2 * round);
        let held = play.oracle.held();
        most = [0, 1, 2].map(|at| held[at].max(most[at]));
        while play.messages.iter().flatten().count() > 5 {
            play.free(round);
        }
        play.facts.clear();
    }
    assert!(most[0] > 1 && most[2] > 0, "{most:?}: it has to remember something");
    assert!(most[0] <= 8 && most[1] <= 4 && most[2] <= 2, "{most:?}");
}

/// A key that is never without a message, and whose messages write one new row each.
#[test]
fn a_key_that_never_rests_forgets_its_rows() {
    let model = model();
    let mut play = Play::new(&model);
    let upsert = play.pcs[SET_BOTH];
    assert_eq!(
        model.row_steps[writes::step_at(&model, upsert, play.table).unwrap() as usize].verb,
        RowVerb::Upsert
    );
    for round in 0..10_000u64 {
        // The choice makes messages of one producer and one key, none of them made again.
        play.issue(4, true);
        play.take(4);
        let attempt = play.running(0).unwrap() as u32;
        let row = RowName { table: play.table, key: round, instance: NONE };
        let (seen, words) = (Version { number: 0, writer: 0, exists: false }, [round; 3]);
        let part = Part::new(SiteId(0), 0);
        play.tell(Deed::Wrote { attempt, pc: upsert, part, row, seen, write: Write::Put });
        let new = Some(&words[..]);
        play.tell(Deed::Committed { attempt, row, old: None, old_version: seen, new, version: round });
        play.finish(0);
        if round > 2 {
            let oldest = play.messages.iter().enumerate();
            let oldest = oldest.filter_map(|(slot, held)| held.map(|held| (held.obligation, slot)));
            let (_, slot) = oldest.min().unwrap();
            play.messages[slot] = None;
            play.tell(Deed::Freed { message: slot as u32 });
        }
        assert!(play.oracle.held()[2] <= 200, "{:?} after {round}", play.oracle.held());
    }
    assert!(play.oracle.held()[2] > 1, "some of them are still in question");
}

/// What is issued again keeps its place while the message whose handling issued it is alive.
#[test]
fn what_is_made_again_keeps_its_place() {
    let model = model();
    let mut play = Play::new(&model);
    let (group, instance) = play.lane(0);
    let served = Served::Delivery { group, delivery: 1 };
    let issue = |play: &mut Play<'_>, parent: u32, message: u32, number: u64| {
        play.begin(0, instance, if parent == NONE { Served::Call } else { served }, parent);
        play.tell(Deed::Issued {
            attempt: 0,
            message,
            kind: model.groups[0].deliveries[0].message,
            part: Part::new(SiteId(0), 0),
            way: Way::Direct,
            cause: Cause::root(0, 77, number),
            key: Some(5),
            topic: Some(TopicId(0)),
            pc: 0,
            payload: &[],
            content: 0,
        });
        play.end(0);
    };
    let take = |play: &mut Play<'_>, message: u32| {
        play.begin(0, instance, served, message);
        play.end(0);
    };
    // 0 is handled and makes 1, which is lost; then comes 2, and 0 is handled again.
    issue(&mut play, NONE, 0, 10);
    issue(&mut play, 0, 1, 11);
    play.tell(Deed::Freed { message: 1 });
    issue(&mut play, NONE, 1, 12);
    take(&mut play, 1);
    issue(&mut play, 0, 2, 11);
    take(&mut play, 2);
    (0..3).for_each(|message| play.tell(Deed::Freed { message }));
    assert_eq!(play.oracle.held(), [0; 3]);
    let [(_, arrived), ..] = play.oracle.finish().findings;
    assert_eq!((arrived.count, arrived.of, arrived.unsettled), (1, 3, 0));
    assert!(
        arrived
            .first
            .unwrap()
            .what
            .starts_with("facts → rows, key 5: Fact of 0.000000005s came after Fact of 0.000000009s")
    );
}
