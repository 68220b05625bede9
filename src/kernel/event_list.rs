//! The future event list: what will happen, in the order (time, class, sequence).
//!
//! Three places hold pending events. A 4-ary heap of 16-byte keys beside a slab of events; a ring
//! for each constant delay (timeouts, leases), whose entries fall due in the order they were put
//! in, so that only its first one needs a place in the heap; and a ring for each class of events
//! due at this very instant. Cancelling frees the slab entry at once; a key left behind is
//! recognised by its order number when it comes up.
//!
//! ```
//! use eventflow::kernel::event_list::{Class, EventList};
//! let mut list = EventList::new(0);
//! list.after(5, Class::Timer, 'b');
//! list.after(5, Class::Delivery, 'a');
//! assert_eq!((list.advance(), list.advance(), list.advance()), (Some('a'), Some('b'), None));
//! assert_eq!(list.now(), 5);
//! ```

mod heap;

use super::time::Nanos;
use heap::Heap;
use std::collections::VecDeque;

/// Rank among events of the same instant: the smaller happens first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// Faults, operations and the phases of the run.
    Fault,
    /// The end of work and of waiting.
    Completion,
    /// Something arrives over a link.
    Delivery,
    /// Timeouts, leases, alarms.
    Timer,
    /// A client wants something.
    Arrival,
}

const CLASSES: usize = 5;

/// Names a pending event for [`EventList::cancel`]. Order numbers are never reused, so a stale
/// handle is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(u64);

impl Handle {
    /// Names no event.
    pub const NONE: Handle = Handle(u64::MAX);

    #[inline(always)]
    fn of(key: Key) -> Self {
        Self(key as u64)
    }

    #[inline(always)]
    fn slot(self) -> u32 {
        slot_of(self.0 as Key)
    }

    #[inline(always)]
    fn order(self) -> u64 {
        order_of(self.0 as Key)
    }
}

/// A constant delay shared by many events: a timeout, a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingId(pub u32);

/// Key layout: time (64 bits), order (40: class 3, sequence 37), slot (24).
type Key = u128;

const SLOT_BITS: u32 = 24;
const SEQUENCE_BITS: u32 = 37;
/// More constant delays than a scenario file has room for.
const RING_BITS: u32 = 20;
/// Slots from here on stand for a ring's first entry.
const RING_BASE: u32 = (1 << SLOT_BITS) - (1 << RING_BITS);
/// How many events may be pending in the heap and rings.
pub const MAX_PENDING: usize = RING_BASE as usize;

#[derive(Clone)]
struct Entry<E> {
    event: E,
    /// Of the event that lives here; `FREE` when none does.
    order: u64,
    /// When it is due; of a free entry, which one was freed before it.
    time: Nanos,
}

const FREE: u64 = u64::MAX;
const NO_ENTRY: u32 = u32::MAX;

/// A ring shorter than this is not worth cleaning.
const CLEAN_RING: usize = 1024;

#[derive(Clone)]
struct Ring {
    delay: Nanos,
    keys: VecDeque<Key>,
    /// Whether the heap holds a key that will wake this ring.
    armed: bool,
    /// At this length the keys of cancelled events are taken out.
    clean_at: usize,
}

/// Pending events of type `E`. Delays only: nothing can be put into the past.
#[derive(Clone)]
pub struct EventList<E> {
    now: Nanos,
    sequence: u64,
    heap: Heap,
    slab: Vec<Entry<E>>,
    /// The entry freed last, or `NO_ENTRY`, and how many are in use.
    free: u32,
    used: usize,
    rings: Vec<Ring>,
    immediate: [VecDeque<(u64, E)>; CLASSES],
    /// Set when an event found no slot; it is lost, and the run cannot go on.
    full: bool,
    /// Bit c is set while `immediate[c]` holds something.
    immediate_classes: u8,
}

impl<E: Copy> EventList<E> {
    /// An empty list at time `now`.
    pub fn new(now: Nanos) -> Self {
        Self {
            now,
            sequence: 0,
            heap: Heap::default(),
            slab: Vec::new(),
            free: NO_ENTRY,
            used: 0,
            rings: Vec::new(),
            immediate: Default::default(),
            full: false,
            immediate_classes: 0,
        }
    }

    /// The current instant.
    #[inline(always)]
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// Whether an event was lost because nothing more can be pending.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Pending events that are not due at this instant.
    pub fn pending(&self) -> usize {
        self.used
    }

    /// Registers a constant delay.
    pub fn add_ring(&mut self, delay: Nanos) -> RingId {
        assert!(self.rings.len() < 1 << RING_BITS, "more constant delays than ring ids");
        self.rings.push(Ring { delay, keys: VecDeque::new(), armed: false, clean_at: CLEAN_RING });
        RingId(self.rings.len() as u32 - 1)
    }

    /// Puts an event `delay` into the future. An event due now cannot be cancelled.
    #[inline(always)]
    pub fn after(&mut self, delay: Nanos, class: Class, event: E) -> Handle {
        if delay == 0 {
            self.at_once(class, event);
            return Handle::NONE;
        }
        self.later(delay, class, event)
    }

    #[inline]
    fn at_once(&mut self, class: Class, event: E) {
        let order = self.next_order(class);
        self.immediate[class as usize].push_back((order, event));
        self.immediate_classes |= 1 << class as u8;
    }

    #[inline]
    fn later(&mut self, delay: Nanos, class: Class, event: E) -> Handle {
        let order = self.next_order(class);
        let time = self.now.saturating_add(delay);
        let Some(slot) = self.keep(order, time, event) else { return Handle::NONE };
        let key = key(time, order, slot);
        self.heap.push(key);
        Handle::of(key)
    }

    /// Puts an event one ring's delay into the future, as a timer.
    #[inline]
    pub fn after_constant(&mut self, ring: RingId, event: E) -> Handle {
        let delay = self.rings[ring.0 as usize].delay;
        if delay == 0 {
            return self.after(0, Class::Timer, event);
        }
        let order = self.next_order(Class::Timer);
        let time = self.now.saturating_add(delay);
        let Some(slot) = self.keep(order, time, event) else { return Handle::NONE };
        let key = key(time, order, slot);
        self.drop_dead_front(ring.0);
        self.clean_ring(ring.0);
        let place = &mut self.rings[ring.0 as usize];
        place.keys.push_back(key);
        if !place.armed {
            place.armed = true;
            let wake = with_slot(key, RING_BASE + ring.0);
            self.heap.push(wake);
        }
        Handle::of(key)
    }

    /// Forgets a pending event; harmless if it has happened or was cancelled before.
    #[inline]
    pub fn cancel(&mut self, handle: Handle) {
        if handle != Handle::NONE && self.is_pending(handle) {
            self.take(handle.slot());
        }
    }

    /// Takes a pending event out and says how far in the future it was.
    pub fn suspend(&mut self, handle: Handle) -> Option<Nanos> {
        if !self.is_pending(handle) {
            return None;
        }
        let due = self.slab[handle.slot() as usize].time;
        self.take(handle.slot());
        Some(due - self.now)
    }

    /// Advances to the next event and takes it.
    #[inline(always)]
    pub fn advance(&mut self) -> Option<E> {
        loop {
            self.heap.drop_spent();
            if self.immediate_classes != 0
                && let Some(event) = self.next_immediate()
            {
                return Some(event);
            }
            let key = self.heap.first()?;
            self.heap.spend_first();
            let slot = slot_of(key);
            if slot >= RING_BASE {
                if let Some(event) = self.wake_ring(slot - RING_BASE, key) {
                    return Some(event);
                }
                continue;
            }
            if self.slab[slot as usize].order == order_of(key) {
                self.now = time_of(key);
                return Some(self.take(slot));
            }
        }
    }

    /// The next event of this instant, unless the heap holds one that ranks before it.
    #[inline]
    fn next_immediate(&mut self) -> Option<E> {
        let class = self.immediate_classes.trailing_zeros() as usize;
        let queue = &mut self.immediate[class];
        let &(order, event) = queue.front()?;
        if let Some(first) = self.heap.first()
            && time_of(first) == self.now
            && order_of(first) < order
        {
            return None;
        }
        queue.pop_front();
        if queue.is_empty() {
            self.immediate_classes &= !(1 << class);
        }
        Some(event)
    }

    /// A ring's key came up: take its first entry if the key was still its own, and arm it again.
    fn wake_ring(&mut self, ring: u32, wake: Key) -> Option<E> {
        self.drop_dead_front(ring);
        let mut event = None;
        if let Some(&first) = self.rings[ring as usize].keys.front()
            && order_of(first) == order_of(wake)
        {
            self.rings[ring as usize].keys.pop_front();
            event = Some(self.take(slot_of(first)));
            self.now = time_of(first);
            self.drop_dead_front(ring);
        }
        match self.rings[ring as usize].keys.front() {
            Some(&next) => self.heap.push(with_slot(next, RING_BASE + ring)),
            None => self.rings[ring as usize].armed = false,
        }
        event
    }

    #[inline]
    fn drop_dead_front(&mut self, ring: u32) {
        let place = &mut self.rings[ring as usize];
        while let Some(&first) = place.keys.front() {
            if self.slab[slot_of(first) as usize].order == order_of(first) {
                break;
            }
            place.keys.pop_front();
        }
    }

    /// Takes the keys of cancelled events out of a ring that holds many: one that is never cancelled
    /// keeps its place at the front, and everything behind it.
    fn clean_ring(&mut self, ring: u32) {
        let place = &mut self.rings[ring as usize];
        if place.keys.len() < place.clean_at {
            return;
        }
        let slab = &self.slab;
        place.keys.retain(|&key| slab[slot_of(key) as usize].order == order_of(key));
        place.clean_at = 2 * place.keys.len() + CLEAN_RING;
    }

    fn is_pending(&self, handle: Handle) -> bool {
        self.slab.get(handle.slot() as usize).is_some_and(|entry| entry.order == handle.order())
    }

    #[inline(always)]
    fn next_order(&mut self, class: Class) -> u64 {
        self.sequence += 1;
        debug_assert!(self.sequence < 1 << SEQUENCE_BITS);
        (class as u64) << SEQUENCE_BITS | self.sequence
    }

    #[inline(always)]
    fn keep(&mut self, order: u64, time: Nanos, event: E) -> Option<u32> {
        let slot = self.free;
        match self.slab.get_mut(slot as usize) {
            Some(entry) => {
                self.free = entry.time as u32;
                *entry = Entry { event, order, time };
                self.used += 1;
                Some(slot)
            }
            None => self.keep_in_new_entry(order, time, event),
        }
    }

    #[cold]
    fn keep_in_new_entry(&mut self, order: u64, time: Nanos, event: E) -> Option<u32> {
        let slot = self.slab.len();
        if slot >= MAX_PENDING {
            self.full = true;
            return None;
        }
        self.slab.push(Entry { event, order, time });
        self.used += 1;
        Some(slot as u32)
    }

    /// Frees an entry; gives what lived there.
    #[inline(always)]
    fn take(&mut self, slot: u32) -> E {
        let entry = &mut self.slab[slot as usize];
        entry.order = FREE;
        entry.time = Nanos::from(self.free);
        self.free = slot;
        self.used -= 1;
        entry.event
    }
}

#[inline(always)]
fn key(time: Nanos, order: u64, slot: u32) -> Key {
    (time as u128) << 64 | (order << SLOT_BITS | slot as u64) as u128
}

#[inline(always)]
fn time_of(key: Key) -> Nanos {
    (key >> 64) as u64
}

#[inline(always)]
fn order_of(key: Key) -> u64 {
    key as u64 >> SLOT_BITS
}

#[inline(always)]
fn slot_of(key: Key) -> u32 {
    key as u32 & ((1 << SLOT_BITS) - 1)
}

fn with_slot(key: Key, slot: u32) -> Key {
    key & !((1 << SLOT_BITS) - 1) | slot as u128
}

#[cfg(test)]
mod tests;
