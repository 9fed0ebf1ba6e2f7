//! What a run uses of what an earlier one has kept: all that still holds, and nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loyalake_jobs::report::Reuse;
use loyalake_jobs::{RunOptions, RunReport, run};

use crate::shop::{Shop, Silent, date};

/// Two years of orders of 40 customers, some in pounds.
const ORDERS: &str = "
    select value as order_id, value % 40 as customer_id, 'paid' as status,
        date '2023-01-02' + cast(value * 37 % 700 as int) as ordered_at,
        case when value % 9 = 0 then 'GBP' else 'EUR' end as currency,
        cast(10 + value % 83 as decimal(18, 4)) as gross_amount
    from generate_series(1, 400)";

const RATES: &str = "
    select 'GBP' as from_currency, 'EUR' as to_currency, date '2023-01-01' as rate_date,
        1.25 as rate";

const REFUNDS: &str = "
    select value as refund_id, value * 7 as order_id, date '2024-12-01' as refunded_at,
        cast(5 as decimal(18, 4)) as amount
    from generate_series(1, 20)";

const CUSTOMERS: &str = "
    select value as customer_id, 'shop' as acquisition_channel, value = 3 as is_test
    from generate_series(0, 39)";

const DATE: &str = "2024-12-31";

async fn shop() -> Shop {
    let mut shop = Shop::new();
    shop.parameter("reporting_currency = \"EUR\"");
    shop.given("orders", ORDERS).await;
    shop.given("fx_rates", RATES).await;
    shop.given("refunds", REFUNDS).await;
    shop.given("customers", CUSTOMERS).await;
    shop
}

/// A run that uses nothing that was kept.
pub(crate) async fn full_refresh(shop: &Shop, as_of_date: &str) -> RunReport {
    let options = RunOptions {
        as_of_date: date(as_of_date),
        select: Vec::new(),
        full_refresh: true,
    };
    let project = shop.project().expect("a project");
    let done = run(&project, &options, Arc::new(Silent)).await;
    done.unwrap_or_else(|error| panic!("the run failed: {error}"))
}

/// Each relation that is kept as a whole with `reused`, or why it was not.
fn reuse(report: &RunReport) -> Vec<String> {
    let kept = report.relations.iter().filter_map(|relation| {
        let how = match relation.reuse.as_ref()? {
            Reuse::FromRun(_) => "reused".to_owned(),
            Reuse::Refused(reasons) => reasons.join(", "),
            Reuse::ByFile { .. } => return None,
        };
        Some(format!("{}: {how}", relation.name))
    });
    let mut kept: Vec<String> = kept.collect();
    kept.sort();
    kept
}

/// The rows of every table but the ledger's, and without the run's id.
pub(crate) async fn rows(shop: &Shop) -> Vec<String> {
    let names = "select table_name from information_schema.tables where table_schema = 'latest'
        and table_name not in ('runs', 'audit_results') order by table_name";
    let mut all = Vec::new();
    for name in shop.query(names).await {
        let query = format!("select * exclude (run_id) from {name}");
        let mut rows = shop.query(&query).await;
        rows.sort();
        all.extend(rows.into_iter().map(|row| format!("{name}: {row}")));
    }
    assert!(all.len() > 500, "{} rows", all.len());
    all
}

fn kept_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let files = paths.flat_map(|path| {
        if path.is_dir() {
            kept_files(&path)
        } else {
            vec![path]
        }
    });
    files.collect()
}

fn all_are(report: &RunReport, how: &str) {
    let kept = reuse(report);
    assert_eq!(kept.len(), 6, "{kept:?}");
    let others: Vec<&String> = kept.iter().filter(|line| !line.ends_with(how)).collect();
    assert!(others.is_empty(), "not {how}: {others:?}");
}

#[tokio::test]
async fn a_date_run_again_uses_what_was_kept_and_publishes_the_same() {
    let shop = shop().await;
    let first = shop.run(DATE).await;
    all_are(&first, "nothing is kept");
    let before = rows(&shop).await;
    let again = shop.run(DATE).await;
    all_are(&again, ": reused");
    let relations = || again.relations.iter();
    assert!(
        relations().all(|relation| relation.name != "stg_orders"),
        "what nobody reads is not computed"
    );
    let mut reads = relations().flat_map(|relation| &relation.read);
    assert!(
        reads.all(|read| !read.name.contains("_loyalake")),
        "reads of what is kept have its name"
    );
    assert_eq!(rows(&shop).await, before);
    all_are(&full_refresh(&shop, DATE).await, ": --full-refresh");
    assert_eq!(rows(&shop).await, before);
    all_are(&shop.run(DATE).await, ": reused");
    // one date is kept, not all that ever were
    let other = shop.run("2025-01-01").await;
    all_are(&other, "$as_of_date: DATE '2024-12-31' → DATE '2025-01-01'");
    all_are(&shop.run("2025-01-01").await, ": reused");
}

#[tokio::test]
async fn a_change_is_named_and_refuses_what_rests_on_it_alone() {
    let mut shop = shop().await;
    shop.run(DATE).await;
    shop.parameter("horizon_days = 90");
    let report = shop.run(DATE).await;
    let kept = reuse(&report);
    let refused: Vec<&String> = kept
        .iter()
        .filter(|line| !line.ends_with("reused"))
        .collect();
    assert_eq!(refused, ["int_customer_values: $horizon_days: 365 → 90"]);

    shop.given("refunds", &REFUNDS.replace("5 as", "6 as"))
        .await;
    all_are(&shop.run(DATE).await, ": source.refunds");
    shop.given("fx_rates", &RATES.replace("1.25", "1.5")).await;
    all_are(&shop.run(DATE).await, ": source.fx_rates");
    shop.given("orders", &ORDERS.replace("(1, 400)", "(1, 401)"))
        .await;
    all_are(&shop.run(DATE).await, ": source.orders");
    // nothing that is kept looks at answers
    let answers =
        "select 'a1' as answer_id, 1 as customer_id, 'nps' as question, cast(9 as double) as value,
        date '2024-05-05' as answered_at, cast(0 as double) as scale_min,
        cast(10 as double) as scale_max";
    shop.given("survey_answers", answers).await;
    let kept = reuse(&shop.run(DATE).await);
    assert!(kept.iter().all(|line| !line.contains("survey")), "{kept:?}");
    shop.file(
        "staging/stg_orders.sql",
        "select *, 0.0 as discount_amount from source.orders",
    );
    all_are(&shop.run(DATE).await, ": stg_orders.sql");
    // a comment changes nothing
    shop.file(
        "staging/stg_orders.sql",
        "-- stg_orders: as the shop has them.\nselect *, 0.0 as discount_amount from source.orders",
    );
    all_are(&shop.run(DATE).await, ": reused");
}

#[tokio::test]
async fn what_is_kept_may_be_deleted_and_erased_customers_are() {
    let shop = shop().await;
    shop.run(DATE).await;
    let before = rows(&shop).await;
    let folder = shop.path().join("lake/_loyalake/kept");
    let parquet = |path: &PathBuf| path.extension().is_some_and(|end| end == "parquet");
    let files: Vec<PathBuf> = kept_files(&folder).into_iter().filter(parquet).collect();
    let one = files.first().expect("a file that is kept");
    std::fs::remove_file(one).expect("it is removed");
    let report = shop.run(DATE).await;
    let refused = reuse(&report);
    let refused = refused
        .iter()
        .filter(|line| line.ends_with("nothing is kept"));
    assert_eq!(refused.count(), 1);
    assert_eq!(rows(&shop).await, before);
    std::fs::remove_dir_all(&folder).expect("all of it is removed");
    all_are(&shop.run(DATE).await, "nothing is kept");
    assert_eq!(rows(&shop).await, before);

    let project = shop.project().expect("a project");
    let anna = BTreeSet::from(["7".to_owned()]);
    let erased = loyalake_jobs::housekeeping::erase::erase(&project, &anna, false).await;
    erased.expect("an erasure");
    assert_eq!(kept_files(&folder), Vec::<PathBuf>::new());
    all_are(&shop.run(DATE).await, "nothing is kept");
    all_are(&shop.run(DATE).await, ": reused");
}

#[tokio::test]
async fn a_run_that_fails_keeps_nothing() {
    let shop = shop().await;
    shop.file(
        "audits/customer_ltv__nobody.sql",
        "-- customer_ltv__nobody: there are no customers.\n-- table: customer_ltv\n\
         -- severity: error\nselect customer_id from customer_ltv",
    );
    shop.try_run(DATE).await.expect_err("an audit fails");
    assert_eq!(
        kept_files(&shop.path().join("lake/_loyalake/kept")),
        Vec::<PathBuf>::new()
    );
}

/// One of several things that happen to a shop; the last is nothing.
async fn edit(shop: &mut Shop, kind: u64, value: u64) {
    let (name, rows) = match kind {
        0 => ("orders", ORDERS.replace("400", &(400 + value).to_string())),
        1 => ("orders", ORDERS.replace("37 %", &format!("{value} %"))),
        2 => ("refunds", REFUNDS.replace("5 as", &format!("{value} as"))),
        3 => ("fx_rates", RATES.replace("1.25", &format!("1.{value}"))),
        4 => ("customers", CUSTOMERS.replace("= 3", &format!("= {value}"))),
        5 => {
            let sql = format!("select * from source.orders where order_id != {value}");
            return shop.file("staging/stg_orders.sql", &sql);
        }
        6 => {
            let sql = format!("-- own: a table.\n-- grain: x\nselect {value} as x");
            return shop.file("marts/own.sql", &sql);
        }
        _ => return,
    };
    shop.given(name, &rows).await;
}

/// Edits in an order that a generator of pseudo-random numbers picks: after each, a lake that uses
/// what was kept equals one that does not.
#[tokio::test]
async fn after_any_edits_reusing_equals_computing() {
    let (mut with, mut without) = (shop().await, shop().await);
    let mut state = 20_240_229_u64;
    let mut pick = |choices: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % choices
    };
    let mut reused = 0;
    for round in 0..14 {
        let (kind, value) = (pick(8), pick(60) + 1);
        for shop in [&mut with, &mut without] {
            edit(shop, kind, value).await;
        }
        let dates = ["2024-12-30", "2024-12-31"];
        let as_of_date = dates[usize::try_from(pick(2)).expect("0 or 1")];
        let report = with.run(as_of_date).await;
        full_refresh(&without, as_of_date).await;
        reused += reuse(&report)
            .iter()
            .filter(|line| line.ends_with("reused"))
            .count();
        assert_eq!(
            rows(&with).await,
            rows(&without).await,
            "round {round}, edit {kind}"
        );
    }
    assert!(reused > 0, "some rounds change nothing that is kept");
}
