//! A `DataFusion` session in which the relations of a project have their names.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::{MemorySchemaProvider, TableProvider};
use datafusion::common::TableReference;
use datafusion::common::config::ConfigNonZeroUsize;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use loyalake_lake::source::{Format, Source, Wanted, open};
use loyalake_lake::spill::SpillFolder;
use loyalake_lake::{BadFile, Engine, LakeError, LocalEngine, Location, Storage};

use crate::bind::bind;
use crate::conform::Reading;
use crate::contract::Contract;
use crate::earlier::PUBLISHED_SCHEMA;
use crate::empty::SkipEmpty;
use crate::graph::RUN_SCHEMA;
use crate::grouping::GroupInOneStep;
use crate::memory::MemoryShares;
use crate::parameters::Parameters;
use crate::project::{Project, SOURCE_SCHEMA};
use crate::sql_file::{Kind, SqlFile};
use crate::{Config, JobsError, Result};

/// The catalog of everything that has a name.
pub(crate) const CATALOG: &str = "loyalake";

/// Schema of staging and intermediate relations, and of the tables of a run while it works.
pub(crate) const JOB_SCHEMA: &str = "job";

/// Relations of a project under their names, for one date.
#[derive(Clone)]
pub(crate) struct Session<'a> {
    pub(crate) context: SessionContext,
    pub(crate) project: &'a Project,
    pub(crate) parameters: Parameters,
    pub(crate) storage: Storage,
    /// The configured inputs, by name.
    pub(crate) sources: BTreeMap<String, Source>,
    pub(crate) keys: BTreeMap<String, DataType>,
}

/// A session with our functions, the memory limit, and the schemas that SQL files name.
pub(crate) fn context(config: &Config, default_schema: &str) -> Result<SessionContext> {
    context_on(&LocalEngine, config, default_schema)
}

/// The same for plans that `engine` runs.
pub(crate) fn context_on(
    engine: &dyn Engine,
    config: &Config,
    default_schema: &str,
) -> Result<SessionContext> {
    let spill = Arc::new(spill_folder(config)?);
    let runtime = runtime(config, &spill)?;
    let session = engine.configure(SessionConfig::new()).with_extension(spill);
    context_with(session, runtime, config, default_schema)
}

/// A session that plans what `other` runs, with its memory, spill folder and object stores.
pub(crate) fn context_beside(
    other: &SessionContext,
    config: &Config,
    schema: &str,
) -> Result<SessionContext> {
    context_with(SessionConfig::new(), other.runtime_env(), config, schema)
}

fn context_with(
    session: SessionConfig,
    runtime: Arc<RuntimeEnv>,
    config: &Config,
    default_schema: &str,
) -> Result<SessionContext> {
    let failed = |source| JobsError::Execution {
        relation: "session".to_owned(),
        source,
    };
    let mut session = session
        .with_default_catalog_and_schema(CATALOG, default_schema)
        .with_information_schema(true);
    if let Some(partitions) = config.engine.partitions {
        session = session.with_target_partitions(partitions);
    }
    let options = session.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.sql_parser.collect_spans = true;
    // what each sort holds for its end: several of them share the memory
    let reserved = &mut options.execution.sort_spill_reservation_bytes;
    *reserved = (*reserved).min(config.memory_limit()? / 64);
    // a file for each batch that repartitioning spills: with two files that grow, their reader and
    // their writers may wait for each other for ever (DataFusion's issue 24883)
    options.execution.max_spill_file_size_bytes = ConfigNonZeroUsize::try_new(1).map_err(failed)?;
    // a folder means all that is below it, and a pattern may name folders
    options.execution.listing_table_ignore_subdirectory = false;
    // the SQL puts the small side of a join on the left, where it is held in memory
    options.optimizer.join_reordering = false;
    let mut state = SessionStateBuilder::new()
        .with_config(session)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_analyzer_rule(Arc::new(SkipEmpty))
        .with_physical_optimizer_rule(Arc::new(GroupInOneStep))
        .build();
    loyalake_functions::register_all(&mut state).map_err(failed)?;
    let context = SessionContext::new_with_state(state);
    for function in loyalake_functions::table_functions() {
        context.register_udtf(function.name(), Arc::clone(function.function()));
    }
    if let Some(catalog) = context.catalog(CATALOG) {
        for schema in [JOB_SCHEMA, SOURCE_SCHEMA, RUN_SCHEMA, PUBLISHED_SCHEMA] {
            let provider = Arc::new(MemorySchemaProvider::new());
            catalog.register_schema(schema, provider).map_err(failed)?;
        }
    }
    Ok(context)
}

/// A folder for this session alone.
fn spill_folder(config: &Config) -> Result<SpillFolder> {
    let root = match &config.engine.spill_directory {
        Some(folder) => config.folder().join(folder),
        None => std::env::temp_dir(),
    };
    SpillFolder::below(&root).map_err(|source| JobsError::Spill { path: root, source })
}

fn runtime(config: &Config, spill: &SpillFolder) -> Result<Arc<RuntimeEnv>> {
    let top_consumers = NonZeroUsize::new(3).unwrap_or(NonZeroUsize::MIN);
    // the rest is for what nobody accounts for: readers' batches, writers' row groups
    let pool = MemoryShares::new(config.memory_limit()? / 4 * 3);
    let builder = RuntimeEnvBuilder::new()
        // footers are remembered by path alone, and two stores may hold files of one path
        .with_metadata_cache_limit(0)
        .with_memory_pool(Arc::new(TrackConsumersPool::new(pool, top_consumers)))
        .with_temp_file_path(spill.path());
    builder.build_arc().map_err(|source| JobsError::Execution {
        relation: "session".to_owned(),
        source,
    })
}

impl<'a> Session<'a> {
    /// Opens the sources of a project; `context` holds the names.
    pub(crate) async fn open(
        project: &'a Project,
        context: SessionContext,
        as_of_date: NaiveDate,
    ) -> Result<Self> {
        Self::open_without(project, context, as_of_date, &[]).await
    }

    /// The same without files that turned out to be bad.
    pub(crate) async fn open_without(
        project: &'a Project,
        context: SessionContext,
        as_of_date: NaiveDate,
        left_out: &[(String, BadFile)],
    ) -> Result<Self> {
        let storage = Storage::try_new(&project.config.storage)?;
        let parameters = project.parameters.for_date(as_of_date);
        let (sources, keys) = (BTreeMap::new(), BTreeMap::new());
        let mut session = Self {
            context,
            project,
            parameters,
            storage,
            sources,
            keys,
        };
        session.open_sources(left_out).await?;
        Ok(session)
    }

    async fn open_sources(&mut self, left_out: &[(String, BadFile)]) -> Result<()> {
        let project = self.project;
        let (state, folder) = (self.context.state(), project.config.folder());
        for (name, config) in &project.config.sources {
            let left_out: Vec<BadFile> = left_out
                .iter()
                .filter(|(source, _)| source == name)
                .map(|(_, file)| file.clone())
                .collect();
            let wanted = Wanted {
                location: &config.location,
                base: folder,
                format: config.format.into(),
                on_bad_file: config.on_bad_file.into(),
                allow_outside: config.allow_outside,
                left_out: &left_out,
            };
            let source = match open(&state, &self.storage, &wanted).await {
                Err(LakeError::BadFile(file)) => {
                    let (source_name, files) = (name.clone(), vec![file]);
                    return Err(JobsError::BadFiles { source_name, files });
                }
                opened => opened?,
            };
            self.define(SOURCE_SCHEMA, name, Arc::clone(&source.table))?;
            self.sources.insert(name.clone(), source);
        }
        self.define_absent()?;
        self.define_supplied()?;
        self.define_none_published()?;
        self.keys = self.key_types().await?;
        self.define_absent()?;
        self.define_none_published()
    }

    /// Absent inputs are empty tables.
    fn define_absent(&self) -> Result<()> {
        for contract in &self.project.contracts {
            if !self.sources.contains_key(&contract.name) {
                self.define_empty(SOURCE_SCHEMA, contract)?;
            }
        }
        Ok(())
    }

    /// Gives a contract's name to a table without rows.
    pub(crate) fn define_empty(&self, schema: &str, contract: &Contract) -> Result<()> {
        let table = EmptyTable::new(contract.empty_schema(&self.keys));
        self.define(schema, &contract.name, Arc::new(table))
    }

    /// Keys take their type from what is there, so that absent inputs join with present ones.
    async fn key_types(&self) -> Result<BTreeMap<String, DataType>> {
        let graph = &self.project.graph;
        let staged = graph
            .files()
            .iter()
            .filter(|file| self.project.contract_of(file).is_some());
        let upstream: BTreeSet<String> =
            staged.flat_map(|file| graph.upstream(&file.name)).collect();
        let mut keys = BTreeMap::new();
        for file in graph.files() {
            let contract = self.project.contract_of(file);
            if contract.is_none() && !upstream.contains(&file.name) {
                continue;
            }
            let plan = self.raw_plan(file).await?;
            let mut inputs = file
                .inputs
                .iter()
                .filter_map(|input| input.strip_prefix("source."));
            if let Some(contract) = contract
                && inputs.all(|name| self.sources.contains_key(name))
            {
                contract.collect_keys(plan.schema().as_arrow(), &mut keys);
            }
            self.define_columns(file, &plan)?;
        }
        Ok(keys)
    }

    /// Gives a relation's name to its columns alone.
    fn define_columns(&self, file: &SqlFile, plan: &LogicalPlan) -> Result<()> {
        let columns = Arc::clone(plan.schema().inner());
        self.define(JOB_SCHEMA, &file.name, Arc::new(EmptyTable::new(columns)))
    }

    /// Gives a table its name.
    pub(crate) fn define(
        &self,
        schema: &str,
        name: &str,
        table: Arc<dyn TableProvider>,
    ) -> Result<()> {
        let reference = TableReference::partial(schema, name);
        let failed = |source| JobsError::Execution {
            relation: format!("{schema}.{name}"),
            source,
        };
        self.context
            .deregister_table(reference.clone())
            .map_err(failed)?;
        self.context
            .register_table(reference, table)
            .map_err(failed)?;
        Ok(())
    }

    /// Gives a plan its name.
    pub(crate) fn define_view(&self, name: &str, plan: LogicalPlan) -> Result<()> {
        self.define(JOB_SCHEMA, name, Arc::new(ViewTable::new(plan, None)))
    }

    /// The plan of a file, with its contract if it has one.
    pub(crate) async fn plan(&self, file: &SqlFile) -> Result<LogicalPlan> {
        let plan = self.raw_plan(file).await?;
        let Some(contract) = self.project.contract_of(file) else {
            return Ok(plan);
        };
        let inputs = || {
            file.inputs
                .iter()
                .filter_map(|input| input.strip_prefix("source."))
        };
        let configured = || inputs().filter_map(|name| self.project.config.sources.get(name));
        let from_text = configured()
            .any(|source| matches!(Format::from(source.format), Format::Csv | Format::Json));
        let location = if file.is_override {
            file.path.clone()
        } else {
            configured()
                .map(|source| source.location.clone())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let reading = Reading {
            time_zone: self.parameters.text("time_zone").unwrap_or("UTC"),
            from_text,
            keys: &self.keys,
        };
        contract.conform(plan, &reading, &location, &self.context.state())
    }

    /// The plan of a file's statement, as it stands.
    async fn raw_plan(&self, file: &SqlFile) -> Result<LogicalPlan> {
        let statement = bind(&file.statement, &self.parameters)
            .map_err(|name| file.error(format!("unknown parameter ${name}"), &name))?;
        let planned = self.context.state().statement_to_plan(statement).await;
        planned.map_err(|error| self.plan_error(file, &error))
    }

    fn plan_error(&self, file: &SqlFile, error: &DataFusionError) -> JobsError {
        match JobsError::sql(&file.path, &file.text, None, error) {
            JobsError::Sql { message, .. }
                if let Some(name) = self
                    .parameters
                    .of_missing_column(&file.parameters, &message) =>
            {
                let value = self.parameters.text(name).unwrap_or_default();
                let columns = message
                    .split("Valid fields are ")
                    .nth(1)
                    .unwrap_or(&message);
                let columns = columns.trim_end_matches('.');
                let message = format!(
                    "parameter '{name}' must name a column, but is '{value}'; columns are {columns}"
                );
                self.project.config.error(&message, name)
            }
            JobsError::Sql { message, place } if message.starts_with("No field") => {
                let hint = file.overridden_inputs(&self.project.graph);
                JobsError::Sql {
                    message: message + &hint,
                    place,
                }
            }
            other => other,
        }
    }

    /// Plans every file, without running anything: each relation stands for its columns alone.
    pub(crate) async fn plan_all(&self) -> Result<()> {
        for file in self.project.graph.files() {
            let plan = self.plan(file).await?;
            if file.kind == Kind::Mart {
                file.check_grain(plan.schema().as_arrow())?;
            }
            if !matches!(file.kind, Kind::Audit | Kind::Report) {
                self.define_columns(file, &plan)?;
            }
        }
        Ok(())
    }

    /// The folder that a configuration names.
    pub(crate) fn locate(&self, text: &str) -> Result<Location> {
        let runtime = self.context.runtime_env();
        Ok(self
            .storage
            .locate(text, self.project.config.folder(), &runtime)?)
    }

    /// State for planning and running.
    pub(crate) fn state(&self) -> SessionState {
        self.context.state()
    }
}

/// A plan that reads a whole table.
pub(crate) fn scan(
    name: &str,
    table: Arc<dyn TableProvider>,
) -> datafusion::error::Result<LogicalPlan> {
    LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.build()
}
