//! Keys of pending events, the smallest first: a short sorted row of the next ones before a heap of the rest.
//!
//! Law: every key of the row is smaller than every key of the heap, and the row is empty only if the heap is. Most
//! events bring about another that comes soon: it finds its place among a few neighbours.

use super::Key;
use super::heap::Heap;

/// The longest row; a full one gives half of its keys to the heap, an empty one takes as many from there.
const LONGEST_ROW: usize = 24;
const HALF_A_ROW: usize = LONGEST_ROW / 2;

#[derive(Clone, Default)]
pub(super) struct Keys {
    /// The greatest first, so that the next one is taken from the end.
    row: Vec<Key>,
    heap: Heap,
}

impl Keys {
    #[inline(always)]
    pub fn push(&mut self, key: Key) {
        if self.row.len() == LONGEST_ROW {
            self.shorten_row();
        }
        if !self.heap.is_empty() && self.row[0] < key {
            return self.heap.push(key);
        }
        let mut place = self.row.len();
        self.row.push(key);
        let row = &mut self.row[..];
        while place > 0 && row[place - 1] < key {
            row[place] = row[place - 1];
            place -= 1;
        }
        row[place] = key;
    }

    /// Takes the smallest key out.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Key> {
        let key = self.row.pop();
        if self.row.is_empty() && !self.heap.is_empty() {
            self.fill_row();
        }
        key
    }

    #[inline(never)]
    fn shorten_row(&mut self) {
        for key in self.row.drain(..HALF_A_ROW).rev() {
            self.heap.push(key);
        }
    }

    #[inline(never)]
    fn fill_row(&mut self) {
        self.row.extend(std::iter::from_fn(|| self.heap.pop()).take(HALF_A_ROW));
        self.row.reverse();
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.row.len() + self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys come and go in every order that a few random numbers give, near the front and far behind it.
    #[test]
    fn the_smallest_is_first_however_many_there_are() {
        let mut random = 99_u64;
        let mut next = move || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random >> 33
        };
        let (mut keys, mut sorted) = (Keys::default(), Vec::new());
        for round in 0..20_000_u64 {
            // Fills up to some hundreds and empties again, several times.
            let fills = round / 800 % 2 == 0;
            if next() % 4 == 0 || fills && next() % 2 == 0 {
                let key = Key::from(next() >> (next() % 20)) << 40 | Key::from(round);
                keys.push(key);
                sorted.push(key);
                sorted.sort_unstable();
            } else {
                let first = (!sorted.is_empty()).then(|| sorted.remove(0));
                assert_eq!(keys.pop(), first);
            }
            assert_eq!(keys.len(), sorted.len());
        }
    }
}
