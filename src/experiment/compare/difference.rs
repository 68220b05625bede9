//! What one design's file says that another's does not, line by line.

use crate::experiment::results::compare::{DifferentLine, FileDifference, LineKind};
use similar::{ChangeTag, TextDiff};

/// Longest texts that are held against each other, in lines: what two quite different ones cost grows with the
/// square of it.
const MOST_LINES: usize = 4_000;
/// Most lines of a difference.
const MOST_DIFFERENT: usize = 400;
/// Lines in common before and after what differs.
const AROUND: usize = 2;

/// How the text of a design, `second`, differs from `first`.
pub fn difference(design: usize, first: &str, second: &str) -> FileDifference {
    let (first, beyond_first) = bounded(first);
    let (second, beyond_second) = bounded(second);
    let diff = TextDiff::from_lines(first, second);
    let mut lines = Vec::new();
    for (number, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if number > 0 {
            lines.push(DifferentLine { kind: LineKind::Gap, text: String::new() });
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let kind = match change.tag() {
                ChangeTag::Equal => LineKind::Both,
                ChangeTag::Delete => LineKind::OnlyFirst,
                ChangeTag::Insert => LineKind::OnlySecond,
            };
            lines.push(DifferentLine { kind, text: change.value().trim_end_matches('\n').to_owned() });
        }
    }
    let more = lines.len().saturating_sub(MOST_DIFFERENT) + beyond_first.max(beyond_second);
    lines.truncate(MOST_DIFFERENT);
    FileDifference { design, lines, more }
}

/// The beginning of a text, and how many lines it lacks.
fn bounded(text: &str) -> (&str, usize) {
    match text.match_indices('\n').nth(MOST_LINES - 1) {
        Some((end, _)) => (&text[..=end], text[end + 1..].lines().count()),
        None => (text, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_stands_among_what_does_not() {
        let first = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
        let second = "a\nb\nc\nD\ne\nf\ng\nh\ni\nj\nk\n";
        let told: Vec<String> = difference(1, first, second)
            .lines
            .iter()
            .map(|line| match line.kind {
                LineKind::Both => format!(" {}", line.text),
                LineKind::OnlyFirst => format!("-{}", line.text),
                LineKind::OnlySecond => format!("+{}", line.text),
                LineKind::Gap => "…".to_owned(),
            })
            .collect();
        assert_eq!(told, [" b", " c", "-d", "+D", " e", " f", "…", " i", " j", "+k"]);
        assert_eq!(difference(1, first, first).lines, []);
    }

    #[test]
    fn long_texts_are_cut_and_counted() {
        let long = |word: &str| (0..6_000).map(|i| format!("{word}{i}\n")).collect::<String>();
        let cut = difference(1, &long("a"), &long("b"));
        assert_eq!((cut.lines.len(), cut.more), (MOST_DIFFERENT, 2 * MOST_LINES - MOST_DIFFERENT + 2_000));
        assert_eq!(difference(1, &long("a"), &long("a")).more, 2_000, "nobody looked at them");
    }
}
