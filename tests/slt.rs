//! What the SQL functions answer: every file of `tests/slt`, under several ways to run a query.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;
use loyalake_cluster::{Cluster, Executor, Scheduler};
use loyalake_jobs::Config;
use loyalake_lake::Engine as _;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner, strict_column_validator};

/// How a query is run; no answer may depend on it.
#[derive(Clone)]
struct Engine {
    partitions: usize,
    batch_rows: usize,
    skip_partial_aggregation: bool,
    /// Executors, instead of this process.
    cluster: Option<Cluster>,
}

const PLAIN: Engine = Engine {
    partitions: 1,
    batch_rows: 8192,
    skip_partial_aggregation: false,
    cluster: None,
};

impl Engine {
    fn session(&self) -> Result<SessionContext> {
        let mut config = SessionConfig::new();
        if let Some(cluster) = &self.cluster {
            config = cluster.configure(config);
        }
        config = config
            .with_target_partitions(self.partitions)
            .with_batch_size(self.batch_rows)
            .set_str("datafusion.execution.time_zone", "UTC");
        if self.skip_partial_aggregation {
            config = config
                .set_usize(
                    "datafusion.execution.skip_partial_aggregation_probe_rows_threshold",
                    0,
                )
                .set_str(
                    "datafusion.execution.skip_partial_aggregation_probe_ratio_threshold",
                    "0.0",
                );
        }
        let mut session = SessionContext::new_with_config(config);
        loyalake_functions::register_all(&mut session)?;
        for function in loyalake_functions::table_functions() {
            session.register_udtf(function.name(), function.function().clone());
        }
        Ok(session)
    }
}

struct Database {
    session: SessionContext,
    cluster: Option<Cluster>,
}

#[async_trait]
impl AsyncDB for Database {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>> {
        let frame = self.session.sql(sql).await?;
        let types: Vec<_> = frame
            .schema()
            .fields()
            .iter()
            .map(|field| column_type(field.data_type()))
            .collect();
        let batches = match &self.cluster {
            Some(cluster) if !types.is_empty() => {
                let context = Arc::new(frame.task_ctx());
                let plan = cluster.rewrite(frame.logical_plan().clone())?;
                let plan = self.session.state().create_physical_plan(&plan).await?;
                let plan = cluster.arrange(plan, context.session_config().options())?;
                let parts = cluster.submit(plan, context).await?;
                parts.map_ok(|(_, batch)| batch).try_collect().await?
            }
            _ => frame.collect().await?,
        };
        if types.is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        let rows = batches
            .iter()
            .map(rows)
            .collect::<Result<Vec<_>>>()?
            .concat();
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &'static str {
        "datafusion"
    }
}

fn column_type(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        _ if data_type.is_integer() => DefaultColumnType::Integer,
        _ if data_type.is_numeric() => DefaultColumnType::FloatingPoint,
        _ if data_type.is_nested() => DefaultColumnType::Any,
        _ => DefaultColumnType::Text,
    }
}

fn rows(batch: &RecordBatch) -> Result<Vec<Vec<String>>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns = batch
        .columns()
        .iter()
        .map(|column| Ok(ArrayFormatter::try_new(column, &options)?))
        .collect::<Result<Vec<_>>>()?;
    let row = |row| {
        columns
            .iter()
            .map(|column| column.value(row).to_string())
            .collect()
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("slt")
}

fn files() -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        folder
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    };
    let domains = entries(&folder());
    let mut files: Vec<_> = domains.iter().flat_map(|domain| entries(domain)).collect();
    files.sort();
    files
}

/// Runs every file in a session of its own and reports all that fail.
async fn run_all(engine: Engine) {
    let files = files();
    assert!(
        !files.is_empty(),
        "{}: no files; write one for each function",
        folder().display()
    );
    let mut failures = Vec::new();
    for file in files {
        let connect = || async {
            Ok(Database {
                session: engine.session()?,
                cluster: engine.cluster.clone(),
            })
        };
        let mut runner = Runner::new(connect);
        runner.with_column_validator(strict_column_validator);
        if let Err(error) = runner.run_file_async(&file).await {
            failures.push(error.to_string());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_hold_in_one_partition() {
    run_all(PLAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_hold_in_four_partitions() {
    run_all(Engine {
        partitions: 4,
        ..PLAIN
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_hold_in_tiny_batches() {
    run_all(Engine {
        partitions: 4,
        batch_rows: 2,
        ..PLAIN
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_hold_without_partial_aggregation() {
    run_all(Engine {
        partitions: 4,
        batch_rows: 7,
        skip_partial_aggregation: true,
        ..PLAIN
    })
    .await;
}

/// An address with a free port, whose next port is free, too.
fn free_address() -> SocketAddr {
    let bind = |port| TcpListener::bind(("127.0.0.1", port));
    loop {
        let address = bind(0).unwrap().local_addr().unwrap();
        if bind(address.port() + 1).is_ok() {
            return address;
        }
    }
}

/// A scheduler and an executor in this process, at work while the test is.
fn cluster() -> Cluster {
    let text = "[lake]\noutput = \"lake\"\n[engine]\nmemory_limit = \"1GB\"\n";
    let config = Config::parse(Path::new("lake.toml"), text).unwrap();
    let (scheduler, executor) = (free_address(), free_address());
    let place = Scheduler {
        bind: scheduler,
        external_host: None,
    };
    let settings = config.clone();
    tokio::spawn(async move {
        let ended = loyalake_cluster::scheduler(&settings, &place).await;
        ended.unwrap();
    });
    let place = Executor {
        bind: executor,
        external_host: None,
        scheduler: scheduler.to_string(),
        work_dir: None,
        tasks: Some(4),
    };
    tokio::spawn(async move {
        let ended = loyalake_cluster::executor(&config, &place).await;
        ended.unwrap();
    });
    Cluster::at(&format!("df://{scheduler}")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_hold_in_a_cluster() {
    run_all(Engine {
        partitions: 4,
        batch_rows: 3,
        cluster: Some(cluster()),
        ..PLAIN
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_of_the_documentation_give_rows() {
    let session = PLAIN.session().unwrap();
    let mut failures = Vec::new();
    for entry in loyalake_functions::catalogue().unwrap() {
        let name = &entry.name;
        let Some(example) = &entry.documentation.sql_example else {
            failures.push(format!(
                "{name}: no sql_example; add one to its documentation"
            ));
            continue;
        };
        if !example.contains(&format!("{name}(")) {
            failures.push(format!("{name}: sql_example does not call it; show a call"));
        }
        match async { session.sql(example).await?.collect().await }.await {
            Ok(batches) if batches.iter().any(|batch| batch.num_rows() > 0) => {}
            Ok(_) => failures.push(format!("{name}: sql_example gives no rows; show a result")),
            Err(error) => failures.push(format!("{name}: sql_example fails: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_function_has_a_file_and_every_file_a_function() {
    let mut expected: Vec<PathBuf> = loyalake_functions::catalogue()
        .unwrap()
        .iter()
        .map(|entry| {
            folder()
                .join(entry.domain)
                .join(format!("{}.slt", entry.name))
        })
        .collect();
    expected.sort();
    assert_eq!(
        files(),
        expected,
        "write tests/slt/<domain>/<function>.slt for each function"
    );
}

#[test]
fn catalogue_lists_what_is_registered() {
    let session = PLAIN.session().unwrap();
    let plain = SessionContext::new();
    let (state, plain) = (session.state(), plain.state());
    let ours = |all: Vec<&String>, known: Vec<&String>| -> Vec<String> {
        all.into_iter()
            .filter(|name| !known.contains(name))
            .cloned()
            .collect()
    };
    let mut registered = [
        ours(
            state.scalar_functions().keys().collect(),
            plain.scalar_functions().keys().collect(),
        ),
        ours(
            state.aggregate_functions().keys().collect(),
            plain.aggregate_functions().keys().collect(),
        ),
        ours(
            state.table_functions().keys().collect(),
            plain.table_functions().keys().collect(),
        ),
    ]
    .concat();
    registered.sort();
    let listed: Vec<String> = loyalake_functions::catalogue()
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(listed, registered);
}
