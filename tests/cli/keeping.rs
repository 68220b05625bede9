//! Long work is kept: a run that is killed goes on, and shards come to the same as one machine.

use super::{Desk, SHOP};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Too short for any one of the runs here to be waited for.
const RUN: &[&str] = &["run", "scenario.yaml", "--replications", "12", "--quiet", "--set", "run.horizon=5s"];
const SWEEP: &[&str] = &[
    "sweep",
    "scenario.yaml",
    "--over",
    "rate=20/s..80/s:3",
    "--over",
    "services.desk.workers=1,4",
    "--replications",
    "2",
    "--quiet",
    "--set",
    "run.horizon=5s",
];

fn words<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [words, more].concat()
}

fn start(desk: &Desk, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_eventflow"))
        .args(words)
        .current_dir(desk.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Every file of a folder with its content, by name.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    let mut all: Vec<(String, Vec<u8>)> = entries.map(entry).collect();
    all.sort();
    all
}

/// Kills a command again and again, later each time, until it comes to its end; gives how often it was killed with
/// something kept.
fn end_after_kills(desk: &Desk, words: &[&str], out: &str) -> u32 {
    let (mut kept, mut patience) = (0, 90);
    loop {
        let mut child = start(desk, words);
        std::thread::sleep(Duration::from_millis(patience));
        patience += patience / 3;
        if child.try_wait().unwrap().is_some() {
            return kept;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let journals = contents(&desk.path(out)).into_iter().filter(|(name, _)| name.ends_with(".journal"));
        kept += u32::from(journals.count() > 0);
    }
}

/// The law of this file. Whenever it was killed, what it writes is what it would have written, and no more.
#[test]
fn killed_and_gone_on_with_is_never_killed() {
    let desk = Desk::with(SHOP);
    for (whole, out) in [(RUN, "run"), (SWEEP, "sweep")] {
        let (undisturbed, killed) = (format!("{out}-undisturbed"), format!("{out}-killed"));
        desk.outcome(&words(whole, &["--out", &undisturbed, "--data", &undisturbed]));
        let expected = contents(&desk.path(&undisturbed));
        assert_eq!(expected.len(), 4, "a page, a file and two frames, and no journal");
        let command = words(whole, &["--out", &killed, "--data", &killed]);
        let kept = end_after_kills(&desk, &command, &killed);
        assert!(kept > 0, "it was never killed in the middle");
        assert_eq!(contents(&desk.path(&killed)), expected);
    }
}

/// What is read back is used: with a journal that holds other replications the result is another.
#[test]
fn a_journal_is_taken_up_by_its_own_command_alone() {
    let desk = Desk::with(SHOP);
    let mut child = start(&desk, &["run", "scenario.yaml", "--replications", "100000", "--quiet"]);
    // Several replications, of some ten thousand bytes each.
    let kept =
        |desk: &Desk| contents(&desk.path("reports")).iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    while kept(&desk) < 60_000 {
        std::thread::sleep(Duration::from_millis(20));
        assert!(child.try_wait().unwrap().is_none(), "it has far more to do");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let journal = contents(&desk.path("reports"));
    assert_eq!(journal.len(), 1, "the journal alone");
    let run = |more: &[&str]| desk.outcome(&words(&["run", "scenario.yaml", "--replications", "2"], more)).2;
    assert!(!run(&["--seed", "8"]).contains("going on"), "another seed");
    assert!(!run(&["--set", "rate=51/s"]).contains("going on"), "another rate");
    assert!(!run(&["--no-journal"]).contains("going on"));
    assert!(run(&[]).contains("going on from"), "fewer replications are among those that were kept");
    assert!(contents(&desk.path("reports")).iter().all(|(name, _)| !name.ends_with(".journal")));
    // One that was cut off in the middle of an entry, and goes on with rubbish.
    let (name, mut bytes) = journal.into_iter().next().unwrap();
    bytes.truncate(bytes.len() - 7);
    bytes.extend(b"what a broken disk has left");
    fs::write(desk.path("reports").join(name), bytes).unwrap();
    let expected = fs::read(desk.path("reports/shop.json")).unwrap();
    assert!(run(&[]).contains("going on from"));
    assert_eq!(fs::read(desk.path("reports/shop.json")).unwrap(), expected);
}

#[test]
fn shards_come_to_what_one_machine_gives() {
    let desk = Desk::with(SHOP);
    for (whole, out) in [(RUN, "run"), (SWEEP, "sweep")] {
        let folder = |what: &str| format!("{out}-{what}");
        desk.outcome(&words(whole, &["--out", &folder("whole"), "--data", &folder("whole")]));
        for shard in ["3/3", "1/3", "2/3"] {
            let (code, said, complaint) = desk
                .outcome(&words(whole, &["--out", &folder("shards"), "--shard", shard, "--threads", "1"]));
            assert_eq!((code, complaint.as_str()), (0, ""), "{said}");
        }
        let files = contents(&desk.path(&folder("shards")));
        let paths: Vec<String> =
            files.iter().rev().map(|(name, _)| format!("{}/{name}", folder("shards"))).collect();
        assert_eq!(paths.len(), 3);
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let merge = |paths: &[&str], more: &[&str]| desk.outcome(&[&["merge"], paths, more].concat());
        merge(&paths, &["--quiet", "--out", &folder("merged"), "--data", &folder("merged")]);
        assert_eq!(contents(&desk.path(&folder("merged"))), contents(&desk.path(&folder("whole"))));

        let (code, _, complaint) = merge(&paths[..1], &["--out", &folder("missing")]);
        assert_eq!(code, 2);
        assert!(complaint.contains("shards 1/3, 2/3 are missing"), "{complaint}");
        let (code, _, complaint) = merge(&[paths[0], paths[0], paths[1]], &["--out", &folder("missing")]);
        assert_eq!(code, 2);
        assert!(complaint.contains("shard 3/3 is there twice"), "{complaint}");
        assert!(complaint.contains("shard 1/3 is missing"), "{complaint}");
        // Cut off in the middle of its last replication.
        let last = fs::read(desk.path(paths[0])).unwrap();
        fs::write(desk.path(paths[0]), &last[..last.len() - 5]).unwrap();
        let (code, _, complaint) = merge(&paths, &["--out", &folder("missing")]);
        assert_eq!(code, 2);
        assert!(complaint.contains("shard 3/3") && complaint.contains("is not finished"), "{complaint}");
        assert!(contents(&desk.path(&folder("missing"))).is_empty(), "nothing is written");
    }
}

#[test]
fn what_does_not_belong_together_is_named() {
    let desk = Desk::with(SHOP);
    let shard = |more: &[&str]| {
        desk.outcome(&words(&["run", "scenario.yaml", "--replications", "4", "--quiet"], more))
    };
    shard(&["--shard", "1/2", "--out", "a"]);
    shard(&["--shard", "2/2", "--out", "b", "--seed", "8"]);
    shard(&["--shard", "2/2", "--out", "c"]);
    let (first, foreign, second) = ("a/shop.shard-1-of-2", "b/shop.shard-2-of-2", "c/shop.shard-2-of-2");
    let (code, _, complaint) = desk.outcome(&["merge", first, foreign, "scenario.yaml", "nothing"]);
    assert_eq!(code, 2);
    for said in [
        "b/shop.shard-2-of-2 does not belong with a/shop.shard-1-of-2: it has seed 8, not 7",
        "scenario.yaml: is no file of stored replications",
        "nothing: cannot be read",
        "shard 2/2 is missing",
    ] {
        assert!(complaint.contains(said), "{said}: {complaint}");
    }
    fs::write(desk.path("scenario.yaml"), SHOP.replace("3ms", "4ms")).unwrap();
    let (code, _, complaint) = desk.outcome(&["merge", first, second]);
    assert_eq!(code, 2);
    assert!(complaint.contains("has changed since"), "{complaint}");
    assert_eq!(desk.outcome(&["run", "scenario.yaml", "--shard", "3/2"]).0, 2);
}

/// What is said of the report is for `merge`: a shard refuses what it would have to ignore.
#[test]
fn a_shard_takes_nothing_that_it_would_ignore() {
    let desk = Desk::with(SHOP);
    let of_report: [(&[&str], &[&str]); 6] = [
        (RUN, &["--data", "frames"]),
        (RUN, &["--twin", "scenario.yaml"]),
        (RUN, &["--accounts", "2"]),
        (SWEEP, &["--data", "frames"]),
        (SWEEP, &["--measure", "mean(shopper.response_time)"]),
        (SWEEP, &["--front", "mean(shopper.response_time)", "shopper.throughput"]),
    ];
    for (whole, option) in of_report {
        let (code, said, complaint) =
            desk.outcome(&words(whole, &[option, &["--shard", "1/2"][..]].concat()));
        assert_eq!((code, said.as_str()), (2, ""), "{option:?}");
        assert!(complaint.contains(option[0]) && complaint.contains("eventflow merge"), "{complaint}");
    }
    let words = words(RUN, &["--max-replications", "3", "--shard", "1/2"]);
    let (code, said, complaint) = desk.outcome(&words);
    assert_eq!((code, said.as_str()), (2, ""));
    assert!(complaint.contains("--max-replications") && complaint.contains("--shard"), "{complaint}");
    assert_eq!(desk.files(), ["scenario.yaml"], "nothing is written");
}

/// A replication without an end leaves a run without a result, whichever shard it is in; of a sweep it is a result.
#[test]
fn a_shard_tells_what_came_to_no_end() {
    let desk = Desk::with(SHOP);
    let run = ["run", "scenario.yaml", "--replications", "4", "--quiet", "--max-events", "1000"];
    for shard in ["1/2", "2/2"] {
        let (code, said, complaint) = desk.outcome(&words(&run, &["--shard", shard]));
        assert_eq!((code, said.as_str()), (2, ""));
        assert!(complaint.contains("replication ") && complaint.contains("budget of 1000"), "{complaint}");
    }
    let (first, second) = ("reports/shop.shard-1-of-2", "reports/shop.shard-2-of-2");
    let (code, _, complaint) = desk.outcome(&["merge", first, second]);
    assert!(
        code == 2 && complaint.contains("replication 0: ") && complaint.contains("budget"),
        "{complaint}"
    );
    let sweep = ["sweep", "scenario.yaml", "--over", "rate=20/s,500/s", "--replications", "2"];
    let few = ["--max-events", "20000", "--set", "run.horizon=5s", "--shard", "1/1", "--quiet"];
    let (code, said, complaint) = desk.outcome(&words(&sweep, &few));
    assert_eq!(code, 0, "{complaint}");
    assert!(said.contains("1 point came to no end"), "{said}");
}
