//! `scale_to_unit(value, scale_min, scale_max)`: answers on different scales, made comparable.

use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_common::arrow::array::{ArrayRef, Float64Array};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use loyalake_core::loyalty::scale_to_unit as core;

use crate::args::{NUMBER, Numbers, Parameters, evaluate, float64};

/// The SQL function.
pub(crate) fn scale_to_unit() -> ScalarUDF {
    ScalarUDF::from(ScaleToUnit {
        signature: PARAMETERS.signature(),
    })
}

const PARAMETERS: Parameters = Parameters::new(
    "scale_to_unit",
    &[
        ("value", NUMBER),
        ("scale_min", NUMBER),
        ("scale_max", NUMBER),
    ],
);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The place of a value on its scale, from 0 at scale_min to 1 at scale_max: (value − \
         scale_min) / (scale_max − scale_min). On a scale whose best end is the lower number \
         write scale_to_unit(value, max, min). NULL outside of the scale, for equal ends, NaN and \
         infinite ends.",
        "scale_to_unit(value, scale_min, scale_max)",
    )
    .with_argument("value", "A number on the scale.")
    .with_argument("scale_min", "The end that gives 0.")
    .with_argument("scale_max", "The end that gives 1.")
    .with_sql_example("select scale_to_unit(4, 1, 5) as unit")
    .with_related_udf("csat")
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct ScaleToUnit {
    signature: Signature,
}

impl ScalarUDFImpl for ScaleToUnit {
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
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |args, rows| {
            let value = Numbers::decode(&args[0], float64)?;
            let scale_min = Numbers::decode(&args[1], float64)?;
            let scale_max = Numbers::decode(&args[2], float64)?;
            let unit = |row| {
                core::scale_to_unit(value.get(row)?, scale_min.get(row)?, scale_max.get(row)?)
            };
            Ok(Arc::new((0..rows).map(unit).collect::<Float64Array>()) as ArrayRef)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}
