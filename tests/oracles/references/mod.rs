//! Slow, obvious definitions over everything that was ever told, against the oracles that forget what
//! they can: on thousands of random small scenarios both count the same.

mod acts;
mod orders;
mod reads;
mod undone;

use eventflow::kernel::ids::SiteId;
use eventflow::kernel::time::Nanos;
use eventflow::model::{Model, NONE, Pc};
use eventflow::world::deed::{Acceptance, Deed, RowName, Served, Version, Way, Write};
use eventflow::world::record::{Observer, Outcome, Record};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;

/// What was done, in the order of time. Attempts and messages are numbered through: no slot is used again.
pub struct Trace<'m> {
    model: &'m Model,
    pub deeds: Vec<(Nanos, Done)>,
    pub attempts: Vec<Attempt>,
    pub messages: Vec<Message>,
    attempt_in: BTreeMap<u32, usize>,
    message_in: BTreeMap<u32, usize>,
}

pub struct Attempt {
    pub handler: String,
    pub obligation: u64,
    pub served: Served,
    pub message: Option<usize>,
    /// Its place among the deeds.
    pub begun: usize,
    /// The place of its end, and how it ended.
    pub ended: Option<(usize, Outcome)>,
}

pub struct Message {
    pub attempt: usize,
    pub obligation: u64,
    pub way: Way,
    pub site: SiteId,
    pub at: Nanos,
    /// Its place among the deeds.
    pub issued: usize,
    pub content: u64,
}

/// One deed, by numbers.
#[derive(Clone, Copy)]
pub enum Done {
    Begun { attempt: usize },
    Ended,
    Asked { attempt: usize, place: (Pc, u64) },
    Read { attempt: usize, place: (Pc, u64), row: RowName, version: Version },
    Wrote { attempt: usize, row: RowName, seen: Version, write: Write },
    Committed { attempt: Option<usize>, row: RowName, version: u64, is_effect: bool },
    TransactionEnded { attempt: usize, committed: bool },
    Issued { message: usize },
    Taken { message: usize },
    Told { attempt: usize, obligation: u64, outcome: Outcome },
}

impl<'m> Trace<'m> {
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            deeds: Vec::new(),
            attempts: Vec::new(),
            messages: Vec::new(),
            attempt_in: BTreeMap::new(),
            message_in: BTreeMap::new(),
        }
    }

    /// `orders.orders`
    pub fn table(&self, row: RowName) -> &'m str {
        &self.model.tables[row.table.index()].name
    }

    /// As the scenario calls it: `orders/Place/s1`.
    pub fn site(&self, site: SiteId) -> &'m str {
        &self.model.names.sites[site.index()]
    }

    /// Numbers of attempts of an obligation.
    pub fn attempts_of(&self, obligation: u64) -> impl Iterator<Item = usize> {
        (0..self.attempts.len()).filter(move |&attempt| self.attempts[attempt].obligation == obligation)
    }

    fn begun(&mut self, now: Nanos, deed: &Deed<'_>) {
        let &Deed::AttemptBegun { attempt, handler, cause, served, message, .. } = deed else { return };
        self.attempt_in.insert(attempt, self.attempts.len());
        self.attempts.push(Attempt {
            handler: self.model.handlers[handler.index()].name.clone(),
            obligation: cause.obligation,
            served,
            message: (message != NONE).then(|| self.message_in[&message]),
            begun: self.deeds.len(),
            ended: None,
        });
        self.deeds.push((now, Done::Begun { attempt: self.attempts.len() - 1 }));
    }
}

impl Observer for Trace<'_> {
    fn record(&mut self, _: Nanos, _: &Record) {}

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        let done = match *deed {
            Deed::AttemptBegun { .. } => return self.begun(now, deed),
            Deed::AttemptEnded { attempt, outcome } => {
                let attempt = self.attempt_in[&attempt];
                self.attempts[attempt].ended = Some((self.deeds.len(), outcome));
                Done::Ended
            }
            Deed::Asked { attempt, pc, item } => {
                Done::Asked { attempt: self.attempt_in[&attempt], place: (pc, item) }
            }
            Deed::Read { attempt, pc, item, row, version, .. } => {
                Done::Read { attempt: self.attempt_in[&attempt], place: (pc, item), row, version }
            }
            Deed::Wrote { attempt, row, seen, write, .. } => {
                Done::Wrote { attempt: self.attempt_in[&attempt], row, seen, write }
            }
            Deed::Committed { attempt, row, old, new, version, .. } => Done::Committed {
                attempt: self.attempt_in.get(&attempt).copied(),
                row,
                version,
                is_effect: self.model.tables[row.table.index()].is_effect(old, new),
            },
            Deed::TransactionEnded { attempt, committed } => {
                Done::TransactionEnded { attempt: self.attempt_in[&attempt], committed }
            }
            Deed::Issued { attempt, message, part, way, cause, content, .. } => {
                self.message_in.insert(message, self.messages.len());
                self.messages.push(Message {
                    attempt: self.attempt_in[&attempt],
                    obligation: cause.obligation,
                    way,
                    site: part.site,
                    at: now,
                    issued: self.deeds.len(),
                    content,
                });
                Done::Issued { message: self.messages.len() - 1 }
            }
            Deed::Accepted { message, how: Acceptance::Taken, .. } => {
                Done::Taken { message: self.message_in[&message] }
            }
            Deed::Told { attempt, obligation, outcome } => {
                Done::Told { attempt: self.attempt_in[&attempt], obligation, outcome }
            }
            _ => return,
        };
        self.deeds.push((now, done));
    }
}

/// The same cases on every machine.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}
