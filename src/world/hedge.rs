//! Hedging: a call that has waited for long asks a second instance, and takes the first answer.
//!
//! The second request is part of the same try: it has the same timeout, and the same obligation. What the
//! slower instance does is done all the same, and its answer is dropped.

use super::attempt::Wait;
use super::network::Request;
use super::record::{Observer, Record};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::ServiceId;

/// Added to the number of the try, for draws of the second request.
const SECOND: u32 = 1 << 20;

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// A call has waited for so long.
    pub(super) fn hedge(&mut self, attempt: u32, token: u32) {
        if !self.world.attempts.is_waiting(attempt, token) {
            return;
        }
        if self.defer(attempt, Event::Hedge { attempt, token }) {
            return;
        }
        let of = &self.world.attempts[attempt];
        let (Wait::Call { step }, message, tries) = (of.wait, of.outgoing, of.step_tries) else { return };
        let (asked, cause, item, region_tries) = (of.target, of.cause, of.item, of.tries);
        let model = self.model;
        let call = &model.calls[step as usize];
        let draw = cause.again(tries + SECOND).attempt_key(item, region_tries);
        let routed = self.route_to(call.service, &call.hops, || draw, message);
        let Some(instance) = routed.and_then(|routed| self.other_than(call.service, asked, routed)) else {
            return;
        };
        if !self.takes_from_budget(attempt, call.guard) {
            return;
        }
        self.world.stir += 1;
        self.world.attempts[attempt].state.hedged = true;
        self.record(Record::CallTried { figures: call.figures, attempt });
        let of = &mut self.world.messages[message];
        of.references += 1;
        let cause = of.cause.aside().again(tries + SECOND);
        let epoch = self.world.instances[instance as usize].epoch;
        let request =
            Request { caller: attempt, token, message, step, target: instance, epoch, cause, copies: 1 };
        let request = self.world.network.requests.add(request);
        let hop = self.hop_of_call(attempt, step, instance, draw);
        self.transmit(hop, Event::Request { request });
    }

    /// The instance chosen, or the next one that takes calls if it has been asked already.
    fn other_than(&self, service: ServiceId, asked: u32, chosen: u32) -> Option<u32> {
        if chosen != asked {
            return Some(chosen);
        }
        let spec = &self.model.services[service.index()];
        let number = chosen - spec.first_instance;
        let others = (1..spec.instances).map(|step| spec.first_instance + (number + step) % spec.instances);
        others.into_iter().find(|&other| self.world.takes_calls(self.model, other))
    }
}
