//! The integration tests, one crate: a storey a module.

mod report;
//! The tests that go through the public path.

mod front_end;
