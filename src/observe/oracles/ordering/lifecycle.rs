//! Changes of columns with a lifecycle.
//!
//! Each change must be one of the lifecycle's transitions. Two sorts of change may pass over states, but
//! never go where the lifecycle does not lead: several writes of one transaction, of which only the last
//! is seen, and a view that asks back: it is told that something changed, calls for what is so now, and what
//! was so in between it never hears.

use crate::model::Word;
use crate::model::promise::Transition;

/// How a change was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// By so many writes in one transaction.
    Written(usize),
    /// From the answer of a call.
    AskedBack,
}

/// Whether a lifecycle leads from one word to another, differing one.
pub fn allows(transitions: &[Transition], from: Word, to: Word, change: Change) -> bool {
    let longest = match change {
        Change::Written(writes) => writes.max(1),
        Change::AskedBack => transitions.len(),
    };
    let mut reached: Vec<Word> = Vec::new();
    let mut last = vec![from];
    for _ in 0..longest {
        let after = transitions.iter().filter(|(before, _)| last.contains(before)).map(|&(_, word)| word);
        let after: Vec<Word> = after.filter(|word| !reached.contains(word)).collect();
        reached.extend(&after);
        last = after;
    }
    reached.contains(&to)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// placed → paid → shipped, placed → cancelled.
    const ORDER: &[Transition] = &[(0, 1), (1, 2), (0, 3)];

    #[test]
    fn one_write_makes_one_transition() {
        let allowed = |from, to| allows(ORDER, from, to, Change::Written(1));
        assert!(allowed(0, 1) && allowed(1, 2) && allowed(0, 3));
        assert!(!allowed(0, 2) && !allowed(1, 0) && !allowed(3, 0) && !allowed(1, 3));
    }

    #[test]
    fn several_writes_of_a_transaction_make_as_many() {
        assert!(allows(ORDER, 0, 2, Change::Written(2)));
        assert!(!allows(ORDER, 2, 0, Change::Written(5)));
        let circle = &[(0, 1), (1, 2), (2, 3), (3, 0)];
        assert!(allows(circle, 1, 0, Change::Written(3)) && !allows(circle, 1, 0, Change::Written(2)));
    }

    #[test]
    fn a_view_that_asks_back_may_skip_and_not_go_back() {
        assert!(allows(ORDER, 0, 2, Change::AskedBack));
        assert!(!allows(ORDER, 2, 1, Change::AskedBack) && !allows(ORDER, 3, 2, Change::AskedBack));
    }
}
