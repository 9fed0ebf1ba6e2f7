//! A group and one of its days, in 8 bytes.

/// A group and one of its days in a number.
pub(super) fn pair(group: usize, day: i32) -> u64 {
    ((group as u64) << 32) | u64::from(day.cast_unsigned())
}

pub(super) fn group_of(pair: u64) -> usize {
    (pair >> 32) as usize
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half has 32 bits"
)]
pub(super) fn day_of(pair: u64) -> i32 {
    (pair as u32).cast_signed()
}
