//! A range of dates: what is published and would be the same is left alone.

use std::sync::Arc;

use loyalake_jobs::housekeeping::erase::erase;
use loyalake_jobs::report::Outcome;
use loyalake_jobs::run::run_unless_published;
use loyalake_jobs::{Ledger, RunOptions};

use crate::shop::{Shop, Silent, date};

const ORDERS: &str =
    "select value as order_id, value as customer_id, date '2026-01-05' as ordered_at,
    'paid' as status, 10.0 as gross_amount from generate_series(1, 2)";

const DATE: &str = "2026-01-31";

impl Shop {
    /// The run that published a date, and whether it took place now.
    async fn backfill(&self, as_of_date: &str, select: &[&str]) -> (String, bool) {
        let project = self.project().expect("a project");
        let ledger = Ledger::of(&project).await.expect("a lake");
        let ledger = ledger.expect("a ledger");
        let options = RunOptions {
            as_of_date: date(as_of_date),
            select: select.iter().map(|&name| name.to_owned()).collect(),
            full_refresh: false,
        };
        let done = run_unless_published(&project, &options, &ledger, Arc::new(Silent)).await;
        match done.expect("a run") {
            Outcome::Published(report) => (report.run_id, true),
            Outcome::Skipped(skipped) => {
                assert_eq!(skipped.as_of_date, options.as_of_date);
                (skipped.run_id, false)
            }
        }
    }
}

async fn shop() -> Shop {
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    shop
}

#[tokio::test]
async fn a_date_is_skipped_while_nothing_changes() {
    let shop = shop().await;
    let first = shop.run(DATE).await;
    assert_eq!(
        shop.query("select run_id, fingerprint from runs").await,
        [format!("{} {}", first.run_id, first.fingerprint)]
    );
    assert_eq!(shop.backfill(DATE, &[]).await, (first.run_id, false));
    let (second, is_new) = shop.backfill("2026-02-28", &[]).await;
    assert!(is_new, "another date is another run");
    assert_eq!(shop.backfill("2026-02-28", &[]).await, (second, false));
}

#[tokio::test]
async fn whatever_a_run_depends_on_makes_it_run_again() {
    let mut shop = shop().await;
    shop.run(DATE).await;
    shop.parameter("horizon_days = 30");
    assert!(shop.backfill(DATE, &[]).await.1, "a parameter");
    assert!(!shop.backfill(DATE, &[]).await.1);
    shop.given("orders", &ORDERS.replace("10.0", "110.0")).await;
    assert!(shop.backfill(DATE, &[]).await.1, "an input");
    assert!(!shop.backfill(DATE, &[]).await.1);
    shop.file(
        "audits/runs__none.sql",
        "select 1 as one from runs where false",
    );
    assert!(shop.backfill(DATE, &[]).await.1, "an added file");
    assert!(!shop.backfill(DATE, &[]).await.1);
    assert!(
        shop.backfill(DATE, &["customer_rfm"]).await.1,
        "a selection"
    );
    assert!(
        shop.backfill(DATE, &[]).await.1,
        "all tables, after a selection"
    );
    let customer = ["2".to_owned()].into();
    let erased = erase(&shop.project().expect("a project"), &customer, false).await;
    erased.expect("a customer is erased");
    assert!(shop.backfill(DATE, &[]).await.1, "an erased customer");
    assert!(!shop.backfill(DATE, &[]).await.1);
}

#[tokio::test]
async fn a_single_date_always_runs() {
    let shop = shop().await;
    let (first, second) = (shop.run(DATE).await, shop.run(DATE).await);
    assert_ne!(first.run_id, second.run_id);
    assert_eq!(first.fingerprint, second.fingerprint);
    let ids = shop.query("select run_id from runs").await;
    assert_eq!(ids, [second.run_id]);
}
