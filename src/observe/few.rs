//! Maps and lists that mostly hold few things: found by looking through them, without an allocation for each.

use std::collections::BTreeMap;

/// So many entries lie beside one another; more go into a tree.
const MOST_FEW: usize = 32;

/// A map in the order of its keys, that keeps its room when it is emptied.
#[derive(Clone, Debug)]
pub struct FewMap<K, V> {
    few: Vec<(K, V)>,
    /// All of them, once there were too many.
    many: BTreeMap<K, V>,
}

impl<K, V> Default for FewMap<K, V> {
    fn default() -> Self {
        Self { few: Vec::new(), many: BTreeMap::new() }
    }
}

impl<K: Ord + Copy, V> FewMap<K, V> {
    pub fn clear(&mut self) {
        self.few.clear();
        self.many.clear();
    }

    pub fn len(&self) -> usize {
        self.few.len() + self.many.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        match self.place(key) {
            Ok(at) => Some(&self.few[at].1),
            Err(_) => self.many.get(key),
        }
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self.place(key) {
            Ok(at) => Some(&mut self.few[at].1),
            Err(_) => self.many.get_mut(key),
        }
    }

    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// What is at a key, made if there is nothing.
    pub fn entry(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        match self.place(&key) {
            Ok(at) => &mut self.few[at].1,
            Err(at) if self.many.is_empty() && self.few.len() < MOST_FEW => {
                self.few.insert(at, (key, new()));
                &mut self.few[at].1
            }
            Err(_) => {
                self.many.extend(self.few.drain(..));
                self.many.entry(key).or_insert_with(new)
            }
        }
    }

    pub fn insert(&mut self, key: K, value: V) {
        match self.get_mut(&key) {
            Some(old) => *old = value,
            None => drop(self.entry(key, || value)),
        }
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        match self.place(key) {
            Ok(at) => Some(self.few.remove(at).1),
            Err(_) => self.many.remove(key),
        }
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> bool) {
        self.few.retain_mut(|(key, value)| keeps(key, value));
        self.many.retain(keeps);
    }

    /// The entry of the greatest key up to this one.
    pub fn last_up_to(&self, key: &K) -> Option<(&K, &V)> {
        if !self.many.is_empty() {
            return self.many.range(..=key).next_back();
        }
        let after = self.few.partition_point(|(known, _)| known <= key);
        self.few[..after].last().map(|(key, value)| (key, value))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.few.iter().map(|(key, value)| (key, value)).chain(&self.many)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.few.iter_mut().map(|(_, value)| value).chain(self.many.values_mut())
    }

    fn place(&self, key: &K) -> Result<usize, usize> {
        self.few.binary_search_by(|(known, _)| known.cmp(key))
    }
}

/// A list that mostly has one element or none.
#[derive(Clone, Debug)]
pub struct Few<T> {
    first: Option<T>,
    others: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { first: None, others: Vec::new() }
    }
}

impl<T> Few<T> {
    pub fn push(&mut self, value: T) {
        match self.first {
            None => self.first = Some(value),
            Some(_) => self.others.push(value),
        }
    }

    pub fn clear(&mut self) {
        self.first = None;
        self.others.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.others)
    }

    pub fn into_values(self) -> impl Iterator<Item = T> {
        self.first.into_iter().chain(self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// It is the standard library's map in all that it does, few or many.
        #[test]
        fn a_map_of_few_is_a_map(
            steps in proptest::collection::vec((0..5_u8, 0..60_u32, any::<u32>()), 0..300),
        ) {
            let (mut few, mut map) = (FewMap::default(), BTreeMap::new());
            for (step, key, value) in steps {
                match step {
                    0 => prop_assert_eq!(few.remove(&key), map.remove(&key)),
                    1 => {
                        few.insert(key, value);
                        map.insert(key, value);
                    }
                    2 if value % 16 == 0 => {
                        few.retain(|key, _| key % 3 > 0);
                        map.retain(|key, _| key % 3 > 0);
                    }
                    2 if value % 64 == 1 => {
                        few.clear();
                        map.clear();
                    }
                    _ => prop_assert_eq!(few.entry(key, || value), map.entry(key).or_insert(value)),
                }
                prop_assert_eq!(few.get(&key), map.get(&key));
                prop_assert_eq!(few.last_up_to(&value), map.range(..=value).next_back());
                prop_assert_eq!(few.last_up_to(&key), map.range(..=key).next_back());
                prop_assert!(few.iter().eq(&map) && few.len() == map.len());
            }
        }
    }
}
