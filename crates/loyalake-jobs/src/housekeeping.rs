//! Keeping a lake that was published: exporting it, maintaining it, going back, erasing customers.
//!
//! What changes the lake is a publication like that of a run: a commit for each table, the
//! ledger's last. So readers of schema `latest` see all of it or nothing, and what was interrupted
//! is settled by whoever publishes next. Files are deleted when all commits are made.

pub mod erase;
pub mod export;
pub mod maintain;
mod restate;
pub mod rollback;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::prelude::SessionContext;
use loyalake_lake::delta::{DeltaVersion, PARTITION};
use loyalake_lake::publication::{Outcome, Publication, recover};
use loyalake_lake::staging::{self, Staged};
use loyalake_lake::{DataFile, FileTable, LakeError, Lease, LocalEngine, Location, Storage};
use serde_json::{Value, json};

use crate::context;
use crate::ledger::Ledger;
use crate::project::Project;
use crate::session::{JOB_SCHEMA, scan};
use crate::{JobsError, Result};

/// Size of the files that rewritten dates are written to.
const FILE_BYTES: u64 = 128_000_000;

/// The published tables of a project.
struct PublishedLake<'a> {
    project: &'a Project,
    context: SessionContext,
    storage: Storage,
    output: Location,
    /// Name of the table that is committed last.
    ledger_name: String,
}

/// The right to change a lake, and a name for the change.
struct Change {
    id: String,
    lease: Arc<Lease>,
    publication: Publication,
    /// Dead runs whose remains were put in order first.
    settled: Vec<String>,
}

impl<'a> PublishedLake<'a> {
    fn open(project: &'a Project) -> Result<Self> {
        let context = context::context(&project.config, JOB_SCHEMA)?;
        let storage = Storage::try_new(&project.config.storage)?;
        let runtime = context.runtime_env();
        let folder = project.config.folder();
        let output = storage.locate(&project.config.lake.output, folder, &runtime)?;
        let ledger = project.ledger().map(|file| file.name.clone());
        Ok(Self {
            project,
            context,
            storage,
            output,
            ledger_name: ledger.unwrap_or_default(),
        })
    }

    async fn ledger(&self) -> Result<Ledger> {
        let ledger = Ledger::read(self.project, &self.output).await?;
        ledger.ok_or_else(|| self.nothing_published())
    }

    fn nothing_published(&self) -> JobsError {
        JobsError::NothingPublished {
            location: self.output.url().to_string(),
        }
    }

    /// Names of all tables but the ledger: those of the project, and those of runs before it.
    fn tables(&self, ledger: Option<&Ledger>) -> BTreeSet<String> {
        let marts = self.project.marts().into_iter();
        let mut names: BTreeSet<String> = marts.map(|mart| mart.name.clone()).collect();
        names.extend(ledger.map(Ledger::versions).unwrap_or_default().into_keys());
        names.remove(&self.ledger_name);
        names
    }

    /// The newest version of a table.
    async fn newest(&self, name: &str) -> Result<Option<DeltaVersion>> {
        Ok(DeltaVersion::open(&self.output.child(name), None).await?)
    }

    /// Waits until nobody else publishes, puts in order what dead runs left, and begins.
    async fn begin(&self) -> Result<Change> {
        let id = new_id();
        let ledger = Ledger::read(self.project, &self.output).await?;
        let mut names = self.tables(ledger.as_ref());
        names.insert(self.ledger_name.clone());
        let folders = names.iter().map(|name| format!("{name}/{id}"));
        let lease = Arc::new(Lease::take(&self.output, &id, folders.collect()).await?);
        let scratch = self.storage.locate(
            &self.project.config.lake.scratch_folder(),
            self.project.config.folder(),
            &self.context.runtime_env(),
        )?;
        let names = names.iter().map(String::as_str);
        let begin = async || {
            let settled = recover(&lease, &scratch).await?;
            let publication = Publication::begin(&lease, &self.ledger_name, names).await?;
            Ok((settled, publication))
        };
        match begin().await {
            Ok((settled, publication)) => Ok(Change {
                id,
                lease,
                publication,
                settled,
            }),
            Err(error) => {
                let _ = lease.release().await;
                Err(error)
            }
        }
    }

    /// Ends a change that went well, or takes back what it has committed.
    async fn end<T>(&self, change: Change, done: Result<T>) -> Result<T> {
        let cause = match done {
            Ok(done) => {
                change.publication.finish().await?;
                change.lease.release().await?;
                return Ok(done);
            }
            Err(cause) => cause,
        };
        match change.publication.abandon().await {
            Ok(outcome) => {
                if outcome == Outcome::Undone {
                    for name in self.tables(None).iter().chain([&self.ledger_name]) {
                        let folder = self.output.child(name).child(&change.id);
                        let _ = staging::remove(&folder).await;
                    }
                }
                let _ = change.lease.release().await;
                Err(cause)
            }
            Err(source) => Err(JobsError::NotUndone {
                cause: Box::new(cause),
                source: Box::new(source),
            }),
        }
    }

    /// The rows of a table for which `keep` holds, with their date.
    fn rows(&self, name: &str, table: FileTable, keep: Option<Expr>) -> Result<DataFrame> {
        let plan = scan(name, Arc::new(table)).map_err(failed(name))?;
        let frame = DataFrame::new(self.context.state(), plan);
        match keep {
            Some(keep) => frame.filter(keep).map_err(failed(name)),
            None => Ok(frame),
        }
    }

    /// Writes rows to so many files below `folder`.
    async fn write(
        &self,
        name: &str,
        rows: DataFrame,
        files: usize,
        folder: &Location,
    ) -> Result<Staged> {
        let context = Arc::new(rows.task_ctx());
        let plan = rows.create_physical_plan().await.map_err(failed(name))?;
        let plan: Arc<dyn ExecutionPlan> = if files > 1 {
            let parts = Partitioning::RoundRobinBatch(files);
            Arc::new(RepartitionExec::try_new(plan, parts).map_err(failed(name))?)
        } else {
            Arc::new(CoalescePartitionsExec::new(plan))
        };
        let written = staging::write(&LocalEngine, plan, context, folder, |_| {}).await;
        let written = written.map_err(|error| match error {
            LakeError::Query(source) => failed(name)(source),
            other => other.into(),
        })?;
        Ok(written.staged(folder.clone()))
    }

    /// Writes some files of one date of a table again, as few as their size allows, with the rows
    /// for which `keep` holds.
    async fn write_again(
        &self,
        change: &Change,
        current: &DeltaVersion,
        (name, date): (&str, &str),
        files: &[DataFile],
        keep: Option<Expr>,
    ) -> Result<Staged> {
        let rows = self.rows(name, current.table_of(files.to_vec())?, keep)?;
        let rows = rows.drop_columns(&[PARTITION]).map_err(failed(name))?;
        let folder = change.folder(&self.output, name, date);
        self.write(name, rows, file_count(files), &folder).await
    }
}

impl Change {
    /// Where new files of a date are.
    fn folder(&self, output: &Location, table: &str, date: &str) -> Location {
        output.child(&format!("{table}/{}/{PARTITION}={date}", self.id))
    }

    /// What its commits say of themselves.
    fn metadata(&self, command: &str) -> HashMap<String, Value> {
        HashMap::from([
            ("command".to_owned(), json!(command)),
            ("change_id".to_owned(), json!(self.id)),
        ])
    }
}

/// The files of a table by their date.
fn by_date(files: Vec<DataFile>) -> BTreeMap<String, Vec<DataFile>> {
    let mut dates: BTreeMap<String, Vec<DataFile>> = BTreeMap::new();
    for file in files {
        let date = file.partition_values.first();
        let date = date.map(ToString::to_string).unwrap_or_default();
        dates.entry(date).or_default().push(file);
    }
    dates
}

/// Number of files that the rows of these files need.
fn file_count(files: &[DataFile]) -> usize {
    let bytes: u64 = files.iter().map(|file| file.meta.size).sum();
    usize::try_from(bytes.div_ceil(FILE_BYTES))
        .unwrap_or(1)
        .max(1)
}

fn failed(name: &str) -> impl Fn(DataFusionError) -> JobsError {
    let relation = name.to_owned();
    move |source| JobsError::Execution {
        relation: relation.clone(),
        source,
    }
}

/// An id for something that happens now.
fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// When something happened; nothing is computed from it but how long files are kept.
fn now() -> DateTime<Utc> {
    Utc::now()
}
