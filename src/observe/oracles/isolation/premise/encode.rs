//! What an attempt goes by, in canonical words.

use super::{Attempt, Decision, Local, Looked, Pending, Place, Premise, Seen, Touched};
use crate::kernel::encoder::Encoder;
use crate::observe::facts;

impl Attempt {
    /// What it goes by, has touched and has not committed.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self {
            // By its order among all: see the graph.
            number: _,
            obligation,
            touched,
            looked,
            pending,
            through,
            changed,
            suspects,
            reading,
            locals,
            items,
            decisions,
            unjudged,
            has_own,
            has_open,
        } = self;
        encoder.word(*obligation);
        encoder.flags(&[*changed, *suspects, *has_own, *has_open]);
        encoder.list(reading, |encoder, place| encode_place(encoder, *place));
        encoder.list(touched.iter(), |encoder, (row, Touched { writes, exposed })| {
            facts::row(encoder, *row);
            encoder.flags(&[*writes, *exposed]);
        });
        encoder.list(looked.iter(), |encoder, (place, looks)| {
            encode_place(encoder, *place);
            encoder.list(looks.iter(), |encoder, Looked { row, version, open }| {
                facts::row(encoder, *row);
                encoder.word(*version);
                encoder.flag(*open);
            });
        });
        encoder.list(pending.iter(), |encoder, (row, writes)| {
            facts::row(encoder, *row);
            encoder.list(writes.iter(), |encoder, Pending { values, guarded, adds }| {
                encode_premises(encoder, values);
                encode_premises(encoder, guarded);
                encoder.flag(*adds);
            });
        });
        encode_premises(encoder, through);
        encoder.list(locals.iter(), |encoder, ((slot, item), Local { words, premises })| {
            encoder.word(u64::from(*slot) << 32 | u64::from(*words));
            encoder.word(*item);
            encode_premises(encoder, premises);
        });
        encoder.list(items.iter(), |encoder, (slot, item)| {
            encoder.word(u64::from(*slot));
            encoder.word(*item);
        });
        encoder.list(decisions.iter(), |encoder, (place, Decision { premises, open })| {
            encode_place(encoder, *place);
            encode_premises(encoder, premises);
            encoder.flag(*open);
        });
        encoder.list(unjudged, |encoder, place| encode_place(encoder, *place));
    }
}

fn encode_place(encoder: &mut Encoder, (pc, item): Place) {
    encoder.word(u64::from(pc));
    encoder.word(item);
}

fn encode_premises(encoder: &mut Encoder, premises: &[Premise]) {
    encoder.set(premises, |encoder, Premise { row, version, columns }| {
        facts::row(encoder, *row);
        encoder.option(match version {
            Seen::Committed(version) => Some(*version),
            Seen::Own => None,
        });
        encoder.word(*columns);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::kernel::ids::TableId;
    use crate::model::Slot;
    use crate::observe::few::Few;
    use crate::world::deed::RowName;

    const ROW: RowName = RowName { table: TableId(1), key: 2, instance: 3 };
    const OTHER: RowName = RowName { key: 9, ..ROW };
    const SEEN: Premise = Premise { row: ROW, version: Seen::Committed(4), columns: 5 };

    fn pending(values: Vec<Premise>, guarded: Vec<Premise>, adds: bool) -> Few<Pending> {
        let mut writes = Few::default();
        writes.push(Pending { values, guarded, adds });
        writes
    }

    #[test]
    fn whatever_an_attempt_goes_by_shows() {
        each_shows(
            &Attempt::default(),
            |of, encoder| of.encode(encoder),
            &[
                |of| of.obligation = 9,
                |of| of.changed = true,
                |of| of.suspects = true,
                |of| of.has_own = true,
                |of| of.has_open = true,
                |of| of.reading = Some((0, 0)),
                |of| of.reading = Some((1, 0)),
                |of| of.reading = Some((0, 1)),
                |of| of.touched.insert(ROW, Touched::default()),
                |of| of.touched.insert(OTHER, Touched::default()),
                |of| of.touched.insert(ROW, Touched { writes: true, exposed: false }),
                |of| of.touched.insert(ROW, Touched { writes: false, exposed: true }),
                |of| of.look((1, 2), Looked { row: ROW, version: 0, open: false }),
                |of| of.look((2, 2), Looked { row: ROW, version: 0, open: false }),
                |of| of.look((1, 3), Looked { row: ROW, version: 0, open: false }),
                |of| of.look((1, 2), Looked { row: OTHER, version: 0, open: false }),
                |of| of.look((1, 2), Looked { row: ROW, version: 1, open: false }),
                |of| of.look((1, 2), Looked { row: ROW, version: 0, open: true }),
                |of| of.pending.insert(ROW, pending(vec![], vec![], false)),
                |of| of.pending.insert(OTHER, pending(vec![], vec![], false)),
                |of| of.pending.insert(ROW, pending(vec![SEEN], vec![], false)),
                |of| of.pending.insert(ROW, pending(vec![], vec![SEEN], false)),
                |of| of.pending.insert(ROW, pending(vec![], vec![], true)),
                |of| of.through.push(SEEN),
                |of| of.through.push(Premise { row: OTHER, ..SEEN }),
                |of| of.through.push(Premise { version: Seen::Committed(5), ..SEEN }),
                |of| of.through.push(Premise { version: Seen::Own, ..SEEN }),
                |of| of.through.push(Premise { columns: 6, ..SEEN }),
            ],
        );
    }

    #[test]
    fn what_was_rolled_back_counts_for_nothing() {
        let own = Premise { version: Seen::Own, ..SEEN };
        let mut of = Attempt::default();
        of.name(1, 2, 3, vec![SEEN, own]);
        of.look((1, 2), Looked { row: ROW, version: 4, open: false });
        of.look((2, 2), Looked { row: ROW, version: 4, open: true });
        of.decide((1, 2), vec![SEEN], false);
        of.decide((2, 2), vec![SEEN], true);
        of.pending.insert(ROW, pending(vec![SEEN], vec![], false));
        of.roll_back();
        let left: Vec<Place> = of.looked.iter().map(|(place, _)| *place).collect();
        assert_eq!((left, of.pending.len()), (vec![(1, 2)], 0));
        let decided: Vec<Place> = of.decisions.iter().map(|(place, _)| *place).collect();
        assert_eq!(decided, [(1, 2)]);
        let premises: Vec<Premise> = of.locals.iter().flat_map(|(_, local)| local.premises.clone()).collect();
        assert_eq!(premises, [SEEN]);
    }

    #[test]
    fn nothing_is_left_in_the_room_of_an_attempt() {
        let mut of = Attempt::default();
        of.begin(1, 2);
        let fresh = format!("{of:?}");
        of.touched.insert(ROW, Touched::default());
        of.look((1, 2), Looked { row: ROW, version: 0, open: false });
        of.pending.insert(ROW, pending(vec![], vec![], false));
        of.through.push(SEEN);
        of.name(1, 2, 3, vec![Premise { version: Seen::Own, ..SEEN }]);
        of.decide((1, 2), vec![SEEN], true);
        (of.changed, of.suspects, of.reading) = (true, true, Some((1, 2)));
        assert!(of.has_own && of.has_open);
        of.begin(1, 2);
        assert_eq!(format!("{of:?}"), fresh);
    }

    #[test]
    fn what_rests_on_what_it_saw_shows() {
        fn local(of: &mut Attempt, first: Slot, words: u16, item: u64, premises: &[Premise]) {
            of.locals.insert((first, item), Local { words, premises: premises.to_vec() });
        }
        fn decision(of: &mut Attempt, place: Place, premises: &[Premise], open: bool) {
            of.decisions.insert(place, Decision { premises: premises.to_vec(), open });
        }
        each_shows(
            &Attempt::default(),
            |of, encoder| of.encode(encoder),
            &[
                |of| local(of, 1, 2, 3, &[]),
                |of| local(of, 2, 2, 3, &[]),
                |of| local(of, 1, 3, 3, &[]),
                |of| local(of, 1, 2, 4, &[]),
                |of| local(of, 1, 2, 3, &[SEEN]),
                |of| of.items.insert(1, 2),
                |of| of.items.insert(2, 2),
                |of| of.items.insert(1, 3),
                |of| decision(of, (1, 2), &[], false),
                |of| decision(of, (2, 2), &[], false),
                |of| decision(of, (1, 3), &[], false),
                |of| decision(of, (1, 2), &[SEEN], false),
                |of| decision(of, (1, 2), &[], true),
                |of| of.unjudged.push((1, 2)),
                |of| of.unjudged.push((2, 2)),
                |of| of.unjudged.push((1, 3)),
            ],
        );
    }
}
