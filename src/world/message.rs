//! Messages: what is sent, with the fields it carries, held until nobody refers to it.

use super::attempt::Source;
use super::deed::Deed;
use super::identity::{Cause, mix};
use super::record::Observer;
use super::words::Slab;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Error, Identity, NONE, Range};

/// One message, however many copies of it are under way.
#[derive(Clone, Debug)]
pub struct Message {
    pub cause: Cause,
    /// `message.id`: made at each execution of its step.
    pub id: u64,
    pub key: Option<u64>,
    pub published_at: Nanos,
    /// How long after it has reached its broker it becomes visible (`delay`).
    pub delay: Nanos,
    /// How long after that it is given up (`expires`); 0: never.
    pub expires: Nanos,
    /// Block of its fields.
    pub payload: u32,
    pub references: u32,
    pub kind: MessageId,
    /// The `publish` or `send` step it came from.
    pub step: u32,
    /// Which sending of which producer it is.
    pub producer: u32,
    pub sequence: u64,
    /// No handler can handle it.
    pub poisoned: bool,
    /// Its broker has it, or had it.
    pub taken: bool,
    /// The partition it was sent to, or `NONE` before that is chosen.
    pub partition: u32,
}

impl Message {
    /// One that nobody has sent yet; who makes it holds the first reference.
    #[inline(always)]
    pub fn new(cause: Cause, kind: MessageId, payload: u32, key: Option<u64>, now: Nanos) -> Self {
        Self {
            cause,
            id: 0,
            key,
            published_at: now,
            delay: 0,
            expires: 0,
            payload,
            references: 1,
            kind,
            step: NONE,
            producer: NONE,
            sequence: 0,
            poisoned: false,
            taken: false,
            partition: NONE,
        }
    }
}

/// All messages.
pub type Messages = Slab<Message>;

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Makes a message of assignments; the caller holds the first reference.
    pub(super) fn make_message(
        &mut self,
        attempt: u32,
        kind: MessageId,
        with: Range,
        site: SiteId,
    ) -> Result<u32, Error> {
        let model = self.model;
        let shape = &model.messages[kind.index()];
        let payload = self.world.words.allocate(shape.fields);
        let assignments = &model.assignments[with.indices()];
        if let Err(error) = self.assign(assignments, payload, &shape.list_fields, attempt) {
            self.free_payload(payload, shape.fields, &shape.list_fields);
            return Err(error);
        }
        if !shape.fill.is_empty() {
            self.fill_in(attempt, kind, payload)?;
        }
        let cause = self.issued(attempt, site);
        let of = &self.world.attempts[attempt];
        let handler = of.handler;
        let id = self.unique((attempt, handler), 0x6D65_7373);
        let key = shape.key.map(|field| self.world.words.get(payload, field));
        let poisoned = self.world.poisons > 0 && self.is_poisoned(kind, cause.obligation);
        let message = Message::new(cause, kind, payload, key, self.agenda.now());
        let message = Message { id, poisoned, ..message };
        Ok(self.world.messages.add(message))
    }

    /// Fills the room of fields that only later schemas have, as they would have it.
    fn fill_in(&mut self, attempt: u32, kind: MessageId, payload: u32) -> Result<(), Error> {
        let model = self.model;
        let shape = &model.messages[kind.index()];
        // What an upcast calls `message` is the message itself.
        let cause = self.world.attempts[attempt].cause;
        let key = shape.key.map(|field| self.world.words.get(payload, field));
        let itself = Message::new(cause, kind, payload, key, self.agenda.now());
        let itself = self.world.messages.add(itself);
        let in_hand = std::mem::replace(&mut self.world.attempts[attempt].message, itself);
        let mut result = Ok(());
        for assignment in &shape.fill {
            match self.value(assignment.value, attempt) {
                Ok(word) => {
                    let is_list = shape.list_fields.contains(&assignment.position);
                    let word = if is_list { self.own_list(word) } else { word };
                    self.world.words.set(payload, assignment.position, word);
                }
                Err(error) => result = Err(error),
            }
        }
        self.drop_temporaries();
        self.world.attempts[attempt].message = in_hand;
        self.world.messages.release(itself);
        if result.is_err() {
            self.free_payload(payload, shape.fields, &shape.list_fields);
        }
        result
    }

    /// Whom something serves that an attempt issues at a site.
    pub(super) fn issued(&mut self, attempt: u32, site: SiteId) -> Cause {
        let model = self.model;
        let key = model.site_keys[site.index()];
        let identity = model.identity(self.world.attempts[attempt].pc);
        let parent = match identity {
            // What cannot be calculated identifies nothing.
            Some(Identity::OncePer(value)) => self.evaluate(value, attempt).ok().map(|value| mix(key, value)),
            _ if self.world.attempts[attempt].item == 0 => None,
            _ => self.job_of_row(attempt),
        };
        let of = &self.world.attempts[attempt];
        let cause = match (parent, identity) {
            (_, Some(Identity::PassesOn)) => of.cause.passing_on(key, of.item),
            (Some(parent), _) => of.cause.child_of(parent, key, of.item),
            (None, _) => of.cause.child(key, of.item),
        };
        // What a group of steps does when it is tried again is tried again too.
        let cause = cause.again(of.tries);
        if of.item != 0 { cause.aside() } else { cause }
    }

    /// The key of the job, if an attempt at an item of a loop is one of a job that ought to do its work once for
    /// each row.
    fn job_of_row(&self, attempt: u32) -> Option<u64> {
        match self.world.attempts[self.root_of(attempt)].source {
            Source::Job { job } => {
                let job = &self.model.jobs[job.index()];
                job.per_row.then_some(job.key)
            }
            _ => None,
        }
    }

    /// One who referred to a message no longer does.
    #[inline]
    pub(super) fn release_message(&mut self, message: u32) {
        let of = &mut self.world.messages[message];
        debug_assert!(of.references > 0, "only who holds a message lets go of it");
        of.references -= 1;
        if of.references > 0 {
            return;
        }
        let (payload, kind) = (of.payload, of.kind);
        self.tell(&Deed::Freed { message });
        // A message without fields has no block of them.
        if payload != NONE {
            let model = self.model;
            let shape = &model.messages[kind.index()];
            self.free_payload(payload, shape.fields, &shape.list_fields);
        }
        self.world.messages.release(message);
    }

    pub(super) fn free_payload(&mut self, payload: u32, fields: u16, lists: &[u16]) {
        for &list in lists {
            let list = self.world.words.get(payload, list);
            self.world.lists.release(list);
        }
        self.world.words.release(payload, fields);
    }
}
