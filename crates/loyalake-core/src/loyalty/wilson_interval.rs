//! Wilson's interval for a share: well behaved for few trials and near 0 and 1.
//!
//! Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference";
//! Brown, Cai and others (2001), "Interval estimation for a binomial proportion", eq. 4.

use crate::normal::normal_quantile;

/// Low and high end of the interval.
///
/// # Formula
/// (p̂ + z²/2n ± z √(p̂ (1 − p̂) / n + z²/4n²)) / (1 + z²/n)
///
/// # Domain
/// 0 ≤ successes ≤ trials, trials > 0, 0 < confidence < 1; `None` outside.
pub fn wilson_interval(successes: f64, trials: f64, confidence: f64) -> Option<(f64, f64)> {
    let is_valid = successes >= 0.0
        && successes <= trials
        && trials > 0.0
        && trials.is_finite()
        && confidence > 0.0
        && confidence < 1.0;
    if !is_valid {
        return None;
    }
    let z = -normal_quantile((1.0 - confidence) / 2.0);
    let (n, p) = (trials, successes / trials);
    let scale = 1.0 + z * z / n;
    let center = (p + z * z / (2.0 * n)) / scale;
    let half_width = z / scale * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    // at the ends rounding would leave the bound off by some 1e-17
    let low = if successes == 0.0 {
        0.0
    } else {
        (center - half_width).max(0.0)
    };
    let high = if successes.to_bits() == trials.to_bits() {
        1.0
    } else {
        (center + half_width).min(1.0)
    };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn interval_matches_newcombe_1998_table_1() {
        // Newcombe (1998), "Two-sided confidence intervals for the single proportion", method 3
        let published = [(81.0, 263.0, 0.2553, 0.3662), (15.0, 148.0, 0.0624, 0.1605)];
        for (successes, trials, low, high) in published {
            let interval = wilson_interval(successes, trials, 0.95);
            assert!(
                interval.is_some_and(|(l, h)| (l - low).abs() < 5e-5 && (h - high).abs() < 5e-5)
            );
        }
    }

    #[test]
    fn ends_are_reached_exactly() {
        let (low, high) = wilson_interval(0.0, 20.0, 0.95).unwrap_or_default();
        assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5);
        let (low, high) = wilson_interval(29.0, 29.0, 0.95).unwrap_or_default();
        assert!(high.to_bits() == 1.0_f64.to_bits() && (low - 0.8830).abs() < 5e-5);
    }

    #[test]
    fn outside_the_domain_there_is_no_interval() {
        let outside = [
            (1.0, 0.0, 0.9),
            (2.0, 1.0, 0.9),
            (-1.0, 1.0, 0.9),
            (1.0, 2.0, 1.0),
        ];
        for (successes, trials, confidence) in outside {
            assert_eq!(wilson_interval(successes, trials, confidence), None);
        }
    }

    proptest! {
        #[test]
        fn interval_holds_the_share_and_grows_with_confidence(
            trials in 1_u32..500, share in 0.0..=1.0_f64, confidence in 0.01..0.98_f64,
        ) {
            let (n, x) = (f64::from(trials), (f64::from(trials) * share).round());
            let (low, high) = wilson_interval(x, n, confidence).unwrap_or_default();
            let wider = wilson_interval(x, n, confidence + 0.01).unwrap_or_default();
            prop_assert!(low - 1e-15 <= x / n && x / n <= high + 1e-15);
            prop_assert!(wider.0 <= low && high <= wider.1);
        }
    }
}
