//! Places in a text: the YAML parser counts characters, a [`Span`] counts bytes.

use crate::scenario::source::{FileId, Span};

/// Characters between two remembered places.
const STRIDE: usize = 32;

/// The text that is being read, and where its characters stand.
pub struct Places<'a> {
    file: FileId,
    /// The whole source text; all byte places are places in it.
    pub text: &'a str,
    /// The byte that the parser's character 0 is.
    pub from: usize,
    /// The byte of every [`STRIDE`]th character; empty if each character is one byte.
    remembered: Vec<u32>,
}

impl<'a> Places<'a> {
    pub fn new(file: FileId, text: &'a str, from: usize) -> Self {
        let read = &text[from..];
        let remembered = if read.is_ascii() {
            Vec::new()
        } else {
            read.char_indices().step_by(STRIDE).map(|(byte, _)| (from + byte) as u32).collect()
        };
        Self { file, text, from, remembered }
    }

    /// The byte at which the parser's character `index` starts.
    pub fn byte(&self, index: usize) -> usize {
        if self.remembered.is_empty() {
            return (self.from + index).min(self.text.len());
        }
        let Some(&near) = self.remembered.get(index / STRIDE) else {
            return self.text.len();
        };
        let rest = &self.text[near as usize..];
        rest.char_indices().nth(index % STRIDE).map_or(self.text.len(), |(byte, _)| near as usize + byte)
    }

    pub fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: start as u32, end: end.max(start) as u32 }
    }

    /// The span of the character that starts at a byte; empty at the end of the text.
    pub fn one(&self, byte: usize) -> Span {
        self.span(byte, byte + self.character(byte).map_or(0, char::len_utf8))
    }

    /// The character that starts at a byte.
    pub fn character(&self, byte: usize) -> Option<char> {
        self.text.get(byte..).and_then(|rest| rest.chars().next())
    }

    /// The start of the line that a byte stands in.
    pub fn line_start(&self, byte: usize) -> usize {
        self.text[self.from..byte].rfind(['\n', '\r']).map_or(self.from, |newline| self.from + newline + 1)
    }

    /// The bytes between a quote at `start` and the one that closes it.
    pub fn inside_quotes(&self, start: usize) -> (usize, usize) {
        let quote = self.text.as_bytes()[start];
        let bytes = self.text.as_bytes();
        let mut place = start + 1;
        while place < bytes.len() {
            let doubled = quote == b'\'' && bytes[place] == quote && bytes.get(place + 1) == Some(&quote);
            if doubled || (quote == b'"' && bytes[place] == b'\\') {
                place += 2;
            } else if bytes[place] == quote {
                break;
            } else {
                place += 1;
            }
        }
        (start + 1, place.min(bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_found_at_their_bytes() {
        let text = format!("skip{}x", "é€😀a".repeat(50));
        let places = Places::new(FileId(0), &text, 4);
        for (index, (byte, _)) in text[4..].char_indices().enumerate() {
            assert_eq!(places.byte(index), 4 + byte);
        }
        assert_eq!(places.byte(100_000), text.len());
    }

    #[test]
    fn quotes_end_where_they_are_closed() {
        for (text, inside) in [(r#""a\"b" c"#, r#"a\"b"#), ("'it''s' x", "it''s"), ("\"open", "open")] {
            let (start, end) = Places::new(FileId(0), text, 0).inside_quotes(0);
            assert_eq!(&text[start..end], inside);
        }
    }
}
