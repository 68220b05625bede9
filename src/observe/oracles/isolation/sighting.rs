//! What was seen to go wrong, in one line each.

use super::premise::Premise;
use crate::model::Model;
use crate::world::deed::RowName;

pub fn lost(model: &Model, name: RowName, (old, new): (Option<&[u64]>, Option<&[u64]>)) -> String {
    let key = &model.tables[name.table.index()].key;
    let cells = |words: Option<&[u64]>| {
        let Some(words) = words else { return "nothing".to_owned() };
        let columns = (0..words.len()).filter(|column| !key.contains(&(*column as u32)));
        model.cells(name.table, columns, words)
    };
    format!(
        "{}: {} takes the place of {}, which another attempt has written since this one read the row",
        model.row_name(name.table, new.or(old).unwrap_or(&[])),
        cells(new),
        cells(old),
    )
}

pub fn stale_premise(model: &Model, premise: Premise) -> String {
    let table = &model.tables[premise.row.table.index()].name;
    format!("{table}: a commit goes by a row that another attempt has replaced since it was read")
}

pub fn cycle(model: &Model, name: RowName) -> String {
    let table = &model.tables[name.table.index()].name;
    format!("{table}: no order of the attempts explains what they read and wrote")
}
