//! What packets carry: who lets go of it when one is lost, given up or copied.

use super::network::Request;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::model::NONE;
use crate::model::messaging::Lease;

/// Sets attempts on copies of one request apart from its further tries.
const ANOTHER_COPY: u32 = 1 << 31;

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Whether a packet needs a connection whatever its link is like: what passes between a broker and a
    /// consumer whose lease is that connection, or its session. Without one nobody would ever miss it.
    pub(super) fn is_on_connection(&self, event: Event) -> bool {
        let (Event::Delivery { delivery } | Event::Ack { delivery } | Event::Nack { delivery }) = event
        else {
            return false;
        };
        let consumer = self.world.broker.consumer(delivery);
        consumer.is_some_and(|(group, _)| {
            !matches!(self.model.groups[group.index()].member.knobs.lease, Lease::Delivery { .. })
        })
    }

    /// A peer that timed out has closed the connection: what it had sent is dropped with it.
    pub(super) fn is_given_up(&self, event: Event) -> bool {
        match event {
            Event::Request { request } => {
                let of = &self.world.network.requests[request];
                !self.world.attempts.is_waiting(of.caller, of.token)
            }
            Event::Publish { attempt, token, .. } => {
                attempt != NONE && !self.world.attempts.is_waiting(attempt, token)
            }
            Event::RelayPublished { relay, token, .. } => !self.is_relay_waiting(relay, token),
            _ => false,
        }
    }

    /// Lets go of what a packet carried that will not arrive.
    pub(super) fn packet_lost(&mut self, event: Event) {
        match event {
            Event::Request { request } => {
                let taken = self.take_request(request);
                self.release_message(taken.message);
            }
            Event::Sent { message, .. }
            | Event::Publish { message, .. }
            | Event::RelayPublished { message, .. } => {
                self.world.in_flight -= 1;
                self.release_message(message);
            }
            Event::Answer { payload, .. } => self.free_answer(payload),
            Event::Ack { delivery } | Event::Nack { delivery } => self.ack_lost(delivery),
            Event::Delivery { delivery } => {
                self.with_broker(|broker, choose, actions| broker.lost_on_the_way(delivery, choose, actions))
            }
            _ => {}
        }
    }

    /// A packet arrives twice: what it carries is referred to once more.
    pub(super) fn copy_packet(&mut self, event: Event) {
        match event {
            Event::Request { request } => {
                let of = &mut self.world.network.requests[request];
                of.copies += 1;
                self.world.messages[of.message].references += 1;
            }
            Event::Sent { message, .. }
            | Event::Publish { message, .. }
            | Event::RelayPublished { message, .. } => {
                self.world.in_flight += 1;
                self.world.messages[message].references += 1;
            }
            other => unreachable!("not worth copying: {other:?}"),
        }
    }

    /// One copy of a request is no longer under way.
    pub(super) fn take_request(&mut self, request: u32) -> Request {
        let of = &mut self.world.network.requests[request];
        of.copies -= 1;
        let taken = *of;
        if taken.copies == 0 {
            self.world.network.requests.release(request);
        } else {
            // What another copy starts is an attempt of its own.
            of.cause = of.cause.again(ANOTHER_COPY);
        }
        taken
    }
}

/// Whether a second copy makes any difference. Who waits for an answer, or hears an acknowledgement, takes
/// the first and drops the second; a delivery names one copy at the broker, which is handled once.
pub fn is_worth_copying(event: Event) -> bool {
    matches!(
        event,
        Event::Request { .. } | Event::Sent { .. } | Event::Publish { .. } | Event::RelayPublished { .. }
    )
}
