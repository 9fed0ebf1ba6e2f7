//! Groups of large states are made in one step.
//!
//! `DataFusion` groups in two: each partition its own rows, then what comes of them by key. That
//! pays where a state is smaller than the rows behind it. The state of a purchase history, of a fit
//! or of a quantile is a list, which keeps most of what is in the rows: the first step would
//! move as much as it got, and each partition would hold a state for each group. So rows go to the
//! partition of their key at once.
//!
//! Where memory is short, which joins that sort tell, rows are sorted by key: then the state of one
//! group is held at a time.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;

/// The rule.
#[derive(Debug)]
pub(crate) struct GroupInOneStep;

impl PhysicalOptimizerRule for GroupInOneStep {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let sorts = !config.optimizer.prefer_hash_join;
        plan.transform_down(|plan| match in_one_step(&plan, sorts)? {
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
fn in_one_step(
    plan: &Arc<dyn ExecutionPlan>,
    sorts: bool,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(second) = grouping(plan, AggregateMode::FinalPartitioned) else {
        return Ok(None);
    };
    let Some(exchange) = second.input().downcast_ref::<RepartitionExec>() else {
        return Ok(None);
    };
    let Some(first) = grouping(exchange.input(), AggregateMode::Partial) else {
        return Ok(None);
    };
    // the keys, then the states
    let columns = first.schema();
    let mut states = columns
        .fields()
        .iter()
        .skip(first.group_expr().expr().len());
    if !states.any(|state| matches!(state.data_type(), DataType::List(_))) {
        return Ok(None);
    }
    let keys = first.group_expr().input_exprs();
    let partitions = exchange.partitioning().partition_count();
    let ascending = keys.iter().cloned().map(PhysicalSortExpr::new_default);
    let order = LexOrdering::new(ascending);
    let by_key = Partitioning::Hash(keys, partitions);
    let rows = RepartitionExec::try_new(Arc::clone(first.input()), by_key)?;
    let mut rows: Arc<dyn ExecutionPlan> = Arc::new(rows);
    if let Some(order) = order.filter(|_| sorts) {
        rows = Arc::new(SortExec::new(order, rows).with_preserve_partitioning(true));
    }
    let grouped = AggregateExec::try_new(
        AggregateMode::SinglePartitioned,
        first.group_expr().clone(),
        first.aggr_expr().to_vec(),
        first.filter_expr().to_vec(),
        rows,
        first.input_schema(),
    )?;
    Ok(Some(Arc::new(grouped)))
}

fn grouping(plan: &Arc<dyn ExecutionPlan>, mode: AggregateMode) -> Option<&AggregateExec> {
    let grouping = plan.downcast_ref::<AggregateExec>()?;
    (*grouping.mode() == mode && grouping.group_expr().is_single()).then_some(grouping)
}
