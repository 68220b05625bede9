//! Deliveries: one copy of a message on its way to, or with, one consumer.

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// One delivery. The slot is dense and reused: the world keeps what it knows of a delivery in a
/// table by slot; the generation tells two users of one slot apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    pub slot: u32,
    pub generation: u32,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Failed,
}

/// Where the present copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the broker, to be sent when a consumer has room.
    Waiting,
    /// At the broker, behind another message of its key.
    Parked,
    /// At the broker, resting after a failed attempt.
    Delayed,
    /// On its way to the consumer.
    Sent,
    /// With the consumer, behind another of its partition.
    Buffered,
    /// With the consumer, waiting for one of its concurrent attempts to end.
    Queued,
    Running,
    /// With the consumer, resting before the next attempt in place.
    Resting,
    /// Handled, not yet acknowledged.
    Handled,
    /// Forgotten by its consumer.
    Forgotten,
    /// At the broker, on its way to the dead letters.
    Moving,
    /// At the broker, on a server that is away and missed its acknowledgement.
    Missed,
    /// At the broker, acknowledged.
    Kept,
}

/// Who still needs a delivery; its slot is free when nobody does.
pub(super) mod holder {
    /// The broker still owes the message.
    pub const BROKER: u16 = 1;
    /// The consumer has it, or it is on its way there.
    pub const CONSUMER: u16 = 2;
    /// An acknowledgement, of either kind, is on its way.
    pub const ACK: u16 = 4;
    /// It stands in the window of a cursor.
    pub const WINDOW: u16 = 128;
    /// The consumer has handled it and has yet to acknowledge it.
    pub const UNSAID: u16 = 256;
    pub const ANY: u16 = BROKER | CONSUMER | ACK | WINDOW | UNSAID;
}

/// What has become of a delivery beside who holds it.
pub(super) mod mark {
    /// Taken away from its consumer: what it says is stale.
    pub const REVOKED: u16 = 8;
    /// Holds the lock of its key.
    pub const LOCKS_KEY: u16 = 16;
    /// Its consumer has acknowledged it and will not do so again.
    pub const SPOKEN: u16 = 32;
    /// Given up by its consumer, which has moved or dropped the message; the cursor has yet to pass it.
    pub const EXHAUSTED: u16 = 64;
    /// It is among the dead letters already.
    pub const COPIED: u16 = 512;
    /// Acknowledged, and kept until all before it of its key are.
    pub const ACKNOWLEDGED: u16 = 1024;
    /// The broker is done with the message, and somebody else still has this copy: it has been carried on.
    pub const CARRIED: u16 = 2048;
}

#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub offset: u64,
    pub message: u32,
    pub lane: u32,
    pub consumer: u32,
    /// Lease, rest or delay; never two at once.
    pub timer: u32,
    generation: u32,
    pub deliveries: u16,
    pub failures: u16,
    /// The poll tick of its consumer at which its attempt counts as begun.
    pub born: u16,
    pub place: Place,
    /// `holder` and `mark` bits.
    pub bits: u16,
}

impl Delivery {
    /// A copy at the broker.
    pub fn new(message: u32, lane: u32, offset: u64) -> Self {
        Self {
            offset,
            message,
            lane,
            consumer: NONE,
            timer: NONE,
            generation: 0,
            deliveries: 0,
            failures: 0,
            born: 0,
            place: Place::Waiting,
            bits: holder::BROKER,
        }
    }

    #[inline]
    pub fn has(&self, bits: u16) -> bool {
        self.bits & bits != 0
    }
}

/// All deliveries, in slots that are reused last in, first out.
#[derive(Clone, Debug, Default)]
pub(super) struct Deliveries {
    slots: Vec<Delivery>,
    free: Vec<u32>,
}

impl Deliveries {
    /// How many slots are in use.
    pub fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    #[inline]
    pub fn add(&mut self, mut delivery: Delivery) -> u32 {
        if let Some(slot) = self.free.pop() {
            let old = &mut self.slots[slot as usize];
            delivery.generation = old.generation;
            *old = delivery;
            return slot;
        }
        assert!(self.slots.len() < NONE as usize, "more deliveries than a slot number can name");
        self.slots.push(delivery);
        (self.slots.len() - 1) as u32
    }

    #[inline]
    pub fn remove(&mut self, slot: u32) {
        let old = &mut self.slots[slot as usize];
        debug_assert!(!old.has(holder::ANY));
        old.generation = old.generation.wrapping_add(1);
        self.free.push(slot);
    }

    /// The slot of `id`, unless it has been freed since.
    #[inline]
    pub fn find(&self, id: DeliveryId) -> Option<u32> {
        let delivery = self.slots.get(id.slot as usize)?;
        (delivery.generation == id.generation && delivery.has(holder::ANY)).then_some(id.slot)
    }

    #[inline]
    pub fn id(&self, slot: u32) -> DeliveryId {
        DeliveryId { slot, generation: self.slots[slot as usize].generation }
    }

    /// Slots of the live deliveries for which `wanted` holds, in order of partition and offset.
    pub fn select(&self, wanted: impl Fn(&Delivery) -> bool) -> Vec<u32> {
        let live = |delivery: &Delivery| delivery.has(holder::ANY) && wanted(delivery);
        let mut found: Vec<u32> =
            (0..self.slots.len() as u32).filter(|&slot| live(&self.slots[slot as usize])).collect();
        found.sort_by_key(|&slot| {
            let delivery = &self.slots[slot as usize];
            (delivery.lane, delivery.offset, slot)
        });
        found
    }
}

impl std::ops::Index<u32> for Deliveries {
    type Output = Delivery;

    #[inline]
    fn index(&self, slot: u32) -> &Delivery {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Deliveries {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Delivery {
        &mut self.slots[slot as usize]
    }
}
