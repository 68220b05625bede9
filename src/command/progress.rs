//! The progress bar of a run: on the standard error, and only if that is a terminal.

use crate::experiment::run::Progress;
use crate::kernel::time::Nanos;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar as long as the mean simulated time of a replication; each moves it by its part.
pub struct Bar {
    bar: ProgressBar,
    replications: u64,
    /// Replications that were done before it was shown: they have no part in the rate.
    found: u32,
}

impl Bar {
    /// A bar that shows nothing yet, for runs of so long and so many replications each.
    pub fn new(runs: &[(Nanos, u32)]) -> Self {
        let replications = runs.iter().map(|(_, replications)| u64::from(*replications)).sum::<u64>().max(1);
        let simulated: u128 =
            runs.iter().map(|(horizon, count)| u128::from(*horizon) * u128::from(*count)).sum();
        let length = (simulated / u128::from(replications)) as u64;
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {eta} left");
        bar.set_style(style.expect("the template is a constant"));
        bar.set_message(told(0, replications, 0.0));
        Self { bar, replications, found: 0 }
    }

    /// The bar of a run that goes on from what was done before.
    pub fn going_on(self, found: u32) -> Self {
        Self { found, ..self }
    }

    /// Takes the bar away, so that what is said next stands alone.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn advanced(&self, simulated: Nanos) {
        self.bar.inc(simulated / self.replications);
    }

    fn replication_done(&self, done: u32, asked: u32) {
        let new = done.saturating_sub(self.found);
        let rate = f64::from(new) / self.bar.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(told(done, asked.into(), rate));
    }
}

/// How far it is, and how fast: by the second, or by the hour where that is too slow.
fn told(done: u32, asked: u64, rate: f64) -> String {
    let rate = match rate {
        rate if rate <= 0.0 => String::new(),
        rate if rate >= 10.0 => format!("  {rate:.0}/s"),
        rate if rate >= 0.1 => format!("  {rate:.1}/s"),
        rate => format!("  {:.0}/h", rate * 3600.0),
    };
    format!("{done} of {asked} replications{rate}")
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn a_rate_has_digits_that_tell_something() {
        let rates = [0.0, 0.004, 0.25, 31.4].map(|rate| told(3, 10, rate));
        assert_eq!(
            rates,
            ["", "  14/h", "  0.2/s", "  31/s"].map(|rate| format!("3 of 10 replications{rate}"))
        );
    }
}
