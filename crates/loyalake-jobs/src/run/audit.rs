//! Audits: queries that return offending rows, from files and from the grain of every table.

use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::{ScalarValue, TableReference};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SessionState;
use datafusion::functions_aggregate::expr_fn::{bit_or, count, sum};
use datafusion::logical_expr::{Case, Expr, LogicalPlan, col, ident, lit};
use futures::{StreamExt, TryStreamExt};

use super::Run;
use super::taken::Taken;
use crate::housekeeping::erase::CUSTOMER;
use crate::report::Audit;
use crate::session::JOB_SCHEMA;
use crate::sql_file::SqlFile;
use crate::{JobsError, Result};

/// Values of a key that are told apart by a bit each: their sum has room for many copies.
const MOST_BITS: usize = 32;

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
                seconds: 0.0,
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
            seconds: 0.0,
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
        let without_key = without_key.into_unoptimized_plan();
        self.ask(audit("keys_not_null"), without_key).await?;
        // cheap, and mostly enough: only a doubtful table is asked for its keys
        let started = Instant::now();
        if let Some(doubtful) = self.doubtful_keys(&table, &keys).await.map_err(failed)? {
            let doubtful = doubtful.into_unoptimized_plan();
            let (mut found, state) = (audit("unique_grain"), self.session.state());
            let asked = self.offending(&found, state, doubtful).await;
            if let Ok((0, _, taken)) = asked {
                self.account(taken);
                found.seconds = started.elapsed().as_secs_f64();
                self.report.audits.push(found);
                return Ok(());
            }
        }
        let twice = table
            .aggregate(keys, vec![count(lit(1)).alias("rows")])
            .and_then(|groups| groups.filter(col("rows").gt(lit(1))))
            .map_err(failed)?;
        self.ask(audit("unique_grain"), twice.into_unoptimized_plan())
            .await
    }

    /// The values of the first key that may have another key twice. Where the second and last key
    /// has few values each is a bit, and a sum of different bits equals their union: that takes a
    /// group for each value of the first key, not for each row. None with other keys.
    async fn doubtful_keys(
        &self,
        table: &DataFrame,
        keys: &[Expr],
    ) -> datafusion::error::Result<Option<DataFrame>> {
        let [first, second] = keys else {
            return Ok(None);
        };
        let values = table.clone().select(vec![second.clone()])?.distinct()?;
        let values = values
            .limit(0, Some(MOST_BITS + 1))?
            .into_unoptimized_plan();
        let batches: Vec<RecordBatch> = self.session.stream(values).await?.try_collect().await?;
        let mut bits = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let value = ScalarValue::try_from_array(batch.column(0), row)?;
                bits.push((Box::new(lit(value)), Box::new(lit(1_i64 << bits.len()))));
            }
        }
        if bits.is_empty() || bits.len() > MOST_BITS {
            return Ok(None);
        }
        let bit = Expr::Case(Case::new(Some(Box::new(second.clone())), bits, None));
        let bits = table
            .clone()
            .select(vec![first.clone(), bit.alias("bit")])?;
        let sums = vec![
            sum(col("bit")).alias("bits"),
            bit_or(col("bit")).alias("all_bits"),
        ];
        let sums = bits.aggregate(vec![first.clone()], sums)?;
        Ok(Some(sums.filter(col("bits").not_eq(col("all_bits")))?))
    }

    async fn ask(&mut self, mut audit: Audit, plan: LogicalPlan) -> Result<()> {
        let (state, started) = (self.session.state(), Instant::now());
        let asked = self.offending(&audit, state, plan.clone()).await;
        let (offending_rows, example, taken) = match asked {
            Err(error) if error.is_out_of_memory() => {
                let state = self.session.frugal_state();
                self.offending(&audit, state, plan).await?
            }
            done => done?,
        };
        self.account(taken);
        (audit.offending_rows, audit.example) = (offending_rows, example);
        audit.seconds = started.elapsed().as_secs_f64();
        if audit.severity == "warn" && offending_rows > 0 {
            self.report.warnings.push(describe(&audit));
        }
        self.report.audits.push(audit);
        Ok(())
    }

    /// The number of rows that an audit returns, the first of them, and what the query took.
    async fn offending(
        &self,
        audit: &Audit,
        state: SessionState,
        plan: LogicalPlan,
    ) -> Result<(usize, Option<String>, Taken)> {
        let failed = |source| JobsError::Execution {
            relation: audit.audit.clone(),
            source,
        };
        let physical = self.session.physical(state, plan).await;
        let (plan, context) = physical.map_err(failed)?;
        let engine = &self.session.project.engine;
        let rows = engine.execute(Arc::clone(&plan), context).await;
        let mut rows = rows.map_err(failed)?;
        let mut offending_rows = 0;
        let mut example = None;
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(failed)?;
            if example.is_none() && batch.num_rows() > 0 {
                example = Some(first_row(&batch, audit.severity == "warn"));
            }
            offending_rows += batch.num_rows();
        }
        Ok((offending_rows, example, Taken::by(&plan)))
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
