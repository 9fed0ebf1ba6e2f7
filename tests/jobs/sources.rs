//! Where orders come from: formats, folders, patterns, and files that map other tables.

use crate::shop::Shop;

const CSV: &str = "order_id,customer_id,ordered_at,status,gross_amount\n\
                   007,anna,2024-01-05 10:00:00,paid,10.00005\n\
                   008,anna,2024-02-05T10:00:00Z,paid,\n\
                   009,ben,2024-02-06,paid,20\n";

#[tokio::test]
async fn text_is_cast_by_the_contract_and_keys_keep_their_zeros() {
    let mut shop = Shop::new();
    shop.parameter("max_quarantined_share = 0.5");
    shop.source("orders", "orders.csv", "csv");
    std::fs::write(shop.path().join("orders.csv"), CSV).expect("a file");
    shop.run("2024-03-01").await;
    let rows = "select customer_id, orders, net_revenue from customer_metrics order by 1";
    assert_eq!(shop.query(rows).await, ["anna 1 10.0001", "ben 1 20.0000"]);
    let quarantine = "select row_key, rule from quarantine";
    assert_eq!(shop.query(quarantine).await, ["008 gross_amount_not_null"]);
}

#[tokio::test]
async fn a_folder_means_all_files_below_it_and_a_pattern_may_name_folders() {
    let mut shop = Shop::new();
    let lines: Vec<&str> = CSV.lines().collect();
    for (folder, line) in [("2024-01", lines[1]), ("2024-02", lines[3])] {
        let path = shop.path().join("orders").join(folder);
        std::fs::create_dir_all(&path).expect("a folder");
        std::fs::write(path.join("part.csv"), [lines[0], line].join("\n")).expect("a file");
    }
    let rows = "select customer_id from customer_metrics order by 1";
    for location in [
        "orders",
        "orders/",
        "orders/*/part.csv",
        "orders/2024-*/*.csv",
    ] {
        shop.source("orders", location, "csv");
        shop.run("2024-03-01").await;
        assert_eq!(shop.query(rows).await, ["anna", "ben"], "{location}");
    }
}

#[tokio::test]
async fn a_delta_table_is_a_source() {
    let mut shop = Shop::new();
    shop.given(
        "orders",
        "select 1 as order_id, 7 as customer_id, 'paid' as status, 5.0 as gross_amount,
            timestamp '2024-01-05T10:00:00' as ordered_at",
    )
    .await;
    shop.run("2024-02-01").await;
    let mut second = Shop::new();
    let published = shop.path().join("lake/customer_metrics");
    second.source(
        "metrics",
        published.to_str().expect("a path in UTF-8"),
        "delta",
    );
    second.file(
        "staging/stg_orders.sql",
        "select customer_id as order_id, customer_id, first_purchase_on as ordered_at,
            'paid' as status, net_revenue as gross_amount
         from source.metrics where as_of_date = date '2024-02-01'",
    );
    second.run("2024-02-01").await;
    let rows = "select customer_id, net_revenue, first_purchase_on from customer_metrics";
    assert_eq!(second.query(rows).await, ["7 5.0000 2024-01-05"]);
}

#[tokio::test]
async fn an_override_may_read_relations_of_its_own() {
    let mut shop = Shop::new();
    shop.given(
        "tickets",
        "select 'A-1' as no, 'anna' as who, 12.5 as paid, date '2024-01-05' as day",
    )
    .await;
    shop.file(
        "staging/sales.sql",
        "select * from source.tickets where paid > 0",
    );
    shop.file(
        "staging/stg_orders.sql",
        "select no as order_id, who as customer_id, day as ordered_at, 'paid' as status,
            paid as gross_amount from sales",
    );
    shop.run("2024-02-01").await;
    let rows = "select customer_id, net_revenue, first_purchase_on from customer_metrics";
    assert_eq!(shop.query(rows).await, ["anna 12.5000 2024-01-05"]);
}

#[tokio::test]
async fn local_times_that_the_clocks_skip_or_repeat_are_instants_too() {
    let mut shop = Shop::new();
    shop.parameter("time_zone = \"Europe/London\"");
    shop.given(
        "orders",
        "select * from (values
            (1, timestamp '2024-03-31T01:30:00'),
            (2, timestamp '2024-10-27T01:30:00'),
            (3, timestamp '2024-07-01T00:30:00')
        ) as orders (order_id, ordered_at)
        cross join (values ('anna', 'paid', 1.0)) as rest (customer_id, status, gross_amount)",
    )
    .await;
    shop.run("2024-12-01").await;
    let instants = "select order_id, ordered_at from job.stg_orders order by 1";
    assert_eq!(
        shop.query(instants).await,
        [
            "1 2024-03-31T01:30:00Z",
            "2 2024-10-27T00:30:00Z",
            "3 2024-06-30T23:30:00Z"
        ]
    );
    let days = "select orders, purchase_days, last_purchase_on from customer_metrics";
    assert_eq!(shop.query(days).await, ["3 3 2024-10-27"]);
}

#[tokio::test]
async fn a_source_without_files_and_one_that_is_not_there_are_told_apart() {
    let mut shop = Shop::new();
    shop.source("orders", "orders", "parquet");
    let error = shop.try_run("2024-03-01").await.expect_err("no folder");
    assert_eq!(error.exit_code(), 2, "{error}");
    std::fs::create_dir(shop.path().join("orders")).expect("a folder");
    let error = shop.try_run("2024-03-01").await.expect_err("no files");
    assert_eq!(error.exit_code(), 1, "{error}");
    assert!(
        error.to_string().contains("holds no parquet files"),
        "{error}"
    );
}
