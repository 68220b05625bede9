//! Names that would like to be more than names.

use super::fixture::judged;
use super::page::charts;
use eventflow::experiment::results::RunResults;
use eventflow::report::{page, terminal};
use std::path::Path;
use terminal::{Style, Written};

const NAMES: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><svg onload=alert(1)>",
    "'><img src=x onerror=alert(1)>",
    "\x1b[2J\x1b]0;owned\x07",
    "]]><!--",
    "\u{202e}gnp.exe\u{2066}",
    "stroke=\"#EF0003\" &amp; </style></title>",
    "a\nb\rc\td\u{0}\u{9b}31m\u{ffff}",
];

/// The order flow with such names wherever the scenario has a say.
pub fn hostile() -> RunResults {
    let mut results = judged();
    let long = "long-".repeat(2000);
    let mut names = NAMES.iter().map(|name| (*name).to_owned()).chain([long]).cycle();
    let mut next = move || names.next().unwrap();
    results.scenario = next();
    results.about = NAMES.join(" ");
    results.file = next();
    results.digest = next();
    results.parameters = vec![(next(), next()), (next(), next())];
    results.settings = vec![next(), next()];
    results.notes = NAMES.map(str::to_owned).to_vec();
    for client in &mut results.clients {
        client.name = next();
    }
    for call in &mut results.calls {
        (call.caller, call.callee) = (next(), next());
    }
    for service in &mut results.services {
        service.name = next();
    }
    for group in &mut results.subscriptions {
        (group.topic, group.group) = (next(), next());
    }
    for link in &mut results.links {
        link.name = next();
    }
    for fault in &mut results.faults {
        (fault.name, fault.what) = (next(), next());
    }
    for node in &mut results.topology.nodes {
        (node.name, node.detail) = (next(), next());
    }
    for verdict in &mut results.verdicts {
        (verdict.name, verdict.bound, verdict.reason) = (next(), next(), next());
        verdict.place.file = next();
        if let Some(tally) = &mut verdict.tally {
            tally.exposure = next();
        }
        if let Some(shown) = &mut verdict.counterexample {
            (shown.what, shown.obligation) = (next(), Some(next()));
        }
    }
    for one in &mut results.anomalies {
        (one.name, one.counts) = (next(), next());
    }
    for end in &mut results.obligations.ends {
        (end.end, end.meaning) = (next(), next());
    }
    for view in &mut results.views {
        (view.name, view.view, view.of) = (next(), next(), next());
    }
    for reads in &mut results.reads {
        reads.table = next();
    }
    for of in &mut results.arrivals {
        (of.topic, of.group) = (next(), next());
    }
    for of in &mut results.anomalies_over_time {
        of.anomaly = next();
    }
    for edge in &mut results.topology.edges {
        edge.label = next();
    }
    results
}

/// Characters that no report may hold.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{ffff}')
}

#[test]
fn no_name_becomes_markup() {
    let page = page::render(&hostile());
    let honest = page::render(&judged());
    for tag in ["<script", "<img", "<svg onload", "<!--", "<style", "</title", "<h1", "onerror=alert(1)>"] {
        assert_eq!(page.matches(tag).count(), honest.matches(tag).count(), "{tag}");
    }
    assert_eq!(page.find(acts), None);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for chart in charts(&page) {
        roxmltree::Document::parse(&chart).unwrap_or_else(|error| panic!("{error}\n{chart}"));
    }
}

#[test]
fn a_long_name_does_not_blow_up_the_page() {
    let (hostile, honest) = (page::render(&hostile()).len(), page::render(&judged()).len());
    assert!(hostile < honest + 60_000, "{hostile} bytes instead of {honest}");
}

#[test]
fn no_name_steers_the_terminal() {
    let written = Written { page: Path::new("\x1b[31mr.html"), json: Path::new("r.json") };
    let summary = terminal::render(&hostile(), Style::Plain, &written);
    assert_eq!(summary.find(acts), None, "{summary}");
    assert!(summary.lines().count() <= 26, "no name adds a line\n{summary}");
    let coloured = terminal::render(&hostile(), Style::Coloured, &written);
    for sequence in coloured.split('\x1b').skip(1) {
        let ours = ["[0m", "[1m", "[1;36m", "[2m", "[33m"];
        assert!(ours.iter().any(|code| sequence.starts_with(code)), "{sequence:?}");
    }
}
