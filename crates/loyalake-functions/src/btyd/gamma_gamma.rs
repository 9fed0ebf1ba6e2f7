//! `gamma_gamma_fit(repeat_purchases, mean_repeat_value [, weight])`, and what the fitted model
//! says of a customer.

use std::sync::LazyLock;

use datafusion_common::Result;
use datafusion_doc::Documentation;
use datafusion_expr::{AggregateUDF, ColumnarValue, ScalarUDF};
use loyalake_core::btyd::gamma_gamma::{self, GammaGamma};
use loyalake_core::btyd::{Model, Spend};

use super::fit_value::{FIT, Prepared};
use super::model_fit::{ModelFit, RESULT, WEIGHT};
use crate::args::{NUMBER, Numbers, Parameters, float64};
use crate::number_function::NumberFunction;

/// The SQL function `gamma_gamma_fit`.
pub(super) fn gamma_gamma_fit() -> AggregateUDF {
    MODEL_FIT.udaf()
}

/// The SQL function `gamma_gamma_expected_spend`.
pub(super) fn gamma_gamma_expected_spend() -> ScalarUDF {
    EXPECTED_SPEND.udf()
}

/// The SQL function `gamma_gamma_log_likelihood`.
pub(super) fn gamma_gamma_log_likelihood() -> ScalarUDF {
    LOG_LIKELIHOOD.udf()
}

static MODEL_FIT: ModelFit<2> = ModelFit {
    parameters: Parameters::new(
        "gamma_gamma_fit",
        &[
            ("repeat_purchases", NUMBER),
            ("mean_repeat_value", NUMBER),
            ("weight", NUMBER),
        ],
    )
    .with_optional(1),
    documentation: &FIT_DOCUMENTATION,
    accepts: |[x, mean]| Spend::try_new(x, mean).is_some(),
    fit: gamma_gamma::fit,
};

static EXPECTED_SPEND: NumberFunction = NumberFunction {
    parameters: Parameters::new("gamma_gamma_expected_spend", SPEND_PARAMETERS),
    bounded: &[],
    documentation: &EXPECTED_SPEND_DOCUMENTATION,
    compute: |function, args, rows| {
        each_spend(function, args, rows, |model, x, mean| {
            let (x, mean) = (x?, mean?);
            let is_one_time_buyer = x.abs() < f64::MIN_POSITIVE;
            let spend = if is_one_time_buyer {
                None
            } else {
                Some(Spend::try_new(x, mean)?)
            };
            model.expected_spend(spend.as_ref())
        })
    },
};

static LOG_LIKELIHOOD: NumberFunction = NumberFunction {
    parameters: Parameters::new("gamma_gamma_log_likelihood", SPEND_PARAMETERS),
    bounded: &[],
    documentation: &LOG_LIKELIHOOD_DOCUMENTATION,
    compute: |function, args, rows| {
        each_spend(function, args, rows, |model, x, mean| {
            Some(model.log_likelihood(&Spend::try_new(x?, mean?)?))
        })
    },
};

const SPEND_PARAMETERS: &[(&str, crate::args::Kind)] = &[
    ("spend_fit", FIT),
    ("repeat_purchases", NUMBER),
    ("mean_repeat_value", NUMBER),
];

fn each_spend(
    function: &NumberFunction,
    args: &[ColumnarValue],
    rows: usize,
    compute: fn(&GammaGamma, Option<f64>, Option<f64>) -> Option<f64>,
) -> Result<Vec<Option<f64>>> {
    let mut models = Prepared::decode(function.parameters.function(), &args[0], Model::spending)?;
    let repeat_purchases = Numbers::decode(&args[1], float64)?;
    let means = Numbers::decode(&args[2], float64)?;
    models.each(rows, |model, row| {
        compute(model, repeat_purchases.get(row), means.get(row))
    })
}

static FIT_DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        format!(
            "Fits Gamma-Gamma, a model of how much customers spend per purchase, by maximum \
             likelihood to customers with repeat purchases.\n\n\
             Assumptions: the values of a customer's purchases vary around the customer's own \
             mean, which never changes, by a gamma distribution of shape p; its rate differs \
             among customers by another gamma distribution (shape q, rate v). Spending does \
             not depend on how often a customer buys.\n\n\
             When to use it: together with a model of purchases, for customer lifetime value. \
             Look at corr(repeat_purchases, mean_repeat_value) before: near 0 is fine, above \
             0.3 or below −0.3 is a warning.\n\n\
             What it cannot do: means that change over time or with frequency, and values of \
             0 or less: such rows are rejected, so take refunds off before. With q ≤ 1 the \
             mean of all customers is infinite, and a customer without repeat purchases has \
             no expected value.\n\n\
             Source: Fader, Hardie (2013), The gamma-gamma model of monetary value, equations \
             1a (likelihood) and 5 (expected value).\n\n\
             {RESULT}"
        ),
        "gamma_gamma_fit(repeat_purchases, mean_repeat_value [, weight])",
    )
    .with_argument("repeat_purchases", "Purchase occasions after the first, 1 or more.")
    .with_argument("mean_repeat_value", "Mean value of these occasions, above 0; no sum.")
    .with_argument("weight", WEIGHT)
    .with_sql_example(
        "select gamma_gamma_fit(x, mean_value) as fit from (values (1, 8.0), (1, 20.0), (1, 90.0), \
         (1, 31.0), (2, 13.0), (2, 66.0), (3, 14.0), (3, 60.0), (5, 15.0), (5, 52.0), (8, 19.0), \
         (10, 46.0)) as spending (x, mean_value)",
    )
    .with_related_udf("gamma_gamma_expected_spend")
    .build()
    });

static EXPECTED_SPEND_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    spend_documentation(
        "gamma_gamma_expected_spend",
        "Expected value per purchase of a customer: between the customer's own mean and that of \
         all customers, closer to the own one the more purchases there are. Without a repeat \
         purchase the mean of all customers, p v / (q − 1), whatever mean_repeat_value is unless \
         NULL: write coalesce(mean_repeat_value, 0). NULL where the mean is infinite (p x + q ≤ \
         1).",
    )
});

static LOG_LIKELIHOOD_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    spend_documentation(
        "gamma_gamma_log_likelihood",
        "A customer's contribution to the log-likelihood of a Gamma-Gamma model: summed over \
         customers who took no part in the fit it compares models. NULL without a repeat purchase.",
    )
});

fn spend_documentation(function: &str, description: &str) -> Documentation {
    Documentation::builder(
        super::SECTION,
        description,
        format!("{function}(spend_fit, repeat_purchases, mean_repeat_value)"),
    )
    .with_argument("spend_fit", "A fitted gamma_gamma model.")
    .with_argument("repeat_purchases", "Purchase occasions after the first.")
    .with_argument("mean_repeat_value", "Mean value of these occasions.")
    .with_sql_example(format!(
        "select {function}(fitted_model('gamma_gamma', [6.25, 3.74, 15.44]), 2, 25.55) as result"
    ))
    .with_related_udf("gamma_gamma_fit")
    .build()
}
