//! What the outside need not remember: idempotency keys that nobody can ask with again.
//!
//! The outside recognises every key that it has carried out, however old. A key that was made once (by
//! `unique()`, or as a message's id) can come back only from where it is held: a row, a message, an attempt, a
//! timer. When it is held nowhere it is gone for good, and whether the outside still knows it makes no difference to
//! anything. So that a run of any length takes the memory of what is under way, such keys are looked for now and
//! then: all words of the world are walked over, and keys that are none of them are dropped. Walks are as
//! rare as it takes for them to cost next to nothing.
//!
//! ```text
//! effect charge_card, key message.order        orders, ttl 10m
//!   order 7 charged ── its row expires ── its last message is freed ── 7 is held nowhere: forgotten
//!   order 8 charged ── its message waits among the dead letters: remembered, for it may be redriven
//! ```

use super::World;
use crate::kernel::ids::EffectId;
use crate::model::{Model, Word};
use rustc_hash::FxHashSet;

/// So many keys are no matter.
const FEW: usize = 1 << 12;
/// So many words are walked over for each key that came since the last walk, at most.
const WORDS_PER_KEY: usize = 8;

impl World {
    /// Drops the keys that nobody can ask with again, if there are many and it is time to look.
    #[inline]
    pub(super) fn forget_keys(&mut self, model: &Model) {
        if self.effects.known() >= self.effects.crowded.max(FEW) {
            self.walk_and_forget(model);
        }
    }

    #[cold]
    fn walk_and_forget(&mut self, model: &Model) {
        let mortal: Vec<EffectId> = (0..model.mortal_keys.len())
            .filter(|effect| model.mortal_keys[*effect])
            .map(EffectId::new)
            .collect();
        if mortal.is_empty() {
            self.effects.crowded = usize::MAX;
            return;
        }
        let done = std::mem::take(&mut self.effects.done);
        let mut held: FxHashSet<(EffectId, Word)> =
            done.iter().copied().filter(|(effect, _)| !model.mortal_keys[effect.index()]).collect();
        let mut walked = 0;
        // What was never given a value is 0.
        for word in self.words_held().chain([0]) {
            walked += 1;
            for &effect in mortal.iter().filter(|effect| done.contains(&(**effect, word))) {
                held.insert((effect, word));
            }
        }
        self.effects.crowded = (held.len() + walked / WORDS_PER_KEY).max(2 * held.len());
        self.effects.done = held;
    }

    /// Every word that a value can be read from, and some that are left over.
    fn words_held(&self) -> impl Iterator<Item = Word> {
        let stored = self.stores.iter().flat_map(|of| of.store.words());
        let remembered = self.memories.iter().flat_map(|memory| memory.words());
        let messages =
            self.messages.all().flat_map(|(_, message)| [message.id, message.key.unwrap_or_default()]);
        let values = self.words.all().iter().copied().chain(self.lists.all());
        stored.chain(remembered).chain(messages).chain(values).chain(self.effects.asked())
    }

    /// How many idempotency keys the outside remembers.
    pub fn keys_known_outside(&self) -> usize {
        self.effects.known()
    }
}
