//! What sessions see of their own writes, and how stale reads are.
//!
//! # Law
//!
//! - A *session* is one intent of an open client, or one user of a closed population with all his intents. To it
//!   belong the attempts that serve its calls, and those that serve theirs; nothing that goes by a message.
//! - *Read your writes*: a read under a call of the session, begun after the session was told that another call
//!   went well, sees what that call committed, or something newer. Counted by read and row that was written.
//! - *Monotonic reads*: a read sees no older version of a row than one that the session saw before it began.
//! - Both by version, not value, and by key: the row itself, or a row of the same key in another table that is
//!   a copy of it ([`super::copies`]). A row missing from a view counts once it turns out
//!   that the version was on its way there; one missing from memory is no answer.
//! - Only what an answer rests on counts: reads of attempts that end well, and of those taken again at the
//!   same place the last.
//! - *Exposure*: a read of a key that the session was told it had written, or had seen.
//! - *Staleness* ([`staleness`]) is of any read, by whoever.
//! - *Unsettled*, if the run is cut off: sessions that are still at work, and reads that have not seen anything yet.
//!
//! # Memory
//!
//! An open session goes with its last attempt. A user keeps what is still under way to some copy.

mod encode;
pub mod session;
pub mod staleness;

use super::copies::{Copied, Copies, RowAt};
use super::isolation::flow::row_step;
use crate::kernel::ids::{ClientId, TableId};
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE};
use crate::observe::few::FewMap;
use crate::observe::findings::{Facts, Finding, Sighting};
use crate::observe::slots::SlotTable;
use crate::world::deed::{Deed, RowName, Served, Version, Way};
use crate::world::record::{Observer, Outcome, Record, SlotNumber};
use crate::world::store::UNCOMMITTED;
use rustc_hash::FxHashMap;
use session::{Session, SessionName};
use staleness::{Alive, Read, Recent, Staleness};

/// What was found about the sessions of one client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSessions {
    pub client: ClientId,
    pub read_your_writes: Finding,
    pub monotonic_reads: Finding,
}

/// Judges sessions and staleness from deeds.
#[derive(Clone, Debug)]
pub struct Sessions<'m> {
    model: &'m Model,
    copies: Copies,
    recent: Recent,
    clients: Vec<ClientSessions>,
    staleness: Vec<Staleness>,
    sessions: FxHashMap<SessionName, Session>,
    attempts: SlotTable<Attempt>,
    /// Of a message: the session whose call it is, and which of its calls it is or is under.
    calls: SlotTable<Option<(SessionName, u64)>>,
    /// Rows that were missing from a view, by the row that was looked for.
    missing: FxHashMap<RowName, Vec<Miss>>,
    swept: usize,
}

type Place = (u32, u64);

#[derive(Clone, Debug, Default)]
struct Attempt {
    alive: Alive,
    obligation: u64,
    session: Option<SessionName>,
    /// The session's call that it serves; `None`: it is the intent itself.
    call: Option<u64>,
    /// When the reads under way, and those before, began.
    asked: FewMap<Place, Nanos>,
    /// Those that have not seen anything yet.
    awaited: Vec<Place>,
    looks: Vec<Look>,
}

/// A read under a session's call.
#[derive(Clone, Debug)]
struct Look {
    place: Place,
    at: Nanos,
    row: RowName,
    expected: Vec<Expected>,
    sees: Vec<RowAt>,
}

/// What a read had to see, and whether it did.
#[derive(Clone, Copy, Debug)]
struct Expected {
    guarantee: Guarantee,
    of: RowAt,
    found: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guarantee {
    ReadYourWrites,
    MonotonicReads,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    It,
    Older,
    /// Nothing, and nobody knows yet whether it was to come.
    Nothing,
}

/// A version that was not there.
#[derive(Clone, Copy, Debug)]
struct Miss {
    of: RowAt,
    guarantee: Guarantee,
    client: ClientId,
    at: Nanos,
    obligation: u64,
}

impl<'m> Sessions<'m> {
    /// Watches the sessions of these clients, and the reads of these tables.
    pub fn new(model: &'m Model, clients: &[ClientId], tables: &[TableId]) -> Self {
        let watched = |&client: &ClientId| ClientSessions {
            client,
            read_your_writes: Finding::default(),
            monotonic_reads: Finding::default(),
        };
        Self {
            model,
            copies: Copies::anywhere(model),
            recent: Recent::default(),
            clients: clients.iter().map(watched).collect(),
            staleness: tables.iter().map(|&table| Staleness::new(table, &model.promises.staleness)).collect(),
            sessions: FxHashMap::default(),
            attempts: SlotTable::default(),
            calls: SlotTable::default(),
            missing: FxHashMap::default(),
            swept: 0,
        }
    }

    /// By client, as they were given.
    pub fn sessions(&self) -> &[ClientSessions] {
        &self.clients
    }

    /// By table, as they were given.
    pub fn staleness(&self) -> &[Staleness] {
        &self.staleness
    }

    /// How many things are remembered: rows, copies, versions of late, sessions, what they know, missing rows.
    pub fn remembered(&self) -> [usize; 6] {
        let (rows, copies) = self.copies.remembered();
        let known = self.sessions.values().map(Session::remembered).sum();
        [rows, copies, self.recent.remembered(), self.sessions.len(), known, self.missing.len()]
    }

    fn begin(&mut self, slot: SlotNumber, obligation: u64, served: Served, message: SlotNumber) {
        let (session, call) = match served {
            Served::Intent { client, number, user } if self.is_watched(client) => {
                let number = if user == NONE { number } else { u64::from(user) };
                (Some(SessionName { client, number }), None)
            }
            Served::Call => match self.calls.get(message).copied().flatten() {
                Some((session, call)) => (Some(session), Some(call)),
                None => (None, None),
            },
            _ => (None, None),
        };
        if let Some(name) = session {
            let session = self.sessions.entry(name).or_default();
            session.alive += 1;
            call.into_iter().for_each(|call| session.begin(call));
        }
        let alive = self.recent.begin();
        let attempt = self.attempts.begin(slot);
        (attempt.alive, attempt.obligation) = (alive, obligation);
        (attempt.session, attempt.call) = (session, call);
        attempt.asked.clear();
        attempt.awaited.clear();
        attempt.looks.clear();
    }

    fn is_watched(&self, client: ClientId) -> bool {
        self.clients.iter().any(|watched| watched.client == client)
    }

    fn end(&mut self, slot: SlotNumber, outcome: Outcome) {
        let Some(attempt) = self.attempts.end(slot) else { return };
        let (alive, obligation, call) = (attempt.alive, attempt.obligation, attempt.call);
        let (session, mut looks) = (attempt.session, std::mem::take(&mut attempt.looks));
        self.recent.end(alive);
        let Some(name) = session else { return };
        if outcome == Outcome::Well {
            for look in looks.drain(..) {
                self.answered_by(name, obligation, look);
            }
        }
        self.attempts.keep_room(slot, |attempt| attempt.looks = looks);
        let session = self.sessions.get_mut(&name).expect("kept while attempts of it are alive");
        session.alive -= 1;
        match call {
            Some(call) => session.end(call),
            None => session.intent_over(),
        }
        let copies = &self.copies;
        let is_open = !matches!(
            self.model.clients[name.client.index()].arrivals,
            crate::model::Arrivals::Population { .. }
        );
        // What an intent has met it knows to its end; what a user has, as long as a copy of it is behind.
        if !is_open {
            session.sweep(|row| copies.is_known(row));
        }
        if session.alive == 0 && (is_open || session.remembered() == 0) {
            self.sessions.remove(&name);
        }
    }

    fn read(&mut self, now: Nanos, slot: SlotNumber, place: Place, row: RowName, version: Version) {
        let Some(attempt) = self.attempts.get(slot) else { return };
        let begun = attempt.asked.get(&place).copied().unwrap_or(now);
        let read = Read { begun, now, row, version, obligation: attempt.obligation };
        let name = &self.model.tables[row.table.index()].name;
        for staleness in &mut self.staleness {
            staleness.read(&read, &self.copies, &self.recent, name);
        }
        if version.number == UNCOMMITTED {
            return;
        }
        let (Some(name), Some(_)) = (attempt.session, attempt.call) else { return };
        let session = &self.sessions[&name];
        let written = session.written(row.key, begun).into_iter().map(|of| (Guarantee::ReadYourWrites, of));
        let seen = session.seen(row.key, begun).into_iter().map(|of| (Guarantee::MonotonicReads, of));
        let expect =
            |(guarantee, of)| self.found(row, version, of).map(|found| Expected { guarantee, of, found });
        let expected = written.chain(seen).filter_map(expect).collect();
        let mut sees = self.copies.held_by(row, version);
        if row.instance == NONE && version.exists {
            sees.push((row, version.number));
        }
        let look = Look { place, at: now, row, expected, sees };
        let Some(attempt) = self.attempts.get_mut(slot) else { return };
        let is_again = |known: &Look| known.place == place && (known.row == row || known.at < begun);
        attempt.looks.retain(|known| !is_again(known));
        attempt.looks.push(look);
    }

    /// What a read of a row found of a version of a row with its key; `None`: it says nothing about it.
    fn found(&self, row: RowName, seen: Version, (of, version): RowAt) -> Option<Found> {
        if row == of {
            return Some(if !seen.exists || seen.number >= version { Found::It } else { Found::Older });
        }
        if row.table == of.table || row.instance != NONE && !seen.exists {
            return None;
        }
        Some(match self.copies.of(row, seen, of) {
            Copied::At(copied) if copied < version => Found::Older,
            Copied::At(_) | Copied::CaughtUp => Found::It,
            Copied::Unknown => Found::Nothing,
        })
    }

    /// An attempt that read this has ended well.
    fn answered_by(&mut self, name: SessionName, obligation: u64, look: Look) {
        for Expected { guarantee, of, found } in look.expected {
            let miss = Miss { of, guarantee, client: name.client, at: look.at, obligation };
            let arrived = || self.copies.newest_of(look.row, of.0).is_some_and(|newest| newest >= of.1);
            match found {
                Found::It => self.finding(miss).exposures += 1,
                Found::Older => self.miss(look.row, miss),
                Found::Nothing if arrived() => self.miss(look.row, miss),
                Found::Nothing => self.missing.entry(look.row).or_default().push(miss),
            }
        }
        let session = self.sessions.get_mut(&name).expect("kept while attempts of it are alive");
        for seen in look.sees {
            session.see(look.at, seen);
        }
        self.sweep_missing();
    }

    fn finding(&mut self, miss: Miss) -> &mut Finding {
        let watched = self.clients.iter_mut().find(|watched| watched.client == miss.client);
        let watched = watched.expect("sessions are of watched clients");
        let finding = match miss.guarantee {
            Guarantee::ReadYourWrites => &mut watched.read_your_writes,
            Guarantee::MonotonicReads => &mut watched.monotonic_reads,
        };
        finding.of += 1;
        finding
    }

    fn miss(&mut self, row: RowName, miss: Miss) {
        let tables = &self.model.tables;
        let (read, of) = (&tables[row.table.index()].name, &tables[miss.of.0.table.index()].name);
        let what = match miss.guarantee {
            Guarantee::ReadYourWrites => format!("{read}: read without what the session had written to {of}"),
            Guarantee::MonotonicReads => {
                format!("{read}: read as it was before what the session had seen of {of}")
            }
        };
        let finding = self.finding(miss);
        finding.exposures += 1;
        let facts = Facts { rows: vec![row, miss.of.0], missed: Some(miss.of), ..Facts::default() };
        finding.count(|| Sighting { at: miss.at, obligation: miss.obligation, what, facts });
    }

    /// A row was written that had been missing: was it to come?
    fn arrived(&mut self, row: RowName) {
        let Some(misses) = self.missing.remove(&row) else { return };
        let mut left = Vec::new();
        for miss in misses {
            match self.copies.newest_of(row, miss.of.0) {
                Some(newest) if newest >= miss.of.1 => self.miss(row, miss),
                _ => left.push(miss),
            }
        }
        if !left.is_empty() {
            self.missing.insert(row, left);
        }
    }

    /// What nobody carries any more will not come.
    fn sweep_missing(&mut self) {
        if self.missing.len() > 2 * self.swept + 16 {
            let copies = &self.copies;
            self.missing.retain(|_, misses| {
                misses.retain(|miss| copies.is_known(miss.of.0));
                !misses.is_empty()
            });
            self.swept = self.missing.len();
        }
    }

    /// The run was cut off: what sessions were still to see, and the reads that are under way, nobody knows.
    fn break_off(&mut self) {
        for watched in &mut self.clients {
            let own = self.sessions.iter().filter(|(name, _)| name.client == watched.client);
            let open = own.filter(|(_, session)| session.alive > 0).count() as u64;
            watched.read_your_writes.unsettled += open;
            watched.monotonic_reads.unsettled += open;
        }
        let model = self.model;
        for staleness in &mut self.staleness {
            let is_own = |place: &&Place| {
                let step = row_step(model, place.0);
                model.row_steps[step as usize].table == staleness.table
            };
            let reads = self.attempts.iter().flat_map(|(_, attempt)| &attempt.awaited);
            staleness.reads.unsettled += reads.filter(is_own).count() as u64;
        }
    }

    fn issued(&mut self, slot: SlotNumber, message: SlotNumber, way: Way, obligation: u64) {
        let issuer = self.attempts.get(slot);
        let session = issuer
            .filter(|_| way == Way::Call)
            .and_then(|issuer| issuer.session.map(|session| (session, issuer.call.unwrap_or(obligation))));
        *self.calls.begin(message) = session;
    }

    fn committed(&mut self, now: Nanos, slot: SlotNumber, row: RowName, version: u64) {
        if self.staleness.iter().any(|staleness| staleness.table == row.table) && row.instance == NONE {
            let mut stores = self.model.stores.iter();
            let store = stores.find(|store| store.tables.contains(&row.table));
            let copies = store.and_then(|store| store.copies.as_ref());
            self.recent.committed(now, row, version, copies);
        }
        self.arrived(row);
        let Some(attempt) = self.attempts.get(slot) else { return };
        if let (Some(name), Some(call), NONE) = (attempt.session, attempt.call, row.instance) {
            let session = self.sessions.get_mut(&name).expect("kept while attempts of it are alive");
            session.write(now, call, (row, version));
        }
    }
}

impl Observer for Sessions<'_> {
    fn record(&mut self, _: Nanos, record: &Record) {
        if let Record::End { quiet: false } = *record {
            self.break_off();
        }
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        // Who reads a copy learns from it only after it is judged; the other deeds are known first.
        if let Deed::Read { attempt, pc, item, row, version, .. } = *deed {
            self.read(now, attempt, (pc, item), row, version);
        }
        self.copies.deed(now, deed);
        match *deed {
            Deed::AttemptBegun { attempt, cause, served, message, .. } => {
                self.begin(attempt, cause.obligation, served, message);
            }
            Deed::AttemptEnded { attempt, outcome } => self.end(attempt, outcome),
            Deed::Asked { attempt, pc, item } => {
                if let Some(attempt) = self.attempts.get_mut(attempt) {
                    attempt.asked.insert((pc, item), now);
                    attempt.awaited.push((pc, item));
                }
            }
            Deed::Read { attempt, pc, .. } | Deed::Scanned { attempt, pc, .. } => {
                if let Some(attempt) = self.attempts.get_mut(attempt) {
                    attempt.awaited.retain(|place| place.0 != pc);
                }
            }
            Deed::Committed { attempt, row, version, .. } => self.committed(now, attempt, row, version),
            Deed::Replicated { row, version } => self.recent.replicated(row, version),
            Deed::Issued { attempt, message, way, cause, .. } => {
                self.issued(attempt, message, way, cause.obligation);
            }
            Deed::Freed { message } => drop(self.calls.end(message)),
            Deed::Told { attempt, obligation, outcome: Outcome::Well } => {
                let told = self.attempts.get(attempt);
                if let Some(Attempt { session: Some(name), call: None, .. }) = told {
                    let session = self.sessions.get_mut(name);
                    session.expect("kept while attempts of it are alive").told(now, obligation);
                }
            }
            _ => {}
        }
    }
}
