//! Messages, calls and timers: what attempts issue, who holds it, and how brokers end it.

mod encode;

use super::Lineage;
use super::attempt::{AttemptState, Staged, StagedIssue};
use super::ledger::{EntryId, Fate, Issuer, Kind};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::messaging::Members;
use crate::model::reach::must_reach;
use crate::model::{Identity, NONE, Pc};
use crate::world::deed::{Acceptance, Deed, Part, Served, Way};
use crate::world::identity::{Cause, of_instance};
use crate::world::record::{Outcome, Settlement};

/// A message slot in use.
#[derive(Clone, Debug)]
pub struct MessageState {
    pub entry: EntryId,
    cause: Cause,
    kind: MessageId,
    content: u64,
    /// What it is in the work that it was issued for.
    part: Part,
    /// What it asks of each group: the group, the entry, and whether the message still carries it.
    pub shares: Vec<(GroupId, EntryId, bool)>,
    /// Until a broker has taken it in: whose effect it is to be, which holds that.
    pub undecided: Option<Undecided>,
}

/// An effect that counts when a broker takes a message in.
#[derive(Clone, Copy, Debug)]
pub struct Undecided {
    pub owner: EntryId,
    pub issue: StagedIssue,
    /// The attempt that issued it.
    by: u32,
}

impl Default for MessageState {
    /// No message yet.
    fn default() -> Self {
        Self {
            entry: NONE,
            cause: Cause::NOBODY,
            kind: MessageId(NONE),
            content: 0,
            part: Part::new(SiteId(NONE), 0),
            shares: Vec::new(),
            undecided: None,
        }
    }
}

impl Lineage<'_> {
    /// An attempt has made a message.
    pub(super) fn issued(&mut self, now: Nanos, deed: &Deed<'_>) {
        let &Deed::Issued { attempt, message, kind, part, way, cause, topic, pc, content, .. } = deed else {
            return;
        };
        let (parent, issuer) = self.issuer(attempt, pc, part);
        let entry_kind = match (way, topic) {
            (Way::Call, _) => Kind::Call,
            (Way::Send, _) => Kind::Send,
            (_, Some(topic)) => Kind::Message { topic },
            (_, None) => unreachable!("a publish has a topic"),
        };
        let known = self.ledger.find_issued(parent, cause.obligation);
        let entry =
            known.unwrap_or_else(|| self.ledger.add(cause.obligation, entry_kind, parent, issuer, now));
        self.ledger.hold(entry);
        self.begin_choreography(entry, deed);
        if !matches!(way, Way::Call | Way::Captured) {
            self.acted_on_reads(now, attempt);
        }
        if known.is_some() && matches!(entry_kind, Kind::Message { .. }) {
            self.expose(Anomaly::DivergentCopies);
            self.expose(Anomaly::DuplicateMessages);
        }
        let state = self.messages.begin(message);
        (state.entry, state.cause, state.kind, state.content) = (entry, cause, kind, content);
        state.part = part;
        state.shares.clear();
        state.undecided = None;
        if way == Way::Captured {
            // It is there with its commit: nobody has still to see to it.
            self.ledger[entry].issued += 1;
            return;
        }
        if cause.passes_on() && parent != NONE {
            // What its consumers owe is what its issuer owes.
            self.ledger.name(parent);
        }
        // Who is called answers to the caller, who can still undo; a message is on its own.
        self.look_for_changes_to_come(attempt, pc);
        let has_changes_to_come = way != Way::Call && !self.to_come.is_empty();
        // An outbox row is there if and only if the changes beside it are, and what waits for an acknowledgement
        // is seen only when they have been made.
        let is_provisional = has_changes_to_come && !matches!(way, Way::Outbox | Way::WithAck);
        if has_changes_to_come {
            self.expose(Anomaly::Premature);
        }
        let is_call = way == Way::Call;
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        state.guarded = false;
        if is_call {
            self.ledger[entry].issued += 1;
        } else {
            state.came_by.push(part);
            let owner = &mut self.ledger[state.entry];
            let was_owed = owner.debt.contains(&part);
            owner.debt.retain(|owed| *owed != part);
            let is_first = owner.effects.iter().all(|effect| effect.part != part);
            if is_first {
                state.added.push(part);
                let by = state.number;
                owner.effects.push(super::ledger::Effect { part, net: 1, by, past: false });
            }
            if way == Way::Outbox {
                state.staged_issues.push(StagedIssue { part, is_first, was_owed });
                state.staged_messages.push(entry);
                self.ledger.hold(entry);
            } else {
                self.ledger[entry].issued += 1;
            }
            if matches!(way, Way::WithAck | Way::Direct) {
                let (owner, by) = (state.entry, state.number);
                let issue = StagedIssue { part, is_first, was_owed };
                if let Some(message) = self.messages.get_mut(message) {
                    message.undecided = Some(Undecided { owner, issue, by });
                    self.ledger.hold(owner);
                }
            }
        }
        if is_provisional && let Some(state) = self.attempts.get_mut(attempt) {
            state.early.send(entry, &self.to_come);
            self.ledger[entry].provisional += 1;
            self.ledger.hold(entry);
        }
    }

    /// The entry that an attempt's messages are issued for, and who else may issue the same.
    fn issuer(&self, attempt: u32, pc: Pc, part: Part) -> (EntryId, Issuer) {
        let Some(state) = self.attempts.get(attempt) else { return (NONE, Issuer::Anyone) };
        let is_of_row = part.item != 0 && matches!(state.served, Served::Tick { .. });
        let is_of_value = matches!(self.model.identity(pc), Some(Identity::OncePer(_)));
        // Of a group in which each instance has its own entry, all of them issue the same.
        let is_of_one = self.ledger[state.entry].obligation == state.obligation;
        let issuer = if is_of_one && !is_of_row && !is_of_value { Issuer::Parent } else { Issuer::Anyone };
        (state.entry, issuer)
    }

    /// The sites of row changes of an attempt that issues a message here: not committed, or to come.
    fn look_for_changes_to_come(&mut self, attempt: u32, pc: Pc) {
        let model = self.model;
        self.to_come.clear();
        let Some(state) = self.attempts.get(attempt) else { return };
        let follow = self.changes_follow[pc as usize].get_or_insert_with(|| {
            let sites = must_reach(model, pc + 1);
            let steps = model.row_steps.iter().map(|step| step.site);
            let mut sites: Vec<SiteId> = steps.filter(|site| sites.contains(site)).collect();
            sites.sort_unstable();
            sites.dedup();
            sites.into()
        });
        let is_effect = |staged: &&Staged| model.tables[staged.row.table.index()].has_effects();
        let staged = state.staged.iter().filter(is_effect).map(|staged| staged.part.site);
        self.to_come.extend(staged.chain(follow.iter().copied()));
    }

    /// Somebody begins to act on a message.
    pub(super) fn note_acted_on(&mut self, now: Nanos, message: u32) {
        let Some(entry) = self.messages.get(message).map(|state| state.entry) else { return };
        let of = &mut self.ledger[entry];
        of.acted_on = true;
        let (obligation, phantom) = (of.obligation, std::mem::take(&mut of.phantom));
        if phantom {
            self.sight(Anomaly::PhantomEffects, now, obligation, |_| {
                "acted on a message whose issuer's changes were rolled back".into()
            });
        }
        if self.is_provisional(entry) {
            self.sight(Anomaly::Premature, now, obligation, |_| {
                "acted on a message before its issuer's changes were committed".into()
            });
        }
    }

    fn is_provisional(&self, entry: EntryId) -> bool {
        self.ledger[entry].provisional > 0
    }

    /// A message came to a topic: each group with a handler for it owes its share.
    pub(super) fn accepted(&mut self, now: Nanos, message: u32, topic: TopicId, how: Acceptance) {
        let Some(state) = self.messages.get(message) else { return };
        let (entry, content, cause, kind) = (state.entry, state.content, state.cause, state.kind);
        self.effect_is_there(now, message);
        if how == Acceptance::Recognised {
            self.expose(Anomaly::DuplicateMessages);
            return;
        }
        let model = self.model;
        if how == Acceptance::Taken {
            let of = &mut self.ledger[entry];
            of.accepted += 1;
            let (obligation, times) = (of.obligation, of.accepted);
            let differs = times > 1 && of.content != content && !of.diverged;
            if times == 1 {
                of.content = content;
            }
            of.diverged |= differs;
            self.findings[Anomaly::DuplicateMessages.index()].of += 1;
            let name = |model: &crate::model::Model| {
                format!("{} on {}", model.messages[kind.index()].name, model.topics[topic.index()].name)
            };
            if times > 1 {
                self.sight(Anomaly::DuplicateMessages, now, obligation, |model| {
                    format!("{} was taken in {times} times", name(model))
                });
            }
            if differs {
                self.sight(Anomaly::DivergentCopies, now, obligation, |model| {
                    format!("{} was taken in again with another content", name(model))
                });
            }
        }
        for &group in &model.topics[topic.index()].groups {
            let of = &model.groups[group.index()];
            let handled = of.deliveries.iter().any(|path| path.message == kind && path.is_handled());
            if !handled {
                continue;
            }
            let share = cause.share(of.key).obligation;
            let issuer = if cause.passes_on() { Issuer::Anyone } else { Issuer::Parent };
            let members = match of.member.members {
                Members::Share => 1,
                Members::EachAlone => of.member.instances,
            };
            for member in 0..members {
                let instance = of.member.first_instance.0 + member;
                let share = self.share_of(share, group, instance);
                let share = self.ledger.enter(share, Kind::Share { group }, entry, issuer, now);
                self.ledger.hold(share);
                if let Some(state) = self.messages.get_mut(message) {
                    state.shares.push((group, share, true));
                }
            }
        }
    }

    /// A broker has a message: the effect is there, also if another copy of it was lost.
    fn effect_is_there(&mut self, now: Nanos, message: u32) {
        let undecided = self.messages.get_mut(message).and_then(|state| state.undecided.take());
        let Some(Undecided { owner, issue: StagedIssue { part, .. }, by }) = undecided else { return };
        let of = &mut self.ledger[owner];
        of.debt.retain(|owed| *owed != part);
        if of.effects.iter().all(|effect| effect.part != part) {
            of.effects.push(super::ledger::Effect { part, net: 1, by, past: false });
        }
        self.ledger.release(owner, now);
        self.settle_released(now);
    }

    /// The obligation of a group, or of one of its instances.
    pub(super) fn share_of(&self, share: u64, group: GroupId, instance: u32) -> u64 {
        match self.model.groups[group.index()].member.members {
            Members::Share => share,
            Members::EachAlone => of_instance(share, instance),
        }
    }

    /// A group is done with a message. Where each instance has its own, the message itself carries it.
    pub(super) fn share_settled(&mut self, now: Nanos, group: GroupId, message: u32, how: Settlement) {
        if self.model.groups[group.index()].member.members == Members::EachAlone {
            return;
        }
        let Some(state) = self.messages.get_mut(message) else { return };
        let Some(share) = state.shares.iter_mut().find(|share| share.0 == group && share.2) else { return };
        share.2 = false;
        let share = share.1;
        self.ledger[share].fate = match how {
            Settlement::Acknowledged => Fate::Acknowledged,
            Settlement::DeadLettered | Settlement::Parked | Settlement::Stayed => Fate::Parked,
            Settlement::Dropped => Fate::Dropped,
            Settlement::Skipped => Fate::Skipped,
            Settlement::Expired => Fate::Expired,
            Settlement::Superseded => Fate::Superseded,
            Settlement::Destroyed => Fate::Destroyed,
        };
        self.ledger.release(share, now);
        self.settle_released(now);
    }

    /// A group is owed a message once more. What it did before stands, as far as it is still there.
    pub(super) fn share_reopened(&mut self, group: GroupId, message: u32) {
        let Some(state) = self.messages.get_mut(message) else { return };
        for share in state.shares.iter_mut().filter(|share| share.0 == group && !share.2) {
            share.2 = true;
            self.ledger.hold(share.1);
            self.ledger[share.1].fate = Fate::Open;
        }
    }

    /// A table begins anew, to be filled from what a group handles once more: what was done there for this
    /// group is owed again. That is so of this table alone; what was done elsewhere is not done again.
    pub(super) fn cleared(&mut self, table: TableId, group: GroupId) {
        let model = self.model;
        let writes = |part: &Part| {
            let mut steps = model.row_steps.iter();
            steps.any(|step| step.table == table && step.site == part.site && !step.verb.reads())
        };
        for id in self.ledger.open() {
            let of = &mut self.ledger[id];
            if of.kind != (Kind::Share { group }) {
                continue;
            }
            let before = of.debt.len();
            let gone = of.effects.iter().map(|effect| effect.part).filter(writes);
            of.debt.extend(gone);
            of.effects.retain(|effect| !writes(&effect.part));
            if of.debt.len() > before {
                of.done = false;
                of.effects.iter_mut().for_each(|effect| effect.past = true);
            }
        }
    }

    /// Nobody holds a message any more.
    pub(super) fn freed(&mut self, now: Nanos, message: u32) {
        let Some(state) = self.messages.end(message) else { return };
        let undecided = state.undecided.take();
        for &(_, share, carried) in &state.shares {
            if carried {
                self.ledger.release(share, now);
            }
        }
        self.ledger.release(state.entry, now);
        if let Some(Undecided { owner, issue, .. }) = undecided {
            // No broker has taken it in: it is no effect.
            self.take_back(owner, &[issue]);
            self.ledger[owner].sent_in_vain = true;
            self.expose(Anomaly::AcknowledgedLoss);
            self.ledger.release(owner, now);
        }
        self.settle_released(now);
    }

    /// What was to be said is gone with the store that kept it: it is owed again by whom it was issued for.
    pub(super) fn unsaid(&mut self, message: u32) {
        let Some(state) = self.messages.get(message) else { return };
        let (entry, part) = (state.entry, state.part);
        let owner = self.ledger[entry].parent;
        // What a broker has taken in is said, though the row that it came from is gone.
        if owner == NONE || self.ledger[entry].accepted > 0 {
            return;
        }
        let of = &mut self.ledger[owner];
        let Some(effect) = of.effects.iter_mut().find(|effect| effect.part == part) else { return };
        effect.net -= 1;
        (of.done, of.forgotten) = (false, true);
        if !of.debt.contains(&part) {
            of.debt.push(part);
        }
        self.ledger[entry].issued -= 1;
        self.expose(Anomaly::LostEffects);
        self.expose(Anomaly::AcknowledgedLoss);
    }

    /// A client or a service knows how its call went.
    pub(super) fn told(&mut self, attempt: u32, obligation: u64, outcome: Outcome) {
        let caller = self.attempts.get(attempt).map_or(NONE, |state| state.entry);
        let Some(entry) = self.ledger.find_issued(caller, obligation) else { return };
        let of = &mut self.ledger[entry];
        of.told = Some(outcome);
        if outcome != Outcome::Well && of.has_left() || of.attempts > 1 {
            self.expose(Anomaly::UnacknowledgedEffect);
        }
    }

    pub(super) fn timer_set(
        &mut self,
        now: Nanos,
        attempt: u32,
        timer: u32,
        obligation: u64,
        durable: bool,
        part: Part,
    ) {
        let parent = self.attempts.get(attempt).map_or(NONE, |state| state.entry);
        let known = self.ledger.find_issued(parent, obligation);
        let is_first = known.is_none();
        let entry =
            known.unwrap_or_else(|| self.ledger.add(obligation, Kind::Timer, parent, Issuer::Anyone, now));
        self.ledger.hold(entry);
        *self.timers.begin(timer) = entry;
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        state.came_by.push(part);
        if is_first {
            state.added.push(part);
        }
        self.ledger[state.entry].debt.retain(|owed| *owed != part);
        if durable {
            state.staged_messages.push(entry);
            self.ledger.hold(entry);
        } else {
            self.ledger[entry].issued += 1;
        }
    }

    /// Outbox rows that were rolled back never were part of anything.
    pub(super) fn take_back(&mut self, entry: EntryId, issues: &[StagedIssue]) {
        let of = &mut self.ledger[entry];
        for issue in issues {
            if issue.is_first {
                of.effects.retain(|effect| effect.part != issue.part);
            }
            if issue.was_owed && !of.debt.contains(&issue.part) {
                of.debt.push(issue.part);
            }
        }
    }

    /// What an attempt had staged when it ended never came to be.
    pub(super) fn give_up_staged(&mut self, now: Nanos, state: &AttemptState) {
        self.take_back(state.entry, &state.staged_issues);
        for &message in &state.staged_messages {
            self.ledger.release(message, now);
        }
        if !state.early.is_empty() {
            self.expose(Anomaly::PhantomEffects);
        }
        let rows_committed = self.ledger[state.entry].rows_committed;
        for message in state.early.iter() {
            self.ledger[message].orphaned = Some(rows_committed);
            self.ledger[message].provisional -= 1;
            self.ledger.release(message, now);
        }
    }
}
