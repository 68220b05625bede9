//! What a run is compared with: which intents took effect, in which order, and what their attempts made.
//!
//! The *reference* is the intents that took effect, once each, alone, without faults. They go in two orders: that of
//! their first commit at the source, and that in which consumers first applied them. What the two orders do
//! not agree on depends on the order alone, and nobody can say which is right.
//!
//! It says nothing where time decided what an intent did: a timeout, a refusal because of a limit or a breaker, a
//! timer, a row or message that expired. Alone, each of them would have gone another way.

use super::slots::SlotTable;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Error, FaultKind, Model, NONE};
use crate::world::alone::Intent;
use crate::world::deed::{Deed, SagaStage, Served};
use crate::world::identity::Cause;
use crate::world::record::{Observer, Outcome, Record, Settlement};
use rustc_hash::FxHashMap;

/// Reads off a run what its reference is made of.
#[derive(Clone, Debug)]
pub struct Recorder<'m> {
    model: &'m Model,
    attempts: SlotTable<Attempt>,
    intents: FxHashMap<Intent, Course>,
    made: FxHashMap<u64, Vec<u64>>,
    commits: u64,
    why_not: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Attempt {
    obligation: u64,
    intent: Option<Intent>,
    is_intent: bool,
    is_application: bool,
    made: Vec<u64>,
    /// It has changed something.
    did: bool,
    /// A call of it was not answered in time, or refused.
    was_put_off: bool,
}

/// When, counted in commits, an intent first changed something, and when a consumer first applied it.
#[derive(Clone, Copy, Debug, Default)]
struct Course {
    first: Option<u64>,
    applied: Option<u64>,
    was_put_off: bool,
}

/// The intents of a reference, in its two orders, and what was made for each obligation.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub by_source: Vec<Intent>,
    pub by_application: Vec<Intent>,
    pub made: FxHashMap<u64, Vec<u64>>,
}

impl<'m> Recorder<'m> {
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            attempts: SlotTable::default(),
            intents: FxHashMap::default(),
            made: FxHashMap::default(),
            commits: 0,
            why_not: why_never(model),
        }
    }

    /// What the reference is made of.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn finish(mut self) -> Result<Recorded, String> {
        let open: Vec<Attempt> = self.attempts.iter().map(|(_, attempt)| attempt.clone()).collect();
        open.iter().for_each(|attempt| self.keep(attempt));
        if let Some(why) = self.why_not {
            return Err(why);
        }
        let effective = self.intents.iter().filter_map(|(intent, of)| Some((*intent, *of, of.first?)));
        let mut all: Vec<(Intent, Course, u64)> = effective.collect();
        all.sort_unstable_by_key(|(.., first)| *first);
        if let Some(((client, number), ..)) = all.iter().find(|(_, of, _)| of.was_put_off) {
            let client = &self.model.clients[client.index()].name;
            return Err(format!(
                "what intent {number} of {client} did was decided by an answer that did not come in time, or by a \
                 refusal"
            ));
        }
        let by_source = all.iter().map(|(intent, ..)| *intent).collect();
        all.sort_by_key(|(_, of, first)| of.applied.unwrap_or(*first));
        let by_application = all.iter().map(|(intent, ..)| *intent).collect();
        Ok(Recorded { by_source, by_application, made: self.made })
    }

    fn begun(&mut self, attempt: u32, cause: Cause, served: Served) {
        let client = (cause.origin() as usize) < self.model.clients.len();
        let intent = match served {
            Served::Tick { .. } => None,
            _ => cause.number().filter(|_| client).map(|number| (ClientId(cause.origin()), number)),
        };
        let of = self.attempts.begin(attempt);
        of.made.clear();
        (of.obligation, of.intent, of.did, of.was_put_off) = (cause.obligation, intent, false, false);
        of.is_intent = matches!(served, Served::Intent { .. });
        of.is_application = matches!(served, Served::Delivery { .. });
    }

    /// Something that matters was done, for the first time or again.
    fn did(&mut self, attempt: u32) {
        self.commits += 1;
        let Some(of) = self.attempts.get_mut(attempt) else { return };
        of.did = true;
        let Some(intent) = of.intent else { return };
        let course = self.intents.entry(intent).or_default();
        course.first.get_or_insert(self.commits);
        if of.is_application {
            course.applied.get_or_insert(self.commits);
        }
    }

    fn ended(&mut self, attempt: u32, outcome: Outcome) {
        let Some(of) = self.attempts.end(attempt) else { return };
        let of = std::mem::take(of);
        // Whoever ends well although he was put off went another way because of it.
        if let (true, Some(intent)) =
            (of.was_put_off && (of.is_intent || outcome == Outcome::Well), of.intent)
        {
            self.intents.entry(intent).or_default().was_put_off = true;
        }
        self.keep(&of);
    }

    /// What was made by the last attempt that did something.
    fn keep(&mut self, of: &Attempt) {
        if !of.made.is_empty() && (of.did || !self.made.contains_key(&of.obligation)) {
            self.made.insert(of.obligation, of.made.clone());
        }
    }

    fn rule_out(&mut self, why: &str) {
        self.why_not.get_or_insert_with(|| why.to_owned());
    }
}

/// What rules a reference out whatever happens.
fn why_never(model: &Model) -> Option<String> {
    if let Some(job) = model.jobs.first() {
        return Some(format!("the job {} acts by itself", job.name));
    }
    if !model.afters.is_empty() {
        return Some("an `after` acts when its time has come".to_owned());
    }
    let deploys = |fault: &&crate::model::Fault| matches!(fault.kind, FaultKind::Deploy(..));
    let deployment = model.faults.iter().find(deploys)?;
    Some(format!("the operation {} changes what handlers do", deployment.name))
}

impl Observer for Recorder<'_> {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, _: Nanos, record: &Record) {
        if let Record::Settled { how: Settlement::Expired, .. } = record {
            self.rule_out("a message was given up because its time was over");
        }
    }

    fn deed(&mut self, _: Nanos, deed: &Deed<'_>) {
        match *deed {
            Deed::AttemptBegun { attempt, cause, served, .. } => self.begun(attempt, cause, served),
            Deed::AttemptEnded { attempt, outcome } => self.ended(attempt, outcome),
            Deed::Made { attempt, value } => {
                if let Some(of) = self.attempts.get_mut(attempt) {
                    of.made.push(value);
                }
            }
            Deed::Committed { attempt, row, old, new, .. } => {
                let table = &self.model.tables[row.table.index()];
                if attempt == NONE && new.is_none() && table.has_effects() {
                    self.rule_out("a row was gone because its time was over");
                } else if table.is_effect(old, new) {
                    self.did(attempt);
                }
            }
            Deed::Effected { attempt, first: true, .. } => self.did(attempt),
            Deed::Told {
                attempt,
                outcome: Outcome::Error(Error::Timeout | Error::Unavailable | Error::Rejected),
                ..
            } => {
                if let Some(of) = self.attempts.get_mut(attempt) {
                    of.was_put_off = true;
                }
            }
            Deed::SagaMoved { attempt: NONE, stage: SagaStage::Undoing, .. } => {
                self.rule_out("a saga's patience was over");
            }
            _ => {}
        }
    }
}
