//! Canonical encoding of what is known at an instant: equal words for equal facts.
//!
//! Law. Slot numbers, free lists, the order of a map and how often something has happened are history, and must not
//! show. What is in no order is encoded as a [set](Encoder::set), sorted by what it says; who is in a slot of the
//! world is called by the name that the world's own encoding gives it ([`Names`]), or by none.
//!
//! ```
//! use eventflow::kernel::encoder::Encoder;
//! let words = |facts: &[u64]| {
//!     let mut encoder = Encoder::default();
//!     encoder.set(facts, |encoder, fact| encoder.word(*fact));
//!     encoder.into_words()
//! };
//! assert_eq!(words(&[3, 1, 2]), words(&[1, 2, 3]));
//! assert_ne!(words(&[1, 1, 2]), words(&[1, 2, 2]));
//! ```

/// What the world's encoding calls who is in its slots, by slot; without a name it is 0.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub attempts: Vec<u64>,
    pub messages: Vec<u64>,
    pub timers: Vec<u64>,
}

/// Takes in facts, word by word.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    words: Vec<u64>,
    names: Names,
}

impl Encoder {
    /// One that calls what is in a slot of the world as the world's own encoding does.
    pub fn with_names(names: Names) -> Self {
        Self { words: Vec::new(), names }
    }

    pub fn word(&mut self, word: u64) {
        self.words.push(word);
    }

    pub fn flag(&mut self, flag: bool) {
        self.words.push(u64::from(flag));
    }

    /// Several flags, at most 64, in one word.
    pub fn flags(&mut self, flags: &[bool]) {
        debug_assert!(flags.len() <= 64);
        self.words.push(flags.iter().fold(0, |word, &flag| word << 1 | u64::from(flag)));
    }

    pub fn option(&mut self, word: Option<u64>) {
        self.flag(word.is_some());
        self.words.extend(word);
    }

    /// Facts in an order that is one of them.
    pub fn list<T>(&mut self, facts: impl IntoIterator<Item = T>, each: impl FnMut(&mut Self, T)) {
        let parts = self.parts(facts, each);
        self.put(parts);
    }

    /// Facts in no order. Equal ones count as often as they are there.
    pub fn set<T>(&mut self, facts: impl IntoIterator<Item = T>, each: impl FnMut(&mut Self, T)) {
        let mut parts = self.parts(facts, each);
        parts.sort_unstable();
        self.put(parts);
    }

    /// What the world calls the attempt, message or timer in a slot.
    pub fn attempt(&mut self, slot: u32) {
        self.word(self.names.attempts.get(slot as usize).copied().unwrap_or(0));
    }

    pub fn message(&mut self, slot: u32) {
        self.word(self.names.messages.get(slot as usize).copied().unwrap_or(0));
    }

    pub fn timer(&mut self, slot: u32) {
        self.word(self.names.timers.get(slot as usize).copied().unwrap_or(0));
    }

    pub fn into_words(self) -> Vec<u64> {
        self.words
    }

    fn parts<T>(
        &mut self,
        facts: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) -> Vec<Vec<u64>> {
        let start = self.words.len();
        let facts = facts.into_iter().map(|fact| {
            each(self, fact);
            self.words.split_off(start)
        });
        facts.collect()
    }

    fn put(&mut self, parts: Vec<Vec<u64>>) {
        self.word(parts.len() as u64);
        for part in parts {
            self.word(part.len() as u64);
            self.words.extend(part);
        }
    }
}

/// Numbers that only count by their order: each is encoded as its place among all of them.
#[derive(Clone, Debug, Default)]
pub struct Ranks(Vec<u64>);

impl Ranks {
    pub fn of(numbers: impl IntoIterator<Item = u64>) -> Self {
        let mut numbers: Vec<u64> = numbers.into_iter().collect();
        numbers.sort_unstable();
        numbers.dedup();
        Self(numbers)
    }

    /// How many of them are less.
    pub fn rank(&self, number: u64) -> u64 {
        self.0.partition_point(|known| *known < number) as u64
    }
}

/// Asserts that each change of a state shows, and that no two of them say the same.
#[cfg(test)]
pub(crate) fn each_shows<T: Clone>(state: &T, encode: impl Fn(&T, &mut Encoder), changes: &[fn(&mut T)]) {
    let words = |state: &T| {
        let mut encoder = Encoder::default();
        encode(state, &mut encoder);
        encoder.into_words()
    };
    let mut said = vec![words(state)];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = state.clone();
        change(&mut changed);
        let words = words(&changed);
        let same = said.iter().position(|other| *other == words);
        assert_eq!(same, None, "change {number} (0: none) says what that does (0: none, 1: the first, …)");
        said.push(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_whom_does_not_run_together() {
        let words = |facts: &[&[u64]]| {
            let mut encoder = Encoder::default();
            encoder.list(facts, |encoder, fact| encoder.list(*fact, |encoder, word| encoder.word(*word)));
            encoder.into_words()
        };
        assert_ne!(words(&[&[1], &[2]]), words(&[&[1, 2], &[]]));
        assert_ne!(words(&[&[1], &[2]]), words(&[&[2], &[1]]), "a list has an order");
        assert_ne!(words(&[]), words(&[&[]]));
    }

    #[test]
    fn numbers_of_one_order_have_the_same_ranks() {
        let ranks = |numbers: [u64; 3]| numbers.map(|number| Ranks::of(numbers).rank(number));
        assert_eq!(ranks([30, 10, 20]), ranks([1_000, 1, 999]));
        assert_eq!(ranks([7, 7, 9]), [0, 0, 1]);
    }

    #[test]
    fn slots_are_called_as_the_world_calls_them() {
        let mut encoder = Encoder::with_names(Names { attempts: vec![8, 9], ..Names::default() });
        encoder.attempt(1);
        encoder.attempt(7);
        encoder.message(0);
        assert_eq!(encoder.into_words(), [9, 0, 0]);
    }
}
