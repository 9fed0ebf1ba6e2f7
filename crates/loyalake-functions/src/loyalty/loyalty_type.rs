//! `loyalty_type(behavioral, attitudinal, cut_behavioral, cut_attitudinal)`: what kind of loyalty
//! a customer has.

use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_common::arrow::array::{ArrayRef, StringArray};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use loyalake_core::loyalty::quadrant::LOYALTY_TYPES;

use crate::args::{NUMBER, Parameters, evaluate};
use crate::loyalty::quadrant_names;

/// The SQL function.
pub(crate) fn loyalty_type() -> ScalarUDF {
    ScalarUDF::from(LoyaltyType {
        signature: PARAMETERS.signature(),
    })
}

const PARAMETERS: Parameters = Parameters::new(
    "loyalty_type",
    &[
        ("behavioral", NUMBER),
        ("attitudinal", NUMBER),
        ("cut_behavioral", NUMBER),
        ("cut_attitudinal", NUMBER),
    ],
);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "What kind of loyalty a customer has: true (buys again and means it), latent (means \
         it, does not buy), spurious (buys without meaning it) or none. A score at its cut is \
         high; NULL or NaN gives NULL. Source: Dick and Basu (1994), Journal of the Academy \
         of Marketing Science 22(2).",
        "loyalty_type(behavioral, attitudinal, cut_behavioral, cut_attitudinal)",
    )
    .with_argument("behavioral", "Score of behaviour.")
    .with_argument("attitudinal", "Score of attitude.")
    .with_argument("cut_behavioral", "Behaviour from here on is high.")
    .with_argument("cut_attitudinal", "Attitude from here on is high.")
    .with_sql_example("select loyalty_type(80, 20, 50, 50) as loyalty")
    .with_related_udf("satisfaction_loyalty_quadrant")
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct LoyaltyType {
    signature: Signature,
}

impl ScalarUDFImpl for LoyaltyType {
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
            let names: StringArray = quadrant_names(&LOYALTY_TYPES, args, rows)?;
            Ok(Arc::new(names) as ArrayRef)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}
