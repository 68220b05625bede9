//! One-way sends: a message goes straight to an instance, and nobody is told what becomes of it.

use super::deed::Way;
use super::instance::Work;
use super::interpret::Flow;
use super::network::Hop;
use super::record::{Observer, Record};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::stream::DrawKey;
use crate::model::{Error, NONE, Pc};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    pub(super) fn send(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        self.world.attempts[attempt].pc = pc;
        let model = self.model;
        let send = &model.sends[step as usize];
        let message = self.make_message(attempt, send.message, send.with, send.site)?;
        self.world.attempts[attempt].pc = pc;
        self.tell_issued(attempt, message, send.site, Way::Send);
        let of = &self.world.attempts[attempt];
        let (cause, item, tries) = (of.cause, of.item, of.tries);
        let draw = || cause.attempt_key(item, tries);
        let Some(instance) = self.route_to(send.service, &send.hops, draw, message) else {
            // One way: nobody is told that nobody is there.
            let link = model.routes[send.route as usize].link;
            self.record(Record::Lost { link });
            self.release_message(message);
            return Ok(Flow::Go(pc + 1));
        };
        self.world.messages[message].step = step;
        let epoch = self.world.instances[instance as usize].epoch;
        self.world.in_flight += 1;
        self.world.stir += 1;
        let event = Event::Sent { message, instance, epoch };
        if !self.transmit_calmly(send.route, send.hops.there, draw, event) {
            let hop = self.hop_of_send(attempt, step, instance, draw());
            self.transmit(hop, event);
        }
        Ok(Flow::Go(pc + 1))
    }

    #[cold]
    fn hop_of_send(&self, attempt: u32, step: u32, instance: u32, draw: DrawKey) -> Hop {
        let send = &self.model.sends[step as usize];
        let from = self.producer_of(attempt);
        Hop {
            route: send.route,
            latency: send.hops.there,
            trouble: send.hops.trouble,
            draw,
            from: self.region_of(attempt),
            to: self.model.instances[instance as usize].region,
            bytes: self.model.messages[send.message.index()].size_bytes,
            channel: Some(super::identity::mix(from as u64, instance as u64)),
        }
    }

    /// A one-way message reaches its instance, or a process that is not there any more.
    #[inline]
    pub(super) fn sent(&mut self, message: u32, instance: u32, epoch: u32) {
        let here = &mut self.world.instances[instance as usize];
        if here.is_full_and_paused() {
            return here.deferred.push(Event::Sent { message, instance, epoch });
        }
        self.world.in_flight -= 1;
        let step = self.world.messages[message].step;
        let handled = self.model.sends[step as usize].handler.0 != NONE && !self.refuses(instance);
        let here = &self.world.instances[instance as usize];
        if !here.up || here.epoch != epoch || !handled {
            return self.release_message(message);
        }
        self.enter(instance, Work::Send { message, step });
    }
}
