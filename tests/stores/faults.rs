//! Stores that fail: a night succeeds, or nothing of it is seen and the next one succeeds.

use std::fmt::Write;
use std::time::Duration;

use crate::proxy::{Fault, Pick, Proxy, Rule};
use crate::servers::{Bucket, Server, moto};
use crate::shop::{Shop, orders, tables};

/// A shop whose sources and lake are all in one bucket.
fn shop(server: &Server, name: &str) -> (Shop, Bucket) {
    let bucket = Bucket::of_s3(server, name);
    bucket.put("orders.csv", orders());
    let shop = Shop::new()
        .source("orders", &format!("s3://{name}/orders.csv"), "csv")
        .lake(
            &format!("s3://{name}/lake"),
            &format!("s3://{name}/scratch"),
        );
    (shop, bucket)
}

/// What is put when everything is published.
const CLOSED: &str = ".closed";

fn local_tables() -> Vec<String> {
    let local = Shop::local();
    local.must_run();
    local.tables()
}

/// Number of commits of each table.
fn commits(bucket: &Bucket) -> Vec<usize> {
    let commits = |table: &String| bucket.names(&format!("lake/{table}/_delta_log")).len();
    tables().iter().map(commits).collect()
}

#[test]
fn a_store_that_stumbles_is_asked_again() {
    let Some(server) = moto() else { return };
    let (shop, bucket) = shop(server, "stumbles");
    let rules = vec![
        Rule::new("", "", Pick::Every(41), Fault::Status(500, "InternalError")),
        Rule::new("", "", Pick::Every(43), Fault::Status(503, "SlowDown")),
        Rule::new("", "", Pick::Every(47), Fault::LoseAnswer),
        Rule::new("PUT", "", Pick::Every(13), Fault::CutRequest),
        Rule::new("GET", ".parquet", Pick::Every(37), Fault::CutAnswer),
        Rule::new(
            "",
            "",
            Pick::Every(211),
            Fault::Delay(Duration::from_secs(3)),
        ),
    ];
    let proxy = Proxy::start(server.port, rules);
    let shop = shop.s3(proxy.port);
    shop.must_run();
    assert!(proxy.faults().len() > 50, "{:?}", proxy.faults());
    proxy.mend();
    assert_eq!(shop.tables(), local_tables());
    assert!(commits(&bucket).iter().all(|commits| *commits == 1));
    assert_eq!(bucket.names("scratch"), [""; 0]);
}

#[test]
fn a_commit_whose_answer_is_lost_is_made_once() {
    let Some(server) = moto() else { return };
    for (name, fault) in [
        ("lost-answers", Fault::LoseAnswer),
        ("cut", Fault::CutRequest),
    ] {
        let (shop, bucket) = shop(server, name);
        let commits_and_control = || {
            let rule = |path| Rule::new("PUT", path, Pick::OfEachPath(1), fault);
            vec![rule("/_delta_log/"), rule("/_loyalake/")]
        };
        let proxy = Proxy::start(server.port, commits_and_control());
        let shop = shop.s3(proxy.port);
        for expected in [1, 2] {
            shop.must_run();
            let found = commits(&bucket);
            assert_eq!(found, vec![expected; found.len()]);
        }
        assert!(
            proxy.faults().len() > 2 * tables().len(),
            "{:?}",
            proxy.faults()
        );
        assert_eq!(shop.tables(), local_tables());
    }
}

#[test]
fn an_upload_in_parts_survives_lost_connections() {
    let Some(server) = moto() else { return };
    let bucket = Bucket::of_s3(server, "parts");
    let mut orders = "order_id,customer_id,ordered_at,status,gross_amount\n".to_owned();
    let mut noise: u64 = 1;
    for order in 0..400_000 {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let (id, customer) = (noise ^ noise >> 29, order % 500);
        let _ = writeln!(
            orders,
            "{id:016x}{noise:016x},{customer},2024-03-01,paid,1.25"
        );
    }
    bucket.put("orders.csv", orders);
    let rule = |method, pick, fault| Rule::new(method, "uploadId=", pick, fault);
    let rules = vec![
        rule("PUT", Pick::OfEachPath(1), Fault::CutRequest),
        rule("POST", Pick::OfEachPath(1), Fault::LoseAnswer),
        rule(
            "POST",
            Pick::OfEachPath(2),
            Fault::Status(404, "NoSuchUpload"),
        ),
    ];
    let proxy = Proxy::start(server.port, rules);
    let shop = Shop::new()
        .source("orders", "s3://parts/orders.csv", "csv")
        .lake("lake", "s3://parts/scratch")
        .s3(proxy.port)
        .storage("[engine]\npartitions = 1\n");
    shop.must_run();
    let completed = proxy.faults();
    let completed = completed.iter().filter(|fault| fault.starts_with("POST"));
    assert!(completed.count() > 0, "no file was large enough for parts");
    let rows = shop.query("select sum(orders) as orders from customer_metrics");
    assert_eq!(rows, "orders\n400000\n");
}

/// The store goes away for good when something is put, after a night that went well.
fn assert_survives(name: &str, path: &'static str, nth: usize) {
    let Some(server) = moto() else { return };
    let (before, bucket) = shop(server, name);
    let before = before.s3(server.port);
    before.must_run();
    let expected = before.tables();
    let proxy = Proxy::start(
        server.port,
        vec![Rule::new("PUT", path, Pick::Nth(nth), Fault::Vanish)],
    );
    let (shop, _) = shop(server, name);
    let shop = shop.s3(proxy.port);
    bucket.put(
        "orders.csv",
        orders() + "152,4,2024-06-02T10:00:00Z,paid,77.00\n",
    );
    let done = shop.run();
    assert_eq!(proxy.faults().len(), 1, "{:?}", proxy.faults());
    let is_published = path == CLOSED;
    if is_published {
        assert_eq!(done.code, 0, "{name}: {}", done.error);
    } else {
        done.assert_failed(1, &["the connection to the store was lost"]);
        assert_eq!(
            before.tables(),
            expected,
            "{name}: the night before is seen"
        );
    }
    proxy.mend();
    shop.must_run();
    let healed = shop.tables();
    assert!(healed.iter().any(|row| row.contains("77")), "{name}");
    assert_eq!(bucket.names("scratch"), [""; 0], "{name}");
    assert_eq!(bucket.names("lake/_loyalake/runs"), [""; 0], "{name}");
}

#[test]
fn a_store_that_goes_away_leaves_the_night_before() {
    // most of the time nothing happens but waiting for the store
    std::thread::scope(|scope| {
        for (name, path, nth) in [
            ("gone-staging", "/lake/customer_rfm/as_of_date", 1),
            ("gone-announced", "/_loyalake/publications/", 1),
            ("gone-first", "/_delta_log/", 1),
            ("gone-between", "/_delta_log/", 9),
            ("gone-last", "/runs/_delta_log/", 1),
            ("gone-closed", CLOSED, 1),
        ] {
            scope.spawn(move || assert_survives(name, path, nth));
        }
    });
}
