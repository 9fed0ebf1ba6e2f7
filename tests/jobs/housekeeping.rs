//! What the tests of housekeeping share: a shop of seven customers, and a look at its files.

use std::path::{Path, PathBuf};

use datafusion::execution::runtime_env::RuntimeEnv;
use loyalake_lake::delta::DeltaVersion;
use loyalake_lake::{Location, Storage};

use crate::shop::Shop;

/// Every table with rows, the ledger not among them.
pub(crate) const TABLES: [&str; 6] = [
    "customer_metrics",
    "customer_ltv",
    "customer_segments",
    "segment_ltv",
    "score_cuts",
    "audit_results",
];

/// A shop whose customers are numbers from 0 to 6.
pub(crate) async fn shop() -> Shop {
    let mut shop = Shop::new();
    orders(&mut shop, "value % 7").await;
    shop
}

/// Orders of customers whose ids are an expression of the order's number.
pub(crate) async fn orders(shop: &mut Shop, customer: &str) {
    let sql = format!(
        "select 'o' || value as order_id, {customer} as customer_id, 'paid' as status,
            cast(value as double) as gross_amount,
            arrow_cast(1704067200 + value * 86400, 'Timestamp(Second, None)') as ordered_at
         from generate_series(1, 100)"
    );
    shop.given("orders", &sql).await;
}

/// All rows of all dates, by what the ledger names.
pub(crate) async fn history(shop: &Shop) -> Vec<Vec<String>> {
    let mut tables = Vec::new();
    for table in TABLES {
        let sql = format!("select * from history.{table} order by as_of_date, 1, 2");
        tables.push(shop.query(&sql).await);
    }
    tables.push(
        shop.query("select run_id, as_of_date from history.runs order by 2")
            .await,
    );
    tables
}

/// The folder of the lake.
pub(crate) fn lake(shop: &Shop) -> Location {
    Storage::default()
        .locate("lake", shop.path(), &RuntimeEnv::default())
        .expect("a lake")
}

/// The newest version of a table.
pub(crate) async fn newest(shop: &Shop, table: &str) -> DeltaVersion {
    let found = DeltaVersion::open(&lake(shop).child(table), None).await;
    found.expect("a log").expect("a table")
}

/// Parquet files below a folder of the lake, whether a table names them or not.
pub(crate) fn parquet_files(shop: &Shop, folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "_delta_log" {
                walk(&path, found);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "parquet")
            {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&shop.path().join("lake").join(folder), &mut found);
    found.sort();
    found
}
