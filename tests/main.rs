//! The tests that go through the public path.

mod front_end;
