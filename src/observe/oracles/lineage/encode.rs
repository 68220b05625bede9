//! What lineage knows, in canonical words.
//!
//! Entries are called by their obligations. When something happened counts only beside when something else did, and is
//! not evidence: instants are ranked.

use super::Lineage;
use super::attempt::AttemptState;
use super::ledger::{Entry, Kind};
use super::messages::{MessageState, Undecided};
use crate::kernel::encoder::{Encoder, Ranks};
use crate::observe::facts;
use crate::world::deed::Served;

impl Lineage<'_> {
    /// What it knows now. What it has counted is no part of it, nor when.
    pub fn encode(&self, encoder: &mut Encoder) {
        let issued = self.ledger.all().map(|entry| entry.issued_at);
        let ranks = Ranks::of(issued.chain(self.undoables.instants()).chain(self.clocked.instants()));
        encoder.set(self.ledger.all(), |encoder, entry| {
            self.ledger.encode(encoder, entry);
            encode_entry(encoder, entry);
            self.obligations(encoder, &entry.beside);
            encoder.word(entry.done_by);
            self.sagas.iter().for_each(|sagas| sagas.encode_part(encoder, entry));
            encoder.word(ranks.rank(entry.issued_at));
        });
        encoder.set(self.attempts.iter(), |encoder, (slot, attempt)| {
            encoder.attempt(slot);
            self.encode_attempt(encoder, attempt);
        });
        encoder.set(self.messages.iter(), |encoder, (slot, message)| {
            encoder.message(slot);
            self.encode_message(encoder, message);
        });
        encoder.set(self.timers.iter(), |encoder, (slot, entry)| {
            encoder.timer(slot);
            encoder.word(self.ledger[*entry].obligation);
        });
        encoder.list(&self.ticks, |encoder, ticks| {
            encoder.list(ticks, |encoder, (obligation, _)| encoder.word(*obligation));
        });
        self.undoables.encode(encoder, &ranks);
        self.clocked.encode(encoder, &ranks);
        self.volatile.encode(encoder, |entry| self.ledger[entry].obligation);
        self.sagas.iter().for_each(|sagas| sagas.encode(encoder));
        encoder.list(&self.findings, facts::finding);
    }

    fn obligations(&self, encoder: &mut Encoder, entries: &[u32]) {
        encoder.set(entries, |encoder, entry| encoder.word(self.ledger[*entry].obligation));
    }

    fn encode_attempt(&self, encoder: &mut Encoder, of: &AttemptState) {
        encoder.word(self.ledger[of.entry].obligation);
        encoder.word(of.obligation);
        encoder.word(u64::from(of.number) << 32 | u64::from(of.handler.0));
        match of.served {
            Served::Intent { client, number, user } => {
                encoder.word(1 | u64::from(client.0) << 8);
                encoder.word(number);
                encoder.word(u64::from(user));
            }
            Served::Call => encoder.word(2),
            Served::Send => encoder.word(3),
            Served::Delivery { group, delivery } => {
                encoder.word(4 | u64::from(group.0) << 8);
                encoder.word(u64::from(delivery));
            }
            Served::Tick { job } => encoder.word(5 | u64::from(job.0) << 8),
            Served::Timer { timer } => {
                encoder.word(6);
                encoder.option(self.timers.get(timer).map(|entry| self.ledger[*entry].obligation));
            }
        }
        encoder.flags(&[of.exposed, of.resumed, of.guarded]);
        encoder.set(&of.came_by, |encoder, part| facts::part(encoder, *part));
        encoder.set(&of.added, |encoder, part| facts::part(encoder, *part));
        encoder.set(&of.staged, |encoder, staged| {
            facts::row(encoder, staged.row);
            facts::part(encoder, staged.part);
        });
        self.obligations(encoder, &of.staged_messages);
        of.early.encode(encoder, |entry| self.ledger[entry].obligation);
        encoder.set(&of.staged_issues, |encoder, issue| {
            facts::part(encoder, issue.part);
            encoder.flags(&[issue.is_first, issue.was_owed]);
        });
        encoder.set(&of.own_rows, |encoder, row| facts::row(encoder, *row));
        encoder.set(&of.excluded, |encoder, site| encoder.word(u64::from(site.0)));
        of.encode_taints(encoder);
    }

    fn encode_message(&self, encoder: &mut Encoder, of: &MessageState) {
        encoder.word(self.ledger[of.entry].obligation);
        of.encode(encoder);
        encoder.set(&of.shares, |encoder, (group, share, is_carried)| {
            encoder.word(u64::from(group.0));
            // Of one that is over and forgotten nobody asks.
            encoder.option(is_carried.then(|| self.ledger[*share].obligation));
        });
        encoder.flag(of.undecided.is_some());
        if let Some(Undecided { owner, issue, .. }) = of.undecided {
            encoder.word(self.ledger[owner].obligation);
            facts::part(encoder, issue.part);
            encoder.flags(&[issue.is_first, issue.was_owed]);
        }
    }
}

fn encode_entry(encoder: &mut Encoder, of: &Entry) {
    match of.kind {
        Kind::Root => encoder.word(1),
        Kind::Call => encoder.word(2),
        Kind::Send => encoder.word(3),
        Kind::Message { topic } => encoder.word(4 | u64::from(topic.0) << 8),
        Kind::Share { group } => encoder.word(5 | u64::from(group.0) << 8),
        Kind::Timer => encoder.word(6),
        Kind::Once { site } => encoder.word(7 | u64::from(site.0) << 8),
    }
    encoder.word(of.root);
    encoder.word(u64::from(of.attempts));
    encoder.word(u64::from(of.cut_at));
    encoder.word(of.fate as u64);
    encoder.word(of.content);
    encoder.word(u64::from(of.provisional));
    encoder.option(of.told.map(|outcome| u64::from(outcome.code())));
    encoder.flags(&[
        of.by_client,
        of.marked,
        of.done,
        of.mixed,
        of.swallowed,
        of.excused,
        of.issued > 0,
        of.accepted > 0,
        of.sent_in_vain,
        of.diverged,
        of.forgotten,
        of.acted_on,
        of.phantom,
    ]);
    encoder.set(&of.effects, |encoder, effect| {
        facts::part(encoder, effect.part);
        encoder.word(effect.net as u64);
        encoder.word(u64::from(effect.by));
        encoder.flag(effect.past);
    });
    encoder.set(&of.debt, |encoder, part| facts::part(encoder, *part));
    encoder.set(&of.tables, |encoder, table| encoder.word(u64::from(table.0)));
}
