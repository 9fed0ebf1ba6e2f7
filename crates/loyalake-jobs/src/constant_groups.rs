//! Groups by a column that has one value, such as that of an absent input: a query is planned
//! without it.
//!
//! `DataFusion` leaves out literals, not columns that are literals further down. It takes rows with
//! such a column for sorted, and its groups of sorted rows move all that are left with each batch
//! that they put out.

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Takes columns of one value out of groupings that have others.
#[derive(Debug)]
pub(crate) struct DropConstantGroups;

impl OptimizerRule for DropConstantGroups {
    fn name(&self) -> &'static str {
        "drop_constant_groups"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let constants: Vec<Option<Expr>> = aggregate
            .group_expr
            .iter()
            .map(|key| constant(key, &aggregate.input))
            .collect();
        let are_all = constants.iter().all(Option::is_some);
        // without any key there would be a group of no rows
        if are_all || constants.iter().all(Option::is_none) {
            return Ok(Transformed::no(plan));
        }
        let keys = aggregate.group_expr.iter().zip(&constants);
        let keys = keys.filter(|(_, constant)| constant.is_none());
        let fewer = Aggregate::try_new(
            aggregate.input.clone(),
            keys.map(|(key, _)| key.clone()).collect(),
            aggregate.aggr_expr.clone(),
        )?;
        let columns = aggregate.schema.columns().into_iter().enumerate();
        let columns = columns.map(|(place, column)| match constants.get(place) {
            Some(Some(value)) => value.clone().alias_qualified(column.relation, column.name),
            _ => Expr::Column(column),
        });
        let plan = LogicalPlanBuilder::from(LogicalPlan::Aggregate(fewer));
        Ok(Transformed::yes(plan.project(columns)?.build()?))
    }
}

/// The literal that a column of a plan is in all rows.
fn constant(column: &Expr, plan: &LogicalPlan) -> Option<Expr> {
    let Expr::Column(column) = column else {
        return None;
    };
    let place = plan.schema().maybe_index_of_column(column)?;
    constant_at(place, plan)
}

fn constant_at(place: usize, plan: &LogicalPlan) -> Option<Expr> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let value = projection.expr[place].clone().unalias();
            match value {
                Expr::Literal(..) => Some(value),
                value => constant(&value, &projection.input),
            }
        }
        LogicalPlan::SubqueryAlias(alias) => constant_at(place, &alias.input),
        LogicalPlan::Filter(filter) => constant_at(place, &filter.input),
        _ => None,
    }
}
