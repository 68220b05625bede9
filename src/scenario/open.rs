//! From a file to what it means, in one go: load → structure → meaning, with every mistake of all three
//! together.
//!
//! The structure and the meaning are judged by passes that know nothing of each other, so both may stumble
//! over the same text. Whoever wrote it needs to be told once: what is wrong with a text whose structure
//! is wrong already is left out.
//!
//! ```
//! use eventflow::scenario::open::read_text;
//!
//! let (sources, mistakes, scenario) = read_text("queue.yaml", "scenario: queue\nseed: soon\n", &[]);
//! assert!(scenario.is_none());
//! assert_eq!(sources.text(mistakes.list[0].span), "soon");
//! ```

use super::diagnostic::{Diagnostic, Diagnostics};
use super::grammar;
use super::load::{self, Loaded};
use super::resolve;
use super::resolved::Scenario;
use super::source::{Sources, Span};
use std::path::Path;

/// Reads a scenario file under settings (`rate=400/s`, `run.replications=30`). There is a scenario if
/// and only if there is no mistake.
pub fn read_scenario(path: &Path, settings: &[String]) -> (Sources, Diagnostics, Option<Scenario>) {
    let (sources, diagnostics, loaded) = load::load(path, settings);
    understand(sources, diagnostics, loaded)
}

/// The same for a text in memory; files that it extends are found from `name`.
pub fn read_text(name: &str, text: &str, settings: &[String]) -> (Sources, Diagnostics, Option<Scenario>) {
    let (sources, diagnostics, loaded) = load::load_text(name, text, settings);
    understand(sources, diagnostics, loaded)
}

fn understand(
    sources: Sources,
    mut diagnostics: Diagnostics,
    loaded: Option<Loaded>,
) -> (Sources, Diagnostics, Option<Scenario>) {
    let Some(loaded) = loaded else { return (sources, diagnostics, None) };
    grammar::check(&loaded.root, &mut diagnostics);
    let structural = diagnostics.list.len();
    let scenario = resolve::resolve(&loaded, &sources, &mut diagnostics);
    let meant = diagnostics.list.split_off(structural);
    let is_new = |mistake: &Diagnostic| !diagnostics.list.iter().any(|told| covers(told.span, mistake.span));
    let new: Vec<Diagnostic> = meant.into_iter().filter(is_new).collect();
    diagnostics.list.extend(new);
    (sources, diagnostics, scenario)
}

/// Whether `outer` is `inner`, or contains it.
fn covers(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<(&'static str, String)> {
        let (sources, diagnostics, scenario) = read_text("test.yaml", text, &[]);
        assert_eq!(scenario.is_none(), !diagnostics.is_empty());
        let told = diagnostics.list.iter();
        told.map(|mistake| (mistake.code, sources.text(mistake.span).to_owned())).collect()
    }

    #[test]
    fn structure_and_meaning_are_told_together_and_each_text_once() {
        let text = "scenario: a\nrun: { horizon: soon, warm_up: 1m, replications: 0 }\nnetwork: { default: { bandwidth: 5/s } }\n\
                    messages: { Go: { kind: command } }\n\
                    services: { s: { handlers: { Go: [ { work: 5ms }, { call: t.Go } ] } } }\n\
                    clients: { c: { arrivals: { poisson: 5/s }, do: [ { call: s.Go } ] } }\n";
        let told = mistakes(text);
        for once in ["soon", "5/s", "0"] {
            assert_eq!(told.iter().filter(|(_, text)| text == once).count(), 1, "{once} of {told:?}");
        }
        assert!(told.iter().any(|(code, _)| *code == "unknown-service"), "{told:?}");
    }

    #[test]
    fn a_bandwidth_is_bytes_in_a_time() {
        let text = |bandwidth: &str| {
            format!(
                "scenario: a\nnetwork: {{ default: {{ bandwidth: {bandwidth} }} }}\n\
                 messages: {{ Go: {{ kind: command }} }}\nservices: {{ s: {{ handlers: {{ Go: [ stop ] }} }} }}\n\
                 clients: {{ c: {{ arrivals: {{ poisson: 5/s }}, do: [ {{ call: s.Go }} ] }} }}\n"
            )
        };
        assert_eq!(mistakes(&text("10MB/s")), []);
        assert_eq!(mistakes(&text("10/s")).len(), 1);
    }
}
