//! How well predictions rank customers: rank correlation and normalised Gini coefficient.
//!
//! Source: Spearman (1904), "The proof and measurement of association between two things", with the
//! mean ranks of Kendall (1945), "The treatment of ties in ranking problems"; Wang, Liu & Miao
//! (2019), "A deep probabilistic model for customer lifetime value prediction", and its code,
//! google/`lifetime_value`.
//! Notation: rows are pairs with the number of times each occurs; n is the number of all rows.

use crate::sum::CompensatedSum;

/// A pair of numbers, and how often it occurs.
pub type CountedPair = ([f64; 2], u64);

/// The most rows that there may be: sums of their ranks are whole numbers that have room.
pub const LARGEST_ROWS: u64 = 1 << 42;

/// Spearman's rank correlation of the two numbers of the pairs.
///
/// # Formula
/// Pearson's correlation of mean ranks: Σ uᵢ vᵢ / √(Σ uᵢ² Σ vᵢ²), u = 2 rank(x) − n − 1, v the same
/// of y.
///
/// # Domain
/// Finite numbers, up to [`LARGEST_ROWS`] rows. `None` with fewer than two rows, or when one side
/// is constant.
///
/// # Numerics
/// u and v are whole numbers, so that the three sums are exact: they are below n³.
pub fn spearman(rows: &[CountedPair]) -> Option<f64> {
    let (x, y) = (centred_ranks(rows, 0), centred_ranks(rows, 1));
    let sum = |one: &[i64], other: &[i64]| -> i128 {
        let ranks = one.iter().zip(other).zip(rows);
        ranks
            .map(|((one, other), (_, n))| i128::from(*one) * i128::from(*other) * i128::from(*n))
            .sum()
    };
    let (of_x, of_y, of_both) = (sum(&x, &x), sum(&y, &y), sum(&x, &y));
    let scale = (of_x as f64 * of_y as f64).sqrt();
    (scale > 0.0).then(|| (of_both as f64 / scale).clamp(-1.0, 1.0))
}

/// The Gini coefficient of actual values in the order of predicted ones, over that in their own
/// order: 1 when the predictions rank perfectly, 0 when they tell nothing, below 0 when they
/// mislead. The pairs are (predicted, actual).
///
/// # Formula
/// Σ (2 i − n − 1) yᵢ over values in ascending order, the mean of i for equal ones; the total of y,
/// by which a Gini coefficient divides, cancels. The source adds 1 to each 2 i − n − 1, so that
/// predictions that tell nothing give a little more than 0.
///
/// # Domain
/// Finite numbers, up to [`LARGEST_ROWS`] rows. `None` when there are no two different actual
/// values.
pub fn gini_normalized(rows: &[CountedPair]) -> Option<f64> {
    let concentration = |by: usize| {
        let mut sum = CompensatedSum::default();
        for (rank, ([_, actual], count)) in centred_ranks(rows, by).iter().zip(rows) {
            sum.add((i128::from(*rank) * i128::from(*count)) as f64 * actual);
        }
        sum.value()
    };
    let (predicted, perfect) = (concentration(0), concentration(1));
    (perfect > 0.0).then(|| predicted / perfect)
}

/// 2 rank − n − 1 of each row by one of its numbers, ascending, the mean rank for equal numbers.
fn centred_ranks(rows: &[CountedPair], by: usize) -> Vec<i64> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_unstable_by(|one, other| rows[*one].0[by].total_cmp(&rows[*other].0[by]));
    let count = |at: &usize| rows[*at].1.cast_signed();
    let all: i64 = order.iter().map(count).sum();
    let mut ranks = vec![0; rows.len()];
    let mut before = 0;
    for equal in order.chunk_by(|one, other| rows[*one].0[by] >= rows[*other].0[by]) {
        let tied: i64 = equal.iter().map(count).sum();
        for at in equal {
            ranks[*at] = 2 * before + tied - all;
        }
        before += tied;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(pairs: &[(i32, i32)]) -> Vec<CountedPair> {
        let pair = |(x, y): &(i32, i32)| ([f64::from(*x), f64::from(*y)], 1);
        pairs.iter().map(pair).collect()
    }

    fn close(left: Option<f64>, right: f64) -> bool {
        left.is_some_and(|left| (left - right).abs() < 1e-14)
    }

    #[test]
    fn spearman_matches_scipy() {
        // scipy.stats.spearmanr
        let none_tied = counted(&[(1, 5), (2, 6), (3, 7), (4, 8), (5, 7)]);
        assert!(close(spearman(&none_tied), 0.820_782_681_668_123_3));
        let tied = counted(&[(1, 2), (1, 1), (2, 4), (2, 3), (2, 9), (7, 3)]);
        assert!(close(spearman(&tied), 0.626_224_291_085_149_5));
    }

    #[test]
    fn gini_normalized_matches_exact_fractions() {
        // Σ (2 i − 7) y with mean ranks i: 23 in the order of predictions, 51 in that of y
        let ordered = counted(&[(1, 0), (2, 0), (3, 1), (4, 5)]);
        assert!(close(gini_normalized(&ordered), 1.0));
        let tied = counted(&[(1, 2), (1, 0), (2, 4), (2, 3), (2, 9), (7, 3)]);
        assert!(close(gini_normalized(&tied), 23.0 / 51.0));
    }

    #[test]
    fn rankings_need_two_different_values() {
        for rows in [&[][..], &[(1, 1)], &[(1, 2), (1, 2)]] {
            assert_eq!(spearman(&counted(rows)), None, "{rows:?}");
            assert_eq!(gini_normalized(&counted(rows)), None, "{rows:?}");
        }
        let constant = counted(&[(1, 0), (1, 5)]);
        assert_eq!(spearman(&constant), None, "constant predictions");
        assert!(close(gini_normalized(&constant), 0.0));
        assert_eq!(spearman(&counted(&[(1, 5), (2, 5)])), None);
        assert_eq!(gini_normalized(&counted(&[(1, 5), (2, 5)])), None);
    }

    #[test]
    fn rankings_of_huge_counts_do_not_overflow() {
        let many = [([0.0, 0.0], 1 << 40), ([1.0, 1.0], 1 << 40)];
        assert!(close(spearman(&many), 1.0));
        assert!(close(gini_normalized(&many), 1.0));
    }

    proptest! {
        #[test]
        fn counts_are_repetitions_and_reversed_predictions_change_the_sign(
            pairs in prop::collection::vec(((0_i32..9, 0_i32..9), 1_u64..4), 2..40),
        ) {
            let together: Vec<CountedPair> = pairs
                .iter()
                .map(|((x, y), count)| ([f64::from(*x), f64::from(*y)], *count))
                .collect();
            let apart: Vec<CountedPair> = together
                .iter()
                .flat_map(|(pair, count)| (0..*count).map(|_| (*pair, 1)))
                .collect();
            let reversed: Vec<CountedPair> =
                together.iter().map(|([x, y], count)| ([-x, *y], *count)).collect();
            for measure in [spearman, gini_normalized] {
                let value = measure(&together);
                prop_assert_eq!(value.is_some(), measure(&apart).is_some());
                if let Some(value) = value {
                    prop_assert!((-1.0..=1.0).contains(&value));
                    prop_assert!(close(measure(&apart), value));
                    prop_assert!(close(measure(&reversed), -value));
                }
            }
        }
    }
}
