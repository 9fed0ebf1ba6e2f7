//! `model_parameter(fit, name)`: one parameter's value.

use std::sync::LazyLock;

use datafusion_doc::Documentation;
use datafusion_expr::ScalarUDF;

use super::fit_value::{FIT, Fits};
use crate::args::{Parameters, TEXT, Texts, text};
use crate::number_function::NumberFunction;

/// The SQL function.
pub(super) fn model_parameter() -> ScalarUDF {
    FUNCTION.udf()
}

static FUNCTION: NumberFunction = NumberFunction {
    parameters: Parameters::new("model_parameter", &[("fit", FIT), ("name", TEXT)]),
    bounded: &[],
    documentation: &DOCUMENTATION,
    compute: |function, args, rows| {
        let fits = Fits::decode(function.parameters.function(), &args[0])?;
        let names = Texts::decode(&args[1], text)?;
        let value = |row| {
            let (wanted, (_, mut parameters)) = (names.get(row)?, fits.get(row)?);
            parameters.find(|(name, _)| *name == Some(wanted))?.1
        };
        Ok((0..rows).map(value).collect())
    },
};

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The value of one parameter of a fitted model. NULL when the model has no such parameter \
         or the fit had too little data.",
        "model_parameter(fit, name)",
    )
    .with_argument("fit", "A fitted model.")
    .with_argument("name", "The parameter's name, 'alpha' for instance.")
    .with_sql_example(
        "select model_parameter(fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]), 'alpha') \
         as alpha",
    )
    .with_related_udf("fitted_model")
    .build()
});
