//! `loyalake run` over a range of dates: it stops, goes on, and does nothing twice.

use std::fs;

use crate::{Shop, assert_says};

const RANGE: [&str; 5] = [
    "run",
    "--as-of",
    "2026-01-31..2026-03-31",
    "--every",
    "month",
];

#[test]
fn a_range_goes_on_where_it_stopped() {
    let shop = Shop::new();
    // where the rows of one date would go, there is a file
    let obstacle = shop
        .0
        .path()
        .join("lake/customer_ltv/as_of_date=2026-02-28");
    fs::create_dir_all(obstacle.parent().expect("a folder")).expect("a folder");
    fs::write(&obstacle, "").expect("a file");
    let stopped = shop.loyalake(&RANGE);
    assert!(
        stopped.out.contains("2026-01-31  published"),
        "{}",
        stopped.out
    );
    let resume = "loyalake run --config lake.toml --as-of 2026-01-31..2026-03-31 --every month";
    assert_says(
        (stopped.code, stopped.error),
        1,
        &["2026-02-28: ", "customer_ltv", "go on with: ", resume],
    );

    fs::remove_file(&obstacle).expect("a file less");
    let arguments: Vec<&str> = resume.split(' ').skip(1).collect();
    let arguments = [&arguments[..], &["--report", "run.json"]].concat();
    let done = shop.loyalake(&arguments);
    assert_eq!(done.code, 0, "{}", done.error);
    for line in ["2026-01-31  skipped, ", "2026-02-28  published"] {
        assert!(done.out.contains(line), "'{line}' is not in\n{}", done.out);
    }
    let report = fs::read_to_string(shop.0.path().join("run.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report[0]["as_of_date"], "2026-01-31");
    assert!(report[0]["skipped"].is_string(), "{report}");
    assert!(report[0]["tables"].is_null(), "{report}");
    assert_eq!(report[2]["as_of_date"], "2026-03-31");
    assert!(report[2]["tables"].is_array(), "{report}");

    let again = shop.loyalake(&RANGE);
    assert_eq!(again.out.matches("  skipped, ").count(), 3, "{}", again.out);
    let all = shop.loyalake(&[&RANGE[..], &["--full-refresh"]].concat());
    assert_eq!(all.out.matches("  published ").count(), 3, "{}", all.out);
}

#[test]
fn a_day_that_is_not_over_is_run_with_a_warning() {
    let shop = Shop::new();
    let done = shop.loyalake(&["run", "--as-of", "2199-12-31"]);
    assert_says(
        (done.code, done.error),
        0,
        &["2199-12-31 is not over in UTC"],
    );
    let done = shop.loyalake(&["run", "--as-of", "2199-12-30..2200-01-01", "--dry-run"]);
    assert_eq!(done.code, 0, "{}", done.error);
    assert!(
        done.out.contains("3 dates, 2199-12-30 to 2200-01-01"),
        "{}",
        done.out
    );
    for wrong in ["2201-01-01", "1899-12-31", "0026-01-01..2026-01-01"] {
        let done = shop.loyalake(&["run", "--as-of", wrong]);
        assert_says((done.code, done.error), 2, &["from 1900 to 2200"]);
    }
}
