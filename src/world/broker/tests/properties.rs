//! Random interleavings: packets, attempts, timers, crashes and pauses in any order that a network
//! of ordered connections allows, time ignored. `Broker::check` holds after every call; these add
//! what must be true in the end.

use super::super::*;
use super::rig::{Event, Rig};
use super::{group, kafka, postgres, rabbitmq, sqs};
use crate::kernel::ids::{InstanceId, TopicId};
use crate::kernel::time::{MILLISECOND, SECOND};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

pub(super) fn sometimes_fails(message: u64, attempt: u32) -> (Nanos, Outcome) {
    let failed = message.wrapping_add(u64::from(attempt)).is_multiple_of(3) && attempt < 4;
    (7 * MILLISECOND, if failed { Outcome::Failed } else { Outcome::Done })
}

/// Groups that never give a message up, so that all must be acknowledged in the end.
fn faithful() -> impl Strategy<Value = GroupKnobs> {
    let base = prop_oneof![Just(kafka()), Just(rabbitmq()), Just(sqs()), Just(postgres())];
    let lock = prop_oneof![
        Just(OrderLock::None),
        Just(OrderLock::Key),
        Just(OrderLock::Session),
        Just(OrderLock::Partition),
        Just(OrderLock::Queue)
    ];
    let ack = prop_oneof![Just(AckMode::After), Just(AckMode::Periodic { every: SECOND })];
    let to = prop_oneof![
        Just(RedeliverTo::Original),
        Just(RedeliverTo::Front),
        Just(RedeliverTo::Back),
        Just(RedeliverTo::RewindKey),
        Just(RedeliverTo::Unordered)
    ];
    let stale = prop_oneof![Just(StaleAck::Fence), Just(StaleAck::Ignore), Just(StaleAck::Accept)];
    let limits = (1..3u32, prop::option::of(1..5u32), prop::option::of(1..3u32), prop::option::of(2..6u32));
    let delay = prop_oneof![Just(0), Just(SECOND)];
    let mode = prop_oneof![Just(RebalanceMode::Eager), Just(RebalanceMode::Cooperative)];
    (base, lock, ack, to, stale, limits, delay, mode, 0..2u64).prop_map(
        |(base, lock, ack, redeliver_to, stale_ack, limits, redeliver_delay, mode, pause)| {
            let (batch, per_consumer, concurrency, per_group) = limits;
            let mut knobs = GroupKnobs {
                ack,
                redeliver_to,
                stale_ack,
                batch,
                max_in_flight_per_consumer: per_consumer,
                max_in_flight_per_group: per_group,
                concurrency,
                redeliver_delay,
                rebalance: Rebalance { mode, pause: pause * SECOND },
                ..base
            };
            knobs.order_lock = if redeliver_to == RedeliverTo::RewindKey { OrderLock::Key } else { lock };
            if knobs.ack_scope == AckScope::Cursor && redeliver_to == RedeliverTo::RewindKey {
                knobs.redeliver_to = RedeliverTo::Original;
            }
            if !knobs.are_possible() {
                knobs.order_lock = OrderLock::Key;
            }
            if !knobs.are_possible() {
                knobs.stale_ack = StaleAck::Fence;
            }
            knobs
        },
    )
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    Publish(u64),
    Happen(u16),
    Crash(u32),
    Restart(u32),
    Pause(u32),
    Resume(u32),
    LoseAck(u16),
}

pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0..6u64).prop_map(Move::Publish),
        20 => any::<u16>().prop_map(Move::Happen),
        1 => (0..3u32).prop_map(Move::Crash),
        1 => (0..3u32).prop_map(Move::Restart),
        1 => (0..3u32).prop_map(Move::Pause),
        2 => (0..3u32).prop_map(Move::Resume),
        1 => any::<u16>().prop_map(Move::LoseAck),
    ];
    prop::collection::vec(one, 1..250)
}

pub(super) fn play(rig: &mut Rig, moves: &[Move]) {
    let is_down = |rig: &Rig, i: u32| rig.down.iter().any(|at| at.1 == InstanceId(i));
    let is_paused = |rig: &Rig, i: u32| rig.paused.iter().any(|at| at.1 == InstanceId(i));
    for &step in moves {
        match step {
            Move::Publish(key) => {
                rig.publish((key > 0).then_some(key));
            }
            Move::Happen(n) => {
                let possible = rig.possible();
                if !possible.is_empty() {
                    rig.happen(possible[n as usize % possible.len()]);
                }
            }
            Move::Crash(i) if !is_down(rig, i) => rig.crash(0, i),
            Move::Restart(i) if is_down(rig, i) => rig.restart(0, i),
            Move::Pause(i) if !is_down(rig, i) && !is_paused(rig, i) => rig.pause(0, i),
            Move::Resume(i) if is_paused(rig, i) => rig.resume(0, i),
            Move::LoseAck(n) => {
                // A connection loses packets only as a whole, from the last on, when its end crashes.
                let acks: Vec<usize> = (0..rig.pending.len())
                    .filter(|&k| matches!(rig.pending[k].event, Event::Ack(_) | Event::Nack(_)))
                    .filter(|&k| rig.pending[k].at.is_some_and(|at| rig.down.contains(&at)))
                    .collect();
                if !acks.is_empty() {
                    rig.lose_ack(acks[n as usize % acks.len()]);
                }
            }
            _ => {}
        }
    }
}

/// Everybody is back, and the rig runs until nothing is pending.
pub(super) fn mend(rig: &mut Rig) {
    for i in 0..3 {
        if rig.paused.iter().any(|at| at.1 == InstanceId(i)) {
            rig.resume(0, i);
        }
        if rig.down.iter().any(|at| at.1 == InstanceId(i)) {
            rig.restart(0, i);
        }
    }
    rig.run_out();
}

fn rig(knobs: GroupKnobs, partitions: u32) -> Rig {
    let mut rig = Rig::new(
        &[TopicKnobs { partitions, partitions_at_first: partitions, ..TopicKnobs::default() }],
        &[group(3, knobs)],
    );
    rig.work = sometimes_fails;
    rig
}

pub(super) fn at_rest(rig: &Rig) {
    assert_eq!(rig.held(), 0, "every message is released");
    let timers = rig.pending.iter().filter(|p| matches!(p.event, Event::Timer(..))).count();
    assert_eq!(rig.broker.in_use(), (0, timers), "no delivery is left, and no timer but those that run");
    assert!(rig.pending.len() == timers);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    /// Nothing is lost: once crashes and pauses stop, every message is acknowledged, once.
    #[test]
    fn every_message_is_acknowledged_once(
        knobs in faithful(), partitions in 1..4u32, at_once: bool, moves in moves(),
    ) {
        let mut rig = rig(knobs, partitions);
        rig.acknowledges_at_once = at_once;
        play(&mut rig, &moves);
        mend(&mut rig);
        prop_assert_eq!(rig.ends.len() as u64, rig.published());
        prop_assert!(rig.ends.values().all(|&end| end == Settlement::Acknowledged));
        at_rest(&rig);
        // Nothing is acknowledged that was not worked on.
        for number in 0..rig.published() {
            prop_assert!(rig.started.iter().any(|s| s.2 == number));
        }
    }

    /// With limits on tries and a bounded log, whatever was not acknowledged is accounted for.
    #[test]
    fn every_message_ends_somehow(
        knobs in faithful(), after in 1..4u16, failures: bool, bytes in 300..900u64, latest: bool,
        ack in 0..3u8, then in 0..6u8, transfer in 0..3u8, at_once: bool, moves in moves(),
    ) {
        let count = if failures { ExhaustCount::Failures } else { ExhaustCount::Deliveries };
        let dead = ExhaustThen::DeadLetter(TopicId(1));
        let then = [ExhaustThen::Drop, ExhaustThen::Park, ExhaustThen::Stay, dead, dead, dead][then as usize];
        let transfer = [Transfer::Atomic, Transfer::AtMostOnce, Transfer::AtLeastOnce][transfer as usize];
        let exhaust = Some(Exhaust { after, count, then, transfer });
        let ack = [AckMode::After, AckMode::Before, AckMode::Periodic { every: SECOND }][ack as usize];
        let reset = if latest { Reset::Latest } else { Reset::Earliest };
        let mut knobs = GroupKnobs { exhaust, ack, reset, ..knobs };
        if !knobs.are_possible() {
            knobs.order_lock = OrderLock::None;
            knobs.redeliver_to = RedeliverTo::Original;
        }
        let topic = TopicKnobs { retain_bytes: Some(bytes), ..TopicKnobs::default() };
        let mut rig = Rig::new(&[topic, TopicKnobs::default()], &[group(3, knobs)]);
        rig.acknowledges_at_once = at_once;
        rig.work = sometimes_fails;
        play(&mut rig, &moves);
        mend(&mut rig);
        prop_assert_eq!(rig.ends.len() as u64, rig.published());
        at_rest(&rig);
    }

    /// Under a partition lock, first attempts of a partition come in the order of its log.
    #[test]
    fn first_attempts_keep_the_order_of_the_partition(
        moves in moves(), cooperative: bool, batch in 1..4u32, at_once: bool,
    ) {
        let mode = if cooperative { RebalanceMode::Cooperative } else { RebalanceMode::Eager };
        let knobs = GroupKnobs { rebalance: Rebalance { mode, pause: SECOND }, batch, ..kafka() };
        let mut rig = rig(knobs, 1);
        rig.acknowledges_at_once = at_once;
        play(&mut rig, &moves);
        mend(&mut rig);
        let mut firsts: Vec<u64> = Vec::new();
        for &(_, _, number, _) in &rig.started {
            if !firsts.contains(&number) {
                firsts.push(number);
            }
        }
        prop_assert!(firsts.is_sorted(), "{:?}", firsts);
    }

    /// The same calls give the same actions, also to a clone.
    #[test]
    fn a_clone_goes_on_alike(knobs in faithful(), before in moves()) {
        let mut rig = rig(knobs, 2);
        play(&mut rig, &before);
        let mut copy = rig.broker.clone();
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for i in 0..10u32 {
            let slot = 1_000_000 + i;
            rig.broker.accept(TopicId(0), 0, slot, None, 1, None, &mut |_, _| 0, &mut one);
            copy.accept(TopicId(0), 0, slot, None, 1, None, &mut |_, _| 0, &mut other);
        }
        prop_assert_eq!(one, other);
    }
}
