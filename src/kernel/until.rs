//! An agenda that stops at a moment: what is due by then happens, what comes later does not.
//!
//! The world that runs under it is as it was at that moment, to the last event of that very instant.

use super::agenda::Agenda;
use super::event_list::{Class, Handle, RingId};
use super::ids::StreamId;
use super::stream::DrawKey;
use super::time::Nanos;

/// Another agenda, up to a moment.
#[derive(Clone)]
pub struct Until<A> {
    agenda: A,
    moment: Nanos,
    is_past: bool,
}

impl<A> Until<A> {
    /// Hands out no event that is due after `moment`.
    pub fn new(agenda: A, moment: Nanos) -> Self {
        Self { agenda, moment, is_past: false }
    }

    /// Whether it had an event that it did not hand out.
    pub fn is_past(&self) -> bool {
        self.is_past
    }
}

impl<E, A: Agenda<E>> Agenda<E> for Until<A> {
    /// Never after the moment, also when the next event is.
    fn now(&self) -> Nanos {
        self.agenda.now().min(self.moment)
    }

    fn after(&mut self, delay: Nanos, class: Class, event: E) -> Handle {
        self.agenda.after(delay, class, event)
    }

    fn after_constant(&mut self, ring: RingId, event: E) -> Handle {
        self.agenda.after_constant(ring, event)
    }

    fn after_in_order(&mut self, channel: u64, delay: Nanos, event: E) {
        self.agenda.after_in_order(channel, delay, event);
    }

    fn cancel(&mut self, handle: Handle) {
        self.agenda.cancel(handle);
    }

    fn suspend(&mut self, handle: Handle) -> Option<Nanos> {
        self.agenda.suspend(handle)
    }

    fn draw(&mut self, stream: StreamId, key: DrawKey) -> u64 {
        self.agenda.draw(stream, key)
    }

    fn choose(&mut self, stream: StreamId, key: DrawKey, n: u32) -> u32 {
        self.agenda.choose(stream, key, n)
    }

    fn next(&mut self) -> Option<E> {
        let event = self.agenda.next()?;
        self.is_past = self.agenda.now() > self.moment;
        (!self.is_past).then_some(event)
    }

    fn pending(&self) -> usize {
        self.agenda.pending()
    }

    fn is_full(&self) -> bool {
        self.agenda.is_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::agenda::Timed;
    use crate::kernel::stream::{StreamPlan, Streams};
    use std::sync::Arc;

    #[test]
    fn what_is_due_at_the_moment_itself_still_happens() {
        let timed = Timed::new(Streams::new(Arc::new(StreamPlan::new(&[])), 1, 0), &[]);
        let mut agenda = Until::new(timed, 20);
        for (delay, event) in [(20, 'b'), (21, 'c'), (10, 'a')] {
            agenda.after(delay, Class::Completion, event);
        }
        assert_eq!((agenda.next(), agenda.next(), agenda.is_past()), (Some('a'), Some('b'), false));
        assert_eq!((agenda.next(), agenda.is_past()), (None, true));
        assert_eq!(Agenda::<char>::now(&agenda), 20);
    }
}
