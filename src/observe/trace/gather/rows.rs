//! What the kin read and wrote, and who else came by the same rows.

use super::super::helpers::Writer;
use super::super::wording::{self, Business};
use super::super::{Act, Actor, Change, Done, Entry, Role};
use super::{CHANGES_AROUND, Draft, Gather, MOST_CHANGES, MOST_READS};
use crate::kernel::time::Nanos;
use crate::model::{NONE, Pc};
use crate::world::deed::{Deed, RowName, Version, Write};

impl Gather<'_> {
    /// `v3, written by attempt 1`
    fn seen(&self, row: RowName, version: Version) -> String {
        let mut text = format!(" {}", wording::version(version));
        if let (false, Some(number)) = (version.exists, self.rows.last_own(row)) {
            text += &format!(": what attempt {number} wrote there is gone");
            text += if row.instance == NONE { "" } else { " with the memory" };
        }
        if version.exists {
            match self.rows.writer(row, version.number) {
                Some(Writer { own_attempt: Some(number), .. }) => {
                    text += &format!(", written by attempt {number}")
                }
                Some(Writer { business, .. }) => {
                    text += &format!(", written for {}", wording::business(self.model, business))
                }
                None => {}
            }
        }
        text
    }

    pub(super) fn read(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::Read { attempt, pc, row, version, words, .. } = deed else { return };
        if !self.is_own(attempt) {
            return self.read_by_another(at, deed);
        }
        self.rows.learn(self.model, row, words);
        let mut tail = self.seen(row, version);
        let columns = wording::columns(self.model, row.table, words);
        if !columns.is_empty() {
            tail += &format!(": {columns}");
        }
        self.tell(at, attempt, Act::Reads, Some(pc), ("reads ".into(), Some(row), tail));
    }

    /// What somebody else read of a row that it meets is worth telling if he changes one of them.
    fn read_by_another(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::Read { attempt, pc, row, version, words, .. } = deed else { return };
        let is_other = self.attempts.get(&attempt).is_some_and(|of| of.role.is_none());
        if !is_other || !self.kin.rows.contains(&row) || self.trace.handler.is_none() {
            return;
        }
        self.rows.learn(self.model, row, words);
        let mut tail = self.seen(row, version);
        let columns = wording::columns(self.model, row.table, words);
        if !columns.is_empty() {
            tail += &format!(": {columns}");
        }
        let place = self.model.step_places.get(pc as usize).copied();
        let Some(of) = self.attempts.get_mut(&attempt).filter(|of| of.reads.len() < MOST_READS) else {
            return;
        };
        tail += &format!(", for {}", wording::business(self.model, of.business));
        let entry = Entry {
            at,
            actor: of.actor,
            from: None,
            attempt: None,
            role: Role::Other,
            act: Act::Reads,
            place,
            row: Some(row),
            text: "reads ".into(),
        };
        of.reads.push(Draft { entry, row: Some(row), tail });
    }

    pub(super) fn wrote(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::Wrote { attempt, pc, row, seen, write, .. } = deed else { return };
        let Some(of) = self.attempts.get_mut(&attempt) else { return };
        if of.role.is_none() {
            return;
        }
        if write != Write::Nothing {
            of.staged.push((row, pc));
            return;
        }
        if of.role == Some(Role::Own) {
            let tail = format!("{}: nothing to do", self.seen(row, seen));
            self.tell(at, attempt, Act::Refrains, Some(pc), ("reads ".into(), Some(row), tail));
        }
    }

    pub(super) fn committed(&mut self, at: Nanos, deed: &Deed<'_>) {
        let &Deed::Committed { attempt, row, old, new, version, .. } = deed else { return };
        let model = self.model;
        let is_met = self.kin.rows.contains(&row);
        if attempt == NONE && new.is_none() && self.rows.last_own(row).is_some() {
            return self.expired(at, row);
        }
        let of = self.attempts.get(&attempt);
        let role = of.and_then(|of| of.role);
        if !is_met && role.is_none() {
            return;
        }
        self.rows.learn(model, row, new.or(old).unwrap_or(&[]));
        let number = of.map_or(0, |of| of.number);
        let is_own = role == Some(Role::Own);
        let business = of.map_or(Business::Nothing, |of| of.business);
        let pc =
            of.and_then(|of| of.staged.iter().rev().find(|staged| staged.0 == row)).map(|staged| staged.1);
        if new.is_some() {
            self.rows.write(row, version, Writer { business, own_attempt: is_own.then_some(number) });
        }
        let is_mark = !model.tables[row.table.index()].has_effects();
        let changes = wording::changed(model, row.table, old, new);
        let name = self.rows.name(model, row);
        let lasting: Vec<_> = changes.iter().filter(|change| !change.is_incidental).collect();
        if is_own {
            self.trace.done.extend(lasting.iter().map(|change| Done {
                what: format!("{name}{}", change.column),
                change: Some((change.from.clone(), change.to.clone())),
                is_mark,
                attempt: number,
            }));
        }
        let texts: Vec<String> = lasting
            .iter()
            .map(|change| format!("{}: {} → {}", change.column, change.from, change.to))
            .collect();
        if texts.is_empty() {
            if is_own {
                let text = "writes nothing new to ".into();
                self.tell(at, attempt, Act::Commits, pc, (text, Some(row), String::new()));
            } else if role.is_none() {
                // A new version it is all the same.
                self.written_by_another(at, attempt, ("writes nothing new to ", row, String::new()), pc);
            }
            return;
        }
        let what = texts.join(", ").trim_start_matches(": ").to_owned();
        let what = if what.starts_with('.') { what } else { format!(": {what}") };
        if is_met && !is_mark {
            let by = wording::business(model, business);
            self.change(Change { at, by, is_own, what: format!("{name}{what}") });
            if is_own || self.finals.iter().any(|(known, _)| *known == row) {
                let columns = new.map_or(Vec::new(), |new| wording::lasting(model, row.table, new));
                self.finals.retain(|(known, _)| *known != row);
                self.finals.push((row, columns));
            }
        }
        let mark = if is_mark && is_own { "  (a mark)" } else { "" };
        if role.is_some() {
            self.tell(at, attempt, Act::Commits, pc, ("writes ".into(), Some(row), what + mark));
        } else {
            self.written_by_another(at, attempt, ("writes ", row, what), pc);
        }
    }

    /// Time has taken a row that it wrote.
    fn expired(&mut self, at: Nanos, row: RowName) {
        let entry = Entry {
            at,
            actor: Actor::Time,
            from: None,
            attempt: None,
            role: Role::Other,
            act: Act::Commits,
            place: None,
            row: Some(row),
            text: "takes ".to_owned(),
        };
        self.push(entry, Some(row), " away".to_owned());
    }

    /// Somebody else wrote a row that it meets: that is told, with what he had read of these rows before.
    fn written_by_another(
        &mut self,
        at: Nanos,
        attempt: u32,
        (said, row, what): (&str, RowName, String),
        pc: Option<Pc>,
    ) {
        if self.others >= MOST_CHANGES || self.trace.handler.is_none() {
            return;
        }
        self.others += 1;
        let mut of = self.attempts.get_mut(&attempt);
        let reads = of.as_mut().map(|of| std::mem::take(&mut of.reads)).unwrap_or_default();
        let business = of.as_ref().map_or(Business::Nothing, |of| of.business);
        let actor = of.as_ref().map_or(Actor::Time, |of| of.actor);
        for read in reads {
            self.push(read.entry, read.row, read.tail);
        }
        let entry = Entry {
            at,
            actor,
            from: None,
            attempt: None,
            role: Role::Other,
            act: Act::Commits,
            place: pc.and_then(|pc| self.model.step_places.get(pc as usize).copied()),
            row: Some(row),
            text: said.to_owned(),
        };
        self.push(entry, Some(row), format!("{what}, for {}", wording::business(self.model, business)));
    }

    /// Keeps its own changes, and the nearest of others' before and after each.
    fn change(&mut self, change: Change) {
        if self.trace.changes.len() == MOST_CHANGES {
            self.trace.changes_left_out += 1;
        } else if change.is_own {
            self.trace.changes.extend(self.before.drain(..));
            self.trace.changes.push(change);
            self.still_to_follow = CHANGES_AROUND;
        } else if self.still_to_follow > 0 {
            self.still_to_follow -= 1;
            self.trace.changes.push(change);
        } else {
            if self.before.len() == CHANGES_AROUND {
                self.before.pop_front();
                self.trace.changes_left_out += 1;
            }
            self.before.push_back(change);
        }
    }
}
