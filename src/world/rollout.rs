//! Instances that stop and start on purpose: rolling deployments, and changes of their number.
//!
//! An instance that is told to stop takes nothing new: no calls, no deliveries, no rounds of jobs. What it
//! was handed and has not begun goes back, what it has begun it ends and acknowledges; then it
//! disconnects and is gone, with its memory. If that takes longer than the grace, it is cut as in a
//! crash. Who is deployed starts again after a while, and runs the version that its service goes to.
//!
//! ```text
//! instance 0   ▬▬▬▬▬▬ v1 ▬▬▬▬▬┤stops┊··start-up··├▬▬▬▬▬▬▬ v2 ▬▬▬▬▬
//! instance 1   ▬▬▬▬▬▬ v1 ▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬┤stops┊··start-up··├▬▬ v2 ▬▬
//! ```

use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::ids::*;
use crate::kernel::time::{MILLISECOND, Nanos};
use crate::model::{FaultKind, Model, NONE, Restart, Rollout, Version};

/// How often is looked whether an instance has ended what it had begun, and whether the next may stop.
const LOOK: Nanos = 10 * MILLISECOND;

/// What is being deployed.
#[derive(Clone, Debug)]
pub struct Rollouts {
    /// By service: the version that its instances start with.
    versions: Vec<u32>,
    under_way: Vec<UnderWay>,
}

#[derive(Clone, Debug)]
struct UnderWay {
    operation: FaultId,
    service: ServiceId,
    /// The instances that were told to stop last.
    batch: Vec<u32>,
    /// The next one, and the first behind the last.
    next: u32,
    end: u32,
}

impl Rollouts {
    pub fn new(model: &Model) -> Self {
        Self { versions: vec![0; model.services.len()], under_way: Vec::new() }
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Begins a rolling deployment; one of the same service that is under way ends where it is.
    pub(super) fn deploy(&mut self, operation: FaultId, service: ServiceId, rollout: Rollout) {
        let rollouts = &mut self.world.rollouts;
        rollouts.versions[service.index()] = rollout.version;
        for other in rollouts.under_way.iter_mut().filter(|other| other.service == service) {
            other.end = other.next;
        }
        let spec = &self.model.services[service.index()];
        let (next, end) = (spec.first_instance, spec.first_instance + spec.instances);
        rollouts.under_way.push(UnderWay { operation, service, batch: Vec::new(), next, end });
        let number = rollouts.under_way.len() as u32 - 1;
        self.roll_out(number);
    }

    /// The next instances stop, if they are due.
    pub(super) fn roll_out(&mut self, number: u32) {
        let of = &self.world.rollouts.under_way[number as usize];
        let operation = of.operation;
        let FaultKind::Deploy(_, rollout) = self.model.faults[operation.index()].kind else {
            unreachable!("only deployments roll out")
        };
        let is_back = |&instance: &u32| {
            let here = &self.world.instances[instance as usize];
            here.unwanted || here.takes_calls() || self.is_scaled_away(instance)
        };
        let is_due = rollout.every.is_some() || of.batch.iter().all(is_back);
        if is_due {
            let (next, end) = (of.next, of.end);
            let wanted = (next..end)
                .filter(|&at| !self.world.instances[at as usize].unwanted && !self.is_scaled_away(at));
            let batch: Vec<u32> = wanted.take(rollout.batch as usize).collect();
            let Some(&last) = batch.last() else { return };
            let of = &mut self.world.rollouts.under_way[number as usize];
            of.next = last + 1;
            of.batch.clone_from(&batch);
            batch.into_iter().for_each(|instance| self.tell_to_stop(instance, operation));
        }
        let pause = rollout.every.unwrap_or(LOOK);
        self.agenda.after(pause, Class::Fault, Event::Rollout { rollout: number });
    }

    /// How many instances a service has too many or too few.
    pub(super) fn differing(&self, service: ServiceId, wanted: u32) -> u32 {
        if let Some(present) = self.autoscaled(service) {
            return present.abs_diff(wanted);
        }
        let spec = &self.model.services[service.index()];
        let differs = |number: &u32| {
            let here = &self.world.instances[(spec.first_instance + number) as usize];
            here.unwanted == (*number < wanted)
        };
        (0..spec.instances).filter(differs).count() as u32
    }

    /// A service has so many instances from now on: the first ones.
    pub(super) fn scale(&mut self, operation: FaultId, service: ServiceId, wanted: u32, how: Restart) {
        if self.autoscaled(service).is_some() {
            return self.ask_for(service, wanted);
        }
        let spec = &self.model.services[service.index()];
        for number in 0..spec.instances {
            let instance = spec.first_instance + number;
            let here = &mut self.world.instances[instance as usize];
            if here.unwanted != (number < wanted) {
                continue;
            }
            here.unwanted = number >= wanted;
            if here.unwanted {
                self.tell_to_stop(instance, operation);
            } else if !here.up {
                // What was to start an earlier process is not meant for this one.
                here.epoch += 1;
                let event = Event::Installed { instance, epoch: here.epoch };
                self.agenda.after(how.start_up, Class::Fault, event);
            }
        }
    }

    /// An instance is told to stop. One that is down is what it is to be when it is up again, if ever.
    fn tell_to_stop(&mut self, instance: u32, operation: FaultId) {
        let service = self.model.instances[instance as usize].service;
        let here = &mut self.world.instances[instance as usize];
        if !here.up {
            return self.replaced(instance);
        }
        if std::mem::replace(&mut here.stopped_by, operation.0) != NONE {
            return;
        }
        let epoch = here.epoch;
        for &group in &self.model.services[service.index()].groups {
            self.with_broker(|broker, choose, actions| {
                broker.retire(group, InstanceId(instance), choose, actions)
            });
        }
        let Restart { grace, .. } = self.restart_of(operation);
        self.agenda.after(grace, Class::Fault, Event::Killed { instance, epoch });
        self.agenda.after(0, Class::Timer, Event::Leaves { instance, epoch });
    }

    fn restart_of(&self, operation: FaultId) -> Restart {
        match self.model.faults[operation.index()].kind {
            FaultKind::Deploy(_, rollout) => rollout.restart,
            FaultKind::Scale(_, _, restart) => restart,
            _ => unreachable!("only these stop instances"),
        }
    }

    /// The process of an instance is down: the next one is of the version that its service goes to, and
    /// nothing starts one that is not wanted.
    fn replaced(&mut self, instance: u32) {
        let service = self.model.instances[instance as usize].service;
        let here = &mut self.world.instances[instance as usize];
        here.version = self.world.rollouts.versions[service.index()];
        here.epoch += u32::from(here.unwanted);
    }

    /// An instance that is to stop goes if it has nothing left to do.
    pub(super) fn leaves(&mut self, instance: u32, epoch: u32) {
        let here = &self.world.instances[instance as usize];
        let operation = FaultId(here.stopped_by);
        if here.epoch != epoch {
            return self.crashed_meanwhile(instance);
        }
        let has_work = here.busy > 0 || here.waiting() > 0 || here.paused > 0;
        let has_work = has_work || self.has_timers(instance) || !self.relays_rest(instance);
        if has_work || !self.has_wound_up(instance) {
            self.agenda.after(LOOK, Class::Timer, Event::Leaves { instance, epoch });
            return;
        }
        self.sign_off(instance);
        self.relays_save(instance);
        self.goes_down(instance, operation);
    }

    /// An instance that has nothing left to do leaves its groups.
    pub(super) fn sign_off(&mut self, instance: u32) {
        let service = self.model.instances[instance as usize].service;
        for &group in &self.model.services[service.index()].groups {
            self.with_broker(|broker, choose, actions| {
                broker.sign_off(group, InstanceId(instance), choose, actions)
            });
        }
    }

    /// A new process is of the version that its service goes to.
    pub(super) fn is_of_present_version(&mut self, instance: u32) {
        let service = self.model.instances[instance as usize].service;
        self.world.instances[instance as usize].version = self.world.rollouts.versions[service.index()];
    }

    /// Whether the broker has heard of all that an instance has handled.
    pub(super) fn has_wound_up(&mut self, instance: u32) -> bool {
        let service = self.model.instances[instance as usize].service;
        let mut is_done = true;
        for &group in &self.model.services[service.index()].groups {
            self.with_broker(|broker, _, actions| {
                is_done &= broker.winds_up(group, InstanceId(instance), actions)
            });
        }
        is_done
    }

    /// The process that was to stop is gone. If a fault was faster, what comes after it is told to.
    fn crashed_meanwhile(&mut self, instance: u32) {
        let operation = std::mem::replace(&mut self.world.instances[instance as usize].stopped_by, NONE);
        if operation != NONE {
            self.tell_to_stop(instance, FaultId(operation));
        }
    }

    /// Its time to end what it has begun is over.
    pub(super) fn killed(&mut self, instance: u32, epoch: u32) {
        let here = &self.world.instances[instance as usize];
        if here.epoch == epoch && here.up && here.stopped_by != NONE {
            self.goes_down(instance, FaultId(here.stopped_by));
        }
    }

    fn goes_down(&mut self, instance: u32, operation: FaultId) {
        self.crash(instance);
        self.world.instances[instance as usize].stopped_by = NONE;
        self.replaced(instance);
        let here = &self.world.instances[instance as usize];
        if !here.unwanted {
            let event = Event::Installed { instance, epoch: here.epoch };
            let Restart { start_up, .. } = self.restart_of(operation);
            self.agenda.after(start_up, Class::Fault, event);
        }
    }

    /// A process that was started on purpose is there.
    pub(super) fn installed(&mut self, instance: u32, epoch: u32) {
        let here = &self.world.instances[instance as usize];
        if here.epoch == epoch && !here.up && !here.unwanted {
            self.is_of_present_version(instance);
            self.restart(instance, epoch);
        }
    }

    /// What an instance runs instead of `first`, which is what its service begins with.
    #[inline]
    pub(super) fn in_version(
        &self,
        instance: u32,
        first: HandlerId,
        later: impl FnOnce(&Version) -> HandlerId,
    ) -> HandlerId {
        match self.world.instances[instance as usize].version {
            0 => first,
            version => {
                let service = self.model.instances[instance as usize].service;
                later(&self.model.services[service.index()].versions[version as usize - 1])
            }
        }
    }
}
