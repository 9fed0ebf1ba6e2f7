//! `restricted_mean(curve, horizon)`: mean lifetime up to a horizon.

use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_common::arrow::array::{ArrayRef, Float64Array};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use loyalake_core::survival::kaplan_meier as core;

use crate::args::{Kind, NUMBER, Numbers, Parameters, evaluate, float64, list_element};
use crate::records::{RecordLists, has_numbers};

/// The SQL function.
pub(crate) fn restricted_mean() -> ScalarUDF {
    ScalarUDF::from(RestrictedMean {
        signature: PARAMETERS.signature(),
    })
}

const CURVE: Kind = Kind {
    expected: "a list of structs with time and survival, as from kaplan_meier",
    accepts: |data_type| {
        data_type.is_null()
            || list_element(data_type).is_some_and(|e| has_numbers(e, &["time", "survival"]))
    },
};

const PARAMETERS: Parameters =
    Parameters::new("restricted_mean", &[("curve", CURVE), ("horizon", NUMBER)]);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The mean lifetime up to a horizon: the area under the survival curve from 0 to the \
         horizon. After the last time of the curve it stays flat. A NULL, an empty curve and a \
         negative or infinite horizon give NULL.",
        "restricted_mean(curve, horizon)",
    )
    .with_argument("curve", "The result of kaplan_meier.")
    .with_argument("horizon", "In the time unit of the curve.")
    .with_sql_example(
        "select restricted_mean(kaplan_meier(months, is_ended), 6) as mean_months \
         from (values (2, true), (3, false), (5, true), (8, false)) as t (months, is_ended)",
    )
    .with_related_udf("kaplan_meier")
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct RestrictedMean {
    signature: Signature,
}

impl ScalarUDFImpl for RestrictedMean {
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
            let curves = RecordLists::decode(&args[0])?;
            let (times, survival) = (curves.numbers("time")?, curves.numbers("survival")?);
            let horizons = Numbers::decode(&args[1], float64)?;
            let means = (0..rows).map(|row| {
                let steps = curves
                    .range(row)?
                    .map(|step| times.get(step).zip(survival.get(step)));
                let steps = steps.collect::<Option<Vec<_>>>()?;
                core::restricted_mean(steps, horizons.get(row)?)
            });
            Ok(Arc::new(means.collect::<Float64Array>()) as ArrayRef)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}
