//! Statistics of answers, each with its uncertainty.
//!
//! Answers are seen as a sample of what all buyers like those would have
//! answered. Every interval has a confidence of 95 %, two-sided, and speaks of
//! chance only: that those who did not answer think otherwise, no interval tells.
//!
//! The module [`estimates`] has one sample's numbers, [`differences`] tests two
//! samples, [`weighting`] makes a sample look like those who were asked, and
//! [`distributions`] has the probabilities under all of it.
#![expect(
    clippy::float_arithmetic,
    reason = "an estimate is a real number, shown with fewer digits than a float has; no money and no decision about it depends on the last one"
)]

pub mod differences;
pub mod distributions;
pub mod estimates;
pub mod weighting;

pub use differences::{Difference, adjusted, between_means, between_nps, between_shares};
pub use estimates::{Estimate, Recommending, Sample, Share};
pub use weighting::{Stratum, Weighted, moderated, weighted};

/// The quantile of the normal distribution at 97.5 %.
const Z: f64 = 1.959_963_984_540_054;

/// A probability below which a difference is taken for more than chance: what
/// is left of the confidence.
pub const LEVEL: f64 = 0.05;

/// A count as a real number: exact below 2^53, which no shop's counts reach.
fn real(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let real = count as f64;
    real
}
