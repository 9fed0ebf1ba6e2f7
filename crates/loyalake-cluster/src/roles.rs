//! What has to be at work for a cluster: one scheduler, and executors.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use loyalake_jobs::Config;
use loyalake_lake::spill::SpillFolder;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use crate::ClusterError;
use crate::codec::Codec;
use crate::session::{self, MESSAGE_BYTES};

/// How often executors say that they are alive.
const HEARTBEAT_SECONDS: u64 = 5;

/// After how long a silent executor counts as lost, and its tasks are given to others.
const EXECUTOR_TIMEOUT_SECONDS: u64 = 20;

/// After how long jobs fail that have no executor any more.
const NO_EXECUTORS_SECONDS: u64 = 60;

/// How long an executor waits for its scheduler to come up.
const SCHEDULER_TIMEOUT: Duration = Duration::from_mins(1);

/// After how long executors remove what they keep for a job whose client did not say that it is
/// done.
const ABANDONED_SECONDS: u64 = 3600;

/// A scheduler's place.
#[derive(Debug, Clone)]
pub struct Scheduler {
    /// Where it listens.
    pub bind: SocketAddr,
    /// The name or address that executors reach it by; default: the one that it listens on.
    pub external_host: Option<String>,
}

/// An executor's place, and what it may take.
#[derive(Debug, Clone)]
pub struct Executor {
    /// Where others fetch results; tasks come to the next port.
    pub bind: SocketAddr,
    /// The name or address that others reach it by; default: the one that the scheduler sees.
    pub external_host: Option<String>,
    /// Host and port of the scheduler.
    pub scheduler: String,
    /// Where shuffled and spilled data is kept; default: the spill directory.
    pub work_dir: Option<PathBuf>,
    /// Tasks at a time, which share the memory; default: cores.
    pub tasks: Option<usize>,
}

/// Listens without delay, which connections inherit: each would keep back what it says of a job
/// until what it said before has been acknowledged, 40 ms later.
async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    SockRef::from(&listener).set_tcp_nodelay(true)?;
    Ok(listener)
}

/// Gives the plans of clients to executors, until the process ends.
///
/// # Errors
/// An address that is taken, options of stores that are wrong.
pub async fn scheduler(config: &Config, place: &Scheduler) -> Result<(), ClusterError> {
    let failed = ClusterError::role("scheduler", place.bind);
    let stores = session::stores(config)
        .map_err(BallistaError::from)
        .map_err(&failed)?;
    let host = place.bind.ip().to_string();
    let settings = SchedulerConfig {
        external_host: place.external_host.clone().unwrap_or_else(|| host.clone()),
        bind_host: host,
        bind_port: place.bind.port(),
        scheduling_policy: TaskSchedulingPolicy::PushStaged,
        task_distribution: TaskDistributionPolicy::RoundRobin,
        finished_job_data_clean_up_interval_seconds: ABANDONED_SECONDS,
        grpc_server_max_decoding_message_size: MESSAGE_BYTES,
        grpc_server_max_encoding_message_size: MESSAGE_BYTES,
        grpc_client_max_message_size: MESSAGE_BYTES,
        executor_timeout_seconds: EXECUTOR_TIMEOUT_SECONDS,
        expire_dead_executor_interval_seconds: HEARTBEAT_SECONDS,
        no_executors_grace_period_seconds: NO_EXECUTORS_SECONDS,
        override_config_producer: Some(Arc::new(session::session_config)),
        override_session_builder: Some(Arc::new(move |session| {
            session::state(session, session::runtime(&stores, None)?)
        })),
        override_physical_codec: Some(Arc::new(Codec::default())),
        ..SchedulerConfig::default()
    };
    let listener = listen(place.bind)
        .await
        .map_err(BallistaError::from)
        .map_err(&failed)?;
    tracing::info!(address = %place.bind, "scheduler");
    let serve = async {
        let cluster = BallistaCluster::new_from_config(&settings).await?;
        let settings = Arc::new(settings);
        let scheduler =
            create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, settings).await?;
        start_grpc_service_with_listener(listener, scheduler).await
    };
    serve.await.map_err(failed)
}

/// Runs parts of plans, until the process is told to end.
///
/// # Errors
/// A scheduler that can't be reached, an address that is taken, a folder that can't be written.
pub async fn executor(config: &Config, place: &Executor) -> Result<(), ClusterError> {
    let role = "executor";
    let failed = ClusterError::role(role, place.bind);
    let grpc_port = place
        .bind
        .port()
        .checked_add(1)
        .ok_or_else(|| ClusterError::Role {
            role,
            address: place.bind.to_string(),
            reason: "there is no next port for tasks; bind to another one".to_owned(),
        })?;
    let (host, port) = reach(&place.scheduler).await?;
    let stores = session::stores(config)
        .map_err(BallistaError::from)
        .map_err(&failed)?;
    let folder = work_folder(config, place)
        .map_err(BallistaError::from)
        .map_err(&failed)?;
    let (shuffled, spilled) = (
        folder.path().join("shuffled"),
        folder.path().join("spilled"),
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let functions = session::runtime(&stores, None)
        .and_then(|runtime| session::state(session::session_config(), runtime))
        .map_err(BallistaError::from)
        .map_err(&failed)?;
    let settings = ExecutorProcessConfig {
        bind_host: place.bind.ip().to_string(),
        external_host: place.external_host.clone(),
        port: place.bind.port(),
        grpc_port,
        scheduler_host: host,
        scheduler_port: port,
        vcores: place.tasks.unwrap_or(cores),
        task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
        work_dir: Some(shuffled.display().to_string()),
        grpc_max_decoding_message_size: MESSAGE_BYTES,
        grpc_max_encoding_message_size: MESSAGE_BYTES,
        executor_heartbeat_interval_seconds: HEARTBEAT_SECONDS,
        memory_pool_size: Some(config.memory_limit()? as u64),
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&functions))),
        override_runtime_producer: Some(Arc::new(move |_| {
            session::runtime(&stores, Some(&spilled))
        })),
        override_config_producer: Some(Arc::new(session::session_config)),
        override_physical_codec: Some(Arc::new(Codec::default())),
        ..ExecutorProcessConfig::default()
    };
    tracing::info!(address = %place.bind, tasks = settings.vcores, "executor");
    start_executor_process(Arc::new(settings))
        .await
        .map_err(failed)
}

/// Host and port of a scheduler that is there; it may be written as runs write it, with `df://`.
async fn reach(scheduler: &str) -> Result<(String, u16), ClusterError> {
    let scheduler = scheduler.strip_prefix("df://").unwrap_or(scheduler);
    let unreachable = |reason: String| ClusterError::Unreachable {
        url: format!("df://{scheduler}"),
        reason,
    };
    let split = scheduler.rsplit_once(':');
    let split = split.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    let place = split.ok_or_else(|| unreachable("write it as host:port".to_owned()))?;
    let started = Instant::now();
    tracing::info!(scheduler, "looking for the scheduler");
    loop {
        match TcpStream::connect(scheduler).await {
            Ok(_) => return Ok(place),
            Err(error) if started.elapsed() > SCHEDULER_TIMEOUT => {
                return Err(unreachable(error.to_string()));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

/// A folder for this process alone.
fn work_folder(config: &Config, place: &Executor) -> std::io::Result<SpillFolder> {
    let spill = config.engine.spill_directory.as_ref();
    let root = match (&place.work_dir, spill) {
        (Some(folder), _) => folder.clone(),
        (None, Some(folder)) => config.folder().join(folder),
        (None, None) => std::env::temp_dir(),
    };
    let folder = SpillFolder::below(&root)?;
    std::fs::create_dir(folder.path().join("shuffled"))?;
    std::fs::create_dir(folder.path().join("spilled"))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    #[tokio::test]
    async fn the_scheduler_answers_without_delay() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .expect("a port");
        let address = listener.local_addr().expect("its address");
        let _client = TcpStream::connect(address).await.expect("a connection");
        let (connection, _) = listener.accept().await.expect("the same");
        assert!(connection.nodelay().expect("an option"));
    }
}
