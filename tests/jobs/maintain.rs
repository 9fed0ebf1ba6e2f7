//! Maintenance: fewer files, the same rows, and nothing deleted that somebody may need.

use std::time::{Duration, SystemTime};

use loyalake_jobs::housekeeping::maintain::{MaintainOptions, Maintained, maintain};
use loyalake_lake::Lease;

use crate::housekeeping::{TABLES, history, lake, newest, parquet_files, shop};
use crate::shop::Shop;

fn options() -> MaintainOptions {
    MaintainOptions {
        keep_days: None,
        retention_hours: 168,
        dry_run: false,
    }
}

async fn maintained(shop: &Shop, options: &MaintainOptions) -> Maintained {
    let project = shop.project().expect("a project");
    let done = maintain(&project, options).await;
    done.unwrap_or_else(|error| panic!("maintain failed: {error}"))
}

/// Numbers of files: merged, written, deleted.
fn counts(done: &Maintained) -> (usize, usize, usize) {
    let sum = |count: fn(&loyalake_jobs::housekeeping::maintain::MaintainedTable) -> usize| {
        done.tables.iter().map(count).sum()
    };
    (
        sum(|table| table.files_merged),
        sum(|table| table.files_written),
        sum(|table| table.files_deleted),
    )
}

#[tokio::test]
async fn each_date_of_a_table_becomes_one_file_with_the_same_rows() {
    let shop = shop().await;
    shop.run("2024-03-20").await;
    shop.run("2024-04-20").await;
    let before = history(&shop).await;
    let (merged, written, deleted) = counts(&maintained(&shop, &options()).await);
    assert!(
        merged > written && written > 0,
        "{merged} files became {written}"
    );
    assert_eq!(deleted, 0, "replaced files stay for the retention");
    assert_eq!(history(&shop).await, before);
    for table in TABLES {
        let version = newest(&shop, table).await;
        let files = version.files().expect("files");
        assert_eq!(files.len(), 2, "{table} has one file for each date");
        assert!(version.has_checkpoint().await.expect("a log"), "{table}");
        let named = shop
            .query(&format!(
                "select distinct entry['version'] from
                    (select unnest(tables) as entry from history.runs)
                 where entry['name'] = '{table}'"
            ))
            .await;
        assert_eq!(named, [version.version().to_string()], "{table}");
    }
    let again = maintained(&shop, &options()).await;
    assert_eq!(counts(&again), (0, 0, 0), "nothing is left to do");
    shop.run("2024-04-20").await;
    assert_eq!(
        shop.query("select count(*) from customer_metrics").await,
        ["7"]
    );
}

#[tokio::test]
async fn a_dry_run_tells_what_is_done_and_does_nothing() {
    let shop = shop().await;
    shop.run("2024-02-20").await;
    shop.run("2024-04-20").await;
    let now = MaintainOptions {
        keep_days: Some(30),
        retention_hours: 0,
        dry_run: true,
    };
    let files = parquet_files(&shop, "");
    let (rows, told) = (history(&shop).await, maintained(&shop, &now).await);
    assert_eq!(parquet_files(&shop, ""), files);
    assert_eq!(history(&shop).await, rows);
    let ledger_version = newest(&shop, "runs").await.version();
    assert_eq!(ledger_version, 1, "two runs, and no other commit");
    let now = MaintainOptions {
        dry_run: false,
        ..now
    };
    let done = maintained(&shop, &now).await;
    assert_eq!(told.dropped_dates, done.dropped_dates);
    let without_ledger = |done: &Maintained| -> Vec<String> {
        let tables = done.tables.iter().filter(|table| table.name != "runs");
        tables.map(|table| format!("{table:?}")).collect()
    };
    assert_eq!(without_ledger(&told), without_ledger(&done));
}

#[tokio::test]
async fn dates_beyond_keep_days_are_dropped() {
    let shop = shop().await;
    for date in ["2024-02-20", "2024-03-21", "2024-04-20"] {
        shop.run(date).await;
    }
    let options = MaintainOptions {
        keep_days: Some(30),
        ..options()
    };
    let done = maintained(&shop, &options).await;
    let dropped: Vec<String> = done.dropped_dates.iter().map(ToString::to_string).collect();
    assert_eq!(dropped, ["2024-02-20"]);
    for table in ["customer_metrics", "segment_ltv", "runs"] {
        let dates = format!("select distinct as_of_date from history.{table} order by 1");
        assert_eq!(
            shop.query(&dates).await,
            ["2024-03-21", "2024-04-20"],
            "{table}"
        );
    }
}

#[tokio::test]
async fn replaced_files_go_when_the_retention_is_over() {
    let shop = shop().await;
    shop.run("2024-04-20").await;
    let first = parquet_files(&shop, "customer_metrics");
    shop.run("2024-04-20").await;
    maintained(&shop, &options()).await;
    let there = parquet_files(&shop, "customer_metrics");
    assert!(
        first.iter().all(|file| there.contains(file)),
        "kept for a week"
    );
    let options = MaintainOptions {
        retention_hours: 0,
        ..options()
    };
    let rows = history(&shop).await;
    maintained(&shop, &options).await;
    assert_eq!(parquet_files(&shop, "customer_metrics").len(), 1);
    assert_eq!(history(&shop).await, rows);
}

#[tokio::test]
async fn files_that_nobody_named_go_when_they_are_old() {
    let shop = shop().await;
    shop.run("2024-04-20").await;
    let folder = shop
        .path()
        .join("lake/customer_metrics/as_of_date=2024-04-20/somebody");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (young, old) = (folder.join("young.parquet"), folder.join("old.parquet"));
    for file in [&young, &old] {
        std::fs::write(file, "left by a crash").expect("a file");
    }
    let file = std::fs::File::options()
        .write(true)
        .open(&old)
        .expect("a file");
    let week = Duration::from_hours(169);
    file.set_modified(SystemTime::now() - week)
        .expect("an old file");
    let done = maintained(&shop, &options()).await;
    assert_eq!(counts(&done).2, 1);
    assert!(young.exists() && !old.exists());
}

#[tokio::test]
async fn files_of_a_run_at_work_stay() {
    let shop = shop().await;
    shop.run("2024-04-20").await;
    let place = "customer_metrics/as_of_date=2024-04-20/at_work";
    let lease = Lease::take(&lake(&shop), "at_work", vec![place.to_owned()]).await;
    let lease = lease.expect("a lease");
    let folder = shop.path().join("lake").join(place);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("part-00000.parquet"), "staged").expect("a file");
    let options = MaintainOptions {
        retention_hours: 0,
        ..options()
    };
    maintained(&shop, &options).await;
    assert!(folder.join("part-00000.parquet").exists());
    lease.release().await.expect("released");
    maintained(&shop, &options).await;
    assert!(!folder.exists(), "and go when it is gone");
}
