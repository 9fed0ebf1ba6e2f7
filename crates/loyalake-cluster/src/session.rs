//! The sessions of all roles: the same functions, the same settings, the lake's stores.

use std::sync::Arc;

use ballista_core::extension::SessionConfigExt;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use loyalake_jobs::Config;
use loyalake_lake::{Storage, StoreRegistry};

use crate::broadcast::FEW_BYTES;
use crate::codec::Codec;

/// Parts that a query is cut into where the configuration does not say it.
const PARTITIONS: usize = 16;

/// Bytes of a message between roles, at most: plans hold small tables, batches hold long texts.
pub(crate) const MESSAGE_BYTES: u32 = 256 << 20;

/// Adds what plans need that travel.
pub(crate) fn configure(session: SessionConfig) -> SessionConfig {
    let mut session = session
        .with_target_partitions(PARTITIONS)
        .upgrade_for_ballista()
        .with_ballista_grpc_client_max_message_size(MESSAGE_BYTES as usize)
        .with_ballista_broadcast_join_threshold_bytes(FEW_BYTES)
        .with_ballista_physical_extension_codec(Arc::new(Codec::default()));
    let options = session.options_mut();
    // as without a cluster: the SQL puts the small side of a join on the left
    options.optimizer.prefer_hash_join = true;
    // which small sides are sent to all is for the scheduler to say: where it disagrees with a plan
    // that says it, it cuts the plan as if nobody relied on how rows are divided
    options.optimizer.hash_join_single_partition_threshold = 0;
    options.optimizer.hash_join_single_partition_threshold_rows = 0;
    // a task with some of a table's parts does not know any more that they are divided by a key,
    // and would refuse to read part after part of several tables together
    options.optimizer.prefer_existing_union = true;
    // the client asks for their values before the plan leaves
    options
        .optimizer
        .enable_physical_uncorrelated_scalar_subquery = true;
    // tables have the columns that they have without a cluster; shuffles copy what views show
    options.execution.parquet.schema_force_view_types = true;
    options.sql_parser.map_string_types_to_utf8view = true;
    // a task reads its own files
    options.execution.enable_file_stream_work_stealing = false;
    session
}

/// The settings of scheduler and executors, before the client's are added.
pub(crate) fn session_config() -> SessionConfig {
    configure(SessionConfig::new())
}

/// A session with our functions.
pub(crate) fn state(session: SessionConfig, runtime: Arc<RuntimeEnv>) -> Result<SessionState> {
    let mut state = SessionStateBuilder::new()
        .with_config(session)
        .with_runtime_env(runtime)
        .with_default_features()
        .build();
    loyalake_functions::register_all(&mut state)?;
    Ok(state)
}

/// The stores that a configuration can reach.
pub(crate) fn stores(config: &Config) -> Result<Arc<StoreRegistry>> {
    let failed = |error| DataFusionError::External(Box::new(error));
    let storage = Storage::try_new(&config.storage).map_err(failed)?;
    let lake = [Some(&config.lake.output), config.lake.scratch.as_ref()];
    let sources = config.sources.values().map(|source| &source.location);
    let locations = lake.into_iter().flatten().chain(sources);
    Ok(Arc::new(StoreRegistry::new(
        storage,
        locations.map(String::as_str),
    )))
}

/// What plans work with, but for memory.
pub(crate) fn runtime(
    stores: &Arc<StoreRegistry>,
    spill: Option<&std::path::Path>,
) -> Result<Arc<RuntimeEnv>> {
    let registry = Arc::clone(stores);
    let builder = RuntimeEnvBuilder::new()
        .with_object_store_registry(registry)
        // footers are remembered by path alone, and two stores may hold files of one path
        .with_metadata_cache_limit(0);
    match spill {
        Some(folder) => builder.with_temp_file_path(folder).build_arc(),
        None => builder.build_arc(),
    }
}
