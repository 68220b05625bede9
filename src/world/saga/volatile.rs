//! Where sagas stand in stores that may forget: what a change of that replaced is kept until the change is durable.
//!
//! A position is a row of its store, and is lost with the rows that were committed beside it and after it: the saga
//! goes on from where the store that survives says. What it did since is done again, by the timer that did it before.

use super::{Answer, Saga};
use crate::kernel::agenda::Agenda;
use crate::model::NONE;
use crate::world::condition::Beside;
use crate::world::deed::{Deed, SagaStage};
use crate::world::record::Observer;
use crate::world::{Event, Simulation};

/// A saga as it was stored once.
#[derive(Clone, Debug)]
pub struct Standing {
    stage: SagaStage,
    step: u16,
    /// What carried it on; `NONE`: it had ended.
    timer: u32,
    /// A copy of its locals.
    frame: u32,
    early: Option<Answer>,
    doubtful: u64,
    again: u64,
    has_ended: bool,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// A saga has begun.
    pub(super) fn note_beginning(&mut self, saga: u32) {
        self.keep_standing(saga, |_| None);
    }

    /// A saga is about to change.
    pub(super) fn note_standing(&mut self, saga: u32) {
        self.keep_standing(saga, |this| {
            let frame = this.copy_saga_frame(saga);
            let of = &this.world.sagas.all[saga];
            let (stage, step, timer) = (of.stage, of.step, of.timer);
            let (early, doubtful, again, has_ended) = (of.early, of.doubtful, of.again, of.has_ended);
            if timer != NONE {
                this.world.timers[timer].kept += 1;
            }
            Some(Box::new(Standing { stage, step, timer, frame, early, doubtful, again, has_ended }))
        });
    }

    fn keep_standing(&mut self, saga: u32, was: impl FnOnce(&mut Self) -> Option<Box<Standing>>) {
        let service = self.model.sagas[self.world.sagas.all[saga].of.index()].service;
        let Some(store) = self.forgetful_store(service) else { return };
        let was = was(self);
        self.world.sagas.all[saga].unsettled += 1;
        self.keep_beside(store, Beside::Saga { saga, was });
        self.commit_beside(store);
    }

    /// A change of a saga is durable: nobody asks any more for how it stood.
    pub(in crate::world) fn standing_is_durable(&mut self, saga: u32, was: Option<Box<Standing>>) {
        if let Some(was) = was {
            let layout = self.model.sagas[self.world.sagas.all[saga].of.index()].layout;
            self.free_frame(was.frame, layout.0);
            self.is_kept_no_more(was.timer);
        }
        self.change_is_settled(saga);
    }

    /// A change of a saga never was.
    pub(in crate::world) fn forget_standing(&mut self, saga: u32, was: Option<Box<Standing>>) {
        let model = self.model;
        let of = &mut self.world.sagas.all[saga];
        let (id, key, since) = (of.of, of.key, of.timer);
        let Some(was) = was else {
            (of.stage, of.timer, of.has_ended) = (SagaStage::Ended, NONE, true);
            (of.doubtful, of.again) = (0, 0);
            self.world.sagas.known.remove(&(id, key));
            self.tell(&Deed::SagaEnded { saga, of: id, key, completed: false });
            self.stop_timer(since);
            return self.change_is_settled(saga);
        };
        let Standing { stage, step, timer, frame, early, doubtful, again, has_ended } = *was;
        let kept = std::mem::replace(&mut of.frame, frame);
        (of.stage, of.step, of.timer, of.early) = (stage, step, timer, early);
        (of.doubtful, of.again, of.has_ended) = (doubtful, again, has_ended);
        self.free_frame(kept, model.sagas[id.index()].layout.0);
        // What a late answer had changed of one that had ended leaves it ended.
        if !has_ended {
            self.tell(&Deed::SagaReturned { saga, of: id, key });
        }
        if since != timer {
            self.stop_timer(since);
        }
        self.is_kept_no_more(timer);
        self.resume_timer(timer);
        self.change_is_settled(saga);
    }

    fn change_is_settled(&mut self, saga: u32) {
        let of = &mut self.world.sagas.all[saga];
        of.unsettled -= 1;
        if of.unsettled == 0 && of.stage == SagaStage::Ended && of.timer == NONE {
            self.let_ended_go(saga);
        }
    }

    /// What a saga that has ended keeps is needed no more, unless a late answer may still need it.
    pub(super) fn let_ended_go(&mut self, saga: u32) {
        let of = &self.world.sagas.all[saga];
        let steps = &self.model.sagas[of.of.index()].steps;
        let may_undo = |(number, step): (usize, &crate::model::SagaStep)| {
            let undoes = step.awaits.is_some_and(|awaits| awaits.late == crate::model::Late::Undo);
            of.doubtful >> number & 1 == 1 && undoes
        };
        // A store that forgets how it ended needs it as well.
        if of.unsettled == 0 && !steps.iter().enumerate().any(may_undo) {
            self.let_saga_go(saga);
        }
    }

    fn let_saga_go(&mut self, saga: u32) {
        let of = &mut self.world.sagas.all[saga];
        let layout = self.model.sagas[of.of.index()].layout;
        let Saga { frame, message, .. } = of;
        let (frame, message) = (std::mem::replace(frame, NONE), std::mem::replace(message, NONE));
        self.free_frame(frame, layout.0);
        if message != NONE {
            self.release_message(message);
        }
    }

    /// What a step has named is stored with its end.
    pub(super) fn keep_locals(&mut self, attempt: u32, saga: u32) {
        let layout = self.model.sagas[self.world.sagas.all[saga].of.index()].layout;
        let kept = self.copy_frame(attempt, layout.0);
        let old = std::mem::replace(&mut self.world.sagas.all[saga].frame, kept);
        self.free_frame(old, layout.0);
    }

    pub(super) fn copy_saga_frame(&mut self, saga: u32) -> u32 {
        let of = &self.world.sagas.all[saga];
        if of.frame == NONE {
            return NONE;
        }
        let layout = &self.model.handlers[self.model.sagas[of.of.index()].layout.index()];
        let copy = self.world.words.copy(of.frame, layout.words, layout.words);
        for &list in &layout.lists {
            let own = self.world.words.get(copy, list);
            let own = self.world.lists.duplicate(own);
            self.world.words.set(copy, list, own);
        }
        copy
    }
}
