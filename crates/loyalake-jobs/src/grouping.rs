//! Customers are grouped in one step.
//!
//! `DataFusion` groups in two: each partition its own rows, then what comes of them by key. That
//! pays where the state of a group is smaller than its rows. A purchase history keeps every day, and
//! orders of a customer are far between: the first step would move as much as it got, as lists. So
//! rows go to the partition of their key at once.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::repartition::RepartitionExec;

/// Aggregates whose states are as large as the rows of their group.
const OF_ALL_ROWS: [&str; 1] = ["purchase_history"];

/// The rule.
#[derive(Debug)]
pub(crate) struct GroupInOneStep;

impl PhysicalOptimizerRule for GroupInOneStep {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|plan| match in_one_step(&plan)? {
            Some(plan) => Ok(Transformed::yes(plan)),
            None => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "group_in_one_step"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The second of two steps as the only one; `None` for other nodes.
fn in_one_step(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(second) = grouping(plan, AggregateMode::FinalPartitioned) else {
        return Ok(None);
    };
    let Some(exchange) = second.input().downcast_ref::<RepartitionExec>() else {
        return Ok(None);
    };
    let Some(first) = grouping(exchange.input(), AggregateMode::Partial) else {
        return Ok(None);
    };
    let keeps_all = |name: &str| OF_ALL_ROWS.contains(&name);
    let mut aggregates = first.aggr_expr().iter();
    if !aggregates.any(|aggregate| keeps_all(aggregate.fun().name())) {
        return Ok(None);
    }
    let keys = first.group_expr().input_exprs();
    let partitions = exchange.partitioning().partition_count();
    let by_key = Partitioning::Hash(keys, partitions);
    let rows = RepartitionExec::try_new(Arc::clone(first.input()), by_key)?;
    let grouped = AggregateExec::try_new(
        AggregateMode::SinglePartitioned,
        first.group_expr().clone(),
        first.aggr_expr().to_vec(),
        first.filter_expr().to_vec(),
        Arc::new(rows),
        first.input_schema(),
    )?;
    Ok(Some(Arc::new(grouped)))
}

fn grouping(plan: &Arc<dyn ExecutionPlan>, mode: AggregateMode) -> Option<&AggregateExec> {
    let grouping = plan.downcast_ref::<AggregateExec>()?;
    (*grouping.mode() == mode && grouping.group_expr().is_single()).then_some(grouping)
}
