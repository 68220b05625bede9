//! Messages, tables, stores, services, clients, jobs, topics and groups.

use super::expressions::{owns_list, word_of};
use super::steps::{Site, push};
use super::{Compiler, Latency};
use crate::kernel::ids::*;
use crate::kernel::stream::{Draw, DrawKey};
use crate::kernel::time::{LONGEST, Nanos};
use crate::model::code::NONE;
use crate::model::messaging::{self, AckMode, ExhaustCount, RedeliverTo};
use crate::model::promise::{self, Reading};
use crate::model::*;
use crate::scenario::resolved as scenario;

/// How words of a type are read.
fn reading(ty: &scenario::Type) -> Reading {
    match ty {
        scenario::Type::Id => Reading::Id,
        scenario::Type::Int => Reading::Integer,
        scenario::Type::Bool => Reading::Truth,
        scenario::Type::Text | scenario::Type::Enumeration(_) => Reading::Symbol,
        scenario::Type::Time => Reading::Moment,
        scenario::Type::Duration => Reading::Duration,
        scenario::Type::Size => Reading::Bytes,
        scenario::Type::Number | scenario::Type::Rate => Reading::Float,
        scenario::Type::List(_) | scenario::Type::Row(_) | scenario::Type::Reply(_) => Reading::List,
    }
}

/// The columns that may change in certain ways only.
fn lifecycles(columns: &[scenario::Column]) -> Vec<(u16, Vec<promise::Transition>)> {
    let with_one = columns.iter().enumerate().filter(|(_, column)| !column.lifecycle.is_empty());
    let words = |column: &scenario::Column| {
        column.lifecycle.iter().map(|(from, to)| (from.0 as Word, to.0 as Word)).collect()
    };
    with_one.map(|(position, column)| (position as u16, words(column))).collect()
}

/// A count as the world compares it.
fn count(count: scenario::Count) -> u32 {
    count.unwrap_or(u32::MAX)
}

impl Compiler<'_> {
    pub fn tables(&mut self) {
        let scenario = self.scenario;
        for (id, message) in scenario.messages.iter().enumerate() {
            let fields = self.room_of(MessageId::new(id));
            let lists = |fields: &[scenario::Field]| {
                fields
                    .iter()
                    .enumerate()
                    .filter(|(_, field)| owns_list(&field.ty))
                    .map(|(at, _)| at as u16)
                    .collect()
            };
            self.model.messages.push(Message {
                name: message.name.clone(),
                fields: fields.len() as u16,
                schema: message.schema,
                fill: Vec::new(),
                reply_fields: message.reply.len() as u16,
                key: message.key.map(|key| key as u16),
                size_bytes: message.size,
                list_fields: lists(fields),
                list_reply_fields: lists(&message.reply),
                field_names: fields.iter().map(|field| field.name.clone()).collect(),
                readings: fields.iter().map(|field| reading(&field.ty)).collect(),
            });
        }
        let mut numbers = vec![[0u32; 2]; scenario.services.len()];
        for table in &scenario.tables {
            let number = &mut numbers[table.service.index()][table.memory as usize];
            let ttl = table.ttl.map(|ttl| self.ring(ttl));
            self.model.tables.push(Table {
                name: format!("{}.{}", scenario.services[table.service.index()].name, table.name),
                number: *number,
                memory: table.memory,
                columns: table.columns.len() as u16,
                key: table.key.iter().map(|key| *key as u32).collect(),
                initial: table.columns.iter().map(|column| word_of(&column.initial)).collect(),
                rows: table.rows.iter().map(|row| row.iter().map(word_of).collect()).collect(),
                ttl,
                capacity: count(table.capacity),
                bookkeeping: table.bookkeeping,
                incidental: table.columns.iter().map(|column| column.incidental).collect(),
                column_names: table.columns.iter().map(|column| column.name.clone()).collect(),
                readings: table.columns.iter().map(|column| reading(&column.ty)).collect(),
                lifecycles: lifecycles(&table.columns),
                stream: None,
                captures: Vec::new(),
            });
            *number += 1;
        }
    }

    pub fn stores(&mut self) {
        for (service, spec) in self.scenario.services.iter().enumerate() {
            if let Some(scenario::StoreUse::Own(own)) = &spec.store {
                let flush = own.flush_every.map(|every| self.ring(every));
                let copies = self.copies(own, &spec.name);
                let is_succeeded = matches!(copies, Some(crate::model::Copies::Follow { .. }))
                    && self.scenario.faults.iter().any(|fault| {
                        matches!(
                            fault.kind,
                            scenario::FaultKind::Store { service: of, what: crate::model::StoreFault::Failover }
                                if of.index() == service
                        )
                    });
                self.model.stores.push(Store {
                    flush,
                    copies,
                    is_succeeded,
                    service: ServiceId::new(service),
                    isolation: own.isolation,
                    connections: count(own.connections),
                    region: if own.place.len() > 1 { u16::MAX } else { self.region_in_turn(&own.place, 0) },
                    tables: own.tables.clone(),
                });
            }
        }
        self.region_links();
    }

    /// Index of the store that a service uses.
    pub fn store_of(&self, service: ServiceId) -> Option<u32> {
        let owner = match self.scenario.services[service.index()].store.as_ref()? {
            scenario::StoreUse::Own(_) => service,
            scenario::StoreUse::Shared(owner) => *owner,
        };
        self.model.stores.iter().position(|store| store.service == owner).map(|at| at as u32)
    }

    pub fn services(&mut self) {
        let scenario = self.scenario;
        let mut origin = scenario.clients.len() as u32;
        for (index, spec) in scenario.services.iter().enumerate() {
            let id = ServiceId::new(index);
            let first_instance = self.model.instances.len() as u32;
            for number in 0..spec.most_instances() {
                let region = self.region_in_turn(&spec.place, number as usize);
                self.model.instances.push(Instance { service: id, number, region });
            }
            let jobs = (0..spec.jobs.len()).map(|at| JobId::new(self.model.jobs.len() + at)).collect();
            let store = self.store_of(id);
            let store_way = store.and_then(|store| self.store_way(id, store));
            self.model.services.push(Service {
                name: spec.name.clone(),
                first_instance,
                instances: spec.most_instances(),
                instances_at_start: spec.instances,
                workers: count(spec.workers),
                cpus: count(spec.cpus),
                order: spec.queue.order,
                priority: None,
                capacity: count(spec.queue.capacity),
                shed: spec.queue.shed,
                routing: spec.routing,
                store,
                store_way,
                memory: spec.memory.clone(),
                outbox: None,
                groups: spec.groups.clone(),
                jobs,
                handlers: Vec::new(),
                versions: Vec::new(),
            });
            for job in &spec.jobs {
                let every = self.generated_duration(&job.every, &format!("{}/{}/every", spec.name, job.name));
                let key = self.origin_key("job", &format!("{}/{}", spec.name, job.name));
                self.model.jobs.push(Job {
                    name: format!("{}/{}", spec.name, job.name),
                    service: id,
                    every,
                    once: job.once,
                    per_row: matches!(job.once_per, scenario::OncePer::Row),
                    body: HandlerId(NONE),
                    key,
                    origin,
                    absent_in: job.absent_in.clone(),
                });
                origin += 1;
            }
        }
    }

    /// The root of an origin's obligations. Two names whose spaces of numbered draws are the same by chance
    /// (one pair in a million) part, the later one moving on.
    fn origin_key(&mut self, kind: &str, name: &str) -> u64 {
        let mut key = key_of(kind, name);
        // With more origins than there are spaces, some share one.
        while !self.draw_origins.insert(DrawKey::origin_of(key)) && self.draw_origins.len() < 1 << 20 {
            key = key.wrapping_add(1 << 44);
        }
        key
    }

    /// The code of every handler, job and client.
    pub fn bodies(&mut self) {
        let scenario = self.scenario;
        let mut job = 0;
        for (index, spec) in scenario.services.iter().enumerate() {
            let id = ServiceId::new(index);
            let store = self.store_of(id);
            let place = Place::Service(id);
            for handler in &spec.handlers {
                let path = format!("{}/{}", spec.name, scenario.messages[handler.message.index()].name);
                self.message_in_hand = handler.message;
                let body = self.body(
                    path.clone(),
                    &handler.body,
                    &Site { path: &path, place, store, service: Some(id) },
                );
                self.model.services[index].handlers.push((handler.message, body));
            }
            self.sagas(id, place, store);
            for spec_job in &spec.jobs {
                let path = format!("{}/{}", spec.name, spec_job.name);
                self.message_in_hand = MessageId(NONE);
                let body = self.body(
                    path.clone(),
                    &spec_job.body,
                    &Site { path: &path, place, store, service: Some(id) },
                );
                self.model.jobs[job].body = body;
                job += 1;
            }
            if let Some(by) = &spec.queue.by {
                let priority = self.operand(by, &super::frames::Frame::default());
                self.model.services[index].priority = Some(priority);
            }
        }
        for (index, spec) in scenario.clients.iter().enumerate() {
            let path = format!("{}/do", spec.name);
            let place = Place::Client(ClientId::new(index));
            self.message_in_hand = MessageId(NONE);
            let body =
                self.body(path.clone(), &spec.body, &Site { path: &path, place, store: None, service: None });
            let arrivals = self.arrivals(spec);
            let key = self.origin_key("client", &spec.name);
            self.model.clients.push(Client {
                name: spec.name.clone(),
                arrivals,
                count: spec.count.unwrap_or(u64::MAX),
                body,
                region: self.region_in_turn(&spec.place, 0),
                key,
            });
        }
    }

    /// A word as a value.
    pub fn symbol(&mut self, word: &str) -> SymbolId {
        let symbols = &mut self.model.names.symbols;
        match symbols.iter().position(|known| known == word) {
            Some(at) => SymbolId::new(at),
            None => SymbolId(push(symbols, word.to_string())),
        }
    }

    fn arrivals(&mut self, client: &scenario::Client) -> Arrivals {
        let name = &client.name;
        let interval = format!("{name}/arrivals");
        match &client.arrivals {
            scenario::Arrivals::Poisson { rate } => {
                Arrivals::Renewal { interval: self.exponential_stream(interval, *rate) }
            }
            scenario::Arrivals::Every { interval: generator }
            | scenario::Arrivals::Renewal { interval: generator } => {
                Arrivals::Renewal { interval: self.nanos_stream(generator, &interval) }
            }
            scenario::Arrivals::Times { times } => Arrivals::Times(times.clone()),
            scenario::Arrivals::Population { users, think } => Arrivals::Population {
                users: *users,
                think: self.nanos_stream(think, &format!("{name}/think")),
            },
            scenario::Arrivals::Bursty { phases } => {
                let highest = phases.iter().fold(0.0, |highest: f64, phase| highest.max(phase.0));
                let phases = phases
                    .iter()
                    .enumerate()
                    .map(|(at, (rate, length))| {
                        (*rate, self.nanos_stream(length, &format!("{name}/phase#{at}")))
                    })
                    .collect();
                self.thinned(interval, highest, RateOverTime::Bursty { phases })
            }
            scenario::Arrivals::Profile { points } => {
                let highest = points.iter().fold(0.0, |highest: f64, point| highest.max(point.1));
                self.thinned(interval, highest, RateOverTime::Profile(points.clone()))
            }
        }
    }

    fn thinned(&mut self, name: String, highest: f64, rate: RateOverTime) -> Arrivals {
        let keep = self.stream(format!("{name}/keep"), Draw::Bits);
        Arrivals::Thinned { interval: self.exponential_stream(name, highest), keep, highest, rate }
    }

    fn exponential_stream(&mut self, name: String, rate: f64) -> StreamId {
        let mean = if rate > 0.0 { 1e9 / rate } else { LONGEST as f64 };
        self.stream(name, Draw::Nanos(plain(crate::kernel::distribution::Shape::Exponential { mean })))
    }

    fn nanos_stream(&mut self, generator: &scenario::Generator, name: &str) -> StreamId {
        match &generator.kind {
            scenario::GeneratorKind::Distribution(distribution) => {
                self.stream(name.to_string(), Draw::Nanos(distribution.clone()))
            }
            other => unreachable!("resolved: not a duration: {other:?}"),
        }
    }

    pub fn messaging(&mut self) {
        let scenario = self.scenario;
        self.model.broker_stream = self.stream("brokers".to_string(), Draw::Bits);
        for topic in &scenario.topics {
            let broker = &scenario.brokers[topic.broker.index()];
            let symbol = self.symbol(&topic.name);
            let keeps_letters = self.redrives().any(|(from, _)| from.index() == self.model.topics.len());
            self.model.topics.push(Topic {
                name: topic.name.clone(),
                broker: topic.broker,
                region: self.region_in_turn(&broker.place, 0),
                preset: broker.preset.clone(),
                key: key_of("topic", &topic.name),
                symbol,
                knobs: messaging::TopicKnobs {
                    keeps_letters,
                    partitions: self.partitions_in_the_end(self.model.topics.len()),
                    ..topic_knobs(&topic.knobs, self.is_replayed(self.model.topics.len()))
                },
                groups: Vec::new(),
            });
        }
        for (index, group) in scenario.groups.iter().enumerate() {
            let id = GroupId::new(index);
            self.model.topics[group.topic.index()].groups.push(id);
            let service = &self.model.services[group.service.index()];
            let member = messaging::Group {
                topic: group.topic,
                first_instance: InstanceId(service.first_instance),
                instances: service.instances,
                instances_at_start: service.instances_at_start,
                members: if group.per_instance {
                    messaging::Members::EachAlone
                } else {
                    messaging::Members::Share
                },
                knobs: group_knobs(group),
            };
            let service_name = service.name.clone();
            let broker = Place::Broker(scenario.topics[group.topic.index()].broker);
            let place = Place::Service(group.service);
            let mut deliveries = Vec::new();
            for message in self.messages_of(group.topic) {
                let handler = self.handler_of(group, message);
                let there = self.route(broker, place);
                let back = self.route(place, broker);
                let name = &scenario.messages[message.index()].name;
                let path = format!("{service_name}/{name}/deliver {}", group.name);
                let hops = self.hops(there, back, &path, false);
                let versions = self.handlers_of_versions(id, message);
                let main = Vec::new();
                deliveries.push(DeliveryPath { message, handler, versions, route: there, hops, main });
            }
            let acknowledge_route = self.route(place, broker);
            let topic = &scenario.topics[group.topic.index()].name;
            self.model.groups.push(Group {
                name: group.name.clone(),
                key: key_of("group", &format!("{topic}/{service_name}/{}", group.name)),
                service: group.service,
                topic: group.topic,
                member,
                deliveries,
                acknowledge_route,
            });
        }
    }

    /// What a topic may hold: what it carries, and what others give up to it as dead letters.
    fn messages_of(&self, topic: TopicId) -> Vec<MessageId> {
        let scenario = self.scenario;
        let mut topics = vec![topic];
        let mut messages: Vec<MessageId> = Vec::new();
        for at in 0.. {
            let Some(&from) = topics.get(at) else { break };
            let carried = &scenario.topics[from.index()].messages;
            let new: Vec<_> = carried.iter().copied().filter(|new| !messages.contains(new)).collect();
            messages.extend(new);
            for (letters, to) in self.redrives() {
                if to == from && !topics.contains(&letters) {
                    topics.push(letters);
                }
            }
            for group in &scenario.groups {
                if group.knobs.exhaust.dead_letter == Some(from) && !topics.contains(&group.topic) {
                    topics.push(group.topic);
                }
            }
        }
        messages
    }

    pub fn outboxes(&mut self) {
        for (index, spec) in self.scenario.services.iter().enumerate() {
            let Some(outbox) = &spec.outbox else { continue };
            let service = ServiceId::new(index);
            let store = self.store_of(service).expect("resolved: an outbox needs a store");
            let number = self.relay(service, store, outbox, &format!("{}/outbox", spec.name));
            self.model.services[index].outbox = Some(number);
        }
    }

    /// What carries rows of a store to the brokers.
    pub fn relay(&mut self, service: ServiceId, store: u32, outbox: &scenario::Outbox, path: &str) -> u32 {
        let read = self.store_latency(store, Latency::Read, &format!("{path}/poll"));
        let mark_length = self.store_latency(store, Latency::Write, &format!("{path}/mark"));
        let mark_commit = self.store_latency(store, Latency::Commit, &format!("{path}/mark"));
        let every = self.ring(outbox.every);
        let mark_every = match outbox.mark {
            OutboxMark::Periodic => self.ring(outbox.mark_every),
            _ => every,
        };
        let first_relay = self.model.relays.len() as u32;
        self.model.relays.extend(vec![self.model.outboxes.len() as u32; outbox.relays as usize]);
        let mut ways = Vec::new();
        for broker in 0..self.scenario.brokers.len() {
            let broker = Place::Broker(BrokerId::new(broker));
            let there = self.route(Place::Outbox(service), broker);
            let back = self.route(broker, Place::Outbox(service));
            let hops = self.hops(there, back, &format!("{path}/publish"), false);
            ways.push((there, back, hops));
        }
        push(
            &mut self.model.outboxes,
            Outbox {
                service,
                store,
                every,
                batch: outbox.batch,
                select: outbox.select,
                mark: outbox.mark,
                mark_every,
                first_relay,
                relays: outbox.relays,
                read,
                mark_length,
                mark_commit,
                ways,
            },
        )
    }
}

/// A distribution without shift or clamp.
pub fn plain(shape: crate::kernel::distribution::Shape) -> crate::kernel::distribution::Distribution {
    crate::kernel::distribution::Distribution { shape, plus: 0.0, min: f64::NEG_INFINITY, max: f64::INFINITY }
}

/// The length of a generator that never varies.
pub fn fixed(generator: &scenario::Generator) -> Option<Nanos> {
    match &generator.kind {
        scenario::GeneratorKind::Distribution(distribution) => super::constant(distribution),
        _ => None,
    }
}

/// A key that depends on a name alone, so that adding another shifts nobody.
pub fn key_of(kind: &str, name: &str) -> u64 {
    let hash = blake3::hash(format!("{kind} {name}").as_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has eight bytes"))
}

fn topic_knobs(knobs: &scenario::Knobs, is_replayed: bool) -> messaging::TopicKnobs {
    messaging::TopicKnobs {
        is_replayed,
        partitions: knobs.partitions,
        partitions_at_first: knobs.partitions,
        route: knobs.route,
        delay: knobs.delay,
        retain_for: knobs.retain.duration,
        compact: knobs.retain.compact,
        retain_bytes: knobs.retain.bytes,
        deduplicate: deduplication(&knobs.producer),
        flush_every: knobs.flush_every,
        confirms_durable: knobs.min_in_sync > 1,
        shards: knobs.shards,
        keeps_letters: false,
    }
}

fn deduplication(producer: &scenario::Producer) -> Option<messaging::Deduplicate> {
    let by = match producer.deduplicate_by {
        scenario::DeduplicateBy::None => return None,
        scenario::DeduplicateBy::ProducerSequence => messaging::DeduplicateBy::Sequence,
        scenario::DeduplicateBy::MessageId => messaging::DeduplicateBy::MessageId,
    };
    Some(messaging::Deduplicate {
        by,
        scope: if producer.deduplicate_per_partition {
            messaging::DeduplicateScope::Partition
        } else {
            messaging::DeduplicateScope::Topic
        },
        window: match (producer.deduplicate_batches, producer.deduplicate_window) {
            (Some(batches), _) => messaging::Window::Last(batches),
            (None, Some(window)) => messaging::Window::For(window),
            (None, None) => messaging::Window::Ever,
        },
    })
}

fn group_knobs(group: &scenario::Group) -> messaging::GroupKnobs {
    let knobs = &group.knobs;
    messaging::GroupKnobs {
        order_lock: knobs.order_lock,
        max_in_flight_per_consumer: knobs.max_in_flight_per_consumer,
        max_in_flight_per_group: knobs.max_in_flight_per_group,
        batch: knobs.batch,
        concurrency: group.concurrency,
        ack_scope: knobs.ack_scope,
        ack: match group.ack {
            scenario::AckMode::Before => AckMode::Before,
            scenario::AckMode::After => AckMode::After,
            scenario::AckMode::Manual => AckMode::Manual,
            scenario::AckMode::Periodic => AckMode::Periodic { every: group.ack_every },
        },
        lease: match knobs.lease.kind {
            scenario::LeaseKind::Session => {
                messaging::Lease::Session { after: knobs.lease.after, poll: knobs.lease.poll }
            }
            scenario::LeaseKind::Connection => {
                messaging::Lease::Connection { detect: knobs.lease.detect, poll: knobs.lease.poll }
            }
            scenario::LeaseKind::Transaction => messaging::Lease::Transaction {
                detect: knobs.lease.detect,
                idle: Some(knobs.lease.after).filter(|&after| after != scenario::NEVER),
            },
            // What is idle for too long is claimed when a consumer asks, and that is when it would be received.
            scenario::LeaseKind::Timer | scenario::LeaseKind::Claim => {
                messaging::Lease::Delivery { after: knobs.lease.after }
            }
        },
        redeliver_to: match knobs.redeliver.to {
            scenario::RedeliverTo::Front => RedeliverTo::Front,
            scenario::RedeliverTo::Back => RedeliverTo::Back,
            scenario::RedeliverTo::Unordered => RedeliverTo::Unordered,
            scenario::RedeliverTo::RewindKey => RedeliverTo::RewindKey,
            _ => RedeliverTo::Original,
        },
        redeliver_delay: knobs.redeliver.delay,
        stale_ack: knobs.stale_ack,
        exhaust: exhaust(&knobs.exhaust),
        rebalance: messaging::Rebalance {
            mode: if knobs.rebalance.cooperative {
                messaging::RebalanceMode::Cooperative
            } else {
                messaging::RebalanceMode::Eager
            },
            pause: knobs.rebalance.pause,
        },
        reset: if knobs.retain.reset_earliest {
            messaging::Reset::Earliest
        } else {
            messaging::Reset::Latest
        },
    }
}

fn exhaust(exhaust: &scenario::Exhaust) -> Option<messaging::Exhaust> {
    let then = match (exhaust.then, exhaust.dead_letter) {
        (scenario::ExhaustThen::DeadLetter, Some(topic)) => messaging::ExhaustThen::DeadLetter(topic),
        // Without a topic there is no dead-letter policy; blocking is to try for ever.
        (scenario::ExhaustThen::DeadLetter, None) | (scenario::ExhaustThen::Block, _) => return None,
        (scenario::ExhaustThen::Drop, _) => messaging::ExhaustThen::Drop,
        (scenario::ExhaustThen::Park, _) => messaging::ExhaustThen::Park,
        (scenario::ExhaustThen::Stay, _) => messaging::ExhaustThen::Stay,
    };
    Some(messaging::Exhaust {
        after: exhaust.after?.min(u16::MAX as u32) as u16,
        count: if exhaust.count_failures { ExhaustCount::Failures } else { ExhaustCount::Deliveries },
        then,
        transfer: exhaust.transfer,
    })
}
