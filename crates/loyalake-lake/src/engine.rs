//! Where plans run: in this process, or wherever an [`Engine`] takes them.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::prelude::SessionConfig;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinSet;

/// The label of metrics that were measured in other processes.
pub const ELSEWHERE: &str = "elsewhere";

/// What runs plans.
#[async_trait]
pub trait Engine: Debug + Send + Sync {
    /// The settings under which plans are made that it can run.
    fn configure(&self, session: SessionConfig) -> SessionConfig;

    /// The same query in words that it can run.
    ///
    /// # Errors
    /// A query that has no such words.
    fn rewrite(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        Ok(plan)
    }

    /// The plan as it is run, which gives the same rows.
    ///
    /// # Errors
    /// Statistics that can't be computed.
    fn arrange(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan)
    }

    /// Runs all partitions of an arranged plan.
    ///
    /// # Errors
    /// What the plan says, or whoever runs it.
    async fn execute_parts(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<Parts>;

    /// The rows of all partitions of an arranged plan.
    ///
    /// # Errors
    /// As [`Engine::execute_parts`].
    async fn execute(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = plan.schema();
        let parts = self.execute_parts(plan, context).await?;
        let batches = parts.map_ok(|(_, batch)| batch);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}

/// Batches of a plan's rows, each with its partition.
pub type Parts = BoxStream<'static, Result<(usize, RecordBatch)>>;

/// Runs plans in this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalEngine;

#[async_trait]
impl Engine for LocalEngine {
    fn configure(&self, session: SessionConfig) -> SessionConfig {
        session
    }

    async fn execute_parts(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<Parts> {
        let partitions = plan.output_partitioning().partition_count();
        let (sender, receiver) = mpsc::channel(partitions.max(1));
        let mut tasks = JoinSet::new();
        for partition in 0..partitions {
            let mut batches = plan.execute(partition, Arc::clone(&context))?;
            let sender = sender.clone();
            tasks.spawn(async move {
                while let Some(batch) = batches.next().await {
                    let batch = batch.map(|batch| (partition, batch));
                    let has_failed = batch.is_err();
                    if sender.send(batch).await.is_err() || has_failed {
                        break;
                    }
                }
            });
        }
        let batches = stream::unfold((tasks, receiver), async |(mut tasks, mut receiver)| {
            let batch = next(&mut tasks, &mut receiver).await?;
            Some((batch, (tasks, receiver)))
        });
        Ok(batches.boxed())
    }
}

/// The next batch of any task. When it is an error all tasks have ended: nobody may write any more
/// when the caller removes what is there.
async fn next(
    tasks: &mut JoinSet<()>,
    batches: &mut Receiver<Result<(usize, RecordBatch)>>,
) -> Option<Result<(usize, RecordBatch)>> {
    let batch = match batches.recv().await {
        Some(batch) => batch,
        // a task that panicked has sent nothing
        None => loop {
            match tasks.join_next().await? {
                Ok(()) => {}
                Err(error) => break Err(DataFusionError::ExecutionJoin(Box::new(error))),
            }
        },
    };
    if batch.is_err() {
        tasks.shutdown().await;
    }
    Some(batch)
}
