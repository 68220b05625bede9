//! The integration tests, one crate: a storey a module.

mod report;
