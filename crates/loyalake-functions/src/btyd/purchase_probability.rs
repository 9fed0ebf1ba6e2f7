//! `btyd_purchase_probability`: how probable a number of purchases is.

use std::sync::LazyLock;

use datafusion_doc::Documentation;
use datafusion_expr::ScalarUDF;

use super::purchases::{
    AGE, FIT_ARGUMENT, HORIZON, HORIZON_TEXT, RECENCY, REPEAT_PURCHASES, each_history, of_history,
};
use crate::args::{NUMBER, Parameters};
use crate::number_function::NumberFunction;

/// The SQL function.
pub(super) fn btyd_purchase_probability() -> ScalarUDF {
    FUNCTION.udf()
}

static FUNCTION: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "btyd_purchase_probability",
        &[
            FIT_ARGUMENT,
            REPEAT_PURCHASES,
            RECENCY,
            AGE,
            HORIZON,
            ("n", NUMBER),
        ],
    ),
    bounded: &[(4, "horizon", f64::INFINITY), (5, "n", f64::INFINITY)],
    documentation: &DOCUMENTATION,
    compute: |function, args, rows| {
        each_history(function, args, rows, |model, history, more| {
            let horizon = more[0].filter(|horizon| model.accepts_horizon(*horizon))?;
            let n = more[1].filter(|n| *n >= 0.0 && n.is_finite() && n.trunc() >= *n)?;
            Some(model.purchase_probability(history, horizon, n))
        })
    },
};

static DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        of_history(
        "btyd_purchase_probability",
        "Probability that a customer makes exactly n purchases in (age, age + horizon], by a \
         fitted model of purchases. With n = 0 the probability of losing the customer for the \
         horizon. The sum of its logarithm over purchases that happened later compares models.",
        &[
            ("horizon", HORIZON_TEXT),
            ("n", "A number of purchases, a whole number, 0 or more; others give NULL."),
        ],
    )
    .with_sql_example(
        "select btyd_purchase_probability(fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]), 2, \
         30.43, 38.86, 39, 0) as no_purchase",
    )
    .with_related_udf("btyd_expected_purchases")
    .with_related_udf("btyd_next_purchase_quantile")
    .build()
    });
