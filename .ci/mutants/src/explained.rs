//! Mutants that nothing can notice, and why: what they do is the same, or is only quicker, smaller or worded otherwise.

use crate::sites::Mutant;

struct Explained {
    /// The end of the file's path.
    file: &'static str,
    /// The end of the function's name.
    function: &'static str,
    /// Part of what the mutant is; empty: all of that function.
    what: &'static str,
    why: &'static str,
}

/// Why nothing can notice a mutant, if that is known.
pub fn reason(mutant: &Mutant) -> Option<&'static str> {
    let is_meant = |of: &&Explained| {
        mutant.file.ends_with(of.file) && mutant.function.ends_with(of.function) && mutant.what.contains(of.what)
    };
    EXPLAINED.iter().find(is_meant).map(|of| of.why)
}

const EXPLAINED: &[Explained] = &[];
