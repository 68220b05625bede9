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

use super::super::diagnostic::{Diagnostic, closest};
use super::super::node::{Map, Node, NodeKind};
use super::super::resolved::*;
use super::super::source::Span;
use super::check::{Checker, Inside};
use super::constant::{constant_syntax, is_bare, refuse};
use super::{Context, MOST_ELEMENTS, Scope, constant, empirical, expression, fold, syntax};
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

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;
/// The most ranks of a Zipf distribution.
const MOST_RANKS: u64 = 10_000_000;
/// The largest whole number up to which every one is a float.
const LARGEST_EXACT: i64 = 1 << 53;

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

/// A parameter in base units.
#[derive(Clone, Copy)]
struct Parameter {
    value: f64,
    whole: Option<i64>,
    span: Span,
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

    /// A constant with the unit of what is drawn.
    fn parameter(&mut self, node: &Node) -> Option<Parameter> {
        let syntax = syntax::parse(node, self.context)?;
        let mut checker = Checker {
            scope: &Scope::NOTHING,
            context: self.context,
            root: node.span,
            inside: Inside::Nothing,
        };
        let hint = self.unit.clone().filter(|unit| *unit != Type::Number);
        let mut found = checker.infer(&syntax, hint.as_ref())?;
        let plain = matches!(found.ty, Type::Int | Type::Number);
        match &self.unit {
            Some(Type::Number) if plain => {}
            Some(unit) => found = checker.coerce(found, &unit.clone())?,
            None if plain => self.unit = Some(Type::Number),
            None if matches!(found.ty, Type::Duration | Type::Size | Type::Rate) => {
                self.unit = Some(found.ty.clone())
            }
            None => {
                let message = format!("a quantity is expected, this is {}", checker.words(&found.ty));
                return refuse(self.context, "wrong-type", found.span, message);
            }
        }
        let ExpressionKind::Literal(value) = &found.kind else {
            return refuse(self.context, "not-constant", found.span, "a constant is expected");
        };
        let whole = match value {
            Literal::Int(value) => Some(*value),
            _ => None,
        };
        Some(Parameter { value: fold::float(value)?, whole, span: found.span })
    }

    /// A plain number: a shape, an exponent.
    fn plain_number(&mut self, node: &Node) -> Option<Parameter> {
        let value = constant::number(node, self.context)?;
        Some(Parameter { value, whole: None, span: node.span })
    }

    fn exponential(&mut self, node: &Node) -> Option<Shape> {
        let is_rate = syntax::parse(node, self.context).and_then(|syntax| {
            let mut checker = Checker {
                scope: &Scope::NOTHING,
                context: self.context,
                root: node.span,
                inside: Inside::Nothing,
            };
            // Read again below, where its mistakes are told.
            let told = checker.context.diagnostics.list.len();
            let found = checker.infer(&syntax, None);
            checker.context.diagnostics.list.truncate(told);
            found.map(|found| found.ty == Type::Rate)
        })?;
        if is_rate && matches!(self.unit, None | Some(Type::Duration)) {
            self.unit = Some(Type::Duration);
            let rate = constant::rate(node, self.context)?;
            return self.finite(1e9 / rate, node.span).map(|mean| Shape::Exponential { mean });
        }
        let mean = self.parameter(node)?;
        self.above_zero(mean)?;
        Some(Shape::Exponential { mean: mean.value })
    }

    fn uniform(&mut self, node: &Node) -> Option<Shape> {
        let [low, high] = self.listed(node, "`[from, to]`")?;
        self.in_order(&[low, high])?;
        if self.unit == Some(Type::Number)
            && let (Some(first), Some(last)) = (low.whole, high.whole)
        {
            for bound in [low, high] {
                if bound.whole.is_some_and(|whole| whole.unsigned_abs() > LARGEST_EXACT.unsigned_abs()) {
                    let message = format!(
                        "a whole number that is drawn is between -{LARGEST_EXACT} and {LARGEST_EXACT}"
                    );
                    return refuse(self.context, "out-of-range", bound.span, message);
                }
            }
            self.whole = true;
            return Some(Shape::UniformInteger { low: first, high: last });
        }
        Some(Shape::Uniform { low: low.value, high: high.value })
    }

    fn lognormal(&mut self, node: &Node) -> Option<Shape> {
        let by_mean =
            matches!(&node.kind, NodeKind::Map(map) if map.contains_key("mean") || map.contains_key("sd"));
        if by_mean {
            let [mean, sd] = self.named(node, "lognormal", ["mean", "sd"])?;
            self.above_zero(mean)?;
            self.above_zero(sd)?;
            let ratio = sd.value / mean.value;
            let variance = libm::log1p(ratio * ratio);
            let mu = self.finite(libm::log(mean.value) - variance / 2.0, node.span)?;
            return Some(Shape::Lognormal { mu, sigma: variance.sqrt() });
        }
        let [median, p99] = self.named(node, "lognormal", ["median", "p99"])?;
        self.above_zero(median)?;
        if p99.value <= median.value {
            return refuse(self.context, "out-of-range", p99.span, "the p99 is above the median");
        }
        let mu = libm::log(median.value);
        Some(Shape::Lognormal { mu, sigma: (libm::log(p99.value) - mu) / Z99 })
    }

    fn gamma(&mut self, node: &Node, family: &str) -> Option<Shape> {
        let shape_key = if family == "gamma" { "shape" } else { "stages" };
        let map = self.fields(node, family, &["mean", shape_key])?;
        let mean = self.parameter(map[0])?;
        self.above_zero(mean)?;
        let shape = if family == "gamma" {
            let shape = self.plain_number(map[1])?;
            self.above_zero(shape)?;
            shape.value
        } else {
            constant::count_within(map[1], 1..=1_000_000, self.context)? as f64
        };
        let scale = self.finite(mean.value / shape, node.span)?;
        Some(Shape::Gamma { shape, scale })
    }

    fn scale_and_shape(&mut self, node: &Node, family: &str, scale_key: &'static str) -> Option<(f64, f64)> {
        let map = self.fields(node, family, &[scale_key, "shape"])?;
        let (scale, shape) = (self.parameter(map[0]), self.plain_number(map[1]));
        let (scale, shape) = (scale?, shape?);
        self.above_zero(scale)?;
        self.above_zero(shape)?;
        Some((scale.value, shape.value))
    }

    fn zipf(&mut self, node: &Node) -> Option<Shape> {
        let map = self.fields(node, "zipf", &["n", "s"])?;
        if !matches!(self.unit, None | Some(Type::Number)) {
            let message = "a zipf distribution draws ranks: whole numbers from 1, without a unit";
            return refuse(self.context, "wrong-type", node.span, message);
        }
        let n = constant::count_within(map[0], 1..=MOST_RANKS, self.context);
        let s = self.plain_number(map[1]);
        let (n, s) = (n?, s?);
        self.not_negative(s)?;
        (self.unit, self.whole) = (Some(Type::Number), true);
        Some(Shape::Zipf { n, s: s.value })
    }

    fn empirical(&mut self, node: &Node) -> Option<Shape> {
        let mut values = Vec::new();
        self.whole = true;
        match &node.kind {
            NodeKind::List(items) => {
                for item in items {
                    let item = self.parameter(item)?;
                    self.signed_if_plain(item)?;
                    self.whole &= item.whole.is_some();
                    values.push(item.value);
                }
            }
            NodeKind::Text { text, .. } => {
                let (unit, whole, read) = empirical::read(text, node.span, self.unit.clone(), self.context)?;
                (self.unit, self.whole, values) = (Some(unit), whole, read);
            }
            _ => {
                return refuse(
                    self.context,
                    "wrong-type",
                    node.span,
                    "a list of values or a file is expected",
                );
            }
        }
        if values.is_empty() || values.len() as u64 > MOST_ELEMENTS {
            let message = format!("an empirical distribution has between 1 and {MOST_ELEMENTS} values");
            return refuse(self.context, "out-of-range", node.span, message);
        }
        self.whole &= self.unit == Some(Type::Number);
        Some(Shape::Empirical(values))
    }

    fn mixture(&mut self, node: &Node) -> Option<Shape> {
        let NodeKind::List(items) = &node.kind else {
            let message = "a list is expected: `[ { share: 90%, exponential: 2ms }, … ]`";
            return refuse(self.context, "wrong-type", node.span, message);
        };
        let (mut shares, mut parts) = (Vec::new(), Vec::new());
        let mut whole = true;
        for item in items {
            let item = syntax::substituted(item, self.context)?;
            let NodeKind::Map(map) = &item.kind else {
                let message = "a generator with its share is expected: `{ share: 90%, exponential: 2ms }`";
                return refuse(self.context, "wrong-type", item.span, message);
            };
            let Some(share) = map.get("share") else {
                return refuse(
                    self.context,
                    "missing-key",
                    item.span,
                    "each part of a mixture has a `share`",
                );
            };
            let (family, parameters) = self.family(map, &["share", "plus", "min", "max"])?;
            if matches!(family, COUNTER | "choice" | "chance") {
                return refuse(
                    self.context,
                    "wrong-type",
                    item.span,
                    format!("a mixture is of quantities: no `{family}`"),
                );
            }
            self.whole = false;
            let kind = self.kind(family, parameters)?;
            let GeneratorKind::Distribution(part) = self.options(map, family, kind)? else {
                return refuse(self.context, "wrong-type", item.span, "a mixture is of quantities");
            };
            whole &= self.whole;
            shares.push(&share.value);
            parts.push(part);
        }
        self.whole = whole;
        let shares = self.shares(&shares, node.span)?;
        Some(Shape::Mixture(shares.into_iter().zip(parts).collect()))
    }

    fn constant(&mut self, node: &Node) -> Option<GeneratorKind> {
        if self.unit.is_none() {
            let found = expression(node, self.expected.as_ref(), &Scope::NOTHING, self.context)?;
            match (&found.kind, &found.ty) {
                (ExpressionKind::Literal(Literal::Bool(value)), _) => {
                    self.other = Some(Type::Bool);
                    let shape = Shape::Chance(f64::from(u8::from(*value)));
                    return Some(GeneratorKind::Distribution(plain(shape)));
                }
                (ExpressionKind::Literal(Literal::Symbol(word)), ty) => {
                    self.other = Some(ty.clone());
                    let distribution = plain(Shape::Choice(vec![1.0]));
                    return Some(GeneratorKind::Choice { words: vec![*word], distribution });
                }
                _ => {}
            }
        }
        let value = self.parameter(node)?;
        self.signed_if_plain(value)?;
        self.whole = self.unit == Some(Type::Number) && value.whole.is_some();
        Some(GeneratorKind::Distribution(plain(Shape::Constant(value.value))))
    }

    /// `{ word: share }`; values other than words are a mixture of constants.
    fn choice(&mut self, node: &Node) -> Option<GeneratorKind> {
        let map = match &node.kind {
            NodeKind::Map(map) if !map.is_empty() => map,
            _ => {
                let message = "values with their shares are expected: `{ card: 70%, cash: 30% }`";
                return refuse(self.context, "wrong-type", node.span, message);
            }
        };
        let shares: Vec<_> = map.values().map(|entry| &entry.value).collect();
        let shares = self.shares(&shares, node.span);
        let keys: Vec<Node> = map.iter().map(|(key, entry)| key_node(key, entry.key_span)).collect();
        let words = self.expected.is_none() && keys.iter().all(is_word_node);
        if words || matches!(self.expected, Some(Type::Enumeration(_) | Type::Text)) {
            let words = self.choice_words(&keys);
            let distribution = plain(Shape::Choice(shares?));
            return Some(GeneratorKind::Choice { words: words?, distribution });
        }
        let (mut parts, mut whole) = (Vec::new(), true);
        for key in &keys {
            let GeneratorKind::Distribution(part) = self.constant(key)? else {
                return refuse(self.context, "wrong-type", key.span, "words and quantities do not mix");
            };
            whole &= self.whole;
            parts.push(part);
        }
        self.whole = whole;
        let mixture = shares?.into_iter().zip(parts).collect();
        Some(GeneratorKind::Distribution(plain(Shape::Mixture(mixture))))
    }

    fn choice_words(&mut self, keys: &[Node]) -> Option<Vec<crate::kernel::ids::SymbolId>> {
        let expected = match &self.expected {
            Some(expected) => expected.clone(),
            None => {
                constant::ty(&Node { kind: NodeKind::List(keys.to_vec()), span: self.span }, self.context)?
            }
        };
        let words: Vec<_> = keys.iter().map(|key| constant::literal(key, &expected, self.context)).collect();
        self.other = Some(expected);
        let words = words.into_iter().collect::<Option<Vec<_>>>()?;
        let symbols = words.into_iter().map(|word| match word {
            Literal::Symbol(symbol) => Some(symbol),
            _ => None,
        });
        symbols.collect()
    }

    /// Shares that sum to 100 %, or whole numbers as weights.
    fn shares(&mut self, nodes: &[&Node], span: Span) -> Option<Vec<f64>> {
        let mut shares = Vec::with_capacity(nodes.len());
        let mut weights = true;
        for node in nodes {
            let (syntax, found) = constant_syntax(node, &Type::Number, self.context)?;
            let share = fold::float(&found)?;
            if share < 0.0 {
                return refuse(self.context, "out-of-range", syntax.span, "a share is never negative");
            }
            weights &= is_bare(&syntax) && share.fract() == 0.0;
            shares.push(share);
        }
        let sum: f64 = shares.iter().sum();
        if !(sum > 0.0 && sum.is_finite()) {
            return refuse(self.context, "out-of-range", span, "one share at least is above 0");
        }
        if !weights && (sum - 1.0).abs() > 1e-9 {
            let message = format!("these shares sum to {}%", (sum * 1e11).round() / 1e9);
            let diagnostic = Diagnostic::new("out-of-range", span, message);
            self.context
                .diagnostics
                .push(diagnostic.help("they sum to 100%, or all are whole numbers: weights"));
            return None;
        }
        Some(shares.into_iter().map(|share| share / sum).collect())
    }

    fn counter(&mut self, map: &Map, node: &Node) -> Option<Generator> {
        for (key, entry) in map {
            if key != COUNTER {
                let message = "a counter only counts: nothing stands beside it";
                return refuse(self.context, "unknown-key", entry.key_span, message);
            }
        }
        let ty = match &self.expected {
            Some(ty @ (Type::Int | Type::Id)) => ty.clone(),
            None => Type::Int,
            Some(_) => {
                self.draws(Drawn::Quantity, node.span)?;
                return refuse(self.context, "wrong-type", node.span, "a counter draws whole numbers");
            }
        };
        let of = expression(node, None, self.scope, self.context)?;
        if !of.ty.is_scalar() {
            return refuse(self.context, "wrong-type", of.span, "a counter counts for each plain value");
        }
        let kind = GeneratorKind::Counter(Box::new(of));
        Some(Generator { kind, ty, per_attempt: false, span: self.span })
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

    /// The parameters of a map by name, all needed, no others known.
    fn fields<'n>(&mut self, node: &'n Node, family: &str, keys: &[&str]) -> Option<Vec<&'n Node>> {
        let NodeKind::Map(map) = &node.kind else {
            let message = format!("`{family}` takes {{ {} }}", keys.join(", "));
            return refuse(self.context, "wrong-type", node.span, message);
        };
        let mut complete = true;
        for (key, entry) in map {
            if !keys.contains(&key.as_str()) {
                self.unknown_key(key, entry.key_span, &format!("`{family}`"), keys.to_vec());
                complete = false;
            }
        }
        for key in keys.iter().filter(|_| complete).filter(|key| !map.contains_key(**key)) {
            let message = format!("`{family}` needs `{key}`");
            self.context.diagnostics.push(Diagnostic::new("missing-key", node.span, message));
        }
        keys.iter()
            .filter(|_| complete)
            .map(|key| map.get(*key).map(|entry| &entry.value))
            .collect::<Option<Vec<_>>>()
            .filter(|found| found.len() == keys.len())
    }

    /// Parameters by name, all with the unit of what is drawn.
    fn named<const N: usize>(
        &mut self,
        node: &Node,
        family: &str,
        keys: [&str; N],
    ) -> Option<[Parameter; N]> {
        let nodes = self.fields(node, family, &keys)?;
        self.parameters(nodes.into_iter())
    }

    /// Parameters in a list, all with the unit of what is drawn.
    fn listed<const N: usize>(&mut self, node: &Node, form: &str) -> Option<[Parameter; N]> {
        match &node.kind {
            NodeKind::List(items) if items.len() == N => self.parameters(items.iter()),
            _ => refuse(self.context, "wrong-type", node.span, format!("{form} is expected")),
        }
    }

    fn parameters<'n, const N: usize>(
        &mut self,
        nodes: impl Iterator<Item = &'n Node>,
    ) -> Option<[Parameter; N]> {
        let parameters: Vec<_> = nodes.map(|node| self.parameter(node)).collect();
        let parameters = parameters.into_iter().collect::<Option<Vec<_>>>()?;
        for parameter in &parameters {
            self.signed_if_plain(*parameter)?;
        }
        parameters.try_into().ok()
    }

    /// Durations, sizes and rates that are drawn are not negative.
    fn signed_if_plain(&mut self, parameter: Parameter) -> Option<()> {
        if self.unit == Some(Type::Number) { Some(()) } else { self.not_negative(parameter) }
    }

    fn not_negative(&mut self, parameter: Parameter) -> Option<()> {
        if parameter.value >= 0.0 {
            return Some(());
        }
        refuse(self.context, "out-of-range", parameter.span, "this is never negative")
    }

    fn above_zero(&mut self, parameter: Parameter) -> Option<()> {
        if parameter.value > 0.0 {
            return Some(());
        }
        refuse(self.context, "out-of-range", parameter.span, "this is above 0")
    }

    fn in_order(&mut self, parameters: &[Parameter]) -> Option<()> {
        for pair in parameters.windows(2) {
            if pair[1].value < pair[0].value {
                return refuse(
                    self.context,
                    "out-of-range",
                    pair[1].span,
                    "this is below the bound before it",
                );
            }
        }
        Some(())
    }

    fn finite(&mut self, value: f64, span: Span) -> Option<f64> {
        if value.is_finite() {
            return Some(value);
        }
        refuse(self.context, "out-of-range", span, "these parameters give no finite distribution")
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

/// A key of a map, read as an expression.
fn key_node(key: &str, span: Span) -> Node {
    let offsets_exact = (span.end - span.start) as usize == key.len();
    Node { kind: NodeKind::Text { text: key.to_owned(), quoted: false, offsets_exact }, span }
}

fn is_word_node(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Text { text, .. } if constant::is_word(text))
}
