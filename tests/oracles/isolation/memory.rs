//! What is remembered does not grow with the run.

use super::{model_of, observe};
use eventflow::kernel::time::Nanos;
use eventflow::observe::oracles::isolation::Isolation;
use eventflow::world::deed::Deed;
use eventflow::world::record::{Observer, Record};
use std::path::Path;

/// An oracle, and the most that it ever remembered.
struct Peak<'m> {
    isolation: Isolation<'m>,
    most: (usize, usize),
}

impl Observer for Peak<'_> {
    fn record(&mut self, _: Nanos, _: &Record) {}

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.isolation.deed(now, deed);
        let (attempts, in_rows) = self.isolation.remembered();
        self.most = (self.most.0.max(attempts), self.most.1.max(in_rows));
    }
}

#[test]
fn a_crowd_on_few_rows_is_remembered_no_longer_than_it_lasts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/isolation/busy.yaml");
    let model = model_of(&path);
    let mut peak = Peak { isolation: Isolation::new(&model), most: (0, 0) };
    observe(&model, 0, &mut peak);
    let [(_, lost), (_, _), (_, cycles)] = peak.isolation.findings();
    assert!(lost.of > 20_000 && lost.count > 5_000, "{} of {} are lost", lost.count, lost.of);
    assert!(cycles.count > 100, "{} groups", cycles.count);
    assert!(peak.most.0 < 40, "{} attempts at once", peak.most.0);
    assert!(peak.most.1 < 60, "{} times an attempt at once", peak.most.1);
    assert_eq!(peak.isolation.remembered(), (0, 0));
}
