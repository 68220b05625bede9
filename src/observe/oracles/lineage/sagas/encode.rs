//! What is known of sagas, in canonical words. One is called by its intent and its key, whoever leads it.

use super::super::ledger::Entry;
use super::{Net, Record, SagaOracle, Sight};
use crate::kernel::encoder::Encoder;
use crate::observe::facts;

impl SagaOracle<'_> {
    /// What it knows now. Which rows are as sagas have left them follows from their effects.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self { model: _, evaluator: _, records, free: _, by_root: _, led, rows: _, reads, findings } =
            self;
        let is_led = |at: usize| led.values().any(|record| *record as usize == at);
        let records = records.iter().enumerate().filter_map(|(at, of)| Some((at, of.as_ref()?)));
        encoder.set(records, |encoder, (at, record)| {
            encode_name(encoder, record);
            let Record { watched: _, key: _, root: _, obligation, effects, undo_ran, ended } = record;
            encoder.word(*obligation);
            encoder.flags(&[*undo_ran, is_led(at)]);
            encoder.option(ended.map(u64::from));
            encoder.set(effects, |encoder, Net { step, site, row, net, readers }| {
                encoder.word(u64::from(*step) << 32 | u64::from(site.0));
                facts::row(encoder, *row);
                encoder.word(*net as u64);
                encoder.set(readers, |encoder, reader| encoder.word(*reader));
            });
        });
        let reads = reads.iter().map(|(attempt, seen)| (*attempt, self.still_there(seen)));
        encoder.set(reads.filter(|(_, seen)| !seen.is_empty()), |encoder, (attempt, seen)| {
            encoder.attempt(attempt);
            encoder.set(seen, |encoder, (record, effect)| {
                encode_name(encoder, record);
                let effect = &record.effects[effect as usize];
                encoder.word(u64::from(effect.site.0));
                facts::row(encoder, effect.row);
            });
        });
        encoder.list(findings, |encoder, of| encoder.list(of, facts::finding));
    }

    /// Which saga an obligation is part of, and which step of it.
    pub fn encode_part(&self, encoder: &mut Encoder, entry: &Entry) {
        let record = self.records.get(entry.saga as usize).and_then(Option::as_ref);
        encoder.flag(record.is_some());
        if let Some(record) = record {
            encode_name(encoder, record);
            encoder.word(u64::from(entry.saga_step));
        }
    }

    /// Of what an attempt has seen, that of sagas which are not over.
    fn still_there(&self, seen: &[Sight]) -> Vec<(&Record, u32)> {
        let of = |sight: &Sight| {
            let record = self.records[sight.record as usize].as_ref()?;
            (record.obligation == sight.obligation).then_some((record, sight.effect))
        };
        seen.iter().filter_map(of).collect()
    }
}

fn encode_name(encoder: &mut Encoder, record: &Record) {
    encoder.word(u64::from(record.watched));
    encoder.word(record.key);
    encoder.word(record.root);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::{Names, each_shows};
    use crate::kernel::ids::{SiteId, TableId};
    use crate::model::promise::SagaMeasure;
    use crate::model::{Model, compile};
    use crate::observe::promise::formula::Evaluator;
    use crate::scenario::open;
    use crate::world::deed::RowName;

    const SMALL: &str = "
scenario: small
messages: { Go: { kind: command } }
services: { one: { handlers: { Go: [ stop ] } } }
clients: { source: { arrivals: { times: [1s] }, do: [ { call: one.Go } ] } }
";

    const ROW: RowName = RowName { table: TableId(1), key: 2, instance: 3 };

    /// One saga with an effect, which attempt 0 has read, and obligation 50, too.
    fn oracle(model: &Model) -> SagaOracle<'_> {
        let effect = Net { step: 1, site: SiteId(2), row: ROW, net: 1, readers: vec![50] };
        let effects = vec![effect];
        let (undo_ran, ended) = (false, None);
        let record = Record { watched: 0, key: 3, root: 4, obligation: 5, effects, undo_ran, ended };
        SagaOracle {
            model,
            evaluator: Evaluator::new(model),
            records: vec![Some(record)],
            free: Vec::new(),
            by_root: Default::default(),
            led: Default::default(),
            rows: Default::default(),
            reads: [(0, vec![Sight { record: 0, obligation: 5, effect: 0 }])].into_iter().collect(),
            findings: vec![Default::default()],
        }
    }

    fn first<'o>(of: &'o mut SagaOracle<'_>) -> &'o mut Record {
        of.records[0].as_mut().expect("one saga")
    }

    #[test]
    fn whatever_is_known_of_a_saga_shows() {
        let (sources, _, scenario) = open::read_text("small.yaml", SMALL, &[]);
        let model = compile::compile(&scenario.expect("it is read"), &sources);
        fn encode(of: &SagaOracle<'_>, encoder: &mut Encoder) {
            let mut named = Encoder::with_names(Names { attempts: vec![8, 9], ..Names::default() });
            of.encode(&mut named);
            named.into_words().into_iter().for_each(|word| encoder.word(word));
        }
        each_shows(
            &oracle(&model),
            encode,
            &[
                |of| {
                    of.records.clear();
                    of.reads.clear();
                },
                |of| first(of).watched = 9,
                |of| first(of).key = 9,
                |of| first(of).root = 9,
                |of| first(of).obligation = 9,
                |of| first(of).undo_ran = true,
                |of| first(of).ended = Some(false),
                |of| first(of).ended = Some(true),
                |of| _ = of.led.insert(7, 0),
                |of| first(of).effects[0].step = 9,
                |of| first(of).effects[0].site = SiteId(9),
                |of| first(of).effects[0].row.key = 9,
                |of| first(of).effects[0].net = 0,
                |of| first(of).effects[0].readers.push(51),
                |of| of.reads.clear(),
                |of| {
                    let seen = of.reads[&0].clone();
                    of.reads = [(1, seen)].into_iter().collect();
                },
                |of| of.findings[0][SagaMeasure::ALL.len() - 1].count = 1,
            ],
        );
    }
}
