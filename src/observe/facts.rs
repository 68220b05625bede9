//! How monitors encode what all of them speak of.
//!
//! Of what was found a monitor's state has whether, never how often: counts are meters.

use super::findings::Finding;
use crate::kernel::encoder::Encoder;
use crate::world::deed::{Part, RowName};

pub fn part(encoder: &mut Encoder, Part { site, item, is_of_value }: Part) {
    encoder.word(u64::from(site.0));
    encoder.word(item);
    encoder.flag(is_of_value);
}

pub fn row(encoder: &mut Encoder, RowName { table, key, instance }: RowName) {
    encoder.word(u64::from(table.0) << 32 | u64::from(instance));
    encoder.word(key);
}

/// Whether it was found, could have been, and will never be known.
pub fn finding(encoder: &mut Encoder, finding: &Finding) {
    // Of how many it is a share is counted where it is found; where it was first and what is said of it is evidence.
    let Finding { count, exposures, under_fault, of: _, unsettled, first: _, caveat: _ } = finding;
    let came_under_fault = under_fault.is_some_and(|exposures| exposures > 0);
    encoder.flags(&[*count > 0, *exposures > 0, came_under_fault, *unsettled > 0]);
}
