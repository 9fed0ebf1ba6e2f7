//! Customers with the same history, counted: all that a fit needs to see.

use crate::counted::{Counted, key, number};

/// Distinct rows of N numbers with the number of customers who have each.
///
/// The result does not depend on the order of updates and merges, for counts are whole numbers.
/// Rows of whole numbers, as most are, take 16 bytes.
#[derive(Debug, Clone, Default)]
pub struct Collapsed<const N: usize> {
    /// Rows of numbers that are whole and small enough, as one number each.
    packed: Counted<u64>,
    /// All others.
    wide: Counted<[u64; N]>,
    rejected: u64,
}

impl<const N: usize> Collapsed<N> {
    /// Adds customers with the same row of finite numbers.
    pub fn update(&mut self, row: [f64; N], customers: u64) {
        if customers > 0 {
            match packed(row) {
                Some(row) => add(&mut self.packed, row, customers),
                None => add(&mut self.wide, row.map(key), customers),
            }
        }
    }

    /// Counts rows outside the domain.
    pub fn reject(&mut self, rows: u64) {
        self.rejected += rows;
    }

    /// Adds what `other` has seen.
    pub fn merge(&mut self, mut other: Self) {
        self.reject(other.rejected);
        self.settle();
        other.settle();
        self.packed.merge(other.packed);
        self.wide.merge(other.wide);
    }

    /// Whether it has seen no row at all.
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty() && self.wide.is_empty() && self.rejected == 0
    }

    /// Rows outside the domain.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Customers in all rows.
    pub fn customers(&self) -> u64 {
        self.packed.total().saturating_add(self.wide.total())
    }

    /// The number of distinct rows, of settled ones.
    pub fn distinct(&self) -> u64 {
        (self.packed.sorted().len() + self.wide.sorted().len()) as u64
    }

    /// The distinct rows in ascending order, with what `count` makes of their customers.
    pub fn into_rows<C>(mut self, count: impl Fn(u64) -> C) -> Vec<([f64; N], C)> {
        self.settle();
        let Self { packed, wide, .. } = self;
        let has_both = !packed.is_empty() && !wide.is_empty();
        let wide = wide.into_sorted().into_iter();
        // a count of 8 bytes takes the place of the customers
        let mut rows: Vec<_> = wide
            .map(|(keys, customers)| (keys.map(number), count(customers)))
            .collect();
        rows.reserve_exact(packed.sorted().len());
        let packed = packed.into_sorted().into_iter();
        rows.extend(packed.map(|(row, customers)| (unpacked(row), count(customers))));
        if has_both {
            rows.sort_unstable_by_key(|(row, _)| row.map(key));
        }
        rows
    }

    /// What gives these rows.
    pub fn of_rows(rows: impl Iterator<Item = ([f64; N], u64)>) -> Self {
        let mut collapsed = Self::default();
        for (row, customers) in rows {
            collapsed.update(row, customers);
        }
        collapsed.settle();
        collapsed
    }

    /// Sorts what came lately, and counts what is the same.
    pub fn settle(&mut self) {
        self.packed.settle(|row| row);
        self.wide.settle(|row| row);
    }

    /// Memory on the heap, in bytes.
    pub fn heap_size(&self) -> usize {
        self.packed.heap_size() + self.wide.heap_size()
    }
}

fn add<K: Copy + Ord>(rows: &mut Counted<K>, row: K, customers: u64) {
    if rows.add(row, customers) {
        rows.settle(|row| row);
    }
}

/// A row as one number, in the same order, when all its numbers are whole and small enough.
fn packed<const N: usize>(row: [f64; N]) -> Option<u64> {
    row.into_iter().try_fold(0, |packed, number| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "compared with the number afterwards"
        )]
        let whole = number as u64;
        let is_small = whole >> packed_bits(N) == 0 && key(whole as f64) == key(number);
        is_small.then_some(packed << packed_bits(N) | whole)
    })
}

/// Bits of each of so many numbers; a double holds no whole number with more than 53.
const fn packed_bits(numbers: usize) -> usize {
    if numbers > 1 { 64 / numbers } else { 53 }
}

fn unpacked<const N: usize>(packed: u64) -> [f64; N] {
    let bits = packed_bits(N);
    std::array::from_fn(|i| {
        let number = packed >> (bits * (N - 1 - i)) & ((1 << bits) - 1);
        number as f64
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn collapsed(rows: &[(u8, u8)]) -> Collapsed<2> {
        let mut collapsed = Collapsed::default();
        for (one, other) in rows {
            collapsed.update([f64::from(*one), f64::from(*other)], 1);
        }
        collapsed
    }

    #[test]
    fn minus_zero_is_zero() {
        let mut rows = Collapsed::default();
        rows.update([0.0], 1);
        rows.update([-0.0], 2);
        rows.update([1.0], 0);
        assert_eq!(rows.into_rows(|n| n), vec![([0.0], 3)]);
    }

    #[test]
    fn numbers_of_all_sizes_are_told_apart() {
        let large = f64::from(1 << 21);
        let numbers = [-1e300, -2.0, 0.0, 0.5, 1.0, 2.0, large - 1.0, large, 1e300];
        let small = [0.0, 1.0, 2.0, large - 1.0];
        let mut whole = Collapsed::default();
        let mut all = Collapsed::default();
        for x in numbers {
            for y in numbers {
                all.update([y, x, y], 1);
                all.update([y, x, y], 2);
                if [x, y].iter().all(|n| small.contains(n)) {
                    whole.update([x, y, x], 1);
                    whole.update([x, y, x], 1);
                }
            }
        }
        let expected = |numbers: &[f64], row: fn(f64, f64) -> [f64; 3], n: u64| {
            let pairs = numbers
                .iter()
                .flat_map(|x| numbers.iter().map(move |y| (*x, *y)));
            pairs.map(|(x, y)| (row(x, y), n)).collect::<Vec<_>>()
        };
        assert_eq!(
            all.into_rows(|n| n),
            expected(&numbers, |x, y| [x, y, x], 3)
        );
        assert_eq!(
            whole.into_rows(|n| n),
            expected(&small, |x, y| [x, y, x], 2)
        );
    }

    proptest! {
        #[test]
        fn merge_equals_one_pass_in_any_order(
            rows in prop::collection::vec((0_u8..4, 0_u8..4), 0..60),
            split in 0_usize..60,
        ) {
            let (left, right) = rows.split_at(split.min(rows.len()));
            let (mut forward, mut backward) = (collapsed(left), collapsed(right));
            forward.merge(collapsed(right));
            backward.merge(collapsed(left));
            prop_assert_eq!(forward.into_rows(|n| n), collapsed(&rows).into_rows(|n| n));
            prop_assert_eq!(backward.into_rows(|n| n), collapsed(&rows).into_rows(|n| n));
        }
    }
}
