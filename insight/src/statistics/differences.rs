//! Whether two samples differ by more than chance.
//!
//! The samples are of different people: nobody is in both.

use super::{
    Z,
    distributions::{normal_tails, student_quantile, student_tails},
    estimates::{Recommending, Sample, Share},
    real,
};

/// By how much the first of two samples is above the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The estimate; it lies in the interval.
    pub value: f64,
    /// The lower end of the interval of 95 % confidence.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How likely samples of the same people differ as much, or more.
    pub p: f64,
}

/// The difference of two shares, with Newcombe's hybrid score interval, which is
/// made of the two intervals of Wilson: d - √((p₁-l₁)² + (u₂-p₂)²) to
/// d + √((u₁-p₁)² + (p₂-l₂)²) (R. G. Newcombe, Interval estimation for the
/// difference between independent proportions, Statistics in Medicine 17, 1998,
/// method 10); the probability is that of the score test, with the share of both
/// together (the root of Pearson's chi-squared). None if either is of none.
#[must_use]
pub fn between_shares(first: Share, second: Share) -> Option<Difference> {
    let (one, two) = (first.estimate()?, second.estimate()?);
    let value = one.value - two.value;
    let root = |a: f64, b: f64| (a * a + b * b).sqrt();
    let both = Share {
        part: first.part.saturating_add(second.part),
        of: first.of.saturating_add(second.of),
    };
    let p = both.value();
    let variance = p * (1.0 - p) * (1.0 / real(first.of) + 1.0 / real(second.of));
    Some(Difference {
        value,
        low: value - root(one.value - one.low, two.high - two.value),
        high: value + root(one.high - one.value, two.value - two.low),
        // If all are of the kind, or none is, the shares are the same.
        p: if variance > 0.0 { normal_tails(value / variance.sqrt()) } else { 1.0 },
    })
}

/// The difference of two Net Promoter Scores, each with the pseudo-answers of its
/// adjusted Wald interval: θ₁' - θ₂' ± z √(e₁'² + e₂'²), and the probability at
/// that standard error (J. R. Lewis and J. Sauro, How to Statistically Compare
/// Two Net Promoter Scores, MeasuringU, 2021, after Rocks). The value is θ₁' - θ₂'
/// too, nearer to 0 than the difference of the scores as they were seen: of few
/// and unanimous answers that one lies outside of the interval. None if either is
/// of none.
#[must_use]
pub fn between_nps(first: &Recommending, second: &Recommending) -> Option<Difference> {
    if first.count() == 0 || second.count() == 0 {
        return None;
    }
    let ((one, of_one), (two, of_two)) = (first.adjusted(), second.adjusted());
    let (value, error) = (one - two, (of_one * of_one + of_two * of_two).sqrt());
    let (low, high) = (value - Z * error, value + Z * error);
    Some(Difference {
        value,
        low: low.max(-2.0),
        high: high.min(2.0),
        p: normal_tails(value / error),
    })
}

/// The difference of two means by Welch's test, which does not take the
/// variances for equal, with the degrees of freedom of Satterthwaite (B. L.
/// Welch, The generalization of "Student's" problem when several different
/// population variances are involved, Biometrika 34, 1947). None if either has
/// fewer than two numbers, or neither varies.
#[must_use]
pub fn between_means(first: &Sample, second: &Sample) -> Option<Difference> {
    let (of_one, of_two) = (first.of_mean(), second.of_mean());
    let variance = of_one + of_two;
    if first.count < 2 || second.count < 2 || variance <= 0.0 {
        return None;
    }
    let part = |of: f64, count: u64| of * of / (real(count) - 1.0);
    let degrees = variance * variance / (part(of_one, first.count) + part(of_two, second.count));
    let (value, error) = (first.mean - second.mean, variance.sqrt());
    let spread = student_quantile(degrees) * error;
    Some(Difference {
        value,
        low: value - spread,
        high: value + spread,
        p: student_tails(value / error, degrees),
    })
}

/// The probabilities of several tests of one question, in their order, each as
/// it would have to be if it were the only one: who looks at twenty carriers
/// finds one that differs by chance (S. Holm, A Simple Sequentially Rejective
/// Multiple Test Procedure, Scandinavian Journal of Statistics 6, 1979).
#[must_use]
pub fn adjusted(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = probabilities.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut result: Vec<(usize, f64)> = Vec::with_capacity(order.len());
    let mut greatest = 0.0_f64;
    for ((place, p), left) in order.into_iter().zip((1..=probabilities.len()).rev()) {
        let times = real(u64::try_from(left).unwrap_or(u64::MAX));
        greatest = greatest.max((p * times).min(1.0));
        result.push((place, greatest));
    }
    result.sort_by_key(|(place, _)| *place);
    result.into_iter().map(|(_, p)| p).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::estimates::tests::near, *};

    /// Newcombe, Interval estimation for the difference between independent
    /// proportions, 1998, table II, method 10. The first, second and seventh are
    /// as the tests of R's DescTools (`BinomDiffCI`, "score") cite them; the
    /// paper itself was not at hand.
    #[test]
    fn shares_differ_as_published() {
        for ((a, m), (b, n), low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((0, 10), (0, 10), -0.2775, 0.2775),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((10, 10), (0, 10), 0.6075, 1.0),
            // Not of the table, but cited along with it by the tests of DescTools.
            ((84, 101), (89, 105), -0.1177, 0.0851),
        ] {
            let share = |part, of| Share { part, of };
            let known = between_shares(share(a, m), share(b, n)).unwrap();
            near(known.low, low, 4);
            near(known.high, high, 4);
        }
    }

    /// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.3 (miles per
    /// gallon, AUTO83B.DAT) and the sleep data of "Student", 1908, as R's
    /// `t.test(extra ~ group, data = sleep)` prints them.
    #[test]
    fn means_differ_as_published() {
        let sample =
            |count, mean, deviation: f64| Sample { count, mean, variance: deviation * deviation };
        let cars = between_means(&sample(249, 20.14458, 6.41470), &sample(79, 30.48101, 6.10771));
        let cars = cars.unwrap();
        near(cars.value, -10.33643, 5);
        assert!(cars.p < 1e-9);
        let sleep = between_means(&sample(10, 0.75, 1.789_010), &sample(10, 2.33, 2.002_249));
        let sleep = sleep.unwrap();
        near(sleep.low, -3.365_483, 5);
        near(sleep.high, 0.205_483, 5);
        near(sleep.p, 0.079_39, 5);
        assert_eq!(between_means(&sample(9, 5.0, 0.0), &sample(9, 5.0, 0.0)), None);
        assert_eq!(between_means(&sample(1, 5.0, 0.0), &sample(9, 4.0, 1.0)), None);
    }

    /// By hand, after the published formula: 16 promoters and 5 detractors of 36
    /// against 11 and 9 of 31.
    #[test]
    fn scores_differ_as_their_formula_says() {
        let seen =
            |promoters, passives, detractors| Recommending { promoters, passives, detractors };
        let (first, second) = (seen(16, 15, 5), seen(11, 11, 9));
        let known = between_nps(&first, &second).unwrap();
        let (one, two) = (11.0 / 39.0, 2.0 / 34.0);
        near(known.value, one - two, 12);
        let error =
            ((22.5 / 39.0 - one * one) / 39.0 + (21.5 / 34.0 - two * two) / 34.0_f64).sqrt();
        near(known.low, one - two - Z * error, 9);
        near(known.high, one - two + Z * error, 9);
        near(known.p, normal_tails((one - two) / error), 9);
        assert_eq!(between_nps(&first, &Recommending::default()), None);
    }

    /// The example of Wikipedia's article on the method, and that of R's
    /// `p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")`.
    #[test]
    fn many_tests_are_held_to_more() {
        for (given, published) in [
            (vec![0.01, 0.04, 0.03, 0.005], vec![0.03, 0.06, 0.06, 0.02]),
            (vec![0.01, 0.02, 0.03, 0.04, 0.05], vec![0.05, 0.08, 0.09, 0.09, 0.09]),
            (vec![], vec![]),
        ] {
            let known = adjusted(&given);
            assert_eq!(known.len(), published.len());
            known.iter().zip(&published).for_each(|(known, published)| near(*known, *published, 9));
        }
    }

    fn recommending() -> impl Strategy<Value = Recommending> {
        let few = || prop_oneof![0_u64..3, 0_u64..200];
        let seen =
            |(promoters, passives, detractors)| Recommending { promoters, passives, detractors };
        (few(), few(), few()).prop_map(seen)
    }

    proptest! {
        #[test]
        fn a_difference_lies_in_its_interval(one in recommending(), two in recommending()) {
            let share = |it: Recommending| Share { part: it.promoters, of: it.count() };
            let sample = |it: Recommending| it.sample();
            let means = sample(one).zip(sample(two));
            for difference in [
                between_nps(&one, &two),
                between_shares(share(one), share(two)),
                means.and_then(|(one, two)| between_means(&one, &two)),
            ] {
                let Some(Difference { value, low, high, p }) = difference else { continue };
                prop_assert!(low <= value && value <= high, "{low} {value} {high}");
                prop_assert!((0.0..=1.0).contains(&p));
            }
        }
    }
}
