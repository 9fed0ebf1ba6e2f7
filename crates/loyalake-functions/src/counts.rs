//! `count`, the optional last argument of aggregates that know rows as equal: how many rows a row
//! stands for.

use datafusion_common::arrow::array::{Array, ArrayRef, Int64Array};
use datafusion_common::{Result, exec_datafusion_err};

use crate::args::{Kind, WHOLE_NUMBER, int64};

/// The parameter.
pub(crate) const COUNT: (&str, Kind) = ("count", WHOLE_NUMBER);

/// What functions say of it.
pub(crate) const COUNT_DOCUMENTATION: &str =
    "How many rows this one stands for, a whole number from 0; 1 when left out.";

/// The counts of some rows.
pub(crate) struct Counts(Option<Int64Array>);

impl Counts {
    /// The counts at a position, if it is given.
    ///
    /// # Errors
    /// A negative count.
    pub(crate) fn decode(function: &str, values: &[ArrayRef], position: usize) -> Result<Self> {
        let counts = values.get(position).map(int64).transpose()?;
        let mut known = counts.iter().flatten().flatten();
        if let Some(count) = known.find(|count| *count < 0) {
            return Err(exec_datafusion_err!(
                "{function}: argument {} ({}) must be from 0, but is {count}",
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
