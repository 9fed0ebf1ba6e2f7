//! The Arrow side of `loyalake_core::btyd::Collapsed`: distinct rows with their counts as the state
//! of an aggregate.

use std::sync::Arc;

use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray,
};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion_common::utils::SingleRowListArrayBuilder;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::utils::format_state_name;
use loyalake_core::btyd::Collapsed;

use crate::args::state_column;

/// The fields of the state: a list for each column of the distinct rows, their counts, and the
/// number of rejected rows.
pub(crate) fn collapsed_fields<const N: usize>(name: &str) -> Vec<FieldRef> {
    let field = |part: &str, data_type| -> FieldRef {
        Arc::new(Field::new(format_state_name(name, part), data_type, true))
    };
    let numbers = DataType::new_list(DataType::Float64, true);
    let columns = (0..N).map(|i| field(&format!("column_{i}"), numbers.clone()));
    let counts = [
        field("customers", DataType::new_list(DataType::Int64, true)),
        field("rows_rejected", DataType::Int64),
    ];
    columns.chain(counts).collect()
}

/// Collapsed rows as one row of state.
pub(crate) fn collapsed_state<const N: usize>(rows: &mut Collapsed<N>) -> Vec<ScalarValue> {
    let rows = std::mem::take(rows);
    let rejected = rows.rejected();
    let distinct = rows.into_rows(u64::cast_signed);
    let list = |array: ArrayRef| SingleRowListArrayBuilder::new(array).build_list_scalar();
    let column = |i: usize| -> ArrayRef {
        Arc::new(
            distinct
                .iter()
                .map(|(row, _)| row[i])
                .collect::<Float64Array>(),
        )
    };
    let customers = distinct.iter().map(|(_, customers)| *customers);
    let customers: ArrayRef = Arc::new(customers.collect::<Int64Array>());
    let mut state: Vec<_> = (0..N).map(|i| list(column(i))).collect();
    state.push(list(customers));
    state.push(ScalarValue::from(rejected.cast_signed()));
    state
}

/// Adds rows of state.
///
/// # Errors
/// When the state has other types.
pub(crate) fn merge_collapsed<const N: usize>(
    function: &str,
    rows: &mut Collapsed<N>,
    states: &[ArrayRef],
) -> Result<()> {
    let customers: &ListArray = state_column(function, states, N)?;
    let rejected: &Int64Array = state_column(function, states, N + 1)?;
    for partial in (0..customers.len()).filter(|at| customers.is_valid(*at)) {
        rows.reject(rejected.value(partial).cast_unsigned());
        let counts = customers.value(partial);
        let columns = (0..N)
            .map(|i| Ok(state_column::<ListArray>(function, states, i)?.value(partial)))
            .collect::<Result<Vec<ArrayRef>>>()?;
        let counts = counts.as_primitive::<Int64Type>().values().iter();
        rows.merge(Collapsed::of_rows(counts.enumerate().map(|(at, count)| {
            let number = |i: usize| columns[i].as_primitive::<Float64Type>().value(at);
            (std::array::from_fn(number), count.cast_unsigned())
        })));
    }
    Ok(())
}
