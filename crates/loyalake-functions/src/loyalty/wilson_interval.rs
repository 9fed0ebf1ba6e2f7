//! `wilson_interval(successes, trials, confidence)`: an interval for a share.

use std::sync::{Arc, LazyLock};

use datafusion_common::arrow::array::{ArrayRef, Float64Array, StructArray};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use loyalake_core::loyalty::wilson_interval as core;

use crate::args::{NUMBER, Numbers, Parameters, evaluate, float64};

/// The SQL function.
pub(crate) fn wilson_interval() -> ScalarUDF {
    ScalarUDF::from(WilsonInterval {
        signature: PARAMETERS.signature(),
    })
}

const PARAMETERS: Parameters = Parameters::new(
    "wilson_interval",
    &[
        ("successes", NUMBER),
        ("trials", NUMBER),
        ("confidence", NUMBER),
    ],
);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "Wilson's interval for the share successes / trials, as a struct of low and high. A NULL, \
         no trials, and successes below 0 or above trials give NULL.",
        "wilson_interval(successes, trials, confidence)",
    )
    .with_argument("successes", "How often it happened.")
    .with_argument("trials", "How often it could have happened.")
    .with_argument("confidence", "Between 0 and 1, 0.95 for instance.")
    .with_sql_example("select wilson_interval(81, 263, 0.95) as share")
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct WilsonInterval {
    signature: Signature,
}

impl ScalarUDFImpl for WilsonInterval {
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
        Ok(DataType::Struct(result_fields()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        if let Some(Some(confidence)) = args.scalar_arguments.get(2) {
            check_confidence(confidence)?;
        }
        let types: Vec<_> = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        Ok(Arc::new(Field::new(
            self.name(),
            self.return_type(&types)?,
            true,
        )))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |args, rows| {
            let successes = Numbers::decode(&args[0], float64)?;
            let trials = Numbers::decode(&args[1], float64)?;
            let confidence = Numbers::decode(&args[2], float64)?;
            let intervals: Vec<Option<(f64, f64)>> = (0..rows)
                .map(|row| {
                    core::wilson_interval(
                        successes.get(row)?,
                        trials.get(row)?,
                        confidence.get(row)?,
                    )
                })
                .collect();
            let ends = |of: fn((f64, f64)) -> f64| -> ArrayRef {
                Arc::new(
                    intervals
                        .iter()
                        .map(|i| i.map(of))
                        .collect::<Float64Array>(),
                )
            };
            let columns = vec![ends(|(low, _)| low), ends(|(_, high)| high)];
            let is_known: Vec<bool> = intervals.iter().map(Option::is_some).collect();
            let nulls = Some(is_known.into());
            Ok(Arc::new(StructArray::try_new(result_fields(), columns, nulls)?) as ArrayRef)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

fn result_fields() -> Fields {
    Fields::from(vec![
        Field::new("low", DataType::Float64, true),
        Field::new("high", DataType::Float64, true),
    ])
}

fn check_confidence(confidence: &ScalarValue) -> Result<()> {
    match confidence.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(Some(value))) if !(value > 0.0 && value < 1.0) => plan_err!(
            "wilson_interval: argument 3 (confidence) must be between 0 and 1, but is \
             {confidence}; write 0.95 for 95 percent"
        ),
        _ => Ok(()),
    }
}
