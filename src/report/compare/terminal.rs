//! A comparison on a terminal: the ranking, why, and the figures behind it.

use super::words;
use crate::experiment::results::compare::{ComparedMeasure, Comparison, Draws};
use crate::report::figure::{cell, instant};
use crate::report::terminal::{Style, Written};
use crate::report::{reproduce, text};
use unicode_width::UnicodeWidthStr;

/// Designs that have a column; the report has all.
const MOST_COLUMNS: usize = 4;
/// Questions that are listed; the report has all.
const MOST_ROWS: usize = 24;
/// Longest line of prose, in columns, and of names.
const PROSE: usize = 300;
const NAME: usize = 44;

/// The summary of a comparison, each line ended.
pub fn render(comparison: &Comparison, style: Style, written: &Written) -> String {
    let mut page = Page { style, text: String::new() };
    page.head(comparison);
    page.ranking(comparison);
    page.promises(comparison);
    page.questions(comparison);
    page.foot(comparison, written);
    page.text
}

struct Page {
    style: Style,
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text += line.trim_end();
        self.text.push('\n');
    }

    fn prose(&mut self, line: &str) {
        self.line(&text::fitted_to_columns(line, PROSE));
    }

    /// A line in bold, in dim letters, or as a warning, by its ANSI code.
    fn dressed(&mut self, code: &str, line: &str) {
        let line = text::fitted_to_columns(line, PROSE);
        match self.style {
            Style::Plain => self.line(&line),
            Style::Coloured => self.line(&format!("\x1b[{code}m{line}\x1b[0m")),
        }
    }

    fn heading(&mut self, heading: &str) {
        self.line("");
        self.dressed("1;36", heading);
    }

    fn head(&mut self, comparison: &Comparison) {
        let designs = 0..comparison.designs.len();
        let names: Vec<String> = designs.clone().map(|at| words::named(comparison, at)).collect();
        self.dressed("1", &names.join(" against "));
        let numbers = match comparison.draws {
            Draws::Common => "same random numbers",
            Draws::Independent => "independent random numbers",
        };
        let first = &comparison.designs[0].run;
        self.dressed(
            "2",
            &format!(
                "seed {} · {} of {} replications of each · {numbers} · measured {} to {} · {}",
                comparison.seed,
                comparison.replications_done,
                comparison.replications_asked,
                instant(first.warm_up),
                instant(first.horizon),
                words::confidence(comparison)
            ),
        );
        if comparison.partial {
            self.dressed(
                "33",
                "PARTIAL: interrupted; only the replications done of every design are compared.",
            );
        }
        for note in &comparison.notes {
            self.dressed("33", &format!("! {}", text::prose(note)));
        }
    }

    fn ranking(&mut self, comparison: &Comparison) {
        self.heading("RANKING");
        for ranked in &comparison.ranking {
            let name = words::named(comparison, ranked.design);
            let reason = words::reason(comparison, ranked);
            self.prose(&format!("{}. {name}: {reason}", ranked.place));
        }
        let answers: Vec<String> =
            comparison.questions.iter().filter_map(|measure| words::answer(comparison, measure)).collect();
        let broken = comparison.promises.iter().flat_map(|promise| words::broken_more(comparison, promise));
        let clear: Vec<String> = broken.chain(answers).collect();
        if !clear.is_empty() {
            self.heading("CLEAR");
            clear.iter().take(MOST_ROWS).for_each(|line| self.prose(line));
        }
        let open = words::open(comparison);
        if !open.is_empty() {
            self.prose(&format!("No clear difference: {}.", open.join(", ")));
        }
    }

    fn promises(&mut self, comparison: &Comparison) {
        if comparison.promises.is_empty() {
            return;
        }
        let row = |promise: &crate::experiment::results::compare::ComparedPromise| {
            let told = promise.designs.iter().take(MOST_COLUMNS).map(|kept| words::kept(kept.as_ref()));
            [text::name(&promise.name)].into_iter().chain(told).collect()
        };
        let rows: Vec<Vec<String>> = comparison.promises.iter().take(MOST_ROWS).map(row).collect();
        let heads = heads("PROMISE, broken in", comparison);
        self.table(&heads, &rows, comparison.promises.len());
    }

    fn questions(&mut self, comparison: &Comparison) {
        let is_pair = comparison.designs.len() == 2;
        let row = |measure: &ComparedMeasure| {
            let shown = measure.designs.iter().take(MOST_COLUMNS);
            let shown =
                shown.map(|estimate| cell(estimate, measure.unit.into(), comparison.replications_done));
            let mut row: Vec<String> = [text::name(&measure.name)].into_iter().chain(shown).collect();
            if is_pair && let Some(pair) = measure.pairs.first() {
                row.push(words::change(pair, measure.unit));
                row.push(if pair.is_clear { "clear" } else { "" }.to_owned());
            }
            row
        };
        let rows: Vec<Vec<String>> = comparison.questions.iter().take(MOST_ROWS).map(row).collect();
        let mut heads = heads("QUESTION", comparison);
        if is_pair {
            heads.extend(["B against A".to_owned(), String::new()]);
        }
        self.table(&heads, &rows, comparison.questions.len());
    }

    /// A table; a row may be shorter than its heads.
    fn table(&mut self, heads: &[String], rows: &[Vec<String>], all: usize) {
        if rows.is_empty() {
            return;
        }
        let column = |at: usize| rows.iter().filter_map(move |row| row.get(at)).chain(heads.get(at));
        let fitted = |cell: &str| text::fitted_to_columns(cell, NAME);
        let widths: Vec<usize> = (0..heads.len())
            .map(|at| column(at).map(|cell| fitted(cell).width()).max().unwrap_or(0))
            .collect();
        let line = |cells: &[String]| {
            let mut line = String::new();
            for (at, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
                let cell = fitted(cell);
                let room = " ".repeat(width.saturating_sub(cell.width()));
                line += &if at == 0 { format!("{cell}{room}") } else { format!("  {room}{cell}") };
            }
            line
        };
        self.line("");
        self.dressed("1;36", &line(heads));
        rows.iter().for_each(|row| self.line(&line(row)));
        if all > rows.len() {
            self.dressed("2", &format!("… and {} more in the report", all - rows.len()));
        }
    }

    fn foot(&mut self, comparison: &Comparison, written: &Written) {
        let path = |path: &std::path::Path| text::visible(&path.display().to_string());
        self.line("");
        self.prose(&words::draws(comparison));
        self.line(&format!("report     {}", path(written.page)));
        self.line(&format!("data       {}", path(written.json)));
        for (at, design) in comparison.designs.iter().enumerate() {
            let digest = text::name(&design.run.digest);
            self.line(&format!("digest {}   {digest}", words::letter(at)));
        }
        self.line(&format!("reproduce  {}", text::shortened(&reproduce::comparison(comparison), 4000)));
    }
}

/// The head of the names, and the letters of the designs that have a column.
fn heads(first: &str, comparison: &Comparison) -> Vec<String> {
    let letters = (0..comparison.designs.len().min(MOST_COLUMNS)).map(|at| words::letter(at).to_string());
    [first.to_owned()].into_iter().chain(letters).collect()
}
