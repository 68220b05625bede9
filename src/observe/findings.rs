//! What oracles hand over when a replication is over: for each measure how often it happened, how
//! often it could have, and where it was first seen. Verdicts are made of this and of nothing else.

use crate::kernel::anomaly::Anomaly;
use crate::kernel::time::Nanos;
use crate::world::deed::RowName;
use serde::{Deserialize, Serialize};

/// One measure in one replication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// How often it happened.
    pub count: u64,
    /// How often it had the chance to: without any, a count of 0 says nothing.
    pub exposures: u64,
    /// Of what is to withstand faults: how many of those chances came while one lasted, or were not over
    /// when one began. `None`: it need not come under a fault.
    pub under_fault: Option<u64>,
    /// What a share of it is a share of (obligations owed, messages accepted, reads …).
    pub of: u64,
    /// Things whose end is not known: with any, a count of 0 is not a pass.
    pub unsettled: u64,
    /// Apart from the rest: most findings have none, and there is one of each for every replication.
    pub first: Option<Box<Sighting>>,
    /// What the judge has to say beside.
    pub caveat: Option<Caveat>,
}

/// Why less is judged than was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Caveat {
    /// Nothing can be said, and why.
    NotApplicable(String),
    /// What is left out of the judgement, and why.
    LeftOut(String),
}

/// Where something was seen to go wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// When, in the replication.
    pub at: Nanos,
    /// The obligation concerned; 0: none.
    pub obligation: u64,
    /// One line in words of the scenario: `inventory.stock[17].reserved: 2 → 4, the second time`.
    pub what: String,
    pub facts: Facts,
}

/// What was seen beside, for those who look closer; in words nothing of it is said twice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The rows concerned, the one at which it was seen first.
    pub rows: Vec<RowName>,
    /// A version of a row that was there already, and that a read did not see.
    pub missed: Option<(RowName, u64)>,
    /// What came first and should have come after.
    pub overtaken_by: Option<u64>,
    /// What is, beside what should be.
    pub sides: Vec<Side>,
}

impl Facts {
    /// That it was seen at one row.
    pub fn at(row: RowName) -> Self {
        Self { rows: vec![row], ..Self::default() }
    }
}

/// Something that is one way and may have to be another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// `inventory.stock[17]`, `sum(orders.orders.quantity)`.
    pub of: String,
    pub is: String,
    /// `None`: it is what others are held against.
    pub should_be: Option<String>,
}

impl Finding {
    /// Counts one, seen first now unless there was one before.
    pub fn count(&mut self, sighting: impl FnOnce() -> Sighting) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(Box::new(sighting()));
        }
    }
}

/// All that the oracles of one replication found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// By [`Anomaly::index`]; empty if no oracle looked.
    pub anomalies: Vec<Finding>,
    /// Promises that are not one of the anomalies (convergence, sessions, staleness, sagas, invariants), by
    /// position in the model's promises.
    pub promises: Vec<Finding>,
    /// Per fault: whether a firing hit something alive. Metrics know it; oracles leave it empty.
    pub faults_that_hit: Vec<bool>,
}

impl Findings {
    pub fn of(&self, anomaly: Anomaly) -> &Finding {
        &self.anomalies[anomaly.index()]
    }
}
