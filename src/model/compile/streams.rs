//! Event streams: what messages do to the state, the steps that load and append, and the relays that
//! carry what is appended to topics.

use super::Compiler;
use super::frames::Frame;
use super::steps::{BodyCompiler, push};
use crate::kernel::ids::*;
use crate::kernel::time::{MILLISECOND, SECOND};
use crate::kernel::vocabulary::{Jitter, OutboxMark, OutboxSelect};
use crate::model::code::*;
use crate::model::{AppendStep, AsOf, Place, Stream, StreamStep};
use crate::scenario::resolved as scenario;
use crate::scenario::source::{FileId, Span};
use scenario::{Step, StepKind};

/// The pace of the relay of a stream whose service has no outbox that sets it.
pub const PACE: scenario::Outbox = scenario::Outbox {
    span: Span { file: FileId(0), start: 0, end: 0 },
    every: 50 * MILLISECOND,
    batch: 100,
    select: OutboxSelect::Log,
    mark: OutboxMark::AfterPublish,
    mark_every: 5 * SECOND,
    relays: 1,
};

impl Compiler<'_> {
    /// What each message does to each stream's state, and how long reading takes.
    pub fn folds(&mut self) {
        let scenario = self.scenario;
        let frame = Frame::default();
        for (index, table) in scenario.tables.iter().enumerate() {
            let Some(spec) = &table.stream else { continue };
            let mut apply = Vec::new();
            for (message, set) in &spec.apply {
                let mut assignments = Vec::new();
                for (column, value) in set {
                    let scenario::Value::Expression(value) = value else {
                        unreachable!("resolved: a fold computes")
                    };
                    let value = Value::Computed(self.operand(value, &frame));
                    let value = push(&mut self.model.values, value);
                    assignments.push(Assignment { position: *column as u16, value });
                }
                apply.push((*message, assignments));
            }
            let path = format!("{}/read", self.model.tables[index].name);
            let read = self.generated_duration(&spec.read, &path);
            self.model.tables[index].stream = Some(Box::new(Stream {
                version: spec.version as u16,
                apply,
                read,
                snapshot_every: spec.snapshot_every.unwrap_or(u32::MAX),
                feed: None,
                keeps_past: false,
            }));
        }
    }

    /// The relays of the streams that are published, behind all outboxes. Each is its store's owner's, and
    /// keeps the pace of its outbox, if there is one.
    pub fn feeds(&mut self) {
        let scenario = self.scenario;
        for (index, table) in scenario.tables.iter().enumerate() {
            if table.stream.as_ref().is_none_or(|stream| stream.publish_to.is_none()) {
                continue;
            }
            let owner = &scenario.services[table.service.index()];
            let outbox = owner.outbox.as_ref().map_or(PACE, |outbox| scenario::Outbox {
                select: OutboxSelect::Log,
                mark: OutboxMark::AfterPublish,
                relays: 1,
                ..outbox.clone()
            });
            let store = self.store_of(table.service).expect("a stream is declared in a store");
            let path = self.model.tables[index].name.clone();
            let feed = self.relay(table.service, store, &outbox, &path);
            let stream = self.model.tables[index].stream.as_mut().expect("compiled before");
            stream.feed = Some(feed);
        }
    }
}

impl BodyCompiler<'_, '_, '_> {
    /// What a `load` asks for beside the row.
    pub(super) fn load(&mut self, step: &Step) -> Option<Box<StreamStep>> {
        let StepKind::Load { table, at, .. } = &step.kind else { return None };
        let at = at.as_ref().map(|at| match at {
            scenario::AsOf::Version(version) => AsOf::Version(self.compiler.operand(version, &self.frame)),
            scenario::AsOf::Time(time) => AsOf::Time(self.compiler.operand(time, &self.frame)),
        });
        if let (Some(_), Some(stream)) = (at, &mut self.compiler.model.tables[table.index()].stream) {
            stream.keeps_past = true;
        }
        Some(Box::new(StreamStep::Load(at)))
    }

    /// `append`: with a `retry` it is a region of its own, whose tries are counted.
    pub(super) fn append(&mut self, step: &Step, append: &scenario::Append) {
        if append.retry.is_none() {
            return self.caught(step, &append.catch, |this| this.append_once(step, append, Slot::MAX));
        }
        let outer = self.region;
        let enter = self.emit(Op::Enter(0));
        let region = self.open_region(None, append.retry.as_ref(), step);
        self.compiler.model.code[enter as usize] = Op::Enter(region);
        let tries = self.compiler.model.regions[region as usize].tries;
        self.append_once(step, append, tries);
        self.region = outer;
        self.close_region(region, &append.catch);
    }

    fn append_once(&mut self, step: &Step, append: &scenario::Append, tries: Slot) {
        let fields = &self.compiler.scenario.messages[append.message.index()].fields;
        let with = self.assignments(&append.with, &step.path, |field| &fields[field].name);
        let (latency, commit) = self.row_latencies(RowVerb::Append, false, &step.path);
        let expect = append.expect.as_ref().map(|expect| self.compiler.operand(expect, &self.frame));
        let key = append.key.iter().map(|part| self.compiler.operand(part, &self.frame)).collect();
        let publish = self.published(step, append, with, latency, commit);
        let row_step = RowStep {
            verb: RowVerb::Append,
            table: append.table,
            key: Some(key),
            filter: None,
            set: Vec::new(),
            result: None,
            order_by: None,
            descending: false,
            limit: None,
            next: 0,
            otherwise: None,
            latency,
            commit,
            site: self.compiler.site(self.site, step),
            unanswered: self.unanswered(step),
            from_replica: false,
            stream: Some(Box::new(StreamStep::Append(AppendStep {
                message: append.message,
                with,
                expect,
                publish,
                id: self.frame.hidden(1),
                tries,
            }))),
            once_per: self.once_per(step),
        };
        let index = push(&mut self.compiler.model.row_steps, row_step);
        self.emit(Op::Row(index));
        self.compiler.model.row_steps[index as usize].next = self.here();
    }

    /// The way from the stream to its topic, if it has one.
    fn published(
        &mut self,
        step: &Step,
        append: &scenario::Append,
        with: Range,
        write: Duration,
        commit: Duration,
    ) -> u32 {
        let scenario = self.compiler.scenario;
        let table = &scenario.tables[append.table.index()];
        let stream = table.stream.as_ref().expect("resolved: what is appended to is a stream");
        let Some(topic) = stream.publish_to else { return NONE };
        let broker = scenario.topics[topic.index()].broker;
        let producer = &scenario.topics[topic.index()].knobs.producer;
        let relay = Place::Outbox(table.service);
        let there = self.compiler.route(relay, Place::Broker(broker));
        let back = self.compiler.route(Place::Broker(broker), relay);
        let hops = self.compiler.hops(there, back, &step.path, false);
        let once = Retry {
            attempts: Some(1),
            delay: 0,
            factor: 1.0,
            max_delay: None,
            give_up: None,
            jitter: Jitter::None,
            errors: None,
        };
        let store = self.site.store.expect("resolved: a stream is in a store");
        let site = match &step.name {
            Some(name) => format!("{}/{name}", self.site.path),
            None => step.path.clone(),
        };
        let publish = PublishStep {
            in_sequence: false,
            message: append.message,
            topic,
            with,
            key: None,
            id: None,
            outbox: Some(OutboxTimes { store, write, commit }),
            with_ack: false,
            delay: None,
            expires: None,
            tombstone: false,
            in_flight: producer.in_flight.unwrap_or(u32::MAX),
            confirm: producer.confirm,
            timeout: self.compiler.ring(producer.timeout),
            retry: push(&mut self.compiler.model.retries, once),
            jitter: StreamId(NONE),
            site: self.compiler.site_named(format!("{site}/published")),
            route: there,
            back,
            hops,
            unanswered: Vec::new(),
        };
        push(&mut self.compiler.model.publishes, publish)
    }
}
