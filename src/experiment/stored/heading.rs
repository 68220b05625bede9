//! What a file of stored replications is about: enough to know whether two files belong to one experiment.

use super::FORMAT;
use crate::model::Model;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};

/// Most shards of an experiment.
pub const MOST_SHARDS: u32 = 100_000;

/// Most replications of an experiment, over all points.
pub const MOST_REPLICATIONS: u64 = 100_000_000;

/// The first entry of a file of stored replications, written as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heading {
    pub format: u32,
    /// eventflow's version: another one may simulate otherwise.
    pub eventflow: String,
    pub command: Command,
    /// The scenario's name, after which reports are named.
    pub scenario: String,
    /// The scenario's file, as it was given.
    pub file: String,
    /// What was changed in it, in order.
    pub settings: Vec<String>,
    /// What was varied, as it was given; empty for a run.
    pub over: Vec<String>,
    /// Of a random design: how many points. `None`: a grid, or a run.
    pub samples: Option<u32>,
    /// Of the random points.
    pub design_seed: u64,
    pub seed: u64,
    /// Of each point.
    pub replications: u32,
    pub points: u32,
    /// Most events of a replication.
    pub max_events: u64,
    /// Of the models, see [`ModelDigest`].
    pub models: String,
    /// `None`: all of it.
    pub shard: Option<Shard>,
}

/// What is done with the replications once all are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    Run,
    Sweep,
}

/// One of several equal shares: number `number`, from 1, of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    pub number: u32,
    pub of: u32,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Shard {
    /// Whether the thing with this number, from 0, belongs to it: they are dealt out in turn.
    pub fn has(self, thing: u32) -> bool {
        thing % self.of == self.number - 1
    }
}

impl Heading {
    /// A heading of this version of the program and of the encoding.
    pub fn is_readable(&self) -> bool {
        self.format == FORMAT && self.eventflow == env!("CARGO_PKG_VERSION")
    }

    /// Whether an experiment can be so large, and a shard so numbered.
    pub fn is_possible(&self) -> bool {
        u64::from(self.replications) * u64::from(self.points) <= MOST_REPLICATIONS
            && self.shard.is_none_or(|shard| (1..=shard.of.min(MOST_SHARDS)).contains(&shard.number))
    }

    /// Whether the replications are of the same experiment, whichever share of them, and however many.
    pub fn shares_replications(&self, other: &Self) -> bool {
        let plain = |of: &Self| Self { replications: 0, shard: None, ..of.clone() };
        plain(self) == plain(other)
    }
}

/// The digest of models: of all that a replication depends on beside the seed and its number. Two scenario files that
/// mean the same and differ by a blank line have different ones, since reports tell lines.
#[derive(Default)]
pub struct ModelDigest(blake3::Hasher);

impl ModelDigest {
    /// Takes in one more model.
    pub fn add(&mut self, model: &Model) {
        // All of a model is plain data, with floating point numbers told to the last bit.
        writeln!(Words(&mut self.0), "{model:?}").expect("a hash takes in anything");
    }

    /// In hexadecimal.
    pub fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

struct Words<'a>(&'a mut blake3::Hasher);

impl Write for Words<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}
