//! A read-only session for analysts: all functions, and with a project its tables.
//!
//! Schema `latest` (the default) holds the newest published run, schema `history` every date, both
//! at the versions that the ledger names, so that tables always fit together. Inputs are in
//! `source`, staging and intermediate relations in `job`.

mod jobs;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result as QueryResult};
use datafusion::logical_expr::{LogicalPlanBuilder, TableType, col, lit};
use datafusion::prelude::SessionContext;
use loyalake_lake::delta::{DeltaVersion, PARTITION};
use loyalake_lake::{Location, Storage};

use crate::config::Config;
use crate::context::{self, CATALOG};
use crate::earlier::date_literal;
use crate::ledger::Ledger;
use crate::project::Project;
use crate::session::{JOB_SCHEMA, scan};
use crate::{JobsError, Result};
use jobs::define_jobs;

/// Schema of the newest published run.
const LATEST: &str = "latest";

/// Schema of all dates.
const HISTORY: &str = "history";

/// A session, and what its user should know.
pub struct Analyst {
    /// Where queries run.
    pub context: SessionContext,
    /// What could not be opened, in words.
    pub notes: Vec<String>,
    /// The date of schema `latest`.
    pub as_of_date: Option<NaiveDate>,
}

/// A session without a project: functions, and files by their quoted paths.
///
/// # Errors
/// A session that can't be made.
pub fn without_project() -> Result<Analyst> {
    let config = Config::parse(Path::new("lake.toml"), "lake.output = \"lake\"")?;
    let context = context::context(&config, JOB_SCHEMA)?.enable_url_table();
    Ok(Analyst {
        context,
        notes: Vec::new(),
        as_of_date: None,
    })
}

/// A session over the tables of a project. `today` is the date for relations in `job` before
/// anything is published.
///
/// # Errors
/// A lake that can't be read.
pub async fn with_project(project: &Project, today: NaiveDate) -> Result<Analyst> {
    let context = context::context(&project.config, LATEST)?;
    let storage = Storage::try_new(&project.config.storage)?;
    let runtime = context.runtime_env();
    let output = storage.locate(
        &project.config.lake.output,
        project.config.folder(),
        &runtime,
    )?;
    let mut notes = Vec::new();
    let runs = Ledger::read(project, &output).await?;
    if runs.is_none() {
        notes.push("nothing is published yet; `loyalake run` does that".to_owned());
    }
    let newest = runs.as_ref().and_then(Ledger::newest);
    let as_of_date = newest.map(|run| run.as_of_date);
    let latest = newest.map(|run| run.versions.clone()).unwrap_or_default();
    let history = runs.as_ref().map(Ledger::versions).unwrap_or_default();
    let names: Vec<String> = project
        .marts()
        .iter()
        .map(|file| file.name.clone())
        .collect();
    let ledger = project
        .ledger()
        .map(|file| file.name.clone())
        .unwrap_or_default();
    for (schema, versions, date) in [(LATEST, latest, as_of_date), (HISTORY, history, None)] {
        let (names, ledger, output) = (names.clone(), ledger.clone(), output.clone());
        let tables = PublishedSchema {
            output,
            names,
            ledger,
            versions,
            date,
        };
        if let Some(catalog) = context.catalog(CATALOG) {
            catalog
                .register_schema(schema, Arc::new(tables))
                .map_err(|source| JobsError::Execution {
                    relation: schema.to_owned(),
                    source,
                })?;
        }
    }
    let date = as_of_date.unwrap_or(today);
    let context = context.enable_url_table();
    if let Err(error) = define_jobs(project, &context, runs.as_ref(), date).await {
        notes.push(format!("schemas source and job are empty: {error}"));
    }
    Ok(Analyst {
        context,
        notes,
        as_of_date,
    })
}

/// Published tables at the versions of one run, opened when they are asked for.
#[derive(Debug)]
struct PublishedSchema {
    output: Location,
    names: Vec<String>,
    ledger: String,
    versions: BTreeMap<String, u64>,
    /// The only date to show; none: all.
    date: Option<NaiveDate>,
}

impl PublishedSchema {
    async fn open(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let version = self.versions.get(name).copied();
        if version.is_none() && name != self.ledger {
            return Ok(None);
        }
        let found = DeltaVersion::open(&self.output.child(name), version).await?;
        let Some(found) = found else { return Ok(None) };
        let table: Arc<dyn TableProvider> = Arc::new(found.table()?);
        let Some(date) = self.date else {
            return Ok(Some(table));
        };
        let failed = |source| JobsError::Execution {
            relation: name.to_owned(),
            source,
        };
        let plan = scan(name, table)
            .and_then(|plan| {
                LogicalPlanBuilder::from(plan)
                    .filter(col(PARTITION).eq(lit(date_literal(date))))?
                    .build()
            })
            .map_err(failed)?;
        Ok(Some(Arc::new(ViewTable::new(plan, None))))
    }
}

#[async_trait]
impl SchemaProvider for PublishedSchema {
    fn table_names(&self) -> Vec<String> {
        let exists = |name: &&String| self.versions.contains_key(*name) || **name == self.ledger;
        self.names.iter().filter(exists).cloned().collect()
    }

    async fn table(&self, name: &str) -> QueryResult<Option<Arc<dyn TableProvider>>> {
        self.open(name)
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))
    }

    async fn table_type(&self, name: &str) -> QueryResult<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|known| known == name)
    }
}
