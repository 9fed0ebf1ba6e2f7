//! `btyd_value_quantile`: how much a customer will spend, at a given probability.

use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarUDF};
use loyalake_core::btyd::{History, Model, PurchaseModel, Spend, ValueScorer};

use super::fit_value::{FIT, Prepared};
use super::purchases::{
    AGE, FIT_ARGUMENT, FIT_TEXT, HORIZON, HORIZON_TEXT, RECENCY, REPEAT_PURCHASES,
};
use crate::args::{NUMBER, Numbers, Parameters, float64};
use crate::number_function::NumberFunction;

/// The SQL function.
pub(super) fn btyd_value_quantile() -> ScalarUDF {
    FUNCTION.udf()
}

static FUNCTION: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "btyd_value_quantile",
        &[
            FIT_ARGUMENT,
            ("spend_fit", FIT),
            REPEAT_PURCHASES,
            RECENCY,
            AGE,
            ("mean_repeat_value", NUMBER),
            HORIZON,
            ("q", NUMBER),
        ],
    ),
    bounded: &[(6, "horizon", f64::INFINITY), (7, "q", 1.0)],
    documentation: &DOCUMENTATION,
    compute: |function, args, rows| each_value(function.parameters.function(), args, rows),
};

fn each_value(
    function: &'static str,
    args: &[ColumnarValue],
    rows: usize,
) -> Result<Vec<Option<f64>>> {
    let mut models = Prepared::decode(function, &args[0], |model, values| {
        Ok(Arc::<dyn PurchaseModel>::from(model.purchases(values)?))
    })?;
    let mut spendings = Prepared::decode(function, &args[1], Model::spending)?;
    let numbers = |arg| Numbers::decode(arg, float64);
    let numbers = args[2..].iter().map(numbers).collect::<Result<Vec<_>>>()?;
    // neighbouring rows are of one model, and many have the same purchases and age
    let mut latest: Option<ValueScorer> = None;
    let result = |row| {
        let (Some(model), Some(spending)) = (models.get(row)?, spendings.get(row)?) else {
            return Ok(None);
        };
        let mut value = || {
            let get = |column: usize| numbers[column].get(row);
            let (x, mean, horizon, q) = (get(0)?, get(3)?, get(4)?, get(5)?);
            let history = History::try_new(x, get(1)?, get(2)?)?;
            let is_known = model.accepts(&history) && model.accepts_horizon(horizon);
            // Without a repeat purchase there is no mean value to know.
            let spend = Spend::try_new(x, mean);
            if !is_known || !(0.0..1.0).contains(&q) || (x > 0.0 && spend.is_none()) {
                return None;
            }
            let known = latest.take();
            let known = known.filter(|scorer| scorer.is_for(model, spending, horizon));
            let scorer =
                latest
                    .insert(known.unwrap_or_else(|| {
                        ValueScorer::new(Arc::clone(model), *spending, horizon)
                    }));
            Some(scorer.quantile(&history, spend.as_ref(), q))
        };
        Ok(value().filter(|value| value.is_finite()))
    };
    (0..rows).map(result).collect()
}

static DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        "The value that a customer's purchases in (age, age + horizon] do not exceed with \
         probability q, by a fitted model of purchases and one of spending; not discounted. 0 when \
         there is no purchase at all with probability q. With q = 0.1 and q = 0.9 it gives an \
         interval that holds the true value in 80 % of the cases (in more where no purchase alone \
         has a probability above 0.1). It is the quantile of the exact predictive distribution, \
         the sum over numbers of purchases n of their probability times that of a total up to the \
         value (beta prime), within 1e-3: close numbers of purchases are taken together. NULL when \
         more than ten million purchases are to be expected. Parameters count as known: the \
         uncertainty of the fit is not in it. A history that cannot be (recency after age, …) \
         gives NULL.",
        "btyd_value_quantile(fit, spend_fit, repeat_purchases, recency, age, mean_repeat_value, \
         horizon, q)",
    )
    .with_argument("fit", FIT_TEXT)
    .with_argument("spend_fit", "A fitted gamma_gamma model.")
    .with_argument("repeat_purchases", "Purchase occasions after the first.")
    .with_argument("recency", "Time from the first to the last purchase, 0 without a repeat.")
    .with_argument("age", "Time from the first purchase to today, in the unit of the fit.")
    .with_argument(
        "mean_repeat_value",
        "Mean value of repeat purchases; any number but NULL without a repeat purchase.",
    )
    .with_argument("horizon", HORIZON_TEXT)
    .with_argument("q", "A probability, 0 to less than 1.")
    .with_sql_example(
        "select btyd_value_quantile(fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]), \
         fitted_model('gamma_gamma', [6.25, 3.74, 15.44]), 2, 30.43, 38.86, 25.55, 39, 0.9) as \
         value",
    )
    .with_related_udf("gamma_gamma_expected_spend")
    .with_related_udf("btyd_expected_purchases")
    .build()
    });
