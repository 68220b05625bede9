//! The progress bar of a run: on the standard error, and only if that is a terminal.

use crate::experiment::run::Progress;
use crate::kernel::time::Nanos;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar as long as the simulated time of one replication; each moves it by its part.
pub struct Bar {
    bar: ProgressBar,
    replications: u64,
}

impl Bar {
    /// A bar that shows nothing yet.
    pub fn new(horizon: Nanos, replications: u32) -> Self {
        let bar = ProgressBar::with_draw_target(Some(horizon), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {eta} left");
        bar.set_style(style.expect("the template is a constant"));
        bar.set_message(told(0, replications));
        Self { bar, replications: u64::from(replications.max(1)) }
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
        self.bar.set_message(told(done, asked));
    }
}

fn told(done: u32, asked: u32) -> String {
    format!("{done} of {asked} replications")
}
