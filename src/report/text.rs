//! Text from a scenario on its way to a reader.
//!
//! A name may hold anything that fits into a file: markup, terminal sequences, marks that turn the
//! reading direction. [`visible`] spells out every character that acts instead of showing, so that
//! what is left is only text; markup is then escaped by the writer of each format.
//!
//! `"a\u{1b}[2Jb"` is shown as `a\u{1b}[2Jb`, letter for letter.

use unicode_width::UnicodeWidthChar;

/// Longest name that a page or a chart's legend shows, in characters.
pub const LONGEST_NAME: usize = 80;

/// `text` with every character spelt out that a terminal, a browser or a reading eye would obey
/// instead of show. What comes out is legal in HTML, XML and on a terminal line.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if acts(c) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// A name, [`visible`] and at most [`LONGEST_NAME`] characters long.
pub fn name(text: &str) -> String {
    shortened(text, LONGEST_NAME)
}

/// Prose: runs of blanks and line ends become one blank, the rest is [`visible`]. Bounded, since a
/// description may be as long as a file.
pub fn prose(text: &str) -> String {
    const LONGEST_PROSE: usize = 4000;
    let words: Vec<&str> = text.split_whitespace().collect();
    shortened(&words.join(" "), LONGEST_PROSE)
}

/// `text`, [`visible`], and cut to `longest` characters with an ellipsis.
pub fn shortened(text: &str, longest: usize) -> String {
    // Escapes only lengthen, so characters beyond `longest` cannot show: a name of a gigabyte costs
    // no more than its beginning.
    let head: String = text.chars().take(longest + 1).collect();
    cut(&visible(&head), longest, |_| 1.0)
}

/// `text`, [`visible`], and cut with an ellipsis to fit into `columns` of a terminal.
pub fn fitted_to_columns(text: &str, columns: usize) -> String {
    let head: String = text.chars().take(4 * columns + 1).collect();
    cut(&visible(&head), columns, |c| c.width().unwrap_or(0) as f64)
}

/// `text`, [`visible`], and cut with an ellipsis to fit into `width` pixels at `size` pixels a letter.
pub fn fitted_to_pixels(text: &str, width: f64, size: f64) -> String {
    let head: String = text.chars().take(width.max(0.0) as usize + 1).collect();
    cut(&visible(&head), (width / size * 100.0).max(0.0) as usize, |c| advance(c) * 100.0)
}

/// Estimated width of `text` in pixels in a sans-serif face; on the wide side, since no font is at
/// hand to ask.
pub fn width_in_pixels(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// Whether `c` does something to its surroundings instead of showing itself.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Marks and overrides of direction, joiners without width, line and paragraph ends.
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Soft hyphen, byte order mark, interlinear marks, tags, variation and private use.
            | '\u{ad}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{10ffff}')
        // Code points that XML forbids.
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Cuts `text` to `room`, measured by `width` of each character, with an ellipsis for what is gone.
fn cut(text: &str, room: usize, width: impl Fn(char) -> f64) -> String {
    let room = room as f64;
    if text.chars().map(&width).sum::<f64>() <= room {
        return text.to_owned();
    }
    let mut left = room - width('…');
    let kept = text.chars().take_while(|&c| {
        left -= width(c);
        left >= 0.0
    });
    let mut short: String = kept.collect();
    short.push('…');
    short
}

/// Advance of a character in ems.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.36,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' | '\\' => 0.44,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' | '→' | '—' => 1.0,
        'A'..='Z' | '±' | '×' | '<' | '>' | '=' | '+' | '~' => 0.82,
        c if c.width().unwrap_or(0) > 1 => 1.1,
        c if c.width() == Some(0) => 0.0,
        _ => 0.65,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn what_acts_is_spelt_out() {
        assert_eq!(visible("a\x1b[2Jb\u{202e}c\u{9b}d\x7f"), "a\\u{1b}[2Jb\\u{202e}c\\u{9b}d\\u{7f}");
        assert_eq!(visible("\u{ffff}\u{0}"), "\\u{ffff}\\u{0}");
        assert_eq!(visible("größe → 数 😀"), "größe → 数 😀");
    }

    #[test]
    fn a_long_name_is_cut_to_its_room() {
        assert_eq!(shortened(&"x".repeat(10_000), 5), "xxxx…");
        assert_eq!(shortened("abcde", 5), "abcde");
        assert!(fitted_to_columns(&"数".repeat(50), 11).width() <= 11);
        assert!(width_in_pixels(&fitted_to_pixels(&"W".repeat(999), 100.0, 12.0), 12.0) <= 100.0);
        assert_eq!(fitted_to_pixels("inventory", 100.0, 12.0), "inventory");
    }

    #[test]
    fn prose_keeps_its_words_and_loses_its_line_ends() {
        assert_eq!(prose("one\n  two\tthree"), "one two three");
    }
}
