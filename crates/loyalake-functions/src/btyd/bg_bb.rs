//! `bg_bb_fit(repeat_purchases, recency, periods [, weight])`.

use std::sync::LazyLock;

use datafusion_doc::Documentation;
use datafusion_expr::AggregateUDF;
use loyalake_core::btyd::{History, bg_bb};

use super::model_fit::{ModelFit, RESULT, WEIGHT};
use crate::args::{NUMBER, Parameters};

/// The SQL function.
pub(super) fn bg_bb_fit() -> AggregateUDF {
    FIT.udaf()
}

static FIT: ModelFit<3> = ModelFit {
    parameters: Parameters::new(
        "bg_bb_fit",
        &[
            ("repeat_purchases", NUMBER),
            ("recency", NUMBER),
            ("periods", NUMBER),
            ("weight", NUMBER),
        ],
    )
    .with_optional(1),
    documentation: &DOCUMENTATION,
    accepts: |[x, t_x, periods]| {
        History::try_new(x, t_x, periods).is_some_and(|history| bg_bb::accepts(&history))
    },
    fit: bg_bb::fit,
};

static DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        format!(
            "Fits the BG/BB model (Fader, Hardie, Shang 2010, Marketing Science 29(6)) by maximum \
             likelihood: at each of equally spaced opportunities a customer first leaves for good \
             with a probability of the customer's own (gamma, delta), and who is still there \
             buys, at most once, with another one (alpha, beta). Use it for purchases that can \
             only happen at given occasions: yearly donations, seasons, events. It does not know \
             several purchases at one opportunity, or opportunities that only some customers \
             have. {RESULT}"
        ),
        "bg_bb_fit(repeat_purchases, recency, periods [, weight])",
    )
    .with_argument("repeat_purchases", "Opportunities taken after the first purchase.")
    .with_argument("recency", "The number of the last one taken, 0 without a repeat purchase.")
    .with_argument("periods", "Opportunities since the first purchase, up to 1,000,000.")
    .with_argument("weight", WEIGHT)
    .with_sql_example(
        "select bg_bb_fit(x, t_x, n, donors) as fit from (values (0, 0, 6, 3464), (1, 1, 6, 1091), \
         (2, 2, 6, 406), (3, 4, 6, 240), (4, 6, 6, 484), (5, 6, 6, 613), (6, 6, 6, 1203)) \
         as donations (x, t_x, n, donors)",
    )
    .with_related_udf("btyd_expected_purchases")
    .build()
    });
