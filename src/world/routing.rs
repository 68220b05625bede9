//! Routing: the instance that a call or a message goes to, of those of a service that are up.

use super::identity::mix;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::ServiceId;
use crate::kernel::stream::DrawKey;
use crate::model::{Hops, Routing, Service};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// The instance that a message goes to; `None` if none is up.
    #[inline(always)]
    pub(super) fn route_to(
        &mut self,
        service: ServiceId,
        hops: &Hops,
        draw: impl FnOnce() -> DrawKey,
        message: u32,
    ) -> Option<u32> {
        let spec = &self.model.services[service.index()];
        if spec.instances == 1 {
            return self.world.instances[spec.first_instance as usize]
                .takes_calls()
                .then_some(spec.first_instance);
        }
        self.route_among(spec, hops, draw(), self.world.messages[message].key)
    }

    /// The instance of several.
    fn route_among(&mut self, spec: &Service, hops: &Hops, draw: DrawKey, key: Option<u64>) -> Option<u32> {
        let (first, count) = (spec.first_instance, spec.instances);
        let world = &self.world;
        let is_up = |number: u32| world.takes_calls(self.model, first + number);
        // The nth instance that is up, in turn from there.
        let from = |start: u32| (0..count).map(|step| (start + step) % count).find(|&number| is_up(number));
        let load = |number: u32| {
            let instance = &world.instances[(first + number) as usize];
            instance.busy as usize + instance.waiting()
        };
        let chosen = match spec.routing {
            Routing::RoundRobin => {
                let chosen = from(world.next_instance[first as usize] % count)?;
                self.world.next_instance[first as usize] = chosen + 1;
                chosen
            }
            Routing::LeastLoaded => {
                (0..count).filter(|&number| is_up(number)).min_by_key(|&number| load(number))?
            }
            Routing::ByKey => from((mix(key.unwrap_or(0), 0x006B_6579) % count as u64) as u32)?,
            Routing::Random => {
                let up: u32 = (0..count).map(|number| is_up(number) as u32).sum();
                let choice = self.agenda.choose(hops.routing, draw, up.max(1));
                self.nth_up(first, count, choice)?
            }
            Routing::TwoChoices => {
                let up: u32 = (0..count).map(|number| is_up(number) as u32).sum();
                let one = self.agenda.choose(hops.routing, draw, up.max(1));
                let one_instance = self.nth_up(first, count, one)?;
                if up == 1 {
                    return Some(first + one_instance);
                }
                let two = self.agenda.choose(hops.routing_second, draw, up - 1);
                let two = self.nth_up(first, count, if two >= one { two + 1 } else { two })?;
                let load = |number: u32| {
                    let instance = &self.world.instances[(first + number) as usize];
                    instance.busy as usize + instance.waiting()
                };
                if load(two) < load(one_instance) { two } else { one_instance }
            }
        };
        Some(first + chosen)
    }

    fn nth_up(&self, first: u32, count: u32, nth: u32) -> Option<u32> {
        let all_up = |number: &u32| self.world.takes_calls(self.model, first + number);
        (0..count).filter(all_up).nth(nth as usize)
    }
}
