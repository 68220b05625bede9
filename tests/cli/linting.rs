//! `lint`: what it prints, and how it ends.

use super::{Desk, SHOP};

const SENT: &str = "Shouted: { kind: notification, key: id, fields: { id: id, text: text } }";

fn desk() -> Desk {
    let loud = format!("scenario: loud\nmessages: {{ {SENT} }}\n");
    let desk = Desk::with(&loud);
    std::fs::write(
        desk.path("quiet.yaml"),
        format!("{loud}lint: {{ fat-notification: nobody reads the text }}\n"),
    )
    .unwrap();
    std::fs::write(desk.path("idle.yaml"), "scenario: idle\nlint: { dual-write: once there was one }\n")
        .unwrap();
    std::fs::write(desk.path("broken.yaml"), format!("{SHOP}\nlint: {{ dual-wriet: typed in haste }}\n"))
        .unwrap();
    desk
}

#[test]
fn the_exit_code_says_whether_something_was_found() {
    let desk = desk();
    for (files, code) in [
        (&["quiet.yaml"][..], 0),
        (&["scenario.yaml"], 1),
        (&["idle.yaml"], 1),
        (&["broken.yaml"], 2),
        (&["missing.yaml"], 2),
        (&["quiet.yaml", "scenario.yaml"], 1),
        (&["scenario.yaml", "broken.yaml"], 2),
    ] {
        let (ended, ..) = desk.outcome(&[&["lint"], files].concat());
        assert_eq!(ended, code, "{files:?}");
    }
}

#[test]
fn a_finding_has_its_place_its_reason_and_its_repair() {
    let (_, told, complained) = desk().outcome(&["lint", "scenario.yaml"]);
    assert_eq!(complained, "");
    for part in [
        "warning[fat-notification]: the notification `Shouted` carries `text` besides its key",
        "--> scenario.yaml:2:77",
        "the two can disagree",
        "let it carry its key alone",
        "see scenarios/payload/half-thin.yaml",
        "scenario.yaml: 1 finding",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let (_, _, complained) = desk().outcome(&["lint", "broken.yaml"]);
    assert!(
        complained.contains("error[unknown-finding]") && complained.contains("did you mean `dual-write`?")
    );
}

#[test]
fn as_json_it_says_the_same_and_what_is_silenced() {
    let (_, told, _) = desk().outcome(&["lint", "--json", "scenario.yaml", "quiet.yaml", "idle.yaml"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let [loud, quiet, idle] = [0, 1, 2].map(|file| &told["files"][file]);
    assert_eq!(loud["findings"][0]["finding"], "fat-notification");
    assert_eq!(
        loud["findings"][0]["place"],
        serde_json::json!({ "file": "scenario.yaml", "line": 2, "column": 77 })
    );
    assert_eq!(quiet["findings"], serde_json::json!([]));
    assert_eq!(quiet["silenced"][0]["silenced"]["reason"], "nobody reads the text");
    assert_eq!(idle["idle_silences"][0]["finding"], "dual-write");
}

#[test]
fn the_rules_can_be_listed() {
    let (ended, told, _) = desk().outcome(&["lint", "--rules"]);
    assert_eq!(ended, 0);
    assert_eq!(told.lines().count(), eventflow::scenario::lint::RULES.len());
}
