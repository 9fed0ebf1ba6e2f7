//! `pareto_nbd_fit(repeat_purchases, recency, age [, weight])`.

use std::sync::LazyLock;

use datafusion_doc::Documentation;
use datafusion_expr::AggregateUDF;
use loyalake_core::btyd::{History, pareto_nbd};

use super::model_fit::{ModelFit, history_documentation};
use crate::args::{NUMBER, Parameters};

/// The SQL function.
pub(super) fn pareto_nbd_fit() -> AggregateUDF {
    FIT.udaf()
}

static FIT: ModelFit<3> = ModelFit {
    parameters: Parameters::new(
        "pareto_nbd_fit",
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
    fit: pareto_nbd::fit,
};

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    history_documentation(
        "pareto_nbd_fit",
        "Fits Pareto/NBD, a model of repeat purchases of customers who may silently leave at \
         any moment, by maximum likelihood.\n\n\
         Assumptions: a customer buys at random moments, at a constant rate, until leaving \
         for good after a time that is random, too, with a constant rate of leaving. Rates of \
         buying differ among customers by a gamma distribution (shape r, rate alpha), rates \
         of leaving by another one (shape s, rate beta), independently.\n\n\
         When to use it: leaving has nothing to do with buying (customers move, or lose \
         interest). Whoever is silent for longer than usual fades, one-time buyers as well. \
         With long histories it often fits better than the models in which purchases make \
         customers leave.\n\n\
         What it cannot do: seasons, regular intervals, trends, several purchases at once, \
         and rates that depend on each other. s and beta are hard to tell apart from few \
         data, which shows in their standard errors; where nobody leaves, or everybody at the \
         same rate, there is no maximum and the status is 'boundary'.\n\n\
         Source: Schmittlein, Morrison, Colombo (1987), Counting your customers: who are they \
         and what will they do next?, Management Science 33(1); Fader, Hardie (2005), A note \
         on deriving the Pareto/NBD model and related expressions, equations 17 (likelihood), \
         36 (expected purchases) and 39 (probability of being alive).",
    )
    .with_related_udf("bg_nbd_fit")
    .with_related_udf("btyd_expected_purchases")
    .build()
});
