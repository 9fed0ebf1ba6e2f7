//! Relations without rows: a query is planned without them, and without the joins that they would
//! take part in.
//!
//! Most projects have some of the inputs, not all, and most nights find nothing repeated.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::{EmptyRelation, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

/// Says of a scan that it finds no rows; the optimizer knows what follows.
#[derive(Debug)]
pub(crate) struct SkipEmpty;

impl AnalyzerRule for SkipEmpty {
    fn name(&self) -> &'static str {
        "skip_empty"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_down_with_subqueries(|node| {
            let LogicalPlan::TableScan(scan) = &node else {
                return Ok(Transformed::no(node));
            };
            if !is_empty(source_as_provider(&scan.source)?.as_ref()) {
                return Ok(Transformed::no(node));
            }
            Ok(Transformed::yes(LogicalPlan::EmptyRelation(
                EmptyRelation {
                    produce_one_row: false,
                    schema: Arc::clone(&scan.projected_schema),
                },
            )))
        });
        Ok(plan?.data)
    }
}

fn is_empty(table: &dyn TableProvider) -> bool {
    let statistics = table.statistics();
    let rows = statistics.map(|statistics| statistics.num_rows);
    table.is::<EmptyTable>() || rows == Some(Precision::Exact(0))
}
