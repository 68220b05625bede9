//! Topics that are the change log of a table.

use crate::kernel::ids::*;

/// Every committed change of a table as a message.
#[derive(Clone, Debug)]
pub struct Capture {
    pub table: TableId,
    pub message: MessageId,
    /// What each field of the message says.
    pub fields: Vec<CapturedField>,
}

/// A field of the message that tells of a changed row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapturedField {
    Column(usize),
    /// Whether the row is gone.
    Deleted,
}
