//! Integrals of functions with one peak, however narrow or high.

use super::integrate;

/// Longest part of the axis that one quadrature rule covers, for functions without singularities
/// within π of it.
const LONGEST_PANEL: f64 = 3.0;
/// Part of the axis that one rule covers, in standard deviations of the peak.
const PANEL_DEVIATIONS: f64 = 4.0;
/// Part of the axis that one rule covers, in lengths over which an exponential grows e-fold.
const PANEL_GROWTH: f64 = 12.0;
/// Parts below this share of the sum end it.
const NEGLIGIBLE: f64 = 1e-17;
/// Step of the difference that estimates the curvature.
const DIFFERENCE: f64 = 1e-4;

/// ln ∫ e^h(y) dy over (−∞, end] of a concave h with the given slope, which is positive far to the
/// left.
pub fn ln_integral_of_log_concave(
    h: impl Fn(f64) -> f64,
    slope: impl Fn(f64) -> f64,
    end: f64,
) -> f64 {
    let mode = mode(&slope, end);
    let peak = h(mode);
    let curvature = (slope(mode - DIFFERENCE) - slope(mode)) / DIFFERENCE;
    let panel = LONGEST_PANEL
        .min(PANEL_DEVIATIONS / curvature.max(0.0).sqrt())
        .min(PANEL_GROWTH / slope(mode).max(0.0));
    let part = |from: f64, to: f64| integrate(|y| (h(y) - peak).exp(), from, to, panel);
    let (mut sum, mut left) = (0.0, mode);
    loop {
        let next = part(left - panel, left);
        sum += next;
        left -= panel;
        if next <= NEGLIGIBLE * sum {
            break;
        }
    }
    let mut right = mode;
    while right < end {
        let to = end.min(right + panel);
        let next = part(right, to);
        sum += next;
        right = to;
        if next <= NEGLIGIBLE * sum {
            break;
        }
    }
    peak + sum.ln()
}

/// Where the slope, which falls, passes 0; `end` when it does not before.
fn mode(slope: impl Fn(f64) -> f64, end: f64) -> f64 {
    if slope(end) >= 0.0 {
        return end;
    }
    let mut reach = 1.0;
    while slope(end - reach) < 0.0 {
        reach *= 2.0;
    }
    let (mut left, mut right) = (end - reach, end);
    while right - left > 1e-9 * (1.0 + reach) {
        let middle = 0.5 * (left + right);
        if slope(middle) < 0.0 {
            right = middle;
        } else {
            left = middle;
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::ln_gamma;

    #[test]
    fn gamma_functions_of_all_sizes_are_found() {
        for z in [1e-2, 0.7, 3.0, 50.0, 1e4, 1e6] {
            let h = |y: f64| z * y - y.exp();
            let integral = ln_integral_of_log_concave(h, |y| z - y.exp(), 40.0);
            let error = (integral - ln_gamma(z)).abs();
            assert!(error < 1e-13 * (1.0 + ln_gamma(z).abs()), "{z}: {error:e}");
        }
    }

    #[test]
    fn rising_functions_end_at_the_end() {
        for rate in [0.5, 3.0, 1e4] {
            let integral = ln_integral_of_log_concave(|y| rate * y, |_| rate, -2.0);
            assert!(
                (integral - (-2.0 * rate - f64::ln(rate))).abs() < 1e-11,
                "{rate}"
            );
        }
    }
}
