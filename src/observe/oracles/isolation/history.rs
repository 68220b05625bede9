//! Who wrote and who read which versions of one row, as long as it can put attempts in order.
//!
//! # Law
//!
//! Who sees a write comes after it, and who does not, before it; who replaces a version comes after those
//! who wrote it and saw it. Writes that only add commute: a run of them, since the last other write, has no
//! order among themselves, and who reads in the middle of it comes after those seen and before those not seen.
//! Of an attempt that adds often to one run its first and its last addition say all: who saw the last comes after it, who
//! missed the first before it, and whoever came between has no place in any order.
//!
//! ```text
//! version   1      2       3       4
//! by        a set  b adds  c adds  b adds       a → b, c
//! read                 d                        b → d → c, d → b
//! ```

use super::super::lifetimes::Number;
use super::graph::Graph;
use crate::kernel::encoder::{Encoder, Ranks};

/// A version that an attempt made.
#[derive(Clone, Copy, Debug)]
struct Made {
    version: u64,
    by: Number,
    adds: bool,
}

#[derive(Clone, Debug, Default)]
pub struct History {
    /// Writes before the last one that was not an addition, oldest first.
    older: Vec<Made>,
    base: Option<Made>,
    /// Additions since then, oldest first.
    additions: Vec<Made>,
    /// Who has read since then.
    readers: Vec<Number>,
}

impl History {
    /// Nothing is known, in the room of what was.
    pub fn clear(&mut self) {
        self.base = None;
        self.older.clear();
        self.additions.clear();
        self.readers.clear();
    }

    /// An attempt commits a version. Gives whether a group came to be or grew.
    pub fn write(&mut self, graph: &mut Graph, by: Number, version: u64, adds: bool) -> bool {
        let mut found = self.base.is_some_and(|base| graph.order(base.by, by));
        for &reader in &self.readers {
            found |= graph.order(reader, by);
        }
        let made = Made { version, by, adds };
        if adds {
            self.additions.push(made);
            keep_first_and_last(&mut self.additions, by);
            return found;
        }
        for addition in &self.additions {
            found |= graph.order(addition.by, by);
        }
        self.older.extend(self.base.replace(made));
        self.older.append(&mut self.additions);
        self.readers.clear();
        found
    }

    /// What an attempt read has come to count. Gives whether a group came to be or grew.
    pub fn read(&mut self, graph: &mut Graph, by: Number, version: u64) -> bool {
        if self.base.is_some_and(|base| version < base.version) {
            return self.read_long_ago(graph, by, version);
        }
        let mut found = self.base.is_some_and(|base| graph.order(base.by, by));
        for addition in &self.additions {
            found |= order(graph, addition, by, version);
        }
        if !self.readers.contains(&by) {
            self.readers.push(by);
        }
        found
    }

    /// A version was read that has been replaced by other than additions.
    fn read_long_ago(&self, graph: &mut Graph, by: Number, version: u64) -> bool {
        let mut found = false;
        let next = self.older.partition_point(|made| made.version <= version);
        for made in self.older[..next].iter().rev() {
            found |= order(graph, made, by, version);
            if !made.adds {
                break;
            }
        }
        let later = self.older[next..].iter().chain(&self.base);
        for made in later {
            found |= order(graph, made, by, version);
            if !made.adds {
                break;
            }
        }
        found
    }

    /// An attempt is named no more; another may stand for it.
    pub fn rename(&mut self, attempt: Number, other: Option<Number>) {
        self.forget_before(attempt);
        let rename = |by: &mut Number| {
            if *by != attempt {
                return true;
            }
            other.inspect(|&other| *by = other).is_some()
        };
        self.older.retain_mut(|made| rename(&mut made.by));
        self.base.take_if(|base| !rename(&mut base.by));
        self.additions.retain_mut(|made| rename(&mut made.by));
        self.readers.retain_mut(rename);
        if let Some(other) = other {
            keep_first_and_last(&mut self.additions, other);
            let first = self.readers.iter().position(|&reader| reader == other);
            let mut place = 0..;
            self.readers.retain(|&reader| place.next() == first || reader != other);
        }
    }

    /// Whoever saw the row before this attempt wrote it was alive with it, and has ended by now: what can
    /// still come to count was read later.
    fn forget_before(&mut self, attempt: Number) {
        let is_by_it = |made: &Made| made.by == attempt;
        if self.base.iter().chain(&self.additions).any(is_by_it) {
            self.older.clear();
        } else if let Some(last) = self.older.iter().rposition(is_by_it) {
            let base = self.older[..=last].iter().rposition(|made| !made.adds);
            self.older.drain(..base.unwrap_or(0));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.older.is_empty() && self.base.is_none() && self.additions.is_empty() && self.readers.is_empty()
    }

    /// Which versions who made and read.
    pub fn encode(&self, encoder: &mut Encoder, ranks: &Ranks) {
        let Self { older, base, additions, readers } = self;
        for versions in [&older[..], base.as_slice(), &additions[..]] {
            encoder.list(versions, |encoder, Made { version, by, adds }| {
                encoder.word(*version);
                encoder.word(ranks.rank(*by));
                encoder.flag(*adds);
            });
        }
        encoder.set(readers, |encoder, reader| encoder.word(ranks.rank(*reader)));
    }

    /// How many versions and readers are remembered.
    pub fn remembered(&self) -> usize {
        self.older.len() + self.base.iter().len() + self.additions.len() + self.readers.len()
    }
}

/// Who sees a write comes after it; who does not, before it.
fn order(graph: &mut Graph, made: &Made, reader: Number, version: u64) -> bool {
    if made.version <= version { graph.order(made.by, reader) } else { graph.order(reader, made.by) }
}

fn keep_first_and_last(additions: &mut Vec<Made>, by: Number) {
    let is_by_it = |made: &Made| made.by == by;
    let (first, last) = (additions.iter().position(is_by_it), additions.iter().rposition(is_by_it));
    let mut place = 0..;
    additions.retain(|made| {
        let place = place.next();
        place == first || place == last || made.by != by
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;

    #[test]
    fn who_made_and_read_which_versions_shows() {
        const MADE: Made = Made { version: 1, by: 2, adds: false };
        each_shows(
            &History::default(),
            |of, encoder| of.encode(encoder, &Ranks::of([1, 2, 3])),
            &[
                |of| of.older.push(MADE),
                |of| of.base = Some(MADE),
                |of| of.additions.push(MADE),
                |of| of.additions.push(Made { version: 2, ..MADE }),
                |of| of.additions.push(Made { by: 3, ..MADE }),
                |of| of.additions.push(Made { adds: true, ..MADE }),
                |of| of.readers.push(2),
                |of| of.readers.push(3),
            ],
        );
    }

    fn graph(attempts: usize) -> Graph {
        let mut graph = Graph::default();
        for _ in 0..attempts {
            let attempt = graph.begin();
            graph.enter(attempt);
        }
        graph
    }

    #[test]
    fn additions_have_no_order_but_with_who_reads_between_them() {
        let (mut graph, mut history, mut other) = (graph(3), History::default(), History::default());
        assert!(!history.write(&mut graph, 1, 1, true) && !history.write(&mut graph, 2, 2, true));
        assert!(!other.write(&mut graph, 2, 1, true) && !other.write(&mut graph, 1, 2, true));
        assert!(!history.read(&mut graph, 3, 1), "after the first, before the second");
        assert!(other.read(&mut graph, 3, 1), "after the second, before the first");
        assert_eq!(graph.groups(), 1);
    }

    #[test]
    fn a_version_of_long_ago_is_read_before_what_replaced_it() {
        let (mut graph, mut history) = (graph(4), History::default());
        for (by, version) in [(1, 1), (2, 2), (3, 3)] {
            history.write(&mut graph, by, version, false);
        }
        assert!(!history.read(&mut graph, 4, 1));
        assert!(graph.order(2, 4), "it came before the second");
        assert!(!graph.order(1, 4), "and after the first, as is known");
        assert_eq!(graph.groups(), 1);
    }

    #[test]
    fn who_reads_between_two_additions_of_one_attempt_meets_both_whoever_is_forgotten() {
        let (mut graph, mut history) = (graph(3), History::default());
        history.read(&mut graph, 1, 0);
        for version in 1..=4 {
            history.write(&mut graph, 2, version, true);
        }
        history.rename(1, None);
        assert!(history.read(&mut graph, 3, 2));
        assert_eq!((graph.groups(), history.remembered()), (1, 3), "two additions and a reader");
    }

    /// 1 and 2 are a group. 4 reads what 2 wrote, and that is replaced, before 2 needs no name any more.
    #[test]
    fn what_was_read_long_ago_was_written_by_who_stands_for_the_writer() {
        let (mut graph, mut history) = (graph(5), History::default());
        graph.order(1, 2);
        graph.order(2, 1);
        history.write(&mut graph, 3, 1, false);
        history.write(&mut graph, 2, 2, false);
        history.write(&mut graph, 5, 3, false);
        history.rename(2, Some(1));
        assert!(!history.read(&mut graph, 4, 2));
        assert!(graph.order(4, 1), "it came after the group");
        assert_eq!(history.remembered(), 2, "nobody can have seen what 3 wrote and not be heard of yet");
    }
}
