//! `sbg_fit(periods, is_churned [, weight])`, and what the fitted model says of a contract.

use std::sync::LazyLock;

use datafusion_common::Result;
use datafusion_doc::{Documentation, DocumentationBuilder};
use datafusion_expr::{AggregateUDF, ColumnarValue, ScalarUDF};
use loyalake_core::btyd::Model;
use loyalake_core::btyd::sbg::{self, Sbg};

use super::fit_value::{FIT, Prepared};
use super::model_fit::{ModelFit, RESULT, WEIGHT};
use crate::args::{BOOLEAN, Kind, NUMBER, Numbers, Parameters, float64};
use crate::number_function::NumberFunction;

/// The SQL function `sbg_fit`.
pub(super) fn sbg_fit() -> AggregateUDF {
    MODEL_FIT.udaf()
}

/// The SQL function `sbg_survival`.
pub(super) fn sbg_survival() -> ScalarUDF {
    SURVIVAL.udf()
}

/// The SQL function `sbg_retention_rate`.
pub(super) fn sbg_retention_rate() -> ScalarUDF {
    RETENTION_RATE.udf()
}

/// The SQL function `sbg_expected_lifetime`.
pub(super) fn sbg_expected_lifetime() -> ScalarUDF {
    EXPECTED_LIFETIME.udf()
}

static MODEL_FIT: ModelFit<2> = ModelFit {
    parameters: Parameters::new(
        "sbg_fit",
        &[
            ("periods", NUMBER),
            ("is_churned", BOOLEAN),
            ("weight", NUMBER),
        ],
    )
    .with_optional(1),
    documentation: &FIT_DOCUMENTATION,
    accepts: |[periods, churned]| sbg::accepts(periods, churned > 0.0),
    fit: sbg::fit,
};

const FIT_AND_PERIODS: &[(&str, Kind)] = &[("fit", FIT), ("periods", NUMBER)];

static SURVIVAL: NumberFunction = NumberFunction {
    parameters: Parameters::new("sbg_survival", FIT_AND_PERIODS),
    bounded: &[(1, "periods", f64::INFINITY)],
    documentation: &SURVIVAL_DOCUMENTATION,
    compute: |function, args, rows| {
        each_contract(function, args, rows, |model, periods, _| {
            model.survival(periods)
        })
    },
};

static RETENTION_RATE: NumberFunction = NumberFunction {
    parameters: Parameters::new("sbg_retention_rate", FIT_AND_PERIODS),
    bounded: &[(1, "periods", f64::INFINITY)],
    documentation: &RETENTION_RATE_DOCUMENTATION,
    compute: |function, args, rows| {
        each_contract(function, args, rows, |model, periods, _| {
            model.retention_rate(periods)
        })
    },
};

static EXPECTED_LIFETIME: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "sbg_expected_lifetime",
        &[("fit", FIT), ("periods", NUMBER), ("discount_rate", NUMBER)],
    ),
    bounded: &[
        (1, "periods", f64::INFINITY),
        (2, "discount_rate", f64::INFINITY),
    ],
    documentation: &EXPECTED_LIFETIME_DOCUMENTATION,
    compute: |function, args, rows| {
        each_contract(function, args, rows, |model, periods, rate| {
            model.expected_lifetime(periods, rate?)
        })
    },
};

/// The model, the periods, the argument that follows.
type OfContract = fn(&Sbg, f64, Option<f64>) -> Option<f64>;

fn each_contract(
    function: &NumberFunction,
    args: &[ColumnarValue],
    rows: usize,
    compute: OfContract,
) -> Result<Vec<Option<f64>>> {
    let mut models = Prepared::decode(function.parameters.function(), &args[0], Model::contracts)?;
    let numbers = |arg| Numbers::decode(arg, float64);
    let numbers = args[1..].iter().map(numbers).collect::<Result<Vec<_>>>()?;
    models.each(rows, |model, row| {
        let more = numbers.get(1).and_then(|numbers| numbers.get(row));
        compute(model, numbers[0].get(row)?, more)
    })
}

static FIT_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        format!(
            "Fits sBG, the shifted beta-geometric model of how long customers keep renewing a \
             contract, by maximum likelihood.\n\n\
             Assumptions: at the end of each period a customer leaves with a constant \
             probability. Probabilities differ among customers by a beta distribution (alpha, \
             beta). That is why retention rates rise with the age of a cohort: who leaves \
             easily goes first.\n\n\
             When to use it: subscriptions and contracts with renewals at equal steps, where \
             leaving is seen. A few periods are enough to project many.\n\n\
             What it cannot do: customers who come back, seasons, a probability of leaving \
             that changes as a customer gets older, and purchases. From a single period it \
             cannot tell how much customers differ: the status is 'boundary'.\n\n\
             Source: Fader, Hardie (2007), How to project customer retention, Journal of \
             Interactive Marketing 21(1), equations 6 (survival), 8 (retention rate) and B3 \
             (likelihood).\n\n\
             {RESULT}"
        ),
        "sbg_fit(periods, is_churned [, weight])",
    )
    .with_argument(
        "periods",
        "Periods of the contract: those begun when churned, those renewed \
        when not.",
    )
    .with_argument(
        "is_churned",
        "Whether the customer left at the end of the last of them.",
    )
    .with_argument("weight", WEIGHT)
    .with_sql_example(
        "select sbg_fit(year, is_churned, customers) as fit from (values (1, true, 131), \
         (2, true, 126), (3, true, 90), (4, true, 60), (5, true, 42), (6, true, 34), \
         (7, true, 26), (7, false, 491)) as contracts (year, is_churned, customers)",
    )
    .with_related_udf("sbg_expected_lifetime")
    .build()
});

static SURVIVAL_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    of_contract(
        "sbg_survival",
        "Share of customers with a contract who renew it `periods` times, by a fitted sbg model \
         (Fader, Hardie 2007, equation 6). NULL unless periods is a whole number from 0 on.",
    )
    .build()
});

static RETENTION_RATE_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    of_contract(
        "sbg_retention_rate",
        "Share of customers in period `periods` of their contract who renew it at its end, by a \
         fitted sbg model (Fader, Hardie 2007, equation 8). NULL unless periods is a whole number \
         from 1 on.",
    )
    .build()
});

static EXPECTED_LIFETIME_DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        "Expected further periods of a customer in period `periods` of the contract, just before \
         the renewal at its end, discounted, that renewal counting whole; by a fitted sbg model \
         (Fader, Hardie 2010, Customer-base valuation in a contractual setting, Marketing Science \
         29(1)). Times the value of a period it is the residual value. NULL unless periods is a \
         whole number from 1 on, and where the sum is infinite (no discount and alpha ≤ 1).",
        "sbg_expected_lifetime(fit, periods, discount_rate)",
    )
    .with_argument("fit", "A fitted sbg model.")
    .with_argument("periods", "Periods of the contract so far, the running one included.")
    .with_argument("discount_rate", "Effective per period, 0 or more.")
    .with_sql_example(
        "select sbg_expected_lifetime(fitted_model('sbg', [0.668, 3.806]), 3, 0.1) as periods",
    )
    .with_related_udf("sbg_fit")
    .build()
    });

fn of_contract(function: &str, description: &str) -> DocumentationBuilder {
    Documentation::builder(
        super::SECTION,
        description,
        format!("{function}(fit, periods)"),
    )
    .with_argument("fit", "A fitted sbg model.")
    .with_argument("periods", "Periods of the contract.")
    .with_sql_example(format!(
        "select {function}(fitted_model('sbg', [0.668, 3.806]), 3) as share"
    ))
    .with_related_udf("sbg_fit")
}
