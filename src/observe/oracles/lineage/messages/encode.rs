//! What a message slot says, in canonical words.

use super::{MessageState, Undecided};
use crate::kernel::encoder::Encoder;
use crate::observe::facts;
use crate::observe::oracles::lineage::ledger::EntryId;

impl MessageState {
    /// What it says, and for whom; entries are called by their obligations.
    pub fn encode(&self, encoder: &mut Encoder, obligation_of: impl Fn(EntryId) -> u64) {
        let Self { entry, cause, kind, content, part, shares, undecided } = self;
        encoder.word(obligation_of(*entry));
        encoder.word(cause.obligation);
        encoder.flag(cause.passes_on());
        encoder.word(u64::from(kind.0));
        encoder.word(*content);
        facts::part(encoder, *part);
        encoder.set(shares, |encoder, (group, share, is_carried)| {
            encoder.word(u64::from(group.0));
            // Of one that is over and forgotten nobody asks.
            encoder.option(is_carried.then(|| obligation_of(*share)));
        });
        encoder.flag(undecided.is_some());
        if let Some(Undecided { owner, issue, by }) = undecided {
            encoder.word(obligation_of(*owner));
            issue.encode(encoder);
            encoder.word(u64::from(*by));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::kernel::ids::{GroupId, MessageId, SiteId};
    use crate::observe::oracles::lineage::attempt::StagedIssue;
    use crate::world::deed::Part;
    use crate::world::identity::Cause;

    fn encode(of: &MessageState, encoder: &mut Encoder) {
        of.encode(encoder, |entry| u64::from(entry) + 100);
    }

    #[test]
    fn whatever_a_message_says_and_carries_shows() {
        let mut of = MessageState::default();
        of.shares.push((GroupId(1), 2, true));
        each_shows(
            &of,
            encode,
            &[
                |of| of.entry = 9,
                |of| of.cause = Cause::root(0, 1, 1).child(1, 2),
                |of| of.cause = Cause::root(0, 1, 1).passing_on(1, 2),
                |of| of.kind = MessageId(9),
                |of| of.content = 9,
                |of| of.part = Part::new(SiteId(1), 2),
                |of| of.shares.clear(),
                |of| of.shares[0].0 = GroupId(9),
                |of| of.shares[0].1 = 9,
                |of| of.shares[0].2 = false,
            ],
        );
    }

    #[test]
    fn whose_effect_it_is_to_be_shows() {
        let issue = StagedIssue { part: Part::new(SiteId(1), 2), is_first: true, was_owed: false };
        let undecided = Some(Undecided { owner: 1, issue, by: 3 });
        let of = MessageState { undecided, ..MessageState::default() };
        each_shows(
            &of,
            encode,
            &[
                |of| of.undecided = None,
                |of| of.undecided.iter_mut().for_each(|of| of.owner = 9),
                |of| of.undecided.iter_mut().for_each(|of| of.issue.was_owed = true),
                |of| of.undecided.iter_mut().for_each(|of| of.by = 9),
            ],
        );
    }
}
