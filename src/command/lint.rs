//! `eventflow lint FILE…`: what designs are likely to get wrong, found by reading them. Nothing is run.

use super::{Ending, SettingArguments, terminal};
use crate::report::text::visible;
use crate::scenario::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::lint::{Linted, RULES, lint};
use crate::scenario::render::{self, Style};
use crate::scenario::resolved::Silence;
use crate::scenario::source::{Sources, Span};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Read scenarios and say what their designs are likely to get wrong
///
/// Every finding has its place, why it is a hazard, what would repair it, and a scenario that shows it. A finding
/// is silenced in the file, with a reason: `lint: { <finding>: reason }` at the top, in a service or on a handler.
///
/// Exit code: 0 if nothing was found, 1 if something was, 2 if a file cannot be used.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Scenario files, in YAML or JSON
    #[arg(required_unless_present = "rules", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub settings: SettingArguments,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// List what is looked for, in place of looking
    #[arg(long, conflicts_with = "files")]
    pub rules: bool,
}

pub fn run(arguments: &Arguments) -> Ending {
    if arguments.rules {
        let line = |name: &str, about: &str| format!("{name:<33} {about}\n");
        return terminal::say(&RULES.iter().map(|rule| line(rule.name, rule.about)).collect::<String>());
    }
    let mut told = String::new();
    let mut files = Vec::new();
    let (mut is_found, mut is_unusable) = (false, false);
    for file in &arguments.files {
        let Some((sources, scenario)) = arguments.settings.read(file) else {
            is_unusable = true;
            continue;
        };
        let linted = lint(&scenario);
        is_found |= !linted.findings.is_empty() || !linted.idle.is_empty();
        match arguments.json {
            true => files.push(as_json(&file.display().to_string(), &sources, &linted)),
            false => told += &as_text(&file.display().to_string(), &sources, &linted, arguments),
        }
    }
    let said = match arguments.json {
        true => terminal::say(&format!("{:#}\n", json!({ "format": 1, "files": files }))),
        false => terminal::say(&told),
    };
    match said {
        Ending::Well if is_unusable => Ending::Unusable,
        Ending::Well if is_found => Ending::Failed,
        said => said,
    }
}

fn as_text(file: &str, sources: &Sources, linted: &Linted, arguments: &Arguments) -> String {
    let style = if arguments.settings.color.on_stdout() { Style::Coloured } else { Style::Plain };
    let findings = linted.findings.iter().map(|finding| finding.diagnostic());
    let list = findings.chain(linted.idle.iter().map(idle)).collect();
    let found = render::findings(sources, &Diagnostics { list }, style, terminal::width());
    format!("{found}{}: {}\n", visible(file), counted(linted))
}

/// `2 findings, 1 silenced`
fn counted(linted: &Linted) -> String {
    let found = match linted.findings.len() + linted.idle.len() {
        0 => "nothing found".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    match linted.silenced.len() {
        0 => found,
        silenced => format!("{found}, {silenced} silenced"),
    }
}

fn idle(silence: &Silence) -> Diagnostic {
    let message = format!("nothing here is found by `{}`", silence.rule);
    Diagnostic::new("idle-silence", silence.span, message).help(
        "remove it: when the hazard comes back, it would be silenced for a reason that is no longer true",
    )
}

fn as_json(file: &str, sources: &Sources, linted: &Linted) -> Value {
    let place = |span: Span| {
        let (line, column) = sources.line_column(span);
        json!({ "file": sources.get(span.file).name, "line": line, "column": column })
    };
    let finding = |found: &crate::scenario::lint::Finding| {
        let related =
            found.related.iter().map(|(span, label)| json!({ "place": place(*span), "label": label }));
        json!({
            "finding": found.rule.name,
            "place": place(found.span),
            "message": found.message,
            "related": related.collect::<Vec<_>>(),
            "why": found.rule.why,
            "repair": found.rule.repair,
            "shown_by": found.rule.shown_by,
        })
    };
    let silenced = linted.silenced.iter().map(|(found, silence)| {
        let mut value = finding(found);
        value["silenced"] = json!({ "place": place(silence.span), "reason": silence.reason });
        value
    });
    let idle =
        linted.idle.iter().map(|silence| json!({ "finding": silence.rule, "place": place(silence.span) }));
    json!({
        "file": file,
        "findings": linted.findings.iter().map(finding).collect::<Vec<_>>(),
        "silenced": silenced.collect::<Vec<_>>(),
        "idle_silences": idle.collect::<Vec<_>>(),
    })
}
