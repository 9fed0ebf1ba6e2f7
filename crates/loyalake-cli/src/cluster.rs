//! `loyalake cluster`: the roles of a cluster, and the engine of runs that use one.

#![cfg_attr(
    not(feature = "cluster"),
    expect(unused_imports, reason = "understood, and refused")
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use loyalake_jobs::config::EngineKind;
use loyalake_jobs::{Config, Project};

#[cfg(not(feature = "cluster"))]
use crate::failure::Failure;
use crate::failure::Result;

/// Compute on several machines: the processes that have to be at work for it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake cluster scheduler --config lake.toml --bind 10.0.0.1:50050
  loyalake cluster executor --config lake.toml --scheduler 10.0.0.1:50050 --bind 10.0.0.2:50051

One scheduler and any number of executors. Runs use them whose configuration says:
  [engine]
  kind = \"ballista\"
  url = \"df://10.0.0.1:50050\"
  partitions = 64

All read the same configuration: `[storage]`, `[engine]` and the locations; secrets come from the
environment of each. Stores, or local paths, must be the same for the client and all executors.
Nothing is encrypted or asked for a password: use a network that nobody else is in.")]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    Scheduler(SchedulerArgs),
    Executor(ExecutorArgs),
}

/// Give the work of runs to executors
#[derive(Debug, Args)]
struct SchedulerArgs {
    /// The project's configuration
    #[arg(long, value_name = "FILE", default_value = "lake.toml")]
    config: PathBuf,

    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50050")]
    bind: SocketAddr,

    /// The name that executors reach it by, where that is not the address of --bind
    #[arg(long, value_name = "HOST")]
    external_host: Option<String>,
}

/// Do the work of runs
#[derive(Debug, Args)]
struct ExecutorArgs {
    /// The project's configuration
    #[arg(long, value_name = "FILE", default_value = "lake.toml")]
    config: PathBuf,

    /// The scheduler
    #[arg(long, value_name = "HOST:PORT")]
    scheduler: String,

    /// Where to listen: results are fetched at this port, tasks come to the next one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50051")]
    bind: SocketAddr,

    /// The name that others reach it by, where that is not the address of --bind
    #[arg(long, value_name = "HOST")]
    external_host: Option<String>,

    /// Where shuffled and spilled data is kept: a fast local disk
    /// [default: the spill directory]
    #[arg(long, value_name = "FOLDER")]
    work_dir: Option<PathBuf>,

    /// Memory of all tasks together, such as "16GB" [default: the memory limit]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory_limit: Option<String>,

    /// Tasks at a time, which share the memory evenly [default: cores]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    tasks: Option<u16>,
}

/// A limit of memory, as it is written.
fn size(text: &str) -> std::result::Result<String, String> {
    loyalake_jobs::config::memory_limit(text).map(|_| text.to_owned())
}

/// The project with the engine that its configuration names.
pub(crate) fn with_engine(project: Project) -> Result<Project> {
    match project.config.engine.kind {
        EngineKind::Local => Ok(project),
        EngineKind::Ballista => on_cluster(project),
    }
}

#[cfg(feature = "cluster")]
fn on_cluster(project: Project) -> Result<Project> {
    let cluster = loyalake_cluster::Cluster::of(&project.config)?;
    Ok(project.on(Arc::new(cluster)))
}

#[cfg(feature = "cluster")]
pub(crate) async fn cluster(args: ClusterArgs) -> Result<()> {
    match args.role {
        Role::Scheduler(args) => {
            let place = loyalake_cluster::Scheduler {
                bind: args.bind,
                external_host: args.external_host,
            };
            let config = Config::read(&args.config)?;
            Ok(loyalake_cluster::scheduler(&config, &place).await?)
        }
        Role::Executor(args) => {
            let mut config = Config::read(&args.config)?;
            if let Some(limit) = args.memory_limit {
                config.engine.memory_limit = Some(limit);
            }
            let place = loyalake_cluster::Executor {
                bind: args.bind,
                external_host: args.external_host,
                scheduler: args.scheduler,
                work_dir: args.work_dir,
                tasks: args.tasks.map(usize::from),
            };
            Ok(loyalake_cluster::executor(&config, &place).await?)
        }
    }
}

#[cfg(not(feature = "cluster"))]
fn on_cluster(_: Project) -> Result<Project> {
    Err(Failure::WithoutCluster)
}

#[cfg(not(feature = "cluster"))]
pub(crate) async fn cluster(_: ClusterArgs) -> Result<()> {
    Err(Failure::WithoutCluster)
}
