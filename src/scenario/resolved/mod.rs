//! What a scenario means: every name resolved to an id, every unit to a base unit, every expression
//! typed, every default filled in. `model::compile` turns this into flat tables; `show` prints it.
//!
//! Base units: durations and times in nanoseconds, sizes in bytes, rates per second, shares from 0
//! to 1. Entries of every map keep the order of the file; ids are positions in these vectors.

pub mod capture;
pub mod expression;
pub mod promise;
pub mod saga;
pub mod silence;
pub mod step;
pub mod version;

pub use capture::*;
pub use expression::*;
pub use promise::*;
pub use saga::*;
pub use silence::*;
pub use step::*;
pub use version::*;

pub use crate::kernel::vocabulary::*;

use super::source::Span;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;

/// A whole scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub about: String,
    pub seed: u64,
    pub run: Run,
    /// Parameters after `--set`, as written, for the report.
    pub parameters: Vec<(String, String)>,
    /// Every word that can be a value: enumeration words, text literals, error reasons.
    pub symbols: Vec<String>,
    pub messages: Vec<Message>,
    pub brokers: Vec<Broker>,
    pub topics: Vec<Topic>,
    pub services: Vec<Service>,
    /// All tables of all services, stores and memories.
    pub tables: Vec<Table>,
    /// All subscriptions of all services.
    pub groups: Vec<Group>,
    /// External effects, by name.
    pub effects: Vec<String>,
    /// Some number serves as an id. Where none does, an id that nobody holds any more is gone for good.
    pub makes_ids: bool,
    pub clients: Vec<Client>,
    pub network: Network,
    /// Faults, and behind them operations.
    pub faults: Vec<Fault>,
    pub promises: Promises,
    /// Findings about the design that its author answers for.
    pub silences: Vec<Silence>,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub horizon: Nanos,
    /// `None`: it is to be found.
    pub warm_up: Option<Nanos>,
    pub drain: Nanos,
    pub replications: u32,
}

/// What a message is for; `domain` stays inside its service, `integration` crosses, a
/// `notification` carries only its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    Command,
    Query,
    Domain,
    Integration,
    Notification,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub name: String,
    pub span: Span,
    pub kind: MessageKind,
    /// Position in `fields` of the key, if there is one.
    pub key: Option<usize>,
    pub fields: Vec<Field>,
    /// Fields of the answer, of commands and queries.
    pub reply: Vec<Field>,
    /// In bytes.
    pub size: u64,
    /// The schema before this one; its fields come first, and mean the same.
    pub older: Option<MessageId>,
    /// Counted from 1.
    pub schema: u32,
    /// What the fields that the schema before lacks are in a message of it, by position; read as
    /// `Message` of that one. `None`: nobody says.
    pub upcast: Option<Vec<(usize, Expression)>>,
}

/// A field of a message or a reply. Scalars only, or lists of scalars.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub span: Span,
    pub ty: Type,
}

#[derive(Clone, Debug)]
pub struct Broker {
    pub name: String,
    pub span: Span,
    /// Name of the preset it starts from.
    pub preset: String,
    /// Regions, in turn; empty: none.
    pub place: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Topic {
    pub name: String,
    pub span: Span,
    pub broker: BrokerId,
    pub messages: Vec<MessageId>,
    /// Preset, broker and topic knobs merged: the nearest wins.
    pub knobs: Knobs,
    /// It is the change log of a table.
    pub capture: Option<Capture>,
}

/// A subscription: one service's consumption of one topic.
#[derive(Clone, Debug)]
pub struct Group {
    /// `topic.group`, as it is reported.
    pub name: String,
    pub span: Span,
    pub service: ServiceId,
    pub topic: TopicId,
    /// `group: per_instance`: every instance gets every message.
    pub per_instance: bool,
    pub ack: AckMode,
    pub ack_every: Nanos,
    /// Attempts of this subscription in flight per instance.
    pub concurrency: Count,
    /// What is done with a message of a schema that no handler knows.
    pub unknown_version: UnknownVersion,
    /// `from: earliest`; else only messages accepted after the group joined.
    pub from_earliest: bool,
    /// Topic knobs with the consumer's own on top.
    pub knobs: Knobs,
}

/// What is done with a message of a schema that no handler knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownVersion {
    /// Its handler fails.
    Poison,
    /// Acknowledged and dropped.
    Skip,
    /// Handled as if it were of a schema that is known.
    Tolerate,
}

/// When a consumer acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckMode {
    Before,
    After,
    Manual,
    Periodic,
}

/// A count that may be `unlimited` (`None`).
pub type Count = Option<u32>;

/// The knobs of the messaging primitive, all set: one primitive, and products are presets of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Knobs {
    pub retain: Retain,
    pub partitions: u32,
    pub route: PartitionRoute,
    pub order_lock: OrderLock,
    pub max_in_flight_per_consumer: Count,
    pub max_in_flight_per_group: Count,
    /// How many a consumer fetches at once; it handles them one by one.
    pub batch: u32,
    pub ack_scope: AckScope,
    pub lease: Lease,
    pub redeliver: Redeliver,
    pub stale_ack: StaleAck,
    pub exhaust: Exhaust,
    pub producer: Producer,
    pub rebalance: Rebalance,
    pub shards: u32,
    /// `None`: always, before the confirm.
    pub flush_every: Option<Nanos>,
    pub min_in_sync: u32,
    /// Every message becomes visible this long after it was accepted.
    pub delay: Nanos,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Retain {
    pub log: bool,
    /// `None`: for ever.
    pub duration: Option<Nanos>,
    pub bytes: Option<u64>,
    pub compact: bool,
    pub reset_earliest: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseKind {
    Timer,
    Session,
    Connection,
    Claim,
    Transaction,
}

/// A lease that never ends.
pub const NEVER: Nanos = Nanos::MAX;

#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    pub kind: LeaseKind,
    /// Visibility, session or idle time; or [`NEVER`].
    pub after: Nanos,
    /// Longest time between polls of an owner (`session`).
    pub poll: Option<Nanos>,
    /// How long until a lost connection is noticed.
    pub detect: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedeliverTo {
    Original,
    Front,
    Back,
    RewindPartition,
    RewindKey,
    Unordered,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Redeliver {
    pub to: RedeliverTo,
    pub delay: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExhaustThen {
    DeadLetter,
    Park,
    Drop,
    Stay,
    Block,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exhaust {
    /// `None`: never.
    pub after: Option<u32>,
    /// Count failures (negative acknowledgements) instead of deliveries.
    pub count_failures: bool,
    pub then: ExhaustThen,
    pub dead_letter: Option<TopicId>,
    pub transfer: Transfer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeduplicateBy {
    None,
    ProducerSequence,
    MessageId,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Producer {
    pub confirm: bool,
    pub timeout: Nanos,
    pub attempts: u32,
    /// Before it sends again, doubled each time up to `max_delay`.
    pub delay: Nanos,
    pub max_delay: Nanos,
    /// When it stops sending again, however few the attempts.
    pub give_up: Option<Nanos>,
    /// Sends of one producer to the broker that are not confirmed; `None`: no limit.
    pub in_flight: Count,
    pub deduplicate_by: DeduplicateBy,
    pub deduplicate_per_partition: bool,
    pub deduplicate_window: Option<Nanos>,
    pub deduplicate_batches: Option<u32>,
    /// Whether what it sends can be seen with an acknowledgement or not at all.
    pub transactions: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rebalance {
    pub cooperative: bool,
    pub pause: Nanos,
}

#[derive(Clone, Debug)]
pub struct Service {
    pub name: String,
    pub span: Span,
    /// At the start.
    pub instances: u32,
    pub autoscale: Option<Autoscale>,
    /// The most that an operation scales it to.
    pub scaled_to: u32,
    pub workers: Count,
    pub cpus: Count,
    pub queue: Queue,
    pub routing: Routing,
    pub place: Vec<String>,
    /// Its own store, or the one it shares.
    pub store: Option<StoreUse>,
    /// Memory tables of each instance.
    pub memory: Vec<TableId>,
    pub outbox: Option<Outbox>,
    pub groups: Vec<GroupId>,
    pub calls: Vec<CallPolicy>,
    pub handlers: Vec<Handler>,
    pub jobs: Vec<Job>,
    pub sagas: Vec<Saga>,
    pub versions: Vec<Version>,
}

#[derive(Clone, Debug)]
pub struct Queue {
    pub order: QueueOrder,
    /// For `priority`: smaller first. Reads `message.*` only.
    pub by: Option<Expression>,
    /// Waiting only; `None`: unlimited.
    pub capacity: Count,
    pub shed: Shed,
}

#[derive(Clone, Debug)]
pub enum StoreUse {
    /// Boxed because it is many times larger than the name of another.
    Own(Box<Store>),
    /// The store of another service.
    Shared(ServiceId),
}

#[derive(Clone, Debug)]
pub struct Store {
    pub span: Span,
    pub read: Generator,
    pub write: Generator,
    pub commit: Generator,
    pub isolation: Isolation,
    pub connections: Count,
    pub place: Vec<String>,
    pub tables: Vec<TableId>,
    /// `None`: a commit is durable before it is answered.
    pub flush_every: Option<Nanos>,
    pub copies: Option<Copies>,
}

/// Copies of a store's rows that reads can ask.
#[derive(Clone, Debug)]
pub enum Copies {
    /// Replicas that follow the store, for reads that ask them.
    Follow { count: u32, lag: Generator, sticky: bool },
    /// The store is so many equal replicas, and nothing else.
    Quorum(Box<Quorum>),
}

/// Every operation asks all replicas, and takes the first answers.
#[derive(Clone, Debug)]
pub struct Quorum {
    pub replicas: u32,
    pub write_quorum: u32,
    pub read_quorum: u32,
    pub write: Generator,
    pub acknowledge: Generator,
    pub read: Generator,
    pub respond: Generator,
}

#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    pub span: Span,
    /// The service it is declared in.
    pub service: ServiceId,
    /// In the memory of each instance, gone on restart.
    pub memory: bool,
    /// Positions of the key columns in `columns`.
    pub key: Vec<usize>,
    pub columns: Vec<Column>,
    pub bookkeeping: bool,
    /// Initial rows, all columns filled, literals only; lists already expanded.
    pub rows: Vec<Vec<Literal>>,
    /// `None`: for ever.
    pub ttl: Option<Nanos>,
    /// Of memory tables: the least recently written goes first.
    pub capacity: Count,
    /// Of an event stream: how its rows, one for each key, come about.
    pub stream: Option<Box<Stream>>,
}

/// An event stream: seen from outside, a table with one row for each key, the state that the messages
/// appended under it fold to and the number of those messages.
#[derive(Clone, Debug)]
pub struct Stream {
    /// What each message sets, computed from the state before (read as `Row`) and the message.
    pub apply: Vec<(MessageId, Assignments)>,
    /// The column that counts the messages.
    pub version: usize,
    /// For each message folded.
    pub read: Generator,
    /// `None`: it is folded from the beginning.
    pub snapshot_every: Option<u32>,
    pub publish_to: Option<TopicId>,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub ty: Type,
    /// What a row starts with: `initial`, else 0, false, the first word, empty.
    pub initial: Literal,
    pub incidental: bool,
    /// Allowed transitions, for enumerations with a `lifecycle`.
    pub lifecycle: Vec<(SymbolId, SymbolId)>,
}

#[derive(Clone, Debug)]
pub struct Outbox {
    pub span: Span,
    pub every: Nanos,
    pub batch: u32,
    pub select: OutboxSelect,
    pub mark: OutboxMark,
    /// Of periodic marks.
    pub mark_every: Nanos,
    pub relays: u32,
}

#[derive(Clone, Debug)]
pub struct CallPolicy {
    pub span: Span,
    pub service: ServiceId,
    pub timeout: Nanos,
    pub retry: Option<Retry>,
    pub breaker: Option<Breaker>,
    /// Retries and hedges, as a share of the calls.
    pub budget: Option<f64>,
    pub max_in_flight: Count,
}

impl Service {
    /// The most instances that it ever has.
    pub fn most_instances(&self) -> u32 {
        self.autoscale.map_or(self.instances, |scale| scale.max).max(self.instances).max(self.scaled_to)
    }
}

impl CallPolicy {
    /// Whether it holds calls back.
    pub fn guards(&self) -> bool {
        self.breaker.is_some() || self.budget.is_some() || self.max_in_flight.is_some()
    }
}

/// `breaker`: opens when this share of the last so many calls failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    pub failures: f64,
    pub of: u32,
    pub open: Nanos,
    pub probes: u32,
}

/// `autoscale`: instances come and go with the share of workers that are busy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Autoscale {
    pub min: u32,
    pub max: u32,
    pub utilization: f64,
    pub every: Nanos,
    pub start_up: Nanos,
}

#[derive(Clone, Debug)]
pub struct Handler {
    pub message: MessageId,
    pub span: Span,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub struct Job {
    pub name: String,
    pub span: Span,
    pub every: Generator,
    /// `runs: once`, a lease in the store; else on every instance.
    pub once: bool,
    pub once_per: OncePer,
    pub body: Body,
    /// Versions of the service that do not have it, counted from 1; 0 is what it begins with.
    pub absent_in: Vec<u32>,
}

#[derive(Clone, Debug)]
pub enum OncePer {
    Row,
    Tick,
    Expression(Expression),
}

/// Steps with the frame their locals live in.
#[derive(Clone, Debug)]
pub struct Body {
    pub locals: Vec<Local>,
    pub steps: Vec<Step>,
}

/// A named value of a frame; `let` and `as` make them.
#[derive(Clone, Debug)]
pub struct Local {
    pub name: String,
    pub ty: Type,
}

#[derive(Clone, Debug)]
pub struct Client {
    pub name: String,
    pub span: Span,
    pub arrivals: Arrivals,
    /// `count`: how many intents in all; `None`: unlimited.
    pub count: Option<u64>,
    pub place: Vec<String>,
    pub calls: Vec<CallPolicy>,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub enum Arrivals {
    /// Per second.
    Poisson {
        rate: f64,
    },
    Every {
        interval: Generator,
    },
    Renewal {
        interval: Generator,
    },
    Times {
        times: Vec<Nanos>,
    },
    /// Each user thinks, then runs one intent to its end.
    Population {
        users: u32,
        think: Generator,
    },
    /// Phases in turn, again and again: (rate per second, length).
    Bursty {
        phases: Vec<(f64, Generator)>,
    },
    /// (from, rate per second), linear between the points, the last one kept.
    Profile {
        points: Vec<(Nanos, f64)>,
    },
}

#[derive(Clone, Debug)]
pub struct Network {
    pub default: LinkKnobs,
    pub links: Vec<Link>,
}

#[derive(Clone, Debug)]
pub struct Link {
    pub name: String,
    pub span: Span,
    /// What it joins, as named ends (two or more, every pair).
    pub between: Vec<End>,
    pub one_way: bool,
    pub knobs: LinkKnobs,
}

/// Something that a link, a split or a degradation can name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum End {
    Service(ServiceId),
    Client(ClientId),
    Broker(BrokerId),
    Region(String),
    /// `service.store`
    Store(ServiceId),
    /// `service.outbox`
    Outbox(ServiceId),
}

#[derive(Clone, Debug)]
pub struct LinkKnobs {
    pub latency: Generator,
    /// Share of packets, 0 to 1.
    pub loss: f64,
    /// Bytes per second; `None`: unlimited.
    pub bandwidth: Option<f64>,
    pub datagram: bool,
    /// Share of packets that arrive twice (datagram only).
    pub duplicate: f64,
}

#[derive(Clone, Debug)]
pub struct Fault {
    pub name: String,
    pub span: Span,
    pub kind: FaultKind,
    pub when: When,
    /// `None`: to the end of the measured phase (a crash: restart after 5 s, already filled in).
    pub duration: Option<Generator>,
    pub instance: InstanceChoice,
}

#[derive(Clone, Debug)]
pub enum FaultKind {
    Crash {
        service: ServiceId,
    },
    Pause {
        service: ServiceId,
    },
    /// Durations of work and of store round trips of the instance are multiplied.
    Slow {
        service: ServiceId,
        by: f64,
    },
    /// The instance's clock (`now`) is ahead by this many nanoseconds (behind if negative).
    Skew {
        service: ServiceId,
        by: i64,
    },
    /// A client's arrival rate is multiplied.
    Surge {
        client: ClientId,
        by: f64,
    },
    /// It refuses everything and loses nothing.
    Outage {
        place: End,
    },
    /// The same, and it loses what was not durable.
    Failover {
        place: End,
    },
    /// Messages that no handler can handle; of those sent meanwhile this share, drawn (all if `None`).
    Poison {
        message: MessageId,
        share: Option<f64>,
    },
    Split {
        ends: Vec<End>,
        one_way: bool,
    },
    Degrade {
        ends: Vec<End>,
        one_way: bool,
        latency: Option<Generator>,
        loss: Option<f64>,
        bandwidth: Option<f64>,
        datagram: Option<bool>,
        duplicate: Option<f64>,
    },
    /// Of a service's own store.
    Store {
        service: ServiceId,
        what: StoreFault,
    },
    /// An operation: a group handles its topic once more from the start, these tables emptied first.
    Replay {
        group: GroupId,
        clear: Vec<TableId>,
    },
    /// Dead letters move to another topic.
    Redrive {
        from: TopicId,
        to: TopicId,
    },
    /// A topic has more partitions from now on.
    Repartition {
        topic: TopicId,
        partitions: u32,
    },
    /// The instances of a service go to another version, some at a time.
    Deploy {
        service: ServiceId,
        rollout: Rollout,
    },
    /// A service has so many instances from now on.
    Scale {
        service: ServiceId,
        instances: u32,
        restart: Restart,
    },
}

impl FaultKind {
    /// Whether it is a planned change: nothing goes wrong, and the drain does not take it back.
    pub fn is_planned(&self) -> bool {
        matches!(
            self,
            FaultKind::Replay { .. }
                | FaultKind::Redrive { .. }
                | FaultKind::Repartition { .. }
                | FaultKind::Deploy { .. }
                | FaultKind::Scale { .. }
        )
    }
}

#[derive(Clone, Debug)]
pub enum When {
    At(Vec<Nanos>),
    Every(Generator),
    /// At a step of an attempt, on its side of the effect.
    AtStep {
        service: ServiceId,
        /// The site named in `at_step`; all steps with this name fire it.
        site: String,
        edge: Edge,
        /// `nth: every` is `None`.
        nth: Option<u64>,
        /// `share`: of the occasions, drawn.
        share: Option<f64>,
    },
}
