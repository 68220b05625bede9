//! Reorder buffer-occupancy density (RFC 5236, sections 3.8 and 7.2): how much a buffer holds that
//! keeps early arrivals until they can go on in order.
//!
//! A full buffer gives up what it waits for. What arrives then is held as well if it is early still, as
//! section 3.8 has it; the pseudo-code of section 7.2 would leave it out.

use serde::{Deserialize, Serialize};

/// The buffer of one stream, between two arrivals: at most the threshold of numbers.
#[derive(Clone, Debug)]
pub struct Recovery {
    expected: u64,
    /// In rising order.
    buffer: Vec<u64>,
}

/// How often the buffer held each number of arrivals, just after one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OccupancyDensity {
    /// From an empty buffer to a full one.
    frequencies: Vec<u64>,
}

impl Recovery {
    /// A stream whose least number is `first`.
    pub fn new(first: u64) -> Self {
        Self { expected: first, buffer: Vec::new() }
    }

    /// Begins anew with another sequence, in the room of this one.
    pub fn restart(&mut self, first: u64) {
        self.expected = first;
        self.buffer.clear();
    }

    /// Takes in an arrival; copies, and what comes when it was given up, are left out.
    pub fn arrive(&mut self, number: u64, density: &mut OccupancyDensity) {
        if number < self.expected {
            return;
        }
        let Err(place) = self.buffer.binary_search(&number) else { return };
        let is_full = self.buffer.len() >= density.threshold();
        self.buffer.insert(place, number);
        if is_full {
            self.expected = self.buffer[0];
        }
        let ready =
            self.buffer.iter().zip(self.expected..).take_while(|(held, expected)| **held == *expected);
        let ready = ready.count();
        self.buffer.drain(..ready);
        self.expected += ready as u64;
        density.frequencies[self.buffer.len()] += 1;
    }
}

impl OccupancyDensity {
    /// Of a buffer that holds at most `threshold` arrivals.
    pub fn new(threshold: u32) -> Self {
        Self { frequencies: vec![0; threshold as usize + 1] }
    }

    pub fn threshold(&self) -> usize {
        self.frequencies.len().saturating_sub(1)
    }

    /// Takes in all that another density of the same threshold has.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.threshold(), other.threshold(), "densities of one threshold merge");
        self.frequencies.iter_mut().zip(&other.frequencies).for_each(|(ours, theirs)| *ours += theirs);
    }

    /// How many arrivals count.
    pub fn received(&self) -> u64 {
        self.frequencies.iter().sum()
    }

    /// How often the buffer held 0, 1, 2 … arrivals.
    pub fn frequencies(&self) -> &[u64] {
        &self.frequencies
    }

    /// The share of arrivals after which the buffer held so many; `None` without arrivals.
    pub fn share(&self, held: usize) -> Option<f64> {
        let received = self.received();
        (received > 0).then(|| self.frequencies.get(held).copied().unwrap_or(0) as f64 / received as f64)
    }

    /// The mean of what the buffer held (section 9); `None` without arrivals.
    pub fn mean(&self) -> Option<f64> {
        let held: u64 = self.frequencies.iter().zip(0..).map(|(frequency, held)| frequency * held).sum();
        (self.received() > 0).then(|| held as f64 / self.received() as f64)
    }
}
