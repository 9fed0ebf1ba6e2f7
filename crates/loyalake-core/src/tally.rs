//! How often each value occurs, in bounded memory: the state of quantiles and of measures of
//! concentration.
//!
//! Doubles are mapped to integers that sort alike. While the distinct values fit a limit the tally
//! is exact; beyond it the lowest bit of all integers is dropped, so that neighbouring values share
//! a bucket, as often as needed to fit again. A bucket is represented by the smallest of its
//! values. Since dropping a bit is needed or not needed whatever came first, the final buckets
//! depend on the multiset of values alone, never on the order of rows or on how they were
//! partitioned.

use crate::counted::{Counted, key, number};

/// Distinct values up to which quantiles are exact: 4 MiB of buckets.
pub const EXACT_VALUES: usize = 262_144;

/// Values that are counted together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The smallest of the values.
    pub value: f64,
    /// How many there are.
    pub count: u64,
}

/// A mergeable count of values.
///
/// # Domain
/// Finite values; -0.0 counts as 0.0. Others are not counted.
///
/// # Numerics
/// Beyond `limit` distinct values a bucket's values differ by less than 2 D / `limit` relatively,
/// where D is the number of doublings that the absolute values span (0.01 to 1,000,000: 27).
#[derive(Debug, Clone)]
pub struct Tally {
    limit: usize,
    dropped_bits: u32,
    /// Keys of values, distinct under `dropped_bits`.
    counted: Counted<u64>,
}

impl Tally {
    /// Nothing counted yet, exact up to `limit` distinct values (2 at least: one bucket for each
    /// sign).
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(2),
            dropped_bits: 0,
            counted: Counted::default(),
        }
    }

    /// Counts a value so many times.
    pub fn update(&mut self, value: f64, count: u64) {
        if value.is_finite() && count > 0 && self.counted.add(key(value), count) {
            self.settle();
        }
    }

    /// Counts what another tally has counted, its buckets being of `dropped_bits`.
    pub fn merge(&mut self, dropped_bits: u32, buckets: impl IntoIterator<Item = Bucket>) {
        if dropped_bits > self.dropped_bits {
            self.dropped_bits = dropped_bits.min(63);
            self.join();
        }
        for bucket in buckets {
            self.update(bucket.value, bucket.count);
        }
    }

    /// Bits dropped so far, and the buckets in ascending order.
    pub fn finish(&mut self) -> (u32, Vec<Bucket>) {
        self.settle();
        let buckets = self.counted.sorted().iter();
        let buckets = buckets.map(|(key, count)| Bucket {
            value: number(*key),
            count: *count,
        });
        (self.dropped_bits, buckets.collect())
    }

    /// Memory held on the heap, in bytes.
    pub fn heap_size(&self) -> usize {
        self.counted.heap_size()
    }

    fn settle(&mut self) {
        self.counted.settle(|key| key >> self.dropped_bits);
        while self.counted.sorted().len() > self.limit {
            self.dropped_bits += 1;
            self.join();
        }
    }

    fn join(&mut self) {
        self.counted.join(|key| key >> self.dropped_bits);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally_of(values: &[f64], limit: usize) -> Tally {
        let mut tally = Tally::new(limit);
        for value in values {
            tally.update(*value, 1);
        }
        tally
    }

    fn buckets(mut tally: Tally) -> (u32, Vec<(u64, u64)>) {
        let (dropped_bits, buckets) = tally.finish();
        (
            dropped_bits,
            buckets
                .into_iter()
                .map(|b| (b.value.to_bits(), b.count))
                .collect(),
        )
    }

    #[test]
    fn tally_is_exact_up_to_its_limit() {
        let (dropped_bits, buckets) = buckets(tally_of(&[2.0, 1.0, 2.0, -0.0, 0.0], 4));
        let expected = [(0.0_f64, 2), (1.0, 1), (2.0, 2)].map(|(v, c)| (v.to_bits(), c));
        assert_eq!((dropped_bits, buckets), (0, expected.to_vec()));
    }

    #[test]
    fn values_that_are_not_finite_are_not_counted() {
        let tally = tally_of(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY], 4);
        assert_eq!(buckets(tally), (0, vec![]));
    }

    #[test]
    fn buckets_of_a_full_tally_are_as_narrow_as_documented() {
        let (limit, doublings) = (1024, 27.0);
        let values: Vec<f64> = (0..200_000).map(|i| 0.01 * 1.0001_f64.powi(i)).collect();
        let values: Vec<f64> = values
            .into_iter()
            .take_while(|value| *value < 1e6)
            .collect();
        let mut tally = tally_of(&values, limit);
        let (_, buckets) = tally.finish();
        assert!(buckets.len() > limit / 4 && buckets.len() <= limit);
        for pair in buckets.windows(2) {
            let last = values[values.partition_point(|value| *value < pair[1].value) - 1];
            assert!(last / pair[0].value - 1.0 < 2.0 * doublings / limit as f64);
        }
    }

    proptest! {
        #[test]
        fn buckets_depend_on_the_multiset_alone(
            values in prop::collection::vec(-1e6..1e6_f64, 0..2000),
            split in 0_usize..2000,
            limit in 2_usize..300,
        ) {
            let whole = buckets(tally_of(&values, limit));
            let reversed: Vec<f64> = values.iter().rev().copied().collect();
            prop_assert_eq!(&whole, &buckets(tally_of(&reversed, limit)));

            let (left, right) = values.split_at(split.min(values.len()));
            let mut merged = tally_of(left, limit);
            let mut other = tally_of(right, limit);
            let (dropped_bits, parts) = other.finish();
            merged.merge(dropped_bits, parts);
            prop_assert_eq!(&whole, &buckets(merged));
        }
    }
}
