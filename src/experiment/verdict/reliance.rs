//! The faults that promises rely on: without them a design is not put to the test it was given.
//!
//! Every fault is relied on that aims at something which work can come to: a client, a service that a client
//! or a job leads to by calls, sends, publishes and subscriptions, its store and outbox, the broker of a topic
//! on the way. That is more than what one promise needs: a fault that hit nothing casts doubt on all
//! of them.

use crate::experiment::results::{NodeKind, Topology};
use crate::experiment::topology::topology;
use crate::kernel::ids::{BrokerId, ServiceId};
use crate::model::{FaultKind, Model, Place};
use crate::observe::findings::Findings;

/// The faults that are relied on and that hit nothing alive in any replication: `name (what it does)`.
pub fn idle_faults(model: &Model, findings: &[&Findings]) -> Vec<String> {
    let reach = Reach::new(model);
    let hit = |fault: usize| findings.iter().any(|one| one.faults_that_hit.get(fault) == Some(&true));
    let faults = model.faults.iter().enumerate();
    let idle = faults.filter(|(number, fault)| reach.is_target(&fault.kind) && !hit(*number));
    idle.map(|(_, fault)| format!("{} ({})", fault.name, fault.what)).collect()
}

/// What work can come to.
struct Reach {
    services: Vec<bool>,
    brokers: Vec<bool>,
    /// By store: the services that use it.
    users: Vec<Vec<ServiceId>>,
}

impl Reach {
    fn new(model: &Model) -> Self {
        let topology = topology(model);
        let first_topic = model.clients.len() + model.services.len();
        let mut reached: Vec<bool> =
            topology.nodes.iter().map(|node| node.kind == NodeKind::Client).collect();
        model.jobs.iter().for_each(|job| reached[model.clients.len() + job.service.index()] = true);
        while spread(&topology, &mut reached) {}
        let mut brokers = Vec::new();
        for (topic, _) in model.topics.iter().zip(&reached[first_topic..]).filter(|(_, reached)| **reached) {
            let broker = topic.broker.index();
            brokers.resize(brokers.len().max(broker + 1), false);
            brokers[broker] = true;
        }
        let users = |store: usize| {
            let services = model.services.iter().enumerate();
            let own = services.filter(|(_, service)| service.store == Some(store as u32));
            own.map(|(index, _)| ServiceId::new(index)).collect()
        };
        let users = (0..model.stores.len()).map(users).collect();
        Self { users, services: reached[model.clients.len()..first_topic].to_vec(), brokers }
    }

    fn is_target(&self, kind: &FaultKind) -> bool {
        match kind {
            FaultKind::Crash(service)
            | FaultKind::Pause(service)
            | FaultKind::Slow(service, _)
            | FaultKind::Skew(service, _) => self.service(*service),
            FaultKind::Surge(..) | FaultKind::Poison(..) | FaultKind::Replay { .. } => true,
            FaultKind::Outage(place) | FaultKind::Failover(place) => self.place(*place),
            FaultKind::Store(store, _) => {
                let mut users = self.users[*store as usize].iter();
                users.any(|service| self.service(*service))
            }
            FaultKind::Split { places, .. } | FaultKind::Degrade { places, .. } => {
                places.iter().any(|place| self.place(*place))
            }
        }
    }

    fn place(&self, place: Place) -> bool {
        match place {
            Place::Client(_) | Place::Region(_) => true,
            Place::Service(service) | Place::Store(service) | Place::Outbox(service) => self.service(service),
            Place::Broker(broker) => self.broker(broker),
        }
    }

    fn service(&self, service: ServiceId) -> bool {
        self.services[service.index()]
    }

    fn broker(&self, broker: BrokerId) -> bool {
        self.brokers.get(broker.index()).copied().unwrap_or(false)
    }
}

/// Goes one step further along the edges; whether that led anywhere new.
fn spread(topology: &Topology, reached: &mut [bool]) -> bool {
    let mut is_new = false;
    for edge in &topology.edges {
        if reached[edge.from] && !reached[edge.to] {
            reached[edge.to] = true;
            is_new = true;
        }
    }
    is_new
}
