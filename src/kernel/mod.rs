//! The kernel imports nothing: time, ids, distributions, streams, the event list and the agenda.

pub mod agenda;
pub mod anomaly;
pub mod consumption;
pub mod discrete;
pub mod distribution;
pub mod encoder;
pub mod event_list;
pub mod fingerprint;
pub mod gamma;
pub mod hash;
pub mod ids;
pub mod sampler;
pub mod special;
pub mod stream;
pub mod time;
pub mod until;
pub mod vocabulary;
