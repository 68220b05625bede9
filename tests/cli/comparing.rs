//! `compare`: what it writes and says, and how it ends.

use super::{Desk, SHOP};

#[test]
fn a_comparison_writes_a_page_and_a_file_and_says_which_is_better() {
    let desk = Desk::with(SHOP);
    let other = SHOP.replacen("scenario: shop", "scenario: other", 1);
    std::fs::write(desk.path("other.yaml"), other).unwrap();
    let words = ["compare", "scenario.yaml", "other.yaml", "--replications", "3"];
    let (code, said, complaints) = desk.outcome(&words);
    assert_eq!((code, complaints.as_str()), (0, ""), "{said}");
    assert!(said.contains("A shop against B other") && said.contains("1. B other: cannot be told"), "{said}");
    let comparison = desk.results("shop-against-other");
    assert_eq!(comparison["replications_done"], 3);
    assert_eq!(comparison["designs"][0]["run"]["digest"], comparison["designs"][1]["run"]["digest"]);
    assert!(comparison["unchanged"].as_array().unwrap().len() > 10);
    let page = std::fs::read_to_string(desk.path("reports/shop-against-other.html")).unwrap();
    assert!(page.contains("scenario other"), "the files' difference is shown");
    assert_eq!(page.matches("<script nonce=\"").count(), 1, "one script, with the mark of the page");
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands for one thing");
    let line = said.lines().find_map(|line| line.strip_prefix("reproduce")).unwrap();
    let again: Vec<&str> = line.split_whitespace().skip(1).collect();
    assert_eq!(desk.outcome(&again).0, 0);
    assert_eq!(desk.results("shop-against-other"), comparison);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let desk = Desk::with(SHOP);
    let (code, said, complaints) = desk.outcome(&["compare", "scenario.yaml"]);
    assert_eq!((code, said.as_str()), (2, ""), "{complaints}");
    let (code, _, complaints) = desk.outcome(&["compare", "scenario.yaml", "missing.yaml"]);
    assert!(code == 2 && complaints.contains("missing.yaml"), "{complaints}");
    std::fs::write(desk.path("wrong.yaml"), "scenario: wrong\nrun: { horizon: soon }\n").unwrap();
    let (code, _, complaints) = desk.outcome(&["compare", "scenario.yaml", "wrong.yaml"]);
    assert!(code == 2 && complaints.contains("wrong.yaml:2"), "{complaints}");
    assert_eq!(desk.files(), ["scenario.yaml", "wrong.yaml"], "nothing is written");
}

#[test]
fn a_precision_is_a_share() {
    let desk = Desk::with(SHOP);
    for wrong in ["2", "0%", "100%", "-1%", "NaN%", "much"] {
        let (code, _, complaints) = desk.outcome(&["run", "scenario.yaml", &format!("--precision={wrong}")]);
        assert!(code == 2 && complaints.contains("such as 2%"), "{wrong}: {complaints}");
    }
    let both = ["run", "scenario.yaml", "--precision", "5%", "--replications", "9"];
    assert_eq!(desk.outcome(&both).0, 2);
    let words = ["run", "scenario.yaml", "--precision", "50%", "--max-replications", "16"];
    let (code, said, _) = desk.outcome(&words);
    assert_eq!(code, 0, "{said}");
    let results = desk.results("shop");
    assert_eq!(results["replications_asked"], results["replications_done"]);
    assert_eq!(results["precision"]["most"], 16);
}
