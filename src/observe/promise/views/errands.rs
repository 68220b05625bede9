//! What is still under way for whom: attempts, messages and timers, by the intent or tick that they all come
//! from.
//!
//! A view can show a value by chance: it has not followed A → B → A because it still shows the first A. Who wants
//! to know whether such a change has come to the view asks for its *errand*, the intent or tick that made it,
//! until nothing carries that any more. Nobody is counted whom nobody asks about.

use crate::kernel::encoder::Encoder;
use crate::model::NONE;
use crate::world::deed::{Deed, Served};
use crate::world::record::SlotNumber;
use rustc_hash::FxHashMap;

/// Of those who belong to none.
pub const NO_ERRAND: u64 = 0;

#[derive(Clone, Debug, Default)]
pub struct Errands {
    /// By slot; [`NO_ERRAND`] where nobody is.
    attempts: Vec<u64>,
    messages: Vec<u64>,
    timers: Vec<u64>,
    /// How many carry each errand that is asked for.
    asked: FxHashMap<u64, u32>,
}

impl Errands {
    /// Takes in a deed. Gives an errand that was asked for and that nobody carries any more.
    pub fn deed(&mut self, deed: &Deed<'_>) -> Option<u64> {
        match *deed {
            Deed::AttemptBegun { attempt, cause, served, message, .. } => {
                let errand = match served {
                    Served::Intent { .. } | Served::Tick { .. } => cause.obligation,
                    Served::Timer { timer } => at(&self.timers, timer),
                    _ if message == NONE => cause.obligation,
                    _ => at(&self.messages, message),
                };
                self.carried(errand);
                put(&mut self.attempts, attempt, errand);
                None
            }
            Deed::Issued { attempt, message, .. } => {
                let errand = at(&self.attempts, attempt);
                self.carried(errand);
                put(&mut self.messages, message, errand);
                None
            }
            Deed::TimerSet { attempt, timer, .. } => {
                let errand = at(&self.attempts, attempt);
                self.carried(errand);
                put(&mut self.timers, timer, errand);
                None
            }
            Deed::SagaMoved { attempt, timer, before, .. } => {
                let errand =
                    if attempt == NONE { at(&self.timers, before) } else { at(&self.attempts, attempt) };
                self.carried(errand);
                put(&mut self.timers, timer, errand);
                None
            }
            Deed::AttemptEnded { attempt, .. } => {
                let errand = take(&mut self.attempts, attempt);
                self.let_go(errand)
            }
            Deed::Freed { message } => {
                let errand = take(&mut self.messages, message);
                self.let_go(errand)
            }
            Deed::TimerGone { timer } => {
                let errand = take(&mut self.timers, timer);
                self.let_go(errand)
            }
            _ => None,
        }
    }

    /// Which errand an attempt is on.
    pub fn of_attempt(&self, attempt: SlotNumber) -> u64 {
        at(&self.attempts, attempt)
    }

    /// Asks to be told when nobody carries an errand any more. False if nobody does now.
    pub fn ask(&mut self, errand: u64) -> bool {
        if errand == NO_ERRAND || self.asked.contains_key(&errand) {
            return errand != NO_ERRAND;
        }
        let carriers = self.attempts.iter().chain(&self.messages).chain(&self.timers);
        let count = carriers.filter(|carried| **carried == errand).count() as u32;
        if count > 0 {
            self.asked.insert(errand, count);
        }
        count > 0
    }

    /// Who is on which errand. How many carry one follows from that.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self { attempts, messages, timers, asked } = self;
        encoder.set(carriers(attempts), |encoder, (slot, errand)| {
            encoder.attempt(slot);
            encoder.word(errand);
        });
        encoder.set(carriers(messages), |encoder, (slot, errand)| {
            encoder.message(slot);
            encoder.word(errand);
        });
        encoder.set(carriers(timers), |encoder, (slot, errand)| {
            encoder.timer(slot);
            encoder.word(errand);
        });
        encoder.set(asked.keys(), |encoder, errand| encoder.word(*errand));
    }

    fn carried(&mut self, errand: u64) {
        if !self.asked.is_empty()
            && let Some(carriers) = self.asked.get_mut(&errand)
        {
            *carriers += 1;
        }
    }

    fn let_go(&mut self, errand: u64) -> Option<u64> {
        if self.asked.is_empty() {
            return None;
        }
        let carriers = self.asked.get_mut(&errand)?;
        *carriers -= 1;
        if *carriers > 0 {
            return None;
        }
        self.asked.remove(&errand);
        Some(errand)
    }
}

/// The slots in which somebody is on an errand.
fn carriers(errands: &[u64]) -> impl Iterator<Item = (SlotNumber, u64)> {
    let slots = errands.iter().enumerate().filter(|(_, errand)| **errand != NO_ERRAND);
    slots.map(|(slot, errand)| (slot as SlotNumber, *errand))
}

fn at(errands: &[u64], slot: SlotNumber) -> u64 {
    errands.get(slot as usize).copied().unwrap_or(NO_ERRAND)
}

fn put(errands: &mut Vec<u64>, slot: SlotNumber, errand: u64) {
    let slot = slot as usize;
    if errands.len() <= slot {
        errands.resize(slot + 1, NO_ERRAND);
    }
    errands[slot] = errand;
}

fn take(errands: &mut [u64], slot: SlotNumber) -> u64 {
    errands.get_mut(slot as usize).map_or(NO_ERRAND, |errand| std::mem::replace(errand, NO_ERRAND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::{Names, each_shows};
    use crate::kernel::ids::SagaId;
    use crate::world::deed::SagaStage;
    use crate::world::identity::Cause;
    use crate::world::record::Outcome;

    fn timer_set(errands: &mut Errands, attempt: u32, before: u32, timer: u32) -> Option<u64> {
        errands.deed(&Deed::SagaMoved {
            attempt,
            timer,
            before,
            saga: 0,
            of: SagaId(0),
            key: 0,
            stage: SagaStage::Doing,
            step: 0,
            cause: Cause::NOBODY,
            part: None,
        })
    }

    #[test]
    fn who_asks_is_told_when_nobody_carries_it_any_more() {
        let mut errands = Errands::default();
        assert!(!errands.ask(NO_ERRAND) && !errands.ask(7), "nobody carries it");
        put(&mut errands.attempts, 0, 7);
        assert!(errands.ask(7) && errands.ask(7));
        assert_eq!(timer_set(&mut errands, 0, NONE, 1), None);
        let ended = Deed::AttemptEnded { attempt: 0, outcome: Outcome::Well };
        assert_eq!(errands.deed(&ended), None, "the saga's timer does");
        assert_eq!(timer_set(&mut errands, NONE, 1, 2), None);
        assert_eq!(errands.deed(&Deed::TimerGone { timer: 1 }), None, "the next one does");
        assert_eq!(errands.deed(&Deed::TimerGone { timer: 2 }), Some(7));
        assert!(!errands.ask(7));
    }

    #[test]
    fn who_is_on_which_errand_shows() {
        each_shows(
            &Errands::default(),
            |of, encoder| {
                let names = Names { attempts: vec![11, 12], messages: vec![21, 22], timers: vec![31, 32] };
                let mut named = Encoder::with_names(names);
                of.encode(&mut named);
                named.into_words().into_iter().for_each(|word| encoder.word(word));
            },
            &[
                |of| put(&mut of.attempts, 0, 7),
                |of| put(&mut of.attempts, 1, 7),
                |of| put(&mut of.attempts, 0, 8),
                |of| put(&mut of.messages, 0, 7),
                |of| put(&mut of.messages, 1, 7),
                |of| put(&mut of.messages, 0, 8),
                |of| put(&mut of.timers, 0, 7),
                |of| put(&mut of.timers, 1, 7),
                |of| put(&mut of.timers, 0, 8),
                |of| _ = of.asked.insert(7, 1),
                |of| _ = of.asked.insert(8, 1),
            ],
        );
    }
}
