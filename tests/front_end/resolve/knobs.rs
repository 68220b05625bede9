//! Knobs that are laid over one another: what counts is what a group comes to.

use super::read;

/// What is wrong where these knobs are turned on the broker, the topic and the consumer: code and place.
fn wrong(broker: &str, topic: &str, consumer: &str) -> Vec<(String, String)> {
    let text = format!(
        "scenario: s
messages: {{ Placed: {{ kind: integration, key: k, fields: {{ k: int }} }} }}
brokers: {{ b: {{ preset: {broker} }} }}
topics: {{ placed: {{ messages: [ Placed ]{topic} }} }}
services:
  stock: {{ consumes: {{ placed: {{ group: g{consumer} }} }}, handlers: {{ Placed: [ {{ work: 1ms }} ] }} }}
clients: {{ c: {{ arrivals: {{ every: 1s }}, do: [ {{ publish: Placed, with: {{ k: 1 }} }} ] }} }}
"
    );
    let (sources, diagnostics, _) = read(&text);
    let told = diagnostics.list.iter();
    told.map(|told| (told.code.to_string(), sources.text(told.span).to_owned())).collect()
}

fn contradiction(place: &str) -> Vec<(String, String)> {
    vec![("contradiction".to_owned(), place.to_owned())]
}

#[test]
fn what_contradicts_is_told_at_the_nearest_place() {
    assert_eq!(wrong("kafka", "", ""), []);
    assert_eq!(wrong("kafka", "", ", stale_ack: accept"), contradiction("stale_ack"));
    assert_eq!(wrong("kafka, stale_ack: accept", "", ""), contradiction("stale_ack"));
    assert_eq!(wrong("kafka", "", ", ack: before, order_lock: key"), contradiction("ack"));
    assert_eq!(wrong("pubsub-ordered", ", order_lock: none", ""), contradiction("order_lock"));
    assert_eq!(wrong("kafka, shards: 3", "", ""), contradiction("shards"));
    assert_eq!(wrong("sqs-standard, shards: 3", "", ""), []);
    assert_eq!(wrong("pubsub-ordered", "", ", ack_scope: on_delivery"), contradiction("ack_scope"));
}

#[test]
fn a_consumer_may_mend_what_its_topic_says() {
    assert_eq!(wrong("pubsub-ordered", ", order_lock: none", ", order_lock: key"), []);
    assert_eq!(wrong("kafka", ", stale_ack: accept", ", stale_ack: fence"), []);
}

#[test]
fn a_consumer_retains_nothing() {
    let misplaced = |part: &str| vec![("misplaced-option".to_owned(), part.to_owned())];
    assert_eq!(wrong("kafka", "", ", retain: { for: 5s }"), misplaced("for"));
    assert_eq!(wrong("kafka", "", ", retain: { bytes: 1MiB }"), misplaced("bytes"));
    assert_eq!(wrong("kafka", "", ", retain: { mode: until_ack }"), misplaced("mode"));
    assert_eq!(wrong("kafka", "", ", retain: { compact: true }"), misplaced("compact"));
    assert_eq!(wrong("kafka", "", ", retain: { reset: earliest }"), [], "where it goes on is its own");
    assert_eq!(wrong("kafka", ", retain: { for: 5s, reset: earliest }", ""), []);
}

#[test]
fn a_confirmation_waits_for_a_flush_or_for_nothing() {
    assert_eq!(wrong("kafka, min_in_sync: 2", "", ""), contradiction("min_in_sync"));
    assert_eq!(wrong("kafka, min_in_sync: 2", ", flush: 1s", ""), []);
    assert_eq!(wrong("kafka, flush: 1s", ", min_in_sync: 2", ""), []);
    assert_eq!(
        wrong("kafka, flush: 1s, min_in_sync: 2", ", flush: always", ""),
        contradiction("min_in_sync")
    );
    assert_eq!(wrong("kafka", ", min_in_sync: 1", ""), []);
}
