//! The second look: what the kin of an obligation did, and who came between.

mod messages;
mod rows;

use super::descent::{Descent, Line};
use super::helpers::Rows;
use super::kin::Kin;
use super::wording::{self, Business};
use super::{Act, Actor, Change, Done, Entry, Role, Trace};
use crate::kernel::ids::SiteId;
use crate::kernel::time::Nanos;
use crate::model::{Model, Pc};
use crate::world::deed::{Deed, Part, RowName, Served};
use crate::world::record::{Observer, Outcome, Record};
use messages::effect_name;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Entries of one replication; what is beyond is counted.
const MOST_ENTRIES: usize = 400;
/// Changes of the ledger, and others' among the entries.
const MOST_CHANGES: usize = 200;
/// Others' changes of a row that are kept before and after each of its own.
const CHANGES_AROUND: usize = 3;
/// Reads of another's attempt that are kept until it writes.
const MOST_READS: usize = 8;
/// Firings that are told apart; a fault that fires more often is not the point.
const MOST_FIRINGS: usize = 4096;

/// An attempt under way.
struct Attempt {
    actor: Actor,
    business: Business,
    /// `None`: none of the kin.
    role: Option<Role>,
    number: u32,
    obligation: u64,
    /// Where it wrote what it has not committed.
    staged: Vec<(RowName, Pc)>,
    /// Messages in outbox rows that are not committed.
    staged_messages: Vec<Done>,
    from_client: bool,
    /// Of another's: what it read of the rows, told if it changes one of them.
    reads: Vec<Draft>,
}

/// A message that somebody holds.
struct Message {
    business: Business,
    /// Who issued it, if one of the kin.
    role: Option<Role>,
    issuer: Actor,
}

/// An entry whose row may learn its name later.
struct Draft {
    entry: Entry,
    row: Option<RowName>,
    /// After the row's name.
    tail: String,
}

/// Gathers the trace of an obligation.
pub struct Gather<'m> {
    model: &'m Model,
    kin: Kin,
    descent: Descent<'m>,
    attempts: FxHashMap<u32, Attempt>,
    messages: FxHashMap<u32, Message>,
    /// Attempts begun, and how the last one ended, by obligation of the kin.
    tries: FxHashMap<u64, (u32, Option<Outcome>)>,
    /// Who serves a call of the kin.
    servers: FxHashMap<u64, Actor>,
    rows: Rows,
    drafts: Vec<Draft>,
    fired: Vec<u64>,
    finals: Vec<(RowName, Vec<(String, String)>)>,
    others: usize,
    /// Others' latest changes, and how many are still to follow one of its own.
    before: VecDeque<Change>,
    still_to_follow: usize,
    trace: Trace,
}

impl<'m> Gather<'m> {
    pub fn new(model: &'m Model, kin: Kin) -> Self {
        Self {
            model,
            kin,
            descent: Descent::new(model),
            attempts: FxHashMap::default(),
            messages: FxHashMap::default(),
            tries: FxHashMap::default(),
            servers: FxHashMap::default(),
            rows: Rows::default(),
            drafts: Vec::new(),
            fired: vec![0; model.faults.len()],
            finals: Vec::new(),
            others: 0,
            before: VecDeque::new(),
            still_to_follow: 0,
            trace: Trace::default(),
        }
    }

    pub fn finish(self) -> Trace {
        let Self { model, rows, mut trace, .. } = self;
        trace.changes_left_out += self.before.len();
        // What others read is known to concern it only once they have written.
        let mut drafts = self.drafts;
        drafts.sort_by_key(|draft| draft.entry.at);
        trace.entries = drafts
            .into_iter()
            .map(|Draft { mut entry, row, tail }| {
                if let Some(row) = row {
                    entry.text += &rows.name(model, row);
                }
                entry.text += &tail;
                entry
            })
            .collect();
        trace.at_end =
            self.finals.into_iter().map(|(row, columns)| (rows.name(model, row), columns)).collect();
        trace
    }

    fn role_of(&self, line: &Line) -> Option<Role> {
        if self.kin.own.contains(&line.obligation) || line.obligation == self.kin.focus {
            Some(Role::Own)
        } else if self.kin.is_ancestor(line.obligation) {
            Some(Role::Ancestor)
        } else if self.kin.is_missed(line) {
            Some(Role::Missed)
        } else if self.kin.is_overtaker(line) {
            Some(Role::Overtaker)
        } else {
            self.kin.is_descendant(line).then_some(Role::Descendant)
        }
    }

    fn push(&mut self, entry: Entry, row: Option<RowName>, tail: String) {
        if self.drafts.len() < MOST_ENTRIES {
            self.drafts.push(Draft { entry, row, tail });
        } else {
            self.trace.left_out += 1;
        }
    }

    /// An entry of an attempt of the kin; `row` and `tail` follow its text.
    fn tell(
        &mut self,
        at: Nanos,
        of: u32,
        act: Act,
        pc: Option<Pc>,
        said: (String, Option<RowName>, String),
    ) {
        let Some(attempt) = self.attempts.get(&of) else { return };
        let Some(role) = attempt.role else { return };
        let (text, row, tail) = said;
        let place = pc.and_then(|pc| self.model.step_places.get(pc as usize).copied());
        let (actor, attempt) = (attempt.actor, Some(attempt.number));
        self.push(Entry { at, actor, from: None, attempt, role, act, place, row, text }, row, tail);
    }

    fn is_own(&self, attempt: u32) -> bool {
        self.attempts.get(&attempt).is_some_and(|of| of.role == Some(Role::Own))
    }

    fn begun(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::AttemptBegun { attempt, handler, instance, served, message, .. } = deed else { return };
        let Some(line) = self.descent.of_attempt(attempt).cloned() else { return };
        let role = self.role_of(&line);
        let held = self.messages.get(&message);
        let (actor, business) = match served {
            Served::Intent { client, number, .. } => {
                (Actor::Client(client), Business::Intent(client, number))
            }
            Served::Tick { job } => (Actor::Instance(instance), Business::Job(job)),
            _ => (Actor::Instance(instance), held.map_or(Business::Nothing, |held| held.business)),
        };
        let from = match served {
            Served::Call | Served::Send => held.map(|held| held.issuer),
            Served::Delivery { group, .. } => Some(Actor::Topic(self.model.groups[group.index()].topic)),
            _ => None,
        };
        let from_client = matches!(served, Served::Intent { .. });
        let mut number = 0;
        let mut before = None;
        if role.is_some() {
            let tries = self.tries.entry(line.obligation).or_default();
            tries.0 += 1;
            number = tries.0;
            before = tries.1.take();
            self.servers.insert(line.obligation, actor);
        }
        let obligation = line.obligation;
        let (staged, staged_messages) = (Vec::new(), Vec::new());
        let reads = Vec::new();
        let state = Attempt {
            actor,
            business,
            role,
            number,
            obligation,
            staged,
            staged_messages,
            from_client,
            reads,
        };
        self.attempts.insert(attempt, state);
        let Some(role) = role else { return };
        if role == Role::Own {
            self.trace.handler.get_or_insert(handler);
            self.trace.attempts += 1;
        }
        let mut text = wording::business(self.model, business);
        if role == Role::Own && self.trace.subject.is_empty() {
            self.trace.subject.clone_from(&text);
        }
        if let Served::Delivery { delivery, .. } = served
            && delivery > 1
        {
            text += &format!(", delivery {delivery}");
            if role == Role::Own && !self.trace.deliveries_again.contains(&(obligation, delivery)) {
                self.trace.deliveries_again.push((obligation, delivery));
            }
        }
        if number > 1 {
            let last = number - 1;
            text += &match before {
                None => format!(": again, while attempt {last} goes on"),
                Some(Outcome::Well) => format!(": again, though attempt {last} came to its end"),
                Some(Outcome::Cut) => format!(": again, since attempt {last} was cut"),
                Some(error) => {
                    format!(": again, since attempt {last} failed ({})", wording::outcome(self.model, error))
                }
            };
        }
        let attempt = Some(number);
        let act = Act::Begins;
        self.push(
            Entry { at, actor, from, attempt, role, act, place: None, row: None, text },
            None,
            String::new(),
        );
    }

    fn ended(&mut self, at: Nanos, attempt: u32, outcome: Outcome) {
        if let Some(of) = self.attempts.get(&attempt)
            && of.role.is_some()
        {
            if let Some(tries) = self.tries.get_mut(&of.obligation) {
                tries.1 = Some(outcome);
            }
            let text = match outcome {
                Outcome::Well => "comes to its end".into(),
                Outcome::Cut => String::new(),
                error => format!("fails: {}", wording::outcome(self.model, error)),
            };
            let is_told = of.role == Some(Role::Own) || outcome != Outcome::Well;
            if outcome != Outcome::Cut && is_told {
                self.tell(at, attempt, Act::Ends, None, (text, None, String::new()));
            }
        }
        self.attempts.remove(&attempt);
    }

    fn cut(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::Cut { attempt, at: pc, debt, .. } = deed else { return };
        let is_kin = self.attempts.get(&attempt).is_some_and(|of| of.role.is_some());
        if !is_kin {
            return;
        }
        if let Some(firing) = self.trace.firings.last_mut()
            && firing.at == at
        {
            firing.cut = true;
        }
        // What was done on the outside no rollback takes back, though a remainder would do it again.
        let debt: Vec<Part> = debt.iter().copied().filter(|part| !self.is_done_outside(part.site)).collect();
        let text = format!("is cut before its last step; {}", wording::debt(self.model, &debt, pc));
        self.tell(at, attempt, Act::Cut, Some(pc), (text, None, String::new()));
    }

    /// Whether an attempt of its own has acted on the outside there.
    fn is_done_outside(&self, site: SiteId) -> bool {
        let Some(step) = self.model.effects.iter().find(|step| step.site == site) else { return false };
        let name = effect_name(self.model, step.effect);
        self.trace.done.iter().any(|done| done.what == name)
    }

    fn other(&mut self, at: Nanos, deed: &Deed<'_>) {
        match *deed {
            Deed::Decided { attempt, pc, holds, .. } if self.is_own(attempt) => {
                let text =
                    format!("decides: the condition {}", if holds { "holds" } else { "does not hold" });
                self.tell(at, attempt, Act::Decides, Some(pc), (text, None, String::new()));
            }
            Deed::TransactionEnded { attempt, committed } => {
                if let Some(of) = self.attempts.get_mut(&attempt) {
                    of.staged.clear();
                    let messages = std::mem::take(&mut of.staged_messages);
                    self.trace.done.extend(messages.into_iter().filter(|_| committed));
                }
                if !committed && self.is_own(attempt) {
                    let text = "rolls its transaction back".into();
                    self.tell(at, attempt, Act::Ends, None, (text, None, String::new()));
                }
            }
            Deed::TimerSet { attempt, durable, .. } => {
                let kind = if durable { "durable" } else { "in memory" };
                self.tell(
                    at,
                    attempt,
                    Act::Issues,
                    None,
                    (format!("sets a timer, {kind}"), None, String::new()),
                );
            }
            _ => {}
        }
    }
}

impl Observer for Gather<'_> {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, at: Nanos, record: &Record) {
        match *record {
            Record::FaultBegan { fault, touched } => self.fault_began(at, fault, touched),
            Record::Settled { group, message, how } => self.settled(at, group, message, how),
            _ => {}
        }
    }

    fn deed(&mut self, at: Nanos, deed: &Deed<'_>) {
        self.descent.enter(deed);
        match *deed {
            Deed::AttemptBegun { .. } => self.begun(at, deed),
            Deed::AttemptEnded { attempt, outcome } => self.ended(at, attempt, outcome),
            Deed::Cut { .. } => self.cut(at, deed),
            Deed::Read { .. } => self.read(at, deed),
            Deed::Wrote { .. } => self.wrote(at, deed),
            Deed::Committed { .. } => self.committed(at, deed),
            Deed::Issued { .. } => self.issued(at, deed),
            Deed::Accepted { message, topic, how } => self.accepted(at, message, topic, how),
            Deed::Effected { .. } => self.effected(at, deed),
            Deed::Told { attempt, obligation, outcome } => self.told(at, attempt, obligation, outcome),
            Deed::Freed { message } => drop(self.messages.remove(&message)),
            _ => self.other(at, deed),
        }
        self.descent.leave(deed);
    }
}
