//! Rows, values and messages in the words of the scenario.

use super::keys::Place;
use super::rows::{EXISTENCE, Mention};
use super::{Keys, Model};
use crate::kernel::ids::{GroupId, SymbolId, TableId};
use crate::kernel::time::Pretty;
use crate::model::Word;
use crate::model::promise::Reading;
use crate::model::wording::moment;

/// `orders → shipping, key 7: Shipped of 1.002s came after Created of 1.004s`
pub fn out_of_order(
    model: &Model,
    keys: &Keys,
    (place, group): (Place, GroupId),
    came: &str,
    later: Mention,
) -> String {
    let spec = &model.groups[group.index()];
    format!(
        "{} → {}, key {}: {} {came} after {}",
        model.topics[spec.topic.index()].name,
        model.services[spec.service.index()].name,
        identity(keys.key(place)),
        message(model, keys.mention(place)),
        message(model, later)
    )
}

/// `catalogue.prices[7].price: 20 → 10 by PriceSet of 1.001s, over PriceSet of 1.002s`
pub fn regressed(
    model: &Model,
    table: TableId,
    (old, new): (Option<&[Word]>, Option<&[Word]>),
    column: u16,
    (earlier, later): (Mention, Mention),
) -> String {
    let (by, over) = (message(model, earlier), message(model, later));
    let row = row(model, table, new.or(old).unwrap_or(&[]));
    match (old, new) {
        (Some(old), Some(new)) if column != EXISTENCE => {
            let name = &model.tables[table.index()].column_names[column as usize];
            let [old, new] = [old, new].map(|words| value(model, table, column, words[column as usize]));
            format!("{row}.{name}: {old} → {new} by {by}, over {over}")
        }
        (_, None) => format!("{row}: deleted by {by}, over {over}"),
        _ => format!("{row}: back by {by}, deleted by {over}"),
    }
}

/// `view.orders[7].status: shipped → created`
pub fn transition(model: &Model, table: TableId, column: u16, (old, new): (&[Word], &[Word])) -> String {
    let name = &model.tables[table.index()].column_names[column as usize];
    let [from, to] = [old, new].map(|words| value(model, table, column, words[column as usize]));
    format!("{}.{name}: {from} → {to}", row(model, table, new))
}

fn message(model: &Model, of: Mention) -> String {
    format!("{} of {}", model.messages[of.kind.index()].name, moment(of.at as i64))
}

fn row(model: &Model, table: TableId, words: &[Word]) -> String {
    let spec = &model.tables[table.index()];
    let key = spec.key.iter().filter_map(|&column| {
        let word = *words.get(column as usize)?;
        Some(value(model, table, column as u16, word))
    });
    format!("{}[{}]", spec.name, key.collect::<Vec<_>>().join(", "))
}

fn value(model: &Model, table: TableId, column: u16, word: Word) -> String {
    match model.tables[table.index()].readings[column as usize] {
        Reading::Symbol => {
            let symbol = SymbolId(word as u32).index();
            model.names.symbols.get(symbol).cloned().unwrap_or_else(|| word.to_string())
        }
        Reading::Truth => (word != 0).to_string(),
        Reading::Float => f64::from_bits(word).to_string(),
        Reading::Id => identity(word),
        Reading::Integer | Reading::Bytes | Reading::List => (word as i64).to_string(),
        // Times and durations.
        _ if word as i64 >= 0 => Pretty(word).to_string(),
        _ => format!("-{}", Pretty((word as i64).unsigned_abs())),
    }
}

/// Numbers as they are, made-up identities as eight digits.
fn identity(word: Word) -> String {
    if word < 1 << 32 { word.to_string() } else { format!("{:08x}", word >> 32) }
}
