//! `rfm_segment(r, f, m)`: the customary name of a combination of scores.

use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_common::arrow::array::{ArrayRef, StringArray};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use loyalake_core::rfm::rfm_segment as core;

use crate::args::{NUMBER, Numbers, Parameters, evaluate, float64};

/// The SQL function.
pub(crate) fn rfm_segment() -> ScalarUDF {
    ScalarUDF::from(RfmSegment {
        signature: PARAMETERS.signature(),
    })
}

const PARAMETERS: Parameters = Parameters::new(
    "rfm_segment",
    &[("r", NUMBER), ("f", NUMBER), ("m", NUMBER)],
);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The name of a customer segment by scores from 1 to 5, 5 best. It depends on r and on the \
         mean of f and m, rounded half up to 1 … 5:\n\n\
         | r | 1 | 2 | 3 | 4 | 5 |\n\
         |---|---|---|---|---|---|\n\
         | 5 | new | potential_loyalist | potential_loyalist | champions | champions |\n\
         | 4 | promising | potential_loyalist | potential_loyalist | loyal | loyal |\n\
         | 3 | about_to_sleep | about_to_sleep | need_attention | loyal | loyal |\n\
         | 2 | hibernating | hibernating | at_risk | at_risk | cannot_lose |\n\
         | 1 | lost | lost | at_risk | at_risk | cannot_lose |\n\n\
         A score that is not one of 1, 2, 3, 4, 5 gives NULL. The names and their places follow \
         the segment maps of Putler and Clevertap, whose overlaps this table resolves.",
        "rfm_segment(r, f, m)",
    )
    .with_argument("r", "Recency score: 5 for the most recent purchase.")
    .with_argument("f", "Frequency score: 5 for the most purchases.")
    .with_argument("m", "Monetary score: 5 for the highest value.")
    .with_sql_example("select rfm_segment(5, 4, 5) as segment")
    .with_related_udf("score_bin")
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct RfmSegment {
    signature: Signature,
}

impl ScalarUDFImpl for RfmSegment {
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
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |args, rows| {
            let r = Numbers::decode(&args[0], float64)?;
            let f = Numbers::decode(&args[1], float64)?;
            let m = Numbers::decode(&args[2], float64)?;
            let segments = (0..rows).map(|row| {
                core::rfm_segment(score(r.get(row))?, score(f.get(row))?, score(m.get(row))?)
            });
            Ok(Arc::new(segments.collect::<StringArray>()) as ArrayRef)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

/// A whole number; `None` for a fraction, NaN, and what no score can be.
fn score(value: Option<f64>) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is 0 and the range small"
    )]
    value
        .filter(|value| value.fract() == 0.0 && value.abs() < 10.0)
        .map(|value| value as i64)
}
