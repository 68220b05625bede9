//! A stored replication is all that a result needs of it, and belongs to one format.

use eventflow::experiment::run::{RunOptions, Undertaking, run, run_kept};
use eventflow::experiment::stored::fit::Shape;
use eventflow::experiment::stored::{FORMAT, Keeper, Kept, Place, StoredReplication, decode, encode};
use eventflow::kernel::fingerprint::Digest;
use eventflow::model::Model;
use eventflow::model::compile::compile;
use eventflow::observe::metrics::Metrics;
use eventflow::observe::oracles::Oracles;
use eventflow::scenario::open::read_text;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

const SHOP: &str = include_str!("../cli/shop.yaml");

fn compiled(text: &str) -> Model {
    let (sources, mistakes, scenario) = read_text("shop.yaml", text, &[]);
    compile(&scenario.unwrap_or_else(|| panic!("{:?}", mistakes.list)), &sources)
}

/// Keeps the bytes that a file would hold.
#[derive(Default)]
struct Drawer {
    entries: Mutex<BTreeMap<Place, Vec<u8>>>,
    is_complete: AtomicBool,
}

impl Keeper for Drawer {
    fn kept(&self, place: Place) -> Option<Kept> {
        let entries = self.entries.lock().unwrap();
        let (of, kept) = decode(entries.get(&place)?)?;
        assert_eq!(of, place);
        Some(kept)
    }

    fn keep(&self, place: Place, kept: &Kept) {
        self.entries.lock().unwrap().insert(place, encode(place, kept));
    }

    fn is_complete(&self) -> bool {
        self.is_complete.load(Ordering::Relaxed)
    }
}

#[test]
fn results_are_made_of_stored_replications_alone() {
    let model = compiled(SHOP);
    let options = RunOptions { replications: Some(4), ..RunOptions::default() };
    let interrupt = AtomicBool::new(false);
    let simulated = run(&model, "shop", &options, &(), &interrupt).unwrap();
    let told = |results| serde_json::to_string(&results).unwrap();
    let expected = told(simulated);

    let drawer = Drawer::default();
    let kept = |drawer: &Drawer| {
        let of = Undertaking { model: &model, file: "shop" };
        run_kept(&[of], &options, &(), &interrupt, drawer).pop().unwrap().unwrap()
    };
    assert_eq!(told(kept(&drawer)), expected);
    let first = drawer.entries.lock().unwrap().clone();
    assert_eq!(first.len(), 4);
    // Nothing is simulated any more, and what comes back is stored as it was.
    drawer.is_complete.store(true, Ordering::Relaxed);
    assert_eq!(told(kept(&drawer)), expected);
    for (place, bytes) in &first {
        let (_, kept) = decode(bytes).unwrap();
        assert_eq!(encode(*place, &kept), *bytes);
    }
    // One that is missing is missed, and another's in its place counts.
    let missing = Place { point: 0, replication: 2 };
    drawer.entries.lock().unwrap().remove(&missing);
    assert_eq!(kept(&drawer).replications_done, 3);
    let other = decode(&first[&Place { point: 0, replication: 3 }]).unwrap().1;
    drawer.keep(missing, &other);
    assert_ne!(kept(&drawer).digest, serde_json::from_str::<serde_json::Value>(&expected).unwrap()["digest"]);
}

/// A replication in which nothing happened.
fn untouched(model: &Model) -> StoredReplication {
    let (figures, distributions) = Metrics::new(model).finish();
    let (mut findings, meters) = Oracles::new(model).finish();
    findings.faults_that_hit = vec![false; model.faults.len()];
    StoredReplication {
        digest: Digest([7; 32]),
        events: 3,
        hoard: (1, "rows".to_owned()),
        figures,
        distributions,
        findings,
        meters,
    }
}

/// Bytes from another design are refused, whatever they say.
#[test]
fn a_replication_fits_its_own_model_alone() {
    let model = compiled(SHOP);
    let untouched = |text: &str| untouched(&compiled(text));
    let shape = Shape::of(&model);
    assert!(untouched(SHOP).fits(&shape));
    let longer = SHOP.replace("horizon: 10s", "horizon: 10001ms");
    let faultless = SHOP.split("faults:").next().unwrap();
    for other in [longer.as_str(), faultless] {
        assert_ne!(other, SHOP);
        assert!(!untouched(other).fits(&shape), "{other}");
    }
    // Cut anywhere, or with anything behind it, it is no replication.
    let bytes = encode(Place { point: 0, replication: 0 }, &Ok(untouched(SHOP)));
    assert!(decode(&bytes).is_some());
    assert!((0..bytes.len()).all(|end| decode(&bytes[..end]).is_none()));
    assert!(decode(&[bytes.as_slice(), &[0]].concat()).is_none());
}

/// A replication in which nothing happened is stored in as many bytes as ever: who changes what is stored raises the format.
#[test]
fn what_is_stored_is_pinned_with_its_format() {
    let model = compiled(SHOP);
    let bytes = encode(Place { point: 0, replication: 0 }, &Ok(untouched(&model)));
    assert_eq!((FORMAT, bytes.len()), (1, 9112), "another encoding takes another format");
}
