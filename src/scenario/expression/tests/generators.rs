//! Generators: every family with its base units, and what is refused.

use super::*;
use crate::kernel::distribution::{Distribution, Shape};

fn drawn(text: &str, expected: Option<&Type>) -> Generator {
    let mut world = World::new();
    let node = world.node(text);
    let found = value(&node, expected, &Scope::NOTHING, &mut world.context());
    assert!(world.diagnostics.is_empty(), "{text}: {:?}", world.diagnostics.list);
    match found {
        Some(Value::Draw(generator)) => generator,
        other => panic!("{text}: {other:?}"),
    }
}

fn distribution(generator: Generator) -> Distribution {
    match generator.kind {
        GeneratorKind::Distribution(distribution) => distribution,
        other => panic!("no distribution: {other:?}"),
    }
}

fn shape(text: &str, expected: Option<&Type>) -> Shape {
    distribution(drawn(text, expected)).shape
}

fn refused(text: &str, expected: Option<&Type>) -> (&'static str, String) {
    let mut world = World::new();
    let node = world.node(text);
    let found = value(&node, expected, &Scope::NOTHING, &mut world.context());
    assert!(found.is_none(), "{text} passes: {found:?}");
    let (diagnostic, underlined) = only(&world, text);
    (diagnostic.code, underlined)
}

const MS: f64 = 1e6;

#[test]
fn every_family_in_base_units() {
    let duration = Some(&Type::Duration);
    assert_eq!(shape("{ constant: 5ms }", duration), Shape::Constant(5.0 * MS));
    assert_eq!(shape("{ exponential: 5ms }", duration), Shape::Exponential { mean: 5.0 * MS });
    assert_eq!(shape("{ exponential: 200/s }", duration), Shape::Exponential { mean: 5.0 * MS });
    assert_eq!(shape("{ exponential: $rate }", duration), Shape::Exponential { mean: 5.0 * MS });
    assert_eq!(shape("{ uniform: [1ms, 2ms] }", duration), Shape::Uniform { low: MS, high: 2.0 * MS });
    assert_eq!(
        shape("{ normal: { mean: 5ms, sd: 1ms } }", duration),
        Shape::Normal { mean: 5.0 * MS, sd: MS, positive: true }
    );
    assert_eq!(
        shape("{ normal: { mean: 5, sd: 1 } }", None),
        Shape::Normal { mean: 5.0, sd: 1.0, positive: false }
    );
    assert_eq!(
        shape("{ gamma: { mean: 6ms, shape: 3 } }", duration),
        Shape::Gamma { shape: 3.0, scale: 2.0 * MS }
    );
    assert_eq!(
        shape("{ erlang: { mean: 6ms, stages: 3 } }", duration),
        Shape::Gamma { shape: 3.0, scale: 2.0 * MS }
    );
    assert_eq!(
        shape("{ weibull: { scale: 1ms, shape: 0.5 } }", duration),
        Shape::Weibull { scale: MS, shape: 0.5 }
    );
    assert_eq!(shape("{ pareto: { min: 1ms, shape: 2 } }", duration), Shape::Pareto { min: MS, shape: 2.0 });
    assert_eq!(
        shape("{ triangular: [1ms, 2ms, 4ms] }", duration),
        Shape::Triangular { low: MS, mode: 2.0 * MS, high: 4.0 * MS }
    );
    assert_eq!(shape("{ empirical: [1ms, 3ms] }", duration), Shape::Empirical(vec![MS, 3.0 * MS]));
    assert_eq!(shape("{ zipf: { n: 1000, s: 1.1 } }", None), Shape::Zipf { n: 1000, s: 1.1 });
    assert_eq!(shape("{ chance: 10% }", None), Shape::Chance(0.1));
}

#[test]
fn lognormal_from_quantiles_and_from_moments() {
    let Shape::Lognormal { mu, sigma } = shape("{ lognormal: { median: 2ms, p99: 12ms } }", None) else {
        panic!("a lognormal")
    };
    assert!((libm::exp(mu) - 2.0 * MS).abs() < 1e-3);
    assert!((libm::exp(mu + 2.326_347_874_040_841 * sigma) - 12.0 * MS).abs() < 1e-2);
    let Shape::Lognormal { mu, sigma } = shape("{ lognormal: { mean: 5ms, sd: 2ms } }", None) else {
        panic!("a lognormal")
    };
    let mean = libm::exp(mu + sigma * sigma / 2.0);
    let sd = mean * (libm::exp(sigma * sigma) - 1.0).sqrt();
    assert!((mean - 5.0 * MS).abs() < 1e-2 && (sd - 2.0 * MS).abs() < 1e-2, "{mean} {sd}");
}

#[test]
fn the_type_follows_from_the_parameters() {
    let cases = [
        ("{ uniform: [1, 3] }", Type::Int),
        ("{ uniform: [1, 3.5] }", Type::Number),
        ("{ uniform: [1ms, 3ms] }", Type::Duration),
        ("{ exponential: 200/s }", Type::Duration),
        ("{ exponential: 5 }", Type::Number),
        ("{ exponential: 5KB }", Type::Size),
        ("{ zipf: { n: 10, s: 1 } }", Type::Int),
        ("{ chance: 5% }", Type::Bool),
        ("{ constant: 3 }", Type::Int),
        ("{ constant: 3ms }", Type::Duration),
        ("{ empirical: [1, 2] }", Type::Int),
        ("{ choice: { 1: 50%, 2: 50% } }", Type::Int),
        ("{ mixture: [ { share: 90%, constant: 1 }, { share: 10%, uniform: [2, 5] } ] }", Type::Int),
        ("{ uniform: [1, 3], plus: 0.5 }", Type::Number),
    ];
    for (text, ty) in cases {
        assert_eq!(drawn(text, None).ty, ty, "{text}");
    }
    assert_eq!(drawn("{ uniform: [1, 3] }", Some(&Type::Id)).ty, Type::Id);
    assert_eq!(shape("{ uniform: [1, 3] }", None), Shape::UniformInteger { low: 1, high: 3 });
}

#[test]
fn choices_are_words_or_values() {
    let status = World::new().status();
    for expected in [None, Some(&status)] {
        let generator = drawn("{ choice: { placed: 25%, shipped: 75% } }", expected);
        assert_eq!(generator.ty, status);
        let GeneratorKind::Choice { words, distribution } = generator.kind else { panic!("a choice") };
        assert_eq!(words, [SymbolId(0), SymbolId(1)]);
        assert_eq!(distribution.shape, Shape::Choice(vec![0.25, 0.75]));
    }
    let GeneratorKind::Choice { distribution, .. } = drawn("{ choice: { a: 1, b: 3 } }", None).kind else {
        panic!("a choice")
    };
    assert_eq!(distribution.shape, Shape::Choice(vec![0.25, 0.75]), "whole numbers are weights");
    let Shape::Mixture(parts) = shape("{ choice: { 1ms: 50%, 3ms: 50% } }", Some(&Type::Duration)) else {
        panic!("a mixture of constants")
    };
    assert_eq!(parts[1].1.shape, Shape::Constant(3.0 * MS));
}

#[test]
fn options_shift_and_clamp() {
    let generator = drawn("{ exponential: 5ms, plus: 1ms, min: 2ms, max: 1s }", None);
    let distribution = distribution(generator);
    assert_eq!((distribution.plus, distribution.min, distribution.max), (MS, 2.0 * MS, 1000.0 * MS));
    assert!(drawn("{ chance: 5%, per: attempt }", None).per_attempt);
    assert!(!drawn("{ chance: 5% }", None).per_attempt);
    assert!(drawn("{ exponential: 5ms }", None).per_attempt, "a duration belongs to the attempt");
}

#[test]
fn a_constant_is_a_generator() {
    let mut world = World::new();
    let node = world.node("2 * $timeout");
    let found = generator(&node, &Type::Duration, &mut world.context()).unwrap();
    assert_eq!(distribution(found).shape, Shape::Constant(10.0 * MS));
    let node = world.node("5");
    assert!(generator(&node, &Type::Duration, &mut world.context()).is_none());
    assert_eq!(only(&world, "5").0.code, "missing-unit");
}

#[test]
fn counters_count_for_each_value() {
    let mut world = World::new();
    let node = world.node("{ counter: message.sku }");
    let scope = Scope { message: Some(MessageId(0)), ..Scope::NOTHING };
    let Some(Value::Draw(found)) = value(&node, None, &scope, &mut world.context()) else {
        panic!("a counter")
    };
    assert_eq!(found.ty, Type::Int);
    assert!(matches!(found.kind, GeneratorKind::Counter(_)));
}

#[test]
fn values_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.txt"), "1ms\n\n 2.5ms\n").unwrap();
    std::fs::write(folder.path().join("bad.txt"), "1ms\n5\n").unwrap();
    let mut world = World::new();
    let node = world.node("{ empirical: good.txt }");
    let bad = world.node("{ empirical: bad.txt }");
    let missing = world.node("{ empirical: none.txt }");
    for source in &mut world.sources.files {
        source.folder = folder.path().to_owned();
    }
    let found = generator(&node, &Type::Duration, &mut world.context()).unwrap();
    assert_eq!(distribution(found).shape, Shape::Empirical(vec![MS, 2.5 * MS]));
    assert!(generator(&bad, &Type::Duration, &mut world.context()).is_none());
    let (diagnostic, underlined) = only(&world, "bad");
    assert!(diagnostic.message.starts_with("line 2 of `bad.txt`"), "{diagnostic:?}");
    assert_eq!(underlined, "bad.txt");
    world.diagnostics = Diagnostics::default();
    assert!(generator(&missing, &Type::Duration, &mut world.context()).is_none());
    assert_eq!(only(&world, "missing").0.code, "unreadable-file");
}

#[test]
fn mistakes_have_their_place() {
    let duration = Some(&Type::Duration);
    let cases = [
        ("{ exponental: 5ms }", duration, "unknown-key", "exponental"),
        ("{ }", duration, "missing-key", "{ }"),
        ("{ exponential: 5ms, constant: 1ms }", duration, "duplicate", "constant"),
        ("{ exponential: 5 }", duration, "missing-unit", "5"),
        ("{ exponential: 0ms }", duration, "out-of-range", "0ms"),
        ("{ uniform: [2ms, 1ms] }", duration, "out-of-range", "1ms"),
        ("{ uniform: [-2ms, 1ms] }", duration, "out-of-range", "-2ms"),
        ("{ uniform: [1ms] }", duration, "wrong-type", "[1ms]"),
        ("{ uniform: [1ms, 2] }", None, "missing-unit", "2"),
        ("{ normal: { mean: 5ms, sd: -1ms } }", duration, "out-of-range", "-1ms"),
        ("{ normal: { mean: 5ms } }", duration, "missing-key", "{ mean: 5ms }"),
        ("{ normal: { mean: 5ms, sdd: 1ms } }", duration, "unknown-key", "sdd"),
        ("{ lognormal: { median: 5ms, p99: 5ms } }", duration, "out-of-range", "5ms"),
        ("{ gamma: { mean: 5ms, shape: 0 } }", duration, "out-of-range", "0"),
        ("{ erlang: { mean: 5ms, stages: 0 } }", duration, "out-of-range", "0"),
        ("{ zipf: { n: 10000001, s: 1 } }", None, "out-of-range", "10000001"),
        ("{ zipf: { n: 10, s: -1 } }", None, "out-of-range", "-1"),
        ("{ zipf: { n: 10, s: 1 } }", duration, "wrong-type", "{ n: 10, s: 1 }"),
        ("{ chance: 5% }", duration, "wrong-type", "5%"),
        ("{ chance: 0.5 }", None, "missing-unit", "0.5"),
        ("{ exponential: 5ms }", Some(&Type::Bool), "wrong-type", "5ms"),
        ("{ choice: { a: 50%, b: 40% } }", None, "out-of-range", "{ a: 50%, b: 40% }"),
        ("{ choice: { a: 0.5, b: 0.4 } }", None, "out-of-range", "{ a: 0.5, b: 0.4 }"),
        ("{ choice: { a: -1, b: 2 } }", None, "out-of-range", "-1"),
        ("{ mixture: [ { exponential: 5ms } ] }", duration, "missing-key", "{ exponential: 5ms }"),
        ("{ mixture: [] }", duration, "out-of-range", "[]"),
        ("{ empirical: [] }", duration, "out-of-range", "[]"),
        ("{ exponential: 5ms, per: day }", duration, "wrong-type", "day"),
        ("{ exponential: 5ms, min: 2ms, max: 1ms }", duration, "out-of-range", "1ms"),
        ("{ chance: 5%, plus: 1 }", None, "wrong-type", "plus"),
        ("{ counter: 1, plus: 1 }", None, "unknown-key", "plus"),
        ("{ uniform: [1, 3] }", Some(&Type::Time), "wrong-type", "{ uniform: [1, 3] }"),
        ("{ exponential: n }", duration, "unknown-name", "n"),
    ];
    for (text, expected, code, underlined) in cases {
        assert_eq!(refused(text, expected), (code, underlined.to_owned()), "{text}");
    }
    let status = World::new().status();
    let found = refused("{ choice: { placed: 50%, shiped: 50% } }", Some(&status));
    assert_eq!(found, ("unknown-word", "shiped".to_owned()));
}
