//! Numbers of groups by an integer key.

use std::hint::black_box;

use datafusion::arrow::array::{Array, Int64Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::common::{Result, exec_datafusion_err};

/// Of a place that no key has taken.
const NOBODY: u32 = u32::MAX;

/// Places that come from memory as one.
const PLACES: usize = 5;

/// How many lines there are at the beginning.
const LINES: usize = 256;

/// Keys that are looked for at a time: their lines come from memory together.
const TOGETHER: usize = 128;

/// 2⁶⁴ divided by the golden ratio: the high bits of products are spread evenly.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Numbers groups in the order in which their keys appear.
///
/// A key is beside its number, so that most keys are found by one read of memory.
#[derive(Debug)]
pub(super) struct GroupIndex {
    /// A key is in the line of its hash or, where that is full, in the next one with a free place.
    lines: Vec<Line>,
    groups: u32,
    null_group: Option<u32>,
}

/// A line of the processor's caches. Its free places are the last ones.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line {
    keys: [i64; PLACES],
    groups: [u32; PLACES],
}

const FREE: Line = Line {
    keys: [0; PLACES],
    groups: [NOBODY; PLACES],
};

// Without branches, which would be guessed wrongly.
impl Line {
    /// The group of a key that is here, or [`NOBODY`].
    fn group(&self, key: i64) -> u32 {
        let mut group = NOBODY;
        for place in 0..PLACES {
            if self.keys[place] == key {
                group = group.min(self.groups[place]);
            }
        }
        group
    }

    /// The first free place.
    fn free_place(&self) -> Option<usize> {
        let taken = self.groups.iter().filter(|group| **group != NOBODY);
        Some(taken.count()).filter(|place| *place < PLACES)
    }

    fn taken(&self) -> impl Iterator<Item = (i64, u32)> {
        let places = self.keys.iter().copied().zip(self.groups.iter().copied());
        places.take_while(|(_, group)| *group != NOBODY)
    }
}

impl GroupIndex {
    /// No groups yet.
    pub(super) fn new() -> Self {
        Self {
            lines: vec![FREE; LINES],
            groups: 0,
            null_group: None,
        }
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.groups as usize
    }

    /// Bytes on the heap.
    pub(super) fn heap_size(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    /// Writes the group of each key; NULL is a key, too.
    ///
    /// # Errors
    /// When numbers of groups need more than 32 bits.
    pub(super) fn find(&mut self, keys: &Int64Array, groups: &mut Vec<usize>) -> Result<()> {
        groups.clear();
        let mut lines = [0; TOGETHER];
        for (block, values) in keys.values().chunks(TOGETHER).enumerate() {
            self.make_room()?;
            for (line, key) in lines.iter_mut().zip(values) {
                *line = self.line_of(*key);
            }
            let fetched = lines[..values.len()]
                .iter()
                .map(|line| self.lines[*line].groups[0]);
            black_box(fetched.fold(0, |all, group| all ^ group));
            for (row, (key, line)) in values.iter().zip(lines).enumerate() {
                let is_null = keys.is_null(block * TOGETHER + row);
                let group = if is_null {
                    self.null_group()
                } else {
                    self.group(*key, line)
                };
                groups.push(group as usize);
            }
        }
        Ok(())
    }

    /// The keys in the order of their groups; no groups are left.
    pub(super) fn take(&mut self) -> Int64Array {
        let taken = std::mem::replace(self, Self::new());
        let mut keys = vec![0; taken.len()];
        for (key, group) in taken.lines.iter().flat_map(Line::taken) {
            keys[group as usize] = key;
        }
        let is_known = taken.null_group.map(|null| {
            let groups = 0..taken.groups;
            groups.map(|group| group != null).collect::<NullBuffer>()
        });
        Int64Array::new(keys.into(), is_known)
    }

    fn null_group(&mut self) -> u32 {
        *self.null_group.get_or_insert_with(|| {
            self.groups += 1;
            self.groups - 1
        })
    }

    /// The group of a key, in the line of its hash or after it; a new one for a new key.
    fn group(&mut self, key: i64, mut line: usize) -> u32 {
        loop {
            let places = &mut self.lines[line];
            let group = places.group(key);
            if group != NOBODY {
                return group;
            }
            if let Some(place) = places.free_place() {
                places.keys[place] = key;
                places.groups[place] = self.groups;
                self.groups += 1;
                return self.groups - 1;
            }
            line = self.next(line);
        }
    }

    /// More lines when four of five places would be taken.
    fn make_room(&mut self) -> Result<()> {
        let needed = self.len() + TOGETHER;
        if needed > NOBODY as usize {
            return Err(exec_datafusion_err!(
                "more than {} groups in one partition; raise engine.partitions",
                self.groups
            ));
        }
        if needed <= self.lines.len() * 4 {
            return Ok(());
        }
        let more = vec![FREE; 2 * self.lines.len()];
        let taken = std::mem::replace(&mut self.lines, more);
        for (key, group) in taken.iter().flat_map(Line::taken) {
            let mut line = self.line_of(key);
            let place = loop {
                match self.lines[line].free_place() {
                    Some(place) => break place,
                    None => line = self.next(line),
                }
            };
            self.lines[line].keys[place] = key;
            self.lines[line].groups[place] = group;
        }
        Ok(())
    }

    fn next(&self, line: usize) -> usize {
        if line + 1 == self.lines.len() {
            0
        } else {
            line + 1
        }
    }

    /// In the order of hashes, so that with more lines neighbours stay neighbours.
    #[expect(clippy::cast_possible_truncation, reason = "less than there are lines")]
    fn line_of(&self, key: i64) -> usize {
        let hash = key.cast_unsigned().wrapping_mul(SPREAD);
        let hash = (hash ^ (hash >> 32)).wrapping_mul(SPREAD);
        ((u128::from(hash) * self.lines.len() as u128) >> u64::BITS) as usize
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

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
                let found = index.find(&batch.iter().copied().collect(), &mut groups);
                found.unwrap();
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
            index.find(&keys, &mut groups).unwrap();
            assert!(groups.iter().copied().eq(0..keys.len()));
        }
        assert_eq!(index.take(), keys);
    }
}
