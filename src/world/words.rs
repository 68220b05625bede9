//! Storage of the world's variable-length data: frames, payloads and lists, reused by size.

use crate::model::code::{NONE, Word};

/// Blocks of words, each reused for another of its size.
#[derive(Clone, Default)]
pub struct Words {
    words: Vec<Word>,
    free: Vec<Vec<u32>>,
    /// Blocks in use.
    used: usize,
}

impl Words {
    /// A block of `length` zeroes; an empty block is nowhere.
    #[inline(always)]
    pub fn allocate(&mut self, length: u16) -> u32 {
        if length == 0 { NONE } else { self.take_block(length) }
    }

    fn take_block(&mut self, length: u16) -> u32 {
        self.used += 1;
        if let Some(block) = self.free.get_mut(length as usize).and_then(Vec::pop) {
            self.words[block as usize..block as usize + length as usize].fill(0);
            return block;
        }
        let block = self.words.len() as u32;
        self.words.resize(self.words.len() + length as usize, 0);
        block
    }

    #[inline(always)]
    pub fn release(&mut self, block: u32, length: u16) {
        if block != NONE {
            self.take_back(block, length);
        }
    }

    fn take_back(&mut self, block: u32, length: u16) {
        self.used -= 1;
        if self.free.len() <= length as usize {
            self.free.resize(length as usize + 1, Vec::new());
        }
        self.free[length as usize].push(block);
    }

    /// All words, those of free blocks too.
    pub fn all(&self) -> &[Word] {
        &self.words
    }

    /// Words in all blocks, the free ones included.
    pub fn kept(&self) -> usize {
        self.words.len()
    }

    /// How many blocks are in use.
    pub fn len(&self) -> usize {
        self.used
    }

    /// A block as it stands.
    pub fn block(&self, block: u32, length: u16) -> &[Word] {
        if length == 0 { &[] } else { &self.words[block as usize..][..length as usize] }
    }

    #[inline(always)]
    pub fn get(&self, block: u32, position: u16) -> Word {
        self.words[block as usize + position as usize]
    }

    #[inline(always)]
    pub fn set(&mut self, block: u32, position: u16, word: Word) {
        self.words[block as usize + position as usize] = word;
    }

    /// A copy of a block, in a block of `length` words (at least as long).
    pub fn copy(&mut self, block: u32, old_length: u16, length: u16) -> u32 {
        let copy = self.allocate(length);
        if block != NONE && copy != NONE {
            let from = block as usize;
            self.words.copy_within(from..from + old_length as usize, copy as usize);
        }
        copy
    }
}

/// Lists of words, by handle. A handle has one owner: a frame slot, a payload field, or the
/// operation in hand.
#[derive(Clone, Default)]
pub struct Lists {
    lists: Vec<Vec<Word>>,
    free: Vec<u32>,
    /// Words in all lists in use.
    words: usize,
}

/// Words of a list whose room is given back.
const LONG_LIST: usize = 4096;

/// The handle of the empty list.
pub const EMPTY: Word = NONE as Word;

impl Lists {
    /// A new list, filled by the caller.
    pub fn add(&mut self) -> Word {
        match self.free.pop() {
            Some(slot) => slot as Word,
            None => {
                self.lists.push(Vec::new());
                self.lists.len() as Word - 1
            }
        }
    }

    /// How many are in use.
    pub fn len(&self) -> usize {
        self.lists.len() - self.free.len()
    }

    pub fn get(&self, handle: Word) -> &[Word] {
        if handle == EMPTY { &[] } else { &self.lists[handle as usize] }
    }

    /// All words of lists in use.
    pub fn all(&self) -> impl Iterator<Item = Word> {
        self.lists.iter().flatten().copied()
    }

    /// Words in all lists.
    #[inline(always)]
    pub fn kept(&self) -> usize {
        self.words
    }

    pub fn extend(&mut self, handle: Word, words: impl Iterator<Item = Word>) {
        let list = &mut self.lists[handle as usize];
        let old = list.len();
        list.extend(words);
        self.words += list.len() - old;
    }

    /// Takes the last words of a list out of it.
    pub fn take_last(&mut self, handle: Word, count: usize) -> std::vec::Drain<'_, Word> {
        let list = &mut self.lists[handle as usize];
        self.words -= count;
        list.drain(list.len() - count..)
    }

    /// A copy with an owner of its own.
    pub fn duplicate(&mut self, handle: Word) -> Word {
        if handle == EMPTY {
            return EMPTY;
        }
        let copy = self.add();
        let [from, to] = self
            .lists
            .get_disjoint_mut([handle as usize, copy as usize])
            .expect("a new list is not an old one");
        to.extend_from_slice(from);
        self.words += from.len();
        copy
    }

    #[inline]
    pub fn release(&mut self, handle: Word) {
        if handle != EMPTY {
            let list = &mut self.lists[handle as usize];
            self.words -= list.len();
            // The room of a long list is not kept for the next, which may be a short one.
            if list.capacity() > LONG_LIST {
                *list = Vec::new();
            } else {
                list.clear();
            }
            self.free.push(handle as u32);
        }
    }
}

/// Slots of `T`, reused last in, first out.
#[derive(Clone)]
pub struct Slab<T> {
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    #[inline]
    pub fn add(&mut self, value: T) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = value;
                slot
            }
            None => {
                self.slots.push(value);
                self.slots.len() as u32 - 1
            }
        }
    }

    /// Frees a slot; what it held stays readable until it is used again.
    #[inline]
    pub fn release(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// How many are in use.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Every slot ever used, free ones included.
    pub fn all(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().enumerate().map(|(slot, value)| (slot as u32, value))
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline(always)]
    fn index(&self, slot: u32) -> &T {
        &self.slots[slot as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline(always)]
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot as usize]
    }
}
