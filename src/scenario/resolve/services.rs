//! Services: instances, queues, stores, outboxes, call policies. Their handlers and jobs come with the
//! bodies.

use super::Resolver;
use super::nodes;
use super::quantities::constant_duration;
use crate::kernel::ids::*;
use crate::kernel::time::{MICROSECOND, MILLISECOND, Nanos, SECOND};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Scope};
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// The most instances that all services together may have.
pub const MOST_INSTANCES: u64 = 100_000;

/// The most jobs of all instances together.
const MOST_JOBS: u64 = 1_000_000;

/// The most calls that a breaker looks back on, or tries out.
const MOST_REMEMBERED_CALLS: u64 = 10_000;

/// A try of a call is given up after this long unless its service or the step says otherwise.
pub const DEFAULT_CALL_TIMEOUT: Nanos = SECOND;

const DEFAULT_OUTBOX_EVERY: Nanos = 50 * MILLISECOND;
const DEFAULT_OUTBOX_BATCH: u32 = 100;
const DEFAULT_MARK_EVERY: Nanos = 5 * SECOND;

/// The most relays of one outbox.
const MOST_RELAYS: u64 = 1000;

const OUTBOX_SELECTS: &[(&str, OutboxSelect)] =
    &[("unsent", OutboxSelect::Unsent), ("id", OutboxSelect::Id), ("log", OutboxSelect::Log)];

const OUTBOX_MARKS: &[(&str, OutboxMark)] = &[
    ("after_publish", OutboxMark::AfterPublish),
    ("before_publish", OutboxMark::BeforePublish),
    ("periodic", OutboxMark::Periodic),
];

const QUEUE_ORDERS: &[(&str, QueueOrder)] =
    &[("fifo", QueueOrder::Fifo), ("lifo", QueueOrder::Lifo), ("priority", QueueOrder::Priority)];

const SHEDS: &[(&str, Shed)] =
    &[("reject", Shed::Reject), ("drop_oldest", Shed::DropOldest), ("deadline", Shed::Deadline)];

const ROUTINGS: &[(&str, Routing)] = &[
    ("round_robin", Routing::RoundRobin),
    ("random", Routing::Random),
    ("least_loaded", Routing::LeastLoaded),
    ("two_choices", Routing::TwoChoices),
    ("by_key", Routing::ByKey),
];

const ISOLATIONS: &[(&str, Isolation)] = &[
    ("read_committed", Isolation::ReadCommitted),
    ("snapshot", Isolation::Snapshot),
    ("serializable", Isolation::Serializable),
];

impl<'a> Resolver<'a> {
    pub fn resolve_services(&mut self, root: &'a Node) {
        for (index, (name, entry)) in self.names.services.iter().enumerate() {
            let mut service = self.resolve_service(ServiceId::new(index), name, entry);
            service.scaled_to = self.scaled_to(root, name);
            self.services.push(service);
        }
        for (index, (_, entry)) in self.names.services.iter().enumerate() {
            if let Some(outbox) = nodes::entry(&entry.value, "outbox") {
                self.need_one_copy(ServiceId::new(index), outbox.key_span, "an outbox");
            }
        }
        let instances: u64 = self.services.iter().map(|service| u64::from(service.most_instances())).sum();
        if instances > MOST_INSTANCES
            && let Some(largest) = self.services.iter().max_by_key(|service| service.most_instances())
        {
            let message = format!("the services have {instances} instances together");
            let diagnostic = Diagnostic::new("too-many-instances", largest.span, message)
                .label("the most are here")
                .help(format!("a scenario has at most {MOST_INSTANCES} instances"));
            self.report(diagnostic);
        }
    }

    /// A job is kept for each instance of its service.
    pub fn check_jobs(&mut self) {
        let kept = |service: &Service| u64::from(service.most_instances()) * service.jobs.len() as u64;
        let all: u64 = self.services.iter().map(kept).sum();
        if all > MOST_JOBS
            && let Some(largest) = self.services.iter().max_by_key(|service| kept(service))
        {
            let message = format!("the instances of all services run {all} jobs together");
            let diagnostic = Diagnostic::new("too-many-jobs", largest.span, message)
                .label("the most are here")
                .help(format!("a scenario has at most {MOST_JOBS}: jobs of a service times its instances"));
            self.report(diagnostic);
        }
    }

    fn resolve_service(&mut self, id: ServiceId, name: &str, entry: &'a Entry) -> Service {
        let node = &entry.value;
        self.refuse_keys("service", node);
        let autoscale = self.resolve_autoscale(node);
        let workers = nodes::get(node, "workers").map_or(Some(1), |node| self.count_or_unlimited(node, 1));
        let routing = nodes::get(node, "routing").and_then(|node| self.word(node, ROUTINGS));
        let store = nodes::entry(node, "store").and_then(|store| self.resolve_store_use(id, name, store));
        Service {
            name: name.to_owned(),
            span: entry.key_span,
            instances: self.instances_at_start(node, autoscale),
            autoscale,
            scaled_to: 0,
            workers,
            cpus: nodes::get(node, "cpus").and_then(|node| self.count_or_unlimited(node, 1)),
            queue: self.resolve_queue(node),
            routing: routing.unwrap_or(Routing::RoundRobin),
            place: self.place(node),
            outbox: nodes::entry(node, "outbox")
                .and_then(|outbox| self.resolve_outbox(outbox, store.is_some())),
            store,
            memory: self.memory[id.index()].clone(),
            groups: self.resolve_groups(id, node, workers),
            calls: self.resolve_call_policies(node),
            handlers: Vec::new(),
            jobs: Vec::new(),
            sagas: Vec::new(),
            versions: Vec::new(),
        }
    }

    fn resolve_queue(&mut self, service: &'a Node) -> Queue {
        let queue = nodes::get(service, "queue");
        let node = |key: &str| queue.and_then(|queue| nodes::get(queue, key));
        let order = node("order").and_then(|node| self.word(node, QUEUE_ORDERS)).unwrap_or(QueueOrder::Fifo);
        let by = match (node("by"), order) {
            (Some(by), QueueOrder::Priority) => self.resolve_priority(by, service),
            (Some(by), _) => {
                let message = "only a queue with `order: priority` is ordered by a value";
                self.report(Diagnostic::new("misplaced-option", by.span, message));
                None
            }
            (None, QueueOrder::Priority) => {
                if let Some(order) = node("order") {
                    let diagnostic = Diagnostic::new("missing-option", order.span, "priority by what?")
                        .help("add `by:` and an expression; the smaller goes first");
                    self.report(diagnostic);
                }
                None
            }
            (None, _) => None,
        };
        Queue {
            order,
            by,
            capacity: node("capacity").and_then(|node| self.count_or_unlimited(node, 0)),
            shed: node("shed").and_then(|node| self.word(node, SHEDS)).unwrap_or(Shed::Reject),
        }
    }

    /// One expression has to suit every message that can wait in the queue.
    fn resolve_priority(&mut self, node: &'a Node, service: &'a Node) -> Option<Expression> {
        let handled: Vec<MessageId> = nodes::section(service, "handlers")
            .keys()
            .filter_map(|name| self.names.messages.get_index_of(name).map(MessageId::new))
            .collect();
        let mut by: Option<Expression> = None;
        for message in handled {
            let scope = Scope { message: Some(message), ..Scope::NOTHING };
            let expression = expression::expression(node, None, &scope, &mut self.context())?;
            if !matches!(expression.ty, Type::Int | Type::Number | Type::Duration | Type::Time | Type::Size) {
                let message = "a priority is a number, a duration or a time: the smaller goes first";
                self.report(Diagnostic::new("wrong-type", node.span, message));
                return None;
            }
            let differs = |by: &Expression| format!("{:?}", by.kind) != format!("{:?}", expression.kind);
            if by.as_ref().is_some_and(differs) {
                self.not_built(
                    node.span,
                    "a priority by a field that stands in different places of the messages",
                );
                return None;
            }
            by = Some(expression);
        }
        by
    }

    fn resolve_store_use(&mut self, id: ServiceId, name: &str, entry: &'a Entry) -> Option<StoreUse> {
        let node = &entry.value;
        let Some(owner) = nodes::text(node) else {
            return Some(StoreUse::Own(Box::new(self.resolve_store(id, entry))));
        };
        let shared = self.service_named(owner, node.span)?;
        let sharing = &self.names.services[shared.index()];
        let owns = nodes::get(&sharing.value, "store").is_some_and(nodes::is_map);
        if !owns {
            let message = match owner == name {
                true => "a service cannot share its own store".to_owned(),
                false => format!("`{owner}` has no store of its own to share"),
            };
            let diagnostic =
                Diagnostic::new("no-store", node.span, message).related(sharing.key_span, "declared here");
            self.report(diagnostic);
            return None;
        }
        Some(StoreUse::Shared(shared))
    }

    fn resolve_store(&mut self, id: ServiceId, entry: &'a Entry) -> Store {
        let node = &entry.value;
        let copies = self.resolve_copies(node);
        if !matches!(copies, Some(Copies::Quorum(_))) {
            self.refuse_places(node, "a store");
        }
        let latency = nodes::get(node, "latency");
        let mut time = |key: &str, default: Nanos| {
            let written = latency.and_then(|latency| nodes::get(latency, key));
            written
                .and_then(|written| expression::generator(written, &Type::Duration, &mut self.context()))
                .unwrap_or_else(|| constant_duration(default, node.span))
        };
        let (read, write) = (time("read", 300 * MICROSECOND), time("write", 500 * MICROSECOND));
        let commit = time("commit", MILLISECOND);
        let isolation = nodes::get(node, "isolation").and_then(|node| self.word(node, ISOLATIONS));
        Store {
            span: entry.key_span,
            read,
            write,
            commit,
            isolation: isolation.unwrap_or(Isolation::ReadCommitted),
            connections: nodes::get(node, "connections").and_then(|node| self.count_or_unlimited(node, 1)),
            place: self.place(node),
            tables: self.stored[id.index()].clone(),
            flush_every: self.resolve_flush(node),
            copies,
        }
    }

    fn resolve_outbox(&mut self, entry: &'a Entry, has_store: bool) -> Option<Outbox> {
        let node = &entry.value;
        self.refuse_keys("outbox", node);
        if !has_store {
            let diagnostic =
                Diagnostic::new("no-store", entry.key_span, "an outbox is a table of the service's store")
                    .help("give the service a `store`");
            self.report(diagnostic);
        }
        let every = nodes::get(node, "every").and_then(|node| self.positive_duration(node, "an interval"));
        let batch = nodes::get(node, "batch").and_then(|node| self.count_from_one(node, 1_000_000));
        let select = nodes::get(node, "select").and_then(|node| self.word(node, OUTBOX_SELECTS));
        let mark = nodes::get(node, "mark").and_then(|node| self.word(node, OUTBOX_MARKS));
        let mark_every =
            nodes::get(node, "mark_every").and_then(|node| self.positive_duration(node, "an interval"));
        let relays = nodes::get(node, "relays").and_then(|node| self.count_from_one(node, MOST_RELAYS));
        let outbox = Outbox {
            span: entry.key_span,
            every: every.unwrap_or(DEFAULT_OUTBOX_EVERY),
            batch: batch.unwrap_or(DEFAULT_OUTBOX_BATCH),
            select: select.unwrap_or(OutboxSelect::Unsent),
            mark: mark.unwrap_or(OutboxMark::AfterPublish),
            mark_every: mark_every.unwrap_or(DEFAULT_MARK_EVERY),
            relays: relays.unwrap_or(1),
        };
        self.check_outbox(node, &outbox);
        Some(outbox)
    }

    /// A position is one relay's, and a flag is set row by row.
    fn check_outbox(&mut self, node: &'a Node, outbox: &Outbox) {
        let has_position = outbox.select != OutboxSelect::Unsent;
        let is_periodic = outbox.mark == OutboxMark::Periodic;
        let mistakes = [
            (
                "relays",
                has_position && outbox.relays > 1,
                "one position is followed by one relay",
                "`select: unsent` lets several relays share the rows",
            ),
            (
                "mark",
                !has_position && is_periodic,
                "rows marked one by one have no position to save now and then",
                "`mark: periodic` goes with `select: id` or `select: log`",
            ),
            (
                "mark_every",
                !is_periodic,
                "marks are not set now and then here",
                "it goes with `mark: periodic`",
            ),
        ];
        for (key, is_mistaken, message, help) in mistakes {
            if let Some(entry) = nodes::entry(node, key).filter(|_| is_mistaken) {
                self.report(Diagnostic::new("contradiction", entry.key_span, message).help(help));
            }
        }
    }

    /// `calls:` of a service or client.
    pub fn resolve_call_policies(&mut self, node: &'a Node) -> Vec<CallPolicy> {
        let mut policies = Vec::new();
        for (name, entry) in nodes::section(node, "calls") {
            self.refuse_keys("calls", &entry.value);
            let service = self.service_named(name, entry.key_span);
            let timeout = nodes::get(&entry.value, "timeout");
            let timeout = timeout.and_then(|node| self.positive_duration(node, "a timeout"));
            let retry = nodes::get(&entry.value, "retry").and_then(|node| self.resolve_retry(node));
            let breaker = nodes::get(&entry.value, "breaker").and_then(|node| self.resolve_breaker(node));
            let budget = nodes::get(&entry.value, "budget")
                .and_then(|node| expression::share(node, &mut self.context()));
            let max_in_flight =
                nodes::get(&entry.value, "max_in_flight").and_then(|node| self.count_or_unlimited(node, 1));
            if let Some(service) = service {
                let timeout = timeout.unwrap_or(DEFAULT_CALL_TIMEOUT);
                let span = entry.key_span;
                policies.push(CallPolicy { span, service, timeout, retry, breaker, budget, max_in_flight });
            }
        }
        policies
    }

    fn resolve_breaker(&mut self, node: &'a Node) -> Option<Breaker> {
        let failures = nodes::get(node, "failures");
        let share = failures.and_then(|node| expression::share(node, &mut self.context()));
        if let (Some(0.0), Some(failures)) = (share, failures) {
            self.impossible(failures.span, "a breaker that opens at no failures never lets a call through");
        }
        let of = nodes::get(node, "of").and_then(|node| self.count_from_one(node, MOST_REMEMBERED_CALLS));
        let open = nodes::get(node, "open").and_then(|node| self.positive_duration(node, "a time"));
        let probes =
            nodes::get(node, "probes").and_then(|node| self.count_from_one(node, MOST_REMEMBERED_CALLS));
        Some(Breaker { failures: share?, of: of?, open: open?, probes: probes? })
    }

    fn resolve_autoscale(&mut self, service: &'a Node) -> Option<Autoscale> {
        let entry = nodes::entry(service, "autoscale")?;
        let node = |key: &str| nodes::get(&entry.value, key);
        let count = |resolver: &mut Self, key: &str| resolver.count_from_one(node(key)?, MOST_INSTANCES);
        let (min, max) = (count(self, "min"), count(self, "max"));
        let time = |resolver: &mut Self, key: &str| resolver.positive_duration(node(key)?, "a time");
        let every = time(self, "every");
        let start_up = node("start_up").and_then(|node| expression::duration(node, &mut self.context()));
        let utilization = node("utilization").and_then(|node| expression::share(node, &mut self.context()));
        if let (Some(0.0), Some(node)) = (utilization, node("utilization")) {
            self.impossible(node.span, "no number of instances is used to 0 %");
        }
        if let (Some(min), Some(max), Some(node)) = (min, max, node("max"))
            && max < min
        {
            self.impossible(node.span, format!("the most instances are fewer than the fewest, {min}"));
        }
        if nodes::get(service, "workers").is_some_and(|workers| nodes::is_word(workers, "unlimited")) {
            let message = "unlimited workers are never used to any share";
            self.report(Diagnostic::new("contradiction", entry.key_span, message));
        }
        for entry in nodes::section(service, "consumes").values() {
            if let Some(group) =
                nodes::get(&entry.value, "group").filter(|of| nodes::is_word(of, "per_instance"))
            {
                self.not_built(group.span, "`autoscale` of a service that consumes `per_instance`");
            }
        }
        Some(Autoscale {
            min: min?,
            max: max?,
            utilization: utilization?,
            every: every?,
            start_up: start_up?,
        })
    }

    /// How many instances there are at the start.
    fn instances_at_start(&mut self, node: &'a Node, autoscale: Option<Autoscale>) -> u32 {
        let written = nodes::get(node, "instances");
        let instances = written.and_then(|node| self.count_from_one(node, MOST_INSTANCES));
        let Some(scale) = autoscale else { return instances.unwrap_or(1) };
        if let (Some(instances), Some(written)) = (instances, written)
            && !(scale.min..=scale.max).contains(&instances)
        {
            let message = format!("`autoscale` keeps from {} to {} instances", scale.min, scale.max);
            self.impossible(written.span, message);
        }
        instances.unwrap_or(scale.min)
    }

    /// Refuses what needs a store in a service that has none.
    pub fn need_store(&mut self, service: ServiceId, span: Span, what: &str) {
        let service = &self.services[service.index()];
        if service.store.is_some() {
            return;
        }
        let message = format!("{what} needs a store, and `{}` has none", service.name);
        let diagnostic = Diagnostic::new("no-store", span, message).related(service.span, "declared here");
        self.report(diagnostic);
    }
}
