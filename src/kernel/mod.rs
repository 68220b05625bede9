//! The kernel imports nothing: time, ids, distributions, streams, the event list and the agenda.

pub mod distribution;
pub mod event_list;
pub mod ids;
pub mod time;
