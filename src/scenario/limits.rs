//! Bounds that keep every input cheap to read, whatever it holds. A mistake that hits one names it.

use super::diagnostic::Diagnostic;
use super::source::Span;

/// Bytes in one file.
pub const FILE_BYTES: usize = 8 << 20;

/// Lists and maps inside one another.
pub const NESTING: usize = 64;

/// Values in a scenario: in all its files together, after anchors and parameters were filled in.
pub const NODES: usize = 1_000_000;

/// `[`, `{` and `,` in one file. The YAML scanner looks ahead through a whole bracket before it says
/// what stands in it, so they bound its memory.
pub const FLOW_INDICATORS: usize = 1_000_000;

/// Files that extend one another.
pub const EXTENDS_CHAIN: usize = 32;

/// Parameters that stand for one another.
pub const PARAMETER_CHAIN: usize = 64;

/// Bytes of text that all aliases of a file stand for, and all uses of parameters.
pub const FILLED_IN_BYTES: usize = 8 << 20;

/// Bytes of one line in which the end of an unquoted expression is looked for.
pub const EXPRESSION_BYTES: usize = 500;

/// Mistakes that are reported at once.
pub const DIAGNOSTICS: usize = 1000;

/// Characters of one sentence of a diagnostic.
pub const SENTENCE_CHARACTERS: usize = 600;

/// Names among which one of about the right length is looked for, to say what was meant.
pub const NAMES_SEEN: usize = 10_000;

/// Names that are compared letter by letter with the one that was written.
pub const NAMES_COMPARED: usize = 1000;

/// The longest name that is compared with others.
pub const NAME_BYTES_COMPARED: usize = 40;

/// The diagnostic for a bound that was hit.
pub fn exceeded(span: Span, what: &str, limit: usize, unit: &str) -> Diagnostic {
    Diagnostic::new(
        "limit-exceeded",
        span,
        format!("{what}: the limit is {} {unit}", grouped(limit)).trim_end(),
    )
}

/// A count with its thousands set apart: `1,000,000`.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(["0", "999", "1,000", "1,000,000"], [0, 999, 1000, 1_000_000].map(grouped).as_slice());
    }
}
