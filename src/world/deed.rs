//! What was done, told in full to those who judge it: which attempt read and wrote which version of
//! which row for which obligation, what it issued, what it was told, and what a cut left undone.
//!
//! Deeds are beside the [records](super::record): they are told only if an observer judges
//! ([`super::record::Observer::judges`]), carry references into the world, and are in no digest. Telling
//! them changes nothing.
//!
//! An *attempt* here is always a whole one: what a branch of a `parallel` does is told of the attempt that it
//! belongs to. Slots are used again: an attempt's from [`Deed::AttemptBegun`] to [`Deed::AttemptEnded`], a message's
//! from [`Deed::Issued`] to [`Deed::Freed`], a timer's from [`Deed::TimerSet`] to
//! [`Deed::TimerGone`].

use super::identity::Cause;
use super::record::{Outcome, SlotNumber};
use crate::kernel::ids::*;
use crate::model::{Pc, Slot, Word};
use serde::{Deserialize, Serialize};

/// What an attempt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    Intent {
        client: ClientId,
        number: u64,
        /// Of a closed population; else `NONE`.
        user: u32,
    },
    Call,
    Send,
    /// The how-manieth delivery it is, from 1.
    Delivery {
        group: GroupId,
        delivery: u32,
    },
    Tick {
        job: JobId,
    },
    Timer {
        timer: SlotNumber,
    },
}

/// How a message was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Published straight to the broker.
    Direct,
    /// A row of the outbox, of the open transaction or committed at once.
    Outbox,
    /// Published to the broker, to be seen with the acknowledgement of the delivery in hand.
    WithAck,
    /// Told by a change log: nobody's step publishes it.
    Captured,
    Call,
    Send,
}

/// How a broker took a message in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    Taken,
    /// It has it already, and says so.
    Recognised,
    /// Exhausted elsewhere, it is set aside here.
    Transferred,
}

/// A version of a row, as it was seen. Of an absent row all is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub number: u64,
    /// The obligation that wrote it; `INITIAL_WRITER` of rows there at the start, 0 of absent ones.
    pub writer: u64,
    pub exists: bool,
}

/// One row of a table: a hash of table and key, the same in all deeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowName {
    pub table: TableId,
    /// A hash of the key's words.
    pub key: u64,
    /// The instance, for tables in memory; else `NONE`.
    pub instance: u32,
}

/// A place in an obligation's work: step and item. The steps of one name share a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Part {
    pub site: SiteId,
    /// The item of the loops around it; 0 outside.
    pub item: u64,
    /// It ought to happen once for a value (`once_per`), which is in `item`, whoever's work it is in.
    pub is_of_value: bool,
}

impl Part {
    /// What an obligation does at a step for an item.
    pub fn new(site: SiteId, item: u64) -> Self {
        Self { site, item, is_of_value: false }
    }
}

/// What a write step decided to do with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    Put,
    Delete,
    /// There was nothing to do: `else`, if there is one.
    Nothing,
}

/// What the last decision of a remainder is on, if it changes nothing after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndsOn {
    /// A row of this table that another obligation left there.
    AnothersRow(TableId),
    /// One local, which was filled before.
    Local(Slot),
    /// Anything else, or nothing.
    Other,
}

/// What a saga is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SagaStage {
    Doing,
    /// Waits for the message that ends a step.
    Awaiting,
    Undoing,
    /// All steps are done: what follows them.
    Completing,
    /// All is undone: what follows that.
    Compensating,
    Ended,
}

/// One thing that was done.
#[derive(Clone, Copy, Debug)]
pub enum Deed<'a> {
    /// `message` is the one in hand, or `NONE`; `instance` is `NONE` for clients.
    AttemptBegun {
        attempt: SlotNumber,
        handler: HandlerId,
        instance: u32,
        cause: Cause,
        served: Served,
        message: SlotNumber,
    },
    /// Told before the end of an attempt that does not run to its last step: what its remainder, run dry
    /// on the store as it stands, would still have changed; and where it was cut.
    Cut {
        attempt: SlotNumber,
        at: Pc,
        debt: &'a [Part],
        /// The remainder decides on a row that its obligation has written.
        resumes: bool,
        /// What its last decision would be on, with nothing done after it.
        ends_on: EndsOn,
    },
    /// Told after the `Cut` of an attempt whose remainder was too long to be run dry to its end: it may have
    /// more debt than was told.
    DebtUnknown {
        attempt: SlotNumber,
    },
    AttemptEnded {
        attempt: SlotNumber,
        outcome: Outcome,
    },
    /// A value was made that nobody else gets, or that counts. Told only where a run is compared with its
    /// intents alone.
    Made {
        attempt: SlotNumber,
        value: u64,
    },
    /// An `if` was decided.
    Decided {
        attempt: SlotNumber,
        pc: Pc,
        /// The item of the loops around it; 0 outside.
        item: u64,
        holds: bool,
    },
    /// A `let` gave a local its value.
    Named {
        attempt: SlotNumber,
        /// The item of the loops around it; 0 outside.
        item: u64,
        slot: Slot,
        value: u32,
    },
    /// A read or a scan of a store set out; what it sees is told when it gets there.
    Asked {
        attempt: SlotNumber,
        pc: Pc,
        item: u64,
    },
    /// A read saw a version of a row; `into` is the first slot of its local. Of a scan, one for each row.
    Read {
        attempt: SlotNumber,
        pc: Pc,
        /// The item of the loops around it; 0 outside.
        item: u64,
        row: RowName,
        version: Version,
        into: Option<Slot>,
        words: &'a [Word],
    },
    /// A scan looked at a table; then a [`Deed::Read`] for each row that it admitted.
    Scanned {
        attempt: SlotNumber,
        pc: Pc,
        table: TableId,
    },
    /// A write step decided on a row under its lock; `seen` is what it found there.
    Wrote {
        attempt: SlotNumber,
        pc: Pc,
        part: Part,
        row: RowName,
        seen: Version,
        write: Write,
    },
    /// A row's change was committed; `attempt` is `NONE` for one whose time to live was over. One for each
    /// row, then, of a transaction, `TransactionEnded`.
    Committed {
        attempt: SlotNumber,
        row: RowName,
        old: Option<&'a [Word]>,
        old_version: Version,
        new: Option<&'a [Word]>,
        version: u64,
    },
    /// A change that was committed and not yet durable is gone with its store: the row is as it was.
    Forgotten {
        row: RowName,
        /// The version that is gone.
        version: u64,
    },
    /// An outbox row that was committed and not yet durable is gone with its store, before a relay took it up.
    Unsaid {
        message: SlotNumber,
    },
    /// Some copy of a store that may fail over has a version of a row.
    Durable {
        row: RowName,
        version: u64,
    },
    /// What a store has committed so far is durable.
    Flushed {
        store: u32,
    },
    /// Every copy of a store has this version of a row, or a newer one.
    Replicated {
        row: RowName,
        version: u64,
    },
    /// A table was emptied, to be filled again from what a group handles once more. Its rows' deletions
    /// were told before.
    Cleared {
        table: TableId,
        group: GroupId,
    },
    /// A transaction, or a row step of its own, is over.
    TransactionEnded {
        attempt: SlotNumber,
        committed: bool,
    },
    /// A message was made. Its fields are in `payload`.
    Issued {
        attempt: SlotNumber,
        message: SlotNumber,
        kind: MessageId,
        part: Part,
        way: Way,
        cause: Cause,
        key: Option<u64>,
        topic: Option<TopicId>,
        /// Where in the attempt's code.
        pc: Pc,
        payload: &'a [Word],
        /// A hash of what it says, the items of lists included.
        content: u64,
    },
    /// The outbox row that holds a message is committed: its relay may find it. Of a transaction's, before
    /// `TransactionEnded`.
    Enqueued {
        message: SlotNumber,
    },
    /// Nobody holds the message any more.
    Freed {
        message: SlotNumber,
    },
    /// A message came to a topic.
    Accepted {
        message: SlotNumber,
        topic: TopicId,
        how: Acceptance,
    },
    /// An external effect was carried out; not `first` if its key was known. `attempt` is `NONE` if the one
    /// who asked has given up or is gone.
    Effected {
        attempt: SlotNumber,
        obligation: u64,
        part: Part,
        effect: EffectId,
        first: bool,
    },
    /// A request to the outside set out; it holds its obligation until `Effected` or `EffectGone`.
    EffectAsked {
        attempt: SlotNumber,
        obligation: u64,
    },
    /// A request to the outside was cut before it arrived.
    EffectGone {
        obligation: u64,
    },
    /// Who called knows how it went; `obligation` is the callee's.
    Told {
        attempt: SlotNumber,
        obligation: u64,
        outcome: Outcome,
    },
    TimerSet {
        attempt: SlotNumber,
        timer: SlotNumber,
        cause: Cause,
        durable: bool,
        part: Part,
    },
    /// It will not fire again.
    TimerGone {
        timer: SlotNumber,
    },
    /// A saga has begun, or gone on to something else: a timer carries it from here. `attempt` is the one that
    /// moved it, or `NONE` if its patience was over; `before` is the timer until now, or `NONE`. Of a beginning,
    /// `part` is what it is in the work of that attempt.
    SagaMoved {
        attempt: SlotNumber,
        saga: SlotNumber,
        of: SagaId,
        key: Word,
        stage: SagaStage,
        step: u16,
        timer: SlotNumber,
        before: SlotNumber,
        cause: Cause,
        part: Option<Part>,
    },
    /// Its store has forgotten a change of a saga: it is where it was before, carried by the timer of that time.
    SagaReturned {
        saga: SlotNumber,
        of: SagaId,
        key: Word,
    },
    /// The step that an attempt was at failed, and its saga knows.
    SagaStepRefused {
        attempt: SlotNumber,
    },
    /// A saga is over; of one that is reopened by a late answer, again.
    SagaEnded {
        saga: SlotNumber,
        of: SagaId,
        key: Word,
        completed: bool,
    },
}
