//! Faults, and the steps they watch.

use super::Compiler;
use super::steps::Site;
use crate::kernel::ids::*;
use crate::kernel::stream::Draw;
use crate::model::*;
use crate::scenario::resolved::{self as scenario, End, Step, When};

impl Compiler<'_> {
    /// Names first: the steps that faults watch are compiled before the faults themselves.
    pub fn fault_names(&mut self) {
        for fault in &self.scenario.faults {
            self.stream(path_of(fault), Draw::Bits);
        }
    }

    /// The faults that watch this side of a step.
    pub fn faults_at(&self, site: &Site, step: &Step, at: Edge) -> Vec<FaultId> {
        let Some(name) = &step.name else { return Vec::new() };
        let full = format!("{}/{name}", site.path);
        let watches = |fault: &&(usize, &scenario::Fault)| match &fault.1.when {
            When::AtStep { service, site: watched, edge: watched_edge, .. } => {
                Some(*service) == site.service && *watched == full && *watched_edge == at
            }
            _ => false,
        };
        let faults: Vec<_> = self.scenario.faults.iter().enumerate().collect();
        faults.iter().filter(watches).map(|(index, _)| FaultId::new(*index)).collect()
    }

    pub fn faults(&mut self) {
        for fault in &self.scenario.faults {
            let path = path_of(fault);
            let stream = self.stream(path.clone(), Draw::Bits);
            let duration = fault
                .duration
                .as_ref()
                .map(|duration| self.generated_duration(duration, &format!("{path}/for")));
            let when = self.fault_when(&fault.when, &path);
            let (kind, what) = self.fault_kind(&fault.kind, &path);
            self.model.faults.push(Fault {
                name: fault.name.clone(),
                what,
                kind,
                when,
                duration,
                instance: fault.instance,
                stream,
            });
        }
    }

    fn fault_when(&mut self, when: &When, path: &str) -> FaultWhen {
        match when {
            When::At(times) => FaultWhen::At(times.clone()),
            When::Every(generator) => match self.generated_duration(generator, &format!("{path}/every")) {
                Duration::Computed(_) => unreachable!("generated durations are not computed"),
                every => FaultWhen::Every(every),
            },
            When::AtStep { nth, share, .. } => FaultWhen::AtStep { nth: *nth, share: *share },
        }
    }

    /// From where to where dead letters are redriven.
    pub fn redrives(&self) -> impl Iterator<Item = (TopicId, TopicId)> + use<'_> {
        self.scenario.faults.iter().filter_map(|fault| match fault.kind {
            scenario::FaultKind::Redrive { from, to } => Some((from, to)),
            _ => None,
        })
    }

    /// How many partitions a topic comes to have, after all its operations.
    pub fn partitions_in_the_end(&self, topic: usize) -> u32 {
        let grown = self.scenario.faults.iter().filter_map(|fault| match fault.kind {
            scenario::FaultKind::Repartition { topic: of, partitions } if of.index() == topic => {
                Some(partitions)
            }
            _ => None,
        });
        grown.fold(self.scenario.topics[topic].knobs.partitions, u32::max)
    }

    fn fault_kind(&mut self, kind: &scenario::FaultKind, path: &str) -> (FaultKind, String) {
        let scenario = self.scenario;
        let service_name = |service: &ServiceId| &scenario.services[service.index()].name;
        match kind {
            scenario::FaultKind::Crash { service } => {
                (FaultKind::Crash(*service), format!("crash {}", service_name(service)))
            }
            scenario::FaultKind::Pause { service } => {
                (FaultKind::Pause(*service), format!("pause {}", service_name(service)))
            }
            scenario::FaultKind::Slow { service, by } => {
                (FaultKind::Slow(*service, *by), format!("slow {} by {by}", service_name(service)))
            }
            scenario::FaultKind::Skew { service, by } => {
                (FaultKind::Skew(*service, *by), format!("skew {}", service_name(service)))
            }
            scenario::FaultKind::Surge { client, by } => (
                FaultKind::Surge(*client, *by),
                format!("surge {} by {by}", scenario.clients[client.index()].name),
            ),
            scenario::FaultKind::Outage { place } => {
                let place = self.place_of(place);
                (FaultKind::Outage(place), format!("outage of {}", self.place_name(place)))
            }
            scenario::FaultKind::Failover { place } => {
                let place = self.place_of(place);
                (FaultKind::Failover(place), format!("failover of {}", self.place_name(place)))
            }
            scenario::FaultKind::Poison { message, share } => (
                FaultKind::Poison(*message, share.unwrap_or(1.0)),
                format!("poison {}", scenario.messages[message.index()].name),
            ),
            scenario::FaultKind::Split { ends, one_way } => (
                FaultKind::Split { places: self.places(ends), one_way: *one_way },
                format!("split {}", self.ends(ends)),
            ),
            scenario::FaultKind::Degrade { ends, one_way, latency, loss, bandwidth, datagram, duplicate } => {
                let latency = latency
                    .as_ref()
                    .map(|latency| self.generated_duration(latency, &format!("{path}/latency")));
                let kind = FaultKind::Degrade {
                    places: self.places(ends),
                    one_way: *one_way,
                    latency,
                    loss: *loss,
                    duplicate: *duplicate,
                    bandwidth: *bandwidth,
                    datagram: *datagram,
                };
                (kind, format!("degrade {}", self.ends(ends)))
            }
            scenario::FaultKind::Store { service, what } => {
                let store = self.store_of(*service).expect("resolved: the service has a store");
                let name = format!("{}.store", service_name(service));
                let told = match what {
                    StoreFault::Crash => format!("crash {name}"),
                    StoreFault::Failover => format!("failover of {name}"),
                    StoreFault::Outage => format!("outage of {name}"),
                    StoreFault::Pause => format!("pause {name}"),
                    StoreFault::Slow(by) => format!("slow {name} by {by}"),
                };
                (FaultKind::Store(store, *what), told)
            }
            scenario::FaultKind::Replay { group, clear } => (
                FaultKind::Replay { group: *group, clear: clear.clone() },
                format!("replay {}", scenario.groups[group.index()].name),
            ),
            scenario::FaultKind::Repartition { topic, partitions } => {
                let name = &scenario.topics[topic.index()].name;
                let kind = FaultKind::Repartition { topic: *topic, partitions: *partitions };
                (kind, format!("repartition {name} into {partitions}"))
            }
            scenario::FaultKind::Redrive { from, to } => {
                let names = [from, to].map(|topic| &scenario.topics[topic.index()].name);
                (FaultKind::Redrive { from: *from, to: *to }, format!("redrive {} to {}", names[0], names[1]))
            }
            scenario::FaultKind::Deploy { service, rollout } => {
                let version = &scenario.services[service.index()].versions[rollout.version].name;
                let told = format!("deploy {} {version}", service_name(service));
                let rollout = Rollout {
                    version: rollout.version as u32 + 1,
                    batch: rollout.batch,
                    every: rollout.every,
                    restart: rollout.restart,
                };
                (FaultKind::Deploy(*service, rollout), told)
            }
            scenario::FaultKind::Scale { service, instances, restart: how } => (
                FaultKind::Scale(*service, *instances, *how),
                format!("scale {} to {instances}", service_name(service)),
            ),
        }
    }

    fn places(&self, ends: &[End]) -> Vec<Place> {
        ends.iter().map(|end| self.place_of(end)).collect()
    }

    fn ends(&self, ends: &[End]) -> String {
        ends.iter().map(|end| self.place_name(self.place_of(end))).collect::<Vec<_>>().join(", ")
    }
}

/// What the draws of a fault or an operation are named after.
fn path_of(fault: &scenario::Fault) -> String {
    let section = if fault.kind.is_planned() { "operations" } else { "faults" };
    format!("{section}/{}", fault.name)
}
