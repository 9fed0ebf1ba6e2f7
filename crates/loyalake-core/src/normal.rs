//! Quantiles of the standard normal distribution.
//!
//! Source: Abramowitz & Stegun (1964), 26.2.23 for the start; Halley's method for the rest.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// The value that a standard normal variable stays below with probability `p`.
///
/// # Domain
/// −∞ at 0, ∞ at 1, NaN outside.
///
/// # Numerics
/// Solved in the lower tail, where erfc keeps its relative accuracy: relative error below 1e-14 for
/// p ≥ 1e-300.
///
/// # Example
/// ```
/// let z = loyalake_core::normal::normal_quantile(0.975);
/// assert!((z - 1.959_963_984_540_054).abs() < 1e-14);
/// ```
pub fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    if p <= 0.0 {
        return if p < 0.0 { f64::NAN } else { f64::NEG_INFINITY };
    }
    let t = (-2.0 * p.ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut z = numerator / denominator - t;
    for _ in 0..3 {
        let probability = 0.5 * libm::erfc(-z * FRAC_1_SQRT_2);
        let density = (-0.5 * z * z).exp() / TAU.sqrt();
        let step = (probability - p) / density;
        z -= step / (1.0 + 0.5 * z * step);
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_mpmath() {
        // mpmath 1.3, 40 digits: sqrt(2) * erfinv(2 p - 1)
        let expected = [
            (1e-300, -37.047_096_299_361_2),
            (1e-10, -6.361_340_902_404_056),
            (0.025, -1.959_963_984_540_054_2),
            (0.3, -0.524_400_512_708_041),
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.995, 2.575_829_303_548_901),
        ];
        for (p, z) in expected {
            assert!(
                (normal_quantile(p) - z).abs() <= 1e-14 * z.abs().max(0.01),
                "{p}"
            );
        }
    }

    #[test]
    fn ends_are_infinite_and_outside_is_nan() {
        assert_eq!(normal_quantile(0.0).to_bits(), f64::NEG_INFINITY.to_bits());
        assert_eq!(normal_quantile(1.0).to_bits(), f64::INFINITY.to_bits());
        assert!(
            [-0.1, 1.1, f64::NAN]
                .iter()
                .all(|p| normal_quantile(*p).is_nan())
        );
    }
}
