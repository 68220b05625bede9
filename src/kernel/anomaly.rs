//! The measures of what goes wrong: one word each, the same in scenario files, oracles, verdicts and reports.

/// A group of measures, as a scenario's `guarantees` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    Idempotency,
    Ordering,
    Isolation,
}

impl Family {
    /// The word that scenario files use.
    pub fn name(self) -> &'static str {
        match self {
            Family::Idempotency => "idempotency",
            Family::Ordering => "ordering",
            Family::Isolation => "isolation",
        }
    }
}

/// Defines the measures: variant, family, word, what counts, what an exposure is.
macro_rules! anomalies {
    ($($variant:ident $family:ident $word:literal $counts:literal $exposure:literal,)*) => {
        /// What can go wrong, counted against the ground truth.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Anomaly {
            $(#[doc = $counts] $variant,)*
        }

        impl Anomaly {
            /// All of them, in the order of reports.
            pub const ALL: &[Anomaly] = &[$(Anomaly::$variant,)*];

            pub fn family(self) -> Family {
                match self { $(Anomaly::$variant => Family::$family,)* }
            }

            /// The word that scenario files use.
            pub fn name(self) -> &'static str {
                match self { $(Anomaly::$variant => $word,)* }
            }

            /// What is counted.
            pub fn counts(self) -> &'static str {
                match self { $(Anomaly::$variant => $counts,)* }
            }

            /// What had the chance to count: without any, a zero says nothing.
            pub fn exposure(self) -> &'static str {
                match self { $(Anomaly::$variant => $exposure,)* }
            }
        }
    };
}

anomalies! {
    DuplicateEffects Idempotency "duplicate_effects"
        "Commits that changed something which the same obligation had done already."
        "attempts at work of which a part was done already",
    LostEffects Idempotency "lost_effects"
        "Obligations that ended with nothing done."
        "pieces of work cut short with something left undone, or of which a copy was destroyed, or writes that a later one kept out",
    TornEffects Idempotency "torn_effects"
        "Obligations that ended half done."
        "attempts cut short with something left undone",
    MixedEffects Idempotency "mixed_effects"
        "Obligations that left effects which no single execution leaves together."
        "attempts at work of which a part was done already",
    Swallowed Idempotency "swallowed"
        "Obligations ended by a guard that took them for another one."
        "guards that work came by",
    PhantomEffects Idempotency "phantom_effects"
        "Messages acted on whose issuer's row changes never came to be."
        "publishing attempts cut or rolled back with row changes uncommitted",
    Premature Idempotency "premature"
        "Messages acted on before their issuer's row changes were committed."
        "publishes with row changes still to commit",
    Resurrected Idempotency "resurrected"
        "Effects committed after they had been undone, by a message issued before."
        "undoes that were overtaken or followed by what they undo",
    DivergentCopies Idempotency "divergent_copies"
        "Messages accepted twice with different contents."
        "publishes run more than once for one obligation",
    DuplicateMessages Idempotency "duplicate_messages"
        "Messages accepted more than once."
        "messages sent more than once",
    Parked Idempotency "parked"
        "Messages set aside in dead-letter topics, their work not done."
        "deliveries that failed",
    Stuck Idempotency "stuck"
        "Obligations still being tried at the end of the drain, of which nothing more is settled."
        "obligations",
    AcknowledgedLoss Idempotency "acknowledged_loss"
        "Clients told yes although nothing was done."
        "calls cut or failed at the callee",
    UnacknowledgedEffect Idempotency "unacknowledged_effect"
        "Clients told no although all was done."
        "calls given up or failed after a commit",
    ArrivedOutOfOrder Ordering "arrived_out_of_order"
        "First deliveries after that of a later message of their key (RFC 4737)."
        "messages of a key under way together",
    AppliedOutOfOrder Ordering "applied_out_of_order"
        "First changing commits after that of a later message of their key."
        "messages of a key under way together",
    Regressed Ordering "regressed"
        "Values set or deleted by an earlier message over those of a later one."
        "messages of a key under way together",
    IllegalTransitions Ordering "illegal_transitions"
        "Changes of a column that its lifecycle does not have."
        "changes of a column with a lifecycle",
    LostUpdates Isolation "lost_updates"
        "Values written that were computed from a row another attempt had replaced since."
        "attempts on one row that overlap",
    StalePremises Isolation "stale_premises"
        "Decisions on rows that another attempt had replaced before what followed was committed."
        "attempts on one row that overlap",
    ConflictCycles Isolation "conflict_cycles"
        "Groups of attempts that no serial order explains."
        "attempts on one row that overlap",
}

impl Anomaly {
    /// The measure that scenario files call so.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|anomaly| anomaly.name() == word)
    }

    /// Its position in [`Anomaly::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_names_one_measure() {
        for (index, &anomaly) in Anomaly::ALL.iter().enumerate() {
            assert_eq!(Anomaly::named(anomaly.name()), Some(anomaly));
            assert_eq!(anomaly.index(), index);
        }
    }
}
