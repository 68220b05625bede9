//! Rows at a moment, and their histories.

use super::wording::{self, instance_of};
use super::{NothingToShow, Stopped};
use crate::experiment::results::inspection::{self as results, Row, RowVersion};
use crate::kernel::ids::TableId;
use crate::model::{Model, NONE};
use crate::observe::trace::history::{self, instances_with, key_text};
use crate::world::deed::RowName;
use crate::world::tell::key_hash;

/// Rows that are shown at once; what is beyond is counted.
const MOST_ROWS: u64 = 1000;
/// Keys that are remembered to say what could have been meant.
const MOST_KEYS: usize = 2000;

/// The rows asked for as they are. Of one with a key that is gone, how it went.
pub fn rows(stopped: &Stopped, wanted: &history::Rows) -> Result<results::Rows, NothingToShow> {
    let Stopped { model, world, history, .. } = stopped;
    let mut rows = results::Rows { rows: Vec::new(), left_out: 0 };
    for (table, instance) in places(model, wanted) {
        for row in world.table_rows(model, table, instance) {
            if wanted.key.as_ref().is_some_and(|key| key_text(model, table, row.words) != *key) {
                continue;
            }
            if rows.rows.len() as u64 >= MOST_ROWS {
                rows.left_out += 1;
                continue;
            }
            let name = RowName { table, key: key_hash(model, table, row.words), instance };
            let latest = history.latest(name);
            let latest = latest.expect("every commit of the rows asked for was observed");
            rows.rows.push(Row {
                name: model.row_name(table, row.words),
                instance: instance_of(model, instance),
                is_there: true,
                cells: wording::cells(model, table, row.words),
                version: wording::version(model, latest),
            });
        }
    }
    let gone = history.keyed().into_iter().filter(|version| version.new.is_none());
    rows.rows.extend(gone.map(|version| Row {
        name: name_of(model, version),
        instance: instance_of(model, version.row.instance),
        is_there: false,
        cells: Vec::new(),
        version: wording::version(model, version),
    }));
    if rows.rows.is_empty() && wanted.key.is_some() {
        return Err(no_such_key(stopped, wanted));
    }
    Ok(rows)
}

/// Their versions, the first one first.
pub fn history(stopped: &Stopped, wanted: &history::Rows) -> Result<results::History, NothingToShow> {
    let Stopped { model, history, .. } = stopped;
    let versions = history.versions().iter().map(|version| RowVersion {
        name: name_of(model, version),
        instance: instance_of(model, version.row.instance),
        is_there: version.new.is_some(),
        cells: version.new.as_ref().map_or(Vec::new(), |new| wording::cells(model, version.row.table, new)),
        version: wording::version(model, version),
    });
    let versions: Vec<RowVersion> = versions.collect();
    if versions.is_empty() && wanted.key.is_some() {
        return Err(no_such_key(stopped, wanted));
    }
    Ok(results::History { versions, left_out: history.left_out() })
}

fn name_of(model: &Model, version: &history::Version) -> String {
    let words = version.new.as_ref().or(version.old.as_ref());
    model.row_name(version.row.table, words.expect("a version came or went"))
}

/// Every table in question; one in memory once for each instance.
fn places(model: &Model, wanted: &history::Rows) -> Vec<(TableId, u32)> {
    let tables = (0..model.tables.len()).map(TableId::new);
    let tables = tables.filter(|table| wanted.table.is_none_or(|wanted| wanted == *table));
    tables
        .flat_map(|table| match model.tables[table.index()].memory {
            true => instances_with(model, table).map(|instance| (table, instance)).collect(),
            false => vec![(table, NONE)],
        })
        .collect()
}

fn no_such_key(stopped: &Stopped, wanted: &history::Rows) -> NothingToShow {
    let Stopped { model, world, at, .. } = stopped;
    let keys = places(model, wanted).into_iter().flat_map(|(table, instance)| {
        let rows = world.table_rows(model, table, instance);
        rows.map(move |row| key_text(model, table, row.words))
    });
    NothingToShow::NoSuchKey {
        key: wanted.key.clone().unwrap_or_default(),
        table: wanted.table.map(|table| model.tables[table.index()].name.clone()),
        at: *at,
        known: keys.take(MOST_KEYS).collect(),
    }
}
