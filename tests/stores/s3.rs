//! Nights on S3.

use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::SessionContext;

use crate::servers::{Bucket, block_on, moto, second_moto};
use crate::shop::{Done, Shop, orders};

#[test]
fn a_night_on_s3_gives_the_tables_of_a_local_one() {
    let Some(server) = moto() else { return };
    let bucket = Bucket::of_s3(server, "night");
    bucket.put("orders/orders.csv", orders());
    let shop = Shop::new()
        .source("orders", "s3://night/orders/", "csv")
        .lake("s3://night/lake", "s3://night/scratch")
        .s3(server.port);
    shop.must_run();
    let local = Shop::local();
    local.must_run();
    let expected = local.tables();
    assert!(expected.len() > 200, "{}", expected.len());
    assert_eq!(shop.tables(), expected);
    shop.must_run();
    assert_eq!(
        shop.tables(),
        expected,
        "a second run of a date gives the same rows once"
    );
    assert_eq!(bucket.names("scratch"), [""; 0]);
}

#[test]
fn two_runs_at_once_leave_the_rows_of_one() {
    let Some(server) = moto() else { return };
    let bucket = Bucket::of_s3(server, "twice");
    bucket.put("orders.csv", orders());
    let shop = || {
        Shop::new()
            .source("orders", "s3://twice/orders.csv", "csv")
            .lake("s3://twice/lake", "s3://twice/scratch")
            .s3(server.port)
    };
    let shops = [shop(), shop()];
    let runs = shops.each_ref().map(Shop::begin);
    let runs = runs.map(|run| Done::new(&run.wait_with_output().expect("it ends")));
    assert!(runs.iter().any(|run| run.code == 0), "{runs:?}");
    for run in runs.iter().filter(|run| run.code != 0) {
        assert_eq!(run.code, 1, "{}", run.error);
        assert!(run.error.contains("run again"), "{}", run.error);
    }
    let local = Shop::local();
    local.must_run();
    assert_eq!(shops[0].tables(), local.tables());
}

#[test]
fn locations_have_options_of_their_own() {
    let (Some(first), Some(second)) = (moto(), second_moto()) else {
        return;
    };
    let one = Bucket::of_s3(first, "own-one");
    let two = Bucket::of_s3(second, "own-two");
    one.put("data/rows.csv", "id\n1\n2\n");
    two.put("data/others.csv", "id\n7\n8\n");
    one.put("orders/orders.csv", orders());
    let shop = Shop::new()
        .source("orders", "s3://own-one/orders", "csv")
        .own_source("ones", "s3://own-one/data/", "csv")
        .own_source("twos", "s3://own-two/data/", "csv")
        .lake("s3://own-two/lake", "scratch")
        .s3(first.port)
        .storage(&format!(
            "[storage.\"s3://own-two\"]\naws_endpoint = \"{}\"\n",
            second.url("").trim_end_matches('/')
        ));
    shop.must_run();
    let rows = shop.query("select id from source.ones; select id from source.twos");
    assert_eq!(rows, "id\n1\n2\nid\n7\n8\n");
    assert!(one.names("lake").is_empty());
    assert!(!two.names("lake/customer_ltv").is_empty());
}

/// The bytes of a Parquet file with numbers in it.
fn parquet(first: i64, last: i64) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.parquet");
    let write = async {
        let session = SessionContext::new();
        let sql = format!("select value as id from generate_series({first}, {last})");
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        let plain = "set datafusion.execution.parquet.compression = 'uncompressed'";
        session.sql(plain).await.expect("a setting");
        let frame = session.sql(&sql).await.expect("rows");
        let path = path.to_str().expect("a path in UTF-8");
        frame
            .write_parquet(path, options, None)
            .await
            .expect("a file");
    };
    block_on(write);
    std::fs::read(path).expect("a file")
}

#[test]
fn every_format_is_read_as_object_folder_and_pattern() {
    let Some(server) = moto() else { return };
    let bucket = Bucket::of_s3(server, "formats");
    bucket.put("one.csv", "id\n1\n2\n");
    bucket.put("json/2024-01/a.json", "{\"id\":3}\n");
    bucket.put("json/2024-02/a.json", "{\"id\":4}\n");
    bucket.put("json/2025-01/a.json", "{\"id\":5}\n");
    bucket.put("hive/year=2024/a.parquet", parquet(6, 7));
    bucket.put("hive/year=2025/a.parquet", parquet(8, 9));
    bucket.put("hive/_SUCCESS", "");
    bucket.put("orders.csv", orders());
    let web = server.url("formats/one.csv");
    let shop = Shop::new()
        .source("orders", "s3://formats/orders.csv", "csv")
        .own_source("object", "s3://formats/one.csv", "csv")
        .own_source("pattern", "s3://formats/json/2024-*/*.json", "json")
        .own_source("class", "s3://formats/json/202[5-9]-*/a.json", "json")
        .own_source("folder", "s3://formats/hive/", "parquet")
        .own_source("bare_folder", "s3://formats/hive", "parquet")
        .own_source("web", &web, "csv")
        .own_source("delta", "s3://formats/lake/customer_metrics", "delta")
        .lake("s3://formats/lake", "scratch")
        .s3(server.port);
    let first = Shop::new()
        .source("orders", "s3://formats/orders.csv", "csv")
        .lake("s3://formats/lake", "scratch")
        .s3(server.port);
    first.must_run();
    for (source, rows) in [
        ("object", "id\n1\n2\n"),
        ("pattern", "id\n3\n4\n"),
        ("class", "id\n5\n"),
        ("folder", "id\n6\n7\n8\n9\n"),
        ("bare_folder", "id\n6\n7\n8\n9\n"),
        ("web", "id\n1\n2\n"),
    ] {
        let found = shop.query(&format!("select id from source.{source} order by id"));
        assert_eq!(found, rows, "{source}");
    }
    let delta = shop.query("select count(*) as customers from source.delta");
    assert_eq!(
        delta,
        first.query("select count(*) as customers from customer_metrics")
    );
    shop.must_run();
}

#[test]
fn files_of_one_path_and_size_in_two_stores_are_not_mixed_up() {
    let (Some(first), Some(second)) = (moto(), second_moto()) else {
        return;
    };
    let (one, two) = (parquet(1, 100), parquet(901, 1000));
    assert_eq!(one.len(), two.len());
    Bucket::of_s3(first, "same-one").put("rows/a.parquet", one);
    Bucket::of_s3(second, "same-two").put("rows/a.parquet", two);
    let shop = Shop::local()
        .own_source("ones", "s3://same-one/rows/", "parquet")
        .own_source("twos", "s3://same-two/rows/", "parquet")
        .s3(first.port)
        .storage(&format!(
            "[storage.\"s3://same-two\"]\naws_endpoint = \"{}\"\n",
            second.url("").trim_end_matches('/')
        ));
    let rows = shop.query(
        "select (select count(*) from source.ones where id <= 100) as ones,
            (select count(*) from source.twos where id > 900) as twos",
    );
    assert_eq!(rows, "ones,twos\n100,100\n");
}
