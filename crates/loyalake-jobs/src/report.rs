//! What a run says of itself: for the log, for `--report`, and for schema `run` of SQL files.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::error::ArrowError;
use serde::Serialize;

/// The report of a run.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// Identifies the run; it stands in every row that the run published.
    pub run_id: String,
    /// The date that the run describes.
    pub as_of_date: NaiveDate,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When its tables were complete.
    pub finished_at: Option<DateTime<Utc>>,
    /// Version of the program.
    pub code_version: String,
    /// Changes when inputs, parameters, selection, SQL or program change; equal ones give equal
    /// tables.
    pub fingerprint: String,
    /// All parameters with their values.
    pub parameters: serde_json::Value,
    /// What was read.
    pub inputs: Vec<Input>,
    /// What was computed, in order.
    pub relations: Vec<Relation>,
    /// What was published; tables that the run did not touch stand at the version that it saw.
    pub tables: Vec<Table>,
    /// What was checked.
    pub audits: Vec<Audit>,
    /// What deserves a look.
    pub warnings: Vec<String>,
    /// What all of it took.
    pub resources: Resources,
    /// Results that people like to see, as text tables.
    #[serde(skip)]
    pub summaries: Vec<Summary>,
}

/// What became of a date.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// Its tables were computed and published.
    Published(Box<RunReport>),
    /// They were published already, and would be the same.
    Skipped(Skipped),
}

/// A date that needed no run.
#[derive(Debug, Clone, Serialize)]
pub struct Skipped {
    /// The date.
    pub as_of_date: NaiveDate,
    /// The run that published it.
    pub run_id: String,
    /// The fingerprint of that run, and of the one that was not needed.
    pub fingerprint: String,
    /// Why it was not needed.
    pub skipped: &'static str,
}

/// An input.
#[derive(Debug, Clone, Serialize)]
pub struct Input {
    /// Name of the source.
    pub name: String,
    /// Number of files.
    pub files: usize,
    /// Size of all files.
    pub bytes: u64,
    /// Bytes that were read of them: by checks and queries of this machine, and the columns that
    /// others read.
    pub bytes_read: u64,
    /// Number of rows.
    pub rows: usize,
    /// Changes when any file changes.
    pub fingerprint: String,
    /// Files that can't be read, and were left out.
    pub left_out: Vec<LeftOut>,
}

/// A file that was left out.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOut {
    /// The file.
    pub file: String,
    /// What is wrong with it, and where.
    pub reason: String,
}

/// How a relation was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Inside the plan of its only reader.
    View,
    /// Once, into scratch files, for several readers.
    Scratch,
    /// Once, into files that later runs may use.
    Kept,
    /// Not at all: an earlier run's files are used.
    Reused,
    /// Into a table of the lake.
    Table,
}

/// Whether what an earlier run had kept was used.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reuse {
    /// It was, from this run.
    FromRun(String),
    /// It was not, for these reasons.
    Refused(Vec<String>),
    /// It was of some files of a source; the others had to be read.
    ByFile {
        /// Files of which it was used.
        reused_files: usize,
        /// Files that were read.
        computed_files: usize,
        /// Why they had to be.
        reasons: Vec<String>,
    },
}

/// A relation that was computed.
#[derive(Debug, Clone, Serialize)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// How.
    pub mode: Mode,
    /// Number of rows; a view has none of its own.
    pub rows: Option<usize>,
    /// Size of the files written.
    pub bytes: Option<u64>,
    /// Time taken.
    pub seconds: f64,
    /// What it read, by relation.
    pub read: Vec<Read>,
    /// What it put on disk for want of memory.
    pub spill: Spill,
    /// Of a relation that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reuse: Option<Reuse>,
}

/// What a query read of a relation's files.
#[derive(Debug, Clone, Serialize)]
pub struct Read {
    /// The relation; `source.…` is an input, `history.…` what earlier runs published.
    pub name: String,
    /// Bytes of columns; footers are counted with the inputs.
    pub bytes: usize,
    /// Number of rows.
    pub rows: usize,
}

/// What queries put on disk for want of memory.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Spill {
    /// How often.
    pub count: usize,
    /// How much.
    pub bytes: usize,
}

/// What a run took.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Resources {
    /// Bytes of columns that relations and audits read: of inputs, and of files between them.
    pub bytes_read: usize,
    /// What they put on disk.
    pub spill: Spill,
    /// The most memory that the process had at a time since it began, in bytes; null where the
    /// system does not say.
    pub peak_memory: Option<u64>,
    /// The most memory that queries accounted for at a time, in bytes: what the limit is about.
    pub peak_accounted: usize,
}

/// A published table.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The version that readers of this run should read.
    pub version: u64,
    /// Rows of the run's date.
    pub rows: usize,
}

/// An audit's result.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    /// Its name.
    pub audit: String,
    /// The table that it is about.
    pub table_name: String,
    /// `error`, `warn` or `quarantine`.
    pub severity: String,
    /// Rows that it returned; none is good.
    pub offending_rows: usize,
    /// The first of them.
    pub example: Option<String>,
    /// Time taken.
    pub seconds: f64,
}

/// A titled result.
#[derive(Debug, Clone)]
pub struct Summary {
    /// What it shows.
    pub title: String,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl RunReport {
    /// That of a run which begins now.
    pub(crate) fn begin(as_of_date: NaiveDate, parameters: serde_json::Value) -> Self {
        Self {
            run_id: uuid::Uuid::now_v7().to_string(),
            as_of_date,
            started_at: Utc::now(),
            finished_at: None,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: String::new(),
            parameters,
            inputs: Vec::new(),
            relations: Vec::new(),
            tables: Vec::new(),
            audits: Vec::new(),
            warnings: Vec::new(),
            resources: Resources::default(),
            summaries: Vec::new(),
        }
    }

    /// The relations of schema `run`, by name.
    pub(crate) fn facts(&self) -> Result<Vec<(&'static str, RecordBatch)>, ArrowError> {
        let finished = self.finished_at.map(|time| time.timestamp_micros());
        let current = batch(vec![
            ("run_id", texts([Some(&self.run_id)])),
            (
                "started_at",
                instants(Some(self.started_at.timestamp_micros())),
            ),
            ("finished_at", instants(finished)),
            ("code_version", texts([Some(&self.code_version)])),
            ("fingerprint", texts([Some(&self.fingerprint)])),
            ("parameters", texts([Some(&self.parameters.to_string())])),
        ])?;
        let inputs = batch(vec![
            (
                "name",
                texts(self.inputs.iter().map(|input| Some(&input.name))),
            ),
            (
                "files",
                numbers(self.inputs.iter().map(|input| input.files)),
            ),
            ("rows", numbers(self.inputs.iter().map(|input| input.rows))),
            (
                "fingerprint",
                texts(self.inputs.iter().map(|input| Some(&input.fingerprint))),
            ),
        ])?;
        let version = |table: &Table| usize::try_from(table.version).unwrap_or(usize::MAX);
        let tables = batch(vec![
            (
                "name",
                texts(self.tables.iter().map(|table| Some(&table.name))),
            ),
            ("version", numbers(self.tables.iter().map(version))),
            ("rows", numbers(self.tables.iter().map(|table| table.rows))),
        ])?;
        let audits = batch(vec![
            (
                "audit",
                texts(self.audits.iter().map(|audit| Some(&audit.audit))),
            ),
            (
                "table_name",
                texts(self.audits.iter().map(|audit| Some(&audit.table_name))),
            ),
            (
                "severity",
                texts(self.audits.iter().map(|audit| Some(&audit.severity))),
            ),
            (
                "offending_rows",
                numbers(self.audits.iter().map(|audit| audit.offending_rows)),
            ),
            (
                "example",
                texts(self.audits.iter().map(|audit| audit.example.as_ref())),
            ),
        ])?;
        let warnings = batch(vec![("message", texts(self.warnings.iter().map(Some)))])?;
        Ok(vec![
            ("current", current),
            ("inputs", inputs),
            ("tables", tables),
            ("audits", audits),
            ("warnings", warnings),
        ])
    }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, values)| (name, values, true)),
    )
}

fn texts<'a>(values: impl IntoIterator<Item = Option<&'a String>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

fn numbers(values: impl IntoIterator<Item = usize>) -> ArrayRef {
    let values = values
        .into_iter()
        .map(|value| i64::try_from(value).unwrap_or(i64::MAX));
    Arc::new(values.map(Some).collect::<Int64Array>())
}

fn instants(value: Option<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![value]).with_timezone("UTC"))
}
