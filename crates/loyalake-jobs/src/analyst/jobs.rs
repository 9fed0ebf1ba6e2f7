//! Schemas `source` and `job`: inputs, and relations that are planned when they are read.
//!
//! A view would hold the plans of all that it reads, each as often as it is read: listing the
//! columns of all relations would take minutes.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::{
    CatalogProvider, SchemaProvider, Session as QuerySession, TableProvider,
};
use datafusion::common::TableReference;
use datafusion::error::{DataFusionError, Result as QueryResult};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use loyalake_lake::Storage;
use loyalake_lake::erasure::erased_customers;

use crate::context::{self, CATALOG};
use crate::ledger::Ledger;
use crate::parameters::Parameters;
use crate::project::{Project, SOURCE_SCHEMA};
use crate::session::{JOB_SCHEMA, Session};
use crate::sql_file::Kind;
use crate::{JobsError, Result};

/// Names for inputs and for the relations that are not published.
pub(super) async fn define_jobs(
    project: &Project,
    context: &SessionContext,
    ledger: Option<&Ledger>,
    date: NaiveDate,
) -> Result<()> {
    let names = context::context_beside(context, &project.config, JOB_SCHEMA)?;
    let session = Session::open(project, names.clone(), date).await?;
    session.storage.register(&context.runtime_env());
    crate::run::define_nothing(&session, date)?;
    let output = session.locate(&project.config.lake.output)?;
    crate::run::define_erased(&session, &erased_customers(&output).await?)?;
    session.define_published(ledger, &output, date).await?;
    session.plan_all().await?;
    let failed = |source| JobsError::Execution {
        relation: JOB_SCHEMA.to_owned(),
        source,
    };
    let mut columns = BTreeMap::new();
    let files = project.graph.files().iter();
    for file in files.filter(|file| file.kind <= Kind::Mart) {
        let name = TableReference::partial(JOB_SCHEMA, file.name.as_str());
        let table = names.table_provider(name).await.map_err(failed)?;
        columns.insert(file.name.clone(), table.schema());
    }
    let Some((from, to)) = names.catalog(CATALOG).zip(context.catalog(CATALOG)) else {
        return Ok(());
    };
    if let Some(sources) = from.schema(SOURCE_SCHEMA) {
        to.register_schema(SOURCE_SCHEMA, sources).map_err(failed)?;
    }
    let jobs = Jobs {
        project: project.clone(),
        context: names.clone(),
        parameters: session.parameters,
        storage: session.storage,
        keys: session.keys,
    };
    let jobs = Arc::new(jobs);
    let schema = |names| {
        let (jobs, columns) = (Arc::clone(&jobs), columns.clone());
        Arc::new(JobSchema {
            jobs,
            columns,
            _names: names,
        })
    };
    from.register_schema(JOB_SCHEMA, schema(None))
        .map_err(failed)?;
    to.register_schema(JOB_SCHEMA, schema(Some(Names(from))))
        .map_err(failed)?;
    Ok(())
}

/// What relations are planned with.
struct Jobs {
    project: Project,
    /// Where the names in their SQL are known, schema `job` among them.
    context: SessionContext,
    parameters: Parameters,
    storage: Storage,
    keys: BTreeMap<String, DataType>,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Jobs").finish_non_exhaustive()
    }
}

/// Staging and intermediate relations, and tables as a run would compute them.
#[derive(Debug)]
struct JobSchema {
    jobs: Arc<Jobs>,
    columns: BTreeMap<String, SchemaRef>,
    /// What ends with the session of the user.
    _names: Option<Names>,
}

/// The names that relations' SQL finds. A schema `job` is among them that knows them: it is taken
/// out in the end, so that both end.
#[derive(Debug)]
struct Names(Arc<dyn CatalogProvider>);

impl Drop for Names {
    fn drop(&mut self) {
        let _ = self.0.deregister_schema(JOB_SCHEMA, true);
    }
}

#[async_trait]
impl SchemaProvider for JobSchema {
    fn table_names(&self) -> Vec<String> {
        let files = self.jobs.project.graph.files().iter();
        files
            .filter(|file| file.kind < Kind::Mart)
            .map(|file| file.name.clone())
            .collect()
    }

    async fn table(&self, name: &str) -> QueryResult<Option<Arc<dyn TableProvider>>> {
        let relation = |columns: &SchemaRef| -> Arc<dyn TableProvider> {
            Arc::new(JobRelation {
                jobs: Arc::clone(&self.jobs),
                name: name.to_owned(),
                columns: Arc::clone(columns),
            })
        };
        Ok(self.columns.get(name).map(relation))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }
}

/// A relation whose SQL is planned when it is read.
#[derive(Debug)]
struct JobRelation {
    jobs: Arc<Jobs>,
    name: String,
    columns: SchemaRef,
}

#[async_trait]
impl TableProvider for JobRelation {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn QuerySession,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> QueryResult<Arc<dyn ExecutionPlan>> {
        let jobs = &self.jobs;
        let Some(file) = jobs.project.graph.get(&self.name) else {
            let message = format!("relation '{}' has no file", self.name);
            return Err(DataFusionError::Plan(message));
        };
        let session = Session {
            context: jobs.context.clone(),
            project: &jobs.project,
            parameters: jobs.parameters.clone(),
            storage: jobs.storage.clone(),
            sources: BTreeMap::new(),
            keys: jobs.keys.clone(),
        };
        let plan = session.plan(file).await;
        let plan = plan.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let mut columns = plan.schema().columns();
        if let Some(projection) = projection {
            columns = projection.iter().map(|at| columns[*at].clone()).collect();
        }
        let plan = LogicalPlanBuilder::from(plan)
            .project(columns.into_iter().map(Expr::Column))?
            .limit(0, limit)?
            .build()?;
        state.create_physical_plan(&plan).await
    }
}
