//! An order over slots: a doubly linked list whose links lie beside the slots it orders, so that a
//! slot is appended, taken out and stepped over in constant time without an allocation of its own.

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
}

/// Slots in the order in which they were appended.
#[derive(Clone, Debug)]
pub(super) struct Order {
    links: Vec<Link>,
    first: u32,
    last: u32,
}

impl Order {
    pub(super) fn new() -> Self {
        Self { links: Vec::new(), first: NONE, last: NONE }
    }

    /// The oldest slot, or `NONE`.
    #[inline]
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// The newest slot, or `NONE`.
    #[inline]
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// The slot after a linked one, or `NONE`.
    #[inline]
    pub(super) fn after(&self, slot: u32) -> u32 {
        self.links[slot as usize].after
    }

    /// The slot before a linked one, or `NONE`.
    #[inline]
    pub(super) fn before(&self, slot: u32) -> u32 {
        self.links[slot as usize].before
    }

    /// Appends a slot that is not linked.
    pub(super) fn append(&mut self, slot: u32) {
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, Link { before: NONE, after: NONE });
        }
        self.links[slot as usize] = Link { before: self.last, after: NONE };
        match self.last {
            NONE => self.first = slot,
            last => self.links[last as usize].after = slot,
        }
        self.last = slot;
    }

    /// Takes out all slots.
    pub(super) fn clear(&mut self) {
        self.links.clear();
        self.first = NONE;
        self.last = NONE;
    }

    /// Takes out a linked slot.
    pub(super) fn remove(&mut self, slot: u32) {
        let Link { before, after } = self.links[slot as usize];
        match before {
            NONE => self.first = after,
            before => self.links[before as usize].after = after,
        }
        match after {
            NONE => self.last = before,
            after => self.links[after as usize].before = before,
        }
    }

    /// The linked slots, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            let slot = next;
            (slot != NONE).then(|| {
                next = self.after(slot);
                slot
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_of_appending_through_removals_at_either_end_and_within() {
        let mut order = Order::new();
        for slot in [4, 0, 2, 7] {
            order.append(slot);
        }
        assert_eq!(order.iter().collect::<Vec<_>>(), [4, 0, 2, 7]);
        order.remove(0);
        order.remove(4);
        order.remove(7);
        order.append(0);
        assert_eq!(order.iter().collect::<Vec<_>>(), [2, 0]);
        assert_eq!((order.first(), order.last(), order.before(0), order.after(2)), (2, 0, 2, 0));
        order.remove(2);
        order.remove(0);
        assert_eq!(order.iter().count(), 0);
    }
}
