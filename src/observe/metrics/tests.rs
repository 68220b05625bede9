//! Records by hand, and what is made of them.

use super::*;
use crate::kernel::ids::*;
use crate::model::{Error, FaultKind, NONE, compile};
use crate::scenario::{load, resolve};
use crate::world::record::{Outcome, Settlement};

const TEXT: &str = "
scenario: measured
run: { horizon: 100s, warm_up: 20s, replications: 1 }
messages:
  Task: { kind: command }
  News: { kind: integration, key: id, fields: { id: id } }
brokers: { broker: { preset: rabbitmq-classic } }
topics:
  dead: { messages: [ News ] }
  news: { messages: [ News ] }
services:
  server:
    workers: 1
    instances: 2
    queue: { capacity: 5, shed: drop_oldest }
    handlers:
      Task: [ { work: 1s }, { publish: News, to: news, with: { id: unique() } } ]
  reader:
    workers: 1
    consumes:
      news: { ack: after, exhaust: { after: 3, then: dead_letter, dead_letter: dead } }
    handlers: { News: [ { work: 1s } ] }
  mourner:
    workers: 1
    consumes: { dead: { ack: after } }
    handlers: { News: [ { work: 1s } ] }
clients:
  source:
    arrivals: { poisson: 1/s }
    calls: { server: { timeout: 5s } }
    do: [ { call: server.Task } ]
";

fn model() -> Model {
    let (sources, mut diagnostics, loaded) = load::load_text("measured.yaml", TEXT, &[]);
    let scenario = loaded.and_then(|loaded| resolve::resolve(&loaded, &sources, &mut diagnostics));
    let style = crate::scenario::render::Style::Plain;
    let Some(scenario) = scenario else {
        panic!("{}", crate::scenario::render::render(&sources, &diagnostics, style, 100))
    };
    compile::compile(&scenario, &sources)
}

fn figures(records: &[(u64, Record)]) -> Figures {
    let mut metrics = Metrics::new(&model());
    for (second, record) in records {
        metrics.record(second * SECOND, record);
    }
    metrics.finish().0
}

const SERVER: InstanceId = InstanceId(0);

fn started(attempt: u32, ticket: u32) -> Record {
    Record::Started { instance: SERVER, attempt, ticket, obligation: 0 }
}

fn ended(attempt: u32, outcome: Outcome) -> Record {
    Record::Ended { instance: SERVER, attempt, outcome }
}

fn end() -> (u64, Record) {
    (130, Record::End { quiet: true })
}

/// Intents begun in the window count, to their end after it; those begun in the warm-up do not.
#[test]
fn intents_are_followed_to_their_end() {
    let begun = |attempt| Record::IntentBegun { client: ClientId(0), attempt, number: 0 };
    let ended = |attempt, outcome| Record::IntentEnded { client: ClientId(0), attempt, outcome };
    let figures = figures(&[
        (10, begun(0)),
        (20, begun(1)),
        (21, ended(0, Outcome::Well)),
        (23, ended(1, Outcome::Well)),
        (30, begun(0)),
        (35, ended(0, Outcome::Error(Error::Timeout))),
        (98, begun(2)),
        (99, begun(3)),
        (105, ended(2, Outcome::Well)),
        end(),
    ]);
    let client = &figures.clients[0];
    assert_eq!((client.offered, client.throughput), (4.0 / 80.0, 2.0 / 80.0));
    assert_eq!((client.success, client.timeouts), (Some(0.5), Some(0.25)));
    assert_eq!((client.errors, client.unfinished), (Some(0.0), Some(0.25)));
    assert_eq!((client.response_time.mean, client.response_time.max), (Some(5.0), Some(7.0)));
    let ends: f64 = client.throughput_over_time.iter().sum::<f64>() * client.width;
    assert!((ends - 2.0).abs() < 1e-9, "the one that ended after the horizon is in no bucket");
    assert_eq!(figures.drained, 30.0);
}

/// One in work, two waiting, one of them shed; then the instance crashes with the rest.
#[test]
fn shed_and_crashed_are_told_apart() {
    let waits = |ticket| Record::Waits { instance: SERVER, ticket };
    let dropped = |ticket| Record::Dropped { instance: SERVER, ticket };
    let figures = figures(&[
        (20, started(0, NONE)),
        (22, waits(0)),
        (24, waits(1)),
        (24, Record::Rejected { instance: SERVER }),
        (26, dropped(0)),
        (30, Record::InstanceDown { instance: SERVER, waiting: 1, busy: 1 }),
        (30, dropped(1)),
        (30, ended(0, Outcome::Cut)),
        (40, Record::InstanceUp { instance: SERVER }),
        (50, started(0, NONE)),
        (50, waits(0)),
        (60, ended(0, Outcome::Well)),
        (60, started(0, 0)),
        (110, ended(0, Outcome::Well)),
        end(),
    ]);
    let service = &figures.services[0];
    assert_eq!(service.rejected, Some(2.0 / 6.0));
    assert_eq!(service.queue_length, (4.0 + 6.0 + 10.0) / 80.0);
    let busy = 10.0 + 10.0 + 40.0;
    // One of two instances was down for 10 s.
    assert_eq!(service.utilization, Some(busy / (2.0 * 80.0 - 10.0)));
    assert_eq!(service.in_system, (20.0 + busy) / 80.0);
    assert_eq!(service.waiting_time.max, Some(10.0));
    assert_eq!((service.service_time.mean, service.sojourn_time.mean), (Some(30.0), Some(35.0)));
    assert_eq!(service.throughput, 1.0 / 80.0);
    assert_eq!(service.number_in_system[0], 20.0 / 80.0);
    let down = (30.0 / service.width) as usize + 1;
    assert_eq!(service.utilization_over_time[down], 0.0);
}

/// A dead letter keeps its time in the topic it came from, and has one of its own in the other.
#[test]
fn a_dead_letter_lives_in_two_topics() {
    let (dead, news) = (TopicId(0), TopicId(1));
    let model = model();
    let reader = model.topics[1].groups[0];
    let mourner = model.topics[0].groups[0];
    let accepted = |topic, message| Record::Accepted { topic, message, obligation: 0 };
    let delivered = |group, again| Record::Delivered { group, instance: InstanceId(2), again };
    let settled = |group, message, how| Record::Settled { group, message, how };
    let figures = figures(&[
        (20, accepted(news, 7)),
        (20, accepted(news, 8)),
        (20, delivered(reader, false)),
        (25, delivered(reader, true)),
        (30, accepted(dead, 7)),
        (30, settled(reader, 7, Settlement::DeadLettered)),
        (32, settled(reader, 8, Settlement::Acknowledged)),
        (32, Record::Released { message: 8 }),
        (34, delivered(mourner, false)),
        (44, settled(mourner, 7, Settlement::Acknowledged)),
        (44, Record::Released { message: 7 }),
        (50, accepted(news, 7)),
        (51, settled(reader, 7, Settlement::Acknowledged)),
        (51, Record::Released { message: 7 }),
        end(),
    ]);
    let (of_reader, of_mourner) =
        (&figures.subscriptions[reader.index()], &figures.subscriptions[mourner.index()]);
    assert_eq!((of_reader.accepted, of_mourner.accepted), (3.0 / 80.0, 1.0 / 80.0));
    assert_eq!((of_reader.deliveries, of_reader.redeliveries), (1.0 / 80.0, 1.0 / 80.0));
    assert_eq!((of_reader.exhausted, of_reader.lag_max), (1.0 / 80.0, 2.0));
    assert_eq!(of_reader.lag, (20.0 + 2.0 + 1.0) / 80.0);
    assert_eq!(of_reader.time_in_topic.mean, Some(6.5));
    assert_eq!(of_mourner.time_in_topic.mean, Some(14.0));
}

/// Tries are those of calls begun in the window.
#[test]
fn calls_count_their_tries() {
    let begun = Record::CallBegun { figures: 0, attempt: 3 };
    let tried = Record::CallTried { figures: 0, attempt: 3 };
    let ended = |outcome| Record::CallEnded { figures: 0, attempt: 3, outcome };
    let figures = figures(&[
        (19, begun),
        (19, tried),
        (22, tried),
        (23, ended(Outcome::Well)),
        (30, begun),
        (30, tried),
        (33, tried),
        (36, tried),
        (37, ended(Outcome::Well)),
        (40, begun),
        (40, tried),
        (41, ended(Outcome::Error(Error::Rejected))),
        end(),
    ]);
    let call = &figures.calls[0];
    assert_eq!((call.tries, call.success, call.errors), (Some(2.0), Some(0.5), Some(0.5)));
    assert_eq!(call.response_time.mean, Some(7.0));
}

/// Bands end when the fault heals; one that never did, with the horizon.
#[test]
fn faults_leave_bands() {
    let mut meter = FaultMeter::of(&FaultKind::Pause(ServiceId(0)));
    meter.began(5 * SECOND, 1);
    meter.ended(7 * SECOND);
    meter.began(90 * SECOND, 0);
    let figures = meter.finish(Window { from: 20 * SECOND, to: 100 * SECOND });
    assert_eq!((figures.fired, figures.touched), (2, 1));
    // A firing that hits nothing lasts no time.
    assert_eq!(figures.bands, [(5.0, 7.0)]);
}
