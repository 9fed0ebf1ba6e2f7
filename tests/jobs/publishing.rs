//! What a run leaves in the lake: all of it, once, or nothing.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::runtime_env::RuntimeEnv;
use loyalake_jobs::{RunOptions, run};
use loyalake_lake::delta::DeltaVersion;
use loyalake_lake::{Location, Storage};

use crate::shop::{Shop, Silent, date};

async fn shop() -> Shop {
    let mut shop = Shop::new();
    shop.given(
        "orders",
        "select 'o' || value as order_id, value % 7 as customer_id, 'paid' as status,
            cast(value as double) as gross_amount,
            arrow_cast(1704067200 + value * 86400, 'Timestamp(Second, None)') as ordered_at
         from generate_series(1, 100)",
    )
    .await;
    shop
}

const TABLES: [&str; 22] = [
    "customer_metrics",
    "customer_ltv",
    "customer_rfm",
    "loyalty_scores",
    "loyalty_score_components",
    "customer_segments",
    "segment_ltv",
    "segment_labels",
    "cohort_ltv",
    "customer_satisfaction",
    "feedback_summary",
    "customer_referrals",
    "acquisition_economics",
    "loyalty_value",
    "score_cuts",
    "contract_ltv",
    "retention_curve",
    "model_fits",
    "model_evaluation",
    "model_calibration",
    "quarantine",
    "audit_results",
];

/// Rows of a table whose key is two columns, and what the run says of it.
async fn run_with_pairs(pairs: &str) -> Result<(), String> {
    let shop = shop().await;
    let sql = format!(
        "-- own: pairs.\n-- grain: one, other\n\
         select column1 as one, column2 as other from (values {pairs})"
    );
    shop.file("marts/own.sql", &sql);
    let done = shop.try_run("2024-04-20").await;
    done.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_key_of_two_columns_is_there_once() {
    let done = run_with_pairs("(1, 'a'), (1, 'b'), (2, 'b'), (3, 'a')").await;
    assert_eq!(done, Ok(()));
    // as often as there are values, and one of them missing
    let refused = run_with_pairs("(1, 'a'), (1, 'b'), (2, 'b'), (2, 'b')").await;
    let refused = refused.expect_err("a key twice");
    let expected = "own__unique_grain: 1 row, first: one 2, other b, rows 2";
    assert!(refused.contains(expected), "{refused}");
    let refused = run_with_pairs("(1, 'a'), (1, null)").await;
    let refused = refused.expect_err("a key without a value");
    assert!(refused.contains("own__keys_not_null: 1 row"), "{refused}");
    let many: Vec<String> = (0..40).map(|other| format!("(1, 'o{other}')")).collect();
    assert_eq!(run_with_pairs(&many.join(", ")).await, Ok(()));
    let refused = run_with_pairs(&format!("{}, (1, 'o39')", many.join(", "))).await;
    assert!(refused.is_err_and(|error| error.contains("other o39, rows 2")));
}

#[tokio::test]
async fn a_second_run_of_a_date_gives_the_same_rows_once() {
    let shop = shop().await;
    let report = shop.run("2024-04-20").await;
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert!(
        report
            .summaries
            .iter()
            .all(|summary| !summary.batches.is_empty())
    );
    assert_eq!(report.summaries.len(), 4);
    let mut before = Vec::new();
    for table in TABLES {
        before.push(
            shop.query(&format!(
                "select * exclude (run_id) from {table} order by 1, 2"
            ))
            .await,
        );
    }
    shop.run("2024-04-20").await;
    for (table, before) in TABLES.iter().zip(before) {
        let after = shop
            .query(&format!(
                "select * exclude (run_id) from {table} order by 1, 2"
            ))
            .await;
        assert_eq!(before, after, "{table}");
    }
    assert_eq!(shop.query("select count(*) from history.runs").await, ["1"]);
}

#[tokio::test]
async fn each_date_keeps_its_rows_and_latest_shows_the_newest() {
    let shop = shop().await;
    shop.run("2024-04-20").await;
    shop.run("2024-03-20").await;
    let dates = "select distinct as_of_date from history.customer_ltv order by 1";
    assert_eq!(shop.query(dates).await, ["2024-03-20", "2024-04-20"]);
    let latest = "select distinct as_of_date from customer_ltv";
    assert_eq!(shop.query(latest).await, ["2024-04-20"]);
}

#[tokio::test]
async fn a_failed_audit_leaves_the_lake_as_it_was() {
    let shop = shop().await;
    shop.run("2024-04-20").await;
    let versions = "select count(*), max(run_id) from history.customer_metrics";
    let before = shop.query(versions).await;
    shop.file(
        "audits/customer_metrics__nobody.sql",
        "-- customer_metrics__nobody: nobody may buy.\n-- table: customer_metrics\n\
         -- severity: error\n-- inputs: customer_metrics\n-- params: none\n\
         select customer_id from customer_metrics\n",
    );
    let error = shop
        .try_run("2024-04-21")
        .await
        .expect_err("the audit fails");
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(
        error
            .to_string()
            .contains("customer_metrics__nobody: 7 rows, first: customer_id"),
        "{error}"
    );
    assert_eq!(shop.query(versions).await, before);
    let files = walk(&shop.path().join("lake"));
    assert!(
        !files.iter().any(|file| file.contains("2024-04-21")),
        "no file of the failed run: {files:?}"
    );
    assert!(
        !shop.path().join("lake_scratch").exists()
            || walk(&shop.path().join("lake_scratch")).is_empty()
    );
}

#[tokio::test]
async fn a_run_that_another_one_overtook_publishes_nothing() {
    let shop = shop().await;
    let (one, two) = tokio::join!(shop.try_run("2024-04-20"), shop.try_run("2024-04-20"));
    let lost = [&one, &two]
        .into_iter()
        .filter_map(|run| run.as_ref().err())
        .collect::<Vec<_>>();
    assert!(lost.len() <= 1, "one of two runs wins: {lost:?}");
    for error in lost {
        assert!(
            error.to_string().contains("while this run was working"),
            "{error}"
        );
    }
    let rows = shop
        .query("select count(*), count(distinct run_id) from history.customer_metrics")
        .await;
    assert_eq!(rows, ["7 1"]);
}

#[tokio::test]
async fn selected_tables_are_published_alone_and_others_stay() {
    let shop = shop().await;
    shop.run("2024-04-20").await;
    let project = shop.project().expect("a project");
    let options = RunOptions {
        as_of_date: date("2024-04-20"),
        select: vec!["customer_rfm".to_owned()],
        full_refresh: false,
    };
    let report = run(&project, &options, Arc::new(Silent))
        .await
        .expect("a run");
    let runs = shop.query("select distinct run_id from customer_rfm").await;
    assert_eq!(runs, [report.run_id]);
    assert_eq!(
        shop.query("select count(*) from customer_metrics").await,
        ["7"]
    );
}

/// Paths of all files below a folder.
fn walk(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files.extend(walk(&entry.path()));
        } else {
            files.push(entry.path().display().to_string());
        }
    }
    files
}

#[tokio::test]
async fn a_failure_between_commits_takes_the_earlier_ones_back() {
    let shop = shop().await;
    let first = shop.run("2024-04-20").await;
    // a column that changes its type is found when the table is committed, after others
    let text = std::fs::read_to_string("../sql/marts/model_calibration.sql").expect("our file");
    let changed = text.replace("cast(customers as bigint)", "cast(customers as double)");
    assert_ne!(text, changed);
    shop.file("marts/model_calibration.sql", &changed);
    let error = shop
        .try_run("2024-04-20")
        .await
        .expect_err("it can't be committed")
        .to_string();
    assert!(
        error.contains("table 'model_calibration': column 'customers'"),
        "{error}"
    );
    for table in ["audit_results", "customer_metrics", "runs"] {
        let folder = Storage::default()
            .locate(table, &shop.path().join("lake"), &RuntimeEnv::default())
            .expect("a table");
        let files = open(&folder).await.files().expect("files");
        assert!(!files.is_empty(), "{table}");
        for file in files {
            let path = file.meta.location.as_ref();
            assert!(path.contains(&first.run_id), "{path}");
        }
    }
    let runs = shop
        .query("select distinct run_id from customer_metrics")
        .await;
    assert_eq!(runs, [first.run_id], "readers see the first run");
}

async fn open(folder: &Location) -> DeltaVersion {
    DeltaVersion::open(folder, None)
        .await
        .expect("a log")
        .expect("a table")
}
