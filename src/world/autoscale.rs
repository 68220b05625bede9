//! Autoscaling: instances come and go with the share of workers that are busy.
//!
//! Ten times in each interval the busy workers are counted; then as many instances are wanted as would make the
//! mean share the one aimed at: `wanted = ceil(there × share / aim)`, between the fewest and the most. New ones serve
//! after `start_up`. One that is not wanted any more gets no new calls and no deliveries, and goes when it has nothing
//! left to do. Scaling by hand asks for a number once; from there it goes on by the share.

use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::RingId;
use crate::kernel::ids::{InstanceId, ServiceId};
use crate::kernel::time::Nanos;
use crate::model::{Autoscale, Model, SAMPLES};

/// Where the instances of one service stand.
#[derive(Clone, Debug)]
pub struct AutoscaleState {
    /// By number of the instance.
    slots: Vec<Slot>,
    samples: u32,
    /// Busy workers and all workers, over the samples since the last decision.
    busy: u64,
    workers: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    Absent,
    /// It will be there at this time.
    Starting(Nanos),
    /// It is there: up, or crashed and about to restart.
    There,
    Leaving,
}

impl AutoscaleState {
    pub fn all(model: &Model) -> Vec<Self> {
        let state = |of: &Autoscale| {
            let slots = model.services[of.service.index()].instances;
            let slot = |number| if number < of.initial { Slot::There } else { Slot::Absent };
            Self { slots: (0..slots).map(slot).collect(), samples: 0, busy: 0, workers: 0 }
        };
        model.autoscales.iter().map(state).collect()
    }

    /// How many there are, or will be soon, and are to stay.
    fn present(&self) -> u32 {
        self.slots.iter().filter(|slot| matches!(slot, Slot::There | Slot::Starting(_))).count() as u32
    }

    /// Whether an instance is to get no new calls.
    pub fn is_leaving(&self, number: u32) -> bool {
        self.slots[number as usize] == Slot::Leaving
    }
}

/// How many instances would be used to the share aimed at.
fn wanted(spec: &Autoscale, present: u32, busy: u64, workers: u64) -> u32 {
    if workers == 0 {
        return present.clamp(spec.min, spec.max);
    }
    let share = busy as f64 / workers as f64;
    // A share that is met exactly asks for no more.
    let wanted = (f64::from(present) * share / spec.utilization - 1e-9).ceil();
    (wanted as u32).clamp(spec.min, spec.max)
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    pub(super) fn begin_autoscaling(&mut self) {
        let model = self.model;
        for (number, of) in model.autoscales.iter().enumerate() {
            let autoscale = number as u32;
            self.agenda.after_constant(RingId(of.sample.ring), Event::Autoscale { autoscale });
        }
    }

    /// Counts the busy workers; at the end of an interval, decides.
    pub(super) fn autoscale(&mut self, autoscale: u32) {
        let model = self.model;
        let spec = &model.autoscales[autoscale as usize];
        let service = &model.services[spec.service.index()];
        self.release_idle(autoscale);
        let first = service.first_instance;
        let state = &mut self.world.autoscales[autoscale as usize];
        for (number, slot) in state.slots.iter().enumerate() {
            let here = &self.world.instances[first as usize + number];
            if *slot == Slot::There && here.up {
                state.busy += u64::from(here.busy);
                state.workers += u64::from(service.workers);
            }
        }
        state.samples += 1;
        if state.samples == SAMPLES {
            let (busy, workers) = (std::mem::take(&mut state.busy), std::mem::take(&mut state.workers));
            state.samples = 0;
            let present = state.present();
            let wanted = wanted(spec, present, busy, workers);
            (present..wanted).for_each(|_| self.ask_for_instance(autoscale));
            (wanted..present).for_each(|_| self.send_instance_away(autoscale));
            self.release_idle(autoscale);
        }
        self.agenda.after_constant(RingId(spec.sample.ring), Event::Autoscale { autoscale });
    }

    /// One more: one that is leaving stays, else a new one starts.
    fn ask_for_instance(&mut self, autoscale: u32) {
        let spec = &self.model.autoscales[autoscale as usize];
        let state = &mut self.world.autoscales[autoscale as usize];
        let find = |state: &AutoscaleState, wanted| state.slots.iter().position(|slot| *slot == wanted);
        // Who has given back what was delivered to it goes.
        let stays = self.model.services[spec.service.index()].groups.is_empty();
        if let Some(leaving) = find(state, Slot::Leaving).filter(|_| stays) {
            state.slots[leaving] = Slot::There;
        } else if let Some(absent) = find(state, Slot::Absent) {
            state.slots[absent] = Slot::Starting(self.agenda.now() + spec.start_up.length);
            let instance = self.model.services[spec.service.index()].first_instance + absent as u32;
            let event = Event::Started { autoscale, instance };
            self.agenda.after_constant(RingId(spec.start_up.ring), event);
        }
    }

    /// One less: one that is only starting never comes; else the last one leaves.
    fn send_instance_away(&mut self, autoscale: u32) {
        let state = &mut self.world.autoscales[autoscale as usize];
        let last = |is_wanted: fn(&Slot) -> bool| state.slots.iter().rposition(is_wanted);
        if let Some(starting) = last(|slot| matches!(slot, Slot::Starting(_))) {
            state.slots[starting] = Slot::Absent;
        } else if let Some(there) = last(|slot| *slot == Slot::There) {
            state.slots[there] = Slot::Leaving;
            let service = self.model.autoscales[autoscale as usize].service;
            self.retire(self.model.services[service.index()].first_instance + there as u32);
        }
    }

    /// An instance takes no more deliveries.
    fn retire(&mut self, instance: u32) {
        let service = self.model.instances[instance as usize].service;
        for &group in &self.model.services[service.index()].groups {
            self.with_broker(|broker, choose, actions| {
                broker.retire(group, InstanceId(instance), choose, actions)
            });
        }
    }

    /// An instance is back from a crash: if it was about to leave, it still is.
    pub(super) fn goes_on_leaving(&mut self, instance: u32) {
        let spec = &self.model.instances[instance as usize];
        if let Some(autoscale) = self.autoscale_of(spec.service)
            && self.world.autoscales[autoscale as usize].is_leaving(spec.number)
        {
            self.retire(instance);
        }
    }

    /// The autoscaling of a service, if it has one.
    fn autoscale_of(&self, service: ServiceId) -> Option<u32> {
        let found = self.model.autoscales.iter().position(|of| of.service == service);
        found.map(|autoscale| autoscale as u32)
    }

    /// Whether an instance is not there, and that is as it should be.
    pub(super) fn is_scaled_away(&self, instance: u32) -> bool {
        let spec = &self.model.instances[instance as usize];
        let slot = |autoscale: u32| self.world.autoscales[autoscale as usize].slots[spec.number as usize];
        let slot = self.autoscale_of(spec.service).map(slot);
        matches!(slot, Some(Slot::Absent | Slot::Starting(_)))
    }

    /// How many instances an autoscaled service has, or will have soon.
    pub(super) fn autoscaled(&self, service: ServiceId) -> Option<u32> {
        self.autoscale_of(service).map(|autoscale| self.world.autoscales[autoscale as usize].present())
    }

    /// So many instances are asked for by hand.
    pub(super) fn ask_for(&mut self, service: ServiceId, wanted: u32) {
        let Some(autoscale) = self.autoscale_of(service) else { return };
        let present = self.world.autoscales[autoscale as usize].present();
        (present..wanted).for_each(|_| self.ask_for_instance(autoscale));
        (wanted..present).for_each(|_| self.send_instance_away(autoscale));
        self.release_idle(autoscale);
    }

    pub(super) fn instance_started(&mut self, autoscale: u32, instance: u32) {
        let service = self.model.autoscales[autoscale as usize].service;
        let number = instance - self.model.services[service.index()].first_instance;
        let slot = &mut self.world.autoscales[autoscale as usize].slots[number as usize];
        // One that was sent away and asked for again starts from the beginning.
        if *slot != Slot::Starting(self.agenda.now()) {
            return;
        }
        *slot = Slot::There;
        self.is_of_present_version(instance);
        self.world.instances[instance as usize].unwanted = false;
        let epoch = self.world.instances[instance as usize].epoch;
        self.restart(instance, epoch);
    }

    /// Those that leave are gone when they have nothing left to do.
    fn release_idle(&mut self, autoscale: u32) {
        let spec = &self.model.autoscales[autoscale as usize];
        let first = self.model.services[spec.service.index()].first_instance;
        for number in 0..self.world.autoscales[autoscale as usize].slots.len() {
            if !self.world.autoscales[autoscale as usize].is_leaving(number as u32) {
                continue;
            }
            let instance = first + number as u32;
            let here = &self.world.instances[instance as usize];
            // One that has crashed comes back first, to leave for good.
            let is_idle = here.up && here.paused == 0 && here.busy == 0 && here.waiting() == 0;
            let is_idle = is_idle && !self.has_timers(instance) && self.relays_rest(instance);
            if is_idle && self.has_wound_up(instance) {
                self.sign_off(instance);
                self.relays_save(instance);
                self.crash(instance);
                self.world.autoscales[autoscale as usize].slots[number] = Slot::Absent;
            }
        }
    }
}

/// Telling apart an instance that is there from one that leaves is left to routing.
impl super::World {
    /// Whether an instance takes new calls.
    #[inline]
    pub(super) fn takes_calls(&self, model: &Model, instance: u32) -> bool {
        if !self.instances[instance as usize].takes_calls() {
            return false;
        }
        if model.autoscales.is_empty() {
            return true;
        }
        let spec = &model.instances[instance as usize];
        let scaled = model.autoscales.iter().position(|of| of.service == spec.service);
        scaled.is_none_or(|at| !self.autoscales[at].is_leaving(spec.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RingLength;

    #[test]
    fn as_many_are_wanted_as_are_used_to_the_share_aimed_at() {
        let ring = RingLength { ring: 0, length: 1 };
        let spec = Autoscale {
            service: ServiceId(0),
            initial: 2,
            min: 2,
            max: 9,
            utilization: 0.5,
            sample: ring,
            start_up: ring,
        };
        let cases = [(2, 50, 100, 2), (2, 51, 100, 3), (4, 100, 100, 8), (8, 100, 100, 9), (6, 10, 100, 2)];
        for (present, busy, workers, expected) in cases {
            assert_eq!(wanted(&spec, present, busy, workers), expected, "{busy} of {workers} on {present}");
        }
        assert_eq!(wanted(&spec, 5, 0, 0), 5, "nobody was there to be counted");
    }
}
