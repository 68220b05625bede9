//! Whose values rows hold now: which messages set and which added to each column, while an earlier message
//! of the same key could still come.

use super::keys::Place;
use crate::kernel::encoder::{Encoder, Ranks};
use crate::kernel::ids::MessageId;
use crate::kernel::time::Nanos;
use crate::observe::facts;
use crate::world::deed::RowName;
use rustc_hash::FxHashMap;

/// Whether the row is there, beside its columns.
pub const EXISTENCE: u16 = u16::MAX;

/// What a commit did to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Put a value, or absence, in the place of what was there.
    Set,
    /// Computed the value from what was there.
    Added,
    /// Put the value that was there.
    Confirmed,
}

/// A message, as sightings name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    pub sequence: u64,
    pub obligation: u64,
    pub kind: MessageId,
    /// When its order was decided.
    pub at: Nanos,
}

/// Who wrote.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    pub place: Place,
    pub mention: Mention,
    /// Whether an earlier message of its key is alive, so that what it writes must be remembered.
    pub is_followed: bool,
}

/// What the present value of a column has of the messages of one key.
#[derive(Clone, Copy, Debug)]
struct Share {
    domain: u32,
    set: Option<Mention>,
    added: Option<Mention>,
}

impl Share {
    fn latest(&self) -> Option<Mention> {
        [self.set, self.added].into_iter().flatten().max_by_key(|mention| mention.sequence)
    }
}

/// All rows of which something must be remembered.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    rows: FxHashMap<RowName, Vec<(u16, Share)>>,
}

impl Rows {
    /// How many rows are remembered.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The later message whose value a write to a column takes away, if there is one, and which column.
    pub fn overtaken(
        &self,
        row: &RowName,
        touched: &[(u16, Touch)],
        writer: &Writer,
    ) -> Option<(u16, Mention)> {
        let shares = self.rows.get(row)?;
        let own = shares.iter().filter(|(_, share)| share.domain == writer.place.domain);
        let later = own.filter_map(|(column, share)| {
            let touch = touched.iter().find(|(touched, _)| touched == column)?.1;
            let lost = match touch {
                Touch::Set => share.latest()?,
                Touch::Added => share.set?,
                Touch::Confirmed => return None,
            };
            (lost.sequence > writer.mention.sequence).then_some((*column, lost))
        });
        later.max_by_key(|(column, mention)| (mention.sequence, std::cmp::Reverse(*column)))
    }

    /// A row is there or not there anew: nothing of what columns had is left.
    pub fn clear(&mut self, row: &RowName) {
        self.rows.remove(row);
    }

    /// Columns were written; `true` if the row is now to be forgotten with the writer's key.
    pub fn wrote(&mut self, row: RowName, touched: &[(u16, Touch)], writer: Option<&Writer>) -> bool {
        if !self.rows.contains_key(&row) && !writer.is_some_and(|writer| writer.is_followed) {
            return false;
        }
        let shares = self.rows.entry(row).or_default();
        let is_of = |share: &Share| writer.is_some_and(|writer| share.domain == writer.place.domain);
        let was_known = shares.iter().any(|(_, share)| is_of(share));
        for &(column, touch) in touched {
            if touch == Touch::Set {
                shares.retain(|(of, _)| *of != column);
            }
            let Some(writer) = writer.filter(|writer| writer.is_followed) else { continue };
            let own = shares.iter_mut().find(|(of, share)| *of == column && is_of(share));
            let mention = Some(writer.mention);
            let Some((_, share)) = own else {
                let (set, added) = if touch == Touch::Added { (None, mention) } else { (mention, None) };
                shares.push((column, Share { domain: writer.place.domain, set, added }));
                continue;
            };
            let part = if touch == Touch::Added { &mut share.added } else { &mut share.set };
            if part.is_none_or(|old| old.sequence < writer.mention.sequence) {
                *part = mention;
            }
        }
        let is_known = shares.iter().any(|(_, share)| is_of(share));
        if shares.is_empty() {
            self.rows.remove(&row);
        }
        is_known && !was_known
    }

    /// The sequence numbers of all messages that are remembered.
    pub fn sequences(&self) -> impl Iterator<Item = u64> {
        let shares = self.rows.values().flatten().flat_map(|(_, share)| [share.set, share.added]);
        shares.flatten().map(|mention| mention.sequence)
    }

    /// What columns have of whom; `name` says who a key is.
    pub fn encode(&self, encoder: &mut Encoder, ranks: &Ranks, name: impl Fn(&mut Encoder, u32)) {
        let rank = |mention: Option<Mention>| mention.map(|mention| ranks.rank(mention.sequence));
        let Self { rows } = self;
        encoder.set(rows, |encoder, (row, shares)| {
            facts::row(encoder, *row);
            encoder.set(shares, |encoder, (column, Share { domain, set, added })| {
                encoder.word(u64::from(*column));
                name(encoder, *domain);
                encoder.option(rank(*set));
                encoder.option(rank(*added));
            });
        });
    }

    /// Forgets what messages of a key up to one in order have in a row; whether some of it is left.
    pub fn forget(&mut self, row: &RowName, domain: u32, up_to: u64) -> bool {
        let Some(shares) = self.rows.get_mut(row) else { return false };
        let is_due = |share: &Share| share.latest().is_none_or(|latest| latest.sequence <= up_to);
        shares.retain(|(_, share)| share.domain != domain || !is_due(share));
        let is_left = shares.iter().any(|(_, share)| share.domain == domain);
        if shares.is_empty() {
            self.rows.remove(row);
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::kernel::ids::TableId;

    #[test]
    fn whose_value_a_column_holds_shows() {
        const ROW: RowName = RowName { table: TableId(1), key: 2, instance: 3 };
        const SHARE: Share = Share { domain: 1, set: None, added: None };
        fn mention(sequence: u64) -> Option<Mention> {
            Some(Mention { sequence, obligation: 0, kind: MessageId(0), at: 0 })
        }
        fn share(of: &mut Rows, row: RowName, column: u16, share: Share) {
            of.rows.insert(row, vec![(column, share)]);
        }
        each_shows(
            &Rows::default(),
            |of, encoder| {
                of.encode(encoder, &Ranks::of([3, 5]), |encoder, domain| encoder.word(u64::from(domain)));
            },
            &[
                |of| share(of, ROW, 0, SHARE),
                |of| share(of, RowName { key: 9, ..ROW }, 0, SHARE),
                |of| share(of, ROW, 1, SHARE),
                |of| share(of, ROW, 0, Share { domain: 2, ..SHARE }),
                |of| share(of, ROW, 0, Share { set: mention(3), ..SHARE }),
                |of| share(of, ROW, 0, Share { set: mention(5), ..SHARE }),
                |of| share(of, ROW, 0, Share { added: mention(3), ..SHARE }),
                |of| share(of, ROW, 0, Share { added: mention(5), ..SHARE }),
            ],
        );
    }
}
