//! A row that others copy: when its last versions were committed.

use super::RowName;
use crate::kernel::encoder::Encoder;
use crate::kernel::time::Nanos;
use crate::observe::facts;
use std::collections::VecDeque;

/// So many versions are known by their instants; of older ones only that they were missed.
const MOST_VERSIONS: usize = 1024;

#[derive(Clone, Debug)]
pub struct Source {
    /// How many attempts, messages and timers carry a version of it.
    pub carriers: u32,
    /// Rows that are copies of it.
    pub copies: Vec<RowName>,
    /// The version that copies have which are not in `copies`: they had caught up before it was known of.
    pub settled: u64,
    /// Its last versions, oldest first: number, and when it was committed.
    versions: VecDeque<(u64, Nanos)>,
}

impl Source {
    /// A row that was found at a version.
    pub fn seen(version: u64) -> Self {
        Self { carriers: 0, copies: Vec::new(), settled: version, versions: VecDeque::from([(version, 0)]) }
    }

    /// A row of which just this version has been written.
    pub fn made(now: Nanos, version: u64) -> Self {
        let settled = version.saturating_sub(1);
        Self { carriers: 0, copies: Vec::new(), settled, versions: VecDeque::from([(version, now)]) }
    }

    pub fn newest(&self) -> u64 {
        self.versions.back().map_or(0, |&(version, _)| version)
    }

    pub fn replaced(&mut self, now: Nanos, version: u64) {
        if self.versions.len() == MOST_VERSIONS {
            self.versions.pop_front();
        }
        self.versions.push_back((version, now));
    }

    /// Nobody will ask for what came before this version.
    pub fn forget_before(&mut self, version: u64) {
        let older = self.versions.partition_point(|&(number, _)| number < version);
        self.versions.drain(..older.min(self.versions.len() - 1));
    }

    pub fn encode(&self, encoder: &mut Encoder) {
        let Self { carriers, copies, settled, versions } = self;
        encoder.word(u64::from(*carriers));
        encoder.word(*settled);
        encoder.set(copies, |encoder, copy| facts::row(encoder, *copy));
        encoder.list(versions, |encoder, (version, _)| encoder.word(*version));
    }

    /// Versions after one and before an instant: how many, and when the first was committed.
    pub fn missed(&self, version: u64, before: Nanos) -> Option<(u64, Nanos)> {
        let first = self.versions.partition_point(|&(number, _)| number <= version);
        let end = self.versions.partition_point(|&(_, at)| at < before);
        (first < end).then(|| ((end - first) as u64, self.versions[first].1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::kernel::ids::TableId;

    #[test]
    fn what_is_known_of_a_row_shows_but_not_since_when() {
        const COPY: RowName = RowName { table: TableId(1), key: 2, instance: 3 };
        let mut of = Source::seen(4);
        of.copies.push(COPY);
        each_shows(
            &of,
            |of, encoder| of.encode(encoder),
            &[
                |of| of.carriers = 1,
                |of| of.settled = 5,
                |of| of.copies.clear(),
                |of| of.copies[0] = RowName { table: TableId(2), ..COPY },
                |of| of.copies[0] = RowName { key: 3, ..COPY },
                |of| of.copies[0] = RowName { instance: 4, ..COPY },
                |of| of.replaced(10, 5),
            ],
        );
        let words = |of: &Source| {
            let mut encoder = Encoder::default();
            of.encode(&mut encoder);
            encoder.into_words()
        };
        let mut later = of.clone();
        of.replaced(10, 5);
        later.replaced(11, 5);
        assert_eq!(words(&of), words(&later));
    }
}
