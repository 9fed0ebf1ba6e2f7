//! Joins with few rows on their left: all tasks get these, and the right side stays where it is.
//!
//! `DataFusion` divides both sides by the join's key. Where that has one value, such as the group
//! of a fit to all customers, one task would get all the work. The scheduler does send a small side
//! to all tasks, but shuffles the other one as the plan says; what the client runs itself has one
//! plan with what it sends.

use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_expr::Partitioning;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_optimizer::output_requirements::OutputRequirements;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::statistics::StatisticsContext;
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, StatisticsArgs, replace_children_if_necessary,
};
use loyalake_lake::file_scan;

use crate::travel::is_of_the_right;

/// What few rows take, at most. It is the scheduler's limit, too: with a lower one it would divide
/// a join again whose parents rely on how its right side is divided; with a higher one tasks would
/// hold what they need not.
pub(crate) const FEW_BYTES: usize = 4 << 20;

/// What a value takes, as the scheduler reckons at most, where the bytes of rows are not known.
const VALUE_BYTES: usize = 32;

/// The plan with the left sides of such joins whole. Nodes that relied on rows being divided by
/// the join's key get them divided.
pub(crate) fn broadcast_few_rows(
    plan: Arc<dyn ExecutionPlan>,
    config: &ConfigOptions,
) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = plan.transform_down(|node| match with_whole_left(&node)? {
        Some(join) => Ok(Transformed::yes(join)),
        None => Ok(Transformed::no(node)),
    })?;
    if !plan.transformed {
        return Ok(plan.data);
    }
    // what nobody above needs it takes away, the order of the result too if nobody is there
    let plan = OutputRequirements::new_add_mode().optimize(plan.data, config)?;
    let plan = EnsureRequirements::new().optimize(plan, config)?;
    OutputRequirements::new_remove_mode().optimize(plan, config)
}

/// The join, if it is one with few rows on its left.
fn with_whole_left(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(join) = node.downcast_ref::<HashJoinExec>() else {
        return Ok(None);
    };
    let is_divided = *join.partition_mode() == PartitionMode::Partitioned;
    if !is_divided || join.null_aware || !is_of_the_right(*join.join_type()) {
        return Ok(None);
    }
    let (Some(left), Some(right)) = (undivided(join.left()), undivided(join.right())) else {
        return Ok(None);
    };
    if !has_few_rows(left)? {
        return Ok(None);
    }
    let mut left = Arc::clone(left);
    if left.output_partitioning().partition_count() > 1 {
        left = Arc::new(CoalescePartitionsExec::new(left));
    }
    let join = join
        .builder()
        .with_partition_mode(PartitionMode::CollectLeft);
    let join = join.with_new_children(vec![left, Arc::clone(right)])?;
    Ok(Some(join.build_exec()?))
}

/// What is divided by a key here.
fn undivided(node: &Arc<dyn ExecutionPlan>) -> Option<&Arc<dyn ExecutionPlan>> {
    let exchange = node.downcast_ref::<RepartitionExec>()?;
    matches!(exchange.partitioning(), Partitioning::Hash(..)).then(|| exchange.input())
}

fn has_few_rows(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let Some(most_rows) = most_rows(plan)? else {
        return Ok(false);
    };
    let known = statistics(plan)?;
    let row_bytes = VALUE_BYTES * plan.schema().fields().len().max(1);
    let is_few = |bytes: usize| (1..FEW_BYTES).contains(&bytes);
    let (rows, bytes) = (known.num_rows, known.total_byte_size);
    // the scheduler goes by what is reckoned, and must find the same
    let are_reckoned_few = rows
        .get_value()
        .is_some_and(|rows| is_few(rows * row_bytes));
    let bytes = bytes.get_value().copied().unwrap_or(1);
    Ok(are_reckoned_few && is_few(bytes) && is_few(most_rows * row_bytes))
}

/// As many rows as a plan can have. What is reckoned of joins may be any part of what they have.
fn most_rows(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<usize>> {
    use CardinalityEffect::{Equal, LowerEqual};
    Ok(
        match (plan.children().as_slice(), plan.cardinality_effect()) {
            ([], _) => statistics(plan)?.num_rows.get_value().copied(),
            ([input], Equal | LowerEqual) => most_rows(input)?,
            _ => None,
        },
    )
}

fn statistics(plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<Statistics>> {
    StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new())
}

/// The plan without the sizes of what it reads, but for what is sent to all tasks. The scheduler
/// would send more of it: whatever it reckons to be few, even the customers of a join.
pub(crate) fn without_sizes(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(files) = file_scan(plan.as_ref()) {
        let schema = files.file_source().table_schema().table_schema();
        let unknown = Statistics::new_unknown(schema);
        let files = FileScanConfigBuilder::from(files.clone()).with_statistics(unknown);
        return Ok(DataSourceExec::from_data_source(files.build()));
    }
    let join = plan.downcast_ref::<HashJoinExec>();
    let has_whole_left = join.is_some_and(|join| {
        *join.partition_mode() == PartitionMode::CollectLeft && !join.null_aware
    });
    let children = plan.children().into_iter().cloned().enumerate();
    let children = children.map(|(place, child)| match place {
        0 if has_whole_left => Ok(child),
        _ => without_sizes(child),
    });
    let children = children.collect::<Result<_>>()?;
    replace_children_if_necessary(plan, children)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::physical_plan::displayable;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    /// A session that divides both sides of joins, with a table of few rows and one of many.
    async fn few_and_many() -> SessionContext {
        let mut config = SessionConfig::new().with_target_partitions(3);
        let options = &mut config.options_mut().optimizer;
        options.hash_join_single_partition_threshold = 0;
        options.hash_join_single_partition_threshold_rows = 0;
        let context = SessionContext::new_with_config(config);
        let tables = [
            "create table few as select value as k from generate_series(0, 4)",
            "create table many as select value % 7 as k, value as v from generate_series(0, 9999)",
        ];
        for table in tables {
            let made = context.sql(table).await.expect("a table");
            made.collect().await.expect("a table that is made");
        }
        context
    }

    #[tokio::test]
    async fn a_join_has_not_few_rows_because_one_side_has() {
        let context = few_and_many().await;
        let sql = "select count(*) from few inner join many on few.k = many.k \
                   inner join many as others on many.v = others.v";
        let frame = context.sql(sql).await.expect("a query");
        let task = frame.task_ctx();
        let plan = frame.create_physical_plan().await.expect("a plan");
        let plan = broadcast_few_rows(plan, task.session_config().options());
        let shown = displayable(plan.expect("a plan").as_ref())
            .indent(false)
            .to_string();
        assert_eq!(shown.matches("mode=CollectLeft").count(), 1, "{shown}");
        assert_eq!(shown.matches("mode=Partitioned").count(), 1, "{shown}");
    }

    #[tokio::test]
    async fn what_relied_on_divided_rows_gets_them_divided() {
        let context = few_and_many().await;
        let sql = "select many.k, count(*), sum(v) from few inner join many on few.k = many.k \
                   group by many.k order by many.k";
        let frame = context.sql(sql).await.expect("a query");
        let task = Arc::new(frame.task_ctx());
        let before = frame.create_physical_plan().await.expect("a plan");
        let after = broadcast_few_rows(Arc::clone(&before), task.session_config().options());
        let after = after.expect("a plan of the same");
        let shown = displayable(after.as_ref()).indent(false).to_string();
        assert!(shown.contains("mode=CollectLeft"), "{shown}");
        let mut rows = Vec::new();
        for plan in [before, after] {
            let batches = datafusion::physical_plan::collect(plan, Arc::clone(&task)).await;
            let batches = batches.expect("rows");
            rows.push(
                pretty_format_batches(&batches)
                    .expect("a table")
                    .to_string(),
            );
        }
        assert_eq!(rows[0].lines().count(), 4 + 5, "{}", rows[0]);
        assert_eq!(rows[0], rows[1], "{shown}");
    }
}
