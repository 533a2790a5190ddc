//! What one sample of answers says, and how surely.

use super::{Z, distributions::student_quantile, real};

/// How many pseudo-answers Rocks adds to a sample: a quarter of them to
/// promoters, a quarter to detractors, the rest to passives.
const PSEUDO: f64 = 3.0;

/// A number with its interval of 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// What was seen.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Estimate {
    /// In whole parts of so many to one: the value rounded, the interval never
    /// made smaller.
    #[must_use]
    pub fn parts(&self, of_one: u32) -> (i64, i64, i64) {
        // What is off a whole number by less is an error of the arithmetic.
        const SLACK: f64 = 1e-6;
        let of_one = f64::from(of_one);
        let low = (self.low * of_one + SLACK).floor();
        let high = (self.high * of_one - SLACK).ceil();
        (whole((self.value * of_one).round()), whole(low), whole(high))
    }
}

fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small")]
    let whole = value as i64;
    whole
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many are of the kind, at most [`Share::of`].
    pub part: u64,
    /// How many there are.
    pub of: u64,
}

impl Share {
    /// The share, with Wilson's score interval: with p of n and the quantile z,
    /// (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). It holds for few answers
    /// and for shares near 0 and 1 as well. None of none.
    ///
    /// E. B. Wilson, Probable Inference, the Law of Succession, and Statistical
    /// Inference, JASA 22, 1927; recommended by R. G. Newcombe, Two-sided
    /// confidence intervals for the single proportion, Statistics in Medicine 17,
    /// 1998 (method 3), and by L. D. Brown, T. T. Cai and A. DasGupta, Interval
    /// Estimation for a Binomial Proportion, Statistical Science 16, 2001.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        if self.of == 0 {
            return None;
        }
        let (p, n) = (self.value(), real(self.of));
        let middle = p + Z * Z / (2.0 * n);
        let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let whole = 1.0 + Z * Z / n;
        // At the ends of the scale the two terms are the same: what is left of
        // them is an error of the arithmetic.
        let low = if self.part == 0 { 0.0 } else { (middle - spread) / whole };
        let high = if self.part >= self.of { 1.0 } else { (middle + spread) / whole };
        Some(Estimate { value: p, low, high })
    }

    pub(super) fn value(&self) -> f64 {
        real(self.part.min(self.of)) / real(self.of.max(1))
    }
}

/// Answers to "how likely are you to recommend us", 0 to 10.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recommending {
    /// Those who answered 9 or 10.
    pub promoters: u64,
    /// Those who answered 7 or 8.
    pub passives: u64,
    /// Those who answered 6 or less.
    pub detractors: u64,
}

impl Recommending {
    /// How many answered.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.promoters.saturating_add(self.passives).saturating_add(self.detractors)
    }

    /// The Net Promoter Score, from -1 to 1: the share of promoters less that of
    /// detractors (F. F. Reichheld, The One Number You Need to Grow, Harvard
    /// Business Review, December 2003), with the adjusted Wald interval: three
    /// pseudo-answers are added, ¾ promoters and ¾ detractors among them, and
    /// the interval is that of the sum at z standard errors. Of six intervals it
    /// covers the true score best in small samples (B. Rocks, Interval Estimation
    /// for the "Net Promoter Score", The American Statistician 70, 2016). None of
    /// none.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        if self.count() == 0 {
            return None;
        }
        let (middle, error) = self.adjusted();
        let (low, high) = (middle - Z * error, middle + Z * error);
        Some(Estimate { value: self.value(), low: low.max(-1.0), high: high.min(1.0) })
    }

    /// The standard error of the score: √((p + d - (p - d)²) / n), because a
    /// score is the mean of answers that are 1, 0 and -1. None of none.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        let (p, d, n) = (real(self.promoters), real(self.detractors), real(self.count()));
        (self.count() > 0).then(|| error(p, d, n))
    }

    fn value(&self) -> f64 {
        (real(self.promoters) - real(self.detractors)) / real(self.count().max(1))
    }

    /// The score and its standard error with the pseudo-answers.
    pub(super) fn adjusted(&self) -> (f64, f64) {
        let p = real(self.promoters) + PSEUDO / 4.0;
        let d = real(self.detractors) + PSEUDO / 4.0;
        let n = real(self.count()) + PSEUDO;
        ((p - d) / n, error(p, d, n))
    }

    /// The answers as 1, 0 and -1.
    #[must_use]
    pub fn sample(&self) -> Option<Sample> {
        Sample::of([(1, self.promoters), (0, self.passives), (-1, self.detractors)])
    }
}

fn error(promoters: f64, detractors: f64, count: f64) -> f64 {
    let (p, d) = (promoters / count, detractors / count);
    ((p + d - (p - d) * (p - d)) / count).max(0.0).sqrt()
}

/// A sample of numbers, by what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their variance, as an estimate: the sum of squares over one less than
    /// their count. 0 of one.
    pub variance: f64,
}

impl Sample {
    /// The sample in which each value was seen so often. None if none was.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = (i16, u64)> + Clone) -> Option<Self> {
        let of = |(value, times): (i16, u64)| (f64::from(value), real(times));
        let count: u64 = values.clone().into_iter().map(|(_, times)| times).sum();
        if count == 0 {
            return None;
        }
        let n = real(count);
        let sum: f64 = values.clone().into_iter().map(of).map(|(value, times)| value * times).sum();
        let mean = sum / n;
        let squares = |(value, times): (f64, f64)| (value - mean) * (value - mean) * times;
        let squares: f64 = values.into_iter().map(of).map(squares).sum();
        let variance = if count > 1 { squares / (n - 1.0) } else { 0.0 };
        Some(Self { count, mean, variance })
    }

    /// The variance of the mean.
    pub(super) fn of_mean(&self) -> f64 {
        self.variance / real(self.count.max(1))
    }

    /// The mean, with Student's interval: mean ± t s/√n, within the scale
    /// ("Student", The Probable Error of a Mean, Biometrika 6, 1908; for rating
    /// scales J. Sauro and J. R. Lewis, Quantifying the User Experience, 2nd
    /// edition, 2016, chapter 3). None of fewer than two, and none if all of them
    /// are the same: nothing is known of how they vary then.
    #[must_use]
    pub fn estimate(&self, (least, most): (i16, i16)) -> Option<Estimate> {
        if self.count < 2 || self.variance <= 0.0 {
            return None;
        }
        let spread = student_quantile(real(self.count) - 1.0) * self.of_mean().sqrt();
        Some(Estimate {
            value: self.mean,
            low: (self.mean - spread).max(least.into()),
            high: (self.mean + spread).min(most.into()),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in crate::statistics) fn near(known: f64, published: f64, digits: i32) {
        let slack = 0.500_1 * 10_f64.powi(-digits);
        assert!((known - published).abs() <= slack, "{known} is not {published}");
    }

    fn share(part: u64, of: u64) -> Estimate {
        Share { part, of }.estimate().unwrap()
    }

    /// Newcombe, Two-sided confidence intervals for the single proportion, 1998,
    /// table I, method 3, as tests of other libraries for Wilson's interval cite
    /// it, all four alike; the paper itself was not at hand.
    #[test]
    fn shares_have_the_published_intervals() {
        for (part, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let known = share(part, of);
            near(known.low, low, 4);
            near(known.high, high, 4);
        }
        assert_eq!(Share { part: 0, of: 0 }.estimate(), None);
        assert_eq!(share(81, 263).parts(10_000), (3080, 2552, 3663));
        assert_eq!(share(20, 20).parts(10_000), (10_000, 8388, 10_000));
    }

    /// The worked answer to "How can I calculate margin of error in a NPS
    /// result?" (Cross Validated 18603): half promoters, a third passives, a sixth
    /// detractors have a variance of 5/9, which is a standard error of 4.1
    /// points for 324 answers.
    #[test]
    fn a_score_has_the_published_standard_error() {
        let seen = Recommending { promoters: 162, passives: 108, detractors: 54 };
        near(seen.standard_error().unwrap(), (5.0_f64 / 9.0 / 324.0).sqrt(), 12);
        near(100.0 * seen.standard_error().unwrap(), 4.1, 1);
        let known = seen.estimate().unwrap();
        near(known.value, 1.0 / 3.0, 12);
        // By hand: 162.75 and 54.75 of 327.
        near(known.low, 0.330_275 - Z * 0.041_237, 4);
        near(known.high, 0.330_275 + Z * 0.041_237, 4);
        assert_eq!(Recommending::default().estimate(), None);
        // Ten promoters are no proof that all buyers are.
        let all = Recommending { promoters: 10, ..Recommending::default() }.estimate().unwrap();
        near(all.low, 0.475, 3);
        near(all.high, 1.0, 12);
    }

    /// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.2: 195 readings of
    /// a heat flow meter, ZARR13.DAT.
    #[test]
    fn a_mean_has_the_published_interval() {
        let deviation: f64 = 0.022_789;
        let seen = Sample { count: 195, mean: 9.261_460, variance: deviation * deviation };
        let known = seen.estimate((0, 20)).unwrap();
        near(known.low, 9.258_242, 5);
        near(known.high, 9.264_679, 5);
        // By hand: 1, 2, 3, 4 and 5 stars once each.
        let stars = Sample::of([(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]).unwrap();
        assert_eq!((stars.count, stars.mean, stars.variance), (5, 3.0, 2.5));
        near(stars.estimate((1, 5)).unwrap().low, 3.0 - 2.7764 * 0.5_f64.sqrt(), 3);
        assert_eq!(Sample::of([(5, 0)]), None);
        assert_eq!(Sample::of([(5, 9)]).unwrap().estimate((1, 5)), None);
    }

    proptest! {
        #[test]
        fn an_interval_holds_what_was_seen_and_stays_on_the_scale(
            promoters in 0_u64..5_000, passives in 0_u64..5_000, detractors in 0_u64..5_000,
        ) {
            let seen = Recommending { promoters, passives, detractors };
            let of = seen.count();
            prop_assume!(of > 0);
            for (known, (least, most)) in [
                (seen.estimate(), (-1.0, 1.0)),
                (Share { part: promoters, of }.estimate(), (0.0, 1.0)),
                (seen.sample().and_then(|it| it.estimate((-1, 1))), (-1.0, 1.0)),
            ] {
                let Some(Estimate { value, low, high }) = known else { continue };
                prop_assert!(least <= low && low <= value && value <= high && high <= most);
            }
        }

        #[test]
        fn more_of_the_same_answers_are_surer(
            promoters in 0_u64..50, passives in 0_u64..50, detractors in 0_u64..50,
        ) {
            let seen = Recommending { promoters, passives, detractors };
            prop_assume!(seen.count() > 0);
            let more = Recommending {
                promoters: promoters * 4, passives: passives * 4, detractors: detractors * 4,
            };
            let width = |it: Recommending| it.estimate().map(|it| it.high - it.low).unwrap();
            prop_assert!(width(more) <= width(seen));
        }
    }
}
