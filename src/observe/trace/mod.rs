//! Traces: all that concerns one obligation, gathered by running the replication again with nothing else in mind.
//!
//! Two looks at the same replication. The first ([`kin`]) finds whom the obligation comes from, who works for
//! it and which rows they meet. The second ([`gather`]) keeps what these did, who else changed those rows, and
//! which faults fired meanwhile. A run that keeps no traces pays nothing for them.
//!
//! ```text
//! 1.003  stock#0  attempt 1   R handled[e91] v0 (absent)
//! 1.004  stock#0  attempt 1   C items[1].reserved 0 → 2
//! 1.004  fault    f           crash stock: attempt 1 is cut, nothing is left undone
//! ```

pub mod descent;
pub mod gather;
mod helpers;
pub mod history;
pub mod kin;
pub mod wording;

use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::SourcePlace;
use crate::world::deed::RowName;
use crate::world::record::Outcome;

/// Who did something, or to whom it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    Client(ClientId),
    Instance(u32),
    Topic(TopicId),
    /// A fault's firing, from 0.
    Fault(FaultId, u64),
    /// A row's time to live was over.
    Time,
}

/// How what happened concerns the obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It led to it.
    Ancestor,
    Own,
    /// It came of it.
    Descendant,
    /// A write that was not seen, and what came of it.
    Missed,
    /// What came first and should have come after.
    Overtaker,
    /// Another's change of the same rows.
    Other,
    Fault,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Begins,
    Reads,
    Decides,
    Commits,
    /// A write step that found nothing to do.
    Refrains,
    Issues,
    Accepts,
    Settles,
    Told,
    Cut,
    Ends,
    Effect,
    Fault,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub at: Nanos,
    pub actor: Actor,
    /// Who sent what it acts on.
    pub from: Option<Actor>,
    /// The how-manieth attempt of its obligation, from 1.
    pub attempt: Option<u32>,
    pub role: Role,
    pub act: Act,
    /// Where the step is written.
    pub place: Option<SourcePlace>,
    /// Which row it reads or changes.
    pub row: Option<RowName>,
    pub text: String,
}

/// A lasting thing that the obligation's attempts did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// `stock.items[1].reserved`, `publishes Placed on placed`.
    pub what: String,
    /// From what to what; of messages and acts on the outside nothing.
    pub change: Option<(String, String)>,
    /// Of a table of marks.
    pub is_mark: bool,
    pub attempt: u32,
}

/// A change of a row that the obligation changed too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: Nanos,
    /// Whose it was: `Place order 5`.
    pub by: String,
    pub is_own: bool,
    pub what: String,
}

/// A fault's firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    pub fault: FaultId,
    pub number: u64,
    pub at: Nanos,
    pub touched: u32,
    /// It cut an attempt that concerns the obligation.
    pub cut: bool,
}

/// All that was gathered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Whose work it is: `Placed order 5`.
    pub subject: String,
    pub entries: Vec<Entry>,
    /// Entries beyond the bound.
    pub left_out: usize,
    pub done: Vec<Done>,
    pub changes: Vec<Change>,
    pub changes_left_out: usize,
    /// The rows that the obligation changed, each with its columns at the end; none of a row that is gone.
    pub at_end: Vec<(String, Vec<(String, String)>)>,
    /// How many attempts were begun with it.
    pub attempts: u32,
    /// What its first attempt ran.
    pub handler: Option<HandlerId>,
    /// In their order.
    pub firings: Vec<Firing>,
    /// Obligation and number of the deliveries after the first.
    pub deliveries_again: Vec<(u64, u32)>,
    /// What the client at the root was told.
    pub told: Option<(Nanos, Outcome)>,
}
