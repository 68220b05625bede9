//! Jobs: work that a service starts by itself, again and again, on every instance, or on the one
//! that holds a lease.

use super::instance::Work;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, Handle};
use crate::kernel::ids::*;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::{Nanos, SECOND};
use crate::model::NONE;

/// A lease lasts twice the interval it was taken for, and no less than this.
const SHORTEST_LEASE: Nanos = 10 * SECOND;

/// Where a job stands.
#[derive(Clone, Debug, Default)]
pub struct JobState {
    /// Rounds begun: of `once` jobs in all, of others by each instance.
    rounds: u64,
    by_instance: Vec<u64>,
    /// Who holds the lease of a `once` job, and which lease it is.
    holder: Option<u32>,
    lease: u32,
    lease_end: Option<Handle>,
    /// The round under way of each instance: its life, and what had been done when it began.
    under_way: Vec<Option<(u32, u64)>>,
    /// What had been done when each instance last looked and found nothing to do.
    idle: Vec<Option<u64>>,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// An instance's first round comes after one interval.
    pub(super) fn begin_jobs(&mut self, instance: u32) {
        let service = self.model.instances[instance as usize].service;
        for &job in &self.model.services[service.index()].jobs {
            if self.has_job(instance, job) {
                self.schedule_job(job, instance);
            }
        }
    }

    /// Whether the version that an instance runs has a job.
    fn has_job(&self, instance: u32, job: JobId) -> bool {
        let absent_in = &self.model.jobs[job.index()].absent_in;
        absent_in.is_empty() || !absent_in.contains(&self.world.instances[instance as usize].version)
    }

    fn schedule_job(&mut self, job: JobId, instance: u32) {
        let interval = self.job_interval(job, instance);
        let epoch = self.world.instances[instance as usize].epoch;
        self.agenda.after(interval, Class::Timer, Event::Job { job, instance, epoch });
    }

    fn job_interval(&mut self, job: JobId, instance: u32) -> Nanos {
        let spec = &self.model.jobs[job.index()];
        let number = self.model.instances[instance as usize].number;
        let round = self.round(job, instance);
        self.length(spec.every, DrawKey::hashed(spec.key, number, round as u32))
    }

    fn round(&self, job: JobId, instance: u32) -> u64 {
        let state = &self.world.jobs[job.index()];
        if self.model.jobs[job.index()].once {
            return state.rounds;
        }
        let number = self.model.instances[instance as usize].number as usize;
        state.by_instance.get(number).copied().unwrap_or(0)
    }

    pub(super) fn job_due(&mut self, job: JobId, instance: u32, epoch: u32) {
        let here = &mut self.world.instances[instance as usize];
        if here.epoch != epoch || !here.takes_calls() {
            return;
        }
        if here.paused > 0 {
            here.deferred.push(Event::Job { job, instance, epoch });
            return;
        }
        let once = self.model.jobs[job.index()].once;
        if once && !self.take_lease(job, instance) {
            return self.schedule_job(job, instance);
        }
        let number = self.round(job, instance);
        let state = &mut self.world.jobs[job.index()];
        if once {
            state.rounds += 1;
        } else {
            let at = self.model.instances[instance as usize].number as usize;
            if state.by_instance.len() <= at {
                state.by_instance.resize(at + 1, 0);
            }
            state.by_instance[at] += 1;
        }
        let at = self.model.instances[instance as usize].number as usize;
        if state.under_way.len() <= at {
            state.under_way.resize(at + 1, None);
            state.idle.resize(at + 1, None);
        }
        state.under_way[at] = Some((epoch, self.world.stir));
        self.enter(instance, Work::Job { job, number });
    }

    /// Takes or renews the lease of a `once` job. A store that does not answer gives none.
    fn take_lease(&mut self, job: JobId, instance: u32) -> bool {
        let service = &self.model.services[self.model.jobs[job.index()].service.index()];
        if service.store.is_some_and(|store| !self.world.stores[store as usize].condition.is_well()) {
            return false;
        }
        let interval = self.job_interval(job, instance);
        let state = &mut self.world.jobs[job.index()];
        if state.holder.is_some_and(|holder| holder != instance) {
            return false;
        }
        state.holder = Some(instance);
        state.lease += 1;
        let lease = state.lease;
        let length = interval.saturating_mul(2).max(SHORTEST_LEASE);
        let end = self.agenda.after(length, Class::Timer, Event::JobLease { job, lease });
        if let Some(renewed) = self.world.jobs[job.index()].lease_end.replace(end) {
            self.agenda.cancel(renewed);
        }
        true
    }

    /// A lease was not renewed: any instance may take it, even while a paused holder works on.
    pub(super) fn job_lease_over(&mut self, job: JobId, lease: u32) {
        let Some(holder) = self.world.jobs[job.index()].holder else { return };
        if self.world.jobs[job.index()].lease != lease {
            return;
        }
        // A holder that is well renews its lease while its round lasts.
        let here = &self.world.instances[holder as usize];
        let at = self.model.instances[holder as usize].number as usize;
        let round = self.world.jobs[job.index()].under_way.get(at).copied().flatten();
        let is_well = here.up && here.paused == 0 && round.is_some_and(|(epoch, _)| epoch == here.epoch);
        if !is_well || !self.take_lease(job, holder) {
            self.world.jobs[job.index()].holder = None;
        }
    }

    /// The next round comes one interval after this one's end.
    pub(super) fn job_ended(&mut self, job: JobId, instance: u32) {
        debug_assert_ne!(instance, NONE);
        let at = self.model.instances[instance as usize].number as usize;
        let state = &mut self.world.jobs[job.index()];
        if let Some((_, stir)) = state.under_way[at].take() {
            state.idle[at] = (stir == self.world.stir).then_some(stir);
        }
        self.schedule_job(job, instance);
    }

    /// Whether every job found nothing to do when it last looked, and nobody has done anything since.
    pub(super) fn jobs_are_idle(&self) -> bool {
        let specs = self.model.jobs.iter().zip(&self.world.jobs).enumerate();
        specs.into_iter().all(|(job, (spec, state))| {
            let is_idle = |idle: &Option<u64>| *idle == Some(self.world.stir);
            let service = &self.model.services[spec.service.index()];
            let job = JobId::new(job);
            let mut all = service.first_instance..service.first_instance + service.instances;
            if spec.once {
                state.idle.iter().any(is_idle) || all.all(|instance| !self.has_job(instance, job))
            } else {
                (0..service.instances).all(|number| {
                    let instance = service.first_instance + number;
                    let is_down = !self.world.instances[instance as usize].up;
                    is_down
                        || !self.has_job(instance, job)
                        || state.idle.get(number as usize).is_some_and(is_idle)
                })
            }
        })
    }
}
