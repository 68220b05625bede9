//! A scenario at one moment of one replication, as data: rows, topics, instances, and the history of rows.

use super::account::SourceLine;
use serde::{Deserialize, Serialize};

/// What was there, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    pub scenario: String,
    /// As it was given.
    pub file: String,
    pub seed: u64,
    pub replication: u32,
    /// In seconds: all that was due by then has happened.
    pub at: f64,
    /// Nothing came after it.
    pub is_end: bool,
    pub view: View,
}

/// What is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    Summary(Summary),
    Rows(Rows),
    History(History),
    Topic(Topic),
    Instance(Instance),
}

/// Everything, each with a few figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub tables: Vec<Table>,
    pub groups: Vec<Group>,
    pub dead_letters: Vec<Named>,
    pub instances: Vec<Instance>,
    pub outboxes: Vec<Outbox>,
    /// Of each kind of saga.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sagas: Vec<Saga>,
    /// Copies of stores, each with the rows of which it does not have the newest version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<Named>,
    /// What else is under way: attempts, messages and the like, those that are none left out.
    pub under_way: Vec<Named>,
}

/// How many of something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub name: String,
    pub kind: TableKind,
    /// Committed, of tables in memory on all instances.
    pub rows: u64,
    /// Versions of rows that were committed since the start. What takes a lost one back is one more.
    pub versions: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    Table,
    Stream,
    Memory,
}

/// A group of a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    pub topic: String,
    /// Messages that it was given and is not done with; and of these, those sent to a consumer.
    pub lag: u64,
    pub in_flight: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outbox {
    pub service: String,
    /// Committed, and not published and marked; of these, those in the hands of a relay.
    pub unsent: u64,
    pub in_hand: u64,
    /// The first of them.
    pub messages: Vec<String>,
}

/// The sagas of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saga {
    pub name: String,
    pub ended: u64,
    pub under_way: u64,
    /// The first of those under way: what started it, and where it stands.
    pub instances: Vec<String>,
}

/// A process. In a summary nothing is said of its attempts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub name: String,
    pub state: State,
    /// What it runs, if not what its service begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub crashes: u32,
    /// Workers and CPUs in use, and what waits for a worker.
    pub busy: u32,
    pub computing: u32,
    pub waiting: u64,
    pub attempts: Vec<Attempt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Up,
    Paused,
    Down,
}

/// An attempt, alive or gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// `orders#0`; of what clients do, the client.
    pub who: String,
    pub handler: String,
    /// What it is about: `PlaceOrder order 5`.
    pub serves: String,
    /// In seconds.
    pub begun: f64,
    /// The how-manieth at the same, from 1.
    pub number: u32,
    /// `delivery 2 to orders.mail`
    pub delivery: Option<String>,
    /// The steps that wrote, or the one that it is at.
    pub steps: Vec<Step>,
    /// What led to it, the first thing first.
    pub why: Vec<Why>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// `update stock.items`; empty if it has no name.
    pub what: String,
    pub line: Option<SourceLine>,
}

/// One thing that led to an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// In seconds.
    pub at: f64,
    pub who: String,
    /// `for PlaceOrder order 5: publishes OrderPlaced order 5 on orders`
    pub what: String,
    pub line: Option<SourceLine>,
}

/// The rows of a table, or those of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    pub rows: Vec<Row>,
    /// Beyond the bound.
    pub left_out: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// `inventory.stock[17]`
    pub name: String,
    /// Of tables in memory.
    pub instance: Option<String>,
    /// Else it was there before.
    pub is_there: bool,
    /// All columns but the key's; none of a row that is gone.
    pub cells: Vec<Cell>,
    /// Its latest version.
    pub version: Version,
}

/// A column with its value as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    pub column: String,
    pub value: String,
}

/// The versions of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub versions: Vec<RowVersion>,
    pub left_out: u64,
}

/// A version with what it made of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowVersion {
    pub name: String,
    pub instance: Option<String>,
    /// It made or changed it, and did not take it away.
    pub is_there: bool,
    /// All columns but the key's; none of a row that is gone.
    pub cells: Vec<Cell>,
    pub version: Version,
}

/// How a row came to be as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// In seconds.
    pub at: f64,
    /// The commit that made it, as its store counts them; 0 of what is there at the start.
    pub number: u64,
    pub changes: Vec<Change>,
    /// The attempt that wrote it.
    pub by: Option<Attempt>,
    /// What else made it, if no attempt did: `its time to live was over`.
    pub otherwise: Option<String>,
}

/// One column, from what to what; of the whole row the column is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub column: String,
    pub from: String,
    pub to: String,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Topic {
    pub name: String,
    pub dead_letters: u64,
    pub groups: Vec<GroupState>,
}

/// A group with all that it is not done with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupState {
    pub name: String,
    pub lag: u64,
    pub in_flight: u64,
    pub partitions: Vec<Partition>,
    pub messages: Vec<Owed>,
    /// Messages beyond the bound.
    pub left_out: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    pub number: u32,
    /// The instance it is assigned to, if it is.
    pub owner: Option<String>,
    /// Offsets: of the next message to come, and of the next to be taken.
    pub end: u64,
    pub next: u64,
}

/// A message that a group is not done with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owed {
    /// `OrderPlaced order 5`
    pub message: String,
    pub partition: u32,
    pub offset: u64,
    pub stage: String,
    pub consumer: Option<String>,
    /// How often it was sent to a consumer.
    pub deliveries: u32,
}
