//! Orders are read file by file: those of files that have not changed are kept.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use loyalake_jobs::report::Reuse;
use loyalake_jobs::{RunOptions, RunReport, run};
use loyalake_lake::FileTable;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::reuse::{full_refresh, rows};
use crate::shop::{Shop, Silent, date};

const DATE: &str = "2024-06-30";

/// 60 orders of a month of 2024; `salt` makes others of them.
fn month(number: u64, salt: u64) -> String {
    format!(
        "select {number} * 100 + value as order_id, (value * 7 + {salt}) % 40 as customer_id,
            'paid' as status,
            date '2024-{number:02}-01' + cast((value * 13 + {salt}) % 28 as int) as ordered_at,
            cast(10 + (value + {salt}) % 83 as decimal(18, 4)) as gross_amount,
            timestamp '2024-{number:02}-28T00:00:00Z' as updated_at
        from generate_series(1, 60)"
    )
}

/// Writes a file of the source `orders`.
async fn given(shop: &mut Shop, file: &str, sql: &str) {
    let name = format!("orders/{file}");
    shop.given(&name, sql).await;
    shop.forget(&name);
    shop.source("orders", "orders/", "parquet");
}

/// A shop with a file of orders for each of five months.
async fn shop() -> Shop {
    let mut shop = Shop::new();
    for number in 1..=5 {
        given(&mut shop, &format!("2024-{number:02}"), &month(number, 0)).await;
    }
    shop
}

/// How orders were read: files reused, files computed, and why.
fn files(report: &RunReport) -> String {
    let mut relations = report.relations.iter();
    let orders = relations.find(|relation| relation.name == "stg_orders");
    match orders.and_then(|orders| orders.reuse.as_ref()) {
        Some(Reuse::ByFile {
            reused_files,
            computed_files,
            reasons,
        }) => format!("{reused_files} + {computed_files}: {}", reasons.join(", ")),
        Some(Reuse::Refused(reasons)) => format!("refused: {}", reasons.join(", ")),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn only_new_and_changed_files_are_read() {
    let mut shop = shop().await;
    assert_eq!(files(&shop.run(DATE).await), "0 + 5: nothing is kept");
    assert_eq!(files(&shop.run("2024-07-01").await), "5 + 0: ");
    given(&mut shop, "2024-06", &month(6, 0)).await;
    let report = shop.run("2024-07-02").await;
    assert_eq!(files(&report), "5 + 1: new: 1 file");
    let new = std::fs::metadata(shop.path().join("orders/2024-06.parquet")).expect("a file");
    let orders = &report.inputs[0];
    let read = |name: &str| {
        let relations = report.relations.iter();
        let reads = relations.flat_map(|relation| &relation.read);
        let bytes = reads
            .filter(|read| read.name == name)
            .map(|read| read.bytes);
        bytes.sum::<usize>()
    };
    assert!(read("source.orders") > 0 && read("source.orders") as u64 <= new.len());
    assert!(read("stg_orders") > read("source.orders"));
    assert_eq!(orders.files, 6);
    given(&mut shop, "2024-02", &month(2, 3)).await;
    let report = shop.run("2024-07-02").await;
    assert_eq!(files(&report), "5 + 1: changed: 1 file");
    let incremental = rows(&shop).await;
    let report = full_refresh(&shop, "2024-07-02").await;
    assert_eq!(files(&report), "0 + 6: --full-refresh");
    assert_eq!(rows(&shop).await, incremental);
    shop.parameter("time_zone = \"Asia/Tokyo\"");
    assert_eq!(
        files(&shop.run("2024-07-02").await),
        "0 + 6: $time_zone: 'UTC' → 'Asia/Tokyo'"
    );
}

#[tokio::test]
async fn another_file_takes_no_part_in_what_a_file_gives() {
    let mut shop = shop().await;
    shop.file(
        "staging/stg_orders.sql",
        "select *, source_file as channel from source.orders where order_id != 203",
    );
    assert_eq!(files(&shop.run(DATE).await), "0 + 5: nothing is kept");
    assert_eq!(files(&shop.run("2024-07-01").await), "5 + 0: ");
    let refused = [
        (
            "select distinct * from source.orders",
            "refused: it does not read one source row by row: Distinct",
        ),
        (
            "select * from source.orders where gross_amount < (select 30)",
            "refused: it depends on more than the row: a subquery",
        ),
        (
            "select * from source.orders where gross_amount > all (select 1)",
            "refused: it depends on more than the row: a subquery",
        ),
        (
            "select * exclude (outcome) from (select *, 1 as outcome from orders_before)",
            "refused: it reads orders_before, which is no source",
        ),
        (
            "select * from source.orders where ordered_at < now()",
            "refused: it depends on more than the row: now()",
        ),
    ];
    shop.file("staging/orders_before.sql", "select * from source.orders");
    for (sql, why) in refused {
        shop.file("staging/stg_orders.sql", sql);
        assert_eq!(files(&shop.run("2024-07-01").await), why);
    }
    shop.file(
        "staging/stg_orders.sql",
        "-- stg_orders: own.\n-- kept: no\nselect * from source.orders",
    );
    assert_eq!(files(&shop.run("2024-07-01").await), "None");
    assert!(!shop.path().join("lake/_loyalake/kept/stg_orders").exists());
    // a column that nobody reads changes nothing
    shop.file("staging/stg_orders.sql", "select * from source.orders");
    shop.run("2024-07-02").await;
    let with_note = format!("select *, 'gift' as note from ({})", month(6, 0));
    given(&mut shop, "2024-06", &with_note).await;
    assert_eq!(files(&shop.run("2024-07-02").await), "5 + 1: new: 1 file");
    // one that is read, and may be of another type, does
    let with_channel = format!("select *, 'web' as channel from ({})", month(6, 1));
    given(&mut shop, "2024-07", &with_channel).await;
    assert_eq!(
        files(&shop.run("2024-07-02").await),
        "0 + 7: columns of source.orders"
    );
}

#[tokio::test]
async fn many_small_parts_become_one() {
    let mut shop = shop().await;
    let mut all = Vec::new();
    for day in 1..=61 {
        let sql = format!(
            "select * from ({}) limit 1 offset {}",
            month(6, 0),
            day % 60
        );
        given(&mut shop, &format!("day-{day:02}"), &sql).await;
        // five months, and so many days
        if day < 57 {
            continue;
        }
        let options = RunOptions {
            as_of_date: date(DATE),
            select: vec!["customer_metrics".to_owned()],
            full_refresh: false,
        };
        let project = shop.project().expect("a project");
        let report = run(&project, &options, Arc::new(Silent)).await;
        all.push(files(&report.expect("a run")));
    }
    let expected = [
        "0 + 62: nothing is kept",
        "62 + 1: new: 1 file",
        "63 + 1: new: 1 file",
        "0 + 65: 64 small parts are put together",
        "65 + 1: new: 1 file",
    ];
    assert_eq!(all, expected);
    // that was one part: when a file changes, it takes the others along
    given(&mut shop, "2024-02", &month(2, 3)).await;
    let report = shop.run("2024-07-02").await;
    assert_eq!(
        files(&report),
        "1 + 65: changed: 1 file, kept no longer: 64 files"
    );
}

/// Bundles of files are told apart by the partitions that read them, and a partition that is done
/// takes files of others otherwise.
#[tokio::test]
async fn a_partition_reads_its_own_files_alone() {
    let mut shop = Shop::new();
    let mut files = Vec::new();
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new());
    for rows in [1, 10, 100, 1000] {
        let name = format!("rows-{rows}");
        let sql = format!("select value as number from generate_series(1, {rows})");
        shop.given(&name, &sql).await;
        let path = shop.path().join(format!("{name}.parquet"));
        let path = Path::from_absolute_path(path).expect("a path");
        let file = store.head(&path).await.expect("a file");
        files.push(PartitionedFile::new_from_meta(file));
    }
    let column = Field::new("number", DataType::Int64, false);
    let schema = Arc::new(Schema::new(vec![column]));
    let url = ObjectStoreUrl::local_filesystem();
    let table = FileTable::new(url, schema, Vec::new(), Vec::new());
    let groups = [&files[..1], &files[1..]].map(|files| FileGroup::new(files.to_vec()));
    let context = SessionContext::new();
    let table = table.in_groups(groups.to_vec());
    let plan = table.scan(&context.state(), None, &[], None).await;
    let plan = plan.expect("a plan");
    let mut found = Vec::new();
    // one after the other: the first has time to take whatever it may
    for partition in 0..2 {
        let rows = plan.execute(partition, context.task_ctx()).expect("rows");
        let batches: Vec<RecordBatch> = rows.try_collect().await.expect("rows");
        found.push(batches.iter().map(RecordBatch::num_rows).sum::<usize>());
    }
    assert_eq!(found, [1, 1110]);
}

/// One of several things that happen to files of orders and what belongs to them.
async fn edit(shop: &mut Shop, kind: u64, value: u64) {
    let number = value % 6 + 1;
    let file = format!("2024-{number:02}");
    match kind {
        // a month comes, or is delivered again with late and changed orders
        0 => given(shop, &file, &month(number, value)).await,
        1 => {
            let path = shop.path().join(format!("orders/{file}.parquet"));
            if number > 1 && path.exists() {
                std::fs::remove_file(path).expect("a file is removed");
            }
        }
        // a later version of an order of another file
        2 => {
            let sql = format!(
                "select * replace (timestamp '2024-06-29T00:00:00Z' as updated_at,
                    cast({value} as decimal(18, 4)) as gross_amount)
                from ({}) where order_id % 100 = {value}",
                month(number, 0)
            );
            given(shop, &format!("again-{number}"), &sql).await;
        }
        3 => {
            let refunds = format!(
                "select value as refund_id, value * 10 + {value} as order_id,
                    date '2024-06-28' as refunded_at, cast(5 as decimal(18, 4)) as amount
                from generate_series(1, 60)"
            );
            shop.given("refunds", &refunds).await;
        }
        4 => {
            let customers = format!(
                "select value as customer_id, value = {value} as is_test
                from generate_series(0, 39)"
            );
            shop.given("customers", &customers).await;
        }
        5 => {
            let sql = format!("select * from source.orders where order_id != {number}07");
            shop.file("staging/stg_orders.sql", &sql);
        }
        _ => {}
    }
}

#[tokio::test]
async fn after_any_edits_of_files_the_rows_are_those_of_a_full_refresh() {
    let (mut with, mut without) = (shop().await, shop().await);
    let mut state = 20_240_630_u64;
    let mut pick = |choices: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % choices
    };
    let mut partly = 0;
    for round in 0..16 {
        let (kind, value) = (pick(7), pick(50) + 1);
        for shop in [&mut with, &mut without] {
            edit(shop, kind, value).await;
        }
        let dates = ["2024-05-31", "2024-06-29", "2024-06-30"];
        let as_of_date = dates[usize::try_from(pick(3)).expect("a small number")];
        let report = with.run(as_of_date).await;
        partly += usize::from(!files(&report).starts_with("0 +"));
        full_refresh(&without, as_of_date).await;
        assert_eq!(
            rows(&with).await,
            rows(&without).await,
            "round {round}, edit {kind}"
        );
    }
    assert!(partly > 5, "{partly} of 16 rounds reused files");
}
