//! Aggregates that fit a model: `<model>_fit(columns … [, weight])`.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use datafusion_common::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion_common::arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue};
use datafusion_doc::Documentation;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::AggregateOrderSensitivity;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};
use loyalake_core::btyd::{Collapsed, Fit};

use super::fit_value::{encode, fit_type};
use crate::args::{Parameters, float64};
use crate::collapsed::{collapsed_fields, collapsed_state, merge_collapsed};

/// What makes one function of the family: a fit to rows of N numbers, an optional weight behind
/// them.
pub(super) struct ModelFit<const N: usize> {
    pub(super) parameters: Parameters,
    pub(super) documentation: &'static LazyLock<Documentation>,
    /// Whether a row is in the model's domain.
    pub(super) accepts: fn([f64; N]) -> bool,
    pub(super) fit: fn(Collapsed<N>) -> Fit,
}

impl<const N: usize> ModelFit<N> {
    /// The SQL function.
    pub(super) fn udaf(&'static self) -> AggregateUDF {
        AggregateUDF::from(Plumbing {
            function: self,
            signature: self.parameters.signature(),
        })
    }
}

/// The documentation that fits to purchase histories share.
pub(super) fn history_documentation(
    function: &str,
    description: &str,
) -> datafusion_doc::DocumentationBuilder {
    Documentation::builder(
        super::SECTION,
        format!("{description}\n\n{RESULT}"),
        format!("{function}(repeat_purchases, recency, age [, weight])"),
    )
    .with_argument(
        "repeat_purchases",
        "Purchase occasions after the first, a whole number.",
    )
    .with_argument(
        "recency",
        "Time from the first to the last purchase, 0 without a repeat purchase, in any unit.",
    )
    .with_argument(
        "age",
        "Time from the first purchase to today, in the same unit.",
    )
    .with_argument("weight", WEIGHT)
    .with_sql_example(format!(
        "select {function}(x, t_x, t, customers) as fit from (values (0, 0, 38, 60), \
         (1, 5, 38, 15), (1, 25, 38, 10), (2, 12, 38, 8), (2, 30, 38, 8), (4, 20, 38, 4), \
         (4, 33, 38, 5), (9, 22, 38, 2), (9, 37, 38, 3)) as histories (x, t_x, t, customers)"
    ))
}

/// What all fits have in common.
pub(super) const RESULT: &str = "The result is a struct: model, parameters (a list of name, \
     value, std_error), log_likelihood, customers, rows_distinct, rows_rejected, iterations, \
     gradient_norm, status and message. status is 'ok' at an interior maximum, and only then \
     there are standard errors; 'boundary' when the likelihood keeps rising while a parameter \
     runs away, or does not determine all of them; 'not_converged' at the iteration limit; \
     'insufficient_data' (parameters are NULL) with fewer customers than parameters + 1, or none \
     with a repeat purchase (sbg_fit: with a period that has ended). Rows with a NULL are \
     skipped; rows outside the model's domain are counted in rows_rejected. The order of rows \
     does not matter. An empty group gives NULL.";
pub(super) const WEIGHT: &str =
    "How many customers have this row, a whole number; 1 when left out.";

struct Plumbing<const N: usize> {
    function: &'static ModelFit<N>,
    signature: Signature,
}

impl<const N: usize> std::fmt::Debug for Plumbing<N> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl<const N: usize> PartialEq for Plumbing<N> {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl<const N: usize> Eq for Plumbing<N> {}

impl<const N: usize> Hash for Plumbing<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// Groups are few here (a country, a cohort), each with many rows: the engine's adapter, one
/// accumulator a group, costs nothing that matters beside the fit.
impl<const N: usize> AggregateUDFImpl for Plumbing<N> {
    fn name(&self) -> &str {
        self.function.parameters.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.parameters.check(types)?;
        Ok(fit_type())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.function.parameters.check_not_distinct(&args)?;
        Ok(collapsed_fields::<N>(args.name))
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(FitAccumulator {
            function: self.function,
            rows: Collapsed::default(),
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.function.documentation)
    }
}

struct FitAccumulator<const N: usize> {
    function: &'static ModelFit<N>,
    rows: Collapsed<N>,
}

impl<const N: usize> std::fmt::Debug for FitAccumulator<N> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let name = self.function.parameters.function();
        formatter
            .debug_struct(name)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl<const N: usize> FitAccumulator<N> {
    fn add(&mut self, row: [f64; N], weight: f64) {
        match whole_number(weight) {
            Some(customers) if (self.function.accepts)(row) => self.rows.update(row, customers),
            _ => self.rows.reject(1),
        }
    }
}

/// Largest number up to which every whole number is a double.
const LARGEST_WEIGHT: f64 = 9_007_199_254_740_992.0;

fn whole_number(weight: f64) -> Option<u64> {
    let is_whole = (0.0..=LARGEST_WEIGHT).contains(&weight) && weight.trunc() >= weight;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 2^53"
    )]
    is_whole.then_some(weight as u64)
}

impl<const N: usize> Accumulator for FitAccumulator<N> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = values
            .iter()
            .map(float64)
            .collect::<Result<Vec<Float64Array>>>()?;
        let rows = columns.first().map_or(0, Float64Array::len);
        for at in (0..rows).filter(|at| columns.iter().all(|column| column.is_valid(*at))) {
            let row = std::array::from_fn(|i| columns[i].value(at));
            self.add(row, columns.get(N).map_or(1.0, |weights| weights.value(at)));
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        merge_collapsed(self.function.parameters.function(), &mut self.rows, states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(collapsed_state(&mut self.rows))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let rows = std::mem::take(&mut self.rows);
        let fit = (!rows.is_empty()).then(|| (self.function.fit)(rows));
        Ok(ScalarValue::Struct(Arc::new(encode(&[fit])?)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.rows.heap_size()
    }
}
