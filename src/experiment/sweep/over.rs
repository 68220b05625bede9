//! What is varied in a sweep, as it is written, and the points that come of it.
//!
//! | written | stands for |
//! |---|---|
//! | `rate=100/s..1000/s:10` | ten values, evenly spaced, both ends among them |
//! | `rate=10/s..1000/s:9:log` | nine values, each the same multiple of the one before |
//! | `workers=1..8` | every whole number; `1..64:7:log` is rounded to whole numbers |
//! | `preset=kafka,sqs-fifo` | a list of anything |
//!
//! A grid has a point for each combination, the last axis changing fastest. A random design has so many points as are
//! asked for: a Latin hypercube (McKay, Beckman and Conover, Technometrics 21 (1979) 239–245), in which each axis is cut into as many
//! strata as there are points, and each stratum has one. Values are rounded to six digits, so that what is told is what was run.

use crate::experiment::results::sweep::{Axis, Scale};
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Most points of a design.
pub const MOST_POINTS: usize = 10_000;
const MOST_AXES: usize = 8;

/// Something that is varied.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    /// As a setting has it: a parameter, or a path.
    name: String,
    written: String,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    List(Vec<String>),
    Range(Range),
}

#[derive(Clone, Debug, PartialEq)]
struct Range {
    from: f64,
    to: f64,
    unit: String,
    count: Option<u32>,
    is_logarithmic: bool,
    /// Both ends are plain whole numbers, and so is all between.
    is_whole: bool,
}

/// One combination of values, in the order of the axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    pub values: Vec<String>,
    /// Each as a number in the unit of its axis, if it is one.
    pub numbers: Vec<Option<f64>>,
}

/// All combinations, and what they were taken from.
#[derive(Clone, Debug, PartialEq)]
pub struct Combinations {
    pub axes: Vec<Axis>,
    pub points: Vec<Combination>,
}

impl Over {
    /// Reads `name=values`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and how it is written.
    pub fn read(written: &str) -> Result<Self, String> {
        let Some((name, values)) = written.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(format!("`{written}`: write what is varied and its values: rate=100/s..1000/s:10"));
        };
        let values = match range(values).map_err(|why| format!("`{written}`: {why}"))? {
            Some(range) => Values::Range(range),
            None => Values::List(list(values).ok_or_else(|| format!("`{written}`: a value is missing"))?),
        };
        Ok(Self { name: name.trim().to_owned(), written: written.to_owned(), values })
    }

    /// Its values in a grid.
    fn all(&self) -> Result<Vec<String>, String> {
        let Range { from, to, unit, count, is_logarithmic, is_whole } = match &self.values {
            Values::List(words) => return Ok(words.clone()),
            Values::Range(range) => range,
        };
        let steps = match count {
            Some(count) => count - 1,
            None if *is_whole && to - from < MOST_POINTS as f64 => (to - from) as u32,
            None => {
                return Err(format!(
                    "`{}`: say how many values a grid has: {}:10, or {0}:10:log",
                    self.written, self.written
                ));
            }
        };
        let value = |step: u32| {
            let share = f64::from(step) / f64::from(steps.max(1));
            told(between(*from, *to, share, *is_logarithmic), *is_whole) + unit
        };
        let mut values: Vec<String> = (0..=steps).map(value).collect();
        values.dedup();
        Ok(values)
    }

    /// The value at a share of the way, from 0 to below 1.
    fn at(&self, share: f64) -> String {
        match &self.values {
            Values::List(words) => {
                words[((share * words.len() as f64) as usize).min(words.len() - 1)].clone()
            }
            Values::Range(range) if range.is_whole && !range.is_logarithmic => {
                let whole = range.from + libm::floor(share * (range.to - range.from + 1.0));
                told(whole.min(range.to), true)
            }
            Values::Range(range) => {
                told(between(range.from, range.to, share, range.is_logarithmic), range.is_whole) + &range.unit
            }
        }
    }

    fn axis(&self, values: Vec<String>) -> Axis {
        let parts: Vec<Option<(f64, &str)>> = values.iter().map(|value| number(value)).collect();
        let unit = parts.first().copied().flatten().map(|(_, unit)| unit);
        let is_numeric = unit.is_some() && parts.iter().all(|part| part.map(|(_, unit)| unit) == unit);
        let scale = match &self.values {
            Values::Range(Range { is_logarithmic: true, .. }) => Scale::Logarithmic,
            _ if is_numeric => Scale::Linear,
            _ => Scale::Words,
        };
        let unit = unit.filter(|_| is_numeric).unwrap_or_default().to_owned();
        Axis { name: self.name.clone(), written: self.written.clone(), scale, unit, values }
    }
}

/// Every combination of the values.
///
/// # Errors
///
/// That there are too many, or that the values of one cannot be told.
pub fn grid(over: &[Over]) -> Result<Combinations, String> {
    distinct(over)?;
    let values: Vec<Vec<String>> = over.iter().map(Over::all).collect::<Result<_, _>>()?;
    let count = values.iter().try_fold(1_usize, |all, values| all.checked_mul(values.len()));
    if count.is_none_or(|count| count > MOST_POINTS) {
        return Err(format!("more than {MOST_POINTS} points: take fewer values, or --samples"));
    }
    let mut points: Vec<Vec<String>> = vec![Vec::new()];
    for values in &values {
        let with = |point: Vec<String>| {
            values.iter().map(move |value| [point.as_slice(), std::slice::from_ref(value)].concat())
        };
        points = points.into_iter().flat_map(with).collect();
    }
    let axes = over.iter().zip(values).map(|(over, values)| over.axis(values)).collect();
    Ok(combined(axes, points))
}

/// A Latin hypercube of so many points. The same seed gives the same points.
///
/// # Errors
///
/// That there are too many.
pub fn latin_hypercube(over: &[Over], count: usize, seed: u64) -> Result<Combinations, String> {
    distinct(over)?;
    if count > MOST_POINTS {
        return Err(format!("at most {MOST_POINTS} samples"));
    }
    let mut points: Vec<Vec<String>> = vec![Vec::new(); count];
    let mut axes = Vec::new();
    for over in over {
        let mut key = blake3::Hasher::new_derive_key("eventflow 2026 latin hypercube");
        key.update(&seed.to_le_bytes()).update(over.name.as_bytes());
        let mut draws = ChaCha8Rng::from_seed(*key.finalize().as_bytes());
        let mut strata: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            strata.swap(last, draws.random_range(0..last as u64 + 1) as usize);
        }
        let mut values = Vec::new();
        for (point, stratum) in points.iter_mut().zip(strata) {
            // 53 bits: every platform makes the same number of them.
            let inside = (draws.random::<u64>() >> 11) as f64 / (1_u64 << 53) as f64;
            let value = over.at((stratum as f64 + inside) / count as f64);
            values.push(value.clone());
            point.push(value);
        }
        axes.push(over.axis(values));
    }
    Ok(combined(axes, points))
}

fn combined(axes: Vec<Axis>, points: Vec<Vec<String>>) -> Combinations {
    let combination = |values: Vec<String>| {
        let numbers = axes.iter().zip(&values).map(|(axis, value)| match axis.scale {
            Scale::Words => None,
            Scale::Linear | Scale::Logarithmic => number(value).map(|(number, _)| number),
        });
        Combination { numbers: numbers.collect(), values }
    };
    let points = points.into_iter().map(combination).collect();
    Combinations { axes, points }
}

fn distinct(over: &[Over]) -> Result<(), String> {
    if over.len() > MOST_AXES {
        return Err(format!("at most {MOST_AXES} things are varied at once"));
    }
    let twice = |at: &usize| over[..*at].iter().any(|earlier| earlier.name == over[*at].name);
    match (0..over.len()).find(twice) {
        Some(at) => Err(format!("`{}` is varied twice", over[at].name)),
        None => Ok(()),
    }
}

fn between(from: f64, to: f64, share: f64, is_logarithmic: bool) -> f64 {
    if is_logarithmic {
        return from * libm::exp(share * libm::log(to / from));
    }
    from + share * (to - from)
}

/// A number as it is written into a setting.
fn told(value: f64, is_whole: bool) -> String {
    if is_whole {
        return format!("{}", value.round());
    }
    let rounded: f64 = format!("{value:.5e}").parse().expect("a number that was just written");
    format!("{rounded}")
}

/// Reads `100/s..1000/s:10:log`; `None` if it is no range.
fn range(text: &str) -> Result<Option<Range>, String> {
    let Some((from, rest)) = text.split_once("..") else { return Ok(None) };
    let mut parts = rest.split(':');
    let to = parts.next().unwrap_or_default();
    let (Some((from, from_unit)), Some((to, to_unit))) = (number(from), number(to)) else { return Ok(None) };
    if from_unit != to_unit {
        return Err(format!("its ends are in `{from_unit}` and `{to_unit}`; write both in one unit"));
    }
    if from >= to {
        return Err("a range goes from less to more".to_owned());
    }
    let mut range = Range {
        from,
        to,
        unit: from_unit.to_owned(),
        count: None,
        is_logarithmic: false,
        is_whole: from_unit.is_empty() && from.fract() == 0.0 && to.fract() == 0.0,
    };
    for part in parts {
        match (part, part.parse::<u32>()) {
            ("log", _) if from > 0.0 => range.is_logarithmic = true,
            ("log", _) => return Err("logarithmic steps begin above 0".to_owned()),
            (_, Ok(count)) if (2..=MOST_POINTS as u32).contains(&count) => range.count = Some(count),
            _ => {
                return Err(format!(
                    "`{part}` is no number of values (2 to {MOST_POINTS}), and not `log`: rate=100/s..1000/s:10:log"
                ));
            }
        }
    }
    Ok(Some(range))
}

/// Splits at commas outside of brackets, braces and quotes. `None`: there is nothing between two of them.
fn list(text: &str) -> Option<Vec<String>> {
    let (mut depth, mut quote) = (0_u32, None);
    let mut values = vec![String::new()];
    for letter in text.chars() {
        match (letter, quote) {
            (',', None) if depth == 0 => {
                values.push(String::new());
                continue;
            }
            ('"' | '\'', None) => quote = Some(letter),
            (end, Some(open)) if end == open => quote = None,
            ('[' | '{' | '(', None) => depth += 1,
            (']' | '}' | ')', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
        values.last_mut().expect("there is one").push(letter);
    }
    let values: Vec<String> = values.iter().map(|value| value.trim().to_owned()).collect();
    values.iter().all(|value| !value.is_empty()).then_some(values)
}

/// A number and the unit behind it.
fn number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits);
    let is_unit = unit.len() <= 8 && unit.chars().all(|c| c.is_ascii_alphabetic() || c == '/' || c == '%');
    let number: f64 = digits.parse().ok()?;
    (is_unit && number.is_finite()).then_some((number, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(written: &str) -> Vec<String> {
        grid(&[Over::read(written).unwrap()]).unwrap().axes[0].values.clone()
    }

    #[test]
    fn ranges_and_lists_are_told_as_they_would_be_typed() {
        assert_eq!(values("rate=100/s..1000/s:4"), ["100/s", "400/s", "700/s", "1000/s"]);
        assert_eq!(values("rate=10/s..1000/s:3:log"), ["10/s", "100/s", "1000/s"]);
        assert_eq!(values("d=1ms..2ms:4"), ["1ms", "1.33333ms", "1.66667ms", "2ms"]);
        assert_eq!(values("workers=1..4"), ["1", "2", "3", "4"]);
        assert_eq!(values("workers=1..64:4:log"), ["1", "4", "16", "64"]);
        assert_eq!(values("workers=1..3:5"), ["1", "2", "3"], "the same number is taken once");
        assert_eq!(values("preset=kafka, sqs-fifo"), ["kafka", "sqs-fifo"]);
        assert_eq!(values("a.b=[1, 2],{ c: 3, d: 4 },\"e,f\""), ["[1, 2]", "{ c: 3, d: 4 }", "\"e,f\""]);
    }

    #[test]
    fn a_mistake_is_named() {
        for (written, said) in [
            ("rate", "write what is varied"),
            ("=1,2", "write what is varied"),
            ("rate=100/s..1s:4", "one unit"),
            ("rate=5/s..5/s:4", "from less to more"),
            ("rate=0/s..5/s:4:log", "above 0"),
            ("rate=1/s..5/s:1", "no number of values"),
            ("rate=1/s..5/s:linear", "no number of values"),
            ("preset=a,,b", "a value is missing"),
            ("preset=", "a value is missing"),
        ] {
            let mistake = Over::read(written).unwrap_err();
            assert!(mistake.contains(said), "{written}: {mistake}");
        }
        let over = |written: &str| Over::read(written).unwrap();
        let mistake = grid(&[over("rate=1/s..5/s")]).unwrap_err();
        assert!(mistake.contains("say how many"), "{mistake}");
        assert!(grid(&[over("a=1..200"), over("b=1..200")]).unwrap_err().contains("more than 10000"));
        assert!(grid(&[over("a=1..2"), over("a=1..2")]).unwrap_err().contains("varied twice"));
    }

    #[test]
    fn a_grid_has_each_combination_once() {
        let over = ["rate=1/s..3/s:3", "preset=kafka,sqs"].map(|written| Over::read(written).unwrap());
        let Combinations { axes, points } = grid(&over).unwrap();
        assert_eq!(points.len(), 6);
        assert_eq!(points[3].values, ["2/s", "sqs"]);
        assert_eq!(points[3].numbers, [Some(2.0), None]);
        assert_eq!(
            (axes[0].scale, axes[1].scale, axes[0].unit.as_str()),
            (Scale::Linear, Scale::Words, "/s")
        );
    }

    /// One point in each stratum of each axis, wherever in it.
    #[test]
    fn a_latin_hypercube_has_one_point_in_each_stratum() {
        let over = ["rate=0/s..20/s", "workers=1..20", "w=a,b"].map(|written| Over::read(written).unwrap());
        let design = latin_hypercube(&over, 20, 7).unwrap();
        let numbers = |axis: usize| design.points.iter().map(move |point| point.numbers[axis].unwrap());
        let mut strata: Vec<i64> = numbers(0).map(|value| value.floor() as i64).collect();
        strata.sort_unstable();
        assert_eq!(strata, (0..20).collect::<Vec<i64>>());
        let mut whole: Vec<i64> = numbers(1).map(|value| value as i64).collect();
        whole.sort_unstable();
        assert_eq!(whole, (1..=20).collect::<Vec<i64>>());
        assert_eq!(design.points.iter().filter(|point| point.values[2] == "a").count(), 10);
        assert_eq!(latin_hypercube(&over, 20, 7).unwrap(), design);
        assert_ne!(latin_hypercube(&over, 20, 8).unwrap(), design);
    }
}
