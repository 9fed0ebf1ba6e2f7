//! `satisfaction_loyalty_quadrant(satisfaction, loyalty, cut_s, cut_l)`: satisfied or not, loyal
//! or not.

use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_common::arrow::array::{ArrayRef, StringArray};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use loyalake_core::loyalty::quadrant::SATISFACTION_LOYALTY;

use crate::args::{NUMBER, Parameters, evaluate};
use crate::loyalty::quadrant_names;

/// The SQL function.
pub(crate) fn satisfaction_loyalty_quadrant() -> ScalarUDF {
    ScalarUDF::from(SatisfactionLoyaltyQuadrant {
        signature: PARAMETERS.signature(),
    })
}

const PARAMETERS: Parameters = Parameters::new(
    "satisfaction_loyalty_quadrant",
    &[
        ("satisfaction", NUMBER),
        ("loyalty", NUMBER),
        ("cut_s", NUMBER),
        ("cut_l", NUMBER),
    ],
);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The kind of customer by satisfaction and loyalty: loyalist (both high), mercenary \
         (satisfied, not loyal), hostage (loyal, not satisfied) or defector. A score at its \
         cut is high; NULL or NaN gives NULL. Source: Jones and Sasser (1995), Harvard \
         Business Review 73(6).",
        "satisfaction_loyalty_quadrant(satisfaction, loyalty, cut_s, cut_l)",
    )
    .with_argument("satisfaction", "Score of satisfaction.")
    .with_argument("loyalty", "Score of loyalty.")
    .with_argument("cut_s", "Satisfaction from here on is high.")
    .with_argument("cut_l", "Loyalty from here on is high.")
    .with_sql_example("select satisfaction_loyalty_quadrant(20, 80, 50, 50) as quadrant")
    .with_related_udf("loyalty_type")
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct SatisfactionLoyaltyQuadrant {
    signature: Signature,
}

impl ScalarUDFImpl for SatisfactionLoyaltyQuadrant {
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
            let names: StringArray = quadrant_names(&SATISFACTION_LOYALTY, args, rows)?;
            Ok(Arc::new(names) as ArrayRef)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}
