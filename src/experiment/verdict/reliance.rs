//! The faults that promises rely on: without them a design is not put to the test it was given.
//!
//! A promise is about the work of somebody, and relies on the faults that aim at anything on that work's path:
//!
//! | about | on its path |
//! |---|---|
//! | anomalies | all that a client or a job leads to, by calls, sends, publishes and subscriptions |
//! | rows of a table | of that, what leads to the services that have the table, and whom those on the way call |
//! | what a service, or a consumer group, did | of that, what leads to it, and whom those on the way call |
//! | what a client saw | the client, and what it leads to |
//!
//! With a service its store and outbox are on the path, with a topic its broker. A link is if two of the places are that
//! it joins.

use crate::experiment::results::{EdgeKind, NodeKind, Topology};
use crate::experiment::topology::topology;
use crate::kernel::ids::{ClientId, ServiceId, TableId};
use crate::model::{Fault, FaultKind, Model, Place};
use crate::observe::findings::Findings;

/// Whose work a promise is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    Everything,
    Table(TableId),
    Service(ServiceId),
    Client(ClientId),
}

/// The faults that hit nothing alive in any replication, and whom they aim at.
pub struct Reliance<'m> {
    model: &'m Model,
    topology: Topology,
    /// By node: whether work can come to it.
    reached: Vec<bool>,
    idle: Vec<&'m Fault>,
}

impl<'m> Reliance<'m> {
    pub fn new(model: &'m Model, findings: &[&Findings]) -> Self {
        let topology = topology(model);
        let mut reached: Vec<bool> =
            topology.nodes.iter().map(|node| node.kind == NodeKind::Client).collect();
        model.jobs.iter().for_each(|job| reached[model.clients.len() + job.service.index()] = true);
        spread(&mut reached, |spread| topology.edges.iter().for_each(|edge| spread(edge.from, edge.to)));
        let hit = |fault: usize| findings.iter().any(|one| one.faults_that_hit.get(fault) == Some(&true));
        let faults = model.faults.iter().enumerate();
        let idle = faults.filter(|(number, _)| !hit(*number)).map(|(_, fault)| fault).collect();
        Self { model, topology, reached, idle }
    }

    /// Those that a promise relies on: `name (what it does)`.
    pub fn idle_faults(&self, subjects: &[Subject]) -> Vec<String> {
        let mut path = vec![false; self.reached.len()];
        for subject in subjects {
            self.path(subject, &mut path);
        }
        let relied_on = self.idle.iter().filter(|fault| self.is_target(&fault.kind, &path));
        relied_on.map(|fault| told(fault)).collect()
    }

    /// Marks the nodes on the path of a subject.
    fn path(&self, subject: &Subject, path: &mut [bool]) {
        let clients = self.model.clients.len();
        let mut own = vec![false; path.len()];
        match *subject {
            Subject::Everything => own.copy_from_slice(&self.reached),
            Subject::Client(client) => {
                own[client.index()] = true;
                self.downstream(&mut own, |_| true);
            }
            Subject::Service(service) => {
                own[clients + service.index()] = true;
                self.upstream(&mut own);
            }
            Subject::Table(table) => {
                for (number, service) in self.model.services.iter().enumerate() {
                    let has = |store: u32| self.model.stores[store as usize].tables.contains(&table);
                    let name = &self.model.tables[table.index()].name;
                    let in_memory = name.split_once('.').is_some_and(|(owner, _)| owner == service.name);
                    own[clients + number] = in_memory || service.store.is_some_and(has);
                }
                self.upstream(&mut own);
            }
        }
        for ((path, own), reached) in path.iter_mut().zip(own).zip(&self.reached) {
            *path |= own && *reached;
        }
    }

    fn downstream(&self, own: &mut [bool], goes: impl Fn(EdgeKind) -> bool) {
        let edges = || self.topology.edges.iter().filter(|edge| goes(edge.kind));
        spread(own, |spread| edges().for_each(|edge| spread(edge.from, edge.to)));
    }

    /// What leads there, and whom those call: their answers lead there too.
    fn upstream(&self, own: &mut [bool]) {
        spread(own, |spread| self.topology.edges.iter().for_each(|edge| spread(edge.to, edge.from)));
        self.downstream(own, |kind| kind == EdgeKind::Call);
    }

    fn is_target(&self, kind: &FaultKind, path: &[bool]) -> bool {
        let service = |service: ServiceId| path[self.model.clients.len() + service.index()];
        match kind {
            FaultKind::Crash(of) | FaultKind::Pause(of) | FaultKind::Slow(of, _) | FaultKind::Skew(of, _) => {
                service(*of)
            }
            FaultKind::Deploy(of, _) | FaultKind::Scale(of, ..) => service(*of),
            FaultKind::Surge(client, _) => path[client.index()],
            FaultKind::Poison(..) | FaultKind::Redrive { .. } | FaultKind::Repartition { .. } => true,
            FaultKind::Replay { group, .. } => service(self.model.groups[group.index()].service),
            FaultKind::Outage(place) | FaultKind::Failover(place) => self.is_on(*place, path),
            FaultKind::Store(store, _) => {
                let services = self.model.services.iter().zip(&path[self.model.clients.len()..]);
                services.into_iter().any(|(of, on_path)| *on_path && of.store == Some(*store))
            }
            FaultKind::Split { places, .. } | FaultKind::Degrade { places, .. } => {
                places.iter().filter(|place| self.is_on(**place, path)).count() > 1
            }
        }
    }

    fn is_on(&self, place: Place, path: &[bool]) -> bool {
        let (clients, services) = (self.model.clients.len(), self.model.services.len());
        match place {
            Place::Region(_) => true,
            Place::Client(client) => path[client.index()],
            Place::Service(service) | Place::Store(service) | Place::Outbox(service) => {
                path[clients + service.index()]
            }
            Place::Broker(broker) => {
                let topics = self.model.topics.iter().zip(&path[clients + services..]);
                topics.filter(|(topic, _)| topic.broker == broker).any(|(_, on_path)| *on_path)
            }
        }
    }
}

/// `cut (split orders | kafka; nothing that was sent there met it)`
fn told(fault: &Fault) -> String {
    let why = match fault.kind {
        FaultKind::Split { .. } | FaultKind::Degrade { .. } => "; nothing sent there came to feel it",
        FaultKind::Surge(..) => "; no arrival came of it",
        FaultKind::Poison(..) => "; no such message was sent",
        _ => "",
    };
    format!("{} ({}{why})", fault.name, fault.what)
}

/// Marks all that the marked lead to, by pairs that the callback gives as (from, to).
fn spread(marked: &mut [bool], pairs: impl Fn(&mut dyn FnMut(usize, usize))) {
    loop {
        let mut is_new = false;
        pairs(&mut |from, to| {
            if marked[from] && !marked[to] {
                marked[to] = true;
                is_new = true;
            }
        });
        if !is_new {
            return;
        }
    }
}
