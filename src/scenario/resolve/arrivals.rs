//! When intents arrive.
//!
//! `file:` names a text file, relative to the folder of the scenario, with one time on each line, counted
//! from the start of the run: `12.5ms`. Empty lines and lines that begin with `#` are passed over.

use super::Resolver;
use super::nodes;
use crate::kernel::agenda::EVENT_BUDGET;
use crate::kernel::sampler::Sampler;
use crate::kernel::time::{Nanos, SECOND};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression;
use crate::scenario::node::{Node, NodeKind};
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// The most users of all closed populations together.
pub const MOST_USERS: u64 = 10_000_000;
/// The highest rate: one arrival in each nanosecond, the shortest time there is.
const HIGHEST_RATE: f64 = SECOND as f64;
/// The most times in a list or file.
const MOST_TIMES: usize = 5_000_000;
/// The largest file of times.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

impl<'a> Resolver<'a> {
    pub fn resolve_arrivals(&mut self, node: &'a Node) -> Option<Arrivals> {
        const KINDS: &[&str] =
            &["poisson", "every", "renewal", "times", "file", "population", "bursty", "profile"];
        let kind = KINDS.iter().find(|kind| nodes::get(node, kind).is_some())?;
        let value = nodes::get(node, kind)?;
        match *kind {
            "poisson" => Some(Arrivals::Poisson { rate: expression::rate(value, &mut self.context())? }),
            "every" => Some(Arrivals::Every { interval: self.interval(value)? }),
            "renewal" => Some(Arrivals::Renewal { interval: self.interval(value)? }),
            "times" => self.times(value),
            "file" => self.times_in_file(value),
            "population" => self.population(node, value),
            "bursty" => self.bursty(value),
            _ => self.profile(value),
        }
    }

    /// Refuses what no run comes to the end of. A rate that changes is thinned from its highest, so that one
    /// counts.
    pub fn check_how_many_arrive(
        &mut self,
        arrivals: &Arrivals,
        count: Option<u64>,
        horizon: Nanos,
        span: Span,
    ) {
        let highest = |rates: &mut dyn Iterator<Item = f64>| rates.fold(0.0, f64::max);
        let rate = match arrivals {
            Arrivals::Poisson { rate } => *rate,
            Arrivals::Every { interval } | Arrivals::Renewal { interval } => match &interval.kind {
                // An interval that is always 0 was refused before.
                GeneratorKind::Distribution(distribution) => match Sampler::new(distribution).mean() {
                    mean if mean > 0.0 => SECOND as f64 / mean,
                    _ => return,
                },
                _ => return,
            },
            Arrivals::Bursty { phases } => highest(&mut phases.iter().map(|&(rate, _)| rate)),
            Arrivals::Profile { points } => highest(&mut points.iter().map(|&(_, rate)| rate)),
            Arrivals::Times { .. } | Arrivals::Population { .. } => return,
        };
        let expected = (rate * (horizon as f64 / SECOND as f64)).min(count.map_or(f64::MAX, |n| n as f64));
        if rate > HIGHEST_RATE {
            let help = format!("the highest rate is {HIGHEST_RATE}/s, one in each nanosecond");
            let message = "more would arrive than time can tell apart";
            self.report(Diagnostic::new("impossible-number", span, message).help(help));
        } else if expected > EVENT_BUDGET as f64 {
            let message = format!("some {expected:.0} intents would arrive before the horizon");
            let help = format!(
                "a replication has at most {EVENT_BUDGET} events; bound the arrivals by `count`, or shorten `horizon`"
            );
            self.report(Diagnostic::new("impossible-number", span, message).help(help));
        }
    }

    fn interval(&mut self, node: &'a Node) -> Option<Generator> {
        let interval = expression::generator(node, &Type::Duration, &mut self.context())?;
        self.check_time_passes(&interval, "an interval");
        Some(interval)
    }

    fn population(&mut self, node: &'a Node, value: &'a Node) -> Option<Arrivals> {
        let users = self.count_from_one(value, MOST_USERS);
        let think = nodes::get(node, "think")?;
        let think = expression::generator(think, &Type::Duration, &mut self.context());
        Some(Arrivals::Population { users: users?, think: think? })
    }

    fn bursty(&mut self, node: &'a Node) -> Option<Arrivals> {
        let mut phases = Vec::new();
        for phase in nodes::list(node) {
            let rate = nodes::get(phase, "rate")?;
            let rate = self.rate_or_zero(rate);
            let length = nodes::get(phase, "for")?;
            let length = expression::generator(length, &Type::Duration, &mut self.context())?;
            self.check_time_passes(&length, "a phase");
            phases.push((rate?, length));
        }
        if phases.iter().all(|&(rate, _)| rate == 0.0) {
            self.impossible(node.span, "nothing arrives in any phase");
        }
        Some(Arrivals::Bursty { phases })
    }

    fn profile(&mut self, node: &'a Node) -> Option<Arrivals> {
        let mut points: Vec<(Nanos, f64)> = Vec::new();
        for point in nodes::list(node) {
            let at = nodes::get(point, "at")?;
            let from = expression::duration(at, &mut self.context());
            let rate = nodes::get(point, "rate").and_then(|rate| self.rate_or_zero(rate));
            let from = from?;
            if points.last().is_some_and(|&(earlier, _)| earlier >= from) {
                self.impossible(at.span, "the points of a profile go forward in time");
            }
            points.push((from, rate?));
        }
        if points.iter().all(|&(_, rate)| rate == 0.0) {
            self.impossible(node.span, "nothing ever arrives");
        }
        Some(Arrivals::Profile { points })
    }

    /// For a while nothing may arrive: `0/s`.
    fn rate_or_zero(&mut self, node: &'a Node) -> Option<f64> {
        match nodes::text(node)?.trim().strip_suffix("/s").map(str::parse::<f64>) {
            Some(Ok(0.0)) => Some(0.0),
            _ => expression::rate(node, &mut self.context()),
        }
    }

    fn times(&mut self, node: &'a Node) -> Option<Arrivals> {
        let written = nodes::list(node).iter();
        let times: Option<Vec<Nanos>> =
            written.map(|time| expression::duration(time, &mut self.context())).collect();
        let times = times?;
        if let Some(place) = (1..times.len()).find(|&index| times[index] < times[index - 1]) {
            self.impossible(nodes::list(node)[place].span, "the times of arrivals go forward");
        }
        Some(Arrivals::Times { times })
    }

    fn times_in_file(&mut self, node: &'a Node) -> Option<Arrivals> {
        let name = nodes::text(node)?;
        let path = self.sources.get(node.span.file).folder.join(name);
        let text = match std::fs::metadata(&path) {
            Ok(file) if file.len() > MOST_BYTES => {
                let message = format!("`{name}` is larger than {} MiB", MOST_BYTES / 1024 / 1024);
                self.report(Diagnostic::new("unreadable-file", node.span, message));
                return None;
            }
            Ok(file) if !file.is_file() => Err("it is not a file".to_owned()),
            _ => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
        };
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                let message = format!("`{name}` cannot be read: {why}");
                self.report(Diagnostic::new("unreadable-file", node.span, message));
                return None;
            }
        };
        let mut times: Vec<Nanos> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let time = self.time_in_file(node, line);
            let why = match (time, times.last()) {
                (None, _) => "is not a time such as `12.5ms`",
                (Some(time), Some(&earlier)) if time < earlier => "goes back in time",
                (Some(_), _) if times.len() == MOST_TIMES => "is one too many",
                (Some(time), _) => {
                    times.push(time);
                    continue;
                }
            };
            let message = format!("line {} of `{name}` {why}", number + 1);
            self.report(Diagnostic::new("unreadable-file", node.span, message));
            return None;
        }
        Some(Arrivals::Times { times })
    }

    /// A line of a file, read as if it stood in the scenario.
    fn time_in_file(&mut self, node: &Node, line: &str) -> Option<Nanos> {
        let kind = NodeKind::Text { text: line.to_owned(), quoted: false, offsets_exact: false };
        let scalar = Node { span: node.span, kind };
        self.without_reports(|resolver| expression::duration(&scalar, &mut resolver.context()))
    }
}
