//! Joins a target to libFuzzer.

pub use libfuzzer_sys;

use aftercart_fuzz::{Target, mutate};
use libfuzzer_sys::fuzzer_mutate;

/// The `main` of a target. A finding is a panic, as libFuzzer wants it.
#[macro_export]
macro_rules! target {
    ($target:expr) => {
        $crate::libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::hold(&$target, input));

        $crate::libfuzzer_sys::fuzz_mutator!(
            |input: &mut [u8], size: usize, max_size: usize, seed: u32| {
                $crate::change(input, size, max_size, seed)
            }
        );
    };
}

/// Looks what becomes of an input.
///
/// # Panics
/// When something does not hold.
pub fn hold(target: &Target, input: &[u8]) {
    if let Err(finding) = (target.check)(input) {
        panic!("{}: {finding}", target.name);
    }
}

/// Changes an input in its place, by libFuzzer's way or by ours, which knows
/// JSON; the length that it has then.
pub fn change(input: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if seed.is_multiple_of(2) {
        return fuzzer_mutate(input, size, max_size);
    }
    let known = input.get(..size).unwrap_or_default();
    let changed = mutate(known, known, seed.into());
    let length = changed.len().min(max_size).min(input.len());
    let (into, from) = (input.get_mut(..length), changed.get(..length));
    if let (Some(into), Some(from)) = (into, from) {
        into.copy_from_slice(from);
    }
    length
}
