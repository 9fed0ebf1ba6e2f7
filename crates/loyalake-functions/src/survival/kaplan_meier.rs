//! `kaplan_meier(duration, is_ended)`: the survival curve, some durations being still under
//! observation.

use std::sync::{Arc, LazyLock};

use datafusion_common::arrow::array::{ArrayRef, Float64Array, Int64Array, StructArray};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion_common::utils::SingleRowListArrayBuilder;
use datafusion_common::{Result, ScalarValue};
use datafusion_doc::Documentation;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::AggregateOrderSensitivity;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};
use loyalake_core::survival::kaplan_meier::{KaplanMeier as Estimate, SurvivalStep};

use crate::args::{BOOLEAN, NUMBER, Parameters, boolean, float64};
use crate::tally::{TALLY_COLUMNS, merge_tally, tally_fields, tally_state};

/// The SQL function.
pub(crate) fn kaplan_meier() -> AggregateUDF {
    AggregateUDF::from(KaplanMeier {
        signature: PARAMETERS.signature(),
    })
}

const PARAMETERS: Parameters = Parameters::new(
    "kaplan_meier",
    &[("duration", NUMBER), ("is_ended", BOOLEAN)],
);

static DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        "The survival curve of Kaplan and Meier as a list of structs, one for each duration that \
         occurs, ascending: time, at_risk (those with at least this duration), ended (at this \
         duration), survival (share expected to last longer), ci_low, ci_high (95 %, Greenwood's \
         variance on the log(−log) scale; where survival is 1 or 0 the interval is that point). \
         Rows with a NULL and durations that are negative or not finite are skipped; no rows \
         give NULL.",
        "kaplan_meier(duration, is_ended)",
    )
    .with_argument("duration", "How long the customer has been observed, in any unit of time.")
    .with_argument("is_ended", "Whether it ended then; false: still a customer when last seen.")
    .with_sql_example(
        "select kaplan_meier(months, is_ended) as curve \
         from (values (2, true), (3, false), (5, true), (8, false)) as t (months, is_ended)",
    )
    .with_related_udf("restricted_mean")
    .build()
    });

#[derive(Debug, PartialEq, Eq, Hash)]
struct KaplanMeier {
    signature: Signature,
}

impl AggregateUDFImpl for KaplanMeier {
    fn name(&self) -> &str {
        PARAMETERS.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        PARAMETERS.check(types)?;
        Ok(DataType::new_list(DataType::Struct(step_fields()), true))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        PARAMETERS.check_not_distinct(&args)?;
        Ok([
            tally_fields(args.name, "ended_"),
            tally_fields(args.name, "censored_"),
        ]
        .concat())
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(CurveAccumulator {
            estimate: Estimate::new(),
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

#[derive(Debug)]
struct CurveAccumulator {
    estimate: Estimate,
}

impl Accumulator for CurveAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (durations, is_ended) = (float64(&values[0])?, boolean(&values[1])?);
        for (duration, is_ended) in durations.iter().zip(is_ended.iter()) {
            if let (Some(duration), Some(is_ended)) = (duration, is_ended) {
                self.estimate.update(duration, is_ended);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (ended, censored) = states.split_at(TALLY_COLUMNS.min(states.len()));
        merge_tally(PARAMETERS.function(), &mut self.estimate.ended, ended)?;
        merge_tally(PARAMETERS.function(), &mut self.estimate.censored, censored)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let ended = tally_state(&mut self.estimate.ended);
        let censored = tally_state(&mut self.estimate.censored);
        Ok([ended, censored].concat())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match self.estimate.finish() {
            Some(curve) => {
                let steps = Arc::new(steps(&curve));
                Ok(SingleRowListArrayBuilder::new(steps).build_list_scalar())
            }
            None => Ok(ScalarValue::new_null_list(
                DataType::Struct(step_fields()),
                true,
                1,
            )),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.estimate.ended.heap_size() + self.estimate.censored.heap_size()
    }
}

fn step_fields() -> Fields {
    let field = |name, data_type| Field::new(name, data_type, true);
    Fields::from(vec![
        field("time", DataType::Float64),
        field("at_risk", DataType::Int64),
        field("ended", DataType::Int64),
        field("survival", DataType::Float64),
        field("ci_low", DataType::Float64),
        field("ci_high", DataType::Float64),
    ])
}

fn steps(curve: &[SurvivalStep]) -> StructArray {
    let numbers = |of: fn(&SurvivalStep) -> f64| -> ArrayRef {
        Arc::new(curve.iter().map(of).collect::<Float64Array>())
    };
    let counts = |of: fn(&SurvivalStep) -> u64| -> ArrayRef {
        Arc::new(
            curve
                .iter()
                .map(|step| of(step).cast_signed())
                .collect::<Int64Array>(),
        )
    };
    let columns = vec![
        numbers(|step| step.time),
        counts(|step| step.at_risk),
        counts(|step| step.ended),
        numbers(|step| step.survival),
        numbers(|step| step.ci_low),
        numbers(|step| step.ci_high),
    ];
    StructArray::new(step_fields(), columns, None)
}
