//! Chance, drawn from a seed.

use fastrand::Rng;

/// Dice: the same seed, the same throws.
#[derive(Debug, Clone)]
pub(crate) struct Dice(Rng);

impl Dice {
    /// Dice of a seed, for one purpose: dice for another purpose fall otherwise.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        Self(Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose))
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u16) -> bool {
        self.0.u16(0..1_000) < per_mille
    }

    /// A number from 0, below this one; 0 if there is none below it.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { self.0.usize(0..end) }
    }

    /// A number of these, both ends included.
    pub(crate) fn between(&mut self, least: u32, most: u32) -> u32 {
        self.0.u32(least..=most.max(least))
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let position = self.below(of.len());
        of.get(position)
    }

    /// One of these texts; nothing if there is none.
    pub(crate) fn word(&mut self, of: &[&'static str]) -> &'static str {
        self.pick(of).copied().unwrap_or_default()
    }
}
