//! What one session has been told and has seen.

use super::super::copies::RowAt;
use crate::kernel::encoder::{Encoder, Ranks};
use crate::kernel::ids::ClientId;
use crate::kernel::time::Nanos;
use crate::observe::facts;
use crate::world::deed::RowName;

/// A client's intent, or one user of a closed population with all that he does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionName {
    pub client: ClientId,
    /// The number of the intent, or of the user.
    pub number: u64,
}

/// So many versions of a row that were seen are kept apart by when they were.
const MOST_SIGHTS: usize = 4;

#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Attempts that belong to it and are alive.
    pub alive: u32,
    writes: Vec<Written>,
    /// What each call of the session is known by, while attempts for it are alive.
    calls: Vec<Call>,
    seen: Vec<Sight>,
    /// How many rows were known when it was last swept.
    swept: usize,
}

#[derive(Clone, Copy, Debug)]
struct Written {
    row: RowName,
    version: u64,
    call: u64,
    told: Option<Nanos>,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    obligation: u64,
    alive: u32,
    told: Option<Nanos>,
}

#[derive(Clone, Copy, Debug)]
struct Sight {
    row: RowName,
    version: u64,
    at: Nanos,
}

impl Session {
    /// An attempt for a call begins.
    pub fn begin(&mut self, call: u64) {
        match self.calls.iter_mut().find(|known| known.obligation == call) {
            Some(known) => known.alive += 1,
            None => self.calls.push(Call { obligation: call, alive: 1, told: None }),
        }
    }

    pub fn end(&mut self, call: u64) {
        if let Some(known) = self.calls.iter_mut().find(|known| known.obligation == call) {
            known.alive -= 1;
        }
        self.calls.retain(|known| known.alive > 0);
    }

    /// The session knows that a call went well.
    pub fn told(&mut self, now: Nanos, call: u64) {
        let calls = self.calls.iter_mut().filter(|known| known.obligation == call);
        calls.for_each(|known| known.told = known.told.or(Some(now)));
        let writes = self.writes.iter_mut().filter(|write| write.call == call);
        writes.for_each(|write| write.told = write.told.or(Some(now)));
    }

    /// A call of the session committed a version.
    pub fn write(&mut self, now: Nanos, call: u64, (row, version): RowAt) {
        let known = self.calls.iter().find(|known| known.obligation == call);
        let told = known.and_then(|known| known.told).map(|_| now);
        self.writes.retain(|write| (write.row, write.call) != (row, call));
        self.writes.push(Written { row, version, call, told });
    }

    /// An intent is over: what it was not told it will not be told any more.
    pub fn intent_over(&mut self) {
        let calls = &self.calls;
        let is_alive = |call: u64| calls.iter().any(|known| known.obligation == call);
        self.writes.retain(|write| write.told.is_some() || is_alive(write.call));
    }

    /// The session saw a version.
    pub fn see(&mut self, at: Nanos, (row, version): RowAt) {
        // Who saw a newer one before sees nothing new.
        if self.seen.iter().any(|seen| seen.row == row && seen.at <= at && seen.version >= version) {
            return;
        }
        self.seen.retain(|seen| seen.row != row || seen.at < at || seen.version > version);
        self.seen.push(Sight { row, version, at });
        let own = |sight: &Sight| sight.row == row;
        if self.seen.iter().filter(|sight| own(sight)).count() > MOST_SIGHTS
            && let Some(first) = self.seen.iter().position(own)
        {
            self.seen.remove(first);
        }
    }

    /// The versions of rows with this key that the session had written, and was told so, when a read began.
    pub fn written(&self, key: u64, begun: Nanos) -> Vec<RowAt> {
        let told = |write: &&Written| write.row.key == key && write.told.is_some_and(|told| told <= begun);
        newest(self.writes.iter().filter(told).map(|write| (write.row, write.version)))
    }

    /// The versions of rows with this key that it had seen when a read began.
    pub fn seen(&self, key: u64, begun: Nanos) -> Vec<RowAt> {
        let before = |sight: &&Sight| sight.row.key == key && sight.at < begun;
        newest(self.seen.iter().filter(before).map(|sight| (sight.row, sight.version)))
    }

    /// Forgets rows of which every copy has caught up, if there has come much since the last time.
    pub fn sweep(&mut self, is_known: impl Fn(RowName) -> bool) {
        if self.writes.len() + self.seen.len() > 2 * self.swept + 16 {
            self.writes.retain(|write| write.told.is_none() || is_known(write.row));
            self.seen.retain(|sight| is_known(sight.row));
            self.swept = self.writes.len() + self.seen.len();
        }
    }

    /// When what it knows was told and seen.
    pub fn instants(&self) -> impl Iterator<Item = Nanos> {
        let told = self.writes.iter().filter_map(|write| write.told);
        let called = self.calls.iter().filter_map(|call| call.told);
        told.chain(called).chain(self.seen.iter().map(|sight| sight.at))
    }

    /// What it has been told and has seen.
    pub fn encode(&self, encoder: &mut Encoder, ranks: &Ranks) {
        let rank = |at: Option<Nanos>| at.map(|at| ranks.rank(at));
        let Self { alive, writes, calls, seen, swept: _ } = self;
        encoder.word(u64::from(*alive));
        encoder.set(writes, |encoder, Written { row, version, call, told }| {
            facts::row(encoder, *row);
            encoder.word(*version);
            encoder.word(*call);
            encoder.option(rank(*told));
        });
        encoder.set(calls, |encoder, Call { obligation, alive, told }| {
            encoder.word(*obligation);
            encoder.word(u64::from(*alive));
            encoder.option(rank(*told));
        });
        encoder.list(seen, |encoder, Sight { row, version, at }| {
            facts::row(encoder, *row);
            encoder.word(*version);
            encoder.word(ranks.rank(*at));
        });
    }

    /// How many versions it remembers.
    pub fn remembered(&self) -> usize {
        self.writes.len() + self.seen.len()
    }
}

/// The newest version of each row.
fn newest(all: impl Iterator<Item = RowAt>) -> Vec<RowAt> {
    let mut newest: Vec<RowAt> = Vec::new();
    for (row, version) in all {
        match newest.iter_mut().find(|(known, _)| *known == row) {
            Some(known) => known.1 = known.1.max(version),
            None => newest.push((row, version)),
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::kernel::ids::TableId;

    fn row(key: u64) -> RowName {
        RowName { table: TableId(0), key, instance: crate::model::NONE }
    }

    #[test]
    fn what_a_session_was_told_and_has_seen_shows() {
        fn write(of: &mut Session, key: u64, version: u64, call: u64, told: Option<Nanos>) {
            of.writes.push(Written { row: row(key), version, call, told });
        }
        fn call(of: &mut Session, obligation: u64, alive: u32, told: Option<Nanos>) {
            of.calls.push(Call { obligation, alive, told });
        }
        each_shows(
            &Session::default(),
            |of, encoder| of.encode(encoder, &Ranks::of([3, 5])),
            &[
                |of| of.alive = 9,
                |of| write(of, 1, 2, 3, None),
                |of| write(of, 2, 2, 3, None),
                |of| write(of, 1, 3, 3, None),
                |of| write(of, 1, 2, 4, None),
                |of| write(of, 1, 2, 3, Some(3)),
                |of| write(of, 1, 2, 3, Some(5)),
                |of| call(of, 1, 2, None),
                |of| call(of, 2, 2, None),
                |of| call(of, 1, 3, None),
                |of| call(of, 1, 2, Some(3)),
                |of| call(of, 1, 2, Some(5)),
                |of| of.see(3, (row(1), 1)),
                |of| of.see(3, (row(2), 1)),
                |of| of.see(3, (row(1), 2)),
                |of| of.see(5, (row(1), 1)),
            ],
        );
    }

    #[test]
    fn a_write_counts_from_when_the_session_knows_of_it() {
        let mut session = Session::default();
        session.begin(50);
        session.write(10, 50, (row(1), 4));
        session.write(12, 50, (row(1), 5));
        assert_eq!(session.written(1, 100), [], "not told");
        session.told(20, 50);
        assert_eq!(session.written(1, 19), []);
        assert_eq!(session.written(1, 20), [(row(1), 5)]);
        assert_eq!(session.written(2, 20), [], "another key");
        session.write(30, 50, (row(2), 6));
        assert_eq!(session.written(2, 30), [(row(2), 6)], "after the answer, known at once");
    }

    #[test]
    fn what_was_never_told_goes_with_the_intent() {
        let mut session = Session::default();
        session.begin(50);
        session.write(10, 50, (row(1), 4));
        session.intent_over();
        assert_eq!(session.remembered(), 1, "the callee is alive yet");
        session.end(50);
        session.intent_over();
        assert_eq!(session.remembered(), 0);
    }

    #[test]
    fn what_was_seen_counts_for_reads_that_began_later() {
        let mut session = Session::default();
        for (at, version) in [(10, 3), (20, 7), (30, 5)] {
            session.see(at, (row(1), version));
        }
        assert_eq!(session.seen(1, 10), []);
        assert_eq!(session.seen(1, 15), [(row(1), 3)]);
        assert_eq!(session.seen(1, 99), [(row(1), 7)]);
    }

    #[test]
    fn the_newest_is_remembered_however_often_older_ones_are_seen() {
        let mut session = Session::default();
        session.see(10, (row(1), 7));
        (20..30).for_each(|at| session.see(at, (row(1), 5)));
        assert_eq!(session.seen(1, 99), [(row(1), 7)]);
        (40..50).for_each(|at| session.see(at, (row(1), at)));
        assert_eq!(session.seen(1, 99), [(row(1), 49)]);
        assert_eq!(session.remembered(), MOST_SIGHTS);
    }

    #[test]
    fn what_has_caught_up_is_swept() {
        let mut session = Session::default();
        for key in 0..1000 {
            session.see(key, (row(key), 1));
            session.sweep(|known| known.key + 5 > key);
            assert!(session.remembered() <= 30);
        }
    }
}
