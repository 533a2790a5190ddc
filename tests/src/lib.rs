//! The tests are in `tests/`, one binary for all of them.
