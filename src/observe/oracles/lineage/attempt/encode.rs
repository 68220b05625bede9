//! What an attempt knows and has done, in canonical words.

use super::{AttemptState, Source, Staged, StagedIssue, Taint};
use crate::kernel::encoder::Encoder;
use crate::observe::facts;
use crate::observe::oracles::lineage::ledger::EntryId;
use crate::world::deed::Served;
use crate::world::record::SlotNumber;

impl AttemptState {
    /// Entries are called by their obligations; so is a timer, which has one while it is set.
    pub fn encode(
        &self,
        encoder: &mut Encoder,
        obligation_of: impl Fn(EntryId) -> u64,
        timer: impl Fn(SlotNumber) -> Option<u64>,
    ) {
        let Self {
            entry,
            obligation,
            number,
            handler,
            served,
            // It follows from what it serves.
            from_client: _,
            exposed,
            resumed,
            came_by,
            added,
            staged,
            staged_messages,
            staged_issues,
            early,
            own_rows,
            taints,
            guarded,
            excluded,
        } = self;
        encoder.word(obligation_of(*entry));
        encoder.word(*obligation);
        encoder.word(u64::from(*number) << 32 | u64::from(handler.0));
        encode_served(encoder, *served, timer);
        encoder.flags(&[*exposed, *resumed, *guarded]);
        encoder.set(came_by, |encoder, part| facts::part(encoder, *part));
        encoder.set(added, |encoder, part| facts::part(encoder, *part));
        encoder.set(staged, |encoder, Staged { row, part }| {
            facts::row(encoder, *row);
            facts::part(encoder, *part);
        });
        encoder.set(staged_messages, |encoder, entry| encoder.word(obligation_of(*entry)));
        early.encode(encoder, &obligation_of);
        encoder.set(staged_issues, |encoder, issue| issue.encode(encoder));
        encoder.set(own_rows, |encoder, row| facts::row(encoder, *row));
        encoder.set(excluded, |encoder, site| encoder.word(u64::from(site.0)));
        encoder.set(taints, |encoder, Taint { first, slots, source, is_anothers_mark }| {
            encoder.word(u64::from(*first) << 32 | u64::from(*slots));
            encoder.flags(&[*source == Source::Own, *is_anothers_mark]);
        });
    }
}

impl StagedIssue {
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self { part, is_first, was_owed } = self;
        facts::part(encoder, *part);
        encoder.flags(&[*is_first, *was_owed]);
    }
}

fn encode_served(encoder: &mut Encoder, served: Served, timer: impl Fn(SlotNumber) -> Option<u64>) {
    match served {
        Served::Intent { client, number, user } => {
            encoder.word(1 | u64::from(client.0) << 8);
            encoder.word(number);
            encoder.word(u64::from(user));
        }
        Served::Call => encoder.word(2),
        Served::Send => encoder.word(3),
        Served::Delivery { group, delivery } => {
            encoder.word(4 | u64::from(group.0) << 8);
            encoder.word(u64::from(delivery));
        }
        Served::Tick { job } => encoder.word(5 | u64::from(job.0) << 8),
        Served::Timer { timer: slot } => {
            encoder.word(6);
            encoder.option(timer(slot));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::kernel::ids::*;
    use crate::world::deed::{Part, RowName};

    const ROW: RowName = RowName { table: TableId(1), key: 2, instance: 3 };

    fn encode(of: &AttemptState, encoder: &mut Encoder) {
        of.encode(encoder, |entry| u64::from(entry) + 100, |slot| (slot < 5).then_some(u64::from(slot)));
    }

    #[test]
    fn whatever_an_attempt_knows_and_has_done_shows() {
        each_shows(
            &AttemptState::default(),
            encode,
            &[
                |of| of.entry = 9,
                |of| of.obligation = 9,
                |of| of.number = 9,
                |of| of.handler = HandlerId(9),
                |of| of.exposed = true,
                |of| of.resumed = true,
                |of| of.guarded = true,
                |of| of.came_by.push(Part::new(SiteId(1), 2)),
                |of| of.added.push(Part::new(SiteId(1), 2)),
                |of| of.staged.push(Staged { row: ROW, part: Part::new(SiteId(1), 2) }),
                |of| of.staged.push(Staged { row: ROW, part: Part::new(SiteId(1), 3) }),
                |of| of.staged.push(Staged { row: RowName { key: 7, ..ROW }, part: Part::new(SiteId(1), 2) }),
                |of| of.staged_messages.push(4),
                |of| of.staged_messages.push(5),
                |of| of.early.send(4, &[SiteId(1)]),
                |of| of.early.send(5, &[SiteId(1)]),
                |of| of.early.send(4, &[SiteId(2)]),
                |of| of.early.send(4, &[SiteId(1), SiteId(2)]),
                |of| of.own_rows.push(ROW),
                |of| of.excluded.push(SiteId(1)),
                |of| of.keep(1, 2, Some(Source::Own), false),
                |of| of.keep(2, 2, Some(Source::Own), false),
                |of| of.keep(1, 3, Some(Source::Own), false),
                |of| of.keep(1, 2, Some(Source::Others), false),
                |of| of.keep(1, 2, Some(Source::Others), true),
            ],
        );
    }

    #[test]
    fn nothing_is_left_in_the_room_of_an_attempt() {
        let part = Part::new(SiteId(1), 2);
        let mut of = AttemptState::default();
        of.begin(1, 2, 3, HandlerId(4), Served::Send);
        let fresh = format!("{of:?}");
        (of.exposed, of.resumed, of.guarded) = (true, true, true);
        of.came_by.push(part);
        of.added.push(part);
        of.staged.push(Staged { row: ROW, part });
        of.staged_messages.push(4);
        of.staged_issues.push(StagedIssue { part, is_first: true, was_owed: false });
        of.early.send(4, &[SiteId(1)]);
        of.own_rows.push(ROW);
        of.keep(1, 2, Some(Source::Own), true);
        of.excluded.push(SiteId(1));
        of.begin(1, 2, 3, HandlerId(4), Served::Send);
        assert_eq!(format!("{of:?}"), fresh);
    }

    #[test]
    fn whatever_an_attempt_serves_shows() {
        each_shows(
            &AttemptState::default(),
            encode,
            &[
                |of| of.served = Served::Call,
                |of| of.served = Served::Intent { client: ClientId(0), number: 0, user: 0 },
                |of| of.served = Served::Intent { client: ClientId(1), number: 0, user: 0 },
                |of| of.served = Served::Intent { client: ClientId(0), number: 1, user: 0 },
                |of| of.served = Served::Intent { client: ClientId(0), number: 0, user: 1 },
                |of| of.served = Served::Delivery { group: GroupId(0), delivery: 1 },
                |of| of.served = Served::Delivery { group: GroupId(1), delivery: 1 },
                |of| of.served = Served::Delivery { group: GroupId(0), delivery: 2 },
                |of| of.served = Served::Tick { job: JobId(0) },
                |of| of.served = Served::Tick { job: JobId(1) },
                |of| of.served = Served::Timer { timer: 1 },
                |of| of.served = Served::Timer { timer: 2 },
                |of| of.served = Served::Timer { timer: 9 },
            ],
        );
    }

    #[test]
    fn what_is_not_committed_shows_with_all_that_a_rollback_takes_back() {
        each_shows(
            &StagedIssue { part: Part::new(SiteId(1), 2), is_first: false, was_owed: false },
            |of, encoder| of.encode(encoder),
            &[
                |of| of.part.site = SiteId(2),
                |of| of.part.item = 3,
                |of| of.part.is_of_value = true,
                |of| of.is_first = true,
                |of| of.was_owed = true,
            ],
        );
        let mut of = AttemptState::default();
        of.staged_issues.push(StagedIssue { part: Part::new(SiteId(1), 2), is_first: true, was_owed: false });
        each_shows(&of, encode, &[|of| of.staged_issues.clear(), |of| of.staged_issues[0].was_owed = true]);
    }
}
