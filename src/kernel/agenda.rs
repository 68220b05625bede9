//! The seam between the world and time: every deadline is an event, every choice and every draw is
//! asked for here. The world never compares times and owns no clock, no random stream and no event
//! list; that is what lets one world be sampled, replayed and later explored.
//!
//! - [`Timed`] draws from the named streams and keeps the event list.
//! - [`Recorded`] is `Timed` that also writes down every value it hands out.
//! - [`Replayed`] is `Timed` under a map of values; where the map is silent it draws, or gives the
//!   median, as its caller says.

use super::event_list::{Class, EventList, Handle, RingId};
use super::ids::StreamId;
use super::stream::{DrawKey, Streams};
use super::time::Nanos;
use rustc_hash::FxHashMap;

/// Events that one replication may take, unless whoever starts it says otherwise.
pub const EVENT_BUDGET: u64 = 20_000_000_000;

/// What the world may ask of time and chance.
pub trait Agenda<E> {
    /// The current instant: for values only, never for decisions.
    fn now(&self) -> Nanos;
    /// Makes `event` happen after `delay`.
    fn after(&mut self, delay: Nanos, class: Class, event: E) -> Handle;
    /// The same after a constant delay registered at the start, as a timer.
    fn after_constant(&mut self, ring: RingId, event: E) -> Handle;
    /// A delivery over an ordered connection: never before one that was sent earlier on it.
    fn after_in_order(&mut self, channel: u64, delay: Nanos, event: E);
    /// Makes a pending event not happen.
    fn cancel(&mut self, handle: Handle);
    /// Takes a pending event out; gives what was left of its delay.
    fn suspend(&mut self, handle: Handle) -> Option<Nanos>;
    /// A finished variate of a named stream.
    fn draw(&mut self, stream: StreamId, key: DrawKey) -> u64;
    /// One of `0..n`.
    fn choose(&mut self, stream: StreamId, key: DrawKey, n: u32) -> u32;
    /// The next event, if any is left.
    fn next(&mut self) -> Option<E>;
    /// Events pending.
    fn pending(&self) -> usize;
    /// Whether an event was lost because nothing more can be pending.
    fn is_full(&self) -> bool;
}

/// Samples in time.
#[derive(Clone)]
pub struct Timed<E> {
    list: EventList<E>,
    streams: Streams,
    /// When the last thing sent on each ordered connection arrives.
    channels: FxHashMap<u64, Nanos>,
}

impl<E: Copy> Timed<E> {
    /// An agenda at time 0; `rings` are the constant delays, by [`RingId`].
    pub fn new(streams: Streams, rings: &[Nanos]) -> Self {
        let mut list = EventList::new(0);
        for &delay in rings {
            list.add_ring(delay);
        }
        Self { list, streams, channels: FxHashMap::default() }
    }
}

impl<E: Copy> Agenda<E> for Timed<E> {
    #[inline(always)]
    fn now(&self) -> Nanos {
        self.list.now()
    }

    #[inline(always)]
    fn after(&mut self, delay: Nanos, class: Class, event: E) -> Handle {
        self.list.after(delay, class, event)
    }

    #[inline(always)]
    fn after_constant(&mut self, ring: RingId, event: E) -> Handle {
        self.list.after_constant(ring, event)
    }

    fn after_in_order(&mut self, channel: u64, delay: Nanos, event: E) {
        let now = self.list.now();
        let last = self.channels.entry(channel).or_insert(0);
        *last = (*last).max(now.saturating_add(delay));
        let delay = *last - now;
        self.list.after(delay, Class::Delivery, event);
    }

    #[inline(always)]
    fn cancel(&mut self, handle: Handle) {
        self.list.cancel(handle)
    }

    fn suspend(&mut self, handle: Handle) -> Option<Nanos> {
        self.list.suspend(handle)
    }

    #[inline(always)]
    fn draw(&mut self, stream: StreamId, key: DrawKey) -> u64 {
        self.streams.draw(stream, key)
    }

    #[inline(always)]
    fn choose(&mut self, stream: StreamId, key: DrawKey, n: u32) -> u32 {
        self.streams.choose(stream, key, n)
    }

    #[inline(always)]
    fn next(&mut self) -> Option<E> {
        self.list.advance()
    }

    fn pending(&self) -> usize {
        self.list.pending()
    }

    #[inline(always)]
    fn is_full(&self) -> bool {
        self.list.is_full()
    }
}

/// Every value that an agenda handed out, by the place that asked and what it asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    draws: FxHashMap<(StreamId, DrawKey), u64>,
    choices: FxHashMap<(StreamId, DrawKey), u32>,
}

impl Choices {
    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.draws.len() + self.choices.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// [`Timed`] that writes down what it hands out.
#[derive(Clone)]
pub struct Recorded<E> {
    timed: Timed<E>,
    choices: Choices,
}

impl<E: Copy> Recorded<E> {
    pub fn new(timed: Timed<E>) -> Self {
        Self { timed, choices: Choices::default() }
    }

    /// What was handed out.
    pub fn into_choices(self) -> Choices {
        self.choices
    }
}

/// What [`Replayed`] gives where its map is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// A draw from the named stream.
    Drawn,
    /// The median of the distribution, and the first alternative.
    Neutral,
}

/// [`Timed`] under a map of values.
#[derive(Clone)]
pub struct Replayed<E> {
    timed: Timed<E>,
    choices: Choices,
    silence: Silence,
}

impl<E: Copy> Replayed<E> {
    pub fn new(timed: Timed<E>, choices: Choices, silence: Silence) -> Self {
        Self { timed, choices, silence }
    }
}

/// The part of [`Agenda`] that only the event list answers, passed on to `self.timed`.
macro_rules! time_from_timed {
    () => {
        fn now(&self) -> Nanos {
            self.timed.now()
        }
        fn after(&mut self, delay: Nanos, class: Class, event: E) -> Handle {
            self.timed.after(delay, class, event)
        }
        fn after_constant(&mut self, ring: RingId, event: E) -> Handle {
            self.timed.after_constant(ring, event)
        }
        fn after_in_order(&mut self, channel: u64, delay: Nanos, event: E) {
            self.timed.after_in_order(channel, delay, event)
        }
        fn cancel(&mut self, handle: Handle) {
            self.timed.cancel(handle)
        }
        fn suspend(&mut self, handle: Handle) -> Option<Nanos> {
            self.timed.suspend(handle)
        }
        fn next(&mut self) -> Option<E> {
            self.timed.next()
        }
        fn pending(&self) -> usize {
            self.timed.pending()
        }
        fn is_full(&self) -> bool {
            self.timed.is_full()
        }
    };
}

impl<E: Copy> Agenda<E> for Recorded<E> {
    time_from_timed!();

    fn draw(&mut self, stream: StreamId, key: DrawKey) -> u64 {
        let word = self.timed.draw(stream, key);
        let before = self.choices.draws.insert((stream, key), word);
        debug_assert!(before.is_none_or(|before| before == word), "a draw is a function of its key");
        word
    }

    fn choose(&mut self, stream: StreamId, key: DrawKey, n: u32) -> u32 {
        let choice = self.timed.choose(stream, key, n);
        self.choices.choices.insert((stream, key), choice);
        choice
    }
}

impl<E: Copy> Agenda<E> for Replayed<E> {
    time_from_timed!();

    fn draw(&mut self, stream: StreamId, key: DrawKey) -> u64 {
        match (self.choices.draws.get(&(stream, key)), self.silence) {
            (Some(&word), _) => word,
            (None, Silence::Drawn) => self.timed.draw(stream, key),
            (None, Silence::Neutral) => self.timed.streams.neutral(stream),
        }
    }

    fn choose(&mut self, stream: StreamId, key: DrawKey, n: u32) -> u32 {
        match (self.choices.choices.get(&(stream, key)), self.silence) {
            (Some(&choice), _) => choice.min(n - 1),
            (None, Silence::Drawn) => self.timed.choose(stream, key, n),
            (None, Silence::Neutral) => 0,
        }
    }
}
