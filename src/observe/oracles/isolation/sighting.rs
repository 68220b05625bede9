//! What was seen to go wrong, in one line each.

use super::premise::Premise;
use crate::model::Model;
use crate::world::deed::RowName;

pub fn lost(model: &Model, name: RowName, (old, new): (Option<&[u64]>, Option<&[u64]>)) -> String {
    let table = &model.tables[name.table.index()];
    let words = |words: &[u64], column: usize| words.get(column).copied().unwrap_or(0) as i64;
    let (old, new) = (old.unwrap_or(&[]), new.unwrap_or(&[]));
    let key: Vec<String> = table.key.iter().map(|&column| words(new, column as usize).to_string()).collect();
    format!(
        "{}[{}]: {:?} takes the place of {:?}, which another attempt has written since this one read the row",
        table.name,
        key.join(", "),
        new.iter().map(|&word| word as i64).collect::<Vec<_>>(),
        old.iter().map(|&word| word as i64).collect::<Vec<_>>(),
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
