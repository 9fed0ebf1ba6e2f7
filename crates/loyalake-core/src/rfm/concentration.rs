//! How unequally a value is distributed: Gini coefficient and share of the top.
//!
//! Source: Gini (1912), "Variabilità e mutabilità"; Sen (1973), "On Economic Inequality", eq. 2.8.2
//! in the form by ranks.

use crate::sum::CompensatedSum;
use crate::tally::Bucket;

/// The Gini coefficient: 0 when all values are equal, (n − 1) / n when one of n has everything.
///
/// # Formula
/// Σ (2 i − n − 1) xᵢ / (n Σ xᵢ) over values in ascending order, i from 1.
///
/// # Domain
/// `None` without values or when they do not sum up to more than 0. Negative values are taken as
/// they are and can lift the coefficient above 1.
pub fn gini(buckets: &[Bucket]) -> Option<f64> {
    let (rows, total) = totals(buckets)?;
    let mut before = 0_i128;
    let mut sum = CompensatedSum::default();
    for bucket in buckets {
        let count = i128::from(bucket.count);
        // Σ (2 i − n − 1) over the ranks i of equal values
        let coefficient = count * (2 * before + count - i128::from(rows));
        sum.add(coefficient as f64 * bucket.value);
        before += count;
    }
    Some(sum.value() / (rows as f64 * total))
}

/// The share of the total that the highest `share` of rows have; a part of a row counts in part.
///
/// # Domain
/// `share` in (0, 1]; `None` outside, without values, or when they do not sum up to more than 0.
pub fn top_share(buckets: &[Bucket], share: f64) -> Option<f64> {
    let (rows, total) = totals(buckets)?;
    if !(share > 0.0 && share <= 1.0) {
        return None;
    }
    let mut left = rows as f64 * share;
    let mut sum = CompensatedSum::default();
    for bucket in buckets.iter().rev() {
        let taken = left.min(bucket.count as f64);
        sum.add(taken * bucket.value);
        left -= taken;
        if left <= 0.0 {
            break;
        }
    }
    Some(sum.value() / total)
}

fn totals(buckets: &[Bucket]) -> Option<(u64, f64)> {
    let rows = buckets.iter().map(|bucket| bucket.count).sum();
    let mut total = CompensatedSum::default();
    for bucket in buckets {
        total.add(bucket.value * bucket.count as f64);
    }
    (total.value() > 0.0).then(|| (rows, total.value()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tally::Tally;

    fn with<T>(values: &[f64], limit: usize, measure: impl FnOnce(&[Bucket]) -> T) -> T {
        let mut tally = Tally::new(limit);
        for value in values {
            tally.update(*value, 1);
        }
        measure(&tally.finish().1)
    }

    fn close(left: Option<f64>, right: f64) -> bool {
        left.is_some_and(|left| (left - right).abs() < 1e-12)
    }

    #[test]
    fn gini_of_equal_values_is_zero_and_of_one_owner_is_largest() {
        assert!(close(with(&[3.0; 5], 9, gini), 0.0));
        assert!(close(with(&[0.0, 0.0, 0.0, 8.0], 9, gini), 0.75));
    }

    #[test]
    fn gini_of_one_two_three_four_is_a_quarter() {
        assert!(close(with(&[4.0, 2.0, 3.0, 1.0], 9, gini), 0.25));
    }

    #[test]
    fn top_share_takes_rows_in_part() {
        let values = [1.0, 1.0, 2.0, 6.0];
        assert!(close(with(&values, 9, |b| top_share(b, 0.25)), 0.6));
        assert!(close(with(&values, 9, |b| top_share(b, 0.375)), 0.7));
        assert!(close(with(&values, 9, |b| top_share(b, 1.0)), 1.0));
    }

    #[test]
    fn nothing_to_share_gives_none() {
        assert_eq!(with(&[], 9, gini), None);
        assert_eq!(with(&[0.0, 0.0], 9, gini), None);
        assert_eq!(with(&[1.0], 9, |b| top_share(b, 0.0)), None);
        assert_eq!(with(&[1.0], 9, |b| top_share(b, f64::NAN)), None);
    }

    proptest! {
        #[test]
        fn gini_is_half_the_mean_difference_over_the_mean(
            values in prop::collection::vec((0_i32..50).prop_map(f64::from), 1..60),
        ) {
            let (n, total) = (values.len() as f64, values.iter().sum::<f64>());
            prop_assume!(total > 0.0);
            let differences: f64 =
                values.iter().flat_map(|x| values.iter().map(move |y| (x - y).abs())).sum();
            prop_assert!(close(with(&values, 99, gini), differences / (2.0 * n * total)));
        }

        #[test]
        fn concentration_of_a_full_tally_is_close(
            values in prop::collection::vec(1.0..1000.0_f64, 200..1000),
        ) {
            let exact = with(&values, 10_000, |b| (gini(b), top_share(b, 0.2)));
            let approximate = with(&values, 128, |b| (gini(b), top_share(b, 0.2)));
            let width = 2.0 * 10.0 / 128.0;
            prop_assert!((exact.0.unwrap_or(9.0) - approximate.0.unwrap_or(-9.0)).abs() < width);
            prop_assert!((exact.1.unwrap_or(9.0) - approximate.1.unwrap_or(-9.0)).abs() < width);
        }
    }
}
