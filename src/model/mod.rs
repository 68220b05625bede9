//! The compiled scenario: flat, immutable tables that the world reads. Only [`compile`] knows where
//! they came from.

pub mod arithmetic;
pub mod code;
pub mod compile;
pub mod guard;
pub mod messaging;
pub mod promise;
pub mod reach;
pub mod region;
pub mod saga;
pub mod storage;
mod trouble;
pub mod version;
pub mod wording;

pub use code::*;
pub use guard::*;
pub use region::*;
pub use saga::*;
pub use storage::*;
pub use version::*;

pub use crate::kernel::vocabulary::*;

use crate::kernel::ids::*;
use crate::kernel::stream::StreamSpec;
use crate::kernel::time::Nanos;

/// A compiled scenario.
#[derive(Clone, Debug)]
pub struct Model {
    pub seed: u64,
    pub run: RunPhases,
    pub names: Names,
    /// By site: what obligations are made with. From its name, so that adding another shifts nobody.
    pub site_keys: Vec<u64>,
    pub streams: Vec<StreamSpec>,
    /// Lengths of the constant delays, by ring.
    pub rings: Vec<Nanos>,
    pub code: Vec<Op>,
    /// The innermost region of each operation, or `NONE`.
    pub region_of: Vec<u32>,
    pub regions: Vec<Region>,
    pub programs: Vec<Range>,
    pub instructions: Vec<Code>,
    /// By operation of the code: the step that it is of; line 0: of none.
    pub step_places: Vec<SourcePlace>,
    /// Where the instructions that may have no value were written, by rising instruction.
    pub places: Vec<(u32, SourcePlace)>,
    pub values: Vec<Value>,
    pub assignments: Vec<Assignment>,
    pub retries: Vec<Retry>,
    pub row_steps: Vec<RowStep>,
    pub publishes: Vec<PublishStep>,
    pub calls: Vec<CallStep>,
    pub sends: Vec<SendStep>,
    pub replies: Vec<ReplyStep>,
    pub effects: Vec<EffectStep>,
    /// By effect: its idempotency keys are ids, each made once. When nobody holds one any more, nobody can ask
    /// with it again.
    pub mortal_keys: Vec<bool>,
    pub afters: Vec<AfterStep>,
    pub forks: Vec<ForkStep>,
    pub loops: Vec<Loop>,
    pub guards: Vec<CallGuard>,
    /// States of all guards.
    pub guard_states: u32,
    pub autoscales: Vec<Autoscale>,
    pub sagas: Vec<Saga>,
    pub saga_meetings: Vec<SagaMeeting>,
    pub handlers: Vec<Handler>,
    pub messages: Vec<Message>,
    pub services: Vec<Service>,
    pub instances: Vec<Instance>,
    pub stores: Vec<Store>,
    pub tables: Vec<Table>,
    pub topics: Vec<Topic>,
    pub groups: Vec<Group>,
    pub clients: Vec<Client>,
    pub jobs: Vec<Job>,
    pub outboxes: Vec<Outbox>,
    /// By relay: its outbox.
    pub relays: Vec<u32>,
    pub routes: Vec<Route>,
    /// What joins two regions, by (smaller, larger) region.
    pub region_links: Vec<RegionLink>,
    pub faults: Vec<Fault>,
    /// What brokers choose with.
    pub broker_stream: StreamId,
    /// How many `counter` generators there are.
    pub counters: u32,
    /// What steps say of the identity of what they issue, by where they are in the code, rising.
    pub identities: Vec<(Pc, Identity)>,
    /// By site: the sites whose effects its step takes back.
    pub undoes: Vec<Vec<SiteId>>,
    pub promises: promise::Promises,
}

impl Model {
    /// What the step at a place says of the identity of what it issues.
    #[inline]
    pub fn identity(&self, pc: Pc) -> Option<Identity> {
        if self.identities.is_empty() {
            return None;
        }
        let at = self.identities.binary_search_by_key(&pc, |(pc, _)| *pc).ok()?;
        Some(self.identities[at].1)
    }
}

/// What ought to happen once, in the scenario's own terms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Identity {
    /// What is issued here ought to happen once for each value.
    OncePer(Operand),
    /// What is issued here passes on what the message in hand obliges to.
    PassesOn,
}

/// Where the length of the warm-up comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    Given,
    /// It is to be found before anything is measured; until then it is 0.
    Found,
}

/// When things happen in a replication.
#[derive(Clone, Copy, Debug)]
pub struct RunPhases {
    pub warm_up: Nanos,
    pub warm_up_by: WarmUp,
    pub horizon: Nanos,
    pub drain: Nanos,
    pub replications: u32,
}

/// What reports call things.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub scenario: String,
    pub about: String,
    pub parameters: Vec<(String, String)>,
    pub symbols: Vec<String>,
    pub sites: Vec<String>,
    /// (caller, `service.Message`) of each pair that calls are reported under.
    pub calls: Vec<(String, String)>,
    pub links: Vec<String>,
    pub effects: Vec<String>,
    /// What was read.
    pub files: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub name: String,
    pub fields: u16,
    pub reply_fields: u16,
    pub key: Option<u16>,
    pub size_bytes: u64,
    /// Counted from 1. All schemas of a message have room for the fields of the last.
    pub schema: u32,
    /// What stands in the room of the fields that only later schemas have.
    pub fill: Vec<Assignment>,
    /// Which fields hold lists.
    pub list_fields: Vec<u16>,
    pub list_reply_fields: Vec<u16>,
    /// By field: its name, and how its words are read.
    pub field_names: Vec<String>,
    pub readings: Vec<promise::Reading>,
}

/// A place in what was read, line and column from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourcePlace {
    /// Index into `names.files`.
    pub file: u32,
    pub line: u32,
    /// In characters.
    pub column: u32,
}

impl Model {
    /// Where the expression of an instruction was written: `shop.yaml:12:20`.
    pub fn place_of(&self, instruction: u32) -> Option<String> {
        let known = self.places.binary_search_by_key(&instruction, |(at, _)| *at).ok()?;
        let SourcePlace { file, line, column } = self.places[known].1;
        Some(format!("{}:{line}:{column}", self.names.files[file as usize]))
    }
}

/// Code with the frame it runs on.
#[derive(Clone, Debug)]
pub struct Handler {
    pub name: String,
    /// What its unique values are made with: from its name, and no other handler's.
    pub key: u64,
    pub entry: Pc,
    /// Size of the frame, in words.
    pub words: u16,
    /// Slots that own lists.
    pub lists: Vec<Slot>,
    /// First slots of the named values, in the order in which the body declares them; for listings.
    pub locals: Vec<Slot>,
}

#[derive(Clone, Debug)]
pub struct Service {
    pub name: String,
    /// Its instances are `first_instance .. first_instance + instances`.
    pub first_instance: u32,
    pub instances: u32,
    /// Those that are there at the start: the first ones.
    pub instances_at_start: u32,
    /// Per instance; `u32::MAX`: unlimited.
    pub workers: u32,
    pub cpus: u32,
    pub order: QueueOrder,
    /// For priority queues: a value of the message in hand.
    pub priority: Option<Operand>,
    pub capacity: u32,
    pub shed: Shed,
    pub routing: Routing,
    /// Index into `stores`.
    pub store: Option<u32>,
    /// What lies between it and its store, where the store's own latencies are not all.
    pub store_way: Option<StoreWay>,
    pub memory: Vec<TableId>,
    pub outbox: Option<u32>,
    pub groups: Vec<GroupId>,
    pub jobs: Vec<JobId>,
    /// By message.
    pub handlers: Vec<(MessageId, HandlerId)>,
    /// What its instances can be deployed to.
    pub versions: Vec<Version>,
}

/// The routes from a service to its store and back, whose latencies add to the store's.
#[derive(Clone, Copy, Debug)]
pub struct StoreWay {
    pub there: u32,
    pub back: u32,
    pub hops: Hops,
}

#[derive(Clone, Copy, Debug)]
pub struct Instance {
    pub service: ServiceId,
    /// Within its service.
    pub number: u32,
    /// Region, or `u16::MAX`.
    pub region: u16,
}

#[derive(Clone, Debug)]
pub struct Store {
    pub service: ServiceId,
    pub isolation: Isolation,
    pub connections: u32,
    /// Region, or `u16::MAX`.
    pub region: u16,
    /// Ids of its tables; position is the number within the store.
    pub tables: Vec<TableId>,
    /// How long after a commit it is durable, if it is not at once.
    pub flush: Option<RingLength>,
    pub copies: Option<Copies>,
    /// Some fault has one of its following copies take over.
    pub is_succeeded: bool,
}

#[derive(Clone, Debug)]
pub struct Table {
    /// `service.table`
    pub name: String,
    /// Number within its store, or among the memory tables of its service.
    pub number: u32,
    pub memory: bool,
    pub columns: u16,
    pub key: Vec<u32>,
    pub initial: Vec<Word>,
    pub rows: Vec<Vec<Word>>,
    pub ttl: Option<RingLength>,
    /// Of memory tables; `u32::MAX`: unlimited.
    pub capacity: u32,
    /// A table of marks: writing one is not an effect.
    pub bookkeeping: bool,
    /// By column: whether a change of it is no effect.
    pub incidental: Vec<bool>,
    /// By column: its name, and how its words are read.
    pub column_names: Vec<String>,
    pub readings: Vec<promise::Reading>,
    /// The columns with a lifecycle, each with the changes that it admits.
    pub lifecycles: Vec<(u16, Vec<promise::Transition>)>,
    /// Of an event stream: how its rows come about.
    pub stream: Option<Box<Stream>>,
    /// Whom its changes are told.
    pub captures: Vec<Capture>,
}

impl Table {
    /// Whether a change of its rows can be an effect: of marks and of what is only in memory it is not.
    pub fn has_effects(&self) -> bool {
        !self.bookkeeping && !self.memory
    }

    /// Whether it is an effect that one row takes the place of another; absent is `None`.
    pub fn is_effect(&self, old: Option<&[Word]>, new: Option<&[Word]>) -> bool {
        self.has_effects()
            && match (old, new) {
                (None, None) => false,
                (Some(old), Some(new)) => {
                    let columns = old.iter().zip(new).zip(&self.incidental);
                    columns.into_iter().any(|((old, new), incidental)| !incidental && old != new)
                }
                _ => true,
            }
    }
}

#[derive(Clone, Debug)]
pub struct Topic {
    pub name: String,
    pub broker: BrokerId,
    pub region: u16,
    pub preset: String,
    /// Its name as a value.
    pub symbol: SymbolId,
    /// What its choices are keyed by; from its name.
    pub key: u64,
    pub knobs: messaging::TopicKnobs,
    pub groups: Vec<GroupId>,
}

/// A subscription.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    /// What obligations to it are made with; from its name.
    pub key: u64,
    pub service: ServiceId,
    pub topic: TopicId,
    /// How the broker meets it.
    pub member: messaging::Group,
    /// By message type carried: its handler here, how it gets here, and the publishes that are the
    /// main way to it.
    pub deliveries: Vec<DeliveryPath>,
    /// Acknowledgements go back this way.
    pub acknowledge_route: u32,
}

#[derive(Clone, Debug)]
pub struct DeliveryPath {
    pub message: MessageId,
    pub handler: HandlerId,
    /// By version of the service, the first one apart.
    pub versions: Vec<HandlerId>,
    pub route: u32,
    pub hops: Hops,
    /// For each publish step (by position in `publishes`) that is a main way here: its origins.
    pub main: Vec<(u32, Origins)>,
}

impl DeliveryPath {
    /// Its handler in a version of the service; 0 is the one that it begins with.
    #[inline(always)]
    pub fn handler_in(&self, version: u32) -> HandlerId {
        match version {
            0 => self.handler,
            later => self.versions[later as usize - 1],
        }
    }

    /// Whether any version handles it.
    pub fn is_handled(&self) -> bool {
        self.handler.0 != NONE || self.versions.iter().any(|handler| handler.0 != NONE)
    }
}

#[derive(Clone, Debug)]
pub struct Client {
    pub name: String,
    pub arrivals: Arrivals,
    pub count: u64,
    pub body: HandlerId,
    /// Its intents come from these in turn; those of one user from one.
    pub regions: Vec<u16>,
    /// Root of its obligations.
    pub key: u64,
}

#[derive(Clone, Debug)]
pub enum Arrivals {
    /// Interarrival times; exponential for a Poisson process.
    Renewal {
        interval: StreamId,
    },
    Times(Vec<Nanos>),
    Population {
        users: u32,
        think: StreamId,
    },
    /// Candidates of a Poisson process at the highest rate, kept with probability rate(t)/highest.
    Thinned {
        interval: StreamId,
        keep: StreamId,
        highest: f64,
        rate: RateOverTime,
    },
}

/// A rate that changes, per second.
#[derive(Clone, Debug)]
pub enum RateOverTime {
    /// Linear between the points, the last one kept.
    Profile(Vec<(Nanos, f64)>),
    /// Phases in turn with drawn lengths.
    Bursty { phases: Vec<(f64, StreamId)> },
}

#[derive(Clone, Debug)]
pub struct Job {
    pub name: String,
    pub service: ServiceId,
    pub every: Duration,
    pub once: bool,
    /// Items are identified by the row alone, not by the tick.
    pub per_row: bool,
    pub body: HandlerId,
    /// Root of its obligations.
    pub key: u64,
    /// Its number among origins (clients come first).
    pub origin: u32,
    /// Versions of the service that do not have it.
    pub absent_in: Vec<u32>,
}

/// A service's outbox and its relays.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub service: ServiceId,
    pub store: u32,
    pub every: RingLength,
    pub batch: u32,
    pub select: OutboxSelect,
    pub mark: OutboxMark,
    /// Between periodic marks.
    pub mark_every: RingLength,
    /// Its relays are numbered through the whole scenario, from this one on.
    pub first_relay: u32,
    pub relays: u32,
    pub read: Duration,
    pub mark_length: Duration,
    pub mark_commit: Duration,
    /// By broker: route there, route back, streams.
    pub ways: Vec<(u32, u32, Hops)>,
}

/// A way from one kind of place to another.
#[derive(Clone, Debug)]
pub struct Route {
    /// For figures.
    pub link: LinkId,
    pub from: Place,
    pub to: Place,
    /// Share of packets lost, and arriving twice.
    pub loss: f64,
    pub duplicate: f64,
    /// Bytes per second; infinite: unlimited.
    pub bandwidth: f64,
    /// Index of the pipe that its packets share when bandwidth is limited, or `NONE`.
    pub pipe: u32,
    pub datagram: bool,
    /// First retransmission timeout of a stream: max(200 ms, 2 × mean latency).
    pub retransmit_after: Nanos,
    /// Whether packets of one connection could overtake each other.
    pub reorders: bool,
}

/// What a link can end at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    Client(ClientId),
    Service(ServiceId),
    Broker(BrokerId),
    Store(ServiceId),
    Outbox(ServiceId),
    Region(u16),
}

#[derive(Clone, Debug)]
pub struct Fault {
    pub name: String,
    pub what: String,
    pub kind: FaultKind,
    pub when: FaultWhen,
    /// `None`: to the end of the measured phase.
    pub duration: Option<Duration>,
    pub instance: InstanceChoice,
    pub stream: StreamId,
}

#[derive(Clone, Debug)]
pub enum FaultKind {
    Crash(ServiceId),
    Pause(ServiceId),
    Slow(ServiceId, f64),
    Skew(ServiceId, i64),
    Surge(ClientId, f64),
    /// It refuses everything, and loses nothing.
    Outage(Place),
    /// The same, and it loses what was not durable.
    Failover(Place),
    /// Of the messages sent meanwhile this share cannot be handled.
    Poison(MessageId, f64),
    Split {
        places: Vec<Place>,
        one_way: bool,
    },
    Degrade {
        places: Vec<Place>,
        one_way: bool,
        latency: Option<Duration>,
        loss: Option<f64>,
        duplicate: Option<f64>,
        bandwidth: Option<f64>,
        /// Of a change of transport: whether to datagrams.
        datagram: Option<bool>,
    },
    /// A store, by its number.
    Store(u32, StoreFault),
    /// A group handles its topic once more, these tables emptied first.
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
    /// The instances of a service go to another version.
    Deploy(ServiceId, Rollout),
    /// A service has so many instances from now on.
    Scale(ServiceId, u32, Restart),
}

#[derive(Clone, Debug)]
pub enum FaultWhen {
    At(Vec<Nanos>),
    Every(Duration),
    AtStep { nth: Option<u64>, share: Option<f64> },
}
