//! Making a sample look like those who were asked.
//!
//! Who answers is not a fair sample of who was asked: regulars answer more often
//! than others. Where it is known how many of each group were asked, the groups
//! are given the weight that they have among those (post-stratification). It
//! removes what the groups explain of non-response, and nothing else.

use super::{
    distributions::student_quantile,
    estimates::{Estimate, Sample},
    real,
};

/// A group of those who were asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    /// How many were asked.
    pub asked: u64,
    /// What those who answered said.
    pub sample: Sample,
}

/// A weighted mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// The mean, with its interval.
    pub estimate: Estimate,
    /// The standard error.
    pub error: f64,
    /// How many unweighted answers would be as sure: what weights cost.
    pub effective: f64,
}

/// As many degrees of freedom as the variance of all answers has in that of a
/// group: few, so that it matters where a group has few answers itself.
const PRIOR: f64 = 2.0;

/// The groups, with variances that all answers moderate:
/// (d s² + d₀ s₀²) / (d + d₀), where s₀² is that of all answers together and d is
/// one less than the group's count (G. K. Smyth, Linear Models and Empirical Bayes
/// Methods for Assessing Differential Expression in Microarray Experiments,
/// Statistical Applications in Genetics and Molecular Biology 3, 2004, equation
/// for s̃², with a fixed d₀ of 2). Ten answers that are all the same do not say
/// that those who did not answer are the same too.
#[must_use]
pub fn moderated(mut strata: Vec<Stratum>) -> Vec<Stratum> {
    let count: f64 = strata.iter().map(|it| real(it.sample.count)).sum();
    if count < 2.0 {
        return strata;
    }
    let mean: f64 =
        strata.iter().map(|it| real(it.sample.count) * it.sample.mean).sum::<f64>() / count;
    let degrees = |it: &Stratum| (real(it.sample.count) - 1.0).max(0.0);
    let squares = |it: &Stratum| {
        let off = it.sample.mean - mean;
        degrees(it) * it.sample.variance + real(it.sample.count) * off * off
    };
    let of_all = strata.iter().map(squares).sum::<f64>() / (count - 1.0);
    for it in &mut strata {
        let degrees = degrees(it);
        it.sample.variance = (degrees * it.sample.variance + PRIOR * of_all) / (degrees + PRIOR);
    }
    strata
}

/// The mean of all who were asked: Σ Wₕ ȳₕ, where Wₕ is the group's share of
/// those asked. Its variance is Σ Wₕ² sₕ²/nₕ, that of the sample as it turned out
/// (D. Holt and T. M. F. Smith, Post Stratification, Journal of the Royal
/// Statistical Society A 142, 1979), its interval Student's with the degrees of
/// freedom of F. E. Satterthwaite, An Approximate Distribution of Estimates of
/// Variance Components, Biometrics Bulletin 2, 1946.
///
/// The effective number of answers is (Σ w)² / Σ w² over the answers' weights
/// (L. Kish, Survey Sampling, 1965, 11.7).
///
/// None if there is no group, if one of them has fewer than two answers (join it
/// with another), or if nothing varies.
#[must_use]
pub fn weighted(strata: &[Stratum], (least, most): (i16, i16)) -> Option<Weighted> {
    let asked: f64 = strata.iter().map(|it| real(it.asked)).sum();
    if strata.is_empty() || asked <= 0.0 || strata.iter().any(|it| it.sample.count < 2) {
        return None;
    }
    let (mut value, mut variance, mut against, mut squares) = (0.0, 0.0, 0.0, 0.0);
    for Stratum { asked: of, sample } in strata {
        let (share, count) = (real(*of) / asked, real(sample.count));
        let part = share * share * sample.of_mean();
        value += share * sample.mean;
        variance += part;
        against += part * part / (count - 1.0);
        // Each of its answers weighs share / count: together they weigh 1.
        squares += share * share / count;
    }
    if variance <= 0.0 {
        return None;
    }
    let (error, degrees) = (variance.sqrt(), variance * variance / against);
    let spread = student_quantile(degrees) * error;
    let (low, high) = ((value - spread).max(least.into()), (value + spread).min(most.into()));
    let estimate = Estimate { value, low, high };
    Some(Weighted { estimate, error, effective: 1.0 / squares })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::estimates::tests::near, *};

    fn stratum(asked: u64, count: u64, mean: f64, deviation: f64) -> Stratum {
        Stratum { asked, sample: Sample { count, mean, variance: deviation * deviation } }
    }

    /// Pennsylvania State University, STAT 506, lesson 6.3: 20 men of 180 lb and
    /// 80 women of 120 lb, who are half of all each; and its example 6-2: wholesale
    /// and retail accounts, 40 and 60 % of all.
    #[test]
    fn groups_weigh_what_they_are_among_those_who_were_asked() {
        let weight =
            weighted(&[stratum(50, 20, 180.0, 1.0), stratum(50, 80, 120.0, 1.0)], (0, 999));
        let weight = weight.unwrap();
        near(weight.estimate.value, 150.0, 9);
        // Weights of 2.5 and 0.625: 100² / (20 · 6.25 + 80 · 0.390625).
        near(weight.effective, 64.0, 9);
        let accounts =
            weighted(&[stratum(40, 70, 520.0, 210.0), stratum(60, 30, 280.0, 90.0)], (0, 999));
        let accounts = accounts.unwrap();
        near(accounts.estimate.value, 376.0, 9);
        near(accounts.error, 198.0_f64.sqrt(), 9);
        for none in [
            &[][..],
            &[stratum(5, 1, 3.0, 0.0), stratum(9, 9, 3.0, 1.0)],
            &[stratum(9, 9, 3.0, 0.0)],
            &[stratum(0, 9, 3.0, 1.0)],
        ] {
            assert_eq!(weighted(none, (1, 5)), None);
        }
    }

    /// By hand: 1, 1, 5 and 5 have a mean of 3 and a variance of 16/3.
    #[test]
    fn groups_without_variance_take_that_of_all_answers() {
        let alike = vec![stratum(50, 2, 1.0, 0.0), stratum(50, 2, 5.0, 0.0)];
        assert_eq!(weighted(&alike, (1, 5)), None);
        let moderate = moderated(alike);
        near(moderate[0].sample.variance, 2.0 * (16.0 / 3.0) / 3.0, 12);
        near(moderate[1].sample.variance, 2.0 * (16.0 / 3.0) / 3.0, 12);
        let known = weighted(&moderate, (1, 5)).unwrap();
        near(known.estimate.value, 3.0, 12);
        // Of answers that are all the same, nothing is known still.
        assert_eq!(weighted(&moderated(vec![stratum(9, 9, 5.0, 0.0); 2]), (1, 5)), None);
        assert_eq!(moderated(vec![]), vec![]);
    }

    proptest! {
        /// Variances come nearer to one another, and none is 0 where answers differ.
        #[test]
        fn moderated_groups_vary_where_answers_do(
            groups in prop::collection::vec((0_u64..50, 0_u64..50), 1..5),
        ) {
            let strata: Vec<Stratum> = groups
                .iter()
                .filter_map(|(a, b)| Sample::of([(0, *a), (1, *b)]))
                .map(|sample| Stratum { asked: sample.count, sample })
                .collect();
            let is_mixed = groups.iter().any(|it| it.0 > 0) && groups.iter().any(|it| it.1 > 0);
            for (before, after) in strata.iter().zip(moderated(strata.clone())) {
                prop_assert!((after.sample.variance > 0.0) == is_mixed);
                prop_assert_eq!(before.sample.mean, after.sample.mean);
            }
        }

        /// Where each group answered as often as any, weights change nothing.
        #[test]
        fn a_fair_sample_stays_as_it_is(
            groups in prop::collection::vec((2_u64..50, 1_u64..50, 1_u64..50), 1..5),
            times in 1_u64..9,
        ) {
            let sample = |(a, b, c): &(u64, u64, u64)| Sample::of([(1, *a), (2, *b), (5, *c)]).unwrap();
            let strata: Vec<Stratum> = groups
                .iter()
                .map(|it| Stratum { asked: sample(it).count * times, sample: sample(it) })
                .collect();
            let all = groups.iter().fold((0, 0, 0), |(a, b, c), it| (a + it.0, b + it.1, c + it.2));
            let known = weighted(&strata, (1, 5)).unwrap();
            prop_assert!((known.estimate.value - sample(&all).mean).abs() < 1e-9);
            let count = strata.iter().map(|it| it.sample.count).sum::<u64>();
            prop_assert!((known.effective - real(count)).abs() < 1e-6 * real(count));
        }
    }
}
