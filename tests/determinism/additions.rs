//! Common random numbers: whoever is added changes nobody else's draws.

use super::golden::settings;
use crate::runs::{model, model_of};
use eventflow::experiment::replication::{agenda, replicate};
use eventflow::kernel::ids::ClientId;
use eventflow::kernel::stream::StreamPlan;
use eventflow::kernel::time::Nanos;
use eventflow::model::Model;
use eventflow::world::Limits;
use eventflow::world::record::{Observer, Outcome, Record};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The intents of one client: when each began, how and when it ended.
struct Intents {
    client: ClientId,
    /// By slot of the attempt: the number of the intent.
    numbers: Vec<u64>,
    began: Vec<Nanos>,
    ended: Vec<Option<(Nanos, Outcome)>>,
}

impl Observer for Intents {
    fn record(&mut self, now: Nanos, record: &Record) {
        match *record {
            Record::IntentBegun { client, attempt, number } if client == self.client => {
                let slot = attempt as usize;
                self.numbers.resize(self.numbers.len().max(slot + 1), 0);
                self.numbers[slot] = number;
                assert_eq!(self.began.len() as u64, number);
                self.began.push(now);
                self.ended.push(None);
            }
            Record::IntentEnded { client, attempt, outcome } if client == self.client => {
                self.ended[self.numbers[attempt as usize] as usize] = Some((now, outcome));
            }
            _ => {}
        }
    }
}

type Seen = (Vec<Nanos>, Vec<Option<(Nanos, Outcome)>>);

/// What a client sees in one replication.
fn seen_by(client: &str, model: &Model) -> Seen {
    let position = model.clients.iter().position(|spec| spec.name == client).unwrap();
    let mut intents = Intents {
        client: ClientId::new(position),
        numbers: Vec::new(),
        began: Vec::new(),
        ended: Vec::new(),
    };
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let agenda = agenda(model, &plan, model.seed, 0);
    replicate(model, agenda, &mut intents, Limits::default(), &AtomicBool::new(false)).unwrap();
    (intents.began, intents.ended)
}

/// The shopper of the chain with additions, and of the fan-out.
fn assert_unmoved(additions: &[&str]) {
    for name in ["coupling/request-chain", "coupling/event-fan-out"] {
        let settings = settings(name);
        let alone = seen_by("shopper", &model(name, &settings));
        assert!(alone.0.len() > 800, "{}", alone.0.len());
        let with: Vec<&str> = settings.iter().chain(additions).copied().collect();
        let with = seen_by("shopper", &model(name, &with));
        let moved = (0..alone.0.len().max(with.0.len()))
            .find(|&i| alone.0.get(i) != with.0.get(i) || alone.1.get(i) != with.1.get(i));
        assert_eq!(moved, None, "{name}: the first intent that {additions:?} moves");
    }
}

#[test]
fn an_idle_service_moves_nobody() {
    assert_unmoved(&["services.idle={workers: 3, store: {tables: {t: {key: id, columns: {n: int}}}}}"]);
}

#[test]
fn a_fault_that_never_fires_moves_nobody() {
    assert_unmoved(&["faults.never={crash: inventory, every: {constant: 1h}}"]);
}

#[test]
fn another_client_of_another_service_moves_nobody() {
    assert_unmoved(&[
        "messages.Ping={kind: command}",
        "services.other={workers: 2, handlers: {Ping: [{work: {exponential: 5ms}}, reply]}}",
        "clients.pinger={arrivals: {poisson: 50/s}, calls: {other: {timeout: 1s}}, do: [{call: other.Ping}]}",
    ]);
}

#[test]
fn a_job_of_another_service_moves_nobody() {
    assert_unmoved(&[
        "services.other={workers: 2, jobs: {sweep: {every: 100ms, do: [{work: {exponential: 5ms}}]}}}",
    ]);
}

/// A shop with everything that draws: a job, a retry, a lossy network, a topic with redeliveries. In front of each section
/// there is room for an addition.
fn shop(message: &str, topic: &str, service: &str, client: &str, fault: &str) -> Model {
    model_of(&format!(
        "
scenario: shop
seed: 5
run: {{ horizon: 10s, warm_up: 1s, replications: 1, drain: 60s }}
messages:
{message}
  Buy: {{ kind: command }}
  Check: {{ kind: command }}
  Bought: {{ kind: integration, key: id, fields: {{ id: id, n: int }} }}
brokers: {{ kafka: {{ preset: kafka }} }}
topics:
{topic}
  news: {{ messages: [ Bought ], partitions: 3 }}
services:
{service}
  front:
    instances: 2
    workers: 4
    routing: random
    store: {{ tables: {{ sold: {{ key: id, columns: {{ n: int }} }} }} }}
    calls: {{ back: {{ timeout: 30ms, retry: {{ attempts: 4, delay: 5ms, jitter: full }} }} }}
    handlers:
      Buy:
        - work: {{ exponential: 3ms }}
        - let: {{ n: {{ uniform: [1, 9] }} }}
        - call: back.Check
        - {{ publish: Bought, to: news, with: {{ id: unique(), n: n }} }}
        - reply
    jobs:
      tidy: {{ every: 200ms, do: [ {{ work: {{ exponential: 40ms }} }}, {{ call: back.Check }} ] }}
  back:
    workers: 3
    handlers: {{ Check: [ {{ work: {{ lognormal: {{ median: 4ms, p99: 40ms }} }} }}, reply ] }}
  reader:
    workers: 2
    consumes: {{ news: {{ ack: after }} }}
    calls: {{ back: {{ timeout: 1s }} }}
    handlers: {{ Bought: [ {{ work: {{ exponential: 6ms }} }}, {{ call: back.Check }} ] }}
clients:
{client}
  buyer:
    arrivals: {{ poisson: 100/s }}
    calls: {{ front: {{ timeout: 500ms, retry: {{ attempts: 3, delay: 20ms, jitter: full }} }} }}
    do: [ {{ call: front.Buy }} ]
network:
  default: {{ latency: {{ lognormal: {{ median: 300us, p99: 3ms }} }}, loss: 1% }}
faults:
{fault}
  slow_back: {{ slow: back, by: 3, every: {{ exponential: 2s }}, for: 500ms }}
  crash_reader: {{ crash: front, every: {{ exponential: 4s }}, for: 300ms }}
"
    ))
}

/// Ids are positions, and whoever comes first in the file shifts them: draws do not depend on ids.
#[test]
fn additions_in_front_move_nobody() {
    const MESSAGE: &str =
        "  Ping: { kind: command }\n  Pong: { kind: integration, key: id, fields: { id: id } }";
    const TOPIC: &str = "  pongs: { messages: [ Pong ] }";
    const SERVICE: &str = "
  other:
    workers: 2
    consumes: { pongs: { ack: after } }
    handlers:
      Ping: [ { work: { exponential: 5ms } }, { publish: Pong, to: pongs, with: { id: unique() } }, reply ]
      Pong: [ { work: { exponential: 5ms } } ]
    jobs: { sweep: { every: 100ms, do: [ { work: { exponential: 5ms } } ] } }";
    const CLIENT: &str = "  pinger: { arrivals: { poisson: 50/s }, calls: { other: { timeout: 1s } }, do: [ { call: other.Ping } ] }";
    const FAULT: &str = "  never: { crash: back, every: { constant: 1h } }";
    const IDLE: &str = "  idle: { workers: 1 }";
    let alone = seen_by("buyer", &shop("", "", "", "", ""));
    for (what, with) in [
        ("a fault", shop("", "", "", "", FAULT)),
        ("an idle service", shop("", "", IDLE, "", "")),
        ("all", shop(MESSAGE, TOPIC, SERVICE, CLIENT, FAULT)),
    ] {
        let with = seen_by("buyer", &with);
        let moved =
            (0..alone.0.len()).find(|&i| alone.0.get(i) != with.0.get(i) || alone.1.get(i) != with.1.get(i));
        assert_eq!(moved, None, "{what}: the first intent that moved");
    }
}
