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
}

impl Heap {
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Puts a key behind the last, and up to where it belongs.
    #[inline(never)]
    pub fn push(&mut self, key: Key) {
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

    /// Takes the smallest key out.
    pub fn pop(&mut self) -> Option<Key> {
        self.length = self.length.checked_sub(1)?;
        let last = std::mem::replace(&mut self.keys[self.length], BEYOND);
        Some(if self.length == 0 { last } else { self.replace_first(last) })
    }

    /// Puts a key in the place of the first, and down to where it belongs; gives the first.
    fn replace_first(&mut self, key: Key) -> Key {
        let keys = &mut self.keys[..];
        let (first, mut hole) = (keys[0], 0);
        while let Some(children) = keys.get(4 * hole + 1..4 * hole + 5) {
            let (child, smallest) = smallest_of_four(children);
            if smallest >= key {
                break;
            }
            keys[hole] = smallest;
            hole = 4 * hole + 1 + child;
        }
        keys[hole] = key;
        first
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
