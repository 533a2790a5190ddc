//! The messages' schema is a contract with everybody who reads a queue.

use std::{env, fs, path::Path};

use aftercart::messages::{Envelope, Queue};
use schemars::schema_for;

#[test]
fn the_schema_is_the_one_that_was_agreed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/messages.schema.json");
    let made = format!("{:#}\n", schema_for!(Envelope).to_value());
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "shared/messages.schema.json differs: a change that an older reader would misread needs \
         another edition; if this one does not, run UPDATE=1 cargo test -p aftercart-tests"
    );
}

#[test]
fn every_queue_is_named_after_its_variable() {
    for queue in Queue::ALL {
        let name = queue.name().replace('-', "_").to_ascii_uppercase();
        assert_eq!(queue.variable(), format!("{name}_QUEUE_URL"));
    }
}
