//! The regularised incomplete beta function: the distribution function of Beta(a, b).
//!
//! Source: NIST Digital Library of Mathematical Functions, equations 8.17.4 and 8.17.22; Press et
//! al. (2007), Numerical Recipes, chapter 6.4.

use super::{ln_gamma, ln_rising};

/// I(a, b; z) for one pair a, b > 0 and many z.
///
/// # Numerics
/// z is given by its odds z / (1 − z), so that neither z near 0 nor z near 1 loses digits. The
/// relative error is about 1e-15 (a + b), the rounding of the density's logarithm.
#[derive(Debug, Clone, Copy)]
pub struct IncompleteBeta {
    a: f64,
    b: f64,
    /// −ln B(a, b)
    ln_scale: f64,
    tolerance: f64,
}

/// The most steps of the continued fraction, which needs about √max(a, b).
const MOST_STEPS: u32 = 20_000;

impl IncompleteBeta {
    /// For Beta(a, b), a, b > 0.
    pub fn new(a: f64, b: f64) -> Self {
        // The larger argument rises by the smaller one: nothing large cancels.
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        Self {
            a,
            b,
            ln_scale: ln_rising(high, low) - ln_gamma(low),
            tolerance: f64::EPSILON,
        }
    }

    /// The same with a larger relative error, faster.
    #[must_use]
    pub fn with_tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// ln I(a, b; z) − a ln(z / (1 − z)) in the limit of small z.
    pub fn ln_asymptote(&self) -> f64 {
        self.ln_scale - self.a.ln()
    }

    /// P(Z ≤ z) and the density of ln(Z / (1 − Z)) at z, for odds z / (1 − z) ≥ 0.
    pub fn at(&self, odds: f64) -> (f64, f64) {
        let Self {
            a,
            b,
            ln_scale,
            tolerance,
        } = *self;
        if odds <= 0.0 {
            return (0.0, 0.0);
        }
        // ln z and ln(1 − z)
        let (ln_z, ln_rest) = (-(1.0 / odds).ln_1p(), -odds.ln_1p());
        let density = (ln_scale + a * ln_z + b * ln_rest).exp();
        let (z, rest) = (ln_z.exp(), ln_rest.exp());
        let share = if z * (a + b + 2.0) < a + 1.0 {
            density / a * continued_fraction(a, b, z, tolerance)
        } else {
            1.0 - density / b * continued_fraction(b, a, rest, tolerance)
        };
        (share, density)
    }
}

/// 1 / (1 + d₁ / (1 + d₂ / …)), equation 8.17.22, by the recurrences of its numerators and
/// denominators, which are scaled to a denominator of 1 after every second step.
fn continued_fraction(a: f64, b: f64, z: f64, tolerance: f64) -> f64 {
    let mut value = 1.0 / (1.0 - (a + b) * z / (a + 1.0));
    let (mut numerator_before, mut denominator_before) = (value, value);
    for m in (1..=MOST_STEPS).map(f64::from) {
        let middle = a + 2.0 * m;
        let factor = z / (middle * (middle - 1.0) * (middle + 1.0));
        let even = m * (b - m) * (middle + 1.0) * factor;
        let odd = -(a + m) * (a + b + m) * (middle - 1.0) * factor;
        let numerator = value + even * numerator_before;
        let denominator = 1.0 + even * denominator_before;
        let scale = 1.0 / (denominator + odd);
        (numerator_before, denominator_before) = (numerator * scale, denominator * scale);
        let next = (numerator + odd * value) * scale;
        let is_done = (next - value).abs() < tolerance * next.abs();
        value = next;
        if is_done {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mpmath, 40 digits: a, b, odds, betainc(a, b, 0, odds / (1 + odds), regularized=True).
    const POINTS: [(f64, f64, f64, f64); 9] = [
        (0.5, 3.0, 0.01, 0.185_341_649_359_670_66),
        (0.5, 3.0, 2.0, 0.986_600_035_287_669),
        (3.0, 0.5, 1e-6, 3.124_991_796_889_765_2e-19),
        (1.0, 0.243, 9.0, 0.428_521_363_328_132_95),
        (1.0, 0.001, 50.0, 0.003_924_106_126_885_631),
        (7.0, 2.3, 0.4, 0.001_401_354_021_991_754_4),
        (200.0, 30.0, 5.0, 0.058_470_890_001_245_083),
        (200.0, 30.0, 8.0, 0.805_297_183_256_251_7),
        (10_000.0, 10_000.0, 1.01, 0.759_154_184_176_702_8),
    ];

    #[test]
    fn shares_match_mpmath() {
        for (a, b, odds, expected) in POINTS {
            let share = IncompleteBeta::new(a, b).at(odds).0;
            let error = share / expected - 1.0;
            let bound = 1e-13 + 1e-15 * (a + b);
            assert!(error.abs() < bound, "I({a}, {b}) at {odds}: {error:e}");
        }
    }

    #[test]
    fn density_is_the_slope_of_the_share() {
        for (a, b) in [(0.3, 4.0), (2.0, 2.0), (40.0, 0.7)] {
            let beta = IncompleteBeta::new(a, b);
            for ln_odds in [-3.0_f64, -0.2, 0.0, 1.3, 4.0] {
                let share = |step: f64| beta.at((ln_odds + step).exp()).0;
                let slope = (share(1e-5) - share(-1e-5)) / 2e-5;
                let density = beta.at(ln_odds.exp()).1;
                assert!(
                    (slope - density).abs() < 1e-8,
                    "{a}, {b}: {slope} {density}"
                );
            }
        }
    }

    #[test]
    fn ends_of_the_range_are_0_and_1() {
        let beta = IncompleteBeta::new(0.5, 3.0);
        assert!(beta.at(0.0).0.abs() < f64::MIN_POSITIVE);
        assert!((beta.at(f64::INFINITY).0 - 1.0).abs() < f64::EPSILON);
    }
}
