//! How long something takes.

use std::time::Instant;

/// What comes of some work, and its seconds: those that the processor spent on this thread, where the system
/// tells them, so that what else the machine does counts little; else those that passed.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let (start, worked_before) = (Instant::now(), nanoseconds_worked());
    let done = work();
    let passed = start.elapsed().as_secs_f64();
    let worked = worked_before.zip(nanoseconds_worked());
    (done, worked.map_or(passed, |(before, after)| (after - before) as f64 / 1e9))
}

/// What the processor spent on this thread so far.
fn nanoseconds_worked() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok()
}
