//! What happened, in a number: two runs that did the same have the same.

/// A digest of everything that happened so far, in order (FNV-1a of 64 bits:
/// it has to tell runs apart, not to withstand anybody).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace {
    digest: u64,
    shown: bool,
}

/// Where FNV-1a begins, and what it multiplies with.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl Trace {
    /// Nothing happened yet. What happens is also written to stderr, if it is to
    /// be shown.
    pub(crate) fn new(shown: bool) -> Self {
        Self { digest: BASIS, shown }
    }

    /// Adds something that happened.
    pub(crate) fn add(&mut self, what: &str) {
        for byte in what.bytes().chain([b'\n']) {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(PRIME);
        }
        if self.shown {
            use std::io::Write as _;
            // Nobody is told when nobody reads it.
            writeln!(std::io::stderr().lock(), "{what}").ok();
        }
    }

    /// The digest.
    pub(crate) fn digest(self) -> u64 {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_borders_count() {
        let digest = |texts: &[&str]| {
            let mut trace = Trace::new(false);
            texts.iter().for_each(|text| trace.add(text));
            trace.digest()
        };
        assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
        assert_ne!(digest(&["a", "b"]), digest(&["b", "a"]));
        assert_ne!(digest(&["ab"]), digest(&["a", "b"]));
    }
}
