//! What a commit changed, readable until the next one: copies, because the rows live on.

use super::order::NONE;
use super::table::{DELETED, Table};
use super::versions::Stamp;
use super::{Row, RowVersion, Word};

/// One changed row of a commit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change<'a> {
    /// The version that was made: which row, and the number of the commit. For a deleted row, that
    /// of its deletion.
    pub version: RowVersion,
    /// Who committed.
    pub writer: u64,
    /// The row that was replaced, with its version and writer; `None`: the row was absent.
    pub old: Option<Row<'a>>,
    /// The words now; `None`: the row was deleted.
    pub new: Option<&'a [Word]>,
}

/// The changes of the last commit; its room is used again by the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    heads: Vec<Head>,
    words: Vec<Word>,
}

#[derive(Clone, Copy, Debug)]
struct Head {
    version: RowVersion,
    writer: u64,
    old: Option<Stamp>,
    /// Where the old row's words begin, the new row's, and where those end.
    begin: usize,
    middle: usize,
    end: usize,
}

impl Changes {
    pub(super) fn clear(&mut self) {
        self.heads.clear();
        self.words.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// Notes that an entry's newest row gives way to `new`, or to nothing.
    pub(super) fn note(&mut self, old: Option<Row<'_>>, version: RowVersion, writer: u64, new: &[Word]) {
        let begin = self.words.len();
        self.words.extend_from_slice(old.map_or(&[], |row| row.words));
        let middle = self.words.len();
        self.words.extend_from_slice(new);
        let end = self.words.len();
        let old = old.map(|row| Stamp { number: row.version.number, writer: row.writer });
        self.heads.push(Head { version, writer, old, begin, middle, end });
    }

    /// Notes what is pending at an entry before it is installed there.
    pub(super) fn note_pending(&mut self, table: &Table, at: RowVersion, writer: u64) {
        let pending = table.entry(at.entry).pending;
        debug_assert_ne!(pending, NONE);
        let new = if pending == DELETED { &[] } else { table.words(pending) };
        self.note(table.newest(at.entry).map(|old| table.row(old)), at, writer, new);
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        self.heads.iter().map(|head| {
            let old = head.old.map(|Stamp { number, writer }| {
                let version = RowVersion { number, ..head.version };
                Row { words: &self.words[head.begin..head.middle], version, writer }
            });
            let new = (head.middle < head.end).then(|| &self.words[head.middle..head.end]);
            Change { version: head.version, writer: head.writer, old, new }
        })
    }
}
