//! Staged rows that are divided among files by a key: who joins or groups by the key reads each
//! file as it is.

use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::{collect, displayable};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use loyalake_lake::staging::{self, Staged};
use loyalake_lake::{LocalEngine, Storage};
use tempfile::TempDir;

/// Customers with integer keys and with text keys, some of them too long for a view to hold.
const KEYS: [&str; 2] = [
    "i * 7919 % 5003",
    "repeat('c', cast(i % 29 as int)) || arrow_cast(i * 7919 % 5003, 'Utf8View')",
];

/// Reads two relations that are divided by their keys.
const READERS: [&str; 3] = [
    "select count(*), sum(one.v), sum(two.n) from one inner join two on one.k = two.k",
    "select count(*), sum(v) from (select k, max(v) as v from one group by k)",
    "select count(*), sum(one.v), count(two.k) from two right join one
        on two.k = one.k and two.n > 3 where one.k is not null",
];

fn session(partitions: usize) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions);
    let optimizer = &mut config.options_mut().optimizer;
    // as if the tables were large
    optimizer.hash_join_single_partition_threshold = 0;
    optimizer.hash_join_single_partition_threshold_rows = 0;
    SessionContext::new_with_config(config)
}

async fn frame(context: &SessionContext, sql: &str) -> DataFrame {
    context.sql(sql).await.expect("a query")
}

async fn stage(context: &SessionContext, folder: &TempDir, name: &str, sql: &str) -> Staged {
    let place = Storage::default().locate(name, folder.path(), &RuntimeEnv::default());
    let place = place.expect("a place");
    let frame = frame(context, sql).await;
    let task = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.expect("a plan");
    let written = staging::write(&LocalEngine, plan, task, &place, |_| {}).await;
    written.expect("files").staged(place)
}

/// The answer, and whether rows were divided for it.
async fn read(context: &SessionContext, sql: &str) -> (String, bool) {
    let frame = frame(context, sql).await;
    let task = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.expect("a plan");
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    let rows = collect(plan, task).await.expect("rows");
    let rows = pretty_format_batches(&rows).expect("a table").to_string();
    (rows, shown.contains("RepartitionExec: partitioning=Hash"))
}

#[tokio::test]
async fn joins_and_groups_by_the_key_leave_rows_where_they_are() {
    for key in KEYS {
        let relations = [
            (
                "one",
                format!("select {key} as k, sum(i) as v from t group by k"),
            ),
            (
                "two",
                format!("select {key} as k, count(*) as n from t where i < 9000 group by k"),
            ),
        ];
        let numbers = "create view t as select value as i from generate_series(0, 19999)";
        let (folder, three, two) = (TempDir::new().expect("a folder"), session(3), session(2));
        let reference = session(1);
        for context in [&three, &reference] {
            frame(context, numbers).await;
        }
        for (name, sql) in &relations {
            let staged = stage(&three, &folder, name, sql).await;
            assert_eq!(staged.divided_by, Some(0));
            for context in [&three, &two] {
                let table = Arc::new(staged.table().expect("a table"));
                context.register_table(*name, table).expect("a name");
            }
            frame(&reference, &format!("create view {name} as {sql}")).await;
        }
        for reader in READERS {
            let (expected, _) = read(&reference, reader).await;
            let (rows, is_divided) = read(&three, reader).await;
            assert_eq!(rows, expected, "{key}: {reader}");
            assert!(!is_divided, "{key}: {reader}");
            // other partitions than there are files
            let (rows, is_divided) = read(&two, reader).await;
            assert_eq!(rows, expected, "{key}: {reader}");
            assert!(is_divided, "{key}: {reader}");
        }
    }
}

#[tokio::test]
async fn few_keys_divide_nothing() {
    let (folder, context) = (TempDir::new().expect("a folder"), session(3));
    let numbers = "create view t as select value as i from generate_series(0, 19999)";
    frame(&context, numbers).await;
    let keys = ["i % 2", "case when i % 50 = 0 then i else 7 end"];
    for (place, key) in keys.iter().enumerate() {
        let sql = format!(
            "select t.i as v, small.k from (select {key} as k from t group by k) as small
                inner join t on small.k = ({key})"
        );
        let staged = stage(&context, &folder, &place.to_string(), &sql).await;
        assert_eq!(staged.rows(), 20_000, "{key}");
        assert_eq!(staged.divided_by, None, "{key}");
    }
}
