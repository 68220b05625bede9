//! The progress bar of a run: on the standard error, and only if that is a terminal.

use crate::experiment::run::Progress;
use crate::kernel::time::Nanos;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar as long as the mean simulated time of a replication; each moves it by its part.
pub struct Bar {
    bar: ProgressBar,
    replications: u64,
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
        bar.set_message(told(0, replications));
        Self { bar, replications }
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
        self.bar.set_message(told(done, asked.into()));
    }
}

fn told(done: u32, asked: u64) -> String {
    format!("{done} of {asked} replications")
}
