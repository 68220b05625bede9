//! Each preset against what the product's manual says it does. Times are in milliseconds; a packet
//! takes 1, an attempt 10 unless the case says otherwise.

use super::super::*;
use super::rig::{Event, Rig, Started};
use super::{group, kafka, rabbitmq, sqs};
use crate::kernel::ids::{GroupId, InstanceId, TopicId};
use crate::kernel::time::{MILLISECOND, SECOND};

const GROUP: GroupId = GroupId(0);

fn one(knobs: GroupKnobs, instances: u32, partitions: u32) -> Rig {
    Rig::new(
        &[TopicKnobs { partitions, partitions_at_first: partitions, ..TopicKnobs::default() }],
        &[group(instances, knobs)],
    )
}

/// One topic whose exhausted messages go to a second one, which a second group consumes.
fn with_dead_letters(mut knobs: GroupKnobs, after: u16, count: ExhaustCount) -> Rig {
    let then = ExhaustThen::DeadLetter(TopicId(1));
    knobs.exhaust = Some(Exhaust { after, count, then, transfer: Transfer::Atomic });
    let mut letters = group(1, rabbitmq());
    letters.topic = TopicId(1);
    letters.first_instance = InstanceId(9);
    Rig::new(&[TopicKnobs::default(), TopicKnobs::default()], &[group(1, knobs), letters])
}

fn of_instance(rig: &Rig, instance: u32) -> Vec<Started> {
    rig.started.iter().copied().filter(|started| started.1 == instance).collect()
}

fn stale(rig: &Rig) -> usize {
    rig.notes.iter().filter(|note| matches!(note, Action::StaleAck { .. })).count()
}

fn rebalances(rig: &Rig) -> usize {
    rig.notes.iter().filter(|note| matches!(note, Action::RebalanceEnded { .. })).count()
}

fn fail_always(_: u64, _: u32) -> (Nanos, Outcome) {
    (10 * MILLISECOND, Outcome::Failed)
}

fn fail_first(message: u64, attempt: u32) -> (Nanos, Outcome) {
    let failed = message == 0 && attempt == 1;
    (10 * MILLISECOND, if failed { Outcome::Failed } else { Outcome::Done })
}

// Kafka. "Each partition is consumed by exactly one consumer within each subscribing consumer group
// at any given time" (Documentation, 4.5 The Consumer); consumer configuration `session.timeout.ms`
// 45000 and `max.poll.interval.ms` 300000; KIP-62.

#[test]
fn kafka_partitions_are_worked_on_in_order_one_at_a_time() {
    let mut rig = one(kafka(), 1, 1);
    rig.publish_many(3);
    rig.run_out();
    // Nothing is assigned anew at the start, and the second waits for the first.
    assert_eq!(rig.started, [(1, 0, 0, 1), (11, 0, 1, 1), (21, 0, 2, 1)]);
    assert!(rig.notes.is_empty());
    assert_eq!(rig.broker.lag(GROUP), 0);
}

#[test]
fn kafka_one_key_one_partition_one_consumer() {
    let mut rig = one(kafka(), 2, 6);
    let partitions: Vec<Accepted> = (0..20).map(|i| rig.publish(Some(i % 5))).collect();
    for i in 5..20 {
        let (Accepted::Appended { partition: a, .. }, Accepted::Appended { partition: b, .. }) =
            (partitions[i], partitions[i - 5])
        else {
            panic!("nothing is a duplicate")
        };
        assert_eq!(a, b, "equal keys, equal partitions");
    }
    rig.run_out();
    for key in 0..5 {
        let of_key: Vec<Started> = rig.started.iter().copied().filter(|s| s.2 % 5 == key).collect();
        assert!(of_key.windows(2).all(|pair| pair[0].1 == pair[1].1 && pair[0].2 < pair[1].2));
    }
}

#[test]
fn kafka_a_crash_moves_partitions_after_the_session_and_rewinds_to_the_commit() {
    let mut rig = one(kafka(), 2, 1);
    rig.publish_many(4);
    // Message 0 is acknowledged; message 1 is being worked on when its owner dies.
    rig.run_until(15 * MILLISECOND);
    rig.crash(0, 0);
    rig.run_until(44 * SECOND);
    assert_eq!(rig.started.len(), 2, "nobody works on the partition before the session is over");
    rig.run_out();
    let takeover = 15 + 45_000 + 1;
    assert_eq!(of_instance(&rig, 1)[0], (takeover, 1, 1, 2), "the first not committed, again");
    assert_eq!(of_instance(&rig, 1).len(), 3);
    assert_eq!(rig.broker.lag(GROUP), 0);
}

#[test]
fn kafka_a_commit_on_its_way_at_the_crash_still_counts() {
    let mut rig = one(kafka(), 2, 1);
    rig.publish_many(2);
    // The attempt of 0 ends at 11; its commit arrives at 12.
    rig.run_until(11 * MILLISECOND);
    rig.crash(0, 0);
    rig.run_out();
    assert_eq!(of_instance(&rig, 1), [(45_012, 1, 1, 2)]);
}

#[test]
fn kafka_a_restart_stops_the_group_until_the_dead_member_expires() {
    // The coordinator waits for every known member before it completes a join (GroupCoordinator,
    // prepareRebalance), and the dead member's id stays known until its session ends.
    let mut rig = one(kafka(), 2, 2);
    rig.publish_many(1);
    rig.run_until(100 * MILLISECOND);
    rig.crash(0, 0);
    rig.run_until(5 * SECOND);
    rig.restart(0, 0);
    for _ in 0..8 {
        rig.publish(Some(rig.published()));
    }
    rig.run_until(45 * SECOND);
    assert_eq!(rig.started.len(), 1, "the live member has stopped as well");
    rig.run_out();
    assert_eq!(rig.ends.len(), 9);
    assert_eq!(rebalances(&rig), 1, "the expiry completes the one that the restart began");
}

#[test]
fn kafka_a_zombie_works_on_and_its_commit_is_fenced() {
    // UNKNOWN_MEMBER_ID / ILLEGAL_GENERATION: the commit is refused, the work was done twice.
    let mut rig = one(kafka(), 2, 1);
    rig.publish_many(2);
    rig.run_until(5 * MILLISECOND);
    rig.pause(0, 0);
    rig.run_until(60 * SECOND);
    assert_eq!(of_instance(&rig, 1).first(), Some(&(45_006, 1, 0, 2)));
    assert_eq!(rig.broker.lag(GROUP), 0);
    rig.resume(0, 0);
    rig.run_out();
    assert_eq!(stale(&rig), 1);
    assert_eq!(rebalances(&rig), 2, "it is thrown out, and joins again when it polls");
    assert_eq!(rig.broker.counts(GROUP).acknowledged, 2);
}

#[test]
fn kafka_a_short_pause_goes_unnoticed() {
    let mut rig = one(kafka(), 2, 1);
    rig.publish_many(2);
    rig.run_until(5 * MILLISECOND);
    rig.pause(0, 0);
    rig.run_until(44 * SECOND);
    rig.resume(0, 0);
    rig.run_out();
    assert_eq!(of_instance(&rig, 0).len(), 2);
    assert_eq!(rebalances(&rig), 0);
}

#[test]
fn kafka_an_attempt_longer_than_the_poll_interval_loses_the_partition() {
    let mut rig = one(kafka(), 2, 1);
    rig.work = |_, attempt| (if attempt == 1 { 400 * SECOND } else { SECOND }, Outcome::Done);
    rig.publish_many(1);
    rig.run_until(300 * SECOND);
    assert_eq!(rig.started.len(), 1);
    rig.run_out();
    // The poll clock starts with the attempt, at 1 ms.
    assert_eq!(rig.started[1], (300_002, 1, 0, 2));
    assert_eq!(stale(&rig), 1, "its commit comes too late");
    assert_eq!(rig.broker.lag(GROUP), 0);
}

#[test]
fn kafka_a_failing_message_blocks_its_partition_and_no_other() {
    let mut rig = one(kafka(), 1, 2);
    rig.work = fail_first;
    let place = |accepted| match accepted {
        Accepted::Appended { partition, .. } => partition,
        Accepted::Duplicate => panic!("nothing is a duplicate"),
    };
    let blocked = place(rig.publish(Some(0)));
    let free = (1..9).find(|&key| place(rig.publish(Some(key))) != blocked).expect("keys spread");
    rig.run_out();
    let again = rig.started.iter().find(|s| (s.2, s.3) == (0, 2)).expect("it is tried again");
    assert_eq!(again.0, 1 + 10 + 100, "in place, after the delay");
    let of_free: Vec<&Started> = rig.started.iter().filter(|s| s.2 == free).collect();
    assert_eq!(of_free, [&(1, 0, free, 1)]);
    let behind = rig.started.iter().filter(|s| s.2 != 0 && s.2 != free);
    assert!(behind.into_iter().all(|s| s.0 > again.0), "what is behind it waits");
}

#[test]
fn kafka_periodic_commits_lose_the_work_since_the_last_one() {
    // `enable.auto.commit` with `auto.commit.interval.ms` 5000: takeover repeats processed - committed.
    let mut knobs = kafka();
    knobs.ack = AckMode::Periodic { every: 5 * SECOND };
    let mut rig = one(knobs, 2, 1);
    rig.work = |_, _| (SECOND, Outcome::Done);
    rig.publish_many(10);
    rig.run_until(8 * SECOND);
    // Ends at 1.001, 2.001, …; the first commit, at 6.001, covers what ended before.
    assert_eq!(rig.broker.lag(GROUP), 5);
    rig.crash(0, 0);
    rig.run_out();
    let again: Vec<u64> = of_instance(&rig, 1).iter().map(|s| s.2).collect();
    assert_eq!(again, [5, 6, 7, 8, 9], "5 and 6 had ended, 7 was running");
    assert_eq!(rig.broker.lag(GROUP), 0);
}

#[test]
fn kafka_acknowledging_before_the_work_loses_what_a_crash_cuts() {
    let mut knobs = kafka();
    knobs.ack = AckMode::Before;
    let mut rig = one(knobs, 2, 1);
    rig.publish_many(3);
    rig.run_until(5 * MILLISECOND);
    rig.crash(0, 0);
    rig.run_out();
    let taken: Vec<u64> = of_instance(&rig, 1).iter().map(|s| s.2).collect();
    assert_eq!(taken, [1, 2], "0 had been acknowledged");
}

#[test]
fn kafka_two_groups_and_a_group_without_consumers() {
    let mut second = group(1, kafka());
    second.first_instance = InstanceId(1);
    let mut rig = Rig::new(&[TopicKnobs::default()], &[group(1, kafka()), second]);
    rig.crash(1, 1);
    rig.publish_many(5);
    rig.run_until(100 * SECOND);
    assert_eq!((rig.broker.lag(GROUP), rig.broker.lag(GroupId(1))), (0, 5));
    assert_eq!(rig.held(), 5, "the second group is still owed them");
    rig.restart(1, 1);
    rig.run_out();
    assert_eq!((rig.broker.lag(GroupId(1)), rig.held()), (0, 0));
}

#[test]
fn kafka_retention_jumps_by_the_reset() {
    // `auto.offset.reset`; deletion is by segment, so between one retention and 1/16 more.
    for (reset, worked_on) in [(Reset::Earliest, 2), (Reset::Latest, 1)] {
        let knobs = GroupKnobs { reset, ..kafka() };
        let topic = TopicKnobs { retain_for: Some(160 * SECOND), ..TopicKnobs::default() };
        let mut rig = Rig::new(&[topic], &[group(1, knobs)]);
        rig.crash(0, 0);
        rig.publish_many(3);
        rig.run_until(160 * SECOND);
        assert_eq!(rig.broker.counts(GROUP).skipped, 0);
        rig.publish(Some(7));
        rig.run_until(171 * SECOND);
        let skipped = if reset == Reset::Earliest { 3 } else { 4 };
        assert_eq!(rig.broker.counts(GROUP).skipped, skipped);
        rig.publish(Some(8));
        rig.restart(0, 0);
        rig.run_until(172 * SECOND);
        assert_eq!(rig.started.len(), worked_on);
    }
}

#[test]
fn kafka_an_idempotent_producer_is_recognised() {
    // `enable.idempotence`: the broker remembers the last five batches of each producer and partition.
    let sequence = Deduplicate {
        by: DeduplicateBy::Sequence,
        scope: DeduplicateScope::Partition,
        window: Window::Last(5),
    };
    let topic = TopicKnobs { deduplicate: Some(sequence), ..TopicKnobs::default() };
    let mut rig = Rig::new(&[topic], &[group(1, kafka())]);
    let mut slot = 0;
    let mut send = |rig: &mut Rig, producer, sequence| {
        slot += 1;
        let origin = Some(Origin { producer, sequence, id: 0 });
        let mut out = Vec::new();
        rig.broker.accept(TopicId(0), 0, slot, None, 1, origin, &mut |_, _| 0, &mut out)
    };
    for i in 0..6 {
        assert_eq!(send(&mut rig, 1, i), Accepted::Appended { partition: 0, offset: i });
    }
    assert_eq!(send(&mut rig, 1, 5), Accepted::Duplicate);
    assert_eq!(send(&mut rig, 1, 1), Accepted::Duplicate);
    assert_eq!(send(&mut rig, 2, 5), Accepted::Appended { partition: 0, offset: 6 });
    assert_eq!(send(&mut rig, 1, 0), Accepted::Appended { partition: 0, offset: 7 }, "out of memory");
}

#[test]
fn cooperative_rebalancing_stops_only_what_moves() {
    // KIP-429.
    let mut knobs = kafka();
    knobs.rebalance = Rebalance { mode: RebalanceMode::Cooperative, pause: 3 * SECOND };
    let mut rig = one(knobs, 2, 4);
    rig.run_until(SECOND);
    rig.crash(0, 0);
    rig.run_until(60 * SECOND);
    assert_eq!(rebalances(&rig), 1);
    rig.restart(0, 0);
    for key in 0..40 {
        rig.publish(Some(key));
    }
    rig.run_until(62 * SECOND);
    let kept = of_instance(&rig, 1).len();
    assert!(0 < kept && kept < 40, "the partitions it keeps are worked on during the pause");
    assert!(of_instance(&rig, 0).is_empty());
    rig.run_out();
    assert!(!of_instance(&rig, 0).is_empty());
    assert_eq!(rig.broker.lag(GROUP), 0);
    assert_eq!(rig.started.len(), 40, "nothing was done twice");
}

// RabbitMQ, classic queues. docs/confirms: prefetch counts the unacknowledged; "automatic requeueing"
// when a channel or connection closes; docs/nack: "placed to its original position in its queue, if
// possible"; docs/dlx: rejected with requeue=false is dead-lettered.

#[test]
fn rabbitmq_consumers_take_turns_up_to_their_prefetch() {
    let mut rig = one(rabbitmq(), 2, 1);
    rig.publish_many(6);
    let to: Vec<u32> = rig
        .pending
        .iter()
        .filter(|p| matches!(p.event, Event::Deliver(_)))
        .map(|p| p.at.expect("it goes somewhere").1.0)
        .collect();
    assert_eq!(to, [0, 1, 0, 1], "prefetch 2 each");
    rig.run_out();
    assert_eq!(rig.broker.lag(GROUP), 0);
}

#[test]
fn rabbitmq_what_a_dead_connection_held_goes_back_to_its_place() {
    let mut rig = one(rabbitmq(), 2, 1);
    rig.publish_many(6);
    rig.run_until(5 * MILLISECOND);
    rig.crash(0, 0);
    rig.run_out();
    // Instance 0 had 0 and 2. The loss is noticed at 15; at 12 instance 1 was given 4, so it goes on
    // with 3, 4, and then in the order of the queue.
    let order: Vec<(u64, u32)> = of_instance(&rig, 1).iter().map(|s| (s.2, s.3)).collect();
    assert_eq!(order, [(1, 1), (3, 1), (4, 1), (0, 2), (2, 2), (5, 1)]);
}

#[test]
fn rabbitmq_an_ack_on_a_closed_channel_does_not_count() {
    let mut rig = one(rabbitmq(), 2, 1);
    rig.publish(None);
    rig.run_until(5 * MILLISECOND);
    rig.pause(0, 0);
    rig.run_until(SECOND);
    assert_eq!(rig.broker.lag(GROUP), 0, "the other consumer did it");
    rig.resume(0, 0);
    rig.run_out();
    assert_eq!((stale(&rig), rig.broker.counts(GROUP).acknowledged), (1, 1));
}

#[test]
fn rabbitmq_a_requeued_message_keeps_its_place() {
    let mut knobs = rabbitmq();
    knobs.max_in_flight_per_consumer = Some(1);
    let mut rig = one(knobs, 1, 1);
    rig.work = fail_first;
    rig.publish_many(3);
    rig.run_out();
    let order: Vec<(u64, u32)> = rig.started.iter().map(|s| (s.2, s.3)).collect();
    assert_eq!(order, [(0, 1), (0, 2), (1, 1), (2, 1)]);
}

#[test]
fn rabbitmq_a_rejected_message_is_dead_lettered_at_once() {
    let mut rig = with_dead_letters(rabbitmq(), 1, ExhaustCount::Failures);
    rig.work = fail_first;
    rig.publish_many(2);
    rig.run_out();
    assert_eq!(rig.ends[&(0, 0)], Settlement::DeadLettered);
    assert_eq!(rig.ends[&(0, 1)], Settlement::Acknowledged);
    // It fails once there as well, and goes back to its place.
    assert_eq!(of_instance(&rig, 9).iter().map(|s| (s.2, s.3)).collect::<Vec<_>>(), [(0, 1), (0, 2)]);
    assert_eq!(rig.held(), 0);
}

#[test]
fn rabbitmq_a_lost_consumer_does_not_count_as_a_rejection() {
    let mut rig = with_dead_letters(rabbitmq(), 1, ExhaustCount::Failures);
    rig.publish(None);
    rig.run_until(5 * MILLISECOND);
    rig.crash(0, 0);
    rig.restart(0, 0);
    rig.run_out();
    assert_eq!(rig.ends[&(0, 0)], Settlement::Acknowledged);
}

#[test]
fn redelivered_to_front_back_or_place() {
    let cases: [(RedeliverTo, &[u64]); 3] = [
        (RedeliverTo::Original, &[0, 0, 1, 2]),
        (RedeliverTo::Front, &[0, 0, 1, 2]),
        (RedeliverTo::Back, &[0, 1, 2, 0]),
    ];
    for (redeliver_to, expected) in cases {
        let knobs = GroupKnobs { redeliver_to, max_in_flight_per_consumer: Some(1), ..rabbitmq() };
        let mut rig = one(knobs, 1, 1);
        rig.work = fail_first;
        rig.publish_many(3);
        rig.run_out();
        let order: Vec<u64> = rig.started.iter().map(|s| s.2).collect();
        assert_eq!(order, expected, "{redeliver_to:?}");
    }
}

// Amazon SQS, standard queues. Developer guide, "Visibility timeout" (30 s unless set), "Dead-letter
// queues" (maxReceiveCount), and DeleteMessage (the receipt handle of the latest receive counts).

#[test]
fn sqs_what_is_not_deleted_in_time_is_received_again() {
    let mut rig = one(sqs(), 2, 1);
    rig.publish(None);
    rig.run_until(5 * MILLISECOND);
    rig.crash(0, 0);
    rig.run_out();
    // The lease runs from the receive, at 0; a crash changes nothing.
    assert_eq!(rig.started, [(1, 0, 0, 1), (30_001, 1, 0, 2)]);
}

#[test]
fn sqs_a_failed_attempt_waits_for_the_visibility_timeout() {
    for (redeliver_delay, again) in [(0, 30_001), (2 * SECOND, 2_013)] {
        let mut rig = one(GroupKnobs { redeliver_delay, ..sqs() }, 1, 1);
        rig.work = fail_first;
        rig.publish(None);
        rig.run_out();
        // A delay is a change of visibility when the failure is reported, at 12.
        assert_eq!(rig.started, [(1, 0, 0, 1), (again, 0, 0, 2)]);
    }
}

#[test]
fn sqs_a_delete_with_an_old_receipt_handle_is_ignored() {
    let mut rig = one(sqs(), 2, 1);
    rig.work = |_, attempt| (40 * SECOND / u64::from(attempt), Outcome::Done);
    rig.publish(None);
    rig.run_until(41 * SECOND);
    assert_eq!((stale(&rig), rig.broker.lag(GROUP)), (1, 1), "received again at 30 s, deleted at 40 s");
    rig.run_out();
    assert_eq!(rig.started.len(), 2);
    assert_eq!(rig.broker.counts(GROUP).acknowledged, 1);
}

#[test]
fn sqs_a_late_delete_counts_while_nobody_has_received_the_message_again() {
    // Its only poller is busy until it deletes the message.
    let mut rig = one(sqs(), 1, 1);
    rig.work = |_, _| (40 * SECOND, Outcome::Done);
    rig.publish(None);
    rig.run_out();
    assert_eq!((rig.started.len(), stale(&rig)), (1, 1));
    assert_eq!(rig.broker.lag(GROUP), 0);
}

#[test]
fn sqs_exhausted_receives_move_to_the_dead_letter_queue() {
    let mut rig = with_dead_letters(sqs(), 3, ExhaustCount::Deliveries);
    rig.work = |_, attempt| (10 * MILLISECOND, if attempt > 0 { Outcome::Failed } else { Outcome::Done });
    rig.publish(None);
    rig.run_until(89 * SECOND);
    assert_eq!(of_instance(&rig, 0).len(), 3);
    assert!(of_instance(&rig, 9).is_empty());
    rig.work = |_, _| (10 * MILLISECOND, Outcome::Done);
    rig.run_out();
    assert_eq!(of_instance(&rig, 0).len(), 3, "the fourth receive does not happen");
    assert_eq!(of_instance(&rig, 9), [(90_001, 9, 0, 1)]);
    assert_eq!(rig.ends[&(0, 0)], Settlement::DeadLettered);
    assert_eq!(rig.held(), 0);
}

#[test]
fn sqs_a_consumer_asks_only_with_a_free_worker() {
    let mut rig = one(GroupKnobs { concurrency: Some(2), ..sqs() }, 1, 1);
    rig.work = |_, _| (20 * SECOND, Outcome::Done);
    rig.publish_many(6);
    rig.run_out();
    assert_eq!(rig.started.len(), 6, "none waited in the consumer until its lease was over");
    assert!(rig.started.iter().all(|s| s.3 == 1));
}

// What no single product stands for.

#[test]
fn every_instance_alone_gets_every_message() {
    let mut each = group(3, rabbitmq());
    each.members = Members::EachAlone;
    let mut rig = Rig::new(&[TopicKnobs::default()], &[each]);
    let slots = 4;
    for i in 0..slots {
        rig.call(|broker, choose, out| {
            broker.accept(TopicId(0), 0, i, None, 1, None, choose, out);
            out.retain(|action| matches!(action, Action::Deliver { .. }));
            assert_eq!(out.len(), if i < 2 { 3 } else { 0 }, "prefetch 2 each");
            out.clear();
        });
    }
    assert_eq!(rig.broker.lag(GROUP), 12);
}

#[test]
fn a_delayed_topic_shows_messages_later() {
    let topic = TopicKnobs { delay: 5 * SECOND, ..TopicKnobs::default() };
    let mut rig = Rig::new(&[topic], &[group(1, rabbitmq())]);
    assert_eq!(rig.publish(None), Accepted::Appended { partition: 0, offset: 0 });
    assert_eq!(rig.publish(None), Accepted::Appended { partition: 0, offset: 1 });
    rig.run_out();
    assert_eq!(rig.started[0].0, 5_001);
    assert_eq!(rig.ends.len(), 2);
}

#[test]
fn a_key_lock_orders_keys_and_lets_others_pass() {
    let knobs = GroupKnobs {
        order_lock: OrderLock::Key,
        concurrency: None,
        max_in_flight_per_consumer: None,
        ..rabbitmq()
    };
    let mut rig = one(knobs, 1, 1);
    for key in [1, 1, 2, 1] {
        rig.publish(Some(key));
    }
    rig.run_out();
    let order: Vec<(u64, u64)> = rig.started.iter().map(|s| (s.0, s.2)).collect();
    assert_eq!(order, [(1, 0), (1, 2), (13, 1), (25, 3)]);
}

#[test]
fn a_batch_is_handled_before_the_next_is_fetched() {
    let knobs = GroupKnobs { batch: 3, max_in_flight_per_consumer: None, ..rabbitmq() };
    let mut rig = one(knobs, 1, 1);
    rig.publish_many(5);
    let deliveries = |rig: &Rig| rig.pending.iter().filter(|p| matches!(p.event, Event::Deliver(_))).count();
    assert_eq!(deliveries(&rig), 1, "the first fetch found one");
    rig.run_until(11 * MILLISECOND);
    assert_eq!(deliveries(&rig), 3);
    rig.run_out();
    assert_eq!(rig.ends.len(), 5);
}

#[test]
fn what_is_acknowledged_on_delivery_is_never_sent_again() {
    let knobs = GroupKnobs { ack_scope: AckScope::OnDelivery, ..rabbitmq() };
    let mut rig = one(knobs, 1, 1);
    rig.work = fail_always;
    rig.publish_many(2);
    rig.crash(0, 0);
    rig.publish(None);
    rig.run_until(SECOND);
    rig.restart(0, 0);
    rig.publish(None);
    rig.run_out();
    // The third was sent to a connection not yet known to be dead.
    assert_eq!(rig.started.len(), 1);
    assert_eq!(rig.broker.counts(GROUP).acknowledged, 4);
}

#[test]
fn a_log_bounded_in_bytes_gives_up_its_oldest() {
    let topic = TopicKnobs { retain_bytes: Some(250), ..TopicKnobs::default() };
    let mut rig = Rig::new(&[topic], &[group(1, kafka())]);
    rig.crash(0, 0);
    rig.publish_many(5);
    assert_eq!((rig.broker.counts(GROUP).skipped, rig.held()), (3, 2), "two of 100 bytes fit");
}

#[test]
fn a_planned_leave_rebalances_at_once() {
    let mut rig = one(kafka(), 2, 1);
    rig.publish_many(3);
    rig.run_until(12 * MILLISECOND);
    rig.pending.retain(|p| !matches!(p.event, Event::Attempt(_)));
    rig.call(|broker, choose, out| broker.leave(GROUP, InstanceId(0), choose, out));
    rig.run_until(14 * MILLISECOND);
    assert_eq!(of_instance(&rig, 1), [(13, 1, 1, 2)]);
}

#[test]
fn a_topic_nobody_consumes_lets_go_of_its_messages() {
    let mut rig = Rig::new(&[TopicKnobs::default()], &[]);
    rig.publish(None);
    assert_eq!(rig.held(), 0);
    assert!(matches!(rig.notes[..], [Action::Unclaimed { .. }]));
}

// Google Pub/Sub, ordering keys. docs/ordering: "When the Pub/Sub service redelivers a message with an ordering
// key, the Pub/Sub service also redelivers every subsequent message with the same ordering key, including
// acknowledged messages."

#[test]
fn a_rewound_key_brings_back_what_was_acknowledged_behind_it() {
    let knobs = GroupKnobs {
        order_lock: OrderLock::Key,
        redeliver_to: RedeliverTo::RewindKey,
        stale_ack: StaleAck::Accept,
        lease: Lease::Delivery { after: 10 * SECOND },
        ..sqs()
    };
    for (concurrency, lost) in [(None, true), (None, false), (Some(1), true)] {
        let mut rig = one(GroupKnobs { concurrency, ..knobs }, 1, 1);
        for key in [7, 7, 8, 7] {
            rig.publish(Some(key));
        }
        // The acknowledgement of the first gets lost.
        rig.run_until(11 * MILLISECOND);
        let ack = rig.pending.iter().position(|p| matches!(p.event, Event::Ack(_))).expect("of the first");
        if lost {
            rig.lose_ack(ack);
        }
        rig.run_until(9 * SECOND);
        assert_eq!(rig.broker.lag(GROUP), if lost { 3 } else { 0 }, "what is behind it is kept");
        rig.run_out();
        let again: Vec<u64> = rig.started.iter().filter(|s| s.3 > 1).map(|s| s.2).collect();
        assert_eq!(again, if lost { vec![0, 1, 3] } else { vec![] });
        let first: Vec<u64> = rig.started.iter().filter(|s| s.3 == 1).map(|s| s.2).collect();
        assert!(first.iter().filter(|&&n| n != 2).is_sorted(), "a key in its order");
        assert_eq!((rig.broker.lag(GROUP), rig.held()), (0, 0));
    }
}
