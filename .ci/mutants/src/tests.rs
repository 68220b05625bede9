//! The tests that are asked, and what they say of a mutant.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Some tests of one program.
pub struct Round {
    /// Of the library's own tests.
    library: bool,
    only: &'static [&'static str],
    but: &'static [&'static str],
}

/// The rows that each have a planted bug, a twin, or a history.
pub const PLANTED: &[Round] =
    &[Round { library: false, only: &["oracles::planted", "oracles::histories"], but: &[] }];

const SLOW: &[&str] = &["oracles::enumeration", "::random", "oracles::references", "::seeds"];

/// All that is about judging; what is quick first.
pub const ALL: &[Round] = &[
    Round {
        library: true,
        only: &["observe::", "stats::reordering", "world::debt", "experiment::verdict"],
        but: &[],
    },
    Round { library: false, only: &["oracles::", "runs::"], but: SLOW },
    Round { library: false, only: SLOW, but: &[] },
];

/// What the tests said.
pub enum Outcome {
    /// The first that failed.
    Noticed(String),
    Survived,
    /// No test comes by.
    NeverReached,
}

impl fmt::Display for Outcome {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Noticed(by) => write!(to, "noticed   by {by}"),
            Outcome::Survived => write!(to, "SURVIVED "),
            Outcome::NeverReached => write!(to, "UNREACHED"),
        }
    }
}

/// How the tests do when nothing is broken.
pub struct Baseline {
    rounds: &'static [Round],
    took: Vec<Duration>,
    reached: BTreeSet<u32>,
}

/// The programs that were built.
pub struct Tests {
    tree: PathBuf,
    library: PathBuf,
    main: PathBuf,
}

impl Tests {
    /// Builds the tests of the copy, with the dependencies that the tree itself has built.
    pub fn build(root: &Path, tree: &Path) -> Self {
        let output = Command::new("cargo")
            .args(["test", "--no-run", "--lib", "--test", "main", "--message-format=json-render-diagnostics"])
            .current_dir(tree)
            .env(
                "CARGO_TARGET_DIR",
                std::env::var_os("CARGO_TARGET_DIR").unwrap_or(root.join("target").into()),
            )
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "the copy does not build");
        let told = String::from_utf8(output.stdout).unwrap();
        let executable = |name: &str| {
            let own = format!(r#""name":"{name}""#);
            let line = told.lines().find(|line| line.contains(&own) && line.contains(r#""executable":"/"#));
            let path = line.and_then(|line| line.split(r#""executable":""#).nth(1)?.split('"').next());
            PathBuf::from(path.unwrap_or_else(|| panic!("no program {name}")))
        };
        Self { tree: tree.to_owned(), library: executable("eventflow"), main: executable("main") }
    }

    /// Runs every round with nothing broken.
    pub fn baseline(&self, rounds: &'static [Round]) -> Baseline {
        let file = self.tree.join("reached");
        let _ = std::fs::remove_file(&file);
        let took = rounds.iter().map(|round| {
            let begun = Instant::now();
            let failed = self.run(round, 0, Some(&file), Duration::from_secs(1800));
            assert!(failed.is_none(), "fails with nothing broken: {failed:?}");
            begun.elapsed()
        });
        let took: Vec<Duration> = took.collect();
        println!("with nothing broken: {took:.1?}");
        let reached = std::fs::read_to_string(&file).unwrap_or_default();
        let reached = reached.lines().filter_map(|line| line.parse().ok()).collect();
        Baseline { rounds, took, reached }
    }

    pub fn judge(&self, number: u32, baseline: &Baseline) -> Outcome {
        if number < 1 << 14 && !baseline.reached.contains(&number) {
            return Outcome::NeverReached;
        }
        for (round, took) in baseline.rounds.iter().zip(&baseline.took) {
            let limit = *took * 6 + Duration::from_secs(20);
            if let Some(by) = self.run(round, number, None, limit) {
                return Outcome::Noticed(by);
            }
        }
        Outcome::Survived
    }

    /// Runs a round until a test fails; `None`: none does.
    fn run(&self, round: &Round, number: u32, reached: Option<&Path>, limit: Duration) -> Option<String> {
        let program = if round.library { &self.library } else { &self.main };
        // Whoever counts without end would take the machine's memory.
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 6000000; exec \"$0\" \"$@\""]).arg(program).args(round.only);
        command.args(round.but.iter().flat_map(|but| ["--skip", *but]));
        command.args(["--test-threads", "1"]).current_dir(&self.tree);
        command.env("EVENTFLOW_MUTANT", number.to_string()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.envs(reached.map(|file| ("EVENTFLOW_REACHED", file)));
        let mut child = command.spawn().expect("the tests run");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let child = Arc::new(std::sync::Mutex::new(child));
        let is_over = Arc::new(AtomicBool::new(false));
        let is_late = Arc::new(AtomicBool::new(false));
        let watch = {
            let (child, is_over, is_late) = (child.clone(), is_over.clone(), is_late.clone());
            std::thread::spawn(move || {
                let begun = Instant::now();
                while !is_over.load(Ordering::Relaxed) {
                    if begun.elapsed() > limit {
                        is_late.store(true, Ordering::Relaxed);
                        let _ = child.lock().unwrap().kill();
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
            })
        };
        let mut failed = None;
        for line in lines.map_while(Result::ok) {
            if let Some(test) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED")) {
                failed = Some(test.to_owned());
                let _ = child.lock().unwrap().kill();
                break;
            }
        }
        is_over.store(true, Ordering::Relaxed);
        watch.join().unwrap();
        let status = child.lock().unwrap().wait().expect("it ends");
        let late = is_late.load(Ordering::Relaxed).then(|| "the clock: it does not end".to_owned());
        failed.or(late).or_else(|| (!status.success()).then(|| format!("its end: {status}")))
    }
}
