//! Oracles: they know what should have happened, and count what did not.
//!
//! Each reads the [deeds](crate::world::deed) that the world tells, and hands over its
//! [findings](super::findings) when the replication is over. What was promised besides (views, sessions,
//! invariants) is judged beside them, in [`super::promise`].

pub mod copies;
pub mod isolation;
pub mod lifetimes;
pub mod lineage;
pub mod ordering;
pub mod sessions;

use super::findings::{Finding, Findings, Sighting};
use super::meters::{Meters, ReadMeter, ViewMeter};
use super::promise::invariants::Invariants;
use super::promise::views::Views;
use crate::kernel::anomaly::Anomaly;
use crate::kernel::encoder::Encoder;
use crate::kernel::ids::TableId;
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::model::promise::{
    Measure, MeasureUse, SagaPromise, SessionKind, SessionPromise, StalenessBound, StalenessPromise,
};
use crate::model::reach::has_effects;
use crate::world::deed::Deed;
use crate::world::record::{Observer, Record};
use isolation::Isolation;
use lineage::{Lineage, Watch};
use ordering::OrderOracle;
use sessions::Sessions;
use sessions::staleness::Staleness;

/// All judges of one replication: plain data, that can be cloned in the middle of it and go on.
#[derive(Clone)]
pub struct Oracles<'m> {
    model: &'m Model,
    /// Whether any of them is there.
    judges: bool,
    /// `None`: nothing in the scenario makes an effect.
    lineage: Option<Lineage<'m>>,
    /// `None`: no message goes to a topic, and no column has a lifecycle.
    order: Option<OrderOracle<'m>>,
    /// `None`: there are no rows.
    isolation: Option<Isolation<'m>>,
    /// Of the clients and tables that promises name; `None`: they name none.
    sessions: Option<Sessions<'m>>,
    invariants: Option<Invariants<'m>>,
    views: Option<Views<'m>>,
}

impl<'m> Oracles<'m> {
    pub fn new(model: &'m Model) -> Self {
        let mut oracles = Self {
            model,
            judges: false,
            lineage: has_effects(model).then(|| Lineage::new(model)),
            order: has_order(model).then(|| OrderOracle::new(model)),
            isolation: (!model.row_steps.is_empty()).then(|| Isolation::new(model)),
            sessions: sessions_of(model),
            invariants: Invariants::new(model),
            views: Views::new(model),
        };
        oracles.judges = oracles.lineage.is_some()
            || oracles.order.is_some()
            || oracles.isolation.is_some()
            || oracles.sessions.is_some()
            || oracles.invariants.is_some()
            || oracles.views.is_some();
        oracles
    }

    /// Keeps everything that lineage sees to go wrong.
    pub fn watch(&mut self, watch: Watch) {
        if let Some(lineage) = &mut self.lineage {
            lineage.watch(watch);
        }
    }

    /// Whether the one obligation that is watched can still be worked on; what lineage does not judge cannot.
    pub fn is_open(&self, obligation: u64) -> bool {
        self.lineage.as_ref().is_some_and(|lineage| lineage.is_open(obligation))
    }

    /// What has been seen of that which is watched.
    pub fn sightings(&self) -> &[(Anomaly, Sighting)] {
        self.lineage.as_ref().map_or(&[], |lineage| lineage.sightings())
    }

    /// What all of them know now, in canonical words: two that know the same are equal.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self { model: _, judges: _, lineage, order, isolation, sessions, invariants, views } = self;
        lineage.iter().for_each(|monitor| monitor.encode(encoder));
        order.iter().for_each(|monitor| monitor.encode(encoder));
        isolation.iter().for_each(|monitor| monitor.encode(encoder));
        sessions.iter().for_each(|monitor| monitor.encode(encoder));
        invariants.iter().for_each(|monitor| monitor.encode(encoder));
        views.iter().for_each(|monitor| monitor.encode(encoder));
    }

    /// What was found, and what was measured beside.
    pub fn finish(self) -> (Findings, Meters) {
        let promises = &self.model.promises;
        let mut meters = Meters::default();
        let mut anomalies = nothing(Anomaly::ALL.len());
        let sagas: Vec<Finding> = match &self.lineage {
            Some(lineage) => {
                let of = |promise: &SagaPromise| lineage.saga_finding(promise.watched, promise.measure);
                promises.sagas.iter().map(of).collect()
            }
            None => nothing(promises.sagas.len()),
        };
        if let Some(lineage) = self.lineage {
            let (found, ends, dated) = lineage.finish();
            (anomalies, meters.ends, meters.dated) = (found, ends, Some(dated));
        }
        let order = self.order.map(OrderOracle::finish);
        let isolation = self.isolation.iter().flat_map(Isolation::findings);
        for (anomaly, finding) in order.iter().flat_map(|order| order.findings.clone()).chain(isolation) {
            anomalies[anomaly.index()] = finding;
        }
        meters.order = order.map(|order| order.groups).unwrap_or_default();
        let mut views = nothing(promises.first_session());
        if let Some(found) = self.views.map(Views::findings) {
            views = found.iter().map(|of| of.finding.clone()).collect();
            meters.views = found.into_iter().map(ViewMeter::new).collect();
        }
        let reads = self.sessions.iter().flat_map(Sessions::staleness);
        meters.reads = reads.map(ReadMeter::new).collect();
        let sessions = promises.sessions.iter().map(|promise| of_session(self.sessions.as_ref(), promise));
        let staleness = promises.staleness.iter().map(|promise| of_reads(self.sessions.as_ref(), promise));
        let others: Vec<Finding> = sessions.chain(staleness).chain(sagas).collect();
        let invariants = match self.invariants {
            Some(invariants) => invariants.findings(),
            None => nothing(promises.invariants.len()),
        };
        let promises = [views, others, invariants].concat();
        (Findings { anomalies, promises, faults_that_hit: Vec::new() }, meters)
    }
}

impl Observer for Oracles<'_> {
    #[inline(always)]
    fn judges(&self) -> bool {
        self.judges
    }

    /// What happens to every message and attempt, none of them hears of: deeds tell them more.
    #[inline(always)]
    fn record(&mut self, now: Nanos, record: &Record) {
        match record {
            Record::IntentBegun { .. }
            | Record::IntentEnded { .. }
            | Record::CallBegun { .. }
            | Record::CallTried { .. }
            | Record::CallEnded { .. }
            | Record::Waits { .. }
            | Record::Started { .. }
            | Record::Ended { .. }
            | Record::Accepted { .. }
            | Record::Delivered { .. }
            | Record::Released { .. }
            | Record::Committed { .. }
            | Record::Sent { .. } => {}
            _ if self.judges => self.hear(now, record),
            _ => {}
        }
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.lineage.deed(now, deed);
        self.order.deed(now, deed);
        self.isolation.deed(now, deed);
        self.sessions.deed(now, deed);
        self.invariants.deed(now, deed);
        self.views.deed(now, deed);
    }
}

impl Oracles<'_> {
    fn hear(&mut self, now: Nanos, record: &Record) {
        self.lineage.record(now, record);
        self.order.record(now, record);
        self.isolation.record(now, record);
        self.sessions.record(now, record);
        self.invariants.record(now, record);
        self.views.record(now, record);
    }
}

fn nothing(findings: usize) -> Vec<Finding> {
    vec![Finding::default(); findings]
}

fn has_order(model: &Model) -> bool {
    !model.publishes.is_empty() || model.tables.iter().any(|table| !table.lifecycles.is_empty())
}

fn sessions_of(model: &Model) -> Option<Sessions<'_>> {
    let mut clients: Vec<_> = model.promises.sessions.iter().map(|promise| promise.client).collect();
    clients.sort_unstable();
    clients.dedup();
    let mut tables: Vec<_> = model.promises.staleness.iter().map(|promise| promise.table).collect();
    tables.extend(model.promises.measures().filter_map(|of| table_of(model, of)));
    tables.sort_unstable();
    tables.dedup();
    let is_asked = !clients.is_empty() || !tables.is_empty();
    is_asked.then(|| Sessions::new(model, &clients, &tables))
}

/// The table whose reads a figure of the run is of.
fn table_of(model: &Model, of: &MeasureUse) -> Option<TableId> {
    let is_of_reads = matches!(of.measure, Measure::FreshReads | Measure::Staleness);
    let position = model.tables.iter().position(|table| is_of_reads && table.name == of.owner)?;
    Some(TableId::new(position))
}

fn of_session(sessions: Option<&Sessions<'_>>, promise: &SessionPromise) -> Finding {
    let found = sessions.and_then(|of| of.sessions().iter().find(|client| client.client == promise.client));
    let Some(found) = found else { return Finding::default() };
    match promise.kind {
        SessionKind::ReadYourWrites => found.read_your_writes.clone(),
        SessionKind::MonotonicReads => found.monotonic_reads.clone(),
    }
}

/// The stale reads of a table; where the promise bounds how stale, those beyond the bound.
fn of_reads(sessions: Option<&Sessions<'_>>, promise: &StalenessPromise) -> Finding {
    let found = sessions.and_then(|of| of.staleness().iter().find(|table| table.table == promise.table));
    let Some(Staleness { reads, beyond, .. }) = found else { return Finding::default() };
    if let StalenessBound::StaleReads(_) = promise.bound {
        return reads.clone();
    }
    let beyond = beyond.iter().find(|(bound, _)| *bound == promise.bound);
    let (count, first) = beyond.map_or((0, None), |(_, finding)| (finding.count, finding.first.clone()));
    Finding { count, first, ..reads.clone() }
}
