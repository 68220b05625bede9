//! Call guards and autoscaling.

use super::Compiler;
use super::steps::push;
use crate::kernel::ids::*;
use crate::kernel::time::SECOND;
use crate::model::*;
use crate::scenario::resolved as scenario;

impl Compiler<'_> {
    /// What calls from a place to a service go through, or `NONE`.
    pub fn guard(&mut self, place: Place, service: ServiceId) -> u32 {
        if let Some(guard) = self.guards.get(&(place, service)) {
            return *guard;
        }
        let scenario = self.scenario;
        let (policies, first_instance, states) = match place {
            Place::Client(client) => (&scenario.clients[client.index()].calls, NONE, 1),
            Place::Service(caller) => {
                let of = &self.model.services[caller.index()];
                (&scenario.services[caller.index()].calls, of.first_instance, of.instances)
            }
            _ => unreachable!("only clients and services call"),
        };
        let policy = policies.iter().find(|policy| policy.service == service && policy.guards());
        let guard = policy.map_or(NONE, |policy| {
            let guard = CallGuard {
                first_state: self.model.guard_states,
                first_instance,
                breaker: policy.breaker.map(|breaker| self.breaker(breaker)),
                budget: policy.budget.map(|share| (share * SECOND as f64) as u64),
                max_in_flight: policy.max_in_flight.unwrap_or(u32::MAX),
            };
            self.model.guard_states += states;
            push(&mut self.model.guards, guard)
        });
        self.guards.insert((place, service), guard);
        guard
    }

    fn breaker(&mut self, breaker: scenario::Breaker) -> Breaker {
        // A share that is written exactly is met exactly.
        let failures = (breaker.failures * f64::from(breaker.of) - 1e-9).ceil().max(1.0);
        Breaker {
            failures: (failures as u32).min(breaker.of),
            of: breaker.of,
            open: self.ring(breaker.open),
            probes: breaker.probes,
        }
    }

    pub fn autoscales(&mut self) {
        for (index, spec) in self.scenario.services.iter().enumerate() {
            let Some(scale) = spec.autoscale else { continue };
            let autoscale = Autoscale {
                service: ServiceId::new(index),
                initial: spec.instances,
                min: scale.min,
                max: scale.max,
                utilization: scale.utilization,
                sample: self.ring((scale.every / u64::from(SAMPLES)).max(1)),
                start_up: self.ring(scale.start_up),
            };
            self.model.autoscales.push(autoscale);
        }
    }
}
