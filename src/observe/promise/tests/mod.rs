//! Deeds by hand, and what judges make of them.

mod invariants;
mod recomputed;
mod views;

use super::formula::hash_of;
use crate::kernel::ids::*;
use crate::kernel::time::{MILLISECOND, Nanos};
use crate::model::{Model, NONE, Word, compile};
use crate::scenario::{load, resolve};
use crate::world::deed::{Deed, Part, RowName, Served, Version, Way, Write};
use crate::world::identity::Cause;
use crate::world::record::{Observer, Outcome, Record};
use std::collections::BTreeMap;

const TEXT: &str = "
scenario: judged
messages:
  Go: { kind: command }
services:
  orders:
    store:
      tables:
        orders: { key: order, columns: { order: int, status: { lifecycle: [placed -> shipped, placed -> cancelled] }, sku: int, qty: int } }
    handlers: { Go: [ stop ] }
  inventory:
    store:
      tables:
        stock: { key: sku, columns: { sku: int, reserved: int, note: int }, rows: [ { sku: 1..3 } ] }
    handlers: { Go: [ stop ] }
clients:
  source:
    arrivals: { poisson: 1/s }
    do: [ { call: orders.Go }, { call: inventory.Go } ]
";

const ORDERS: TableId = TableId(0);
const STOCK: TableId = TableId(1);

/// Words of `orders.status`.
const PLACED: u64 = 0;
const SHIPPED: u64 = 1;

fn model(promises: &str) -> Model {
    let (sources, mut diagnostics, loaded) =
        load::load_text("judged.yaml", &format!("{TEXT}{promises}\n"), &[]);
    let scenario = loaded.and_then(|loaded| resolve::resolve(&loaded, &sources, &mut diagnostics));
    let style = crate::scenario::render::Style::Plain;
    let Some(scenario) = scenario else {
        panic!("{}", crate::scenario::render::render(&sources, &diagnostics, style, 100))
    };
    let model = compile::compile(&scenario, &sources);
    assert_eq!(model.names.symbols[..2], ["placed".to_owned(), "shipped".to_owned()]);
    model
}

/// The tables as the deeds leave them, told to an observer.
struct Teller<'o, O> {
    observer: &'o mut O,
    rows: BTreeMap<(TableId, u64), Vec<Word>>,
    now: Nanos,
}

impl<'o, O: Observer> Teller<'o, O> {
    fn new(model: &Model, observer: &'o mut O) -> Self {
        let mut rows = BTreeMap::new();
        for (index, table) in model.tables.iter().enumerate() {
            for row in &table.rows {
                rows.insert((TableId::new(index), row[0]), row.clone());
            }
        }
        Self { observer, rows, now: 0 }
    }

    /// The time from now on, in milliseconds.
    fn at(&mut self, milliseconds: u64) -> &mut Self {
        self.now = milliseconds * MILLISECOND;
        self
    }

    /// A row takes the place of the one with its key; `None` deletes that. The transaction goes on.
    fn change(&mut self, attempt: u32, table: TableId, key: Word, new: Option<&[Word]>) -> &mut Self {
        let old = self.rows.remove(&(table, key));
        if let Some(new) = new {
            self.rows.insert((table, key), new.to_vec());
        }
        let deed = Deed::Committed {
            attempt,
            row: RowName { table, key: hash_of([key]), instance: NONE },
            old: old.as_deref(),
            old_version: Version { number: 0, writer: 0, exists: old.is_some() },
            new,
            version: 1,
        };
        self.observer.deed(self.now, &deed);
        self
    }

    /// An attempt of the intent with this number begins; `NONE` for the message: it is the intent itself.
    fn begun(&mut self, attempt: u32, number: u64, message: u32) -> &mut Self {
        let cause = Cause::root(0, 1 << 20, number);
        let intent = Served::Intent { client: ClientId(0), number, user: NONE };
        let served = if message == NONE { intent } else { Served::Call };
        let (handler, instance) = (HandlerId(0), NONE);
        let deed = Deed::AttemptBegun { attempt, handler, instance, cause, served, message };
        self.observer.deed(self.now, &deed);
        self
    }

    fn issued(&mut self, attempt: u32, message: u32) -> &mut Self {
        let deed = Deed::Issued {
            attempt,
            message,
            kind: MessageId(0),
            part: Part::new(SiteId(0), 0),
            way: Way::Direct,
            cause: Cause::NOBODY,
            key: None,
            topic: None,
            pc: 0,
            payload: &[],
            content: 0,
        };
        self.observer.deed(self.now, &deed);
        self
    }

    /// It found that there was nothing to write.
    fn left(&mut self, attempt: u32, table: TableId, key: Word) -> &mut Self {
        let deed = Deed::Wrote {
            attempt,
            pc: 0,
            part: Part::new(SiteId(0), 0),
            row: RowName { table, key: hash_of([key]), instance: NONE },
            seen: Version { number: 1, writer: 0, exists: true },
            write: Write::Nothing,
        };
        self.observer.deed(self.now, &deed);
        self
    }

    fn over(&mut self, attempt: u32) -> &mut Self {
        self.observer.deed(self.now, &Deed::AttemptEnded { attempt, outcome: Outcome::Well });
        self
    }

    fn freed(&mut self, message: u32) -> &mut Self {
        self.observer.deed(self.now, &Deed::Freed { message });
        self
    }

    fn ended(&mut self) -> &mut Self {
        self.ended_by(0)
    }

    fn ended_by(&mut self, attempt: u32) -> &mut Self {
        self.observer.deed(self.now, &Deed::TransactionEnded { attempt, committed: true });
        self
    }

    /// A transaction that writes one row; an order is [order, status, sku, qty], a stock [sku, reserved, note].
    fn put<const N: usize>(&mut self, table: TableId, row: [i64; N]) -> &mut Self {
        let row = row.map(|word| word as Word);
        self.change(0, table, row[0], Some(&row)).ended()
    }

    fn delete(&mut self, table: TableId, key: u64) -> &mut Self {
        self.change(0, table, key, None).ended()
    }

    fn end(&mut self, quiet: bool) {
        self.observer.record(self.now, &Record::End { quiet });
    }
}
