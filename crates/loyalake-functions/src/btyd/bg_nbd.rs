//! `bg_nbd_fit(repeat_purchases, recency, age [, weight])`.

use std::sync::LazyLock;

use datafusion_doc::Documentation;
use datafusion_expr::AggregateUDF;
use loyalake_core::btyd::{History, bg_nbd};

use super::model_fit::{ModelFit, history_documentation};
use crate::args::{NUMBER, Parameters};

/// The SQL function.
pub(super) fn bg_nbd_fit() -> AggregateUDF {
    FIT.udaf()
}

static FIT: ModelFit<3> = ModelFit {
    parameters: Parameters::new(
        "bg_nbd_fit",
        &[
            ("repeat_purchases", NUMBER),
            ("recency", NUMBER),
            ("age", NUMBER),
            ("weight", NUMBER),
        ],
    )
    .with_optional(1),
    documentation: &DOCUMENTATION,
    accepts: |[x, t_x, age]| History::try_new(x, t_x, age).is_some(),
    fit: bg_nbd::fit,
};

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    history_documentation(
        "bg_nbd_fit",
        "Fits BG/NBD, a model of repeat purchases of customers who may silently leave after \
         each of them, by maximum likelihood.\n\n\
         Assumptions: a customer buys at random moments, at a constant rate, and leaves for \
         good after each repeat purchase with a constant probability. Rates differ among \
         customers by a gamma distribution (shape r, rate alpha), probabilities by a beta \
         distribution (a, b), independently.\n\n\
         When to use it: purchases can happen at any time, nobody sees who leaves, and what \
         makes customers leave is a purchase. It has few parameters and is easy to fit, so it \
         is the usual first choice.\n\n\
         What it cannot do: nobody leaves before a repeat purchase, so every one-time buyer \
         is alive for certain, however long ago the purchase was; mbg_nbd_fit and \
         pareto_nbd_fit let them fade. It knows neither seasons, regular intervals and \
         trends, nor several purchases at once: count those of a day as one.\n\n\
         Source: Fader, Hardie, Lee (2005), \"Counting your customers\" the easy way: an \
         alternative to the Pareto/NBD model, Marketing Science 24(2), equations 6 \
         (likelihood) and 10 (expected purchases).",
    )
    .with_related_udf("mbg_nbd_fit")
    .with_related_udf("btyd_expected_purchases")
    .build()
});
