//! One job of a scheduler, from its submission to the last of its results.

use std::time::{Duration, Instant};

use ballista_core::client::BallistaClient;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, CleanJobDataParams, ExecuteQueryParams, GetJobMetricsParams,
    GetJobStatusParams, GetJobStatusResult, JobStatus, KeyValuePair, OperatorWithMetrics,
    PartitionLocation,
};
use ballista_core::version::insert_version_header;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Request, Streaming};

use super::Cluster;
use crate::ClusterError;
use crate::error::last_cause;
use crate::session::MESSAGE_BYTES;

/// How often it is looked whether there are executors, while a job says nothing new.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// How long a cluster may be without executors while a job waits.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long the scheduler may take to say whether it has executors.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How often, and how long after, an executor is asked again for results.
const FETCH_RETRIES: (u8, u64) = (2, 500);

/// Results that were there once.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Lost(String);

/// A job that is done. When it is dropped the executors remove what they keep for it, and when
/// waiting for it ends before, they stop.
pub(super) struct Job {
    results: Vec<PartitionLocation>,
    operators: Vec<OperatorWithMetrics>,
    order: Order,
}

/// What the scheduler was asked for.
struct Order {
    scheduler: SchedulerGrpcClient<Channel>,
    job_id: String,
    is_done: bool,
}

impl Job {
    /// Submits a plan and waits for its end.
    pub(super) async fn run(
        cluster: &Cluster,
        plan: Vec<u8>,
        settings: Vec<KeyValuePair>,
    ) -> Result<Self> {
        let mut request = Request::new(ExecuteQueryParams {
            session_id: cluster.session_id.clone(),
            settings,
            operation_id: cluster.session_id.clone(),
            query: Some(Query::PhysicalPlan(plan)),
        });
        insert_version_header(request.metadata_mut());
        let mut scheduler = cluster.scheduler.clone();
        let submitted = scheduler.execute_query_push(request).await;
        let mut news = submitted.map_err(refused(&cluster.url))?.into_inner();
        let mut order = Order {
            scheduler,
            job_id: String::new(),
            is_done: false,
        };
        let results = wait(cluster, &mut news, &mut order).await?;
        order.is_done = true;
        let operators = order.operators().await;
        Ok(Self {
            results,
            operators,
            order,
        })
    }

    /// What the parts of the plan took, as far as the scheduler says.
    pub(super) fn operators(&self) -> &[OperatorWithMetrics] {
        &self.operators
    }

    /// The rows of all partitions, in order.
    pub(super) fn results(self) -> BoxStream<'static, Result<(usize, RecordBatch), Lost>> {
        let order = self.order;
        let partitions = stream::iter(self.results).then(async |result| {
            let partition = partition_of(&result)?;
            let batches = fetch(result).await?;
            Ok(batches.map(move |batch| match batch {
                Ok(batch) => Ok((partition, batch)),
                Err(error) => Err(Lost(last_cause(&error))),
            }))
        });
        // the executors keep the results until the last one is here
        let batches = partitions.try_flatten();
        batches
            .map(move |batch| {
                let _kept = &order;
                batch
            })
            .boxed()
    }
}

impl Order {
    /// What the scheduler says when it is asked: news do not come to who can't take them at once.
    async fn status(&mut self) -> Result<Option<JobStatus>, tonic::Status> {
        if self.job_id.is_empty() {
            return Ok(None);
        }
        let job_id = self.job_id.clone();
        let asked = self.scheduler.get_job_status(GetJobStatusParams { job_id });
        Ok(asked.await?.into_inner().status)
    }

    /// The operators of a job that is done.
    async fn operators(&mut self) -> Vec<OperatorWithMetrics> {
        let job_id = self.job_id.clone();
        let asked = self
            .scheduler
            .get_job_metrics(GetJobMetricsParams { job_id });
        let stages = asked.await.map(|answer| answer.into_inner().stages);
        let stages = stages.unwrap_or_default().into_iter();
        stages.flat_map(|stage| stage.operators).collect()
    }
}

/// Where a job's results are when it has ended.
async fn wait(
    cluster: &Cluster,
    news: &mut Streaming<GetJobStatusResult>,
    order: &mut Order,
) -> Result<Vec<PartitionLocation>> {
    let mut seen = Instant::now();
    loop {
        let status = if let Ok(message) = timeout(LOOK_INTERVAL, news.message()).await {
            let Some(news) = message.map_err(refused(&cluster.url))? else {
                let (url, reason) = (cluster.url.clone(), "it went away".to_owned());
                return Err(ClusterError::Unreachable { url, reason }.into());
            };
            news.status
        } else {
            if has_executors(&cluster.address).await != Some(false) {
                seen = Instant::now();
            } else if seen.elapsed() > PATIENCE {
                let (url, seconds) = (cluster.url.clone(), PATIENCE.as_secs());
                return Err(ClusterError::NoExecutors { url, seconds }.into());
            }
            order.status().await.map_err(refused(&cluster.url))?
        };
        let Some(status) = status else {
            continue;
        };
        order.job_id = status.job_id;
        match status.status {
            None | Some(Status::Queued(_) | Status::Running(_)) => {}
            Some(Status::Failed(failed)) => {
                order.is_done = true;
                return Err(ClusterError::job(&failed.error));
            }
            Some(Status::Successful(done)) => return Ok(done.partition_location),
        }
    }
}

/// The error of a request that the scheduler did not answer, or answered with words.
fn refused(url: &str) -> impl Fn(tonic::Status) -> DataFusionError {
    move |status| {
        let is_of_network = matches!(
            status.code(),
            Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded
        );
        if is_of_network {
            let (url, reason) = (url.to_owned(), last_cause(&status));
            return ClusterError::Unreachable { url, reason }.into();
        }
        ClusterError::job(status.message())
    }
}

/// Whether the scheduler has executors, as far as it says.
async fn has_executors(address: &str) -> Option<bool> {
    let ask = async {
        let mut scheduler = TcpStream::connect(address).await?;
        let question =
            format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        scheduler.write_all(question.as_bytes()).await?;
        let mut answer = Vec::new();
        scheduler.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = timeout(ANSWER_TIMEOUT, ask).await.ok()?.ok()?;
    let status = answer.split(|byte| *byte == b' ').nth(1)?;
    match status {
        b"200" => Some(true),
        b"503" => Some(false),
        _ => None,
    }
}

/// Which partition of the whole plan results are of; a task knows but the number among its own.
fn partition_of(results: &PartitionLocation) -> Result<usize, Lost> {
    let id = results.partition_id.as_ref().ok_or_else(unsaid)?;
    usize::try_from(id.partition_id).map_err(|error| Lost(error.to_string()))
}

fn unsaid() -> Lost {
    Lost("the scheduler does not say where results are".to_owned())
}

/// The rows of a partition, from the executor that has them.
async fn fetch(partition: PartitionLocation) -> Result<SendableRecordBatchStream, Lost> {
    let layout = partition.layout();
    let (Some(executor), Some(id)) = (partition.executor_meta, partition.partition_id) else {
        return Err(unsaid());
    };
    let (host, port) = (executor.host.as_str(), executor.port);
    let lost = |reason: String| Lost(format!("executor at {host}:{port}: {reason}"));
    let port = u16::try_from(port).map_err(|error| lost(error.to_string()))?;
    let (retries, pause) = FETCH_RETRIES;
    let bytes = MESSAGE_BYTES as usize;
    let client = BallistaClient::try_new(host, port, bytes, false, None, retries, pause, 0, 0);
    let mut client = client.await.map_err(|error| lost(last_cause(&error)))?;
    let rows = client
        .fetch_partition_proxied(
            &executor.id,
            &id.into(),
            partition.file_id,
            layout,
            host,
            port,
            true,
        )
        .await;
    rows.map_err(|error| lost(last_cause(&error)))
}

impl Drop for Order {
    fn drop(&mut self) {
        let job_id = std::mem::take(&mut self.job_id);
        let (mut scheduler, is_done) = (self.scheduler.clone(), self.is_done);
        if let (false, Ok(runtime)) = (job_id.is_empty(), Handle::try_current()) {
            runtime.spawn(async move {
                if is_done {
                    let remove_stage_ids = Vec::new();
                    let done = CleanJobDataParams {
                        job_id,
                        remove_stage_ids,
                    };
                    let _ = scheduler.clean_job_data(done).await;
                } else {
                    let _ = scheduler.cancel_job(CancelJobParams { job_id }).await;
                }
            });
        }
    }
}
