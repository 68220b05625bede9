//! Frames: which word of an attempt's frame each local and each hidden counter lives in.

use crate::kernel::ids::LocalId;
use crate::model::code::Slot;

/// The layout of one body's frame.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    slots: Vec<Slot>,
    words: Slot,
    /// Slots that own lists.
    pub lists: Vec<Slot>,
}

impl Frame {
    /// Adds a local of `words` words; locals come in the order of their ids.
    pub fn add_local(&mut self, words: u16) -> Slot {
        let slot = self.hidden(words);
        self.slots.push(slot);
        slot
    }

    /// Adds words that no name refers to.
    pub fn hidden(&mut self, words: u16) -> Slot {
        let slot = self.words;
        self.words += words;
        slot
    }

    pub fn slot(&self, local: LocalId) -> Slot {
        self.slots[local.index()]
    }

    /// Of the locals, in the order of their ids.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub fn words(&self) -> u16 {
        self.words
    }
}
