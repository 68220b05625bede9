//! Who carries which versions of which rows: attempts, messages and timers.

use super::RowAt;
use crate::kernel::encoder::Encoder;
use crate::model::{Model, NONE, Op, Pc, RowVerb};
use crate::observe::facts;
use crate::observe::slots::{SlotTable, Tag};

/// An attempt or message carries no more rows; the earliest are forgotten.
pub const MOST_KNOWN: usize = 64;

/// What is carried now and was not, and the other way round.
#[derive(Debug, Default)]
pub struct Changes {
    pub held: Vec<RowAt>,
    pub let_go: Vec<RowAt>,
}

#[derive(Clone, Debug)]
pub struct Carriers {
    attempts: SlotTable<Carrier>,
    messages: SlotTable<Carrier>,
    timers: SlotTable<Carrier>,
    /// By operation.
    is_scan: Vec<bool>,
    in_transaction: Vec<bool>,
}

/// An attempt, message or timer.
#[derive(Clone, Debug, Default)]
struct Carrier {
    known: Vec<RowAt>,
    /// Who issued a message, or waits for an attempt's answer.
    issuer: Option<Tag>,
    /// Messages that an attempt has made in the transaction that is open.
    open: Vec<Tag>,
}

impl Carrier {
    /// A carrier of this, in the room of one that is gone.
    fn begin(&mut self, known: &[RowAt], issuer: Option<Tag>) {
        self.known.clear();
        self.known.extend_from_slice(known);
        self.open.clear();
        self.issuer = issuer;
    }
}

impl Carriers {
    pub fn new(model: &Model) -> Self {
        let is_scan = |op: &Op| match op {
            Op::Row(step) => model.row_steps[*step as usize].verb == RowVerb::Scan,
            _ => false,
        };
        let in_transaction = |pc: usize| {
            // What is appended to a stream is published with the commit of its own row.
            if let Op::Row(step) = model.code[pc]
                && model.row_steps[step as usize].appended().is_some()
            {
                return true;
            }
            let mut region = model.region_of[pc];
            while region != NONE && model.regions[region as usize].transaction.is_none() {
                region = model.regions[region as usize].parent;
            }
            region != NONE
        };
        Self {
            attempts: SlotTable::default(),
            messages: SlotTable::default(),
            timers: SlotTable::default(),
            is_scan: model.code.iter().map(is_scan).collect(),
            in_transaction: (0..model.code.len()).map(in_transaction).collect(),
        }
    }

    pub fn is_scan(&self, pc: Pc) -> bool {
        self.is_scan[pc as usize]
    }

    /// An attempt begins with what its message and timer carry; gives that.
    pub fn begin(&mut self, attempt: u32, message: u32, timer: Option<u32>, called: bool) -> Vec<RowAt> {
        let message = self.messages.get(message);
        let timer = timer.and_then(|timer| self.timers.get(timer));
        let mut known = Vec::new();
        for &(row, version) in message.iter().chain(&timer).flat_map(|carrier| &carrier.known) {
            add(&mut known, (row, version), &mut Changes::default());
        }
        let issuer = message.filter(|_| called).and_then(|message| message.issuer);
        self.attempts.begin(attempt).begin(&known, issuer);
        known
    }

    /// Gives what the attempt knew.
    pub fn end(&mut self, attempt: u32) -> &[RowAt] {
        self.attempts.end(attempt).map_or(&[], |carrier| &carrier.known)
    }

    /// An attempt makes a message; gives what it carries.
    pub fn issue(&mut self, attempt: u32, message: u32, pc: Pc) -> &[RowAt] {
        let issuer = self.attempts.tag(attempt);
        let known = self.attempts.get(attempt).map_or(&[][..], |attempt| &attempt.known);
        self.messages.begin(message).begin(known, issuer);
        if self.in_transaction[pc as usize]
            && let (Some(attempt), Some(made)) = (self.attempts.get_mut(attempt), self.messages.tag(message))
        {
            attempt.open.push(made);
        }
        self.known(attempt)
    }

    /// Gives what the message carried.
    pub fn free(&mut self, message: u32) -> &[RowAt] {
        self.messages.end(message).map_or(&[], |carrier| &carrier.known)
    }

    /// An attempt sets a timer; gives what it carries.
    pub fn set_timer(&mut self, attempt: u32, timer: u32) -> &[RowAt] {
        let known = self.attempts.get(attempt).map_or(&[][..], |attempt| &attempt.known);
        self.timers.begin(timer).begin(known, None);
        self.known(attempt)
    }

    /// Gives what the timer carried.
    pub fn free_timer(&mut self, timer: u32) -> &[RowAt] {
        self.timers.end(timer).map_or(&[], |carrier| &carrier.known)
    }

    pub fn transaction_ended(&mut self, attempt: u32) {
        if let Some(attempt) = self.attempts.get_mut(attempt) {
            attempt.open.clear();
        }
    }

    /// The messages that an attempt has made in the transaction that commits now.
    pub fn open_messages(&self, attempt: u32) -> Vec<u32> {
        let open = self.attempts.get(attempt).map_or(&[][..], |attempt| &attempt.open);
        open.iter().filter(|made| self.messages.at(**made).is_some()).map(|made| made.slot).collect()
    }

    pub fn known(&self, attempt: u32) -> &[RowAt] {
        self.attempts.get(attempt).map_or(&[], |attempt| &attempt.known)
    }

    /// An attempt, and all who wait for its answer, come to know a version.
    pub fn learn(&mut self, attempt: u32, known: RowAt) -> Changes {
        let mut changes = Changes::default();
        let mut next = self.attempts.tag(attempt);
        while let Some(tag) = next
            && self.attempts.at(tag).is_some()
            && let Some(attempt) = self.attempts.get_mut(tag.slot)
        {
            add(&mut attempt.known, known, &mut changes);
            next = attempt.issuer;
        }
        changes
    }

    pub fn learn_message(&mut self, message: u32, known: RowAt) -> Changes {
        let mut changes = Changes::default();
        if let Some(message) = self.messages.get_mut(message) {
            add(&mut message.known, known, &mut changes);
        }
        changes
    }

    /// Who carries what. What was learnt first is let go first, so that it is in an order.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self { attempts, messages, timers, is_scan: _, in_transaction: _ } = self;
        encoder.set(attempts.iter(), |encoder, (slot, of)| {
            encoder.attempt(slot);
            self.encode_carrier(encoder, of);
        });
        encoder.set(messages.iter(), |encoder, (slot, of)| {
            encoder.message(slot);
            self.encode_carrier(encoder, of);
        });
        encoder.set(timers.iter(), |encoder, (slot, of)| {
            encoder.timer(slot);
            self.encode_carrier(encoder, of);
        });
    }

    fn encode_carrier(&self, encoder: &mut Encoder, Carrier { known, issuer, open }: &Carrier) {
        encoder.list(known, |encoder, known| encode_row_at(encoder, *known));
        let issuer = issuer.filter(|issuer| self.attempts.at(*issuer).is_some());
        encoder.flag(issuer.is_some());
        issuer.into_iter().for_each(|issuer| encoder.attempt(issuer.slot));
        let open = open.iter().filter(|made| self.messages.at(**made).is_some());
        encoder.set(open, |encoder, made| encoder.message(made.slot));
    }
}

/// A version of a row.
pub fn encode_row_at(encoder: &mut Encoder, (row, version): RowAt) {
    facts::row(encoder, row);
    encoder.word(version);
}

/// Adds a version to what is known, in place of an older one of its row.
fn add(known: &mut Vec<RowAt>, new: RowAt, changes: &mut Changes) {
    match known.iter_mut().find(|(row, _)| *row == new.0) {
        Some(old) => old.1 = old.1.max(new.1),
        None => {
            if known.len() == MOST_KNOWN {
                changes.let_go.push(known.remove(0));
            }
            known.push(new);
            changes.held.push(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::{Names, each_shows};
    use crate::kernel::ids::TableId;
    use crate::world::deed::RowName;

    const ROW: RowAt = (RowName { table: TableId(1), key: 2, instance: 3 }, 4);

    /// By the names that a world gives: attempts 0 and 1 are 11 and 12, messages 21 and 22, timers 31 and 32.
    fn encode(of: &Carriers, encoder: &mut Encoder) {
        let names = Names { attempts: vec![11, 12], messages: vec![21, 22], timers: vec![31, 32] };
        let mut named = Encoder::with_names(names);
        of.encode(&mut named);
        named.into_words().into_iter().for_each(|word| encoder.word(word));
    }

    fn nobody() -> Carriers {
        Carriers {
            attempts: SlotTable::default(),
            messages: SlotTable::default(),
            timers: SlotTable::default(),
            is_scan: Vec::new(),
            in_transaction: Vec::new(),
        }
    }

    #[test]
    fn who_carries_what_shows() {
        each_shows(
            &nobody(),
            encode,
            &[
                |of| of.attempts.begin(0).begin(&[ROW], None),
                |of| of.attempts.begin(1).begin(&[ROW], None),
                |of| of.messages.begin(0).begin(&[ROW], None),
                |of| of.messages.begin(1).begin(&[ROW], None),
                |of| of.timers.begin(0).begin(&[ROW], None),
                |of| of.timers.begin(1).begin(&[ROW], None),
                |of| of.timers.begin(1).begin(&[], None),
                |of| of.attempts.begin(0).begin(&[(ROW.0, 5)], None),
                |of| of.attempts.begin(0).begin(&[(RowName { key: 9, ..ROW.0 }, 4)], None),
            ],
        );
    }

    #[test]
    fn who_issued_and_what_is_open_shows_while_it_is_there() {
        let mut of = nobody();
        of.attempts.begin(0).begin(&[], None);
        of.attempts.begin(1).begin(&[], None);
        of.messages.begin(0).begin(&[], None);
        of.messages.begin(1).begin(&[], None);
        each_shows(
            &of,
            encode,
            &[
                |of| of.messages.get_mut(0).unwrap().issuer = of.attempts.tag(0),
                |of| of.messages.get_mut(0).unwrap().issuer = of.attempts.tag(1),
                |of| of.attempts.get_mut(0).unwrap().open.extend(of.messages.tag(0)),
                |of| of.attempts.get_mut(0).unwrap().open.extend(of.messages.tag(1)),
            ],
        );
    }
}
