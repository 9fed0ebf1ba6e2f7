//! Groups by an integer, such as a customer's number.
//!
//! `DataFusion` finds a row's group in two reads of memory that wait for each other: the number of
//! the group by a hash, then the key that has the number. With millions of groups both are misses
//! of the caches, a quarter of the time from orders to customers. Here a key is beside its number,
//! and those of neighbouring rows are read together. The aggregates are the same.

mod groups;
mod index;
mod node;
mod runs;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

pub use node::IntegerGroupsExec;

/// The rule.
#[derive(Debug)]
pub(crate) struct GroupIntegers;

impl PhysicalOptimizerRule for GroupIntegers {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| match IntegerGroupsExec::in_place_of(&plan) {
            Some(groups) => Ok(Transformed::yes(groups)),
            None => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "group_integers"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
