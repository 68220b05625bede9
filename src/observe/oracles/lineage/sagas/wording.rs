//! What is said of sagas that ended otherwise than they should.

use super::{Ending, Facts, Model, Nanos, RowName, Sighting, row_text};

pub(super) fn dirty(model: &Model, at: Nanos, obligation: u64, row: RowName) -> Sighting {
    let what = format!("another intent acted on {}, which the saga undid", row_text(model, row, None));
    Sighting { at, obligation, what, facts: Facts::at(row) }
}

pub(super) fn words(ending: Ending) -> &'static str {
    match ending {
        Ending::Completed => "completed",
        Ending::Compensated => "compensated",
        Ending::Stuck => "stuck, some steps done and nobody goes on or back",
        Ending::Inconsistent { over_undone: true, .. } => "undone more often than done",
        Ending::Inconsistent { leaked: true, .. } => "undone, and something of it is there",
        Ending::Inconsistent { .. } => "completed, and something of it is gone",
    }
}
