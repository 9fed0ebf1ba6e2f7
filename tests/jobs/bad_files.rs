//! Files that can't be read: refused with file, place and remedy, or left out and listed.

use std::path::PathBuf;

use loyalake_jobs::JobsError;

use crate::shop::Shop;

const HEADER: &str = "order_id,customer_id,ordered_at,status,gross_amount\n";

/// The lines of `orders`, `first` and the following.
fn lines(first: usize, orders: usize) -> String {
    let line = |order| format!("o{order},c{},2024-01-05 10:00:00,paid,10.5\n", order % 7);
    (first..first + orders).map(line).collect()
}

fn shop(format: &str, files: &[(&str, &[u8])]) -> Shop {
    let mut shop = Shop::new();
    shop.memory_limit("256MB");
    shop.source("orders", "orders", format);
    for (name, bytes) in files {
        write(&shop, name, bytes);
    }
    shop
}

fn write(shop: &Shop, name: &str, bytes: &[u8]) -> PathBuf {
    let path = shop.path().join("orders").join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
    std::fs::write(&path, bytes).expect("a file is written");
    path
}

/// The folders of the lake that hold tables.
fn tables(shop: &Shop) -> Vec<String> {
    let folders = std::fs::read_dir(shop.path().join("lake"));
    let names = folders.into_iter().flatten().flatten();
    let names = names.map(|folder| folder.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('_')).collect()
}

async fn refusal(shop: &Shop) -> String {
    let error = shop.try_run("2024-02-01").await.expect_err("a bad file");
    assert_eq!(error.exit_code(), 1, "{error}");
    assert_eq!(tables(shop), [""; 0]);
    let error = error.to_string();
    assert!(!error.contains('\n'), "one line: {error}");
    error
}

/// What a run says of `orders/b.csv` beside a good `orders/a.csv`.
async fn refusal_of_csv(text: &[u8]) -> String {
    let good = HEADER.to_owned() + &lines(0, 20);
    let shop = shop("csv", &[("a.csv", good.as_bytes()), ("b.csv", text)]);
    let error = refusal(&shop).await;
    assert!(error.contains("/orders/b.csv' "), "{error}");
    error
}

#[tokio::test]
async fn every_csv_file_is_read_by_its_own_header() {
    let first = HEADER.to_owned() + &lines(0, 2);
    let second = "\u{feff}status, gross_amount,order_id,channel,ordered_at,customer_id\r\n\
                  paid,7.5,x1,\"web, or\r\nso\",2024-01-05,zoe\r\n";
    let files = [
        ("a.csv", first.as_bytes()),
        ("b.csv", second.as_bytes()),
        ("c.csv", HEADER.trim().as_bytes()),
    ];
    let shop = shop("csv", &files);
    let report = shop.run("2024-02-01").await;
    assert_eq!((report.inputs[0].files, report.inputs[0].rows), (3, 3));
    let rows = "select customer_id, net_revenue from customer_metrics order by 1";
    assert_eq!(
        shop.query(rows).await,
        ["c0 10.5000", "c1 10.5000", "zoe 7.5000"]
    );
    let channels =
        "select channel, source_file, source_row from source.orders where order_id = 'x1'";
    assert_eq!(shop.query(channels).await, ["web, or\r\nso b.csv 0"]);
}

#[tokio::test]
async fn csv_that_is_broken_names_the_line() {
    let text = HEADER.to_owned() + &lines(0, 3);
    let cases: [(&str, &[u8], &str); 7] = [
        (
            "few values",
            b"o9,c1\n",
            "line 5 (byte 160) has 2 values, but the header 5",
        ),
        (
            "many values",
            b"o9,c1,2024-01-05,paid,1,2\n",
            "has 6 values",
        ),
        (
            "open quote",
            b"o9,c1,2024-01-05,paid,\"1\no8",
            "line 5 (byte 160) begins a record with a quote",
        ),
        (
            "stray quote",
            b"o9,c1,2024-01-05,paid,\"1\n\"o8\"\n",
            "text after a quote",
        ),
        (
            "latin 1",
            b"o9,M\xfcller,2024-01-05,paid,1\n",
            "line 5 (byte 160) is not UTF-8 after 4",
        ),
        (
            "cut off",
            b"o9,c1,2024-01-05",
            "line 5 (byte 160) has 3 values",
        ),
        (
            "blank line first",
            b"\no9,c1\n",
            "line 6 (byte 161) has 2 values",
        ),
    ];
    for (case, bad, expected) in cases {
        let rest = if case == "cut off" {
            String::new()
        } else {
            lines(5, 2)
        };
        let error = refusal_of_csv(&[text.as_bytes(), bad, rest.as_bytes()].concat()).await;
        assert!(error.contains(expected), "{case}: {error}");
    }
}

#[tokio::test]
async fn text_of_another_kind_says_what_it_is() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "is empty"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "compressed with gzip"),
        (b"PAR1....", "format = \"parquet\""),
        (b"\xff\xfeo\0r\0", "UTF-16"),
        (b"\0\0\0\0\0\0", "null bytes"),
        (b"order_id;status\n1;paid\n", "separated by semicolons"),
        (
            b"order_id,status,status\n1,paid,paid\n",
            "two columns with the name 'status'",
        ),
        (b"o1,c1,2024-01-05,paid,1\n", "has no column in common with"),
    ];
    for (text, expected) in &cases[..7] {
        let error = refusal_of_csv(text).await;
        assert!(error.contains(expected), "{error}");
    }
    let shop = shop(
        "csv",
        &[("a.csv", cases[7].0), ("b.csv", HEADER.as_bytes())],
    );
    let error = refusal(&shop).await;
    assert!(
        error.contains(cases[7].1) && error.contains("header line"),
        "{error}"
    );
    let shop = self::shop("json", &[("a.json", b"[{\"order_id\": 1}]")]);
    let error = refusal(&shop).await;
    assert!(error.contains("one JSON array"), "{error}");
}

#[tokio::test]
async fn json_is_read_to_its_last_record_for_columns() {
    let order = |id: &str, more: &str| {
        format!(
            "{{\"order_id\":{id},\"customer_id\":\"c\",\"ordered_at\":\"2024-01-05\",\
             \"status\":\"paid\",\"gross_amount\":5{more}}}\n"
        )
    };
    let mut text = (0..2000)
        .map(|id| order(&id.to_string(), ""))
        .collect::<String>();
    text += &order("\"x\"", ",\"discount_amount\":1.5");
    let shop = shop("json", &[("a.json", text.as_bytes())]);
    shop.run("2024-02-01").await;
    let rows = "select orders, net_revenue from customer_metrics";
    assert_eq!(shop.query(rows).await, ["2001 10003.5000"]);
    text += "{\"order_id\":\"y\", \"cust";
    let shop = self::shop("json", &[("a.json", text.as_bytes())]);
    let error = refusal(&shop).await;
    assert!(error.contains("a.json' line 2002 (byte "), "{error}");
}

const ORDERS: &str = "
    select 'o' || value as order_id, 'c' || (value % 5) as customer_id,
        date '2024-01-05' as ordered_at, 'paid' as status, cast(value as double) as gross_amount
    from generate_series(1, 500)";

/// A shop with Parquet orders in `a.parquet` and something else in `b.parquet`.
async fn shop_with(other: &str) -> (Shop, PathBuf) {
    let mut shop = shop("parquet", &[]);
    shop.given("orders/a", ORDERS).await;
    shop.given("orders/b", other).await;
    shop.forget("orders/a");
    shop.forget("orders/b");
    let other = shop.path().join("orders/b.parquet");
    (shop, other)
}

#[tokio::test]
async fn parquet_with_another_type_names_column_and_both_types() {
    let (shop, _) = shop_with(&format!(
        "select * exclude (gross_amount), '5' as gross_amount from ({ORDERS})"
    ))
    .await;
    let error = refusal(&shop).await;
    let expected = "b.parquet' has column 'gross_amount' as varchar, but it is double in 1 of";
    assert!(error.contains(expected), "{error}");
}

#[tokio::test]
async fn parquet_that_is_broken_inside_names_row_group_and_column() {
    let (mut shop, path) = shop_with(ORDERS).await;
    let mut bytes = std::fs::read(&path).expect("a file");
    bytes[4..600].fill(0);
    std::fs::write(&path, &bytes).expect("a file is written");
    let error = refusal(&shop).await;
    assert!(
        error.contains("b.parquet' is broken in row group 0, column 'order_id'"),
        "{error}"
    );
    shop.also_source("orders", "on_bad_file = \"skip\"");
    let report = shop.run("2024-02-01").await;
    let input = &report.inputs[0];
    assert_eq!((input.files, input.rows, input.left_out.len()), (1, 500, 1));
    assert!(input.left_out[0].file.ends_with("/orders/b.parquet"));
    let warnings = shop
        .query("select unnest(warnings) from runs")
        .await
        .join("\n");
    assert!(
        warnings.contains("source 'orders': 1 of 2 files left out"),
        "{warnings}"
    );
    assert!(warnings.contains("is broken in row group 0"), "{warnings}");
    let rows = "select sum(orders) from customer_metrics";
    assert_eq!(shop.query(rows).await, ["500"]);
}

#[tokio::test]
async fn a_source_without_a_good_file_stops_the_run_even_so() {
    let mut shop = shop("parquet", &[("a.parquet", b"PAR1"), ("b.parquet", b"")]);
    shop.also_source("orders", "on_bad_file = \"skip\"");
    let error = refusal(&shop).await;
    assert!(
        error.contains("none of the 2 files of") && error.contains("a.parquet"),
        "{error}"
    );
}

#[tokio::test]
async fn bad_csv_is_left_out_whether_found_at_its_beginning_or_its_end() {
    let good = HEADER.to_owned() + &lines(0, 20);
    let late = good.clone() + "o1,2\n";
    let files: [(&str, &[u8]); 3] = [
        ("a.csv", good.as_bytes()),
        ("b.csv", late.as_bytes()),
        ("c.csv", b""),
    ];
    let mut shop = shop("csv", &files);
    shop.also_source("orders", "on_bad_file = \"skip\"");
    let report = shop.run("2024-02-01").await;
    let left_out: Vec<&str> = report.inputs[0]
        .left_out
        .iter()
        .filter_map(|file| file.file.rsplit('/').next())
        .collect();
    assert_eq!(left_out, ["b.csv", "c.csv"]);
    assert_eq!(report.inputs[0].rows, 20);
}

#[tokio::test]
async fn a_file_that_changes_during_the_run_stops_it() {
    let good = HEADER.to_owned() + &lines(0, 20);
    let more = good.clone() + &lines(20, 20);
    for (change, expected) in [(Some(&more), "was replaced"), (None, "was removed")] {
        let shop = shop(
            "csv",
            &[("a.csv", good.as_bytes()), ("b.csv", good.as_bytes())],
        );
        let path = shop.path().join("orders/b.csv");
        let change = change.cloned();
        let error = shop
            .try_run_and("2024-02-01", "customer_metrics", move || match &change {
                Some(text) => std::fs::write(&path, text).expect("a file is written"),
                None => std::fs::remove_file(&path).expect("a file is removed"),
            })
            .await
            .expect_err("a changed source");
        let JobsError::Lake(_) = &error else {
            panic!("{error}");
        };
        let error = error.to_string();
        assert!(
            error.contains("orders/b.csv") && error.contains(expected),
            "{error}"
        );
        assert_eq!(tables(&shop), [""; 0]);
    }
}

#[tokio::test]
async fn a_file_that_comes_during_the_run_belongs_to_the_next() {
    let good = HEADER.to_owned() + &lines(0, 20);
    let shop = shop("csv", &[("a.csv", good.as_bytes())]);
    let path = shop.path().join("orders/b.csv");
    let more = HEADER.to_owned() + &lines(20, 20);
    let report = shop
        .try_run_and("2024-02-01", "stg_orders", move || {
            std::fs::write(&path, &more).expect("a file is written");
        })
        .await
        .expect("a run");
    assert_eq!(report.inputs[0].rows, 20);
    assert_eq!(shop.run("2024-02-01").await.inputs[0].rows, 40);
}

#[tokio::test]
async fn a_delta_table_without_one_of_its_files_names_it() {
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    shop.run("2024-02-01").await;
    let mut second = Shop::new();
    let published = shop.path().join("lake/customer_metrics");
    second.source("metrics", published.to_str().expect("UTF-8"), "delta");
    second.file(
        "staging/stg_orders.sql",
        "select customer_id as order_id, customer_id, first_purchase_on as ordered_at,
            'paid' as status, net_revenue as gross_amount from source.metrics",
    );
    let date = published.join("as_of_date=2024-02-01");
    std::fs::remove_dir_all(&date).expect("a folder is removed");
    let error = second
        .try_run("2024-02-02")
        .await
        .expect_err("no file")
        .to_string();
    assert!(
        error.contains("customer_metrics") && error.contains(" is missing; "),
        "{error}"
    );
}
