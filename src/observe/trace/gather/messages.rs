//! What is sent and taken in, what clients are told, and what disturbs all of it.

use super::super::wording::{self, Business};
use super::super::{Act, Actor, Done, Entry, Firing, Role};
use super::{Gather, MOST_FIRINGS, Message};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::world::deed::{Acceptance, Deed, Way};
use crate::world::record::{Outcome, Settlement};

impl Gather<'_> {
    pub(super) fn issued(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::Issued { attempt, message, kind, way, topic, pc, payload, .. } = deed else { return };
        let model = self.model;
        let key = model.messages[kind.index()].key.and_then(|key| payload.get(key as usize).copied());
        let business = Business::Message(kind, key);
        let issuer = self.attempts.get(&attempt).map_or(Actor::Time, |of| of.actor);
        let of_kin = self.descent.of_message(message).and_then(|line| self.role_of(line));
        let role = of_kin.or(self.attempts.get(&attempt).and_then(|of| of.role));
        self.messages.insert(message, Message { business, role, issuer });
        let name = wording::business(model, business);
        if of_kin == Some(Role::Own) && self.trace.subject.is_empty() {
            self.trace.subject.clone_from(&name);
        }
        let to = topic.map_or(String::new(), |topic| format!(" on {}", model.topics[topic.index()].name));
        let text = match way {
            Way::Direct => format!("publishes {name}{to}"),
            Way::Outbox => format!("writes {name}{to} into the outbox"),
            Way::WithAck => format!("publishes {name}{to}, to be seen with its acknowledgement"),
            Way::Captured => format!("leaves {name}{to} to the change log"),
            Way::Call => format!("calls for {name}"),
            Way::Send => format!("sends {name}"),
        };
        if let Some(of) = self.attempts.get_mut(&attempt).filter(|of| of.role == Some(Role::Own)) {
            let what = format!("{name}{to}");
            let done = Done { what, change: None, is_mark: false, attempt: of.number };
            match way {
                Way::Outbox => of.staged_messages.push(done),
                Way::Direct | Way::WithAck | Way::Send => self.trace.done.push(done),
                Way::Captured | Way::Call => {}
            }
        }
        self.tell(at, attempt, Act::Issues, Some(pc), (text, None, String::new()));
    }

    pub(super) fn accepted(&mut self, at: Nanos, message: u32, topic: TopicId, how: Acceptance) {
        let Some(of) = self.messages.get(&message) else { return };
        let Some(role) = of.role else { return };
        let name = wording::business(self.model, of.business);
        let text = match how {
            Acceptance::Taken => format!("takes in {name}"),
            Acceptance::Recognised => format!("recognises {name}, which it has already"),
            Acceptance::Transferred => format!("{name} is set aside here"),
        };
        let (actor, from) = (Actor::Topic(topic), Some(of.issuer));
        let act = Act::Accepts;
        self.push(
            Entry { at, actor, from, attempt: None, role, act, place: None, row: None, text },
            None,
            String::new(),
        );
    }

    pub(super) fn settled(&mut self, at: Nanos, group: GroupId, message: u32, how: Settlement) {
        let Some(of) = self.messages.get(&message) else { return };
        let Some(role @ (Role::Own | Role::Ancestor)) = of.role else { return };
        let group = &self.model.groups[group.index()];
        let end = match how {
            Settlement::Acknowledged => "is acknowledged",
            Settlement::DeadLettered => "is set aside: too many tries",
            Settlement::Dropped => "is dropped: too many tries",
            Settlement::Skipped => "is passed by retention",
            Settlement::Parked => "is parked: too many tries",
            Settlement::Stayed => "stays and is not handed out any more: too many tries",
            Settlement::Expired => "is given up: its time is over",
            Settlement::Superseded => "is left out: a newer message of its key is there",
            Settlement::Destroyed => "is gone with its broker",
        };
        let text = format!("{} {end} by {}", wording::business(self.model, of.business), group.name);
        let (actor, act) = (Actor::Topic(group.topic), Act::Settles);
        self.push(
            Entry { at, actor, from: None, attempt: None, role, act, place: None, row: None, text },
            None,
            String::new(),
        );
    }

    pub(super) fn told(&mut self, at: Nanos, attempt: u32, obligation: u64, outcome: Outcome) {
        let concerns = obligation == self.kin.focus
            || self.kin.own.contains(&obligation)
            || self.kin.is_ancestor(obligation);
        let Some(of) = self.attempts.get(&attempt).filter(|of| concerns && of.role.is_some()) else { return };
        if of.from_client {
            self.trace.told = Some((at, outcome));
        }
        let entry = Entry {
            at,
            actor: of.actor,
            from: self.servers.get(&obligation).copied(),
            attempt: Some(of.number),
            role: of.role.unwrap_or(Role::Ancestor),
            act: Act::Told,
            place: None,
            row: None,
            text: format!("is told: {}", wording::outcome(self.model, outcome)),
        };
        self.push(entry, None, String::new());
    }

    pub(super) fn fault_began(&mut self, at: Nanos, fault: FaultId, touched: u32) {
        let of = &self.model.faults[fault.index()];
        let number = self.fired[fault.index()];
        self.fired[fault.index()] += 1;
        if self.trace.firings.len() == MOST_FIRINGS {
            return;
        }
        self.trace.firings.push(Firing { fault, number, at, touched, cut: false });
        // Before anything has happened that concerns the obligation, the list of firings says enough.
        if !self.drafts.is_empty() {
            let (actor, role, act) = (Actor::Fault(fault, number), Role::Fault, Act::Fault);
            let text = of.what.clone();
            self.push(
                Entry { at, actor, from: None, attempt: None, role, act, place: None, row: None, text },
                None,
                String::new(),
            );
        }
    }

    pub(super) fn effected(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::Effected { attempt, effect, first, .. } = deed else { return };
        let name = &self.model.names.effects[effect.index()];
        let own = self.attempts.get(&attempt).filter(|of| of.role == Some(Role::Own)).map(|of| of.number);
        if let (Some(attempt), true) = (own, first) {
            let what = effect_name(self.model, effect);
            self.trace.done.push(Done { what, change: None, is_mark: false, attempt });
        }
        let text = match first {
            true => format!("does {name} on the outside"),
            false => format!("asks for {name}, which the outside recognises by its key"),
        };
        self.tell(at, attempt, Act::Effect, None, (text, None, String::new()));
    }
}

/// What an act on the outside is called among what was done.
pub(super) fn effect_name(model: &Model, effect: EffectId) -> String {
    format!("effect {}", model.names.effects[effect.index()])
}
