//! `ltv_simple`, `ltv_margin` and `discount_factor`: lifetime value by closed formulas.

use std::sync::LazyLock;

use datafusion_doc::Documentation;
use datafusion_expr::ScalarUDF;
use loyalake_core::btyd::ltv as core;

use crate::args::{NUMBER, Parameters};
use crate::number_function::{NumberFunction, each};

/// The SQL function `ltv_simple`.
pub(super) fn ltv_simple() -> ScalarUDF {
    SIMPLE.udf()
}

/// The SQL function `ltv_margin`.
pub(super) fn ltv_margin() -> ScalarUDF {
    MARGIN.udf()
}

/// The SQL function `discount_factor`.
pub(super) fn discount_factor() -> ScalarUDF {
    DISCOUNT.udf()
}

static SIMPLE: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "ltv_simple",
        &[
            ("lifespan_years", NUMBER),
            ("profit_per_purchase", NUMBER),
            ("purchases_per_year", NUMBER),
        ],
    ),
    bounded: &[
        (0, "lifespan_years", f64::INFINITY),
        (2, "purchases_per_year", f64::INFINITY),
    ],
    documentation: &SIMPLE_DOCUMENTATION,
    compute: |_, args, rows| {
        each(args, rows, |[years, profit, rate]| {
            core::ltv_simple(years, profit, rate)
        })
    },
};

static MARGIN: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "ltv_margin",
        &[
            ("margin_per_period", NUMBER),
            ("retention_rate", NUMBER),
            ("discount_rate", NUMBER),
        ],
    ),
    bounded: &[(1, "retention_rate", f64::INFINITY)],
    documentation: &MARGIN_DOCUMENTATION,
    compute: |_, args, rows| each(args, rows, |[margin, r, d]| core::ltv_margin(margin, r, d)),
};

static DISCOUNT: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "discount_factor",
        &[("discount_rate_annual", NUMBER), ("days", NUMBER)],
    ),
    bounded: &[],
    documentation: &DISCOUNT_DOCUMENTATION,
    compute: |_, args, rows| each(args, rows, |[rate, days]| core::discount_factor(rate, days)),
};

static SIMPLE_DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        "Lifetime value from averages: lifespan × (profit per purchase × purchases per year). A \
         loss per purchase gives a negative value. A negative lifespan or rate gives NULL.",
        "ltv_simple(lifespan_years, profit_per_purchase, purchases_per_year)",
    )
    .with_argument("lifespan_years", "How long a customer stays, 0 or more.")
    .with_argument("profit_per_purchase", "Profit of one purchase.")
    .with_argument("purchases_per_year", "How often a customer buys, 0 or more.")
    .with_sql_example("select ltv_simple(3, 20, 4) as ltv")
    .with_related_udf("ltv_margin")
    .build()
    });

static MARGIN_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "Value of the coming periods at constant margin m, retention r and discount rate d: \
         m r / (1 + d − r); the first margin is earned at the end of the first period by those who \
         stay (Gupta, Lehmann 2003). NULL for r ≥ 1 + d (no finite value), r outside 0 to 1, d ≤ \
         −1.",
        "ltv_margin(margin_per_period, retention_rate, discount_rate)",
    )
    .with_argument(
        "margin_per_period",
        "Margin of one period from a customer who stays.",
    )
    .with_argument(
        "retention_rate",
        "Share of customers who stay for another period, 0 to 1.",
    )
    .with_argument("discount_rate", "Effective rate per period.")
    .with_sql_example("select ltv_margin(100, 0.8, 0.12) as ltv")
    .with_related_udf("ltv_simple")
    .build()
});

static DISCOUNT_DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        "What a payment in some days is worth today: (1 + rate)^(−days / 365.25). NULL for rates \
         of −1 and below.",
        "discount_factor(discount_rate_annual, days)",
    )
    .with_argument("discount_rate_annual", "Effective yearly rate, 0.1 for 10 percent.")
    .with_argument("days", "Days ahead.")
    .with_sql_example("select discount_factor(0.1, 365.25) as factor")
    .build()
    });
