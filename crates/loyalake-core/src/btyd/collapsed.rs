//! Customers with the same history, counted: all that a fit needs to see.

use std::collections::HashMap;

/// Distinct rows of N numbers with the number of customers who have each.
///
/// The result does not depend on the order of updates and merges, for counts are whole numbers.
#[derive(Debug, Clone, Default)]
pub struct Collapsed<const N: usize> {
    customers: HashMap<[u64; N], u64>,
    rejected: u64,
}

impl<const N: usize> Collapsed<N> {
    /// Adds customers with the same row of finite numbers.
    pub fn update(&mut self, row: [f64; N], customers: u64) {
        if customers > 0 {
            // Adding 0 turns -0 to 0.
            let count = self
                .customers
                .entry(row.map(|number| (number + 0.0).to_bits()))
                .or_default();
            *count = count.saturating_add(customers);
        }
    }

    /// Counts rows outside the domain.
    pub fn reject(&mut self, rows: u64) {
        self.rejected += rows;
    }

    /// Adds what `other` has seen.
    pub fn merge(&mut self, other: Self) {
        self.reject(other.rejected);
        for (key, customers) in other.customers {
            self.update(key.map(f64::from_bits), customers);
        }
    }

    /// Whether it has seen no row at all.
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty() && self.rejected == 0
    }

    /// Customers in all rows.
    pub fn customers(&self) -> u64 {
        self.customers
            .values()
            .fold(0, |sum, customers| sum.saturating_add(*customers))
    }

    /// The number of distinct rows.
    pub fn distinct(&self) -> u64 {
        self.customers.len() as u64
    }

    /// Rows outside the domain.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// The distinct rows in ascending order, with their customers.
    pub fn rows(&self) -> Vec<([f64; N], u64)> {
        let mut rows: Vec<_> = self
            .customers
            .iter()
            .map(|(key, customers)| (key.map(f64::from_bits), *customers))
            .collect();
        let compare = |one: &[f64; N], other: &[f64; N]| {
            let pairs = one.iter().zip(other);
            pairs
                .map(|(one, other)| one.total_cmp(other))
                .find(|order| order.is_ne())
        };
        rows.sort_unstable_by(|(one, _), (other, _)| {
            compare(one, other).unwrap_or(std::cmp::Ordering::Equal)
        });
        rows
    }

    /// Memory on the heap, in bytes.
    pub fn heap_size(&self) -> usize {
        // A hash table has one byte of control per slot and fills 7/8 of its slots.
        self.customers.capacity() * 8 / 7 * (size_of::<([u64; N], u64)>() + 1)
    }
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
        assert_eq!(rows.rows(), vec![([0.0], 3)]);
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
            prop_assert_eq!(forward.rows(), collapsed(&rows).rows());
            prop_assert_eq!(backward.rows(), collapsed(&rows).rows());
        }
    }
}
