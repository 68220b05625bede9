//! Time travel: a scenario as it was at one moment of one replication, and the history of its rows.
//!
//! Nothing is kept while a scenario runs. The replication is run again with the same seed, up to the moment, under
//! an observer that keeps what was asked for; then the world is looked at as it stands. What is due at the moment
//! itself has happened.
//!
//! ```text
//! inventory.stock[17] at 3m12s    reserved = 634, version 3071, at 191.2s by inventory#0 for OrderPlaced order 5
//! ```

mod rows;
mod summary;
mod topics;
mod wording;

use super::replication::{self, Watched};
use super::results::inspection::{Inspection, View};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::{TableId, TopicId};
use crate::kernel::stream::StreamPlan;
use crate::kernel::time::{Nanos, Pretty, SECOND};
use crate::kernel::until::Until;
use crate::model::Model;
use crate::observe::trace::history::{self, History, Kept};
use crate::world::without::Without;
use crate::world::{Halt, Limits, World};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What of which replication, and when.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub model: &'a Model,
    /// The scenario, as it was given.
    pub file: &'a str,
    pub seed: u64,
    pub replication: u32,
    /// `None`: when it ends.
    pub moment: Option<Nanos>,
    pub subject: &'a Subject,
    pub limits: Limits,
    pub interrupt: &'a AtomicBool,
}

/// What to look at, by its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Everything,
    /// Rows of a table (`service.table`), of all if none is named; with a key, as people write it. One of the two
    /// is given.
    Rows {
        table: Option<String>,
        key: Option<String>,
    },
    /// The same, with each version up to then.
    History {
        table: Option<String>,
        key: Option<String>,
    },
    Topic(String),
    /// `service#0`
    Instance(String),
}

/// Why nothing is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum NothingToShow {
    /// Nothing of the kind is called so; what is.
    Unknown {
        kind: &'static str,
        name: String,
        known: Vec<String>,
    },
    /// No row had this key by then; keys that there are.
    NoSuchKey {
        key: String,
        table: Option<String>,
        at: Nanos,
        known: Vec<String>,
    },
    BeyondTheEnd {
        moment: Nanos,
        end: Nanos,
    },
    Halted(Halt),
}

impl NothingToShow {
    /// What was not found, and what there is instead.
    pub fn unknown(&self) -> Option<(&str, &[String])> {
        match self {
            Self::Unknown { name, known, .. } => Some((name, known)),
            Self::NoSuchKey { key, known, .. } => Some((key, known)),
            Self::BeyondTheEnd { .. } | Self::Halted(_) => None,
        }
    }
}

impl fmt::Display for NothingToShow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { kind, name, .. } => write!(f, "there is no {kind} `{name}`"),
            Self::NoSuchKey { key, table, at, .. } => {
                let place = table.as_ref().map_or("any table".into(), |table| format!("`{table}`"));
                write!(f, "by {} no row of {place} has had the key `{key}`", Pretty(*at))
            }
            Self::BeyondTheEnd { moment, end } => {
                write!(f, "{} is beyond the end: this replication ended at {}", Pretty(*moment), Pretty(*end))
            }
            Self::Halted(halt) => halt.fmt(f),
        }
    }
}

impl std::error::Error for NothingToShow {}

/// A replication that has come to the moment.
struct Stopped<'m> {
    model: &'m Model,
    world: World,
    history: History<'m>,
    at: Nanos,
    /// Nothing was to come any more.
    is_end: bool,
}

/// A subject whose names were found.
enum Found {
    Everything,
    Rows(history::Rows),
    Topic(TopicId),
    Instance(u32),
}

/// Runs a replication up to the moment and looks.
///
/// # Errors
///
/// See [`NothingToShow`].
pub fn inspect(question: &Question) -> Result<Inspection, NothingToShow> {
    let found = find(question.model, question.subject)?;
    let wanted = match &found {
        Found::Rows(rows) => rows.clone(),
        _ => history::Rows::default(),
    };
    let stopped = run(question, wanted)?;
    let view = match &found {
        Found::Everything => View::Summary(summary::summary(&stopped)),
        Found::Rows(rows) if rows.versions == Kept::All => View::History(rows::history(&stopped, rows)?),
        Found::Rows(rows) => View::Rows(rows::rows(&stopped, rows)?),
        Found::Topic(topic) => View::Topic(topics::topic(&stopped, *topic)),
        Found::Instance(instance) => View::Instance(summary::instance_at_work(&stopped, *instance)),
    };
    Ok(Inspection {
        scenario: question.model.names.scenario.clone(),
        file: question.file.to_owned(),
        seed: question.seed,
        replication: question.replication,
        at: seconds(stopped.at),
        is_end: stopped.is_end,
        view,
    })
}

fn run<'m>(question: &Question<'m>, rows: history::Rows) -> Result<Stopped<'m>, NothingToShow> {
    let Question { model, seed, replication, moment, limits, interrupt, .. } = *question;
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let agenda = replication::agenda(model, &plan, seed, replication);
    let agenda = Until::new(agenda, moment.unwrap_or(Nanos::MAX));
    let mut history = History::new(model, rows);
    let mut simulation = Watched::lacking(model, agenda, &mut history, Without::default());
    simulation.run(limits, interrupt).map_err(NothingToShow::Halted)?;
    let Watched { world, agenda, .. } = simulation;
    let (at, is_end) = (agenda.now(), !agenda.is_past());
    match moment {
        Some(moment) if is_end && moment > at => Err(NothingToShow::BeyondTheEnd { moment, end: at }),
        _ => Ok(Stopped { model, world, history, at, is_end }),
    }
}

fn find(model: &Model, subject: &Subject) -> Result<Found, NothingToShow> {
    let rows = |table: &Option<String>, key: &Option<String>, versions: Kept| {
        let table = table.as_deref().map(|name| table_named(model, name)).transpose()?;
        let key = key.as_deref().map(wording::key_as_shown);
        Ok(Found::Rows(history::Rows { table, key, versions }))
    };
    match subject {
        Subject::Everything => Ok(Found::Everything),
        Subject::Rows { table, key } => rows(table, key, Kept::Latest),
        Subject::History { table, key } => rows(table, key, Kept::All),
        Subject::Topic(name) => {
            let names = model.topics.iter().map(|topic| topic.name.clone());
            position("topic", name, names).map(|at| Found::Topic(TopicId::new(at)))
        }
        Subject::Instance(name) => {
            let names = (0..model.instances.len() as u32).map(|at| wording::instance(model, at));
            position("instance", name, names).map(|at| Found::Instance(at as u32))
        }
    }
}

fn table_named(model: &Model, name: &str) -> Result<TableId, NothingToShow> {
    let names = model.tables.iter().map(|table| table.name.clone());
    position("table", name, names).map(TableId::new)
}

fn position(
    kind: &'static str,
    name: &str,
    names: impl Iterator<Item = String> + Clone,
) -> Result<usize, NothingToShow> {
    let unknown = || NothingToShow::Unknown { kind, name: name.to_owned(), known: names.clone().collect() };
    names.clone().position(|known| known == name).ok_or_else(unknown)
}

fn seconds(at: Nanos) -> f64 {
    at as f64 / SECOND as f64
}
