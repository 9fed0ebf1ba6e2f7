//! How long customers stay.

mod kaplan_meier;
mod restricted_mean;

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_doc::DocSection;
use datafusion_expr::registry::FunctionRegistry;

const SECTION: DocSection = DocSection {
    include: true,
    label: "Survival",
    description: None,
};

/// Registers the functions of this domain.
pub(crate) fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    registry.register_udaf(Arc::new(kaplan_meier::kaplan_meier()))?;
    registry.register_udf(Arc::new(restricted_mean::restricted_mean()))?;
    Ok(())
}
