//! Relations of which each row comes from one row of one source: what they make of a file does not
//! depend on other files, nor on when they do.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result as QueryResult;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

use crate::project::SOURCE_SCHEMA;

/// The plan of such a relation.
#[derive(Debug, Clone)]
pub(crate) struct RowWise {
    pub(crate) plan: LogicalPlan,
    /// The name of the source.
    pub(crate) source: String,
}

impl RowWise {
    /// Looks at a plan. The error says what it does besides.
    pub(crate) fn try_new(plan: LogicalPlan) -> Result<Self, String> {
        let source = source_of(&plan)?;
        Ok(Self { plan, source })
    }

    /// The same of another table in place of the source.
    pub(crate) fn of(&self, table: Arc<dyn TableProvider>) -> QueryResult<LogicalPlan> {
        let source = provider_as_source(table);
        let plan = self.plan.clone();
        plan.transform(|node| match node {
            LogicalPlan::TableScan(mut scan) => {
                scan.source = Arc::clone(&source);
                Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
    }

    /// Names and types of the columns of the source that are read.
    pub(crate) fn columns(&self, state: &SessionState) -> QueryResult<String> {
        let mut columns = String::new();
        state.optimize(&self.plan)?.apply(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let fields = scan.projected_schema.fields().iter();
                let fields = fields.map(|field| format!("{} {}", field.name(), field.data_type()));
                columns = fields.collect::<Vec<_>>().join(", ");
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(columns)
    }
}

/// The name of the one source that is read, row by row.
fn source_of(plan: &LogicalPlan) -> Result<String, String> {
    let mut unstable = None;
    let visited = plan.apply_expressions(|expression| {
        expression.apply(|part| {
            unstable = unstable.take().or_else(|| what_changes(part));
            Ok(TreeNodeRecursion::Continue)
        })
    });
    visited.map_err(|error| error.to_string())?;
    if let Some(what) = unstable {
        return Err(format!("it depends on more than the row: {what}"));
    }
    match plan {
        LogicalPlan::Projection(projection) => source_of(&projection.input),
        LogicalPlan::Filter(filter) => source_of(&filter.input),
        LogicalPlan::SubqueryAlias(alias) => source_of(&alias.input),
        LogicalPlan::TableScan(scan) if scan.table_name.schema() == Some(SOURCE_SCHEMA) => {
            Ok(scan.table_name.table().to_owned())
        }
        LogicalPlan::TableScan(scan) => Err(format!(
            "it reads {}, which is no source",
            scan.table_name.table()
        )),
        other => {
            let node = other.display().to_string();
            let node = node.split([':', '(']).next().unwrap_or_default().trim();
            Err(format!("it does not read one source row by row: {node}"))
        }
    }
}

/// What makes a part of an expression another value while the row is the same.
fn what_changes(part: &Expr) -> Option<String> {
    match part {
        Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable => {
            Some(part.schema_name().to_string())
        }
        Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::ScalarSubquery(_)
        | Expr::SetComparison(_) => Some("a subquery".to_owned()),
        _ => None,
    }
}
