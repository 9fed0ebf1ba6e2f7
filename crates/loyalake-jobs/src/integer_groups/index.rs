//! Numbers of groups by an integer key.

use datafusion::arrow::array::{Array, Int64Array};
use datafusion::arrow::buffer::NullBuffer;

/// Of a place that no key has taken.
const NOBODY: usize = usize::MAX;

/// Places at the beginning.
const PLACES: usize = 1 << 10;

/// Keys that are looked for at a time: their places come from memory together.
const TOGETHER: usize = 128;

/// Places that come from memory as one: a line of the caches.
const LINE: usize = 4;

/// 2⁶⁴ divided by the golden ratio: the high bits of products are spread evenly.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Numbers groups in the order in which their keys appear.
///
/// A key is beside its number, so that most keys are found by one read of memory.
#[derive(Debug)]
pub(super) struct GroupIndex {
    /// At least twice as many as there are keys; a power of two.
    places: Vec<Place>,
    groups: usize,
    null_group: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    key: i64,
    group: usize,
}

const FREE: Place = Place {
    key: 0,
    group: NOBODY,
};

impl GroupIndex {
    /// No groups yet.
    pub(super) fn new() -> Self {
        Self {
            places: vec![FREE; PLACES],
            groups: 0,
            null_group: None,
        }
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.groups
    }

    /// Bytes on the heap.
    pub(super) fn heap_size(&self) -> usize {
        self.places.capacity() * size_of::<Place>()
    }

    /// Writes the group of each key; NULL is a key, too.
    pub(super) fn find(&mut self, keys: &Int64Array, groups: &mut Vec<usize>) {
        groups.clear();
        let mut first = [FREE; TOGETHER];
        for (block, values) in keys.values().chunks(TOGETHER).enumerate() {
            for (first, key) in first.iter_mut().zip(values) {
                *first = self.places[self.first_place(*key)];
            }
            for (row, (key, first)) in values.iter().zip(&first).enumerate() {
                let group = if keys.is_null(block * TOGETHER + row) {
                    self.null_group()
                } else if first.key == *key && first.group != NOBODY {
                    first.group
                } else {
                    self.group(*key)
                };
                groups.push(group);
            }
        }
    }

    /// The keys in the order of their groups; no groups are left.
    pub(super) fn take(&mut self) -> Int64Array {
        let taken = std::mem::replace(self, Self::new());
        let mut keys = vec![0; taken.groups];
        for place in taken.places.iter().filter(|place| place.group != NOBODY) {
            keys[place.group] = place.key;
        }
        let is_known = taken.null_group.map(|null| {
            let groups = 0..taken.groups;
            groups.map(|group| group != null).collect::<NullBuffer>()
        });
        Int64Array::new(keys.into(), is_known)
    }

    fn null_group(&mut self) -> usize {
        *self.null_group.get_or_insert_with(|| {
            self.groups += 1;
            self.groups - 1
        })
    }

    fn group(&mut self, key: i64) -> usize {
        let place = self.place_of(key);
        let found = self.places[place].group;
        if found != NOBODY {
            return found;
        }
        let group = self.groups;
        self.places[place] = Place { key, group };
        self.groups += 1;
        if self.groups > self.places.len() / 2 {
            self.grow();
        }
        group
    }

    /// The place with a key, or the free one that it would take: those of a line, then the next.
    fn place_of(&self, key: i64) -> usize {
        let first = self.first_place(key);
        let mut line = first / LINE;
        loop {
            for step in 0..LINE {
                let place = line * LINE + (first + step) % LINE;
                let taken = &self.places[place];
                if taken.group == NOBODY || taken.key == key {
                    return place;
                }
            }
            line = (line + 1) & (self.places.len() / LINE - 1);
        }
    }

    /// The high bits of a hash: when there are more places, neighbours stay neighbours.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a number with as many bits as there are places"
    )]
    fn first_place(&self, key: i64) -> usize {
        let hash = key.cast_unsigned().wrapping_mul(SPREAD);
        let hash = (hash ^ (hash >> 32)).wrapping_mul(SPREAD);
        (hash >> (u64::BITS - self.places.len().ilog2())) as usize
    }

    fn grow(&mut self) {
        let twice = vec![FREE; 2 * self.places.len()];
        let taken = std::mem::replace(&mut self.places, twice);
        for place in taken.iter().filter(|place| place.group != NOBODY) {
            let at = self.place_of(place.key);
            self.places[at] = *place;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Numbers that look random and come again.
    fn keys(count: u64, distinct: u64) -> Vec<Option<i64>> {
        let mut state = 7_u64;
        let mut next = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % distinct
        };
        (0..count)
            .map(|_| match next() {
                0 => None,
                number => Some(number.wrapping_mul(SPREAD).cast_signed()),
            })
            .collect()
    }

    #[test]
    fn groups_are_those_of_a_map() {
        for distinct in [1, 2, 100, 5_000, 100_000] {
            let keys = keys(200_000, distinct);
            let mut index = GroupIndex::new();
            let mut expected = HashMap::new();
            let mut groups = Vec::new();
            for batch in keys.chunks(8_192) {
                index.find(&batch.iter().copied().collect(), &mut groups);
                for (key, group) in batch.iter().zip(&groups) {
                    let next = expected.len();
                    assert_eq!(*expected.entry(*key).or_insert(next), *group);
                }
                assert_eq!(index.len(), expected.len());
            }
            for (group, key) in index.take().iter().enumerate() {
                assert_eq!(expected.remove(&key), Some(group));
            }
            assert!(expected.is_empty());
            assert_eq!((index.len(), index.take().len()), (0, 0));
        }
    }

    #[test]
    fn extreme_keys_and_neighbours_differ() {
        let keys = [0, -1, i64::MIN, i64::MAX, 1 << 32, -(1 << 32)];
        let keys = keys.into_iter().chain(1..100_000);
        let keys: Int64Array = keys.map(Some).collect();
        let mut index = GroupIndex::new();
        let mut groups = Vec::new();
        for _ in 0..2 {
            index.find(&keys, &mut groups);
            assert!(groups.iter().copied().eq(0..keys.len()));
        }
        assert_eq!(index.take(), keys);
    }
}
