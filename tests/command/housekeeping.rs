//! Commands for a lake that is published.

use std::fs;

use super::{Shop, assert_says};

#[test]
fn a_lake_is_exported_maintained_rolled_back_and_erased() {
    let shop = Shop::new();
    let command = |arguments: &[&str]| {
        let done = shop.loyalake(arguments);
        (done.code, done.out + &done.error)
    };
    let run = |date: &str| {
        shop.loyalake(&["run", "--as-of", date, "--report", "run.json"]);
        let report = fs::read_to_string(shop.0.path().join("run.json")).expect("a report");
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        report["run_id"].as_str().expect("an id").to_owned()
    };
    let first = run("2026-02-28");
    run("2026-03-31");

    let export = ["export", "--to", "out", "--as-of", "2026-02-28"];
    let parts = ["customer_metrics", "exported run", "2026-02-28"];
    assert_says(command(&export), 0, &parts);
    assert!(shop.0.path().join("out/manifest.json").exists());
    assert_says(
        command(&export),
        1,
        &["is not empty", "name another folder"],
    );

    let told = ["maintain", "--keep-days", "30", "--dry-run"];
    let parts = [
        "files merged",
        "dates to drop: 2026-02-28",
        "nothing was changed",
    ];
    assert_says(command(&told), 0, &parts);
    assert_says(command(&["maintain"]), 0, &["customer_ltv", "yes"]);

    assert_says(command(&["rollback", "nobody"]), 1, &["nobody", &first]);
    let parts = ["dates that vanish: 2026-03-31", "all tables are as run"];
    assert_says(command(&["rollback", &first]), 0, &parts);

    assert_says(
        command(&["erase"]),
        2,
        &["nobody to erase", "--customer-id"],
    );
    shop.write("ids.txt", "7\n\n");
    let told = ["erase", "--from-file", "ids.txt", "--dry-run"];
    let parts = ["customer_metrics", "2026-02-28", "nothing was erased"];
    assert_says(command(&told), 0, &parts);
    let done = shop.loyalake(&["erase", "--from-file", "ids.txt"]);
    let receipt: serde_json::Value = serde_json::from_str(&done.out).expect("a receipt");
    assert_eq!(
        receipt["customer_ids"],
        serde_json::json!(["7"]),
        "{}",
        done.error
    );
    assert!(done.error.contains("_loyalake/erased/"), "{}", done.error);
    let query = ["sql", "--config", "lake.toml", "--format", "csv", "-c"];
    let customers = "select customer_id from history.customer_metrics";
    let done = shop.loyalake(&[&query[..], &[customers]].concat());
    assert_eq!(done.out, "customer_id\n8\n", "{}", done.error);
}
