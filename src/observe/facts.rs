//! How monitors encode what all of them speak of.
//!
//! Of what was found a monitor's state has whether, never how often: counts are meters.

use super::findings::Finding;
use crate::kernel::encoder::Encoder;
use crate::world::deed::{Part, RowName};

pub fn part(encoder: &mut Encoder, part: Part) {
    encoder.word(u64::from(part.site.0));
    encoder.word(part.item);
    encoder.flag(part.is_of_value);
}

pub fn row(encoder: &mut Encoder, row: RowName) {
    encoder.word(u64::from(row.table.0) << 32 | u64::from(row.instance));
    encoder.word(row.key);
}

/// Whether it was found, could have been, and will never be known.
pub fn finding(encoder: &mut Encoder, finding: &Finding) {
    encoder.flags(&[finding.count > 0, finding.exposures > 0, finding.unsettled > 0]);
}
