//! The history of rows: every version with who wrote it, at which step, for whom, and how that came about.
//!
//! The replication is run again with this observer alone. It keeps the versions of the rows in question, and of
//! everything alive where it comes from; of what was never asked for it keeps nothing.
//!
//! ```text
//! 1.012  insert  orders[5]   orders#0, attempt 1, for PlaceOrder order 5, shop.yaml:17
//!                            1.000  shopper, for its intent 3, calls for PlaceOrder order 5, shop.yaml:41
//! ```

use super::Actor;
use super::wording::Business;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE, Pc, Word};
use crate::world::deed::{Deed, RowName, Served, Way, Write};
use crate::world::record::{Observer, Record};
use crate::world::tell::key_hash;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// So many links of a chain are remembered, the nearest.
const MOST_LINKS: usize = 24;
/// Versions that are kept; what comes after is counted.
pub const MOST_VERSIONS: usize = 10_000;

/// Which rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// `None`: of every table.
    pub table: Option<TableId>,
    /// As people write it; `None`: with any key.
    pub key: Option<String>,
    /// All versions, or the latest of each row.
    pub versions: Kept,
}

/// How much is kept of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    #[default]
    Latest,
    All,
}

/// Something that was issued on the way to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub at: Nanos,
    pub actor: Actor,
    /// What its attempt was about.
    pub business: Business,
    pub issued: Issued,
    /// At which step; `None`: at none of its own.
    pub pc: Option<Pc>,
}

/// What was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    Message {
        business: Business,
        way: Way,
        topic: Option<TopicId>,
    },
    Timer,
    /// A saga went on.
    Saga(SagaId),
}

/// An attempt that is alive, or wrote something.
#[derive(Clone, Debug, PartialEq)]
pub struct Worker {
    pub actor: Actor,
    pub handler: HandlerId,
    /// What it is about.
    pub business: Business,
    pub begun: Nanos,
    /// The how-manieth attempt at the same, from 1.
    pub number: u32,
    /// The how-manieth delivery it serves, and to whom.
    pub delivery: Option<(GroupId, u32)>,
    /// What led to it, the first thing first.
    pub chain: Rc<[Link]>,
}

/// Who made a version.
#[derive(Clone, Debug, PartialEq)]
pub enum Writer {
    /// There at the start.
    Start,
    /// An attempt, at these steps.
    Worker(Worker, Vec<(Pc, SiteId)>),
    /// Its time to live was over, or there was no more room in memory.
    Time,
    /// A replay for a group emptied its table.
    Replay(GroupId),
    /// The store lost what was not durable.
    StoreCrash,
    /// The memory went with its instance.
    InstanceCrash,
}

/// One version of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub at: Nanos,
    pub row: RowName,
    /// The commit that made it, as its store counts.
    pub number: u64,
    /// `None`: absent.
    pub old: Option<Vec<Word>>,
    pub new: Option<Vec<Word>>,
    pub writer: Writer,
}

/// What is issued and alive: a message or a timer.
struct Carried {
    business: Business,
    chain: Rc<[Link]>,
    /// Attempts begun with it, by obligation.
    tries: Vec<(u64, u32)>,
}

/// An attempt under way.
struct Running {
    worker: Worker,
    obligation: u64,
    /// Where it wrote what it has not committed.
    staged: Vec<(RowName, Pc, SiteId)>,
}

/// Keeps histories while a replication runs.
pub struct History<'m> {
    model: &'m Model,
    rows: Rows,
    attempts: FxHashMap<u32, Running>,
    messages: FxHashMap<u32, Carried>,
    timers: FxHashMap<u32, Carried>,
    /// All of them, if all are kept.
    versions: Vec<Version>,
    /// The latest of each row; of rows that are gone only those asked for by their key.
    latest: FxHashMap<RowName, Version>,
    left_out: u64,
    /// By table: commits of its rows, all of them.
    commits: Vec<u64>,
    root: Rc<[Link]>,
}

impl<'m> History<'m> {
    pub fn new(model: &'m Model, rows: Rows) -> Self {
        let mut history = Self {
            model,
            rows,
            attempts: FxHashMap::default(),
            messages: FxHashMap::default(),
            timers: FxHashMap::default(),
            versions: Vec::new(),
            latest: FxHashMap::default(),
            left_out: 0,
            commits: vec![0; model.tables.len()],
            root: Rc::from([]),
        };
        history.start();
        history
    }

    /// The versions, in the order in which they were made, if all are kept.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Versions beyond the bound.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The latest version of a row, if it was asked for.
    pub fn latest(&self, row: RowName) -> Option<&Version> {
        self.latest.get(&row)
    }

    /// The rows asked for by a key that are or were there, by table.
    pub fn keyed(&self) -> Vec<&Version> {
        let mut all: Vec<&Version> = self.latest.values().collect();
        all.sort_unstable_by_key(|version| version.row);
        all
    }

    /// Versions of rows of a table that were committed, those lost later among them.
    pub fn commits(&self, table: TableId) -> u64 {
        self.commits[table.index()]
    }

    /// An attempt that is under way.
    pub fn running(&self, attempt: u32) -> Option<&Worker> {
        self.attempts.get(&attempt).map(|of| &of.worker)
    }

    /// The rows that are there before anything happens.
    fn start(&mut self) {
        let model = self.model;
        for table in (0..model.tables.len()).map(TableId::new) {
            let of = &model.tables[table.index()];
            let instances: Vec<u32> = match of.memory {
                false => vec![NONE],
                true => instances_with(model, table).collect(),
            };
            for (instance, words) in
                instances.iter().flat_map(|&instance| of.rows.iter().map(move |words| (instance, words)))
            {
                if self.concerns(table, words) {
                    let key = key_hash(model, table, words);
                    let row = RowName { table, key, instance };
                    let (old, new) = (None, Some(words.clone()));
                    self.keep(Version { at: 0, row, number: 0, old, new, writer: Writer::Start });
                }
            }
        }
    }

    /// Whether a row is one of those in question.
    fn concerns(&self, table: TableId, words: &[Word]) -> bool {
        self.rows.table.is_none_or(|wanted| wanted == table)
            && match &self.rows.key {
                Some(key) => key_text(self.model, table, words) == *key,
                None => self.rows.table.is_some(),
            }
    }

    fn keep(&mut self, version: Version) {
        if self.rows.versions == Kept::All {
            match self.versions.len() < MOST_VERSIONS {
                true => self.versions.push(version.clone()),
                false => self.left_out += 1,
            }
        }
        if version.new.is_some() || self.rows.key.is_some() {
            self.latest.insert(version.row, version);
        } else {
            self.latest.remove(&version.row);
        }
    }

    fn begun(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::AttemptBegun { attempt, handler, instance, cause, served, message } = deed else { return };
        let actor = match served {
            Served::Intent { client, .. } => Actor::Client(client),
            _ => Actor::Instance(instance),
        };
        let carried = match served {
            Served::Timer { timer } => self.timers.get_mut(&timer),
            Served::Intent { .. } | Served::Tick { .. } => None,
            Served::Call | Served::Send | Served::Delivery { .. } => self.messages.get_mut(&message),
        };
        let (business, chain, number) = match carried {
            Some(of) => (of.business, of.chain.clone(), of.begin(cause.obligation)),
            None => (root_business(served), self.root.clone(), 1),
        };
        let delivery = match served {
            Served::Delivery { group, delivery } => Some((group, delivery)),
            _ => None,
        };
        let worker = Worker { actor, handler, business, begun: at, number, delivery, chain };
        self.attempts.insert(attempt, Running { worker, obligation: cause.obligation, staged: Vec::new() });
    }

    /// The chain to what an attempt issues.
    fn chain_to(&self, at: Nanos, attempt: u32, issued: Issued, pc: Option<Pc>) -> Rc<[Link]> {
        let Some(Running { worker, .. }) = self.attempts.get(&attempt) else { return self.root.clone() };
        let link = Link { at, actor: worker.actor, business: worker.business, issued, pc };
        let skipped = (worker.chain.len() + 1).saturating_sub(MOST_LINKS);
        worker.chain.iter().skip(skipped).copied().chain([link]).collect()
    }

    fn business_of(&self, attempt: u32) -> Business {
        self.attempts.get(&attempt).map_or(Business::Nothing, |of| of.worker.business)
    }

    fn issued(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::Issued { attempt, message, kind, way, topic, pc, payload, .. } = deed else { return };
        let key = self.model.messages[kind.index()].key;
        let business = Business::Message(kind, key.and_then(|key| payload.get(key as usize).copied()));
        let chain = self.chain_to(at, attempt, Issued::Message { business, way, topic }, Some(pc));
        // What is passed on is still the same: its next attempt comes after this one.
        let tries = self.attempts.get(&attempt).map(|of| (of.obligation, of.worker.number));
        self.messages.insert(message, Carried { business, chain, tries: tries.into_iter().collect() });
    }

    fn committed(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::Committed { attempt, row, old, new, version, .. } = deed else { return };
        self.commits[row.table.index()] += 1;
        if !self.concerns(row.table, new.or(old).unwrap_or(&[])) {
            return;
        }
        let writer = match self.attempts.get(&attempt) {
            Some(of) => {
                let steps = of.staged.iter().filter(|(staged, ..)| *staged == row);
                Writer::Worker(of.worker.clone(), steps.map(|&(_, pc, site)| (pc, site)).collect())
            }
            None => Writer::Time,
        };
        let (old, new) = (old.map(<[_]>::to_vec), new.map(<[_]>::to_vec));
        self.keep(Version { at, row, number: version, old, new, writer });
    }

    /// A row went back to what it was: the store has lost a commit.
    fn lost(&mut self, row: RowName) {
        let known = self.versions.iter_mut().rev().find(|version| version.row == row);
        for version in known.into_iter().chain(self.latest.get_mut(&row)) {
            version.writer = Writer::StoreCrash;
        }
    }

    /// The rows of a table that went at this moment went for a replay.
    fn cleared(&mut self, at: Nanos, table: TableId, group: GroupId) {
        let now = self.versions.iter_mut().rev().take_while(|version| version.at == at);
        for version in now.chain(self.latest.values_mut()) {
            let is_gone = version.new.is_none() && version.at == at && version.row.table == table;
            if is_gone && version.writer == Writer::Time {
                version.writer = Writer::Replay(group);
            }
        }
    }

    /// The memory of an instance is as it was at the start.
    fn memory_gone(&mut self, at: Nanos, instance: u32) {
        let mut here: Vec<RowName> =
            self.latest.keys().filter(|row| row.instance == instance).copied().collect();
        here.sort_unstable();
        for row in here {
            let Version { number, ref new, .. } = self.latest[&row];
            let old = new.clone();
            let mut start = self.model.tables[row.table.index()].rows.iter();
            let new = start.find(|words| key_hash(self.model, row.table, words) == row.key).cloned();
            if old != new {
                self.keep(Version { at, row, number, old, new, writer: Writer::InstanceCrash });
            }
        }
    }
}

impl Carried {
    /// Counts an attempt.
    fn begin(&mut self, obligation: u64) -> u32 {
        let known = self.tries.iter().position(|(known, _)| *known == obligation);
        let at = known.unwrap_or_else(|| {
            self.tries.push((obligation, 0));
            self.tries.len() - 1
        });
        self.tries[at].1 += 1;
        self.tries[at].1
    }
}

/// The key of a row as people write it: `17`; of several columns `5, 1`.
pub fn key_text(model: &Model, table: TableId, words: &[Word]) -> String {
    let of = &model.tables[table.index()];
    let word = |&column: &u32| model.word(of.readings[column as usize], words[column as usize]);
    of.key.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// The instances, by their number among all, that have a table in memory.
pub fn instances_with(model: &Model, table: TableId) -> impl Iterator<Item = u32> {
    let owners = model.services.iter().filter(move |service| service.memory.contains(&table));
    owners.flat_map(|service| service.first_instance..service.first_instance + service.instances)
}

fn root_business(served: Served) -> Business {
    match served {
        Served::Intent { client, number, .. } => Business::Intent(client, number),
        Served::Tick { job } => Business::Job(job),
        _ => Business::Nothing,
    }
}

impl Observer for History<'_> {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, at: Nanos, record: &Record) {
        if let Record::InstanceDown { instance, .. } = *record {
            self.memory_gone(at, instance.0);
        }
    }

    fn deed(&mut self, at: Nanos, deed: &Deed<'_>) {
        match *deed {
            Deed::AttemptBegun { .. } => self.begun(at, deed),
            Deed::AttemptEnded { attempt, .. } => drop(self.attempts.remove(&attempt)),
            Deed::Issued { .. } => self.issued(at, deed),
            Deed::Freed { message } => drop(self.messages.remove(&message)),
            Deed::TimerSet { attempt, timer, .. } => {
                let chain = self.chain_to(at, attempt, Issued::Timer, None);
                let business = self.business_of(attempt);
                self.timers.insert(timer, Carried { business, chain, tries: Vec::new() });
            }
            Deed::SagaMoved { attempt, of, timer, before, .. } => {
                let business = self.timers.get(&before).map(|of| of.business);
                let business = business.unwrap_or_else(|| self.business_of(attempt));
                let chain = self.chain_to(at, attempt, Issued::Saga(of), None);
                self.timers.insert(timer, Carried { business, chain, tries: Vec::new() });
            }
            Deed::TimerGone { timer } => drop(self.timers.remove(&timer)),
            Deed::Wrote { attempt, pc, part, row, write, .. } if write != Write::Nothing => {
                if let Some(of) = self.attempts.get_mut(&attempt) {
                    of.staged.push((row, pc, part.site));
                }
            }
            Deed::Committed { .. } => self.committed(at, deed),
            Deed::TransactionEnded { attempt, .. } => {
                if let Some(of) = self.attempts.get_mut(&attempt) {
                    of.staged.clear();
                }
            }
            Deed::Forgotten { row, .. } => self.lost(row),
            Deed::Cleared { table, group } => self.cleared(at, table, group),
            _ => {}
        }
    }
}
