//! Loyalty scores that explain themselves, intervals, answers to surveys, and rings of referrals.

mod csat;
mod cycle_members;
mod decayed_mean;
mod loyalty_type;
mod mean_interval;
mod nps;
mod satisfaction_loyalty_quadrant;
mod scale_to_unit;
mod weighted_score;
mod wilson_interval;

use std::sync::Arc;

use datafusion_common::Result;

use datafusion_doc::DocSection;
use datafusion_expr::ColumnarValue;
use datafusion_expr::registry::FunctionRegistry;
use loyalake_core::loyalty::quadrant::Quadrants;

use crate::args::{Numbers, float64};

const SECTION: DocSection = DocSection {
    include: true,
    label: "Loyalty and satisfaction",
    description: None,
};

/// Registers the functions of this domain.
pub(crate) fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    registry.register_udaf(Arc::new(csat::csat()))?;
    registry.register_udaf(Arc::new(cycle_members::cycle_members()))?;
    registry.register_udaf(Arc::new(decayed_mean::decayed_mean()))?;
    registry.register_udf(Arc::new(loyalty_type::loyalty_type()))?;
    registry.register_udaf(Arc::new(mean_interval::mean_interval()))?;
    registry.register_udaf(Arc::new(nps::nps()))?;
    registry.register_udf(Arc::new(
        satisfaction_loyalty_quadrant::satisfaction_loyalty_quadrant(),
    ))?;
    registry.register_udf(Arc::new(scale_to_unit::scale_to_unit()))?;
    registry.register_udf(Arc::new(weighted_score::weighted_score()))?;
    registry.register_udf(Arc::new(wilson_interval::wilson_interval()))?;
    Ok(())
}

/// The names for two columns of values and two of cuts; NULL where any of them is.
fn quadrant_names<C: FromIterator<Option<&'static str>>>(
    quadrants: &Quadrants,
    args: &[ColumnarValue],
    rows: usize,
) -> Result<C> {
    let numbers: Vec<Numbers> = args
        .iter()
        .map(|column| Numbers::decode(column, float64))
        .collect::<Result<_>>()?;
    let name = |row: usize| {
        let value = |column: usize| numbers[column].get(row);
        quadrants.name([value(0)?, value(1)?], [value(2)?, value(3)?])
    };
    Ok((0..rows).map(name).collect())
}
