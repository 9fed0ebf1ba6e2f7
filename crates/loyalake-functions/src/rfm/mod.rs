//! Purchase histories, cut points and scores by recency, frequency and monetary value.

mod business_date;
mod concentration;
mod purchase_history;
mod quantile_cuts;
mod ranking;
mod rfm_segment;
mod score;

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_doc::DocSection;
use datafusion_expr::registry::FunctionRegistry;

const SECTION: DocSection = DocSection {
    include: true,
    label: "Histories, RFM, cut points",
    description: None,
};

/// Registers the functions of this domain.
pub(crate) fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    registry.register_udf(Arc::new(business_date::business_date()))?;
    registry.register_udaf(Arc::new(purchase_history::purchase_history()))?;
    registry.register_udaf(Arc::new(quantile_cuts::quantile_cuts()))?;
    registry.register_udf(Arc::new(score::score_bin()))?;
    registry.register_udf(Arc::new(score::percent_score()))?;
    registry.register_udf(Arc::new(rfm_segment::rfm_segment()))?;
    registry.register_udaf(Arc::new(concentration::gini()))?;
    registry.register_udaf(Arc::new(concentration::top_share()))?;
    registry.register_udaf(Arc::new(ranking::spearman()))?;
    registry.register_udaf(Arc::new(ranking::gini_normalized()))?;
    Ok(())
}
