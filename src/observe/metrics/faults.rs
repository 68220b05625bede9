//! Faults: how often each fired, whether it hit anything, and when.

use super::figures::FaultFigures;
use super::{Window, seconds};
use crate::kernel::time::Nanos;
use crate::model::FaultKind;

/// As many as a chart can shade.
const MOST_BANDS: usize = 500;

/// One fault.
pub struct FaultMeter {
    /// What it hits turns out while it lasts.
    lies_in_wait: bool,
    fired: u64,
    touched: u64,
    /// (from, to); the later ones have not healed.
    bands: Vec<(Nanos, Nanos)>,
    healed: usize,
}

impl FaultMeter {
    pub fn of(kind: &FaultKind) -> Self {
        Self { lies_in_wait: kind.lies_in_wait(), fired: 0, touched: 0, bands: Vec::new(), healed: 0 }
    }

    pub fn began(&mut self, now: Nanos, touched: u32) {
        self.fired += 1;
        self.touched += u64::from(touched > 0 && !self.lies_in_wait);
        if touched > 0 && self.bands.len() < MOST_BANDS {
            self.bands.push((now, Nanos::MAX));
        }
    }

    pub fn touched(&mut self) {
        self.touched += 1;
    }

    /// Of several under way, the first to begin is taken to be the one that healed.
    pub fn ended(&mut self, now: Nanos) {
        if let Some(band) = self.bands.get_mut(self.healed) {
            band.1 = now;
            self.healed += 1;
        }
    }

    pub fn finish(self, window: Window) -> FaultFigures {
        let band = |&(from, to): &(Nanos, Nanos)| (seconds(from as f64), seconds(to.min(window.to) as f64));
        FaultFigures {
            fired: self.fired,
            touched: self.touched,
            bands: self.bands.iter().map(band).collect(),
        }
    }
}
