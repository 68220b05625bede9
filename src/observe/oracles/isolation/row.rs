//! What is known of one row while attempts that touched it are remembered: who replaced it last, who of
//! them is alive, and its [`History`].

use super::super::lifetimes::{Moment, Number};
use super::graph::Graph;
use super::history::History;
use crate::kernel::encoder::{Encoder, Ranks};
use crate::observe::facts;
use crate::observe::slots::Arena;
use crate::world::deed::RowName;
use rustc_hash::FxHashMap;

/// The newest version, and the newest of another attempt than the one that made it.
#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    version: u64,
    by: Number,
    of_another: u64,
}

impl Newest {
    fn replace(&mut self, version: u64, by: Number) {
        if self.by != by {
            self.of_another = self.version;
            self.by = by;
        }
        self.version = version;
    }

    /// The newest version that others than this attempt have made.
    fn by_others_than(&self, attempt: Number) -> u64 {
        if self.by == attempt { self.of_another } else { self.version }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Row {
    newest: Newest,
    columns: Vec<Newest>,
    /// The version at which it last became absent.
    absent: u64,
    /// Attempts that touched it and are alive, each with its slot; and how many of them write.
    pub alive: Vec<(Number, u32)>,
    pub writers: u32,
    /// When the last of those who touched it ended, and the last of those who wrote.
    last_left: Moment,
    last_writer_left: Moment,
    history: History,
}

/// The rows that are known of, each forgotten when nothing is left of it.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    rows: Arena<Row>,
    places: FxHashMap<RowName, u32>,
}

impl Rows {
    /// A row, known of from now on.
    pub fn entry(&mut self, name: RowName) -> &mut Row {
        let rows = &mut self.rows;
        let place = *self.places.entry(name).or_insert_with(|| {
            let place = rows.begin();
            rows[place].clear();
            place
        });
        &mut self.rows[place]
    }

    pub fn get(&self, name: &RowName) -> Option<&Row> {
        self.places.get(name).map(|place| &self.rows[*place])
    }

    pub fn get_mut(&mut self, name: &RowName) -> Option<&mut Row> {
        self.places.get(name).map(|place| &mut self.rows[*place])
    }

    pub fn remove(&mut self, name: &RowName) {
        if let Some(place) = self.places.remove(name) {
            self.rows.end(place);
        }
    }

    pub fn encode(&self, encoder: &mut Encoder, graph: &Graph, ranks: &Ranks) {
        let Self { rows, places } = self;
        encoder.set(places, |encoder, (name, place)| {
            facts::row(encoder, *name);
            rows[*place].encode(encoder, graph, ranks);
        });
    }

    pub fn iter(&self) -> impl Iterator<Item = &Row> {
        self.places.values().map(|place| &self.rows[*place])
    }
}

/// A bit for each column, and one, the lowest, for whether the row exists.
pub type Columns = u64;

/// The bit of a word of a row local: its first word says whether the row exists.
pub fn bit_of_word(word: u16) -> Columns {
    1 << word.min(63)
}

impl Row {
    /// A row of which nothing is known, in the room of one that is forgotten.
    pub fn clear(&mut self) {
        (self.newest, self.absent, self.writers) = (Newest::default(), 0, 0);
        (self.last_left, self.last_writer_left) = (Moment::default(), Moment::default());
        self.columns.clear();
        self.alive.clear();
        self.history.clear();
    }

    /// Whether others than this attempt have replaced the version that it saw.
    pub fn is_replaced(&self, version: u64, attempt: Number) -> bool {
        self.newest.by_others_than(attempt) > version
    }

    /// Whether this attempt made the newest version.
    pub fn is_newest_by(&self, attempt: Number) -> bool {
        self.newest.by == attempt
    }

    /// Whether others have since changed one of these columns.
    pub fn is_changed(&self, version: u64, attempt: Number, columns: Columns) -> bool {
        let changed = |(word, newest): (usize, &Newest)| {
            columns & bit_of_word(word as u16) != 0 && newest.by_others_than(attempt) > version
        };
        self.columns.iter().enumerate().any(changed)
    }

    /// The version that is seen by who finds no row.
    pub fn version_of_absence(&self) -> u64 {
        self.absent
    }

    /// Nobody's change: the row's time was over.
    pub fn expire(&mut self, version: u64) {
        self.absent = version;
    }

    /// An attempt commits a version. Gives whether a group came to be or grew.
    pub fn write(
        &mut self,
        graph: &mut Graph,
        by: Number,
        version: u64,
        adds: bool,
        words: (Option<&[u64]>, Option<&[u64]>),
    ) -> bool {
        if words.1.is_none() {
            self.absent = version;
        }
        self.newest.replace(version, by);
        self.replace_columns(by, version, words);
        self.history.write(graph, by, version, adds)
    }

    fn replace_columns(&mut self, by: Number, version: u64, (old, new): (Option<&[u64]>, Option<&[u64]>)) {
        let columns = old.or(new).map_or(0, <[u64]>::len);
        self.columns.resize(columns + 1, Newest::default());
        if old.is_none() || new.is_none() {
            self.columns.iter_mut().for_each(|newest| newest.replace(version, by));
            return;
        }
        let changes = old.into_iter().flatten().zip(new.into_iter().flatten()).zip(&mut self.columns[1..]);
        changes.filter(|((old, new), _)| old != new).for_each(|(_, newest)| newest.replace(version, by));
    }

    /// What an attempt read has come to count. Gives whether a group came to be or grew.
    pub fn read(&mut self, graph: &mut Graph, by: Number, version: u64) -> bool {
        self.history.read(graph, by, version)
    }

    /// An attempt is named no more; another may stand for it. Gives whether nothing is left of the row.
    pub fn rename(&mut self, attempt: Number, other: Option<Number>) -> bool {
        self.history.rename(attempt, other);
        self.is_forgotten()
    }

    fn encode(&self, encoder: &mut Encoder, graph: &Graph, ranks: &Ranks) {
        let Self { newest, columns, absent, alive, writers, last_left, last_writer_left, history } = self;
        encoder.list([newest].into_iter().chain(columns), |encoder, Newest { version, by, of_another }| {
            encoder.word(*version);
            encoder.word(*of_another);
            graph.encode_name(encoder, ranks, *by);
        });
        encoder.word(*absent);
        encoder.set(alive, |encoder, (attempt, _)| encoder.word(ranks.rank(*attempt)));
        encoder.word(u64::from(*writers));
        encoder.word(last_left.rank(ranks));
        encoder.word(last_writer_left.rank(ranks));
        history.encode(encoder, ranks);
    }

    fn is_forgotten(&self) -> bool {
        self.alive.is_empty() && self.history.is_empty()
    }

    /// How many attempts, versions and readers are remembered.
    pub fn remembered(&self) -> usize {
        self.alive.len() + self.history.remembered()
    }

    /// An attempt that touched it has ended. Gives whether nothing is left of the row.
    pub fn leave(&mut self, now: Moment, attempt: Number, writes: bool) -> bool {
        self.alive.retain(|&(number, _)| number != attempt);
        self.last_left = now;
        if writes {
            self.writers -= 1;
            self.last_writer_left = now;
        }
        self.is_forgotten()
    }

    /// Whether another attempt touched it during this one's life, one of the two writing.
    pub fn is_shared(&self, attempt: Number, writes: bool) -> bool {
        let others = self.alive.len() > 1 || self.last_left.is_after_begin_of(attempt);
        let other_writers =
            self.writers > u32::from(writes) || self.last_writer_left.is_after_begin_of(attempt);
        others && (writes || other_writers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;

    #[test]
    fn whatever_is_known_of_a_row_shows() {
        fn graph() -> Graph {
            let mut graph = Graph::default();
            for _ in 0..3 {
                let attempt = graph.begin();
                graph.enter(attempt);
            }
            graph
        }
        each_shows(
            &Row::default(),
            |of, encoder| of.encode(encoder, &graph(), &graph().ranks()),
            &[
                |of| of.newest.version = 1,
                |of| of.newest.of_another = 1,
                |of| of.newest.by = 1,
                |of| of.newest.by = 2,
                |of| of.columns.push(Newest::default()),
                |of| of.absent = 1,
                |of| of.alive.push((1, 0)),
                |of| of.alive.push((2, 0)),
                |of| of.writers = 1,
                |of| of.last_left = graph().now(),
                |of| of.last_writer_left = graph().now(),
                |of| _ = of.history.write(&mut graph(), 1, 7, true),
            ],
        );
    }

    #[test]
    fn nothing_is_left_in_the_room_of_a_row() {
        let mut graph = Graph::default();
        let attempt = graph.begin();
        graph.enter(attempt);
        let mut row = Row::default();
        row.newest.replace(3, attempt);
        row.columns.push(row.newest);
        (row.absent, row.writers) = (2, 1);
        row.alive.push((attempt, 0));
        (row.last_left, row.last_writer_left) = (graph.now(), graph.now());
        row.history.write(&mut graph, attempt, 1, true);
        row.history.write(&mut graph, attempt, 2, false);
        row.history.write(&mut graph, attempt, 3, true);
        row.history.read(&mut graph, attempt, 3);
        row.clear();
        assert_eq!(format!("{row:?}"), format!("{:?}", Row::default()));
    }

    #[test]
    fn a_row_shows_by_its_name() {
        const NAME: RowName = RowName { table: crate::kernel::ids::TableId(1), key: 2, instance: 3 };
        each_shows(
            &Rows::default(),
            |of, encoder| of.encode(encoder, &Graph::default(), &Ranks::of([])),
            &[
                |of| of.entry(NAME).writers = 1,
                |of| of.entry(NAME).writers = 2,
                |of| of.entry(RowName { key: 9, ..NAME }).writers = 1,
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
    fn what_others_replaced_and_changed_is_told_apart() {
        let (mut graph, mut row) = (graph(2), Row::default());
        row.write(&mut graph, 2, 5, false, (Some(&[1, 8, 8]), Some(&[1, 9, 8])));
        row.write(&mut graph, 1, 6, false, (Some(&[1, 9, 8]), Some(&[1, 9, 9])));
        assert!(row.is_replaced(4, 1) && !row.is_replaced(5, 1) && row.is_replaced(5, 2));
        assert!(row.is_changed(4, 1, bit_of_word(2)), "the second word of the local is the column 1");
        assert!(!row.is_changed(4, 1, bit_of_word(3)), "the attempt's own change");
        assert!(row.is_changed(4, 2, bit_of_word(3)));
        row.write(&mut graph, 2, 7, false, (Some(&[1, 9, 9]), None));
        assert!(row.is_changed(6, 1, bit_of_word(3)), "a deletion changes all");
        assert_eq!(row.version_of_absence(), 7);
    }

    #[test]
    fn a_row_is_forgotten_with_the_last_who_touched_it() {
        let (mut graph, mut row) = (graph(2), Row::default());
        row.alive = vec![(1, 0), (2, 1)];
        row.writers = 1;
        row.write(&mut graph, 1, 1, false, (None, Some(&[1])));
        row.read(&mut graph, 2, 1);
        assert!(row.is_shared(2, false));
        assert!(!row.leave(graph.now(), 1, true) && !row.leave(graph.now(), 2, false));
        assert!(!row.rename(1, Some(2)), "who stands for it is named in its place");
        assert!(row.rename(2, None));
    }
}
