//! Scenario files through the public path, as the command line takes them.

use eventflow::experiment::results::RunResults;
use eventflow::experiment::run::{RunOptions, run};
use eventflow::model::{Model, compile};
use eventflow::scenario::{grammar, load, render, resolve};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// The scenario library.
pub fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// Compiles a file of the library (`queueing/mm1`) under settings (`rate=70/s`).
pub fn model(name: &str, settings: &[&str]) -> Model {
    let path = library().join(name).with_extension("yaml");
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    compiled(load::load(&path, &settings))
}

/// Compiles a text.
pub fn model_of(text: &str) -> Model {
    compiled(load::load_text("test.yaml", text, &[]))
}

fn compiled(
    (sources, mut diagnostics, loaded): (
        eventflow::scenario::source::Sources,
        eventflow::scenario::diagnostic::Diagnostics,
        Option<load::Loaded>,
    ),
) -> Model {
    let scenario = loaded.and_then(|loaded| {
        grammar::check(&loaded.root, &mut diagnostics);
        resolve::resolve(&loaded, &sources, &mut diagnostics)
    });
    let Some(scenario) = scenario else {
        panic!("{}", render::render(&sources, &diagnostics, render::Style::Plain, 100))
    };
    compile::compile(&scenario, &sources)
}

/// Runs a file of the library under settings.
pub fn results(name: &str, settings: &[&str]) -> RunResults {
    results_of(&model(name, settings), RunOptions::default())
}

/// Runs a model.
pub fn results_of(model: &Model, options: RunOptions) -> RunResults {
    match run(model, "test.yaml", &options, &(), &AtomicBool::new(false)) {
        Ok(results) => results,
        Err(failure) => panic!("{failure}"),
    }
}

mod compare;
mod ends;
mod measured;
mod stopping;
mod truth;
mod unjudged;
