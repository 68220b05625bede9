//! What traces say, in words of the scenario.

use super::Actor;
use crate::kernel::ids::*;
use crate::model::{Error, Model, Word};
use crate::world::deed::{Part, Version};
use crate::world::record::Outcome;

/// What an attempt is about, kept small: most are never spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Business {
    Intent(ClientId, u64),
    Job(JobId),
    /// A message, and the word of its key field.
    Message(MessageId, Option<Word>),
    Nothing,
}

/// `Place order 5`, `shopper's intent 3`.
pub fn business(model: &Model, business: Business) -> String {
    match business {
        Business::Intent(client, number) => {
            format!("{}'s intent {}", model.clients[client.index()].name, number + 1)
        }
        Business::Job(job) => format!("job {}", model.jobs[job.index()].name),
        Business::Message(kind, word) => {
            let of = &model.messages[kind.index()];
            match (of.key, word) {
                (Some(key), Some(word)) => {
                    let (name, reading) = (&of.field_names[key as usize], of.readings[key as usize]);
                    format!("{} {name} {}", of.name, model.word(reading, word))
                }
                _ => of.name.clone(),
            }
        }
        Business::Nothing => "somebody".into(),
    }
}

/// `stock#0`
pub fn actor(model: &Model, actor: Actor) -> String {
    match actor {
        Actor::Client(client) => model.clients[client.index()].name.clone(),
        Actor::Instance(instance) => {
            let of = &model.instances[instance as usize];
            format!("{}#{}", model.services[of.service.index()].name, of.number)
        }
        Actor::Topic(topic) => model.topics[topic.index()].name.clone(),
        Actor::Fault(fault, _) => model.faults[fault.index()].name.clone(),
        Actor::Time => "time to live".into(),
    }
}

/// `ok`, `timeout`, `cut`.
pub fn outcome(model: &Model, outcome: Outcome) -> String {
    match outcome {
        Outcome::Well => "ok".into(),
        Outcome::Cut => "cut".into(),
        Outcome::Error(error) => match error {
            Error::Timeout => "timeout".into(),
            Error::Unavailable => "unavailable".into(),
            Error::Rejected => "rejected".into(),
            Error::Conflict => "conflict".into(),
            Error::Exists => "exists".into(),
            Error::Missing => "missing".into(),
            Error::Failed => "failed".into(),
            Error::Reason(symbol) => model.names.symbols[symbol.index()].clone(),
        },
    }
}

/// The steps that a cut left undone, each once.
pub fn debt(model: &Model, debt: &[Part]) -> String {
    let mut sites: Vec<&str> = Vec::new();
    for part in debt {
        let site = &*model.names.sites[part.site.index()];
        if !sites.contains(&site) {
            sites.push(site);
        }
    }
    if sites.is_empty() {
        "nothing is left undone".into()
    } else {
        format!("left undone: {}", sites.join(", "))
    }
}

/// `v0 (absent)`, `v3`.
pub fn version(of: Version) -> String {
    if of.exists { format!("v{}", of.number) } else { "(absent)".into() }
}

/// The columns of a row that are not its key, as `reserved = 2, status = free`.
pub fn columns(model: &Model, table: TableId, words: &[Word]) -> String {
    let key = &model.tables[table.index()].key;
    model.cells(table, (0..words.len()).filter(|column| !key.contains(&(*column as u32))), words)
}

/// The columns of a row that are neither its key nor incidental, with their values.
pub fn lasting(model: &Model, table: TableId, words: &[Word]) -> Vec<(String, String)> {
    let of = &model.tables[table.index()];
    let lasts = |column: &usize| !of.key.contains(&(*column as u32)) && !of.incidental[*column];
    let columns = (0..words.len()).filter(lasts);
    columns.map(|at| (of.column_names[at].clone(), model.word(of.readings[at], words[at]))).collect()
}

/// One changed column, or the whole row that came or went.
pub struct Changed {
    /// With a dot before it; empty: the row.
    pub column: String,
    pub from: String,
    pub to: String,
    pub is_incidental: bool,
}

/// What a commit changed in a row.
pub fn changed(model: &Model, table: TableId, old: Option<&[Word]>, new: Option<&[Word]>) -> Vec<Changed> {
    let of = &model.tables[table.index()];
    let whole =
        |from: String, to: String| vec![Changed { column: String::new(), from, to, is_incidental: false }];
    match (old, new) {
        (Some(old), Some(new)) => (0..of.columns as usize)
            .filter(|&column| old[column] != new[column])
            .map(|column| Changed {
                column: format!(".{}", of.column_names[column]),
                from: model.word(of.readings[column], old[column]),
                to: model.word(of.readings[column], new[column]),
                is_incidental: of.incidental[column],
            })
            .collect(),
        (None, Some(new)) => {
            let columns = columns(model, table, new);
            whole("absent".into(), if columns.is_empty() { "there".into() } else { columns })
        }
        (Some(_), None) => whole("there".into(), "absent".into()),
        (None, None) => Vec::new(),
    }
}
