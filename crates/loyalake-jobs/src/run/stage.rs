//! Computing relations: as views, into scratch files, or into the files of a table.

use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Column;
use datafusion::dataframe::DataFrame;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_plan::ExecutionPlan;
use futures::TryStreamExt;
use loyalake_lake::source::Format;
use loyalake_lake::staging::{self, Staged, Written};
use loyalake_lake::{LakeError, LocalEngine, Location};

use super::taken::Taken;
use super::{Event, Run};
use crate::project::SOURCE_SCHEMA;
use crate::report::{Mode, Relation};
use crate::session::{JOB_SCHEMA, Session, scan};
use crate::sql_file::{Kind, SqlFile};
use crate::{JobsError, Result};

/// Rows of a batch where memory is short.
const FRUGAL_BATCH_ROWS: usize = 1024;

/// The column that says which run a row is from.
const RUN_ID: &str = "run_id";

impl Run<'_> {
    /// How a relation is computed: once into files if it is scanned more than once.
    pub(super) fn mode(&self, file: &SqlFile) -> Mode {
        let readers = self.session.project.graph.readers(&file.name);
        let readers = readers.filter(|reader| self.is_needed(reader));
        let scans: usize = readers.map(|reader| reader.scans(&file.name)).sum();
        match file.kind {
            Kind::Mart => Mode::Table,
            _ if self.kept_rows(&file.name).is_some() => Mode::Reused,
            _ if self.keeps(&file.name) => Mode::Kept,
            _ if scans > 1 => Mode::Scratch,
            _ => Mode::View,
        }
    }

    /// Computes a relation and gives it its name.
    pub(super) async fn stage(&mut self, file: &SqlFile) -> Result<()> {
        let mode = self.mode(file);
        if let Some(staged) = self.kept_rows(&file.name) {
            self.note(&file.name, mode, Some(&staged), 0.0, Taken::default());
            return self.define_staged(file, staged);
        }
        if let Mode::View = mode {
            let plan = self.session.plan(file).await?;
            self.session.define_view(&file.name, plan)?;
            self.note(&file.name, mode, None, 0.0, Taken::default());
            return Ok(());
        }
        let staged = Box::pin(self.write(file, mode)).await?;
        self.define_staged(file, staged)
    }

    /// Gives a relation's name to its rows.
    fn define_staged(&mut self, file: &SqlFile, staged: Staged) -> Result<()> {
        let table = Arc::new(staged.table()?);
        self.session.define(JOB_SCHEMA, &file.name, table)?;
        self.staged.insert(file.name.clone(), staged);
        Ok(())
    }

    async fn write(&mut self, file: &SqlFile, mode: Mode) -> Result<Staged> {
        let (name, started) = (&file.name, Instant::now());
        self.position += 1;
        let total = self.total();
        self.observer.event(Event::Started {
            name,
            position: self.position,
            total,
        });
        let (staged, taken) = match self.write_files(name).await? {
            Some(written) => written,
            None => match self.write_with(self.session.state(), file, mode).await {
                Err(error) if error.is_out_of_memory() => self.write_in_steps(file, mode).await?,
                done => done?,
            },
        };
        let seconds = started.elapsed().as_secs_f64();
        self.observer.event(Event::Finished {
            name,
            rows: staged.rows(),
            seconds,
        });
        self.note(name, mode, Some(&staged), seconds, taken);
        Ok(staged)
    }

    /// Computes a relation again that ran out of memory: first the views that it reads, one by one.
    /// None of their sorts and joins needs memory at the same time as those of another one.
    async fn write_in_steps(&mut self, file: &SqlFile, mode: Mode) -> Result<(Staged, Taken)> {
        staging::remove(&self.folder_of(file, mode)).await?;
        self.report.warnings.push(format!(
            "{}: out of memory, so computed again in steps that sort; raise engine.memory_limit to \
             spare that",
            file.name
        ));
        let graph = &self.session.project.graph;
        let staged = self.staged.keys().cloned().collect();
        let read = graph.upstream_until(&file.name, &staged);
        let views = graph.files().iter().filter(|file| {
            let is_relation = matches!(file.kind, Kind::Staging | Kind::Intermediate);
            is_relation && read.contains(&file.name) && !staged.contains(&file.name)
        });
        for view in views {
            let (started, scratch) = (Instant::now(), Mode::Scratch);
            let state = self.session.frugal_state();
            let (rows, taken) = self.write_with(state, view, scratch).await?;
            let seconds = started.elapsed().as_secs_f64();
            self.report
                .relations
                .retain(|relation| relation.name != view.name);
            self.note(&view.name, scratch, Some(&rows), seconds, taken);
            self.define_staged(view, rows)?;
        }
        let state = self.session.frugal_state();
        self.write_with(state, file, mode).await
    }

    /// Where the rows of a relation go.
    fn folder_of(&self, file: &SqlFile, mode: Mode) -> Location {
        match mode {
            Mode::Table if self.tables.contains(&file.name) => self.folder(&file.name),
            Mode::Kept => self.kept_folder(&file.name),
            // a table that is read by a selected one, and not published itself, is scratch, too
            _ => self.scratch.child(&file.name),
        }
    }

    async fn write_with(
        &self,
        state: SessionState,
        file: &SqlFile,
        mode: Mode,
    ) -> Result<(Staged, Taken)> {
        let mut plan = self.session.plan(file).await?;
        if self.tables.contains(&file.name) {
            plan = with_run_id(plan, &self.report.run_id, &file.name)?;
        }
        let folder = self.folder_of(file, mode);
        let (written, taken) = self.write_plan(&file.name, state, plan, &folder).await?;
        Ok((written.staged(folder), taken))
    }

    /// Writes what a plan gives, for a relation.
    pub(super) async fn write_plan(
        &self,
        name: &str,
        state: SessionState,
        plan: LogicalPlan,
        folder: &Location,
    ) -> Result<(Written, Taken)> {
        let failed = |source| JobsError::Execution {
            relation: name.to_owned(),
            source,
        };
        let physical = self.session.physical(state, plan).await;
        let (plan, context) = physical.map_err(failed)?;
        let engine = self.session.project.engine.as_ref();
        let observer = Arc::clone(&self.observer);
        let on_rows = move |rows| observer.event(Event::Rows(rows));
        let written = staging::write(engine, Arc::clone(&plan), context, folder, on_rows)
            .await
            .map_err(|error| match error {
                LakeError::Query(source) => failed(source),
                other => other.into(),
            })?;
        Ok((written, Taken::by(&plan)))
    }

    /// Number of relations that are written in this run.
    fn total(&self) -> usize {
        let files = self.session.project.graph.files().iter();
        files
            .filter(|file| self.is_needed(file) && file.kind <= Kind::Mart)
            .filter(|file| !matches!(self.mode(file), Mode::View | Mode::Reused))
            .count()
    }

    fn note(
        &mut self,
        name: &str,
        mode: Mode,
        staged: Option<&Staged>,
        seconds: f64,
        taken: Taken,
    ) {
        let (read, spill) = self.account(taken);
        self.report.relations.push(Relation {
            name: name.to_owned(),
            mode,
            rows: staged.map(Staged::rows),
            bytes: staged.map(Staged::bytes),
            seconds,
            reuse: self.reuse_of(name),
            read,
            spill,
        });
    }

    /// Text formats are slow to read: they are turned into Parquet once, before anybody reads them.
    pub(super) async fn read_text_once(&mut self) -> Result<()> {
        for (name, config) in &self.session.project.config.sources {
            if !matches!(Format::from(config.format), Format::Csv | Format::Json) {
                continue;
            }
            let Some(source) = self.session.sources.get_mut(name) else {
                continue;
            };
            let failed = |error| JobsError::Execution {
                relation: format!("source.{name}"),
                source: error,
            };
            let plan = scan(name, Arc::clone(&source.table)).map_err(failed)?;
            let frame = DataFrame::new(self.session.context.state(), plan);
            let context = Arc::new(frame.task_ctx());
            let plan = frame.create_physical_plan().await.map_err(failed)?;
            let folder = self.scratch.child(&format!("{SOURCE_SCHEMA}.{name}"));
            let written = staging::write(&LocalEngine, plan, context, &folder, |_| {}).await?;
            let staged = written.staged(folder);
            source.table = Arc::new(staged.table()?);
            let table = Arc::clone(&source.table);
            self.session.define(SOURCE_SCHEMA, name, table)?;
        }
        Ok(())
    }
}

impl Session<'_> {
    /// State for planning again what ran out of memory: joins sort both sides, on disk if need be,
    /// instead of holding one, groups of large states sort too, and batches are small.
    pub(super) fn frugal_state(&self) -> SessionState {
        let mut state = self.state();
        let config = state.config_mut();
        *config = config.clone().with_batch_size(FRUGAL_BATCH_ROWS);
        config.options_mut().optimizer.prefer_hash_join = false;
        state
    }

    /// All rows of a small result.
    pub(crate) async fn collect(&self, file: &SqlFile) -> Result<Vec<RecordBatch>> {
        let plan = self.plan(file).await?;
        let rows = async { self.stream(plan).await?.try_collect().await };
        rows.await.map_err(|source| JobsError::Execution {
            relation: file.path.clone(),
            source,
        })
    }

    /// A query as the project's engine can run it.
    pub(super) async fn physical(
        &self,
        state: SessionState,
        plan: LogicalPlan,
    ) -> datafusion::error::Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>)> {
        let engine = &self.project.engine;
        let frame = DataFrame::new(state, engine.rewrite(plan)?);
        let context = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await?;
        let plan = engine.arrange(plan, context.session_config().options())?;
        Ok((plan, context))
    }

    /// The rows of a plan, from the project's engine.
    pub(crate) async fn stream(
        &self,
        plan: LogicalPlan,
    ) -> datafusion::error::Result<SendableRecordBatchStream> {
        let (plan, context) = self.physical(self.state(), plan).await?;
        self.project.engine.execute(plan, context).await
    }
}

/// The plan with the run's id as its last column.
fn with_run_id(plan: LogicalPlan, run_id: &str, name: &str) -> Result<LogicalPlan> {
    let columns = plan.schema().columns().into_iter().map(Expr::Column);
    let is_run_id =
        |column: &Expr| matches!(column, Expr::Column(Column { name, .. }) if name == RUN_ID);
    let mut columns: Vec<Expr> = columns.filter(|column| !is_run_id(column)).collect();
    columns.push(lit(run_id).alias(RUN_ID));
    LogicalPlanBuilder::from(plan)
        .project(columns)
        .and_then(LogicalPlanBuilder::build)
        .map_err(|source| JobsError::Execution {
            relation: name.to_owned(),
            source,
        })
}
