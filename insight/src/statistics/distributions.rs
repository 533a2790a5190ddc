//! Probabilities of the normal and of Student's distribution.

use super::{LEVEL, Z};

/// From so many degrees of freedom on, Student's distribution is taken for the
/// normal one: its quantile at 97.5 % differs by less than 0.00003.
const AS_GOOD_AS_NORMAL: f64 = 100_000.0;

/// The most steps of the continued fraction; it needs some hundreds at most
/// below [`AS_GOOD_AS_NORMAL`].
const STEPS: u32 = 10_000;

/// Below this, a term changes no digit of a result.
const TINY: f64 = 1e-15;

/// The most halvings of an interval: then it has no inner point any more.
const HALVINGS: u32 = 64;

/// How likely a normally distributed value is at least this far from its mean,
/// in standard deviations, on either side. The error is below 0.0000002
/// (M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, 1964,
/// 26.2.17).
#[must_use]
pub fn normal_tails(deviation: f64) -> f64 {
    let x = deviation.abs();
    let t = 1.0 / (1.0 + 0.231_641_9 * x);
    let coefficients =
        [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530];
    let polynomial = coefficients.iter().fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (2.0 * density * polynomial).clamp(0.0, 1.0)
}

/// How likely a value with Student's distribution is at least this far from
/// zero, on either side: I(ν / (ν + t²); ν/2, 1/2), the regularised incomplete
/// beta function (Abramowitz and Stegun, 26.7.1). `degrees` need not be whole.
#[must_use]
pub fn student_tails(t: f64, degrees: f64) -> f64 {
    if degrees >= AS_GOOD_AS_NORMAL {
        return normal_tails(t);
    }
    incomplete_beta(degrees / (degrees + t * t), degrees / 2.0, 0.5)
}

/// The quantile of Student's distribution at 97.5 %: what the normal one's 1.96
/// is for a sample whose variance is an estimate itself ("Student", The Probable
/// Error of a Mean, Biometrika 6, 1908).
#[must_use]
pub fn student_quantile(degrees: f64) -> f64 {
    if degrees >= AS_GOOD_AS_NORMAL {
        return Z;
    }
    let (mut low, mut high) = (Z, 2.0 * Z);
    while student_tails(high, degrees) > LEVEL && high.is_finite() {
        high *= 2.0;
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if student_tails(middle, degrees) > LEVEL { low = middle } else { high = middle }
    }
    high
}

/// The regularised incomplete beta function, by its continued fraction, from
/// the side on which that converges fast (Abramowitz and Stegun, 26.5.8 and
/// 26.5.2; evaluated by the method of W. J. Lentz, Applied Optics 15, 1976).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front =
        (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |value: f64| if value.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { value };
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut result) = (1.0, d);
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = result;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            result *= c * d;
        }
        if (result - before).abs() <= TINY * result.abs() {
            break;
        }
    }
    result
}

/// The logarithm of the gamma function of a positive number (C. Lanczos, A
/// Precision Approximation of the Gamma Function, SIAM Journal on Numerical
/// Analysis B 1, 1964, with the coefficients for g = 7 and nine terms).
fn ln_gamma(x: f64) -> f64 {
    const G: f64 = 7.0;
    const FIRST: f64 = 0.999_999_999_999_809_9;
    const REST: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let (series, _) = REST
        .iter()
        .fold((FIRST, x), |(sum, below), coefficient| (sum + coefficient / below, below + 1.0));
    let t = x - 1.0 + G + 0.5;
    (2.0 * std::f64::consts::PI).ln() / 2.0 + (x - 0.5) * t.ln() - t + series.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of the NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (degrees, quantile) in [
            (1.0, 12.706),
            (2.0, 4.303),
            (3.0, 3.182),
            (4.0, 2.776),
            (5.0, 2.571),
            (9.0, 2.262),
            (10.0, 2.228),
            (29.0, 2.045),
            (30.0, 2.042),
            (60.0, 2.000),
            (100.0, 1.984),
            (1e9, 1.960),
        ] {
            let known = student_quantile(degrees);
            assert!((known - quantile).abs() <= 0.000_51, "{degrees}: {known}");
        }
        for (deviation, tails) in [(0.0, 1.0), (1.0, 0.317_311), (Z, 0.05), (3.0, 0.002_700)] {
            let known = normal_tails(deviation);
            assert!((known - tails).abs() < 1e-6, "{deviation}: {known}");
            assert!((student_tails(deviation, 99_999.0) - tails).abs() < 1e-5, "{deviation}");
        }
    }
}
