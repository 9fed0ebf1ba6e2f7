//! Lifetime value: models of purchases and of spending, fitted and scored in SQL.
//!
//! A model is one file with its aggregate and a line in `register`; the `btyd_*` functions know it
//! by its name.

mod bg_bb;
mod bg_nbd;
mod expectations;
mod fit_value;
mod fitted_model;
mod gamma_gamma;
mod ltv;
mod mbg_nbd;
mod model_fit;
mod model_parameter;
mod next_purchase_quantile;
mod pareto_nbd;
mod purchase_probability;
mod purchases;
mod sbg;
mod simulate_purchases;
mod simulated_orders;
mod value_quantile;

use std::sync::Arc;

use datafusion_catalog::TableFunction;
use datafusion_common::Result;
use datafusion_doc::{DocSection, Documentation};
use datafusion_expr::registry::FunctionRegistry;

const SECTION: DocSection = DocSection {
    include: true,
    label: "Lifetime value",
    description: None,
};

/// Registers the functions of this domain.
pub(crate) fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    registry.register_udaf(Arc::new(bg_nbd::bg_nbd_fit()))?;
    registry.register_udaf(Arc::new(mbg_nbd::mbg_nbd_fit()))?;
    registry.register_udaf(Arc::new(pareto_nbd::pareto_nbd_fit()))?;
    registry.register_udaf(Arc::new(bg_bb::bg_bb_fit()))?;
    registry.register_udaf(Arc::new(gamma_gamma::gamma_gamma_fit()))?;
    registry.register_udaf(Arc::new(sbg::sbg_fit()))?;
    registry.register_udf(Arc::new(fitted_model::fitted_model()))?;
    registry.register_udf(Arc::new(model_parameter::model_parameter()))?;
    registry.register_udf(Arc::new(expectations::btyd_p_alive()))?;
    registry.register_udf(Arc::new(expectations::btyd_expected_purchases()))?;
    registry.register_udf(Arc::new(purchases::btyd_expected_purchases_new()))?;
    registry.register_udf(Arc::new(expectations::btyd_discounted_purchases()))?;
    registry.register_udf(Arc::new(purchases::btyd_log_likelihood()))?;
    registry.register_udf(Arc::new(purchase_probability::btyd_purchase_probability()))?;
    registry.register_udf(Arc::new(
        next_purchase_quantile::btyd_next_purchase_quantile(),
    ))?;
    registry.register_udf(Arc::new(value_quantile::btyd_value_quantile()))?;
    registry.register_udf(Arc::new(gamma_gamma::gamma_gamma_expected_spend()))?;
    registry.register_udf(Arc::new(gamma_gamma::gamma_gamma_log_likelihood()))?;
    registry.register_udf(Arc::new(sbg::sbg_survival()))?;
    registry.register_udf(Arc::new(sbg::sbg_retention_rate()))?;
    registry.register_udf(Arc::new(sbg::sbg_expected_lifetime()))?;
    registry.register_udf(Arc::new(ltv::ltv_simple()))?;
    registry.register_udf(Arc::new(ltv::ltv_margin()))?;
    registry.register_udf(Arc::new(ltv::discount_factor()))?;
    registry.register_udf(Arc::new(simulated_orders::simulated_orders()))?;
    Ok(())
}

/// The table functions of this domain.
pub(crate) fn table_functions() -> Vec<(Arc<TableFunction>, Documentation)> {
    vec![simulate_purchases::simulate_purchases()]
}
