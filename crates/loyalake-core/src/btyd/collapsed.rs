//! Customers with the same history, counted: all that a fit needs to see.

/// Rows that wait to be sorted are at least so many.
const FEWEST_RECENT: usize = 1 << 16;
/// They are at most this part of the sorted ones: merging them in then costs a few moves a row, and
/// their memory is small.
const RECENT_PART: usize = 4;

/// Distinct rows of N numbers ≥ 0 with the number of customers who have each.
///
/// The result does not depend on the order of updates and merges, for counts are whole numbers.
/// Sorting needs less memory than a hash table, and no second sorting for who reads the rows.
#[derive(Debug, Clone, Default)]
pub struct Collapsed<const N: usize> {
    /// Distinct rows in ascending order.
    sorted: Vec<Counted<N>>,
    /// Later rows, in any order.
    recent: Vec<Counted<N>>,
    rejected: u64,
}

/// The bits of a row's numbers, which for numbers ≥ 0 are in the order of the numbers, and its
/// customers.
type Counted<const N: usize> = ([u64; N], u64);

impl<const N: usize> Collapsed<N> {
    /// Adds customers with the same row of finite numbers ≥ 0.
    pub fn update(&mut self, row: [f64; N], customers: u64) {
        if customers > 0 {
            // Adding 0 turns -0 to 0.
            let key = row.map(|number| (number + 0.0).to_bits());
            self.recent.push((key, customers));
            if self.recent.len() >= FEWEST_RECENT.max(self.sorted.len() / RECENT_PART) {
                self.settle();
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
        if other.sorted.len() > self.sorted.len() {
            std::mem::swap(&mut self.sorted, &mut other.sorted);
        }
        self.recent = other.sorted;
        self.merge_recent();
    }

    /// Whether it has seen no row at all.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty() && self.recent.is_empty() && self.rejected == 0
    }

    /// Rows outside the domain.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// The distinct rows in ascending order, with their customers.
    pub fn rows(&self) -> Vec<([f64; N], u64)> {
        if self.recent.is_empty() {
            let rows = self.sorted.iter();
            return rows.map(|(key, n)| (key.map(f64::from_bits), *n)).collect();
        }
        let mut all = self.clone();
        all.settle();
        all.rows()
    }

    /// Sorts what came lately; afterwards reading the rows is quick.
    pub fn settle(&mut self) {
        self.recent
            .sort_unstable_by(|one, other| one.0.cmp(&other.0));
        self.recent.dedup_by(|later, first| {
            let is_same = later.0 == first.0;
            if is_same {
                first.1 = first.1.saturating_add(later.1);
            }
            is_same
        });
        self.merge_recent();
    }

    /// Merges recent rows, sorted and distinct themselves, in place.
    fn merge_recent(&mut self) {
        let Self { sorted, recent, .. } = self;
        let mut at = 0;
        recent.retain(|(key, customers)| {
            while sorted.get(at).is_some_and(|known| known.0 < *key) {
                at += 1;
            }
            match sorted.get_mut(at) {
                Some(known) if known.0 == *key => {
                    known.1 = known.1.saturating_add(*customers);
                    false
                }
                _ => true,
            }
        });
        // From behind, so that no row is overwritten before it has been moved.
        let mut known = sorted.len();
        sorted.reserve_exact(recent.len());
        sorted.extend_from_slice(recent);
        let mut free = sorted.len();
        while let Some(last) = recent.last() {
            free -= 1;
            if known > 0 && sorted[known - 1].0 > last.0 {
                known -= 1;
                sorted[free] = sorted[known];
            } else {
                sorted[free] = *last;
                recent.pop();
            }
        }
        *recent = Vec::new();
    }

    /// Memory on the heap, in bytes.
    pub fn heap_size(&self) -> usize {
        (self.sorted.capacity() + self.recent.capacity()) * size_of::<Counted<N>>()
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
