//! Cut points that divide values into k parts of equal size.
//!
//! Source: Hyndman & Fan (1996), "Sample quantiles in statistical packages", definition 7 (the
//! default of R and numpy).

use crate::tally::Bucket;

/// The k − 1 quantiles at 1/k, 2/k, … of what the buckets hold; `None` without values or with k
/// below 2.
///
/// # Formula
/// With the values in ascending order x₀ … xₙ₋₁ and h = (n − 1) i / k: x⌊h⌋ + (h − ⌊h⌋) (x⌊h⌋₊₁ −
/// x⌊h⌋)
///
/// # Numerics
/// Exact for exact buckets, in numpy's order of operations. Otherwise a quantile lies below the
/// exact one by at most the width of a bucket, which in ranks is at most the share of rows in that
/// bucket.
pub fn quantile_cuts(buckets: &[Bucket], k: usize) -> Option<Vec<f64>> {
    let rows: u64 = buckets.iter().map(|bucket| bucket.count).sum();
    if rows == 0 || k < 2 {
        return None;
    }
    let mut walk = Ranks {
        buckets,
        position: 0,
        before: 0,
    };
    let cuts = (1..k).map(|i| {
        let h = (rows - 1) as f64 * (i as f64 / k as f64);
        let weight = h.fract();
        let low = walk.value_at(h);
        let high = walk.peek_at(h + 1.0);
        interpolate(low, high, weight)
    });
    Some(cuts.collect())
}

/// Linear interpolation that reaches both ends exactly, as numpy does it.
fn interpolate(low: f64, high: f64, weight: f64) -> f64 {
    let difference = high - low;
    if weight < 0.5 {
        low + difference * weight
    } else {
        high - difference * (1.0 - weight)
    }
}

/// Values by ascending rank, from 0.
struct Ranks<'a> {
    buckets: &'a [Bucket],
    position: usize,
    before: u64,
}

impl Ranks<'_> {
    fn value_at(&mut self, rank: f64) -> f64 {
        while self.position + 1 < self.buckets.len()
            && ((self.before + self.buckets[self.position].count) as f64) <= rank.floor()
        {
            self.before += self.buckets[self.position].count;
            self.position += 1;
        }
        self.buckets[self.position].value
    }

    fn peek_at(&self, rank: f64) -> f64 {
        Ranks { ..*self }.value_at(rank)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tally::Tally;

    fn cuts(values: &[f64], k: usize, limit: usize) -> Option<Vec<f64>> {
        let mut tally = Tally::new(limit);
        for value in values {
            tally.update(*value, 1);
        }
        quantile_cuts(&tally.finish().1, k)
    }

    #[test]
    fn quartiles_match_numpy() {
        // numpy 2: quantile([15, 20, 35, 40, 50], [0.25, 0.5, 0.75]) and of [1, 2, 3, 4]
        assert_eq!(
            cuts(&[35.0, 20.0, 15.0, 50.0, 40.0], 4, 9),
            Some(vec![20.0, 35.0, 40.0])
        );
        assert_eq!(
            cuts(&[4.0, 1.0, 3.0, 2.0], 4, 9),
            Some(vec![1.75, 2.5, 3.25])
        );
    }

    #[test]
    fn nothing_has_no_cuts() {
        assert_eq!(cuts(&[], 4, 9), None);
        assert_eq!(cuts(&[1.0], 1, 9), None);
    }

    #[test]
    fn one_value_is_every_cut() {
        assert_eq!(cuts(&[7.0], 3, 9), Some(vec![7.0, 7.0]));
    }

    /// The definition, on a sorted copy of all values.
    fn by_definition(values: &[f64], k: usize) -> Vec<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len() - 1;
        (1..k)
            .map(|i| {
                let h = last as f64 * (i as f64 / k as f64);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "test"
                )]
                let low = h.floor() as usize;
                interpolate(sorted[low], sorted[(low + 1).min(last)], h.fract())
            })
            .collect()
    }

    proptest! {
        #[test]
        fn cuts_follow_the_definition(
            values in prop::collection::vec((-50_i32..50).prop_map(f64::from), 1..300),
            k in 2_usize..40,
        ) {
            prop_assert_eq!(cuts(&values, k, 1000), Some(by_definition(&values, k)));
        }

        #[test]
        fn cuts_of_a_full_tally_are_close_and_ascending(
            values in prop::collection::vec(1.0..1000.0_f64, 200..2000),
            k in 2_usize..20,
        ) {
            let limit = 128;
            let approximate = cuts(&values, k, limit).unwrap_or_default();
            prop_assert_eq!(approximate.len(), k - 1);
            prop_assert!(approximate.is_sorted());
            for (cut, exact) in approximate.iter().zip(by_definition(&values, k)) {
                prop_assert!(*cut <= exact && *cut >= exact * (1.0 - 2.0 * 10.0 / limit as f64));
            }
        }
    }
}
