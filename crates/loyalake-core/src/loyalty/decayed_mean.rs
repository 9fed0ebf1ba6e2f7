//! A mean in which the weight of a value halves as it grows older.

use crate::exact_sum::ExactSum;

/// A half-life below this leaves all weight on the newest day, as any smaller one does.
const SHORTEST_HALF_LIFE: f64 = 1e-6;

/// Weighted values and weights, summed.
///
/// # Numerics
/// A weight is kept as a double between ½ and 1 and a power of two of any size, so that the weights
/// of very old values are never all 0. The sums are the same in any order, and the mean of equal
/// values is that value; a weight's relative error is about 1e-16 × its age in half-lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecayedMean {
    /// Σ value × weight
    pub values: ExactSum,
    /// Σ weight
    pub weights: ExactSum,
}

impl DecayedMean {
    /// Adds a value of `age_days`; one from the future, one that is not finite and a half-life that
    /// is not finite and above 0 change nothing.
    ///
    /// # Formula
    /// weight = 2^(−age / half-life)
    pub fn update(&mut self, value: f64, age_days: i64, half_life_days: f64) {
        let is_half_life = half_life_days > 0.0 && half_life_days.is_finite();
        if !(value.is_finite() && age_days >= 0 && is_half_life) {
            return;
        }
        let half_lives = age_days as f64 / half_life_days.max(SHORTEST_HALF_LIFE);
        let whole = half_lives.floor();
        let weight = (whole - half_lives).exp2();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is whole; i64 takes it saturating"
        )]
        let exponent = -(whole as i64);
        self.values.add_product(value, weight, exponent);
        self.weights.add_product(weight, 1.0, exponent);
    }

    /// Adds what has been added elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.values.merge(&other.values);
        self.weights.merge(&other.weights);
    }

    /// The mean; `None` without values.
    pub fn finish(&self) -> Option<f64> {
        (!self.weights.is_empty()).then(|| self.values.ratio(&self.weights))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mean_of(rows: &[(f64, i64, f64)]) -> DecayedMean {
        let mut mean = DecayedMean::default();
        for (value, age, half_life) in rows {
            mean.update(*value, *age, *half_life);
        }
        mean
    }

    fn close(mean: Option<f64>, expected: f64) -> bool {
        mean.is_some_and(|mean| (mean - expected).abs() < 1e-13)
    }

    #[test]
    fn a_value_one_half_life_older_weighs_half() {
        let mean = mean_of(&[(10.0, 0, 30.0), (4.0, 30, 30.0)]).finish();
        assert_eq!(mean, Some(8.0));
        // weights 1, 2^(-1/3), 2^(-3)
        let mean = mean_of(&[(1.0, 0, 30.0), (2.0, 10, 30.0), (6.0, 90, 30.0)]).finish();
        let weight = 2.0_f64.powf(-1.0 / 3.0);
        assert!(close(
            mean,
            (1.0 + 2.0 * weight + 0.75) / (1.0 + weight + 0.125)
        ));
    }

    #[test]
    fn only_ages_relative_to_the_newest_matter() {
        let rows = |shift: i64| [(10.0, shift, 1.0), (4.0, shift + 1, 1.0)];
        for shift in [0, 5_000, 4_000_000_000] {
            assert_eq!(mean_of(&rows(shift)).finish(), Some(8.0));
        }
        for half_life in [1e-3, 1e-6, 1e-300] {
            let newest = mean_of(&[(4.0, 20_001, half_life), (10.0, 20_000, half_life)]);
            assert_eq!(newest.finish(), Some(10.0));
        }
        assert_eq!(
            mean_of(&[(1.0, 9_000, 1e300), (3.0, 0, 1e300)]).finish(),
            Some(2.0)
        );
    }

    #[test]
    fn rows_that_cannot_be_weighed_are_ignored() {
        let (nan, infinity) = (f64::NAN, f64::INFINITY);
        let refused = [
            (1.0, -1, 30.0),
            (nan, 1, 30.0),
            (infinity, 1, 30.0),
            (1.0, 1, 0.0),
            (1.0, 1, -1.0),
            (1.0, 1, nan),
            (1.0, 1, infinity),
        ];
        assert_eq!(mean_of(&refused).finish(), None);
        assert_eq!(mean_of(&[(0.0, 3, 30.0)]).finish(), Some(0.0));
    }

    proptest! {
        #[test]
        fn mean_depends_on_the_rows_alone_and_lies_among_them(
            all in prop::collection::vec((-1e6..1e6_f64, 0..100_000_i64, 0.1..900.0_f64), 1..50),
            split in 0_usize..50,
        ) {
            let (left, right) = all.split_at(split.min(all.len()));
            let (mut forward, mut backward) = (mean_of(left), mean_of(right));
            forward.merge(&mean_of(right));
            backward.merge(&mean_of(left));
            prop_assert_eq!((forward, backward), (mean_of(&all), mean_of(&all)));

            let values = || all.iter().map(|(value, _, _)| *value);
            let (low, high) = (values().fold(1e9, f64::min), values().fold(-1e9, f64::max));
            let mean = forward.finish();
            prop_assert!(mean.is_some_and(|mean| low - 1e-9 <= mean && mean <= high + 1e-9));
        }
    }
}
