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
        "Fits the Pareto/NBD model (Schmittlein, Morrison, Colombo 1987; likelihood: Fader, Hardie \
         2005, A note on deriving the Pareto/NBD model, equation 17) by maximum likelihood: \
         customers buy at random at a rate of their own (r, alpha) until they leave, unseen, at a \
         random time with a rate of their own (s, beta). Customers leave at any time, not only at \
         a purchase, so that who is silent for longer than usual fades even without a repeat \
         purchase. Use it when leaving has nothing to do with buying. It does not know seasons, \
         or rates that change or depend on each other; where nobody or everybody leaves alike the \
         likelihood has no maximum and the status is 'boundary'.",
    )
    .with_related_udf("bg_nbd_fit")
    .with_related_udf("btyd_expected_purchases")
    .build()
});
