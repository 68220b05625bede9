//! Sessions and staleness: each scenario file beside this one, and what is found in it. A repaired twin is
//! found to do nothing wrong although a session met a key again, or something was under way.

use super::exposures::as_written;
use super::isolation::{model_of, observe};
use eventflow::kernel::ids::{ClientId, TableId};
use eventflow::kernel::time::Nanos;
use eventflow::model::Model;
use eventflow::observe::oracles::sessions::staleness::Staleness;
use eventflow::observe::oracles::sessions::{ClientSessions, Sessions};
use eventflow::world::deed::Deed;
use eventflow::world::record::{Observer, Record};
use std::path::Path;

const MS: u64 = 1_000_000;

fn model(name: &str) -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/sessions").join(name);
    model_of(&path.with_extension("yaml"))
}

fn judged(name: &str, table: &str) -> (ClientSessions, Staleness) {
    let model = model(name);
    let client = model.clients.iter().position(|client| client.name == "shopper").unwrap_or(0);
    let table = model.tables.iter().position(|spec| spec.name == table).expect("a table");
    let mut sessions = Sessions::new(&model, &[ClientId::new(client)], &[TableId::new(table)]);
    observe(&model, 0, &mut sessions);
    let [.., recent, open, known, missing] = sessions.remembered();
    assert_eq!([recent, open, known, missing], [0; 4], "{name}: nothing is left behind");
    let (found, staleness) = (sessions.sessions()[0].clone(), sessions.staleness()[0].clone());
    let three = [&found.read_your_writes, &found.monotonic_reads, &staleness.reads];
    as_written(["read_your_writes", "monotonic_reads", "stale"].into_iter().zip(three), name);
    (found, staleness)
}

#[test]
fn a_view_read_at_once_has_not_what_was_written() {
    let (found, _) = judged("read-your-writes", "views.orders");
    let finding = found.read_your_writes;
    assert_eq!((finding.count, finding.exposures), (1, 1));
    assert!(finding.first.unwrap().what.starts_with("views.orders: "));
    assert_eq!(found.monotonic_reads.count, 0);
    for twin in ["waited", "owner"] {
        let (found, _) = judged(&format!("read-your-writes-{twin}"), "views.orders");
        let finding = found.read_your_writes;
        assert_eq!((finding.count, finding.exposures), (0, 1), "{twin}");
    }
}

/// What is remembered is a copy of what was asked for, at the version at which it was read.
#[test]
fn a_cache_that_is_filled_by_asking_is_as_old_as_the_answer() {
    let (found, staleness) = judged("cache-aside", "prices.prices");
    let reads = staleness.reads;
    assert_eq!((reads.count, reads.of), (1, 3), "two of what is remembered, and the one question: {reads:?}");
    let what = &reads.first.as_ref().expect("it was seen").what;
    assert!(what.contains("1 version") && !what.contains("1 versions"), "{what}");
    assert_eq!((staleness.versions.min(), staleness.versions.max()), (Some(1), Some(1)));
    let age = staleness.age_nanos.max().unwrap();
    assert!((990 * MS..1010 * MS).contains(&age), "written at 3 s, read at 4 s: {age}");
    assert_eq!(found.read_your_writes.exposures, 0, "who reads has written nothing");
}

#[test]
fn caches_asked_in_turn_go_back_in_time() {
    let (found, staleness) = judged("two-caches", "prices.prices");
    assert_eq!((found.monotonic_reads.count, found.monotonic_reads.exposures), (1, 2));
    assert_eq!(found.read_your_writes.exposures, 0, "the shopper wrote nothing");
    let (found, _) = judged("two-caches-sticky", "prices.prices");
    assert_eq!((found.monotonic_reads.count, found.monotonic_reads.exposures), (0, 2));
    let reads = staleness.reads;
    assert!((1..=2).contains(&reads.count), "the late instance was asked once or twice: {reads:?}");
    assert_eq!((reads.of, reads.exposures), (3, 3));
    assert_eq!((staleness.versions.min(), staleness.versions.max()), (Some(1), Some(1)));
    let age = staleness.age_nanos.max().unwrap();
    assert!((190 * MS..210 * MS).contains(&age), "written at 3 s, read at 3.2 s: {age}");
}

/// The view had caught up with the first version, which is the ordinary case: what it holds is known all the same.
#[test]
fn a_view_that_had_caught_up_is_read_in_its_lag() {
    let (_, staleness) = judged("lagging-view", "shop.prices");
    let reads = &staleness.reads;
    assert_eq!((reads.count, reads.exposures, reads.of), (1, 1, 3), "{reads:?}");
    assert_eq!(staleness.versions.max(), Some(1));
    let age = staleness.age_nanos.max().unwrap();
    assert!((40 * MS..55 * MS).contains(&age), "changed at about 2.003 s, read at 2.05 s: {age}");
    let (_, staleness) = judged("lagging-view-owner", "catalogue.prices");
    let reads = &staleness.reads;
    assert_eq!((reads.count, reads.exposures, reads.of), (0, 1, 3), "{reads:?}");
}

/// Cut off with work left: nobody knows what was still to be seen.
#[test]
fn what_is_cut_off_is_not_settled() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/sessions/lagging-view.yaml");
    let whole = std::fs::read_to_string(path).unwrap();
    let cut = whole.replace("- { read: prices,", "- { wait: 30s }\n        - { read: prices,");
    for (text, open) in [(whole, false), (cut, true)] {
        let model = crate::engine::model(&text);
        let client = model.clients.iter().position(|client| client.name == "shopper").unwrap();
        let mut sessions = Sessions::new(&model, &[ClientId::new(client)], &[]);
        observe(&model, 0, &mut sessions);
        let found = &sessions.sessions()[0];
        assert_eq!(found.read_your_writes.unsettled > 0, open, "{found:?}");
        assert_eq!(found.monotonic_reads.unsettled > 0, open, "{found:?}");
    }
}

#[test]
fn a_replica_read_at_once_lacks_what_was_written() {
    let (found, staleness) = judged("replica", "prices.prices");
    assert_eq!((found.read_your_writes.count, found.read_your_writes.exposures), (1, 1));
    let reads = &staleness.reads;
    assert_eq!((reads.count, reads.exposures, reads.of), (1, 1, 1));
    assert_eq!((staleness.versions.min(), staleness.versions.max()), (Some(1), Some(1)));
    let age = staleness.age_nanos.max().expect("one was stale");
    assert!((50 * MS..56 * MS).contains(&age), "50 ms behind the answer: {age}");
    for twin in ["primary", "waited"] {
        let (found, staleness) = judged(&format!("replica-{twin}"), "prices.prices");
        assert_eq!((found.read_your_writes.count, found.read_your_writes.exposures), (0, 1), "{twin}");
        assert_eq!(staleness.reads.count, 0, "{twin}");
    }
    let (_, staleness) = judged("replica-primary", "prices.prices");
    assert_eq!(staleness.reads.exposures, 1, "something was on its way to the replica");
}

#[test]
fn replicas_asked_in_turn_go_back_in_time() {
    let (found, _) = judged("two-replicas", "prices.prices");
    assert_eq!(found.read_your_writes.exposures, 0, "the shopper wrote nothing");
    assert_eq!(found.monotonic_reads.exposures, 6);
    let back = found.monotonic_reads.count;
    assert!((1..=5).contains(&back), "now and then one replica has it long before the other: {back}");
    let (found, _) = judged("two-replicas-sticky", "prices.prices");
    assert_eq!((found.monotonic_reads.count, found.monotonic_reads.exposures), (0, 6));
}

#[test]
fn a_snapshot_is_as_old_as_its_first_read() {
    let (_, staleness) = judged("snapshot", "s.t");
    // The second read begins at 1053 ms; the writes were committed at 1013 and 1023 ms.
    assert_eq!((staleness.reads.count, staleness.reads.exposures, staleness.reads.of), (1, 1, 2));
    assert_eq!((staleness.versions.max(), staleness.age_nanos.max()), (Some(2), Some(40 * MS)));
    let (_, staleness) = judged("snapshot-newest", "s.t");
    assert_eq!((staleness.reads.count, staleness.reads.exposures), (0, 1));
    let (_, staleness) = judged("snapshot-raced", "s.t");
    assert_eq!((staleness.reads.count, staleness.reads.exposures), (0, 1));
}

/// The oracle, and the most that it ever remembered.
struct Peak<'m> {
    sessions: Sessions<'m>,
    most: [usize; 6],
}

impl Observer for Peak<'_> {
    fn record(&mut self, _: Nanos, _: &Record) {}

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.sessions.deed(now, deed);
        let now = self.sessions.remembered();
        self.most = std::array::from_fn(|at| self.most[at].max(now[at]));
    }
}

#[test]
fn what_is_remembered_does_not_grow_with_the_orders() {
    for (name, least) in [("busy", 5_000), ("busy-users", 5_000)] {
        let model = model(name);
        let tables: Vec<TableId> = (0..model.tables.len()).map(TableId::new).collect();
        let sessions = Sessions::new(&model, &[ClientId::new(0)], &tables);
        let mut peak = Peak { sessions, most: [0; 6] };
        observe(&model, 0, &mut peak);
        let finding = &peak.sessions.sessions()[0].read_your_writes;
        assert!(finding.exposures > least && finding.count > least / 2, "{name}: {finding:?}");
        assert!(peak.most.iter().all(|&most| most < 1_000), "{name}: {:?}", peak.most);
        let [rows, copies, recent, ..] = peak.sessions.remembered();
        assert_eq!([rows, copies, recent], [0; 3], "{name}: all has caught up");
    }
}
