//! One key of a view: what it shows, what it should, and which changes it has not followed.

use crate::kernel::encoder::Encoder;
use crate::kernel::time::Nanos;
use crate::model::Word;
use std::collections::VecDeque;

/// Values by hash: that of an absent row and that of a row, where either will do.
pub type Signatures = [Option<u64>; 2];

/// The most changes that are kept apart; of a key with more behind, the oldest are taken together.
const MOST_CHANGES: usize = 4096;

/// Something else was to be shown, and is not yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    pub number: u64,
    pub at: Nanos,
    /// How many are taken together.
    pub changes: u64,
    pub signatures: Signatures,
    pub is_late: bool,
    pub obligation: u64,
    /// The intent or tick that made it.
    pub errand: u64,
    /// It was shown before it came, and whether it has come to the view is not known yet.
    pub is_chance: bool,
}

#[derive(Clone, Debug)]
pub struct Key {
    pub words: Box<[Word]>,
    pub expected: Signatures,
    /// What the view shows, and the hash of it.
    pub shows: Option<Box<[Word]>>,
    pub shown: u64,
    pub wrong_since: Option<Nanos>,
    pub right_since: Nanos,
    pub last_change: Nanos,
    pub has_changed: bool,
    /// The errand of the attempt that wrote the view's row last, or looked and left it as it was.
    pub served_by: u64,
    missing: VecDeque<Change>,
}

impl Key {
    /// A key that neither side has; `nothing` is what should then be shown.
    pub fn new(words: &[Word], nothing: Signatures) -> Self {
        Self {
            words: words.into(),
            expected: nothing,
            shows: None,
            shown: super::group::ABSENT,
            wrong_since: None,
            right_since: 0,
            last_change: 0,
            has_changed: false,
            served_by: super::errands::NO_ERRAND,
            missing: VecDeque::new(),
        }
    }

    /// What is shown and should be, and what has not been followed, the oldest first.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self {
            // Which key it is says the view, and what it shows the hash of that.
            words: _,
            shows: _,
            expected,
            shown,
            wrong_since,
            right_since: _,
            last_change: _,
            has_changed,
            served_by,
            missing,
        } = self;
        encoder.word(*shown);
        expected.iter().for_each(|signature| encoder.option(*signature));
        encoder.flags(&[wrong_since.is_some(), *has_changed]);
        encoder.word(*served_by);
        encoder.list(missing, |encoder, change| {
            // When it was made and how many it stands for is measured.
            let Change {
                number: _,
                at: _,
                changes: _,
                signatures,
                is_late,
                obligation: _,
                errand,
                is_chance,
            } = change;
            signatures.iter().for_each(|signature| encoder.option(*signature));
            encoder.flag(*is_late);
            // Whose it is counts only until it is known to have come.
            encoder.option(is_chance.then_some(*errand));
        });
    }

    /// Adds the newest change.
    pub fn add(&mut self, change: Change) {
        self.missing.push_back(change);
        if self.missing.len() > MOST_CHANGES
            && let Some(oldest) = self.missing.pop_front()
            && let Some(next) = self.missing.front_mut()
        {
            // A late one is counted already, so that only its lag is lost.
            if !oldest.is_late {
                next.changes += oldest.changes;
            }
        }
    }

    /// Takes the oldest change that is not followed, if it is no newer than this.
    pub fn take_up_to(&mut self, number: u64) -> Option<Change> {
        if self.missing.front()?.number > number {
            return None;
        }
        self.missing.pop_front()
    }

    /// A change that is not followed.
    pub fn find(&mut self, number: u64) -> Option<&mut Change> {
        let at = self.missing.binary_search_by_key(&number, |change| change.number).ok()?;
        self.missing.get_mut(at)
    }

    /// The changes of an errand that may be shown by chance, and those like them before, which are shown by
    /// chance no more.
    pub fn confirm(&mut self, errand: u64) -> Vec<Change> {
        let of_errand = |change: &Change| change.is_chance && change.errand == errand;
        let Some(last) = self.missing.iter().rposition(of_errand) else { return Vec::new() };
        let mut confirmed = Vec::new();
        for change in self.missing.range_mut(..=last).filter(|change| change.is_chance) {
            change.is_chance = false;
            confirmed.push(*change);
        }
        confirmed
    }

    /// All that are not followed, the oldest first.
    pub fn missing(&self) -> impl Iterator<Item = &Change> {
        self.missing.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;

    #[test]
    fn what_a_key_shows_and_has_not_followed_shows() {
        let change = Change {
            number: 1,
            at: 2,
            changes: 1,
            signatures: [Some(3), None],
            is_late: false,
            obligation: 4,
            errand: 5,
            is_chance: true,
        };
        let mut of = Key::new(&[1], [Some(0), None]);
        of.add(change);
        each_shows(
            &of,
            |of, encoder| of.encode(encoder),
            &[
                |of| of.shown = 9,
                |of| of.expected[0] = Some(9),
                |of| of.expected[0] = None,
                |of| of.expected[1] = Some(9),
                |of| of.wrong_since = Some(0),
                |of| of.has_changed = true,
                |of| of.served_by = 9,
                |of| of.missing.clear(),
                |of| of.missing[0].signatures[0] = Some(9),
                |of| of.missing[0].signatures[1] = Some(9),
                |of| of.missing[0].is_late = true,
                |of| of.missing[0].errand = 9,
                |of| of.missing[0].is_chance = false,
            ],
        );
    }
}
