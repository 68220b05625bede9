//! The JSON file: the results as they are, with nothing left out and nothing rounded.

use crate::experiment::results::RunResults;

/// The whole of `results` as indented JSON with a final newline. A figure that is not a number is
/// written as `null`, since JSON has no word for it.
pub fn render(results: &RunResults) -> String {
    let mut text = serde_json::to_string_pretty(results).expect("results are plain data with text keys");
    text.push('\n');
    text
}
