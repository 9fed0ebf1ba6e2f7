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
            "Fits BG/BB, a model of repeat purchases at equally spaced opportunities of \
             customers who may silently leave before each of them, by maximum likelihood.\n\n\
             Assumptions: at each opportunity a customer first leaves for good with a \
             constant probability; who is still there buys, at most once, with another \
             constant one. Probabilities of buying differ among customers by a beta \
             distribution (alpha, beta), those of leaving by another one (gamma, delta), \
             independently.\n\n\
             When to use it: purchases can only happen at given occasions (a yearly appeal \
             for donations, a season, an event), or what counts is whether there was one in \
             each period. Times and horizons are whole numbers of opportunities, and alive \
             means: at the next one.\n\n\
             What it cannot do: several purchases at one opportunity, opportunities that only \
             some customers have, seasons, trends. For purchases at any time take bg_nbd_fit, \
             mbg_nbd_fit or pareto_nbd_fit.\n\n\
             Source: Fader, Hardie, Shang (2010), Customer-base analysis in a discrete-time \
             noncontractual setting, Marketing Science 29(6), equations 7 (probability of a \
             number of purchases), 8 (those expected of a new customer), 11 (probability of \
             being alive) and 13 (expected purchases).\n\n\
             {RESULT}"
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
