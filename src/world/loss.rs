//! What streams do about loss: they send again, after a timeout that doubles, until it gets through.
//!
//! How often one packet is lost before it gets through is geometric in its link's loss. The first losses are
//! drawn and told one by one; what lies beyond the number at which real connections give up is drawn at once,
//! so that a link that hardly lets anything through costs no more than a bad one. A link that lets nothing
//! through is as if it were split while a fault makes it so. If it is like that by itself, nobody will ever hear of what
//! was sent: who waits for an answer has a timeout, and who owes an acknowledgement goes on owing it.

use super::network::Hop;
use super::record::{Observer, Record};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::StreamId;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::{LONGEST, MILLISECOND, Nanos, SECOND, nanos_from_f64};

/// A stream gives up doubling its retransmission timeout here (RFC 6298, 2.5).
const LONGEST_RETRANSMISSION: Nanos = 60 * SECOND;

/// And begins with this where nothing else is known of the way (as Linux does, `TCP_RTO_MIN`).
pub const RETRANSMISSION: Nanos = 200 * MILLISECOND;

/// Losses of a packet that are told one by one: where Linux gives up a connection (`tcp_retries2`).
const TOLD: u32 = 15;

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// How long a packet takes on a stream.
    pub(super) fn stream_latency(&mut self, hop: &Hop) -> Nanos {
        let route = &self.model.routes[hop.route as usize];
        let loss = self.loss(route, hop);
        let latency = self.latency(hop, 0);
        if loss == 0.0 {
            return latency;
        }
        let later = self.retransmissions(hop.trouble, hop.draw, loss, route.retransmit_after, |this| {
            this.loss_hits(route, hop);
            this.record(Record::Lost { link: route.link });
        });
        latency.saturating_add(later).min(LONGEST / 2)
    }

    /// How much later something comes that is lost with this probability and sent again, `first` behind the first
    /// time; each loss is told.
    pub(super) fn retransmissions(
        &mut self,
        trouble: StreamId,
        draw: DrawKey,
        loss: f64,
        first: Nanos,
        mut tell: impl FnMut(&mut Self),
    ) -> Nanos {
        let (mut later, mut again, mut ordinal): (Nanos, _, _) = (0, first, 1);
        while self.uniform(trouble, draw.beside(ordinal)) < loss {
            tell(self);
            later = later.saturating_add(again);
            again = (again * 2).min(LONGEST_RETRANSMISSION.max(first));
            ordinal += 1;
            if ordinal > TOLD {
                let more = further_losses(self.uniform(trouble, draw.beside(ordinal)), loss);
                return later.saturating_add(nanos_from_f64(more * again as f64));
            }
        }
        later
    }

    /// A packet of a stream on a link that loses everything.
    pub(super) fn gets_nothing_through(&mut self, hop: Hop, event: Event) {
        let route = &self.model.routes[hop.route as usize];
        self.loss_hits(route, &hop);
        let may_end = self.degraded(route, &hop, |of| of.loss).is_some();
        if !may_end && !self.is_on_connection(event) {
            return self.lose(route, event);
        }
        self.record(Record::Lost { link: route.link });
        self.world.network.held.push((hop, event));
    }
}

/// How many more losses a uniform number in [0, 1) stands for: at least k with a probability of loss^k.
fn further_losses(uniform: f64, loss: f64) -> f64 {
    if loss >= 1.0 {
        return f64::INFINITY;
    }
    (libm::log1p(-uniform) / libm::log(loss)).floor()
}

#[cfg(test)]
mod tests {
    use super::further_losses;

    #[test]
    fn further_losses_are_geometric() {
        let share = |loss: f64, least: f64| {
            let draws = (0..10_000).map(|n| further_losses((f64::from(n) + 0.5) / 10_000.0, loss));
            draws.filter(|losses| *losses >= least).count() as f64 / 10_000.0
        };
        for loss in [0.1, 0.5, 0.9] {
            for least in 0..4 {
                assert!(
                    (share(loss, f64::from(least)) - libm::pow(loss, f64::from(least))).abs() < 1e-3,
                    "{loss} {least}"
                );
            }
        }
        assert_eq!((further_losses(0.0, 1.0), further_losses(0.0, 0.5)), (f64::INFINITY, 0.0));
    }
}
