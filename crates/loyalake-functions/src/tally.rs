//! The Arrow side of `loyalake_core::tally`: an accumulator for aggregates over one number column.

use std::fmt;
use std::sync::Arc;

use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, ListArray,
};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion_common::utils::SingleRowListArrayBuilder;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Accumulator;
use datafusion_expr::utils::format_state_name;
use loyalake_core::tally::{Bucket, EXACT_VALUES, Tally};

use crate::args::{float64, state_column};
use crate::counts::Counts;

/// Columns that a tally's state takes: dropped bits, values, counts.
pub(crate) const TALLY_COLUMNS: usize = 3;

/// The fields of a tally's state; `part` tells several tallies of one aggregate apart.
pub(crate) fn tally_fields(name: &str, part: &str) -> Vec<FieldRef> {
    let field = |column: &str, data_type| {
        let name = format_state_name(name, &format!("{part}{column}"));
        Field::new(name, data_type, true).into()
    };
    vec![
        field("dropped_bits", DataType::Int32),
        field("values", DataType::new_list(DataType::Float64, true)),
        field("counts", DataType::new_list(DataType::Int64, true)),
    ]
}

/// A tally as one row of its state.
pub(crate) fn tally_state(tally: &mut Tally) -> Vec<ScalarValue> {
    let (dropped_bits, buckets) = tally.finish();
    let values = buckets.iter().map(|bucket| bucket.value);
    let counts = buckets.iter().map(|bucket| bucket.count.cast_signed());
    let list = |items: ArrayRef| SingleRowListArrayBuilder::new(items).build_list_scalar();
    vec![
        ScalarValue::from(dropped_bits.cast_signed()),
        list(Arc::new(Float64Array::from_iter_values(values))),
        list(Arc::new(Int64Array::from_iter_values(counts))),
    ]
}

/// Adds rows of state.
///
/// # Errors
/// When the state has other types.
pub(crate) fn merge_tally(function: &str, tally: &mut Tally, state: &[ArrayRef]) -> Result<()> {
    let dropped_bits: &Int32Array = state_column(function, state, 0)?;
    let values: &ListArray = state_column(function, state, 1)?;
    let counts: &ListArray = state_column(function, state, 2)?;
    for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
        let (values, counts) = (values.value(row), counts.value(row));
        let values = values.as_primitive::<Float64Type>().values();
        let counts = counts.as_primitive::<Int64Type>().values();
        let buckets = values.iter().zip(counts);
        let buckets = buckets.map(|(value, count)| Bucket {
            value: *value,
            count: count.cast_unsigned(),
        });
        tally.merge(dropped_bits.value(row).cast_unsigned(), buckets);
    }
    Ok(())
}

/// An aggregate whose state is one tally and whose result is a function of it.
pub(crate) struct TallyAccumulator<F> {
    function: &'static str,
    tally: Tally,
    /// Where the arguments say how many rows a row stands for.
    counted_at: usize,
    result: F,
}

impl<F: Fn(&[Bucket]) -> ScalarValue> TallyAccumulator<F> {
    /// No values yet.
    pub(crate) fn new(function: &'static str, result: F) -> Self {
        Self {
            function,
            tally: Tally::new(EXACT_VALUES),
            counted_at: usize::MAX,
            result,
        }
    }

    /// An argument says how many rows a row stands for, if it is given.
    pub(crate) fn counted_at(mut self, position: usize) -> Self {
        self.counted_at = position;
        self
    }
}

impl<F> fmt::Debug for TallyAccumulator<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter
            .debug_struct(self.function)
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

impl<F: Fn(&[Bucket]) -> ScalarValue + Send + Sync + 'static> Accumulator for TallyAccumulator<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let counts = Counts::decode(self.function, values, self.counted_at)?;
        for (row, value) in float64(&values[0])?.iter().enumerate() {
            if let Some(value) = value {
                self.tally.update(value, counts.get(row));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        merge_tally(self.function, &mut self.tally, states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(tally_state(&mut self.tally))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok((self.result)(&self.tally.finish().1))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.tally.heap_size()
    }
}
