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

const EXPLAINED: &[Explained] = &[
    Explained {
        file: "sessions/session.rs",
        function: "Session::sweep",
        what: "2 * self.swept",
        why: "how much has to come before what has caught up is looked for again: sooner or later the same is forgotten",
    },
    Explained {
        file: "ordering/keys.rs",
        function: "Keys::keep",
        what: "2 * rows.len()",
        why: "how much has to come before rows are looked through again: sooner or later the same is forgotten",
    },
    Explained {
        file: "isolation/premise.rs",
        function: "Attempt::keep",
        what: "self.has_own = false",
        why: "a short cut: who has nothing of his own looks for it in vain",
    },
    Explained {
        file: "ordering/rows.rs",
        function: "Rows::wrote",
        what: "old.sequence < writer.mention.sequence",
        why: "of one sequence number there is one message, which takes the place of itself",
    },
    Explained {
        file: "lineage/values.rs",
        function: "Lineage<'_>::owe_for_value",
        what: "! before self.values_owed.contains(&entry) is gone",
        why: "twice in the list is as much as once: all of a value go together",
    },
    Explained {
        file: "src/world/debt.rs",
        function: "remainder_of",
        what: "without of.item = item",
        why: "the attempt is over: nobody asks for its item again",
    },
];
