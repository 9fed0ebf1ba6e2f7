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
        "Fits the MBG/NBD model (Batislam, Denizel, Filiztekin 2007) by maximum likelihood: as \
         BG/NBD, but customers may also leave after their first purchase, so that one-time buyers \
         fade, too.",
    )
    .with_related_udf("bg_nbd_fit")
    .with_related_udf("btyd_expected_purchases")
    .build()
});
