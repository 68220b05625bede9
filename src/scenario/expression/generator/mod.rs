//! Random values: a map with one family, `{ lognormal: { median: 2ms, p99: 12ms } }`, and beside it `plus`,
//! `min`, `max` and `per: attempt`.
//!
//! All parameters are constants. Those that are values (a mean, a bound) have the unit of what is
//! drawn: of the place where that is known, else of the first parameter written. Durations end as
//! nanoseconds, rates per second.
//!
//! | family | drawn |
//! |---|---|
//! | `constant: v` | v |
//! | `exponential: mean`, `exponential: rate` | Exp; of a rate λ with mean 1/λ |
//! | `uniform: [a, b]` | between; whole numbers, both included, if both are |
//! | `normal: { mean, sd }` | a duration is drawn again until it is not negative |
//! | `lognormal: { median, p99 }` or `{ mean, sd }` | μ = ln median, σ = ln(p99 / median) / 2.3263; σ² = ln(1 + sd²/mean²), μ = ln mean − σ²/2 |
//! | `gamma: { mean, shape }`, `erlang: { mean, stages }` | scale = mean / shape |
//! | `weibull: { scale, shape }`, `pareto: { min, shape }`, `triangular: [low, mode, high]` | |
//! | `empirical: [values]` or a file, one value per line | one of them, equally likely |
//! | `mixture: [ { share, <family> } ]` | one of them by share |
//! | `zipf: { n, s }` | a rank from 1 to n, P(k) ∝ k^−s |
//! | `choice: { value: share }`, `chance: share` | one of the values; true or false |
//! | `counter: expression` | 1, 2, 3 … for each of its values |

mod families;
mod parameters;
mod values;

use super::super::diagnostic::{Diagnostic, closest};
use super::super::node::{Map, Node, NodeKind};
use super::super::resolved::*;
use super::super::source::Span;
use super::constant::refuse;
use super::{Context, Scope, constant, syntax};
use crate::kernel::distribution::{Distribution, Shape};

const FAMILIES: [&str; 15] = [
    "constant",
    "exponential",
    "uniform",
    "normal",
    "lognormal",
    "gamma",
    "erlang",
    "weibull",
    "pareto",
    "triangular",
    "empirical",
    "mixture",
    "zipf",
    "choice",
    "chance",
];
const COUNTER: &str = "counter";
const OPTIONS: [&str; 4] = ["plus", "min", "max", "per"];

/// A generator from its map.
pub fn draw(node: &Node, expected: Option<&Type>, scope: &Scope, context: &mut Context) -> Option<Generator> {
    let NodeKind::Map(map) = &node.kind else {
        return refuse(context, "wrong-type", node.span, "a generator is expected: `{ exponential: 5ms }`");
    };
    let mut drawing = Drawing::new(expected, node.span, scope, context)?;
    let (family, parameters) = drawing.family(map, &OPTIONS)?;
    if family == COUNTER {
        return drawing.counter(map, parameters);
    }
    let kind = drawing.kind(family, parameters)?;
    let kind = drawing.options(map, family, kind)?;
    let per_attempt = drawing.per_attempt(map)?;
    drawing.finish(kind, per_attempt)
}

/// A constant, as what always draws it.
pub fn always(
    node: &Node,
    expected: Option<&Type>,
    scope: &Scope,
    context: &mut Context,
) -> Option<Generator> {
    let mut drawing = Drawing::new(expected, node.span, scope, context)?;
    let kind = drawing.constant(node)?;
    drawing.finish(kind, false)
}

/// One generator being read.
struct Drawing<'x, 'a> {
    /// What the place expects.
    expected: Option<Type>,
    /// The unit of what is drawn, once known. `Number` stands for all plain numbers.
    unit: Option<Type>,
    /// Only whole numbers are drawn.
    whole: bool,
    /// What is drawn if it is no quantity.
    other: Option<Type>,
    span: Span,
    scope: &'x Scope<'x>,
    context: &'x mut Context<'a>,
}

impl<'x, 'a> Drawing<'x, 'a> {
    fn new(
        expected: Option<&Type>,
        span: Span,
        scope: &'x Scope<'x>,
        context: &'x mut Context<'a>,
    ) -> Option<Self> {
        let unit = match expected {
            Some(Type::Int | Type::Id | Type::Number) => Some(Type::Number),
            Some(unit @ (Type::Duration | Type::Size | Type::Rate)) => Some(unit.clone()),
            None | Some(Type::Bool | Type::Text | Type::Enumeration(_)) => None,
            Some(other @ (Type::Time | Type::List(_) | Type::Row(_) | Type::Reply(_))) => {
                let wanted = other.words(context.symbols, context.tables, context.messages);
                return refuse(
                    context,
                    "wrong-type",
                    span,
                    format!("{wanted} is expected: that is never drawn"),
                );
            }
        };
        Some(Self { expected: expected.cloned(), unit, whole: false, other: None, span, scope, context })
    }

    /// The one key that names a family, with its value.
    fn family<'n>(&mut self, map: &'n Map, beside: &[&str]) -> Option<(&'n str, &'n Node)>
    where
        'a: 'n,
    {
        let mut found: Option<(&str, &Node, Span)> = None;
        let mut known = true;
        for (key, entry) in map {
            if FAMILIES.contains(&key.as_str()) || key == COUNTER {
                if let Some((first, _, at)) = found {
                    let message = format!("a generator has one family, this one has `{first}` and `{key}`");
                    let diagnostic = Diagnostic::new("duplicate", entry.key_span, message);
                    self.context.diagnostics.push(diagnostic.related(at, "the first is here"));
                    return None;
                }
                found = Some((key, &entry.value, entry.key_span));
            } else if !beside.contains(&key.as_str()) {
                let names = FAMILIES.iter().chain([&COUNTER]).chain(beside).copied();
                self.unknown_key(key, entry.key_span, "a generator", names.collect());
                known = false;
            }
        }
        if found.is_none() && known {
            let diagnostic = Diagnostic::new(
                "missing-key",
                self.span,
                "a generator is expected, with one of its families",
            );
            let help = format!("there are: {}, {COUNTER}", FAMILIES.join(", "));
            self.context.diagnostics.push(diagnostic.help(help));
        }
        let (family, node, _) = found.filter(|_| known)?;
        Some((family, syntax::substituted(node, self.context)?))
    }

    fn unknown_key(&mut self, key: &str, span: Span, what: &str, known: Vec<&str>) {
        let message = format!("{what} has no `{}`", key.escape_debug());
        let diagnostic = Diagnostic::new("unknown-key", span, message);
        self.context.diagnostics.push(match closest(key, known.iter().copied()) {
            Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
            None => diagnostic.help(format!("there are: {}", known.join(", "))),
        });
    }

    fn kind(&mut self, family: &str, node: &Node) -> Option<GeneratorKind> {
        if family != "constant" && family != "choice" && family != "mixture" {
            self.draws(if family == "chance" { Drawn::Bool } else { Drawn::Quantity }, node.span)?;
        }
        let shape = match family {
            "constant" => return self.constant(node),
            "choice" => return self.choice(node),
            "exponential" => self.exponential(node)?,
            "uniform" => self.uniform(node)?,
            "normal" => {
                let [mean, sd] = self.named(node, family, ["mean", "sd"])?;
                self.not_negative(sd)?;
                let positive = matches!(self.unit, Some(Type::Duration | Type::Size | Type::Rate));
                if positive {
                    self.above_zero(mean)?;
                }
                Shape::Normal { mean: mean.value, sd: sd.value, positive }
            }
            "lognormal" => self.lognormal(node)?,
            "gamma" | "erlang" => self.gamma(node, family)?,
            "weibull" => {
                let (scale, shape) = self.scale_and_shape(node, family, "scale")?;
                Shape::Weibull { scale, shape }
            }
            "pareto" => {
                let (min, shape) = self.scale_and_shape(node, family, "min")?;
                Shape::Pareto { min, shape }
            }
            "triangular" => {
                let [low, mode, high] = self.listed(node, "`[low, mode, high]`")?;
                self.in_order(&[low, mode, high])?;
                Shape::Triangular { low: low.value, mode: mode.value, high: high.value }
            }
            "empirical" => self.empirical(node)?,
            "mixture" => self.mixture(node)?,
            "zipf" => self.zipf(node)?,
            _ => Shape::Chance(constant::share(node, self.context)?),
        };
        *self.context.makes_ids |= self.expected == Some(Type::Id);
        self.whole |= self.expected.as_ref().is_some_and(|ty| matches!(ty, Type::Int | Type::Id));
        Some(GeneratorKind::Distribution(plain(shape)))
    }

    /// Whether the place takes what a family draws.
    fn draws(&mut self, drawn: Drawn, span: Span) -> Option<()> {
        let fits = match (&self.expected, drawn) {
            (None, _) => true,
            (Some(Type::Bool), Drawn::Bool) => true,
            (Some(_), Drawn::Bool) => false,
            (Some(_), Drawn::Quantity) => self.unit.is_some(),
        };
        if drawn == Drawn::Bool {
            self.other = Some(Type::Bool);
        }
        if fits {
            return Some(());
        }
        let expected = self.expected.clone()?;
        let wanted = expected.words(self.context.symbols, self.context.tables, self.context.messages);
        let is = if drawn == Drawn::Bool { "true or false" } else { "quantities" };
        refuse(self.context, "wrong-type", span, format!("{wanted} is expected, this draws {is}"))
    }

    /// `plus`, `min`, `max`.
    fn options(&mut self, map: &Map, family: &str, kind: GeneratorKind) -> Option<GeneratorKind> {
        let given = |key: &str| map.get(key);
        let Some(first) = given("plus").or(given("min")).or(given("max")) else { return Some(kind) };
        let mut distribution = match kind {
            GeneratorKind::Distribution(distribution) if self.other.is_none() => distribution,
            _ => {
                let message =
                    format!("`plus`, `min` and `max` shift and clamp quantities: `{family}` draws none here");
                return refuse(self.context, "wrong-type", first.key_span, message);
            }
        };
        let mut option = |key: &str| match given(key) {
            Some(entry) => self.parameter(&entry.value).map(Some),
            None => Some(None),
        };
        let (plus, min, max) = (option("plus")?, option("min")?, option("max")?);
        for option in [plus, min, max].into_iter().flatten() {
            self.whole &= option.whole.is_some();
        }
        distribution.plus = plus.map_or(0.0, |plus| plus.value);
        distribution.min = min.map_or(f64::NEG_INFINITY, |min| min.value);
        distribution.max = max.map_or(f64::INFINITY, |max| max.value);
        if let (Some(min), Some(max)) = (min, max)
            && max.value < min.value
        {
            return refuse(self.context, "out-of-range", max.span, "`max` is below `min`");
        }
        Some(GeneratorKind::Distribution(distribution))
    }

    fn per_attempt(&mut self, map: &Map) -> Option<bool> {
        let Some(entry) = map.get("per") else { return Some(false) };
        let node = syntax::substituted(&entry.value, self.context)?;
        match &node.kind {
            NodeKind::Text { text, .. } if text == "attempt" => Some(true),
            _ => refuse(self.context, "wrong-type", node.span, "`attempt` is expected: a retry draws again"),
        }
    }

    fn finish(self, kind: GeneratorKind, per_attempt: bool) -> Option<Generator> {
        let ty = match (self.expected, self.other, self.unit) {
            (Some(expected), _, _) => expected,
            (None, Some(other), _) => other,
            (None, None, Some(Type::Number)) if self.whole => Type::Int,
            (None, None, unit) => unit?,
        };
        // A drawn duration always belongs to the attempt.
        let per_attempt = per_attempt || ty == Type::Duration;
        Some(Generator { kind, ty, per_attempt, span: self.span })
    }
}

/// What a family draws.
#[derive(Clone, Copy, PartialEq)]
enum Drawn {
    Bool,
    Quantity,
}

/// Not shifted, not clamped.
fn plain(shape: Shape) -> Distribution {
    Distribution { shape, plus: 0.0, min: f64::NEG_INFINITY, max: f64::INFINITY }
}
