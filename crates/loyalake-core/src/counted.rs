//! Distinct keys in ascending order and how often each occurs: what tallies and collapsed histories
//! are made of.
//!
//! Sorting needs less memory than a hash table, and no second sorting for who reads the keys.

/// Keys that wait to be sorted are at least so many.
const FEWEST_RECENT: usize = 1 << 14;
/// They are at most this part of the sorted ones: merging them in then costs a few moves a key, and
/// their memory is small.
const RECENT_PART: usize = 4;

const SIGN: u64 = 1 << 63;

/// The bits of a number, changed so that their order is that of the numbers; -0 is 0.
#[inline]
pub(crate) fn key(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The number that a key is of.
#[inline]
pub(crate) fn number(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })
}

/// Keys with their counts, which do not depend on the order in which they came.
#[derive(Debug, Clone)]
pub(crate) struct Counted<K> {
    /// Distinct keys in ascending order.
    sorted: Vec<(K, u64)>,
    /// Later ones, in any order.
    recent: Vec<(K, u64)>,
}

impl<K> Default for Counted<K> {
    fn default() -> Self {
        let (sorted, recent) = (Vec::new(), Vec::new());
        Self { sorted, recent }
    }
}

impl<K: Copy + Ord> Counted<K> {
    /// Adds a key so many times. True when it is time to settle.
    #[inline]
    #[must_use]
    pub(crate) fn add(&mut self, key: K, count: u64) -> bool {
        let most = FEWEST_RECENT.max(self.sorted.len() / RECENT_PART);
        if self.recent.len() == self.recent.capacity() {
            let more = self.recent.len().max(16);
            let more = more.min(most.saturating_sub(self.recent.len()).max(1));
            self.recent.reserve_exact(more);
        }
        self.recent.push((key, count));
        self.recent.len() >= most
    }

    /// Sorts what came lately. Keys that are the same under `class`, which must not change their
    /// order, become one, for which the smallest stands.
    pub(crate) fn settle<C: Ord>(&mut self, class: impl Fn(K) -> C) {
        self.recent.sort_unstable_by_key(|(key, _)| *key);
        join_neighbours(&mut self.recent, &class);
        self.merge_recent(class);
    }

    /// Adds what `other` has, both being settled.
    pub(crate) fn merge(&mut self, mut other: Self) {
        if other.sorted.len() > self.sorted.len() {
            std::mem::swap(&mut self.sorted, &mut other.sorted);
        }
        self.recent = other.sorted;
        self.merge_recent(|key| key);
        self.recent = Vec::new();
    }

    /// Joins settled keys that are the same under `class`.
    pub(crate) fn join<C: Ord>(&mut self, class: impl Fn(K) -> C) {
        join_neighbours(&mut self.sorted, &class);
    }

    /// The settled keys in ascending order, with their counts.
    pub(crate) fn sorted(&self) -> &[(K, u64)] {
        &self.sorted
    }

    /// The settled keys, without a copy.
    pub(crate) fn into_sorted(self) -> Vec<(K, u64)> {
        self.sorted
    }

    /// Nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.sorted.is_empty() && self.recent.is_empty()
    }

    /// The sum of all counts.
    pub(crate) fn total(&self) -> u64 {
        let all = self.sorted.iter().chain(&self.recent);
        all.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Memory on the heap, in bytes.
    pub(crate) fn heap_size(&self) -> usize {
        (self.sorted.capacity() + self.recent.capacity()) * size_of::<(K, u64)>()
    }

    /// Merges recent keys, sorted and distinct themselves, in place.
    fn merge_recent<C: Ord>(&mut self, class: impl Fn(K) -> C) {
        let Self { sorted, recent } = self;
        if sorted.is_empty() {
            std::mem::swap(sorted, recent);
            return;
        }
        let mut at = 0;
        recent.retain(|(key, count)| {
            let sought = class(*key);
            while sorted.get(at).is_some_and(|known| class(known.0) < sought) {
                at += 1;
            }
            match sorted.get_mut(at) {
                Some(known) if class(known.0) == sought => {
                    known.0 = known.0.min(*key);
                    known.1 = known.1.saturating_add(*count);
                    false
                }
                _ => true,
            }
        });
        // From behind, so that no key is overwritten before it has been moved.
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
    }
}

/// Joins sorted keys that are the same under `class` into the smallest of them.
fn join_neighbours<K: Copy, C: Ord>(sorted: &mut Vec<(K, u64)>, class: &impl Fn(K) -> C) {
    sorted.dedup_by(|later, first| {
        let is_same = class(later.0) == class(first.0);
        if is_same {
            first.1 = first.1.saturating_add(later.1);
        }
        is_same
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_like_numbers_and_give_them_back() {
        let numbers = [
            f64::MIN,
            -1.0,
            -f64::MIN_POSITIVE,
            0.0,
            f64::MIN_POSITIVE,
            1.0,
            f64::MAX,
        ];
        let keys = numbers.map(key);
        assert!(keys.is_sorted_by(|one, next| one < next));
        assert_eq!(
            keys.map(number).map(f64::to_bits),
            numbers.map(f64::to_bits)
        );
        assert_eq!(key(-0.0), key(0.0));
    }

    #[test]
    fn the_smallest_stands_for_keys_of_one_class() {
        let mut counted = Counted::default();
        let tens = |key: u64| key / 10;
        for key in [25, 12, 41, 27] {
            assert!(!counted.add(key, 1));
        }
        counted.settle(tens);
        for key in [21, 47, 33] {
            assert!(!counted.add(key, 2));
        }
        counted.settle(tens);
        assert_eq!(counted.sorted(), [(12, 1), (21, 4), (33, 2), (41, 3)]);
        counted.join(|key| key / 20);
        assert_eq!(counted.sorted(), [(12, 1), (21, 6), (41, 3)]);
    }
}
