//! `eventflow inspect FILE --at 3m12s`: a scenario as it was at one moment of one replication, and the history of
//! its rows.
//!
//! The replication is run again up to the moment. Without anything to look at it shows everything with a few
//! figures: tables, groups, instances, outboxes.

use super::moment::moment;
use super::{Ending, ScenarioArguments, terminal};
use crate::experiment::inspection::{NothingToShow, Question, Subject, inspect};
use crate::kernel::time::Nanos;
use crate::model::compile::compile;
use crate::report::inspection::{json, render};
use crate::report::text::visible;
use crate::scenario::diagnostic::closest;
use crate::world::Limits;
use clap::Args;
use std::sync::atomic::AtomicBool;

/// Names that are listed when none is close to what was typed.
const MOST_NAMES: usize = 12;

/// Show rows, streams, topics and instances as they were at a moment, and who wrote what and why
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pub scenario: ScenarioArguments,
    /// The simulated time (3m12s); all that is due by then has happened. If not given, the end
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<Nanos>,
    /// The rows of a table or stream: service.table
    #[arg(long, value_name = "TABLE", conflicts_with_all = ["topic", "instance"])]
    pub table: Option<String>,
    /// Only the row with this key (several columns: 5,1); without --table in every table
    #[arg(long, value_name = "KEY", conflicts_with_all = ["topic", "instance"], allow_hyphen_values = true)]
    pub key: Option<String>,
    /// The groups of a topic, and the messages that they are not done with
    #[arg(long, value_name = "TOPIC", conflicts_with = "instance")]
    pub topic: Option<String>,
    /// What an instance works on: service#0
    #[arg(long, value_name = "INSTANCE")]
    pub instance: Option<String>,
    /// Each version of the rows up to then: who wrote it, for whom, at which step, and what led to it
    #[arg(long, conflicts_with_all = ["topic", "instance"])]
    pub history: bool,
    /// Seed of all random numbers, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Which replication, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub replication: u32,
    /// As JSON, with everything that the text shows
    #[arg(long)]
    pub json: bool,
    /// Most events that the run may take, looked at every 4096 events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_events: Option<u64>,
}

pub fn run(arguments: &Arguments) -> Ending {
    let Some(subject) = subject(arguments) else {
        terminal::complain("error: --history needs --table or --key: whose history?\n");
        return Ending::Unusable;
    };
    let Some((sources, scenario)) = arguments.scenario.read() else { return Ending::Unusable };
    let model = compile(&scenario, &sources);
    let usual = Limits::default();
    let question = Question {
        model: &model,
        file: &arguments.scenario.file.display().to_string(),
        seed: arguments.seed.unwrap_or(model.seed),
        replication: arguments.replication,
        moment: arguments.at,
        subject: &subject,
        limits: Limits { events: arguments.max_events.unwrap_or(usual.events), ..usual },
        // Nothing is kept of a run that is broken off: Ctrl-C ends the program.
        interrupt: &AtomicBool::new(false),
    };
    match inspect(&question) {
        Ok(inspection) if arguments.json => terminal::say(&json(&inspection)),
        Ok(inspection) => terminal::say(&render(&inspection)),
        Err(why) => {
            terminal::complain(&format!("error: {}\n", visible(&said(&why))));
            Ending::Unusable
        }
    }
}

/// `None`: a history of nothing in particular.
fn subject(arguments: &Arguments) -> Option<Subject> {
    let Arguments { table, key, topic, instance, history, .. } = arguments;
    let (table, key) = (table.clone(), key.clone());
    let of_rows = table.is_some() || key.is_some();
    match (topic, instance) {
        (Some(topic), _) => Some(Subject::Topic(topic.clone())),
        (_, Some(instance)) => Some(Subject::Instance(instance.clone())),
        _ if *history => of_rows.then_some(Subject::History { table, key }),
        _ if of_rows => Some(Subject::Rows { table, key }),
        _ => Some(Subject::Everything),
    }
}

/// What is wrong, with the name that was meant or those that there are.
fn said(why: &NothingToShow) -> String {
    let Some((name, known)) = why.unknown() else { return why.to_string() };
    if let Some(meant) = closest(name, known.iter().map(String::as_str)) {
        return format!("{why}; did you mean `{meant}`?");
    }
    let mut names: Vec<&str> = known.iter().map(String::as_str).take(MOST_NAMES).collect();
    if known.len() > MOST_NAMES {
        names.push("…");
    }
    match names.is_empty() {
        true => format!("{why}; there are none"),
        false => format!("{why}; there are {}", names.join(", ")),
    }
}
