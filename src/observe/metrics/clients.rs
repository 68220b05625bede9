//! Intents and calls: how they end, and how long they take.

use super::figures::{CallFigures, ClientFigures, DurationFigures};
use super::{Window, seconds};
use crate::kernel::time::{Nanos, SECOND};
use crate::model::Error;
use crate::stats::histogram::Histogram;
use crate::stats::series::{Buckets, EventSeries};
use crate::world::record::Outcome;

/// Ends of what was begun in the window.
#[derive(Default)]
#[repr(C)]
struct Ends {
    /// Of what ended well.
    response_times: Histogram,
    timeouts: u64,
    errors: u64,
    /// How often each error was the end, in the order of their codes. Few kinds ever occur at one place.
    reasons: Vec<(Error, u64)>,
}

impl Ends {
    #[inline(always)]
    fn record(&mut self, response_time: Nanos, outcome: Outcome) {
        match outcome {
            Outcome::Well => self.response_times.record(response_time),
            Outcome::Error(error) => {
                *(if error == Error::Timeout { &mut self.timeouts } else { &mut self.errors }) += 1;
                self.count(error);
            }
            Outcome::Cut => self.errors += 1,
        }
    }

    fn count(&mut self, error: Error) {
        match self.reasons.binary_search_by_key(&error.code(), |(reason, _)| reason.code()) {
            Ok(known) => self.reasons[known].1 += 1,
            Err(place) => self.reasons.insert(place, (error, 1)),
        }
    }

    fn well(&self) -> u64 {
        self.response_times.count()
    }
}

/// Share of `whole`, if there is any.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// One client. Laid out by cache line, what every intent touches first.
#[repr(C, align(64))]
pub struct ClientMeter {
    /// Measured intents.
    pub begun: u64,
    well_over_time: EventSeries,
    ends: Ends,
    badly_over_time: EventSeries,
    buckets: Buckets,
}

impl ClientMeter {
    pub fn new(buckets: Buckets) -> Self {
        Self {
            begun: 0,
            well_over_time: EventSeries::new(buckets),
            ends: Ends::default(),
            badly_over_time: EventSeries::new(buckets),
            buckets,
        }
    }

    #[inline(always)]
    pub fn ended(&mut self, began: Nanos, now: Nanos, outcome: Outcome, window: Window) {
        let response_time = now - began;
        match outcome {
            Outcome::Well => self.well_over_time.record(now, response_time as f64),
            _ => self.badly_over_time.record(now, 0.0),
        }
        if window.contains(began) {
            self.ends.record(response_time, outcome);
        }
    }

    pub fn finish(self, window: Window) -> (ClientFigures, Histogram) {
        let ends = self.ends;
        let ended = ends.well() + ends.timeouts + ends.errors;
        let per_second = |rates: Vec<f64>| rates.into_iter().map(|rate| rate * SECOND as f64).collect();
        let figures = ClientFigures {
            offered: window.rate(self.begun),
            throughput: window.rate(ends.well()),
            measured: self.begun,
            success: share(ends.well(), self.begun),
            timeouts: share(ends.timeouts, self.begun),
            errors: share(ends.errors, self.begun),
            reasons: ends.reasons,
            unfinished: share(self.begun - ended, self.begun),
            response_time: DurationFigures::of(&ends.response_times),
            throughput_over_time: per_second(self.well_over_time.rates()),
            errors_over_time: per_second(self.badly_over_time.rates()),
            response_time_over_time: self.well_over_time.means().into_iter().map(seconds).collect(),
            width: seconds(self.buckets.width() as f64),
        };
        (figures, ends.response_times)
    }
}

/// Calls of one message of one service by one caller.
#[derive(Default)]
pub struct CallMeter {
    /// Measured calls, and their tries.
    pub begun: u64,
    pub tries: u64,
    ends: Ends,
}

impl CallMeter {
    #[inline]
    pub fn ended(&mut self, began: Nanos, now: Nanos, outcome: Outcome, window: Window) {
        if window.contains(began) {
            self.ends.record(now - began, outcome);
        }
    }

    pub fn finish(self, window: Window) -> (CallFigures, Histogram) {
        let ends = self.ends;
        let figures = CallFigures {
            throughput: window.rate(ends.well()),
            measured: self.begun,
            success: share(ends.well(), self.begun),
            timeouts: share(ends.timeouts, self.begun),
            errors: share(ends.errors, self.begun),
            reasons: ends.reasons,
            begun: self.begun,
            tried: self.tries,
            tries: share(self.tries, self.begun),
            response_time: DurationFigures::of(&ends.response_times),
        };
        (figures, ends.response_times)
    }
}
