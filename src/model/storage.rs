//! What stores hold beside tables of rows: event streams and the steps on them, and copies of the rows.

use super::code::*;
use crate::kernel::ids::*;

/// An event stream: a table with one row for each key, the state that the messages under it fold to.
#[derive(Clone, Debug)]
pub struct Stream {
    /// The column that counts the messages.
    pub version: u16,
    /// What each message sets.
    pub apply: Vec<(MessageId, Vec<Assignment>)>,
    /// How long one message takes to be read and folded.
    pub read: Duration,
    /// Folding starts at a multiple of this; `u32::MAX`: at the beginning.
    pub snapshot_every: u32,
    /// The relay that carries what is appended to the stream's topic, among the outboxes.
    pub feed: Option<u32>,
    /// Some step asks for states of the past.
    pub keeps_past: bool,
}

impl Stream {
    /// How many messages are folded to come to a version.
    pub fn folded(&self, version: u64) -> u64 {
        if self.snapshot_every == u32::MAX { version } else { version % u64::from(self.snapshot_every) }
    }
}

/// A step on a stream.
#[derive(Clone, Debug)]
pub enum StreamStep {
    Load(Option<AsOf>),
    Append(AppendStep),
}

/// Which state of a stream is asked for.
#[derive(Clone, Copy, Debug)]
pub enum AsOf {
    Version(Operand),
    Time(Operand),
}

/// What is appended.
#[derive(Clone, Debug)]
pub struct AppendStep {
    pub message: MessageId,
    pub with: Range,
    /// The version that the stream must have.
    pub expect: Option<Operand>,
    /// Where it is published to from the stream, among the publish steps; `NONE`: nowhere.
    pub publish: u32,
    /// Frame slots: the message's id, which the step's own tries share, and how many there were; the
    /// latter is `Slot::MAX` of a step that is not tried again.
    pub id: Slot,
    pub tries: Slot,
}

impl RowStep {
    /// What it appends, if it does.
    pub fn appended(&self) -> Option<&AppendStep> {
        match self.stream.as_deref() {
            Some(StreamStep::Append(append)) => Some(append),
            _ => None,
        }
    }
}

/// Copies of a store's rows that reads can ask.
#[derive(Clone, Debug)]
pub enum Copies {
    /// They follow the store in the order of its commits.
    Follow {
        count: u32,
        lag: Duration,
        sticky: bool,
    },
    Quorum(Box<Quorum>),
}

impl Copies {
    /// How many there are.
    pub fn count(&self) -> u32 {
        match self {
            Copies::Follow { count, .. } => *count,
            Copies::Quorum(quorum) => quorum.regions.len() as u32,
        }
    }
}

/// A store that is so many equal replicas.
#[derive(Clone, Debug)]
pub struct Quorum {
    /// Of each replica, or `u16::MAX`.
    pub regions: Vec<u16>,
    pub write_quorum: u32,
    pub read_quorum: u32,
    pub write: Duration,
    pub acknowledge: Duration,
    pub read: Duration,
    pub respond: Duration,
    /// Draws what is lost on the way.
    pub trouble: StreamId,
}

/// A change log of a table.
#[derive(Clone, Debug)]
pub struct Capture {
    pub message: MessageId,
    /// How its relay publishes.
    pub publish: u32,
    /// The outbox whose relay follows the commits.
    pub feed: u32,
    /// By field of the message: the column that it tells, or `None`: whether the row is gone.
    pub fields: Vec<Option<u16>>,
}
