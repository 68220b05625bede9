//! Generators: values drawn at random, by the name of their family.

use super::super::{Alternative, Choice, Expected, Key, Kind, Quantity, Record, Shape};
use Shape::{Expression, List, Map, OneOf, Path, Quantity as Constant, Tuple, Word};

const NUMBER: Shape = Expression(Expected::Anything);
const SHARE: Shape = Constant(Quantity::Share);

/// A random value.
pub static GENERATOR: Record = Record {
    name: "generator",
    called: "a generator",
    about: "A map in place of an expression is a generator: a value drawn anew at each use. Lengths of time are drawn again for each attempt; other values belong to the cause, so that a retry meets the same declined card, unless `per: attempt` says otherwise. A duration that comes out below zero becomes 0 (a normal one is drawn again).",
    groups: &[BESIDE],
    choices: &[Choice { called: "family", alternatives: FAMILIES }],
};

static BESIDE: &[Key] = &[
    Key::optional("plus", NUMBER, "Added to what is drawn."),
    Key::optional("min", NUMBER, "The least it may come to, after `plus`."),
    Key::optional("max", NUMBER, "The most it may come to, after `plus`."),
    Key::optional(
        "per",
        Word(&[("attempt", "every attempt draws anew: a transient failure")]),
        "Whom the drawn value belongs to, if not to the cause.",
    ),
];

static FAMILIES: &[Alternative] = &[
    Alternative::new("constant", NUMBER, &[], "Always this."),
    Alternative::new("exponential", NUMBER, &[], "Exponential with this mean, or with this rate (`200/s`)."),
    Alternative::new(
        "uniform",
        Tuple { names: &["low", "high"], of: &NUMBER },
        &[],
        "Uniform between the two: whole numbers, both included, if both are whole.",
    ),
    Alternative::new("normal", Shape::Record(&NORMAL), &[], "Normal; a duration below zero is drawn again."),
    Alternative::new(
        "lognormal",
        OneOf(&[Shape::Record(&LOGNORMAL_MEDIAN), Shape::Record(&LOGNORMAL_MEAN)]),
        &[],
        "Lognormal: what latencies look like.",
    ),
    Alternative::new("gamma", Shape::Record(&GAMMA), &[], "Gamma."),
    Alternative::new("erlang", Shape::Record(&ERLANG), &[], "Erlang: the sum of exponential stages."),
    Alternative::new("weibull", Shape::Record(&WEIBULL), &[], "Weibull."),
    Alternative::new("pareto", Shape::Record(&PARETO), &[], "Pareto: a heavy tail."),
    Alternative::new(
        "triangular",
        Tuple { names: &["low", "mode", "high"], of: &NUMBER },
        &[],
        "Triangular.",
    ),
    Alternative::new(
        "empirical",
        OneOf(&[Path, List { of: &NUMBER, least: 1 }]),
        &[],
        "One of these values, equally likely: a list, or a file with one value a line.",
    ),
    Alternative::new(
        "mixture",
        List { of: &Shape::Record(&MIXTURE_PART), least: 1 },
        &[],
        "One of several generators, by their shares.",
    ),
    Alternative::new(
        "zipf",
        Shape::Record(&ZIPF),
        &[],
        "A rank from 1 to `n`: rank *k* with a probability proportional to *k*^−`s`.",
    ),
    Alternative::new(
        "choice",
        Map { name: Kind::Constant, value: &SHARE },
        &[],
        "One of these words, by their shares, which sum to 100%.",
    ),
    Alternative::new("chance", SHARE, &[], "True with this probability."),
    Alternative::new(
        "counter",
        Expression(Expected::Anything),
        &[],
        "1, 2, 3 … for each value of the expression.",
    ),
];

/// `normal`.
pub static NORMAL: Record = Record {
    name: "normal",
    called: "`normal`",
    about: "A normal distribution.",
    groups: &[&[
        Key::required("mean", NUMBER, "Its mean."),
        Key::required("sd", NUMBER, "Its standard deviation."),
    ]],
    choices: &[],
};

/// `lognormal`, by quantiles.
pub static LOGNORMAL_MEDIAN: Record = Record {
    name: "lognormal-quantiles",
    called: "`lognormal` by median and p99",
    about: "A lognormal distribution, by two quantiles.",
    groups: &[&[
        Key::required("median", NUMBER, "Its median."),
        Key::required("p99", NUMBER, "Its 99th percentile."),
    ]],
    choices: &[],
};

/// `lognormal`, by moments.
pub static LOGNORMAL_MEAN: Record = Record {
    name: "lognormal-moments",
    called: "`lognormal` by mean and sd",
    about: "A lognormal distribution, by its moments.",
    groups: &[&[
        Key::required("mean", NUMBER, "Its mean (not of the logarithm)."),
        Key::required("sd", NUMBER, "Its standard deviation (not of the logarithm)."),
    ]],
    choices: &[],
};

/// `gamma`.
pub static GAMMA: Record = Record {
    name: "gamma",
    called: "`gamma`",
    about: "A gamma distribution.",
    groups: &[&[
        Key::required("mean", NUMBER, "Its mean."),
        Key::required("shape", NUMBER, "Its shape: the squared coefficient of variation is 1/`shape`."),
    ]],
    choices: &[],
};

/// `erlang`.
pub static ERLANG: Record = Record {
    name: "erlang",
    called: "`erlang`",
    about: "An Erlang distribution.",
    groups: &[&[
        Key::required("mean", NUMBER, "Its mean, of all stages together."),
        Key::required("stages", Constant(Quantity::Count), "How many exponential stages."),
    ]],
    choices: &[],
};

/// `weibull`.
pub static WEIBULL: Record = Record {
    name: "weibull",
    called: "`weibull`",
    about: "A Weibull distribution.",
    groups: &[&[
        Key::required("scale", NUMBER, "Its scale: the 63rd percentile."),
        Key::required("shape", NUMBER, "Its shape: below 1 the tail is heavier than the exponential's."),
    ]],
    choices: &[],
};

/// `pareto`.
pub static PARETO: Record = Record {
    name: "pareto",
    called: "`pareto`",
    about: "A Pareto distribution.",
    groups: &[&[
        Key::required("min", NUMBER, "Its least value."),
        Key::required(
            "shape",
            NUMBER,
            "Its shape: P(X > x) = (`min`/x)^`shape`. The mean is infinite at 1 and below, the variance at 2 and below.",
        ),
    ]],
    choices: &[],
};

/// `zipf`.
pub static ZIPF: Record = Record {
    name: "zipf",
    called: "`zipf`",
    about: "Zipf's law.",
    groups: &[&[
        Key::required("n", Constant(Quantity::Count), "How many ranks."),
        Key::required("s", NUMBER, "How uneven: 0 is uniform."),
    ]],
    choices: &[],
};

/// A part of a `mixture`.
pub static MIXTURE_PART: Record = Record {
    name: "mixture-part",
    called: "a part of a `mixture`",
    about: "A generator with its share.",
    groups: &[&[Key::required("share", SHARE, "How often it is taken; all shares sum to 100%.")], BESIDE],
    choices: &[Choice { called: "family", alternatives: FAMILIES }],
};
