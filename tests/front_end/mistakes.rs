//! Mistakes of reading, extending and setting, as they are shown.

use eventflow::scenario::load::{load, load_text};
use eventflow::scenario::render::{Style, render};
use std::path::Path;

/// What is shown for a text that stands beside the files of these tests.
fn shown(text: &str, settings: &[&str]) -> String {
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    let (sources, diagnostics, _) = load_text("tests/front_end/files/test.yaml", text, &settings);
    render(&sources, &diagnostics, Style::Plain, 100)
}

fn shown_file(name: &str) -> String {
    let (sources, diagnostics, _) = load(&Path::new("tests/front_end/files").join(name), &[]);
    render(&sources, &diagnostics, Style::Plain, 100)
}

macro_rules! shows {
    ($($name:ident: $shown:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!($shown);
        }
    )*};
}

shows! {
    comma_in_an_expression: shown("clients:\n  c:\n    do:\n      - let: { x: max(1, 2), y: plans[x] }\n", &[]);
    expressions_cut_up: shown("# naïve\n- { if: !seen.exists, then: [ stop ] }\n- { let: { größe: max(1, 2), y: f(x, \"a, b\") } }\n", &[]);
    ternary_unquoted: shown("service: orders\nwork: ok ? 1ms : 2ms\n", &[]);
    value_after_a_bracket: shown("x: [1, 2].size() + 1\n", &[]);
    open_bracket: shown("services:\n  a: { workers: 1\nclients: {}\n", &[]);
    tab: shown("services:\n\ta: 1\n", &[]);
    indentation: shown("services:\n  a: 1\n   b: 2\n", &[]);
    duplicate_key: shown("services:\n  orders: { workers: 1 }\n  inventory: {}\n  orders: {}\n", &[]);
    tags_and_merge_keys: shown("a: &a { x: !!int 1 }\nb: { <<: *a }\nc: !list [1]\n", &[]);
    several_documents: shown("a: 1\n---\nb: 2\n", &[]);
    not_a_map: shown("- a\n- b\n", &[]);
    empty: shown("# nothing\n", &[]);
    stray_nulls: shown("services:\n  a:\n  b: { workers: null, jobs: [ x, ~, y ] }\n  c:\n    -\n    - x\n", &[]);
    missing_item: shown("x: [ a, , b ]\n", &[]);
    unknown_alias: shown("a: *rate\n", &[]);
    unclosed_quote: shown("a: 1\nb: \"x\nc: 2\n", &[]);
    not_utf_8: shown_file("latin-1.yaml");
    no_such_file: shown_file("varant.yaml");
    extends_a_cycle: shown_file("cycle-a.yaml");
    extends_a_missing_file: shown("scenario: x\nextends: bse.yaml\n", &[]);
    extends_a_map: shown("extends: { file: base.yaml }\n", &[]);
    extends_a_file_with_mistakes: shown("extends: latin-1.yaml\n", &[]);
    removes_nothing: shown("extends: base.yaml\nservices: { orders: { queue: { capacty: null, by: null } } }\n", &[]);
    null_in_a_list: shown("extends: base.yaml\nservices: { orders: { jobs: [ null ] } }\n", &[]);
    unknown_parameter: shown("parameters: { rate: 1/s, mark: x }\nclients: { c: { arrivals: { poisson: $rte }, do: [ { work: 2 * $Mark + $none } ] } }\n", &[]);
    no_parameters: shown("work: $rate\n", &[]);
    parameter_cycle: shown("parameters: { a: $b, b: [ 1, 2 * $c ], c: { x: $a } }\nx: $a\n", &[]);
    bad_parameters: shown("parameters: [ a ]\n", &[]);
    bad_parameter_names: shown("parameters: { \"1a\": 2, a-b: 3 }\n", &[]);
    bad_settings: shown("parameters: { rate: 1/s }\nrun: { horizon: 1m }\nsteps: [ stop ]\n", &[
        "rat=2/s", "rate", "rate=", "run..x=1", "run.horizon.x=1", "steps.1=2", "run.horizon=[1", "run.drain=null", "rate=max(1, $rat)",
    ]);
    settings_of_nobody: shown("faults: { payment_crash: { crash: payment } }\ntopics: { orders: {} }\n", &[
        "faults.inventory_crash.every=1h", "topics.refused.partitions=3", "faults.payment_crash.every=1h", "topics.refused={}",
    ]);
    control_characters: shown("a: 1\n\"\u{1b}[31m\": 2\n", &[]);
    escaped_control_characters: shown("a: 1\n\"\\e[31m\\n\": 2\n\"\\e[31m\\n\": 3\n", &[]);
}
