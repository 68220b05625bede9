//! What the language has and the engine cannot do yet: refused by name, never ignored.

use super::Resolver;
use super::nodes;
use super::preset_knobs;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::grammar::language::PRESETS;
use crate::scenario::node::Node;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// Keys that are refused wherever they are written: place, key, and what it would be.
const KEYS: &[(&str, &str, &str)] = &[("scenario", "prove", "`prove`")];

/// What else the language reference has to tell, by record and key: `""` stands for every record, since
/// knobs are written at several places. What is refused depends on other keys as well.
const PARTLY: &[(&str, &str, &str)] = &[
    ("service", "autoscale", "of a service that consumes `per_instance`"),
    (
        "service",
        "versions",
        "that change anything but `handlers`, which `jobs` there are and their `do`, and `unknown_version`",
    ),
    ("operation", "scale", "of a service that consumes `per_instance`"),
    ("publish", "delay", "of a message that goes `via: ack`"),
    ("fault", "failover", "of a store with `read_replica` and `flush` that keeps durable timers or sagas"),
];

/// What the language reference and the schema say of a key of a record that is not built, or not with
/// every value.
pub fn built_in_part(record: &str, key: &str) -> Option<String> {
    // The verb decides whether an option of a step is one of `publish`.
    let is_here = |place: &str| place == record || record == "step" && place == "publish";
    if KEYS.iter().any(|row| is_here(row.0) && row.1 == key) {
        return Some("**Not built yet.**".to_owned());
    }
    let presets = PRESETS.iter().map(|preset| preset.0);
    let presets = presets.filter(|preset| key == "preset" && preset_knobs(preset).is_none());
    let words = presets.map(|word| format!("`{word}`"));
    let partly = PARTLY.iter().filter(|row| (row.0.is_empty() || is_here(row.0)) && row.1 == key);
    let all: Vec<String> = words.chain(partly.map(|row| row.2.to_owned())).collect();
    (!all.is_empty()).then(|| format!("**Not built yet:** {}.", all.join(", ")))
}

/// Everything that is refused as not built, as it is told, each once.
pub fn not_built() -> Vec<&'static str> {
    KEYS.iter().map(|row| row.2).collect()
}

impl<'a> Resolver<'a> {
    pub fn not_built(&mut self, span: Span, what: &str) {
        self.report(Diagnostic::new("not-built-yet", span, format!("{what} is not built yet")));
    }

    /// Refuses what is not built among the keys of a map; `place` is what the map is.
    pub fn refuse_keys(&mut self, place: &str, node: &'a Node) {
        for &(_, key, what) in KEYS.iter().filter(|row| row.0 == place) {
            if let Some(entry) = nodes::entry(node, key) {
                self.not_built(entry.key_span, what);
            }
        }
    }

    /// Refuses links of which only some ends are regions.
    pub fn refuse_mixed_ends(&mut self, node: &'a Node, ends: &[End]) {
        let is_region = |end: &End| matches!(end, End::Region(_));
        if ends.iter().any(is_region) && !ends.iter().all(is_region) {
            self.not_built(node.span, "a link between a region and something that is none");
        }
    }

    /// Refuses several regions where only instances can be spread over them.
    pub fn refuse_places(&mut self, node: &'a Node, what: &str) {
        if let Some(place) = nodes::get(node, "place").filter(|place| nodes::words(place).len() > 1) {
            self.not_built(place.span, &format!("{what} in several regions"));
        }
    }
}
