//! A `DataFusion` session in which the relations of a project have their names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use loyalake_lake::source::{Format, Source, Wanted, open};
use loyalake_lake::{BadFile, LakeError, Location, Storage};

use crate::bind::bind;
use crate::conform::Reading;
use crate::contract::Contract;
use crate::parameters::Parameters;
use crate::project::{Project, SOURCE_SCHEMA};
use crate::sql_file::{Kind, SqlFile};
use crate::{JobsError, Result};

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
