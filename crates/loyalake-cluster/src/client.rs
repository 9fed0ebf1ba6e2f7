//! The engine of a run: sends plans to a scheduler, waits, fetches results from executors.

mod job;
mod taken;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ballista_core::extension::SessionConfigHelperExt;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use datafusion::arrow::array::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::prelude::SessionConfig;
use futures::{StreamExt, TryStreamExt, stream};
use loyalake_jobs::Config;
use loyalake_lake::{Engine, LocalEngine, Parts};
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use crate::broadcast::broadcast_few_rows;
use crate::session::{self, MESSAGE_BYTES};
use crate::{ClusterError, travel, windows};
use job::{Job, Lost};

/// How often a plan is run whose results were lost with their executors.
const ATTEMPTS: usize = 3;

/// Results up to this size are taken whole before any is passed on, so that a loss is mended.
const HELD_BYTES: usize = 16 << 20;

/// How long it may take to reach anybody.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a silent scheduler is asked whether it is there, and how long it has to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// A cluster of one scheduler and its executors.
#[derive(Debug, Clone)]
pub struct Cluster {
    url: String,
    /// Host and port of the scheduler.
    address: String,
    scheduler: SchedulerGrpcClient<Channel>,
    /// Executors keep connections to stores by this name.
    session_id: String,
    /// Plans that read less are run here.
    local_below: u64,
}

impl Cluster {
    /// The cluster that a configuration names; nobody is spoken to yet.
    ///
    /// # Errors
    /// An address that is none.
    pub fn of(config: &Config) -> Result<Self, ClusterError> {
        let url = config.engine.url.as_deref().unwrap_or_default();
        Ok(Self {
            local_below: config.local_below()? as u64,
            ..Self::at(url)?
        })
    }

    /// The cluster at `df://host:port`.
    ///
    /// # Errors
    /// An address that is none.
    pub fn at(url: &str) -> Result<Self, ClusterError> {
        let address = url.strip_prefix("df://").unwrap_or(url);
        let address = address.trim_end_matches('/').to_owned();
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| {
            ClusterError::Unreachable {
                url: url.to_owned(),
                reason: error.to_string(),
            }
        })?;
        let channel = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true)
            .connect_lazy();
        let scheduler = SchedulerGrpcClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES as usize)
            .max_encoding_message_size(MESSAGE_BYTES as usize);
        Ok(Self {
            url: url.to_owned(),
            address,
            scheduler,
            session_id: Uuid::now_v7().to_string(),
            local_below: 0,
        })
    }

    /// Runs an arranged plan on the executors, whatever it reads.
    ///
    /// # Errors
    /// What the plan says; a cluster without a scheduler or without executors.
    pub async fn submit(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<Parts> {
        for (link, node) in travel::subqueries(&plan) {
            let value = self.value(link.plan, Arc::clone(&context)).await?;
            if let Some(node) = node.downcast_ref::<ScalarSubqueryExec>() {
                node.results().set(link.index, value)?;
            }
        }
        let encoded = travel::encode(Arc::clone(&plan), &context)?;
        let settings = context.session_config().to_key_value_pairs();
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let job = Job::run(self, encoded.clone(), settings.clone()).await?;
            taken::note(&plan, job.operators());
            match hold(job.results()).await {
                Ok((held, rest)) => {
                    let held = stream::iter(held.into_iter().map(Ok));
                    let rest =
                        rest.map_err(|lost: Lost| DataFusionError::Execution(lost.to_string()));
                    return Ok(held.chain(rest).boxed());
                }
                Err(lost) => last = Some(lost),
            }
        }
        let reason = last.map(|lost| lost.to_string()).unwrap_or_default();
        let times = ATTEMPTS;
        Err(ClusterError::ResultsLost { times, reason }.into())
    }

    /// The value of a subquery: NULL if it has no row.
    async fn value(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<ScalarValue> {
        let schema = plan.schema();
        let mut batches = self.execute(plan, context).await?;
        let mut value = None;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            if batch.num_rows() == 0 {
                continue;
            }
            if value.is_some() || batch.num_rows() > 1 {
                let message = "Scalar subquery returned more than one row";
                return Err(DataFusionError::Execution(message.to_owned()));
            }
            value = Some(ScalarValue::try_from_array(batch.column(0), 0)?);
        }
        match value {
            Some(value) => Ok(value),
            None => ScalarValue::try_from(schema.field(0).data_type()),
        }
    }
}

#[async_trait]
impl Engine for Cluster {
    fn configure(&self, session: SessionConfig) -> SessionConfig {
        session::configure(session)
    }

    fn rewrite(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        windows::without_filters(plan)
    }

    fn arrange(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        options: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        broadcast_few_rows(plan, options)
    }

    async fn execute_parts(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<Parts> {
        let bytes = travel::bytes_of_files(&plan);
        if bytes == 0 || bytes < self.local_below {
            LocalEngine.execute_parts(plan, context).await
        } else {
            self.submit(plan, context).await
        }
    }
}

/// The beginning of some results, or all of them if they are small, and the rest.
async fn hold<S>(mut results: S) -> Result<(Vec<(usize, RecordBatch)>, S), Lost>
where
    S: stream::Stream<Item = Result<(usize, RecordBatch), Lost>> + Unpin,
{
    let (mut held, mut bytes) = (Vec::new(), 0);
    while bytes < HELD_BYTES {
        let Some(batch) = results.next().await else {
            break;
        };
        let batch = batch?;
        bytes += batch.1.get_array_memory_size();
        held.push(batch);
    }
    Ok((held, results))
}
