//! JSON writes characters beyond the first 65,536 as two escapes, `"\ud83d\ude00"`. YAML has `\U` for
//! them, and its parser refuses halves. So halves are hidden from the parser, and joined afterwards.

use std::borrow::Cow;

/// How to write such a character so that YAML and JSON both read it.
pub const HELP: &str = "write the character itself, or both of its halves: `\\ud83d\\ude00`";

/// The same text, of the same length, without escapes of halves.
pub fn hide(text: &str) -> Cow<'_, str> {
    let mut hidden = Cow::Borrowed(text);
    for place in halves(text) {
        // `\uD83D` becomes `\uE83D`, a character that may stand alone.
        hidden.to_mut().replace_range(place + 2..place + 3, "e");
    }
    hidden
}

/// What a quoted text with such halves says. `written` is what stands between the quotes; `None` if
/// there are none.
pub fn join(written: &str) -> Option<Result<String, &'static str>> {
    halves(written).next()?;
    let text = serde_json::from_str(&format!("\"{written}\""));
    Some(text.map_err(|_| "half of a character is escaped here without its other half"))
}

/// The places of escapes `\ud800` to `\udfff`.
fn halves(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let mut place = 0;
    std::iter::from_fn(move || {
        while place + 3 < bytes.len() {
            let here = place;
            let escape = bytes[here] == b'\\';
            place += if escape { 2 } else { 1 };
            let half = matches!(bytes[here + 2], b'd' | b'D')
                && matches!(bytes[here + 3], b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F');
            if escape && bytes[here + 1] == b'u' && half {
                return Some(here);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_hidden_and_joined() {
        let written = r"a\ud83d\uDE00 \\ud83d é";
        assert_eq!(hide(written), r"a\ue83d\ueE00 \\ud83d é");
        assert_eq!(join(written), Some(Ok(r"a😀 \ud83d é".to_owned())));
        assert!(join(r"\ud83d").unwrap().is_err());
        assert_eq!(join(r"\u00e9 \\ud83d"), None);
    }
}
