//! Random interleavings of what leaves messages out: compaction, messages whose time is over, and what is published
//! with an acknowledgement. Each is held against a model of a few lines that knows only what was published and how
//! it ended.

use super::super::*;
use super::properties::{Move, at_rest, mend, moves, play, sometimes_fails};
use super::rig::{Event, Rig};
use super::{group, kafka, rabbitmq, sqs};
use crate::kernel::ids::{GroupId, InstanceId, TopicId};
use crate::kernel::time::SECOND;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::BTreeMap;

/// A log of one partition, with three consumers.
fn log(topic: TopicKnobs, knobs: GroupKnobs) -> Rig {
    let mut rig = Rig::new(&[topic], &[group(3, knobs)]);
    rig.work = sometimes_fails;
    rig
}

/// The key of each message that the moves publish, in order.
fn keys(moves: &[Move]) -> Vec<u64> {
    moves.iter().filter_map(|of| if let Move::Publish(key) = of { Some(*key) } else { None }).collect()
}

/// What compaction may leave out: a message with a later one of its key. Key 0 stands for none.
fn may_be_superseded(keys: &[u64], number: usize) -> bool {
    keys[number] > 0 && keys[number + 1..].contains(&keys[number])
}

#[test]
fn of_two_keys_that_wait_compaction_leaves_the_newest_two() {
    let mut rig = log(TopicKnobs { compact: true, ..TopicKnobs::default() }, kafka());
    (0..3).for_each(|instance| rig.pause(0, instance));
    for number in 0..32 {
        rig.publish(Some(1 + number % 2));
    }
    mend(&mut rig);
    let handled = |end: &Settlement| *end == Settlement::Acknowledged;
    let superseded = rig.ends.values().filter(|end| !handled(end)).count();
    assert!(superseded >= 14, "{superseded} of 32 were left out");
    assert!(handled(&rig.ends[&(0, 30)]) && handled(&rig.ends[&(0, 31)]));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2),
        ..ProptestConfig::default()
    })]

    /// Of each key the newest message is handled, and one that is left out has a newer one.
    #[test]
    fn compaction_leaves_the_newest_of_each_key(moves in moves(), batch in 1..4u32, at_once: bool) {
        let mut rig = log(TopicKnobs { compact: true, ..TopicKnobs::default() }, GroupKnobs { batch, ..kafka() });
        rig.acknowledges_at_once = at_once;
        play(&mut rig, &moves);
        mend(&mut rig);
        let keys = keys(&moves);
        prop_assert_eq!(rig.ends.len(), keys.len());
        for (&(_, number), &end) in &rig.ends {
            match end {
                Settlement::Acknowledged => {}
                Settlement::Superseded => prop_assert!(may_be_superseded(&keys, number as usize), "{}", number),
                other => prop_assert!(false, "{} ended {:?}", number, other),
            }
        }
        at_rest(&rig);
    }

    /// A message without a time is handled; one with a time is handled or given up, and given up only when its time
    /// was over, and never while somebody worked on it.
    #[test]
    fn what_expires_is_given_up_after_its_time_and_nothing_else(
        which in 0..3usize, moves in moves(), lives in 1..60u64, at_once: bool,
    ) {
        let mut rig = log(TopicKnobs::default(), [kafka(), rabbitmq(), sqs()][which]);
        rig.acknowledges_at_once = at_once;
        rig.expires_odd_keys = Some(lives * SECOND);
        play(&mut rig, &moves);
        mend(&mut rig);
        let keys = keys(&moves);
        prop_assert_eq!(rig.ends.len(), keys.len());
        for (&(_, number), &end) in &rig.ends {
            match end {
                Settlement::Acknowledged => {}
                Settlement::Expired => {
                    prop_assert!(keys[number as usize] % 2 == 1, "{} has no time", number);
                    prop_assert!(rig.times_over.contains(&number), "{} had time left", number);
                }
                other => prop_assert!(false, "{} ended {:?}", number, other),
            }
        }
        prop_assert_eq!(rig.held(), 0);
    }

    /// Of what the attempts on one message publish with its acknowledgement, what the attempt publishes that counts
    /// is seen, once, and nothing else ever is; and it is seen in the order in which it came.
    #[test]
    fn what_is_published_with_an_acknowledgement_is_seen_with_the_one_that_counts(
        which in 0..3usize, moves in moves(), at_once: bool,
    ) {
        let second = Group { topic: TopicId(1), first_instance: InstanceId(3), instances: 1, instances_at_start: 1, ..group(1, kafka()) };
        let topics = [TopicKnobs::default(), TopicKnobs::default()];
        let knobs = GroupKnobs { stale_ack: StaleAck::Fence, ..[kafka(), rabbitmq(), sqs()][which] };
        let mut rig = Rig::new(&topics, &[group(3, knobs), second]);
        rig.work = sometimes_fails;
        rig.acknowledges_at_once = at_once;
        rig.publishes_with_acks = true;
        play(&mut rig, &moves);
        mend(&mut rig);
        let mut seen: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for &(source, number) in &rig.sent {
            if rig.ends.contains_key(&(1, number)) {
                seen.entry(source).or_default().push(number);
            }
        }
        for (&(group, number), &end) in &rig.ends {
            prop_assert_eq!(end, Settlement::Acknowledged);
            if group == 0 {
                prop_assert_eq!(seen.get(&number).map_or(0, Vec::len), 1, "of {}: {:?}", number, seen.get(&number));
            }
        }
        let mut firsts: Vec<u64> = Vec::new();
        for &(_, instance, number, _) in &rig.started {
            if instance == 3 && !firsts.contains(&number) {
                firsts.push(number);
            }
        }
        prop_assert!(firsts.is_sorted(), "{:?}", firsts);
        prop_assert_eq!(firsts.len(), seen.len());
        prop_assert_eq!(rig.held(), 0);
    }
}

/// An attempt that has lost its message publishes nothing.
#[test]
fn a_zombie_publishes_nothing() {
    let second = Group {
        topic: TopicId(1),
        first_instance: InstanceId(3),
        instances: 1,
        instances_at_start: 1,
        ..group(1, kafka())
    };
    let mut rig = Rig::new(&[TopicKnobs::default(), TopicKnobs::default()], &[group(2, kafka()), second]);
    rig.publishes_with_acks = true;
    rig.work = |_, _| (120 * SECOND, Outcome::Done);
    rig.publish(Some(1));
    rig.run_until(SECOND);
    let owner = rig.started[0].1;
    rig.pause(0, owner);
    // Its session is over after 45 s; the other one takes the message, and the first wakes in the middle of that.
    rig.run_until(60 * SECOND);
    rig.resume(0, owner);
    rig.run_out();
    assert_eq!(rig.started.iter().filter(|of| of.2 == 0).count(), 2);
    let seen: Vec<_> = rig.ends.keys().filter(|(group, _)| *group == 1).collect();
    assert_eq!((rig.sent.len(), seen.len()), (2, 1), "{:?}", rig.ends);
    assert!(rig.pending.iter().all(|of| matches!(of.event, Event::Timer(..))));
    assert_eq!(rig.ends[&(GroupId(0).0, 0)], Settlement::Acknowledged);
}
