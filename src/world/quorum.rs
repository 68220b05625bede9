//! Stores that are a quorum of equal replicas: what an operation asks of them, and whose answers it takes.
//!
//! Every replica is asked at once, and the first answers count. What is sent while a fault of the network lies between
//! is not there before the fault is over; what is under way when it begins still arrives. An operation that too
//! few replicas can answer waits: its caller's timeout is for that. What is said goes over connections: where a link
//! loses some of it, that is said again, and is late.
//!
//! Who asked may be gone before enough have answered. A write is on its way all the same, to every replica that it
//! was sent to, and a later read finds it or not, as it comes upon one that has it.
//!
//! ```text
//! three replicas, two to write:   eu ──7 ms──►  us ──87 ms──►  asia ──187 ms──►     done after 87 ms
//! eu and us are split:            eu ──7 ms──►  us ──··                asia ──187 ms──►     done after 187 ms
//! ```

use super::attempt::Wait;
use super::interpret::Flow;
use super::network::StoreLeg;
use super::record::Observer;
use super::replicas::Copy;
use super::store::Word;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::time::{LONGEST, Nanos};
use crate::model::{Copies, Error, NONE, Pc, Place, Quorum};

/// A read that asks a quorum.
#[derive(Clone, Debug)]
pub struct QuorumRead {
    attempt: u32,
    token: u32,
    store: u32,
    table: u32,
    key: Vec<Word>,
    found: Option<Copy>,
    /// Events of it that are still to come.
    left: u32,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// A row step on a store that is a quorum of replicas.
    pub(super) fn ask_quorum(
        &mut self,
        attempt: u32,
        pc: Pc,
        step: u32,
        quorum: &Quorum,
    ) -> Result<Flow, Error> {
        let model = self.model;
        let of = &model.row_steps[step as usize];
        self.world.attempts[attempt].pc = pc;
        self.world.attempts[attempt].last_wait = 0;
        if !of.verb.reads() {
            let now = self.agenda.now();
            self.world.attempts[attempt].last_wait = now;
            let ways = self.quorum_ways(attempt, quorum, Asked::Write, now);
            let length = nth_smallest(ways.iter().map(Ways::length), quorum.write_quorum);
            if length >= CUT_OFF {
                return Ok(self.wait_for_quorum(attempt, step));
            }
            self.round_trip(attempt, pc, length, Wait::QuorumWrite { step });
            return Ok(Flow::Leave);
        }
        self.load_key(attempt, of)?;
        self.drop_temporaries();
        let now = self.agenda.now();
        let ways = self.quorum_ways(attempt, quorum, Asked::Read, now);
        let length = nth_smallest(ways.iter().map(Ways::length), quorum.read_quorum);
        if length >= CUT_OFF {
            return Ok(self.wait_for_quorum(attempt, step));
        }
        let mut first: Vec<u32> = (0..ways.len() as u32).collect();
        first.sort_by_key(|&copy| (ways[copy as usize].length(), copy));
        first.truncate(quorum.read_quorum as usize);
        let token = self.world.attempts.wait(attempt, Wait::Row { step });
        let read = self.world.quorum_reads.add(QuorumRead {
            attempt,
            token,
            store: self.store_of(attempt) as u32,
            table: model.tables[of.table.index()].number,
            key: self.world.scratch.key.clone(),
            found: None,
            left: quorum.read_quorum + 1,
        });
        for replica in first {
            let there = ways[replica as usize].there;
            self.later(there, Class::Completion, Event::QuorumRead { read, replica });
        }
        self.later(length, Class::Completion, Event::QuorumRead { read, replica: NONE });
        Ok(Flow::Leave)
    }

    /// Too few replicas can be reached: they are asked when they can be.
    fn wait_for_quorum(&mut self, attempt: u32, step: u32) -> Flow {
        let token = self.world.attempts.wait(attempt, Wait::Quorum { step });
        self.hold_statement(Event::Resume { attempt, token });
        Flow::Leave
    }

    /// Enough replicas have acknowledged a write: it counts from now on.
    pub(super) fn quorum_acknowledges(&mut self, attempt: u32, step: u32) {
        self.world.attempts[attempt].last_wait = 0;
        self.row_arrives(attempt, step);
    }

    /// The coordinator of a write that is not acknowledged is gone: what it has sent arrives, and nobody is told.
    pub(super) fn orphan_write(&mut self, attempt: u32) {
        let of = &self.world.attempts[attempt];
        let (Wait::QuorumWrite { step } | Wait::Quorum { step }) = of.wait else { return };
        let (model, store) = (self.model, self.store_of(attempt));
        let write = &model.row_steps[step as usize];
        if write.verb.reads() || of.state.reset || !self.world.stores[store].condition.is_well() {
            return;
        }
        let result = self.write_alone(attempt, write);
        self.drop_temporaries();
        if let Ok(Some(result)) = result {
            self.world.attempts[attempt].result = result;
            self.world.attempts.wait(attempt, Wait::RowAnswer { step });
        }
    }

    /// A fault of the network is over.
    pub(super) fn ask_quorum_again(&mut self, attempt: u32, step: u32) {
        let (pc, store) = (self.world.attempts[attempt].pc, self.store_of(attempt));
        let Some(Copies::Quorum(quorum)) = &self.model.stores[store].copies else {
            unreachable!("only a quorum has too few replicas")
        };
        if let Err(error) = self.ask_quorum(attempt, pc, step, quorum) {
            self.proceed(attempt, Err(error));
        }
    }

    /// Whether an operation's answers cannot come from enough replicas now: they come when a fault of the network is
    /// over.
    pub(super) fn lacks_answers(&mut self, attempt: u32) -> bool {
        if !self.world.network.is_disturbed() {
            return false;
        }
        let of = &self.world.attempts[attempt];
        let (Wait::Row { step } | Wait::QuorumWrite { step }) = of.wait else { return false };
        let store = self.store_of(attempt);
        let Some(Copies::Quorum(quorum)) = &self.model.stores[store].copies else { return false };
        let (asked, wanted) = match self.model.row_steps[step as usize].verb.reads() {
            true => (Asked::Read, quorum.read_quorum),
            false => (Asked::Write, quorum.write_quorum),
        };
        let from = self.world.attempts[attempt].instance;
        let ways: Vec<Ways> =
            (0..quorum.regions.len() as u32).map(|copy| self.way(attempt, quorum, asked, copy)).collect();
        let of = &self.world.attempts[attempt];
        let sent = match of.wait {
            Wait::QuorumWrite { .. } => of.last_wait,
            _ => self.agenda.now().saturating_sub(nth_smallest(ways.iter().map(Ways::length), wanted)),
        };
        let answers = |copy: &u32| {
            let answered = sent + ways[*copy as usize].there;
            ways[*copy as usize].length() < CUT_OFF
                && !self.is_cut_off(from, store, *copy, StoreLeg::Back, answered)
        };
        ((0..quorum.regions.len() as u32).filter(answers).count() as u32) < wanted
    }

    /// Whether a fault of the network that had begun by a time lies between an instance and a replica of a quorum.
    pub(super) fn is_cut_off(
        &mut self,
        instance: u32,
        store: usize,
        copy: u32,
        way: StoreLeg,
        by: Nanos,
    ) -> bool {
        if !self.world.network.is_disturbed() || instance == NONE {
            return false;
        }
        let model = self.model;
        let Some(Copies::Quorum(quorum)) = &model.stores[store].copies else { return false };
        let instance = &model.instances[instance as usize];
        let own = [Place::Service(instance.service), Place::Region(instance.region)];
        let replica = self.places_of_replica(store, quorum.regions[copy as usize]);
        match way {
            StoreLeg::There => self.are_parted(&own, &replica, by),
            StoreLeg::Back => self.are_parted(&replica, &own, by),
        }
    }

    /// A read reaches a replica, or has its answers.
    pub(super) fn quorum_read(&mut self, read: u32, replica: u32) {
        let of = &self.world.quorum_reads[read];
        let (attempt, token, store) = (of.attempt, of.token, of.store as usize);
        if self.world.store_troubles > 0 && self.world.stores[store].condition.is_paused() {
            self.store_met(store);
            // Down besides, it will not say anything when it wakes.
            if self.world.stores[store].condition.holds(Event::QuorumRead { read, replica }) {
                return;
            }
        }
        if replica == NONE && self.world.attempts.is_waiting(attempt, token) && self.lacks_answers(attempt) {
            return self.hold_statement(Event::QuorumRead { read, replica });
        }
        let of = &mut self.world.quorum_reads[read];
        of.left -= 1;
        let (attempt, token, store, table, left) = (of.attempt, of.token, of.store, of.table, of.left);
        if replica != NONE {
            let key = std::mem::take(&mut of.key);
            let seen = self.at_copy(store as usize, replica, table, &key);
            let of = &mut self.world.quorum_reads[read];
            of.key = key;
            let is_newer = of.found.as_ref().is_none_or(|found| found.version.number < seen.version.number);
            if is_newer {
                of.found = Some(seen);
            }
        } else if self.world.attempts.is_waiting(attempt, token) {
            self.world.quorum_answer = self.world.quorum_reads[read].found.take();
            self.midpoint(attempt, token);
            self.world.quorum_answer = None;
        }
        if left == 0 {
            self.world.quorum_reads.release(read);
        }
    }

    /// The ways of one operation to each replica and back, as they are for what sets out at a time.
    pub(super) fn quorum_ways(
        &mut self,
        attempt: u32,
        quorum: &Quorum,
        asked: Asked,
        at: Nanos,
    ) -> Vec<Ways> {
        let (instance, store) = (self.world.attempts[attempt].instance, self.store_of(attempt));
        let mut ways = Vec::with_capacity(quorum.regions.len());
        for copy in 0..quorum.regions.len() as u32 {
            let mut way = self.way(attempt, quorum, asked, copy);
            if self.is_cut_off(instance, store, copy, StoreLeg::There, at) {
                way.there = CUT_OFF;
            }
            if self.is_cut_off(instance, store, copy, StoreLeg::Back, at) {
                way.back = CUT_OFF;
            }
            ways.push(way);
        }
        ways
    }

    /// The way to one replica and back. Asked again, it is the same.
    fn way(&mut self, attempt: u32, quorum: &Quorum, asked: Asked, copy: u32) -> Ways {
        let (there, back) = match asked {
            Asked::Write => (quorum.write, quorum.acknowledge),
            Asked::Read => (quorum.read, quorum.respond),
        };
        let key = self.attempt_key(attempt).beside(self.world.attempts[attempt].pc).beside(copy);
        let (from, region) = (self.region_of(attempt), quorum.regions[copy as usize]);
        let (there, back) = (self.length(there, key), self.length(back, key.beside(1)));
        let apart = self.between_regions(from, region, key.beside(2));
        let home = self.between_regions(region, from, key.beside(3));
        let own = self.places_of(attempt);
        let replica = self.places_of_replica(self.store_of(attempt), region);
        let resent_there = self.resent(quorum.trouble, key.beside(4), (&own, &replica), (from, region));
        let resent_back = self.resent(quorum.trouble, key.beside(5), (&replica, &own), (region, from));
        let long = |own: Nanos, apart: Nanos, resent: Option<Nanos>| match resent {
            Some(resent) => own.saturating_add(apart).saturating_add(resent).min(CUT_OFF / 2 - 1),
            None => CUT_OFF,
        };
        Ways { there: long(there, apart, resent_there), back: long(back, home, resent_back) }
    }

    fn places_of(&self, attempt: u32) -> [Place; 2] {
        let instance = &self.model.instances[self.world.attempts[attempt].instance as usize];
        [Place::Service(instance.service), Place::Region(instance.region)]
    }

    fn places_of_replica(&self, store: usize, region: u16) -> [Place; 2] {
        [Place::Store(self.model.stores[store].service), Place::Region(region)]
    }
}

/// What is asked of a quorum.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    Write,
    Read,
}

/// How long it takes to a replica, and back.
pub(super) struct Ways {
    pub there: Nanos,
    pub back: Nanos,
}

/// As long a way as there is none.
pub(super) const CUT_OFF: Nanos = LONGEST / 2;

impl Ways {
    pub fn length(&self) -> Nanos {
        self.there + self.back
    }
}

/// The n-th smallest, counted from 1.
pub(super) fn nth_smallest(lengths: impl Iterator<Item = Nanos>, n: u32) -> Nanos {
    let mut lengths: Vec<Nanos> = lengths.collect();
    lengths.sort_unstable();
    lengths[n as usize - 1]
}
