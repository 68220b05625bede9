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

use super::time::Nanos;
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
/// Slots from here on stand for a ring's first entry.
const RING_BASE: u32 = (1 << SLOT_BITS) - (1 << 16);
/// How many events may be pending in the heap and rings.
pub const MAX_PENDING: usize = RING_BASE as usize;

#[derive(Clone)]
struct Entry<E> {
    event: E,
    /// Of the event that lives here; `FREE` when none does.
    order: u64,
}

const FREE: u64 = u64::MAX;

#[derive(Clone)]
struct Ring {
    delay: Nanos,
    keys: VecDeque<Key>,
    /// Whether the heap holds a key that will wake this ring.
    armed: bool,
}

/// Pending events of type `E`. Delays only: nothing can be put into the past.
#[derive(Clone)]
pub struct EventList<E> {
    now: Nanos,
    sequence: u64,
    heap: Vec<Key>,
    slab: Vec<Entry<E>>,
    free: Vec<u32>,
    rings: Vec<Ring>,
    immediate: [VecDeque<(u64, E)>; CLASSES],
    /// Bit c is set while `immediate[c]` holds something.
    immediate_classes: u8,
}

impl<E: Copy> EventList<E> {
    /// An empty list at time `now`.
    pub fn new(now: Nanos) -> Self {
        Self {
            now,
            sequence: 0,
            heap: Vec::new(),
            slab: Vec::new(),
            free: Vec::new(),
            rings: Vec::new(),
            immediate: Default::default(),
            immediate_classes: 0,
        }
    }

    /// The current instant.
    #[inline(always)]
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// Pending events that are not due at this instant; cancelled ones count until they come up.
    pub fn pending(&self) -> usize {
        self.slab.len() - self.free.len()
    }

    /// Registers a constant delay.
    pub fn add_ring(&mut self, delay: Nanos) -> RingId {
        assert!(self.rings.len() < 1 << 16, "more constant delays than ring ids");
        self.rings.push(Ring { delay, keys: VecDeque::new(), armed: false });
        RingId(self.rings.len() as u32 - 1)
    }

    /// Puts an event `delay` into the future. An event due now cannot be cancelled.
    #[inline]
    pub fn after(&mut self, delay: Nanos, class: Class, event: E) -> Handle {
        let order = self.next_order(class);
        if delay == 0 {
            self.immediate[class as usize].push_back((order, event));
            self.immediate_classes |= 1 << class as u8;
            return Handle::NONE;
        }
        let slot = self.keep(order, event);
        let key = key(self.now.saturating_add(delay), order, slot);
        self.push(key);
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
        let slot = self.keep(order, event);
        let key = key(self.now.saturating_add(delay), order, slot);
        self.drop_dead_front(ring.0);
        let place = &mut self.rings[ring.0 as usize];
        place.keys.push_back(key);
        if !place.armed {
            place.armed = true;
            let wake = with_slot(key, RING_BASE + ring.0);
            self.push(wake);
        }
        Handle::of(key)
    }

    /// Forgets a pending event; harmless if it has happened or was cancelled before.
    #[inline]
    pub fn cancel(&mut self, handle: Handle) {
        if self.is_pending(handle) {
            self.release(handle.slot());
        }
    }

    /// Takes a pending event out and says how far in the future it was.
    pub fn suspend(&mut self, handle: Handle) -> Option<Nanos> {
        if !self.is_pending(handle) {
            return None;
        }
        let place = |&&key: &&Key| slot_of(key) == handle.slot() && order_of(key) == handle.order();
        let in_rings = self.rings.iter().flat_map(|ring| ring.keys.iter());
        let key = *self.heap.iter().chain(in_rings).find(place)?;
        self.release(handle.slot());
        Some(time_of(key) - self.now)
    }

    /// Advances to the next event and takes it.
    #[inline]
    pub fn advance(&mut self) -> Option<E> {
        loop {
            if self.immediate_classes != 0
                && let Some(event) = self.next_immediate()
            {
                return Some(event);
            }
            let key = *self.heap.first()?;
            self.pop();
            let slot = slot_of(key);
            if slot >= RING_BASE {
                if let Some(event) = self.wake_ring(slot - RING_BASE, key) {
                    return Some(event);
                }
                continue;
            }
            let entry = &self.slab[slot as usize];
            if entry.order == order_of(key) {
                let event = entry.event;
                self.release(slot);
                self.now = time_of(key);
                return Some(event);
            }
        }
    }

    /// The next event of this instant, unless the heap holds one that ranks before it.
    #[inline]
    fn next_immediate(&mut self) -> Option<E> {
        let class = self.immediate_classes.trailing_zeros() as usize;
        let queue = &mut self.immediate[class];
        let &(order, event) = queue.front()?;
        if let Some(&first) = self.heap.first()
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
            let slot = slot_of(first);
            event = Some(self.slab[slot as usize].event);
            self.release(slot);
            self.now = time_of(first);
            self.drop_dead_front(ring);
        }
        match self.rings[ring as usize].keys.front() {
            Some(&next) => self.push(with_slot(next, RING_BASE + ring)),
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
    fn keep(&mut self, order: u64, event: E) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slab[slot as usize] = Entry { event, order };
                slot
            }
            None => {
                let slot = self.slab.len();
                assert!(slot < MAX_PENDING, "more pending events than the event list has slots");
                self.slab.push(Entry { event, order });
                slot as u32
            }
        }
    }

    #[inline(always)]
    fn release(&mut self, slot: u32) {
        self.slab[slot as usize].order = FREE;
        self.free.push(slot);
    }

    #[inline]
    fn push(&mut self, key: Key) {
        let mut hole = self.heap.len();
        self.heap.push(key);
        while hole > 0 {
            let parent = (hole - 1) / 4;
            if self.heap[parent] <= key {
                break;
            }
            self.heap[hole] = self.heap[parent];
            hole = parent;
        }
        self.heap[hole] = key;
    }

    /// Removes the smallest key.
    #[inline]
    fn pop(&mut self) {
        let Some(last) = self.heap.pop() else { return };
        let length = self.heap.len();
        if length == 0 {
            return;
        }
        let heap = &mut self.heap[..];
        let mut hole = 0;
        loop {
            let first = 4 * hole + 1;
            if first >= length {
                break;
            }
            let mut smallest = first;
            let mut smallest_key = heap[first];
            for (child, &candidate) in heap.iter().enumerate().take((first + 4).min(length)).skip(first + 1) {
                if candidate < smallest_key {
                    smallest = child;
                    smallest_key = candidate;
                }
            }
            if smallest_key >= last {
                break;
            }
            heap[hole] = smallest_key;
            hole = smallest;
        }
        heap[hole] = last;
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
mod tests {
    use super::*;

    /// Against a sorted list of everything that was put in and not cancelled.
    #[test]
    fn pops_in_order_of_time_class_and_sequence() {
        let mut list = EventList::new(0);
        let rings = [list.add_ring(30), list.add_ring(7)];
        let mut expected = Vec::new();
        let mut random = 12345u64;
        let mut handles = Vec::new();
        let mut popped = Vec::new();
        for id in 0..20_000u64 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let choice = random >> 33;
            let class = [Class::Fault, Class::Completion, Class::Delivery, Class::Timer, Class::Arrival]
                [(choice % 5) as usize];
            match choice / 8 % 4 {
                0 => {
                    let ring = rings[(choice / 64 % 2) as usize];
                    let delay = if ring.0 == 0 { 30 } else { 7 };
                    handles.push((list.after_constant(ring, id), id));
                    expected.push((list.now() + delay, Class::Timer as u8, id));
                }
                1 | 2 => {
                    let delay = choice / 64 % 40;
                    let handle = list.after(delay, class, id);
                    expected.push((list.now() + delay, class as u8, id));
                    if delay > 0 {
                        handles.push((handle, id));
                    }
                }
                _ => {
                    if (choice / 64).is_multiple_of(3) && !handles.is_empty() {
                        let (handle, id) = handles.swap_remove((choice / 256) as usize % handles.len());
                        if !popped.contains(&id) {
                            expected.retain(|entry| entry.2 != id);
                        }
                        list.cancel(handle);
                    } else if let Some(event) = list.advance() {
                        expected.sort_unstable();
                        let (time, _, id) = expected.remove(0);
                        assert_eq!((time, id), (list.now(), event));
                        popped.push(event);
                    }
                }
            }
        }
    }

    #[test]
    fn a_suspended_event_says_what_was_left_of_it() {
        let mut list = EventList::new(0);
        let handle = list.after(10, Class::Completion, 1);
        list.after(4, Class::Timer, 2);
        assert_eq!(list.advance(), Some(2));
        assert_eq!(list.suspend(handle), Some(6));
        assert_eq!(list.suspend(handle), None);
        assert_eq!(list.advance(), None);
    }

    #[test]
    fn cancelled_timers_leave_nothing_behind() {
        let mut list = EventList::new(0);
        let ring = list.add_ring(1_000_000);
        for _ in 0..100_000 {
            let timer = list.after_constant(ring, 0);
            list.after(1, Class::Completion, 1);
            assert_eq!(list.advance(), Some(1));
            list.cancel(timer);
        }
        assert!(list.slab.len() < 4 && list.rings[0].keys.len() < 4 && list.heap.len() < 4);
    }
}
