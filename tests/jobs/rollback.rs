//! Going back to a run, and forward again.

use loyalake_jobs::JobsError;
use loyalake_jobs::housekeeping::maintain::{MaintainOptions, maintain};
use loyalake_jobs::housekeeping::rollback::{Rollback, rollback};

use crate::housekeeping::{history, orders, shop};
use crate::shop::Shop;

async fn try_rollback(shop: &Shop, run_id: &str) -> Result<Rollback, JobsError> {
    rollback(&shop.project().expect("a project"), run_id, false).await
}

#[tokio::test]
async fn later_dates_vanish_and_come_back() {
    let mut shop = shop().await;
    let first = shop.run("2024-03-20").await.run_id;
    let before = history(&shop).await;
    orders(&mut shop, "value % 6").await;
    shop.run("2024-03-20").await;
    let last = shop.run("2024-04-20").await.run_id;
    let after = history(&shop).await;

    let project = shop.project().expect("a project");
    let told = rollback(&project, &first, true).await.expect("a plan");
    assert_eq!(history(&shop).await, after, "a dry run changes nothing");
    let done = try_rollback(&shop, &first).await.expect("a rollback");
    assert_eq!(format!("{told:?}"), format!("{done:?}"));
    let dates = |dates: &[chrono::NaiveDate]| dates.iter().map(ToString::to_string).collect();
    let (removed, changed): (Vec<_>, Vec<_>) =
        (dates(&done.dates_removed), dates(&done.dates_changed));
    assert_eq!(
        (removed, changed),
        (vec!["2024-04-20".to_owned()], vec!["2024-03-20".to_owned()])
    );
    assert_eq!(history(&shop).await, before);

    try_rollback(&shop, &last).await.expect("a way forward");
    assert_eq!(history(&shop).await, after);
    try_rollback(&shop, &first).await.expect("a rollback");
    orders(&mut shop, "value % 5").await;
    shop.run("2024-04-20").await;
    assert_eq!(
        shop.query("select count(*) from customer_metrics").await,
        ["5"]
    );
    let earlier = "select count(*) from history.customer_metrics where as_of_date = '2024-03-20'";
    assert_eq!(shop.query(earlier).await, ["7"]);
}

#[tokio::test]
async fn an_unknown_run_names_those_there_are() {
    let shop = shop().await;
    let known = shop.run("2024-03-20").await.run_id;
    let error = try_rollback(&shop, "nobody")
        .await
        .expect_err("no such run");
    assert!(matches!(error, JobsError::UnknownRun { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains(&format!("{known} of 2024-03-20")),
        "{error}"
    );
}

#[tokio::test]
async fn a_run_whose_files_are_deleted_is_out_of_reach() {
    let shop = shop().await;
    let first = shop.run("2024-03-20").await.run_id;
    shop.run("2024-03-20").await;
    let options = MaintainOptions {
        keep_days: None,
        retention_hours: 0,
        dry_run: false,
    };
    let project = shop.project().expect("a project");
    maintain(&project, &options).await.expect("maintained");
    let before = history(&shop).await;
    let error = try_rollback(&shop, &first)
        .await
        .expect_err("its files are gone");
    assert!(matches!(error, JobsError::GoneBehind { .. }), "{error}");
    assert!(
        error.to_string().contains("`loyalake maintain` removed it"),
        "{error}"
    );
    assert_eq!(history(&shop).await, before);
}
