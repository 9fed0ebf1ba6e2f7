//! The `DataFusion` context of a session: our functions and rules, memory, and the schemas that SQL
//! files name.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::catalog::MemorySchemaProvider;
use datafusion::common::config::ConfigNonZeroUsize;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use loyalake_lake::spill::SpillFolder;
use loyalake_lake::{Engine, LocalEngine};

use crate::constant_groups::DropConstantGroups;
use crate::earlier::PUBLISHED_SCHEMA;
use crate::empty::SkipEmpty;
use crate::graph::RUN_SCHEMA;
use crate::grouping::GroupInOneStep;
use crate::integer_groups::GroupIntegers;
use crate::memory::MemoryShares;
use crate::project::SOURCE_SCHEMA;
use crate::session::JOB_SCHEMA;
use crate::{Config, JobsError, Result};

/// The catalog of everything that has a name.
pub(crate) const CATALOG: &str = "loyalake";

/// Runs on disk that a sort merges at a time.
const MERGED_RUNS: usize = 16;

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
    // the SQL puts the small side of a join on the left, where it is held in memory; and a filter
    // above a right join whose sides DataFusion 55 has exchanged may get to the wrong side
    options.optimizer.join_reordering = false;
    let mut state = SessionStateBuilder::new()
        .with_config(session)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_analyzer_rule(Arc::new(SkipEmpty))
        .with_optimizer_rule(Arc::new(DropConstantGroups))
        .with_physical_optimizer_rule(Arc::new(GroupInOneStep))
        .with_physical_optimizer_rule(Arc::new(GroupIntegers))
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
        .with_temp_file_path(spill.path())
        // a merge takes the memory of all runs that it can hold, and leaves others none
        .with_max_spill_merge_fan_in(MERGED_RUNS);
    builder.build_arc().map_err(|source| JobsError::Execution {
        relation: "session".to_owned(),
        source,
    })
}
