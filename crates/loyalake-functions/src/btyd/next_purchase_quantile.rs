//! `btyd_next_purchase_quantile`: when the next purchase is to be expected.

use std::sync::LazyLock;

use datafusion_doc::Documentation;
use datafusion_expr::ScalarUDF;

use super::purchases::{AGE, FIT_ARGUMENT, RECENCY, REPEAT_PURCHASES, each_history, of_history};
use crate::args::{NUMBER, Parameters};
use crate::number_function::NumberFunction;

/// The SQL function.
pub(super) fn btyd_next_purchase_quantile() -> ScalarUDF {
    FUNCTION.udf()
}

static FUNCTION: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "btyd_next_purchase_quantile",
        &[FIT_ARGUMENT, REPEAT_PURCHASES, RECENCY, AGE, ("q", NUMBER)],
    ),
    bounded: &[(4, "q", 1.0)],
    documentation: &DOCUMENTATION,
    compute: |function, args, rows| {
        each_history(function, args, rows, |model, history, more| {
            let q = more[0].filter(|q| (0.0..=1.0).contains(q))?;
            model
                .next_purchase_quantile(history, q)
                .filter(|time| time.is_finite())
        })
    },
};

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    of_history(
        "btyd_next_purchase_quantile",
        "The time from now within which a customer makes the next purchase with probability q, by \
         a fitted model of purchases. NULL when the customer never reaches it: who has left \
         already, or may leave before, buys again with a lower probability.",
        &[("q", "A probability, 0 to 1; 0.5 gives the median.")],
    )
    .with_sql_example(
        "select btyd_next_purchase_quantile(fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]), \
         2, 30.43, 38.86, 0.5) as time",
    )
    .with_related_udf("btyd_purchase_probability")
    .build()
});
