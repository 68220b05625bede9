//! Messages: what is sent, with the fields it carries, held until nobody refers to it.

use super::identity::Cause;
use super::words::Slab;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;

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
    /// Block of its fields.
    pub payload: u32,
    pub references: u32,
    pub kind: MessageId,
    /// The `publish` step it came from.
    pub step: u32,
    /// Which sending of which producer it is.
    pub producer: u32,
    pub sequence: u64,
    /// The partition it was sent to, or `NONE` before that is chosen.
    pub partition: u32,
}

/// All messages.
pub type Messages = Slab<Message>;
