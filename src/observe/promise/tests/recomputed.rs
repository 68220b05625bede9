//! Against a look at all rows after every transaction, over random changes.

use super::super::invariants::Invariants;
use super::super::views::Views;
use super::*;
use proptest::prelude::*;

/// One change: table, key, whether it deletes, two numbers.
type Change = (bool, u64, bool, i64, i64);
type Rows = BTreeMap<(TableId, u64), Vec<Word>>;

fn rows(rows: &Rows, table: TableId) -> impl Iterator<Item = &Vec<Word>> {
    rows.iter().filter(move |((of, _), _)| *of == table).map(|(_, row)| row)
}

fn whole(word: Word) -> i64 {
    word as i64
}

/// A condition, and for each thing that it speaks of whether it holds; `None` is not judged.
type Obvious = (&'static str, fn(&Rows) -> Vec<(u64, Option<bool>)>);

fn qty_of(all: &Rows, sku: Word) -> i64 {
    rows(all, ORDERS).filter(|order| order[2] == sku).map(|order| whole(order[3])).sum()
}

const OBVIOUS: &[Obvious] = &[
    ("{ always: row.reserved + row.note >= 0, for_each: inventory.stock }", |all| {
        rows(all, STOCK).map(|row| (row[0], Some(whole(row[1]) + whole(row[2]) >= 0))).collect()
    }),
    ("{ always: sum(orders.orders.qty) >= sum(inventory.stock.reserved) }", |all| {
        let sum = |table, column: usize| rows(all, table).map(|row| whole(row[column])).sum::<i64>();
        vec![(0, Some(sum(ORDERS, 3) >= sum(STOCK, 1)))]
    }),
    (
        "{ always: 'row.reserved <= sum(orders.orders.sku == row.sku ? orders.orders.qty : 0)', for_each: inventory.stock }",
        |all| rows(all, STOCK).map(|row| (row[0], Some(whole(row[1]) <= qty_of(all, row[0])))).collect(),
    ),
    (
        "{ always: 'inventory.stock[row.sku].reserved > -2 || count(orders.orders.sku == row.sku && orders.orders.qty > 0) > 1', for_each: orders.orders }",
        |all| {
            let holds = |row: &Vec<Word>| {
                let stock = all.get(&(STOCK, row[2])).map_or(0, |stock| whole(stock[1]));
                stock > -2
                    || rows(all, ORDERS).filter(|order| order[2] == row[2] && whole(order[3]) > 0).count() > 1
            };
            rows(all, ORDERS).map(|row| (row[0], Some(holds(row)))).collect()
        },
    ),
    ("{ never: max(orders.orders.qty) - min(orders.orders.qty) > 5 }", |all| {
        let quantities: Vec<i64> = rows(all, ORDERS).map(|row| whole(row[3])).collect();
        let spread =
            quantities.iter().max().zip(quantities.iter().min()).map(|(most, least)| most - least <= 5);
        vec![(0, spread)]
    }),
    ("{ always: p50(orders.orders.qty) <= row.reserved, for_each: inventory.stock }", |all| {
        let mut quantities: Vec<i64> = rows(all, ORDERS).map(|row| whole(row[3])).collect();
        quantities.sort_unstable();
        let middle = quantities.get(quantities.len().div_ceil(2).saturating_sub(1)).copied();
        rows(all, STOCK).map(|row| (row[0], middle.map(|middle| middle <= whole(row[1])))).collect()
    }),
];

/// Tells all changes, one or two to a transaction, and calls `after` when each is over.
fn tell<O: Observer>(
    model: &Model,
    observer: &mut O,
    changes: &[Change],
    mut after: impl FnMut(Nanos, &Rows),
) {
    let mut teller = Teller::new(model, observer);
    for (step, pair) in changes.chunks(2).enumerate() {
        teller.at(step as u64 * 10 + 10);
        for &(is_order, key, deletes, one, other) in pair {
            let (one_word, other_word) = (one as Word, other as Word);
            match (is_order, deletes) {
                (true, true) => teller.change(0, ORDERS, key, None),
                (true, false) => {
                    teller.change(0, ORDERS, key, Some(&[key, PLACED, one.unsigned_abs() % 4, other_word]))
                }
                (false, true) => teller.change(0, STOCK, key % 4, None),
                (false, false) => teller.change(0, STOCK, key % 4, Some(&[key % 4, one_word, other_word])),
            };
        }
        teller.ended();
        let now = teller.now;
        after(now, &teller.rows);
    }
    teller.at(100_000).end(true);
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec((any::<bool>(), 0..6_u64, prop::bool::weighted(0.2), -6..7_i64, -6..7_i64), 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// As often and as early violated as a look at all rows after each transaction says.
    #[test]
    fn violations_are_those_that_a_look_at_all_rows_finds(changes in changes()) {
        for (invariant, obvious) in OBVIOUS {
            let model = model(&format!("invariants: {{ i: {invariant} }}"));
            let mut judge = Invariants::new(&model).unwrap();
            let mut before: BTreeMap<u64, bool> = BTreeMap::new();
            let (mut count, mut first) = (0, None);
            let mut look = |now: Nanos, all: &Rows| {
                let found = obvious(all);
                before.retain(|key, _| found.iter().any(|(known, _)| known == key));
                for (key, holds) in found {
                    let Some(holds) = holds else { continue };
                    let was_violated = before.insert(key, !holds).unwrap_or(false);
                    if !holds && !was_violated {
                        count += 1;
                        first = first.or(Some(now));
                    }
                }
            };
            let start = Teller::new(&model, &mut ()).rows;
            look(0, &start);
            tell(&model, &mut judge, &changes, look);
            let found = judge.findings().remove(0);
            prop_assert_eq!((found.count, found.first.map(|first| first.at)), (count, first), "{}", invariant);
        }
    }

    /// Lag, windows and what is late, by keeping everything and searching it.
    #[test]
    fn views_are_judged_as_by_keeping_everything(changes in changes()) {
        let model = model("guarantees: { convergence: { c: { view: inventory.stock, of: orders.orders, by: row.sku, columns: { reserved: sum(row.qty) }, within: 50ms } } }");
        let mut views = Views::new(&model).unwrap();
        let mut obvious: Vec<ObviousView> = (0..4).map(ObviousView::new).collect();
        tell(&model, &mut views, &changes, |now, all| obvious.iter_mut().for_each(|view| view.look(now, all)));
        let end = 100_000 * MILLISECOND;
        let found = views.findings().remove(0);
        let (mut lags, mut late, mut of, mut disagreeing, mut windows) = (Vec::new(), 0, 0, 0, 0);
        for view in obvious {
            of += view.changes.len() as u64;
            disagreeing += u64::from(!view.agrees);
            windows += view.windows + view.wrong_since.map_or(0, |since| end - since);
            let missing = view.changes.iter().filter(|change| change.2.is_none()).count();
            late += view.changes.iter().filter(|(at, _, followed)| followed.is_none_or(|followed| followed - at > 50 * MILLISECOND)).count() as u64;
            late += u64::from(!view.agrees && missing == 0);
            lags.extend(view.changes.iter().filter_map(|(at, _, followed)| Some((*followed)? - at)));
        }
        prop_assert_eq!(found.finding.of, of);
        prop_assert_eq!(found.finding.count, late);
        prop_assert_eq!(found.disagreeing, disagreeing);
        prop_assert_eq!((found.lag.count(), found.lag.sum()), (lags.len() as u64, lags.iter().map(|lag| *lag as u128).sum()));
        prop_assert_eq!(found.window.sum(), windows as u128);
    }
}

/// One key of the view, with all that was ever to be shown.
struct ObviousView {
    sku: u64,
    should: Option<i64>,
    /// When, what (`None`: nothing or 0), and when it was followed.
    changes: Vec<(Nanos, Option<i64>, Option<Nanos>)>,
    agrees: bool,
    wrong_since: Option<Nanos>,
    windows: u64,
}

impl ObviousView {
    fn new(sku: u64) -> Self {
        Self { sku, should: None, changes: Vec::new(), agrees: true, wrong_since: None, windows: 0 }
    }

    fn look(&mut self, now: Nanos, all: &Rows) {
        let has_orders = rows(all, ORDERS).any(|order| order[2] == self.sku);
        let should = has_orders.then(|| qty_of(all, self.sku));
        let shown = all.get(&(STOCK, self.sku)).map(|row| whole(row[1]));
        let will_do = |should: Option<i64>| match should {
            Some(sum) => shown == Some(sum),
            None => matches!(shown, None | Some(0)),
        };
        if should != self.should {
            self.should = should;
            self.changes.push((now, should, None));
        }
        let newest =
            self.changes.iter().rposition(|(_, should, followed)| followed.is_none() && will_do(*should));
        for change in self.changes[..newest.map_or(0, |newest| newest + 1)]
            .iter_mut()
            .filter(|change| change.2.is_none())
        {
            change.2 = Some(now);
        }
        self.agrees = will_do(should);
        match (self.agrees, self.wrong_since) {
            (false, None) => self.wrong_since = Some(now),
            (true, Some(since)) => {
                self.windows += now - since;
                self.wrong_since = None;
            }
            _ => {}
        }
    }
}
