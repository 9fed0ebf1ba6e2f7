//! `fitted_model(model, values)`: a fitted model from known parameters.

use std::sync::{Arc, LazyLock};

use datafusion_common::arrow::array::ArrayRef;
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, plan_datafusion_err};
use datafusion_doc::Documentation;
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use loyalake_core::btyd::{Fit, model};

use super::fit_value::{encode, fit_type};
use crate::args::{NUMBERS, NumberLists, Parameters, TEXT, Texts, evaluate, float64_list, text};

/// The SQL function.
pub(super) fn fitted_model() -> ScalarUDF {
    ScalarUDF::from(FittedModel {
        signature: PARAMETERS.signature(),
    })
}

const PARAMETERS: Parameters =
    Parameters::new("fitted_model", &[("model", TEXT), ("values", NUMBERS)]);

static DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        "A fitted model from known parameters, from a paper or another tool: bg_nbd and mbg_nbd \
         have r, alpha, a, b; pareto_nbd r, alpha, s, beta; bg_bb alpha, beta, gamma, delta; \
         gamma_gamma p, q, v; sbg alpha, beta. All are above 0.",
        "fitted_model(model, values)",
    )
    .with_argument("model", "The model's name, 'bg_nbd' for instance.")
    .with_argument("values", "A list of the parameters' values, in the model's order.")
    .with_sql_example("select fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]) as fit")
    .with_related_udf("model_parameter")
    .build()
    });

#[derive(Debug, PartialEq, Eq, Hash)]
struct FittedModel {
    signature: Signature,
}

impl ScalarUDFImpl for FittedModel {
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
        Ok(fit_type())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<_> = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let data_type = self.return_type(&types)?;
        if let Some(name) = args.scalar_arguments[0].and_then(|name| name.try_as_str().flatten()) {
            model(name).map_err(|error| in_plan(&error))?;
        }
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    /// Nothing is rewritten: constants are tried out, for an error in them to come before the query
    /// runs.
    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if let [Expr::Literal(name, _), Expr::Literal(values, _)] = &args[..] {
            compute(
                &[name, values].map(|scalar| ColumnarValue::Scalar(ScalarValue::clone(scalar))),
                1,
            )?;
        }
        Ok(ExprSimplifyResult::Original(args))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, compute)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

fn compute(args: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
    let models = Texts::decode(&args[0], text)?;
    let values = NumberLists::decode(&args[1], float64_list)?;
    let fit = |row| {
        let (Some(name), Some(values)) = (models.get(row), values.get(row)) else {
            return Ok(None);
        };
        let fit = model(name).and_then(|model| Fit::of_known_parameters(model, values));
        fit.map(Some).map_err(|error| in_plan(&error))
    };
    let fits = (0..rows).map(fit).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(encode(&fits)?))
}

fn in_plan(error: &loyalake_core::Error) -> datafusion_common::DataFusionError {
    plan_datafusion_err!("{}: {error}", PARAMETERS.function())
}
