//! What was found, in words of the scenario.

use super::seconds;
use crate::experiment::results::account::SourceLine;
use crate::experiment::results::inspection::{Attempt, Cell, Change, Step, Version, Why};
use crate::kernel::ids::{SiteId, TableId};
use crate::model::{Model, NONE, Pc, StreamStep, Word};
use crate::observe::trace::Actor;
use crate::observe::trace::history::{self, Issued, Link, Worker, Writer};
use crate::observe::trace::wording;
use crate::world::deed::Way;

/// A key as it is compared: blanks around its commas do not count.
pub fn key_as_shown(key: &str) -> String {
    key.split(',').map(str::trim).collect::<Vec<_>>().join(", ")
}

/// `orders#0`
pub fn instance(model: &Model, instance: u32) -> String {
    wording::actor(model, Actor::Instance(instance))
}

/// The same, of what belongs to one; of what does not, nothing.
pub fn instance_of(model: &Model, number: u32) -> Option<String> {
    (number != NONE).then(|| instance(model, number))
}

/// All columns of a row but its key.
pub fn cells(model: &Model, table: TableId, words: &[Word]) -> Vec<Cell> {
    let of = &model.tables[table.index()];
    let columns = (0..words.len()).filter(|&at| !of.key.contains(&(at as u32)));
    let cell = |at: usize| Cell {
        column: of.column_names[at].clone(),
        value: model.word(of.readings[at], words[at]),
    };
    columns.map(cell).collect()
}

/// How a row came to be as it is.
pub fn version(model: &Model, of: &history::Version) -> Version {
    let changed = wording::changed(model, of.row.table, of.old.as_deref(), of.new.as_deref());
    let change = |changed: wording::Changed| Change {
        column: changed.column.trim_start_matches('.').to_owned(),
        from: changed.from,
        to: changed.to,
    };
    let otherwise = match &of.writer {
        Writer::Worker(..) => None,
        Writer::Start => Some("there at the start".to_owned()),
        Writer::Time if model.tables[of.row.table.index()].memory => {
            Some("its time to live was over, or its room was needed".to_owned())
        }
        Writer::Time => Some("its time to live was over".to_owned()),
        Writer::Replay(group) => {
            Some(format!("its table was emptied for a replay for {}", model.groups[group.index()].name))
        }
        Writer::StoreCrash => Some("the store lost what was not durable".to_owned()),
        Writer::InstanceCrash => Some("the memory went with its instance".to_owned()),
    };
    let by = match &of.writer {
        Writer::Worker(worker, steps) => {
            let steps =
                steps.iter().map(|&(pc, site)| Step { what: row_step(model, site), line: line(model, pc) });
            Some(attempt(model, worker, steps.collect()))
        }
        _ => None,
    };
    let changes = changed.into_iter().map(change).collect();
    Version { at: seconds(of.at), number: of.number, changes, by, otherwise }
}

/// An attempt with what led to it.
pub fn attempt(model: &Model, worker: &Worker, steps: Vec<Step>) -> Attempt {
    let delivery = worker
        .delivery
        .map(|(group, number)| format!("delivery {number} to {}", model.groups[group.index()].name));
    Attempt {
        who: wording::actor(model, worker.actor),
        handler: model.handlers[worker.handler.index()].name.clone(),
        serves: wording::business(model, worker.business),
        begun: seconds(worker.begun),
        number: worker.number,
        delivery,
        steps,
        why: worker.chain.iter().map(|link| why(model, link)).collect(),
    }
}

/// The step that an attempt is at.
pub fn step_at(model: &Model, pc: Pc) -> Option<Step> {
    line(model, pc).map(|line| Step { what: String::new(), line: Some(line) })
}

/// Where the step at a place is written; what the compiler adds at the end of a body stands on no line.
fn line(model: &Model, pc: Pc) -> Option<SourceLine> {
    let place = model.step_places.get(pc as usize).filter(|place| place.line > 0)?;
    Some(SourceLine { file: model.names.files[place.file as usize].clone(), line: place.line })
}

/// `update stock.items`, `append Deposited to bank.accounts`
fn row_step(model: &Model, site: SiteId) -> String {
    let appended = model.row_steps.iter().find_map(|step| match step.stream.as_deref() {
        Some(StreamStep::Append(append)) if step.site == site => Some((append.message, step.table)),
        _ => None,
    });
    match appended {
        Some((message, stream)) => format!(
            "append {} to {}",
            model.messages[message.index()].name,
            model.tables[stream.index()].name
        ),
        None => wording::step(model, site),
    }
}

fn why(model: &Model, link: &Link) -> Why {
    let what = match link.issued {
        Issued::Message { business, way, topic } => {
            let name = wording::business(model, business);
            let to = topic.map_or(String::new(), |topic| format!(" on {}", model.topics[topic.index()].name));
            match way {
                Way::Direct => format!("publishes {name}{to}"),
                Way::Outbox => format!("writes {name}{to} into the outbox"),
                Way::WithAck => format!("publishes {name}{to}, to be seen with its acknowledgement"),
                Way::Captured => format!("leaves {name}{to} to the change log"),
                Way::Call => format!("calls for {name}"),
                Way::Send => format!("sends {name}"),
            }
        }
        Issued::Timer => "sets a timer".to_owned(),
        Issued::Saga(saga) => format!("takes saga {} on", model.sagas[saga.index()].name),
    };
    let what = format!("for {}: {what}", wording::business(model, link.business));
    let line = link.pc.and_then(|pc| line(model, pc));
    Why { at: seconds(link.at), who: wording::actor(model, link.actor), what, line }
}
