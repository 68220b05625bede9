//! What traces say, in words of the scenario.

use super::Actor;
use crate::kernel::ids::*;
use crate::model::reach::marks_must_reach;
use crate::model::{Error, Model, Pc, RowVerb, Word};
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

/// The steps that a cut left undone, each once; and the marks that would have followed, which nobody sets now.
pub fn debt(model: &Model, debt: &[Part], cut_at: Pc) -> String {
    let mut steps: Vec<String> = Vec::new();
    for part in debt {
        let step = step(model, part.site);
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let marks: Vec<String> =
        marks_must_reach(model, cut_at).into_iter().map(|site| step(model, site)).collect();
    match (steps.is_empty(), marks.is_empty()) {
        (true, true) => "nothing is left undone".into(),
        (true, false) => format!("all is done but the mark: {}", marks.join(", ")),
        (false, true) => format!("left undone: {}", steps.join(", ")),
        (false, false) => format!("left undone: {}; and the mark: {}", steps.join(", "), marks.join(", ")),
    }
}

/// A step in words: `update stock.items`, `publish Placed on placed`.
pub fn step(model: &Model, site: SiteId) -> String {
    if let Some(step) = model.row_steps.iter().find(|step| step.site == site) {
        let verb = match step.verb {
            RowVerb::Read | RowVerb::ReadLocked => "read",
            RowVerb::Scan => "scan",
            RowVerb::Insert => "insert into",
            RowVerb::Update => "update",
            RowVerb::Upsert => "upsert",
            RowVerb::Delete => "delete from",
            RowVerb::Append => "append to",
        };
        return format!("{verb} {}", model.tables[step.table.index()].name);
    }
    if let Some(step) = model.publishes.iter().find(|step| step.site == site) {
        let message = &model.messages[step.message.index()].name;
        return format!("publish {message} on {}", model.topics[step.topic.index()].name);
    }
    if let Some(step) = model.effects.iter().find(|step| step.site == site) {
        return format!("effect {}", model.names.effects[step.effect.index()]);
    }
    model.names.sites[site.index()].clone()
}

/// A step by its name, or in words and with its handler: `stock/Placed/reserve`, `effect charge in stock/Placed`.
pub fn named_step(model: &Model, site: SiteId) -> String {
    let name = &model.names.sites[site.index()];
    match name.rsplit_once('/') {
        // Counted, for want of a name.
        Some((handler, own)) if own.contains('#') => format!("{} in {handler}", step(model, site)),
        _ => name.clone(),
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
