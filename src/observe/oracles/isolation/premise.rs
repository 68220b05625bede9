//! What an attempt goes by: which locals hold what it saw of which row, which decisions rest on them,
//! and which writes are computed from them and not yet committed.

mod encode;

use super::super::lifetimes::Number;
use super::flow::Use;
use super::row::{Columns, bit_of_word};
use crate::model::{Pc, Slot};
use crate::observe::few::{Few, FewMap};
use crate::world::deed::RowName;

/// A version of a row that an attempt goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Premise {
    pub row: RowName,
    pub version: Seen,
    /// The columns of it that matter.
    pub columns: Columns,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Committed(u64),
    /// What the attempt itself wrote and has not committed.
    Own,
}

/// A place in the attempt's work: an operation, and the item of the loops around it. What is done there
/// again takes the place of what was done there before.
pub type Place = (Pc, u64);

/// A local that holds what was seen of rows.
#[derive(Clone, Debug)]
struct Local {
    words: u16,
    premises: Vec<Premise>,
}

/// A read whose outcome has come to nothing yet.
#[derive(Clone, Copy, Debug)]
pub struct Looked {
    pub row: RowName,
    pub version: u64,
    /// In a transaction that is still open.
    pub open: bool,
}

/// What a decision rests on.
#[derive(Clone, Debug)]
struct Decision {
    premises: Vec<Premise>,
    open: bool,
}

/// A write that is not committed.
#[derive(Clone, Debug)]
pub struct Pending {
    pub values: Vec<Premise>,
    /// Premises that `where` has found to be as they were.
    pub guarded: Vec<Premise>,
    pub adds: bool,
}

/// One attempt that is alive, or the room for one.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    pub number: Number,
    pub obligation: u64,
    /// Rows touched: whether written, and whether counted as an exposure.
    pub touched: FewMap<RowName, Touched>,
    pub looked: FewMap<Place, Few<Looked>>,
    pub pending: FewMap<RowName, Few<Pending>>,
    /// Values computed from other rows, in writes committed by the transaction that is about to end.
    pub through: Vec<Premise>,
    /// Whether that transaction has changed something.
    pub changed: bool,
    /// Whether a row that it has touched was replaced since its last commit.
    pub suspects: bool,
    /// Where it has just read a row: a scan reads several.
    pub reading: Option<Place>,
    /// By first slot and item.
    locals: FewMap<(Slot, u64), Local>,
    /// By first slot: the item for which it was named last.
    items: FewMap<Slot, u64>,
    decisions: FewMap<Place, Decision>,
    /// Decisions that no commit has followed yet.
    unjudged: Vec<Place>,
    /// Whether some premise is what it wrote itself, or some decision was taken in an open transaction.
    has_own: bool,
    has_open: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Touched {
    pub writes: bool,
    pub exposed: bool,
}

impl Attempt {
    /// An attempt begins, in the room of one that has ended.
    pub fn begin(&mut self, number: Number, obligation: u64) {
        (self.number, self.obligation) = (number, obligation);
        (self.changed, self.suspects, self.reading) = (false, false, None);
        (self.has_own, self.has_open) = (false, false);
        self.touched.clear();
        self.looked.clear();
        self.pending.clear();
        self.through.clear();
        self.locals.clear();
        self.items.clear();
        self.decisions.clear();
        self.unjudged.clear();
    }

    /// A local of `words` words has a new value.
    pub fn name(&mut self, first: Slot, words: u16, item: u64, premises: Vec<Premise>) {
        self.has_own |= premises.iter().any(|premise| premise.version == Seen::Own);
        self.locals.insert((first, item), Local { words, premises });
        self.items.insert(first, item);
    }

    /// A local that holds rows of a scan holds one more.
    pub fn name_also(&mut self, first: Slot, item: u64, premises: Vec<Premise>) {
        self.has_own |= premises.iter().any(|premise| premise.version == Seen::Own);
        let local = self.locals.entry((first, item), || Local { words: 1, premises: Vec::new() });
        local.premises.extend(premises);
        self.items.insert(first, item);
    }

    /// What rests on these words of the frame, for an item.
    pub fn premises(&self, uses: &[Use], item: u64) -> Vec<Premise> {
        let mut found = Vec::new();
        for used in uses {
            self.premises_of(*used, item, &mut found);
        }
        found
    }

    fn premises_of(&self, used: Use, item: u64, found: &mut Vec<Premise>) {
        let Some((&first, &last_item)) = self.items.last_up_to(&used.slot) else { return };
        let own = self.locals.get(&(first, item));
        let Some(local) = own.or_else(|| self.locals.get(&(first, last_item))) else { return };
        if used.slot >= first + local.words {
            return;
        }
        let Some(word) = used.item_word else {
            let word = used.slot - first;
            let columns = |premise: &Premise| match local.words {
                1 => premise.columns,
                _ => premise.columns & bit_of_word(word),
            };
            return found.extend(local.premises.iter().map(|of| Premise { columns: columns(of), ..*of }));
        };
        // An item of a loop over rows is one of them: the one that gave the item its identity.
        let of_item = |premise: &&Premise| premise.row.key | 1 == item;
        let only_item = local.premises.iter().any(|premise| of_item(&premise));
        let rows = local.premises.iter().filter(|premise| !only_item || of_item(premise));
        found.extend(rows.map(|of| Premise { columns: of.columns & bit_of_word(word), ..*of }));
    }

    /// A decision rests on premises now.
    pub fn decide(&mut self, place: Place, premises: Vec<Premise>, open: bool) {
        if premises.is_empty() {
            self.decisions.remove(&place);
        } else {
            self.decisions.insert(place, Decision { premises, open });
            self.unjudged.push(place);
            self.has_open |= open;
        }
    }

    /// A row was read.
    pub fn look(&mut self, place: Place, looked: Looked) {
        let looks = self.looked.entry(place, Few::default);
        if self.reading != Some(place) {
            looks.clear();
        }
        looks.push(looked);
    }

    /// Takes out the premises of decisions that do not hold any more, each row once.
    pub fn take_stale(&mut self, is_stale: impl Fn(&Premise) -> bool) -> Vec<Premise> {
        let mut stale: Vec<Premise> = Vec::new();
        let mut take = |decision: &mut Decision| {
            for premise in decision.premises.extract_if(.., |premise| is_stale(premise)) {
                if !stale.iter().any(|known| known.row == premise.row) {
                    stale.push(premise);
                }
            }
        };
        let unjudged = std::mem::take(&mut self.unjudged);
        if std::mem::replace(&mut self.suspects, false) {
            self.decisions.values_mut().for_each(&mut take);
        } else {
            for place in unjudged {
                self.decisions.get_mut(&place).into_iter().for_each(&mut take);
            }
        }
        stale
    }

    /// What it wrote to a row is committed as this version.
    pub fn commit_own(&mut self, row: RowName, version: u64) {
        if !self.has_own {
            return;
        }
        let own = |premise: &mut Premise| {
            if premise.row == row && premise.version == Seen::Own {
                premise.version = Seen::Committed(version);
            }
        };
        self.locals.values_mut().flat_map(|local| &mut local.premises).for_each(own);
        self.decisions.values_mut().flat_map(|decision| &mut decision.premises).for_each(own);
    }

    /// Its transaction has committed.
    pub fn keep(&mut self) {
        self.has_own = false;
        if std::mem::replace(&mut self.has_open, false) {
            self.decisions.values_mut().for_each(|decision| decision.open = false);
        }
    }

    /// Its transaction was rolled back: what was read, decided and written there counts for nothing.
    pub fn roll_back(&mut self) {
        self.decisions.retain(|_, decision| !decision.open);
        self.looked.retain(|_, looks| looks.iter().all(|look| !look.open));
        self.pending.clear();
        for local in self.locals.values_mut() {
            local.premises.retain(|premise| premise.version != Seen::Own);
        }
    }
}
