//! `loyalake sql` reads and changes nothing, within its memory, until it is told to stop.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{CONFIG, Done, Shop, assert_says};

const WRITING: [&str; 46] = [
    "insert into customer_ltv select * from customer_ltv",
    "insert into source.orders values (1)",
    "insert into job.stg_orders select * from job.stg_orders",
    "insert overwrite customer_ltv select * from customer_ltv",
    "insert into 'orders.csv' select * from 'orders.csv'",
    "update customer_ltv set customer_id = 1",
    "delete from customer_ltv",
    "delete from history.runs where true",
    "merge into customer_ltv using runs on true when matched then delete",
    "truncate table customer_ltv",
    "create table a as select 1",
    "create or replace table customer_ltv as select 1",
    "create table latest.a (x int)",
    "create view a as select 1",
    "create or replace view job.stg_orders as select 1",
    "create external table a stored as csv location 'orders.csv'",
    "create unbounded external table a (x int) stored as parquet location 'new/'",
    "create schema a",
    "create database a",
    "create index a on customer_ltv (customer_id)",
    "create function a(bigint) returns bigint return $1 + 1",
    "alter table customer_ltv rename to a",
    "drop table customer_ltv",
    "drop table if exists no_table",
    "drop view job.stg_orders",
    "drop schema latest cascade",
    "drop function bg_nbd_fit",
    "copy customer_ltv to 'a.parquet'",
    "copy (select 1) to 'a.csv' stored as csv",
    "copy source.orders to 'orders.csv'",
    "explain copy (select 1) to 'a.csv'",
    "explain analyze copy (select 1) to 'a.csv'",
    "explain analyze insert into customer_ltv select * from customer_ltv",
    "explain verbose create table a as select 1",
    "select 1 as x into a",
    "select * from (select 1 as x into a)",
    "with a as (insert into customer_ltv values (1)) select * from a",
    "with a as (select 1) insert into customer_ltv select * from a",
    "with a as (delete from runs returning *) select * from a",
    "set datafusion.runtime.temp_directory = 'elsewhere'",
    "set datafusion.runtime.memory_limit = '100G'",
    "reset datafusion.runtime.memory_limit",
    "prepare a as insert into customer_ltv values (1)",
    "execute a",
    "deallocate a",
    "begin transaction",
];

const READING: [&str; 8] = [
    "select count(*) from customer_ltv",
    "values (1), (2)",
    "explain analyze select * from customer_ltv",
    "explain format tree select 1",
    "describe customer_ltv",
    "show tables",
    "show columns from customer_ltv",
    "with a as (select 1 as x) select * from a union all select * from a",
];

/// The text of every file below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.insert(path.display().to_string(), Vec::new());
            found.extend(files(&path));
        } else {
            let content = fs::read(&path).expect("a file");
            found.insert(path.display().to_string(), content);
        }
    }
    found
}

/// The first words of a statement, without its literals: what a message must name.
fn first_word(statement: &str) -> &str {
    statement.split(' ').next().expect("a word")
}

#[test]
fn what_would_change_something_is_refused() {
    let shop = Shop::new();
    assert_eq!(shop.loyalake(&["run", "--as-of", "2026-02-28"]).code, 0);
    let before = files(shop.0.path());
    for statement in WRITING {
        let done = shop.loyalake(&["sql", "--config", "lake.toml", "-c", statement]);
        let named = format!("query:1: '{}' would change", first_word(statement));
        assert_says((done.code, done.error), 2, &[&named, "is read-only"]);
        assert_eq!(done.out, "", "{statement}");
    }
    assert!(before == files(shop.0.path()), "files have changed");
}

#[test]
fn among_several_statements_the_one_that_writes_stops_them() {
    let shop = Shop::new();
    let before = files(shop.0.path());
    let text =
        "select 1 as one;\n-- not this: copy a to 'b'\ncopy (select 1) to 'a.csv';\nselect 2";
    let done = shop.loyalake(&["sql", "--format", "csv", "-c", text]);
    assert_eq!(done.out, "one\n1\n");
    assert_says((done.code, done.error), 2, &["query:3: 'copy'"]);
    assert!(before == files(shop.0.path()), "files have changed");
    shop.write("report.sql", text);
    let done = shop.loyalake(&["sql", "-f", "report.sql"]);
    assert_says((done.code, done.error), 2, &["report.sql:3: 'copy'"]);
}

#[test]
fn what_only_reads_is_answered() {
    let shop = Shop::new();
    assert_eq!(shop.loyalake(&["run", "--as-of", "2026-02-28"]).code, 0);
    for statement in READING {
        let done = shop.loyalake(&["sql", "--config", "lake.toml", "-c", statement]);
        assert_eq!(done.code, 0, "{statement}: {}", done.error);
        assert!(!done.out.is_empty(), "{statement}");
    }
}

#[test]
fn a_job_file_that_writes_is_refused() {
    let shop = Shop::new();
    for text in [
        "copy (select 1) to 'a.csv'",
        "insert into customer_ltv select 1",
        "select 1 as x into a",
        "explain select 1",
    ] {
        shop.write("sql/marts/own.sql", &format!("\n{text}"));
        assert_says(
            shop.check(),
            1,
            &["own.sql:2: a file must hold a query; begin with `select`"],
        );
    }
}

#[test]
fn a_query_may_begin_with_a_comment() {
    let text = "-- how many\nselect 1 as one";
    let done = Shop::new().loyalake(&["sql", "--format", "csv", "-c", text]);
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, "one\n1\n"),
        "{}",
        done.error
    );
}

#[test]
fn an_error_points_into_its_own_statement() {
    let shop = Shop::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_loyalake"))
        .args(["sql", "--format", "csv"])
        .current_dir(shop.0.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let text = "select 'bg_nbd_fit' as one;\n\nselect bg_nbd_fit(1);\nselect 3";
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(text.as_bytes()).expect("a reader");
    drop(pipe);
    let done = Done::new(&child.wait_with_output().expect("an end"));
    assert_eq!(done.out, "one\nbg_nbd_fit\n");
    assert_says((done.code, done.error), 1, &["stdin:3: ", "bg_nbd_fit"]);
    let text = "select 1;\n\nselect 1 / (value - 1) from generate_series(1, 2)";
    let done = shop.loyalake(&["sql", "-c", text]);
    assert_says((done.code, done.error), 1, &["query:3: ", "zero"]);
}

/// A shop whose queries have 32 MB.
fn small_shop() -> Shop {
    let shop = Shop::new();
    let engine = "[engine]\nmemory_limit = \"32MB\"\nspill_directory = \"spill\"\n";
    shop.write("lake.toml", &format!("{CONFIG}{engine}"));
    shop
}

/// What is left of spilled files.
fn spilled(shop: &Shop) -> usize {
    fs::read_dir(shop.0.path().join("spill")).map_or(0, Iterator::count)
}

#[test]
fn queries_spill_what_their_memory_can_not_hold() {
    let shop = small_shop();
    let query = "explain analyze select count(*) from (
        select value % 3000000 as a, count(*) as n from generate_series(1, 6000000) group by a)";
    let done = shop.loyalake(&[
        "sql",
        "--config",
        "lake.toml",
        "--format",
        "csv",
        "-c",
        query,
    ]);
    assert_eq!(done.code, 0, "{}", done.error);
    let counts = done.out.split("spill_count=").skip(1);
    let counts = counts.map(|text| text.split([',', ']']).next().unwrap_or_default());
    let total: u32 = counts.map(|count| count.parse().unwrap_or(0)).sum();
    assert!(total > 0, "{}", done.out);
    let query = "select cardinality(array_agg(value)) from generate_series(1, 100000000)";
    let done = shop.loyalake(&["sql", "--config", "lake.toml", "-c", query]);
    let parts = ["query:1: out of memory", "raise engine.memory_limit"];
    assert_says((done.code, done.error), 1, &parts);
    assert_eq!(spilled(&shop), 0, "spilled files are left");
}

#[cfg(unix)]
#[test]
fn an_interrupted_query_ends_and_leaves_nothing() {
    let shop = small_shop();
    let query = "select count(*) from (
        select value % 30000000 as a, count(*) from generate_series(1, 60000000000) group by a)";
    let child = Command::new(env!("CARGO_BIN_EXE_loyalake"))
        .args(["sql", "--config", "lake.toml", "-c", query])
        .current_dir(shop.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let started = Instant::now();
    while spilled(&shop) == 0 && started.elapsed() < Duration::from_secs(30) {
        sleep(Duration::from_millis(50));
    }
    sleep(Duration::from_millis(500));
    let id = child.id().to_string();
    let told = Command::new("kill").args(["-INT", &id]).status();
    assert!(told.expect("kill").success());
    let done = Done::new(&child.wait_with_output().expect("an end"));
    assert_says((done.code, done.error), 1, &["interrupted"]);
    assert!(started.elapsed() < Duration::from_mins(1));
    assert_eq!(spilled(&shop), 0, "spilled files are left");
}
