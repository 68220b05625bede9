//! The families of distributions: their parameters checked, then in base units.

use super::super::super::node::{Node, NodeKind};
use super::super::super::resolved::*;
use super::super::super::source::Span;
use super::super::check::{Checker, Inside};
use super::super::constant::{constant_syntax, is_bare, refuse};
use super::super::{MOST_ELEMENTS, Scope, constant, empirical, fold, syntax};
use super::{COUNTER, Drawing};
use crate::kernel::distribution::Shape;
use crate::scenario::diagnostic::Diagnostic;

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;
/// The most ranks of a Zipf distribution.
const MOST_RANKS: u64 = 10_000_000;
/// The largest whole number up to which every one is a float.
const LARGEST_EXACT: i64 = 1 << 53;

impl Drawing<'_, '_> {
    pub fn exponential(&mut self, node: &Node) -> Option<Shape> {
        let syntax = syntax::parse(node, self.context)?;
        // Read again below, where its mistakes are told.
        let told = self.context.diagnostics.list.len();
        let mut checker = Checker {
            scope: &Scope::NOTHING,
            context: self.context,
            root: node.span,
            inside: Inside::Nothing,
        };
        let is_rate = checker.infer(&syntax, None).is_some_and(|found| found.ty == Type::Rate);
        self.context.diagnostics.list.truncate(told);
        if is_rate && matches!(self.unit, None | Some(Type::Duration)) {
            self.unit = Some(Type::Duration);
            let rate = constant::rate(node, self.context)?;
            return self.finite(1e9 / rate, node.span).map(|mean| Shape::Exponential { mean });
        }
        let mean = self.parameter(node)?;
        self.above_zero(mean)?;
        Some(Shape::Exponential { mean: mean.value })
    }

    pub fn uniform(&mut self, node: &Node) -> Option<Shape> {
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

    pub fn lognormal(&mut self, node: &Node) -> Option<Shape> {
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

    pub fn gamma(&mut self, node: &Node, family: &str) -> Option<Shape> {
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

    pub fn scale_and_shape(
        &mut self,
        node: &Node,
        family: &str,
        scale_key: &'static str,
    ) -> Option<(f64, f64)> {
        let map = self.fields(node, family, &[scale_key, "shape"])?;
        let (scale, shape) = (self.parameter(map[0]), self.plain_number(map[1]));
        let (scale, shape) = (scale?, shape?);
        self.above_zero(scale)?;
        self.above_zero(shape)?;
        Some((scale.value, shape.value))
    }

    pub fn zipf(&mut self, node: &Node) -> Option<Shape> {
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

    pub fn empirical(&mut self, node: &Node) -> Option<Shape> {
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

    pub fn mixture(&mut self, node: &Node) -> Option<Shape> {
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

    /// Shares that sum to 100 %, or whole numbers as weights.
    pub fn shares(&mut self, nodes: &[&Node], span: Span) -> Option<Vec<f64>> {
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
}
