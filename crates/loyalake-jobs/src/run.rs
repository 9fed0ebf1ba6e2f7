//! One run: stage everything, audit everything, then commit, the ledger last.
//!
//! Until the first commit no reader sees anything of the run; after it, a failure takes the
//! commits back. Readers of schema `latest` see a run only when its ledger row is there, which is
//! the last commit.

mod audit;
mod by_file;
mod footprint;
mod inputs;
mod observer;
mod opened;
mod publish;
mod reuse;
mod select;
mod stage;
mod taken;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::DataFusionError;
use loyalake_lake::staging::Staged;
use loyalake_lake::{LakeError, Location, require_conditional_put};

use crate::context;
use crate::graph::RUN_SCHEMA;
use crate::housekeeping::erase::CUSTOMER;
use crate::project::Project;
use crate::report::{Input, RunReport};
use crate::session::{JOB_SCHEMA, Session};
use crate::sql_file::{Kind, SqlFile};
use crate::{JobsError, Result};
use by_file::{ByFile, by_file};
use inputs::{caught, leaving_out_bad_files};
pub use observer::{Event, Observer, Step};
use opened::Opened;
pub use opened::run_unless_published;
use reuse::{Reusable, reusable};
use select::needed_files;

/// What to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The date that the run describes, inclusive.
    pub as_of_date: NaiveDate,
    /// Names of tables, with `+` for what they read or are read by; none: all.
    pub select: Vec<String>,
    /// Whether everything is computed, also what an earlier run has kept.
    pub full_refresh: bool,
}

/// What a run works with.
struct Run<'a> {
    session: Session<'a>,
    observer: Arc<dyn Observer>,
    output: Location,
    /// The folder of the scratch files of all runs.
    scratch_root: Location,
    scratch: Location,
    /// Tables to publish.
    tables: BTreeSet<String>,
    /// Everything that has to be computed.
    needed: BTreeSet<String>,
    /// The relations among them that outlive the run, by name.
    reusable: BTreeMap<String, Reusable>,
    /// Those that are kept by file, or why they can't be.
    by_file: BTreeMap<String, std::result::Result<ByFile, String>>,
    full_refresh: bool,
    /// The run that had published the date when this one began.
    predecessor: Option<String>,
    /// The customers that were erased when it began.
    erased: BTreeSet<String>,
    staged: BTreeMap<String, Staged>,
    report: RunReport,
    position: usize,
}

/// Runs a project for one date.
///
/// # Errors
/// Whatever stops the run; the lake is then as it was.
pub async fn run(
    project: &Project,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<RunReport> {
    leaving_out_bad_files(project, async |left_out| {
        let opened = Opened::open(project, options, left_out).await?;
        let run = Run::prepare(opened, options, Arc::clone(&observer)).await?;
        run.execute().await
    })
    .await
}

/// Checks everything that can be known without running: sources, SQL, the graph.
///
/// # Errors
/// The first thing that is wrong.
pub async fn check(project: &Project, as_of_date: NaiveDate) -> Result<Vec<Input>> {
    leaving_out_bad_files(project, async |left_out| {
        let context = context::context(&project.config, JOB_SCHEMA)?;
        let session = Session::open_without(project, context, as_of_date, left_out).await?;
        session.locate(&project.config.lake.output)?;
        define_nothing(&session, as_of_date)?;
        session.plan_all().await?;
        match inputs::inputs(&session).await {
            Err(error) => Err(session.blame_files(error).await),
            inputs => inputs,
        }
    })
    .await
}

/// What a run would do: each relation with how it would be computed.
///
/// # Errors
/// As for [`check`].
pub async fn dry_run(
    project: &Project,
    options: &RunOptions,
) -> Result<Vec<(String, crate::report::Mode)>> {
    struct Silent;
    impl Observer for Silent {
        fn event(&self, _: Event<'_>) {}
    }
    let opened = Opened::open(project, options, &[]).await?;
    let mut run = Run::prepare(opened, options, Arc::new(Silent)).await?;
    run.look_for_kept().await?;
    let files = project.graph.files().iter();
    let relations = files.filter(|file| run.is_needed(file) && file.kind <= Kind::Mart);
    Ok(relations
        .map(|file| (file.name.clone(), run.mode(file)))
        .collect())
}

impl<'a> Run<'a> {
    /// Plans every file, so that what can fail early does.
    async fn prepare(
        opened: Opened<'a>,
        options: &RunOptions,
        observer: Arc<dyn Observer>,
    ) -> Result<Self> {
        let Opened {
            session,
            tables,
            output,
            erased,
            leaves,
            fingerprint,
        } = opened;
        let project = session.project;
        let mut report = RunReport::begin(options.as_of_date, session.parameters.to_json());
        report.fingerprint = fingerprint;
        define_facts(&session, &report)?;
        define_erased(&session, &erased)?;
        session.plan_all().await?;
        let scratch = session.locate(&project.config.lake.scratch_folder())?;
        let (scratch_root, scratch) = (scratch.clone(), scratch.child(&report.run_id));
        let needed = needed_files(project, &tables, &BTreeSet::new());
        let reusable = reusable(&session, &needed, &leaves);
        let by_file = by_file(&session, &needed, &leaves).await?;
        let (staged, position) = (BTreeMap::new(), 0);
        Ok(Self {
            session,
            observer,
            output,
            scratch_root,
            scratch,
            tables,
            needed,
            reusable,
            by_file,
            full_refresh: options.full_refresh,
            predecessor: None,
            erased,
            staged,
            report,
            position,
        })
    }

    fn reached(&self, step: Step<'_>) {
        self.observer.event(Event::Reached(step));
    }

    /// Stages, audits and publishes.
    async fn execute(mut self) -> Result<RunReport> {
        require_conditional_put(&self.output, &self.report.run_id).await?;
        let lease = Arc::new(self.begin().await?);
        if let Err(error) = self.look_for_kept().await {
            let _ = self.clean(&lease, true).await;
            return Err(error);
        }
        // once commits begin they are finished or taken back, whatever the keyboard says
        let staged = tokio::select! {
            staged = caught(self.stage_and_audit()) => staged,
            _ = tokio::signal::ctrl_c() => Err(JobsError::Interrupted),
        };
        let staged = match staged {
            // its files were removed: no wonder that they can't be read
            Err(_) if !lease.is_held().await.unwrap_or(true) => {
                let run_id = self.report.run_id.clone();
                Err(LakeError::TakenForDead { run_id }.into())
            }
            Err(error) => Err(self.session.blame_files(error).await),
            Ok(()) => Ok(()),
        };
        let done = match staged {
            Ok(()) => {
                self.reached(Step::Audited);
                self.publish(&lease).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            // what could not be taken back needs its lease and its files: the next run settles it
            if !error.left_commits() {
                let _ = self.clean(&lease, true).await;
            }
            return Err(error);
        }
        let summarized = self.summarize().await;
        self.warn_if_failed(summarized);
        let cleaned = self.clean(&lease, false).await;
        self.warn_if_failed(cleaned);
        self.sum_up();
        self.reached(Step::Cleaned);
        Ok(self.report)
    }

    /// All steps before [`Run::publish`]: nothing is visible yet.
    async fn stage_and_audit(&mut self) -> Result<()> {
        self.read_text_once().await?;
        self.report.inputs = inputs::inputs(&self.session).await?;
        self.warn_of_inputs();
        let graph = &self.session.project.graph;
        let (late, early): (Vec<&SqlFile>, Vec<&SqlFile>) = self
            .before_commits()
            .partition(|file| graph.reads_run(file, "audits"));
        for file in early {
            self.compute(file).await?;
        }
        self.refuse_failed_audits()?;
        define_facts(&self.session, &self.report)?;
        for file in late {
            self.compute(file).await?;
        }
        self.refuse_failed_audits()?;
        self.session.refuse_changed_sources().await
    }

    /// The files that can be computed before the tables have versions.
    fn before_commits(&self) -> impl Iterator<Item = &'a SqlFile> + use<'a, '_> {
        let files = self.session.project.graph.files().iter();
        files.filter(|file| self.is_needed(file) && !self.reads_versions(file))
    }

    /// The ledger, and audits of it: what is computed from the versions of the other tables.
    fn after_commits(&self) -> Vec<&'a SqlFile> {
        let files = self.session.project.graph.files().iter();
        files
            .filter(|file| self.is_needed(file) && self.reads_versions(file))
            .collect()
    }

    /// A relation is computed, an audit is asked; reports wait for the end.
    async fn compute(&mut self, file: &SqlFile) -> Result<()> {
        match file.kind {
            Kind::Audit => self.audit(file).await,
            Kind::Report | Kind::Source | Kind::Published => Ok(()),
            _ => {
                self.stage(file).await?;
                if file.kind == Kind::Mart {
                    self.audit_grain(file).await
                } else {
                    Ok(())
                }
            }
        }
    }

    /// Whether a file needs what is only known when the tables are committed.
    fn reads_versions(&self, file: &SqlFile) -> bool {
        let graph = &self.session.project.graph;
        ["tables", "current", "inputs", "warnings"]
            .iter()
            .any(|name| graph.reads_run(file, name))
    }

    fn is_needed(&self, file: &SqlFile) -> bool {
        self.needed.contains(&file.name)
    }

    fn refuse_failed_audits(&self) -> Result<()> {
        let failures = |severity: &str| -> Vec<String> {
            let failed = self.report.audits.iter();
            let failed =
                failed.filter(|audit| audit.offending_rows > 0 && audit.severity == severity);
            failed.map(audit::describe).collect()
        };
        let (errors, quarantine) = (failures("error"), failures("quarantine"));
        if !errors.is_empty() {
            return Err(JobsError::AuditsFailed { failures: errors });
        }
        if !quarantine.is_empty() {
            return Err(JobsError::TooManyQuarantined {
                failures: quarantine,
            });
        }
        Ok(())
    }

    /// What goes wrong after the last commit does not undo the run.
    fn warn_if_failed(&mut self, done: Result<()>) {
        let warning = done.err().map(|error| error.to_string());
        self.report.warnings.extend(warning);
    }

    /// The result of each report file.
    async fn summarize(&mut self) -> Result<()> {
        let reports = self.session.project.graph.files().iter();
        for file in
            reports.filter(|file| file.kind == Kind::Report && self.needed.contains(&file.name))
        {
            let batches = self.session.collect(file).await?;
            let title = file.description().to_owned();
            self.report
                .summaries
                .push(crate::report::Summary { title, batches });
        }
        Ok(())
    }
}

/// Gives schema `run` what is known so far.
fn define_facts(session: &Session<'_>, report: &RunReport) -> Result<()> {
    let failed = |source| JobsError::Execution {
        relation: RUN_SCHEMA.to_owned(),
        source,
    };
    for (name, batch) in report
        .facts()
        .map_err(DataFusionError::from)
        .map_err(failed)?
    {
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).map_err(failed)?;
        session.define(RUN_SCHEMA, name, Arc::new(table))?;
    }
    Ok(())
}

/// Gives schema `run` the customers that are erased, as keys of the type that the sources have.
pub(crate) fn define_erased(session: &Session<'_>, erased: &BTreeSet<String>) -> Result<()> {
    let failed = |source| JobsError::Execution {
        relation: RUN_SCHEMA.to_owned(),
        source,
    };
    let key = session.keys.get(CUSTOMER).unwrap_or(&DataType::Utf8View);
    let ids = StringArray::from_iter_values(erased);
    // NULL, which equals no key: an id that no key of this type has
    let ids = cast(&ids, key)
        .map_err(DataFusionError::from)
        .map_err(failed)?;
    let batch = RecordBatch::try_from_iter_with_nullable([(CUSTOMER, ids, true)]);
    let batch = batch.map_err(DataFusionError::from).map_err(failed)?;
    let table: Arc<dyn TableProvider> = if erased.is_empty() {
        Arc::new(EmptyTable::new(batch.schema()))
    } else {
        Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]]).map_err(failed)?)
    };
    session.define(RUN_SCHEMA, "erased", table)
}

/// Gives schema `run` empty relations, for sessions that do not run.
pub(crate) fn define_nothing(session: &Session<'_>, as_of_date: NaiveDate) -> Result<()> {
    let report = RunReport::begin(as_of_date, session.parameters.to_json());
    define_facts(session, &report)?;
    define_erased(session, &BTreeSet::new())
}
