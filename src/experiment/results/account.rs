//! The account of one counterexample, as data: what was meant and what was got, the chain of what led to it,
//! and what happens without one thing or another.
//!
//! It is made in one place, [`crate::experiment::account`], and rendered in many.

use serde::{Deserialize, Serialize};

/// A counterexample with all that convinces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Account {
    pub scenario: String,
    /// As it was given.
    pub file: String,
    /// What the command line changed in it, as it was given.
    pub settings: Vec<String>,
    pub seed: u64,
    pub replication: u32,
    /// Of this replication.
    pub digest: String,
    /// What to ask for to get this very account again: the name of a promise or measure, or `o:` and an obligation.
    pub focus: String,
    /// What went wrong, as a promise about it is named: `idempotency.torn_effects`.
    pub measure: String,
    /// What was seen, in words of the scenario.
    pub what: String,
    /// When, in seconds: from then on nothing could save it.
    pub at: f64,
    /// The obligation, sixteen hexadecimal digits.
    pub obligation: String,
    /// Whose work it is: `Placed order 5`.
    pub subject: String,
    /// In this replication: how often, how often it could have, and of how many.
    pub count: u64,
    pub exposures: u64,
    pub of: u64,
    /// What is, beside what should be: of promises about rows and sums.
    pub sides: Vec<Compared>,
    /// What went wrong before, with the work that is told of here; `None` if the promise is about that work itself.
    pub because: Option<Because>,
    /// Why the work of this obligation is shown, where the promise names none and nothing went wrong before.
    pub whose: Option<String>,
    /// Another promise of the same run whose account tells all the rest: it goes back to the same.
    pub same_as: Option<String>,
    /// What was to be done, once; and where that is known from, empty if the measure itself says it.
    pub meant: Vec<String>,
    pub meant_by: String,
    /// What was done.
    pub got: Vec<String>,
    pub at_end: Vec<AtEnd>,
    pub told: Option<Told>,
    pub chain: Vec<Link>,
    /// Links that are not in it, and behind how many of it they would stand.
    pub left_out: usize,
    pub gap_after: usize,
    /// Who changed the rows, in turn.
    pub ledger: Vec<Entry>,
    pub ledger_left_out: usize,
    /// What happens without something, each run again.
    pub without: Vec<Counterfactual>,
    /// How many replications were run for that.
    pub runs: u32,
    /// Whether the search for what is needed came to its end.
    pub is_minimal: bool,
    /// Needed firings of faults, and further deliveries, that were not left out one by one.
    #[serde(default)]
    pub untried: usize,
    /// How the same replication goes with another design.
    pub twin: Option<Twin>,
}

/// Something that is one way and may have to be another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Compared {
    /// `inventory.stock[17]`, `sum(orders.orders.quantity)`.
    pub of: String,
    pub is: String,
    /// `None`: it is what the others are held against.
    pub should_be: Option<String>,
}

/// What broke a promise that is not about one obligation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Because {
    /// `idempotency.duplicate_effects`
    pub measure: String,
    pub what: String,
    /// In seconds.
    pub at: f64,
    /// How often that went wrong in this replication.
    pub count: u64,
}

/// Another design under the same seed, the same intents and the same faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Twin {
    pub scenario: String,
    pub file: String,
    /// Of its replication.
    pub digest: String,
    /// The measures that the account is about.
    pub measures: Vec<Beside>,
    /// The faults of both: how often each hit something alive.
    pub faults: Vec<FaultBeside>,
    /// What became of the same obligation: attempts, and what they did; `None`: it has no such obligation.
    pub same_work: Option<SameWork>,
}

/// A measure in both designs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Beside {
    pub measure: String,
    pub here: Counted,
    /// `None`: it is not promised there.
    pub there: Option<Counted>,
}

/// How often something happened, and how often it could have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counted {
    pub count: u64,
    pub exposures: u64,
}

/// A fault in both designs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FaultBeside {
    pub name: String,
    /// `crash inventory`
    pub what: String,
    /// Firings that hit something alive.
    pub here: u64,
    /// `None`: it has no fault of this name.
    pub there: Option<u64>,
}

/// What another design did with the same work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SameWork {
    /// Attempts that were begun with it.
    pub attempts: u32,
    pub did: Vec<String>,
    /// What went wrong with it, as promises are named.
    pub wrong: Vec<String>,
}

/// The accounts of a run: of each promise that failed the first counterexample, up to a bound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Accounts {
    pub told: Vec<Account>,
    /// Promises that failed and of which none was gathered.
    pub untold: Vec<Untold>,
}

/// A counterexample that was not told in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Untold {
    /// The promise.
    pub measure: String,
    pub why: String,
}

/// A row that was changed, at the end of the replication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AtEnd {
    pub row: String,
    pub is: String,
    /// What it is where nothing goes wrong; `None` if that is not known.
    pub would_be: Option<String>,
}

/// What the client was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Told {
    pub at: f64,
    pub what: String,
}

/// A line of a scenario file, from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourceLine {
    pub file: String,
    pub line: u32,
}

/// What kind of thing a lifeline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Client,
    Instance,
    Topic,
    Fault,
    Time,
}

/// How a link concerns the obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It led to it.
    Before,
    Own,
    /// It came of it.
    After,
    /// The write that was not seen, and what came of it.
    Missed,
    /// What came first and should have come after.
    Overtaker,
    /// Another's change of the same rows.
    Other,
    Fault,
    /// Nothing can save it any more.
    End,
}

/// What kind of step a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Begins,
    Reads,
    Decides,
    Commits,
    Refrains,
    Issues,
    Accepts,
    Settles,
    Told,
    Cut,
    Ends,
    Effect,
    Fault,
    /// Nothing can save it any more.
    Verdict,
    /// A promise is broken by that.
    Broken,
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Link {
    /// In seconds.
    pub at: f64,
    /// `stock#0`
    pub who: String,
    pub kind: Kind,
    /// Who sent what it acts on.
    pub from: Option<String>,
    pub attempt: Option<u32>,
    pub part: Part,
    pub step: Step,
    pub line: Option<SourceLine>,
    pub text: String,
    /// It is here that it goes wrong.
    pub is_wrong: bool,
}

/// A change of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Entry {
    pub at: f64,
    /// For whom.
    pub by: String,
    pub is_own: bool,
    pub what: String,
}

/// What happens without something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counterfactual {
    /// What was left out: `crash of stock at 1.004s`.
    pub left_out: String,
    pub outcome: Instead,
    /// What goes wrong instead, as promises are named.
    pub instead: Vec<String>,
}

/// How a replication ends without something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Instead {
    Passes,
    StillFails,
    /// Something else goes wrong with the same obligation.
    FailsOtherwise,
}
