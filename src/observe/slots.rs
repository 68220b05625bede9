//! Tables beside the world's: what an observer knows of whoever is in a slot of the world now.
//!
//! The world uses the slots of attempts, messages and timers again. What is kept by slot is found without a
//! search and costs no allocation once the run is warm: who comes next takes over the room that the last one's lists had.
//! A name that is kept for later, a [`Tag`], says which use of the slot it meant.
//!
//! ```
//! use eventflow::observe::slots::SlotTable;
//! let mut table = SlotTable::default();
//! *table.begin(3) = "first";
//! let first = table.tag(3).unwrap();
//! assert_eq!(table.end(3), Some(&mut "first"));
//! *table.begin(3) = "second";
//! assert_eq!((table.get(3), table.at(first)), (Some(&"second"), None));
//! ```

use crate::world::record::SlotNumber;

/// Values by slot of the world. A slot is in use from `begin` to `end`.
#[derive(Clone, Debug)]
pub struct SlotTable<T> {
    slots: Vec<Slot<T>>,
}

/// One use of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    pub slot: SlotNumber,
    generation: u32,
}

#[derive(Clone, Debug, Default)]
struct Slot<T> {
    /// Odd while the slot is in use.
    generation: u32,
    value: T,
}

impl<T> Slot<T> {
    fn is_in_use(&self) -> bool {
        self.generation & 1 == 1
    }
}

impl<T> Default for SlotTable<T> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<T: Default> SlotTable<T> {
    /// A slot is used anew. Gives what it held last, for its room; the caller makes of it what it now is.
    #[inline]
    pub fn begin(&mut self, slot: SlotNumber) -> &mut T {
        let at = slot as usize;
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || Slot { generation: 0, value: T::default() });
        }
        let slot = &mut self.slots[at];
        slot.generation = slot.generation.wrapping_add(1) | 1;
        &mut slot.value
    }
}

impl<T> SlotTable<T> {
    /// A slot is in use no more. Gives what it held; `None` if it was not in use.
    #[inline]
    pub fn end(&mut self, slot: SlotNumber) -> Option<&mut T> {
        let slot = self.slots.get_mut(slot as usize).filter(|slot| slot.is_in_use())?;
        slot.generation = slot.generation.wrapping_add(1);
        Some(&mut slot.value)
    }

    /// Gives back to a slot that is not in use the room that was taken out of it.
    pub fn keep_room(&mut self, slot: SlotNumber, give_back: impl FnOnce(&mut T)) {
        if let Some(slot) = self.slots.get_mut(slot as usize).filter(|slot| !slot.is_in_use()) {
            give_back(&mut slot.value);
        }
    }

    /// What is known of who is in a slot; of a slot not in use, [`crate::model::NONE`] too, nothing.
    #[inline]
    pub fn get(&self, slot: SlotNumber) -> Option<&T> {
        self.slots.get(slot as usize).filter(|slot| slot.is_in_use()).map(|slot| &slot.value)
    }

    #[inline]
    pub fn get_mut(&mut self, slot: SlotNumber) -> Option<&mut T> {
        self.slots.get_mut(slot as usize).filter(|slot| slot.is_in_use()).map(|slot| &mut slot.value)
    }

    /// This use of a slot; `None` if it is not in use.
    pub fn tag(&self, slot: SlotNumber) -> Option<Tag> {
        let of = self.slots.get(slot as usize).filter(|slot| slot.is_in_use())?;
        Some(Tag { slot, generation: of.generation })
    }

    /// What is known of that use of a slot, if it is not over.
    pub fn at(&self, tag: Tag) -> Option<&T> {
        let slot = self.slots.get(tag.slot as usize)?;
        (slot.generation == tag.generation && slot.is_in_use()).then_some(&slot.value)
    }

    /// All in use.
    pub fn iter(&self) -> impl Iterator<Item = (SlotNumber, &T)> {
        let slots = self.slots.iter().enumerate().filter(|(_, slot)| slot.is_in_use());
        slots.map(|(at, slot)| (at as SlotNumber, &slot.value))
    }
}

/// Records of an observer's own, named by number; who comes next takes over the room of one that is gone.
#[derive(Clone, Debug)]
pub struct Arena<T> {
    records: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { records: Vec::new(), free: Vec::new() }
    }
}

impl<T: Default> Arena<T> {
    /// A number that is not in use. What is there is what it held last, for its room; the caller makes of it what
    /// it now is.
    pub fn begin(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.records.push(T::default());
            self.records.len() as u32 - 1
        })
    }
}

impl<T> Arena<T> {
    /// A number is in use no more; what it held stays readable until it is used again.
    pub fn end(&mut self, number: u32) {
        self.free.push(number);
    }

    /// How many are in use.
    pub fn len(&self) -> usize {
        self.records.len() - self.free.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> std::ops::Index<u32> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, number: u32) -> &T {
        &self.records[number as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        &mut self.records[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NONE;

    #[test]
    fn a_slot_holds_something_only_while_it_is_in_use() {
        let mut table = SlotTable::<Vec<u8>>::default();
        assert_eq!(table.end(0), None);
        assert_eq!((table.get(0), table.get(NONE)), (None, None));
        table.begin(2).push(7);
        assert_eq!((table.get(2), table.get(1)), (Some(&vec![7]), None));
        assert_eq!(table.end(2), Some(&mut vec![7]));
        assert_eq!(table.end(2), None);
        assert_eq!(table.get(2), None);
        assert_eq!(table.begin(2), &[7], "the room of the last one");
        assert_eq!(table.iter().count(), 1);
    }

    #[test]
    fn a_tag_means_one_use_of_a_slot() {
        let mut table = SlotTable::<u8>::default();
        *table.begin(0) = 1;
        let first = table.tag(0).unwrap();
        assert_eq!(table.at(first), Some(&1));
        table.end(0);
        assert_eq!((table.at(first), table.tag(0)), (None, None));
        *table.begin(0) = 2;
        assert_eq!((table.at(first), table.tag(0).and_then(|tag| table.at(tag))), (None, Some(&2)));
        // Who comes without the last one having gone takes its place.
        *table.begin(0) = 3;
        assert_eq!(table.get(0), Some(&3));
    }
}
