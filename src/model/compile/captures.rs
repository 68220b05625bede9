//! Change logs: what of a table's rows goes into the messages that tell of their changes, and the relays that carry
//! them to their topics.

use super::Compiler;
use super::streams::PACE;
use crate::kernel::ids::*;
use crate::kernel::vocabulary::{OutboxMark, OutboxSelect};
use crate::model::code::*;
use crate::model::{Capture, Place};
use crate::scenario::resolved as scenario;

impl Compiler<'_> {
    /// Every table that is captured gets a relay, behind all others. It follows the commits, at the pace of the outbox
    /// of the table's service if there is one, and saves its position now and then, as connectors do.
    pub fn captures(&mut self) {
        let scenario = self.scenario;
        for (index, topic) in scenario.topics.iter().enumerate() {
            let Some(capture) = &topic.capture else { continue };
            let table = &scenario.tables[capture.table.index()];
            let owner = &scenario.services[table.service.index()];
            let pace = owner.outbox.as_ref().unwrap_or(&PACE);
            let outbox = scenario::Outbox {
                select: OutboxSelect::Log,
                mark: OutboxMark::Periodic,
                relays: 1,
                ..pace.clone()
            };
            let store = self.store_of(table.service).expect("resolved: the table is in a store");
            let path =
                format!("{}/captured by {}", self.model.tables[capture.table.index()].name, topic.name);
            let feed = self.relay(table.service, store, &outbox, &path);
            let publish = self.told_by_relay(TopicId::new(index), capture.message, table.service, &path);
            let fields = capture.fields.iter().map(|field| match field {
                scenario::CapturedField::Column(column) => Some(*column as u16),
                scenario::CapturedField::Deleted => None,
            });
            let fields = fields.collect();
            self.model.tables[capture.table.index()].captures.push(Capture {
                message: capture.message,
                publish,
                feed,
                fields,
            });
        }
    }

    /// How a relay publishes what no step does.
    fn told_by_relay(&mut self, topic: TopicId, message: MessageId, service: ServiceId, path: &str) -> u32 {
        let spec = &self.scenario.topics[topic.index()];
        let (broker, producer) = (spec.broker, spec.knobs.producer.clone());
        let relay = Place::Outbox(service);
        let there = self.route(relay, Place::Broker(broker));
        let back = self.route(Place::Broker(broker), relay);
        let hops = self.hops(there, back, path, false);
        let timeout = self.ring(producer.timeout);
        let site = self.site_named(path.to_owned());
        let none = Duration::Constant(0);
        let publish = PublishStep {
            message,
            topic,
            with: Range { start: 0, length: 0 },
            key: None,
            id: None,
            outbox: Some(OutboxTimes { store: 0, write: none, commit: none }),
            with_ack: false,
            delay: None,
            expires: None,
            tombstone: false,
            in_flight: producer.in_flight.unwrap_or(u32::MAX),
            in_sequence: false,
            confirm: producer.confirm,
            timeout,
            retry: NONE,
            jitter: StreamId(NONE),
            site,
            route: there,
            back,
            hops,
            unanswered: Vec::new(),
        };
        super::steps::push(&mut self.model.publishes, publish)
    }
}
