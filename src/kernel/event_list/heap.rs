//! A 4-ary heap of keys: the smallest first.
//!
//! Law: behind the last key there are always places that hold [`BEYOND`], which is greater than any key. So
//! every key has four children, and the smallest of them is found without asking how many there are.

use super::Key;

/// In places where there is no key.
const BEYOND: Key = Key::MAX;

/// So many places behind the last key that its siblings are there.
const SIBLINGS: usize = 3;

#[derive(Clone, Default)]
pub(super) struct Heap {
    keys: Vec<Key>,
    length: usize,
    /// The first key stands for an event that has happened: the next key that comes takes its place in one
    /// pass, as most events bring about another.
    first_is_spent: bool,
}

impl Heap {
    /// The smallest key, unless it is spent.
    #[inline(always)]
    pub fn first(&self) -> Option<Key> {
        debug_assert!(!self.first_is_spent);
        if self.length == 0 { None } else { Some(self.keys[0]) }
    }

    /// The first key is needed no more.
    #[inline(always)]
    pub fn spend_first(&mut self) {
        self.first_is_spent = true;
    }

    /// Takes a spent key out whose place nothing has taken.
    #[inline(always)]
    pub fn drop_spent(&mut self) {
        if self.first_is_spent {
            self.drop_first();
        }
    }

    #[inline(always)]
    pub fn push(&mut self, key: Key) {
        if self.first_is_spent {
            self.first_is_spent = false;
            return self.sink(key);
        }
        self.rise(key);
    }

    /// Puts a key behind the last, and up to where it belongs.
    #[inline(never)]
    fn rise(&mut self, key: Key) {
        let mut hole = self.length;
        self.length += 1;
        if self.keys.len() < self.length + SIBLINGS {
            self.keys.resize(2 * self.length + SIBLINGS, BEYOND);
        }
        let keys = &mut self.keys[..];
        while hole > 0 {
            let parent = (hole - 1) / 4;
            if keys[parent] <= key {
                break;
            }
            keys[hole] = keys[parent];
            hole = parent;
        }
        keys[hole] = key;
    }

    fn drop_first(&mut self) {
        self.first_is_spent = false;
        self.length -= 1;
        let last = std::mem::replace(&mut self.keys[self.length], BEYOND);
        if self.length > 0 {
            self.sink(last);
        }
    }

    /// Puts a key in the place of the first, and down to where it belongs.
    #[inline]
    fn sink(&mut self, key: Key) {
        let keys = &mut self.keys[..];
        let mut hole = 0;
        while let Some(children) = keys.get(4 * hole + 1..4 * hole + 5) {
            let (child, smallest) = smallest_of_four(children);
            if smallest >= key {
                break;
            }
            keys[hole] = smallest;
            hole = 4 * hole + 1 + child;
        }
        keys[hole] = key;
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.length
    }
}

/// The smallest of four keys, with its position: two pairs are compared at a time.
#[inline(always)]
fn smallest_of_four(keys: &[Key]) -> (usize, Key) {
    let &[a, b, c, d] = keys else { unreachable!("four children") };
    let (left, left_key) = if b < a { (1, b) } else { (0, a) };
    let (right, right_key) = if d < c { (3, d) } else { (2, c) };
    if right_key < left_key { (right, right_key) } else { (left, left_key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys come and go in every order that a few random numbers give, spent or not when the next comes.
    #[test]
    fn the_smallest_is_first_however_many_there_are() {
        let mut random = 99_u64;
        let mut next = move || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random >> 33
        };
        let (mut heap, mut sorted) = (Heap::default(), Vec::new());
        for round in 0..20_000_u64 {
            // Fills up to a hundred and empties again, several times.
            let fills = round / 400 % 2 == 0;
            if next() % 4 == 0 || fills && next() % 2 == 0 {
                let key = Key::from(next()) << 40 | Key::from(round);
                heap.push(key);
                sorted.push(key);
                sorted.sort_unstable();
            } else {
                heap.drop_spent();
                assert_eq!(heap.first(), sorted.first().copied());
                if !sorted.is_empty() {
                    heap.spend_first();
                    sorted.remove(0);
                }
            }
        }
        heap.drop_spent();
        assert_eq!((heap.len(), heap.first()), (sorted.len(), sorted.first().copied()));
    }
}
