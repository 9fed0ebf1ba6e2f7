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
}

/// The most steps of the continued fraction, which needs about √max(a, b).
const MOST_STEPS: u32 = 20_000;
/// With a smaller density, the share of one side is none of the other's digits.
const NEGLIGIBLE: f64 = 1e-20;

impl IncompleteBeta {
    /// For Beta(a, b), a, b > 0.
    pub fn new(a: f64, b: f64) -> Self {
        Self::with_ln_gamma(a, b, ln_gamma(b))
    }

    /// The same when ln Γ(b) is known.
    fn with_ln_gamma(a: f64, b: f64, ln_gamma_b: f64) -> Self {
        // The larger argument rises by the smaller one: nothing large cancels.
        let ln_scale = if a < b {
            ln_rising(b, a) - ln_gamma(a)
        } else {
            ln_rising(a, b) - ln_gamma_b
        };
        Self { a, b, ln_scale }
    }

    /// ln I(a, b; z) − a ln(z / (1 − z)) in the limit of small z.
    pub fn ln_asymptote(&self) -> f64 {
        self.ln_scale - self.a.ln()
    }

    /// P(Z ≤ z) and the density of ln(Z / (1 − Z)) at z, for odds z / (1 − z) ≥ 0.
    pub fn at(&self, odds: f64) -> (f64, f64) {
        if odds <= 0.0 {
            return (0.0, 0.0);
        }
        let at = Place::new(odds, self.b);
        let density = at.densities([self.a], [self.ln_scale]);
        let [share] = at.shares([self.a], density, [f64::EPSILON]);
        (share, density[0])
    }
}

/// Parts of a mixture that are evaluated at once.
const LANES: usize = 4;

/// A mixture of beta variables Z ~ Beta(a, b) of many a and one b.
#[derive(Debug, Clone)]
pub struct BetaMixture {
    b: f64,
    parts: Vec<Parts>,
}

#[derive(Debug, Clone, Copy)]
struct Parts {
    weight: [f64; LANES],
    a: [f64; LANES],
    ln_scale: [f64; LANES],
}

/// The distribution of ln(Z / (1 − Z)) at a point.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Distribution {
    /// The probability of no more.
    pub share: f64,
    /// The density and its first two derivatives.
    pub density: [f64; 3],
}

impl BetaMixture {
    /// For pairs of weight and a.
    pub fn new(parts: &[(f64, f64)], b: f64) -> Self {
        let ln_gamma_b = ln_gamma(b);
        let lanes = |parts: &[(f64, f64)]| {
            // Lanes without a part repeat the last one, which then counts nothing.
            let a = std::array::from_fn(|i| parts[i.min(parts.len() - 1)].1);
            Parts {
                weight: std::array::from_fn(|i| parts.get(i).map_or(0.0, |part| part.0)),
                a,
                ln_scale: a.map(|a| IncompleteBeta::with_ln_gamma(a, b, ln_gamma_b).ln_scale),
            }
        };
        Self {
            b,
            parts: parts.chunks(LANES).map(lanes).collect(),
        }
    }

    /// The distribution of ln(Z / (1 − Z)) at z, for odds z / (1 − z) > 0. The share's error is
    /// about `tolerance` for each part at most.
    ///
    /// # Formula
    /// For one part f′ = f g and f″ = f (g² + g′), g = a (1 − z) − b z, g′ = −(a + b) z (1 − z)
    pub fn at(&self, odds: f64, tolerance: f64) -> Distribution {
        let at = Place::new(odds, self.b);
        let mut sum = Distribution::default();
        for Parts {
            weight,
            a,
            ln_scale,
        } in &self.parts
        {
            let densities = at.densities(*a, *ln_scale);
            let weighted: [f64; LANES] = std::array::from_fn(|i| weight[i] * densities[i]);
            let tolerances = std::array::from_fn(|i| tolerance * self.b.min(a[i]) / weighted[i]);
            let shares = at.shares(*a, densities, tolerances);
            for i in 0..LANES {
                let slope = a[i] * at.rest - self.b * at.z;
                let curvature = (a[i] + self.b) * at.z * at.rest;
                sum.share += weight[i] * shares[i];
                sum.density[0] += weighted[i];
                sum.density[1] += weighted[i] * slope;
                sum.density[2] += weighted[i] * (slope * slope - curvature);
            }
        }
        sum
    }
}

/// What beta variables of one b have in common at one z.
struct Place {
    z: f64,
    /// 1 − z
    rest: f64,
    ln_z: f64,
    ln_rest: f64,
    b: f64,
}

impl Place {
    fn new(odds: f64, b: f64) -> Self {
        let (ln_z, ln_rest) = (-(1.0 / odds).ln_1p(), -odds.ln_1p());
        Self {
            z: ln_z.exp(),
            rest: ln_rest.exp(),
            ln_z,
            ln_rest,
            b,
        }
    }

    /// The densities of ln(Z / (1 − Z)).
    fn densities<const L: usize>(&self, a: [f64; L], ln_scale: [f64; L]) -> [f64; L] {
        std::array::from_fn(|i| (ln_scale[i] + a[i] * self.ln_z + self.b * self.ln_rest).exp())
    }

    /// P(Z ≤ z), the smaller one of it and the rest within the relative `tolerance`.
    fn shares<const L: usize>(
        &self,
        a: [f64; L],
        density: [f64; L],
        tolerance: [f64; L],
    ) -> [f64; L] {
        let b = self.b;
        // The side of z on which the continued fraction is short.
        let is_low: [bool; L] = std::array::from_fn(|i| self.z * (a[i] + b + 2.0) < a[i] + 1.0);
        let near: [f64; L] = std::array::from_fn(|i| if is_low[i] { a[i] } else { b });
        let far: [f64; L] = std::array::from_fn(|i| if is_low[i] { b } else { a[i] });
        let z: [f64; L] = std::array::from_fn(|i| if is_low[i] { self.z } else { self.rest });
        let fraction = if density.iter().all(|density| *density < NEGLIGIBLE) {
            [1.0; L]
        } else {
            continued_fractions(near, far, z, tolerance)
        };
        std::array::from_fn(|i| {
            let share = density[i] / near[i] * fraction[i];
            if is_low[i] { share } else { 1.0 - share }
        })
    }
}

/// 1 / (1 + d₁ / (1 + d₂ / …)), equation 8.17.22, for L triples of a, b and z at once, whose
/// divisions need not wait for each other.
///
/// # Numerics
/// The recurrences of numerators and denominators, scaled to a denominator of 1 after every second
/// step; both are multiplied with (a + 2 m − 1) (a + 2 m) (a + 2 m + 1), by which dₙ are divided.
fn continued_fractions<const L: usize>(
    a: [f64; L],
    b: [f64; L],
    z: [f64; L],
    tolerance: [f64; L],
) -> [f64; L] {
    let mut value: [f64; L] =
        std::array::from_fn(|i| 1.0 / (1.0 - (a[i] + b[i]) * z[i] / (a[i] + 1.0)));
    let (mut numerator_before, mut denominator_before) = (value, value);
    for m in (1..=MOST_STEPS).map(f64::from) {
        let mut is_done = true;
        for i in 0..L {
            let middle = a[i] + 2.0 * m;
            let divisor = middle * (middle - 1.0) * (middle + 1.0);
            let even = m * (b[i] - m) * (middle + 1.0) * z[i];
            let odd = -(a[i] + m) * (a[i] + b[i] + m) * (middle - 1.0) * z[i];
            let numerator = divisor * value[i] + even * numerator_before[i];
            let denominator = divisor + even * denominator_before[i];
            let scale = 1.0 / (denominator + odd);
            numerator_before[i] = numerator * scale;
            denominator_before[i] = denominator * scale;
            let next = (numerator + odd * value[i]) * scale;
            is_done &= (next - value[i]).abs() < tolerance[i] * next.abs();
            value[i] = next;
        }
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
    fn a_mixture_is_the_weighted_sum_of_its_parts() {
        let parts: Vec<(f64, f64)> = (1..12)
            .map(|n| (1.0 / f64::from(n), 1.7 * f64::from(n)))
            .collect();
        let mixture = BetaMixture::new(&parts, 6.3);
        for odds in [1e-9, 0.02, 1.0, 30.0, 1e9] {
            let sum = parts.iter().fold((0.0, 0.0), |sum, (weight, a)| {
                let (share, density) = IncompleteBeta::new(*a, 6.3).at(odds);
                (sum.0 + weight * share, sum.1 + weight * density)
            });
            let found = mixture.at(odds, 1e-11 * sum.0);
            for (found, expected) in [(found.share, sum.0), (found.density[0], sum.1)] {
                assert!(
                    (found - expected).abs() <= 1e-10 * expected,
                    "{odds}: {found}, {expected}"
                );
            }
        }
    }

    #[test]
    fn derivatives_of_the_density_are_its_slopes() {
        let mixture = BetaMixture::new(&[(0.4, 0.6), (0.5, 3.0), (0.1, 90.0)], 6.3);
        for ln_odds in [-3.0_f64, -0.2, 0.0, 1.3, 4.0] {
            let density = |step: f64| mixture.at((ln_odds + step).exp(), 1e-10).density;
            let (below, at, above) = (density(-1e-5), density(0.0), density(1e-5));
            for i in 0..2 {
                let slope = (above[i] - below[i]) / 2e-5;
                assert!(
                    (slope - at[i + 1]).abs() < 1e-7,
                    "{ln_odds}: {slope}, {at:?}"
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
