//! The parts that the ground truth rests on, each taken away alone: a planted bug or a history has to
//! come out otherwise.

use crate::sites::Change;

pub struct KeyPart {
    pub name: &'static str,
    pub file: &'static str,
    /// Occurs once in the file.
    pub original: &'static str,
    /// `None`: the statements are gone.
    pub other: Option<&'static str>,
}

impl KeyPart {
    pub fn change(&self) -> Change<'static> {
        self.other.map_or(Change::Gone, Change::To)
    }
}

pub const KEY_PARTS: &[KeyPart] = &[
    KeyPart {
        name: "subscription: what a message asks of a group is the message's own obligation",
        file: "src/world/identity.rs",
        original: "self.child_at(place)",
        other: Some("self"),
    },
    KeyPart {
        name: "item: what a loop does for one item is what it does for the next",
        file: "src/world/tell.rs",
        original: "Part::new(site, self.world.attempts[attempt].item)",
        other: Some("Part::new(site, 0)"),
    },
    KeyPart {
        name: "item: a step on many rows is one part",
        file: "src/world/tell.rs",
        original: "mix(part.item, self.row_in_hand(attempt, of.table).key) | 1",
        other: Some("part.item"),
    },
    KeyPart {
        name: "item: what a loop issues for one item is what it issues for the next",
        file: "src/world/identity.rs",
        original: "self.child_at(mix(key, item))",
        other: Some("self.child_at(mix(key, 0))"),
    },
    KeyPart {
        name: "ancestors: what was issued is forgotten though its issuer may issue it again",
        file: "src/observe/oracles/lineage/ledger.rs",
        original: "match last {
            NONE => self.entries[parent as usize].first_child = id,
            last => self.entries[last as usize].next_sibling = id,
        }
        self.entries[id as usize].holders = 1;",
        other: None,
    },
    KeyPart {
        name: "dry run: a cut leaves no debt",
        file: "src/world/debt.rs",
        original: "self.remainder_of(attempt, &mut remainder);",
        other: None,
    },
    KeyPart {
        name: "dry run: a remainder never decides on what its obligation wrote",
        file: "src/world/debt.rs",
        original: "remainder.resumes |= writer == Some(own) && decides(of);",
        other: None,
    },
    KeyPart {
        name: "resuming: an attempt never knows what an earlier one wrote",
        file: "src/observe/oracles/lineage/attempt.rs",
        original: "version.exists && version.writer == self.obligation",
        other: Some("false"),
    },
    KeyPart {
        name: "others' data: a decision on it closes no way",
        file: "src/observe/oracles/lineage/decisions.rs",
        original: "state.excluded.extend(closed);",
        other: None,
    },
    KeyPart {
        name: "what matters: marks and time stamps are effects",
        file: "src/observe/oracles/lineage/duplicates.rs",
        original: "!table.is_effect(old, new)",
        other: Some("false"),
    },
    KeyPart {
        name: "told: nobody knows what a client was told",
        file: "src/observe/oracles/lineage/messages.rs",
        original: "of.told = Some(outcome);",
        other: None,
    },
    KeyPart {
        name: "carriers: a copy that a message carries is nobody's",
        file: "src/observe/oracles/lineage/messages.rs",
        original: "self.ledger.hold(share);",
        other: None,
    },
    KeyPart {
        name: "value: what ought to happen once for a value is each one's own",
        file: "src/world/tell.rs",
        original: "Part { item: mix(mix(ONCE, value), part.item), is_of_value: true, ..part }",
        other: Some("part"),
    },
    KeyPart {
        name: "passed on: who is handed an obligation has one of his own",
        file: "src/world/identity.rs",
        original: "Self { obligation, forwarded: 0, ..child }",
        other: Some("Self { forwarded: 0, obligation: obligation ^ 1, ..child }"),
    },
    KeyPart {
        name: "epoch: what a rebuild has cleared counts as there",
        file: "src/observe/oracles/lineage/messages.rs",
        original: "of.effects.retain(|effect| !writes(&effect.part));",
        other: None,
    },
    KeyPart {
        name: "undo: what was undone counts as there",
        file: "src/observe/oracles/lineage/undo.rs",
        original: "effect.net -= 1;",
        other: None,
    },
    KeyPart {
        name: "forgotten: what a store's crash forgot counts as there",
        file: "src/observe/oracles/lineage/durability.rs",
        original: "effect.net -= 1;",
        other: None,
    },
];
