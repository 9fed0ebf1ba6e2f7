//! `count`, the optional last argument of aggregates that know rows as equal: how many rows a row
//! stands for.

use datafusion_common::arrow::array::{Array, ArrayRef, Int64Array};
use datafusion_common::{Result, exec_datafusion_err};

use crate::args::{Kind, WHOLE_NUMBER, int64};

/// The parameter.
pub(crate) const COUNT: (&str, Kind) = ("count", WHOLE_NUMBER);

/// What functions say of it.
pub(crate) const COUNT_DOCUMENTATION: &str =
    "How many rows this one stands for, from 0 to 4,294,967,296; 1 when left out.";

/// The largest count: sums of so many rows as there can be have room.
const LARGEST: i64 = 1 << 32;

/// The counts of some rows.
pub(crate) struct Counts(Option<Int64Array>);

impl Counts {
    /// The counts at a position, if it is given.
    ///
    /// # Errors
    /// A negative count, or one that is too large.
    pub(crate) fn decode(function: &str, values: &[ArrayRef], position: usize) -> Result<Self> {
        let counts = values.get(position).map(int64).transpose()?;
        let mut known = counts.iter().flatten().flatten();
        if let Some(count) = known.find(|count| !(0..=LARGEST).contains(count)) {
            return Err(exec_datafusion_err!(
                "{function}: argument {} ({}) must be from 0 to {LARGEST}, but is {count}",
                position + 1,
                COUNT.0
            ));
        }
        Ok(Self(counts))
    }

    /// The count of a row; NULL is none.
    pub(crate) fn get(&self, row: usize) -> u64 {
        match &self.0 {
            None => 1,
            Some(counts) if counts.is_null(row) => 0,
            Some(counts) => counts.value(row).cast_unsigned(),
        }
    }
}
