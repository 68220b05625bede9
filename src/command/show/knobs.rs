//! Knobs as they are written, and where they differ from those of a preset.

use super::quantity::{count, time};
use crate::scenario::resolved::*;

/// What a knob says.
type Line = (&'static str, String);

/// Knobs of what is kept and of those who send it.
pub fn of_topic(knobs: &Knobs) -> Vec<Line> {
    let retain = &knobs.retain;
    let producer = &knobs.producer;
    vec![
        ("partitions", knobs.partitions.to_string()),
        (
            "route",
            match knobs.route {
                PartitionRoute::ByKey => "by_key".into(),
                PartitionRoute::RoundRobin => "round_robin".into(),
            },
        ),
        (
            "retain",
            format!(
                "mode {}, for {}, bytes {}, reset {}",
                if retain.log { "log" } else { "until_ack" },
                retain.duration.map_or("ever".into(), time),
                retain.bytes.map_or("unlimited".into(), |bytes| format!("{bytes}B")),
                if retain.reset_earliest { "earliest" } else { "latest" },
            ),
        ),
        ("delay", time(knobs.delay)),
        (
            "producer",
            format!(
                "confirm {}, timeout {}, attempts {}, delay {}, max_delay {}, give_up {}, in_flight {}, deduplicate {}",
                producer.confirm,
                time(producer.timeout),
                producer.attempts,
                time(producer.delay),
                time(producer.max_delay),
                producer.give_up.map_or("never".into(), time),
                count(producer.in_flight),
                deduplication(producer),
            ),
        ),
    ]
}

/// Knobs of those who consume.
pub fn of_subscription(knobs: &Knobs, scenario: &Scenario) -> Vec<Line> {
    let lease = &knobs.lease;
    vec![
        ("order_lock", word(&knobs.order_lock)),
        (
            "max_in_flight",
            format!(
                "per_consumer {}, per_group {}",
                count(knobs.max_in_flight_per_consumer),
                count(knobs.max_in_flight_per_group)
            ),
        ),
        ("batch", knobs.batch.to_string()),
        ("ack_scope", word(&knobs.ack_scope)),
        (
            "lease",
            match lease.kind {
                LeaseKind::Connection => {
                    let poll = lease.poll.map_or("never due".into(), time);
                    format!("connection, detect {}, poll {poll}", time(lease.detect))
                }
                LeaseKind::Session => {
                    let poll = lease.poll.map_or("never due".into(), time);
                    format!("session, after {}, poll {poll}", time(lease.after))
                }
                LeaseKind::Transaction => {
                    let idle = if lease.after == NEVER { "never".into() } else { time(lease.after) };
                    format!("transaction, after {idle}, detect {}", time(lease.detect))
                }
                kind => format!("{}, after {}", word(&kind), time(lease.after)),
            },
        ),
        ("redeliver", format!("to {}, delay {}", word(&knobs.redeliver.to), time(knobs.redeliver.delay))),
        ("stale_ack", word(&knobs.stale_ack)),
        ("exhaust", exhaustion(&knobs.exhaust, scenario)),
        (
            "rebalance",
            format!(
                "mode {}, pause {}",
                if knobs.rebalance.cooperative { "cooperative" } else { "eager" },
                time(knobs.rebalance.pause)
            ),
        ),
    ]
}

/// One line a knob; what the preset says stands behind those that differ from it.
pub fn compared(lines: Vec<Line>, preset: Option<Vec<Line>>, preset_name: &str) -> Vec<String> {
    let usual = |name: &str| {
        let of_preset = preset.iter().flatten().find(|(known, _)| *known == name);
        of_preset.map(|(_, value)| value.clone())
    };
    let line = |(name, value): &Line| match usual(name) {
        Some(usual) if usual != *value => format!("{name:<14} {value}   [{preset_name}: {usual}]"),
        _ => format!("{name:<14} {value}"),
    };
    lines.iter().map(line).collect()
}

fn deduplication(producer: &Producer) -> String {
    match producer.deduplicate_by {
        DeduplicateBy::None => "none".into(),
        by => {
            let scope = if producer.deduplicate_per_partition { "partition" } else { "topic" };
            let window = match (producer.deduplicate_batches, producer.deduplicate_window) {
                (Some(batches), _) => format!("{batches} batches"),
                (None, Some(window)) => time(window),
                (None, None) => "unlimited".into(),
            };
            format!("by {} in a {scope} within {window}", word(&by))
        }
    }
}

fn exhaustion(exhaust: &Exhaust, scenario: &Scenario) -> String {
    let Some(after) = exhaust.after else { return "never".into() };
    let counted = if exhaust.count_failures { "failures" } else { "deliveries" };
    let then = match (exhaust.then, exhaust.dead_letter) {
        (ExhaustThen::DeadLetter, Some(topic)) => {
            format!("dead_letter {}", scenario.topics[topic.index()].name)
        }
        (then, _) => word(&then),
    };
    format!("after {after} {counted}, then {then}")
}

/// The word of a variant, as the language spells it: `RewindPartition` is `rewind_partition`.
pub fn word(variant: &impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for letter in format!("{variant:?}").chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(letter.to_lowercase());
    }
    word
}
