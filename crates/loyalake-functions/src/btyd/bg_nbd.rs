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
        "Fits the BG/NBD model (Fader, Hardie, Lee 2005) by maximum likelihood: customers buy at \
         random at a rate of their own (r, alpha) and may leave after each repeat purchase, with a \
         probability of their own (a, b). One-time buyers count as customers for certain; where \
         that is wrong, use mbg_nbd_fit.",
    )
    .with_related_udf("mbg_nbd_fit")
    .with_related_udf("btyd_expected_purchases")
    .build()
});
