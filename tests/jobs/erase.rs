//! Erasing customers: out of every table, date and file, and out of later runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use loyalake_jobs::housekeeping::erase::{Erased, erase};
use loyalake_jobs::housekeeping::rollback::rollback;
use loyalake_jobs::run::{Event, Step};
use loyalake_jobs::{Config, JobsError, Observer, Project, RunOptions, run};
use loyalake_lake::erasure::Receipt;

use crate::housekeeping::{history, lake, orders, parquet_files, shop};
use crate::shop::{Shop, date};

/// Says to the test `an_erasure_for_others_to_kill` whom to erase, and from which project.
const CONFIG: &str = "LOYALAKE_TEST_CONFIG";
const CUSTOMER: &str = "LOYALAKE_TEST_CUSTOMER";

async fn erased(shop: &Shop, ids: &[&str]) -> Erased {
    let ids: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    let done = erase(&shop.project().expect("a project"), &ids, false).await;
    done.unwrap_or_else(|error| panic!("erase failed: {error}"))
}

/// Tables with a row for each customer.
const OF_CUSTOMERS: [&str; 8] = [
    "customer_metrics",
    "customer_ltv",
    "customer_rfm",
    "customer_segments",
    "loyalty_scores",
    "loyalty_score_components",
    "customer_satisfaction",
    "customer_referrals",
];

/// Customers in every file of these tables, those among them that no version names.
async fn customers_in_files(shop: &Shop) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for table in OF_CUSTOMERS {
        for file in parquet_files(shop, table) {
            let sql = format!("select distinct customer_id from '{}'", file.display());
            found.extend(shop.query(&sql).await);
        }
    }
    found
}

#[tokio::test]
async fn a_customer_leaves_every_table_date_and_file() {
    let shop = shop().await;
    shop.run("2024-03-20").await;
    shop.run("2024-04-20").await;
    shop.run("2024-04-20").await;
    let segments = "select * from history.segment_ltv order by as_of_date, 1, 2";
    let figures = shop.query(segments).await;
    let others = "select * from history.customer_ltv where customer_id != 3
        order by as_of_date, customer_id";
    let before = shop.query(others).await;
    let receipt = erased(&shop, &["3"]).await.receipts.remove(0);

    assert!(!customers_in_files(&shop).await.contains("3"));
    assert_eq!(customers_in_files(&shop).await.len(), 6);
    assert_eq!(shop.query(others).await, before);
    assert_eq!(shop.query(segments).await, figures, "figures of many stay");
    for table in OF_CUSTOMERS {
        let rows = receipt.rows.iter().filter(|rows| rows.table == table);
        let dates: Vec<String> = rows.map(|rows| rows.as_of_date.to_string()).collect();
        assert_eq!(dates, ["2024-03-20", "2024-04-20"], "{table}");
    }
    let tables = receipt.rows.iter().map(|rows| rows.table.as_str());
    assert_eq!(tables.collect::<BTreeSet<_>>().len(), OF_CUSTOMERS.len());
    let metrics = receipt
        .rows
        .iter()
        .find(|rows| rows.table == "customer_metrics");
    assert_eq!(metrics.map(|rows| rows.rows), Some(1));
    assert!(receipt.finished_at.is_some() && receipt.files_deleted > 0);
    let named = "select distinct entry['rows'] from
        (select unnest(tables) as entry from history.runs)
        where entry['name'] = 'customer_metrics'";
    assert_eq!(
        shop.query(named).await,
        ["6"],
        "the ledger counts what is there"
    );
    let kept = Receipt::read_all(&lake(&shop)).await.expect("receipts");
    assert_eq!(kept, [receipt]);
}

#[tokio::test]
async fn later_runs_leave_erased_customers_out_and_say_so() {
    let mut shop = Shop::new();
    orders(&mut shop, "'c' || (value % 7)").await;
    shop.given(
        "customers",
        "select 'c' || value as customer_id, value = 2 as is_test from generate_series(0, 6)",
    )
    .await;
    shop.run("2024-04-20").await;
    erased(&shop, &["c3", "c2"]).await;
    let report = shop.run("2024-04-21").await;
    let customers = "select distinct customer_id from customer_metrics order by 1";
    assert_eq!(shop.query(customers).await, ["c0", "c1", "c4", "c5", "c6"]);
    let warnings = shop
        .query("select array_to_string(warnings, '; ') from runs")
        .await
        .concat();
    assert!(
        warnings.contains("customers: 2 rows not counted, erased"),
        "{warnings}"
    );
    assert!(
        warnings.contains("orders: 29 rows not counted, erased"),
        "{warnings}"
    );
    assert_eq!(
        report
            .audits
            .iter()
            .filter(|audit| audit.offending_rows > 0)
            .count(),
        0
    );
    assert!(!customers_in_files(&shop).await.contains("c3"));
}

#[tokio::test]
async fn a_customer_leaves_the_quarantine_and_does_not_return_to_it() {
    let mut shop = shop().await;
    shop.parameter("max_quarantined_share = 1.0");
    shop.given(
        "customers",
        "select value as customer_id,
            arrow_cast(case when value = 3 then 1e11 else 1.7e9 end, 'Timestamp(Second, None)')
                as created_at
         from generate_series(0, 6)",
    )
    .await;
    shop.run("2024-04-20").await;
    let quarantined = "select row_key from history.quarantine where source = 'customers'";
    assert_eq!(shop.query(quarantined).await, ["3"]);
    erased(&shop, &["3"]).await;
    assert_eq!(shop.query(quarantined).await, Vec::<String>::new());
    shop.run("2024-04-21").await;
    assert_eq!(shop.query(quarantined).await, Vec::<String>::new());
}

#[tokio::test]
async fn published_warnings_name_no_customer() {
    let mut shop = Shop::new();
    let costs = "select 'o1' as order_id, 'c3' as customer_id, 'paid' as status,
        10.0 as gross_amount, -5.0 as cost_amount, now() as ordered_at";
    shop.given(
        "orders",
        &costs.replace("now()", "timestamp '2024-03-01T00:00:00'"),
    )
    .await;
    let report = shop.run("2024-04-20").await;
    let warning = report.warnings.concat();
    assert!(warning.contains("margin_rate_in_range: 1 row"), "{warning}");
    assert!(!warning.contains("c3"), "{warning}");
    assert_eq!(
        shop.query("select count(*) from audit_results where example like '%c3%'")
            .await,
        ["0"]
    );
}

#[tokio::test]
async fn an_id_that_is_nowhere_is_recorded_and_changes_nothing() {
    let shop = shop().await;
    erased(&shop, &["nobody"]).await;
    shop.run("2024-04-20").await;
    // what is kept for later runs goes: its customers need not be in any table
    let kept = |file: &PathBuf| file.components().any(|part| part.as_os_str() == "kept");
    let tables = |mut files: Vec<PathBuf>| {
        files.retain(|file| !kept(file));
        files
    };
    let before = (history(&shop).await, tables(parquet_files(&shop, "")));
    let receipt = erased(&shop, &["somebody else"]).await.receipts.remove(0);
    assert!(receipt.rows.is_empty() && receipt.finished_at.is_some());
    let after = parquet_files(&shop, "");
    assert!(!after.iter().any(kept), "{after:?}");
    assert_eq!((history(&shop).await, after), before);
    let kept = Receipt::read_all(&lake(&shop)).await.expect("receipts");
    assert_eq!(kept.len(), 2);
}

#[tokio::test]
async fn a_dry_run_counts_and_erases_nothing() {
    let shop = shop().await;
    shop.run("2024-04-20").await;
    let before = (history(&shop).await, parquet_files(&shop, ""));
    let ids = BTreeSet::from(["3".to_owned()]);
    let told = erase(&shop.project().expect("a project"), &ids, true).await;
    let told = told.expect("counts").receipts.remove(0);
    assert_eq!((history(&shop).await, parquet_files(&shop, "")), before);
    let kept = Receipt::read_all(&lake(&shop)).await.expect("receipts");
    assert_eq!(kept, []);
    let done = erased(&shop, &["3"]).await.receipts.remove(0);
    assert_eq!(told.rows, done.rows);
}

#[tokio::test]
async fn nobody_goes_back_behind_an_erasure() {
    let shop = shop().await;
    let first = shop.run("2024-03-20").await.run_id;
    let receipt = erased(&shop, &["3"]).await.receipts.remove(0);
    shop.run("2024-04-20").await;
    let project = shop.project().expect("a project");
    let error = rollback(&project, &first, false)
        .await
        .expect_err("rows are erased");
    assert!(
        error
            .to_string()
            .contains(&format!("erasure {}", receipt.receipt_id)),
        "{error}"
    );
}

#[tokio::test]
async fn an_interrupted_erasure_holds_for_runs_and_is_finished_by_the_next() {
    let shop = shop().await;
    let first = shop.run("2024-03-20").await.run_id;
    let mut open = erased(&shop, &["nobody"]).await.receipts.remove(0);
    open.finished_at = None;
    open.customer_ids = BTreeSet::from(["3".to_owned()]);
    open.write(&lake(&shop)).await.expect("a receipt");

    shop.run("2024-04-20").await;
    let customers = "select count(*) from customer_metrics where customer_id = 3";
    assert_eq!(shop.query(customers).await, ["0"]);
    let project = shop.project().expect("a project");
    let error = rollback(&project, &first, false)
        .await
        .expect_err("it is not finished");
    assert!(
        matches!(error, JobsError::UnfinishedErasure { .. }),
        "{error}"
    );
    let done = erased(&shop, &["3"]).await.receipts;
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].receipt_id, open.receipt_id);
    assert!(done[0].finished_at.is_some());
    assert!(!customers_in_files(&shop).await.contains("3"));
    assert!(erased(&shop, &[]).await.receipts.is_empty());
}

#[tokio::test]
#[ignore = "it is killed by the test below"]
async fn an_erasure_for_others_to_kill() {
    let config = std::env::var(CONFIG).expect("a config");
    let project = Config::read(Path::new(&config)).and_then(Project::open);
    let ids = BTreeSet::from([std::env::var(CUSTOMER).expect("a customer")]);
    let done = erase(&project.expect("a project"), &ids, false).await;
    done.expect("erased");
}

/// Begins to erase a customer in another process.
fn begin(shop: &Shop, customer: usize) -> Child {
    Command::new(std::env::current_exe().expect("a path"))
        .args([
            "--ignored",
            "--exact",
            "erase::an_erasure_for_others_to_kill",
        ])
        .env(CONFIG, shop.path().join("lake.toml"))
        .env(CUSTOMER, customer.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process")
}

#[tokio::test]
async fn a_killed_erasure_is_there_or_not_and_is_finished_by_the_next() {
    let shop = shop().await;
    shop.save_config();
    for date in ["2024-03-20", "2024-04-20"] {
        shop.run(date).await;
    }
    let started = Instant::now();
    let whole = begin(&shop, 0).wait().expect("it ends");
    assert!(whole.success());
    let duration = started.elapsed();
    let mut killed = 0;
    for customer in 1..7 {
        let mut other = begin(&shop, customer);
        std::thread::sleep(duration / 7 * u32::try_from(customer).expect("a small number"));
        other.kill().expect("it can be killed");
        killed += usize::from(other.wait().expect("it ends").code().is_none());
        let mut dates = BTreeSet::new();
        for table in OF_CUSTOMERS {
            let sql = format!(
                "select count(distinct as_of_date) from history.{table}
                 where customer_id = {customer}"
            );
            dates.extend(shop.query(&sql).await);
        }
        assert_eq!(
            dates.len(),
            1,
            "customer {customer} is there or not: {dates:?}"
        );
        erased(&shop, &[&customer.to_string()]).await;
        assert!(
            !customers_in_files(&shop)
                .await
                .contains(&customer.to_string())
        );
    }
    assert!(killed > 2, "only {killed} were killed");
}

/// Erases a customer when a run is about to publish.
struct ErasedMeanwhile {
    config: PathBuf,
}

impl Observer for ErasedMeanwhile {
    fn event(&self, event: Event<'_>) {
        if !matches!(event, Event::Reached(Step::Audited)) {
            return;
        }
        let config = self.config.clone();
        let other = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let project = Config::read(&config)
                .and_then(Project::open)
                .expect("a project");
            let ids = BTreeSet::from(["3".to_owned()]);
            runtime
                .block_on(erase(&project, &ids, false))
                .expect("erased");
        });
        other.join().expect("the other command ends");
    }
}

#[tokio::test]
async fn a_run_that_read_an_erased_customer_publishes_nothing() {
    let shop = shop().await;
    shop.run("2024-04-20").await;
    shop.save_config();
    let observer = ErasedMeanwhile {
        config: shop.path().join("lake.toml"),
    };
    let options = RunOptions {
        as_of_date: date("2024-04-21"),
        select: Vec::new(),
        full_refresh: false,
    };
    let project = shop.project().expect("a project");
    let error = run(&project, &options, Arc::new(observer))
        .await
        .expect_err("it is too late");
    assert!(matches!(error, JobsError::ErasedMeanwhile), "{error}");
    assert!(!customers_in_files(&shop).await.contains("3"));
    shop.run("2024-04-21").await;
    assert!(!customers_in_files(&shop).await.contains("3"));
}
