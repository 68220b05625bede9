//! The page: its structure, what it says, and that it reaches for nothing.

use super::fixture::{crowd, judged, nothing, order_flow};
use eventflow::report::page::shell::SCRIPT;
use eventflow::report::{json, page};
use roxmltree::{Document, Node};
use std::collections::BTreeSet;

/// The charts of a page, parsed.
pub fn charts(page: &str) -> Vec<String> {
    let pieces = page.split("<svg xmlns").skip(1);
    pieces.map(|piece| format!("<svg xmlns{}</svg>", piece.split("</svg>").next().unwrap())).collect()
}

fn child_text<'a>(svg: Node<'a, '_>, name: &str) -> &'a str {
    svg.children()
        .find(|child| child.has_tag_name(("http://www.w3.org/2000/svg", name)))
        .and_then(|child| child.text())
        .unwrap_or("")
}

#[test]
fn every_chart_is_well_formed_and_told_in_words() {
    for (results, drawn) in [(order_flow(), 10), (crowd(300), 10), (judged(), 16)] {
        let page = page::render(&results);
        let charts = charts(&page);
        assert_eq!(charts.len(), 2 * drawn, "each wide and narrow");
        for chart in &charts {
            let document = Document::parse(chart).unwrap_or_else(|error| panic!("{error}\n{chart}"));
            let svg = document.root_element();
            assert_eq!(svg.attribute("role"), Some("img"));
            assert!(!child_text(svg, "title").is_empty());
            let told = child_text(svg, "desc");
            assert!(told.len() > 40 && told.chars().any(|c| c.is_ascii_digit()), "{told}");
            let labelled = svg.attribute("aria-labelledby").unwrap();
            let ids: BTreeSet<&str> =
                document.descendants().filter_map(|node| node.attribute("id")).collect();
            assert!(labelled.split(' ').all(|id| ids.contains(id)));
            for marked in document.descendants().filter(|node| node.is_element()) {
                for colour in ["stroke", "fill", "style"].iter().filter_map(|name| marked.attribute(*name)) {
                    assert_eq!(colour, "none", "colours are classes: {marked:?}");
                }
            }
        }
    }
}

#[test]
fn ids_are_unique_and_references_lead_somewhere() {
    let page = page::render(&judged()).replace(SCRIPT, "");
    let values = |name: &str| -> Vec<String> {
        let attribute = format!(" {name}=\"");
        let pieces = page.split(attribute.as_str()).skip(1);
        pieces.map(|piece| piece.split('"').next().unwrap().to_owned()).collect()
    };
    let ids = values("id");
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len());
    for reference in values("aria-labelledby").iter().flat_map(|list| list.split(' ')) {
        assert!(ids.iter().any(|id| id == reference), "{reference}");
    }
}

/// The nonce that a page's policy names.
fn mark(page: &str) -> &str {
    let policy = page.split("script-src 'nonce-").nth(1).expect("a policy");
    policy.split('\'').next().unwrap()
}

/// Its one script bears the mark that the policy asks for; what else stands in a `script` element is data, which does not
/// run.
#[test]
fn the_page_reaches_for_nothing_and_runs_its_own_script_alone() {
    let page = page::render(&order_flow());
    let own = format!("<script nonce=\"{}\">{SCRIPT}</script>", mark(&page));
    assert_eq!(page.matches(&own).count(), 1);
    assert!(!SCRIPT.contains("</") && !SCRIPT.contains("innerHTML") && !SCRIPT.contains("eval("));
    let rest = page.replace(&own, "");
    let data = "<script class=\"live\" type=\"application/json\">{";
    assert!(rest.matches(data).count() > 5);
    // Links to other parts of the page reach for nothing.
    let rest = rest.replace(data, "").replace("http://www.w3.org/2000/svg", "").replace(" href=\"#", "");
    for forbidden in [
        "http:", "https:", "<script", "<link", "<iframe", "<img", "url(", "@import", " src=", " href=", " on",
    ] {
        if forbidden == " on" {
            // Prose may have the word; an attribute may not begin so.
            assert!(
                !rest.split('<').any(|tag| tag.split('>').next().unwrap().contains(" on")),
                "an event handler"
            );
            continue;
        }
        assert!(!rest.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src 'none'; script-src 'nonce-"));
}

/// A name that bears the mark of a page would have to be in the page of which it is the mark.
#[test]
fn the_mark_depends_on_every_word_of_the_page() {
    let honest = page::render(&order_flow());
    assert_eq!(mark(&honest), mark(&page::render(&order_flow())));
    let mut results = order_flow();
    results.about = format!("<script nonce=\"{}\">alert(1)</script>", mark(&honest));
    let page = page::render(&results);
    assert_ne!(mark(&page), mark(&honest));
    assert_eq!(page.matches("<script nonce=\"").count(), 1, "what a page says is no script");
}

/// What the script draws from is what is drawn: every line of a chart, with a place for its plot in both drawings.
#[test]
fn charts_bring_their_numbers() {
    let page = page::render(&order_flow());
    let (_, chart) = page.split_once("id=\"throughput\"").unwrap();
    let (_, data) = chart.split_once("<script class=\"live\" type=\"application/json\">").unwrap();
    let data: serde_json::Value = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    let results = order_flow();
    let traces = data["traces"].as_array().unwrap();
    assert_eq!(traces.len(), results.clients.len());
    for (trace, client) in traces.iter().zip(&results.clients) {
        let series = &client.throughput_over_time;
        assert_eq!(trace["name"], client.name.as_str());
        assert_eq!(trace["y"].as_array().unwrap().len(), series.values.len());
        let (shown, value) = (trace["y"][7].as_f64().unwrap(), series.values[7]);
        assert!((shown - value).abs() <= value.abs() * 1e-4, "{shown} for {value}");
        assert_eq!(trace["x"][0], series.width / 2.0);
    }
    assert_eq!(data["x"]["names"]["time"], results.clients[0].throughput_over_time.width);
    assert!(data["lanes"].as_array().unwrap().iter().any(|lane| lane["name"] == "stock_outage"));
    for drawing in ["wide", "narrow"] {
        assert_eq!(data[drawing]["area"].as_array().unwrap().len(), 4);
    }
}

#[test]
fn parts_come_in_the_order_of_a_readers_questions() {
    let page = page::render(&order_flow());
    let parts = [
        "<h1>",
        "What was run",
        "To get the same again",
        "Read this first",
        "Key figures",
        "Clients, services and topics",
        "Response time by percentile",
        "id=\"throughput\"",
        "id=\"queues\"",
        "id=\"lag\"",
        "id=\"utilization\"",
        "id=\"table-clients\"",
        "id=\"table-calls\"",
        "id=\"table-services\"",
        "id=\"table-subscriptions\"",
        "id=\"table-links\"",
        "id=\"table-faults\"",
    ];
    let places: Vec<usize> =
        parts.iter().map(|part| page.find(part).unwrap_or_else(|| panic!("{part}"))).collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
    assert!(page.contains(
        "eventflow run scenarios/coupling/order-flow.yaml --seed 42 --replications 10 --set rate=200/s"
    ));
    assert!(page.contains("199.4 ± 0.9 /s"), "throughput, rounded to its interval");
    assert!(!page.contains("Partial result"));
}

/// What does not stand comes first, whether it failed or only was not expected; what is open comes next.
#[test]
fn verdicts_are_told_worst_first() {
    let page = page::render(&judged());
    let table = &page[page.find("<table class=\"verdicts\"").unwrap()..];
    let table = &table[..table.find("</table>").unwrap()].replace("<wbr>", "");
    let names = [
        "idempotency.duplicate_effects",
        "invariants.fast_enough",
        "ordering.regressed",
        "idempotency.lost_effects",
        "invariants.adds_up",
    ];
    let places: Vec<usize> =
        names.iter().map(|name| table.find(name).unwrap_or_else(|| panic!("{name}"))).collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
    for said in [
        "5 promises: 2 failed, 2 passed, 1 inconclusive. Not as the scenario expects: 1.",
        "Inconclusive is not a pass",
        "without any, nothing is proved",
        "Exposures: attempts begun after an effect of their obligation was committed.",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

/// First whether promises held, then what became of the work, then everything else.
#[test]
fn what_the_oracles_know_comes_after_the_verdicts() {
    let page = page::render(&judged());
    let parts = [
        "id=\"verdicts\"",
        "What became of the work",
        "How obligations ended",
        "id=\"table-views\"",
        "id=\"table-reads\"",
        "id=\"table-arrivals\"",
        "id=\"anomalies-over-time\"",
        "id=\"view-lag\"",
        "id=\"window\"",
        "id=\"staleness\"",
        "id=\"extents-0\"",
        "What was run",
    ];
    let places: Vec<usize> =
        parts.iter().map(|part| page.find(part).unwrap_or_else(|| panic!("{part}"))).collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
    for said in [
        "1,200,000",
        "631",
        "3.1 ± 0.4 %",
        "Extent of reordering, order-events.inventory",
        "4 to 7 arrivals late",
        "24 more came after the horizon",
        "duplicate effects: ",
        "Faults are shaded: stock_outage",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("8 or more arrivals late"), "nothing was that late");
    let chart = &page[places[6]..places[7]];
    assert!(chart.contains("slow_network") && !chart.contains("warm-up"), "all of the run is measured");
    for (has, results) in [(false, order_flow()), (false, nothing()), (true, judged())] {
        assert_eq!(page::render(&results).contains("What became of the work"), has);
    }
}

/// Of each kind of chart only what there is to show.
#[test]
fn what_never_happened_has_no_chart() {
    let mut results = judged();
    results.anomalies_over_time.iter_mut().for_each(|of| of.count = of.later);
    results.views.clear();
    results.arrivals[0].extents.clear();
    let page = page::render(&results);
    for id in ["anomalies-over-time", "view-lag", "window", "extents-0"] {
        assert!(!page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(page.contains("id=\"staleness\"") && page.contains("id=\"table-arrivals\""));
}

/// What ended badly has a table of its own, for clients and calls, and so has what could not be reckoned;
/// columns that do not say all say so.
#[test]
fn errors_have_reasons_and_columns_their_limits() {
    let page = page::render(&order_flow());
    for said in [
        "Errors by reason",
        "out_of_stock",
        "0.035 ± 0.011 %",
        "<td class=\"number\">3024</td>",
        "scenarios/coupling/order-flow.yaml:41:23",
        "Waiting and sojourn are of what was begun.",
        "Redeliveries are copies that the broker sent again.",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page::render(&nothing()).contains("Expressions that had no value"));
}

#[test]
fn one_replication_and_nothing_to_show_are_said_so() {
    let page = page::render(&nothing());
    for said in [
        "Partial result",
        "after 1 of 10 replications",
        "No intervals",
        "No intent ended well.",
        "no interval",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert_eq!(charts(&page).len(), 0);
}

#[test]
fn a_crowd_is_cut_and_counted() {
    let results = crowd(1000);
    let page = page::render(&results);
    assert!(page.contains("The 8 largest of 1000 services are shown; 992 are not."));
    assert!(page.contains("800 more of 1000 are not shown here"));
    assert!(page.contains("The 40 nodes with the most connections are drawn, of 1007"));
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(json::render(&results).contains("service-00999"));
}

#[test]
fn the_json_file_is_the_results() {
    let results = judged();
    let text = json::render(&results);
    assert!(text.contains("\"never_shown\": 31") && text.contains("\"owed\": 1200000"));
    let read: eventflow::experiment::results::RunResults = serde_json::from_str(&text).unwrap();
    assert_eq!(json::render(&read), text);
    assert!(text.ends_with("}\n"));
}

#[test]
fn the_same_results_give_the_same_page() {
    assert_eq!(page::render(&order_flow()), page::render(&order_flow()));
}

/// Relative luminance as the Web Content Accessibility Guidelines define it, of `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let part = |i: usize| {
        let share = f64::from(u8::from_str_radix(&colour[i..i + 2], 16).unwrap()) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { libm::pow((share + 0.055) / 1.055, 2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

#[test]
fn lines_stand_out_from_the_page_in_light_in_dark_and_on_paper() {
    let page = page::render(&order_flow());
    let colours = |name: &str| -> Vec<f64> {
        let property = format!("--{name}: ");
        page.split(property.as_str()).skip(1).map(|rest| luminance(&rest[..7])).collect()
    };
    let grounds = colours("page");
    assert_eq!(grounds.len(), 3, "light, dark, paper");
    for series in 0..8 {
        for (line, ground) in colours(&format!("c{series}")).iter().zip(&grounds) {
            let contrast = (line.max(*ground) + 0.05) / (line.min(*ground) + 0.05);
            assert!(contrast >= 3.0, "series {series}: {contrast}");
        }
    }
}

/// Writes the pages that the check in a real browser opens.
#[test]
fn pages_for_the_browser() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    let pages = [
        ("order-flow", order_flow()),
        ("judged", judged()),
        ("crowd", crowd(300)),
        ("nothing", nothing()),
        ("hostile", super::hostile::hostile()),
    ];
    for (name, results) in pages {
        let path = folder.join(name).with_extension("html");
        std::fs::write(&path, page::render(&results)).unwrap();
        assert!(path.metadata().unwrap().len() > 10_000);
    }
}
