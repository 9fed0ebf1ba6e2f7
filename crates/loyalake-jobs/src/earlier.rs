//! What an earlier run published, as an input of this one.
//!
//! A contract in `sql/published` names a table, how much older the run must be, and the columns
//! that are wanted. Relation `published.<contract>` holds the rows of the newest run that is old
//! enough: none before there is one. Only runs for earlier dates count, so that running a date
//! again gives the same rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::ViewTable;
use datafusion::error::Result as QueryResult;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit, try_cast};
use loyalake_lake::Location;
use loyalake_lake::delta::{DeltaVersion, PARTITION};

use crate::contract::{Contract, ContractColumn};
use crate::ledger::{Ledger, LedgerRow};
use crate::parameters::Parameters;
use crate::session::{Session, scan};
use crate::sql_file::SqlFile;
use crate::{JobsError, Result};

/// Schema of what earlier runs published.
pub(crate) const PUBLISHED_SCHEMA: &str = "published";

/// A table of an earlier run, as relations read it.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    /// The columns that are wanted, and the relation's name.
    pub(crate) contract: Contract,
    table: String,
    /// The parameter that says how many days older the run must be; none: it is any earlier one.
    days: Option<String>,
}

impl Earlier {
    /// Reads a file of `sql/published`.
    pub(crate) fn try_new(file: &SqlFile) -> Result<Self> {
        let Some(table) = file.header("table") else {
            return Err(file.error(
                "the header must name a published table: `-- table: <name>`",
                "",
            ));
        };
        let days = file.header("older").and_then(|text| text.strip_prefix('$'));
        Ok(Self {
            contract: Contract::try_new(file)?,
            table: table.to_owned(),
            days: days.map(str::to_owned),
        })
    }

    /// The newest run that is old enough.
    fn run<'a>(
        &self,
        ledger: &'a Ledger,
        parameters: &Parameters,
        as_of_date: NaiveDate,
    ) -> Option<&'a LedgerRow> {
        let days = self.days.as_deref().and_then(|name| parameters.days(name));
        let newest = as_of_date.checked_sub_days(Days::new(days.unwrap_or(1).max(1)))?;
        let mut rows = ledger.rows().iter().rev();
        rows.find(|row| row.as_of_date <= newest)
    }
}

impl Session<'_> {
    /// Gives schema `published` its relations; the result changes when any of them does.
    pub(crate) async fn define_published(
        &self,
        ledger: Option<&Ledger>,
        output: &Location,
        as_of_date: NaiveDate,
    ) -> Result<BTreeMap<String, Option<String>>> {
        let versions = ledger.map(Ledger::versions).unwrap_or_default();
        let mut fingerprints = BTreeMap::new();
        for earlier in &self.project.published {
            let name = &earlier.contract.name;
            let run = ledger.and_then(|rows| earlier.run(rows, &self.parameters, as_of_date));
            let version = versions.get(&earlier.table).copied();
            let opened = match (run, version) {
                (Some(run), Some(version)) => {
                    let location = output.child(&earlier.table);
                    let opened = DeltaVersion::open(&location, Some(version)).await?;
                    opened.map(|table| (run, table))
                }
                _ => None,
            };
            let Some((run, table)) = opened else {
                fingerprints.insert(name.clone(), None);
                self.define_empty(PUBLISHED_SCHEMA, &earlier.contract)?;
                continue;
            };
            let plan = self.rows_of(earlier, &table, run.as_of_date)?;
            self.define(PUBLISHED_SCHEMA, name, Arc::new(ViewTable::new(plan, None)))?;
            fingerprints.insert(name.clone(), Some(run.content()));
        }
        Ok(fingerprints)
    }

    /// Gives schema `published` empty relations.
    pub(crate) fn define_none_published(&self) -> Result<()> {
        let mut published = self.project.published.iter();
        published.try_for_each(|earlier| self.define_empty(PUBLISHED_SCHEMA, &earlier.contract))
    }

    /// The contract's columns of one date; NULL where the table had no such column then.
    fn rows_of(
        &self,
        earlier: &Earlier,
        table: &DeltaVersion,
        date: NaiveDate,
    ) -> Result<LogicalPlan> {
        let schema = table.schema()?;
        let column = |column: &ContractColumn| -> Expr {
            let target = column.type_with(&self.keys);
            let value = match schema.field_with_name(&column.name) {
                Ok(_) => Expr::Column(Column::from_name(&column.name)),
                Err(_) => lit(ScalarValue::Null),
            };
            try_cast(value, target).alias(&column.name)
        };
        let files = Arc::new(table.table()?);
        let plan = || -> QueryResult<LogicalPlan> {
            LogicalPlanBuilder::from(scan(&earlier.table, files)?)
                .filter(col(PARTITION).eq(lit(date_literal(date))))?
                .project(earlier.contract.columns.iter().map(column))?
                .build()
        };
        plan().map_err(|source| JobsError::Execution {
            relation: format!("{PUBLISHED_SCHEMA}.{}", earlier.contract.name),
            source,
        })
    }
}

/// A date as a query has it.
pub(crate) fn date_literal(date: NaiveDate) -> ScalarValue {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    ScalarValue::Date32(i32::try_from(days).ok())
}
