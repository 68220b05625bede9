//! Who carries which versions of which rows: attempts, messages and timers.

use super::RowAt;
use crate::model::{Model, NONE, Op, Pc, RowVerb};

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
    /// By slot.
    attempts: Vec<Carrier>,
    messages: Vec<Carrier>,
    timers: Vec<Carrier>,
    /// By operation.
    is_scan: Vec<bool>,
    in_transaction: Vec<bool>,
    /// How many attempts and messages there were.
    generations: u64,
}

/// An attempt, message or timer, if its slot is in use.
#[derive(Clone, Debug, Default)]
struct Carrier {
    generation: u64,
    known: Vec<RowAt>,
    /// Who issued a message, or waits for an attempt's answer.
    issuer: Option<(u32, u64)>,
    /// Messages that an attempt has made in the transaction that is open.
    open: Vec<(u32, u64)>,
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
            attempts: Vec::new(),
            messages: Vec::new(),
            timers: Vec::new(),
            is_scan: model.code.iter().map(is_scan).collect(),
            in_transaction: (0..model.code.len()).map(in_transaction).collect(),
            generations: 0,
        }
    }

    pub fn is_scan(&self, pc: Pc) -> bool {
        self.is_scan[pc as usize]
    }

    /// An attempt begins with what its message and timer carry; gives that.
    pub fn begin(&mut self, attempt: u32, message: u32, timer: Option<u32>, called: bool) -> Vec<RowAt> {
        let message = self.messages.get(message as usize);
        let timer = timer.and_then(|timer| self.timers.get(timer as usize));
        let mut known = Vec::new();
        for &(row, version) in message.iter().chain(&timer).flat_map(|carrier| &carrier.known) {
            add(&mut known, (row, version), &mut Changes::default());
        }
        let issuer = message.filter(|_| called).and_then(|message| message.issuer);
        self.put(Kind::Attempt, attempt, known.clone(), issuer);
        known
    }

    /// Gives what the attempt knew.
    pub fn end(&mut self, attempt: u32) -> Vec<RowAt> {
        take(&mut self.attempts, attempt)
    }

    /// An attempt makes a message; gives what it carries.
    pub fn issue(&mut self, attempt: u32, message: u32, pc: Pc) -> Vec<RowAt> {
        let issuer = (attempt, self.attempts[attempt as usize].generation);
        let known = self.attempts[attempt as usize].known.clone();
        self.put(Kind::Message, message, known.clone(), Some(issuer));
        if self.in_transaction[pc as usize] {
            let generation = self.generations;
            self.attempts[attempt as usize].open.push((message, generation));
        }
        known
    }

    /// Gives what the message carried.
    pub fn free(&mut self, message: u32) -> Vec<RowAt> {
        take(&mut self.messages, message)
    }

    /// An attempt sets a timer; gives what it carries.
    pub fn set_timer(&mut self, attempt: u32, timer: u32) -> Vec<RowAt> {
        let known = self.attempts.get(attempt as usize).map_or(Vec::new(), |of| of.known.clone());
        self.put(Kind::Timer, timer, known.clone(), None);
        known
    }

    /// Gives what the timer carried.
    pub fn free_timer(&mut self, timer: u32) -> Vec<RowAt> {
        take(&mut self.timers, timer)
    }

    pub fn transaction_ended(&mut self, attempt: u32) {
        if let Some(attempt) = self.attempts.get_mut(attempt as usize) {
            attempt.open.clear();
        }
    }

    /// The messages that an attempt has made in the transaction that commits now.
    pub fn open_messages(&self, attempt: u32) -> Vec<u32> {
        let open = &self.attempts[attempt as usize].open;
        let is_same =
            |&&(message, generation): &&(u32, u64)| self.messages[message as usize].generation == generation;
        open.iter().filter(is_same).map(|&(message, _)| message).collect()
    }

    pub fn known(&self, attempt: u32) -> &[RowAt] {
        self.attempts.get(attempt as usize).map_or(&[], |attempt| &attempt.known)
    }

    /// An attempt, and all who wait for its answer, come to know a version.
    pub fn learn(&mut self, attempt: u32, known: RowAt) -> Changes {
        let mut changes = Changes::default();
        let mut next = Some(attempt);
        while let Some(slot) = next {
            let attempt = &mut self.attempts[slot as usize];
            add(&mut attempt.known, known, &mut changes);
            let issuer = attempt.issuer;
            next = issuer
                .filter(|&(slot, generation)| self.attempts[slot as usize].generation == generation)
                .map(|(slot, _)| slot);
        }
        changes
    }

    pub fn learn_message(&mut self, message: u32, known: RowAt) -> Changes {
        let mut changes = Changes::default();
        add(&mut self.messages[message as usize].known, known, &mut changes);
        changes
    }

    fn put(&mut self, kind: Kind, slot: u32, known: Vec<RowAt>, issuer: Option<(u32, u64)>) {
        self.generations += 1;
        let generation = self.generations;
        let all = match kind {
            Kind::Attempt => &mut self.attempts,
            Kind::Message => &mut self.messages,
            Kind::Timer => &mut self.timers,
        };
        if all.len() <= slot as usize {
            all.resize(slot as usize + 1, Carrier::default());
        }
        all[slot as usize] = Carrier { generation, known, issuer, open: Vec::new() };
    }
}

enum Kind {
    Attempt,
    Message,
    Timer,
}

fn take(all: &mut [Carrier], slot: u32) -> Vec<RowAt> {
    all.get_mut(slot as usize).map_or(Vec::new(), |carrier| std::mem::take(carrier).known)
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
