//! The tests that are asked, and what they say of a mutant.
//!
//! Each test is run once with nothing broken, which tells how long it takes and which places it comes by. A mutant
//! is shown to the tests that come by its place and to no other, the quickest first, until one fails: the others
//! run over the same code as before.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Some tests of one program, by parts of their names.
pub struct Choice {
    library: bool,
    only: &'static [&'static str],
    but: &'static [&'static str],
}

/// The rows that each have a planted bug, a twin, or a history.
pub const PLANTED: &[Choice] =
    &[Choice { library: false, only: &["oracles::planted", "oracles::histories"], but: &[] }];

/// About memory and speed, and longer than all others together.
const LONG: &[&str] = &["memory", "remembered", "without_bound", "runs::compare"];

/// All that is about judging.
pub const ALL: &[Choice] = &[
    Choice {
        library: true,
        only: &["observe::", "stats::reordering", "world::debt", "experiment::verdict"],
        but: &[],
    },
    Choice { library: false, only: &["oracles::", "runs::"], but: LONG },
];

/// Tests are run together up to this long: a program that begins costs as much as a quick test.
const SHORTEST_BATCH: Duration = Duration::from_millis(300);

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

/// One test with nothing broken.
pub struct Test {
    library: bool,
    name: String,
    took: Duration,
    /// Mutants whose places it comes by.
    reached: BTreeSet<u32>,
}

impl Test {
    fn line(&self) -> String {
        let Self { library, name, took, reached } = self;
        let reached: Vec<String> = reached.iter().map(u32::to_string).collect();
        format!("{library} {name} {} {}\n", took.as_micros(), reached.join(" "))
    }

    fn of_line(line: &str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        let [library, name, took, reached @ ..] = &words[..] else { panic!("no test: {line}") };
        Self {
            library: *library == "true",
            name: name.to_string(),
            took: Duration::from_micros(took.parse().expect("a duration")),
            reached: reached.iter().filter_map(|number| number.parse().ok()).collect(),
        }
    }
}

/// The programs that were built.
pub struct Tests {
    tree: PathBuf,
    library: PathBuf,
    main: PathBuf,
}

/// A copy of a program that nobody else's build takes the place of; the same one is left alone.
fn kept(program: &Path, copy: &Path) -> PathBuf {
    let built = std::fs::read(program).expect("it was built");
    if !std::fs::read(copy).is_ok_and(|known| known == built) {
        std::fs::copy(program, copy).expect("a program can be copied");
    }
    copy.to_owned()
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
        let library = kept(&executable("eventflow"), &tree.join("library-tests"));
        let main = kept(&executable("main"), &tree.join("main-tests"));
        Self { tree: tree.to_owned(), library, main }
    }

    /// How every chosen test does with nothing broken, the quickest first. What is known of these very programs is
    /// not asked again.
    pub fn baseline(&self, choices: &[Choice], jobs: usize) -> Vec<Test> {
        let names: Vec<(bool, String)> = choices.iter().flat_map(|choice| self.names(choice)).collect();
        let mut tests = self.known();
        tests.retain(|test| names.iter().any(|(library, name)| (*library, name) == (test.library, &test.name)));
        if tests.len() < names.len() {
            tests = self.run_unbroken(&names, jobs);
            let told: Vec<String> = tests.iter().map(Test::line).collect();
            std::fs::write(self.tree.join("baseline"), self.stamp() + &told.join("")).unwrap();
        }
        tests.sort_by(|one, other| (one.took, &one.name).cmp(&(other.took, &other.name)));
        let all: Duration = tests.iter().map(|test| test.took).sum();
        println!("{} tests, {all:.1?} with nothing broken", tests.len());
        tests
    }

    /// What was written of the programs as they are.
    fn known(&self) -> Vec<Test> {
        let text = std::fs::read_to_string(self.tree.join("baseline")).unwrap_or_default();
        let lines = text.strip_prefix(&self.stamp()).unwrap_or_default();
        lines.lines().map(Test::of_line).collect()
    }

    /// A line that tells these programs from others.
    fn stamp(&self) -> String {
        let built = |path: &Path| std::fs::metadata(path).and_then(|of| of.modified()).expect("it was built");
        format!("{:?} {:?} {:?}\n", self.main, built(&self.main), built(&self.library))
    }

    fn run_unbroken(&self, names: &[(bool, String)], jobs: usize) -> Vec<Test> {
        let next = AtomicUsize::new(0);
        let done = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for job in 0..jobs {
                let (next, done) = (&next, &done);
                scope.spawn(move || {
                    let file = self.tree.join(format!("reached.{job}"));
                    while let Some((library, name)) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let test = self.unbroken(*library, name, &file);
                        done.lock().unwrap().push(test);
                    }
                });
            }
        });
        done.into_inner().unwrap()
    }

    fn names(&self, choice: &Choice) -> Vec<(bool, String)> {
        let program = if choice.library { &self.library } else { &self.main };
        let output = Command::new(program)
            .args(choice.only)
            .args(choice.but.iter().flat_map(|but| ["--skip", *but]))
            .args(["--list", "--format", "terse"])
            .current_dir(&self.tree)
            .output()
            .expect("the tests are told");
        let told = String::from_utf8(output.stdout).unwrap();
        let names = told.lines().filter_map(|line| line.strip_suffix(": test"));
        names.map(|name| (choice.library, name.to_owned())).collect()
    }

    fn unbroken(&self, library: bool, name: &str, file: &Path) -> Test {
        let _ = std::fs::remove_file(file);
        let begun = Instant::now();
        let failed = self.run(library, &[name], 0, Some(file), Duration::from_secs(1800));
        assert!(failed.is_none(), "fails with nothing broken: {failed:?}");
        let told = std::fs::read_to_string(file).unwrap_or_default();
        let reached = told.lines().filter_map(|line| line.parse().ok()).collect();
        Test { library, name: name.to_owned(), took: begun.elapsed(), reached }
    }

    /// Shows a mutant to the tests until one fails.
    pub fn judge(&self, number: u32, tests: &[Test]) -> Outcome {
        let all: Vec<&Test> = tests.iter().filter(|test| test.reached.contains(&number)).collect();
        if all.is_empty() {
            return Outcome::NeverReached;
        }
        let (mut at, mut longest) = (0, SHORTEST_BATCH);
        while at < all.len() {
            let library = all[at].library;
            let mut took = all[at].took;
            let mut end = at + 1;
            while end < all.len() && all[end].library == library && took + all[end].took <= longest {
                took += all[end].took;
                end += 1;
            }
            let names: Vec<&str> = all[at..end].iter().map(|test| test.name.as_str()).collect();
            if let Some(by) = self.run(library, &names, number, None, took * 6 + Duration::from_secs(20)) {
                return Outcome::Noticed(by);
            }
            (at, longest) = (end, longest * 2);
        }
        Outcome::Survived
    }

    /// Runs tests until one fails; `None`: none does.
    fn run(
        &self,
        library: bool,
        names: &[&str],
        number: u32,
        reached: Option<&Path>,
        limit: Duration,
    ) -> Option<String> {
        let program = if library { &self.library } else { &self.main };
        // Whoever counts without end would take the machine's memory.
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 6000000; exec \"$0\" \"$@\""]).arg(program).arg("--exact").args(names);
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
                    std::thread::sleep(Duration::from_millis(5));
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
