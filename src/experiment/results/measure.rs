//! What a measure is: its unit, which way is better, and what one asks it for.

use serde::{Deserialize, Serialize};

/// What the values of a measure are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Seconds,
    PerSecond,
    /// From 0 to 1.
    Share,
    Number,
    Erlang,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    More,
    Less,
    /// It is no merit and no fault.
    Either,
}

/// What a measure is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A question about how much or how fast.
    Asked,
    /// A question about how often something went wrong.
    Counted,
    /// How it comes about.
    Told,
}
