//! `check`: one line a verdict, what it writes, and how it ends. And how `run` ends.

use super::{Desk, SHOP};
use roxmltree::{Document, Node};

/// Holds, does not, and cannot be told: nobody in the shop needs a second, everybody takes a while, and the
/// last is so near to what is measured that three short replications leave it open.
const FAST: &str = "fast: { measure: p99(shopper.response_time) < 1s }";
const INSTANT: &str = "instant: { measure: p50(shopper.response_time) < 100us }";
const BUSY: &str = "busy: { measure: shopper.throughput > 50/s }";

fn shop(invariants: &[&str], expected: &[(&str, &str)]) -> String {
    let expected: Vec<String> =
        expected.iter().map(|(name, outcome)| format!("  invariants.{name}: {outcome}\n")).collect();
    let expect = if expected.is_empty() { String::new() } else { format!("expect:\n{}", expected.concat()) };
    format!("{SHOP}\ninvariants:\n  {}\n{expect}", invariants.join("\n  "))
}

fn desk() -> Desk {
    let desk = Desk::with(&shop(&[FAST], &[]));
    for (name, text) in [
        ("fails.yaml", shop(&[FAST, INSTANT], &[])),
        ("open.yaml", shop(&[FAST, BUSY], &[])),
        ("expected.yaml", shop(&[FAST, INSTANT], &[("instant", "fail"), ("fast", "pass")])),
        ("surprise.yaml", shop(&[FAST], &[("fast", "fail")])),
        ("broken.yaml", shop(&["fast: { measure: p99(shoper.response_time) < 1s }"], &[])),
        ("silent.yaml", SHOP.to_owned()),
    ] {
        std::fs::write(desk.path(name), text).unwrap();
    }
    desk
}

const FILES: [&str; 7] = [
    "broken.yaml",
    "expected.yaml",
    "fails.yaml",
    "open.yaml",
    "scenario.yaml",
    "silent.yaml",
    "surprise.yaml",
];

#[test]
fn the_worst_file_is_the_exit_code() {
    let desk = desk();
    for (files, code) in [
        (&["scenario.yaml"][..], 0),
        (&["expected.yaml"], 0),
        (&["fails.yaml"], 1),
        (&["surprise.yaml"], 1),
        (&["broken.yaml"], 2),
        (&["missing.yaml"], 2),
        (&["open.yaml"], 3),
        (&["silent.yaml"], 3),
        (&["scenario.yaml", "expected.yaml"], 0),
        (&["scenario.yaml", "open.yaml"], 3),
        (&["open.yaml", "fails.yaml"], 1),
        (&["fails.yaml", "broken.yaml", "open.yaml"], 2),
    ] {
        let words: Vec<&str> = ["check", "--quiet"].iter().chain(files).copied().collect();
        let (ended, said, _) = desk.outcome(&words);
        assert_eq!((ended, said.as_str()), (code, ""), "{files:?}");
    }
    assert_eq!(desk.files(), FILES, "nothing is written that was not asked for");
}

#[test]
fn a_line_for_each_verdict_in_the_order_of_the_files() {
    let desk = desk();
    let files = ["fails.yaml", "silent.yaml", "open.yaml", "broken.yaml", "expected.yaml", "surprise.yaml"];
    let words: Vec<&str> = ["check"].iter().chain(&files).copied().collect();
    let (code, said, complaints) = desk.outcome(&words);
    assert_eq!(code, 2);
    insta::assert_snapshot!(said);
    assert!(complaints.contains("did you mean `shopper`"), "{complaints}");
    let one_thread: Vec<&str> = ["check", "--threads", "1"].iter().chain(&files).copied().collect();
    assert_eq!(desk.outcome(&one_thread).1, said, "threads never show");
}

#[test]
fn what_is_asked_for_is_written_and_nothing_else() {
    let desk = desk();
    let words = [
        "check",
        "fails.yaml",
        "broken.yaml",
        "open.yaml",
        "--junit",
        "out/junit.xml",
        "--json",
        "out/check.json",
    ];
    assert_eq!(desk.outcome(&words).0, 2);
    let written: Vec<_> =
        std::fs::read_dir(desk.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(written.len(), 2);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(desk.path("out/check.json")).unwrap()).unwrap();
    assert_eq!(json["standing"], "unusable");
    assert_eq!(json["files"][0]["run"]["verdicts"][1]["outcome"], "fail");
    assert_eq!(json["files"][0]["run"]["verdicts"][1]["place"]["line"], 53);
    assert_eq!(json["files"][1]["standing"], "unusable");
    assert_eq!(json["files"][1]["troubles"][0]["place"]["file"], "broken.yaml");
    assert_eq!(json["files"][2]["standing"], "inconclusive");
    is_junit(&std::fs::read_to_string(desk.path("out/junit.xml")).unwrap());

    let (code, said, complaints) = desk.outcome(&["check", "fails.yaml", "--json", "-", "--github"]);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &json["files"][0]["standing"]), (1, &serde_json::json!("fail")));
    assert!(
        complaints.starts_with("::error file=fails.yaml,line=53,col=3,title=invariants.instant::"),
        "{complaints}"
    );
}

/// Read by a reader that is not ours, and looked at as the schema that build servers share has it.
fn is_junit(text: &str) {
    let read = junit_parser::from_reader(text.as_bytes()).unwrap();
    assert_eq!((read.tests, read.failures, read.errors, read.skipped), (5, 1, 2, 0));
    let [fails, broken, open] = &read.suites[..] else { panic!("{} suites", read.suites.len()) };
    assert!(fails.cases[0].status.is_success());
    assert!(fails.cases[1].status.is_failure());
    assert!(fails.cases[1].status.failure_as_ref().text.contains("p50(shopper.response_time) was"));
    assert_eq!(fails.cases[1].classname.as_deref(), Some("shop"));
    assert_eq!((fails.cases[1].file.as_deref(), fails.cases[1].line), (Some("fails.yaml"), Some(53)));
    assert!(broken.cases[0].status.error_as_ref().text.contains("broken.yaml:52"));
    assert_eq!(open.cases[1].status.error_as_ref().error_type, "inconclusive");

    let document = Document::parse(text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let number = |node: Node, name: &str| node.attribute(name).unwrap().parse::<usize>().unwrap();
    let elements = |node: Node<'_, '_>, name: &str| {
        node.children().filter(|child| child.is_element() && child.tag_name().name() == name).count()
    };
    for suite in root.children().filter(Node::is_element) {
        assert_eq!(suite.tag_name().name(), "testsuite");
        assert!(suite.attribute("name").is_some());
        assert_eq!(number(suite, "tests"), elements(suite, "testcase"));
        let cases: Vec<Node> =
            suite.children().filter(|child| child.tag_name().name() == "testcase").collect();
        let with = |name: &str| cases.iter().map(|case| elements(*case, name)).sum::<usize>();
        assert_eq!((number(suite, "failures"), number(suite, "errors")), (with("failure"), with("error")));
        for case in cases {
            assert!(case.attribute("name").is_some() && case.attribute("classname").is_some());
            let names: Vec<&str> =
                case.children().filter(Node::is_element).map(|child| child.tag_name().name()).collect();
            assert!(names.is_empty() || names.len() == 1, "{names:?}");
        }
    }
}

#[test]
fn github_shows_what_does_not_stand_at_its_line() {
    let desk = desk();
    let words = [
        "check",
        "--github",
        "--quiet",
        "fails.yaml",
        "open.yaml",
        "silent.yaml",
        "broken.yaml",
        "expected.yaml",
    ];
    let (code, said, _) = desk.outcome(&words);
    assert_eq!(code, 2);
    insta::assert_snapshot!(said);
}

#[test]
fn a_check_is_the_same_again_and_takes_what_run_takes() {
    let desk = desk();
    let words =
        ["check", "scenario.yaml", "--seed", "9", "--replications", "2", "--set", "rate=80/s", "--json", "-"];
    let (code, said, _) = desk.outcome(&words);
    assert_eq!(code, 0);
    assert_eq!(desk.outcome(&words).1, said);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    let run = &json["files"][0]["run"];
    assert_eq!((&run["seed"], &run["replications_done"]), (&9.into(), &2.into()));
    assert_eq!(run["settings"][0], "rate=80/s");
    let (code, _, complaints) =
        desk.outcome(&["check", "scenario.yaml", "fails.yaml", "--max-events", "1000"]);
    assert_eq!(code, 2);
    assert_eq!(complaints.matches("budget of 1000 events").count(), 2, "{complaints}");
    let once = desk.outcome(&["check", "scenario.yaml", "--replications", "1"]);
    assert_eq!(once.0, 3, "one replication has no interval: {}", once.1);
}

#[test]
fn a_place_that_cannot_be_written_is_told() {
    let desk = desk();
    std::fs::create_dir(desk.path("taken")).unwrap();
    let (code, said, complaints) =
        desk.outcome(&["check", "scenario.yaml", "--junit", "new/junit.xml", "--json", "taken"]);
    assert_eq!((code, said.as_str()), (2, ""));
    assert!(complaints.contains("cannot write taken"), "{complaints}");
    assert!(!desk.path("new/junit.xml").exists());
}

#[test]
fn run_ends_as_its_verdicts_do() {
    let desk = desk();
    for (file, code) in
        [("scenario.yaml", 0), ("fails.yaml", 1), ("open.yaml", 3), ("expected.yaml", 0), ("silent.yaml", 0)]
    {
        let (ended, said, _) = desk.outcome(&["run", file]);
        assert_eq!(ended, code, "{file}");
        assert_eq!(said.contains("VERDICT"), file != "silent.yaml", "{said}");
        let results = desk.results("shop");
        assert_eq!(results["verdicts"].as_array().unwrap().is_empty(), file == "silent.yaml");
    }
}

/// Names are the scenario's, places and files the user's: none of them steers a terminal, a build server
/// or a reader of XML.
#[test]
fn hostile_text_stays_text() {
    let desk = desk();
    let evil = "evil: { measure: 'p99(shopper.response_time) < 1us || \"\\u202e\\n::error::x ##[add-path]y ]]>\" == \"<b>\"' }";
    let hostile = shop(&[INSTANT], &[])
        .replace("scenario: shop", "scenario: \"<!-- \\e[2J ]]> ##[error]\\n::error::\"");
    let name = "%0A::error::,x<&'\".yaml";
    std::fs::write(desk.path(name), hostile).unwrap();
    std::fs::write(desk.path("evil.yaml"), shop(&[evil], &[])).unwrap();
    let words = ["check", name, "evil.yaml", "--github", "--junit", "junit.xml", "--json", "check.json"];
    let (code, said, complaints) = desk.outcome(&words);
    assert!(code == 1 || code == 2, "{complaints}");
    for text in [&said, &complaints] {
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(acts), "{text:?}");
        assert!(!text.contains("##["), "{text}");
    }
    let commands: Vec<&str> = said.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    assert!(!commands.is_empty());
    for command in &commands {
        assert!(
            command.starts_with("::error file=%250A%3A%3Aerror%3A%3A%2Cx<&'\".yaml,")
                || command.contains("file=evil.yaml"),
            "{command}"
        );
    }
    let xml = std::fs::read_to_string(desk.path("junit.xml")).unwrap();
    assert_eq!(junit_parser::from_reader(xml.as_bytes()).unwrap().suites.len(), 2);
    Document::parse(&xml).unwrap();
    let json = std::fs::read_to_string(desk.path("check.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&json).unwrap();
}

/// A delivery that comes again adds again.
const TWICE: &str = "scenario: twice
run: { horizon: 10s, drain: 2m, replications: 2 }
messages: { Placed: { kind: integration, key: order, fields: { order: int } } }
brokers: { broker: { preset: rabbitmq-classic } }
topics: { placed: { messages: [ Placed ] } }
services:
  stock:
    store: { tables: { items: { key: item, columns: { item: int, reserved: int }, rows: [ { item: 1 } ] } } }
    consumes: { placed: { ack: after } }
    handlers: { Placed: [ { name: here, update: items, key: 1, set: { reserved: row.reserved + 1 } } ] }
clients:
  shopper: { arrivals: { times: [1s] }, do: [ { publish: Placed, with: { order: 1 } } ] }
faults: { f: { crash: stock, at_step: stock.Placed.here, edge: unanswered, nth: 1, for: 1s } }
guarantees: { idempotency: { duplicate_effects: 0 } }
";

/// Below a verdict that failed and should not have stands how it came about; below one that was to fail, nothing.
#[test]
fn how_an_unexpected_failure_came_about_is_said_at_once() {
    let desk = Desk::with(TWICE);
    let (code, said, _) = desk.outcome(&["check", "scenario.yaml", "--junit", "junit.xml"]);
    assert_eq!(code, 1, "{said}");
    let read = junit_parser::from_reader(std::fs::read(desk.path("junit.xml")).unwrap().as_slice()).unwrap();
    let failure = &read.suites[0].cases[0].status.failure_as_ref().text;
    for part in
        ["MEANT", "reserved", "GOT", "FAULT", "WITHOUT", "f (crash stock)", "all is well", "eventflow replay"]
    {
        assert!(said.contains(part), "{part}: {said}");
        assert!(failure.lines().any(|line| line.contains(part)), "{part}: {failure}");
    }
    let (_, short, _) = desk.outcome(&["check", "scenario.yaml", "--accounts", "0"]);
    assert!(!short.contains("MEANT") && short.contains("eventflow replay"), "{short}");
    std::fs::write(
        desk.path("expected.yaml"),
        format!("{TWICE}expect: {{ idempotency.duplicate_effects: fail }}\n"),
    )
    .expect("a file in a folder of its own");
    let (code, said, _) = desk.outcome(&["check", "expected.yaml"]);
    assert!(code == 0 && !said.contains("MEANT"), "{said}");
}

/// One page of all verdicts, which leads to a report of each file; nothing but names beside it is linked.
#[test]
fn a_check_writes_a_page_that_leads_to_the_report_of_each_file() {
    let desk = desk();
    let other = std::fs::read_to_string(desk.path("scenario.yaml")).unwrap();
    std::fs::write(desk.path("named.yaml"), other.replace("scenario: shop", "scenario: check")).unwrap();
    let files = ["fails.yaml", "scenario.yaml", "silent.yaml", "broken.yaml", "named.yaml"];
    let (code, said, _) = desk.outcome(&[&["check", "--out", "pages"][..], &files].concat());
    assert_eq!(code, 2, "{said}");
    let read = |name: &str| std::fs::read_to_string(desk.path(&format!("pages/{name}"))).unwrap();
    let page = read("check.html").replace("<wbr>", "");
    let links: Vec<&str> =
        page.split(" href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    for (link, scenario) in [("shop.html", "shop"), ("shop-2.html", "shop"), ("check-2.html", "check")] {
        assert!(links.contains(&format!("./{link}").as_str()), "{link}: {links:?}");
        assert!(read(link).contains(&format!("<h1>{scenario}</h1>")));
    }
    assert!(links.iter().all(|link| link.starts_with("./")), "{links:?}");
    for part in [
        "5 files checked",
        "Without a result",
        "--replications",
        "Without promises",
        "p50(shopper.response_time) &lt; 100us",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let verdicts = &page[page.find("<tbody").unwrap()..];
    assert!(verdicts.find("verdict fail") < verdicts.find("verdict pass"), "what does not stand comes first");
    let (code, _, complaint) = desk.outcome(&["check", "scenario.yaml", "--out", "scenario.yaml"]);
    assert!(code == 2 && complaint.contains("cannot write scenario.yaml"), "{complaint}");
}

/// No file takes the place of another that was asked for, and that is known before anything is run.
#[test]
fn two_files_of_a_check_cannot_be_one() {
    let desk = desk();
    let before = desk.files();
    for asked in [
        &["--out", "pages", "--json", "pages/check.html"][..],
        &["--out", "pages", "--junit", "pages/SHOP.html"],
        &["--junit", "both", "--json", "./both"],
    ] {
        let (code, said, complaint) = desk.outcome(&[&["check", "scenario.yaml"][..], asked].concat());
        assert_eq!((code, said.as_str()), (2, ""), "{asked:?}");
        assert!(complaint.contains("two files of this check would be"), "{complaint}");
    }
    assert_eq!(desk.files(), before);
}
