//! Exports: plain Parquet files of one run, whole or without a manifest.

use loyalake_jobs::JobsError;
use loyalake_jobs::housekeeping::export::{ExportOptions, Manifest, export};

use crate::housekeeping::shop;
use crate::shop::{Shop, date};

async fn try_export(
    shop: &Shop,
    to: &str,
    as_of_date: Option<&str>,
    tables: &[&str],
) -> Result<Manifest, JobsError> {
    let options = ExportOptions {
        to: shop.path().join(to).display().to_string(),
        as_of_date: as_of_date.map(date),
        tables: tables.iter().map(ToString::to_string).collect(),
    };
    export(&shop.project().expect("a project"), &options).await
}

#[tokio::test]
async fn the_files_of_an_export_hold_the_rows_of_the_run() {
    let shop = shop().await;
    shop.run("2024-03-20").await;
    let last = shop.run("2024-04-20").await.run_id;
    let manifest = try_export(&shop, "lake/../out", None, &[])
        .await
        .expect("an export");
    assert_eq!(manifest.run_id, last);
    assert_eq!(manifest.tables.len(), 24);
    for table in &manifest.tables {
        let columns = match table.name.as_str() {
            // lists are of another type behind Parquet
            "runs" => "run_id, as_of_date",
            _ => "*",
        };
        let from = |place: &str| format!("select {columns} from {place}");
        let folder = shop.path().join("out").join(&table.name);
        let mut exported = shop.query(&from(&format!("'{}/'", folder.display()))).await;
        let mut published = shop.query(&from(&table.name)).await;
        exported.sort();
        published.sort();
        assert_eq!(exported, published, "{}", table.name);
        assert_eq!(exported.len(), table.rows, "{}", table.name);
        for file in &table.files {
            assert!(shop.path().join("out").join(file).exists(), "{file}");
        }
    }
    let text = std::fs::read_to_string(shop.path().join("out/manifest.json")).expect("a file");
    let text: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(text["as_of_date"], "2024-04-20");
}

#[tokio::test]
async fn an_earlier_date_and_single_tables_can_be_exported() {
    let shop = shop().await;
    let first = shop.run("2024-03-20").await.run_id;
    shop.run("2024-04-20").await;
    let tables = ["customer_rfm"];
    let done = try_export(&shop, "out", Some("2024-03-20"), &tables).await;
    assert_eq!(done.expect("an export").run_id, first);
    let dates = format!(
        "select distinct as_of_date from '{}/'",
        shop.path().join("out/customer_rfm").display()
    );
    assert_eq!(shop.query(&dates).await, ["2024-03-20"]);
    assert!(!shop.path().join("out/customer_ltv").exists());
}

#[tokio::test]
async fn what_cant_be_exported_is_said_and_nothing_is_written() {
    let shop = shop().await;
    let error = try_export(&shop, "out", None, &[])
        .await
        .expect_err("no lake");
    assert!(
        error.to_string().contains("nothing is published"),
        "{error}"
    );
    shop.run("2024-04-20").await;
    let error = try_export(&shop, "out", Some("2024-01-20"), &[]).await;
    let error = error.expect_err("no such date").to_string();
    assert!(error.contains("the nearest is of 2024-04-20"), "{error}");
    let error = try_export(&shop, "out", None, &["customer_lvt"]).await;
    let error = error.expect_err("no such table").to_string();
    assert!(error.contains("did you mean 'customer_ltv'?"), "{error}");
    let error = try_export(&shop, "lake/customer_ltv/out", None, &[]).await;
    let error = error.expect_err("maintenance would delete it").to_string();
    assert!(error.contains("is inside the lake"), "{error}");
    assert!(!shop.path().join("out").exists());
    std::fs::create_dir(shop.path().join("out")).expect("a folder");
    std::fs::write(shop.path().join("out/mine.txt"), "mine").expect("a file");
    let error = try_export(&shop, "out", None, &[])
        .await
        .expect_err("a full folder");
    assert!(
        error.to_string().contains("out/mine.txt' is there"),
        "{error}"
    );
}
