//! Audits: queries that return offending rows, from files and from the grain of every table.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::TableReference;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlan, col, ident, lit};
use futures::StreamExt;

use super::Run;
use crate::housekeeping::erase::CUSTOMER;
use crate::report::Audit;
use crate::session::JOB_SCHEMA;
use crate::sql_file::SqlFile;
use crate::{JobsError, Result};

impl Run<'_> {
    /// Asks an audit file.
    pub(super) async fn audit(&mut self, file: &SqlFile) -> Result<()> {
        let plan = self.session.plan(file).await?;
        let table = file
            .name
            .split("__")
            .next()
            .unwrap_or(&file.name)
            .to_owned();
        let severity = file.header("severity").unwrap_or("error");
        let (name, severity) = (file.name.clone(), severity.to_owned());
        self.ask(
            Audit {
                audit: name,
                table_name: table,
                severity,
                offending_rows: 0,
                example: None,
            },
            plan,
        )
        .await
    }

    /// Every row of a table has a key, and no key is there twice.
    pub(super) async fn audit_grain(&mut self, file: &SqlFile) -> Result<()> {
        let name = &file.name;
        let keys: Vec<Expr> = file.grain().iter().map(ident).collect();
        if keys.is_empty() || !self.tables.contains(name) {
            return Ok(());
        }
        let failed = |source| JobsError::Execution {
            relation: name.clone(),
            source,
        };
        let audit = |suffix: &str| Audit {
            audit: format!("{name}__{suffix}"),
            table_name: name.clone(),
            severity: "error".to_owned(),
            offending_rows: 0,
            example: None,
        };
        let table = self
            .session
            .context
            .table(TableReference::partial(JOB_SCHEMA, name.as_str()))
            .await
            .map_err(failed)?;
        let is_null = keys
            .iter()
            .cloned()
            .map(Expr::is_null)
            .reduce(Expr::or)
            .unwrap_or(lit(false));
        let without_key = table.clone().filter(is_null).map_err(failed)?;
        let twice = table
            .aggregate(keys, vec![count(lit(1)).alias("rows")])
            .and_then(|groups| groups.filter(col("rows").gt(lit(1))))
            .map_err(failed)?;
        let without_key = without_key.into_unoptimized_plan();
        self.ask(audit("keys_not_null"), without_key).await?;
        self.ask(audit("unique_grain"), twice.into_unoptimized_plan())
            .await
    }

    async fn ask(&mut self, mut audit: Audit, plan: LogicalPlan) -> Result<()> {
        let failed = |source| JobsError::Execution {
            relation: audit.audit.clone(),
            source,
        };
        let mut rows = self.session.stream(plan).await.map_err(failed)?;
        let mut offending_rows = 0;
        let mut example = None;
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(failed)?;
            if example.is_none() && batch.num_rows() > 0 {
                example = Some(first_row(&batch, audit.severity == "warn"));
            }
            offending_rows += batch.num_rows();
        }
        (audit.offending_rows, audit.example) = (offending_rows, example);
        if audit.severity == "warn" && offending_rows > 0 {
            self.report.warnings.push(describe(&audit));
        }
        self.report.audits.push(audit);
        Ok(())
    }
}

/// An audit's failure in one line.
pub(super) fn describe(audit: &Audit) -> String {
    let rows = crate::error::count(audit.offending_rows, "row");
    let example = audit.example.as_deref().unwrap_or_default();
    format!("{}: {rows}, first: {example}", audit.audit)
}

/// The values of the first row. What may be published names no customer: it would stay when the
/// customer is erased.
fn first_row(batch: &RecordBatch, is_published: bool) -> String {
    let schema = batch.schema();
    let cells = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let value = array_value_to_string(column, 0).unwrap_or_default();
            let shown = match value.as_str() {
                _ if is_published && field.name() == CUSTOMER => "not shown",
                "" => "NULL",
                value => value,
            };
            format!("{} {shown}", field.name())
        });
    cells.collect::<Vec<_>>().join(", ")
}
