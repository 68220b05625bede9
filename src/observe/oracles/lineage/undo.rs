//! Undoing: what a step that `undoes` another takes back, and what comes back after it.
//!
//! An undo belongs to the effect of the same intent on the same row. One that comes first takes nothing
//! back, and what it should have undone is committed after it: it is resurrected, as is an old copy that
//! arrives late. What was issued after the undo is a new beginning, and no resurrection.

use super::Lineage;
use super::duplicates::row_text;
use super::ledger::EntryId;
use crate::kernel::anomaly::Anomaly;
use crate::kernel::encoder::{Encoder, Ranks};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::observe::facts;
use crate::world::deed::{Part, RowName};
use rustc_hash::FxHashMap;

/// What is known of an undoable effect of one intent on one row.
#[derive(Clone, Debug, Default)]
struct Undoable {
    /// When the last of the messages was issued whose attempts undid it.
    undone: Option<Nanos>,
    /// Which entry and part it was, while it is there.
    done: Option<(EntryId, u64, Part)>,
}

/// All effects that some step undoes, of intents under way.
#[derive(Clone, Debug, Default)]
pub struct Undoables {
    /// Sites that some step undoes.
    sites: Vec<bool>,
    /// By intent, then by site and row.
    by_root: FxHashMap<u64, FxHashMap<(SiteId, RowName), Undoable>>,
}

impl Undoables {
    pub fn new(undoes: &[Vec<SiteId>]) -> Self {
        let mut sites = vec![false; undoes.len()];
        undoes.iter().flatten().for_each(|site| sites[site.index()] = true);
        Self { sites, by_root: FxHashMap::default() }
    }

    /// Nothing of an intent is under way any more.
    pub fn forget(&mut self, root: u64) {
        if !self.by_root.is_empty() {
            self.by_root.remove(&root);
        }
    }
}

impl Undoables {
    /// When what undid was issued.
    pub fn instants(&self) -> impl Iterator<Item = Nanos> {
        self.by_root.values().flat_map(|of| of.values()).filter_map(|of| of.undone)
    }

    pub fn encode(&self, encoder: &mut Encoder, ranks: &Ranks) {
        let Self { sites: _, by_root } = self;
        encoder.set(by_root, |encoder, (root, of)| {
            encoder.word(*root);
            encoder.set(of, |encoder, ((site, row), Undoable { undone, done })| {
                encoder.word(u64::from(site.0));
                facts::row(encoder, *row);
                encoder.option(undone.map(|at| ranks.rank(at)));
                encoder.option(done.map(|(_, obligation, _)| obligation));
                done.iter().for_each(|(.., part)| facts::part(encoder, *part));
            });
        });
    }
}

impl Lineage<'_> {
    /// An effect was committed: is it one that was undone?
    ///
    /// It is of the intent that `own` serves, and owed to `entry`.
    pub(super) fn note_done(
        &mut self,
        now: Nanos,
        (own, entry): (EntryId, EntryId),
        part: Part,
        row: RowName,
    ) {
        if !self.undoables.sites[part.site.index()] {
            return;
        }
        let of = &self.ledger[if part.is_of_value { own } else { entry }];
        let (root, issued_at) = (of.root, of.issued_at);
        let obligation = self.ledger[entry].obligation;
        let undoable = self.undoables.by_root.entry(root).or_default().entry((part.site, row)).or_default();
        undoable.done = Some((entry, obligation, part));
        if undoable.undone.is_some_and(|undone| issued_at <= undone) {
            self.expose(Anomaly::Resurrected);
            self.sight_at(Anomaly::Resurrected, now, (obligation, Some(row)), |model| {
                format!("{} is back though it was undone", row_text(model, row, None))
            });
        }
    }

    /// A step that undoes others ran, whether it found anything to undo or not.
    pub(super) fn note_undone(&mut self, entry: EntryId, site: SiteId, row: RowName) {
        let model = self.model;
        self.note_undo_run(entry);
        for &undone in &model.undoes[site.index()] {
            self.expose(Anomaly::Resurrected);
            let of = &self.ledger[entry];
            let (root, issued_at) = (of.root, of.issued_at);
            let undoable = self.undoables.by_root.entry(root).or_default().entry((undone, row)).or_default();
            // The last one that was issued, not the last one to come.
            undoable.undone = undoable.undone.max(Some(issued_at));
            let Some((done, obligation, part)) = undoable.done.take() else { continue };
            if self.ledger.is(done, obligation) {
                let effects = &mut self.ledger[done].effects;
                if let Some(effect) = effects.iter_mut().find(|effect| effect.part == part) {
                    effect.net -= 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;

    #[test]
    fn what_was_done_and_undone_of_whom_shows() {
        fn encode(of: &Undoables, encoder: &mut Encoder) {
            of.encode(encoder, &Ranks::of([1, 2, 3]));
        }
        const ROW: RowName = RowName { table: TableId(1), key: 2, instance: 3 };
        const PLACE: (SiteId, RowName) = (SiteId(4), ROW);
        fn only(of: &mut Undoables) -> &mut Undoable {
            of.by_root.entry(7).or_default().entry(PLACE).or_default()
        }
        let mut of = Undoables::new(&[vec![SiteId(0)]]);
        *only(&mut of) = Undoable { undone: Some(1), done: Some((5, 6, Part::new(SiteId(8), 9))) };
        each_shows(
            &of,
            encode,
            &[
                |of| of.by_root.clear(),
                |of| drop(of.by_root.insert(8, of.by_root[&7].clone())),
                |of| _ = of.by_root.entry(7).or_default().insert((SiteId(5), ROW), Undoable::default()),
                |of| {
                    let row = RowName { key: 3, ..ROW };
                    of.by_root.entry(7).or_default().insert((SiteId(4), row), Undoable::default());
                },
                |of| only(of).undone = None,
                |of| only(of).undone = Some(2),
                |of| only(of).done = None,
                |of| only(of).done = Some((5, 7, Part::new(SiteId(8), 9))),
                |of| only(of).done = Some((5, 6, Part::new(SiteId(9), 9))),
            ],
        );
    }
}
