//! Quantiles of Student's t distribution.
//!
//! Source: NIST Digital Library of Mathematical Functions, equation 8.17.2, for the distribution;
//! Abramowitz & Stegun (1964), 26.7.5, for many degrees of freedom.

use crate::normal::normal_quantile;
use crate::special::IncompleteBeta;

/// From here on the expansion in powers of 1 / degrees is exact to the digits of a double.
const MANY_DEGREES: f64 = 10_000.0;

/// The value that a t-distributed variable of `degrees` degrees of freedom stays below with
/// probability `p`.
///
/// # Domain
/// `degrees` > 0; −∞ at p = 0, ∞ at 1; NaN outside.
///
/// # Numerics
/// Solved for the logarithm of t² against the logarithm of the rarer of the two events |T| > t and
/// |T| ≤ t: a concave curve, which Newton's method climbs from its asymptote, and from the right
/// after one step too far. From 30 degrees on the asymptote is too far away to begin there.
/// Relative error below 1e-12 for p ≥ 1e-16 and degrees ≥ 1.
///
/// # Example
/// ```
/// let t = loyalake_core::student::student_quantile(0.975, 4.0);
/// assert!((t - 2.776_445_105_197_793).abs() < 1e-13);
/// ```
pub fn student_quantile(p: f64, degrees: f64) -> f64 {
    if p > 0.5 {
        return -student_quantile(1.0 - p, degrees);
    }
    if p.is_nan() || p < 0.0 || degrees.is_nan() || degrees <= 0.0 {
        return f64::NAN;
    }
    if p == 0.0 || degrees >= MANY_DEGREES {
        return from_normal_quantile(normal_quantile(p), degrees);
    }
    let half = degrees / 2.0;
    if p < 0.25 {
        let start = (degrees >= 30.0)
            .then(|| from_normal_quantile(normal_quantile(p), degrees))
            .map(|t| degrees / (t * t));
        -(degrees / odds(half, 0.5, 2.0 * p, start)).sqrt()
    } else {
        -(degrees * odds(0.5, half, 1.0 - 2.0 * p, None)).sqrt()
    }
}

/// t by the normal quantile z of the same probability, for many degrees of freedom ν.
fn from_normal_quantile(z: f64, degrees: f64) -> f64 {
    if z.is_infinite() {
        return z;
    }
    let (w, v) = (z * z, 1.0 / degrees);
    let g1 = (w + 1.0) / 4.0;
    let g2 = ((5.0 * w + 16.0) * w + 3.0) / 96.0;
    let g3 = (((3.0 * w + 19.0) * w + 17.0) * w - 15.0) / 384.0;
    let g4 = ((((79.0 * w + 776.0) * w + 1482.0) * w - 1920.0) * w - 945.0) / 92_160.0;
    z * (1.0 + v * (g1 + v * (g2 + v * (g3 + v * g4))))
}

/// The odds z / (1 − z) where I(a, b; z) is `share`, sought from `start` or from the asymptote.
fn odds(a: f64, b: f64, share: f64, start: Option<f64>) -> f64 {
    if share <= 0.0 {
        return 0.0;
    }
    let beta = IncompleteBeta::new(a, b);
    let mut ln_odds = match start {
        Some(odds) => odds.ln(),
        None => (share.ln() - beta.ln_asymptote()) / a,
    };
    for _ in 0..100 {
        let (reached, density) = beta.at(ln_odds.exp());
        let step = (share / reached).ln() * reached / density;
        ln_odds += step;
        if step.abs() < 1e-13 {
            break;
        }
    }
    ln_odds.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mpmath, 40 digits, bisection on betainc: p, degrees, quantile.
    const QUANTILES: [(f64, f64, f64); 39] = [
        (0.025, 1.0, -12.706_204_736_174_705),
        (0.005, 1.0, -63.656_741_162_871_58),
        (TINY, 1.0, -5_734_161_139_222_659.0),
        (0.45, 1.0, -0.158_384_440_324_536_25),
        (0.249_99, 1.0, -1.000_062_833_827_075_4),
        (0.025, 2.0, -4.302_652_729_749_464),
        (0.025, 3.0, -3.182_446_305_283_709_5),
        (0.005, 3.0, -5.840_909_309_733_357),
        (TINY, 3.0, -270_823.806_999_658_6),
        (0.45, 3.0, -0.136_598_199_353_698_88),
        (0.249_99, 3.0, -0.764_931_182_617_531_6),
        (0.025, 4.5, -2.658_912_347_204_404),
        (0.025, 10.0, -2.228_138_851_986_275),
        (0.005, 10.0, -3.169_272_672_616_951_3),
        (TINY, 10.0, -108.242_849_662_866_08),
        (0.45, 10.0, -0.128_890_189_293_273_75),
        (0.249_99, 10.0, -0.699_845_491_592_804),
        (0.025, 99.0, -1.984_216_951_586_417_4),
        (0.005, 99.0, -2.626_405_457_280_827_5),
        (TINY, 99.0, -9.997_064_880_198_531),
        (0.45, 99.0, -0.125_984_113_916_205_9),
        (0.249_99, 99.0, -0.677_007_643_466_918_1),
        (0.025, 1000.0, -1.962_339_080_826_408_5),
        (0.005, 1000.0, -2.580_754_698_065_951),
        (TINY, 1000.0, -8.439_147_261_493_407),
        (0.45, 1000.0, -0.125_693_262_518_716_35),
        (0.249_99, 1000.0, -0.674_766_652_206_668_9),
        (0.025, 9999.0, -1.960_201_263_621_357_7),
        (0.005, 9999.0, -2.576_321_095_856_598),
        (TINY, 9999.0, -8.306_846_476_014_197),
        (0.45, 9999.0, -0.125_664_538_357_736_25),
        (0.249_99, 9999.0, -0.674_545_757_782_915_4),
        (0.025, 10_000.0, -1.960_201_239_890_626_1),
        (0.005, 10_000.0, -2.576_321_046_668_528_7),
        (TINY, 10_000.0, -8.306_845_025_331_896),
        (0.45, 10_000.0, -0.125_664_538_038_581_7),
        (0.249_99, 10_000.0, -0.674_545_755_328_975_6),
        (0.025, 2_000_000.0, -1.959_965_170_676_375),
        (0.005, 2_000_000.0, -2.575_831_761_824_909),
    ];
    /// 2^-54, the tail of the highest confidence below 1.
    const TINY: f64 = f64::EPSILON / 4.0;

    #[test]
    fn quantiles_match_mpmath() {
        for (p, degrees, expected) in QUANTILES {
            let error = student_quantile(p, degrees) / expected - 1.0;
            assert!(error.abs() < 1e-12, "t({p}, {degrees}): {error:e}");
        }
    }

    #[test]
    fn one_and_two_degrees_have_closed_forms() {
        for p in [1e-15, 1e-3, 0.1, 0.2, 0.3, 0.49] {
            let cauchy = -1.0 / (std::f64::consts::PI * p).tan();
            let two = (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
            assert!(
                (student_quantile(p, 1.0) / cauchy - 1.0).abs() < 1e-13,
                "{p}"
            );
            assert!((student_quantile(p, 2.0) / two - 1.0).abs() < 1e-13, "{p}");
        }
    }

    #[test]
    fn ends_of_the_range_are_infinite_and_outside_is_nothing() {
        assert!(student_quantile(0.5, 3.0).abs() < f64::MIN_POSITIVE);
        assert!(student_quantile(0.0, 3.0).is_infinite() && student_quantile(1.0, 3e6) > f64::MAX);
        for (p, degrees) in [(-0.1, 3.0), (1.1, 3.0), (f64::NAN, 3.0), (0.1, 0.0)] {
            assert!(student_quantile(p, degrees).is_nan());
        }
    }
}
