//! What is known of sagas, in canonical words. One is called by its intent and its key, whoever leads it.

use super::super::ledger::Entry;
use super::{Record, SagaOracle, Sight};
use crate::kernel::encoder::Encoder;
use crate::observe::facts;

impl SagaOracle<'_> {
    /// What it knows now. Which rows are as sagas have left them follows from their effects.
    pub fn encode(&self, encoder: &mut Encoder) {
        let led = |at: usize| self.led.values().filter(|record| **record as usize == at).count();
        let records = self.records.iter().enumerate().filter_map(|(at, of)| Some((at, of.as_ref()?)));
        encoder.set(records, |encoder, (at, record)| {
            encode_name(encoder, record);
            encoder.word(record.obligation);
            encoder.flags(&[record.undo_ran, led(at) > 0]);
            encoder.option(record.ended.map(u64::from));
            encoder.set(&record.effects, |encoder, effect| {
                encoder.word(u64::from(effect.step) << 32 | u64::from(effect.site.0));
                facts::row(encoder, effect.row);
                encoder.word(effect.net as u64);
                encoder.set(&effect.readers, |encoder, reader| encoder.word(*reader));
            });
        });
        let reads = self.reads.iter().map(|(attempt, seen)| (*attempt, self.still_there(seen)));
        encoder.set(reads.filter(|(_, seen)| !seen.is_empty()), |encoder, (attempt, seen)| {
            encoder.attempt(attempt);
            encoder.set(seen, |encoder, (record, effect)| {
                encode_name(encoder, record);
                let effect = &record.effects[effect as usize];
                encoder.word(u64::from(effect.site.0));
                facts::row(encoder, effect.row);
            });
        });
        encoder.list(&self.findings, |encoder, of| encoder.list(of, facts::finding));
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
