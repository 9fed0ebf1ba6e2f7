//! `mbg_nbd_fit(repeat_purchases, recency, age [, weight])`.

use std::sync::LazyLock;

use datafusion_doc::Documentation;
use datafusion_expr::AggregateUDF;
use loyalake_core::btyd::{History, mbg_nbd};

use super::model_fit::{ModelFit, history_documentation};
use crate::args::{NUMBER, Parameters};

/// The SQL function.
pub(super) fn mbg_nbd_fit() -> AggregateUDF {
    FIT.udaf()
}

static FIT: ModelFit<3> = ModelFit {
    parameters: Parameters::new(
        "mbg_nbd_fit",
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
    fit: mbg_nbd::fit,
};

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    history_documentation(
        "mbg_nbd_fit",
        "Fits MBG/NBD, a model of repeat purchases of customers who may silently leave after \
         each purchase, the first included, by maximum likelihood.\n\n\
         Assumptions: those of bg_nbd_fit, with the same parameters, but the first purchase \
         is a chance to leave like any other.\n\n\
         When to use it: in place of BG/NBD where many customers come once and never again; \
         the longer they are silent, the less probably they are alive.\n\n\
         What it cannot do: customers leave at purchases only, so that who buys seldom has \
         few chances to leave; pareto_nbd_fit lets them leave at any time. Seasons, regular \
         intervals, trends and several purchases at once are unknown to it, too.\n\n\
         Source: Batislam, Denizel, Filiztekin (2007), Empirical validation and comparison of \
         models for customer base analysis, International Journal of Research in Marketing \
         24(3). Its formulas are those of Fader, Hardie, Lee (2005), equations 6 and 10, with \
         x + 1 chances to leave in place of x.",
    )
    .with_related_udf("bg_nbd_fit")
    .with_related_udf("btyd_expected_purchases")
    .build()
});
