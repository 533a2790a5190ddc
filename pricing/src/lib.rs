//! What a cart costs, and why: price rules, delivery and tax.
//!
//! Pure: no I/O, no AWS, no clock, no async. Everything is a function of the
//! cart, the shop's documents, what is known of the buyer, and the time.

pub mod delivery;
pub mod goods;
pub mod tax;

/// Pages of the docs whose examples the tests execute.
#[cfg(test)]
mod page {
    use std::{env, fs, path::Path};

    /// Compares a page of `docs/` with what the tests made of it.
    pub(crate) fn agrees(name: &str, made: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        if env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, made).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == made,
            "docs/{name} is out of date: run UPDATE=1 cargo test -p aftercart-pricing"
        );
    }
}
