//! Student's interval for the mean of a group.
//!
//! Source: Student (1908), "The Probable Error of a Mean", Biometrika 6(1).

use std::collections::HashMap;

use crate::exact_sum::{ExactSum, times_power_of_two};
use crate::student::student_quantile;

/// Values and their squares, summed.
///
/// # Numerics
/// The variance is the difference of two sums that can be nearly equal, so it is taken in whole
/// numbers before anything is rounded: equal values have a variance of exactly 0, and the result is
/// the same to the last bit in any order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moments {
    /// How many values there are (n).
    pub count: u64,
    /// Σ x
    pub sum: ExactSum,
    /// Σ x²
    pub squares: ExactSum,
}

/// A mean with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanInterval {
    /// The mean.
    pub mean: f64,
    /// How many values there are.
    pub responses: u64,
    /// Low and high end; `None` for a single value.
    pub ends: Option<(f64, f64)>,
}

/// Intervals of one confidence; the quantile is computed once for each number of values.
#[derive(Debug)]
pub struct MeanIntervals {
    confidence: f64,
    quantiles: HashMap<u64, f64>,
}

impl Moments {
    /// Adds a value; one that is not finite changes nothing.
    pub fn update(&mut self, value: f64) {
        if value.is_finite() {
            self.count += 1;
            self.sum.add(value);
            self.squares.add_product(value, value, 0);
        }
    }

    /// Adds what has been added elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
    }

    /// The standard error of the mean.
    ///
    /// # Formula
    /// s / √n = √((n Σ x² − (Σ x)²) / (n² (n − 1)))
    fn standard_error(&self) -> f64 {
        let mut difference = ExactSum::default();
        difference.add_product_of_sums(&self.count.into(), &self.squares);
        difference.add_product_of_sums(&self.sum.negated(), &self.sum);
        let (difference, exponent) = difference.parts();
        let n = self.count as f64;
        let square = difference.max(0.0) / (n * n * (n - 1.0));
        let odd = exponent.rem_euclid(2);
        times_power_of_two(times_power_of_two(square, odd).sqrt(), (exponent - odd) / 2)
    }
}

impl MeanIntervals {
    /// `confidence` is above 0 and below 1.
    pub fn new(confidence: f64) -> Self {
        Self {
            confidence,
            quantiles: HashMap::new(),
        }
    }

    /// The mean and its interval; `None` without values.
    ///
    /// # Formula
    /// mean ± t s / √n with t the (1 + confidence) / 2 quantile of n − 1 degrees of freedom
    pub fn finish(&mut self, moments: &Moments) -> Option<MeanInterval> {
        let count = moments.count;
        if count == 0 {
            return None;
        }
        let mean = moments.sum.mean(count);
        let ends = (count > 1).then(|| {
            let half_width = self.quantile(count) * moments.standard_error();
            (mean - half_width, mean + half_width)
        });
        Some(MeanInterval {
            mean,
            responses: count,
            ends,
        })
    }

    fn quantile(&mut self, count: u64) -> f64 {
        let tail = (1.0 - self.confidence) / 2.0;
        let quantile = || -student_quantile(tail, (count - 1) as f64);
        *self.quantiles.entry(count).or_insert_with(quantile)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moments(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        for value in values {
            moments.update(*value);
        }
        moments
    }

    fn interval(values: &[f64], confidence: f64) -> (f64, f64) {
        let interval = MeanIntervals::new(confidence).finish(&moments(values));
        interval
            .and_then(|interval| interval.ends)
            .unwrap_or((f64::NAN, f64::NAN))
    }

    #[test]
    fn interval_matches_student_1908() {
        // additional hours of sleep, tables of Cushny and Peebles; interval by R's t.test
        let sleep = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let (low, high) = interval(&sleep, 0.95);
        assert!((low - 0.897_677_5).abs() < 5e-8 && (high - 3.762_322_5).abs() < 5e-8);
    }

    #[test]
    fn equal_values_have_no_width_and_one_value_no_interval() {
        for value in [0.1, 4.1, 1e300, -7e-310] {
            let expected = (value, value);
            assert_eq!(interval(&[value; 3], 0.999), expected);
            assert_eq!(interval(&vec![value; 5_000], 0.999), expected);
        }
        let single = MeanInterval {
            mean: 4.1,
            responses: 1,
            ends: None,
        };
        assert_eq!(
            MeanIntervals::new(0.95).finish(&moments(&[4.1])),
            Some(single)
        );
        let nothing = moments(&[f64::NAN, f64::INFINITY]);
        assert_eq!(MeanIntervals::new(0.95).finish(&nothing), None);
    }

    #[test]
    fn a_large_mean_does_not_hide_a_small_spread() {
        let (low, high) = interval(&[1e15, 1e15 + 1.0, 1e15 + 2.0], 0.5);
        // t = √(2/3), s = 1
        let half_width = 2.0_f64.sqrt() / 3.0;
        assert!((low - (1e15 + 1.0 - half_width)).abs() < 0.13);
        assert!((high - (1e15 + 1.0 + half_width)).abs() < 0.13);
        let shifted = moments(&[1e15, 1e15 + 1.0, 1e15 + 2.0]).standard_error();
        assert_eq!(
            shifted.to_bits(),
            moments(&[0.0, 1.0, 2.0]).standard_error().to_bits()
        );
    }

    proptest! {
        #[test]
        fn moments_depend_on_the_values_alone(
            all in prop::collection::vec(-1e9..1e9_f64, 2..50), split in 0_usize..50,
        ) {
            let (left, right) = all.split_at(split.min(all.len()));
            let (mut forward, mut backward) = (moments(left), moments(right));
            forward.merge(&moments(right));
            backward.merge(&moments(left));
            prop_assert_eq!((forward, backward), (moments(&all), moments(&all)));
        }

        #[test]
        fn standard_error_is_that_of_deviations_from_the_mean(
            all in prop::collection::vec(-100.0..100.0_f64, 2..50),
        ) {
            let n = all.len() as f64;
            let mean = all.iter().sum::<f64>() / n;
            let squares: f64 = all.iter().map(|value| (value - mean).powi(2)).sum();
            let expected = (squares / (n - 1.0) / n).sqrt();
            let actual = moments(&all).standard_error();
            prop_assert!((actual / expected - 1.0).abs() < 1e-11);
        }

        #[test]
        fn interval_grows_with_confidence(
            all in prop::collection::vec(-100.0..100.0_f64, 2..20), confidence in 0.01..0.98_f64,
        ) {
            let (inner, outer) = (interval(&all, confidence), interval(&all, confidence + 0.01));
            prop_assert!(outer.0 < inner.0 && inner.0 < inner.1 && inner.1 < outer.1);
        }
    }
}
