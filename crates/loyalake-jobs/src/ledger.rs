//! The ledger: the published table whose rows say which versions of the tables belong together.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Date32Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result as QueryResult;
use datafusion::logical_expr::{col, lit};
use loyalake_lake::delta::{DeltaVersion, PARTITION};
use loyalake_lake::{Location, Storage};

use crate::context;
use crate::project::Project;
use crate::session::{JOB_SCHEMA, scan};
use crate::{JobsError, Result};

/// The column of [`LedgerRow::fingerprint`].
const FINGERPRINT: &str = "fingerprint";

/// What a row of the ledger says of a published run.
#[derive(Debug, Clone)]
pub struct LedgerRow {
    /// The date that the run describes.
    pub as_of_date: NaiveDate,
    /// Identifies the run.
    pub run_id: String,
    /// What the run's rows depend on; None where a program before this one published.
    pub fingerprint: Option<String>,
    /// The version of every table, by name.
    pub versions: BTreeMap<String, u64>,
}

impl LedgerRow {
    /// A text that changes when the run's rows may have.
    pub(crate) fn content(&self) -> String {
        let fingerprint = self.fingerprint.as_ref().unwrap_or(&self.run_id);
        format!("{} {fingerprint}", self.as_of_date)
    }
}

/// The published runs, one for each date.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// In order of their dates.
    rows: Vec<LedgerRow>,
}

impl Ledger {
    /// Reads the ledger of a project; None where nothing was published.
    ///
    /// # Errors
    /// As for [`Ledger::read`].
    pub async fn of(project: &Project) -> Result<Option<Self>> {
        let storage = Storage::try_new(&project.config.storage)?;
        let runtime = context::context(&project.config, JOB_SCHEMA)?.runtime_env();
        let (output, folder) = (&project.config.lake.output, project.config.folder());
        let output = storage.locate(output, folder, &runtime)?;
        Self::read(project, &output).await
    }

    /// Reads the ledger below `output`; None where nothing was published.
    ///
    /// # Errors
    /// A table that can't be read.
    pub async fn read(project: &Project, output: &Location) -> Result<Option<Self>> {
        Self::read_at(project, output, None).await
    }

    /// Reads the ledger as it was at a version.
    ///
    /// # Errors
    /// As for [`Ledger::read`].
    pub(crate) async fn read_at(
        project: &Project,
        output: &Location,
        version: Option<u64>,
    ) -> Result<Option<Self>> {
        let Some(file) = project.ledger() else {
            return Ok(None);
        };
        let Some(version) = DeltaVersion::open(&output.child(&file.name), version).await? else {
            return Ok(None);
        };
        let context = context::context(&project.config, JOB_SCHEMA)?;
        let runtime = context.runtime_env();
        runtime.register_object_store(output.url(), Arc::clone(output.store()));
        let table = Arc::new(version.table()?);
        let fingerprint = match version.schema()?.field_with_name(FINGERPRINT) {
            Ok(_) => col(FINGERPRINT),
            Err(_) => lit(ScalarValue::Utf8(None)),
        };
        let read = async || -> QueryResult<Vec<RecordBatch>> {
            let plan = scan(&file.name, table)?;
            DataFrame::new(context.state(), plan)
                .select(vec![
                    col(PARTITION),
                    col("run_id"),
                    col("tables"),
                    fingerprint,
                ])?
                .sort(vec![col(PARTITION).sort(true, false)])?
                .collect()
                .await
        };
        let batches = read().await.map_err(|source| JobsError::Execution {
            relation: file.name.clone(),
            source,
        })?;
        let rows: Vec<LedgerRow> = batches
            .iter()
            .flat_map(|batch| (0..batch.num_rows()).filter_map(|row| ledger_row(batch, row)))
            .collect();
        Ok((!rows.is_empty()).then_some(Self { rows }))
    }

    /// All rows, in order of their dates.
    pub fn rows(&self) -> &[LedgerRow] {
        &self.rows
    }

    /// The run with the greatest date.
    pub fn newest(&self) -> Option<&LedgerRow> {
        self.rows.last()
    }

    /// The run of a date.
    pub fn of_date(&self, date: NaiveDate) -> Option<&LedgerRow> {
        self.rows.iter().find(|row| row.as_of_date == date)
    }

    /// What a run has published.
    pub(crate) fn of_run(&self, run_id: &str) -> Option<&LedgerRow> {
        self.rows.iter().find(|row| row.run_id == run_id)
    }

    /// The versions that show every date: of each table, the greatest that any row names.
    pub fn versions(&self) -> BTreeMap<String, u64> {
        let mut versions = BTreeMap::new();
        for (name, version) in self.rows.iter().flat_map(|row| &row.versions) {
            let greatest = versions.entry(name.clone()).or_insert(*version);
            *greatest = (*greatest).max(*version);
        }
        versions
    }
}

/// A row of `as_of_date, run_id, tables, fingerprint`.
fn ledger_row(batch: &RecordBatch, row: usize) -> Option<LedgerRow> {
    let as_of_date = batch
        .column(0)
        .as_primitive_opt::<Date32Type>()?
        .value_as_date(row)?;
    let run_ids = cast(batch.column(1), &DataType::Utf8).ok()?;
    let tables = batch.column(2).as_list_opt::<i32>()?.value(row);
    let tables = tables.as_struct_opt()?;
    let names = cast(tables.column_by_name("name")?, &DataType::Utf8).ok()?;
    let names = names.as_string_opt::<i32>()?;
    let fingerprints = cast(batch.column(3), &DataType::Utf8).ok()?;
    let fingerprints = fingerprints.as_string_opt::<i32>()?;
    let fingerprint = (!fingerprints.is_null(row)).then(|| fingerprints.value(row).to_owned());
    let versions = tables.column_by_name("version")?;
    let versions = versions.as_primitive_opt::<Int64Type>()?;
    let versions = names.iter().flatten().zip(versions.values());
    Some(LedgerRow {
        as_of_date,
        run_id: run_ids.as_string_opt::<i32>()?.value(row).to_owned(),
        fingerprint,
        versions: versions
            .map(|(name, version)| (name.to_owned(), u64::try_from(*version).unwrap_or_default()))
            .collect(),
    })
}
