//! The protocol of publications, with runs that stop where no test of whole runs would stop them.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionContext;
use loyalake_lake::delta::DeltaVersion;
use loyalake_lake::publication::{Outcome, Publication, recover};
use loyalake_lake::publish::CommitNote;
use loyalake_lake::staging::{self, Staged};
use loyalake_lake::{LakeError, Lease, LocalEngine, Location, Storage, claimed_runs};
use tempfile::TempDir;

const TABLES: [&str; 3] = ["one", "two", "ledger"];

const DATE: &str = "2024-04-20";

/// A lake of three tables with a number in each.
struct Lake {
    folder: TempDir,
    output: Location,
}

impl Lake {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = locate(folder.path(), "lake");
        Self { folder, output }
    }

    async fn lease(&self, run_id: &str) -> Arc<Lease> {
        let folders = TABLES.map(|table| staged_path(table, run_id)).to_vec();
        let lease = Lease::take(&self.output, run_id, folders).await;
        Arc::new(lease.expect("a lease"))
    }

    async fn begin(&self, lease: &Arc<Lease>) -> Publication {
        let begun = Publication::begin(lease, "ledger", TABLES).await;
        begun.expect("a publication")
    }

    /// Stages a number and commits it.
    async fn commit(
        &self,
        publication: &Publication,
        lease: &Lease,
        table: &str,
        number: i64,
    ) -> Result<u64, LakeError> {
        let staged = self.stage(lease.run_id(), table, number).await;
        let note = CommitNote {
            date: DATE.to_owned(),
            metadata: std::collections::HashMap::new(),
        };
        publication.replace_date(table, &staged, &note).await
    }

    async fn stage(&self, run_id: &str, table: &str, number: i64) -> Staged {
        let context = SessionContext::new();
        let frame = context
            .sql(&format!("select {number} as number"))
            .await
            .expect("a query");
        let task = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await.expect("a plan");
        let folder = self.output.child(&staged_path(table, run_id));
        let written = staging::write(&LocalEngine, plan, task, &folder, |_| {}).await;
        written.expect("a staged file").staged(folder)
    }

    async fn publish(&self, run_id: &str, number: i64) {
        let lease = self.lease(run_id).await;
        let publication = self.begin(&lease).await;
        for table in TABLES {
            let done = self.commit(&publication, &lease, table, number).await;
            done.expect("a commit");
        }
        publication.finish().await.expect("closed");
        lease.release().await.expect("released");
    }

    /// What the newest version of each table holds.
    async fn numbers(&self) -> Vec<Option<i64>> {
        let mut numbers = Vec::new();
        for table in TABLES {
            numbers.push(self.number(table).await);
        }
        numbers
    }

    async fn number(&self, table: &str) -> Option<i64> {
        let folder = self.output.child(table);
        let version = DeltaVersion::open(&folder, None).await.expect("a log")?;
        let provider = Arc::new(version.table().expect("a table"));
        let context = SessionContext::new();
        let frame = context.read_table(provider).expect("a table");
        let batches = frame.collect().await.expect("rows");
        let column = batches.iter().find(|batch| batch.num_rows() > 0)?.column(0);
        let column = datafusion::arrow::array::AsArray::as_primitive::<
            datafusion::arrow::datatypes::Int64Type,
        >(column);
        assert_eq!(column.len(), 1, "{table} has one row");
        Some(column.value(0))
    }

    /// Lets others believe that a run's process has ended.
    fn kill(&self, run_id: &str) {
        let path = self
            .folder
            .path()
            .join(format!("lake/_loyalake/runs/{run_id}.json"));
        let text = std::fs::read_to_string(&path).expect("a lease");
        let id = format!("\"id\":{}", std::process::id());
        assert!(text.contains(&id), "{text}");
        std::fs::write(&path, text.replace(&id, "\"id\":4194303")).expect("a lease");
    }

    async fn recover(&self, run_id: &str) -> Vec<String> {
        let lease = self.lease(run_id).await;
        let scratch = locate(self.folder.path(), "scratch");
        let swept = recover(&lease, &scratch).await.expect("recovery");
        lease.release().await.expect("released");
        swept
    }

    fn has(&self, path: &str) -> bool {
        self.folder.path().join("lake").join(path).exists()
    }
}

fn locate(base: &Path, name: &str) -> Location {
    let located = Storage::default().locate(name, base, &RuntimeEnv::default());
    located.expect("a location")
}

fn staged_path(table: &str, run_id: &str) -> String {
    format!("{table}/as_of_date={DATE}/{run_id}")
}

#[tokio::test]
async fn what_a_dead_run_had_committed_is_taken_back() {
    let lake = Lake::new();
    lake.publish("first", 1).await;
    for committed in 0..TABLES.len() {
        let run_id = format!("dead-{committed}");
        let lease = lake.lease(&run_id).await;
        let publication = lake.begin(&lease).await;
        for table in TABLES.iter().take(committed) {
            let done = lake.commit(&publication, &lease, table, 2).await;
            done.expect("a commit");
        }
        lake.kill(&run_id);
        assert_eq!(lake.recover("healer").await, [run_id.as_str()]);
        assert_eq!(
            lake.numbers().await,
            [Some(1); 3],
            "after {committed} commits"
        );
        assert!(!lake.has(&staged_path("one", &run_id)));
    }
    lake.publish("last", 3).await;
    assert_eq!(lake.numbers().await, [Some(3); 3]);
}

#[tokio::test]
async fn logs_are_summed_up_after_ten_commits() {
    let lake = Lake::new();
    let checkpoint = "one/_delta_log/00000000000000000009.checkpoint.parquet";
    for number in 1..=11 {
        assert_eq!(lake.has(checkpoint), number > 10, "before commit {number}");
        lake.publish(&format!("run-{number}"), number).await;
    }
    assert_eq!(lake.numbers().await, [Some(11); 3]);
}

#[tokio::test]
async fn a_run_that_died_after_its_last_commit_was_complete() {
    let lake = Lake::new();
    lake.publish("first", 1).await;
    let lease = lake.lease("second").await;
    let publication = lake.begin(&lease).await;
    for table in TABLES {
        let done = lake.commit(&publication, &lease, table, 2).await;
        done.expect("a commit");
    }
    lake.kill("second");
    lake.recover("healer").await;
    assert_eq!(lake.numbers().await, [Some(2); 3]);
    assert!(
        lake.has(&staged_path("one", "second")),
        "its files are in use"
    );
    assert!(!lake.has("_loyalake/runs/second.json"));
}

#[tokio::test]
async fn a_run_that_has_published_protects_no_files_by_its_lease() {
    let lake = Lake::new();
    let lease = lake.lease("first").await;
    let claimed = async || claimed_runs(&lake.output).await.expect("leases");
    let publication = lake.begin(&lease).await;
    for table in TABLES {
        let done = lake.commit(&publication, &lease, table, 1).await;
        done.expect("a commit");
    }
    assert_eq!(claimed().await.len(), 1);
    publication.finish().await.expect("an end");
    assert!(claimed().await.is_empty(), "its reports may take long");
}

#[tokio::test]
async fn a_first_run_that_died_leaves_empty_tables() {
    let lake = Lake::new();
    let lease = lake.lease("first").await;
    let publication = lake.begin(&lease).await;
    let done = lake.commit(&publication, &lease, "one", 1).await;
    done.expect("a commit");
    lake.kill("first");
    lake.recover("healer").await;
    assert_eq!(lake.numbers().await, [None; 3]);
}

#[tokio::test]
async fn a_run_that_wakes_up_after_it_was_settled_commits_nothing() {
    let lake = Lake::new();
    lake.publish("first", 1).await;
    let lease = lake.lease("sleeper").await;
    let publication = lake.begin(&lease).await;
    let done = lake.commit(&publication, &lease, "one", 2).await;
    done.expect("a commit");
    lake.kill("sleeper");
    lake.recover("healer").await;
    for table in TABLES {
        let late = lake.commit(&publication, &lease, table, 2).await;
        assert!(matches!(late, Err(LakeError::Fenced { .. })), "{late:?}");
    }
    assert_eq!(lake.numbers().await, [Some(1); 3]);
    let begun = Publication::begin(&lease, "ledger", TABLES).await;
    assert!(
        matches!(begun, Err(LakeError::TakenForDead { .. })),
        "{begun:?}"
    );
    lake.publish("last", 3).await;
    assert_eq!(lake.numbers().await, [Some(3); 3]);
}

#[tokio::test]
async fn a_commit_that_is_tried_twice_is_made_once() {
    let lake = Lake::new();
    let lease = lake.lease("first").await;
    let publication = lake.begin(&lease).await;
    let once = lake.commit(&publication, &lease, "one", 1).await;
    let twice = lake.commit(&publication, &lease, "one", 1).await;
    assert_eq!(once.expect("a commit"), twice.expect("the same commit"));
    assert_eq!(lake.number("one").await, Some(1));
}

#[tokio::test]
async fn an_abandoned_publication_is_undone_or_complete() {
    let lake = Lake::new();
    lake.publish("first", 1).await;
    for (committed, outcome) in [(1, Outcome::Undone), (3, Outcome::Complete)] {
        let lease = lake.lease(&format!("run-{committed}")).await;
        let publication = lake.begin(&lease).await;
        for table in TABLES.iter().take(committed) {
            let done = lake.commit(&publication, &lease, table, 2).await;
            done.expect("a commit");
        }
        assert_eq!(publication.abandon().await.expect("an outcome"), outcome);
        lease.release().await.expect("released");
    }
    assert_eq!(lake.numbers().await, [Some(2); 3]);
}

#[tokio::test]
async fn publications_wait_for_each_other() {
    let lake = Lake::new();
    let lease = lake.lease("first").await;
    let publication = lake.begin(&lease).await;
    let other = lake.lease("second").await;
    let second = tokio::spawn(async move { Publication::begin(&other, "ledger", TABLES).await });
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(!second.is_finished(), "it waits");
    publication.finish().await.expect("closed");
    let second = second.await.expect("no panic");
    second
        .expect("a publication")
        .finish()
        .await
        .expect("closed");
}

#[tokio::test]
async fn files_of_live_runs_stay() {
    let lake = Lake::new();
    let lease = lake.lease("live").await;
    lake.stage("live", "one", 1).await;
    assert!(lake.recover("other").await.is_empty());
    assert!(lake.has(&staged_path("one", "live")));
    lake.kill("live");
    assert_eq!(lake.recover("other").await, ["live"]);
    assert!(!lake.has(&staged_path("one", "live")));
    drop(lease);
}
